//! What runs may do, as offices and their routes say it.

use plugboard_model::{Name, OfficeId, RouteId};
use plugboard_office::{Dialling, Office, PluginGrant, Plugins};
use plugboard_plugin::{Capability, DialGrant, Grants};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Grants by action.
type ByAction = BTreeMap<String, Arc<Grants>>;

/// What each office grants to each action, for each of its routes.
#[derive(Debug, Clone, Default)]
pub struct GrantTable(BTreeMap<OfficeId, OfOffice>);

#[derive(Debug, Clone, Default)]
struct OfOffice {
    usual: ByAction,
    /// Routes and incoming numbers that say it themselves.
    routes: BTreeMap<Name, ByAction>,
}

impl GrantTable {
    /// With what this office grants. An office that says nothing trusts `trusted`, which came with the switch, with all that they ask for, and
    /// nobody else.
    pub fn add<'n>(&mut self, office: &Office, trusted: impl IntoIterator<Item = &'n String>) {
        let usual = office.plugins_of(None).map_or_else(
            || trusted.into_iter().map(|name| (name.clone(), Arc::new(Grants::everything()))).collect(),
            |plugins| granted(office, plugins),
        );
        let routes = office.granting().map(|(name, plugins)| (name.clone(), granted(office, plugins))).collect();
        self.0.insert(office.id.clone(), OfOffice { usual, routes });
    }

    /// What an action may do in a call that took this route; nothing is granted to one that is not enabled.
    pub(crate) fn get(&self, office: &OfficeId, route: Option<&RouteId>, action: &str) -> Option<Arc<Grants>> {
        let of = self.0.get(office)?;
        let own = route.and_then(|route| of.routes.get(&route.name));
        own.unwrap_or(&of.usual).get(action).cloned()
    }
}

fn granted(office: &Office, plugins: &Plugins) -> ByAction {
    plugins.iter().map(|(name, grant)| (name.clone(), Arc::new(grants(office, grant)))).collect()
}

fn grants(office: &Office, grant: &PluginGrant) -> Grants {
    let wanted = |capability: &Capability| {
        grant.capabilities.as_ref().is_none_or(|capabilities| capabilities.contains(capability.as_str()))
    };
    Capability::ALL.into_iter().filter(wanted).fold(Grants::none(), |grants, capability| {
        if capability == Capability::Dial {
            return grants.with_dial(dial(office, grant.dial.as_ref()));
        }
        grants.with(capability)
    })
}

/// Users of a granted group may be rung alone as well, and each by his number.
fn dial(office: &Office, dialling: Option<&Dialling>) -> DialGrant {
    let Some(Dialling { users, groups, numbers: prefixes }) = dialling else { return DialGrant::everything() };
    let groups_found: Vec<_> = groups.iter().filter_map(|group| office.group(group)).collect();
    let members = groups_found.iter().flat_map(|group| group.users());
    let users = users.iter().cloned().chain(members).collect::<std::collections::BTreeSet<_>>();
    let of_users = users.iter().filter_map(|user| Some(office.user(user)?.number.to_string()));
    let of_groups = groups_found.iter().filter_map(|group| group.number.as_ref().map(ToString::to_string));
    let numbers = of_users.chain(of_groups).collect();
    DialGrant {
        everything: false,
        numbers: Arc::new(numbers),
        users: Arc::new(users),
        groups: Arc::new(groups.clone()),
        prefixes: prefixes.clone(),
    }
}
