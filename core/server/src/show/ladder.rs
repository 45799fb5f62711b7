//! A call's SIP messages as a ladder: the switch in the middle, each peer an arrow.

use serde_json::Value;
use std::process::ExitCode;

use super::{either, field, items, seconds};
use crate::output;

/// `call trace --sip`.
pub(crate) fn ladder(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let mut messages: Vec<&Value> = items(value, "messages").iter().collect();
        messages.sort_by_key(|message| message.get("at_ns").and_then(Value::as_u64));
        for message in messages {
            let text = field(message, "text");
            let first = text.lines().next().unwrap_or_default();
            let arrow = if message.get("out").and_then(Value::as_bool) == Some(true) { "-->" } else { "<--" };
            let at = message.get("at_ns").and_then(Value::as_u64).unwrap_or(0);
            let (leg, remote, transport) =
                (field(message, "leg"), field(message, "remote"), field(message, "transport"));
            output::line(format!(
                "{:>9.3} s  leg {leg:<3} switch {arrow} {remote:<21} {transport}  {}",
                seconds(at),
                short(first)
            ));
        }
    })
}

/// A start line without what every one of them has.
fn short(line: &str) -> String {
    line.trim_end_matches(" SIP/2.0").trim_start_matches("SIP/2.0 ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_line_is_shown_without_its_version() {
        assert_eq!(short("INVITE sip:102@a SIP/2.0"), "INVITE sip:102@a");
        assert_eq!(short("SIP/2.0 180 Ringing"), "180 Ringing");
    }
}
