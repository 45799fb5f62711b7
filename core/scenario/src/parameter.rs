//! An action's parameters against its JSON Schema.
//!
//! The keywords that it knows beyond JSON Schema 2020-12 are on the crate's page.

use crate::check::near_or;
use crate::document::is_variable_name;
use crate::flow::{Flow, Types};
use crate::program::Parameter;
use crate::template::{Template, sample};
use crate::{Action, DENIED, FAILED, Resolver};
use plugboard_document::{Entry, Faults, Field, Kind, Mark, Node, did_you_mean};
use plugboard_model::ValueType;
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// The longest list of a parameter, and so of users to ring.
const ITEMS_MAX: usize = 256;

/// The tones, as documents write those of the WIT's `types.tone`.
const TONES: [&str; 4] = ["ring-back", "busy", "congestion", "beep"];

/// A variable that a step's parameters let the action assign.
pub(crate) struct Assigned<'n> {
    pub(crate) name: &'n str,
    /// `None`: the scenario declares it.
    pub(crate) value_type: Option<ValueType>,
    /// The only outcome after which it has a value; `None`: all but `failed` and `denied`.
    after: Option<String>,
    pub(crate) at: Mark,
}

impl Assigned<'_> {
    pub(crate) fn is_after(&self, outcome: &str) -> bool {
        self.after.as_ref().map_or(![FAILED, DENIED].contains(&outcome), |after| after == outcome)
    }
}

/// The variables that a step's parameters let the action assign.
pub(crate) fn assigned<'n>(action: &Action, parameters: &'n Node) -> Vec<Assigned<'n>> {
    let mut assigned = Vec::new();
    for entry in parameters.as_map().unwrap_or_default() {
        let Some(rules) = Rules::of(action, entry, parameters) else { continue };
        let value_type = match rules.word("x-assigns") {
            Some(DECLARED) => None,
            Some(word) => Some(ValueType::parse(word)),
            None => continue,
        };
        // A type that is none is a fault of the action's schema.
        let Some(value_type) = value_type.map_or(Some(None), |known| known.map(Some)) else { continue };
        let after = rules.word("x-after").map(str::to_owned);
        let names: Vec<(&str, Mark)> = match (entry.value.as_map(), entry.value.as_text()) {
            (Some(entries), _) => entries.iter().map(|entry| (entry.key.as_str(), entry.at)).collect(),
            (None, Some(name)) => vec![(name, entry.value.at)],
            (None, None) => Vec::new(),
        };
        let named = names.into_iter().map(|(name, at)| Assigned { name, value_type, after: after.clone(), at });
        assigned.extend(named);
    }
    assigned
}

/// `x-assigns` of variables whose type the scenario says.
const DECLARED: &str = "declared";

/// What the schema says about one parameter.
struct Rules<'s> {
    schema: &'s Map<String, Json>,
    by: Option<&'s Map<String, Json>>,
    /// A keyword and its word, from the parameter's name.
    by_name: Option<(&'static str, &'static str)>,
    /// The other parameter and its word, when a list is for another word of it.
    one_by: Option<(String, String)>,
}

/// Keywords that say what a text names.
const KEYWORDS: [&str; 4] = ["x-type", "x-reads", "x-assigns", "x-by"];

/// What a parameter's name alone says of it.
fn by_name(name: &str, parameters: &Node) -> Option<(&'static str, &'static str)> {
    let beside = |other| parameters.get(other).and_then(Node::as_text);
    match (name, beside("mode"), beside("kind")) {
        ("user", ..) | ("target", Some("user" | "list"), _) => Some(("x-type", "user")),
        ("target", Some("variable"), _) => Some(("x-reads", "user")),
        ("group", ..) => Some(("x-type", "group")),
        ("prompt", ..) | ("audio", _, None | Some("prompt")) => Some(("x-type", "prompt")),
        ("music", ..) | ("audio", _, Some("music")) => Some(("x-type", "music")),
        ("audio", _, Some("tone")) => Some(("x-type", "tone")),
        _ => None,
    }
}

