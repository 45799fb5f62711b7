//! What the installed actions say of themselves.

use plugboard_model::WallTime;
use plugboard_plugin::Capability;
use serde_json::Value;
use std::process::ExitCode;

use super::{either, field, items, when};
use crate::output;

/// The language that every action has.
const ENGLISH: &str = "en";

/// What plugins are, as lists of them are named.
const KINDS: [&str; 2] = ["actions", "integrations"];

/// A text in a language, else in English.
fn text<'v>(texts: Option<&'v Value>, language: &str) -> &'v str {
    let of = |language: &str| texts?.get(language)?.as_str();
    of(language).or_else(|| of(ENGLISH)).unwrap_or_default()
}

fn words(value: &Value, key: &str) -> String {
    let words: Vec<&str> = items(value, key).iter().filter_map(Value::as_str).collect();
    words.join(", ")
}

/// `plugin list`.
pub(crate) fn list(value: &Value, language: &str, json: bool) -> ExitCode {
    either(value, json, || {
        for kind in KINDS {
            for plugin in items(value, kind) {
                let Some(manifest) = plugin.get("manifest") else { continue };
                let (name, version) = (field(manifest, "name"), field(manifest, "version"));
                let (kind, title) = (field(manifest, "kind"), text(manifest.get("titles"), language));
                let imports = words(manifest, "capabilities");
                output::line(format!(
                    "{name:<16} {version:<8} {kind:<12} {title:<28} imports: {imports}{}",
                    origin(plugin)
                ));
            }
        }
        for refused in items(value, "refused") {
            output::fault(format!("not installed: {}", refused.as_str().unwrap_or_default()));
        }
    })
}

/// Who brought it, where that is not the switch itself.
fn origin(plugin: &Value) -> String {
    let text = |key: &str| plugin.get(key).and_then(Value::as_str);
    match (text("from"), text("vendor").or_else(|| text("signed_by"))) {
        (Some("installed"), Some(signer)) => format!("  (installed, signed by {signer})"),
        (Some("installed"), None) => "  (installed, not signed)".to_owned(),
        _ => String::new(),
    }
}

/// What became of an order.
pub(crate) fn ordered(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        output::line(field(value, "done"));
        for wants in items(value, "wants") {
            output::line(format!("it may {} ({})", field(wants, "allows"), field(wants, "capability")));
        }
    })
}

/// `plugin keys`.
pub(crate) fn keys(value: &Value, json: bool) -> ExitCode {
    either(value, json, || {
        let keys = items(value, "keys");
        if keys.is_empty() {
            output::fault("no key is trusted; `plugboard plugin trust KEY --vendor NAME` trusts one");
        }
        for key in keys {
            let at = key.get("at").and_then(Value::as_i64).map_or(WallTime(0), WallTime);
            output::line(format!("{}  {} UTC  {}", field(key, "key"), when::moment(at), field(key, "vendor")));
        }
    })
}

/// `plugin show`.
pub(crate) fn one(value: &Value, name: &str, language: &str, json: bool) -> ExitCode {
    let named = |action: &&Value| action.pointer("/manifest/name").and_then(Value::as_str) == Some(name);
    let Some(action) = KINDS.iter().find_map(|kind| items(value, kind).iter().find(named)) else {
        output::fault(format!("there is no plugin {name:?}; `plugboard plugin list` shows those that are installed"));
        return ExitCode::from(1);
    };
    either(action, json, || {
        for line in lines(action, language) {
            output::line(line);
        }
    })
}

