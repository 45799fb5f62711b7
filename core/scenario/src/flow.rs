//! Which variables a document knows, of which type, and which of them have a value at a step.

use crate::check::near_or;
use crate::contact::unknown_field;
use crate::document::{Document, Step, StepKind};
use crate::interpreter::COLLECT;
use crate::template::Template;
use crate::{ActionCatalogue, EVENT_VARIABLES, Resolver, SWITCH_VARIABLES, parameter};
use plugboard_document::{Faults, Kind, Mark, Node};
use plugboard_model::ValueType;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Switch variables that have a value in every call.
const ALWAYS: [&str; 6] = ["caller_number", "caller_name", "called_number", "call_id", "language", "agent_name"];

/// What the steps of a document are looked up in.
struct Lookup<'l> {
    catalogue: &'l ActionCatalogue,
    resolver: &'l dyn Resolver,
    /// The scenarios that run each other, down to this one.
    running: Vec<String>,
    /// What was found of those that are done.
    found: BTreeMap<String, BTreeMap<String, ValueType>>,
}

/// The type of every variable of a document.
#[derive(Debug)]
pub(crate) struct Types {
    known: BTreeMap<String, ValueType>,
    /// Nothing of the document is missing.
    whole: bool,
}

impl Types {
    /// Gathers the switch's variables, the declared ones, and those that steps assign, in the document's order. One that
    /// two places give different types is a fault.
    pub(crate) fn collect(
        document: &Document,
        catalogue: &ActionCatalogue,
        resolver: &dyn Resolver,
        whole: bool,
        faults: &mut Faults,
    ) -> Self {
        let mut types = Self::declared(document, whole, faults);
        let mut lookup =
            Lookup { catalogue, resolver, running: vec![document.name.to_string()], found: BTreeMap::new() };
        types.steps(&document.steps, &mut lookup, faults);
        types
    }

    fn declared(document: &Document, whole: bool, faults: &mut Faults) -> Self {
        let own = SWITCH_VARIABLES.iter().chain(&EVENT_VARIABLES);
        let known = own.map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        let mut types = Self { known, whole };
        for variable in &document.variables {
            if is_own(&variable.name) {
                let reason = format!("{} is the switch's own variable", variable.name);
                faults.add(variable.at, &variable.path, reason, "take another name");
            } else {
                types.known.insert(variable.name.clone(), variable.value_type);
            }
        }
        types
    }

    /// The variables of a scenario that a step runs are those of this one, too.
    fn run(&mut self, name: &str, step: &Step, lookup: &mut Lookup<'_>, faults: &mut Faults) {
        if lookup.running.iter().any(|running| running == name) {
            return;
        }
        if !lookup.found.contains_key(name) {
            let Some(document) = lookup.resolver.scenario(name) else { return };
            // Its own faults are told with itself.
            let mut own = Faults::new(Arc::clone(&document.file));
            let mut inner = Self::declared(&document, true, &mut own);
            lookup.running.push(name.into());
            inner.steps(&document.steps, lookup, &mut own);
            lookup.running.pop();
            lookup.found.insert(name.into(), inner.known);
        }
        let known = lookup.found.get(name).cloned().unwrap_or_default();
        for (name, value_type) in known.into_iter().filter(|(name, _)| !is_own(name)) {
            self.add(&name, value_type, step.at, &step.path, faults);
        }
    }

    /// Notes the fault when a variable that is to get a value of its own type has none.
    fn declares(&self, name: &str, at: Mark, path: &str, faults: &mut Faults) {
        if is_own(name) {
            faults.add(at, path, format!("{name} is the switch's own variable"), "take another name");
        } else if self.whole && self.get(name).is_none() {
            let reason = format!("nobody knows of which type {name:?} is to be");
            faults.add(at, path, reason, format!("declare it: `variables: {{ {name}: text }}`, or of another type"));
        }
    }

