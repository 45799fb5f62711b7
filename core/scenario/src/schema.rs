//! The JSON Schema of scenario documents, for editors.

use crate::document::{KEYS_MAX, ROUNDS_MAX, VARIABLES_MAX};
use crate::{ActionCatalogue, DENIED, FAILED, Occasion};
use plugboard_calendar::RANGES_MAX;
use serde_json::{Map, Value as Json, json};

/// JSON Schema (2020-12) of a scenario document with the actions of a catalogue. Editors complete and check by it; the
/// checker knows more, such as variables.
pub fn schema(catalogue: &ActionCatalogue) -> Json {
    let mut steps = vec![choice(), when(), menu(), repeat(), run(), set(), event(), stream(), words(catalogue)];
    let mut definitions = Map::new();
    for action in catalogue.iter() {
        definitions.insert(format!("action-{}", action.name), open(&action.parameters));
        let reference = json!({ "$ref": format!("#/$defs/action-{}", action.name) });
        let outcomes = action.outcomes.iter().map(String::as_str).chain([FAILED, DENIED]);
        let mut on: Map<String, Json> = outcomes.map(|name| (name.to_owned(), steps_reference())).collect();
        on.extend(action.occasions().iter().map(|occasion| (occasion.as_str().to_owned(), steps_reference())));
        let own = [
            (action.name.as_str(), reference),
            (
                "on",
                json!({ "type": "object", "description": "Steps on its outcomes and events.", "properties": on, "additionalProperties": false }),
            ),
            ("continue", json!({ "type": "boolean", "description": "The caller stays when the callee left first." })),
        ];
        steps.push(step(&action.name, entries(own)));
    }
    definitions.insert("steps".into(), json!({ "type": "array", "items": { "anyOf": steps } }));
    let types = crate::document::TYPES;
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plugboard scenario",
        "description": "What happens to a call: steps, one after the other. YAML or JSON; in a file of its own, or in the list `scenarios` of an office. A key that is not known is a fault.",
        "type": "object",
        "required": ["scenario", "steps"],
        "additionalProperties": false,
        "properties": {
            "scenario": { "type": "string", "pattern": "^[a-z0-9._-]{1,64}$", "title": "name",
                "description": "Its name, by which routes and numbers lead to it.", "examples": ["welcome"] },
            "title": { "type": "string", "description": "For people.", "examples": ["Welcome"] },
            "variables": { "type": "object", "maxProperties": VARIABLES_MAX,
                "description": "Variables with their types: `name: type`, or `name: { type, default }`. Steps assign others as well. Texts and conditions have `whom.id`, `name`, `company`, `email`, `language` and `groups` of a contact `whom`; `{whom}` is his name.",
                "examples": [{ "agent": "user", "greeting": { "type": "text", "default": "Hello" } }], "propertyNames": { "pattern": VARIABLE }, "additionalProperties": { "anyOf": [
                { "enum": types },
                { "type": "object", "required": ["type"], "additionalProperties": false,
                    "properties": { "type": { "enum": types }, "default": {},
                        "given": { "type": "boolean", "default": false, "description": "Whoever runs this scenario (`run`) gives it its value: no call can begin with such a scenario." } } }
            ] } },
            "steps": { "$ref": "#/$defs/steps", "description": "What happens, at most 2,000 steps, 32 deep.", "examples": [["hang-up"]] }
        },
        "$defs": definitions
    })
}

const VARIABLE: &str = "^[a-z_][a-z0-9_]{0,63}$";

fn steps_reference() -> Json {
    json!({ "$ref": "#/$defs/steps" })
}

/// A step with one word and what belongs to it.
fn step(word: &str, properties: Map<String, Json>) -> Json {
    with_all(&[word], properties)
}

