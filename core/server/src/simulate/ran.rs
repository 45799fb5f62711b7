//! Which scenarios ran in a simulation, and what led to each.

use plugboard_model::WallTime;
use plugboard_simulator::rehearsal::{Explored, Plan, Rehearsed, inquiry};
use serde_json::{Value, json};

use super::stage::{Door, Set};
use crate::explain;

/// What ran, in the order in which it began; of an exploration by name.
pub(super) struct Ran(Vec<One>);

/// A scenario that ran.
struct One {
    scenario: String,
    by: By,
    /// In how many calls.
    calls: usize,
}

/// What led to a scenario.
enum By {
    /// A route of the office, by its name.
    Route(String),
    /// The command named it.
    Named,
    /// Another scenario ran it, or a user's own rules did.
    Run,
}

impl Ran {
    pub(super) fn of_call(set: &Set, call: &Rehearsed) -> Self {
        Self(call.ran().into_iter().map(|(scenario, route)| One::of(set, scenario, route, 1)).collect())
    }

    pub(super) fn of_calls(set: &Set, found: &Explored) -> Self {
        let one = |((scenario, route), calls): (&(String, String), &usize)| {
            One::of(set, scenario.clone(), route.clone(), *calls)
        };
        Self(found.ran.iter().map(one).collect())
    }

    /// A scenario that was named ran, or nothing is told of others in its place.
    ///
    /// # Errors
    /// Where what is dialled leads instead, and what to do about it.
    pub(super) fn named_one(&self, set: &Set, plan: &Plan) -> Result<(), Vec<String>> {
        let Some(door) = set.door.as_ref().filter(|door| door.number != plan.to) else { return Ok(()) };
        if self.0.iter().any(|one| one.scenario == door.scenario) {
            return Ok(());
        }
        let instead = match self.0.first() {
            Some(one) => format!("{} leads to {}", plan.to, one.words()),
            None => format!("{} leads to no scenario: {}", plan.to, way(set, plan)),
        };
        Err(vec![format!(
            "the scenario {} did not run: {instead}. Leave --to (or `to`) out, and {} takes the call; leave the scenario out, and the \
             routes decide",
            door.scenario, door.scenario
        )])
    }

    /// In words, a line each.
    pub(super) fn told(&self, set: &Set, plan: &Plan) -> Vec<String> {
        if self.0.is_empty() {
            return vec![format!("no scenario ran: {}", way(set, plan))];
        }
        self.0.iter().map(|one| format!("ran {}", one.words())).collect()
    }

    /// For programs: each scenario, its route if one led to it, and in how many calls it ran.
    pub(super) fn json(&self) -> Value {
        let one = |one: &One| {
            let (by, route) = match &one.by {
                By::Route(route) => ("route", Some(route)),
                By::Named => ("named", None),
                By::Run => ("run", None),
            };
            json!({ "scenario": one.scenario, "by": by, "route": route, "calls": one.calls })
        };
        self.0.iter().map(one).collect()
    }
}

impl One {
    fn of(set: &Set, scenario: String, route: String, calls: usize) -> Self {
        let by = match route {
            route if route.is_empty() => By::Run,
            route if set.door.is_some() && Door::is_route(&route) => By::Named,
            route => By::Route(route),
        };
        Self { scenario, by, calls }
    }

    fn words(&self) -> String {
        match &self.by {
            By::Route(route) => format!("the scenario {}, by the route {route}", self.scenario),
            By::Named => format!("the scenario {}, as it was named", self.scenario),
            By::Run => format!("the scenario {}, which another one or a user's own rules ran", self.scenario),
        }
    }
}

/// What the office does with such a call.
fn way(set: &Set, plan: &Plan) -> String {
    let asked = inquiry(plan, plan.at.unwrap_or(WallTime(0)));
    let words = asked.map(|asked| explain::words(&set.stage.office.explain(&asked).treatment));
    words.unwrap_or_else(|| "it is no number".to_owned())
}
