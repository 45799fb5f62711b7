//! How answers look to people.

mod calls;
mod explained;
mod faxes;
mod host;
mod ladder;
mod outbox;
mod outgoing;
mod passed_over;
mod pcap;
pub(crate) mod plugins;
mod recordings;
mod timeline;
mod when;
mod why;

pub(crate) use calls::{calls, record};
pub(crate) use explained::explained;
pub(crate) use faxes::faxes;
pub(crate) use ladder::ladder;
pub(crate) use outbox::{notice, notices};
pub(crate) use outgoing::{ordered, queue};
pub(crate) use pcap::pcap;
pub(crate) use recordings::{recordings, verified};
pub(crate) use timeline::{journal, timeline};
pub(crate) use when::stamp;
pub(crate) use why::why;

use plugboard_model::{ForwardWhen, WallTime};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Home;
use crate::control::{self, Request};
use crate::house::Bundle;
use crate::output;

/// A text field of a JSON object; numbers as they are written.
fn field(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Prints JSON when asked for, else lets `people` print.
fn either(value: &Value, json: bool, people: impl FnOnce()) -> ExitCode {
    if json {
        output::json(value);
    } else {
        people();
    }
    ExitCode::SUCCESS
}

/// An answer that is one word.
pub(crate) fn plain(value: &Value, json: bool) -> ExitCode {
    either(value, json, || output::line(field(value, "done")))
}

/// An answer that is a text.
pub(crate) fn text(value: &Value, name: &str, json: bool) -> ExitCode {
    either(value, json, || output::line(field(value, name).trim_end()))
}

/// `versions`.
pub(crate) fn versions(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for version in items(value, "versions") {
            let at = version.get("at").and_then(Value::as_i64).map_or(WallTime(0), WallTime);
            let (number, who, why) = (field(version, "version"), field(version, "who"), field(version, "why"));
            output::line(format!("{number:>6}  {} UTC  {who}  {why}", when::moment(at)).trim_end());
        }
    })
}

/// `diff`.
pub(crate) fn diff_of(
    home: &Home,
    (office, from, to): (String, Option<u64>, Option<u64>),
    file: Option<&Path>,
    json: bool,
) -> ExitCode {
    let draft = match file.map(Bundle::read).transpose() {
        Ok(draft) => draft,
        Err(fault) => {
            output::error(fault.to_string());
            return ExitCode::from(1);
        }
    };
    let named = file.map(|file| file.display().to_string());
    control::ask(home, &Request::Diff { office, from, to, draft }, |answer| diff(answer, named.as_deref(), json))
}

fn diff(value: &Value, file: Option<&str>, json: bool) -> ExitCode {
    either(value, json, || {
        let side = |name: &str, otherwise: &str| match value.get(name).filter(|side| !side.is_null()) {
            Some(side) => {
                let at = side.get("at").and_then(Value::as_i64).map_or(WallTime(0), WallTime);
                let (number, who, why) = (field(side, "version"), field(side, "who"), field(side, "why"));
                format!("version {number}, {} UTC, {who}  {why}", when::moment(at)).trim_end().to_owned()
            }
            None => otherwise.to_owned(),
        };
        output::line(format!("from {}", side("from", "what is in force")));
        output::line(format!("to   {}", side("to", file.unwrap_or("what is in force"))));
        let changes = items(value, "changes");
        for change in changes {
            let of = field(change, "of");
            output::line(match field(change, "what").as_str() {
                "came" => format!("+ {of}: {}", field(change, "to")),
                "went" => format!("- {of}: {}", field(change, "from")),
                _ => format!("~ {of}: {} -> {}", field(change, "from"), field(change, "to")),
            });
        }
        if changes.is_empty() {
            output::line("nothing differs");
        }
        if value.get("cut").and_then(Value::as_bool) == Some(true) {
            output::fault("there are more differences than are told");
        }
    })
}

/// `status`.
pub(crate) fn status(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        output::line(format!("plugboard {}", field(value, "version")));
        output::line(if value["ready"] == true { "ready" } else { "not ready" });
        for one in items(value, "conditions") {
            let subject = one["subject"].as_str().map(|subject| format!(" {subject}")).unwrap_or_default();
            output::line(format!("{}{subject}: {}", field(one, "condition"), field(one, "reason")));
        }
        output::line(format!("calls {}", field(value, "calls")));
        output::line(format!("users {}, registered {}", field(value, "users"), field(value, "users_registered")));
        for gateway in items(value, "gateways") {
            let (id, calls, max) = (field(gateway, "id"), field(gateway, "calls"), field(gateway, "calls_max"));
            let down = gateway["down"].as_str().map(|reason| format!("; down: {reason}")).unwrap_or_default();
            let registered = match gateway["registered"].as_bool() {
                Some(true) => ", registered",
                Some(false) => ", not registered",
                None => "",
            };
            output::line(format!("gateway {id}: {calls} of {max} channels in use{registered}{down}"));
        }
    })
}

/// `registrations`.
pub(crate) fn registrations(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for user in items(value, "users") {
            let contacts = items(user, "contacts");
            let (number, name, status) = (field(user, "number"), field(user, "name"), field(user, "availability"));
            if contacts.is_empty() {
                output::line(format!("{number:<6} {name:<24} {status:<14} -"));
            }
            for contact in contacts {
                let (uri, from, left) =
                    (field(contact, "contact"), field(contact, "from"), field(contact, "expires_in"));
                output::line(format!("{number:<6} {name:<24} {status:<14} {uri}  ({from}, {left} s left)"));
            }
        }
    })
}

/// `user list`, `user show` and `user set`.
pub(crate) fn users(value: &Value, json: bool) -> ExitCode {
    either(value, json, || items(value, "users").iter().for_each(|one| output::line(user(one))))
}

