//! Requests of the peer within the dialog.

use super::called::Ringing;
use super::reason::reason_of;
use super::{Event, Exchange, InfoDigit, RELIABLE, REOFFER_PATIENCE, Session, State, TIMER};
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::replaces::REPLACES;
use crate::transaction::ServerTx;
use crate::validate::{Abilities, validate};
use bytes::Bytes;
use plugboard_model::{Cause, Time};

/// What a session takes; BYE is taken whatever it carries.
const ABILITIES: Abilities<'static> = Abilities {
    methods: &[
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Options,
        Method::Info,
        Method::Update,
        Method::Refer,
        Method::Prack,
    ],
    extensions: &[TIMER, REPLACES, RELIABLE, "norefersub"],
    content_types: &["application/sdp", "application/dtmf-relay", "application/dtmf"],
    tel: true,
};

/// Most seconds that Retry-After asks for when two offers of the peer cross (RFC 3261 section 14.2: 0 to 10).
const RETRY_AFTER_MAX: u64 = 10;

impl Session {
    pub(super) fn on_request(&mut self, now: Time, tx: ServerTx, request: Request, flow: Flow) {
        if request.method != Method::Bye
            && let Err(rejection) = validate(&request, &ABILITIES)
        {
            let mut response = rejection.response(&request);
            response.headers.set_to_tag(&self.local.tag);
            return self.respond(tx, response);
        }
        if let Err(status) = self.admit(&request, flow) {
            return self.answer(tx, &request, status);
        }
        if let Some(timer) = &mut self.timer {
            timer.heard(now);
        }
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Ringing(ringing) => self.on_request_when_ringing(now, tx, request, ringing),
            State::Calling(calling) => self.on_request_when_calling(tx, request, calling),
            State::Up { dialog, exchange } => self.on_request_when_up(now, tx, request, dialog, exchange),
            state @ (State::Leaving { .. } | State::Closing { .. }) => {
                // A BYE that crosses ours is fine; anything else comes too late (RFC 3261 section 15.1.2).
                self.answer(tx, &request, if request.method == Method::Bye { 200 } else { 481 });
                match (state, &request.method) {
                    (State::Leaving { .. }, Method::Bye) => self.finish(),
                    (state, _) => state,
                }
            }
            State::Over => {
                self.answer(tx, &request, 481);
                State::Over
            }
        };
    }

    /// Whether the request belongs here and comes in order.
    fn admit(&mut self, request: &Request, flow: Flow) -> Result<(), u16> {
        let dialog = match &mut self.state {
            State::Ringing(ringing) => &mut ringing.dialog,
            State::Up { dialog, .. } | State::Leaving { dialog, .. } | State::Closing { dialog, .. } => dialog,
            State::Calling(calling) => {
                let early = calling.early.iter_mut().find(|early| early.dialog.is_of(request));
                &mut early.ok_or(481_u16)?.dialog
            }
            State::Over => return Err(481),
        };
        if !dialog.is_of(request) {
            return Err(481);
        }
        let number = request.headers.cseq().map_err(|_| 400_u16)?.number;
        if !dialog.take_cseq(number) {
            return Err(500);
        }
        dialog.set_flow(flow);
        Ok(())
    }

    fn on_request_when_ringing(
        &mut self,
        now: Time,
        tx: ServerTx,
        request: Request,
        mut ringing: Box<Ringing>,
    ) -> State {
        if request.method == Method::Bye {
            self.respond(tx, Response::to_request(&request, 200));
            return self.give_up(&mut ringing, &request);
        }
        if request.method == Method::Prack {
            return self.on_prack(now, tx, request, ringing);
        }
        if request.method == Method::Update && !request.body.is_empty() {
            return self.on_early_offer(tx, request, ringing);
        }
        let request = &request;
        if request.method == Method::Refer {
            // There is nobody yet whom he could hand on.
            self.answer(tx, request, 403);
        } else if is_offer(request) {
            self.busy(tx, request);
        } else {
            self.on_harmless(now, tx, request, false);
        }
        State::Ringing(ringing)
    }

    fn on_request_when_up(
        &mut self,
        now: Time,
        tx: ServerTx,
        request: Request,
        mut dialog: Box<Dialog>,
        exchange: Exchange,
    ) -> State {
        if request.method == Method::Bye {
            if let Exchange::Asked { tx: asked, request: offer, .. } = &exchange {
                self.answer(*asked, offer, 487);
            }
            self.abandon_reoffer(&exchange);
            self.respond(tx, Response::to_request(&request, 200));
            self.drop_refer();
            let cause = reason_of(&request.headers).unwrap_or_else(Cause::normal);
            self.emit(Event::Ended { cause, by_remote: true });
            return self.finish();
        }
        if is_offer(&request) {
            return self.on_offer(now, tx, request, dialog, exchange);
        }
        if request.method == Method::Prack {
            self.on_late_prack(tx, &request, &exchange);
            return State::Up { dialog, exchange };
        }
        if request.method == Method::Refer {
            self.on_refer(tx, request);
            return State::Up { dialog, exchange };
        }
        dialog.refresh(&request);
        self.on_harmless(now, tx, &request, true);
        State::Up { dialog, exchange }
    }

    /// A new offer of the peer, or his wish for one of ours (RFC 3261 section 14.2, RFC 3311 section 5.2).
    fn on_offer(
        &mut self,
        now: Time,
        tx: ServerTx,
        request: Request,
        dialog: Box<Dialog>,
        exchange: Exchange,
    ) -> State {
        match exchange {
            Exchange::Idle | Exchange::Glare { .. } => {
                if let Exchange::Glare { offer, .. } = exchange {
                    // His offer comes first; ours is moot, since it was made before his, but for the name that it told.
                    if self.unsaid.is_none() && !offer.headers.is_empty() {
                        self.unsaid = Some(offer.headers);
                    }
                    self.emit(Event::ReofferDone(Err(491)));
                }
                let sdp = (!request.body.is_empty()).then(|| Bytes::copy_from_slice(&request.body));
                self.emit(Event::Reoffered { sdp });
                let until = now + REOFFER_PATIENCE;
                State::Up { dialog, exchange: Exchange::Asked { tx, request: Box::new(request), until } }
            }
            exchange @ (Exchange::Sent { .. } | Exchange::Answered(_)) => {
                self.answer(tx, &request, 491);
                State::Up { dialog, exchange }
            }
            exchange @ Exchange::Asked { .. } => {
                self.busy(tx, &request);
                State::Up { dialog, exchange }
            }
        }
    }

    /// A request that changes nothing: OPTIONS, INFO, an UPDATE without offer.
    fn on_harmless(&mut self, now: Time, tx: ServerTx, request: &Request, is_up: bool) {
        let digit = if request.method == Method::Info { InfoDigit::of(request) } else { None };
        let mut response = self.ok(request);
        if is_up && request.method == Method::Update {
            self.timer_of_request(now, request, &mut response);
        }
        self.respond(tx, response);
        if let Some(digit) = digit {
            self.emit(Event::Digit(digit));
        }
    }

    /// 500 with Retry-After: one offer at a time (RFC 3261 section 14.2).
    pub(super) fn busy(&mut self, tx: ServerTx, request: &Request) {
        let mut response = Response::to_request_tagged(request, 500, &self.local.tag);
        response.headers.push("Retry-After", (self.random(0) % (RETRY_AFTER_MAX + 1)).to_string());
        self.respond(tx, response);
    }
}

/// Whether a request opens an exchange of offer and answer: each INVITE, and an UPDATE with a body.
fn is_offer(request: &Request) -> bool {
    request.method == Method::Invite || (request.method == Method::Update && !request.body.is_empty())
}
