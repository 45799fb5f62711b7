//! Digits in INFO, as `application/dtmf-relay` and `application/dtmf` have them (no RFC; Cisco's form).

use crate::message::Request;

/// Shortest and longest tone that is believed, in milliseconds.
const MILLIS: std::ops::RangeInclusive<u32> = 40..=5_000;

/// What is assumed when the body does not say.
const MILLIS_DEFAULT: u32 = 160;

/// A digit, and how long it was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InfoDigit {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    pub digit: char,
    /// Milliseconds, 40 to 5,000.
    pub millis: u32,
}

impl InfoDigit {
    /// The type of [`Self::body`].
    pub(super) const CONTENT_TYPE: &str = "application/dtmf-relay";

    /// Reads the body of an INFO; `None` when it is no digit.
    pub fn of(info: &Request) -> Option<Self> {
        let kind = info.headers.content_type()?.split(';').next()?.trim().to_ascii_lowercase();
        let body = std::str::from_utf8(&info.body).ok()?;
        match kind.as_str() {
            Self::CONTENT_TYPE => {
                let value = |name: &str| {
                    body.lines()
                        .filter_map(|line| line.split_once('='))
                        .find_map(|(found, value)| found.trim().eq_ignore_ascii_case(name).then_some(value.trim()))
                };
                let millis = value("Duration").and_then(|millis| millis.parse().ok()).unwrap_or(MILLIS_DEFAULT);
                Self::new(value("Signal")?, millis)
            }
            "application/dtmf" => Self::new(body.trim(), MILLIS_DEFAULT),
            _ => None,
        }
    }

    pub(super) fn body(self) -> Vec<u8> {
        format!("Signal={}\r\nDuration={}\r\n", self.digit, self.millis).into_bytes()
    }

    fn new(signal: &str, millis: u32) -> Option<Self> {
        let digit = match signal {
            // RFC 4733 numbers the star and the hash; some phones do here too.
            "10" => '*',
            "11" => '#',
            one => one.parse::<char>().ok()?.to_ascii_uppercase(),
        };
        let known = digit.is_ascii_digit() || matches!(digit, '*' | '#' | 'A'..='D');
        known.then(|| Self { digit, millis: millis.clamp(*MILLIS.start(), *MILLIS.end()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::uri::RequestUri;

    fn read(kind: &str, body: &str) -> Option<(char, u32)> {
        let mut info = Request::new(Method::Info, RequestUri::parse("sip:a@b").unwrap());
        info.headers.push("Content-Type", kind);
        info.body = body.as_bytes().to_vec();
        InfoDigit::of(&info).map(|found| (found.digit, found.millis))
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(read("application/dtmf-relay", "Signal=5\r\nDuration=200\r\n"), Some(('5', 200)));
        assert_eq!(read("Application/DTMF-Relay;x=y", "signal = *\nDuration = 999999"), Some(('*', 5_000)));
        assert_eq!(read("application/dtmf-relay", "Signal=11"), Some(('#', 160)));
        assert_eq!(read("application/dtmf", "d"), Some(('D', 160)));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let digit = InfoDigit { digit: '#', millis: 100 };
        assert_eq!(read(InfoDigit::CONTENT_TYPE, std::str::from_utf8(&digit.body()).unwrap()), Some(('#', 100)));
    }

    #[test]
    fn other_bodies_are_no_digits() {
        for (kind, body) in [
            ("application/dtmf-relay", "Signal=X"),
            ("application/dtmf-relay", "Signal=12"),
            ("application/dtmf-relay", ""),
            ("application/dtmf", "55"),
            ("application/sdp", "5"),
        ] {
            assert_eq!(read(kind, body), None, "{kind} {body}");
        }
    }
}
