//! What clocks show at a place.

use crate::Date;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};
use plugboard_document::{Faults, Field, did_you_mean};
use plugboard_model::WallTime;

/// A time zone of the IANA's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

/// A moment as clocks somewhere show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub date: Date,
    /// Of the day, as clocks count it: a day on which they are put on or back has all seconds but those left out.
    pub second: u32,
}

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Zone {
    /// `Europe/Berlin`, `UTC`; `None` for what the database does not have.
    pub fn of(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Reads one; what is none is a fault, and UTC.
    pub fn read(field: &Field<'_>, faults: &mut Faults) -> Self {
        let text = field.text(faults).unwrap_or_default();
        Self::of(&text).unwrap_or_else(|| {
            let known: Vec<&str> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            field.fault(faults, format!("{text:?} is no time zone"), did_you_mean(&text, &known));
            Self::default()
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The moment that a text names: `2026-12-25T21:00` as clocks there show it, or with an offset of its own
    /// (`2026-12-25T21:00:00+01:00`). Of an hour that comes twice the first one; one that is left out is the hour after it.
    pub fn moment(self, text: &str) -> Option<WallTime> {
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Some(WallTime(moment.timestamp_millis()));
        }
        let shown = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"];
        let shown = shown.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
        let there = |shown: NaiveDateTime| self.0.from_local_datetime(&shown).earliest();
        let moment = there(shown).or_else(|| there(shown.checked_add_signed(TimeDelta::hours(1))?))?;
        Some(WallTime(moment.timestamp_millis()))
    }

    /// What clocks there show. Before and after all years that there are (some 262,000 each way): their first and last day.
    pub fn local(self, wall: WallTime) -> LocalTime {
        let utc = DateTime::from_timestamp_millis(wall.0).unwrap_or(match wall.0 {
            ..0 => DateTime::<chrono::Utc>::MIN_UTC,
            0.. => DateTime::<chrono::Utc>::MAX_UTC,
        });
        let local = utc.with_timezone(&self.0);
        let date = NaiveDate::from_ymd_opt(local.year(), local.month(), local.day()).unwrap_or_default();
        LocalTime { date: Date(date), second: local.num_seconds_from_midnight() }
    }
}

impl LocalTime {
    /// Minutes of the day.
    pub const fn minute(self) -> u32 {
        self.second / 60
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: &str, utc: &str) -> String {
        let wall = DateTime::parse_from_rfc3339(utc).unwrap().timestamp_millis();
        let local = Zone::of(zone).unwrap().local(WallTime(wall));
        format!("{} {} {:02}:{:02}", local.date.weekday_word(), local.date, local.minute() / 60, local.minute() % 60)
    }

    #[test]
    fn clocks_go_as_they_do_there() {
        for (zone, utc, expected) in [
            ("UTC", "2026-11-22T20:00:00Z", "sun 2026-11-22 20:00"),
            ("Europe/Berlin", "2026-11-22T23:30:00Z", "mon 2026-11-23 00:30"),
            ("Europe/Berlin", "2026-07-01T10:00:00Z", "wed 2026-07-01 12:00"),
            ("Europe/Berlin", "2026-03-29T00:59:00Z", "sun 2026-03-29 01:59"),
            ("Europe/Berlin", "2026-03-29T01:00:00Z", "sun 2026-03-29 03:00"),
            ("Europe/Berlin", "2026-10-25T00:59:00Z", "sun 2026-10-25 02:59"),
            ("Europe/Berlin", "2026-10-25T01:00:00Z", "sun 2026-10-25 02:00"),
            ("America/New_York", "2026-03-08T07:00:00Z", "sun 2026-03-08 03:00"),
            ("America/New_York", "2026-03-08T06:59:00Z", "sun 2026-03-08 01:59"),
            ("Australia/Sydney", "2026-01-01T00:00:00Z", "thu 2026-01-01 11:00"),
            ("Australia/Sydney", "2026-07-01T00:00:00Z", "wed 2026-07-01 10:00"),
            ("Europe/Dublin", "2026-07-01T00:00:00Z", "wed 2026-07-01 01:00"),
            ("Asia/Kolkata", "2026-01-01T00:00:00Z", "thu 2026-01-01 05:30"),
            ("Asia/Almaty", "2026-01-01T00:00:00Z", "thu 2026-01-01 05:00"),
            ("America/St_Johns", "2026-01-01T00:00:00Z", "wed 2025-12-31 20:30"),
        ] {
            assert_eq!(shown(zone, utc), expected, "{zone} {utc}");
        }
        assert_eq!(Zone::of("Europe/Bonn"), None);
    }

    #[test]
    fn a_moment_is_named_as_clocks_show_it() {
        for (zone, text, utc) in [
            ("Europe/Berlin", "2026-12-25T21:00", Some("2026-12-25T20:00:00Z")),
            ("Europe/Berlin", "2026-12-25 21:00", Some("2026-12-25T20:00:00Z")),
            ("Europe/Berlin", "2026-07-01T21:00:30", Some("2026-07-01T19:00:30Z")),
            ("Europe/Berlin", "2026-12-25T21:00:00Z", Some("2026-12-25T21:00:00Z")),
            ("UTC", "2026-12-25T21:00:00+01:00", Some("2026-12-25T20:00:00Z")),
            ("Europe/Berlin", "2026-10-25T02:30", Some("2026-10-25T00:30:00Z")),
            ("Europe/Berlin", "2026-03-29T02:30", Some("2026-03-29T01:30:00Z")),
            ("UTC", "2026-02-30T21:00", None),
            ("UTC", "tomorrow", None),
        ] {
            let moment = Zone::of(zone).unwrap().moment(text);
            let expected = utc.map(|utc| WallTime(DateTime::parse_from_rfc3339(utc).unwrap().timestamp_millis()));
            assert_eq!(moment, expected, "{zone} {text}");
        }
    }

    #[test]
    fn no_time_is_too_early_or_too_late() {
        for name in TZ_VARIANTS.iter().map(|zone| zone.name()) {
            let zone = Zone::of(name).unwrap();
            assert_eq!(zone.name(), name);
            for wall in [i64::MIN, i64::MAX, 0] {
                assert!(zone.local(WallTime(wall)).second < 86_400, "{name}");
            }
        }
    }
}
