//! Holidays out of iCalendar files.
//!
//! Source: RFC 5545. Events that take whole days (`DTSTART;VALUE=DATE`) are holidays, with their repetitions and exceptions; those
//! with a time of the day are none, nor are those that are cancelled. Files come from strangers' sites: how much work one may make
//! is limited before its rules are followed.

use crate::calendar::{DATES_MAX, FILE_BYTES_MAX};
use crate::{Date, Holiday, Span};
use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::dates::TimeOrDelta;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarFrequency, ICalendarProperty,
    ICalendarRecurrenceRule, ICalendarStatus, ICalendarValue,
};
use chrono::{Datelike, Days};
use std::collections::BTreeMap;

/// Years whose days are kept: no call asks for those before, and rules without an end are followed to the last.
const YEARS: std::ops::RangeInclusive<u16> = 2020..=2049;
/// Repetitions of one event, those before these years included.
const REPETITIONS_MAX: usize = 20_000;
/// Events that repeat: a rule that never comes true costs a hundred thousand steps.
const REPEATING_MAX: usize = 100;
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
    for (place, mut component) in calendar.components.into_iter().enumerate() {
        if component.component_type == ICalendarComponentType::VEvent {
            // What replaces one repetition has its event's UID, and often another SEQUENCE.
            component.entries.retain(|entry| entry.name != ICalendarProperty::Sequence);
            let uid = component.uid().map_or_else(|| place.to_string(), |uid| format!("{uid} "));
            series.entry(uid).or_default().push(component);
        }
    }
    let (mut found, mut repeating) = (Vec::new(), 0);
    for mut components in series.into_values() {
        let is_master = |component: &&ICalendarComponent| !component.has_property(&ICalendarProperty::RecurrenceId);
        // What replaces a day may have a time: the day is none of the office's any more.
        if !components.iter().any(|component| takes_days(component) && !begins_too_late(component)) {
            continue;
        }
        if components.iter().find(is_master).is_some_and(|master| is_cancelled(master) || !takes_days(master)) {
            continue;
        }
        for component in &mut components {
            repeating += usize::from(tame(component)?);
        }
        if repeating > REPEATING_MAX {
            return Err(format!("more than {REPEATING_MAX} of its events repeat"));
        }
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

/// Bounds how far an event's rule is followed. Whether it has one.
fn tame(component: &mut ICalendarComponent) -> Result<bool, String> {
    let mut repeats = false;
    let values = component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Rrule);
    for value in values.flat_map(|entry| &mut entry.values) {
        let ICalendarValue::RecurrenceRule(rule) = value else { continue };
        repeats = true;
        if is_within_a_day(rule) {
            return Err("an event repeats within a day".into());
        }
        let last =
            PartialDateTime { year: Some(*YEARS.end()), month: Some(12), day: Some(31), ..PartialDateTime::default() };
        let until = rule.until.as_ref().and_then(|until| until.year);
        if until.is_none_or(|year| year > *YEARS.end()) {
            rule.until = Some(last);
        }
    }
    Ok(repeats)
}

/// RFC 5545 section 3.3.10 allows none of these to an event that takes days.
fn is_within_a_day(rule: &ICalendarRecurrenceRule) -> bool {
    let finer = match rule.freq {
        ICalendarFrequency::Hourly | ICalendarFrequency::Minutely | ICalendarFrequency::Secondly => true,
        ICalendarFrequency::Daily
        | ICalendarFrequency::Weekly
        | ICalendarFrequency::Monthly
        | ICalendarFrequency::Yearly => false,
    };
    finer || !rule.byhour.is_empty() || !rule.byminute.is_empty() || !rule.bysecond.is_empty()
}

/// One event with its repetitions, and what replaces some of them.
fn days_of(components: Vec<ICalendarComponent>) -> Result<Vec<Holiday>, String> {
    let one = ICalendar { components };
    let expanded = one.expand_dates(Tz::Floating, REPETITIONS_MAX);
    if let Some(error) = expanded.errors.first() {
        return Err(format!("an event is not understood: {}", error.error));
    }
    if expanded.events.len() >= REPETITIONS_MAX {
        return Err(format!("an event has {REPETITIONS_MAX} repetitions until {}; let it begin later", YEARS.end()));
    }
    let mut days = Vec::new();
    for event in expanded.events {
        let component = usize::try_from(event.comp_id).ok().and_then(|place| one.components.get(place));
        let counts = |component: &&ICalendarComponent| takes_days(component) && !is_cancelled(component);
        let Some(component) = component.filter(counts) else { continue };
        let first = event.start.naive_local().date();
        let length = match event.end {
            // The end is the first day after it.
            TimeOrDelta::Time(end) => (end.naive_local().date() - first).num_days(),
            TimeOrDelta::Delta(delta) => delta.num_days(),
        };
        let length = u64::try_from(length.clamp(1, DAYS_MAX) - 1).unwrap_or(0);
        let last = first.checked_add_days(Days::new(length)).unwrap_or(first);
        if u16::try_from(last.year()).is_ok_and(|year| YEARS.contains(&year)) {
            days.push(Holiday::imported(Span::Once(Date(first), Date(last)), summary(component)));
        }
    }
    Ok(days)
}

