//! Keys that come in the body of an INFO.

use plugboard_sip::session::InfoDigit;
use plugboard_sip::{Method, Request, RequestUri};

/// The type of a body, a line end, and the body.
///
/// # Panics
/// When what is read is no key, or lasts longer than a key may.
pub fn info(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (kind, body) = bytes.split_at(end);
    let Ok(uri) = RequestUri::parse("sip:101@plugboard.test") else { unreachable!("it is one") };
    let mut info = Request::new(Method::Info, uri);
    info.headers.push("Content-Type", String::from_utf8_lossy(kind));
    info.body = body.get(1..).unwrap_or_default().to_vec();
    let Some(InfoDigit { digit, millis }) = InfoDigit::of(&info) else { return };
    assert!("0123456789*#ABCD".contains(digit), "{digit:?} of {}", bytes.escape_ascii());
    assert!((40..=5_000).contains(&millis), "{millis} ms of {}", bytes.escape_ascii());
}
