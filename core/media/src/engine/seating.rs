//! Legs that sit in a room with others.

use super::Engine;
use crate::booth::Plan;
use crate::command::MediaLeg;
use crate::leg::Route;
use crate::room::{Role, Room};
use plugboard_model::Time;

impl Engine {
    /// Seats a leg. It hears the room from its next turn on.
    pub(super) fn sit(&mut self, now: Time, id: MediaLeg, room: Room, role: Role) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.room.as_ref().is_some_and(|place| **place == (room.clone(), role)) {
            return;
        }
        // The seat goes with the booth, and is taken with the next one.
        leg.hearing = None;
        leg.room = Some(Box::new((room, role)));
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
        if leg.room.take().is_some() {
            leg.hearing = None;
            leg.outgoing.cut();
        }
    }

    /// What is done with the audio of a leg that sits in a room; none: it does not, or has agreed on nothing yet.
    pub(super) fn seated(&mut self, id: MediaLeg) -> Option<Plan> {
        let leg = self.leg_mut(id)?;
        let (rate, codec) = (leg.room.as_ref()?.0.rate(), leg.remote.as_ref()?.negotiated.codec);
        Some(Plan { from: Some(codec), to: Some(codec), keys: leg.listens(), room: Some(rate) })
    }
}
