//! The called side until the answer.

use super::reason::{reason_of, reason_value};
use super::reliable::Reliable;
use super::{ALLOW, Answered, Event, Exchange, Local, Session, State, early};
use crate::dialog::{Dialog, NextHop};
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::rejection::Rejection;
use crate::replaces::REPLACES;
use crate::transaction::{self, ServerTx};
use bytes::Bytes;
use plugboard_model::{Cause, Time};
use std::time::Duration;

/// How often the caller and the proxies between hear that it still rings (RFC 3261 section 13.3.1.1).
const REPEAT_EVERY: Duration = Duration::from_mins(1);

/// An INVITE that is not answered.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) dialog: Box<Dialog>,
    pub(super) tx: ServerTx,
    /// Without its body.
    pub(super) request: Request,
    /// Whether the INVITE had no offer.
    pub(super) late: bool,
    said: Said,
    pub(super) reliable: Reliable,
}

/// What the caller was told.
#[derive(Debug)]
enum Said {
    Nothing,
    Progress { status: u16, sdp: Option<Bytes>, repeat_at: Time },
}

impl Ringing {
    pub(super) fn wake(&self) -> Option<Time> {
        let repeat_at = match &self.said {
            Said::Nothing => None,
            Said::Progress { repeat_at, .. } => Some(*repeat_at),
        };
        repeat_at.into_iter().chain(self.reliable.wake()).min()
    }
}

impl Session {
    /// Takes a call. Read the offer from the request before: the session keeps no bodies.
    ///
    /// # Errors
    /// The response to send when the INVITE lacks what a dialog needs, such as a Contact.
    pub fn incoming(
        tx: ServerTx,
        mut request: Request,
        flow: Flow,
        next_hop: NextHop,
        local: Local,
    ) -> Result<Self, Box<Response>> {
        let dialog = match Dialog::of_invite(&request, &local.tag, flow, next_hop) {
            Ok(dialog) => Box::new(dialog),
            Err(fault) => {
                let mut response = Rejection::bad_request(fault).response(&request);
                response.headers.set_to_tag(&local.tag);
                return Err(Box::new(response));
            }
        };
        let owner = local.owner;
        let late = std::mem::take(&mut request.body).is_empty();
        let first = u32::try_from(local.random >> 33).unwrap_or_default();
        let reliable = Reliable::new(&request.headers, first);
        let ringing = Ringing { dialog, tx, request, late, said: Said::Nothing, reliable };
        let mut session = Self::new(local, State::Ringing(Box::new(ringing)), false, None);
        session.transaction(transaction::Input::Own { tx, owner });
        Ok(session)
    }

    pub(super) fn progress(&mut self, now: Time, mut ringing: Box<Ringing>, status: u16, sdp: Option<Bytes>) -> State {
        // What went reliably has arrived, and is not said once more.
        let sdp = sdp.filter(|_| !ringing.reliable.described);
        if (101..200).contains(&status) && ringing.reliable.is_for(sdp.is_some()) {
            self.progress_reliably(now, &mut ringing, status, sdp);
            ringing.said = Said::Progress { status, sdp: None, repeat_at: now + REPEAT_EVERY };
        } else if (101..200).contains(&status) {
            let mut response = self.dialog_response(&ringing.request, status);
            let described = sdp.is_some() || ringing.reliable.described;
            if let Some(told) = early::told(&ringing.request.headers, status, described) {
                response.headers.push(early::EARLY_MEDIA, told);
            }
            if let Some(sdp) = &sdp {
                response.headers.push("Content-Type", "application/sdp");
                response.body = sdp.to_vec();
            }
            self.respond(ringing.tx, response);
            ringing.said = Said::Progress { status, sdp, repeat_at: now + REPEAT_EVERY };
        }
        State::Ringing(ringing)
    }

    pub(super) fn repeat_progress(&mut self, now: Time, mut ringing: Box<Ringing>) -> State {
        match std::mem::replace(&mut ringing.said, Said::Nothing) {
            Said::Progress { status, sdp, repeat_at } if repeat_at <= now => self.progress(now, ringing, status, sdp),
            said @ (Said::Progress { .. } | Said::Nothing) => {
                ringing.said = said;
                State::Ringing(ringing)
            }
        }
    }

    pub(super) fn answer_call(&mut self, now: Time, ringing: Box<Ringing>, sdp: &Bytes) -> State {
        let Ringing { dialog, tx, request, late, reliable, .. } = *ringing;
        let mut response = self.ok_with_sdp(now, &request, sdp);
        if reliable.described {
            // Agreed already (RFC 6337 section 2.2).
            response.headers.remove("Content-Type");
            response.body.clear();
        }
        let late = late && !reliable.described;
        self.respond(tx, response);
        let cseq = request.headers.cseq().map(|cseq| cseq.number).unwrap_or_default();
        let answered = Answered::new(now, true, late, tx, cseq, &self.local.timers);
        State::Up { dialog, exchange: Exchange::Answered(answered) }
    }

