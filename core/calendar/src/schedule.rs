//! Whether it is the time that a document asks for.

use crate::hours::{holds, minute};
use crate::{Calendar, Days, Span, Zone};
use plugboard_document::{Faults, Field, Fields, Mark, did_you_mean};
use plugboard_model::WallTime;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Ranges of one question.
pub const RANGES_MAX: usize = 32;
/// Days and spans of days of one range.
const SPANS_MAX: usize = 366;

/// A question for the time, as a document has it: calendars are names.
#[derive(Debug, Clone)]
pub struct Asked {
    zone: Option<Zone>,
    ranges: Vec<Range>,
    at: Mark,
    path: String,
}

#[derive(Debug, Clone)]
struct Range {
    calendar: Option<(String, Mark, String)>,
    days: Option<Days>,
    dates: Vec<Span>,
    hours: Option<(u32, u32)>,
    at: Mark,
    path: String,
}

/// A question for the time that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    zone: Zone,
    calendar: Option<Arc<Calendar>>,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// When the calendar is open.
    Open,
    Range {
        days: Days,
        dates: Vec<Span>,
        hours: Option<(u32, u32)>,
    },
}

impl Asked {
    /// Reads the name of a calendar, one range, or `{ one_of: [ranges], time_zone }`. A range has one or more of `calendar`, `days`,
    /// `dates`, `from` and `to`.
    pub fn read(field: &Field<'_>, faults: &mut Faults) -> Option<Self> {
        let (at, path) = (field.node.at, field.path.clone());
        if field.node.as_map().is_none() {
            let calendar = Some((field.text(faults)?, at, path.clone()));
            let range = Range { calendar, days: None, dates: Vec::new(), hours: None, at, path: path.clone() };
            return Some(Self { zone: None, ranges: vec![range], at, path });
        }
        let mut fields = field.fields(faults)?;
        let zone = fields.take("time_zone").map(|field| Zone::read(&field, faults));
        let ranges = match fields.take("one_of") {
            Some(list) => {
                let items = list.list(RANGES_MAX, faults);
                if items.is_empty() {
                    list.fault(faults, "there is no range", "write at least one");
                }
                let read = |item: &Field<'_>, faults: &mut Faults| {
                    let mut fields = item.fields(faults)?;
                    let range = Range::read(item, &mut fields, faults);
                    fields.finish(faults);
                    Some(range)
                };
                items.iter().filter_map(|item| read(item, faults)).collect()
            }
            None => vec![Range::read(field, &mut fields, faults)],
        };
        fields.finish(faults);
        Some(Self { zone, ranges, at, path })
    }

    /// Finds its calendars. `office` is the office's own zone.
    pub fn resolve(
        &self,
        office: Option<Zone>,
        calendars: &dyn Fn(&str) -> Option<Arc<Calendar>>,
        known: &[&str],
        faults: &mut Faults,
    ) -> Option<Schedule> {
        let mut parts = Vec::new();
        for range in &self.ranges {
            let calendar = match &range.calendar {
                Some((name, at, path)) => {
                    let found = calendars(name);
                    if found.is_none() {
                        let near = did_you_mean(name, known);
                        let remedy = match known {
                            [] => "add it to `calendars` of the office".into(),
                            _ if near.is_empty() => format!("calendars are {}", known.join(", ")),
                            _ => near,
                        };
                        faults.add(*at, path, format!("the office has no calendar {name:?}"), remedy);
                    }
                    Some(found?)
                }
                None => None,
            };
            parts.push(self.part(range, calendar, office, faults)?);
        }
        Some(Schedule(parts))
    }

    fn part(
        &self,
        range: &Range,
        calendar: Option<Arc<Calendar>>,
        office: Option<Zone>,
        faults: &mut Faults,
    ) -> Option<Part> {
        let Some(zone) = self.zone.or(calendar.as_ref().map(|calendar| calendar.zone)).or(office) else {
            let remedy = "write `time_zone: Europe/Berlin` here or for the office";
            faults.add(self.at, &self.path, "nobody knows by which clock", remedy);
            return None;
        };
        let plain = range.days.is_none() && range.dates.is_empty() && range.hours.is_none();
        let rule = match &calendar {
            Some(calendar) if plain => {
                if calendar.open.is_empty() {
                    let reason = format!("the calendar {} does not say when it is open", calendar.id);
                    faults.add(
                        range.at,
                        &range.path,
                        reason,
                        "give it `open`, or say `days`, `dates` or `from` and `to` here",
                    );
                }
                Rule::Open
            }
            _ => {
                // By a calendar a holiday is no day of the week; without one there are none.
                let usual = Days { holidays: calendar.is_none(), ..Days::ALL };
                let days = range.days.unwrap_or(usual);
                if days.holidays && calendar.is_none() && range.days.is_some() {
                    faults.add(range.at, &range.path, "only a calendar knows what is a holiday", "add `calendar`");
                }
                Rule::Range { days, dates: range.dates.clone(), hours: range.hours }
            }
        };
        Some(Part { zone, calendar, rule })
    }
}

