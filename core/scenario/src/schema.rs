//! The JSON Schema of scenario documents, for editors.

use crate::{ActionCatalogue, FAILED};
use serde_json::{Map, Value as Json, json};

/// JSON Schema (2020-12) of a scenario document with the actions of a catalogue. Editors complete and check by it; the
/// checker knows more, such as variables.
pub fn schema(catalogue: &ActionCatalogue) -> Json {
    let mut steps = vec![choice(), menu(), set(), words(catalogue)];
    let mut definitions = Map::new();
    for action in catalogue.iter() {
        definitions.insert(format!("action-{}", action.name), open(&action.parameters));
        let reference = json!({ "$ref": format!("#/$defs/action-{}", action.name) });
        let outcomes = action.outcomes.iter().map(String::as_str).chain([FAILED]);
        let on: Map<String, Json> = outcomes.map(|name| (name.to_owned(), steps_reference())).collect();
        let own = [
            (action.name.as_str(), reference),
            ("on", json!({ "type": "object", "properties": on, "additionalProperties": false })),
            ("continue", json!({ "type": "boolean", "description": "The caller stays when the callee left first." })),
        ];
        steps.push(step(&action.name, entries(own)));
    }
    definitions.insert("steps".into(), json!({ "type": "array", "items": { "anyOf": steps } }));
    let types = ["text", "number", "boolean", "time", "user", "group", "texts", "users"];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plugboard scenario",
        "type": "object",
        "required": ["scenario", "steps"],
        "additionalProperties": false,
        "properties": {
            "scenario": { "type": "string", "pattern": "^[a-z0-9._-]{1,64}$", "description": "Its name." },
            "title": { "type": "string" },
            "variables": { "type": "object", "propertyNames": { "pattern": VARIABLE }, "additionalProperties": { "anyOf": [
                { "enum": types },
                { "type": "object", "required": ["type"], "additionalProperties": false,
                    "properties": { "type": { "enum": types }, "default": {} } }
            ] } },
            "steps": steps_reference()
        },
        "$defs": definitions
    })
}

const VARIABLE: &str = "^[a-z_][a-z0-9_]{0,63}$";

fn steps_reference() -> Json {
    json!({ "$ref": "#/$defs/steps" })
}

/// A step with one word and what belongs to it.
fn step(word: &str, mut properties: Map<String, Json>) -> Json {
    properties.insert("note".into(), json!({ "type": "string", "description": "For readers of the document." }));
    json!({ "type": "object", "required": [word], "properties": properties, "additionalProperties": false })
}

/// The entries of a JSON object.
fn entries<const N: usize>(entries: [(&str, Json); N]) -> Map<String, Json> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn choice() -> Json {
    let conditions =
        json!({ "type": "array", "items": { "type": ["string", "boolean"] }, "minItems": 1, "maxItems": 32 });
    let mode = |key: &str| json!({ "type": "object", "required": [key], "properties": { key: conditions }, "additionalProperties": false });
    let condition = json!({ "anyOf": [{ "type": ["string", "boolean"] }, mode("all"), mode("one_of")] });
    step("if", entries([("if", condition), ("then", steps_reference()), ("else", steps_reference())]))
}

fn menu() -> Json {
    let time = json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|min|h)$" });
    let menu = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "prompt": { "type": "string" },
            "keys": { "type": "object", "propertyNames": { "pattern": "^[0-9*#]{1,8}$" }, "additionalProperties": steps_reference() },
            "extensions": { "type": "boolean", "default": false, "description": "Callers may dial an internal number." },
            "digits": { "type": "integer", "minimum": 1, "maximum": 16, "default": 8 },
            "first_digit": time,
            "inter_digit": time,
            "repeats": { "type": "integer", "minimum": 0, "maximum": 10, "default": 2 },
            "invalid": steps_reference(),
            "nothing": steps_reference(),
            "unanswered": steps_reference()
        }
    });
    step("menu", entries([("menu", menu)]))
}

fn set() -> Json {
    let values = json!({ "type": ["string", "integer", "boolean", "array"], "items": { "type": "string" } });
    let set = json!({ "type": "object", "minProperties": 1, "propertyNames": { "pattern": VARIABLE }, "additionalProperties": values });
    step("set", entries([("set", set)]))
}

/// A word alone: an action without parameters.
fn words(catalogue: &ActionCatalogue) -> Json {
    let names: Vec<&str> = catalogue.iter().map(|action| action.name.as_str()).collect();
    if names.is_empty() { json!({ "type": "string" }) } else { json!({ "enum": names }) }
}

/// An action's own schema, widened by what documents may write: nothing at all where nothing is required, numbers for
/// texts, and templates for everything else.
fn open(parameters: &Json) -> Json {
    let mut widened = parameters.clone();
    if let Some(properties) = widened.get_mut("properties").and_then(Json::as_object_mut) {
        for schema in properties.values_mut() {
            let template = json!({ "type": "string", "pattern": "\\{" });
            let own = schema.take();
            let mut alternatives = vec![own.clone(), template];
            if own.get("type").is_some_and(|kind| kind == "string") || own.get("anyOf").is_some() {
                alternatives.push(json!({ "type": "integer" }));
            }
            *schema = json!({ "anyOf": alternatives });
        }
    }
    let needs_none = parameters.get("required").and_then(Json::as_array).is_none_or(Vec::is_empty);
    if needs_none { json!({ "anyOf": [widened, { "type": "null" }] }) } else { widened }
}
