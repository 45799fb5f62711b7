//! Limits of calls to the outside in an office document.

use super::{ITEMS_MAX, Parts};
use crate::numbers::calling_code;
use crate::toll::Toll;
use plugboard_calendar::Hours;
use plugboard_document::{Field, Fields};
use plugboard_model::Dialled;
use std::sync::Arc;

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
        let hours = items.iter().filter_map(|item| Hours::read(item, false, self.faults)).collect();
        fields.finish(self.faults);
        let ends = ends.unwrap_or_default();
        Some(Arc::new(Toll { calls_at_once, minutes_a_day, ends, allow, countries, deny, hours }))
    }

    fn beginnings(&mut self, field: Option<Field<'_>>) -> Vec<Dialled> {
        let items = field.map(|field| field.list(ITEMS_MAX, self.faults)).unwrap_or_default();
        items.iter().filter_map(|item| self.dialled(item)).collect()
    }
}
