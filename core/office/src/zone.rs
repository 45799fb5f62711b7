//! The time of day at a place, by the rule that its time zone has now.
//!
//! Source: POSIX.1-2017 section 8.3 (TZ); the rules are those of tzdata's files. A zone whose government changes its mind
//! needs a new table, as any other copy of that database does.

use plugboard_model::WallTime;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static ZONES: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("zones.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).collect()
});

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    name: &'static str,
    /// East of Greenwich, in seconds.
    offset: i64,
    summer: Option<Summer>,
}

/// When clocks stand otherwise than by [`Zone::offset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summer {
    offset: i64,
    begins: Change,
    ends: Change,
}

/// A day of each year: the `week`th such weekday of the month, 5 the last; `second` after its midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    month: i64,
    week: i64,
    weekday: i64,
    second: i64,
}

/// A moment as clocks there show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Days since 1970-01-01.
    pub day: i64,
    /// 0 Monday to 6 Sunday.
    pub weekday: u8,
    /// Of the day.
    pub second: u32,
}

const DAY: i64 = 86_400;

impl Default for Zone {
    fn default() -> Self {
        Self { name: "UTC", offset: 0, summer: None }
    }
}

impl Zone {
    /// `Europe/Berlin`, `UTC`; `None` for what the table does not have.
    pub fn of(name: &str) -> Option<Self> {
        let (name, rule) = ZONES.get_key_value(name)?;
        parse(name, rule)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Every name that there is.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ZONES.keys().copied()
    }

    /// What clocks there show.
    pub fn local(&self, wall: WallTime) -> LocalTime {
        let utc = wall.0.div_euclid(1_000);
        let local = utc + self.offset_at(utc);
        let day = local.div_euclid(DAY);
        // 1970-01-01 was a Thursday.
        let weekday = u8::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        LocalTime { day, weekday, second: u32::try_from(local.rem_euclid(DAY)).unwrap_or(0) }
    }

    fn offset_at(&self, utc: i64) -> i64 {
        let Some(summer) = &self.summer else { return self.offset };
        let (year, ..) = date((utc + self.offset).div_euclid(DAY));
        let begins = summer.begins.in_year(year) - self.offset;
        let ends = summer.ends.in_year(year) - summer.offset;
        let is_summer = if begins < ends { (begins..ends).contains(&utc) } else { !(ends..begins).contains(&utc) };
        if is_summer { summer.offset } else { self.offset }
    }
}

impl Change {
    /// In seconds of the clock that is then in force.
    fn in_year(&self, year: i64) -> i64 {
        let first = day_of(year, self.month, 1);
        let next = if self.month == 12 { day_of(year + 1, 1, 1) } else { day_of(year, self.month + 1, 1) };
        // Of POSIX: 0 is Sunday.
        let ahead = (self.weekday - (first + 4)).rem_euclid(7);
        let mut day = first + ahead + (self.week - 1) * 7;
        while day >= next {
            day -= 7;
        }
        day * DAY + self.second
    }
}

/// The day of a date, from 1970-01-01. Source: H. Hinnant, chrono-compatible low-level date algorithms.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day; the inverse of [`day_of`].
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`.
fn parse(name: &'static str, rule: &str) -> Option<Zone> {
    let mut parts = rule.split(',');
    let rest = skip_name(parts.next()?)?;
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '-' | '+')).unwrap_or(rest.len());
    let (west, rest) = rest.split_at(end);
    let offset = -seconds(west)?;
    let (Some(begins), Some(ends)) = (parts.next(), parts.next()) else {
        return Some(Zone { name, offset, summer: None });
    };
    let other = skip_name(rest)?;
    let summer = if other.is_empty() { offset + 3_600 } else { -seconds(other)? };
    Some(Zone { name, offset, summer: Some(Summer { offset: summer, begins: change(begins)?, ends: change(ends)? }) })
}

/// What follows `CET` or `<+03>`.
fn skip_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>').map(|(_, rest)| rest),
        None => text.get(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len())..),
    }
}

/// `-9:30`, `2`.
fn seconds(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// `M3.5.0/2`.
fn change(text: &str) -> Option<Change> {
    let (day, time) = text.strip_prefix('M')?.split_once('/').unwrap_or((text.strip_prefix('M')?, "2"));
    let mut parts = day.split('.').map(|part| part.parse::<i64>().ok());
    let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
    Some(Change { month, week, weekday, second: seconds(time)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Day of the year's count, weekday, hour and minute there when it is then in UTC.
    fn shown(zone: &str, (year, month, day, hour, minute): (i64, i64, i64, i64, i64)) -> String {
        let utc = day_of(year, month, day) * DAY + hour * 3_600 + minute * 60;
        let local = Zone::of(zone).unwrap().local(WallTime(utc * 1_000));
        let (_, month, day) = date(local.day);
        let word = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::from(local.weekday)];
        format!("{word} {month}-{day} {:02}:{:02}", local.second / 3_600, local.second / 60 % 60)
    }

    #[test]
    fn every_zone_of_the_table_is_read() {
        assert!(Zone::names().count() > 400);
        for name in Zone::names() {
            assert!(Zone::of(name).is_some(), "{name}");
        }
        assert_eq!(Zone::of("Europe/Bonn"), None);
    }

    #[test]
    fn clocks_go_as_they_do_there() {
        for (zone, utc, expected) in [
            ("UTC", (2026, 11, 22, 20, 0), "sun 11-22 20:00"),
            ("Europe/Berlin", (2026, 11, 22, 23, 30), "mon 11-23 00:30"),
            ("Europe/Berlin", (2026, 7, 1, 10, 0), "wed 7-1 12:00"),
            ("Europe/Berlin", (2026, 3, 29, 0, 59), "sun 3-29 01:59"),
            ("Europe/Berlin", (2026, 3, 29, 1, 0), "sun 3-29 03:00"),
            ("Europe/Berlin", (2026, 10, 25, 0, 59), "sun 10-25 02:59"),
            ("Europe/Berlin", (2026, 10, 25, 1, 0), "sun 10-25 02:00"),
            ("America/New_York", (2026, 3, 8, 7, 0), "sun 3-8 03:00"),
            ("America/New_York", (2026, 3, 8, 6, 59), "sun 3-8 01:59"),
            ("Australia/Sydney", (2026, 1, 1, 0, 0), "thu 1-1 11:00"),
            ("Australia/Sydney", (2026, 7, 1, 0, 0), "wed 7-1 10:00"),
            ("Europe/Dublin", (2026, 7, 1, 0, 0), "wed 7-1 01:00"),
            ("Europe/Dublin", (2026, 1, 1, 0, 0), "thu 1-1 00:00"),
            ("Asia/Kolkata", (2026, 1, 1, 0, 0), "thu 1-1 05:30"),
            ("America/St_Johns", (2026, 1, 1, 0, 0), "wed 12-31 20:30"),
        ] {
            assert_eq!(shown(zone, utc), expected, "{zone} {utc:?}");
        }
    }
}
