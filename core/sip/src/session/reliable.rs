//! Provisional responses that must arrive (RFC 3262): `RSeq`, PRACK, and the offers and answers in them.

use super::called::Ringing;
use super::calling::{Calling, dialog_of};
use super::{Answered, Event, Exchange, Refusal, Session, State, early};
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::headers::Headers;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transaction::{Input, ServerTx, Timers};
use bytes::Bytes;
use plugboard_model::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// The option tag.
pub const RELIABLE: &str = "100rel";

/// Reliable responses that wait for the PRACK of the one before: ringing, and a sound or two.
const QUEUE_MAX: usize = 4;

/// Devices behind a proxy whose early dialogs are kept; more are not heard before they answer.
pub(super) const FORKS_MAX: usize = 8;

/// What a caller says of reliable responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Supports,
    Requires,
}

/// The reliable responses to one INVITE.
#[derive(Debug)]
pub(super) struct Reliable {
    takes: Takes,
    /// The number of the next one (RFC 3262 section 3: 1 to 2^31 - 1 at first).
    next: u32,
    pending: Option<Pending>,
    waiting: VecDeque<(u16, Option<Bytes>)>,
    /// The 200 that waits for the PRACK of a description.
    answer: Option<Bytes>,
    /// A description went reliably: it stands, and the 200 brings none.
    pub(super) described: bool,
    /// An offer of the caller, by PRACK or UPDATE, while it rings.
    asked: Option<(ServerTx, Request)>,
}

/// One that is not acknowledged.
#[derive(Debug)]
struct Pending {
    rseq: u32,
    status: u16,
    sdp: Option<Bytes>,
    resend_at: Time,
    pause: Duration,
    give_up: Time,
}

/// A dialog that a provisional response made.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Box<Dialog>,
    /// The last reliable response (RFC 3262 section 4).
    rseq: Option<u32>,
    /// Our offer was answered by a reliable response.
    answered: bool,
}

impl Reliable {
    pub(super) fn new(invite: &Headers, first: u32) -> Self {
        let takes = if invite.has_token("Require", RELIABLE) {
            Takes::Requires
        } else if invite.has_token("Supported", RELIABLE) {
            Takes::Supports
        } else {
            Takes::Nothing
        };
        Self {
            takes,
            next: first % (1 << 30) + 1,
            pending: None,
            waiting: VecDeque::new(),
            answer: None,
            described: false,
            asked: None,
        }
    }

    /// Whether a response goes reliably: each one where the caller insists, else those that must not be lost.
    pub(super) fn is_for(&self, described: bool) -> bool {
        match self.takes {
            Takes::Nothing => false,
            Takes::Supports => described,
            Takes::Requires => true,
        }
    }

    /// Whether the caller, who made no offer, must be made one before the answer (RFC 3261 section 13.2.1).
    pub(super) fn must_offer(&self) -> bool {
        self.takes == Takes::Requires && !self.described
    }

    pub(super) fn wake(&self) -> Option<Time> {
        self.pending.as_ref().map(|pending| pending.resend_at.min(pending.give_up))
    }

    /// Whether the 200 has to wait (RFC 3262 section 3).
    pub(super) fn holds_answer(&self) -> bool {
        self.asked.is_some() || self.pending.as_ref().is_some_and(|pending| pending.sdp.is_some())
    }

    pub(super) fn hold(&mut self, answer: Bytes) {
        self.answer = Some(answer);
    }

    pub(super) fn take_asked(&mut self) -> Option<(ServerTx, Request)> {
        self.asked.take()
    }
}

/// The three parts of `RAck` (RFC 3262 section 7.2).
fn rack(headers: &Headers) -> Option<(u32, u32, Method)> {
    let mut words = headers.get("RAck")?.split_ascii_whitespace();
    let (rseq, cseq, method) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?);
    words.next().is_none().then(|| (rseq, cseq, Method::from_token(method)))
}

impl Session {
    // ---- the called side ------------------------------------------------------------------------------------

    /// Whether the caller wants reliable responses and made no offer: the first of them has to bring ours.
    pub fn must_offer_early(&self) -> bool {
        matches!(&self.state, State::Ringing(ringing) if ringing.late && ringing.reliable.must_offer())
    }

    /// One at a time (RFC 3262 section 3).
    pub(super) fn progress_reliably(&mut self, now: Time, ringing: &mut Ringing, status: u16, sdp: Option<Bytes>) {
        if ringing.reliable.pending.is_some() {
            if ringing.reliable.waiting.len() < QUEUE_MAX {
                ringing.reliable.waiting.push_back((status, sdp));
            }
            return;
        }
        let Timers { t1, .. } = self.local.timers;
        let give_up = now + self.local.timers.give_up();
        let rseq = ringing.reliable.next;
        ringing.reliable.next += 1;
        ringing.reliable.described |= sdp.is_some();
        let pending = Pending { rseq, status, sdp, resend_at: now + t1, pause: t1, give_up };
        self.send_reliable(ringing, &pending);
        ringing.reliable.pending = Some(pending);
    }

