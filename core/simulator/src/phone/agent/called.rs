//! What a phone does with the requests of others.

use bytes::Bytes;
use plugboard_model::Time;
use plugboard_sip::{Method, Request, Response};
use std::net::SocketAddr;

use super::{Agent, Client, Manner, Purpose, branch_of};
use crate::phone::call::{Call, Stage};
use crate::phone::resend::What;

impl Agent {
    pub(super) fn request(&mut self, now: Time, from: SocketAddr, request: &Request) {
        let branch = branch_of(request.headers.top_via().ok().and_then(|via| via.branch()));
        if request.method == Method::Ack {
            return self.acked(now, request);
        }
        if let Some((to, bytes)) = self.served.get(&(branch, request.method.as_str().to_owned())).cloned() {
            return self.send(to, bytes);
        }
        let index = self.call_of(request.headers.call_id().unwrap_or_default());
        if matches!(request.method, Method::Invite | Method::Register)
            && index.is_none()
            && self.challenges(from, request)
        {
            return;
        }
        if request.method == Method::Invite && index.is_some_and(|index| self.minds && self.asks(index)) {
            return self.respond(from, request, 491, Vec::new(), None);
        }
        if self.is_too_short(request) {
            return self.respond(from, request, 422, Vec::new(), None);
        }
        self.look_at(index, request);
        match (&request.method, index) {
            (Method::Register, _) => self.registers(from, request),
            (Method::Options, Some(index)) if self.calls.get(index).is_none_or(Call::is_over) => {
                self.respond(from, request, 481, Vec::new(), None);
            }
            (Method::Options, _) => self.respond(from, request, self.options, Vec::new(), None),
            (Method::Invite, None) => self.called(now, from, request),
            (Method::Invite, Some(index)) => self.reinvited(now, from, index, request),
            (Method::Cancel, Some(index)) => self.cancelled(now, from, index, request),
            (Method::Bye, Some(index)) => {
                let reason = request.headers.get("Reason").map(str::to_owned);
                if let Some(call) = self.calls.get_mut(index) {
                    call.reason = reason.or(call.reason.take());
                    // Who hangs up before the ACK came knows that we answered.
                    call.over(200);
                    let cseq = call.invite.headers.cseq().map_or(0, |cseq| cseq.number);
                    self.resends.done(&What::Final(index, cseq));
                }
                self.respond(from, request, 200, Vec::new(), None);
            }
            (Method::Prack, Some(index)) => self.acknowledged(from, index, request),
            (Method::Update, Some(index)) => self.updated(from, index, request),
            (Method::Notify, None) => self.takes_notify(from, request),
            (Method::Bye | Method::Cancel, None) => self.respond(from, request, 481, Vec::new(), None),
            (_, _) => self.respond(from, request, 200, Vec::new(), None),
        }
    }

    /// Whether an INVITE of ours within the call has no answer yet.
    fn asks(&self, index: usize) -> bool {
        let is_it = |client: &Client| !client.over && matches!(client.purpose, Purpose::Reinvite(of) if of == index);
        self.clients.values().any(is_it)
    }

    /// Who is shown, and what is told of a transfer.
    fn look_at(&mut self, index: Option<usize>, request: &Request) {
        let Some(call) = index.and_then(|index| self.calls.get_mut(index)) else { return };
        if let Some(shown) = request.headers.get("P-Asserted-Identity") {
            call.shown = Some(shown.to_owned());
        }
        let told = std::str::from_utf8(&request.body).ok().and_then(|body| body.strip_prefix("SIP/2.0 "));
        call.told.extend(told.and_then(|told| told.get(..3)?.parse::<u16>().ok()));
    }

    fn called(&mut self, now: Time, from: SocketAddr, request: &Request) {
        let headers = &request.headers;
        let (Ok(id), Some(remote), Some(local)) = (headers.call_id(), headers.get("From"), headers.get("To")) else {
            return;
        };
        let index = self.calls.len();
        let local = format!("{local};tag={}-{index}", self.name);
        let target = headers.get("Contact").unwrap_or_default().trim_matches(['<', '>']).to_owned();
        let (id, remote) = (id.to_owned(), remote.to_owned());
        let mut call = self.new_call(index, id, local, remote, target, from, request.clone());
        call.stage = Stage::Ringing;
        call.take_description(&request.body);
        self.calls.push(call);
        match self.manner {
            Manner::Rings => self.answer_invite(now, index, 180, false),
            Manner::Refuses(status) => self.refuse(now, index, status),
            Manner::Quiet | Manner::Unplugged => {}
        }
    }

