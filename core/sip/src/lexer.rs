//! Bytes to messages: start line, header lines, body. On bytes, in one pass, linear.
//!
//! What is tolerated: empty lines before the start line (RFC 3261 section 7.5), lines that end with LF alone,
//! white space before the colon, folded lines, compact names, header values that are no UTF-8.

use crate::headers::Headers;
use crate::limits::{HEADER_NAME_BYTES_MAX, HEADERS_MAX, METHOD_BYTES_MAX, UDP_BYTES_MAX};
use crate::message::{Message, Request, Response};
use crate::method::Method;
use crate::rejection::{Fault, ParseError, Rejected, Rejection};
use crate::scan;
use crate::uri::{RequestUri, UriError};

/// Reads the one message of a datagram.
///
/// The body ends where Content-Length says, bytes after it are ignored; without the header it ends with the
/// datagram (RFC 3261 section 18.3). Headers are split but not judged: see [`crate::validate()`].
///
/// # Errors
/// [`ParseError::Reject`] for a request that is to be answered, [`ParseError::Drop`] for all else.
pub fn parse_datagram(bytes: &[u8]) -> Result<Message, ParseError> {
    parse_whole(bytes, UDP_BYTES_MAX)
}

/// Reads a message that ends with `bytes`, which may have this length.
pub(crate) fn parse_whole(bytes: &[u8], limit: usize) -> Result<Message, ParseError> {
    if bytes.len() > limit {
        // Its sender learns by 513 that it is too long (RFC 3261 section 21.5.7); of its head enough is read for that.
        let (mut head, _) = Head::read(bytes.get(..limit).unwrap_or_default());
        head.fault = Some(Fault::TooLarge);
        return head.finish(&[]);
    }
    let (mut head, used) = Head::read(bytes);
    let body = bytes.get(used..).unwrap_or_default();
    let body = match head.content_length {
        None => body,
        Some(length) => body.get(..length).unwrap_or_else(|| {
            head.fault = head.fault.or(Some(Fault::Truncated));
            body
        }),
    };
    head.finish(body)
}

/// A message up to its empty line.
#[derive(Debug)]
pub(crate) struct Head {
    start: Start,
    headers: Headers,
    /// What Content-Length says, `None` when it is absent or faulty.
    pub(crate) content_length: Option<usize>,
    /// The first fault that was found.
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug)]
enum Start {
    Request {
        method: Method,
        uri: RequestUri,
    },
    Response {
        status: u16,
        reason: String,
    },
    /// Neither, so that nobody can be answered.
    Neither,
}

impl Head {
    /// Reads start line and headers; the second value is how many bytes they take, the empty line included.
    pub(crate) fn read(bytes: &[u8]) -> (Self, usize) {
        let mut lines = Lines { bytes, at: 0 };
        let mut fault = None;
        let start = loop {
            match lines.next() {
                Some([]) => {}
                Some(line) => break read_start(line, &mut fault),
                None => {
                    fault = Some(Fault::NotSip);
                    break Start::Neither;
                }
            }
        };
        let mut head = Self { start, headers: Headers::new(), content_length: None, fault };
        if !matches!(head.start, Start::Neither) {
            head.read_headers(&mut lines);
        }
        (head, lines.at)
    }

    /// Makes the message, or says what is to be done about its fault.
    pub(crate) fn finish(self, body: &[u8]) -> Result<Message, ParseError> {
        let Self { start, headers, fault, .. } = self;
        match (start, fault) {
            (Start::Request { method, uri }, None) => {
                Ok(Message::Request(Request { method, uri, headers, body: body.to_vec() }))
            }
            (Start::Response { status, reason }, None) => {
                Ok(Message::Response(Response { status, reason, headers, body: body.to_vec() }))
            }
            (Start::Request { method, uri }, Some(fault)) => {
                let request = Request { method, uri, headers, body: Vec::new() };
                Err(reject(request, fault))
            }
            (Start::Response { .. } | Start::Neither, fault) => Err(ParseError::Drop(fault.unwrap_or(Fault::NotSip))),
        }
    }

    fn read_headers(&mut self, lines: &mut Lines<'_>) {
        self.headers.reserve(16);
        let mut unfolded = Vec::new();
        let mut count = 0;
        loop {
            let Some(line) = lines.next() else {
                self.note(Fault::Unterminated);
                return;
            };
            if line.is_empty() {
                return;
            }
            count += 1;
            if count > HEADERS_MAX {
                self.note(Fault::TooManyHeaders);
                lines.skip_head();
                return;
            }
            // The name and its colon stand on one line (RFC 3261 section 25.1, HCOLON); only the value is folded.
            if memchr::memchr(b':', line).is_none() {
                self.note(Fault::HeaderLine);
            }
            let line = lines.unfold(line, &mut unfolded);
            self.read_header(line);
        }
    }