impl Range {
    fn read(field: &Field<'_>, fields: &mut Fields<'_>, faults: &mut Faults) -> Self {
        let calendar =
            fields.take("calendar").and_then(|field| Some((field.text(faults)?, field.node.at, field.path.clone())));
        let days = fields.take("days").map(|field| Days::read(&field, true, faults));
        let dates = fields.take("dates").map(|field| {
            let items = if field.is_list() { field.list(SPANS_MAX, faults) } else { vec![field.clone()] };
            if items.is_empty() {
                field.fault(faults, "there is no day", "write at least one, or leave `dates` out");
            }
            items.iter().filter_map(|item| Span::read(item, faults)).collect()
        });
        let (from, to) = (fields.take("from"), fields.take("to"));
        if from.is_some() != to.is_some() {
            field.fault(
                faults,
                "`from` and `to` belong together",
                "write both, such as from: \"22:00\", to: \"24:00\"",
            );
        }
        if calendar.is_none() && days.is_none() && dates.is_none() && from.is_none() && to.is_none() {
            field.fault(faults, "no time is asked for", "write `calendar`, `days`, `dates`, or `from` and `to`");
        }
        let from = from.and_then(|field| minute(&field, faults));
        let to = to.and_then(|field| minute(&field, faults));
        let (at, path) = (field.node.at, field.path.clone());
        Self { calendar, days, dates: dates.unwrap_or_default(), hours: from.zip(to), at, path }
    }
}

impl Schedule {
    /// Whether it is the time: that of one of its ranges.
    pub fn holds(&self, wall: WallTime) -> bool {
        self.0.iter().any(|part| part.holds(wall))
    }

    /// The moments after one and up to another at which it begins or ends to be the time, in their order.
    pub fn changes(&self, after: WallTime, until: WallTime) -> Vec<WallTime> {
        const DAY_MS: i64 = 86_400_000;
        let mut moments = BTreeSet::new();
        for part in &self.0 {
            let marks = part.marks();
            let mut day = after.0.div_euclid(DAY_MS).saturating_mul(DAY_MS);
            while day <= until.0 {
                let second = |at: i64| i64::from(part.zone.local(WallTime(at)).second);
                let next = day.saturating_add(DAY_MS);
                let starts = [second(day), second(next)];
                for start in starts {
                    let since = |mark: &u32| (i64::from(*mark) * 60 - start).rem_euclid(86_400) * 1_000;
                    moments.extend(marks.iter().map(|mark| day.saturating_add(since(mark))));
                }
                // On a day on which clocks are changed any quarter of an hour may be the one.
                if starts.first() != starts.last() {
                    moments.extend((0..96).map(|quarter| day + quarter * 900_000));
                }
                day = next;
            }
        }
        let changes = |at: &i64| {
            (after.0 + 1..=until.0).contains(at) && self.holds(WallTime(*at)) != self.holds(WallTime(*at - 1))
        };
        moments.into_iter().filter(changes).map(WallTime).collect()
    }

    /// What time it is for it, for people: `wed 2026-12-23 09:05 Europe/Berlin`, and what holiday.
    pub fn told(&self, wall: WallTime) -> String {
        let Some(part) = self.0.first() else { return String::new() };
        let local = part.zone.local(wall);
        let (date, minute) = (local.date, local.minute());
        let mut text =
            format!("{} {date} {:02}:{:02} {}", date.weekday_word(), minute / 60, minute % 60, part.zone.name());
        let holiday = self.0.iter().find_map(|part| part.calendar.as_ref()?.holiday(part.zone.local(wall).date));
        if let Some(holiday) = holiday {
            text += ", a holiday";
            if !holiday.name.is_empty() {
                text = format!("{text} ({})", holiday.name);
            }
        }
        text
    }
}

impl Part {
    /// Minutes of the day at which it may begin or end to hold.
    fn marks(&self) -> BTreeSet<u32> {
        let hours: Vec<(u32, u32)> = match (&self.rule, &self.calendar) {
            (Rule::Open, Some(calendar)) => calendar.open.iter().map(|hours| (hours.from, hours.to)).collect(),
            (Rule::Open, None) => Vec::new(),
            (Rule::Range { hours, .. }, _) => hours.iter().copied().collect(),
        };
        [0].into_iter().chain(hours.into_iter().flat_map(|(from, to)| [from, to])).collect()
    }

    fn holds(&self, wall: WallTime) -> bool {
        let local = self.zone.local(wall);
        let (minute, today, yesterday) = (local.minute(), local.date, local.date.before());
        let kind = |date| match &self.calendar {
            Some(calendar) => calendar.kind_of(date),
            None => crate::DayKind::Weekday(crate::Date::weekday(date)),
        };
        match (&self.rule, &self.calendar) {
            (Rule::Open, Some(calendar)) => {
                let (today, yesterday) = (kind(today), kind(yesterday));
                calendar.open.iter().any(|hours| hours.hold(minute, today, yesterday))
            }
            (Rule::Open, None) => false,
            (Rule::Range { days, dates, hours }, _) => {
                let counts = |date| {
                    let dated = dates.is_empty() || dates.iter().any(|span| span.has(date));
                    dated && days.has(kind(date))
                };
                match hours {
                    Some(hours) => holds(*hours, minute, counts(today), counts(yesterday)),
                    None => counts(today),
                }
            }
        }
    }
}
