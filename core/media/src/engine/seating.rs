//! Legs that sit in a room with others, or at a fax machine.

use super::Engine;
use crate::booth::Plan;
use crate::command::{Event, MediaLeg};
use crate::fax::Fax;
use crate::leg::{AtFax, Route, Sitting};
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
        (leg.sitting, leg.fax) = (Some(Box::new(sitting)), None);
        self.seat(now, id);
    }

    /// Gives a leg to a fax machine.
    pub(super) fn sit_at_fax(&mut self, now: Time, id: MediaLeg, fax: Fax) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.fax.as_ref().is_some_and(|at| at.fax == fax) {
            return;
        }
        (leg.sitting, leg.fax) = (None, Some(AtFax { fax, spoken: None, told: false }));
        self.seat(now, id);
    }

    fn seat(&mut self, now: Time, id: MediaLeg) {
        // The seat goes with the booth, and is taken with the next one.
        if let Some(leg) = self.leg_mut(id) {
            leg.hearing = None;
        }
        self.unbridge(id);
        if let Some(leg) = self.leg_mut(id) {
            leg.route = Route::Alone;
            leg.outgoing.cut();
        }
        self.turns.join(now, id);
    }

    /// Takes a leg from where it sits, if it sits somewhere.
    pub(super) fn stand(&mut self, id: MediaLeg) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.is_seated() {
            (leg.sitting, leg.fax) = (None, None);
            leg.hearing = None;
            leg.outgoing.cut();
        }
    }

    /// What is done with the audio of a leg that sits somewhere; none: it does not, or has agreed on nothing yet.
    pub(super) fn seated(&mut self, id: MediaLeg) -> Option<Plan> {
        let leg = self.leg_mut(id)?;
        let none = Plan { from: None, to: None, keys: false, calls: false, room: None, fax: false };
        if leg.image.is_some() {
            return leg.fax.is_some().then_some(Plan { fax: true, ..none });
        }
        let codec = leg.remote.as_ref()?.negotiated.codec;
        if let Some(sitting) = leg.sitting.as_ref() {
            let (rate, from) = (sitting.room.rate(), sitting.spoken.unwrap_or(codec));
            return Some(Plan { from: Some(from), to: Some(codec), keys: leg.listens(), room: Some(rate), ..none });
        }
        // What modems say is no key, whatever it sounds like.
        let at = leg.fax.as_ref()?;
        Some(Plan { from: Some(at.spoken.unwrap_or(codec)), to: Some(codec), calls: true, fax: true, ..none })
    }

    /// A leg's machine is done: told once.
    pub(super) fn fax_over(&mut self, id: MediaLeg) {
        if let Some(at) = self.leg_mut(id).and_then(|leg| leg.fax.as_mut())
            && !std::mem::replace(&mut at.told, true)
        {
            self.events.push_back(Event::FaxOver { leg: id });
        }
    }
}
