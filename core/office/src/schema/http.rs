//! The JSON Schema of services of the web.

use super::{name, object};
use crate::parts::http::{AT_ONCE_MAX, BYTES, RETRIES_MAX, TIMEOUT};
use crate::{BaseUrl, HttpSource};
use plugboard_document::write_duration;
use plugboard_model::HttpMethod;
use serde_json::{Value as Json, json};

pub(super) fn source() -> Json {
    let methods: Vec<&str> = HttpMethod::WORDS.iter().map(|(word, _)| *word).collect();
    let secret = || json!({ "$ref": "#/$defs/secret" });
    object(
        &["id", "url"],
        json!({
            "id": name("Its name, by which actions ask for it.", "crm"),
            "url": { "type": "string", "maxLength": BaseUrl::BYTES_MAX, "pattern": "^https?://", "examples": ["https://crm.example.com/api"],
                "description": "Where its addresses begin; actions add segments and a query. `http://` only with `private`." },
            "login": { "description": "What it is shown with each request. `path`: segments between its address and what is asked, of a service whose address is its secret, such as a webhook of Bitrix24.", "examples": [{ "bearer": { "environment": "CRM_TOKEN" } }], "anyOf": [
                object(&["bearer"], json!({ "bearer": secret() })),
                object(&["path"], json!({ "path": secret() })),
                object(&["user", "password"], json!({ "user": { "type": "string" }, "password": secret() })),
                object(&["header", "value"], json!({ "header": { "type": "string" }, "value": secret() }))
            ] },
            "methods": { "type": "array", "items": { "enum": methods }, "minItems": 1, "maxItems": methods.len(), "default": ["get"], "examples": [["get", "post"]],
                "description": "What actions may do there." },
            "timeout": { "$ref": "#/$defs/time", "default": write_duration(HttpSource::TIMEOUT), "x-minimum": write_duration(*TIMEOUT.start()), "x-maximum": write_duration(*TIMEOUT.end()),
                "description": "For a request with all its tries, to the last byte of the answer. Past it the action's outcome is `timeout`, and the caller goes on." },
            "retries": { "type": "integer", "minimum": 0, "maximum": RETRIES_MAX, "default": HttpSource::RETRIES,
                "description": "How often more a `get` is sent, within `timeout`, that met no answer, or 502, 503 or 504. Nothing else is sent twice." },
            "at_once": { "type": "integer", "minimum": 1, "maximum": AT_ONCE_MAX, "default": HttpSource::AT_ONCE,
                "description": "Requests at once; one more fails at once." },
            "bytes": { "type": "integer", "minimum": *BYTES.start(), "maximum": *BYTES.end(), "default": HttpSource::BYTES_MAX,
                "description": "Bytes of an answer; a longer one is none." },
            "private": { "type": "boolean", "default": false,
                "description": "Whether it may be on this machine or in a private network, link-local addresses and those of cloud metadata included. Without it such an address is not dialled, whatever its name says." }
        }),
    )
}
