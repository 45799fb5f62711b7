//! The scenario document as a typed tree, each step with its place.

use crate::interpreter::{CALL_GROUP, CALL_USER, COLLECT};
use crate::{Fault, Node, Occasion};
use plugboard_calendar::Asked;
use plugboard_document::{Faults, Field, Fields, Kind, Mark, did_you_mean};
use plugboard_model::{Name, ValueType};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Steps of one document. The largest plan that a person keeps in his head has dozens; the interpreter's own limit on
/// steps taken is higher.
const STEPS_MAX: usize = 2_000;
/// Steps inside steps: past this nobody can follow a call.
const DEPTH_MAX: usize = 32;
/// Conditions of one `if`.
const CONDITIONS_MAX: usize = 32;
/// Rounds of one `repeat`: who is asked more often than that will not be asked once more.
pub(crate) const ROUNDS_MAX: i64 = 100;
/// Variables that one document declares; actions may add some up to the interpreter's limit of 256.
pub(crate) const VARIABLES_MAX: usize = 128;
/// Keys of one menu: twelve single keys, and longer codes beside them.
pub(crate) const KEYS_MAX: usize = 64;
/// Digits of a menu's key.
const KEY_LEN_MAX: usize = 8;

/// The control words, which belong to the language; every other word is an action.
pub const CONTROL_WORDS: [&str; 8] = ["if", WHEN, "menu", REPEAT, RUN, SET, EVENT, STREAM];
/// Asks for the time.
const WHEN: &str = "when";
/// Does its steps again.
const REPEAT: &str = "repeat";
/// Assigns in the order of its keys.
const SET: &str = "set";
/// Has steps that run beside the script when something happens.
const EVENT: &str = "event";
/// Has steps that run beside the script.
const STREAM: &str = "stream";
/// Does the steps of another scenario.
const RUN: &str = "run";
/// The types of variables, as documents write them.
pub(crate) const TYPES: [&str; 9] = ["text", "number", "boolean", "time", "user", "group", "texts", "users", "contact"];
/// Keys of a step beside its word.
const STEP_KEYS: [&str; 6] = ["on", "then", "else", "steps", "continue", "note"];

/// A scenario document whose form is right; whether it makes sense is told by [`crate::compile`].
#[derive(Debug, Clone)]
pub struct Document {
    /// The file it was read from.
    pub file: Arc<str>,
    /// Its name.
    pub name: Name,
    /// For people.
    pub title: String,
    /// Variables it declares.
    pub variables: Vec<Variable>,
    /// What happens.
    pub steps: Vec<Step>,
    /// JSON with sorted keys but those of `set`, whose order counts, as [`Node::canonical_but`] writes it: what a version
    /// is the hash of.
    pub canonical: String,
}

/// A declared variable.
#[derive(Debug, Clone)]
pub struct Variable {
    /// `a-z 0-9 _`, not beginning with a digit.
    pub name: String,
    /// Its type.
    pub value_type: ValueType,
    /// Its value at the start; `None`: unassigned.
    pub default: Option<Node>,
    /// Whoever runs this scenario gives it its value.
    pub given: bool,
    /// Where it is declared.
    pub at: Mark,
    /// The way to it.
    pub path: String,
}

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where its word is.
    pub at: Mark,
    /// The way to it, such as `steps[1].menu.keys.1[0]`.
    pub path: String,
    /// What it does.
    pub action: StepKind,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// Runs an action.
    Action {
        /// The action's name.
        word: String,
        /// Its parameters: a map.
        parameters: Node,
        /// Steps on its outcomes.
        on: Vec<Branch>,
        /// When the callee leaves first, the caller stays and the next step runs.
        go_on: bool,
    },
    /// Chooses.
    If {
        /// All conditions, or one of them.
        all: bool,
        /// In CEL.
        conditions: Vec<Condition>,
        /// When it is true.
        then: Vec<Step>,
        /// When it is not.
        otherwise: Vec<Step>,
    },
    /// Asks for the time.
    When {
        /// For which.
        asked: Asked,
        /// When it is that time.
        then: Vec<Step>,
        /// When it is not.
        otherwise: Vec<Step>,
    },
    /// Asks the caller.
    Menu(Menu),
    /// The steps of another scenario of the office; then the next step follows.
    Scenario(String),
    /// Steps that are done several times.
    Repeat {
        /// How often at most.
        times: u32,
        /// After a round in which this holds it is done no more.
        until: Option<Condition>,
        /// What is done.
        steps: Vec<Step>,
    },
    /// Assigns variables, in the order of the document.
    Set(Vec<Assignment>),
    /// Steps that run beside the script whenever something happens, from here on.
    Event {
        /// What happens.
        occasion: Occasion,
        /// What is done then.
        steps: Vec<Step>,
    },
    /// Steps that run beside the script, one after the other.
    Stream(Vec<Step>),
}

