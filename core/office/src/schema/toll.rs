//! The JSON Schema of limits of calls to the outside.

use super::object;
use serde_json::{Value as Json, json};

pub(super) fn toll() -> Json {
    let list = |description: &str, example: Json| json!({ "type": "array", "items": { "$ref": "#/$defs/dialled" }, "examples": [example], "description": description });
    let hours = super::calendar::hours(false);
    object(
        &[],
        json!({
            "calls_at_once": { "type": "integer", "minimum": 0, "maximum": 10_000, "examples": [2], "description": "Calls to the outside at once; 0: none at all." },
            "minutes_a_day": { "type": "integer", "minimum": 0, "maximum": 1_000_000, "examples": [120], "description": "Minutes of answered calls a day, by `time_zone`; they outlive a restart." },
            "then": { "enum": ["refuse", "end"], "default": "refuse", "examples": ["end"],
                "description": "When the minutes are used up: new calls are refused, or calls that go on are ended as well." },
            "allow": list("Numbers that begin so may be called, in E.164 or as they are dialled in the country. With it, or with `countries`, no others may.", json!(["+49", "+43"])),
            "countries": { "type": "array", "items": { "type": "string" }, "examples": [["de", "at"]],
                "description": "Numbers of these countries may be called. Countries of one calling code, as us and ca, are one." },
            "deny": list("Numbers that begin so may not be called. The longest beginning of `allow`, `countries` and `deny` decides.", json!(["+49900", "0137"])),
            "hours": { "type": "array", "items": hours, "examples": [[{ "days": ["mon-fri"], "from": "07:00", "to": "20:00" }]],
                "description": "When calls to the outside may begin, by `time_zone`." }
        }),
    )
}