    pub(super) fn refuse(
        &mut self,
        ringing: &mut Ringing,
        (status, phrase): (u16, Option<String>),
        reason: Option<String>,
        headers: &[(String, String)],
    ) -> State {
        if let Some((tx, request)) = ringing.reliable.take_asked() {
            self.answer(tx, &request, 487);
        }
        let status = if (300..700).contains(&status) { status } else { 500 };
        let mut response = Response::to_request_tagged(&ringing.request, status, &self.local.tag);
        if let Some(phrase) = phrase {
            response.reason = phrase;
        }
        for (name, value) in headers {
            response.headers.push(name, value.as_str());
        }
        if let Some(reason) = reason {
            response.headers.push("Reason", reason);
        }
        self.respond(ringing.tx, response);
        self.emit(Event::Ended { cause: Cause::of(status), by_remote: false });
        self.finish()
    }

    /// The caller gave up, by CANCEL or by BYE (RFC 3261 sections 9.2 and 15.1.2).
    pub(super) fn give_up(&mut self, ringing: &mut Ringing, by: &Request) -> State {
        if let Some((tx, request)) = ringing.reliable.take_asked() {
            self.answer(tx, &request, 487);
        }
        self.answer(ringing.tx, &ringing.request, 487);
        let cause = reason_of(&by.headers).unwrap_or_else(|| Cause::of(487));
        self.emit(Event::Ended { cause, by_remote: true });
        self.finish()
    }

    pub(super) fn on_cancelled(&mut self, tx: ServerTx, cancel: &Request) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Ringing(mut ringing) if ringing.tx == tx => self.give_up(&mut ringing, cancel),
            State::Up { dialog, exchange: Exchange::Asked { tx: asked, request, .. } } if asked == tx => {
                self.answer(tx, &request, 487);
                self.emit(Event::ReofferCancelled);
                State::Up { dialog, exchange: Exchange::Idle }
            }
            state @ (State::Calling(_)
            | State::Ringing(_)
            | State::Up { .. }
            | State::Leaving { .. }
            | State::Closing { .. }
            | State::Over) => state,
        };
    }

    pub(super) fn on_lost(&mut self, tx: ServerTx) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Ringing(ringing) if ringing.tx == tx => {
                self.emit(Event::Ended { cause: Cause::of(503), by_remote: true });
                self.finish()
            }
            State::Up { dialog, exchange: Exchange::Asked { tx: asked, .. } } if asked == tx => {
                self.emit(Event::ReofferCancelled);
                State::Up { dialog, exchange: Exchange::Idle }
            }
            // Our 2xx could not be sent. The peer is refused by the layer: he knows of no session, or of the old one.
            State::Up { dialog, exchange: Exchange::Answered(answered) } if answered.tx == tx => {
                self.emit(Event::Ended { cause: Cause::of(500), by_remote: false });
                let reason = Some(reason_value(&Cause::of(500)));
                if answered.initial { self.finish() } else { self.close(dialog, reason) }
            }
            State::Leaving { dialog, answered, reason } if answered.tx == tx => {
                if answered.initial {
                    self.finish()
                } else {
                    self.close(dialog, reason)
                }
            }
            state @ (State::Calling(_)
            | State::Ringing(_)
            | State::Up { .. }
            | State::Leaving { .. }
            | State::Closing { .. }
            | State::Over) => state,
        };
    }

    /// A 1xx or 2xx that makes or refreshes a dialog (RFC 3261 section 12.1.1).
    pub(super) fn dialog_response(&self, request: &Request, status: u16) -> Response {
        let mut response = Response::to_request_tagged(request, status, &self.local.tag);
        response.headers.copy_from(&request.headers, "Record-Route");
        response.headers.push("Contact", &*self.local.contact);
        response.headers.push("Allow", ALLOW);
        response.headers.push("Supported", REPLACES);
        response
    }

    pub(super) fn ok_with_sdp(&mut self, now: Time, request: &Request, sdp: &Bytes) -> Response {
        let mut response = self.dialog_response(request, 200);
        self.timer_of_request(now, request, &mut response);
        response.headers.push("Content-Type", "application/sdp");
        response.body = sdp.to_vec();
        response
    }

    /// A 200 without a body that shows where we are.
    pub(super) fn ok(&self, request: &Request) -> Response {
        self.dialog_response(request, 200)
    }
}
