//! `fax list`, for people; and the faxes of `call show`.

use plugboard_model::WallTime;
use serde_json::Value;
use std::process::ExitCode;

use super::when::{length, moment};
use super::{either, field, items};
use crate::output;

/// `fax list`.
pub(crate) fn faxes(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let all = items(value, "faxes");
        if all.is_empty() {
            output::line("no fax is kept");
        }
        for one in all {
            let who = format!("{} -> {}", field(one, "caller"), field(one, "called"));
            output::line(format!("{}  {}  {who:<24}  {}", field(one, "id"), moment(at(one, "began")), what(one)));
        }
    })
}

/// What came, how, and where it is.
pub(super) fn what(one: &Value) -> String {
    let mut parts = Vec::new();
    match one["pages"].as_u64().unwrap_or(0) {
        1 => parts.push("1 page".to_owned()),
        pages => parts.push(format!("{pages} pages")),
    }
    if one["cut"] == true {
        parts.push("and the beginning of one more".into());
    }
    if let Some(sender) = one["sender"].as_str().filter(|sender| !sender.is_empty()) {
        parts.push(format!("from {sender:?}"));
    }
    let correction = if one["error_correction"] == true { " with error correction" } else { "" };
    if one["pages"].as_u64().is_some_and(|pages| pages > 0) {
        let way = if one["t38"] == true { " by T.38" } else { "" };
        parts.push(format!("{} bit/s{correction}{way}", field(one, "bit_rate")));
    }
    if let Some(rows) = one["bad_rows"].as_u64().filter(|rows| *rows > 0) {
        parts.push(format!("{rows} bad rows"));
    }
    parts.push(length(at(one, "began"), at(one, "ended")));
    parts.push(match one["end"].as_str() {
        Some("done") => "received".into(),
        Some("no_fax") => "no fax machine".into(),
        _ => format!("failed: {}", field(one, "reason")),
    });
    let files = items(one, "files").iter().map(|file| field(file, "file"));
    parts.into_iter().chain(files).collect::<Vec<_>>().join(", ")
}

fn at(one: &Value, name: &str) -> WallTime {
    one.get(name).and_then(Value::as_i64).map_or(WallTime(0), WallTime)
}
