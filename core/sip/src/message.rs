//! Requests and responses.

use crate::headers::Headers;
use crate::method::Method;
use crate::uri::RequestUri;
use crate::writer;

/// One SIP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Asks for something.
    Request(Request),
    /// Answers a request.
    Response(Response),
}

/// A request.
///
/// Source: RFC 3261 section 7.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Of whom.
    pub uri: RequestUri,
    /// The headers, without Content-Length.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// A response.
///
/// Source: RFC 3261 section 7.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    /// The reason phrase, as it came or as RFC 3261 section 21 has it.
    pub reason: String,
    /// The headers, without Content-Length.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Message {
    /// The headers.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Self::Request(request) => &mut request.headers,
            Self::Response(response) => &mut response.headers,
        }
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Request(request) => &request.body,
            Self::Response(response) => &response.body,
        }
    }

    /// Appends the message as it goes on the wire.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Request(request) => request.write_to(out),
            Self::Response(response) => response.write_to(out),
        }
    }

    /// The message as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, uri: impl Into<RequestUri>) -> Self {
        Self { method, uri: uri.into(), headers: Headers::new(), body: Vec::new() }
    }

    /// Appends the request as it goes on the wire, Content-Length counted.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        writer::request(self, out);
    }

    /// The request as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

impl Response {
    /// A response without headers and body, with the usual reason phrase.
    pub fn new(status: u16) -> Self {
        Self { status, reason: reason_phrase(status).to_owned(), headers: Headers::new(), body: Vec::new() }
    }

    /// The response to a request: its Via, From, To, Call-ID and CSeq, and the Timestamp of one that gets 100.
    ///
    /// The To header gets no tag; see [`Response::to_request_tagged`].
    ///
    /// Source: RFC 3261 sections 8.2.6.1 and 8.2.6.2.
    pub fn to_request(request: &Request, status: u16) -> Self {
        let mut response = Self::new(status);
        response.headers.reserve(8);
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            response.headers.copy_from(&request.headers, name);
        }
        if status == 100 {
            response.headers.copy_from(&request.headers, "Timestamp");
        }
        response
    }

    /// The same, with `to_tag` in To when the request had no tag there; 100 never gets one.
    ///
    /// Source: RFC 3261 section 8.2.6.2.
    pub fn to_request_tagged(request: &Request, status: u16, to_tag: &str) -> Self {
        let mut response = Self::to_request(request, status);
        if status > 100 {
            response.headers.set_to_tag(to_tag);
        }
        response
    }

    /// 1xx.
    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// 2xx to 6xx.
    pub fn is_final(&self) -> bool {
        self.status >= 200
    }

    /// Appends the response as it goes on the wire, Content-Length counted.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        writer::response(self, out);
    }

    /// The response as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

/// The usual reason phrase of a status.
///
/// Source: RFC 3261 section 21 and the IANA registry of SIP response codes.
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 | 606 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        417 => "Unknown Resource-Priority",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        424 => "Bad Location Information",
        428 => "Use Identity Header",
        429 => "Provide Referrer Identity",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        436 => "Bad Identity-Info",
        437 => "Unsupported Certificate",
        438 => "Invalid Identity Header",
        439 => "First Hop Lacks Outbound Support",
        555 => "Push Notification Service Not Supported",
        440 => "Max-Breadth Exceeded",
        469 => "Bad Info Package",
        470 => "Consent Needed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        607 => "Unwanted",
        608 => "Rejected",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Client Error",
            5 => "Server Error",
            _ => "Failure",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::parse_datagram;

    fn invite(to: &str) -> Request {
        let mut request = Request::new(Method::Invite, RequestUri::parse("sip:b@h").unwrap());
        for (name, value) in [
            ("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"),
            ("Via", "SIP/2.0/UDP b;branch=z9hG4bK2"),
            ("From", "<sip:a@h>;tag=1"),
            ("To", to),
            ("Call-ID", "id"),
            ("CSeq", "1 INVITE"),
            ("Timestamp", "54"),
            ("Subject", "left out"),
        ] {
            request.headers.push(name, value);
        }
        request
    }

    #[test]
    fn response_takes_over_the_headers_that_the_rfc_lists() {
        let response = Response::to_request_tagged(&invite("<sip:b@h>"), 180, "t");
        let text = String::from_utf8(response.to_bytes()).unwrap();
        assert_eq!(
            text,
            "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP b;branch=z9hG4bK2\r\n\
             From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=t\r\nCall-ID: id\r\nCSeq: 1 INVITE\r\n\
             Content-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn trying_gets_the_timestamp_and_no_tag() {
        let trying = Response::to_request_tagged(&invite("<sip:b@h>"), 100, "t");
        assert_eq!((trying.headers.get("To"), trying.headers.get("Timestamp")), (Some("<sip:b@h>"), Some("54")));
    }

    #[test]
    fn tag_of_the_request_stays() {
        let ok = Response::to_request_tagged(&invite("<sip:b@h>;tag=old"), 200, "t");
        assert_eq!(ok.headers.get("To"), Some("<sip:b@h>;tag=old"));
    }

    #[test]
    fn length_is_counted_and_binary_bodies_stay_whole() {
        let mut request = invite("<sip:b@h>");
        request.headers.push("Content-Length", "999");
        request.body = vec![0xff, 0xfe, 0, b'\r', b'\n'];
        let bytes = request.to_bytes();
        assert!(bytes.ends_with(b"\r\nContent-Length: 5\r\n\r\n\xff\xfe\0\r\n"));
        let Message::Request(read) = parse_datagram(&bytes).unwrap() else { panic!("a request") };
        assert_eq!(read.body, request.body);
    }

    #[test]
    fn reason_phrase_cannot_end_the_line() {
        let response = Response { reason: "a\r\nX: y".to_owned(), ..Response::new(400) };
        assert!(response.to_bytes().starts_with(b"SIP/2.0 400 aX: y\r\nContent-Length"));
    }
}
