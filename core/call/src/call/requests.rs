//! What is asked of the call: by actions, by a direct route.

use plugboard_model::{
    Audio, CallError, CallEvent, Cause, CollectRequest, FaxError, HostResult, JournalEvent, LegId, NotConnected,
    NotJoined, ParkError, TapeWhy, Time, Tone,
};
use std::time::Duration;

use super::Call;
use crate::ear::{Collecting, Ear, check_collect};
use crate::input::{Op, Request};
use crate::leg::LegState;
use crate::output::{CancelWhy, Output, PlayId};

/// A beep is over sooner.
const CONFIRM_MAX: Duration = Duration::from_secs(1);
/// Long enough to be told from a click, short enough not to be waited for.
const REFUSE_MAX: Duration = Duration::from_secs(2);

impl Request {
    /// The answer when the caller is gone; none where nobody waits for one.
    pub fn gone(&self) -> Option<HostResult> {
        let gone = CallError::CallerGone;
        Some(match self {
            Self::Answer | Self::Echo { .. } | Self::HangUp(_) => HostResult::Done(Err(gone)),
            Self::Play { .. } | Self::Dictate { .. } => HostResult::Played(Err(gone)),
            Self::Collect(_) => HostResult::Collected(Err(gone)),
            Self::NextEvent { .. } => HostResult::Event(Err(gone)),
            Self::Confer(_) => HostResult::Conferred(Err(NotJoined::CallerGone)),
            Self::ReceiveFax(_) | Self::SendFax { .. } => HostResult::Faxed(Err(FaxError::CallerGone)),
            Self::Park { .. } => HostResult::Parked(Err(ParkError::Refused(gone))),
            Self::Tell(_) => return None,
            Self::Ring { .. } | Self::CallOut { .. } => HostResult::Rang(Err(NotConnected::CallerGone)),
        })
    }
}

impl Call {
    pub(super) fn request(&mut self, now: Time, op: Op, request: Request) {
        match request {
            Request::Answer => {
                self.answer_caller(now);
                self.result(op, HostResult::Done(Ok(())));
            }
            Request::Play { audio, options } => {
                let range = 100..=3_600_000;
                if let Some(max) = options.max_ms.filter(|max| !range.contains(max)) {
                    let fault = CallError::Invalid(format!("max-ms is 100 to 3,600,000, not {max}"));
                    return self.result(op, HostResult::Played(Err(fault)));
                }
                // Somebody may ring for who waits in a queue.
                let rings = self.ring.as_ref().is_some_and(|ring| op == Op::Queue && ring.op == Op::Queue);
                let idle = matches!(self.ear, Ear::Idle);
                if !(rings && idle)
                    && let Err(fault) = self.take_ear(now)
                {
                    return self.result(op, HostResult::Played(Err(fault)));
                }
                let max = options.max_ms.map(|ms| Duration::from_millis(u64::from(ms)));
                let play = self.play(audio, max, options.repeat);
                self.ear = Ear::Playing { op, play, stop_on_digit: options.stop_on_digit };
            }
            Request::Collect(request) => {
                if let Err(fault) = check_collect(&request).map_err(CallError::Invalid) {
                    return self.result(op, HostResult::Collected(Err(fault)));
                }
                if let Err(fault) = self.take_ear(now) {
                    return self.result(op, HostResult::Collected(Err(fault)));
                }
                self.collect(now, op, request);
            }
            Request::Echo { max } => match self.take_ear(now) {
                Ok(()) => {
                    self.out(Output::Echo { leg: self.anchor, on: true });
                    self.ear = Ear::Echoing { op, until: now + max };
                }
                Err(fault) => self.result(op, HostResult::Done(Err(fault))),
            },
            Request::Confer(seat) => self.confer(now, op, seat),
            Request::Dictate { stop_on, max } => {
                self.forget_keys();
                self.dictate(now, op, stop_on, max);
            }
            Request::Park { place, max } => self.park_caller(now, op, place, max),
            Request::ReceiveFax(request) => self.receive_fax(now, op, request),
            Request::SendFax { max } => self.send_fax(now, op, max),
            Request::CallOut { parties, order, ring_for } => self.call_out(now, op, parties, order, ring_for),
            Request::NextEvent { timeout } => match self.events.pop_front() {
                Some(event) => self.result(op, HostResult::Event(Ok(event))),
                None => {
                    if let Some((other, _)) = self.waiting.replace((op, now + timeout)) {
                        self.result(other, HostResult::Event(Ok(CallEvent::Timeout)));
                    }
                }
            },
            Request::HangUp(cause) => {
                self.result(op, HostResult::Done(Ok(())));
                if !self.given_back(now, &cause) {
                    self.hang_up(now, &cause);
                }
            }
            Request::Tell(done) => self.tell(now, done),
            Request::Ring { parties, order, ring_for, ring_back } => {
                self.ring(now, op, parties, order, ring_for, ring_back);
            }
        }
    }

    /// The caller is gone: every request is answered with that.
    pub(super) fn refuse_gone(&mut self, op: Op, request: &Request) {
        if let Some(result) = request.gone() {
            self.result(op, result);
        }
    }

