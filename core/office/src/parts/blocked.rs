//! Blocked callers in an office document.

use super::{ITEMS_MAX, Noun, Parts};
use crate::Like;
use crate::blocked::{Blocked, BlockedThen};
use plugboard_document::Field;
use plugboard_model::{Cause, ScenarioId};

/// In place of a status: as somebody who talks.
pub(crate) const BUSY: &str = "busy";
/// Its status.
pub(crate) const BUSY_STATUS: u16 = 486;

impl Parts<'_> {
    pub(crate) fn blocked(&mut self, field: Option<Field<'_>>) -> Option<Blocked> {
        let field = field?;
        let mut fields = field.fields(self.faults)?;
        let items = fields.take("callers").map(|field| field.list(ITEMS_MAX, self.faults)).unwrap_or_default();
        let callers: Vec<Like> = items.iter().filter_map(|item| self.like(item)).collect();
        let anonymous = fields.take("anonymous").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        let then = fields.take("then").and_then(|field| self.blocked_then(&field));
        fields.finish(self.faults);
        if items.is_empty() && !anonymous {
            field.fault(self.faults, "nobody is blocked", "write `callers` with numbers, or `anonymous: true`");
        }
        Some(Blocked { callers, anonymous, then: then.unwrap_or_else(|| BlockedThen::Refuse(Cause::of(BUSY_STATUS))) })
    }

    /// `busy`, `{ refuse: 603 }` or `{ scenario: name }`.
    fn blocked_then(&mut self, field: &Field<'_>) -> Option<BlockedThen> {
        if field.node.as_map().is_none() {
            field.one_of(&[(BUSY, ())], self.faults)?;
            return Some(BlockedThen::Refuse(Cause::of(BUSY_STATUS)));
        }
        let mut fields = field.fields(self.faults)?;
        let (refuse, scenario) = (fields.take("refuse"), fields.take("scenario"));
        fields.finish(self.faults);
        match (refuse, scenario) {
            (Some(field), None) => {
                let status = field.integer(400..=699, self.faults)?;
                Some(BlockedThen::Refuse(Cause::of(u16::try_from(status).ok()?)))
            }
            (None, Some(field)) => {
                let name = self.refers(Noun::Scenario, &field)?;
                Some(BlockedThen::Scenario(ScenarioId { office: self.office.clone(), name }))
            }
            (Some(_), Some(_)) | (None, None) => {
                field.fault(
                    self.faults,
                    "one thing happens to a blocked caller",
                    "write busy, { refuse: 603 } or { scenario: name }",
                );
                None
            }
        }
    }
}
