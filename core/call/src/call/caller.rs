//! The caller's keys and ear, and what is due in time.

use plugboard_model::{CallEvent, Cause, CollectEnd, ConferenceEnd, HostResult, JournalEvent, LegId, PlayEnd, Time};

use super::{CALL_LENGTH_MAX, Call};
use crate::ear::{Ear, is_digit};
use crate::input::PlayFinish;
use crate::output::{CancelWhy, Output, PlayId};

/// Events that wait for `next-event`; past it the oldest goes (WIT `call.next-event`).
const EVENTS_MAX: usize = 64;

impl Call {
    pub(super) fn digit(&mut self, now: Time, leg: LegId, digit: char) {
        if !is_digit(digit) {
            return;
        }
        self.journal(JournalEvent::Digit { leg, digit });
        if leg != self.anchor {
            return self.confirmed(now, leg, digit);
        }
        match &mut self.ear {
            Ear::Playing { op, play, stop_on_digit: true } => {
                let (op, play) = (*op, *play);
                self.ear = Ear::Idle;
                self.out(Output::StopPlay { leg: self.anchor, play });
                self.result(op, HostResult::Played(Ok(PlayEnd::Digit(digit))));
            }
            Ear::Collecting(collecting) => {
                let (op, prompt) = (collecting.op, collecting.prompt.take());
                let collected = collecting.digit(now, digit);
                if let Some(play) = prompt {
                    self.out(Output::StopPlay { leg: self.anchor, play });
                }
                if let Some(collected) = collected {
                    self.ear = Ear::Idle;
                    self.result(op, HostResult::Collected(Ok(collected)));
                }
            }
            Ear::Conferring { leave_on, .. } if *leave_on == Some(digit) => self.conferred(ConferenceEnd::Key),
            Ear::Dictating { stop_on, .. } if *stop_on == digit => self.dictated(PlayEnd::Digit(digit)),
            // While they talk, keys are for the other side; on a tape they are no part of what is said.
            Ear::Talking { .. } | Ear::Told { .. } | Ear::Dictating { .. } | Ear::Faxing { .. } => {}
            Ear::Idle if self.ring.as_ref().is_some_and(|ring| ring.early.is_some()) => {}
            Ear::Idle | Ear::Playing { stop_on_digit: false, .. } | Ear::Echoing { .. } | Ear::Conferring { .. } => {
                self.event(CallEvent::Digit(digit));
            }
        }
    }

    /// Keys that were pressed before are answers to nothing that is asked from now on.
    pub(super) fn forget_keys(&mut self) {
        self.events.retain(|event| !matches!(event, CallEvent::Digit(_)));
    }

    pub(super) fn event(&mut self, event: CallEvent) {
        if let Some((op, _)) = self.waiting.take() {
            return self.result(op, HostResult::Event(Ok(event)));
        }
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(super) fn play_ended(&mut self, now: Time, play: PlayId, finish: PlayFinish) {
        match &mut self.ear {
            Ear::Playing { op, play: playing, .. } if *playing == play => {
                let op = *op;
                self.ear = Ear::Idle;
                let end = match finish {
                    PlayFinish::Finished => PlayEnd::Finished,
                    PlayFinish::TimeOver => PlayEnd::TimeOver,
                    PlayFinish::NotPlayable(reason) => PlayEnd::NotPlayable(reason),
                };
                self.result(op, HostResult::Played(Ok(end)));
            }
            Ear::Collecting(collecting) if collecting.prompt == Some(play) => {
                let not_played = match finish {
                    PlayFinish::NotPlayable(reason) => Some(reason),
                    PlayFinish::Finished | PlayFinish::TimeOver => None,
                };
                collecting.prompt_over(now, not_played);
            }
            Ear::Told { play: playing, cause } if *playing == play => {
                let cause = cause.clone();
                self.ear = Ear::Idle;
                self.hang_up(now, &cause);
            }
            Ear::Idle
            | Ear::Playing { .. }
            | Ear::Collecting(_)
            | Ear::Echoing { .. }
            | Ear::Conferring { .. }
            | Ear::Dictating { .. }
            | Ear::Faxing { .. }
            | Ear::Told { .. }
            | Ear::Talking { .. } => {
                if let Some(ring) = self.ring.as_mut().filter(|ring| ring.back == Some(play)) {
                    ring.back = None;
                }
                if let Some(held) = self.legs.values_mut().find(|leg| leg.music == Some(play)) {
                    held.music = None;
                }
                self.asked_for_the_key(now, play, &finish);
            }
        }
    }

    pub(super) fn tick(&mut self, now: Time) {
        if now >= Time::ZERO + CALL_LENGTH_MAX {
            return self.hang_up(now, &Cause::of(408));
        }
        if let Some((op, until)) = self.waiting
            && now >= until
        {
            self.waiting = None;
            self.result(op, HostResult::Event(Ok(CallEvent::Timeout)));
        }
        match &mut self.ear {
            Ear::Collecting(collecting) if collecting.until.is_some_and(|until| now >= until) => {
                let (op, collected) = (collecting.op, collecting.finish(CollectEnd::Timeout));
                self.ear = Ear::Idle;
                self.result(op, HostResult::Collected(Ok(collected)));
            }
            Ear::Echoing { op, until } if now >= *until => {
                let op = *op;
                self.free_ear();
                self.result(op, HostResult::Done(Ok(())));
            }
            Ear::Conferring { until, .. } if now >= *until => self.conferred(ConferenceEnd::TimeOver),
            Ear::Dictating { until, .. } if now >= *until => self.dictated(PlayEnd::TimeOver),
            Ear::Faxing { until: Some(until), .. } if now >= *until => self.fax_time_over(),
            Ear::Idle
            | Ear::Playing { .. }
            | Ear::Collecting(_)
            | Ear::Echoing { .. }
            | Ear::Conferring { .. }
            | Ear::Dictating { .. }
            | Ear::Faxing { .. }
            | Ear::Told { .. }
            | Ear::Talking { .. } => {}
        }
        self.ring_tick(now);
        self.park_tick(now);
    }

    fn ring_tick(&mut self, now: Time) {
        self.ask_again(now);
        self.forward_unanswered(now);
        let Some(ring) = &mut self.ring else { return };
        if now >= ring.until && ring.claiming.is_none() {
            ring.timed_out();
            let verdict = ring.verdict();
            if let Some(op) = self.stop_ringing(CancelWhy::TimeOver, None) {
                self.not_connected(now, op, verdict);
            }
            return;
        }
        let claiming = ring.claiming;
        let late: Vec<LegId> = ring
            .legs
            .iter()
            .filter(|(leg, rung)| now >= rung.until && claiming != Some(**leg))
            .map(|(leg, _)| *leg)
            .collect();
        for leg in late {
            if let Some(ring) = &mut self.ring {
                ring.forget(leg);
                ring.timed_out();
            }
            self.cancel_leg(leg, CancelWhy::TimeOver);
        }
        self.ring_check(now);
    }
}
