//! The scenario document, its checker and its interpreter. Sans-IO.

mod catalogue;
mod check;
mod condition;
mod document;
mod flow;
mod interpreter;
mod io;
mod parameter;
mod program;
mod template;
mod variables;

pub use catalogue::{ANSWER, Action, ActionCatalogue, Extension, FAILED, Resolver, Sets};
pub use check::{check, compile};
pub use document::{
    Assignment, Branch, CONTROL_WORDS, Condition, Document, Menu, RESERVED_WORDS, Said, Step, StepKind, Variable,
};
pub use interpreter::{Interpreter, replay};
pub use io::{Input, Output, RunOutcome, ScenarioEnd};
pub use plugboard_document::{Fault, Node};
pub use program::Program;

use plugboard_model::ValueType;

/// The switch's own variables, given with [`Input::Start`]; documents read them, nobody assigns them.
///
/// `caller_user` is there only when the caller is a user of the office, so a scenario asks `assigned(caller_user)` first.
pub const SWITCH_VARIABLES: [(&str, ValueType); 6] = [
    ("caller_number", ValueType::Text),
    ("caller_name", ValueType::Text),
    ("caller_user", ValueType::User),
    ("called_number", ValueType::Text),
    ("call_id", ValueType::Text),
    ("language", ValueType::Text),
];
