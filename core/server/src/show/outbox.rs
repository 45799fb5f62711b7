//! Mail, text messages and posts that are to leave, for people.

use plugboard_model::WallTime;
use serde_json::Value;
use std::process::ExitCode;

use super::when::moment;
use super::{either, field, items};
use crate::output;

/// `outbox list`.
pub(crate) fn notices(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let all = items(value, "notices");
        if all.is_empty() {
            output::line("the outbox is empty");
        }
        for one in all {
            output::line(line(one));
        }
    })
}

/// `outbox show`.
pub(crate) fn notice(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let one = &value["notice"];
        output::line(line(one));
        for tried in items(one, "tries") {
            let reason = tried["reason"].as_str().map(|reason| format!(", {reason}")).unwrap_or_default();
            output::line(format!("    {}, {}{reason}", moment(at(tried, "at")), field(tried, "end").replace('_', " ")));
        }
        for key in ["message_id", "subject", "text", "html", "body"] {
            if let Some(text) = one[key].as_str().filter(|text| !text.is_empty()) {
                output::line(format!("{key}: {text}"));
            }
        }
        for file in items(one, "attachments") {
            output::line(format!("file: {}", file.as_str().unwrap_or_default()));
        }
    })
}

fn line(one: &Value) -> String {
    let until = one["waits_until"].as_i64().map(|at| format!(" until {}", moment(WallTime(at)))).unwrap_or_default();
    format!(
        "{}  {}  {:<4}  {}{until}, {} tries, to {}",
        field(one, "id"),
        moment(at(one, "taken")),
        field(one, "kind"),
        field(one, "state"),
        one["tried"],
        field(one, "to")
    )
}

fn at(one: &Value, name: &str) -> WallTime {
    one.get(name).and_then(Value::as_i64).map_or(WallTime(0), WallTime)
}
