//! Commands, responses, ACKs and timers: what moves a session that is answered.

use super::calling::{FLOW_FAILED, body_of};
use super::reason::cause_of;
use super::{ALLOW, Answered, Command, Event, Exchange, InfoDigit, Refusal, Reoffer, Session, State};
use crate::dialog::Dialog;
use crate::digest::Signed;
use crate::flow::Flow;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transaction::{self, ClientTx, ServerTx};
use bytes::Bytes;
use plugboard_model::{Cause, Time};
use std::time::Duration;

/// How often a re-INVITE that meets the peer's goes again.
const GLARE_TRIES_MAX: u8 = 4;

/// How long a re-INVITE may ring, as it were: a peer who says 1xx to it and nothing more is no reason to wait for ever
/// (RFC 3261 section 16.6 point 11, where it is a proxy's Timer C).
const REOFFER_MAX: Duration = Duration::from_mins(3);

/// Whether this answer within a dialog says that nobody is there: no answer came, or a proxy has lost the way to the peer
/// (RFC 5626 section 11.1), or he knows no such dialog.
pub(super) const fn is_gone(status: u16) -> bool {
    matches!(status, 408 | FLOW_FAILED | 481)
}

impl Session {
    #[expect(clippy::too_many_lines, reason = "one match over every state and command, as the house style has it")]
    pub(super) fn command(&mut self, now: Time, command: Command) {
        let state = std::mem::replace(&mut self.state, State::Over);
        self.state = match (state, command) {
            (State::Ringing(ringing), Command::Progress { status, sdp }) => self.progress(now, ringing, status, sdp),
            (State::Ringing(ringing), Command::Answer { sdp }) => self.answer_in_order(now, ringing, sdp),
            (State::Ringing(ringing), Command::AcceptReoffer { sdp }) => {
                self.answer_early_offer(now, ringing, Ok(&sdp))
            }
            (State::Ringing(ringing), Command::RejectReoffer { status, why, headers }) => {
                self.answer_early_offer(now, ringing, Err(Refusal { status, why, headers }))
            }
            (State::Calling(calling), Command::AcceptReoffer { sdp }) => self.answer_when_calling(calling, Ok(&sdp)),
            (State::Calling(calling), Command::RejectReoffer { status, why, headers }) => {
                self.answer_when_calling(calling, Err(Refusal { status, why, headers }))
            }
            (State::Ringing(mut ringing), Command::Reject { status, phrase, reason, headers }) => {
                self.refuse(&mut ringing, (status, phrase), reason, &headers)
            }
            (State::Ringing(mut ringing), Command::End { reason }) => {
                self.refuse(&mut ringing, (480, None), reason, &[])
            }
            (State::Calling(calling), Command::End { reason } | Command::Reject { reason, .. }) => {
                self.cancel(calling, reason)
            }
            (State::Up { dialog, exchange }, Command::End { reason } | Command::Reject { reason, .. }) => {
                self.leave(dialog, exchange, reason, Cause::normal())
            }
            (State::Up { dialog, exchange: Exchange::Idle }, Command::Reoffer { sdp }) => {
                self.send_reoffer(now, dialog, Reoffer { sdp, headers: Box::default() }, None, 1)
            }
            (State::Up { dialog, exchange }, Command::Reoffer { .. }) => {
                self.emit(Event::ReofferDone(Err(491)));
                State::Up { dialog, exchange }
            }
            (State::Up { dialog, exchange: Exchange::Asked { tx, request, .. } }, Command::AcceptReoffer { sdp }) => {
                self.accept_reoffer(now, dialog, tx, &request, &sdp)
            }
            (
                State::Up { dialog, exchange: Exchange::Asked { tx, request, .. } },
                Command::RejectReoffer { status, why, headers },
            ) => {
                let status = if (400..700).contains(&status) { status } else { 488 };
                self.answer_with_reason(tx, &request, Refusal { status, why, headers });
                State::Up { dialog, exchange: Exchange::Idle }
            }
            (State::Up { dialog, exchange }, Command::SendDigit(digit)) => self.send_digit(dialog, exchange, digit),
            (State::Up { dialog, exchange }, Command::AcceptRefer) => self.accept_refer(dialog, exchange),
            (State::Up { dialog, exchange }, Command::RejectRefer { status }) => {
                self.reject_refer(status);
                State::Up { dialog, exchange }
            }
            (State::Up { dialog, exchange }, Command::NotifyRefer { status }) => {
                self.tell_of_refer(dialog, exchange, status)
            }
            (State::Up { dialog, exchange }, Command::Identify { headers, sdp }) => {
                self.identify(now, dialog, exchange, &headers, sdp)
            }
            (State::Up { dialog, exchange }, Command::Say { text }) => self.say(dialog, exchange, text),
            (State::Up { dialog, exchange }, Command::Ask) => self.ask(dialog, exchange),
            // Too early or too late for the state: calls cross on their way, and nothing follows from it.
            (
                state @ State::Calling(_),
                Command::Progress { .. }
                | Command::Answer { .. }
                | Command::Reoffer { .. }
                | Command::SendDigit(_)
                | Command::AcceptRefer
                | Command::RejectRefer { .. }
                | Command::NotifyRefer { .. }
                | Command::Ask
                | Command::Say { .. }
                | Command::Identify { .. },
            )
            | (
                state @ State::Ringing(_),
                Command::Reoffer { .. }
                | Command::SendDigit(_)
                | Command::AcceptRefer
                | Command::RejectRefer { .. }
                | Command::NotifyRefer { .. }
                | Command::Ask
                | Command::Say { .. }
                | Command::Identify { .. },
            )
            | (
                state @ State::Up { .. },
                Command::Progress { .. }
                | Command::Answer { .. }
                | Command::AcceptReoffer { .. }
                | Command::RejectReoffer { .. },
            )
            | (
                state @ (State::Leaving { .. } | State::Closing { .. } | State::Over),
                Command::Progress { .. }
                | Command::Answer { .. }
                | Command::Reject { .. }
                | Command::End { .. }
                | Command::Reoffer { .. }
                | Command::AcceptReoffer { .. }
                | Command::RejectReoffer { .. }
                | Command::SendDigit(_)
                | Command::AcceptRefer
                | Command::RejectRefer { .. }
                | Command::NotifyRefer { .. }
                | Command::Ask
                | Command::Say { .. }
                | Command::Identify { .. },
            ) => state,
        };
    }

