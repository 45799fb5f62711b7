//! The JSON Schema of how an office records.

use super::object;
use crate::Recording;
use serde_json::{Value as Json, json};

pub(super) fn rule(whose: &str) -> Json {
    json!({ "enum": ["on-demand", "always", "never"], "default": "on-demand", "examples": ["always"],
        "description": format!("Whether {whose} are recorded: when a scenario or a user in the call wants it; always, from when people talk, which nobody in the call may end; or never, whoever wants it. Of all who have a part in a call `never` goes first, then `always`.") })
}

pub(super) fn recording() -> Json {
    let mut recording = object(
        &[],
        json!({
            "announcement": { "type": "string", "examples": ["recorded"],
                "description": "A prompt that both sides hear, in place of each other, when a recording begins by rule or by a user's keys; it stands in the recording. Many countries want it." },
            "beep": { "type": "boolean", "default": false, "examples": [true],
                "description": "Whether both sides hear a beep when such a recording begins, pauses, goes on and ends." },
            "keys": { "anyOf": [{ "const": false }, { "type": "string", "pattern": "^[*#][0-9*#]{1,3}$" }], "default": Recording::KEYS, "examples": ["*1"],
                "description": "What a user presses while he talks to begin the recording of the call, and again to end it; `false` for none. Keys are also heard by whom he talks to." }
        }),
    );
    if let Some(object) = recording.as_object_mut() {
        object.insert("description".into(), json!("How calls are recorded; which ones say `record` of users, groups and gateways, and scenarios. Files lie below `recordings` of the data folder: stereo, who called on the left and what he hears on the right."));
        object.insert("examples".into(), json!([{ "announcement": "recorded", "beep": true }]));
    }
    recording
}
