//! Spans of time as people write them: `20s`, `500ms`, `2m`, `1h`.

use std::time::Duration;

/// What a refused text is told.
pub(crate) const EXPECTED: &str = r#"a time such as "20s", "500ms", "2m" or "1h""#;

/// The same as a regular expression of JSON Schema.
pub(crate) const PATTERN: &str = "^[0-9]{1,9}(ms|s|m|h)$";

/// Reads a whole number (at most nine digits) and its unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(unit_at)?;
    if count.len() > 9 {
        return None;
    }
    let count: u64 = count.parse().ok()?;
    // Nine digits of hours are 3.6e15 ms: far from the end of a u64.
    let millis = match unit {
        "ms" => count,
        "s" => count * 1_000,
        "m" => count * 60_000,
        "h" => count * 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(millis))
}

/// Milliseconds for a host call; what does not fit is the longest, which the host refuses by its own range.
pub(crate) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_whole_number_with_its_unit() {
        for (text, millis) in [("0ms", 0), ("500ms", 500), ("20s", 20_000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "20", "20 s", "-1s", "1.5s", "20S", "1234567890s", "20s20s", "２s"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("999999999h").map(|time| time.as_millis()), Some(999_999_999 * 3_600_000));
    }
}
