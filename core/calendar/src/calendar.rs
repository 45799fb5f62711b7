//! What days count as for an office: holidays, and days on which people work as on others.

use crate::day::place;
use crate::index::Index;
use crate::{DAYS, Date, DayKind, Hours, Span, Zone, import};
use plugboard_document::{Faults, Field, Node, did_you_mean};
use plugboard_model::Name;

/// Calendars of one office.
pub const CALENDARS_MAX: usize = 32;
/// Holidays of one calendar, those of files included.
pub const DATES_MAX: usize = 10_000;
/// Bytes of an iCalendar file.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a holiday's name.
const NAME_BYTES_MAX: usize = 120;
/// Times at which people work in one week.
const OPEN_MAX: usize = 64;
/// iCalendar files of one calendar.
const FILES_MAX: usize = 4;

/// A calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Its name in the office.
    pub id: Name,
    /// Whose clocks it goes by.
    pub zone: Zone,
    /// When people work.
    pub open: Vec<Hours>,
    /// Days that count as no day of the week.
    pub holidays: Vec<Holiday>,
    /// Days that count as another one, also when they are holidays.
    pub working_days: Vec<WorkingDay>,
    by_day: Index,
    worked: Index,
}

/// Days that count as no day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// When.
    pub on: Span,
    /// For people; may be empty.
    pub name: String,
}

/// Days on which people work as on another day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingDay {
    /// When.
    pub on: Span,
    /// 0 Monday to 6 Sunday.
    pub like: usize,
}

impl Calendar {
    /// A calendar.
    pub fn new(id: Name, zone: Zone, open: Vec<Hours>, holidays: Vec<Holiday>, working_days: Vec<WorkingDay>) -> Self {
        let by_day = Index::of(holidays.iter().map(|holiday| holiday.on));
        let worked = Index::of(working_days.iter().map(|day| day.on));
        Self { id, zone, open, holidays, working_days, by_day, worked }
    }

    /// Reads one: `{ id, time_zone, open, holidays, working_days, ical }`. `office` is the office's own zone, `file` gives the text of a
    /// file that `ical` names.
    pub fn read(
        field: &Field<'_>,
        office: Option<Zone>,
        file: &dyn Fn(&str) -> Result<String, String>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let mut fields = field.fields(faults)?;
        let id = fields.need("id", faults).and_then(|field| field.name(faults));
        let zone = fields.take("time_zone").map(|field| Zone::read(&field, faults)).or(office);
        if zone.is_none() {
            let remedy = "write `time_zone: Europe/Berlin` for the calendar or for the office";
            field.fault(faults, "nobody knows by which clock", remedy);
        }
        let open = fields.take("open").map(|field| field.list(OPEN_MAX, faults)).unwrap_or_default();
        let open = open.iter().filter_map(|item| Hours::read(item, true, faults)).collect();
        let items = fields.take("holidays").map(|field| field.list(DATES_MAX, faults)).unwrap_or_default();
        let mut holidays: Vec<Holiday> = items.iter().filter_map(|item| Holiday::read(item, faults)).collect();
        let items = fields.take("working_days").map(|field| field.list(DATES_MAX, faults)).unwrap_or_default();
        let working_days = items.iter().filter_map(|item| WorkingDay::read(item, faults)).collect();
        if let Some(field) = fields.take("ical") {
            let files = if field.is_list() { field.list(FILES_MAX, faults) } else { vec![field.clone()] };
            for field in files {
                let Some(path) = field.text(faults) else { continue };
                match file(&path).and_then(|text| import(&text)) {
                    Ok(days) => holidays.extend(days),
                    Err(reason) => {
                        field.fault(faults, format!("{path}: {reason}"), "give the path of an iCalendar file");
                    }
                }
            }
            if holidays.len() > DATES_MAX {
                field.fault(faults, format!("{} holidays are too many, at most {DATES_MAX}", holidays.len()), "");
            }
        }
        fields.finish(faults);
        Some(Self::new(id?, zone.unwrap_or_default(), open, holidays, working_days))
    }

    /// As [`Calendar::read`] reads it, with the holidays of files inside.
    pub fn node(&self, office: Option<Zone>) -> Node {
        let list = |key, items: Vec<Node>| (!items.is_empty()).then(|| (key, Node::from_iter(items)));
        let holidays = self.holidays.iter().map(Holiday::node).collect();
        let working_days = self.working_days.iter().map(|day| day.node()).collect();
        [("id", Node::from(self.id.as_str()))]
            .into_iter()
            .chain((Some(self.zone) != office).then(|| ("time_zone", Node::from(self.zone.name()))))
            .chain(list("open", self.open.iter().map(|hours| hours.node(true)).collect()))
            .chain(list("holidays", holidays))
            .chain(list("working_days", working_days))
            .collect()
    }

    /// What a day counts as.
    pub fn kind_of(&self, date: Date) -> DayKind {
        if let Some(day) = self.worked.find(date).and_then(|place| self.working_days.get(place)) {
            return DayKind::Weekday(day.like);
        }
        if self.holiday(date).is_some() { DayKind::Holiday } else { DayKind::Weekday(date.weekday()) }
    }

    /// The holiday that a day is, if it is one, also when people work on it.
    pub fn holiday(&self, date: Date) -> Option<&Holiday> {
        self.by_day.find(date).and_then(|place| self.holidays.get(place))
    }
}

impl Holiday {
    /// `"12-25"`, or `{ on: "12-25", name: Christmas }`.
    fn read(field: &Field<'_>, faults: &mut Faults) -> Option<Self> {
        if field.node.as_map().is_none() {
            return Some(Self { on: Span::read(field, faults)?, name: String::new() });
        }
        let mut fields = field.fields(faults)?;
        let on = fields.need("on", faults).and_then(|field| Span::read(&field, faults));
        let name = fields.take("name").and_then(|field| field.text(faults)).unwrap_or_default();
        if name.len() > NAME_BYTES_MAX {
            field.fault(faults, format!("the name has more than {NAME_BYTES_MAX} bytes"), "");
        }
        fields.finish(faults);
        Some(Self { on: on?, name })
    }

    /// One of a file, whose names may be of any length.
    pub(crate) fn imported(on: Span, name: &str) -> Self {
        let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let end = name.floor_char_boundary(NAME_BYTES_MAX);
        Self { on, name: name.get(..end).unwrap_or_default().trim().to_owned() }
    }

    fn node(&self) -> Node {
        if self.name.is_empty() {
            return self.on.into();
        }
        [("on", self.on.into()), ("name", Node::from(self.name.as_str()))].into_iter().collect()
    }
}

impl WorkingDay {
    /// `{ on: "2026-11-07", as: mon }`.
    fn read(field: &Field<'_>, faults: &mut Faults) -> Option<Self> {
        let mut fields = field.fields(faults)?;
        let on = fields.need("on", faults).and_then(|field| Span::read(&field, faults));
        let like = fields.need("as", faults).and_then(|field| {
            let text = field.text(faults)?;
            let found = place(&text);
            if found.is_none() {
                let near = did_you_mean(&text, &DAYS);
                let remedy = if near.is_empty() { format!("days are {}", DAYS.join(", ")) } else { near };
                field.fault(faults, format!("{text:?} is no day of the week"), remedy);
            }
            found
        });
        fields.finish(faults);
        Some(Self { on: on?, like: like? })
    }

    fn node(self) -> Node {
        let like = DAYS.get(self.like).copied().unwrap_or_default();
        [("on", self.on.into()), ("as", Node::from(like))].into_iter().collect()
    }
}
