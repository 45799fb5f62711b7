//! The JSON Schema of how an office sends e-mail.

use super::{name, object};
use crate::MailRules;
use crate::parts::mail::{
    AN_HOUR_MAX, AT_ONCE_MAX, ATTACHMENTS, GIVE_UP_AFTER, HOST_MAX, LANGUAGES_MAX, SUBJECT_MAX, TEMPLATES_MAX,
    TEXT_MAX, TIMEOUT,
};
use plugboard_document::write_duration;
use plugboard_model::MailAddress;
use serde_json::{Value as Json, json};
use std::ops::RangeInclusive;
use std::time::Duration;

pub(super) fn mail() -> Json {
    let span = |default, range: RangeInclusive<Duration>, description: &str| {
        json!({ "$ref": "#/$defs/time", "default": write_duration(default), "description": description,
            "x-minimum": write_duration(*range.start()), "x-maximum": write_duration(*range.end()) })
    };
    let mut mail = object(
        &["host", "from"],
        json!({
            "host": { "type": "string", "maxLength": HOST_MAX, "examples": ["mail.example.com"], "description": "The mail server. Its certificate must have this name." },
            "port": { "type": "integer", "minimum": 1, "maximum": 65_535, "examples": [587], "description": "Its port; without it 587 with `starttls`, 465 with `implicit`, 25 with `none`." },
            "tls": { "enum": ["starttls", "implicit", "none"], "default": "starttls",
                "description": "How the way there is encrypted: after STARTTLS, without which nothing is sent; from the first byte; or not at all, only with `private`." },
            "login": { "description": "What the server is shown.", "examples": [{ "user": "desk", "password": { "environment": "SMTP_PASSWORD" } }], "anyOf": [
                object(&["user", "password"], json!({ "user": { "type": "string" }, "password": { "$ref": "#/$defs/secret" } }))
            ] },
            "from": { "type": "string", "examples": ["Front desk <desk@example.com>"], "description": "From whom mails are." },
            "private": { "type": "boolean", "default": false,
                "description": "Whether the server may be on this machine or in a private network. Without it such an address is not dialled, whatever its name says." },
            "timeout": span(MailRules::TIMEOUT, TIMEOUT, "For one mail, from the connection to the server's last word."),
            "at_once": { "type": "integer", "minimum": 1, "maximum": AT_ONCE_MAX, "default": MailRules::AT_ONCE, "description": "Mails that are handed over at once; others wait." },
            "an_hour": { "type": "integer", "minimum": 1, "maximum": AN_HOUR_MAX, "default": MailRules::AN_HOUR, "description": "Mails that are taken in an hour; with one more the action's outcome is `failed`." },
            "give_up_after": span(MailRules::GIVE_UP_AFTER, GIVE_UP_AFTER, "How long a mail is tried that the server does not take (4xx, no connection, no certificate): after 5 s at first, then as long again as it has waited, half an hour at most. 5xx is final."),
            "attachments": { "type": "integer", "minimum": *ATTACHMENTS.start(), "maximum": *ATTACHMENTS.end(), "default": MailRules::ATTACHMENTS_MAX, "description": "Bytes of the files that go along with one mail. A larger file stays behind, and the mail says so." },
            "templates": { "type": "array", "maxItems": TEMPLATES_MAX, "description": "Mails that are written already: `send-email` names one.",
                "examples": [[{ "id": "hold", "texts": { "en": { "subject": "On hold", "text": "User {agent_name} put on hold {caller_number}." } } }]],
                "items": object(&["id", "texts"], json!({
                    "id": name("Its name, by which steps ask for it.", "hold"),
                    "texts": { "type": "object", "minProperties": 1, "maxProperties": LANGUAGES_MAX, "description": "By language (BCP 47): the call's is taken, else the office's, else any.",
                        "additionalProperties": object(&["subject", "text"], json!({
                            "subject": { "type": "string", "maxLength": SUBJECT_MAX, "description": "One line. `{name}` is a variable of the scenario." },
                            "text": { "type": "string", "maxLength": TEXT_MAX, "description": "The text, with variables." },
                            "html": { "type": "string", "maxLength": TEXT_MAX, "description": "The same as HTML; what variables have is escaped." }
                        })) }
                })) }
        }),
    );
    if let Some(object) = mail.as_object_mut() {
        object.insert("description".into(), json!("How e-mail leaves: by which server, from whom, how much. What scenarios send is kept first and leaves by itself (`plugboard outbox`)."));
        object.insert("examples".into(), json!([{ "host": "mail.example.com", "from": "desk@example.com", "login": { "user": "desk", "password": { "environment": "SMTP_PASSWORD" } } }]));
    }
    mail
}

pub(super) fn address(whose: &str) -> Json {
    json!({ "type": "string", "maxLength": MailAddress::BYTES_MAX, "pattern": "@", "examples": ["ann@example.com"],
        "description": format!("{whose} address of e-mail: where `send-email` to this id or number goes.") })
}

pub(super) fn to(what: &str) -> Json {
    let mut to = object(
        &["to"],
        json!({
            "to": { "type": "string", "maxLength": MailAddress::BYTES_MAX, "pattern": "@", "examples": ["ann@example.com"], "description": "To which address." },
            "attach": { "type": "boolean", "default": true, "description": "Whether the file goes along; one that is larger than `mail.attachments` stays behind." }
        }),
    );
    if let Some(object) = to.as_object_mut() {
        object.insert("description".into(), json!(format!("Where each {what} goes by mail as well, once; without it none does. In the office's language (English, Russian, German).")));
        object.insert("examples".into(), json!([{ "to": "ann@example.com" }]));
    }
    to
}
