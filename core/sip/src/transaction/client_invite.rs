//! The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 7.2).

use super::layer::either::WayBack;
use super::timer::{Resend, Timers};
use crate::flow::Flow;
use crate::headers::Headers;
use crate::message::{Request, Response};
use crate::method::Method;
use bytes::Bytes;
use plugboard_model::Time;

/// One INVITE that was sent.
#[derive(Debug)]
pub(super) struct ClientInvite {
    pub(super) flow: Flow,
    /// The headers that ACK and CANCEL repeat, and the Request-URI.
    skeleton: Request,
    state: State,
    /// Whether its end is waited for no longer than 32 s though there is no CANCEL.
    abandoned: bool,
    /// Where it goes if its flow fails before anything was heard.
    pub(super) way_back: Option<Box<WayBack>>,
}

#[derive(Debug)]
enum State {
    /// Sent, nothing heard. A CANCEL that is wanted waits for a 1xx.
    Calling { bytes: Bytes, resend: Resend, give_up: Time, cancel: Option<CancelWish> },
    /// A 1xx came. After CANCEL the final response must come in time (RFC 3261 section 9.1).
    Proceeding { give_up: Option<Time> },
    /// Refused: the refusal is acknowledged each time it comes.
    Completed { ack: Bytes, until: Time },
    /// A 2xx came: more of them are passed on.
    Accepted { until: Time },
}

/// A CANCEL to be sent, with the value of its Reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CancelWish(pub(super) Option<String>);

/// What a response leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Tell the sender.
    Pass,
    /// Tell the sender, and send the CANCEL that has waited.
    PassAndCancel(CancelWish),
    /// Tell the sender, and acknowledge.
    PassAndAck(Bytes),
    /// Acknowledge again.
    Ack(Bytes),
    /// Nothing.
    Absorb,
}

/// What a timer leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ticked {
    /// Nothing yet.
    Wait,
    /// Send again.
    Send(Bytes),
    /// Over; the sender must be told.
    Timeout,
    /// Over.
    Over,
}

impl ClientInvite {
    /// `request` with our Via on top, `bytes` the same as sent just now.
    pub(super) fn new(now: Time, request: &Request, bytes: Bytes, flow: Flow, timers: &Timers) -> Self {
        let mut skeleton = Request::new(request.method.clone(), request.uri.clone());
        for name in ["Route", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Authorization", "Proxy-Authorization"] {
            skeleton.headers.copy_from(&request.headers, name);
        }
        // Of the Vias only ours: it is on top.
        if let Some(via) = request.headers.get("Via") {
            skeleton.headers.push_via(via);
        }
        let resend = Resend::start(now, flow.transport.is_reliable(), timers);
        let state = State::Calling { bytes, resend, give_up: now + timers.give_up(), cancel: None };
        Self { flow, skeleton, state, abandoned: false, way_back: None }
    }

    /// What is left to try when the flow has failed, with the CANCEL that is wanted.
    pub(super) fn way_back(&mut self) -> Option<(WayBack, Option<CancelWish>)> {
        match &mut self.state {
            State::Calling { cancel, .. } => self.way_back.take().map(|way| (*way, cancel.take())),
            State::Proceeding { .. } | State::Completed { .. } | State::Accepted { .. } => None,
        }
    }

    /// Whether it opens a dialog, and nothing was heard of it.
    pub(super) fn opens_unheard(&self) -> bool {
        let opens = self.skeleton.headers.to().is_ok_and(|to| to.tag().is_none());
        opens && matches!(self.state, State::Calling { .. })
    }

