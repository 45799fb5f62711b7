//! What an office grants to actions, held against those that are installed.

use plugboard_document::Faults;
use plugboard_model::{RouteId, ScenarioId};
use plugboard_office::{Goal, Office, Plugins};
use plugboard_plugin::Capability;
use plugboard_scenario::{ActionCatalogue, Fault};

use crate::house::used_actions;

/// Actions and capabilities that there are not.
pub(crate) fn unknown(file: &str, office: &Office, actions: &ActionCatalogue) -> Vec<Fault> {
    let mut faults = Faults::new(file);
    let known: Vec<&str> = actions.iter().map(|action| action.name.as_str()).collect();
    let capabilities = Capability::ALL.map(Capability::as_str);
    let all = office.granting().map(|(_, plugins)| plugins).chain(&office.plugins);
    for (name, grant) in all.flatten() {
        let (at, path) = (grant.said.at, &grant.said.path);
        if actions.get(name).is_none() {
            let remedy = or_list(plugboard_document::did_you_mean(name, &known), "actions", &known);
            faults.add(at, path, format!("no action {name} is installed"), remedy);
        }
        for capability in grant.capabilities.iter().flatten() {
            if Capability::parse(capability).is_none() {
                let near = plugboard_document::did_you_mean(capability, &capabilities);
                let remedy = or_list(near, "capabilities", &capabilities);
                faults.add(at, path, format!("there is no capability {capability:?}"), remedy);
            }
        }
    }
    faults.into_sorted()
}

fn or_list(near: String, what: &str, known: &[&str]) -> String {
    if near.is_empty() { format!("{what} are {}", known.join(", ")) } else { near }
}

/// Actions of scenarios that the way there does not let run.
pub(crate) fn lacking(office: &Office, actions: &ActionCatalogue) -> Vec<String> {
    let routes = office.routes().filter_map(|route| match &route.to {
        Goal::Scenario(scenario) => Some((format!("the route {}", route.id.name), &route.id, scenario)),
        Goal::User(_) | Goal::Group(_) | Goal::Gateway { .. } | Goal::Refuse(_) => None,
    });
    let mut told: Vec<String> =
        routes.flat_map(|(what, route, scenario)| denied(office, actions, &what, route, scenario)).collect();
    for number in office.numbers() {
        let route = RouteId { office: office.id.clone(), name: number.id.name.clone() };
        told.extend(denied(
            office,
            actions,
            &format!("the incoming number {}", number.id.name),
            &route,
            &number.scenario,
        ));
    }
    told
}

fn denied(
    office: &Office,
    actions: &ActionCatalogue,
    what: &str,
    route: &RouteId,
    scenario: &ScenarioId,
) -> Vec<String> {
    let Some(source) = office.scenario(scenario) else { return Vec::new() };
    let plugins = office.plugins_of(Some(route));
    let used = used_actions(office, source).into_iter();
    used.filter_map(|action| {
        let lacks = lacks(plugins, actions, &action)?;
        Some(format!(
            "{what} leads to the scenario {}, whose action {action} {lacks} there: its outcome will be `denied`; grant it \
             in `plugins`, or give it steps on `denied`",
            scenario.name
        ))
    })
    .collect()
}

fn lacks(plugins: Option<&Plugins>, actions: &ActionCatalogue, action: &str) -> Option<String> {
    let Some(plugins) = plugins else {
        return actions.is_stranger(action).then(|| "did not come with the switch and is not enabled".into());
    };
    let Some(grant) = plugins.get(action) else { return Some("is not enabled".into()) };
    let granted = grant.capabilities.as_ref()?;
    let missing = actions.get(action)?.capabilities.iter().find(|wanted| !granted.contains(*wanted))?;
    Some(format!("is not granted the capability {missing}"))
}
