//! Mailboxes, as a document.

use super::{Entries, Secrets, secret_node};
use crate::{MailboxRules, Voicemail};
use plugboard_document::{Node, write_duration};
use std::path::Path;

pub(super) fn node(voicemail: &Voicemail) -> Option<Node> {
    let usual = Voicemail::default();
    if *voicemail == usual {
        return None;
    }
    let mut entry = Entries::default();
    entry.put_unless("longest", write_duration(voicemail.longest), write_duration(usual.longest));
    entry.put_unless("silence", write_duration(voicemail.silence), write_duration(usual.silence));
    entry.put_unless("shortest", write_duration(voicemail.shortest), write_duration(usual.shortest));
    entry.put_unless("messages", voicemail.messages, usual.messages);
    entry.put_unless("minutes", voicemail.minutes, usual.minutes);
    entry.put_unless("own_phone_without_pin", voicemail.own_phone_without_pin, usual.own_phone_without_pin);
    Some(entry.node())
}

pub(super) fn mailbox(rules: &MailboxRules, secrets: Secrets, folder: Option<&Path>) -> Option<Node> {
    if *rules == MailboxRules::default() {
        return None;
    }
    let mut entry = Entries::default();
    if let Some(pin) = &rules.pin {
        entry.put("pin", secret_node(pin, secrets, folder));
    }
    if let Some(greeting) = &rules.greeting {
        entry.put("greeting", greeting.as_str());
    }
    entry.0.extend(rules.mail.as_ref().map(|mail| ("mail", super::mail::to(mail))));
    Some(entry.node())
}