    fn read_header(&mut self, line: &[u8]) {
        let Some((name, value)) = split_header(line) else { return self.note(Fault::HeaderLine) };
        if name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l") {
            return self.read_content_length(value);
        }
        self.headers.push_bytes(name, value);
    }

    fn read_content_length(&mut self, value: &[u8]) {
        let length = std::str::from_utf8(value).ok().and_then(scan::number).map(|length| length as usize);
        match (length, self.content_length) {
            (Some(length), None) => self.content_length = Some(length),
            (Some(length), Some(before)) if length == before => {}
            (Some(_), Some(_)) | (None, _) => self.note(Fault::ContentLength),
        }
    }

    fn note(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some(fault));
    }
}

/// What is done about a faulty request: an answer where it can be sent, silence otherwise.
///
/// An ACK is never answered (RFC 3261 section 17), and without Via, From, To, Call-ID and CSeq no response can be
/// made that the sender would match.
pub(crate) fn reject(request: Request, fault: Fault) -> ParseError {
    let answerable = ["Via", "From", "To", "Call-ID", "CSeq"].iter().all(|name| request.headers.contains(name));
    if request.method == Method::Ack || !answerable {
        return ParseError::Drop(fault);
    }
    let rejection = match fault {
        Fault::Version => Rejection::of(505),
        Fault::TooLarge => Rejection::of(513),
        Fault::NotSip
        | Fault::StartLine
        | Fault::RequestUri
        | Fault::HeaderLine
        | Fault::Unterminated
        | Fault::TooManyHeaders
        | Fault::ContentLength
        | Fault::NoContentLength
        | Fault::Truncated
        | Fault::Status
        | Fault::MethodMismatch
        | Fault::Header(_) => Rejection::bad_request(fault),
    };
    ParseError::Reject(Box::new(Rejected { request, fault, rejection }))
}

/// Lines without their line ends.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        self.at += end + 1;
        let line = rest.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The line with those that are folded into it, each fold one space.
    fn unfold<'b>(&mut self, line: &'b [u8], buffer: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        if !self.folds() {
            return line;
        }
        buffer.clear();
        buffer.extend_from_slice(scan::trim_bytes_end(line));
        while self.folds() {
            let Some(more) = self.next() else { break };
            buffer.push(b' ');
            buffer.extend_from_slice(scan::trim_bytes(more));
        }
        buffer
    }

    fn folds(&self) -> bool {
        matches!(self.bytes.get(self.at), Some(b' ' | b'\t'))
    }

    /// Goes past the empty line.
    fn skip_head(&mut self) {
        while self.next().is_some_and(|line| !line.is_empty()) {}
    }
}

/// Splits `name: value`; the name is a token, white space around the colon goes.
///
/// A CR within the value is refused: another parser would see the line end there, and what we pass on would be
/// two headers to it. A NUL may stand in a quoted string (RFC 4475 section 3.1.1.2).
fn split_header(line: &[u8]) -> Option<(&str, &[u8])> {
    let end = line.iter().position(|&byte| !scan::is_token_byte(byte))?;
    let (name, rest) = line.split_at_checked(end)?;
    let value = scan::trim_bytes(scan::trim_bytes_start(rest).strip_prefix(b":")?);
    let ok = !name.is_empty() && name.len() <= HEADER_NAME_BYTES_MAX && !value.contains(&b'\r');
    ok.then_some((std::str::from_utf8(name).ok()?, value))
}

fn read_start(line: &[u8], fault: &mut Option<Fault>) -> Start {
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        return read_status_line(line, fault);
    }
    read_request_line(line, fault)
}

/// Reads `METHOD SP Request-URI SP SIP/2.0`, exactly one space each (RFC 3261 section 7.1).
///
/// A line that is a request's in intent but not in form gives the parts that can be told, so that it is answered.
fn read_request_line(line: &[u8], fault: &mut Option<Fault>) -> Start {
    let mut note = |found| *fault = fault.or(Some(found));
    let Some(end) = line.iter().position(|&byte| byte == b' ') else {
        note(Fault::NotSip);
        return Start::Neither;
    };
    let (method, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    let method = std::str::from_utf8(method).ok().filter(|method| scan::is_token(method.as_bytes()));
    let Some(method) = method.filter(|method| method.len() <= METHOD_BYTES_MAX) else {
        note(Fault::NotSip);
        return Start::Neither;
    };
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let cut = rest.iter().rposition(|&byte| byte == b' ').filter(|_| scan::trim_bytes(rest).len() == rest.len());
    let Some((uri, version)) = cut.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))) else {
        // Space at the ends of the line: RFC 4475 sections 3.1.2.9 and 3.1.2.10 ask for 400.
        let is_sip = rest.trim_ascii().to_ascii_uppercase().windows(4).any(|part| part == b"SIP/");
        note(if is_sip { Fault::StartLine } else { Fault::NotSip });
        return if is_sip { unreadable(method, rest) } else { Start::Neither };
    };
    match read_version(version) {
        Version::Two => {}
        Version::Other => note(Fault::Version),
        Version::None => {
            note(Fault::NotSip);
            return Start::Neither;
        }
    }
    let Some(uri) = std::str::from_utf8(uri).ok().filter(|uri| !uri.is_empty()) else {
        note(Fault::RequestUri);
        return unreadable(method, rest);
    };
    match RequestUri::parse(uri) {
        Ok(uri) => Start::Request { method: Method::from_token(method), uri },
        Err(
            UriError::NoScheme
            | UriError::BadCharacter
            | UriError::BadHost
            | UriError::BadPort
            | UriError::BadParam
            | UriError::BadNumber,
        ) => {
            note(Fault::RequestUri);
            unreadable(method, uri.as_bytes())
        }
    }
}

