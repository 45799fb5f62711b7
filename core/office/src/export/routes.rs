//! Routes, and what they stand on.

use super::Entries;
use crate::parts::ROUTE_PRIORITY;
use crate::{Contact, Goal, Pattern, Route, Through, VariableValue, Whose};
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
    entry.node()
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
    if let Some(language) = &contact.language {
        entry.put("language", language.as_str());
    }
    entry.node()
}