/// The parameter that says how many there are, and its word, where that takes one: `mode: user` beside `list`.
fn one_by(schema: &Map<String, Json>, name: &str, parameters: &Node) -> Option<(String, String)> {
    const LIST: &str = "list";
    let other = match schema.get("x-by") {
        Some(by) if by.get(LIST).is_some() => by.get("parameter")?.as_str()?,
        None if name == "target" => "mode",
        Some(_) | None => return None,
    };
    let word = parameters.get(other)?.as_text()?;
    (word != LIST).then(|| (other.to_owned(), word.to_owned()))
}

impl<'s> Rules<'s> {
    fn of(action: &'s Action, entry: &Entry, parameters: &Node) -> Option<Self> {
        let schema = action.parameters.get("properties")?.get(&entry.key)?.as_object()?;
        let by = schema.get("x-by").and_then(|by| {
            let other = by.get("parameter")?.as_str()?;
            // Left out, it is what the action takes then.
            let otherwise = || action.parameters.pointer(&format!("/properties/{other}/default"))?.as_str();
            by.get(parameters.get(other).map_or_else(otherwise, Node::as_text)?)?.as_object()
        });
        let one_by = one_by(schema, &entry.key, parameters);
        let silent = !KEYWORDS.iter().any(|keyword| schema.contains_key(*keyword));
        let by_name = if silent { by_name(&entry.key, parameters) } else { None };
        Some(Self { schema, by, by_name, one_by })
    }

    fn word(&self, keyword: &str) -> Option<&'s str> {
        let written =
            self.by.and_then(|by| by.get(keyword)).or_else(|| self.schema.get(keyword)).and_then(Json::as_str);
        written.or(self.by_name.filter(|(own, _)| *own == keyword).map(|(_, word)| word))
    }

    fn bound(&self, keyword: &str) -> Option<Duration> {
        plugboard_document::read_duration(self.word(keyword)?)
    }

    /// Whether a number in the document is meant as a text: internal numbers need no quotes.
    fn wants_text(&self) -> bool {
        let allows = |word: &str| match self.schema.get("type") {
            Some(Json::String(own)) => own == word,
            Some(Json::Array(list)) => list.iter().any(|own| own == word),
            _ => false,
        };
        allows("string") && !allows("integer") && !allows("number")
            || self.schema.get("anyOf").or_else(|| self.schema.get("oneOf")).and_then(Json::as_array).is_some_and(
                |list| {
                    list.iter().any(|one| one.get("type").is_some_and(|kind| kind == "string"))
                        && !list
                            .iter()
                            .any(|one| one.get("type").is_some_and(|kind| kind == "integer" || kind == "number"))
                },
            )
    }

    fn wants_texts(&self) -> bool {
        self.schema.get("items").and_then(|items| items.get("type")).is_some_and(|kind| kind == "string")
            || self.wants_text()
    }
}

/// Checks the parameters of one step.
pub(crate) struct Checker<'c> {
    pub(crate) types: &'c Types,
    pub(crate) flow: &'c Flow,
    pub(crate) resolver: &'c dyn Resolver,
    pub(crate) faults: &'c mut Faults,
}