    pub(super) fn cancel(&mut self, op: Op) {
        if self.waiting.is_some_and(|(waiter, _)| waiter == op) {
            self.waiting = None;
        }
        if self.ring.as_ref().is_some_and(|ring| ring.op == op) {
            self.stop_ringing(CancelWhy::TimeOver, None);
        }
        self.cancel_fax_waiter(op);
        self.unpark(op);
        let ours = match &self.ear {
            Ear::Playing { op: owner, .. }
            | Ear::Echoing { op: owner, .. }
            | Ear::Conferring { op: owner, .. }
            | Ear::Dictating { op: owner, .. }
            | Ear::Faxing { op: owner, .. } => *owner == op,
            Ear::Collecting(collecting) => collecting.op == op,
            Ear::Idle | Ear::Told { .. } | Ear::Talking { .. } => false,
        };
        if ours {
            self.fax_given_up();
            self.free_ear();
        }
    }

    /// Lets the caller hear what became of his feature code, and ends the call: a beep after the answer, or the tone of an error before
    /// the refusal.
    fn tell(&mut self, now: Time, done: Result<(), Cause>) {
        if !matches!(self.ear, Ear::Idle) || self.ring.is_some() {
            return;
        }
        let (tone, max, cause) = match done {
            Ok(()) => {
                self.answer_caller(now);
                (Tone::Beep, CONFIRM_MAX, Cause::normal())
            }
            Err(cause) => {
                if let Some(caller) = self.legs.get_mut(&LegId::CALLER).filter(|leg| leg.state == LegState::Calling) {
                    caller.state = LegState::Ringing;
                    self.out(Output::ProgressCaller { rings: false });
                }
                (Tone::Congestion, REFUSE_MAX, cause)
            }
        };
        let play = self.play(Audio::Tone(tone), Some(max), false);
        self.ear = Ear::Told { play, cause };
    }

    /// Makes the ear free for something new, answering the caller first.
    pub(super) fn take_ear(&mut self, now: Time) -> Result<(), CallError> {
        match self.ear {
            Ear::Talking { .. } => return Err(CallError::Talking),
            Ear::Playing { .. }
            | Ear::Collecting(_)
            | Ear::Echoing { .. }
            | Ear::Conferring { .. }
            | Ear::Dictating { .. }
            | Ear::Faxing { .. }
            | Ear::Told { .. } => {
                return Err(CallError::NoMedia("another step has the caller's ear".into()));
            }
            Ear::Idle => {}
        }
        if self.ring.is_some() {
            return Err(CallError::NoMedia("the caller hears ring-back".into()));
        }
        if self.parked.is_some() {
            return Err(CallError::NoMedia("the caller is parked".into()));
        }
        self.answer_caller(now);
        Ok(())
    }

    /// Stops whatever the caller hears by our doing.
    pub(super) fn free_ear(&mut self) {
        match std::mem::replace(&mut self.ear, Ear::Idle) {
            Ear::Idle => {}
            Ear::Playing { play, .. } | Ear::Told { play, .. } => {
                self.out(Output::StopPlay { leg: self.anchor, play });
            }
            Ear::Collecting(collecting) => {
                if let Some(play) = collecting.prompt {
                    self.out(Output::StopPlay { leg: self.anchor, play });
                }
            }
            Ear::Echoing { .. } => self.out(Output::Echo { leg: self.anchor, on: false }),
            Ear::Conferring { .. } => self.out(Output::Stand { leg: self.anchor }),
            Ear::Dictating { .. } => self.out(Output::StopDictating { leg: self.anchor, why: TapeWhy::CallOver }),
            Ear::Faxing { .. } => self.out(Output::EndFax { leg: self.anchor }),
            Ear::Talking { peer } => {
                self.stop_hold_music(self.anchor);
                self.stop_hold_music(peer);
                self.out(Output::Unbridge { peer });
            }
        }
    }

    pub(super) fn play(&mut self, audio: Audio, max: Option<Duration>, repeat: bool) -> PlayId {
        let play = PlayId(self.plays);
        self.plays = self.plays.saturating_add(1);
        self.out(Output::Play { leg: self.anchor, play, audio, max, repeat });
        play
    }

    fn collect(&mut self, now: Time, op: Op, request: CollectRequest) {
        let mut collecting =
            Collecting { op, request, digits: String::new(), prompt: None, until: None, not_played: None };
        // Digits pressed ahead of the prompt count: people who know the menu do not wait for it.
        while let Some(CallEvent::Digit(digit)) = self.events.front().copied() {
            self.events.pop_front();
            if let Some(collected) = collecting.digit(now, digit) {
                return self.result(op, HostResult::Collected(Ok(collected)));
            }
        }
        if collecting.digits.is_empty() {
            match collecting.request.prompt.clone() {
                Some(prompt) => collecting.prompt = Some(self.play(prompt, None, false)),
                None => collecting.prompt_over(now, None),
            }
        }
        self.ear = Ear::Collecting(collecting);
    }

    /// Whoever takes the call from now on has taken it.
    pub(super) fn answer_caller(&mut self, now: Time) {
        self.taken_by_service();
        let Some(caller) = self.legs.get_mut(&LegId::CALLER) else { return };
        if matches!(caller.state, LegState::Calling | LegState::Ringing) {
            caller.state = LegState::Up;
            caller.answered = Some(now);
            self.journal(JournalEvent::LegAnswered { leg: LegId::CALLER });
            self.out(Output::AnswerCaller);
        }
    }
}
