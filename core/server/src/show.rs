//! How answers look to people.

mod ladder;
mod pcap;

pub(crate) use ladder::ladder;
pub(crate) use pcap::pcap;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Running;
use crate::config::Config;
use crate::control::{self, Request};
use crate::house::{Bundle, check_scenario, in_words};
use crate::{catalogue, output};

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

/// `status`.
pub(crate) fn status(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        output::line(format!("plugboard {}", field(value, "version")));
        output::line(field(value, "conditions").trim_end());
        output::line(format!("calls {}", field(value, "calls")));
        output::line(format!("users {}, registered {}", field(value, "users"), field(value, "users_registered")));
        for gateway in items(value, "gateways") {
            let (id, calls, max) = (field(gateway, "id"), field(gateway, "calls"), field(gateway, "calls_max"));
            output::line(format!("gateway {id}: {calls} of {max} channels in use"));
        }
    })
}

/// `registrations`.
pub(crate) fn registrations(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for user in items(value, "users") {
            let contacts = items(user, "contacts");
            let (number, name, status) = (field(user, "number"), field(user, "name"), field(user, "status"));
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

/// `plugin list`.
pub(crate) fn plugins(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for action in items(value, "actions") {
            let Some(manifest) = action.get("manifest") else { continue };
            let title = manifest.pointer("/titles/en").and_then(Value::as_str).unwrap_or_default();
            let imports: Vec<String> =
                items(manifest, "capabilities").iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
            let (name, version) = (field(manifest, "name"), field(manifest, "version"));
            output::line(format!("{name:<16} {version:<8} {title:<28} imports: {}", imports.join(", ")));
        }
        for refused in items(value, "refused") {
            output::fault(format!("not installed: {}", refused.as_str().unwrap_or_default()));
        }
    })
}

fn outcome(record: &Value) -> String {
    match record.get("outcome") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Object(map)) => map.iter().next().map_or_else(String::new, |(word, cause)| {
            format!("{word} ({} {})", field(cause, "status"), field(cause, "text"))
        }),
        _ => String::new(),
    }
}

/// `call list`.
pub(crate) fn calls(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for call in items(value, "live") {
            output::line(format!(
                "{}  {:>12} -> {:<12} going on",
                field(call, "id"),
                field(call, "caller"),
                field(call, "called")
            ));
        }
        for call in items(value, "past") {
            let id = call.get("id").map_or_else(String::new, id_text);
            let (caller, called) = (field(call, "caller"), field(call, "called"));
            output::line(format!("{id}  {caller:>12} -> {called:<12} {}", outcome(call)));
        }
    })
}

/// A call id of a record: it is kept as office and number.
fn id_text(id: &Value) -> String {
    serde_json::from_value::<plugboard_model::CallId>(id.clone()).map_or_else(|_| id.to_string(), |id| id.to_string())
}

/// `call show`.
pub(crate) fn record(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        output::line(format!("call      {}", value.get("id").map_or_else(String::new, id_text)));
        output::line(format!("direction {}", field(value, "direction")));
        output::line(format!("caller    {} {}", field(value, "caller"), field(value, "caller_name")));
        output::line(format!("called    {}", field(value, "called")));
        output::line(format!("outcome   {}", outcome(value)));
        output::line(format!("route     {}", field(value, "route")));
        for leg in items(value, "legs") {
            let cause = leg
                .get("cause")
                .map_or_else(String::new, |cause| format!("{} {}", field(cause, "status"), field(cause, "text")));
            let answered =
                if leg.get("answered").is_some_and(|at| !at.is_null()) { "answered" } else { "not answered" };
            output::line(format!(
                "leg {:<5} {:<16} {answered}, ended with {cause}",
                field(leg, "leg"),
                field(leg, "party")
            ));
        }
        for step in items(value, "steps") {
            output::line(format!(
                "step      {:<32} {:<16} {}",
                field(step, "path"),
                field(step, "word"),
                field(step, "outcome")
            ));
        }
    })
}

/// `call trace`.
pub(crate) fn journal(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        for entry in items(value, "entries") {
            let at = entry.get("at").and_then(Value::as_u64).unwrap_or(0);
            let (word, rest) = match entry.get("event") {
                Some(Value::Object(event)) => {
                    event.iter().next().map_or_else(Default::default, |(word, rest)| (word.clone(), rest.to_string()))
                }
                Some(other) => (other.to_string(), String::new()),
                None => Default::default(),
            };
            output::line(format!("{:>10.3} s  {word:<12} {rest}", seconds(at)));
        }
        if value.get("gaps").and_then(Value::as_bool) == Some(true) {
            output::fault("lines are missing: they could not be kept");
        }
    })
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
pub(crate) fn apply(running: &Running, files: &[PathBuf], why: &str, json: bool) -> ExitCode {
    let mut bundles = Vec::new();
    let mut faults = Vec::new();
    for file in files {
        match Bundle::read(file) {
            Ok(bundle) => bundles.push(bundle),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        faults.iter().for_each(output::fault);
        return ExitCode::from(1);
    }
    let request = Request::Apply { bundles, why: why.to_owned() };
    control::ask(running, &request, |answer| {
        let warnings = answer.get("warnings").and_then(Value::as_array).into_iter().flatten();
        warnings.filter_map(Value::as_str).for_each(|warning| output::fault(format!("warning: {warning}")));
        plain(answer, json)
    })
}

fn actions(plugins: Option<&Path>) -> Result<plugboard_scenario::ActionCatalogue, String> {
    let folder = plugins.map_or_else(catalogue::default_folder, Path::to_owned);
    let loaded = catalogue::load(&folder, None).map_err(|error| error.to_string())?;
    Ok(catalogue::for_scenarios(&loaded.by_name))
}

/// `check`.
pub(crate) fn check(files: &[PathBuf], plugins: Option<&Path>, json: bool) -> ExitCode {
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    // Compiled once, and only when there is a file that needs them.
    let mut known = None;
    for file in files {
        if file.extension().is_some_and(|ending| ending == "toml") {
            faults.extend(Config::read(file).err().unwrap_or_default());
            continue;
        }
        let actions = match known.get_or_insert_with(|| actions(plugins)) {
            Ok(actions) => actions,
            Err(fault) => {
                faults.push(fault.clone());
                break;
            }
        };
        let checked = Bundle::read(file).map_err(|fault| vec![fault]).and_then(|bundle| {
            if bundle.is_scenario() {
                let found = check_scenario(&bundle.file, &bundle.text, actions);
                return if found.is_empty() { Ok(Vec::new()) } else { Err(in_words(found)) };
            }
            bundle.load(actions).map(|house| house.warnings).map_err(in_words)
        });
        match checked {
            Ok(more) => warnings.extend(more),
            Err(more) => faults.extend(more),
        }
    }
    if json {
        output::json(&json!({ "faults": faults, "warnings": warnings }));
    } else {
        faults.iter().for_each(output::line);
        for warning in &warnings {
            output::fault(format!("warning: {warning}"));
        }
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// `schema`.
pub(crate) fn schema(kind: &str, plugins: Option<&Path>) -> ExitCode {
    let schema = match kind {
        "config" => Ok(crate::config::schema()),
        "office" => Ok(plugboard_office::schema()),
        _ => actions(plugins).map(|actions| plugboard_scenario::schema(&actions)),
    };
    match schema.map(|schema| serde_json::to_string_pretty(&schema)) {
        Ok(Ok(text)) => {
            output::line(text);
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            output::fault(error.to_string());
            ExitCode::from(1)
        }
        Err(fault) => {
            output::fault(fault);
            ExitCode::from(1)
        }
    }
}
