//! Callers who are not let through.

use crate::inquiry::Facts;
use crate::route::refused;
use crate::{Inquiry, Like, Office, Treatment};
use plugboard_model::{Cause, Name, RouteId, ScenarioId, UserId};

/// What journals call the way of a blocked caller to his scenario.
const ROUTE: &str = "blocked";

/// Whom an office or a user does not let through, and what he meets instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Callers whose number is like one of these.
    pub callers: Vec<Like>,
    /// Callers who withhold their number.
    pub anonymous: bool,
    /// What they meet.
    pub then: BlockedThen,
}

/// What a blocked caller meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockedThen {
    /// He is refused with this SIP status. 486 is what he meets where somebody talks, so that it tells him nothing.
    Refuse(Cause),
    /// This scenario runs.
    Scenario(ScenarioId),
}

impl Blocked {
    fn has(&self, facts: &Facts<'_>) -> bool {
        (self.anonymous && facts.is_anonymous()) || self.callers.iter().any(|like| like.is(&facts.caller))
    }
}

impl Office {
    /// What a caller meets whom the office does not let through. Users of the office always are.
    pub(crate) fn meets_at_door(&self, facts: &Facts<'_>) -> Option<Treatment> {
        let outside = facts.asked.source.user().is_none();
        let blocked = self.blocked.as_ref().filter(|blocked| outside && blocked.has(facts))?;
        Some(self.meets(blocked, "the office blocks the caller"))
    }

    /// What a caller meets whom this user does not let through.
    pub(crate) fn meets_at(&self, user: &UserId, facts: &Facts<'_>) -> Option<Treatment> {
        let blocked = self.user(user)?.blocked.as_ref().filter(|blocked| blocked.has(facts))?;
        Some(self.meets(blocked, &format!("the user {} blocks the caller", user.name)))
    }

    /// Whether a user does not want calls of this caller, also as a member of a group or from a scenario.
    pub fn blocks(&self, user: &UserId, asked: &Inquiry) -> bool {
        let blocked = self.user(user).and_then(|user| user.blocked.as_ref());
        blocked.is_some_and(|blocked| blocked.has(&Facts::of(self, asked)))
    }

    fn meets(&self, blocked: &Blocked, why: &str) -> Treatment {
        match (&blocked.then, Name::new(ROUTE)) {
            (BlockedThen::Scenario(scenario), Ok(name)) => {
                let route = RouteId { office: self.id.clone(), name };
                Treatment::Scenario { scenario: scenario.clone(), route }
            }
            (BlockedThen::Refuse(cause), _) => refused(cause.status, why),
            (BlockedThen::Scenario(_), Err(_)) => unreachable!("the name is one: lower case letters"),
        }
    }
}