/// Whether an event begins with a day and not at a time.
fn takes_days(component: &ICalendarComponent) -> bool {
    begin(component).is_some_and(|time| !time.has_time())
}

/// Whether it begins after the years that are kept: then there is nothing to follow.
fn begins_too_late(component: &ICalendarComponent) -> bool {
    begin(component).and_then(|time| time.year).is_some_and(|year| year > *YEARS.end())
}

fn begin(component: &ICalendarComponent) -> Option<&PartialDateTime> {
    let value = component.property(&ICalendarProperty::Dtstart)?.values.first()?;
    if let ICalendarValue::PartialDateTime(time) = value { Some(time) } else { None }
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
    fn exceptions_are_found_by_their_day_whatever_their_sequence_is() {
        let weekly = "UID:2|SEQUENCE:0|DTSTART;VALUE=DATE:20261102|RRULE:FREQ=WEEKLY;COUNT=4|SUMMARY:Closed";
        let days = told(&[
            weekly,
            "UID:2|SEQUENCE:1|RECURRENCE-ID;VALUE=DATE:20261116|DTSTART;VALUE=DATE:20261117|SUMMARY:Moved",
            "UID:2|SEQUENCE:2|RECURRENCE-ID;VALUE=DATE:20261109|DTSTART;VALUE=DATE:20261109|STATUS:CANCELLED",
        ]);
        assert_eq!(days, ["2026-11-02 Closed", "2026-11-17 Moved", "2026-11-23 Closed"]);
        let timed = "UID:2|RECURRENCE-ID;VALUE=DATE:20261109|DTSTART:20261109T090000|DTEND:20261109T100000";
        assert_eq!(told(&[weekly, timed]), ["2026-11-02 Closed", "2026-11-16 Closed", "2026-11-23 Closed"]);
        let cancelled = "UID:2|DTSTART;VALUE=DATE:20261102|RRULE:FREQ=WEEKLY;COUNT=4|STATUS:CANCELLED";
        assert_eq!(told(&[cancelled]), [""; 0]);
    }

    #[test]
    fn what_began_long_ago_holds_today() {
        let weekly = told(&["UID:1|DTSTART;VALUE=DATE:20140103|RRULE:FREQ=WEEKLY|SUMMARY:Fridays"]);
        assert_eq!(weekly[0], "2020-01-03 Fridays");
        assert!(weekly.contains(&"2026-11-20 Fridays".into()));
        assert_eq!(weekly.last().unwrap(), "2049-12-31 Fridays");
        let yearly = told(&["UID:1|DTSTART;VALUE=DATE:19000101|RRULE:FREQ=YEARLY|SUMMARY:New Year"]);
        assert_eq!(yearly.len(), 30);
        let daily = file(&["UID:1|DTSTART;VALUE=DATE:00010101|RRULE:FREQ=DAILY|SUMMARY:x"]);
        assert!(import(&daily).unwrap_err().contains("let it begin later"));
    }

    #[test]
    fn rules_that_make_work_are_refused_or_bounded() {
        let numbers = |most: u32| (0..most).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let seconds = format!(
            "UID:1|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR={};BYMINUTE={};BYSECOND={}",
            numbers(24),
            numbers(60),
            numbers(60)
        );
        assert!(import(&file(&[&seconds])).unwrap_err().contains("within a day"));
        assert!(import(&file(&["UID:1|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=SECONDLY"])).is_err());
        let later = seconds.replace("20260101", "21000101");
        assert_eq!(told(&[&later]), [""; 0]);
        let never = "DTSTART;VALUE=DATE:20260101|RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO";
        let many: Vec<String> = (0..101).map(|n| format!("UID:{n}|{never}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(import(&file(&many)).unwrap_err().contains("more than 100"));
        assert_eq!(told(&many[..1]), ["2044-02-29"]);
    }

    #[test]
    fn an_endless_rule_leaves_room_for_the_others() {
        let days = told(&[
            "UID:1|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=YEARLY|SUMMARY:New Year",
            "UID:2|DTSTART;VALUE=DATE:20260501|RRULE:FREQ=YEARLY|SUMMARY:First of May",
        ]);
        assert_eq!(days.len(), 2 * 24);
        assert_eq!(days.last().unwrap(), "2049-05-01 First of May");
    }

    #[test]
    fn what_is_no_calendar_is_refused_and_long_names_are_cut() {
        assert!(import("").is_err());
        assert!(import("BEGIN:VCARD\r\nEND:VCARD\r\n").is_err());
        assert!(import(&" ".repeat(FILE_BYTES_MAX + 1)).unwrap_err().contains("at most"));
        let long = format!("UID:1|DTSTART;VALUE=DATE:20260101|SUMMARY:{}", "é".repeat(400));
        assert_eq!(told(&[&long])[0].chars().filter(|c| *c == 'é').count(), 60);
        let many: Vec<String> =
            (0..2).map(|n| format!("UID:{n}|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=DAILY|SUMMARY:x")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(import(&file(&many)).unwrap_err().contains("more than 10000 days"));
    }
}
