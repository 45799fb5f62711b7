//! Where a call goes.

use crate::parts::WAYS_MAX;
use crate::{Conditions, Feature, Like, NumberFormat, Office, Plugins, Spelled};
use plugboard_model::{Cause, Dialled, GatewayId, GroupId, Name, NumberId, RouteId, ScenarioId, UserId};
use std::sync::Arc;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A user of the office, authenticated.
    User(UserId),
    /// A gateway of the office.
    Gateway(GatewayId),
}

impl Source {
    /// The user, if it is one.
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Gateway(_) => None,
        }
    }
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// A scenario runs.
    Scenario {
        /// Which.
        scenario: ScenarioId,
        /// The route that said so.
        route: RouteId,
    },
    /// A user is rung directly: his own `calls_at_once` and `ring_for` apply.
    DirectUser(UserId),
    /// A group is rung directly.
    DirectGroup(GroupId),
    /// The call goes out.
    Outbound {
        /// Through one of these, in the order of their priorities; [`drawn`] decides among equals. At least one, at most 8.
        ways: Vec<Way>,
        /// The route that said so.
        route: RouteId,
    },
    /// Somebody calls for help: the call goes out whatever else is set.
    Emergency {
        /// As in [`Treatment::Outbound`], in this order.
        ways: Vec<Way>,
        /// The number, without what was dialled for an outside line.
        number: Dialled,
        /// It only tries the way.
        test: bool,
    },
    /// A user dialled a feature code.
    Feature(Feature),
    /// The call is refused.
    Refused(Cause),
}

/// One way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Through this gateway.
    pub gateway: GatewayId,
    /// What is dialled there, in its own format.
    pub number: Dialled,
    /// As [`crate::Gateway::priority`].
    pub priority: u32,
    /// As [`crate::Gateway::weight`].
    pub weight: u32,
}

/// The gateways that a route leads through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Through {
    /// This one.
    One(GatewayId),
    /// These.
    These(Vec<GatewayId>),
    /// Those of this group.
    Group(Name),
}

/// One rule: who calls what, and where that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Which.
    pub id: RouteId,
    /// Whose calls it is for.
    pub whose: Whose,
    /// Which numbers it is for.
    pub called: Pattern,
    /// What has to be so besides.
    pub conditions: Option<Conditions>,
    /// Of those that a call may take, the one with the lowest is taken.
    pub priority: u32,
    /// Where they go.
    pub to: Goal,
    /// What its calls may use; `None`: what the office says.
    pub plugins: Option<Plugins>,
}

/// Whose calls a route is for. Nothing that comes from a gateway takes a route for users, so that a stranger cannot
/// call out at the office's cost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// What any user of the office dials.
    FromUsers,
    /// What this user dials.
    FromUser(UserId),
    /// What comes from any gateway of the office.
    FromGateways,
    /// What comes from one gateway.
    FromGateway(GatewayId),
    /// What is about to ring a user: not as a member of a group.
    ToUsers,
    /// What is about to ring this user.
    ToUser(UserId),
    /// What is about to go out through a gateway.
    ToGateways,
    /// What is about to go out through this one.
    ToGateway(GatewayId),
}

/// Which called numbers a route is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// This number.
    Exact(Dialled),
    /// Every number that begins so; the empty prefix is every number.
    Prefix(String),
    /// Every number that is like this.
    Like(Like),
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// To a scenario.
    Scenario(ScenarioId),
    /// To a user.
    User(UserId),
    /// To a group.
    Group(GroupId),
    /// Out through a gateway, after the first `strip` characters are taken off and `add` is put in front.
    Gateway {
        /// Which may take it.
        through: Through,
        /// Characters taken off the front.
        strip: usize,
        /// Put in front.
        add: String,
    },
    /// Nowhere, with this SIP status.
    Refuse(Cause),
}

/// An incoming number of the office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingNumber {
    /// Which; its name is also the route's name in journals.
    pub id: NumberId,
    /// The number as the gateway says it.
    pub number: Dialled,
    /// The scenario that answers it.
    pub scenario: ScenarioId,
    /// As [`Route::plugins`].
    pub plugins: Option<Plugins>,
    /// Where each fax that is received goes by mail, if it does.
    pub fax_mail: Option<crate::MailTo>,
}

