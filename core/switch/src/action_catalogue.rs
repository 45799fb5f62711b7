//! What the checkers of scenarios and offices know of the installed plugins.

use plugboard_plugin::{Installed, PluginKind};
use plugboard_scenario::{Action, ActionCatalogue, Sets, System};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The catalogue for [`plugboard_scenario::compile`], out of what the components say of themselves.
pub fn action_catalogue(plugins: &BTreeMap<String, Arc<Installed>>) -> ActionCatalogue {
    let actions = plugins.values().filter(|installed| installed.manifest().kind == PluginKind::Action);
    let shown = actions.map(|installed| {
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
    let integrations = plugins.values().filter(|installed| installed.manifest().kind == PluginKind::Integration);
    let systems = integrations.map(|installed| {
        let manifest = installed.manifest();
        System {
            name: manifest.name.clone(),
            settings: manifest.parameters.clone(),
            services: manifest.services.keys().cloned().collect(),
            capabilities: manifest.capabilities.iter().map(ToString::to_string).collect(),
        }
    });
    shown.collect::<ActionCatalogue>().with_systems(systems)
}
