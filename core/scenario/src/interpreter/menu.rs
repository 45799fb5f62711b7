//! The key menu.

use super::strand::{Purpose, State, StepRef};
use super::{CALL_GROUP, CALL_USER, COLLECT, Interpreter};
use crate::program::{Act, ListId, Menu};
use crate::{DENIED, Extension, FAILED, Output};
use plugboard_model::Value;
use serde_json::Value as Json;
use std::sync::Arc;

impl Interpreter {
    /// Asks the caller of a menu, for the first time or again.
    pub(super) fn ask(&mut self, strand: usize, at: StepRef, menu: &Menu, tries: u8) {
        self.variables.unassign(COLLECT.1);
        let parameters = menu.collect.iter().map(|(name, value)| (name.clone(), self.fill(strand, value))).collect();
        let run = self.start_run(at, COLLECT.0, parameters);
        self.set_state(strand, State::Running { run, step: at, purpose: Purpose::Digits { tries } });
    }

    /// What the caller keyed: a key of the menu, perhaps an internal number, or nothing.
    pub(super) fn digits(&mut self, strand: usize, at: StepRef, menu: &Menu, tries: u8, outcome: &str) {
        let digits = match self.variables.get(COLLECT.1) {
            Some(Value::Text(digits)) if ![FAILED, DENIED].contains(&outcome) => digits.clone(),
            Some(_) | None => String::new(),
        };
        if digits.is_empty() {
            self.ask_again(strand, at, menu, tries, ("nothing", menu.nothing));
        } else if let Some(list) = menu.keys.get(&digits) {
            self.decided(at, &digits);
            self.push(strand, *list);
        } else if menu.extensions {
            self.outbox.push_back(Output::FindExtension { number: digits.clone() });
            self.set_state(strand, State::Finding { step: at, tries, number: digits });
        } else {
            self.ask_again(strand, at, menu, tries, ("invalid", menu.invalid));
        }
    }

    pub(super) fn extension_found(
        &mut self,
        strand: usize,
        (at, tries): (StepRef, u8),
        number: &str,
        extension: Option<&Extension>,
    ) {
        let program = Arc::clone(&self.program);
        let Some(Act::Menu(menu)) = program.list(at.list).get(at.place).map(|step| &step.act) else {
            unreachable!("only a menu looks for an extension");
        };
        let (action, parameters) = match extension {
            Some(Extension::User(_)) => (CALL_USER, vec![("mode", "user"), ("target", number)]),
            Some(Extension::Group(_)) => (CALL_GROUP, vec![("group", number)]),
            None => return self.ask_again(strand, at, menu, tries, ("invalid", menu.invalid)),
        };
        self.decided(at, &format!("extension {number}"));
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
        let run = self.start_run(at, action, parameters);
        self.set_state(strand, State::Running { run, step: at, purpose: Purpose::Extension });
    }

    /// Repeats the menu, or gives up with the steps for that.
    fn ask_again(&mut self, strand: usize, at: StepRef, menu: &Menu, tries: u8, (why, steps): (&str, ListId)) {
        if tries < menu.repeats {
            self.decided(at, &format!("{why}, asked again"));
            self.ask(strand, at, menu, tries + 1);
        } else {
            self.decided(at, why);
            self.push(strand, steps);
        }
    }
}