/// ... where all of these are needed.
fn with_all(required: &[&str], mut properties: Map<String, Json>) -> Json {
    properties.insert("note".into(), json!({ "type": "string", "description": "For readers of the document." }));
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
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
    let steps = |description: &str, example: Json| json!({ "$ref": "#/$defs/steps", "description": description, "examples": [example] });
    let condition = described(
        condition,
        "A condition in CEL, or at most 32 of them: `all` must hold, or `one_of`. One that cannot be decided counts as false and leaves a note in the trace.",
        json!({ "all": ["caller_number != ''", "assigned(agent)"] }),
    );
    let then = steps("When it holds.", json!([{ "call-user": { "mode": "variable", "target": "agent" } }]));
    step("if", entries([("if", condition), ("then", then), ("else", steps("When it does not.", json!(["hang-up"])))]))
}

/// A question for the time.
fn when() -> Json {
    let clock = |description: &str, example: &str| json!({ "type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}$", "examples": [example], "description": description });
    let texts = |description: &str, example: Json, most: usize| json!({ "type": ["array", "string"], "items": { "type": "string" }, "minItems": 1, "maxItems": most, "examples": [example], "description": description });
    let range = json!({
        "calendar": { "type": "string", "examples": ["office"], "description": "A calendar of the office: what days count as, and whose clocks. Alone: when it is open." },
        "days": texts("`mon` to `sun`, also as `mon-fri`, and with a calendar `holiday`. Without it: every day, with a calendar all but holidays.", json!(["mon-fri"]), 16),
        "dates": texts("Days (`2026-12-24`, `12-24` for each year) and spans of days (`12-24..01-06`). Without it: every day.", json!(["12-24..12-26"]), 366),
        "from": clock("From then on.", "09:00"),
        "to": clock("Until then; of the next day when it is not after `from`.", "18:00")
    });
    let zone = json!({ "type": "string", "examples": ["Europe/Berlin"], "description": "Whose clocks; the calendar's or the office's unless told." });
    let item = json!({ "type": "object", "minProperties": 1, "additionalProperties": false, "properties": range });
    let mut whole = range;
    if let Some(whole) = whole.as_object_mut() {
        whole.insert("time_zone".into(), zone);
        whole.insert("one_of".into(), json!({ "type": "array", "items": item, "minItems": 1, "maxItems": RANGES_MAX,
            "examples": [[{ "days": ["mon-fri"], "from": "09:00", "to": "18:00" }, { "days": ["sat"], "from": "10:00", "to": "14:00" }]], "description": "Several ranges in place of one." }));
    }
    let question = described(
        json!({ "anyOf": [{ "type": "string" }, { "type": "object", "additionalProperties": false, "properties": whole }] }),
        "The name of a calendar, or a range of time. Clocks that are put on or back need no care: what they show counts.",
        json!({ "days": ["mon-fri"], "from": "09:00", "to": "18:00" }),
    );
    let steps = |description: &str, example: Json| json!({ "$ref": "#/$defs/steps", "description": description, "examples": [example] });
    let then = steps("When it is that time.", json!([{ "call-group": { "group": "sales" } }]));
    step(
        "when",
        entries([("when", question), ("then", then), ("else", steps("When it is not.", json!(["voicemail"])))]),
    )
}

fn repeat() -> Json {
    let times = json!({ "type": "integer", "minimum": 1, "maximum": ROUNDS_MAX });
    let whole = json!({ "type": "object", "required": ["times"], "additionalProperties": false, "properties": {
        "times": described(times.clone(), "How often at most.", json!(3)),
        "until": { "type": ["string", "boolean"], "examples": ["digits != ''"], "description": "A condition in CEL; after a round in which it holds there is no other." }
    } });
    let word = described(
        json!({ "anyOf": [times, whole] }),
        "How often the steps are done, one round after the other.",
        json!({ "times": 3, "until": "digits != ''" }),
    );
    let steps = json!({ "$ref": "#/$defs/steps", "description": "What is done in each round.", "examples": [[{ "play-audio": { "audio": "welcome" } }]] });
    with_all(&["repeat", "steps"], entries([("repeat", word), ("steps", steps)]))
}

