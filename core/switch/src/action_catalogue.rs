//! What the checker of scenarios knows of the actions.

use plugboard_plugin::Installed;
use plugboard_scenario::{Action, ActionCatalogue, Sets};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The catalogue for [`plugboard_scenario::compile`], out of what the components say of themselves.
pub fn action_catalogue(actions: &BTreeMap<String, Arc<Installed>>) -> ActionCatalogue {
    let shown = actions.values().map(|installed| {
        let manifest = installed.manifest();
        let sets = manifest.sets.iter().map(|sets| Sets {
            name: sets.name.clone(),
            value_type: sets.value_type,
            after: sets.after.clone(),
        });
        Action {
            name: manifest.name.clone(),
            parameters: manifest.parameters.clone(),
            outcomes: manifest.outcomes.iter().map(|outcome| outcome.name.clone()).collect(),
            sets: sets.collect(),
            blocking: manifest.blocking,
            capabilities: manifest.capabilities.iter().map(ToString::to_string).collect(),
        }
    });
    shown.collect()
}