impl StepKind {
    /// The lists of steps that stand inside it.
    pub(crate) fn lists(&self) -> Vec<&[Step]> {
        match self {
            Self::Action { on, .. } => on.iter().map(|branch| branch.steps.as_slice()).collect(),
            Self::If { then, otherwise, .. } | Self::When { then, otherwise, .. } => vec![then, otherwise],
            Self::Menu(menu) => {
                let keys = menu.keys.iter().map(|key| key.steps.as_slice());
                keys.chain([menu.invalid.as_slice(), &menu.nothing, &menu.unanswered]).collect()
            }
            Self::Repeat { steps, .. } | Self::Event { steps, .. } | Self::Stream(steps) => vec![steps],
            Self::Set(_) | Self::Scenario(_) => Vec::new(),
        }
    }
}

/// Steps with a name: an outcome, a menu's key.
#[derive(Debug, Clone)]
pub struct Branch {
    /// The outcome or key.
    pub name: String,
    /// Where it is.
    pub at: Mark,
    /// The way to it.
    pub path: String,
    /// What happens then.
    pub steps: Vec<Step>,
}

/// A condition in CEL.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The expression.
    pub text: String,
    /// Where it is.
    pub at: Mark,
    /// The way to it.
    pub path: String,
}

/// An assignment of `set`.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// What it becomes: a number, a boolean, a list of texts or a template.
    pub value: Node,
    /// Where it is.
    pub at: Mark,
    /// The way to it.
    pub path: String,
}

/// A key menu.
#[derive(Debug, Clone)]
pub struct Menu {
    /// Played at the beginning and at each repetition.
    pub prompt: Option<Said>,
    /// A branch per key or code.
    pub keys: Vec<Branch>,
    /// Callers may dial an internal number.
    pub extensions: bool,
    /// Digits collected at most when `extensions` is on.
    pub digits_max: u8,
    /// Wait for the first digit after the prompt.
    pub first_digit: Duration,
    /// Wait between digits.
    pub inter_digit: Duration,
    /// How often the menu is asked again after a wrong or missing answer.
    pub repeats: u8,
    /// After the last wrong answer.
    pub invalid: Vec<Step>,
    /// After the last missing answer.
    pub nothing: Vec<Step>,
    /// When a dialled internal number did not answer.
    pub unanswered: Vec<Step>,
}

/// A text and its place.
#[derive(Debug, Clone)]
pub struct Said {
    /// The text.
    pub text: String,
    /// Where it is.
    pub at: Mark,
    /// The way to it.
    pub path: String,
}

