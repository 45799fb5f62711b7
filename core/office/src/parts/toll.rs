//! Limits of calls to the outside in an office document.

use super::{ITEMS_MAX, Parts};
use crate::numbers::calling_code;
use crate::toll::{Hours, Toll};
use plugboard_document::{Field, Fields};
use plugboard_model::Dialled;
use std::sync::Arc;

/// Each day as documents name it.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day.
const DAY: i64 = 24 * 60;

impl Parts<'_> {
    pub(crate) fn toll(&mut self, field: Option<Field<'_>>) -> Option<Arc<Toll>> {
        let field = field?;
        let mut fields = field.fields(self.faults)?;
        let count = |parts: &mut Self, fields: &mut Fields<'_>, key, most| {
            let field = fields.take(key)?;
            field.integer(0..=most, parts.faults).and_then(|value| u32::try_from(value).ok())
        };
        let calls_at_once = count(self, &mut fields, "calls_at_once", 10_000);
        let minutes_a_day = count(self, &mut fields, "minutes_a_day", 1_000_000);
        let ends = fields.take("then").and_then(|field| field.one_of(&[("refuse", false), ("end", true)], self.faults));
        let allow = self.beginnings(fields.take("allow"));
        let deny = self.beginnings(fields.take("deny"));
        let mut countries = Vec::new();
        for item in fields.take("countries").map(|field| field.list(ITEMS_MAX, self.faults)).unwrap_or_default() {
            let Some(text) = item.text(self.faults) else { continue };
            if calling_code(&text).is_none() {
                item.fault(
                    self.faults,
                    format!("{text:?} is no country"),
                    "write the two letters of ISO 3166-1, such as de or us",
                );
            }
            countries.push(text.to_ascii_lowercase());
        }
        let hours = fields.take("hours");
        self.timed.extend(hours.as_ref().map(|field| (field.node.at, field.path.clone())));
        let items = hours.map(|field| field.list(ITEMS_MAX, self.faults)).unwrap_or_default();
        let hours = items.iter().filter_map(|item| self.hours(item)).collect();
        fields.finish(self.faults);
        let ends = ends.unwrap_or_default();
        Some(Arc::new(Toll { calls_at_once, minutes_a_day, ends, allow, countries, deny, hours }))
    }

    fn beginnings(&mut self, field: Option<Field<'_>>) -> Vec<Dialled> {
        let items = field.map(|field| field.list(ITEMS_MAX, self.faults)).unwrap_or_default();
        items.iter().filter_map(|item| self.dialled(item)).collect()
    }

    fn hours(&mut self, item: &Field<'_>) -> Option<Hours> {
        let mut fields = item.fields(self.faults)?;
        let mut days = [false; 7];
        match fields.take("days") {
            Some(field) => {
                for item in field.list(ITEMS_MAX, self.faults) {
                    let Some(text) = item.text(self.faults) else { continue };
                    let Some((first, last)) = read_days(&text) else {
                        item.fault(
                            self.faults,
                            format!("{text:?} is no day"),
                            "write mon, tue, wed, thu, fri, sat, sun or mon-fri",
                        );
                        continue;
                    };
                    let mut day = first;
                    while let Some(on) = days.get_mut(day) {
                        *on = true;
                        if day == last {
                            break;
                        }
                        day = (day + 1) % 7;
                    }
                }
            }
            None => days = [true; 7],
        }
        let mut minute = |parts: &mut Self, key| {
            let field = fields.need(key, parts.faults)?;
            let text = field.text(parts.faults)?;
            let read = read_minute(&text);
            if read.is_none() {
                field.fault(parts.faults, format!("{text:?} is no time of the day"), "write 07:00 or 24:00, in quotes");
            }
            read
        };
        let (from, to) = (minute(self, "from"), minute(self, "to"));
        fields.finish(self.faults);
        Some(Hours { days, from: from?, to: to? })
    }
}

/// `mon`, or `mon-fri`.
fn read_days(text: &str) -> Option<(usize, usize)> {
    let place = |word: &str| DAYS.iter().position(|day| *day == word);
    match text.split_once('-') {
        Some((first, last)) => Some((place(first)?, place(last)?)),
        None => place(text).map(|day| (day, day)),
    }
}

/// `07:30`, as minutes.
fn read_minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() <= 2 && minute.len() == 2)?;
    let (hour, minute) = (hour.parse::<i64>().ok()?, minute.parse::<i64>().ok()?);
    let whole = hour * 60 + minute;
    ((0..60).contains(&minute) && (0..=DAY).contains(&whole)).then(|| u32::try_from(whole).ok())?
}