impl Checker<'_> {
    /// Checks all parameters and prepares them for the interpreter.
    pub(crate) fn check(&mut self, action: &Action, node: &Node, at: Mark, path: &str) -> Vec<(String, Parameter)> {
        let (mut compiled, mut probe, mut told) = (Vec::new(), Map::new(), Vec::new());
        for entry in node.as_map().unwrap_or_default() {
            let rules = Rules::of(action, entry, node);
            let place = format!("{path}.{}", entry.key);
            let texts = rules.as_ref().is_some_and(|rules| match entry.value.kind {
                Kind::List(_) => rules.wants_texts(),
                Kind::Null
                | Kind::Boolean(_)
                | Kind::Integer(..)
                | Kind::Decimal(..)
                | Kind::Text(_)
                | Kind::Map(_) => rules.wants_text(),
            });
            let is_name = entry.value.as_map().is_none()
                && rules.as_ref().is_some_and(|rules| rules.word("x-reads").or(rules.word("x-assigns")).is_some());
            let (parameter, sample) = if is_name {
                let value = text_or_json(&entry.value, texts);
                (Parameter::Fixed(value.clone()), value)
            } else {
                self.prepare(&entry.value, texts, &place)
            };
            if let Some(rules) = rules {
                let before = self.faults.len();
                self.rules(&rules, &entry.value, &place);
                if self.faults.len() > before {
                    told.push(format!("/{}", entry.key));
                }
            }
            compiled.push((entry.key.clone(), parameter));
            probe.insert(entry.key.clone(), sample);
        }
        self.queries(action, node, at, path);
        self.methods(action, node, at, path);
        let found = refused(action, node, &Json::Object(probe), &told);
        for (place, inside, reason, remedy) in found {
            self.faults.add(place.unwrap_or(at), &format!("{path}{inside}"), reason, remedy);
        }
        compiled
    }

    /// A parameter with its templates read, and a sample of it for the schema.
    fn prepare(&mut self, node: &Node, texts: bool, path: &str) -> (Parameter, Json) {
        match &node.kind {
            Kind::Text(text) => match Template::parse(text) {
                Ok(template) => self.template(template, node.at, path),
                Err(reason) => {
                    self.faults.add(node.at, path, reason, "write {{ and }} for braces");
                    (Parameter::Fixed(Json::Null), Json::from(text.as_str()))
                }
            },
            Kind::List(items) => {
                let prepared = items.iter().take(ITEMS_MAX).enumerate();
                let prepared = prepared.map(|(place, item)| self.prepare(item, texts, &format!("{path}[{place}]")));
                let (list, samples) = prepared.unzip();
                (Parameter::List(list), Json::Array(samples))
            }
            Kind::Map(entries) => {
                let (mut list, mut samples) = (Vec::new(), Map::new());
                for entry in entries {
                    let (parameter, sample) = self.prepare(&entry.value, false, &format!("{path}.{}", entry.key));
                    list.push((entry.key.clone(), parameter));
                    samples.insert(entry.key.clone(), sample);
                }
                (Parameter::Map(list), Json::Object(samples))
            }
            Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) => {
                let value = text_or_json(node, texts);
                (Parameter::Fixed(value.clone()), value)
            }
        }
    }

    fn template(&mut self, template: Template, at: Mark, path: &str) -> (Parameter, Json) {
        self.types.uses_of(&template, at, path, self.flow, self.faults);
        if let Some(plain) = template.plain() {
            let value = Json::from(plain);
            return (Parameter::Fixed(value.clone()), value);
        }
        let only = template.only_variable().and_then(|name| self.types.get(name));
        let sample = only.map_or_else(|| Json::from(""), sample);
        (Parameter::Text(template), sample)
    }

    /// The keywords that only this switch knows.
    fn rules(&mut self, rules: &Rules<'_>, node: &Node, path: &str) {
        if rules.word("x-type") == Some("duration") && !is_open(node) {
            let longest = Duration::from_secs(1_000_000_000);
            let range =
                rules.bound("x-minimum").unwrap_or(Duration::ZERO)..=rules.bound("x-maximum").unwrap_or(longest);
            Field { node, key_at: node.at, path: path.into() }.duration(range, self.faults);
            return;
        }
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) | Kind::Map(_) => {
                std::slice::from_ref(node)
            }
        };
        if let (Some((other, word)), Kind::List(items)) = (&rules.one_by, &node.kind)
            && items.len() != 1
        {
            let reason = format!("with {other} {word:?} one is taken, not a list of {}", items.len());
            self.faults.add(node.at, path, reason, format!("write {other}: list"));
        }
        if rules.word("x-assigns").is_some() {
            for entry in node.as_map().unwrap_or_default() {
                self.names_variable(&entry.key, entry.at, path);
            }
        }
        for item in items {
            let Some(text) = item.as_text() else { continue };
            self.reference(rules, item, text, path);
            if let Some(wanted) = rules.word("x-reads") {
                self.reads(wanted, text, item.at, path);
            }
            if rules.word("x-assigns").is_some() {
                self.names_variable(text, item.at, path);
            }
        }
    }

    fn names_variable(&mut self, text: &str, at: Mark, path: &str) {
        if !is_variable_name(text) {
            self.faults.add(at, path, format!("{text:?} is no name of a variable"), "");
        }
    }

    fn reference(&mut self, rules: &Rules<'_>, item: &Node, text: &str, path: &str) {
        if is_open(item) {
            return;
        }
        let (found, noun) = match rules.word("x-type") {
            Some("user") => (self.resolver.user(text).is_some(), "user"),
            Some("group") => (self.resolver.group(text).is_some(), "group"),
            Some("prompt") => (self.resolver.has_prompt(text), "prompt"),
            Some("music") => (self.resolver.has_music(text), "music"),
            Some("source") => {
                if !self.resolver.has_http_source(text) {
                    let known = self.resolver.http_sources();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let remedy = near_or(text, &known, || "write it into `http` of the office".into());
                    self.faults.add(item.at, path, format!("the office has no source of the web {text:?}"), remedy);
                }
                return;
            }
            Some("database") => {
                let Some(known) = self.resolver.databases().filter(|known| !known.contains_key(text)) else { return };
                let known: Vec<&str> = known.keys().map(String::as_str).collect();
                let remedy = near_or(text, &known, || "write it into `databases` of the office".into());
                self.faults.add(item.at, path, format!("the office has no database {text:?}"), remedy);
                return;
            }
            Some("recipient") => {
                if let Err((reason, remedy)) = self.resolver.mail_to(text) {
                    self.faults.add(item.at, path, reason, remedy);
                }
                return;
            }
            Some("mail-template") => return self.mail_template(text, item.at, path),
            Some("tone") => {
                if !TONES.contains(&text) {
                    let remedy = near_or(text, &TONES, || format!("there are {}", TONES.join(", ")));
                    self.faults.add(item.at, path, format!("there is no tone {text:?}"), remedy);
                }
                return;
            }
            Some(_) | None => return,
        };
        if !found {
            self.faults.add(item.at, path, format!("the office has no {noun} {text:?}"), "");
        }
    }

    /// What is done at a service of the web is something that the office lets be done there.
    fn methods(&mut self, action: &Action, node: &Node, at: Mark, path: &str) {
        const METHOD: &str = "method";
        let entries = node.as_map().unwrap_or_default();
        let is_source =
            |entry: &&Entry| Rules::of(action, entry, node).is_some_and(|rules| rules.word("x-type") == Some("source"));
        let fixed = |entry: &'_ Entry| entry.value.as_text().filter(|_| !is_open(&entry.value)).map(str::to_owned);
        let Some(named) = entries.iter().find(is_source) else { return };
        let Some(source) = fixed(named) else { return };
        let always = Rules::of(action, named, node).and_then(|rules| rules.word("x-does"));
        let usual = || action.parameters.pointer("/properties/method/default").and_then(Json::as_str);
        let (method, at, path) = match (always, entries.iter().find(|entry| entry.key == METHOD)) {
            (Some(method), _) => (Some(method.to_owned()), named.value.at, format!("{path}.{}", named.key)),
            (None, Some(entry)) => (fixed(entry), entry.value.at, format!("{path}.{METHOD}")),
            (None, None) => (usual().map(str::to_owned), at, path.to_owned()),
        };
        let (Some(method), Some(allowed)) = (method, self.resolver.http_methods(&source)) else { return };
        if !allowed.contains(&method) {
            let reason = format!("the office does not let {method:?} be done at the source {source}");
            let remedy =
                format!("it may be {}; write `{METHOD}s` of the source in `http` of the office", allowed.join(", "));
            self.faults.add(at, &path, reason, remedy);
        }
    }

    /// A query is one of its database, and each of its parameters has a value.
    fn queries(&mut self, action: &Action, node: &Node, at: Mark, path: &str) {
        let entries = node.as_map().unwrap_or_default();
        let of = |noun: &str| {
            let names =
                |entry: &&Entry| Rules::of(action, entry, node).is_some_and(|rules| rules.word("x-type") == Some(noun));
            entries.iter().find(names)
        };
        // What is known only in the call is the switch's to check.
        let written = |entry: &'_ Entry| entry.value.as_text().filter(|_| !is_open(&entry.value)).map(str::to_owned);
        let (Some(database), Some(query)) = (of("database").and_then(written), of("query")) else { return };
        let (Some(known), Some(name)) = (self.resolver.databases(), written(query)) else { return };
        let Some(queries) = known.get(&database) else { return };
        let Some(parameters) = queries.get(&name) else {
            let known: Vec<&str> = queries.keys().map(String::as_str).collect();
            let remedy = near_or(&name, &known, || "write it into `queries` of the database".into());
            let place = format!("{path}.{}", query.key);
            return self.faults.add(query.value.at, &place, format!("{database} has no query {name:?}"), remedy);
        };
        let given = of("query-parameters");
        let place = given.map_or_else(|| path.to_owned(), |entry| format!("{path}.{}", entry.key));
        let values = given.and_then(|entry| entry.value.as_map()).unwrap_or_default();
        let known: Vec<&str> = parameters.keys().map(String::as_str).collect();
        for entry in values {
            let Some(wanted) = parameters.get(&entry.key) else {
                let remedy = near_or(&entry.key, &known, || match known.as_slice() {
                    [] => "take it out: the query has none".into(),
                    known => format!("it has {}", known.join(", ")),
                });
                let reason = format!("the query {name} has no parameter {:?}", entry.key);
                self.faults.add(entry.at, &format!("{place}.{}", entry.key), reason, remedy);
                continue;
            };
            let text = entry.value.as_text().filter(|_| !is_open(&entry.value));
            let fits = text.is_none_or(|text| match wanted {
                ValueType::Number => text.trim().parse::<i64>().is_ok(),
                ValueType::Boolean => text.trim().parse::<bool>().is_ok(),
                ValueType::Text
                | ValueType::Time
                | ValueType::User
                | ValueType::Group
                | ValueType::Texts
                | ValueType::Users
                | ValueType::Contact => true,
            });
            if !fits {
                let reason = format!("the query {name} takes a {} here", wanted.as_str());
                self.faults.add(entry.value.at, &format!("{place}.{}", entry.key), reason, "");
            }
        }
        for lacking in parameters.keys().filter(|name| !values.iter().any(|entry| entry.key == **name)) {
            let reason = format!("the query {name} needs a value for {lacking}");
            let remedy = format!("write `{lacking}: \"{{caller_number}}\"` or the like");
            self.faults.add(given.map_or(at, |entry| entry.value.at), &place, reason, remedy);
        }
    }

    /// The office has the mail, and each variable in it has a value here (R38).
    fn mail_template(&mut self, name: &str, at: Mark, path: &str) {
        let Some(texts) = self.resolver.mail_template(name) else {
            let known = self.resolver.mail_templates();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let remedy = near_or(name, &known, || "write it into `mail.templates` of the office".into());
            return self.faults.add(at, path, format!("the office has no mail {name:?}"), remedy);
        };
        for text in texts {
            match Template::parse(&text) {
                Ok(template) => {
                    let path = format!("{path} ({name} of `mail.templates`)");
                    self.types.uses_of(&template, at, &path, self.flow, self.faults);
                }
                Err(reason) => {
                    self.faults.add(at, path, format!("the mail {name:?}: {reason}"), "write {{ and }} for braces");
                }
            }
        }
    }

    /// R15 and R16: the variable exists, has a value here, and is of the type that the action needs.
    fn reads(&mut self, wanted: &str, name: &str, at: Mark, path: &str) {
        match self.types.get(name) {
            Some(own) if own.as_str() != wanted => {
                let reason = format!("{name} is of type {}, a {wanted} is needed", own.as_str());
                self.faults.add(at, path, reason, format!("name a variable of type {wanted}"));
            }
            Some(_) | None => self.types.uses(name, at, path, self.flow, self.faults),
        }
    }
}

