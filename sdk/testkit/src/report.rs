//! What a run did.

use plugboard_model::{HostCall, LogLevel, RunEnd, Value};
use plugboard_plugin::RunUsage;
use std::collections::BTreeMap;

/// What a run did, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How it ended.
    pub end: RunEnd,
    /// Every host call, in order.
    pub calls: Vec<HostCall>,
    /// The scenario's variables afterwards.
    pub variables: BTreeMap<String, Value>,
    /// What it used.
    pub usage: RunUsage,
}

impl Report {
    /// The outcome, `None` when it failed.
    pub fn outcome(&self) -> Option<&str> {
        match &self.end {
            RunEnd::Outcome(name) => Some(name),
            RunEnd::Failed(_)
            | RunEnd::Trapped { .. }
            | RunEnd::Limit { .. }
            | RunEnd::Diverged { .. }
            | RunEnd::Cancelled => None,
        }
    }

    /// The reason that the action gave for `failed`.
    pub fn failure(&self) -> Option<&str> {
        match &self.end {
            RunEnd::Failed(reason) => Some(reason),
            RunEnd::Outcome(_)
            | RunEnd::Trapped { .. }
            | RunEnd::Limit { .. }
            | RunEnd::Diverged { .. }
            | RunEnd::Cancelled => None,
        }
    }

    /// The host calls by name, such as `call.play`.
    pub fn called(&self) -> Vec<&'static str> {
        self.calls.iter().map(HostCall::interface).collect()
    }

    /// The lines that it logged.
    pub fn log(&self) -> Vec<(LogLevel, &str)> {
        self.calls
            .iter()
            .filter_map(|call| {
                let HostCall::Log { level, message } = call else { return None };
                Some((*level, message.as_str()))
            })
            .collect()
    }

    /// A variable of type text.
    pub fn text(&self, variable: &str) -> Option<&str> {
        let Some(Value::Text(text)) = self.variables.get(variable) else { return None };
        Some(text)
    }
}
