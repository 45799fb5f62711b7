//! Routes, and what they stand on.

use super::Entries;
use crate::parts::{ALL, ROUTE_PRIORITY};
use crate::{Contact, Dialling, Goal, Pattern, PluginGrant, Plugins, Route, Through, VariableValue, Whose};
use plugboard_document::{Kind, Node};
use plugboard_model::Name;

pub(crate) fn node(route: &Route) -> Node {
    let mut entry = Entries::default();
    entry.put("id", route.id.name.as_str());
    let one = |kind, name: &Name| [(kind, Node::from(name.as_str()))].into_iter().collect::<Node>();
    match &route.whose {
        Whose::FromUsers => {}
        Whose::FromUser(user) => entry.put("from", one("user", &user.name)),
        Whose::FromGateways => entry.put("from", "gateways"),
        Whose::FromGateway(gateway) => entry.put("from", one("gateway", &gateway.name)),
        Whose::ToUsers => entry.put("to", "users"),
        Whose::ToUser(user) => entry.put("to", one("user", &user.name)),
        Whose::ToGateways => entry.put("to", "gateways"),
        Whose::ToGateway(gateway) => entry.put("to", one("gateway", &gateway.name)),
    }
    match &route.called {
        Pattern::Exact(number) => entry.put("number", number.as_str()),
        Pattern::Prefix(prefix) if prefix.is_empty() && !route.whose.is_from_somebody() => {}
        Pattern::Prefix(prefix) if prefix.is_empty() => entry.put("any", true),
        Pattern::Prefix(prefix) => entry.put("prefix", prefix.as_str()),
        Pattern::Like(like) => entry.put("like", like.as_str()),
    }
    if let Some(conditions) = &route.conditions {
        entry.put("if", conditions.document.clone());
    }
    entry.put_unless("priority", route.priority, ROUTE_PRIORITY);
    match &route.to {
        Goal::Scenario(id) => entry.put("scenario", id.name.as_str()),
        Goal::User(id) => entry.put("user", id.name.as_str()),
        Goal::Group(id) => entry.put("group", id.name.as_str()),
        Goal::Refuse(cause) => entry.put("refuse", u32::from(cause.status)),
        Goal::Gateway { through, strip, add } => {
            match through {
                Through::One(gateway) => entry.put("gateway", gateway.name.as_str()),
                Through::These(gateways) => {
                    entry.put("gateways", gateways.iter().map(|one| Node::from(one.name.as_str())).collect::<Node>());
                }
                Through::Group(group) => entry.put("gateway_group", group.as_str()),
            }
            entry.put_unless("strip", u32::try_from(*strip).unwrap_or(u32::MAX), 0);
            entry.put_unless("add", add.as_str(), "");
        }
    }
    entry.0.extend(route.plugins.as_ref().map(|own| ("plugins", plugins(own))));
    entry.node()
}

pub(crate) fn plugins(plugins: &Plugins) -> Node {
    let texts = |texts: &mut dyn Iterator<Item = &str>| texts.map(Node::from).collect::<Node>();
    let node = |grant: &PluginGrant| {
        if grant.capabilities.is_none() && grant.dial.is_none() {
            return Node::from(ALL);
        }
        let mut entry = Entries::default();
        if let Some(capabilities) = &grant.capabilities {
            entry.put("capabilities", texts(&mut capabilities.iter().map(String::as_str)));
        }
        if let Some(Dialling { users, groups, numbers }) = &grant.dial {
            let mut dial = Entries::default();
            dial.put_list("users", users.iter().map(|user| Node::from(user.name.as_str())));
            dial.put_list("groups", groups.iter().map(|group| Node::from(group.name.as_str())));
            dial.put_list("numbers", numbers.iter().map(|number| Node::from(number.as_str())));
            entry.put("dial", dial.node());
        }
        entry.node()
    };
    plugins.iter().map(|(name, grant)| (name.as_str(), node(grant))).collect()
}

pub(crate) fn value(value: &VariableValue) -> Node {
    match value {
        VariableValue::Text(text) => text.as_str().into(),
        VariableValue::Number(number) => Node::made(Kind::Integer(*number, number.to_string())),
        VariableValue::Boolean(boolean) => (*boolean).into(),
    }
}

pub(crate) fn contact(contact: &Contact) -> Node {
    let mut entry = Entries::default();
    entry.put("id", contact.id.as_str());
    entry.put_unless("name", contact.name.as_str(), contact.id.as_str());
    entry.put("numbers", contact.numbers.iter().map(|number| Node::from(number.as_str())).collect::<Node>());
    for (key, value) in [("company", &contact.company), ("email", &contact.email)] {
        if let Some(value) = value {
            entry.put(key, value.as_str());
        }
    }
    entry.put_list("groups", contact.groups.iter().map(|group| Node::from(group.as_str())));
    entry.put_list("responsible", contact.responsible.iter().map(|user| Node::from(user.as_str())));
    if let Some(language) = &contact.language {
        entry.put("language", language.as_str());
    }
    entry.node()
}