impl Document {
    /// Reads a document from YAML or JSON.
    ///
    /// # Errors
    /// Every fault of form: with file, line, place, reason and remedy.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::read(file, &plugboard_document::parse(file, text)?)
    }

    /// Reads a document that stands inside another one.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn read(file: &str, node: &Node) -> Result<Self, Vec<Fault>> {
        match Self::examine(file, node) {
            (Some(document), faults) if faults.is_empty() => Ok(document),
            (_, faults) => Err(faults),
        }
    }

    /// The scenarios that its steps run, by name.
    pub fn scenarios(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for step in self.every_step() {
            if let StepKind::Scenario(name) = &step.action {
                found.insert(name.as_str());
            }
        }
        found
    }

    /// The actions that its steps run, those that menus rest on included.
    pub fn actions(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for step in self.every_step() {
            match &step.action {
                StepKind::Action { word, .. } => {
                    found.insert(word.clone());
                }
                StepKind::Menu(menu) => {
                    found.insert(COLLECT.0.into());
                    if menu.extensions {
                        found.extend([CALL_USER, CALL_GROUP].map(String::from));
                    }
                }
                StepKind::If { .. }
                | StepKind::When { .. }
                | StepKind::Scenario(_)
                | StepKind::Repeat { .. }
                | StepKind::Set(_)
                | StepKind::Event { .. }
                | StepKind::Stream(_) => {}
            }
        }
        found
    }

    fn every_step(&self) -> Vec<&Step> {
        let (mut all, mut ahead): (Vec<&Step>, Vec<&Step>) = (Vec::new(), self.steps.iter().collect());
        while let Some(step) = ahead.pop() {
            all.push(step);
            ahead.extend(step.action.lists().into_iter().flatten());
        }
        all
    }

    /// Reads as far as it goes: with the faults of form comes what could be read, without the steps that have them, so
    /// that what is wrong with the rest is told in one go. `None`: the document is no map.
    pub(crate) fn examine(file: &str, node: &Node) -> (Option<Self>, Vec<Fault>) {
        let mut reader = Reader { faults: Faults::new(file), steps: 0 };
        let document = reader.document(node);
        (document, reader.faults.into_sorted())
    }
}

struct Reader {
    faults: Faults,
    steps: usize,
}

impl Reader {
    fn document(&mut self, node: &Node) -> Option<Document> {
        let mut fields = Field::root(node).fields(&mut self.faults)?;
        let name = fields.need("scenario", &mut self.faults).and_then(|field| field.name(&mut self.faults));
        let title = fields.take("title").and_then(|field| field.text(&mut self.faults)).unwrap_or_default();
        let variables = fields.take("variables").map(|field| self.variables(&field)).unwrap_or_default();
        let steps = fields.need("steps", &mut self.faults).map(|field| self.list(&field, 0)).unwrap_or_default();
        fields.finish(&mut self.faults);
        if self.steps > STEPS_MAX {
            let reason = format!("{} steps are too many, at most {STEPS_MAX}", self.steps);
            self.faults.add(node.at, "steps", reason, "split the scenario");
        }
        let file = Arc::clone(self.faults.file());
        // A wrong name shall not hide what is wrong in the rest.
        let name = name.or_else(|| Name::new("unnamed").ok())?;
        Some(Document { file, name, title, variables, steps, canonical: node.canonical_but(Some(SET)) })
    }

    fn variables(&mut self, field: &Field<'_>) -> Vec<Variable> {
        let entries = field.entries(&mut self.faults);
        if entries.len() > VARIABLES_MAX {
            field.fault(&mut self.faults, format!("at most {VARIABLES_MAX} variables can be declared"), "");
        }
        entries.into_iter().take(VARIABLES_MAX).filter_map(|(name, field)| self.variable(name, &field)).collect()
    }

    /// `name: type`, or `name: { type: .., default: .. }`.
    fn variable(&mut self, name: &str, field: &Field<'_>) -> Option<Variable> {
        if !is_variable_name(name) {
            self.faults.add(field.key_at, &field.path, format!("{name:?} is no name of a variable"), NAME_REMEDY);
        }
        let (type_field, default, given) = if field.node.as_map().is_some() {
            let mut fields = field.fields(&mut self.faults)?;
            let type_field = fields.need("type", &mut self.faults);
            let default = fields.take("default").map(|field| field.node.clone());
            let given = fields.take("given").and_then(|field| field.boolean(&mut self.faults)).unwrap_or(false);
            fields.finish(&mut self.faults);
            if given && default.is_some() {
                field.fault(&mut self.faults, "what is given needs no default", "take one of them out");
            }
            (type_field?, default, given)
        } else {
            (field.clone(), None, false)
        };
        let text = type_field.text(&mut self.faults)?;
        let Some(value_type) = ValueType::parse(&text) else {
            let remedy = match did_you_mean(&text, &TYPES) {
                near if near.is_empty() => format!("types are {}", TYPES.join(", ")),
                near => near,
            };
            type_field.fault(&mut self.faults, format!("{text:?} is no type"), remedy);
            return None;
        };
        Some(Variable { name: name.into(), value_type, default, given, at: field.key_at, path: field.path.clone() })
    }