impl Office {
    /// What users dial to reach a number that a gateway has told: with what a route that leads them to the same gateway takes off again.
    pub fn dial_back(&self, gateway: &GatewayId, number: Dialled) -> Dialled {
        let leads_there = |through: &Through| match through {
            Through::One(id) => id == gateway,
            Through::These(ids) => ids.contains(gateway),
            Through::Group(group) => self.gateway(gateway).is_some_and(|gateway| gateway.group.as_ref() == Some(group)),
        };
        let dialled = |route: &&Arc<Route>| route.whose == Whose::FromUsers;
        let outside_line = self.routes.iter().filter(dialled).find_map(|route| match (&route.called, &route.to) {
            (Pattern::Prefix(prefix), Goal::Gateway { through, strip, add })
                if *strip > 0 && *strip == prefix.len() && add.is_empty() && leads_there(through) =>
            {
                Some(prefix)
            }
            (Pattern::Exact(_) | Pattern::Prefix(_) | Pattern::Like(_), _) => None,
        });
        // A number in E.164 that a route takes as it is needs no outside line.
        let plain = number.as_str().starts_with('+');
        let taken = |route: &Arc<Route>| {
            route.whose == Whose::FromUsers
                && matches!(&route.called, Pattern::Prefix(prefix) if prefix.starts_with('+') && number.as_str().starts_with(prefix.as_str()))
        };
        match outside_line {
            Some(prefix) if !(plain && self.routes.iter().any(taken)) => {
                let written = self
                    .number_plan()
                    .write(&number, if plain { NumberFormat::National } else { NumberFormat::AsDialled });
                Dialled::new(&format!("{prefix}{written}")).unwrap_or(number)
            }
            Some(_) | None => number,
        }
    }

    /// What a gateway wrote, in E.164; `None` when it writes numbers as they are dialled, or this is none.
    pub fn e164_of(&self, gateway: &crate::Gateway, written: &Dialled) -> Option<Dialled> {
        (gateway.numbers != NumberFormat::AsDialled)
            .then(|| self.number_plan().e164_from(written, gateway.numbers))
            .flatten()
    }

    /// Where a route leads what is called so.
    pub(crate) fn follow(&self, route: &Route, from: &Source, called: &Spelled) -> Treatment {
        match &route.to {
            Goal::Scenario(scenario) => Treatment::Scenario { scenario: scenario.clone(), route: route.id.clone() },
            Goal::User(user) => direct_user(user, from),
            Goal::Group(group) => Treatment::DirectGroup(group.clone()),
            Goal::Refuse(cause) => refused(cause.status, &format!("the route {} refuses", route.id.name)),
            Goal::Gateway { through, strip, add } => {
                // What is taken off is counted in the route's own spelling.
                let said = if *strip == 0 { called.written.clone() } else { route.called.said(called) };
                let rest: String = said.chars().skip(*strip).collect();
                match Dialled::new(&format!("{add}{rest}")) {
                    Ok(number) => Treatment::Outbound { ways: self.ways(through, &number), route: route.id.clone() },
                    // Nothing but the prefix was dialled, or what is left cannot be a number.
                    Err(_) => refused(484, &format!("the route {} leaves no number to call", route.id.name)),
                }
            }
        }
    }

    /// The gateways that this names, lower priorities first, else as written.
    fn ways(&self, through: &Through, number: &Dialled) -> Vec<Way> {
        let gateways: Vec<&Arc<crate::Gateway>> = match through {
            Through::One(id) => self.gateway(id).into_iter().collect(),
            Through::These(ids) => ids.iter().filter_map(|id| self.gateway(id)).collect(),
            Through::Group(group) => {
                self.gateways.values().filter(|gateway| gateway.group.as_ref() == Some(group)).collect()
            }
        };
        let plan = self.number_plan();
        let mut ways: Vec<Way> = gateways
            .into_iter()
            .map(|gateway| Way {
                gateway: gateway.id.clone(),
                number: plan.write(number, gateway.numbers),
                priority: gateway.priority,
                weight: gateway.weight,
            })
            .collect();
        ways.sort_by_key(|way| way.priority);
        ways.truncate(WAYS_MAX);
        ways
    }
}

/// The order in which ways are tried: by priority; among equals those with a weight as they are drawn by it, then the others
/// as written. `below(n)` draws a number below `n`.
pub fn drawn(ways: Vec<Way>, mut below: impl FnMut(u64) -> u64) -> Vec<Way> {
    let mut order = Vec::with_capacity(ways.len());
    let mut left = ways;
    while let Some(first) = left.first() {
        let priority = first.priority;
        let equals = left.iter().take_while(|way| way.priority == priority).count();
        let sum: u64 = left.iter().take(equals).map(|way| u64::from(way.weight)).sum();
        let mut mark = if sum == 0 { 0 } else { below(sum) };
        let chosen = left.iter().take(equals).position(|way| {
            let weight = u64::from(way.weight);
            let hit = weight > mark;
            mark = mark.saturating_sub(weight);
            hit
        });
        order.push(left.remove(chosen.unwrap_or(0)));
    }
    order
}

/// With a reason for whoever looks for it in the call's record.
pub(crate) fn refused(status: u16, reason: &str) -> Treatment {
    Treatment::Refused(Cause { status, text: reason.into() })
}

pub(crate) fn direct_user(user: &UserId, from: &Source) -> Treatment {
    match from {
        Source::User(caller) if caller == user => refused(486, "he calls himself"),
        Source::User(_) | Source::Gateway(_) => Treatment::DirectUser(user.clone()),
    }
}
