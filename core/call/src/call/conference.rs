//! The caller in a room with others.

use plugboard_model::{ConferenceEnd, ConferenceRequest, HostResult, NotJoined, Time};
use std::time::Duration;

use super::Call;
use crate::ear::Ear;
use crate::input::Op;
use crate::output::Output;

impl Call {
    pub(super) fn confer(&mut self, now: Time, op: Op, seat: ConferenceRequest) {
        if let Err(fault) = self.take_ear(now) {
            return self.result(op, HostResult::Conferred(Err(fault.into())));
        }
        let until = now + Duration::from_millis(u64::from(seat.max_ms));
        self.ear = Ear::Conferring { op, until, leave_on: seat.leave_on };
        self.out(Output::Sit { leg: self.anchor, seat });
    }

    /// He leaves the room.
    pub(super) fn conferred(&mut self, end: ConferenceEnd) {
        if let Ear::Conferring { op, .. } = self.ear {
            self.free_ear();
            self.result(op, HostResult::Conferred(Ok(end)));
        }
    }

    /// There was no seat for him.
    pub(super) fn not_seated(&mut self, why: NotJoined) {
        if let Ear::Conferring { op, .. } = self.ear {
            self.ear = Ear::Idle;
            self.result(op, HostResult::Conferred(Err(why)));
        }
    }
}