/// `queue list`.
pub(crate) fn queues(value: &Value, json: bool) -> ExitCode {
    either(value, json, || items(value, "queues").iter().for_each(|one| output::line(queue_line(one))))
}

fn queue_line(queue: &Value) -> String {
    let one = |name| field(queue, name);
    let waited = queue["average_wait"].as_u64().map(|average| {
        let (level, within) = (one("service_level"), one("within_level"));
        format!("; they waited for {average} s, {} s at most, {within} of them {level} s or less", one("longest_wait"))
    });
    let line = format!(
        "{:<24} {} wait, the longest for {} s, {} are to be called back; {} came, {} were answered, {} hung up, {} left, {} wanted to be called back",
        one("queue"),
        one("waiting"),
        one("longest"),
        one("promised"),
        one("joined"),
        one("answered"),
        one("abandoned"),
        one("left"),
        one("called_back")
    );
    line + &waited.unwrap_or_default()
}

/// `queue show`.
pub(crate) fn one_queue(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for queue in items(value, "queues") {
            output::line(queue_line(queue));
            for caller in items(queue, "callers") {
                let rings = caller["rings"].as_str().map(|user| format!(", {user} rings")).unwrap_or_default();
                let within = caller["called_back_within"].as_u64();
                let back = within.map(|within| format!(", is called back within {within} s")).unwrap_or_default();
                let (place, number) = (field(caller, "position"), field(caller, "caller"));
                let (waits, call) = (field(caller, "waits"), field(caller, "call"));
                output::line(format!("{place:>6}  {number:<20} waits for {waits} s{rings}{back}  ({call})"));
            }
            for user in items(queue, "users") {
                let (number, name) = (field(user, "number"), field(user, "user"));
                let is = match (user["rings_for"].as_str(), user["rests"].as_u64(), user["free"].as_u64()) {
                    (Some(call), _, _) => format!("rings for {call}"),
                    (None, Some(rests), _) => format!("left alone for {rests} s"),
                    (None, None, Some(free)) => format!("free for {free} s"),
                    (None, None, None) => "not free".to_owned(),
                };
                output::line(format!("        {number:<6} {name:<20} {is}"));
            }
        }
    })
}

fn user(user: &Value) -> String {
    let forward = |when: ForwardWhen| {
        let to = user.pointer(&format!("/forward/{}", when.as_str()))?.as_str()?;
        let after = user.pointer("/forward/after").and_then(Value::as_str).filter(|_| when == ForwardWhen::NoAnswer);
        Some(format!("{when}{} to {to}", after.map(|after| format!(" after {after}")).unwrap_or_default()))
    };
    let (number, name, status) = (field(user, "number"), field(user, "name"), field(user, "status"));
    let mut parts = vec![format!("{number:<6} {name:<24} {status:<14} {}", field(user, "availability"))];
    parts.extend(user["reason"].as_str().map(|reason| format!("for {reason}")));
    parts.extend(ForwardWhen::ALL.into_iter().filter_map(forward));
    let out_of: Vec<&str> = items(user, "logged_out_of").iter().filter_map(Value::as_str).collect();
    if !out_of.is_empty() {
        parts.push(format!("logged out of {}", out_of.join(" and ")));
    }
    parts.join(", ")
}

/// `contact list`, `show`, `find`: one a line, and where the list goes on.
pub(crate) fn contacts(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for one in items(value, "contacts") {
            output::line(contact(one));
        }
        if let Some(next) = value.get("next").and_then(Value::as_str) {
            output::line(format!("more: --after {next}"));
        }
    })
}

fn contact(contact: &Value) -> String {
    let all = |key: &str| items(contact, key).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    let mut parts =
        vec![format!("{:<16} {:<24} {}", field(contact, "contact"), field(contact, "name"), all("numbers"))];
    parts
        .extend(["company", "email", "language"].iter().map(|key| field(contact, key)).filter(|text| !text.is_empty()));
    for (words, key) in [("filed under", "groups"), ("responsible", "responsible")] {
        let list = all(key);
        if !list.is_empty() {
            parts.push(format!("{words} {list}"));
        }
    }
    parts.join(", ")
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "shown with three digits")]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// `call replay`: exit 1 when a run decides otherwise.
pub(crate) fn replay(value: &Value, json: bool) -> ExitCode {
    let runs = items(value, "runs");
    let same = runs.iter().all(|run| run.get("same").and_then(Value::as_bool) == Some(true));
    either(value, json, || {
        for run in runs {
            output::line(format!("run {} ({}): {}", field(run, "run"), field(run, "action"), field(run, "verdict")));
        }
    });
    if same { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// `apply`: every file is read and checked before any is sent.
pub(crate) fn apply(home: &Home, files: &[PathBuf], why: &str, json: bool) -> ExitCode {
    let mut bundles = Vec::new();
    let mut faults = Vec::new();
    for file in files {
        match Bundle::read(file) {
            Ok(bundle) => bundles.push(bundle),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        // What can be told of the others without the switch is told as well.
        faults.extend(bundles.iter().flat_map(Bundle::faults_of_form));
        for fault in faults {
            output::error(fault.to_string());
        }
        return ExitCode::from(1);
    }
    let request = Request::Apply { bundles, why: why.to_owned() };
    control::ask(home, &request, |answer| applied(answer, json))
}

/// What was applied, with its warnings.
pub(crate) fn applied(answer: &Value, json: bool) -> ExitCode {
    let warnings = answer.get("warnings").and_then(Value::as_array).into_iter().flatten();
    warnings.filter_map(Value::as_str).for_each(|warning| output::fault(format!("warning: {warning}")));
    plain(answer, json)
}
