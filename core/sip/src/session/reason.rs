//! The Reason header (RFC 3326).

use crate::headers::Headers;
use crate::params::{Params, push_quoted};
use plugboard_model::Cause;

/// Longest text that is taken over, in bytes: [`Cause`] promises no more.
const TEXT_MAX: usize = 128;

/// The cause that a Reason header of protocol SIP names.
pub fn reason_of(headers: &Headers) -> Option<Cause> {
    headers.get_all("Reason").find_map(|value| {
        let (protocol, _) = value.split_once(';')?;
        if !protocol.trim().eq_ignore_ascii_case("SIP") {
            return None;
        }
        let params = Params::parse(value.get(protocol.len()..)?)?;
        let status: u16 = params.get("cause").flatten()?.parse().ok().filter(|status| (200..700).contains(status))?;
        Some(match params.unquoted("text") {
            Some(text) => Cause { status, text: shortened(&text).to_owned() },
            None => Cause::of(status),
        })
    })
}

/// The value of the Reason header that says a cause.
pub fn reason_value(cause: &Cause) -> String {
    let mut value = format!("SIP;cause={};text=", cause.status);
    push_quoted(&mut value, &cause.text);
    value
}

/// The cause of a response: its Reason, or its status and phrase. A 3xx speaks for itself: it wants something done.
pub(super) fn cause_of(response: &crate::message::Response) -> Cause {
    reason_of(&response.headers)
        .filter(|cause| cause.status >= 300 && !(300..400).contains(&response.status))
        .unwrap_or_else(|| Cause { status: response.status, text: shortened(&response.reason).to_owned() })
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::REASON_COMPLETED_ELSEWHERE;

    fn read(value: &str) -> Option<Cause> {
        let mut headers = Headers::new();
        headers.push("Reason", value);
        reason_of(&headers)
    }

    #[test]
    fn reason_is_read_and_written() {
        let cause = read(REASON_COMPLETED_ELSEWHERE).unwrap();
        assert_eq!((cause.status, cause.text.as_str()), (200, "Call completed elsewhere"));
        assert_eq!(reason_value(&cause), REASON_COMPLETED_ELSEWHERE);
        assert_eq!(read("SIP ;cause=486").unwrap(), Cause::of(486));
    }

    #[test]
    fn other_protocols_and_nonsense_say_nothing() {
        for value in ["Q.850;cause=16", "SIP", "SIP;", "SIP;cause=x", "SIP;cause=100", "SIP;text=\"open"] {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn long_text_is_cut_between_letters() {
        let cause = read(&format!("SIP;cause=480;text=\"{}\"", "ä".repeat(100))).unwrap();
        assert_eq!(cause.text.len(), TEXT_MAX);
        let cause = read(&format!("SIP;cause=480;text=\"x{}\"", "ä".repeat(100))).unwrap();
        assert_eq!(cause.text.len(), TEXT_MAX - 1);
    }
}
