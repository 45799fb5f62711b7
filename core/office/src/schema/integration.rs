//! The JSON Schema of systems beside the telephone.

use super::{name, object};
use crate::Integration;
use crate::parts::integration::{AT_ONCE_MAX, SERVICES_MAX, TIMEOUT};
use plugboard_document::write_duration;
use serde_json::{Value as Json, json};

pub(super) fn integration() -> Json {
    object(
        &["id", "plugin"],
        json!({
            "id": name("Its name, with which the ids of its contacts begin.", "crm"),
            "plugin": { "type": "string", "pattern": "^[a-z0-9-]{1,64}$", "examples": ["rest-contacts"],
                "description": "The installed plugin; `plugboard plugin list` has them." },
            "settings": { "type": "object", "examples": [{ "find": { "path": "contacts", "query": { "phone": "{e164}" }, "list": "/items" }, "contact": { "id": "/id", "name": "/name" } }],
                "description": "What the plugin is told; `plugboard plugin show` says what it takes. At most 32,768 bytes of JSON. No secrets: those are the sources', and no plugin sees them." },
            "settings_file": { "type": "string", "examples": ["mappings/hubspot.yaml"],
                "description": "In place of `settings`: a file that holds them, relative to this document." },
            "services": { "type": "object", "maxProperties": SERVICES_MAX, "propertyNames": { "pattern": "^[a-z0-9-]{1,64}$" }, "additionalProperties": { "type": "string" }, "examples": [{ "api": "crm" }],
                "description": "Which of `http` each service is that the plugin asks, by the plugin's own name for it. Where a request goes, with which secret, how long and how much is the source's." },
            "capabilities": { "type": "array", "items": { "type": "string" }, "examples": [["settings", "http"]],
                "description": "The interfaces that it may call; without it all that it imports." },
            "timeout": { "$ref": "#/$defs/time", "default": write_duration(Integration::TIMEOUT), "x-minimum": write_duration(*TIMEOUT.start()), "x-maximum": write_duration(*TIMEOUT.end()),
                "description": "How long it may take for one answer; a caller waits for it. All integrations together have five seconds for a number." },
            "at_once": { "type": "integer", "minimum": 1, "maximum": AT_ONCE_MAX, "default": Integration::AT_ONCE,
                "description": "Questions at once; with one more it is passed over." }
        }),
    )
}