fn run() -> Json {
    let name = json!({ "type": "string", "pattern": "^[a-z0-9._-]{1,64}$", "title": "name", "examples": ["closed"],
        "description": "A scenario of the office: its steps are done here, then the next one follows. Both have the same variables; those that it declares as `given` must have a value here, those with a default get it anew." });
    step("run", entries([("run", name)]))
}

fn menu() -> Json {
    let time = |default: &str, longest: &str, description: &str| {
        json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|min|h|d)$", "x-type": "duration", "default": default,
            "x-minimum": "100ms", "x-maximum": longest, "description": description })
    };
    let steps =
        |description: &str| json!({ "$ref": "#/$defs/steps", "description": description, "examples": [["hang-up"]] });
    let menu = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "prompt": { "type": "string", "description": "The prompt that is played at the beginning and at each repetition.", "examples": ["welcome"] },
            "keys": { "type": "object", "maxProperties": KEYS_MAX, "description": "Steps for each key or code, in quotes. Needed unless `extensions` is on.",
                "examples": [{ "1": [{ "call-group": { "group": "sales" } }] }], "propertyNames": { "pattern": "^[0-9*#]{1,8}$" }, "additionalProperties": steps_reference() },
            "extensions": { "type": "boolean", "default": false, "description": "Callers may dial an internal number and are put through." },
            "digits": { "type": "integer", "minimum": 1, "maximum": 16, "default": 8, "description": "Digits of an internal number at most." },
            "first_digit": time("5s", "2m", "Wait for the first digit after the prompt."),
            "inter_digit": time("2s", "30s", "Wait for each other digit, where a longer code or number begins alike."),
            "repeats": { "type": "integer", "minimum": 0, "maximum": 10, "default": 2, "description": "How often it is asked again after a wrong or missing answer." },
            "invalid": steps("After the last wrong answer."),
            "nothing": steps("After the last missing answer."),
            "unanswered": steps("When an internal number that was dialled did not answer.")
        }
    });
    step("menu", entries([("menu", menu)]))
}

fn set() -> Json {
    let values = json!({ "type": ["string", "integer", "boolean", "array"], "items": { "type": "string" } });
    let set = json!({ "type": "object", "minProperties": 1, "examples": [{ "greeting": "Hello {caller_name}", "tries": 3 }],
        "description": "Variables with their values, in this order: numbers, booleans, lists of texts, templates; users, groups and contacts by id or number.", "propertyNames": { "pattern": VARIABLE }, "additionalProperties": values });
    step("set", entries([("set", set)]))
}

fn event() -> Json {
    let meanings: Vec<String> =
        Occasion::ALL.iter().map(|occasion| format!("`{}`: {}", occasion.as_str(), occasion.description())).collect();
    let word = json!({ "enum": Occasion::ALL.map(Occasion::as_str), "examples": ["hold"],
        "description": format!("From this step on `steps` run beside the script each time it happens. {}. Script and call go on meanwhile; after `hang-up` they have 30 s (those of a scenario whose caller was handed on: until 30 s after the call), and the call can no longer be played to or put through.", meanings.join("; ")) });
    let steps = json!({ "$ref": "#/$defs/steps", "description": "What is done then.", "examples": [[{ "set": { "held": true } }]] });
    let own = entries([("event", word), ("steps", steps)]);
    with_all(&["event", "steps"], own)
}

fn stream() -> Json {
    let steps = json!({ "$ref": "#/$defs/steps", "description": "Steps that run beside the script, one after the other, and end with the call.", "examples": [[{ "play-audio": { "audio": "welcome" } }]] });
    step("stream", entries([("stream", steps)]))
}

/// A schema with a description and an example.
fn described(mut schema: Json, description: &str, example: Json) -> Json {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".into(), description.into());
        schema.insert("examples".into(), Json::Array(vec![example]));
    }
    schema
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
