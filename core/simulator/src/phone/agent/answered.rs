//! What a phone does with the answers to its own requests.

use plugboard_model::Time;
use plugboard_sip::{Method, Request, Response};
use std::net::SocketAddr;

use super::reliable::RELIABLE;
use super::{Agent, Purpose, branch_of};
use crate::phone::call::{Cancel, Stage};
use crate::phone::digest;
use crate::phone::resend::What;

impl Agent {
    pub(super) fn response(&mut self, now: Time, response: &Response) {
        let branch = branch_of(response.headers.top_via().ok().and_then(|via| via.branch()));
        if response.headers.cseq().is_ok_and(|cseq| cseq.method == Method::Cancel) {
            // It shares the branch of its INVITE.
            if response.is_final() {
                self.resends.done(&What::Request(format!("{branch}-cancel")));
            }
            return;
        }
        let Some(client) = self.clients.get_mut(&branch) else { return };
        let again = client.over;
        let is_invite = client.request.method == Method::Invite;
        if response.is_final() {
            client.over = true;
        }
        let (request, purpose, to, answers) = (client.request.clone(), client.purpose, client.to, client.answers);
        if is_invite || response.is_final() {
            self.resends.done(&What::Request(branch));
        }
        if is_invite && response.is_final() {
            self.acknowledge(&request, to, purpose, response);
        }
        if again {
            return;
        }
        self.warnings.extend(response.headers.get("Warning").map(str::to_owned));
        self.waits.extend(response.headers.get("Retry-After").map(str::to_owned));
        if matches!(response.status, 401 | 407) && self.answer_challenge(now, &request, to, purpose, answers, response)
        {
            return;
        }
        match purpose {
            Purpose::Register => {
                if response.is_final() {
                    self.registered = Some((response.status, response.headers.get_all("Contact").count()));
                }
            }
            Purpose::Invite(index) => self.invite_heard(now, index, response),
            Purpose::Reinvite(index) => {
                if let Some(call) = self.calls.get_mut(index).filter(|_| response.is_final()) {
                    call.reinvited = Some(response.status);
                    if response.is_success() {
                        call.take_description(&response.body);
                    }
                }
            }
            Purpose::Refer(index) => {
                if let Some(call) = self.calls.get_mut(index).filter(|_| response.is_final()) {
                    call.referred = Some(response.status);
                }
            }
            Purpose::Subscribe(index) => self.subscribe_heard(index, response),
            Purpose::Publish => self.publish_heard(response),
            Purpose::Prack(index) => {
                if let Some(call) = self.calls.get_mut(index).filter(|_| response.is_final()) {
                    call.pracked = Some(response.status);
                }
            }
            Purpose::Bye | Purpose::Said => {}
        }
    }

    fn invite_heard(&mut self, now: Time, index: usize, response: &Response) {
        let Some(call) = self.calls.get_mut(index) else { return };
        if let Some(to) = response.headers.get("To").filter(|to| to.contains(";tag=")) {
            to.clone_into(&mut call.remote);
        }
        if let Some(contact) = response.headers.get("Contact") {
            contact.trim_matches(['<', '>']).clone_into(&mut call.target);
        }
        if response.is_provisional() && response.headers.has_token("Require", RELIABLE) {
            return self.heard_reliably(now, index, response);
        }
        let Some(call) = self.calls.get_mut(index) else { return };
        match response.status {
            100..200 => {
                if let Stage::Calling(_) = call.stage {
                    call.stage = Stage::Calling(response.status);
                    if call.take_description(&response.body) {
                        call.voice.start(now);
                        call.early = Some(response.body.clone());
                    }
                }
                if call.cancel == Cancel::Wanted {
                    self.cancel(now, index);
                }
            }
            200..300 => {
                // RFC 3261 section 13.2.1.
                assert!(
                    call.early.as_ref().is_none_or(|early| *early == response.body),
                    "{} was answered with another description than before",
                    self.name
                );
                call.take_description(&response.body);
                if call.cancel == Cancel::No && matches!(call.stage, Stage::Calling(_)) {
                    call.stage = Stage::Up;
                    call.voice.start(now);
                } else {
                    // It was answered while we gave up: the dialog is there and must be ended.
                    call.over(200);
                    self.bye(now, index);
                }
            }
            status => {
                call.reason = response.headers.get("Reason").map(str::to_owned);
                call.over(status);
            }
        }
    }

