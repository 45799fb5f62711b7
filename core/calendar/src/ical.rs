//! Holidays out of iCalendar files.
//!
//! Source: RFC 5545. Events that take whole days (`DTSTART;VALUE=DATE`) are holidays, with their repetitions and exceptions; those
//! with a time of the day are none, nor are those that are cancelled.

use crate::calendar::{DATES_MAX, FILE_BYTES_MAX};
use crate::{Date, Holiday, Span};
use calcard::common::timezone::Tz;
use calcard::icalendar::dates::TimeOrDelta;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use chrono::{Datelike, Days};
use std::collections::BTreeMap;

/// Repetitions of one event: ten years of weeks.
const REPETITIONS_MAX: usize = 600;
/// The first year for which endless repetitions are not followed.
const HORIZON: i32 = 2100;
/// Days of one event: longer than any closing of an office.
const DAYS_MAX: i64 = 366;

/// Reads the holidays of an iCalendar file, by day.
///
/// # Errors
/// Why it is none, for whoever gave it.
pub fn import(text: &str) -> Result<Vec<Holiday>, String> {
    if text.len() > FILE_BYTES_MAX {
        return Err(format!("it has {} bytes, at most {FILE_BYTES_MAX} are read", text.len()));
    }
    let calendar = ICalendar::parse(text).map_err(|_| String::from("it is no iCalendar file"))?;
    let mut series: BTreeMap<String, Vec<ICalendarComponent>> = BTreeMap::new();
    let mut found = Vec::new();
    for (place, component) in calendar.components.into_iter().enumerate() {
        if component.component_type == ICalendarComponentType::VEvent && takes_days(&component) {
            // What replaces one repetition of an event has its UID.
            let uid = component.uid().map_or_else(|| place.to_string(), |uid| format!("{uid} "));
            series.entry(uid).or_default().push(component);
        }
    }
    for components in series.into_values() {
        found.extend(days_of(components)?);
        if found.len() > DATES_MAX {
            return Err(format!("it has more than {DATES_MAX} days"));
        }
    }
    found.sort_by_key(|holiday| match holiday.on {
        Span::Once(first, last) => (first, last),
        Span::Yearly(..) => unreachable!("an event is of one year"),
    });
    Ok(found)
}

/// One event with its repetitions, and what replaces some of them.
fn days_of(components: Vec<ICalendarComponent>) -> Result<Vec<Holiday>, String> {
    let one = ICalendar { components };
    let expanded = one.expand_dates(Tz::Floating, REPETITIONS_MAX);
    if let Some(error) = expanded.errors.first() {
        return Err(format!("an event is not understood: {}", error.error));
    }
    let mut days = Vec::new();
    for event in expanded.events {
        let component = usize::try_from(event.comp_id).ok().and_then(|place| one.components.get(place));
        let Some(component) = component.filter(|component| !is_cancelled(component)) else { continue };
        let first = event.start.naive_local().date();
        let length = match event.end {
            // The end is the first day after it.
            TimeOrDelta::Time(end) => (end.naive_local().date() - first).num_days(),
            TimeOrDelta::Delta(delta) => delta.num_days(),
        };
        let length = u64::try_from(length.clamp(1, DAYS_MAX) - 1).unwrap_or(0);
        let last = first.checked_add_days(Days::new(length)).unwrap_or(first);
        if first.year() < HORIZON {
            days.push(Holiday::imported(Span::Once(Date(first), Date(last)), summary(component)));
        }
    }
    Ok(days)
}

/// Whether an event begins with a day and not at a time.
fn takes_days(component: &ICalendarComponent) -> bool {
    let begin = component.property(&ICalendarProperty::Dtstart).and_then(|entry| entry.values.first());
    matches!(begin, Some(ICalendarValue::PartialDateTime(time)) if !time.has_time())
}

fn is_cancelled(component: &ICalendarComponent) -> bool {
    component.status() == Some(&ICalendarStatus::Cancelled)
}

fn summary(component: &ICalendarComponent) -> &str {
    let entry = component.property(&ICalendarProperty::Summary).and_then(|entry| entry.values.first());
    entry.and_then(|value| value.as_text()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(events: &[&str]) -> String {
        let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//b//\r\n");
        for event in events {
            text += "BEGIN:VEVENT\r\n";
            for line in event.split('|') {
                text = text + line + "\r\n";
            }
            text += "END:VEVENT\r\n";
        }
        text + "END:VCALENDAR\r\n"
    }

    fn told(events: &[&str]) -> Vec<String> {
        let days = import(&file(events)).unwrap();
        days.iter().map(|day| format!("{} {}", day.on, day.name).trim().to_owned()).collect()
    }

    #[test]
    fn whole_days_are_holidays_and_meetings_are_none() {
        let days = told(&[
            "UID:1|DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227|SUMMARY:Christmas",
            "UID:2|DTSTART;VALUE=DATE:20261003|SUMMARY:German Unity\\, Day",
            "UID:3|DTSTART:20261110T090000Z|DTEND:20261110T100000Z|SUMMARY:Meeting",
            "UID:4|DTSTART;VALUE=DATE:20261111|STATUS:CANCELLED|SUMMARY:Nothing",
            "UID:5|DTSTART;VALUE=DATE:20261201|DURATION:P3D",
        ]);
        assert_eq!(
            days,
            ["2026-10-03 German Unity, Day", "2026-12-01..2026-12-03", "2026-12-25..2026-12-26 Christmas"]
        );
    }

    #[test]
    fn what_repeats_is_followed_with_its_exceptions() {
        let days = told(&[
            "UID:1|DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;COUNT=3|SUMMARY:Christmas",
            "UID:2|DTSTART;VALUE=DATE:20261102|RRULE:FREQ=WEEKLY;COUNT=4|EXDATE;VALUE=DATE:20261109|SUMMARY:Closed",
            "UID:2|RECURRENCE-ID;VALUE=DATE:20261116|DTSTART;VALUE=DATE:20261117|SUMMARY:Closed a day later",
        ]);
        assert_eq!(
            days,
            [
                "2026-11-02 Closed",
                "2026-11-17 Closed a day later",
                "2026-11-23 Closed",
                "2026-12-25 Christmas",
                "2027-12-25 Christmas",
                "2028-12-25 Christmas"
            ]
        );
    }

    #[test]
    fn an_endless_rule_leaves_room_for_the_others() {
        let days = told(&[
            "UID:1|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=YEARLY|SUMMARY:New Year",
            "UID:2|DTSTART;VALUE=DATE:20260501|RRULE:FREQ=YEARLY|SUMMARY:First of May",
        ]);
        assert_eq!(days.len(), 2 * 74);
        assert_eq!(days.last().unwrap(), "2099-05-01 First of May");
    }

    #[test]
    fn what_is_no_calendar_is_refused_and_long_names_are_cut() {
        assert!(import("").is_err());
        assert!(import("BEGIN:VCARD\r\nEND:VCARD\r\n").is_err());
        assert!(import(&" ".repeat(FILE_BYTES_MAX + 1)).unwrap_err().contains("at most"));
        let long = format!("UID:1|DTSTART;VALUE=DATE:20260101|SUMMARY:{}", "é".repeat(400));
        assert_eq!(told(&[&long])[0].chars().filter(|c| *c == 'é').count(), 60);
        let many: Vec<String> =
            (0..8).map(|n| format!("UID:{n}|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=DAILY|SUMMARY:x")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(import(&file(&many)).unwrap_err().contains("more than 4000 days"));
    }
}