/// `plugin inspect`.
pub(crate) fn inspected(value: &Value, language: &str, json: bool) -> ExitCode {
    either(value, json, || {
        for line in inspection(value, language) {
            output::line(line);
        }
    });
    if value.get("refused").is_none_or(Value::is_null) { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn inspection(value: &Value, language: &str) -> Vec<String> {
    let size = value.get("bytes").and_then(Value::as_u64).unwrap_or_default();
    let module = match value.get("was_module").and_then(Value::as_bool) {
        Some(true) => ", once it is made a component of",
        Some(false) | None => "",
    };
    let mut lines = vec![
        format!("file        {}: {size} bytes{module}", field(value, "file")),
        format!("sha256      {}", field(value, "sha256")),
    ];
    let signature = value.get("signature").unwrap_or(&Value::Null);
    let text = |key: &str| signature.get(key).and_then(Value::as_str);
    lines.push(match (text("key"), text("fault")) {
        (Some(key), _) => format!("signed by   {key}"),
        (None, Some(fault)) => format!("signed by   nobody who can be believed: {fault}"),
        (None, None) => "signed by   nobody".to_owned(),
    });
    for import in items(value, "imports") {
        let fault = import.get("fault").filter(|fault| !fault.is_null());
        let note = if fault.is_some() { "  (this switch does not have it)" } else { "" };
        lines.push(format!("imports     {}{note}", field(import, "name")));
    }
    for export in items(value, "exports").iter().filter_map(Value::as_str) {
        lines.push(format!("exports     {export}"));
    }
    for import in items(value, "imports") {
        let named = import.get("capability").and_then(Value::as_str).and_then(Capability::parse);
        lines.extend(named.map(|capability| format!("it may      {} ({capability})", capability.allows(language))));
    }
    if value.get("manifest").is_some_and(|manifest| !manifest.is_null()) {
        lines.extend(self::lines(value, language));
    }
    lines.push(match value.get("refused").and_then(Value::as_str) {
        Some(refused) => format!("would be refused: {refused}"),
        None => "would be installed".to_owned(),
    });
    lines
}

fn lines(action: &Value, language: &str) -> Vec<String> {
    let Some(manifest) = action.get("manifest") else { return Vec::new() };
    let heading = format!(
        "{} {}: {}",
        field(manifest, "name"),
        field(manifest, "version"),
        text(manifest.get("titles"), language)
    );
    let is_integration = field(manifest, "kind") == "integration";
    let waits = match manifest.get("blocking").and_then(Value::as_bool) {
        _ if is_integration => "an integration: offices name it in `integrations`",
        Some(false) => "the scenario goes on beside it",
        Some(true) | None => "the scenario waits for it",
    };
    let parameter = if is_integration { "setting" } else { "parameter" };
    let mut lines = vec![heading, text(manifest.get("summaries"), language).to_owned(), waits.to_owned()];
    let properties = manifest.pointer("/parameters/properties").and_then(Value::as_object);
    let required = manifest.get("parameters").map(|schema| items(schema, "required")).unwrap_or_default();
    for (key, schema) in properties.into_iter().flatten() {
        let must = if required.iter().any(|one| one.as_str() == Some(key)) { " (required)" } else { "" };
        let usual = schema.get("default").map(|value| format!(" (else {value})")).unwrap_or_default();
        let said = schema.get("x-texts").and_then(|texts| texts.get(language));
        let described = said.or(Some(schema)).and_then(|texts| texts.get("description")).and_then(Value::as_str);
        lines.push(format!("{parameter} {key}{must}{usual}: {}", described.unwrap_or_default()));
    }
    for outcome in items(manifest, "outcomes") {
        lines.push(format!("outcome {}: {}", field(outcome, "name"), text(outcome.get("texts"), language)));
    }
    for (name, texts) in manifest.get("services").and_then(Value::as_object).into_iter().flatten() {
        lines.push(format!("service {name}: {}", text(Some(texts), language)));
    }
    if is_integration {
        lines.push(format!("offers: {}", words(manifest, "offers")));
    } else {
        lines.push("outcome failed".to_owned());
    }
    lines.extend(items(action, "events").iter().filter_map(Value::as_str).map(|event| format!("event {event}")));
    for sets in items(manifest, "sets") {
        lines.push(format!(
            "variable {} ({}) after {}",
            field(sets, "name"),
            field(sets, "type"),
            words(sets, "after")
        ));
    }
    lines.push(format!("capabilities: {}", words(manifest, "capabilities")));
    lines
}
