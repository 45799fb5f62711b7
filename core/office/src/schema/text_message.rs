//! The JSON Schema of how an office sends text messages.

use super::{name, object};
use crate::TextRules;
use crate::parts::mail::GIVE_UP_AFTER;
use crate::parts::text_message::{AN_HOUR_MAX, AT_ONCE_MAX, FROM_MAX, PATH_MAX, QUERY_MAX};
use plugboard_document::write_duration;
use serde_json::{Value as Json, json};

pub(super) fn text_messages() -> Json {
    let mut texts = object(
        &["source"],
        json!({
            "source": name("The provider: one of `http`, whose `methods` have the method.", "sms"),
            "path": { "type": "string", "maxLength": PATH_MAX, "default": "", "examples": ["send"], "description": "Below the source's address." },
            "method": { "enum": ["post", "get"], "default": "post", "description": "How it is asked." },
            "query": { "type": "object", "maxProperties": QUERY_MAX, "additionalProperties": { "type": ["string", "integer"] }, "examples": [{ "to": "{to}", "text": "{text}" }],
                "description": "Names and values, escaped by the switch. `{to}` is the number in E.164, `{text}` the message, `{from}` what `from` says, `{key}` the same whenever the same message is meant." },
            "body": { "examples": [{ "to": "{to}", "text": "{text}", "from": "{from}", "id": "{key}" }],
                "description": "A document that is sent as JSON, with the same places in its texts; not with `get`. With `{key}` here or in `query` the provider can tell a repetition, and is asked again also when nobody knows whether it took a message; without it such a message is given up." },
            "form": { "type": "object", "maxProperties": QUERY_MAX, "additionalProperties": { "type": ["string", "integer"] }, "examples": [{ "To": "{to}", "Body": "{text}" }],
                "description": "Names and values that are sent as a form (`application/x-www-form-urlencoded`) in place of `body`, escaped by the switch, with the same places." },
            "from": { "type": "string", "maxLength": FROM_MAX, "default": "", "examples": ["+4930123"], "description": "From whom messages are: our number, or a name." },
            "at_once": { "type": "integer", "minimum": 1, "maximum": AT_ONCE_MAX, "default": TextRules::AT_ONCE, "description": "Messages at once; others wait." },
            "an_hour": { "type": "integer", "minimum": 1, "maximum": AN_HOUR_MAX, "default": TextRules::AN_HOUR, "description": "Messages that are taken in an hour; with one more the action's outcome is `failed`." },
            "give_up_after": { "$ref": "#/$defs/time", "default": write_duration(TextRules::GIVE_UP_AFTER), "x-minimum": write_duration(*GIVE_UP_AFTER.start()), "x-maximum": write_duration(*GIVE_UP_AFTER.end()),
                "description": "How long a message is tried that the provider does not take for now (408, 425, 429, 5xx, no connection). Any other status but 2xx is final." }
        }),
    );
    if let Some(object) = texts.as_object_mut() {
        object.insert("description".into(), json!("How text messages to telephones leave: by which provider, and how it is asked. What scenarios send is kept first and leaves by itself (`plugboard outbox`)."));
        object.insert("examples".into(), json!([{ "source": "sms", "path": "send", "body": { "to": "{to}", "text": "{text}", "from": "{from}", "id": "{key}" }, "from": "+4930123" }]));
    }
    texts
}