    /// Every final response to an INVITE gets its ACK, each time it comes.
    fn acknowledge(&mut self, request: &Request, to: SocketAddr, purpose: Purpose, response: &Response) {
        let (Purpose::Invite(index) | Purpose::Reinvite(index)) = purpose else { return };
        let Ok(cseq) = request.headers.cseq().map(|cseq| cseq.number) else { return };
        if !response.is_success() {
            let mut ack = request.clone();
            ack.method = Method::Ack;
            ack.body = Vec::new();
            ack.headers.remove("Content-Type");
            ack.headers.remove("Contact");
            ack.headers.set("CSeq", format!("{cseq} ACK"));
            if let Some(remote) = response.headers.get("To") {
                ack.headers.set("To", remote);
            }
            return self.send(to, ack.to_bytes().into());
        }
        let known = self.calls.get(index).and_then(|call| call.acks.get(&cseq).cloned());
        let bytes = known.unwrap_or_else(|| {
            // The To tag and the target of this very response.
            if let Some(call) = self.calls.get_mut(index) {
                response.headers.get("To").unwrap_or_default().clone_into(&mut call.remote);
                let target = response.headers.get("Contact").unwrap_or_default();
                target.trim_matches(['<', '>']).clone_into(&mut call.target);
            }
            let mut ack = self.request_of(index, Method::Ack);
            ack.headers.set("CSeq", format!("{cseq} ACK"));
            if let Some(call) = self.calls.get(index).filter(|_| request.body.is_empty() && !response.body.is_empty()) {
                // The offer came with the answer.
                ack.headers.push("Content-Type", "application/sdp");
                ack.body = call.description().into_bytes();
            }
            let via = self.via();
            ack.headers.push_front("Via", via);
            let bytes = ack.to_bytes();
            if let Some(call) = self.calls.get_mut(index) {
                call.cseq -= 1;
                call.acks.insert(cseq, bytes.clone());
            }
            bytes
        });
        self.send(to, bytes.into());
    }

    fn answer_challenge(
        &mut self,
        now: Time,
        request: &Request,
        to: SocketAddr,
        purpose: Purpose,
        answers: bool,
        response: &Response,
    ) -> bool {
        let (asked, given) = if response.status == 401 {
            ("WWW-Authenticate", "Authorization")
        } else {
            ("Proxy-Authenticate", "Proxy-Authorization")
        };
        let Some(challenge) = response.headers.get(asked) else { return false };
        if answers && !digest::is_stale(challenge) {
            return false;
        }
        let Some(account) = self.account.clone() else { return false };
        let (method, uri) = (request.method.as_str().to_owned(), request.uri.to_string());
        self.names += 1;
        let signed = (&*method, &*uri, &*request.body);
        let Some(answer) = digest::answer(&account, challenge, signed, &format!("{:08x}", self.names)) else {
            return false;
        };
        let mut again = request.clone();
        again.headers.pop_via();
        again.headers.set(given, answer);
        let cseq = again.headers.cseq().map_or(1, |cseq| cseq.number) + 1;
        again.headers.set("CSeq", format!("{cseq} {method}"));
        match purpose {
            Purpose::Register => self.registration_cseq = cseq,
            Purpose::Invite(index) => {
                if let Some(call) = self.calls.get_mut(index) {
                    call.cseq = cseq;
                    call.invite = again.clone();
                    if call.cancel != Cancel::No {
                        // He hung up while the switch asked who he is: there is nothing to cancel any more.
                        call.over(487);
                        return true;
                    }
                }
            }
            Purpose::Subscribe(index) => {
                if let Some(watching) = self.watched.get_mut(index) {
                    watching.cseq = cseq;
                }
            }
            Purpose::Publish => self.published_cseq = cseq,
            Purpose::Reinvite(_) | Purpose::Refer(_) | Purpose::Prack(_) | Purpose::Bye | Purpose::Said => {
                return false;
            }
        }
        self.send_request(now, again, to, purpose, true);
        true
    }

    pub(super) fn gave_up(&mut self, now: Time, what: &What) {
        match what {
            What::Request(branch) => {
                let Some(client) = self.clients.get_mut(branch) else { return };
                client.over = true;
                match client.purpose {
                    Purpose::Register => self.registered = Some((408, 0)),
                    Purpose::Invite(index) => {
                        if let Some(call) = self.calls.get_mut(index) {
                            call.over(408);
                        }
                    }
                    Purpose::Reinvite(index) => {
                        if let Some(call) = self.calls.get_mut(index) {
                            call.reinvited = Some(408);
                        }
                    }
                    Purpose::Refer(index) => {
                        if let Some(call) = self.calls.get_mut(index) {
                            call.referred = Some(408);
                        }
                    }
                    Purpose::Subscribe(index) => {
                        if let Some(watching) = self.watched.get_mut(index) {
                            watching.answered = Some(408);
                        }
                    }
                    Purpose::Publish => self.published = Some((408, String::new())),
                    Purpose::Prack(index) => {
                        if let Some(call) = self.calls.get_mut(index) {
                            call.pracked = Some(408);
                        }
                    }
                    Purpose::Bye | Purpose::Said => {}
                }
            }
            // RFC 3262 section 3: the call is refused.
            What::Reliable(index, _) => self.refuse(now, *index, 504),
            What::Final(index, _) => {
                // Nobody acknowledged: the call cannot be (RFC 3261 section 13.3.1.4).
                if let Some(call) = self.calls.get_mut(*index).filter(|call| call.stage == Stage::Up) {
                    call.over(200);
                    self.bye(now, *index);
                }
            }
        }
    }
}
