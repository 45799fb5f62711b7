//! Faxes that are to be sent, for people.

use plugboard_model::WallTime;
use serde_json::Value;
use std::process::ExitCode;

use super::when::moment;
use super::{either, field, items};
use crate::output;

/// `fax send`.
pub(crate) fn ordered(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        if value["ordered_before"] == true {
            output::line("it was ordered before:");
        }
        output::line(line(&value["fax"]));
    })
}

/// `fax queue`.
pub(crate) fn queue(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let all = items(value, "faxes");
        if all.is_empty() {
            output::line("no fax was ordered");
        }
        for one in all {
            output::line(line(one));
            for tried in items(one, "tries") {
                output::line(format!("    {}", attempt(tried)));
            }
        }
    })
}

fn line(one: &Value) -> String {
    let who = format!("{} -> {}", field(one, "from"), field(one, "to"));
    let until = one["waits_until"].as_i64().map(|at| format!(" until {}", moment(WallTime(at)))).unwrap_or_default();
    format!(
        "{}  {}  {who:<24}  {}{until}, {} of {} pages",
        field(one, "id"),
        moment(at(one, "ordered")),
        field(one, "state"),
        one["pages_sent"],
        one["pages"]
    )
}

fn attempt(tried: &Value) -> String {
    let mut parts = vec![moment(at(tried, "began")), field(tried, "end").replace('_', " ")];
    parts.extend(tried["reason"].as_str().map(str::to_owned));
    if let Some(last) = items(tried, "pages").last() {
        let way = if tried["t38"] == true { " by T.38" } else { "" };
        parts.push(format!("{} pages, {} bit/s{way}", items(tried, "pages").len(), last["bit_rate"]));
    }
    parts.extend(tried["far_ident"].as_str().filter(|ident| !ident.is_empty()).map(|ident| format!("to {ident:?}")));
    parts.extend(tried["call"].as_str().map(str::to_owned));
    parts.join(", ")
}

fn at(one: &Value, name: &str) -> WallTime {
    one.get(name).and_then(Value::as_i64).map_or(WallTime(0), WallTime)
}
