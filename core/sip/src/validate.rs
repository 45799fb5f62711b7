//! What RFC 3261 section 8.2 asks of every request before anyone looks at what it wants.

use crate::headers::{HeaderError, Headers};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::rejection::{Fault, Rejection};
use crate::uri::RequestUri;

/// What a server understands.
#[derive(Debug, Clone, Copy)]
pub struct Abilities<'a> {
    /// The methods it takes, for 405 and Allow.
    pub methods: &'a [Method],
    /// The option tags it takes in Require, in lower case, for 420 and Unsupported.
    pub extensions: &'a [&'a str],
    /// The body types it takes, `application/sdp`, for 415 and Accept. A body of no type is not judged.
    pub content_types: &'a [&'a str],
    /// Whether it takes `tel:` Request-URIs.
    pub tel: bool,
}

/// Judges a request as a user agent server does, in the order of RFC 3261 section 8.2 after the syntax.
///
/// # Errors
/// The response to send. An ACK must not be answered: drop it instead.
pub fn validate(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    check_syntax(request).map_err(Rejection::bad_request)?;
    check_method(request, abilities)?;
    check_scheme(request, abilities)?;
    check_require(request, abilities)?;
    check_body(request, abilities)
}

/// Judges the headers that every request needs; a fault is answered with 400.
///
/// # Errors
/// The header that is missing, repeated or malformed.
pub fn check_syntax(request: &Request) -> Result<(), HeaderError> {
    let headers = &request.headers;
    check_common(headers)?;
    if headers.cseq()?.method != request.method {
        return Err(HeaderError::Malformed("CSeq"));
    }
    headers.max_forwards()?;
    headers.contacts()?;
    headers.routes()?;
    headers.record_routes()?;
    Ok(())
}

/// Judges the headers that every response needs.
///
/// # Errors
/// What is wrong: such a response is dropped without a word (RFC 3261 section 18.1.2, 8.1.3).
pub fn check_response(response: &Response) -> Result<(), Fault> {
    Ok(check_common(&response.headers)?)
}

fn check_common(headers: &Headers) -> Result<(), HeaderError> {
    headers.vias()?;
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    headers.cseq().map(drop)
}

fn check_method(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    if abilities.methods.contains(&request.method) {
        return Ok(());
    }
    let allow: Vec<_> = abilities.methods.iter().map(Method::as_str).collect();
    Err(Rejection::of(405).with("Allow", allow.join(", ")))
}

fn check_scheme(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    match &request.uri {
        RequestUri::Sip(_) => Ok(()),
        RequestUri::Tel(_) if abilities.tel => Ok(()),
        RequestUri::Tel(_) | RequestUri::Raw(_) => Err(Rejection::of(416)),
    }
}

fn check_require(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    // Require does not count in CANCEL and in ACK to a refused INVITE (RFC 3261 section 8.2.2.3).
    if matches!(request.method, Method::Cancel | Method::Ack) {
        return Ok(());
    }
    let known = |tag: &str| abilities.extensions.iter().any(|known| known.eq_ignore_ascii_case(tag));
    let unknown: Vec<_> = request.headers.tokens("Require").into_iter().filter(|tag| !known(tag)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Rejection::of(420).with("Unsupported", unknown.join(", ")))
}

fn check_body(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    if request.body.is_empty() {
        return Ok(());
    }
    if request.headers.tokens("Content-Encoding").iter().any(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Rejection::of(415).with("Accept-Encoding", "identity"));
    }
    let Some(content_type) = request.headers.content_type() else { return Ok(()) };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if abilities.content_types.iter().any(|known| known.eq_ignore_ascii_case(media_type)) {
        return Ok(());
    }
    Err(Rejection::of(415).with("Accept", abilities.content_types.join(", ")))
}
