//! Calls that an admin hands on.

use plugboard_model::{CallId, Dialled, LegId};
use plugboard_switch::{HandOnTo, NotHandedOn};

use super::Sim;

impl Sim {
    /// The calls that go on, the oldest first.
    pub fn live_calls(&self) -> Vec<CallId> {
        self.ask(self.switch().calls()).into_iter().map(|live| live.id).collect()
    }

    /// Hands a call on to a number; which leg leaves.
    ///
    /// # Errors
    /// As the switch refuses it.
    pub fn hands_on(&self, call: &CallId, leg: Option<u32>, number: &str) -> Result<LegId, NotHandedOn> {
        let number = Dialled::new(number).unwrap_or_else(|fault| panic!("{number}: {fault}"));
        self.ask(self.switch().hand_on(call, leg.map(LegId), HandOnTo::Number(number)))
    }

    /// Joins a call with another one; which leg leaves.
    ///
    /// # Errors
    /// As the switch refuses it.
    pub fn joins(&self, call: &CallId, leg: Option<u32>, other: &CallId) -> Result<LegId, NotHandedOn> {
        self.ask(self.switch().hand_on(call, leg.map(LegId), HandOnTo::Call(other.clone())))
    }
}
