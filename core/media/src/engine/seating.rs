//! Legs that sit in a room with others.

use super::Engine;
use crate::booth::Plan;
use crate::command::MediaLeg;
use crate::leg::{Route, Sitting};
use plugboard_model::Time;

impl Engine {
    /// Seats a leg. It hears the room from its next turn on.
    pub(super) fn sit(&mut self, now: Time, id: MediaLeg, sitting: Sitting) {
        let Some(leg) = self.leg_mut(id) else { return };
        if let Some(before) =
            leg.sitting.as_mut().filter(|before| (&before.room, before.role) == (&sitting.room, sitting.role))
        {
            before.partner = sitting.partner;
            return;
        }
        // The seat goes with the booth, and is taken with the next one.
        leg.hearing = None;
        leg.sitting = Some(Box::new(sitting));
        self.unbridge(id);
        if let Some(leg) = self.leg_mut(id) {
            leg.route = Route::Alone;
            leg.outgoing.cut();
        }
        self.turns.join(now, id);
    }

    /// Takes a leg out of its room, if it sits in one.
    pub(super) fn stand(&mut self, id: MediaLeg) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.sitting.take().is_some() {
            leg.hearing = None;
            leg.outgoing.cut();
        }
    }

    /// What is done with the audio of a leg that sits in a room; none: it does not, or has agreed on nothing yet.
    pub(super) fn seated(&mut self, id: MediaLeg) -> Option<Plan> {
        let leg = self.leg_mut(id)?;
        let (sitting, codec) = (leg.sitting.as_ref()?, leg.remote.as_ref()?.negotiated.codec);
        let (rate, from) = (sitting.room.rate(), sitting.spoken.unwrap_or(codec));
        Some(Plan { from: Some(from), to: Some(codec), keys: leg.listens(), room: Some(rate) })
    }
}
