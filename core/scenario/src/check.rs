//! The checker: it makes a program of a document, or lists everything that is wrong with it.

mod runs;

use crate::condition::Condition;
use crate::document::{self, Assignment, Branch, CONTROL_WORDS, Document, StepKind};
use crate::flow::{Flow, Types};
use crate::interpreter::{CALL_GROUP, CALL_USER, COLLECT};
use crate::program::{Act, ListId, Menu, Parameter, Program, Run, Source, Step};
use crate::template::Template;
use crate::{ANSWER, Action, ActionCatalogue, DENIED, FAILED, Fault, Occasion, Resolver, parameter};
use plugboard_document::{Faults, Kind, Mark, Node, did_you_mean};
use plugboard_model::{OfficeId, ScenarioId, Value, ValueType};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What an action may do by which a caller hears something, or somebody is rung for him.
const HEARD: [&str; 6] = ["call", "conference", "dial", "fax", "queue", "voicemail"];
/// An action during which nothing is heard unless this parameter is given: who was not answered is not answered for it.
const SILENT_WITHOUT: (&str, &str) = ("wait", "music");

/// Lists what is wrong with a document: unknown words and outcomes, parameters that an action refuses, variables that are
/// unknown, unassigned on some way to their use or of another type, steps that are never reached, users, groups and
/// audio that the office does not have.
pub fn check(
    document: &Document,
    office: &OfficeId,
    catalogue: &ActionCatalogue,
    resolver: &dyn Resolver,
) -> Vec<Fault> {
    compile(document, office, catalogue, resolver).err().unwrap_or_default()
}

/// Checks a document and makes the program that calls run.
///
/// # Errors
/// What [`check`] lists.
pub fn compile(
    document: &Document,
    office: &OfficeId,
    catalogue: &ActionCatalogue,
    resolver: &dyn Resolver,
) -> Result<Arc<Program>, Vec<Fault>> {
    translate(document, office, catalogue, resolver, true)
}

/// Reads a document that stands inside another one, and compiles it. As [`Document::read`] and [`compile`], but what is
/// wrong with its form does not hide what is wrong with the rest.
///
/// # Errors
/// Every fault of both kinds.
pub fn build(
    file: &str,
    node: &Node,
    office: &OfficeId,
    catalogue: &ActionCatalogue,
    resolver: &dyn Resolver,
) -> Result<Arc<Program>, Vec<Fault>> {
    examined(file, Document::examine(file, node), office, catalogue, resolver)
}

/// As [`build`], of what [`plugboard_document::examine`] found: what is wrong with its YAML does not hide what is wrong with
/// the rest either.
///
/// # Errors
/// As [`build`].
pub fn build_examined(
    file: &str,
    (node, mut faults): (Option<Node>, Vec<Fault>),
    office: &OfficeId,
    catalogue: &ActionCatalogue,
    resolver: &dyn Resolver,
) -> Result<Arc<Program>, Vec<Fault>> {
    let Some(node) = node else { return Err(faults) };
    let (document, more) = Document::examine(file, &node);
    faults.extend(more);
    examined(file, (document, faults), office, catalogue, resolver)
}

fn examined(
    file: &str,
    (document, faults): (Option<Document>, Vec<Fault>),
    office: &OfficeId,
    catalogue: &ActionCatalogue,
    resolver: &dyn Resolver,
) -> Result<Arc<Program>, Vec<Fault>> {
    let Some(document) = document else { return Err(faults) };
    if faults.is_empty() {
        return compile(&document, office, catalogue, resolver);
    }
    // Every use of a variable that has a fault itself would be a second one.
    let more = if faults.iter().any(|fault| fault.path.starts_with("variables")) {
        Vec::new()
    } else {
        translate(&document, office, catalogue, resolver, false).err().unwrap_or_default()
    };
    let mut all = Faults::new(file);
    all.extend(faults.into_iter().chain(more));
    Err(all.into_sorted())
}

