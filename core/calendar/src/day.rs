//! Days of the week, and what a day counts as.

use plugboard_document::{Faults, Field, Node};

/// Each day as documents name it.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A day that counts as no day of the week.
pub const HOLIDAY: &str = "holiday";

/// Words of one list: seven days are all that there are, and some will write one twice.
const WORDS_MAX: usize = 16;

/// What a day counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// 0 Monday to 6 Sunday.
    Weekday(usize),
    /// A holiday, whatever day of the week it is.
    Holiday,
}

/// Some of the days of a week, and perhaps holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// Monday first.
    pub weekdays: [bool; 7],
    /// Holidays as well.
    pub holidays: bool,
}

impl Days {
    /// Every day.
    pub const ALL: Self = Self { weekdays: [true; 7], holidays: true };

    /// Reads a list of `mon`, `mon-fri` and, where there is a calendar, `holiday`; or one of these alone.
    pub fn read(field: &Field<'_>, with_holidays: bool, faults: &mut Faults) -> Self {
        let mut days = Self { weekdays: [false; 7], holidays: false };
        let items = if field.is_list() { field.list(WORDS_MAX, faults) } else { vec![field.clone()] };
        if items.is_empty() {
            field.fault(faults, "there is no day", "write [mon-fri], or leave it out for every day");
        }
        for item in items {
            let Some(text) = item.text(faults) else { continue };
            if text == HOLIDAY && with_holidays {
                days.holidays = true;
            } else if let Some((first, last)) = read_days(&text) {
                // `sat-mon` goes over the end of the week.
                let count = (last + 7 - first) % 7;
                for day in (first..=first + count).map(|day| day % 7) {
                    days.weekdays.get_mut(day).into_iter().for_each(|on| *on = true);
                }
            } else {
                let holiday = if with_holidays { ", mon-fri or holiday" } else { " or mon-fri" };
                let remedy = format!("write {}{holiday}", DAYS.join(", "));
                item.fault(faults, format!("{text:?} is no day"), remedy);
            }
        }
        days
    }

    /// As [`Days::read`] reads it.
    pub fn node(self) -> Node {
        let weekdays = DAYS.iter().zip(self.weekdays).filter(|(_, on)| *on).map(|(day, _)| Node::from(*day));
        weekdays.chain(self.holidays.then(|| Node::from(HOLIDAY))).collect()
    }

    /// Whether a day of this kind is one of them.
    pub fn has(self, kind: DayKind) -> bool {
        match kind {
            DayKind::Weekday(day) => self.weekdays.get(day).copied().unwrap_or_default(),
            DayKind::Holiday => self.holidays,
        }
    }
}

/// The place of `mon` in the week.
pub(crate) fn place(word: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == word)
}

/// `mon`, or `mon-fri`.
fn read_days(text: &str) -> Option<(usize, usize)> {
    match text.split_once('-') {
        Some((first, last)) => Some((place(first)?, place(last)?)),
        None => place(text).map(|day| (day, day)),
    }
}
