//! Times as people read them: UTC, as the log has it, or by an office's clock.

use plugboard_calendar::Zone;
use plugboard_model::WallTime;

const DAY_MS: i64 = 86_400_000;

/// `2026-11-22 09:43:12`.
pub(super) fn moment(at: WallTime) -> String {
    let (year, month, day) = at.date();
    let seconds = at.0.rem_euclid(DAY_MS) / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `2026-11-22 10:43:12 Europe/Berlin`: as clocks there show it.
pub(super) fn by_clock(zone: Zone, at: WallTime) -> String {
    let (date, hour, minute, second) = shown(zone, at);
    format!("{date} {hour:02}:{minute:02}:{second:02} {}", zone.name())
}

/// `2026-11-22T10:43:12+01:00` (RFC 3339), as clocks there show it.
pub(crate) fn stamp(zone: Zone, at: WallTime) -> String {
    let (date, hour, minute, second) = shown(zone, at);
    let local = zone.local(at);
    let ahead = local.date.number() * 86_400 + i64::from(local.second) - at.0.div_euclid(1_000);
    let (sign, ahead) = (if ahead < 0 { '-' } else { '+' }, ahead.abs() / 60);
    format!("{date}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}", ahead / 60, ahead % 60)
}

fn shown(zone: Zone, at: WallTime) -> (String, u32, u32, u32) {
    let local = zone.local(at);
    (local.date.to_string(), local.second / 3_600, local.second / 60 % 60, local.second % 60)
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
    fn a_moment_by_an_offices_clock_names_its_zone_or_how_far_it_is_ahead() {
        let (berlin, st_johns) = (Zone::of("Europe/Berlin").unwrap(), Zone::of("America/St_Johns").unwrap());
        let at = WallTime(1_795_340_592_000);
        assert_eq!(by_clock(berlin, at), "2026-11-22 10:43:12 Europe/Berlin");
        assert_eq!(stamp(berlin, at), "2026-11-22T10:43:12+01:00");
        assert_eq!(stamp(st_johns, at), "2026-11-22T06:13:12-03:30");
        assert_eq!(stamp(Zone::default(), at), "2026-11-22T09:43:12+00:00");
        assert_eq!(berlin.moment(&stamp(berlin, at)), Some(at));
    }

    #[test]
    fn a_length_is_told_as_a_phone_tells_it() {
        assert_eq!(length(WallTime(1_000), WallTime(43_500)), "0:42");
        assert_eq!(length(WallTime(0), WallTime(3_723_000)), "1:02:03");
        assert_eq!(length(WallTime(5), WallTime(0)), "0:00", "a clock that was set back");
        assert_eq!(after(WallTime(1_000), WallTime(3_880)), "2.880 s");
    }
}
