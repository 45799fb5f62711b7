//! The moments at which an exploration lets its calls begin.

use plugboard_model::{Dialled, WallTime};
use plugboard_office::{Inquiry, Source};
use std::collections::BTreeSet;

use super::Stage;
use super::plan::{Caller, Plan};

/// Clocks are looked at for a year from then on: each holiday comes once.
const AHEAD_MS: i64 = 366 * 86_400_000;

/// When calls begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// At each of these moments.
    At(Vec<WallTime>),
    /// At this moment, and at each one in the year after it at which clocks decide otherwise than at those before, in the routes and in the
    /// scenarios that the calls come to; at most so many.
    From(WallTime, usize),
}

/// The moments that are known so far.
pub(super) struct Almanac<'s> {
    stage: &'s Stage,
    plan: &'s Plan,
    times: &'s Times,
    pub(super) moments: Vec<WallTime>,
    /// Moments that were left out, since there were too many.
    pub(super) left: usize,
}

impl<'s> Almanac<'s> {
    /// With those moments at which routes decide.
    pub(super) fn new(stage: &'s Stage, plan: &'s Plan, times: &'s Times) -> Self {
        let mut almanac = Self { stage, plan, times, moments: Vec::new(), left: 0 };
        match times {
            Times::At(moments) => almanac.moments.clone_from(moments),
            Times::From(..) => drop(almanac.learn(&BTreeSet::new())),
        }
        almanac
    }

    /// Calls come to these scenarios. The moments that have to be tried as well now.
    pub(super) fn learn(&mut self, scenarios: &BTreeSet<String>) -> Vec<WallTime> {
        let Times::From(from, most) = *self.times else { return Vec::new() };
        let until = WallTime(from.0.saturating_add(AHEAD_MS));
        let programs = || self.stage.programs.values().filter(|program| scenarios.contains(program.id().name.as_str()));
        let mut candidates: BTreeSet<WallTime> =
            programs().flat_map(|program| program.clock_changes(from, until)).collect();
        let routes = self.stage.office.routes().filter_map(|route| route.conditions.as_ref());
        candidates.extend(routes.flat_map(|conditions| conditions.rule.clock_changes(from, until)));
        let decided = |at: WallTime| {
            let clocks: Vec<bool> = programs().flat_map(|program| program.clock_says(at)).collect();
            (clocks, way_of(self.stage, self.plan, at))
        };
        let mut seen: BTreeSet<_> = self.moments.iter().map(|at| decided(*at)).collect();
        let others = [from].into_iter().chain(candidates).filter(|at| seen.insert(decided(*at)));
        let mut new: Vec<WallTime> = others.collect();
        let room = most.saturating_sub(self.moments.len());
        self.left = new.len().saturating_sub(room);
        new.truncate(room);
        self.moments.extend(&new);
        new
    }
}

/// Where the call goes at a moment.
fn way_of(stage: &Stage, plan: &Plan, at: WallTime) -> Option<String> {
    inquiry(plan, at).map(|inquiry| format!("{:?}", stage.office.route(&inquiry)))
}

/// The call as a question for its way; `None` when what it dials is no number.
pub fn inquiry(plan: &Plan, at: WallTime) -> Option<Inquiry> {
    let called = Dialled::new(&plan.to).ok()?;
    Some(match &plan.from {
        Caller::User(user) => Inquiry::new(&Source::User(user.clone()), &called, at),
        Caller::Outside { gateway, number } => {
            Inquiry::new(&Source::Gateway(gateway.clone()), &called, at).by(number.as_str())
        }
    })
}
