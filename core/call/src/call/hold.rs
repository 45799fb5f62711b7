//! Who is on hold, and what he hears meanwhile.
//!
//! A leg that holds was answered by the switch itself; the other side is not asked. It hears the office's music in place of
//! whatever the holder's phone still sends (R115, R116).

use plugboard_model::{CallEvent, JournalEvent, LegId};

use super::Call;
use crate::ear::Ear;
use crate::leg::LegState;
use crate::output::{Output, PlayId};

impl Call {
    /// Whom a leg talks to.
    pub(super) fn partner(&self, leg: LegId) -> Option<LegId> {
        match self.ear {
            Ear::Talking { peer } if leg == self.anchor => Some(peer),
            Ear::Talking { peer } if leg == peer => Some(self.anchor),
            Ear::Talking { .. }
            | Ear::Idle
            | Ear::Playing { .. }
            | Ear::Collecting(_)
            | Ear::Echoing { .. }
            | Ear::Conferring { .. }
            | Ear::Dictating { .. }
            | Ear::Faxing { .. }
            | Ear::Told { .. } => None,
        }
    }

    pub(super) fn leg_holds(&mut self, leg: LegId, on: bool) {
        let Some(holder) = self.legs.get_mut(&leg).filter(|holder| holder.holds != on && !holder.is_over()) else {
            return;
        };
        holder.holds = on;
        // One that listens to nobody before it is answered puts nobody on hold by it.
        if holder.state != LegState::Up {
            return;
        }
        let whom = self.partner(leg);
        if on {
            self.journal(JournalEvent::Held { by: leg, whom });
            self.out(Output::Held { by: leg, whom });
            self.event(CallEvent::Held);
        } else {
            self.journal(JournalEvent::Resumed { by: leg, whom });
            self.out(Output::Resumed { by: leg, whom });
            self.event(CallEvent::Resumed);
        }
        match whom {
            Some(whom) if on => self.start_hold_music(whom),
            Some(whom) => self.stop_hold_music(whom),
            None => {}
        }
    }

    /// The anchor and this leg talk from now on: whoever held before holds the other one now.
    pub(super) fn hold_as_before(&mut self, peer: LegId) {
        for (one, other) in [(self.anchor, peer), (peer, self.anchor)] {
            if self.legs.get(&one).is_some_and(|leg| leg.holds) {
                self.start_hold_music(other);
            }
        }
    }

    pub(super) fn start_hold_music(&mut self, leg: LegId) {
        let play = PlayId(self.plays);
        let Some(held) = self.legs.get_mut(&leg).filter(|held| held.music.is_none() && !held.is_over()) else { return };
        held.music = Some(play);
        self.plays = self.plays.saturating_add(1);
        self.out(Output::HoldMusic { leg, play });
    }

    pub(super) fn stop_hold_music(&mut self, leg: LegId) {
        if let Some(play) = self.legs.get_mut(&leg).and_then(|held| held.music.take()) {
            self.out(Output::StopPlay { leg, play });
        }
    }
}
