//! The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 7.1).

use super::timer::{Resend, Timers};
use bytes::Bytes;
use plugboard_model::Time;
use std::time::Duration;

/// How long the sender may hear nothing: then a 100 stops his repeats (RFC 3261 section 17.2.1).
pub(super) const TRYING_AFTER: Duration = Duration::from_millis(200);

/// One INVITE that came.
#[derive(Debug)]
pub(super) struct ServerInvite {
    reliable: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing answered; `trying` is the 100, ready to go.
    Trying { trying: Bytes, at: Time },
    /// The last 1xx is sent again when the INVITE is. `until` guards against a session that is gone.
    Proceeding { last: Bytes, until: Time },
    /// Refused: sent again until the ACK comes (Timer G), or Timer H gives up.
    Completed { last: Bytes, to_tag: Box<str>, resend: Resend, until: Time },
    /// The ACK came: more of them are absorbed (Timer I).
    Confirmed { until: Time },
    /// Answered: the session sends the 2xx again, repeats of the INVITE are absorbed (Timer L).
    Accepted { last: Bytes, until: Time },
}

/// What an event leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Serve {
    /// Nothing.
    Nothing,
    /// Send these bytes.
    Send(Bytes),
    /// The ACK belongs to a session.
    PassAck,
    /// Over.
    Over,
    /// Over, though nobody answered: the session is gone or stuck.
    Abandoned,
}

impl ServerInvite {
    /// `trying` is the 100 for it.
    pub(super) fn new(now: Time, trying: Bytes, reliable: bool) -> Self {
        Self { reliable, state: State::Trying { trying, at: now + TRYING_AFTER } }
    }

    /// The INVITE came again.
    pub(super) fn on_repeat(&mut self, now: Time, silence: Duration) -> Serve {
        match &mut self.state {
            State::Trying { trying, .. } => {
                let last = std::mem::take(trying);
                self.state = State::Proceeding { last: last.clone(), until: now + silence };
                Serve::Send(last)
            }
            State::Proceeding { last, .. } | State::Completed { last, .. } => Serve::Send(last.clone()),
            State::Confirmed { .. } | State::Accepted { .. } => Serve::Nothing,
        }
    }

    /// An ACK with this branch came.
    pub(super) fn on_ack(&mut self, now: Time, to_tag: Option<&str>, legacy: bool, timers: &Timers) -> Serve {
        match &self.state {
            // A client after RFC 2543 reuses the branch, hence its ACK must carry the tag of the refusal.
            State::Completed { to_tag: sent, .. } if legacy && to_tag.unwrap_or_default() != &**sent => Serve::Nothing,
            State::Completed { .. } => {
                let until = if self.reliable { now } else { now + timers.t4 };
                self.state = State::Confirmed { until };
                Serve::Nothing
            }
            State::Accepted { .. } => Serve::PassAck,
            State::Trying { .. } | State::Proceeding { .. } | State::Confirmed { .. } => Serve::Nothing,
        }
    }

    /// The session answers.
    pub(super) fn on_respond(
        &mut self,
        now: Time,
        status: u16,
        to_tag: &str,
        bytes: Bytes,
        silence: Duration,
        timers: &Timers,
    ) -> Serve {
        let last = bytes.clone();
        self.state = match &self.state {
            State::Trying { .. } | State::Proceeding { .. } => match status {
                0..200 => State::Proceeding { last, until: now + silence },
                200..300 => State::Accepted { last, until: now + timers.give_up() },
                300.. => {
                    let resend = Resend::start(now, self.reliable, timers);
                    State::Completed { last, to_tag: to_tag.into(), resend, until: now + timers.give_up() }
                }
            },
            State::Accepted { .. } if (200..300).contains(&status) => return Serve::Send(last),
            State::Accepted { .. } | State::Completed { .. } | State::Confirmed { .. } => return Serve::Nothing,
        };
        Serve::Send(bytes)
    }

    /// What was sent last, as long as it may have to be sent again.
    pub(super) fn last(&self) -> Option<&Bytes> {
        match &self.state {
            State::Proceeding { last, .. } | State::Completed { last, .. } | State::Accepted { last, .. } => Some(last),
            State::Trying { .. } | State::Confirmed { .. } => None,
        }
    }

    /// What was sent last could not be sent: this refusal takes its place.
    pub(super) fn refuse(&mut self, now: Time, to_tag: &str, last: Bytes, timers: &Timers) {
        let resend = Resend::start(now, self.reliable, timers);
        self.state = State::Completed { last, to_tag: to_tag.into(), resend, until: now + timers.give_up() };
    }

    /// The session wants its 2xx sent once more.
    pub(super) fn on_repeat_answer(&self) -> Serve {
        match &self.state {
            State::Accepted { last, .. } => Serve::Send(last.clone()),
            State::Trying { .. } | State::Proceeding { .. } | State::Completed { .. } | State::Confirmed { .. } => {
                Serve::Nothing
            }
        }
    }

    pub(super) fn on_tick(&mut self, now: Time, silence: Duration, timers: &Timers) -> Serve {
        match &mut self.state {
            State::Trying { trying, at } if *at <= now => {
                let last = std::mem::take(trying);
                self.state = State::Proceeding { last: last.clone(), until: now + silence };
                Serve::Send(last)
            }
            State::Proceeding { until, .. } if *until <= now => Serve::Abandoned,
            State::Completed { until, .. } | State::Confirmed { until } | State::Accepted { until, .. }
                if *until <= now =>
            {
                Serve::Over
            }
            State::Completed { last, resend, .. } => {
                if resend.due(now, |pause| timers.next_pause(pause)) {
                    Serve::Send(last.clone())
                } else {
                    Serve::Nothing
                }
            }
            State::Trying { .. } | State::Proceeding { .. } | State::Confirmed { .. } | State::Accepted { .. } => {
                Serve::Nothing
            }
        }
    }

    /// When to call [`Self::on_tick`].
    pub(super) fn wake(&self) -> Time {
        match &self.state {
            State::Trying { at, .. } => *at,
            State::Completed { resend, until, .. } => resend.wake(*until),
            State::Proceeding { until, .. } | State::Confirmed { until } | State::Accepted { until, .. } => *until,
        }
    }

    /// Whether no final response was given.
    pub(super) fn is_open(&self) -> bool {
        match &self.state {
            State::Trying { .. } | State::Proceeding { .. } => true,
            State::Completed { .. } | State::Confirmed { .. } | State::Accepted { .. } => false,
        }
    }

    /// Whether it was refused.
    pub(super) fn is_refused(&self) -> bool {
        match &self.state {
            State::Completed { .. } | State::Confirmed { .. } => true,
            State::Trying { .. } | State::Proceeding { .. } | State::Accepted { .. } => false,
        }
    }
}
