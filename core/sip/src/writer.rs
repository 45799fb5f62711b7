//! Messages to bytes. Content-Length is always counted here, and always last.

use std::io::Write as _;

use crate::headers::Headers;
use crate::message::{Request, Response};

/// Room for the first line and Content-Length, which are not counted: a longer URI only costs a copy.
const LINES_LEN: usize = 128;

/// Appends a request.
pub(crate) fn request(request: &Request, out: &mut Vec<u8>) {
    reserve(&request.headers, &request.body, out);
    // Writing into a Vec cannot fail, hence the results are dropped.
    let _ = write!(out, "{} {} SIP/2.0\r\n", request.method, request.uri);
    rest(&request.headers, &request.body, out);
}

/// Appends a response.
pub(crate) fn response(response: &Response, out: &mut Vec<u8>) {
    reserve(&response.headers, &response.body, out);
    let _ = write!(out, "SIP/2.0 {:03} ", response.status);
    out.extend(response.reason.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    out.extend_from_slice(b"\r\n");
    rest(&response.headers, &response.body, out);
}

/// Makes room at once: a message that grows as it is written is copied several times.
fn reserve(headers: &Headers, body: &[u8], out: &mut Vec<u8>) {
    let headers: usize = headers.lines().map(|(name, value)| name.len() + value.len() + 4).sum();
    out.reserve(LINES_LEN + headers + body.len());
}

fn rest(headers: &Headers, body: &[u8], out: &mut Vec<u8>) {
    for (name, value) in headers.lines() {
        // One that a caller set by hand would be a second, perhaps wrong, count.
        if name.eq_ignore_ascii_case("Content-Length") {
            continue;
        }
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    let _ = write!(out, "Content-Length: {}\r\n\r\n", body.len());
    out.extend_from_slice(body);
}
