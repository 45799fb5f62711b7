//! What the checker knows of plugins that stand for systems beside the telephone.

use serde_json::Value as Json;
use std::collections::BTreeSet;

/// An installed integration.
#[derive(Debug, Clone)]
pub struct System {
    /// By which offices name it.
    pub name: String,
    /// JSON Schema of what an office sets.
    pub settings: Json,
    /// The services of the web that it asks.
    pub services: BTreeSet<String>,
    /// The capabilities that its component imports.
    pub capabilities: BTreeSet<String>,
}

/// Faults of one document that are told.
const FAULTS_MAX: usize = 16;

impl System {
    /// What is wrong with these settings: where, as `/find/path`, and what.
    pub fn faults(&self, settings: &Json) -> Vec<(String, String)> {
        let validator = match jsonschema::draft202012::new(&self.settings) {
            Ok(validator) => validator,
            Err(fault) => return vec![(String::new(), format!("the schema of {} is none: {fault}", self.name))],
        };
        let faults = validator.iter_errors(settings);
        faults.take(FAULTS_MAX).map(|fault| (fault.instance_path().to_string(), fault.to_string())).collect()
    }
}
