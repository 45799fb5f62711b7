//! The caller speaks onto a tape.

use plugboard_model::{HostResult, PlayEnd, TapeWhy, Time};
use std::time::Duration;

use super::Call;
use crate::ear::Ear;
use crate::input::Op;
use crate::output::Output;

impl Call {
    pub(super) fn dictate(&mut self, now: Time, op: Op, stop_on: char, max: Duration) {
        if let Err(fault) = self.take_ear(now) {
            return self.result(op, HostResult::Played(Err(fault)));
        }
        self.ear = Ear::Dictating { op, until: now + max, stop_on };
        self.out(Output::Dictate { leg: self.anchor });
    }

    /// He has done, or the recorder has.
    pub(super) fn dictated(&mut self, end: PlayEnd) {
        let Ear::Dictating { op, .. } = self.ear else { return };
        self.ear = Ear::Idle;
        let why = match end {
            PlayEnd::Digit(_) => Some(TapeWhy::Asked),
            PlayEnd::TimeOver => Some(TapeWhy::Limit),
            PlayEnd::Finished | PlayEnd::NotPlayable(_) => None,
        };
        if let Some(why) = why {
            self.out(Output::StopDictating { leg: self.anchor, why });
        }
        self.result(op, HostResult::Played(Ok(end)));
    }
}