/// What the action's own schema says, with samples for what is known only in the call. Parameters in `told` have
/// their fault already.
fn refused(action: &Action, node: &Node, probe: &Json, told: &[String]) -> Vec<Refusal> {
    let validator = match jsonschema::draft202012::new(&action.parameters) {
        Ok(validator) => validator,
        Err(error) => {
            let reason = format!("the parameters' schema of {} is broken: {error}", action.name);
            return vec![(None, String::new(), reason, "tell the author of the action".into())];
        }
    };
    let mut refused = Vec::new();
    for error in validator.iter_errors(probe) {
        let pointer = error.instance_path().as_str();
        let Some((culprit, inside)) = find(node, pointer) else { continue };
        let is_type = matches!(error.kind(), jsonschema::error::ValidationErrorKind::Type { .. });
        if told.iter().any(|told| told == pointer) || (!pointer.is_empty() && is_open(culprit) && !is_type) {
            continue;
        }
        if let jsonschema::error::ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            refused.extend(unexpected.iter().map(|name| unknown(action, culprit, &inside, name)));
            continue;
        }
        let (reason, remedy) = words(&error, &action.name);
        refused.push(((!pointer.is_empty()).then_some(culprit.at), inside, reason, remedy));
    }
    refused
}

/// Where, the way inside the parameters, the reason, the remedy.
type Refusal = (Option<Mark>, String, String, String);

