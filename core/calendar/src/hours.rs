//! A time of certain days.

use crate::{DayKind, Days};
use plugboard_document::{Faults, Field, Fields, Node};

/// Minutes of a day.
pub(crate) const DAY: u32 = 24 * 60;

/// A time of certain days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The days on which it begins.
    pub days: Days,
    /// Minutes of the day.
    pub from: u32,
    /// Minutes of the day, of the next one when it is not after `from`.
    pub to: u32,
}

impl Hours {
    /// Reads `{ days: [mon-fri], from: "09:00", to: "18:00" }`; without `days` it is every day. `with_holidays`: `days` may hold
    /// `holiday`, and without it every weekday is meant and no holiday.
    pub fn read(field: &Field<'_>, with_holidays: bool, faults: &mut Faults) -> Option<Self> {
        let mut fields = field.fields(faults)?;
        let usual = Days { holidays: !with_holidays, ..Days::ALL };
        let days = fields.take("days").map_or(usual, |field| Days::read(&field, with_holidays, faults));
        let minute = |fields: &mut Fields<'_>, key, faults: &mut Faults| minute(&fields.need(key, faults)?, faults);
        let (from, to) = (minute(&mut fields, "from", faults), minute(&mut fields, "to", faults));
        fields.finish(faults);
        Some(Self { days, from: from?, to: to? })
    }

    /// Whether it is that time; `today` and `yesterday` say what these days count as.
    pub fn hold(&self, minute: u32, today: DayKind, yesterday: DayKind) -> bool {
        holds((self.from, self.to), minute, self.days.has(today), self.days.has(yesterday))
    }

    /// As [`Hours::read`] reads it.
    pub fn node(&self, with_holidays: bool) -> Node {
        let usual = Days { holidays: !with_holidays, ..Days::ALL };
        let days = (self.days != usual).then(|| ("days", self.days.node()));
        days.into_iter().chain([("from", clock(self.from)), ("to", clock(self.to))]).collect()
    }
}

/// Whether a minute of the day lies between two others, on a day that counts or on the morning after one.
pub(crate) fn holds((from, to): (u32, u32), minute: u32, today: bool, yesterday: bool) -> bool {
    if from < to {
        today && (from..to).contains(&minute)
    } else {
        (today && minute >= from) || (yesterday && minute < to)
    }
}

/// Reads `07:30`, as minutes.
pub(crate) fn minute(field: &Field<'_>, faults: &mut Faults) -> Option<u32> {
    let text = field.text(faults)?;
    let read = read_minute(&text);
    if read.is_none() {
        field.fault(faults, format!("{text:?} is no time of the day"), "write 07:00 or 24:00, in quotes");
    }
    read
}

fn clock(minute: u32) -> Node {
    Node::from(format!("{:02}:{:02}", minute / 60, minute % 60))
}

fn read_minute(text: &str) -> Option<u32> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() <= 2 && minute.len() == 2)?;
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
    let whole = hour * 60 + minute;
    (minute < 60 && whole <= DAY).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_go_past_midnight_and_belong_to_the_day_that_they_begin_on() {
        let days = |on: &[usize]| Days { weekdays: std::array::from_fn(|day| on.contains(&day)), holidays: false };
        let day = Hours { days: days(&[0, 1, 2, 3, 4]), from: 7 * 60, to: 20 * 60 };
        let night = Hours { days: days(&[4]), from: 22 * 60, to: 6 * 60 };
        for (weekday, hour, minute, open) in [
            (0, 6, 59, false),
            (0, 7, 0, true),
            (0, 19, 59, true),
            (0, 20, 0, false),
            (5, 12, 0, false),
            (4, 22, 0, true),
            (5, 5, 59, true),
            (5, 6, 0, false),
            (5, 22, 0, false),
            (0, 5, 0, false),
        ] {
            let kinds = (DayKind::Weekday(weekday), DayKind::Weekday((weekday + 6) % 7));
            let held = [day, night].iter().any(|hours| hours.hold(hour * 60 + minute, kinds.0, kinds.1));
            assert_eq!(held, open, "{weekday} {hour}:{minute}");
        }
    }

    #[test]
    fn times_of_the_day_are_read_as_clocks_show_them() {
        for (text, minute) in [
            ("07:30", Some(450)),
            ("7:30", Some(450)),
            ("00:00", Some(0)),
            ("24:00", Some(1_440)),
            ("24:01", None),
            ("7:3", None),
            ("07:60", None),
            ("0730", None),
            ("+7:30", None),
            ("", None),
            (":30", None),
        ] {
            assert_eq!(read_minute(text), minute, "{text:?}");
        }
    }
}