/// As [`compile`]; a document that is not whole gets no word about variables that nobody assigns, since a step that
/// could not be read may do it.
fn translate(
    document: &Document,
    office: &OfficeId,
    catalogue: &ActionCatalogue,
    resolver: &dyn Resolver,
    whole: bool,
) -> Result<Arc<Program>, Vec<Fault>> {
    let mut faults = Faults::new(Arc::clone(&document.file));
    let types = Types::collect(document, catalogue, resolver, whole, &mut faults);
    let mut variables = BTreeMap::new();
    let mut flow = Flow::start();
    for variable in &document.variables {
        let default = variable.default.as_ref().and_then(|node| {
            let value = read_value(node, variable.value_type, resolver);
            if value.is_none() {
                let reason = format!("{} is no value of type {}", node.kind_name(), variable.value_type.as_str());
                faults.add(
                    node.at,
                    &variable.path,
                    reason,
                    "users, groups and contacts are written by id or number and must exist",
                );
            }
            value
        });
        if variable.default.is_some() || variable.given {
            flow.assign(&variable.name);
        }
        variables.insert(variable.name.clone(), (variable.value_type, default));
    }
    let mut compiler = Compiler {
        catalogue,
        resolver,
        types,
        faults,
        lists: vec![Vec::new()],
        prefix: String::new(),
        running: vec![document.name.to_string()],
        ran: BTreeMap::new(),
        runs: 0,
        told: false,
    };
    let main = compiler.list(&document.steps, &mut flow);
    let silence = flow.silence().map(<[String]>::to_vec);
    let Compiler { faults, lists, ran, .. } = compiler;
    let faults = faults.into_sorted();
    if !faults.is_empty() {
        return Err(faults);
    }
    for variable in ran.values().flat_map(|document| &document.variables) {
        variables.entry(variable.name.clone()).or_insert((variable.value_type, None));
    }
    let id = ScenarioId { office: office.clone(), name: document.name.clone() };
    let mut version = Sha256::new_with_prefix(document.canonical.as_bytes());
    for document in ran.values() {
        version.update(document.canonical.as_bytes());
    }
    let version = version.finalize().into();
    let needs =
        document.variables.iter().filter(|variable| variable.given).map(|variable| variable.name.clone()).collect();
    let title = document.title.clone();
    Ok(Arc::new(Program { id, version, title, variables, lists, main, needs, silence }))
}

/// A document's value as a value of a type; times cannot be written.
fn read_value(node: &Node, value_type: ValueType, resolver: &dyn Resolver) -> Option<Value> {
    match (value_type, &node.kind) {
        (ValueType::Text, _) => node.as_text().map(|text| Value::Text(text.into())),
        (ValueType::Number, Kind::Integer(number, _)) => Some(Value::Number(*number)),
        (ValueType::Boolean, Kind::Boolean(boolean)) => Some(Value::Boolean(*boolean)),
        (ValueType::User, _) => resolver.user(node.as_text()?).map(Value::User),
        (ValueType::Group, _) => resolver.group(node.as_text()?).map(Value::Group),
        (ValueType::Contact, _) => resolver.contact(node.as_text()?).map(|contact| Value::Contact(Box::new(contact))),
        (ValueType::Texts, Kind::List(items)) if items.len() <= crate::variables::LIST_MAX => {
            items.iter().map(|item| item.as_text().map(Into::into)).collect::<Option<_>>().map(Value::Texts)
        }
        (ValueType::Users, Kind::List(items)) if items.len() <= crate::variables::LIST_MAX => {
            items.iter().map(|item| resolver.user(item.as_text()?)).collect::<Option<_>>().map(Value::Users)
        }
        (
            ValueType::Number | ValueType::Boolean | ValueType::Time | ValueType::Texts | ValueType::Users,
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(..)
            | Kind::Decimal(..)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_),
        ) => None,
    }
}

/// What was probably meant, or else what there is.
pub(crate) fn near_or(word: &str, known: &[&str], otherwise: impl FnOnce() -> String) -> String {
    let near = did_you_mean(word, known);
    if near.is_empty() { otherwise() } else { near }
}

struct Compiler<'c> {
    catalogue: &'c ActionCatalogue,
    resolver: &'c dyn Resolver,
    types: Types,
    faults: Faults,
    /// The first one is empty: [`ListId::NOTHING`].
    lists: Vec<Vec<Step>>,
    /// The way to the step that runs these, if another scenario's does.
    prefix: String,
    /// The scenarios that run each other, down to this one.
    running: Vec<String>,
    /// Those that were run, by name.
    ran: BTreeMap<String, Document>,
    /// How often.
    runs: usize,
    /// That it is too often was told.
    told: bool,
}

