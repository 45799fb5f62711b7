//! How an office records, in its document.

use super::Parts;
use crate::{RecordRule, Recording};
use plugboard_document::{Field, Fields, Kind};
use plugboard_model::Dialled;

impl Parts<'_> {
    pub(crate) fn record_rule(&mut self, fields: &mut Fields<'_>) -> RecordRule {
        fields.take("record").and_then(|field| field.one_of(&RecordRule::WORDS, self.faults)).unwrap_or_default()
    }

    /// `{ announcement, beep, keys }`.
    pub(crate) fn recording(&mut self, field: Option<Field<'_>>) -> Recording {
        let mut recording = Recording::default();
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else { return recording };
        recording.announcement = self.text(&mut fields, "announcement");
        recording.beep = fields.take("beep").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        if let Some(field) = fields.take("keys") {
            recording.keys = if matches!(field.node.kind, Kind::Boolean(false)) { None } else { self.keys(&field) };
        }
        fields.finish(self.faults);
        recording
    }

    /// Two to four keys, of which the first is none that a number begins with.
    fn keys(&mut self, field: &Field<'_>) -> Option<Dialled> {
        let text = field.text(self.faults)?;
        let fits = (2..=4).contains(&text.len())
            && text.starts_with(['*', '#'])
            && text.chars().all(|c| matches!(c, '0'..='9' | '*' | '#'));
        if !fits {
            let remedy = "write \"*1\", or false for none";
            field.fault(self.faults, format!("{text:?} is not * or # and 1 to 3 of 0-9 * #"), remedy);
            return None;
        }
        Dialled::new(&text).ok()
    }
}
