//! Why a message is not taken, and what its sender is told.

use std::borrow::Cow;

use crate::message::{Request, Response, reason_phrase};

/// Why bytes are no SIP message. Each says what the sender has to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is nothing that looks like SIP at all.
    #[error("not a SIP message")]
    NotSip,
    /// The start line is not `METHOD URI SIP/2.0` or `SIP/2.0 status reason`.
    #[error("malformed start line")]
    StartLine,
    /// The version is not SIP/2.0.
    #[error("version not supported; use SIP/2.0")]
    Version,
    /// The Request-URI is malformed.
    #[error("malformed Request-URI")]
    RequestUri,
    /// A header line has no name, no colon, or a name that is no token.
    #[error("malformed header line")]
    HeaderLine,
    /// There is no empty line after the headers.
    #[error("the headers do not end with an empty line")]
    Unterminated,
    /// There are more header lines than are read.
    #[error("more than 256 header lines")]
    TooManyHeaders,
    /// The message is longer than is read.
    #[error("message too large")]
    TooLarge,
    /// Content-Length is no number, or two lines of it disagree.
    #[error("malformed Content-Length")]
    ContentLength,
    /// Content-Length is missing on a stream.
    #[error("missing Content-Length on a stream")]
    NoContentLength,
    /// The datagram has fewer body bytes than Content-Length says.
    #[error("the body is shorter than Content-Length says")]
    Truncated,
    /// The status is not in 100 to 699.
    #[error("status out of range")]
    Status,
    /// CSeq names another method than the start line.
    #[error("CSeq method differs from the request's")]
    MethodMismatch,
    /// A header that every message must have is missing, repeated or malformed.
    #[error(transparent)]
    Header(#[from] crate::headers::HeaderError),
}

/// Bytes that are not taken as a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Say nothing: a response, an ACK, or too little of a request to answer it.
    #[error("dropped: {0}")]
    Drop(Fault),
    /// Answer with [`ParseError::answer`].
    #[error("rejected with {}: {}", .0.rejection.status, .0.fault)]
    Reject(Box<Rejected>),
}

/// A request that is answered with an error before anyone looked at what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// As much of the request as could be read.
    pub request: Request,
    /// What is wrong.
    pub fault: Fault,
    /// What the sender is told.
    pub rejection: Rejection,
}

/// A final response that the wire layer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The status, 400 to 699.
    pub status: u16,
    /// The reason phrase; it names the fault where RFC 3261 section 21.4.1 wants that.
    pub reason: Cow<'static, str>,
    /// Headers that the status demands: Unsupported, Accept, Allow ...
    pub headers: Vec<(&'static str, String)>,
}

impl ParseError {
    /// The response to send, without To-tag; `None` when nothing may be said.
    pub fn answer(&self) -> Option<Response> {
        match self {
            Self::Drop(_) => None,
            Self::Reject(rejected) => Some(rejected.rejection.response(&rejected.request)),
        }
    }

    /// What is wrong.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Drop(fault) => *fault,
            Self::Reject(rejected) => rejected.fault,
        }
    }
}

impl Rejection {
    /// A rejection with the usual reason phrase.
    pub fn of(status: u16) -> Self {
        Self { status, reason: Cow::Borrowed(reason_phrase(status)), headers: Vec::new() }
    }

    /// 400 with a reason phrase that names the fault.
    ///
    /// Source: RFC 3261 section 21.4.1.
    pub fn bad_request(fault: impl std::fmt::Display) -> Self {
        Self { reason: Cow::Owned(format!("Bad Request ({fault})")), ..Self::of(400) }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The response to send, without To-tag.
    pub fn response(&self, request: &Request) -> Response {
        let mut response = Response::to_request(request, self.status);
        response.reason = self.reason.clone().into_owned();
        for (name, value) in &self.headers {
            response.headers.push(name, value.as_str());
        }
        response
    }
}
