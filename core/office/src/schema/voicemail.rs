//! The JSON Schema of mailboxes.

use super::object;
use crate::Voicemail;
use crate::parts::{LONGEST, MESSAGE_SILENCE, MESSAGES_MAX, MINUTES_MAX, SHORTEST};
use plugboard_document::write_duration;
use serde_json::{Value as Json, json};
use std::ops::RangeInclusive;
use std::time::Duration;

pub(super) fn voicemail() -> Json {
    let usual = Voicemail::default();
    let span = |default, range: RangeInclusive<Duration>, description: &str| {
        json!({ "$ref": "#/$defs/time", "default": write_duration(default), "description": description,
            "x-minimum": write_duration(*range.start()), "x-maximum": write_duration(*range.end()) })
    };
    let count = |default: u32, most: i64, description: &str| json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default, "description": description });
    let mut voicemail = object(
        &[],
        json!({
            "longest": span(usual.longest, LONGEST, "The longest message or greeting."),
            "silence": span(usual.silence, MESSAGE_SILENCE, "Silence that ends a message."),
            "shortest": span(usual.shortest, SHORTEST, "Who is heard for less than this, all together, has left no message."),
            "messages": count(usual.messages, MESSAGES_MAX, "Messages in one mailbox; when it is full, callers are told so."),
            "minutes": count(usual.minutes, MINUTES_MAX, "Minutes of all messages of one mailbox together."),
            "own_phone_without_pin": { "type": "boolean", "default": false, "examples": [true],
                "description": "Whether a user's own phone opens his mailbox, and those of his groups, without PIN." }
        }),
    );
    if let Some(object) = voicemail.as_object_mut() {
        object.insert("description".into(), json!("Mailboxes: each user and each group has one. The action `voicemail` takes messages; the feature code `mailbox` and the action `mailbox` let people hear them. Files lie below `recordings` of the data folder and are kept as the configuration's `keep.messages` says."));
        object.insert("examples".into(), json!([{ "longest": "2m", "own_phone_without_pin": true }]));
    }
    voicemail
}

pub(super) fn mailbox(whose: &str) -> Json {
    let mut mailbox = object(
        &[],
        json!({
            "pin": { "$ref": "#/$defs/secret", "examples": ["47110"],
                "description": "What opens the mailbox: 4 to 12 digits, as a text, `{ file: path }`, `{ environment: NAME }` or `{ keep: true }`. Without one only a phone opens it that needs none (`voicemail.own_phone_without_pin`). After three wrong ones it is locked for a minute, then for twice as long with each more, an hour at the most." },
            "greeting": { "type": "string", "examples": ["closed"], "description": "A prompt of the office that greets callers until a greeting is recorded by phone; without it words that are read aloud." },
            "mail": super::mail::to("message that is left")
        }),
    );
    if let Some(object) = mailbox.as_object_mut() {
        object.insert("description".into(), json!(format!("{whose} mailbox.")));
        object.insert("examples".into(), json!([{ "pin": "47110" }]));
    }
    mailbox
}
