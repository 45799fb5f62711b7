//! `route explain`.

use serde_json::Value;
use std::process::ExitCode;

use super::{either, field, items};
use crate::output;

pub(crate) fn explained(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        output::line(format!("{} calls {}, {}", field(value, "from"), field(value, "to"), field(value, "clock")));
        let (mut others, mut late) = (0, 0);
        for one in items(value, "looked") {
            let (what, why) = (field(one, "what"), field(one, "why"));
            match one["verdict"].as_str() {
                Some("taken") => output::line(format!("  + {what}")),
                Some("failed") => output::line(format!("  - {what}: {why}")),
                Some("late") => {
                    late += 1;
                    output::line(format!("    {what}: after one that was taken"));
                }
                _ => others += 1,
            }
        }
        let left_off = value["left_off"].as_u64().unwrap_or(0);
        if others + left_off > 0 {
            output::line(format!("    {} more are for other calls", others + left_off));
        }
        if late > 0 {
            output::line("    (the first whose conditions hold is taken)");
        }
        output::line(format!("so {}", field(&value["then"], "words")));
    })
}
