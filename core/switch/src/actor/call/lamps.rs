//! What the lamps of the call's users show: told to each as it changes.

use plugboard_call::Call;
use plugboard_model::{LegId, UserId};
use plugboard_sip::event::{DialogState, Direction};
use std::collections::BTreeMap;

use super::{CallActor, Order};
use crate::message::{LegLamp, Shown, UseLamp};
use crate::post::post;

/// The lamps of a call's legs: of those that are a user's.
pub(super) type Lamps = BTreeMap<LegId, (UserId, LegLamp)>;

impl CallActor {
    /// A leg is at this now.
    pub(super) fn lamp(&mut self, leg: LegId, state: DialogState) {
        self.lamp_at(leg, state, None);
    }

    fn lamp_at(&mut self, leg: LegId, state: DialogState, dialog: Option<[String; 3]>) {
        let Some(user) = self.user_of(leg) else { return };
        let (remote, known) = (self.other_end(leg), self.lamps.get(&leg).map(|(_, lamp)| lamp));
        // One that talks does not go back to ringing.
        let state = known.map_or(state, |known| known.state.max(state));
        let dialog = dialog.or_else(|| known.and_then(|known| known.dialog.clone()));
        let direction = if leg == LegId::CALLER { Direction::Initiator } else { Direction::Recipient };
        self.shine(leg, user, LegLamp { state, direction, dialog, remote });
    }

    /// It rings by this dialog.
    pub(super) fn lamp_dialog(&mut self, leg: LegId, dialog: [String; 3]) {
        self.lamp_at(leg, DialogState::Early, Some(dialog));
    }

    /// Somebody else is at the other end.
    pub(super) fn lamp_shows(&mut self, leg: LegId, remote: Shown) {
        if let Some((user, lamp)) = self.lamps.get(&leg).cloned() {
            self.shine(leg, user, LegLamp { remote, ..lamp });
        }
    }

    /// The leg is over.
    pub(super) fn lamp_off(&mut self, leg: LegId) {
        if let Some((user, _)) = self.lamps.remove(&leg) {
            self.tell_lamp(&user, leg, None);
        }
    }

    fn shine(&mut self, leg: LegId, user: UserId, lamp: LegLamp) {
        if self.lamps.get(&leg).is_some_and(|(_, known)| *known == lamp) {
            return;
        }
        self.tell_lamp(&user, leg, Some(lamp.clone()));
        self.lamps.insert(leg, (user, lamp));
    }

    fn tell_lamp(&self, user: &UserId, leg: LegId, lamp: Option<LegLamp>) {
        if let Some(handle) = self.snapshot.users.get(user) {
            post(&handle.lamp, UseLamp { call: self.id.clone(), leg, lamp });
        }
    }

    fn user_of(&self, leg: LegId) -> Option<UserId> {
        if !matches!(self.legs.get(&leg)?.order, Order::Leg(_)) {
            return None;
        }
        self.call.party(leg)?.0.cloned()
    }

    /// Whoever a leg talks to; else whoever rings it, or whom it rings.
    fn other_end(&self, leg: LegId) -> Shown {
        match Call::talks_to(&self.call, leg) {
            Some(other) => self.shown(other),
            None if leg == LegId::CALLER => {
                Shown { name: String::new(), number: self.begin.called.clone(), address: String::new() }
            }
            None => self.shown(self.call.anchor()),
        }
    }
}
