//! What RFC 3261 section 8.2 asks of every request before anyone looks at what it wants.

use crate::headers::{HeaderError, Headers};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::rejection::{Fault, Rejection};
use crate::session;
use crate::uri::RequestUri;
use crate::via::BRANCH_COOKIE;

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
    check_session_expires(request, abilities)?;
    check_body(request, abilities)?;
    check_accept(request, abilities)
}

/// Judges what every request needs, whatever it asks; a fault is answered with 400.
///
/// A server must also judge what it uses beyond that: the Date header, for one, is not looked at
/// (RFC 4475 section 3.1.2.12 leaves that open).
///
/// # Errors
/// The header that is missing, repeated or malformed; a Request-URI with headers (RFC 3261 section 19.1.1).
pub fn check_syntax(request: &Request) -> Result<(), Fault> {
    let headers = &request.headers;
    check_common(headers)?;
    if headers.cseq()?.method != request.method {
        return Err(Fault::MethodMismatch);
    }
    if request.uri.as_sip().is_some_and(|uri| uri.headers().is_some()) {
        return Err(Fault::RequestUri);
    }
    // The cookie alone promises a unique branch and gives none (RFC 4475 section 3.2.1).
    if headers.top_via()?.branch().is_some_and(|branch| branch.eq_ignore_ascii_case(BRANCH_COOKIE)) {
        return Err(HeaderError::Malformed("Via").into());
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

fn check_session_expires(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    if abilities.extensions.contains(&session::TIMER) && session::timer::is_too_short(request) {
        return Err(Rejection::of(422).with("Min-SE", session::MIN_SE.as_secs().to_string()));
    }
    Ok(())
}

fn check_scheme(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    match &request.uri {
        RequestUri::Sip(_) => Ok(()),
        RequestUri::Tel(_) if abilities.tel => Ok(()),
        // Whoever takes numbers knows the one that calls for help.
        RequestUri::Raw(_) if abilities.tel && request.uri.is_help() => Ok(()),
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
    if abilities.content_types.iter().any(|known| known.eq_ignore_ascii_case(media_type(content_type))) {
        return Ok(());
    }
    Err(Rejection::of(415).with("Accept", abilities.content_types.join(", ")))
}

/// An INVITE that takes none of the bodies that an answer has here cannot be served.
///
/// Source: RFC 3261 section 20.1 (no Accept means application/sdp, an empty one means no body at all).
fn check_accept(request: &Request, abilities: &Abilities<'_>) -> Result<(), Rejection> {
    if request.method != Method::Invite || !request.headers.contains("Accept") {
        return Ok(());
    }
    let taken = |range: &str| {
        let (kind, subtype) = media_type(range).split_once('/')?;
        let fits = |known: &&str| {
            known.split_once('/').is_some_and(|(known_kind, known_subtype)| {
                (kind == "*" || kind.eq_ignore_ascii_case(known_kind))
                    && (subtype == "*" || subtype.eq_ignore_ascii_case(known_subtype))
            })
        };
        abilities.content_types.iter().any(fits).then_some(())
    };
    if request.headers.tokens("Accept").into_iter().any(|range| taken(range).is_some()) {
        return Ok(());
    }
    Err(Rejection::of(406).with("Accept", abilities.content_types.join(", ")))
}

/// The media type without its parameters.
fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::parse_datagram;
    use crate::message::Message;

    const METHODS: [Method; 3] = [Method::Invite, Method::Ack, Method::Cancel];
    const ABILITIES: Abilities<'_> =
        Abilities { methods: &METHODS, extensions: &["timer"], content_types: &["application/sdp"], tel: true };

    /// An INVITE with other lines at its end and other texts in it.
    fn request(more: &str, change: (&str, &str)) -> Request {
        let text = format!(
            "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n{more}\r\nx"
        );
        match parse_datagram(text.replace(change.0, change.1).as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn rejected(more: &str, change: (&str, &str)) -> Rejection {
        validate(&request(more, change), &ABILITIES).unwrap_err()
    }

    const SAME: (&str, &str) = ("sip:b@h", "sip:b@h");

    #[test]
    fn sound_request_passes() {
        let more = "Require: Timer\r\nAccept: text/plain, application/*;q=1\r\nContent-Type: Application/SDP;x=y\r\n";
        assert_eq!(validate(&request(more, SAME), &ABILITIES), Ok(()));
        assert_eq!(validate(&request("", ("INVITE sip:b@h", "INVITE tel:+1")), &ABILITIES), Ok(()));
    }

    #[test]
    fn syntax_is_judged_first_and_the_reason_names_the_header() {
        for (change, reason) in [
            (("Call-ID: 1\r\n", ""), "missing Call-ID header"),
            (("CSeq: 1 INVITE", "CSeq: 1 BYE"), "CSeq method differs from the request's"),
            (("Max-Forwards: 70", "Max-Forwards: 256"), "malformed Max-Forwards header"),
            (("branch=z9hG4bK1", "branch=z9hG4bK"), "malformed Via header"),
            (("INVITE sip:b@h", "INVITE sip:b@h?Route=x"), "malformed Request-URI"),
            (("To: <sip:b@h>", "To: <sip:b@h>\r\nTo: <sip:c@h>"), "more than one To header"),
        ] {
            let rejection = rejected("", change);
            assert_eq!((rejection.status, rejection.reason), (400, format!("Bad Request ({reason})").into()));
        }
    }

    #[test]
    fn unknown_method_gets_405_with_what_is_allowed() {
        let rejection = rejected("", ("INVITE", "FOO"));
        assert_eq!(rejection.status, 405);
        assert_eq!(rejection.headers, [("Allow", "INVITE, ACK, CANCEL".to_owned())]);
    }

    #[test]
    fn unknown_scheme_gets_416() {
        assert_eq!(rejected("", ("INVITE sip:b@h", "INVITE urn:x")).status, 416);
    }

    #[test]
    fn unknown_extension_gets_420_with_those_that_are_unknown() {
        let rejection = rejected("Require: timer, foo\r\nRequire: bar\r\n", SAME);
        assert_eq!((rejection.status, rejection.headers), (420, vec![("Unsupported", "foo, bar".to_owned())]));
        let cancel = request("Require: foo\r\n", ("INVITE", "CANCEL"));
        assert_eq!(validate(&cancel, &ABILITIES), Ok(()));
    }

    #[test]
    fn unknown_body_gets_415_and_unknown_accept_406() {
        assert_eq!(rejected("Content-Type: text/plain\r\n", SAME).status, 415);
        assert_eq!(rejected("Content-Encoding: gzip\r\n", SAME).status, 415);
        let rejection = rejected("Accept: text/*\r\n", SAME);
        assert_eq!((rejection.status, rejection.headers), (406, vec![("Accept", "application/sdp".to_owned())]));
    }

    #[test]
    fn answer_to_a_rejected_request_carries_its_headers() {
        let request = request("", ("INVITE", "FOO"));
        let answer = rejected("", ("INVITE", "FOO")).response(&request);
        assert_eq!(answer.headers.get("Allow"), Some("INVITE, ACK, CANCEL"));
        assert_eq!(answer.headers.top_via(), request.headers.top_via());
    }
}
