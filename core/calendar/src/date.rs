//! Days of the calendar, and spans of them.

use chrono::{Datelike, NaiveDate};
use plugboard_document::{Faults, Field, Node};
use std::fmt;

/// A day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub(crate) NaiveDate);

/// Days from one to another, both included: of one year, or of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// `2026-12-24`, `2026-12-24..2027-01-06`.
    Once(Date, Date),
    /// `12-24`, `12-24..01-06`: month and day.
    Yearly((u32, u32), (u32, u32)),
}

/// How documents write spans.
pub(crate) const SPAN_FORM: &str = "write \"2026-12-24\", \"12-24\" for each year, or \"2026-12-24..2027-01-06\"";

impl Date {
    /// `2026-12-24`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |place: usize| text.as_bytes().get(place).is_some_and(u8::is_ascii_digit);
        let formed = text.len() == 10 && (0..10).all(|place| matches!(place, 4 | 7) || digits(place));
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| formed).map(Self)
    }

    /// Year, month and day.
    pub fn parts(self) -> (i32, u32, u32) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// 0 Monday to 6 Sunday.
    pub fn weekday(self) -> usize {
        usize::try_from(self.0.weekday().num_days_from_monday()).unwrap_or(0)
    }

    /// `mon` to `sun`.
    pub fn weekday_word(self) -> &'static str {
        crate::DAYS.get(self.weekday()).copied().unwrap_or_default()
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i64 {
        i64::from(self.0.to_epoch_days())
    }

    /// The day before; the first day there is has none.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.pred_opt().unwrap_or(self.0))
    }

    /// The day after; the last day there is has none.
    #[must_use]
    pub(crate) fn after(self) -> Self {
        Self(self.0.succ_opt().unwrap_or(self.0))
    }

    /// Its place in a leap year, from 0.
    pub(crate) fn in_leap_year(self) -> usize {
        let leap = NaiveDate::from_ymd_opt(2024, self.0.month(), self.0.day()).unwrap_or_default();
        usize::try_from(leap.ordinal0()).unwrap_or(0)
    }

    fn month_day(self) -> (u32, u32) {
        (self.0.month(), self.0.day())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Span {
    /// Reads one; what is none is a fault.
    pub fn read(field: &Field<'_>, faults: &mut Faults) -> Option<Self> {
        let text = field.text(faults)?;
        let span = Self::parse(&text);
        if span.is_none() {
            field.fault(faults, format!("{text:?} is no day and no span of days"), SPAN_FORM);
        }
        span
    }

    /// `2026-12-24`, `12-24`, or two of a kind with `..` between; the second of two days is not before the first.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        if let (Some(first), Some(last)) = (Date::parse(first), Date::parse(last)) {
            return (first <= last).then_some(Self::Once(first, last));
        }
        Some(Self::Yearly(month_day(first)?, month_day(last)?))
    }

    /// Whether a day is one of it. A yearly span may go over the turn of the year.
    pub fn has(self, date: Date) -> bool {
        match self {
            Self::Once(first, last) => (first..=last).contains(&date),
            Self::Yearly(first, last) if first <= last => (first..=last).contains(&date.month_day()),
            Self::Yearly(first, last) => date.month_day() >= first || date.month_day() <= last,
        }
    }
}

/// `12-24`; the 29th of February is a day of some years.
fn month_day(text: &str) -> Option<(u32, u32)> {
    let leap = Date::parse(&format!("2024-{text}"))?;
    Some(leap.month_day())
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once(first, last) if first == last => first.fmt(f),
            Self::Once(first, last) => write!(f, "{first}..{last}"),
            Self::Yearly(first, last) => {
                write!(f, "{:02}-{:02}", first.0, first.1)?;
                if first == last { Ok(()) } else { write!(f, "..{:02}-{:02}", last.0, last.1) }
            }
        }
    }
}

impl From<Span> for Node {
    fn from(span: Span) -> Self {
        Self::from(span.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_of_one_year_or_of_each() {
        let has = |span: &str, date: &str| Span::parse(span).unwrap().has(Date::parse(date).unwrap());
        assert!(has("2026-12-24", "2026-12-24") && !has("2026-12-24", "2027-12-24"));
        assert!(has("12-24", "2026-12-24") && has("12-24", "2031-12-24") && !has("12-24", "2026-12-25"));
        assert!(has("2026-12-24..2027-01-06", "2027-01-06") && !has("2026-12-24..2027-01-06", "2027-01-07"));
        assert!(has("12-24..01-06", "2030-12-31") && has("12-24..01-06", "2030-01-06"));
        assert!(!has("12-24..01-06", "2030-01-07") && !has("12-24..01-06", "2030-12-23"));
        assert!(has("02-29", "2028-02-29") && !has("02-29", "2027-03-01"));
    }

    #[test]
    fn what_is_no_span_is_refused_and_what_is_one_is_written_as_it_was() {
        for text in ["2026-12-24", "12-24", "2026-12-24..2027-01-06", "12-24..01-06", "02-29"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "24.12.2026",
            "2026-13-01",
            "2026-02-30",
            "02-30",
            "2027-01-06..2026-12-24",
            "12-24..2026-01-06",
            "2026-12-24..",
            "2026-12-24..2026-12-25..2026-12-26",
            "12-24 ",
            "+026-12-24",
            "1-1",
            "2026-1-1",
            "12-24..1",
        ] {
            assert_eq!(Span::parse(text), None, "{text:?}");
        }
    }
}
