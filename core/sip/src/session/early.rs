//! Whether what comes before the answer is to be heard (RFC 5009).

use crate::headers::Headers;

/// The header: a caller says in it that he understands it, the called side whether there is a sound.
pub const EARLY_MEDIA: &str = "P-Early-Media";

/// Whether a provisional response announces a sound for the caller; `None` when it does not say.
pub(super) fn sounds(headers: &Headers) -> Option<bool> {
    // The first word is for the first stream (RFC 5009 section 8).
    headers.tokens(EARLY_MEDIA).into_iter().find_map(|word| match word.to_ascii_lowercase().as_str() {
        "sendrecv" | "sendonly" => Some(true),
        "recvonly" | "inactive" => Some(false),
        _ => None,
    })
}

/// What a caller who understands it is told in a provisional response. One that rings with a description does not know.
pub(super) fn told(request: &Headers, status: u16, described: bool) -> Option<&'static str> {
    request.has_token(EARLY_MEDIA, "supported").then_some(())?;
    match (status, described) {
        (183, true) => Some("sendrecv"),
        (_, true) => None,
        (_, false) => Some("inactive"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> Headers {
        let mut headers = Headers::new();
        headers.push(EARLY_MEDIA, value);
        headers
    }

    #[test]
    fn the_first_direction_counts() {
        for (value, expected) in [
            ("sendrecv", Some(true)),
            ("SendOnly, gated", Some(true)),
            ("recvonly", Some(false)),
            ("gated, inactive, sendrecv", Some(false)),
            ("supported", None),
            ("", None),
        ] {
            assert_eq!(sounds(&headers(value)), expected, "{value:?}");
        }
        assert_eq!(sounds(&Headers::new()), None);
    }

    #[test]
    fn only_a_caller_who_understands_it_is_told() {
        let asks = headers("supported");
        assert_eq!(told(&asks, 183, true), Some("sendrecv"));
        assert_eq!(told(&asks, 180, true), None, "nobody knows");
        assert_eq!(told(&asks, 180, false), Some("inactive"));
        assert_eq!(told(&Headers::new(), 183, true), None);
    }
}
