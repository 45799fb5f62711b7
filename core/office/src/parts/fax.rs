//! How an office sends faxes, in its document.

use super::Parts;
use crate::FaxRules;
use plugboard_document::{Field, Fields};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Whoever is called more often complains.
pub(crate) const TRIES_MAX: i64 = 20;
/// A redial in the same breath finds the line as busy; a fax of tomorrow is another one.
pub(crate) const APART: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_hours(24);
/// A fax that waits longer is news of last week.
pub(crate) const GIVE_UP_AFTER: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(7 * 24);
/// Lines of an office that do nothing but fax.
pub(crate) const AT_ONCE_MAX: i64 = 100;
/// As long as a ringing may be.
pub(crate) const RING_FOR: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_mins(5);

impl Parts<'_> {
    /// `{ tries, apart, give_up_after, at_once, ring_for, ident, header }`.
    pub(crate) fn fax(&mut self, field: Option<Field<'_>>) -> FaxRules {
        let usual = FaxRules::default();
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else { return usual };
        let tries = self.count(&mut fields, "tries", 1..=TRIES_MAX, usual.tries);
        let apart = fields.take("apart").and_then(|field| field.duration(APART, self.faults));
        let give_up_after = fields.take("give_up_after").and_then(|field| field.duration(GIVE_UP_AFTER, self.faults));
        let at_once = self.count(&mut fields, "at_once", 1..=AT_ONCE_MAX, usual.at_once);
        let ring_for = fields.take("ring_for").and_then(|field| field.duration(RING_FOR, self.faults));
        let ident = self.line(&mut fields, "ident", FaxRules::is_ident, "write up to 20 of digits, + and blanks");
        let header = self.line(&mut fields, "header", FaxRules::is_header, "write up to 50 letters of ASCII");
        fields.finish(self.faults);
        FaxRules {
            tries,
            apart: apart.unwrap_or(usual.apart),
            give_up_after: give_up_after.unwrap_or(usual.give_up_after),
            at_once,
            ring_for: ring_for.unwrap_or(usual.ring_for),
            ident,
            header,
        }
    }

    fn line(&mut self, fields: &mut Fields<'_>, key: &'static str, fits: fn(&str) -> bool, remedy: &str) -> String {
        let Some(field) = fields.take(key) else { return String::new() };
        let text = field.text(self.faults).unwrap_or_default();
        if fits(&text) {
            return text;
        }
        field.fault(self.faults, format!("{text:?} cannot stand in a fax"), remedy);
        String::new()
    }
}
