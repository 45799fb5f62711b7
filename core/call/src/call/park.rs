//! Calls that are put aside: whoever stays hears music until somebody fetches him, or who parked him is rung again.

use plugboard_model::{Cause, HostResult, JournalEvent, LegId, ParkEnd, ParkError, Time, UserId};
use std::time::Duration;

use super::Call;
use crate::input::{Op, Park};
use crate::output::Output;

/// A call that is parked.
#[derive(Debug)]
pub(super) struct Parked {
    /// Who parked it, and is gone.
    by: LegId,
    /// Who is rung when nobody fetches it.
    recall: Option<UserId>,
    after: Duration,
    ring_for: Duration,
    rounds: u32,
    /// When he is rung next.
    next: Time,
    /// The step that parked it, in place of somebody: it is told when its time is over, or when the call is fetched.
    step: Option<Op>,
}

impl Parked {
    /// When something is due.
    pub(super) const fn due(&self) -> Time {
        self.next
    }

    /// The step that parked it.
    pub(super) const fn step(&self) -> Option<Op> {
        self.step
    }
}

impl Call {
    /// Whether somebody may fetch it.
    pub fn is_parked(&self) -> bool {
        self.parked.is_some()
    }

    pub(super) fn park(&mut self, now: Time, park: Park) {
        let Park { by, place, after, ring_for, rounds } = park;
        let Some(stays) = self.partner(by).filter(|_| self.may_hand_on(by)) else {
            return self.out(Output::RejectTransfer { leg: by, status: 481 });
        };
        self.out(Output::AcceptTransfer { leg: by });
        self.free_ear();
        self.anchor = stays;
        self.journal(JournalEvent::Transferred { by: Some(by), whom: stays, to: place });
        let recall = self.legs.get(&by).and_then(|leg| leg.user.clone());
        self.parked = Some(Parked { by, recall, after, ring_for, rounds, next: now + after, step: None });
        self.start_hold_music(stays);
        self.out(Output::NotifyTransfer { leg: by, status: 200 });
        self.end_leg(by, &Cause::normal());
    }

    /// A step puts the caller aside.
    pub(super) fn park_caller(&mut self, now: Time, op: Op, place: String, max: Duration) {
        if let Err(fault) = self.take_ear(now) {
            return self.result(op, HostResult::Parked(Err(ParkError::Refused(fault))));
        }
        let by = self.anchor;
        self.journal(JournalEvent::Note { text: format!("{by} is parked at {place}") });
        let (after, next) = (max, now + max);
        self.parked =
            Some(Parked { by, recall: None, after, ring_for: Duration::ZERO, rounds: 0, next, step: Some(op) });
        self.start_hold_music(by);
    }

    /// The step wants it no longer.
    pub(super) fn unpark(&mut self, op: Op) {
        if self.parked.as_ref().is_some_and(|parked| parked.step == Some(op)) {
            self.parked = None;
            self.stop_hold_music(self.anchor);
        }
    }

    /// Nobody has fetched the call: who parked it is rung, so often; then it ends.
    pub(super) fn park_tick(&mut self, now: Time) {
        let rings = self.ring.is_some();
        let Some(parked) = self.parked.as_mut().filter(|parked| now >= parked.next && !rings) else { return };
        if let Some(op) = parked.step {
            self.unpark(op);
            return self.result(op, HostResult::Parked(Ok(ParkEnd::TimeOver)));
        }
        let (by, ring_for) = (parked.by, parked.ring_for);
        let user = parked.recall.clone().filter(|_| parked.rounds > 0);
        let Some(user) = user else {
            self.fetched();
            self.out(Output::Unbridged);
            return self.end_if_nothing_goes_on_with(now, &Cause::of(480));
        };
        parked.rounds -= 1;
        parked.next = now + ring_for + parked.after;
        self.stop_hold_music(self.anchor);
        self.recall(now, by, user, ring_for);
    }

    /// Who parked it does not take it back. Whether it is parked still.
    pub(super) fn park_goes_on(&mut self, now: Time) -> bool {
        let Some(parked) = &mut self.parked else { return false };
        parked.next = now + parked.after;
        self.start_hold_music(self.anchor);
        true
    }

    /// It is parked no longer.
    pub(super) fn fetched(&mut self) {
        if let Some(parked) = self.parked.take() {
            self.stop_hold_music(self.anchor);
            if let Some(op) = parked.step {
                self.result(op, HostResult::Parked(Ok(ParkEnd::Retrieved)));
            }
        }
    }
}
