//! `recording list` and `recording verify`, for people; and the recordings of `call show`.

use plugboard_model::WallTime;
use serde_json::Value;
use std::process::ExitCode;

use super::when::{length, moment};
use super::{either, field, items};
use crate::output;

/// `recording list`.
pub(crate) fn recordings(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let all = items(value, "recordings");
        if all.is_empty() {
            output::line("no recording is kept");
        }
        for one in all {
            let began = one.get("began").and_then(Value::as_i64).map_or(WallTime(0), WallTime);
            let who = format!("{} -> {}", field(one, "caller"), field(one, "called"));
            output::line(format!("{}  {}  {who:<24}  {}", field(one, "id"), moment(began), what(one)));
        }
    })
}

/// A recording's length, kind and end.
pub(super) fn what(one: &Value) -> String {
    let of = one["user"]
        .as_str()
        .or(one["group"].as_str())
        .or(one["by"].as_str())
        .map(|who| format!(" ({who})"))
        .unwrap_or_default();
    let kind = format!("{}{of}", field(one, "kind"));
    let Some(millis) = one["length_ms"].as_i64() else { return format!("{kind}, goes on") };
    let missing = match one["missing_ms"].as_u64().unwrap_or(0) {
        0 => String::new(),
        millis => format!(", {millis} ms missing: the disk did not keep up"),
    };
    let end = one["reason"].as_str().map_or_else(|| field(one, "end").replace('_', " "), str::to_owned);
    format!("{kind}, {}, {} bytes, ended: {end}{missing}", length(WallTime(0), WallTime(millis)), field(one, "bytes"))
}

/// `recording verify`: exit 1 when a file is not as it was.
pub(crate) fn verified(value: &Value, json: bool) -> ExitCode {
    let faults = items(value, "faults");
    either(value, json, || {
        output::line(format!("{} are as they were, {} go on", field(value, "sound"), field(value, "going_on")));
        for fault in faults {
            output::fault(format!("{} ({}): {}", field(fault, "id"), field(fault, "file"), field(fault, "reason")));
        }
    });
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
