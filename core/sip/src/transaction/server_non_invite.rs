//! The non-INVITE server transaction (RFC 3261 section 17.2.2, RFC 4320).

use super::server_invite::Serve;
use super::timer::Timers;
use bytes::Bytes;
use plugboard_model::Time;

/// One request other than INVITE and ACK that came.
#[derive(Debug)]
pub(super) struct ServerNonInvite {
    reliable: bool,
    began: Time,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing answered. Past 64 * T1 nobody waits for an answer, and none may be sent (RFC 4320 section 4.2).
    Trying { until: Time },
    /// A 100 was sent.
    Proceeding { last: Bytes, until: Time },
    /// Answered; the answer is sent again when the request is, during Timer J.
    Completed { last: Bytes, until: Time },
}

impl ServerNonInvite {
    pub(super) fn new(now: Time, reliable: bool, timers: &Timers) -> Self {
        Self { reliable, began: now, state: State::Trying { until: now + timers.give_up() } }
    }

    /// The request came again.
    pub(super) fn on_repeat(&self) -> Serve {
        match &self.state {
            State::Trying { .. } => Serve::Nothing,
            State::Proceeding { last, .. } | State::Completed { last, .. } => Serve::Send(last.clone()),
        }
    }

    /// The answer. A 408 is not sent: it would arrive too late and only add to the load (RFC 4320 section 4.2). Of the
    /// 1xx only 100 is, and on UDP not before T2 (section 4.1).
    pub(super) fn on_respond(&mut self, now: Time, status: u16, bytes: Bytes, timers: &Timers) -> Serve {
        let until = match &self.state {
            State::Trying { until } | State::Proceeding { until, .. } => *until,
            State::Completed { .. } => return Serve::Nothing,
        };
        match status {
            100 if self.reliable || now.since(self.began) >= timers.t2 => {
                self.state = State::Proceeding { last: bytes.clone(), until };
                Serve::Send(bytes)
            }
            0..200 => Serve::Nothing,
            408 => Serve::Over,
            200.. => {
                let until = if self.reliable { now } else { now + timers.give_up() };
                self.state = State::Completed { last: bytes.clone(), until };
                Serve::Send(bytes)
            }
        }
    }

    pub(super) fn on_tick(&self, now: Time) -> Serve {
        if self.wake() <= now { Serve::Over } else { Serve::Nothing }
    }

    /// When to call [`Self::on_tick`].
    pub(super) fn wake(&self) -> Time {
        match &self.state {
            State::Trying { until } | State::Proceeding { until, .. } | State::Completed { until, .. } => *until,
        }
    }
}