    /// Ends an answered session from this side.
    pub(super) fn leave(
        &mut self,
        dialog: Box<Dialog>,
        exchange: Exchange,
        reason: Option<String>,
        cause: Cause,
    ) -> State {
        self.emit(Event::Ended { cause, by_remote: false });
        self.drop_refer();
        match exchange {
            Exchange::Answered(answered) => State::Leaving { dialog, answered, reason },
            Exchange::Asked { tx, request, .. } => {
                self.answer(tx, &request, 487);
                self.close(dialog, reason)
            }
            Exchange::Sent { .. } | Exchange::Idle | Exchange::Glare { .. } => {
                self.abandon_reoffer(&exchange);
                self.close(dialog, reason)
            }
        }
    }

    /// The dialog is over: a re-INVITE of ours that was not answered yet is waited for no longer.
    pub(super) fn abandon_reoffer(&mut self, exchange: &Exchange) {
        if let Exchange::Sent { tx, .. } = exchange {
            self.transaction(transaction::Input::Abandon { tx: *tx });
        }
    }

    /// A fault of ours ends the session: says so to the peer in whatever way is left, at once, and waits for nothing. What
    /// is sent goes on without the session. No BYE should go before the ACK of our 2xx (RFC 3261 section 15), but nobody
    /// would send one after it.
    pub fn abandon(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Ringing(mut ringing) => self.refuse(&mut ringing, (500, None), None, &[]),
            State::Calling(calling) => self.cancel(calling, None),
            State::Up { dialog, exchange: Exchange::Asked { tx, request, .. } } => {
                self.answer(tx, &request, 500);
                self.close(dialog, None)
            }
            State::Up { dialog, exchange } => {
                self.abandon_reoffer(&exchange);
                self.close(dialog, None)
            }
            State::Leaving { dialog, .. } => self.close(dialog, None),
            state @ (State::Closing { .. } | State::Over) => state,
        };
    }

    pub(super) fn send_reoffer(
        &mut self,
        now: Time,
        mut dialog: Box<Dialog>,
        offer: Reoffer,
        credentials: Option<(&'static str, String)>,
        tries: u8,
    ) -> State {
        let mut request = dialog.request(Method::Invite);
        request.headers.push("Contact", &*self.local.contact);
        request.headers.push("Allow", ALLOW);
        self.push_timer(&mut request.headers);
        for (name, value) in &offer.headers {
            request.headers.push(name, value.as_str());
        }
        if let Some((name, value)) = credentials {
            request.headers.push(name, value);
        }
        request.headers.push("Content-Type", "application/sdp");
        request.body = offer.sdp.to_vec();
        let tx = self.send(request, dialog.flow());
        State::Up { dialog, exchange: Exchange::Sent { tx, offer, tries, until: now + REOFFER_MAX } }
    }

    fn accept_reoffer(
        &mut self,
        now: Time,
        mut dialog: Box<Dialog>,
        tx: ServerTx,
        request: &Request,
        sdp: &Bytes,
    ) -> State {
        dialog.refresh(request);
        let response = self.ok_with_sdp(now, request, sdp);
        self.respond(tx, response);
        let exchange = match request.headers.cseq() {
            Ok(cseq) if request.method == Method::Invite => {
                let late = request.body.is_empty();
                Exchange::Answered(Answered::new(now, false, late, tx, cseq.number, &self.local.timers))
            }
            Ok(_) | Err(_) => Exchange::Idle,
        };
        State::Up { dialog, exchange }
    }

    fn send_digit(&mut self, mut dialog: Box<Dialog>, exchange: Exchange, digit: InfoDigit) -> State {
        let mut request = dialog.request(Method::Info);
        request.headers.push("Content-Type", InfoDigit::CONTENT_TYPE);
        request.body = digit.body();
        self.send(request, dialog.flow());
        State::Up { dialog, exchange }
    }

    pub(super) fn on_ack(&mut self, ack: &Request, flow: Flow) {
        let Ok(number) = ack.headers.cseq().map(|cseq| cseq.number) else { return };
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Up { mut dialog, exchange: Exchange::Answered(answered) }
                if answered.cseq == number && dialog.is_of(ack) =>
            {
                dialog.set_flow(flow);
                let sdp = (answered.late && !ack.body.is_empty()).then(|| Bytes::copy_from_slice(&ack.body));
                if answered.initial {
                    self.emit(Event::Established { sdp });
                } else if answered.late {
                    self.emit(Event::ReofferDone(Ok(sdp)));
                }
                State::Up { dialog, exchange: Exchange::Idle }
            }
            State::Leaving { dialog, answered, reason } if answered.cseq == number && dialog.is_of(ack) => {
                self.close(dialog, reason)
            }
            state @ (State::Calling(_)
            | State::Ringing(_)
            | State::Up { .. }
            | State::Leaving { .. }
            | State::Closing { .. }
            | State::Over) => state,
        };
    }

    /// Ends an answered session of which the peer, or a proxy before him, says that there is none.
    fn leave_as_told(&mut self, dialog: Box<Dialog>, exchange: Exchange, response: &Response) -> State {
        if response.status == FLOW_FAILED {
            self.emit(Event::FlowLost);
        }
        self.leave(dialog, exchange, None, cause_of(response))
    }

    pub(super) fn on_response(&mut self, now: Time, tx: ClientTx, response: &Response, flow: Flow) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Calling(calling) => self.on_calling_response(now, calling, tx, response, flow),
            State::Up { dialog, exchange: exchange @ Exchange::Sent { tx: sent, .. } }
                if sent == tx && response.is_provisional() =>
            {
                State::Up { dialog, exchange }
            }
            State::Up { dialog, exchange: Exchange::Sent { tx: sent, offer, tries, .. } } if sent == tx => {
                self.on_reoffer_response(now, dialog, (offer, tries), response)
            }
            State::Up { dialog, exchange } if self.denies_to_live(tx, response) => {
                if response.status == FLOW_FAILED {
                    return self.state = self.leave_as_told(dialog, exchange, response);
                }
                self.bury(dialog, exchange)
            }
            State::Up { dialog, exchange } => {
                let refresh = self.on_refreshed(now, tx, response);
                self.on_other_response(dialog, exchange, refresh, response, flow)
            }
            State::Closing { dialog, bye, tries } if bye == tx && response.is_final() => {
                self.on_bye_response(dialog, tries, response)
            }
            state @ (State::Ringing(_) | State::Leaving { .. } | State::Closing { .. } | State::Over) => {
                if is_invite_2xx(response) {
                    let dialog = match &state {
                        State::Leaving { dialog, .. } | State::Closing { dialog, .. } => Some(&**dialog),
                        State::Calling(_) | State::Ringing(_) | State::Up { .. } | State::Over => None,
                    };
                    self.on_late_answer(dialog, response, flow);
                }
                state
            }
        };
    }

    /// A response that our open re-INVITE did not ask for: a repeated 2xx, or the answer to INFO or a refresh.
    fn on_other_response(
        &mut self,
        dialog: Box<Dialog>,
        exchange: Exchange,
        refresh: bool,
        response: &Response,
        flow: Flow,
    ) -> State {
        if is_invite_2xx(response) {
            self.on_late_answer(Some(&dialog), response, flow);
        } else if matches!(response.status, 481 | FLOW_FAILED) || (refresh && response.status == 408) {
            // The peer knows the dialog no more (RFC 3261 section 12.2.1.2), or nothing reaches him any more (RFC 5626 section 5.3).
            return self.leave_as_told(dialog, exchange, response);
        }
        State::Up { dialog, exchange }
    }

    fn on_reoffer_response(
        &mut self,
        now: Time,
        mut dialog: Box<Dialog>,
        (offer, tries): (Reoffer, u8),
        response: &Response,
    ) -> State {
        if response.is_success() {
            dialog.refresh_by_response(response);
            self.send_ack(&dialog, dialog.local_cseq());
            self.timer_of_answer(now, response, None);
            self.emit(Event::ReofferDone(Ok(body_of(response))));
            return State::Up { dialog, exchange: Exchange::Idle };
        }
        if response.status == 491 && tries < GLARE_TRIES_MAX {
            let at = now + self.glare_pause();
            return State::Up { dialog, exchange: Exchange::Glare { at, offer, tries } };
        }
        if is_gone(response.status) {
            return self.leave_as_told(dialog, Exchange::Idle, response);
        }
        let uri = dialog.request_uri();
        let signed = Signed { method: "INVITE", uri: &uri, body: &offer.sdp };
        if let Some(credentials) = self.credentials(response, signed, tries) {
            return self.send_reoffer(now, dialog, offer, Some(credentials), tries + 1);
        }
        if self.raise_timer(response) {
            // Without credentials: whoever wants them asks for them again.
            return self.send_reoffer(now, dialog, offer, None, 1);
        }
        if let Some(timer) = &mut self.timer {
            timer.reached();
        }
        self.emit(Event::ReofferDone(Err(response.status)));
        State::Up { dialog, exchange: Exchange::Idle }
    }

    fn on_bye_response(&mut self, dialog: Box<Dialog>, tries: u8, response: &Response) -> State {
        let uri = dialog.request_uri();
        let signed = Signed { method: "BYE", uri: &uri, body: b"" };
        match self.credentials(response, signed, tries) {
            Some(credentials) => self.send_bye(dialog, None, Some(credentials), tries + 1),
            None => self.finish(),
        }
    }

    /// A request of ours got no answer, or could not be sent.
    pub(super) fn on_failure(&mut self, now: Time, tx: ClientTx, status: u16) {
        // What nobody answered is the end; a refresh or a re-INVITE that could not be sent may find the peer in another
        // moment.
        if status != 408 && self.is_up() && self.timer.as_mut().is_some_and(|timer| timer.missed(now, tx)) {
            return;
        }
        let dead = self.is_dead(tx);
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Calling(calling) => self.on_calling_failure(calling, tx, status),
            State::Up { dialog, exchange } if dead => self.bury(dialog, exchange),
            State::Up { dialog, exchange: Exchange::Sent { tx: sent, .. } }
                if sent == tx
                    && status != 408
                    && self.timer.as_mut().is_some_and(|timer| timer.missed_reoffer(now)) =>
            {
                self.emit(Event::ReofferDone(Err(status)));
                State::Up { dialog, exchange: Exchange::Idle }
            }
            // An INFO: a digit is lost, and whether the peer is there, what keeps the session alive will tell.
            State::Up { dialog, exchange } if status != 408 && !self.is_vital(tx, &exchange) => {
                self.emit(Event::DigitUnsent);
                State::Up { dialog, exchange }
            }
            // Whatever it was, a re-INVITE or an INFO: the peer is gone (RFC 3261 section 12.2.1.2).
            State::Up { dialog, exchange: Exchange::Sent { tx: sent, .. } } if sent == tx => {
                self.leave(dialog, Exchange::Idle, None, Cause::of(status))
            }
            State::Up { dialog, exchange } => self.leave(dialog, exchange, None, Cause::of(status)),
            State::Closing { bye, .. } if bye == tx => self.finish(),
            state @ (State::Ringing(_) | State::Leaving { .. } | State::Closing { .. } | State::Over) => state,
        };
    }

    /// Whether the session stands and falls with this request: our re-INVITE or refresh.
    fn is_vital(&self, tx: ClientTx, exchange: &Exchange) -> bool {
        matches!(exchange, Exchange::Sent { tx: sent, .. } if *sent == tx)
            || self.timer.as_ref().is_some_and(|timer| timer.asks(tx))
    }

    pub(super) fn tick(&mut self, now: Time) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Calling(calling) => self.on_silence(now, calling),
            State::Ringing(mut ringing) => {
                if self.repeat_reliable(now, &mut ringing) {
                    self.repeat_progress(now, ringing)
                } else {
                    // RFC 3262 section 3: nobody acknowledged it.
                    self.refuse(&mut ringing, (504, None), None, &[])
                }
            }
            State::Up { dialog, exchange: Exchange::Asked { tx, request, until } } if until <= now => {
                self.answer(tx, &request, 488);
                self.emit(Event::ReofferCancelled);
                State::Up { dialog, exchange: Exchange::Idle }
            }
            State::Up { dialog, exchange: Exchange::Answered(answered) } if answered.give_up <= now => {
                // The ACK never came (RFC 3261 section 13.3.1.4).
                self.emit(Event::Ended { cause: Cause::of(408), by_remote: false });
                self.close(dialog, None)
            }
            State::Up { dialog, exchange: Exchange::Answered(answered) } => {
                State::Up { dialog, exchange: Exchange::Answered(self.repeat_answer(now, answered)) }
            }
            State::Up { dialog, exchange: Exchange::Glare { at, offer, tries } } if at <= now => {
                self.send_reoffer(now, dialog, offer, None, tries + 1)
            }
            State::Up { dialog, exchange: Exchange::Sent { tx, offer, tries, until } } if until <= now => {
                // It ends by a 487, or by the layer that waits no longer than 32 s for it.
                self.transaction(transaction::Input::Cancel { tx, reason: None });
                State::Up { dialog, exchange: Exchange::Sent { tx, offer, tries, until: now + REOFFER_MAX } }
            }
            State::Up { dialog, exchange: Exchange::Idle }
                if self.timer.as_ref().is_some_and(|timer| timer.due() <= now) =>
            {
                self.on_timer(now, dialog)
            }
            State::Leaving { dialog, answered, reason } => {
                if answered.give_up <= now {
                    self.close(dialog, reason)
                } else {
                    State::Leaving { dialog, answered: self.repeat_answer(now, answered), reason }
                }
            }
            state @ (State::Up { .. } | State::Closing { .. } | State::Over) => state,
        };
    }

    fn repeat_answer(&mut self, now: Time, mut answered: Answered) -> Answered {
        if answered.resend_at <= now {
            self.transaction(transaction::Input::Repeat { tx: answered.tx });
            answered.pause = self.local.timers.next_pause(answered.pause);
            answered.resend_at = now + answered.pause;
        }
        answered
    }

    /// The pause after 491: 2.1 to 4 s for the side that made the call, 0 to 2 s for the other, in steps of 10 ms
    /// (RFC 3261 section 14.1).
    fn glare_pause(&self) -> Duration {
        let random = self.random(u64::from(u8::MAX));
        if self.made_the_call {
            Duration::from_millis(2_100 + random % 191 * 10)
        } else {
            Duration::from_millis(random % 201 * 10)
        }
    }
}

fn is_invite_2xx(response: &Response) -> bool {
    response.is_success() && response.headers.cseq().is_ok_and(|cseq| cseq.method == Method::Invite)
}
