//! The calling side until the answer.

use super::reason::cause_of;
use super::reliable::{Early, RELIABLE};
use super::{ALLOW, Event, Exchange, OutgoingSpec, Session, State, early, timer};
use crate::dialog::{Dialog, NextHop};
use crate::digest::Signed;
use crate::flow::Flow;
use crate::headers::HeaderError;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::replaces::REPLACES;
use crate::transaction::{self, ClientTx, ServerTx};
use bytes::Bytes;
use plugboard_model::{Cause, Time};
use std::time::Duration;

/// Contacts of a 3xx that are told.
const REDIRECT_MAX: usize = 8;

/// The flow to a device is gone, says the proxy that had it (RFC 5626 section 11.5).
pub(super) const FLOW_FAILED: u16 = 430;

/// Longest Retry-After that is told, in seconds: a day.
const RETRY_AFTER_MAX: u32 = 86_400;

/// An INVITE that is not answered.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) spec: OutgoingSpec,
    tx: ClientTx,
    pub(super) cseq: u32,
    /// How often the INVITE was sent anew.
    tries: u8,
    /// The shortest session that somebody on the way takes.
    min_se: Option<Duration>,
    /// Whether it was given up.
    cancelled: bool,
    /// The devices that have said something.
    pub(super) early: Vec<Early>,
    /// An offer of one of them.
    pub(super) asked: Option<(ServerTx, Request)>,
}

impl Session {
    /// Makes a call: the INVITE is the first output.
    pub fn outgoing(local: super::Local, mut spec: OutgoingSpec) -> Self {
        let login = spec.login.take();
        let mut session = Self::new(local, State::Over, true, login);
        session.home = (spec.next_hop == NextHop::First).then(|| Box::new(spec.flow));
        let calling = session.send_invite(spec, 1, 1, None, None);
        session.state = State::Calling(Box::new(calling));
        session
    }

    fn send_invite(
        &mut self,
        spec: OutgoingSpec,
        cseq: u32,
        tries: u8,
        min_se: Option<Duration>,
        credentials: Option<(&'static str, String)>,
    ) -> Calling {
        let mut request = Request::new(Method::Invite, spec.uri.clone());
        let headers = &mut request.headers;
        for route in &spec.routes {
            headers.push("Route", route.as_str());
        }
        headers.push("Max-Forwards", spec.max_forwards.to_string());
        headers.push("From", format!("{};tag={}", spec.from, self.local.tag));
        headers.push("To", spec.to.as_str());
        headers.push("Call-ID", spec.call_id.as_str());
        headers.push("CSeq", format!("{cseq} INVITE"));
        headers.push("Contact", &*self.local.contact);
        headers.push("Allow", ALLOW);
        timer::push_first(headers, min_se);
        headers.push("Supported", REPLACES);
        if spec.reliable {
            headers.push("Supported", RELIABLE);
        }
        if let Some((name, value)) = credentials {
            headers.push(name, value);
        }
        for (name, value) in &spec.headers {
            headers.push(name, value.as_str());
        }
        headers.push("Content-Type", "application/sdp");
        request.body = spec.sdp.to_vec();
        let tx = self.send(request, spec.flow);
        Calling { spec, tx, cseq, tries, min_se, cancelled: false, early: Vec::new(), asked: None }
    }

    pub(super) fn on_calling_response(
        &mut self,
        now: Time,
        mut calling: Box<Calling>,
        tx: ClientTx,
        response: &Response,
        flow: Flow,
    ) -> State {
        if tx != calling.tx {
            return State::Calling(calling);
        }
        if response.is_provisional() {
            calling.spec.answer_by = None;
            if response.status > 100 && self.hear_early(&mut calling, response, flow) && !calling.cancelled {
                self.emit(Event::Progress {
                    status: response.status,
                    sdp: body_of(response),
                    sounds: early::sounds(&response.headers),
                });
            }
            return State::Calling(calling);
        }
        if response.is_success() {
            return self.on_answer(now, &calling, response, flow);
        }
        let uri = calling.spec.uri.to_string();
        let signed = Signed { method: "INVITE", uri: &uri, body: &calling.spec.sdp };
        if !calling.cancelled
            && let Some(credentials) = self.credentials(response, signed, calling.tries)
        {
            let Calling { mut spec, cseq, tries, min_se, .. } = *calling;
            spec.answer_by = None;
            return State::Calling(Box::new(self.send_invite(spec, cseq + 1, tries + 1, min_se, Some(credentials))));
        }
        if !calling.cancelled
            && calling.min_se.is_none()
            && let Some(min) = timer::min_se(response)
        {
            // Without credentials: whoever wants them asks for them again.
            let Calling { spec, cseq, .. } = *calling;
            return State::Calling(Box::new(self.send_invite(spec, cseq + 1, 1, Some(min), None)));
        }
        if response.status == FLOW_FAILED {
            self.emit(Event::FlowLost);
        }
        self.emit(Event::Rejected {
            cause: cause_of(response),
            retry_after: retry_after(response),
            redirect: redirect(response),
            flow_failed: calling.has_reached_nobody() && matches!(response.status, 408 | FLOW_FAILED),
        });
        self.finish()
    }

    /// The first 2xx. One that crossed our CANCEL is acknowledged and ended (RFC 3261 section 9.1).
    fn on_answer(&mut self, now: Time, calling: &Calling, response: &Response, flow: Flow) -> State {
        let dialog = dialog_of(response, &calling.spec, flow);
        let Ok(mut dialog) = dialog.map(Box::new) else {
            // Without tags or with a broken route there is no way to reach the peer: he gives up by himself.
            self.rejected(502, false);
            return self.finish();
        };
        if let Some(early) = calling.early.iter().find(|early| early.dialog.remote_tag() == dialog.remote_tag()) {
            dialog.goes_on_from(&early.dialog);
        }
        // Of the others, only those count on that were sent something: who has but rung begins with his answer.
        for early in calling.early.iter().filter(|early| early.dialog.local_cseq() > calling.cseq) {
            if early.dialog.remote_tag() != dialog.remote_tag() {
                self.strays().rang((*early.dialog).clone());
            }
        }
        self.send_ack(&dialog, calling.cseq);
        if calling.cancelled {
            self.emit(Event::Ended { cause: Cause::of(487), by_remote: false });
            return self.close(dialog, None);
        }
        self.timer_of_answer(now, response, calling.min_se);
        self.emit(Event::Answered { sdp: body_of(response) });
        State::Up { dialog, exchange: Exchange::Idle }
    }

    /// The peer has said nothing at all in its time. The INVITE may have reached it all the same: the layer cancels it as
    /// soon as a word comes, and ends what is answered.
    pub(super) fn on_silence(&mut self, now: Time, calling: Box<Calling>) -> State {
        if calling.answer_by().is_none_or(|until| now < until) {
            return State::Calling(calling);
        }
        self.transaction(transaction::Input::Cancel { tx: calling.tx, reason: None });
        self.rejected(if calling.cancelled { 487 } else { 408 }, calling.has_reached_nobody());
        self.finish()
    }

    pub(super) fn cancel(&mut self, mut calling: Box<Calling>, reason: Option<String>) -> State {
        if !calling.cancelled {
            calling.cancelled = true;
            self.transaction(transaction::Input::Cancel { tx: calling.tx, reason });
        }
        State::Calling(calling)
    }

    pub(super) fn on_calling_failure(&mut self, calling: Box<Calling>, tx: ClientTx, status: u16) -> State {
        if tx != calling.tx {
            return State::Calling(calling);
        }
        let status = if calling.cancelled { 487 } else { status };
        self.rejected(status, calling.has_reached_nobody());
        self.finish()
    }

    /// For a reason of ours.
    fn rejected(&mut self, status: u16, flow_failed: bool) {
        let (cause, retry_after, redirect) = (Cause::of(status), None, Vec::new());
        self.emit(Event::Rejected { cause, retry_after, redirect, flow_failed });
    }

    /// A 2xx to INVITE while there is a dialog: the same again is acknowledged again, that of another device behind a
    /// proxy is ended (RFC 3261 section 13.2.2.4).
    pub(super) fn on_late_answer(&mut self, dialog: Option<&Dialog>, response: &Response, flow: Flow) {
        let tag = response.headers.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        match (dialog, response.headers.cseq()) {
            (Some(dialog), Ok(cseq)) if tag == dialog.remote_tag() => self.send_ack(dialog, cseq.number),
            (Some(_) | None, _) => {
                let [ack, bye] = [self.next_stray_tx(), self.next_stray_tx()];
                let flow = way_to(self.home.as_deref(), flow);
                for input in self.strays().end(response, flow, ack, bye) {
                    self.transaction(input);
                }
            }
        }
    }
}

impl Calling {
    /// Nobody has said that he rings, and somebody still wants an answer.
    fn has_reached_nobody(&self) -> bool {
        self.early.is_empty() && !self.cancelled
    }