    pub(super) fn on_response(&mut self, now: Time, response: &Response, timers: &Timers) -> Heard {
        let answered = response.is_success();
        let (next, heard) = match &mut self.state {
            State::Calling { cancel, .. } if response.is_provisional() => match cancel.take() {
                Some(wish) => (State::Proceeding { give_up: Some(now + timers.give_up()) }, Heard::PassAndCancel(wish)),
                None => {
                    let give_up = self.abandoned.then(|| now + timers.give_up());
                    (State::Proceeding { give_up }, Heard::Pass)
                }
            },
            State::Proceeding { .. } if response.is_provisional() => return Heard::Pass,
            State::Calling { .. } | State::Proceeding { .. } if answered => {
                (State::Accepted { until: now + timers.give_up() }, Heard::Pass)
            }
            State::Calling { .. } | State::Proceeding { .. } => {
                let ack = Bytes::from(self.ack(response).to_bytes());
                // On a reliable transport a refusal is not repeated: Timer D is zero.
                let until = if self.flow.transport.is_reliable() { now } else { now + timers.d() };
                (State::Completed { ack: ack.clone(), until }, Heard::PassAndAck(ack))
            }
            State::Completed { ack, .. } => {
                let again = response.is_final() && !answered;
                return if again { Heard::Ack(ack.clone()) } else { Heard::Absorb };
            }
            State::Accepted { .. } => return if answered { Heard::Pass } else { Heard::Absorb },
        };
        self.state = next;
        // The peer has it.
        self.way_back = None;
        if matches!(self.state, State::Accepted { .. }) {
            // Neither ACK nor CANCEL is made of it any more, and it would stay for 32 s.
            self.skeleton.headers = Headers::new();
        }
        heard
    }

    pub(super) fn on_tick(&mut self, now: Time) -> Ticked {
        match &mut self.state {
            State::Calling { give_up, .. } if *give_up <= now => Ticked::Timeout,
            State::Calling { bytes, resend, .. } => {
                // Timer A doubles without end; Timer B stops it (section 17.1.1.2).
                if resend.due(now, |pause| pause.saturating_mul(2)) {
                    Ticked::Send(bytes.clone())
                } else {
                    Ticked::Wait
                }
            }
            State::Proceeding { give_up: Some(give_up) } if *give_up <= now => Ticked::Timeout,
            State::Completed { until, .. } | State::Accepted { until } if *until <= now => Ticked::Over,
            State::Proceeding { .. } | State::Completed { .. } | State::Accepted { .. } => Ticked::Wait,
        }
    }

    /// The wish to cancel, none where its end is only waited for no longer: what of it can be sent now.
    pub(super) fn on_cancel(&mut self, now: Time, wish: Option<CancelWish>, timers: &Timers) -> Option<CancelWish> {
        self.abandoned |= wish.is_none();
        match &mut self.state {
            State::Calling { cancel, .. } => {
                *cancel = cancel.take().or(wish);
                None
            }
            State::Proceeding { give_up: give_up @ None } => {
                *give_up = Some(now + timers.give_up());
                wish
            }
            State::Proceeding { give_up: Some(_) } | State::Completed { .. } | State::Accepted { .. } => None,
        }
    }

    /// Whether nothing was heard over the stream for too long.
    pub(super) fn is_way_back_due(&self, now: Time) -> bool {
        self.way_back.as_ref().is_some_and(|way| way.due <= now)
    }

    /// When to call [`Self::on_tick`].
    pub(super) fn wake(&self) -> Option<Time> {
        match &self.state {
            State::Calling { resend, give_up, .. } => {
                let at = resend.wake(*give_up);
                Some(self.way_back.as_ref().map_or(at, |way| way.due.min(at)))
            }
            State::Proceeding { give_up } => *give_up,
            State::Completed { until, .. } | State::Accepted { until } => Some(*until),
        }
    }

    /// Whether the sender still waits for a final response.
    pub(super) fn is_waiting(&self) -> bool {
        match &self.state {
            State::Calling { .. } | State::Proceeding { .. } => true,
            State::Completed { .. } | State::Accepted { .. } => false,
        }
    }

    /// The CANCEL of this INVITE, Via and all (RFC 3261 section 9.1).
    pub(super) fn cancel(&self, wish: CancelWish) -> Request {
        let mut cancel = self.follow_up(Method::Cancel);
        if let Some(reason) = wish.0 {
            cancel.headers.push("Reason", reason);
        }
        cancel
    }

    /// The ACK of a refusal (RFC 3261 section 17.1.1.3).
    fn ack(&self, response: &Response) -> Request {
        let mut ack = self.follow_up(Method::Ack);
        if let Some(to) = response.headers.get("To") {
            ack.headers.set("To", to);
        }
        ack
    }

    fn follow_up(&self, method: Method) -> Request {
        let mut request = Request { method, ..self.skeleton.clone() };
        if let Ok(cseq) = self.skeleton.headers.cseq() {
            request.headers.set("CSeq", format!("{} {}", cseq.number, request.method));
        }
        request
    }
}