    fn reinvited(&mut self, now: Time, from: SocketAddr, index: usize, request: &Request) {
        let Some(call) = self.calls.get_mut(index) else { return };
        let of = |header| call.invite.headers.get(header) == request.headers.get(header);
        // Each side numbers its own.
        if of("CSeq") && of("From") {
            // The same once more, and we have not said anything yet.
            return;
        }
        if call.stage != Stage::Up {
            return self.respond(from, request, 481, Vec::new(), None);
        }
        call.invite = request.clone();
        if let Manner::Refuses(status) = self.manner {
            return self.answer_invite(now, index, status, false);
        }
        if crate::phone::voice::read_image(&request.body).is_some() && call.image == crate::phone::call::Image::Refuses
        {
            return self.answer_invite(now, index, 488, false);
        }
        call.take_description(&request.body);
        // The mirror of what the other side offers (RFC 3264 section 6.1).
        call.direction = match call.heard_direction {
            Some((true, true)) | None => "sendrecv",
            Some((true, false)) => "sendonly",
            Some((false, true)) => "recvonly",
            Some((false, false)) => "inactive",
        };
        call.voice.sends = call.heard_direction.is_none_or(|(hears, _)| hears);
        self.answer_invite(now, index, 200, true);
    }

    fn cancelled(&mut self, now: Time, from: SocketAddr, index: usize, request: &Request) {
        self.respond(from, request, 200, Vec::new(), None);
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Ringing) else { return };
        let rseq = call.rseq;
        self.resends.done(&What::Reliable(index, rseq));
        let Some(call) = self.calls.get_mut(index) else { return };
        call.reason = request.headers.get("Reason").map(str::to_owned);
        call.over(487);
        self.answer_invite(now, index, 487, false);
    }

    fn acked(&mut self, now: Time, ack: &Request) {
        let Some(index) = self.call_of(ack.headers.call_id().unwrap_or_default()) else { return };
        let Ok(cseq) = ack.headers.cseq() else { return };
        self.resends.done(&What::Final(index, cseq.number));
        if let Some(call) = self.calls.get_mut(index)
            && call.take_description(&ack.body)
        {
            call.voice.start(now);
        }
    }

    /// Answers the INVITE of a call, with our description or without.
    pub(super) fn answer_invite(&mut self, now: Time, index: usize, status: u16, described: bool) {
        let Some(call) = self.calls.get(index) else { return };
        let (invite, to, body) = (call.invite.clone(), call.peer, call.description());
        let body = if described { body.into_bytes() } else { Vec::new() };
        let cseq = invite.headers.cseq().map_or(0, |cseq| cseq.number);
        if self.is_reliable(&invite, status) {
            return self.answer_reliably(now, index, status, body);
        }
        self.respond(to, &invite, status, body, None);
        let branch = branch_of(invite.headers.top_via().ok().and_then(|via| via.branch()));
        if status >= 200
            && let Some((to, bytes)) = self.served.get(&(branch, "INVITE".to_owned())).cloned()
        {
            self.resends.add(now, What::Final(index, cseq), to, bytes.to_vec(), false);
        }
    }

    pub(super) fn respond(
        &mut self,
        to: SocketAddr,
        request: &Request,
        status: u16,
        body: Vec<u8>,
        reason: Option<&str>,
    ) {
        let index = self.call_of(request.headers.call_id().unwrap_or_default()).unwrap_or(usize::MAX);
        let mut response = Response::to_request_tagged(request, status, &format!("{}-{index}", self.name));
        if (300..400).contains(&status) {
            for other in &self.others {
                response.headers.push("Contact", other.as_str());
            }
        } else if request.method != Method::Register {
            response.headers.push("Contact", self.contact());
        }
        if self.allows {
            response.headers.push("Allow", super::ALLOW);
        }
        if status < 200 {
            for (name, value) in &self.says_early {
                response.headers.push(name, value.as_str());
            }
        }
        self.answer_timer(request, &mut response);
        if let Some(reason) = reason {
            response.headers.push("Reason", reason);
        }
        if !body.is_empty() {
            response.headers.push("Content-Type", "application/sdp");
            response.body = body;
        }
        self.respond_with(to, request, response);
    }

    pub(super) fn respond_with(&mut self, to: SocketAddr, request: &Request, response: Response) {
        let branch = branch_of(request.headers.top_via().ok().and_then(|via| via.branch()));
        let bytes = Bytes::from(response.to_bytes());
        self.served.insert((branch, request.method.as_str().to_owned()), (to, bytes.clone()));
        self.send(to, bytes);
    }
}
