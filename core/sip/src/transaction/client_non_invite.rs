//! The non-INVITE client transaction (RFC 3261 section 17.1.2).

use super::client_invite::Ticked;
use super::timer::{Resend, Timers};
use crate::flow::Flow;
use crate::message::{Message, Response};
use crate::parse_datagram;
use bytes::Bytes;
use plugboard_model::Time;

/// One request other than INVITE and ACK that was sent.
#[derive(Debug)]
pub(super) struct ClientNonInvite {
    pub(super) flow: Flow,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Sent, nothing heard: Timer E doubles up to T2.
    Trying { bytes: Bytes, resend: Resend, give_up: Time },
    /// A 1xx came: Timer E is T2. Timer F goes on.
    Proceeding { bytes: Bytes, resend: Resend, give_up: Time },
    /// Answered: repeated answers are absorbed during Timer K.
    Completed { until: Time },
}

impl ClientNonInvite {
    /// `bytes` were sent just now.
    pub(super) fn new(now: Time, bytes: Bytes, flow: Flow, timers: &Timers) -> Self {
        let resend = Resend::start(now, flow.transport.is_reliable(), timers);
        Self { flow, state: State::Trying { bytes, resend, give_up: now + timers.give_up() } }
    }

    /// Whether it is of this method and of no dialog, and nothing was heard of it.
    pub(super) fn opens_unheard(&self, method: &[u8]) -> bool {
        let State::Trying { bytes, .. } = &self.state else { return false };
        let Ok(Message::Request(request)) = parse_datagram(bytes) else { return false };
        request.method.as_str().as_bytes() == method && request.headers.to().is_ok_and(|to| to.tag().is_none())
    }

    /// Whether the response is to be told to the sender.
    pub(super) fn on_response(&mut self, now: Time, response: &Response, timers: &Timers) -> bool {
        match &mut self.state {
            State::Trying { bytes, resend, give_up } if response.is_provisional() => {
                let resend = Resend { pause: timers.t2, ..*resend };
                self.state = State::Proceeding { bytes: std::mem::take(bytes), resend, give_up: *give_up };
                true
            }
            State::Proceeding { .. } if response.is_provisional() => true,
            State::Trying { .. } | State::Proceeding { .. } => {
                let until = if self.flow.transport.is_reliable() { now } else { now + timers.t4 };
                self.state = State::Completed { until };
                true
            }
            State::Completed { .. } => false,
        }
    }

    pub(super) fn on_tick(&mut self, now: Time, timers: &Timers) -> Ticked {
        match &mut self.state {
            State::Trying { give_up, .. } | State::Proceeding { give_up, .. } if *give_up <= now => Ticked::Timeout,
            State::Trying { bytes, resend, .. } | State::Proceeding { bytes, resend, .. } => {
                if resend.due(now, |pause| timers.next_pause(pause)) {
                    Ticked::Send(bytes.clone())
                } else {
                    Ticked::Wait
                }
            }
            State::Completed { until } if *until <= now => Ticked::Over,
            State::Completed { .. } => Ticked::Wait,
        }
    }

    /// When to call [`Self::on_tick`].
    pub(super) fn wake(&self) -> Time {
        match &self.state {
            State::Trying { resend, give_up, .. } | State::Proceeding { resend, give_up, .. } => resend.wake(*give_up),
            State::Completed { until } => *until,
        }
    }

    /// Whether the sender still waits for a final response.
    pub(super) fn is_waiting(&self) -> bool {
        match &self.state {
            State::Trying { .. } | State::Proceeding { .. } => true,
            State::Completed { .. } => false,
        }
    }
}
