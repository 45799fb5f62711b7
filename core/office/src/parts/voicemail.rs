//! Mailboxes in an office document.

use super::{Owner, Parts};
use crate::{MailboxRules, Secret, Voicemail};
use plugboard_document::Field;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest message: the call's own limit is far away, a mailbox's minutes are not.
pub(crate) const LONGEST: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_mins(30);
/// Nobody draws breath for longer, and nobody waits for longer.
pub(crate) const SILENCE: RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_mins(1);
/// A tenth of a second is a click.
pub(crate) const SHORTEST: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(10);
/// Who has more of them reads mail.
pub(crate) const MESSAGES_MAX: i64 = 1_000;
/// Of one mailbox.
pub(crate) const MINUTES_MAX: i64 = 1_000;
/// Digits of a PIN.
pub(crate) const PIN: RangeInclusive<usize> = 4..=12;

impl Parts<'_> {
    /// `{ longest, silence, shortest, messages, minutes, own_phone_without_pin }`.
    pub(crate) fn voicemail(&mut self, field: Option<Field<'_>>) -> Voicemail {
        let usual = Voicemail::default();
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else { return usual };
        let mut span = |key, range, otherwise| {
            fields.take(key).and_then(|field| field.duration(range, self.faults)).unwrap_or(otherwise)
        };
        let longest = span("longest", LONGEST, usual.longest);
        let silence = span("silence", SILENCE, usual.silence);
        let shortest = span("shortest", SHORTEST, usual.shortest);
        let messages = self.count(&mut fields, "messages", 1..=MESSAGES_MAX, usual.messages);
        let minutes = self.count(&mut fields, "minutes", 1..=MINUTES_MAX, usual.minutes);
        let own = fields.take("own_phone_without_pin").and_then(|field| field.boolean(self.faults));
        fields.finish(self.faults);
        Voicemail { longest, silence, shortest, messages, minutes, own_phone_without_pin: own.unwrap_or_default() }
    }

    /// `{ pin, greeting, mail }` of a user or group.
    pub(crate) fn mailbox(&mut self, field: Option<Field<'_>>, owner: &str) -> MailboxRules {
        let Some(mut fields) = field.and_then(|field| field.fields(self.faults)) else {
            return MailboxRules::default();
        };
        let pin = fields.take("pin").and_then(|field| self.pin(&field, owner));
        let greeting = self.text(&mut fields, "greeting");
        let mail = self.mail_to(fields.take("mail"));
        fields.finish(self.faults);
        MailboxRules { pin, greeting, mail }
    }

    fn pin(&mut self, field: &Field<'_>, owner: &str) -> Option<Secret> {
        let pin = self.secret(field, Owner::Mailbox(owner))?;
        let digits = pin.reveal();
        // What is kept is good already; a check elsewhere does not know it.
        let is_kept = *pin.origin() == crate::SecretOrigin::Kept;
        if !is_kept && (!PIN.contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit())) {
            let reason = format!("a PIN has {} to {} digits", PIN.start(), PIN.end());
            field.fault(self.faults, reason, "write for example \"47110\", in quotes when it begins with 0");
            return None;
        }
        Some(pin)
    }
}
