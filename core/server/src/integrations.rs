//! What an office says of systems beside the telephone, held against the plugins that are installed.

use plugboard_document::{Faults, did_you_mean};
use plugboard_office::{Integration, Office};
use plugboard_plugin::Capability;
use plugboard_scenario::{ActionCatalogue, Fault, System};

/// Plugins that there are not, settings that do not fit them, services that they lack.
pub(crate) fn faults(file: &str, office: &Office, known: &ActionCatalogue) -> Vec<Fault> {
    let mut faults = Faults::new(file);
    for integration in &office.integrations {
        match known.system(&integration.plugin) {
            Some(system) => check(integration, system, &mut faults),
            None => {
                let names: Vec<&str> = known.systems().map(|system| system.name.as_str()).collect();
                let near = did_you_mean(&integration.plugin, &names);
                let all =
                    if names.is_empty() { "none is".to_owned() } else { format!("there are {}", names.join(", ")) };
                let reason = format!("no integration {:?} is installed", integration.plugin);
                let remedy = if near.is_empty() { all } else { near };
                faults.add(integration.said.at, &integration.said.path, reason, remedy);
            }
        }
    }
    faults.into_sorted()
}

fn check(integration: &Integration, system: &System, faults: &mut Faults) {
    let (at, path) = (integration.said.at, integration.said.path.trim_end_matches(".plugin"));
    for (place, fault) in system.faults(&integration.settings.to_json()) {
        let path = format!("{path}.settings{}", place.replace('/', "."));
        faults.add(at, &path, fault, format!("`plugboard plugin show {}` says what it takes", system.name));
    }
    for wanted in system.services.iter().filter(|wanted| !integration.services.contains_key(*wanted)) {
        let remedy = format!("write services: {{ {wanted}: the id of one of `http` }}");
        faults.add(at, path, format!("{} asks a service {wanted}, and the office gives it none", system.name), remedy);
    }
    for given in integration.services.keys().filter(|given| !system.services.contains(*given)) {
        let names: Vec<&str> = system.services.iter().map(String::as_str).collect();
        let remedy = format!("it asks {}", names.join(", "));
        faults.add(at, &format!("{path}.services"), format!("{} asks no service {given}", system.name), remedy);
    }
    for capability in integration.capabilities.iter().flatten() {
        if Capability::parse(capability).is_none() {
            let remedy = did_you_mean(capability, &Capability::ALL.map(Capability::as_str));
            faults.add(at, &format!("{path}.capabilities"), format!("there is no capability {capability:?}"), remedy);
        }
    }
}

/// Integrations that are not granted what they import: they are never asked.
pub(crate) fn lacking(office: &Office, known: &ActionCatalogue) -> Vec<String> {
    let lacks = |integration: &&std::sync::Arc<Integration>| {
        let granted = integration.capabilities.as_ref()?;
        let missing = known.system(&integration.plugin)?.capabilities.iter().find(|one| !granted.contains(*one))?;
        let id = &integration.id;
        Some(format!("the integration {id} is not granted the capability {missing}, without which it does not start"))
    };
    office.integrations.iter().filter_map(|integration| lacks(&integration)).collect()
}