/// A request whose URI cannot be read keeps it as text: it is answered, never sent on.
fn unreadable(method: &str, uri: &[u8]) -> Start {
    let uri = RequestUri::Raw(String::from_utf8_lossy(uri).into_owned());
    Start::Request { method: Method::from_token(method), uri }
}

enum Version {
    Two,
    Other,
    None,
}

fn read_version(text: &[u8]) -> Version {
    match text.split_at_checked(4) {
        Some((name, b"2.0")) if name.eq_ignore_ascii_case(b"SIP/") => Version::Two,
        Some((name, number)) if name.eq_ignore_ascii_case(b"SIP/") && !number.is_empty() => Version::Other,
        Some(_) | None => Version::None,
    }
}

/// Reads `SIP/2.0 SP status SP reason`; the reason may be empty, its space missing.
fn read_status_line(line: &[u8], fault: &mut Option<Fault>) -> Start {
    let mut note = |found| *fault = fault.or(Some(found));
    let mut parts = line.splitn(3, |&byte| byte == b' ');
    if !matches!(read_version(parts.next().unwrap_or_default()), Version::Two) {
        note(Fault::Version);
    }
    let status = match parts.next() {
        Some(&[a, b, c]) if [a, b, c].iter().all(u8::is_ascii_digit) => {
            [a, b, c].iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'))
        }
        Some(_) | None => 0,
    };
    if !(100..700).contains(&status) {
        note(Fault::Status);
    }
    let reason = parts.next().unwrap_or_default();
    if reason.contains(&b'\r') {
        note(Fault::StartLine);
    }
    let reason = String::from_utf8_lossy(reason).into_owned();
    Start::Response { status, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str =
        "v: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=1\r\nt: <sip:h>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n";

    #[track_caller]
    fn request(text: &str) -> Request {
        match parse_datagram(text.as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn status(bytes: &[u8]) -> (Fault, Option<u16>) {
        let error = parse_datagram(bytes).unwrap_err();
        (error.fault(), error.answer().map(|answer| answer.status))
    }

    #[test]
    fn folds_compact_names_and_space_before_the_colon_are_read() {
        let request = request(&format!("\r\n\r\nOPTIONS sip:h SIP/2.0\r\nSubject :\r\n  a\r\n\tb  \r\n{REST}\r\nbody"));
        assert_eq!(request.headers.get("Subject"), Some("a b"));
        assert_eq!(request.headers.call_id(), Ok("1"));
        assert_eq!(request.body, b"body");
    }

    #[test]
    fn lines_that_end_with_lf_alone_are_read() {
        let text = format!("OPTIONS sip:h SIP/2.0\r\n{REST}\r\n").replace("\r\n", "\n");
        assert_eq!(request(&text).headers.len(), 5);
    }

    #[test]
    fn bytes_that_are_no_utf8_go_through_unchanged() {
        let mut bytes = format!("OPTIONS sip:h SIP/2.0\r\n{REST}X-Latin: ").into_bytes();
        bytes.extend_from_slice(b"caf\xe9\r\n\r\n");
        let Ok(Message::Request(request)) = parse_datagram(&bytes) else { panic!("a request") };
        assert_eq!(request.headers.get("X-Latin"), Some("caf\u{fffd}"));
        let written = request.to_bytes();
        let line = b"X-Latin: caf\xe9\r\n";
        assert!(written.windows(line.len()).any(|part| part == line));
    }

    #[test]
    fn length_decides_where_the_body_of_a_datagram_ends() {
        let of = |length: &str, body: &str| format!("OPTIONS sip:h SIP/2.0\r\n{REST}{length}\r\n{body}");
        assert_eq!(request(&of("l: 2\r\n", "abcd")).body, b"ab");
        assert_eq!(request(&of("l: 2\r\nContent-Length: 2\r\n", "abcd")).body, b"ab");
        assert_eq!(status(of("l: 5\r\n", "abcd").as_bytes()), (Fault::Truncated, Some(400)));
        for length in ["l: -1\r\n", "l: x\r\n", "l: 1\r\nl: 2\r\n", "l: 99999999999\r\n", "l:\r\n"] {
            assert_eq!(status(of(length, "abcd").as_bytes()), (Fault::ContentLength, Some(400)), "{length}");
        }
    }

    #[test]
    fn faulty_requests_are_answered_and_the_reason_names_the_fault() {
        let error = parse_datagram(format!("OPTIONS sip: SIP/2.0\r\n{REST}\r\n").as_bytes()).unwrap_err();
        let answer = error.answer().unwrap();
        assert_eq!(answer.reason, "Bad Request (malformed Request-URI)");
        assert_eq!(answer.headers.call_id(), Ok("1"));
        for (line, expected) in [
            ("OPTIONS sip:h SIP/3.0", (Fault::Version, Some(505))),
            ("OPTIONS  sip:h SIP/2.0", (Fault::StartLine, Some(400))),
            ("OPTIONS sip:h SIP/2.0 ", (Fault::StartLine, Some(400))),
            ("OPTIONS <sip:h> SIP/2.0", (Fault::RequestUri, Some(400))),
            ("OPTIONS sip:h; lr SIP/2.0", (Fault::RequestUri, Some(400))),
            ("ACK sip: SIP/2.0", (Fault::RequestUri, None)),
            ("GET / HTTP/1.1", (Fault::NotSip, None)),
            ("hello", (Fault::NotSip, None)),
            ("SIP/2.0 99 Low", (Fault::Status, None)),
            ("SIP/2.0 4294967301 Big", (Fault::Status, None)),
        ] {
            assert_eq!(status(format!("{line}\r\n{REST}\r\n").as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn request_that_cannot_be_matched_by_its_sender_is_dropped() {
        assert_eq!(status(b"OPTIONS sip: SIP/2.0\r\nTo: <sip:h>\r\n\r\n"), (Fault::RequestUri, None));
    }

    #[test]
    fn header_line_without_a_name_is_refused() {
        for line in [": x", "no colon", "na me: x", "x\0: y", "x\r\n : y", "x: a\rRoute: <sip:b>"] {
            let text = format!("OPTIONS sip:h SIP/2.0\r\n{REST}{line}\r\n\r\n");
            assert_eq!(status(text.as_bytes()), (Fault::HeaderLine, Some(400)), "{line:?}");
        }
    }

    #[test]
    fn limits_hold() {
        let many = "A: b\r\n".repeat(HEADERS_MAX - 5);
        assert!(parse_datagram(format!("OPTIONS sip:h SIP/2.0\r\n{REST}{many}\r\n").as_bytes()).is_ok());
        let text = format!("OPTIONS sip:h SIP/2.0\r\n{REST}{many}A: b\r\n\r\n");
        assert_eq!(status(text.as_bytes()), (Fault::TooManyHeaders, Some(400)));
        assert_eq!(status(&vec![b'x'; UDP_BYTES_MAX + 1]), (Fault::TooLarge, None));
        let large = |method: &str, length: usize| {
            let head = format!("{method} sip:h SIP/2.0\r\n{REST}\r\n");
            head.clone() + &"b".repeat(length - head.len())
        };
        assert!(parse_datagram(large("OPTIONS", UDP_BYTES_MAX).as_bytes()).is_ok());
        assert_eq!(status(large("OPTIONS", UDP_BYTES_MAX + 1).as_bytes()), (Fault::TooLarge, Some(513)));
        let endless = format!("OPTIONS sip:h SIP/2.0\r\n{REST}Subject: {}", "s".repeat(UDP_BYTES_MAX));
        assert_eq!(status(endless.as_bytes()), (Fault::TooLarge, Some(513)));
        let long = format!("{} sip:h SIP/2.0\r\n{REST}\r\n", "M".repeat(METHOD_BYTES_MAX + 1));
        assert_eq!(status(long.as_bytes()), (Fault::NotSip, None));
    }

    #[test]
    fn headers_without_an_empty_line_are_a_fault() {
        assert_eq!(status(format!("OPTIONS sip:h SIP/2.0\r\n{REST}").as_bytes()), (Fault::Unterminated, Some(400)));
    }

    #[test]
    fn reason_phrase_of_a_response_may_be_empty_or_missing() {
        for line in ["SIP/2.0 180 ", "SIP/2.0 180"] {
            let Ok(Message::Response(response)) = parse_datagram(format!("{line}\r\n{REST}\r\n").as_bytes()) else {
                panic!("{line}")
            };
            assert_eq!((response.status, response.reason.as_str()), (180, ""));
        }
    }
}
