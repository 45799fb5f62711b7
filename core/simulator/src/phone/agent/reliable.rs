//! Provisional responses that are acknowledged (RFC 3262), and offers before the answer (RFC 3311).

use bytes::Bytes;
use plugboard_model::Time;
use plugboard_sip::{Method, Request, Response};
use std::net::SocketAddr;

use super::{Agent, Purpose, branch_of};
use crate::phone::call::{Cancel, Stage};
use crate::phone::resend::What;

/// The option tag.
pub(super) const RELIABLE: &str = "100rel";

impl Agent {
    // ---- the called side ------------------------------------------------------------------------------------

    /// Whether this answer has to be acknowledged.
    pub(super) fn is_reliable(&self, invite: &Request, status: u16) -> bool {
        let headers = &invite.headers;
        let can = headers.has_token("Supported", RELIABLE) || headers.has_token("Require", RELIABLE);
        self.reliable && can && (101..200).contains(&status)
    }

    pub(super) fn answer_reliably(&mut self, now: Time, index: usize, status: u16, body: Vec<u8>) {
        let Some(call) = self.calls.get_mut(index) else { return };
        self.resends.done(&What::Reliable(index, call.rseq));
        call.rseq += 1;
        let (invite, to, rseq) = (call.invite.clone(), call.peer, call.rseq);
        let mut response = Response::to_request_tagged(&invite, status, &format!("{}-{index}", self.name));
        response.headers.push("Contact", self.contact());
        response.headers.push("Require", RELIABLE);
        response.headers.push("RSeq", rseq.to_string());
        for (name, value) in &self.says_early {
            response.headers.push(name, value.as_str());
        }
        if !body.is_empty() {
            response.headers.push("Content-Type", "application/sdp");
            response.body = body;
        }
        let bytes = Bytes::from(response.to_bytes());
        let branch = branch_of(invite.headers.top_via().ok().and_then(|via| via.branch()));
        self.served.insert((branch, "INVITE".to_owned()), (to, bytes.clone()));
        self.resends.add(now, What::Reliable(index, rseq), to, bytes.to_vec(), true);
        self.send(to, bytes);
    }

    /// A PRACK: of the last of ours, or of nothing that we know.
    pub(super) fn acknowledged(&mut self, from: SocketAddr, index: usize, prack: &Request) {
        let Some(call) = self.calls.get_mut(index) else { return };
        let cseq = call.invite.headers.cseq().map_or(0, |cseq| cseq.number);
        let known = prack.headers.get("RAck") == Some(format!("{} {cseq} INVITE", call.rseq).as_str());
        if known {
            let rseq = call.rseq;
            call.acknowledged += 1;
            self.resends.done(&What::Reliable(index, rseq));
        }
        self.respond(from, prack, if known { 200 } else { 481 }, Vec::new(), None);
    }

    /// An UPDATE, with an offer or without.
    pub(super) fn updated(&mut self, from: SocketAddr, index: usize, update: &Request) {
        let Some(call) = self.calls.get_mut(index) else { return };
        let described = call.take_description(&update.body);
        let body = if described { call.description().into_bytes() } else { Vec::new() };
        self.respond(from, update, 200, body, None);
    }

    // ---- the calling side -----------------------------------------------------------------------------------

    /// A provisional response that waits for our PRACK; one that comes again has got it.
    pub(super) fn heard_reliably(&mut self, now: Time, index: usize, response: &Response) {
        let rseq = response.headers.get("RSeq").and_then(|rseq| rseq.parse::<u32>().ok()).unwrap_or_default();
        let Some(call) = self.calls.get_mut(index) else { return };
        let Stage::Calling(_) = call.stage else { return };
        call.stage = Stage::Calling(response.status);
        let (again, wanted) = (call.rseq == rseq, call.cancel == Cancel::Wanted);
        let late = call.invite.body.is_empty();
        let described = !again && call.take_description(&response.body);
        if described {
            call.voice.start(now);
        }
        if !again && self.pracks {
            if let Some(call) = self.calls.get_mut(index) {
                call.rseq = rseq;
            }
            self.prack(now, index, rseq, late && described);
        }
        if wanted {
            self.cancel(now, index);
        }
    }

    /// Acknowledges; with our answer, where the response brought the offer.
    pub(crate) fn prack(&mut self, now: Time, index: usize, rseq: u32, answers: bool) {
        let Some(call) = self.calls.get(index) else { return };
        let (peer, body) = (call.peer, call.description().into_bytes());
        let invite = call.invite.headers.cseq().map_or(0, |cseq| cseq.number);
        let mut prack = self.request_of(index, Method::Prack);
        prack.headers.push("RAck", format!("{rseq} {invite} INVITE"));
        if answers {
            prack.headers.push("Content-Type", "application/sdp");
            prack.body = body;
        }
        self.send_request(now, prack, peer, Purpose::Prack(index), false);
    }

    /// Offers anew by UPDATE before the answer.
    pub(crate) fn update_early(&mut self, now: Time, index: usize, direction: &'static str) {
        let early = |stage: Stage| matches!(stage, Stage::Calling(_) | Stage::Ringing);
        let Some(call) = self.calls.get_mut(index).filter(|call| early(call.stage)) else { return };
        (call.direction, call.reinvited) = (direction, None);
        let (body, peer) = (call.description().into_bytes(), call.peer);
        let mut update = self.request_of(index, Method::Update);
        update.headers.push("Content-Type", "application/sdp");
        update.body = body;
        self.send_request(now, update, peer, Purpose::Reinvite(index), false);
    }
}