impl Compiler<'_> {
    fn list(&mut self, steps: &[document::Step], flow: &mut Flow) -> ListId {
        if steps.is_empty() {
            return ListId::NOTHING;
        }
        let mut compiled = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            if place > 0 && !flow.reached() {
                let reason = "this step is never reached: the call is over before it";
                self.faults.add(step.at, &step.path, reason, "take it out, or move it up");
                // What is wrong in the rest is told as well, without a second word on this.
                flow.reach();
            }
            compiled.extend(self.step(step, flow));
        }
        self.lists.push(compiled);
        ListId(self.lists.len() - 1)
    }

    fn step(&mut self, step: &document::Step, flow: &mut Flow) -> Option<Step> {
        let (word, act) = match &step.action {
            StepKind::Action { word, parameters, on, go_on } => {
                (word.as_str(), Act::Run(self.action(step, word, parameters, on, *go_on, flow)?))
            }
            StepKind::If { all, conditions, then, otherwise } => {
                ("if", self.choice(step, *all, conditions, then, otherwise, flow))
            }
            StepKind::When { asked, then, otherwise } => {
                let known = self.resolver.calendars();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let find = |name: &str| self.resolver.calendar(name);
                let schedule = asked.resolve(self.resolver.zone(), &find, &known, &mut self.faults);
                let (mut yes, mut no) = (flow.clone(), flow.clone());
                yes.decide(|| self.decided(step, "then"));
                no.decide(|| self.decided(step, "else"));
                let (then, otherwise) = self.either(then, yes, otherwise, no, flow);
                ("when", Act::When { schedule: schedule?, then, otherwise })
            }
            StepKind::Menu(menu) => ("menu", Act::Menu(self.menu(step, menu, flow))),
            StepKind::Scenario(name) => ("run", Act::Scenario(self.scenario(step, name, flow)?)),
            StepKind::Repeat { times, until, steps } => ("repeat", self.repeat(*times, until.as_ref(), steps, flow)),
            StepKind::Set(assignments) => ("set", Act::Set(self.set(assignments, flow))),
            StepKind::Event { occasion, steps } => {
                if *occasion == Occasion::HangUp {
                    self.only_after_the_call(steps);
                }
                ("event", Act::Event { occasion: *occasion, list: self.list(steps, &mut flow.at_event()) })
            }
            StepKind::Stream(steps) => {
                let mut beside = flow.clone();
                let list = self.list(steps, &mut beside);
                // It begins at once: what is heard on each of its ways is heard.
                if beside.silence().is_none() {
                    flow.hear();
                }
                ("stream", Act::Stream(list))
            }
        };
        Some(Step { path: format!("{}{}", self.prefix, step.path), word: word.into(), act })
    }

    /// What is decided at a step, as the journals of calls have it.
    fn decided(&self, step: &document::Step, branch: &str) -> String {
        format!("{}{}: {branch}", self.prefix, step.path)
    }

    fn action(
        &mut self,
        step: &document::Step,
        word: &str,
        parameters: &Node,
        on: &[Branch],
        go_on: bool,
        flow: &mut Flow,
    ) -> Option<Run> {
        let Some(action) = self.catalogue.get(word).cloned() else {
            self.unknown_word(step, word);
            return None;
        };
        let compiled = self.parameters(step, &action, parameters, flow);
        let occasions: Vec<&str> = action.occasions().into_iter().map(Occasion::as_str).collect();
        let knows = |name: &str| action.has_outcome(name) || occasions.contains(&name);
        for branch in on.iter().filter(|branch| !knows(&branch.name)) {
            let outcomes = action.outcomes.iter().map(String::as_str).chain([FAILED, DENIED]);
            let known: Vec<&str> = outcomes.chain(occasions.iter().copied()).collect();
            let reason = format!("{word} has no outcome {:?}", branch.name);
            let remedy = near_or(&branch.name, &known, || format!("it has {}", known.join(", ")));
            self.faults.add(branch.at, &branch.path, reason, remedy);
        }
        if !action.blocking && !on.is_empty() {
            let reason = format!("{word} runs beside the script: nothing can hang on its outcome");
            self.faults.add(step.at, &step.path, reason, "take \"on\" out");
        }
        if go_on && !action.has_outcome(ANSWER) {
            let reason = format!("\"continue\" needs an action with the outcome {ANSWER}, {word} has none");
            self.faults.add(step.at, &step.path, reason, "take it out");
        }
        let beside = |compiler: &mut Self, occasion: Occasion| {
            let branch = on.iter().find(|branch| branch.name == occasion.as_str())?;
            if !action.occasions().contains(&occasion) || branch.steps.is_empty() {
                return None;
            }
            if occasion == Occasion::HangUp && !go_on {
                compiler.only_after_the_call(&branch.steps);
            }
            Some(compiler.list(&branch.steps, &mut flow.at_event()))
        };
        let (ringing, hang_up) = (beside(self, Occasion::Ringing), beside(self, Occasion::HangUp));
        let on = self.outcomes(step, &action, parameters, on, go_on, flow);
        Some(Run {
            parameters: compiled,
            on,
            ringing,
            hang_up,
            go_on,
            blocking: action.blocking,
            ends_scenario: action.ends_scenario(),
        })
    }

    /// The steps on each outcome, and what is known after all of them.
    fn outcomes(
        &mut self,
        step: &document::Step,
        action: &Action,
        parameters: &Node,
        on: &[Branch],
        go_on: bool,
        flow: &mut Flow,
    ) -> BTreeMap<String, ListId> {
        let is_silent = action.name == SILENT_WITHOUT.0 && parameters.get(SILENT_WITHOUT.1).is_none();
        if !is_silent && action.capabilities.iter().any(|capability| HEARD.contains(&capability.as_str())) {
            flow.hear();
        }
        let mut lists = BTreeMap::new();
        let mut after = Flow::never();
        for outcome in action.outcomes.iter().map(String::as_str).chain([FAILED, DENIED]) {
            // Without steps of its own it is as any other failure.
            if outcome == DENIED && !on.iter().any(|branch| branch.name == DENIED) {
                continue;
            }
            let mut branch = flow.clone();
            branch.decide(|| self.decided(step, outcome));
            for set in action.sets.iter().filter(|set| set.after.iter().any(|after| after == outcome)) {
                branch.assign(&set.name);
            }
            for assigned in parameter::assigned(action, parameters).iter().filter(|one| one.is_after(outcome)) {
                branch.assign(assigned.name);
            }
            if let Some(steps) = on.iter().find(|branch| branch.name == outcome) {
                let list = self.list(&steps.steps, &mut branch);
                lists.insert(outcome.to_owned(), list);
            }
            // After the conversation the caller is hung up, unless the step says otherwise.
            if outcome != ANSWER || go_on {
                after.join(&branch);
            }
        }
        if action.ends_scenario() {
            flow.end();
        } else if action.blocking {
            *flow = after;
        }
        lists
    }

    /// Steps on the hanging up find nobody to play to, to ask or to put through.
    fn only_after_the_call(&mut self, steps: &[document::Step]) {
        for step in steps {
            let in_vain = match &step.action {
                StepKind::Action { word, .. } => {
                    let action = self.catalogue.get(word);
                    action.filter(|action| action.ends_scenario() || action.has_outcome(ANSWER)).map(|_| word.as_str())
                }
                StepKind::Menu(_) => Some("menu"),
                StepKind::Event { .. } => Some("event"),
                // Its steps are written for a call that goes on.
                StepKind::Scenario(_) => Some("run"),
                StepKind::If { .. }
                | StepKind::When { .. }
                | StepKind::Repeat { .. }
                | StepKind::Stream(_)
                | StepKind::Set(_) => None,
            };
            if let Some(word) = in_vain {
                let reason = format!("{word} does nothing here: the call is over");
                self.faults.add(step.at, &step.path, reason, "take it out");
            }
            if !matches!(step.action, StepKind::Menu(_) | StepKind::Event { .. }) {
                for list in step.action.lists() {
                    self.only_after_the_call(list);
                }
            }
        }
    }

    fn unknown_word(&mut self, step: &document::Step, word: &str) {
        let actions: Vec<&str> = self.catalogue.iter().map(|action| action.name.as_str()).collect();
        let words = [CONTROL_WORDS.as_slice(), actions.as_slice()].concat();
        let list = || format!("control words: {}; actions: {}", CONTROL_WORDS.join(", "), actions.join(", "));
        let reason = format!("{word:?} is neither a control word nor an action");
        self.faults.add(step.at, &step.path, reason, near_or(word, &words, list));
    }

    fn parameters(
        &mut self,
        step: &document::Step,
        action: &Action,
        node: &Node,
        flow: &Flow,
    ) -> Vec<(String, Parameter)> {
        let path = format!("{}.{}", step.path, action.name);
        let mut checker =
            parameter::Checker { types: &self.types, flow, resolver: self.resolver, faults: &mut self.faults };
        checker.check(action, node, step.at, &path)
    }

    fn choice(
        &mut self,
        step: &document::Step,
        all: bool,
        conditions: &[document::Condition],
        then: &[document::Step],
        otherwise: &[document::Step],
        flow: &mut Flow,
    ) -> Act {
        let mut compiled = Vec::new();
        let (mut yes, mut no) = (flow.clone(), flow.clone());
        yes.decide(|| self.decided(step, "then"));
        no.decide(|| self.decided(step, "else"));
        let alone = conditions.len() == 1;
        for condition in conditions {
            // With "all", each condition is decided after those before it were true.
            let Some(expression) = self.condition(condition, if all { &yes } else { &*flow }) else { continue };
            match expression.proves() {
                Some((name, true)) if all || alone => yes.assign(name),
                Some((name, false)) if alone => no.assign(name),
                Some(_) | None => {}
            }
            compiled.push(expression);
        }
        let (then, otherwise) = self.either(then, yes, otherwise, no, flow);
        Act::If { all, conditions: compiled, then, otherwise }
    }

    /// Two ways that meet again.
    fn either(
        &mut self,
        then: &[document::Step],
        mut yes: Flow,
        otherwise: &[document::Step],
        mut no: Flow,
        flow: &mut Flow,
    ) -> (ListId, ListId) {
        let lists = (self.list(then, &mut yes), self.list(otherwise, &mut no));
        *flow = Flow::never();
        flow.join(&yes);
        flow.join(&no);
        lists
    }

    /// What the first round assigns is known in those after it, and after them all.
    fn repeat(
        &mut self,
        times: u32,
        until: Option<&document::Condition>,
        steps: &[document::Step],
        flow: &mut Flow,
    ) -> Act {
        let list = self.list(steps, flow);
        let until = until.and_then(|condition| self.condition(condition, flow));
        Act::Repeat { times, until, list }
    }

    /// A condition in CEL; what it uses must have a value where `known` says.
    fn condition(&mut self, condition: &document::Condition, known: &Flow) -> Option<Condition> {
        let strange = Cell::new(false);
        let type_of = |name: &str| {
            let found = self.types.get(name);
            strange.set(strange.get() || found.is_none());
            found
        };
        match Condition::compile(&condition.text, &type_of) {
            Ok(expression) => {
                self.uses(expression.uses().iter().map(String::as_str), condition.at, &condition.path, known);
                return Some(expression);
            }
            // What nobody assigns may be assigned by a step that could not be read.
            Err(_) if strange.get() && !self.types.whole() => {}
            Err(reason) => self.faults.add(condition.at, &condition.path, reason, "conditions are CEL expressions"),
        }
        None
    }

    fn menu(&mut self, step: &document::Step, menu: &document::Menu, flow: &mut Flow) -> Menu {
        let collect = self.collect(step, menu);
        if menu.extensions {
            for word in [CALL_USER, CALL_GROUP].into_iter().filter(|word| self.catalogue.get(word).is_none()) {
                let reason = format!("\"extensions\" needs the action {word}, which is not installed");
                self.faults.add(step.at, &step.path, reason, "");
            }
        }
        flow.hear();
        let before = flow.clone();
        *flow = Flow::never();
        let mut branch = |compiler: &mut Self, steps: &[document::Step], digits: bool| {
            let mut own = before.clone();
            if digits {
                own.assign(COLLECT.1);
            }
            let list = compiler.list(steps, &mut own);
            flow.join(&own);
            list
        };
        let keys = menu.keys.iter().map(|key| (key.name.clone(), branch(self, &key.steps, true))).collect();
        let invalid = branch(self, &menu.invalid, true);
        let nothing = branch(self, &menu.nothing, false);
        let unanswered = if menu.extensions { branch(self, &menu.unanswered, true) } else { ListId::NOTHING };
        Menu { collect, keys, extensions: menu.extensions, repeats: menu.repeats, invalid, nothing, unanswered }
    }

    /// What the action that collects digits is told: those of its parameters that a menu knows.
    fn collect(&mut self, step: &document::Step, menu: &document::Menu) -> Vec<(String, Parameter)> {
        let Some(action) = self.catalogue.get(COLLECT.0).cloned() else {
            let reason = format!("a menu needs the action {}, which is not installed", COLLECT.0);
            self.faults.add(step.at, &step.path, reason, "");
            return Vec::new();
        };
        let prompt = menu.prompt.as_ref().map(|prompt| {
            if !self.resolver.has_prompt(&prompt.text) {
                let reason = format!("the office has no prompt {:?}", prompt.text);
                self.faults.add(prompt.at, &prompt.path, reason, "");
            }
            Json::from(prompt.text.as_str())
        });
        let longest = menu.keys.iter().map(|key| key.name.len()).max().unwrap_or(1);
        let most = if menu.extensions { longest.max(usize::from(menu.digits_max)) } else { longest };
        // "#" ends the input, unless it is a key or one digit is all that is asked for.
        let end_digit = most > 1 && !menu.keys.iter().any(|key| key.name == "#");
        let span = |time: Duration| Json::from(format!("{}ms", time.as_millis()));
        let offered = [
            ("prompt", prompt),
            ("max_digits", Some(Json::from(most))),
            ("first_digit", Some(span(menu.first_digit))),
            ("inter_digit", Some(span(menu.inter_digit))),
            ("end_digit", Some(Json::from(if end_digit { "#" } else { "" }))),
        ];
        let known = |name: &str| action.parameters.pointer(&format!("/properties/{name}")).is_some();
        offered
            .into_iter()
            .filter(|(name, _)| known(name))
            .filter_map(|(name, value)| Some((name.to_owned(), Parameter::Fixed(value?))))
            .collect()
    }

    fn set(&mut self, assignments: &[Assignment], flow: &mut Flow) -> Vec<(String, Source)> {
        let mut list = Vec::new();
        for assignment in assignments {
            if let Some(source) = self.assignment(assignment, flow) {
                list.push((assignment.name.clone(), source));
            }
            flow.assign(&assignment.name);
        }
        list
    }

    fn assignment(&mut self, assignment: &Assignment, flow: &Flow) -> Option<Source> {
        let Assignment { name, value, at, path } = assignment;
        let wanted = self.types.get(name)?;
        if let Kind::Text(text) = &value.kind {
            let template = match Template::parse(text) {
                Ok(template) => template,
                Err(reason) => {
                    self.faults.add(value.at, path, reason, "write {{ and }} for braces");
                    return None;
                }
            };
            self.types.uses_of(&template, *at, path, flow, &mut self.faults);
            if let Some(other) = template.only_variable() {
                if let Some(given) = self.types.get(other).filter(|given| *given != wanted) {
                    let reason = format!("{name} is of type {}, {other} of type {}", wanted.as_str(), given.as_str());
                    self.faults.add(value.at, path, reason, "");
                }
                return Some(Source::Variable(other.into()));
            }
            if wanted == ValueType::Text {
                return Some(Source::Text(template));
            }
        }
        let read = read_value(value, wanted, self.resolver);
        if read.is_none() {
            let reason = format!("{name} is of type {}, this is {}", wanted.as_str(), value.kind_name());
            self.faults.add(
                value.at,
                path,
                reason,
                "users, groups and contacts are written by id or number and must exist",
            );
        }
        read.map(Source::Fixed)
    }

    fn uses<'n>(&mut self, names: impl Iterator<Item = &'n str>, at: Mark, path: &str, flow: &Flow) {
        for name in names {
            self.types.uses(name, at, path, flow, &mut self.faults);
        }
    }
}
