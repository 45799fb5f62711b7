//! Days and times of databases, as ISO 8601 writes them.

/// A day has so many microseconds.
const DAY: i64 = 86_400_000_000;

/// A day, counted from 1970-01-01 in the Gregorian calendar of all times: `2026-11-23`.
pub(super) fn date(days: i64) -> String {
    // Years begin in March here, so that the day of the leap year is the last; 400 of them have as many days each.
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era.saturating_mul(400) + i64::from(month <= 2);
    if year < 0 { format!("-{:04}-{month:02}-{day:02}", -year) } else { format!("{year:04}-{month:02}-{day:02}") }
}

/// A time of the day in microseconds: `09:05:07`, `09:05:07.25`.
pub(super) fn time(micros: i64) -> String {
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let whole = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if micros == 0 { whole } else { format!("{whole}.{micros:06}").trim_end_matches('0').to_owned() }
}

/// A moment in microseconds since 1970-01-01T00:00:00: `2026-11-23T09:05:07`.
pub(super) fn moment(micros: i64) -> String {
    format!("{}T{}", date(micros.div_euclid(DAY)), time(micros.rem_euclid(DAY)))
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_gregorian_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_780, "2026-11-23"),
            (-25_567, "1900-01-01"),
            (-719_162, "0001-01-01"),
            (-719_528, "0000-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(date(days), text, "{days}");
        }
    }

    #[test]
    fn times_have_as_many_digits_as_they_need() {
        assert_eq!(time(32_707_000_000), "09:05:07");
        assert_eq!(time(32_707_250_000), "09:05:07.25");
        assert_eq!(moment(-1), "1969-12-31T23:59:59.999999");
        assert_eq!(moment(20_780 * DAY), "2026-11-23T00:00:00");
        assert_eq!(hexadecimal(&[0, 0xde, 0xad]), "00dead");
    }
}
