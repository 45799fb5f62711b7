//! The references that people read: every key of a kind of file, made from its JSON Schema, as Markdown.

use plugboard_model::ValueType;
use plugboard_scenario::{Action, ActionCatalogue, CONTROL_WORDS, EVENT_VARIABLES, FAILED, Occasion, SWITCH_VARIABLES};
use serde_json::{Map, Value as Json};
use std::fmt::Write as _;

/// What the words in the column "type" mean.
const TYPES: &str = "\
Types: a *name* is 1 to 64 of `a-z 0-9 . _ -`; a *number* is what can be dialled, 1 to 64 of digits, letters and
`+ * # - . _`; a *time* is a whole number with its unit, `500ms`, `20s`, `2m`, `1h` or `30d`; a *text* may be any; *steps* is a
list of steps. Where a text looks like a number (`101`), quotes may be left out.
";
/// A configuration for a machine with one address.
const CONFIG: &str = "\
data = \"/var/lib/plugboard\"
threads = 2
drain = \"2m\"

[sip]
udp = [\"192.0.2.10:5060\"]
tcp = [\"192.0.2.10:5060\"]
tls = [\"192.0.2.10:5061\", \"[2001:db8::10]:5061\"]
wss = [\"192.0.2.10:8443\"]

[tls]
certificate = \"/etc/plugboard/fullchain.pem\"
key = \"/etc/plugboard/privkey.pem\"

[media]
ports = \"20000-23999\"

[keep]
calls = \"365d\"
journals = \"30d\"
traces = \"14d\"
recordings = \"90d\"

[limits]
strangers = 500
calls = 20
";

/// A step with each of the built-in actions; a test checks that they have no fault.
const STEPS: [(&str, &str); 29] = [
    ("call-group", "- call-group: { group: sales, ring_for: 20s }\n  on:\n    timeout: [hang-up]"),
    (
        "call-number",
        "- call-number: { number: \"0301234567\", ring_for: 40s }\n- call-number: { number: \"+491701234567\", gateway: outside, confirm: true }",
    ),
    (
        "call-responsible",
        "- call-responsible: { ring_for: 20s, phones: first, additional: true }\n- call-group: { group: sales }",
    ),
    (
        "call-sip-address",
        "- call-sip-address: { address: \"sip:desk@partner.example\", ring_for: 30s }\n  on:\n    refused: [hang-up]",
    ),
    ("call-user", "- call-user: { mode: list, target: [101, 102], ring_for: 15s, ring_back: music }"),
    ("collect-digits", "- collect-digits: { prompt: customer, max_digits: 8, variable: customer }"),
    ("conference", "- conference: { room: monday, leave_on: \"#\" }\n  on:\n    full: [hang-up: { cause: busy }]"),
    (
        "database-query",
        "- database-query:\n    database: crm\n    query: agent-of\n    with: { number: \"{caller_number}\" }\n    into: { agent: agent }\n  on:\n    found:\n      - call-user: { mode: variable, target: agent }\n    empty: [call-group: { group: sales }]",
    ),
    ("echo", "- echo: { max: 60s }"),
    (
        "find-contact",
        "- find-contact: {}\n  on:\n    found:\n      - if: '\"vip\" in contact_groups'\n        then: [call-user: { mode: user, target: 101 }]",
    ),
    (
        "find-responsible",
        "- find-responsible: {}\n  on:\n    found: [call-user: { mode: variable, target: responsible }]",
    ),
    ("hang-up", "- hang-up: { cause: busy }"),
    (
        "http-request",
        "- http-request:\n    source: crm\n    path: contacts/search\n    query: { phone: \"{caller_number}\" }\n    into: { agent: /0/agent }\n  on:\n    done:\n      - call-user: { mode: variable, target: agent }\n    timeout: [call-group: { group: sales }]",
    ),
    ("mailbox", "- mailbox\n- hang-up"),
    ("park", "- park: { place: 3, time: 2m }\n  on:\n    timeout: [call-group: { group: sales }]"),
    ("play-audio", "- play-audio: { audio: welcome, max: 5s }\n- play-audio: { audio: busy, kind: tone, max: 3s }"),
    ("receive-fax", "- receive-fax: { ident: \"+49 30 1234\" }\n  on:\n    no-fax: [call-group: { group: sales }]"),
    (
        "record",
        "- record: { announcement: recorded, beep: true }\n- call-user: { mode: user, target: 102 }\n- record: { what: stop }",
    ),
    ("say", "- say: { text: \"Hello {caller_name}, nobody is in the office.\", language: en }"),
    (
        "search-history",
        "- search-history: {}\n  on:\n    found: [call-user: { mode: variable, target: last_user }]\n- call-group: { group: sales }",
    ),
    (
        "set-variable",
        "- set-variable: { values: { agent: \"{called_number}\" } }\n  on:\n    done: [call-user: { mode: variable, target: agent }]\n    not-found: [hang-up]",
    ),
    ("transfer", "- transfer: { to: 102 }"),
    (
        "send-email",
        "- event: hold\n  steps:\n    - send-email: { to: [sales], subject: On hold, text: \"User {agent_name} put on hold {caller_number}.\" }",
    ),
    ("send-text", "- send-text: { to: \"{caller_number}\", text: \"We call you back.\" }"),
    (
        "try-any-manager",
        "- call-group: { group: sales, ring_for: 20s }\n- try-any-manager: { max: 15m, announce: 30s, call_back_on: \"1\", exit_on: \"2\" }\n  on:\n    exit: [voicemail: { group: sales }]\n    timeout: [voicemail: { group: sales }]",
    ),
    (
        "voicemail",
        "- call-group: { group: sales, ring_for: 20s }\n  on:\n    timeout:\n      - voicemail: { group: sales, max: 2m }",
    ),
    ("wait", "- wait: { time: 30s, music: music }\n- wait: { time: 2s }"),
    (
        "webhook",
        "- event: hang-up\n  steps:\n    - webhook: { source: crm, path: calls, body: { from: \"{caller_number}\", to: \"{called_number}\" } }",
    ),
    ("write-log", "- write-log: { text: \"{caller_number} asked for the night shift\", level: warn }"),
];

/// The reference of the configuration.
pub(super) fn config(schema: &Json) -> String {
    let mut page = Page::new("Configuration", "config", schema);
    page.section("The file", schema);
    for part in ["sip", "tls", "turn", "media", "speech", "http", "keep", "limits"] {
        if let Some(part_schema) = schema.pointer(&format!("/properties/{part}")) {
            page.section(&format!("[{part}]"), part_schema);
        }
    }
    page.example("toml", CONFIG);
    page.text
}

/// The reference of offices.
pub(super) fn office(schema: &Json) -> String {
    let mut page = Page::new("Office", "office", schema);
    page.section("The office", schema);
    for (title, part) in [
        ("users", "user"),
        ("groups", "group"),
        ("gateways", "gateway"),
        ("numbers", "number"),
        ("routes", "route"),
        ("Conditions of routes", "condition"),
        ("contacts", "contact"),
        ("blocked", "blocked"),
        ("calendars", "calendar"),
        ("http", "source"),
        ("databases", "database"),
        ("Queries of databases", "query"),
        ("feature_codes", "feature_codes"),
    ] {
        if let Some(part) = schema.pointer(&format!("/$defs/{part}")) {
            page.section(title, part);
        }
    }
    for title in ["recording", "voicemail", "fax", "mail", "text_messages"] {
        if let Some(part) = schema.pointer(&format!("/properties/{title}")) {
            page.section(title, part);
        }
    }
    page.example("yaml", include_str!("../../demo/office.yaml"));
    page.text
}

/// The reference of scenarios, with the actions that are installed.
pub(super) fn scenario(schema: &Json, actions: &ActionCatalogue) -> String {
    let mut page = Page::new("Scenario", "scenario", schema);
    page.section("The scenario", schema);
    let words: Vec<String> = actions.iter().map(|action| code(&action.name)).collect();
    page.say("\n## Steps\n");
    page.say(&format!(
        "A step is a control word ({}) or an action ({}), with what belongs to it. An action without parameters may stand \
         alone: `- hang-up`. Any step may carry `note`, a text for readers.\n",
        CONTROL_WORDS.map(code).join(", "),
        words.join(", "),
    ));
    page.say(
        "| beside an action | type | meaning |\n| --- | --- | --- |\n\
         | `on` | map of steps | steps on its outcomes; after the steps of any but `answer` the next step follows. `denied` is one \
         of every action: the route to the scenario does not let it run (`plugins` of offices); without steps, it is as `failed`. Steps on its \
         events run beside the script: `ringing` when somebody whom it calls rings, once a run, `hang-up` when the \
         conversation that it began is over |\n\
         | `continue` | true or false | with `true` the caller stays when the callee leaves first, and the next step \
         runs; without it he is hung up |\n",
    );
    let typed = |(name, value_type): (&str, ValueType)| format!("`{name}` ({})", value_type.as_str());
    let (own, at_events) = (SWITCH_VARIABLES.map(typed), EVENT_VARIABLES.map(typed));
    page.say(&format!(
        "Texts are templates: `{{name}}` is a variable, `{{{{` and `}}}}` are braces; a parameter that is nothing but \
         `{{name}}` keeps the variable's type. The switch's own variables: {}. `caller_user` has a value only when the \
         caller is a user of the office: ask `assigned(caller_user)` first. Steps at an event read {} as well: who did it, and \
         to whom; numbers are empty when withheld, users have a value only when they are of the office.\n",
        own.join(", "),
        at_events.join(", ")
    ));
    page.text.truncate(page.text.trim_end().len() + 1);
    for word in CONTROL_WORDS {
        page.control_word(word, schema);
    }
    for action in actions.iter() {
        page.action(action);
    }
    page.example("yaml", include_str!("../../demo/scenarios/welcome.yaml"));
    page.text
}

/// A page while it is written.
struct Page<'s> {
    text: String,
    definitions: Option<&'s Json>,
}

impl<'s> Page<'s> {
    fn new(title: &str, kind: &str, schema: &'s Json) -> Self {
        let text = format!(
            "# {title}: reference\n\nMade by `plugboard schema {kind} --markdown` from the JSON Schema that \
             `plugboard schema {kind}` prints for editors; a test holds it up to date. `plugboard check FILE` tells what \
             is wrong with a file.\n\n{TYPES}"
        );
        Self { text, definitions: schema.get("$defs") }
    }

    fn say(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn example(&mut self, language: &str, text: &str) {
        self.say(&format!("\n## Example\n\n```{language}\n{}\n```", text.trim_end()));
    }

    /// A heading, what it is about, and its keys.
    fn section(&mut self, title: &str, schema: &Json) {
        self.say(&format!("\n## {title}\n"));
        if let Some(description) = schema.get("description").and_then(Json::as_str) {
            self.say(&format!("{description}\n"));
        }
        self.table(schema, "key");
    }

    /// `if`, `menu` or `set`: the step of the schema that needs this word.
    fn control_word(&mut self, word: &str, schema: &Json) {
        let steps = schema.pointer("/$defs/steps/items/anyOf").and_then(Json::as_array).into_iter().flatten();
        let mut of_word = steps.filter(|step| step.pointer("/required/0").is_some_and(|own| own == word));
        let Some(step) = of_word.next() else { return };
        self.say(&format!("\n## {word}\n"));
        match step.pointer(&format!("/properties/{word}")) {
            Some(inside) if inside.get("properties").is_some() => self.table(inside, "key"),
            Some(_) | None => self.table(step, "key"),
        }
    }

    fn action(&mut self, action: &Action) {
        self.say(&format!("\n## {}\n", action.name));
        if let Some(description) = action.parameters.get("description").and_then(Json::as_str) {
            self.say(&format!("{description}\n"));
        }
        self.table(&action.parameters, "parameter");
        let outcomes: Vec<String> = action.outcomes.iter().map(String::as_str).chain([FAILED]).map(code).collect();
        let outcomes = if action.ends_scenario() { "none: it ends the call".into() } else { outcomes.join(", ") };
        let occasions: Vec<String> = action.occasions().into_iter().map(Occasion::as_str).map(code).collect();
        let events = if occasions.is_empty() { String::new() } else { format!(" Events: {}.", occasions.join(", ")) };
        self.say(&format!("\nOutcomes: {outcomes}.{events}"));
        for sets in &action.sets {
            let after: Vec<String> = sets.after.iter().map(code).collect();
            let (name, value_type) = (code(&sets.name), sets.value_type.as_str());
            self.say(&format!("After {} the variable {name} ({value_type}) has a value.", after.join(", ")));
        }
        if !action.blocking {
            self.say("It runs beside the script.");
        }
        if let Some((_, steps)) = STEPS.iter().find(|(name, _)| *name == action.name) {
            self.say(&format!("\n```yaml\n{steps}\n```"));
        }
    }

    fn table(&mut self, schema: &Json, head: &str) {
        let Some(properties) = schema.get("properties").and_then(Json::as_object).filter(|map| !map.is_empty()) else {
            return self.say("It takes no parameter.");
        };
        self.say(&format!(
            "| {head} | type | default | limits | example | meaning |\n| --- | --- | --- | --- | --- | --- |"
        ));
        self.rows(schema, properties, "");
    }

    fn rows(&mut self, schema: &Json, properties: &Map<String, Json>, before: &str) {
        let required = schema.get("required").and_then(Json::as_array);
        let is_required = |key: &str| required.is_some_and(|list| list.iter().any(|own| own == key));
        // What is needed comes first.
        let (first, rest): (Vec<_>, Vec<_>) = properties.iter().partition(|(key, _)| is_required(key));
        for (key, property) in first.into_iter().chain(rest).filter(|(key, _)| *key != "note") {
            let default = match property.get("default") {
                _ if is_required(key) => "required".to_owned(),
                Some(default) => code(flow(default)),
                None => String::new(),
            };
            let meaning = property.get("description").and_then(Json::as_str).unwrap_or_default();
            let cells = [
                code(format!("{before}{key}")),
                self.type_of(property),
                default,
                Self::limits(property),
                example(property).map(|example| code(flow(&example))).unwrap_or_default(),
                meaning.to_owned(),
            ];
            let cells = cells.map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|"));
            self.say(&format!("| {} |", cells.join(" | ")));
            self.inside(property, &format!("{before}{key}"));
        }
    }

    /// The keys of maps that stand inside a key.
    fn inside(&mut self, property: &Json, path: &str) {
        let (items, path) = match property.get("items") {
            Some(items) => (items, format!("{path}[].")),
            None => (property, format!("{path}.")),
        };
        for alternative in items.get("anyOf").and_then(Json::as_array).into_iter().flatten() {
            if let Some(properties) = alternative.get("properties").and_then(Json::as_object) {
                self.rows(&Json::Null, properties, &path);
            }
        }
    }

    fn definition(&self, property: &Json) -> Option<&'s Json> {
        let name = property.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
        self.definitions?.get(name)
    }

    fn type_of(&self, property: &Json) -> String {
        let noun = |schema: &Json| schema.get("title").and_then(Json::as_str).map(str::to_owned);
        if let Some(reference) = property.get("$ref").and_then(Json::as_str) {
            let own = self.definition(property).and_then(noun);
            return own.unwrap_or_else(|| reference.trim_start_matches("#/$defs/").to_owned());
        }
        // An action's parameters have titles for forms.
        if let Some(own @ ("name" | "secret" | "number" | "time")) = property.get("title").and_then(Json::as_str) {
            return own.into();
        }
        if let Some(kind) = property.get("x-type").and_then(Json::as_str) {
            return if kind == "duration" { "time".into() } else { kind.into() };
        }
        if let Some(words) = property.get("enum").and_then(Json::as_array) {
            return words.iter().filter_map(Json::as_str).map(code).collect::<Vec<_>>().join(", ");
        }
        if let Some(value) = property.get("const") {
            return code(flow(value));
        }
        let alternatives = property.get("anyOf").or_else(|| property.get("oneOf")).and_then(Json::as_array);
        if let Some(alternatives) = alternatives {
            let mut types: Vec<String> = alternatives.iter().map(|one| self.type_of(one)).collect();
            types.dedup();
            return types.join(" or ");
        }
        let words: Vec<&str> = match property.get("type") {
            Some(Json::String(word)) => vec![word],
            Some(Json::Array(words)) => words.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        words.iter().map(|word| self.plain_type(word, property)).collect::<Vec<_>>().join(" or ")
    }

    fn plain_type(&self, word: &str, property: &Json) -> String {
        match word {
            "string" => "text".into(),
            "integer" => "whole number".into(),
            "boolean" => "true or false".into(),
            "array" => property.get("items").map_or("list".into(), |items| format!("list of {}", self.type_of(items))),
            "object" => match property.get("additionalProperties").filter(|values| values.is_object()) {
                Some(values) => format!("map of {}", self.type_of(values)),
                None => "map".into(),
            },
            other => other.into(),
        }
    }

    fn limits(property: &Json) -> String {
        let number = |key: &str| property.get(key).map(flow);
        let range = |least: Option<String>, most: Option<String>, unit: &str| match (least, most) {
            (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
            (Some(least), None) => Some(format!("at least {least}{unit}")),
            (None, Some(most)) => Some(format!("at most {most}{unit}")),
            (None, None) => None,
        };
        let all = [
            range(number("minimum"), number("maximum"), ""),
            range(number("x-minimum"), number("x-maximum"), ""),
            range(number("minLength"), number("maxLength"), " characters"),
            range(number("minItems"), number("maxItems"), " items"),
            range(number("minProperties"), number("maxProperties"), " entries"),
        ];
        let mut told: Vec<String> = all.into_iter().flatten().collect();
        for alternative in property.get("anyOf").and_then(Json::as_array).into_iter().flatten() {
            told.extend(Some(Self::limits(alternative)).filter(|limits| !limits.is_empty()));
        }
        told.join("; ")
    }
}

/// The example of a key: its own, or a value that it surely takes.
fn example(property: &Json) -> Option<Json> {
    let own = property.get("examples").and_then(|examples| examples.get(0));
    let word = || property.get("enum").and_then(Json::as_array).and_then(|words| words.last());
    let truth = property.get("type").filter(|kind| *kind == "boolean").map(|_| Json::Bool(true));
    own.or_else(|| property.get("const"))
        .cloned()
        .or(truth)
        .or_else(|| word().cloned())
        .or_else(|| property.get("default").cloned())
}

fn code(text: impl AsRef<str>) -> String {
    match text.as_ref() {
        "" => String::new(),
        text => format!("`{text}`"),
    }
}

/// A value as YAML writes it on one line.
fn flow(value: &Json) -> String {
    match value {
        Json::String(text) if is_plain(text) => text.clone(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.to_string(),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let mut inside = String::new();
            for (key, value) in entries {
                let comma = if inside.is_empty() { "" } else { ", " };
                let key =
                    if key.chars().all(|letter| letter.is_ascii_digit()) { format!("{key:?}") } else { key.clone() };
                // Writing to a String cannot fail.
                let _ = write!(inside, "{comma}{key}: {}", flow(value));
            }
            format!("{{ {inside} }}")
        }
    }
}

/// Whether a text needs no quotes: it begins with a letter, a digit or a path's sign, and holds nothing of YAML's own.
fn is_plain(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '/' | '+'));
    first && !text.contains([',', '{', '}', '[', ']', '#', '\'', '"']) && !text.contains(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_written_as_yaml_writes_it() {
        assert_eq!(flow(&json!({ "user": "bob", "weight": 4 })), "{ user: bob, weight: 4 }");
        assert_eq!(flow(&json!(["192.0.2.1:5060", true, "a # b"])), "[192.0.2.1:5060, true, \"a # b\"]");
    }

    #[test]
    fn every_key_is_told_with_type_default_limits_and_example() {
        let schema = json!({ "required": ["id"], "properties": {
            "weight": { "type": "integer", "minimum": 0, "maximum": 9, "default": 1, "description": "How often." },
            "id": { "title": "name", "type": "string", "examples": ["ann"], "description": "Whose | what." },
            "ring_for": { "$ref": "#/$defs/time", "x-minimum": "1s", "x-maximum": "10m", "default": "20s" },
        }, "$defs": { "time": { "title": "time", "type": "string" } } });
        let mut page = Page { text: String::new(), definitions: schema.get("$defs") };
        page.table(&schema, "key");
        let rows: Vec<&str> = page.text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| `id` | name | required |  | `ann` | Whose \\| what. |",
                "| `ring_for` | time | `20s` | 1s to 10m | `20s` |  |",
                "| `weight` | whole number | `1` | 0 to 9 | `1` | How often. |",
            ]
        );
    }

    #[test]
    fn the_example_of_the_configuration_has_no_fault() {
        assert!(crate::config::Config::parse("example.toml", CONFIG).is_ok());
    }
}