    /// The type of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<ValueType> {
        self.known.get(name).copied()
    }

    /// Whether nothing of the document is missing, so that what is not known here is known nowhere.
    pub(crate) fn whole(&self) -> bool {
        self.whole
    }

    /// Notes the fault when a variable is not known, or has no value on some way to here (R15).
    pub(crate) fn uses(&self, name: &str, at: Mark, path: &str, flow: &Flow, faults: &mut Faults) {
        if !self.whole {
            return;
        }
        if self.get(name).is_none() {
            let known: Vec<&str> = self.known.keys().map(String::as_str).collect();
            let remedy = near_or(name, &known, || format!("known: {}", known.join(", ")));
            faults.add(at, path, format!("there is no variable {name:?}"), remedy);
        } else if !flow.has(name) {
            let reason = format!("{name} may have no value here");
            let only_there = if EVENT_VARIABLES.iter().any(|(own, _)| *own == name) {
                "it has one in the steps at an event alone"
            } else {
                "assign it on every way to this step"
            };
            faults.add(at, path, reason, format!("{only_there}, or ask \"assigned({name})\" first"));
        }
    }

    /// ... of every variable of a template, and when one is asked for a field that it does not have.
    pub(crate) fn uses_of(&self, template: &Template, at: Mark, path: &str, flow: &Flow, faults: &mut Faults) {
        for name in template.variables() {
            self.uses(name, at, path, flow, faults);
        }
        for (name, field) in template.fields() {
            if let Some(reason) = self.get(name).and_then(|value_type| unknown_field(name, value_type, field)) {
                faults.add(at, path, reason, "");
            }
        }
    }

    fn steps(&mut self, steps: &[Step], lookup: &mut Lookup<'_>, faults: &mut Faults) {
        for step in steps {
            match &step.action {
                StepKind::Action { word, parameters, .. } => {
                    if let Some(action) = lookup.catalogue.get(word) {
                        for set in &action.sets {
                            self.add(&set.name, set.value_type, step.at, &step.path, faults);
                        }
                        for assigned in parameter::assigned(action, parameters) {
                            match assigned.value_type {
                                Some(value_type) => {
                                    self.add(assigned.name, value_type, parameters.at, &step.path, faults);
                                }
                                None => self.declares(assigned.name, assigned.at, &step.path, faults),
                            }
                        }
                    }
                }
                StepKind::Menu(_) => self.add(COLLECT.1, ValueType::Text, step.at, &step.path, faults),
                StepKind::Scenario(name) => self.run(name, step, lookup, faults),
                StepKind::Set(assignments) => {
                    for assignment in assignments {
                        let declared = self.get(&assignment.name).filter(|_| !is_own(&assignment.name));
                        let value_type = declared.unwrap_or_else(|| self.type_of_value(&assignment.value));
                        self.add(&assignment.name, value_type, assignment.at, &assignment.path, faults);
                    }
                }
                StepKind::If { .. }
                | StepKind::When { .. }
                | StepKind::Repeat { .. }
                | StepKind::Event { .. }
                | StepKind::Stream(_) => {}
            }
            for list in step.action.lists() {
                self.steps(list, lookup, faults);
            }
        }
    }

    fn add(&mut self, name: &str, value_type: ValueType, at: Mark, path: &str, faults: &mut Faults) {
        if is_own(name) {
            faults.add(
                at,
                path,
                format!("{name} is the switch's own variable and cannot be assigned"),
                "take another name",
            );
            return;
        }
        let known = *self.known.entry(name.into()).or_insert(value_type);
        if known != value_type {
            let reason =
                format!("{name} is of type {} here and of type {} elsewhere", value_type.as_str(), known.as_str());
            faults.add(at, path, reason, "take two names");
        }
    }

    /// The type that a `set` gives to a variable that is not declared.
    fn type_of_value(&self, value: &Node) -> ValueType {
        match &value.kind {
            Kind::Boolean(_) => ValueType::Boolean,
            Kind::Integer(..) => ValueType::Number,
            Kind::List(_) => ValueType::Texts,
            Kind::Text(text) => Template::parse(text)
                .ok()
                .and_then(|template| self.get(template.only_variable()?))
                .unwrap_or(ValueType::Text),
            Kind::Null | Kind::Decimal(..) | Kind::Map(_) => ValueType::Text,
        }
    }
}

/// Whether a variable is the switch's.
pub(crate) fn is_own(name: &str) -> bool {
    SWITCH_VARIABLES.iter().chain(&EVENT_VARIABLES).any(|(own, _)| *own == name)
}

/// What is sure at a place of the document: whether a call can come here, and which variables then have a value.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    reached: bool,
    assigned: BTreeSet<String>,
    /// What was decided on some way here on which the caller has heard nothing; `None`: there is no such way.
    silent: Option<Vec<String>>,
}

impl Flow {
    /// The beginning of a call.
    pub(crate) fn start() -> Self {
        let assigned = ALWAYS.iter().map(|name| (*name).to_owned()).collect();
        Self { reached: true, assigned, silent: Some(Vec::new()) }
    }

    /// The steps at an event know what was known when they were armed, and who did it.
    pub(crate) fn at_event(&self) -> Self {
        let mut event = self.clone();
        event.assigned.extend(["event_number", "event_other_number"].map(String::from));
        event
    }

    /// No way leads here yet; [`Flow::join`] adds some.
    pub(crate) fn never() -> Self {
        Self { reached: false, assigned: BTreeSet::new(), silent: None }
    }

    pub(crate) fn reached(&self) -> bool {
        self.reached
    }

    pub(crate) fn reach(&mut self) {
        self.reached = true;
    }

    /// Something happens that the caller hears, or that rings somebody for him.
    pub(crate) fn hear(&mut self) {
        self.silent = None;
    }

    /// This was decided.
    pub(crate) fn decide(&mut self, what: impl FnOnce() -> String) {
        if let Some(way) = &mut self.silent {
            way.push(what());
        }
    }

    /// What was decided on a way here on which the caller has heard nothing.
    pub(crate) fn silence(&self) -> Option<&[String]> {
        self.silent.as_deref().filter(|_| self.reached)
    }

    pub(crate) fn end(&mut self) {
        self.reached = false;
    }

    pub(crate) fn assign(&mut self, name: &str) {
        self.assigned.insert(name.into());
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.assigned.contains(name)
    }

    /// Another way leads here: only what both assigned is sure.
    pub(crate) fn join(&mut self, other: &Self) {
        if !other.reached {
            // Kept for the rest of a list that is never reached, so that it gets no second fault for the same reason.
            if !self.reached {
                self.assigned.extend(other.assigned.iter().cloned());
            }
            return;
        }
        if self.reached {
            self.assigned.retain(|name| other.assigned.contains(name));
            if self.silent.is_none() {
                self.silent.clone_from(&other.silent);
            }
        } else {
            *self = other.clone();
        }
    }
}
