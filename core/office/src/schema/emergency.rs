//! The JSON Schema of calls for help.

use super::{dialled, name, object};
use crate::parts::CALL_BACK_WITHIN;
use plugboard_document::write_duration;
use serde_json::{Value as Json, json};

pub(super) fn emergency() -> Json {
    let list = |description: &str, example: Json| json!({ "type": "array", "items": { "$ref": "#/$defs/dialled" }, "maxItems": 64, "examples": [example], "description": description });
    let location = object(
        &["id"],
        json!({
            "id": name("The location's id.", "berlin"),
            "call_back": dialled("The number that is shown of whoever calls for help there, and at which he is called back.", "+4930123450"),
            "networks": { "type": "array", "items": { "type": "string" }, "examples": [["10.1.0.0/16"]],
                "description": "Whoever calls from these addresses is there; the closest network counts." },
            "geolocation": { "type": "string", "maxLength": 256, "examples": ["https://lis.example/berlin"],
                "description": "What the gateway is told of the place: a URI for the header Geolocation (RFC 6442)." }
        }),
    );
    let mut emergency = object(
        &[],
        json!({
            "numbers": list("The numbers that call for help, in place of the country's: writing them confirms them.", json!([112, 110])),
            "confirmed": { "type": "boolean", "default": false, "examples": [true],
                "description": "The country's numbers are right. Until that or `numbers` is said, `check` and every start warn." },
            "services": { "type": "object", "additionalProperties": { "$ref": "#/$defs/dialled" }, "examples": [{ "police": 110 }],
                "description": "What kinds of `urn:service:sos` are dialled as (`sos.police`); the others as 911, 112 or 999, whichever is in the list." },
            "test": dialled("A number that goes the whole way of a call for help without being one, if the carrier has one.", "933"),
            "gateways": { "type": "array", "items": { "type": ["string", "integer"] }, "maxItems": 8, "examples": [["carrier", "backup"]],
                "description": "Through these, in this order; without it through every gateway, by priority. Each is tried twice, the second time even when it is down." },
            "over": list("Numbers that call for help although somebody in the office has them as well: nobody reaches him by them.", json!([110])),
            "call_back": dialled("As a location's, for those who are at none.", "+4930123450"),
            "call_back_within": { "$ref": "#/$defs/time", "default": write_duration(CALL_BACK_WITHIN), "x-minimum": "1m", "x-maximum": "1d",
                "description": "How long after a call for help a call from outside to the number that was shown rings the phone that called, whatever its user's status." },
            "unauthenticated": { "enum": ["nobody", "registered", "networks"], "default": "registered", "examples": ["networks"],
                "description": "Whose calls for help are not asked for a password, which could hold them up: a user's from the address and port that a device of his is `registered` from, or also one's from a location's `networks`, registered or not. Everybody else is asked as for any call. He is who his phone says that he is in From; no other call than one for help gets through so." },
            "locations": { "type": "array", "items": location, "description": "Where people call from.",
                "examples": [[{ "id": "berlin", "call_back": "+4930123450", "networks": ["10.1.0.0/16"] }]] }
        }),
    );
    if let Some(emergency) = emergency.as_object_mut() {
        emergency.insert("description".into(), json!("Calls for help. They go before every route, number and limit, and take a channel from another call where all are busy."));
        emergency.insert("examples".into(), json!([{ "confirmed": true, "call_back": "+4930123450" }]));
    }
    emergency
}