    pub(super) const fn answer_by(&self) -> Option<Time> {
        self.spec.answer_by
    }
}

/// The dialog that a response makes. That a long INVITE went over a stream is between us and whoever took it: what goes
/// elsewhere from here, and may go over anything, goes as the INVITE would have gone (RFC 3261 section 18.1.1).
pub(super) fn dialog_of(response: &Response, spec: &OutgoingSpec, flow: Flow) -> Result<Dialog, HeaderError> {
    let home = (spec.next_hop == NextHop::First).then_some(&spec.flow);
    let mut dialog = Dialog::of_response(response, &spec.uri, way_to(home, flow), spec.next_hop)?;
    if flow.transport != spec.flow.transport && dialog.goes_elsewhere_by_any_transport() {
        dialog.set_flow(spec.flow);
    }
    Ok(dialog)
}

/// Over what one is spoken to for whom nobody vouches: a datagram names whatever sender it likes.
fn way_to(home: Option<&Flow>, heard: Flow) -> Flow {
    home.copied().filter(|home| home.remote.ip() != heard.remote.ip()).unwrap_or(heard)
}

/// The body of a response, if there is one.
pub(super) fn body_of(response: &Response) -> Option<Bytes> {
    (!response.body.is_empty()).then(|| Bytes::copy_from_slice(&response.body))
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers.get("Retry-After")?;
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let seconds: u32 = value.get(..end)?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(RETRY_AFTER_MAX).into()))
}

fn redirect(response: &Response) -> Vec<String> {
    if !(300..400).contains(&response.status) {
        return Vec::new();
    }
    let contacts = response.headers.contacts().unwrap_or_default();
    let mut contacts: Vec<_> = contacts.iter().filter_map(|contact| contact.addr()).collect();
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q()));
    contacts.iter().take(REDIRECT_MAX).map(|contact| contact.uri.to_owned()).collect()
}
