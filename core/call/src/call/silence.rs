//! Legs of which nothing is heard: the one that is not there ends, of the one that is the journal tells that he is not heard.
//!
//! The media side tells silence when it has lasted; how long that is, it knows. A phone that is muted may send nothing at all,
//! so that silence alone ends no call: he is asked once, and no answer does.

use plugboard_model::{Cause, JournalEvent, LegId};

use super::{Call, Script};
use crate::leg::{Leg, LegState, Sound};
use crate::output::Output;

impl Call {
    pub(super) fn leg_silent(&mut self, leg: LegId, heard: bool) {
        let Some(found) = self.legs.get_mut(&leg).filter(|found| found.sound == Sound::Heard) else { return };
        if !found.should_be_heard() {
            found.sound = Sound::Unneeded;
        } else if heard {
            found.sound = Sound::Asked;
            self.journal(JournalEvent::FellSilent { leg });
            self.out(Output::AskLeg { leg });
        } else {
            found.sound = Sound::OneWay;
            self.journal(JournalEvent::NotHeard { leg });
        }
    }

    pub(super) fn leg_lives(&mut self, leg: LegId) {
        if let Some(found) = self.legs.get_mut(&leg).filter(|found| found.sound == Sound::Asked && !found.is_over()) {
            found.sound = Sound::OneWay;
            self.journal(JournalEvent::NotHeard { leg });
        }
    }

    pub(super) fn leg_heard(&mut self, leg: LegId) {
        let Some(found) = self.legs.get_mut(&leg).filter(|found| !found.is_over()) else { return };
        let missed = matches!(found.sound, Sound::Asked | Sound::OneWay);
        found.sound = Sound::Heard;
        if missed {
            self.journal(JournalEvent::HeardAgain { leg });
        }
    }

    /// Whoever was silent when he had not to be heard has time again once he has: after the answer, after a hold.
    pub(super) fn listen_again(&mut self) {
        let waits = |leg: &Leg| leg.sound == Sound::Unneeded && leg.should_be_heard();
        let again: Vec<LegId> = self.legs.iter().filter(|(_, leg)| waits(leg)).map(|(id, _)| *id).collect();
        for leg in again {
            if let Some(found) = self.legs.get_mut(&leg) {
                found.sound = Sound::Heard;
            }
            self.out(Output::Listen { leg });
        }
    }

    /// This leg is over since it was not there: whoever talked to it is let go with that reason, unless a scenario has something
    /// else for him.
    pub(super) fn left_by_the_silent(&mut self, leg: LegId, cause: &Cause) {
        let goes_on = leg != self.anchor && self.script == Script::Running;
        if *cause == Cause::silent()
            && !goes_on
            && let Some(partner) = self.partner(leg)
        {
            self.end_leg(partner, &Cause::left_by_the_silent());
        }
    }
}

impl Leg {
    /// It talks or is talked to: neither does it hold, nor does anybody let it wait with music.
    fn should_be_heard(&self) -> bool {
        self.state == LegState::Up && !self.holds && self.music.is_none()
    }
}
