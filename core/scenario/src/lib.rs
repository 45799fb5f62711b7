//! The scenario document, its checker and its interpreter. Sans-IO.

mod catalogue;
mod io;

pub use catalogue::{ANSWER, Action, ActionCatalogue, Extension, FAILED, Resolver, Sets};
pub use io::{Input, Output, RunOutcome, ScenarioEnd};

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
