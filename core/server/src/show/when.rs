//! Times as people read them. UTC, as the log has it.

use plugboard_model::WallTime;

const DAY_MS: i64 = 86_400_000;

/// `2026-11-22 09:43:12`.
pub(super) fn moment(at: WallTime) -> String {
    let (year, month, day) = date(at.0.div_euclid(DAY_MS));
    let seconds = at.0.rem_euclid(DAY_MS) / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// From one moment to another, as clocks of calls show it: `0:42`, `1:02:03`.
pub(super) fn length(from: WallTime, to: WallTime) -> String {
    let seconds = to.0.saturating_sub(from.0).max(0) / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Seconds after `from`, with three digits: `2.880 s`.
pub(super) fn after(from: WallTime, at: WallTime) -> String {
    let millis = at.0.saturating_sub(from.0).max(0);
    format!("{}.{:03} s", millis / 1_000, millis % 1_000)
}

/// Year, month and day of a day since 1970-01-01, in the proleptic Gregorian calendar.
///
/// Source: the algorithm `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_and_a_time_of_day() {
        assert_eq!(moment(WallTime(0)), "1970-01-01 00:00:00");
        assert_eq!(moment(WallTime(951_782_400_000)), "2000-02-29 00:00:00");
        assert_eq!(moment(WallTime(1_795_340_592_999)), "2026-11-22 09:43:12");
        assert_eq!(moment(WallTime(-1)), "1969-12-31 23:59:59");
    }

    #[test]
    fn a_length_is_told_as_a_phone_tells_it() {
        assert_eq!(length(WallTime(1_000), WallTime(43_500)), "0:42");
        assert_eq!(length(WallTime(0), WallTime(3_723_000)), "1:02:03");
        assert_eq!(length(WallTime(5), WallTime(0)), "0:00", "a clock that was set back");
        assert_eq!(after(WallTime(1_000), WallTime(3_880)), "2.880 s");
    }
}
