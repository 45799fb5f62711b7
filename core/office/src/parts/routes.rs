//! Routes in an office document.

use super::{ITEMS_MAX, Noun, Parts, ROUTE_PRIORITY, WAYS_MAX};
use crate::{Conditions, Gateway, Goal, Like, NumberFormat, Pattern, Route, Through, Whose};
use plugboard_document::{Field, Fields, Kind};
use plugboard_model::{Cause, Dialled, GatewayId, GroupId, RouteId, ScenarioId, UserId};
use std::collections::BTreeSet;

/// A thousand places are enough to put ten thousand routes in order: most never meet.
const PRIORITY_MAX: i64 = 1_000;

/// What is for one user, and for one gateway.
type One = (fn(UserId) -> Whose, fn(GatewayId) -> Whose);

impl Parts<'_> {
    pub(crate) fn routes(&mut self, field: Option<Field<'_>>) {
        let mut places = Vec::new();
        for item in self.items(field, ITEMS_MAX) {
            let Some((name, mut fields)) = self.named(&item) else { continue };
            let whose = self.whose(&mut fields);
            let called = self.pattern(&item, &mut fields, whose.as_ref());
            let conditions = fields.take("if").and_then(|field| {
                let rule = self.rule(&field)?;
                Some(Conditions { rule, document: field.node.clone() })
            });
            let priority = self.count(&mut fields, "priority", 1..=PRIORITY_MAX, ROUTE_PRIORITY);
            let to = self.goal(&item, &mut fields);
            let plugins = self.plugins(fields.take("plugins"));
            fields.finish(self.faults);
            let (Some(whose), Some(called), Some(to)) = (whose, called, to) else { continue };
            if matches!(whose, Whose::ToUsers | Whose::ToUser(_)) && matches!(to, Goal::Gateway { .. }) {
                let remedy = "let the user forward his calls, or write a route from users or gateways";
                item.fault(self.faults, "what is about to ring a user has no number for a gateway", remedy);
            }
            if plugins.is_some() && !matches!(to, Goal::Scenario(_)) {
                let remedy = "take it out: only scenarios run actions";
                item.fault(self.faults, "`plugins` belong to a route that leads to a scenario", remedy);
            }
            if self.found.routes.iter().any(|other| other.id.name == name) {
                self.twice(&item);
            }
            if matches!(whose, Whose::FromUsers | Whose::FromUser(_)) {
                self.taken(&called.lead(), format!("the route {name}"), &item);
            }
            if let Some(number) = self.found.numbers.iter().find(|number| number.id.name == name)
                && (number.plugins.is_some() || plugins.is_some())
            {
                let reason =
                    format!("the incoming number {} has the same id, and one of them says `plugins`", number.number);
                item.fault(self.faults, reason, "give one of them another id: what calls may do goes by it");
            }
            let id = RouteId { office: self.office.clone(), name };
            self.found.routes.push(Route { id, whose, called, conditions, priority, to, plugins });
            places.push((item.node.at, item.path.clone()));
        }
        let formatted = |gateway: &Gateway| gateway.numbers != NumberFormat::AsDialled;
        let gateways = &self.found.gateways;
        let e164 = |whose: &Whose, number: &Dialled| {
            let in_both = match whose {
                Whose::FromGateways => gateways.values().any(|gateway| formatted(gateway)),
                Whose::FromGateway(one) => gateways.get(&one.name).is_some_and(|gateway| formatted(gateway)),
                Whose::FromUsers
                | Whose::FromUser(_)
                | Whose::ToUsers
                | Whose::ToUser(_)
                | Whose::ToGateways
                | Whose::ToGateway(_) => false,
            };
            in_both.then(|| self.ground.plan().e164(number)).flatten()
        };
        for (route, other) in crate::overlap::ties(&self.found.routes, e164) {
            let (Some((at, path)), Some(other)) = (places.get(route), self.found.routes.get(other)) else { continue };
            let reason = format!("the route {} is for the same calls", other.id.name);
            let remedy = "say which goes first: give one of them a `priority` below the other's (10 unless told)";
            self.faults.add(*at, path, reason, remedy);
        }
    }

    /// `from` or `to`; without either, what users dial.
    fn whose(&mut self, fields: &mut Fields<'_>) -> Option<Whose> {
        match (fields.take("from"), fields.take("to")) {
            (None, None) => Some(Whose::FromUsers),
            (Some(from), None) => self.end(
                &from,
                &[("users", Whose::FromUsers), ("gateways", Whose::FromGateways)],
                (Whose::FromUser, Whose::FromGateway),
            ),
            (None, Some(to)) => self.end(
                &to,
                &[("users", Whose::ToUsers), ("gateways", Whose::ToGateways)],
                (Whose::ToUser, Whose::ToGateway),
            ),
            (Some(_), Some(to)) => {
                let reason = "a route is for calls from somebody or for calls to somebody";
                let remedy = "keep `from` and say whom they call by `called` under `if`, or keep `to` and say who calls by `caller`";
                self.faults.add(to.key_at, &to.path, reason, remedy);
                None
            }
        }
    }

    /// One of the words, or one user's or gateway's id after `user:` or `gateway:`.
    fn end(&mut self, field: &Field<'_>, words: &[(&str, Whose)], (user, gateway): One) -> Option<Whose> {
        let office = self.office.clone();
        if field.node.as_map().is_some() {
            let mut fields = field.fields(self.faults)?;
            let (one, other) = (fields.take("user"), fields.take("gateway"));
            fields.finish(self.faults);
            return match (one, other) {
                (Some(field), None) => Some(user(UserId { office, name: self.refers(Noun::User, &field)? })),
                (None, Some(field)) => Some(gateway(GatewayId { office, name: self.refers(Noun::Gateway, &field)? })),
                (Some(_), Some(_)) | (None, None) => {
                    field.fault(
                        self.faults,
                        "one user or one gateway is meant",
                        "write { user: ann } or { gateway: outside }",
                    );
                    None
                }
            };
        }
        let places: Vec<(&str, usize)> = words.iter().enumerate().map(|(place, (word, _))| (*word, place)).collect();
        let place = field.one_of(&places, self.faults)?;
        words.get(place).map(|(_, whose)| whose.clone())
    }

    /// Routes to somebody that say nothing are for every number.
    fn pattern(&mut self, item: &Field<'_>, fields: &mut Fields<'_>, whose: Option<&Whose>) -> Option<Pattern> {
        let said: Vec<(&str, Field<'_>)> =
            ["number", "prefix", "like", "any"].into_iter().filter_map(|key| Some((key, fields.take(key)?))).collect();
        match said.as_slice() {
            [] if whose.is_some_and(|whose| !whose.is_from_somebody()) => Some(Pattern::Prefix(String::new())),
            [] => {
                let remedy = "add one of \"number\", \"prefix\", \"like\" and \"any\"";
                item.fault(self.faults, "the route does not say which calls it is for", remedy);
                None
            }
            [("number", field)] => self.dialled(field).map(Pattern::Exact),
            [("prefix", field)] => self.dialled(field).map(|prefix| Pattern::Prefix(prefix.as_str().into())),
            [("like", field)] => self.like(field).map(Pattern::Like),
            [(_, field)] => {
                if field.boolean(self.faults) == Some(false) {
                    field.fault(self.faults, "\"any: false\" is for no call", "take the route out");
                }
                Some(Pattern::Prefix(String::new()))
            }
            [_, (_, second), ..] => {
                let reason = "a route is for one \"number\", one \"prefix\", what is \"like\" one, or \"any\" call, this one says two of them";
                self.faults.add(second.key_at, &second.path, reason, "take one out, or make them two routes");
                None
            }
        }
    }

    /// A number with or without wildcards.
    pub(crate) fn like(&mut self, field: &Field<'_>) -> Option<Like> {
        let text = field.text(self.faults)?;
        let remedy = "write digits, ? for one character, * at the end for whatever follows";
        Like::new(&text, self.ground.plan()).map_err(|reason| field.fault(self.faults, reason, remedy)).ok()
    }

    fn goal(&mut self, item: &Field<'_>, fields: &mut Fields<'_>) -> Option<Goal> {
        /// Characters that a route takes off a number.
        const STRIP_MAX: i64 = 32;
        let office = self.office.clone();
        let (strip, add) = (fields.take("strip"), fields.take("add"));
        let goals: Vec<_> = ["scenario", "user", "group", "gateway", "gateways", "gateway_group", "refuse"]
            .into_iter()
            .filter_map(|key| fields.take(key).map(|field| (key, field)))
            .collect();
        let [(key, field)] = goals.as_slice() else {
            match goals.as_slice() {
                [(first, _), (key, second), ..] => {
                    let reason = format!("a route leads to one place, this one to a {first:?} and to a {key:?}");
                    let remedy = "take one out; to ring several, make a group of them or a scenario";
                    self.faults.add(second.key_at, &second.path, reason, remedy);
                }
                [] | [_] => {
                    let remedy = "add one of \"scenario\", \"user\", \"group\", \"gateway\", \"gateways\", \"gateway_group\" and \"refuse\"";
                    item.fault(self.faults, "the route does not say where it leads", remedy);
                }
            }
            return None;
        };
        if !matches!(*key, "gateway" | "gateways" | "gateway_group")
            && let Some(extra) = strip.as_ref().or(add.as_ref())
        {
            extra.fault(self.faults, "\"strip\" and \"add\" belong to a route to a gateway", "take it out");
        }
        Some(match *key {
            "scenario" => Goal::Scenario(ScenarioId { office, name: self.refers(Noun::Scenario, field)? }),
            "user" => Goal::User(UserId { office, name: self.refers(Noun::User, field)? }),
            "group" => Goal::Group(GroupId { office, name: self.refers(Noun::Group, field)? }),
            "gateway" | "gateways" | "gateway_group" => {
                let through = self.through(key, field)?;
                let strip = strip.and_then(|field| field.integer(0..=STRIP_MAX, self.faults)).unwrap_or(0);
                let add = add.and_then(|field| self.dialled(&field)).map_or_else(String::new, String::from);
                let strip = usize::try_from(strip).unwrap_or(0);
                Goal::Gateway { through, strip, add }
            }
            _ => {
                let status = field.integer(400..=699, self.faults)?;
                Goal::Refuse(Cause::of(u16::try_from(status).ok()?))
            }
        })
    }

    /// One gateway, several, or those of a group.
    fn through(&mut self, key: &str, field: &Field<'_>) -> Option<Through> {
        let office = self.office.clone();
        let id = |name| GatewayId { office: office.clone(), name };
        match key {
            "gateway" => Some(Through::One(id(self.refers(Noun::Gateway, field)?))),
            "gateway_group" => Some(Through::Group(self.refers(Noun::GatewayGroup, field)?)),
            _ => {
                let items = field.list(WAYS_MAX, self.faults);
                let named: Vec<GatewayId> =
                    items.iter().filter_map(|item| self.refers(Noun::Gateway, item).map(id)).collect();
                if items.is_empty() && matches!(field.node.kind, Kind::List(_)) {
                    field.fault(self.faults, "a route through no gateway leads nowhere", "name one");
                }
                if named.iter().collect::<BTreeSet<_>>().len() < named.len() {
                    field.fault(self.faults, "a gateway is here twice", "take one of them out");
                }
                (!named.is_empty()).then_some(Through::These(named))
            }
        }
    }
}