    fn list(&mut self, field: &Field<'_>, depth: usize) -> Vec<Step> {
        if depth > DEPTH_MAX {
            field.fault(&mut self.faults, format!("steps nest deeper than {DEPTH_MAX}"), "split the scenario");
            return Vec::new();
        }
        let items = field.list(STEPS_MAX, &mut self.faults);
        items.iter().filter_map(|item| self.step(item, depth)).collect()
    }

    fn optional_list(&mut self, fields: &mut Fields<'_>, key: &'static str, depth: usize) -> Vec<Step> {
        fields.take(key).map(|field| self.list(&field, depth + 1)).unwrap_or_default()
    }

    /// A word alone, or a map with one word and what belongs to it.
    fn step(&mut self, field: &Field<'_>, depth: usize) -> Option<Step> {
        self.steps += 1;
        if let Kind::Text(word) = &field.node.kind {
            let parameters = Node { at: field.node.at, kind: Kind::Map(Vec::new()) };
            let action = StepKind::Action { word: word.clone(), parameters, on: Vec::new(), go_on: false };
            return Some(Step { at: field.node.at, path: field.path.clone(), action });
        }
        let mut fields = field.fields(&mut self.faults)?;
        let all = fields.all();
        let mut words: Vec<_> = all.iter().filter(|(key, _)| !STEP_KEYS.contains(key)).collect();
        let mut misspelt = Vec::new();
        if words.len() > 1 {
            (misspelt, words) = words.into_iter().partition(|(key, _)| !did_you_mean(key, &STEP_KEYS).is_empty());
        }
        for (key, extra) in &misspelt {
            let remedy = did_you_mean(key, &STEP_KEYS);
            self.faults.add(extra.key_at, &extra.path, format!("{key:?} is not known"), remedy);
        }
        let [(word, body)] = words.as_slice() else {
            let (reason, at) = match words.get(1) {
                None => ("this step has no word".into(), field.node.at),
                Some((second, body)) => (format!("{second:?} is a second word in one step"), body.key_at),
            };
            self.faults.add(at, &field.path, reason, "a step is one control word or action; begin each with \"- \"");
            return None;
        };
        if let Some(note) = fields.take("note") {
            note.text(&mut self.faults);
        }
        let action = match *word {
            "if" => self.choice(body, &mut fields, depth),
            WHEN => self.when(body, &mut fields, depth),
            "menu" => self.menu(body, depth).map(StepKind::Menu),
            REPEAT => self.repeat(body, &mut fields, depth),
            RUN => body.text(&mut self.faults).map(StepKind::Scenario),
            SET => Some(StepKind::Set(self.assignments(body))),
            EVENT => self.event(body, &mut fields, depth),
            STREAM => Some(StepKind::Stream(self.filled_list(body, depth))),
            word => Some(self.action(word, body, &mut fields, depth)),
        };
        let told = |key: &str| misspelt.iter().any(|(own, _)| *own == key);
        for (key, extra) in fields.rest().into_iter().filter(|(key, _)| key != word && !told(key)) {
            let remedy = "\"on\" and \"continue\" belong to actions, \"then\" and \"else\" to if and when, \"steps\" to event and repeat";
            self.faults.add(extra.key_at, &extra.path, format!("{key:?} does not belong to {word}"), remedy);
        }
        Some(Step { at: body.key_at, path: field.path.clone(), action: action? })
    }

