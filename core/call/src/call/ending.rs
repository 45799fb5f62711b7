//! How a call comes to its one outcome.

use plugboard_model::{
    CallError, CallOutcome, CallRecord, Cause, HostResult, JournalEvent, LegId, NotConnected, ParkError, Time, UserId,
};
use std::time::Duration;

use super::{Call, Phase, Script};
use crate::ear::Ear;
use crate::input::Op;
use crate::leg::{LegState, wall_at};
use crate::output::{CancelWhy, Output};

/// A BYE or CANCEL transaction gives up after 64*T1 = 32 s (RFC 3261 section 17.1); past this a leg's end was lost.
const CLOSING_MAX: Duration = Duration::from_secs(40);
/// Legs kept in the record.
const RECORD_LEGS_MAX: usize = 64;

impl Call {
    pub(super) fn end_if_nothing_goes_on(&mut self, now: Time) {
        let idle = self.ring.is_none() && self.parked.is_none() && !self.is_with_others();
        if self.script == Script::Over && idle {
            let cause = if self.anchor_is_up() {
                Cause::normal()
            } else {
                self.last_cause.clone().unwrap_or_else(|| Cause::of(480))
            };
            self.hang_up(now, &cause);
        }
    }

    /// As [`Self::end_if_nothing_goes_on`], for this reason.
    pub(super) fn end_if_nothing_goes_on_with(&mut self, now: Time, cause: &Cause) {
        if self.script == Script::Over && self.ring.is_none() && self.parked.is_none() && !self.is_with_others() {
            self.hang_up(now, cause);
        }
    }

    /// Somebody hears the anchor: whom it talks to, those in a room, or a fax machine.
    const fn is_with_others(&self) -> bool {
        matches!(self.ear, Ear::Talking { .. } | Ear::Conferring { .. } | Ear::Faxing { .. })
    }

    /// We end the call: the caller is told the cause.
    pub(super) fn hang_up(&mut self, now: Time, cause: &Cause) {
        let outcome = self.outcome_when_we_end(cause);
        let Some(anchor) = self.legs.get_mut(&self.anchor) else {
            // Nobody has answered a call of ours.
            return self.close(now, outcome);
        };
        match anchor.state {
            // Only a caller can be unanswered here.
            LegState::Calling | LegState::Ringing => {
                anchor.state = LegState::Ending;
                // A final response needs a failure status; 200 would answer the call.
                let cause = if cause.status < 300 { Cause::of(480) } else { cause.clone() };
                self.out(Output::RejectCaller(cause));
            }
            LegState::Up | LegState::Claiming => self.end_leg(self.anchor, cause),
            LegState::Ending | LegState::Ended { .. } => {}
        }
        self.close(now, outcome);
    }

    pub(super) fn anchor_gone(&mut self, now: Time) {
        let outcome = if self.talked.is_some() {
            CallOutcome::Answered
        } else if self.anchor_was_up() {
            CallOutcome::Handled
        } else {
            CallOutcome::Abandoned
        };
        self.close(now, outcome);
    }

    fn outcome_when_we_end(&self, cause: &Cause) -> CallOutcome {
        if self.talked.is_some() {
            CallOutcome::Answered
        } else if self.anchor_is_up() {
            CallOutcome::Handled
        } else if self.last_cause.is_some() {
            CallOutcome::NotAnswered(cause.clone())
        } else {
            CallOutcome::Failed(cause.clone())
        }
    }

    /// Tells every asker and every leg that it is over, and waits for the legs.
    fn close(&mut self, now: Time, outcome: CallOutcome) {
        let gone = CallError::CallerGone;
        if let Some((op, _)) = self.waiting.take() {
            self.result(op, HostResult::Event(Err(gone.clone())));
        }
        let asker = match &self.ear {
            Ear::Playing { op, .. } | Ear::Dictating { op, .. } => Some((*op, HostResult::Played(Err(gone)))),
            Ear::Collecting(collecting) => Some((collecting.op, HostResult::Collected(Err(gone)))),
            Ear::Echoing { op, .. } => Some((*op, HostResult::Done(Err(gone)))),
            Ear::Conferring { op, .. } => Some((*op, HostResult::Conferred(Err(gone.into())))),
            Ear::Faxing { op, .. } => Some((*op, HostResult::Faxed(Err(gone.into())))),
            Ear::Idle | Ear::Told { .. } | Ear::Talking { .. } => None,
        };
        self.fax_waiter_gone();
        self.free_ear();
        if let Some(op) = self.parked.take().and_then(|parked| parked.step()) {
            self.result(op, HostResult::Parked(Err(ParkError::Refused(CallError::CallerGone))));
        }
        if let Some((op, result)) = asker {
            self.result(op, result);
        }
        // Who was asked whether he can be rung may say yes when nobody is here to hear it: his place is given back at once.
        let asked = self.ring.iter().flat_map(|ring| ring.asking.keys()).filter(|user| !self.slots.contains(user));
        for user in asked.cloned().collect::<Vec<_>>() {
            self.out(Output::Release { user });
        }
        if let Some(op) = self.stop_ringing(CancelWhy::CallerGone, None) {
            match op {
                Op::Run { .. } | Op::Errand => self.result(op, HostResult::Rang(Err(NotConnected::CallerGone))),
                Op::Direct | Op::Voicemail | Op::Queue | Op::Transfer => {}
            }
        }
        self.transfer_over(487);
        let legs: Vec<LegId> = self.legs.keys().copied().filter(|leg| *leg != self.anchor).collect();
        for leg in legs {
            self.cancel_leg(leg, CancelWhy::CallerGone);
        }
        self.out(Output::CallerGone);
        self.phase = Phase::Closing { outcome, guard: now + CLOSING_MAX };
    }

    pub(super) fn finish_closing(&mut self, now: Time) {
        let Phase::Closing { outcome, .. } = &self.phase else { return };
        if self.live_legs() > 0 {
            return;
        }
        let outcome = outcome.clone();
        let left: Vec<UserId> = std::mem::take(&mut self.slots).into_iter().collect();
        for user in left {
            self.out(Output::Release { user });
        }
        self.journal(JournalEvent::Ended { outcome: outcome.clone() });
        if let Some(record) = self.record(now, outcome) {
            self.out(Output::Ended(Box::new(record)));
        }
        self.phase = Phase::Over;
    }

    fn record(&self, now: Time, outcome: CallOutcome) -> Option<CallRecord> {
        let begin = self.begin.as_ref()?;
        Some(CallRecord {
            id: begin.id.clone(),
            direction: begin.direction,
            caller: begin.caller.clone(),
            caller_name: begin.caller_name.clone(),
            caller_user: begin.caller_user.clone(),
            called: begin.called.clone(),
            route: begin.route.clone(),
            scenario: begin.scenario.clone(),
            began: begin.wall,
            answered: self.talked.as_ref().map(|(at, _)| wall_at(begin.wall, *at)),
            answered_by: self.talked.as_ref().and_then(|(_, user)| user.clone()),
            ended: wall_at(begin.wall, now),
            outcome,
            legs: self.legs.iter().take(RECORD_LEGS_MAX).map(|(id, leg)| leg.record(*id, begin.wall, now)).collect(),
            steps: Vec::new(),
        })
    }
}