    fn send_reliable(&mut self, ringing: &Ringing, pending: &Pending) {
        let mut response = self.dialog_response(&ringing.request, pending.status);
        response.headers.push("Require", RELIABLE);
        response.headers.push("RSeq", pending.rseq.to_string());
        let described = ringing.reliable.described;
        if let Some(told) = early::told(&ringing.request.headers, pending.status, described) {
            response.headers.push(early::EARLY_MEDIA, told);
        }
        if let Some(sdp) = &pending.sdp {
            response.headers.push("Content-Type", "application/sdp");
            response.body = sdp.to_vec();
        }
        self.respond(ringing.tx, response);
    }

    /// Sends again what nobody acknowledged; false: it is time to give the call up.
    pub(super) fn repeat_reliable(&mut self, now: Time, ringing: &mut Ringing) -> bool {
        let Some(mut pending) = ringing.reliable.pending.take() else { return true };
        if pending.give_up <= now {
            return false;
        }
        if pending.resend_at <= now {
            self.send_reliable(ringing, &pending);
            pending.pause *= 2;
            pending.resend_at = now + pending.pause;
        }
        ringing.reliable.pending = Some(pending);
        true
    }

    pub(super) fn on_prack(&mut self, now: Time, tx: ServerTx, request: Request, mut ringing: Box<Ringing>) -> State {
        let cseq = ringing.request.headers.cseq().map(|cseq| cseq.number).unwrap_or_default();
        let acknowledged =
            rack(&request.headers).filter(|(_, number, method)| (*number, method) == (cseq, &Method::Invite));
        let pending = ringing
            .reliable
            .pending
            .take_if(|pending| acknowledged.as_ref().is_some_and(|(rseq, ..)| *rseq == pending.rseq));
        let Some(pending) = pending else {
            self.answer(tx, &request, 481);
            return State::Ringing(ringing);
        };
        let sdp = (!request.body.is_empty()).then(|| Bytes::copy_from_slice(&request.body));
        match sdp {
            Some(sdp) if ringing.late && pending.sdp.is_some() => {
                let response = self.ok(&request);
                self.respond(tx, response);
                self.emit(Event::EarlyAnswered { sdp });
            }
            Some(sdp) => {
                ringing.reliable.asked = Some((tx, request));
                self.emit(Event::Reoffered { sdp: Some(sdp) });
            }
            None => {
                let response = self.ok(&request);
                self.respond(tx, response);
            }
        }
        self.go_on_ringing(now, ringing)
    }

    /// An offer of the caller before the answer: after ours to his first one has arrived (RFC 3311 section 5.2).
    pub(super) fn on_early_offer(&mut self, tx: ServerTx, request: Request, mut ringing: Box<Ringing>) -> State {
        let reliable = &mut ringing.reliable;
        if !reliable.described || reliable.asked.is_some() {
            self.busy(tx, &request);
        } else if reliable.pending.as_ref().is_some_and(|pending| pending.sdp.is_some()) {
            self.answer(tx, &request, 491);
        } else {
            let sdp = Bytes::copy_from_slice(&request.body);
            reliable.asked = Some((tx, request));
            self.emit(Event::Reoffered { sdp: Some(sdp) });
        }
        State::Ringing(ringing)
    }

    /// Answers the offer of a PRACK or UPDATE, or refuses it with this status.
    pub(super) fn answer_early_offer(
        &mut self,
        now: Time,
        mut ringing: Box<Ringing>,
        sdp: Result<&Bytes, Refusal>,
    ) -> State {
        let Some((tx, request)) = ringing.reliable.take_asked() else { return State::Ringing(ringing) };
        match sdp {
            Ok(sdp) => {
                ringing.dialog.refresh(&request);
                self.respond_with_sdp(tx, &request, sdp);
            }
            Err(refusal) => self.answer_with_reason(tx, &request, refusal),
        }
        self.go_on_ringing(now, ringing)
    }

    /// Answers the call, or keeps the answer until the description before it has arrived.
    pub(super) fn answer_in_order(&mut self, now: Time, mut ringing: Box<Ringing>, sdp: Bytes) -> State {
        if ringing.reliable.holds_answer() {
            ringing.reliable.hold(sdp);
            return State::Ringing(ringing);
        }
        self.answer_call(now, ringing, &sdp)
    }