    fn action(&mut self, word: &str, body: &Field<'_>, fields: &mut Fields<'_>, depth: usize) -> StepKind {
        let parameters = match &body.node.kind {
            Kind::Null => Node { at: body.key_at, kind: Kind::Map(Vec::new()) },
            Kind::Map(_) => body.node.clone(),
            Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) | Kind::List(_) => {
                body.fault(&mut self.faults, "an action's parameters are a map", "write { name: value, .. }");
                body.node.clone()
            }
        };
        let on = fields.take("on").map(|field| self.branches(&field, depth)).unwrap_or_default();
        let go_on = fields.take("continue").and_then(|field| field.boolean(&mut self.faults)).unwrap_or(false);
        StepKind::Action { word: word.into(), parameters, on, go_on }
    }

    /// `event: hold`, with `steps` beside it.
    fn event(&mut self, body: &Field<'_>, fields: &mut Fields<'_>, depth: usize) -> Option<StepKind> {
        let steps = fields.need("steps", &mut self.faults).map(|field| self.filled_list(&field, depth));
        let word = body.text(&mut self.faults)?;
        let Some(occasion) = Occasion::parse(&word) else {
            let known = Occasion::ALL.map(Occasion::as_str);
            let remedy = match did_you_mean(&word, &known) {
                near if near.is_empty() => format!("events are {}", known.join(", ")),
                near => near,
            };
            body.fault(&mut self.faults, format!("{word:?} is no event"), remedy);
            return None;
        };
        Some(StepKind::Event { occasion, steps: steps? })
    }

    /// Steps, at least one.
    fn filled_list(&mut self, field: &Field<'_>, depth: usize) -> Vec<Step> {
        if matches!(&field.node.kind, Kind::List(items) if items.is_empty()) {
            field.fault(&mut self.faults, "there is no step", "write at least one");
        }
        self.list(field, depth + 1)
    }

    fn branches(&mut self, field: &Field<'_>, depth: usize) -> Vec<Branch> {
        let mut branches = Vec::new();
        for (name, field) in field.entries(&mut self.faults) {
            let steps = self.list(&field, depth + 1);
            branches.push(Branch { name: name.into(), at: field.key_at, path: field.path.clone(), steps });
        }
        branches
    }

    /// `if: "cel"`, `if: { all: [..] }` or `if: { one_of: [..] }`, with `then` and `else` beside it.
    fn choice(&mut self, body: &Field<'_>, fields: &mut Fields<'_>, depth: usize) -> Option<StepKind> {
        let (then, otherwise) = self.then_and_else(body, fields, depth);
        let (all, conditions) = if body.node.as_map().is_some() {
            let mut modes = body.fields(&mut self.faults)?;
            let (every, any) = (modes.take("all"), modes.take("one_of"));
            modes.finish(&mut self.faults);
            match (every, any) {
                (Some(list), None) => (true, list.list(CONDITIONS_MAX, &mut self.faults)),
                (None, Some(list)) => (false, list.list(CONDITIONS_MAX, &mut self.faults)),
                (Some(_), Some(_)) | (None, None) => {
                    body.fault(&mut self.faults, "either \"all\" or \"one_of\" holds the conditions", "");
                    return None;
                }
            }
        } else {
            (true, vec![body.clone()])
        };
        if conditions.is_empty() {
            body.fault(&mut self.faults, "there is no condition", "write at least one CEL expression");
        }
        let conditions = conditions.iter().filter_map(|field| self.condition(field)).collect();
        Some(StepKind::If { all, conditions, then, otherwise })
    }

    fn condition(&mut self, field: &Field<'_>) -> Option<Condition> {
        let text = match &field.node.kind {
            Kind::Boolean(value) => value.to_string(),
            Kind::Null | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => {
                field.text(&mut self.faults)?
            }
        };
        Some(Condition { text, at: field.node.at, path: field.path.clone() })
    }

    /// What happens one way and the other; one of them at least is told.
    fn then_and_else(&mut self, body: &Field<'_>, fields: &mut Fields<'_>, depth: usize) -> (Vec<Step>, Vec<Step>) {
        let then = fields.take("then").map(|field| self.list(&field, depth + 1));
        let otherwise = fields.take("else").map(|field| self.list(&field, depth + 1));
        if then.is_none() && otherwise.is_none() {
            let reason = "neither \"then\" nor \"else\" says what happens";
            self.faults.add(body.key_at, &body.path, reason, "add \"then:\"");
        }
        (then.unwrap_or_default(), otherwise.unwrap_or_default())
    }

    /// `when: calendar`, `when: { days: [mon-fri], from: "09:00", to: "18:00" }`, with `then` and `else` beside it.
    fn when(&mut self, body: &Field<'_>, fields: &mut Fields<'_>, depth: usize) -> Option<StepKind> {
        let (then, otherwise) = self.then_and_else(body, fields, depth);
        Some(StepKind::When { asked: Asked::read(body, &mut self.faults)?, then, otherwise })
    }

    /// `repeat: 3` or `repeat: { times: 3, until: condition }`, with `steps` beside it.
    fn repeat(&mut self, body: &Field<'_>, fields: &mut Fields<'_>, depth: usize) -> Option<StepKind> {
        let steps = fields.need("steps", &mut self.faults).map(|field| self.filled_list(&field, depth));
        let (times, until) = if body.node.as_map().is_some() {
            let mut inner = body.fields(&mut self.faults)?;
            let times = inner.need("times", &mut self.faults);
            let until = inner.take("until").and_then(|field| self.condition(&field));
            inner.finish(&mut self.faults);
            (times.and_then(|field| field.integer(1..=ROUNDS_MAX, &mut self.faults)), until)
        } else {
            (body.integer(1..=ROUNDS_MAX, &mut self.faults), None)
        };
        Some(StepKind::Repeat { times: u32::try_from(times?).ok()?, until, steps: steps? })
    }

    fn menu(&mut self, body: &Field<'_>, depth: usize) -> Option<Menu> {
        const SECOND: Duration = Duration::from_secs(1);
        let mut fields = body.fields(&mut self.faults)?;
        let faults = &mut self.faults;
        let prompt = fields
            .take("prompt")
            .and_then(|field| Some(Said { text: field.text(faults)?, at: field.node.at, path: field.path.clone() }));
        let extensions = fields.take("extensions").and_then(|field| field.boolean(faults)).unwrap_or(false);
        let mut whole = |key, range, otherwise| {
            fields
                .take(key)
                .and_then(|field| field.integer(range, faults))
                .and_then(|n| u8::try_from(n).ok())
                .unwrap_or(otherwise)
        };
        let digits_max = whole("digits", 1..=16, 8);
        let repeats = whole("repeats", 0..=10, 2);
        let first_digit =
            fields.take("first_digit").and_then(|field| field.duration(SECOND / 10..=120 * SECOND, faults));
        let inter_digit =
            fields.take("inter_digit").and_then(|field| field.duration(SECOND / 10..=30 * SECOND, faults));
        let keys = fields.take("keys").map(|field| self.branches(&field, depth)).unwrap_or_default();
        let menu = Menu {
            prompt,
            extensions,
            digits_max,
            repeats,
            first_digit: first_digit.unwrap_or(5 * SECOND),
            inter_digit: inter_digit.unwrap_or(2 * SECOND),
            invalid: self.optional_list(&mut fields, "invalid", depth),
            nothing: self.optional_list(&mut fields, "nothing", depth),
            unanswered: self.optional_list(&mut fields, "unanswered", depth),
            keys,
        };
        fields.finish(&mut self.faults);
        self.menu_keys(&menu, body);
        Some(menu)
    }

    fn menu_keys(&mut self, menu: &Menu, body: &Field<'_>) {
        if menu.keys.len() > KEYS_MAX {
            body.fault(&mut self.faults, format!("{} keys are too many, at most {KEYS_MAX}", menu.keys.len()), "");
        }
        if menu.keys.is_empty() && !menu.extensions {
            body.fault(&mut self.faults, "the menu has no key", "add \"keys:\" or \"extensions: true\"");
        }
        for key in &menu.keys {
            let fits = (1..=KEY_LEN_MAX).contains(&key.name.len());
            if !fits || !key.name.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#')) {
                let reason = format!("{:?} is no key", key.name);
                self.faults.add(key.at, &key.path, reason, "a key is 1 to 8 of 0-9 * #, in quotes");
            }
            if key.name.len() > 1 && key.name.contains('#') {
                let reason = format!("the code {:?} cannot be keyed: # ends a code", key.name);
                self.faults.add(key.at, &key.path, reason, "use # alone, or leave it out");
            }
        }
    }

    fn assignments(&mut self, body: &Field<'_>) -> Vec<Assignment> {
        let mut list = Vec::new();
        for (name, field) in body.entries(&mut self.faults) {
            if !is_variable_name(name) {
                self.faults.add(field.key_at, &field.path, format!("{name:?} is no name of a variable"), NAME_REMEDY);
            }
            let value = field.node.clone();
            list.push(Assignment { name: name.into(), value, at: field.key_at, path: field.path.clone() });
        }
        if list.is_empty() {
            body.fault(&mut self.faults, "nothing is set", "write { variable: value }");
        }
        list
    }
}

const NAME_REMEDY: &str = "1 to 64 of a-z 0-9 _, not beginning with a digit";

/// Whether a text can name a variable.
pub(crate) fn is_variable_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'))
}