/// A parameter, or a key inside one, that the action does not have.
fn unknown(action: &Action, map: &Node, inside: &str, name: &str) -> Refusal {
    let place = map.as_map().and_then(|entries| entries.iter().find(|entry| entry.key == name)).map(|entry| entry.at);
    let properties = if inside.is_empty() { action.parameters.get("properties") } else { None };
    let known: Vec<&str> =
        properties.and_then(Json::as_object).map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
    let remedy = near_or(name, &known, || match known.as_slice() {
        [] => "take it out".into(),
        known => format!("it has {}", known.join(", ")),
    });
    (place, format!("{inside}.{name}"), format!("{} has no parameter {name:?}", action.name), remedy)
}

/// What the schema refuses, in words of the document's author.
fn words(error: &jsonschema::ValidationError<'_>, action: &str) -> (String, String) {
    use jsonschema::error::ValidationErrorKind as Kind;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the validator words its other kinds well")]
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            (format!("{action} needs the parameter {name:?}"), "add it".into())
        }
        Kind::Enum { options } => {
            let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            (error.to_string(), error.instance().as_str().map(|word| did_you_mean(word, &options)).unwrap_or_default())
        }
        _ => (error.to_string(), String::new()),
    }
}

/// Whether a value is known only in the call.
fn is_open(node: &Node) -> bool {
    match &node.kind {
        Kind::Text(text) => Template::parse(text).is_ok_and(|template| template.plain().is_none()),
        Kind::List(items) => items.iter().any(is_open),
        Kind::Map(entries) => entries.iter().any(|entry| is_open(&entry.value)),
        Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) => false,
    }
}

fn text_or_json(node: &Node, texts: bool) -> Json {
    match (&node.kind, node.as_text()) {
        (Kind::Integer(..) | Kind::Decimal(..), Some(text)) if texts => Json::from(text),
        (
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(..)
            | Kind::Decimal(..)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_),
            _,
        ) => node.to_json(),
    }
}

/// The node at a JSON pointer, and the way to it as documents say it.
fn find<'n>(node: &'n Node, pointer: &str) -> Option<(&'n Node, String)> {
    let (mut at, mut path) = (node, String::new());
    for part in pointer.split('/').skip(1) {
        if let Kind::List(items) = &at.kind {
            at = items.get(part.parse::<usize>().ok()?)?;
            path = format!("{path}[{part}]");
        } else {
            let key = part.replace("~1", "/").replace("~0", "~");
            at = at.get(&key)?;
            path = format!("{path}.{key}");
        }
    }
    Some((at, path))
}