    /// Answers the offer of a device that has not answered our INVITE, or refuses it.
    pub(super) fn answer_when_calling(&mut self, mut calling: Box<Calling>, sdp: Result<&Bytes, Refusal>) -> State {
        match (calling.asked.take(), sdp) {
            (Some((tx, request)), Ok(sdp)) => self.respond_with_sdp(tx, &request, sdp),
            (Some((tx, request)), Err(refusal)) => self.answer_with_reason(tx, &request, refusal),
            (None, _) => {}
        }
        State::Calling(calling)
    }

    fn respond_with_sdp(&mut self, tx: ServerTx, request: &Request, sdp: &Bytes) {
        let mut response = self.dialog_response(request, 200);
        response.headers.push("Content-Type", "application/sdp");
        response.body = sdp.to_vec();
        self.respond(tx, response);
    }

    /// What waited for a PRACK goes: the answer first, since nothing rings after it.
    fn go_on_ringing(&mut self, now: Time, mut ringing: Box<Ringing>) -> State {
        if !ringing.reliable.holds_answer()
            && let Some(answer) = ringing.reliable.answer.take()
        {
            return self.answer_call(now, ringing, &answer);
        }
        if ringing.reliable.pending.is_none()
            && let Some((status, sdp)) = ringing.reliable.waiting.pop_front()
        {
            self.progress_reliably(now, &mut ringing, status, sdp);
        }
        State::Ringing(ringing)
    }

    /// A PRACK that comes after our 200: what it acknowledges is answered all the same (RFC 3262 section 3).
    pub(super) fn on_late_prack(&mut self, tx: ServerTx, request: &Request, exchange: &Exchange) {
        if matches!(exchange, Exchange::Answered(Answered { initial: true, .. })) && rack(&request.headers).is_some() {
            let response = self.ok(request);
            self.respond(tx, response);
        } else {
            self.answer(tx, request, 481);
        }
    }

    // ---- the calling side -----------------------------------------------------------------------------------

    /// Takes a provisional response, acknowledges a reliable one; whether it is a new one, in order.
    pub(super) fn hear_early(&mut self, calling: &mut Calling, response: &Response, flow: Flow) -> bool {
        let tag = response.headers.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let mut place = calling.early.iter().position(|early| early.dialog.remote_tag() == tag);
        if place.is_none()
            && !tag.is_empty()
            && calling.early.len() < FORKS_MAX
            && let Ok(dialog) = dialog_of(response, &calling.spec, flow)
        {
            place = Some(calling.early.len());
            calling.early.push(Early { dialog: Box::new(dialog), rseq: None, answered: false });
        }
        let rseq = response.headers.get("RSeq").and_then(|rseq| rseq.trim().parse::<u32>().ok());
        let Some(rseq) = rseq.filter(|_| response.headers.has_token("Require", RELIABLE)) else { return true };
        let Some(early) = place.and_then(|place| calling.early.get_mut(place)) else { return false };
        // One that comes again was acknowledged; one that comes too early comes again (RFC 3262 section 4).
        if early.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
            return false;
        }
        early.rseq = Some(rseq);
        early.answered |= !response.body.is_empty();
        let mut request = early.dialog.request(Method::Prack);
        request.headers.push("RAck", format!("{rseq} {} INVITE", calling.cseq));
        let flow = early.dialog.flow();
        // A caller's INVITE tells its own end: nothing hangs on what this is answered.
        let tx = self.next_stray_tx();
        self.transaction(Input::SendRequest { tx, request, flow });
        true
    }

    /// A request of a device that has not answered our INVITE.
    pub(super) fn on_request_when_calling(
        &mut self,
        tx: ServerTx,
        request: Request,
        mut calling: Box<Calling>,
    ) -> State {
        let Some(early) = calling.early.iter_mut().find(|early| early.dialog.is_of(&request)) else {
            self.answer(tx, &request, 481);
            return State::Calling(calling);
        };
        if request.method != Method::Update || request.body.is_empty() {
            let status =
                if matches!(request.method, Method::Update | Method::Options | Method::Info) { 200 } else { 481 };
            if status == 200 {
                early.dialog.refresh(&request);
            }
            self.answer(tx, &request, status);
        } else if !early.answered || calling.asked.is_some() {
            // Our own offer stands open (RFC 3311 section 5.2).
            self.answer(tx, &request, 491);
        } else {
            early.dialog.refresh(&request);
            let sdp = Bytes::copy_from_slice(&request.body);
            calling.asked = Some((tx, request));
            self.emit(Event::Reoffered { sdp: Some(sdp) });
        }
        State::Calling(calling)
    }
}
