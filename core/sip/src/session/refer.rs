//! The peer hands the call on: REFER within the dialog, and what he is told of it (RFC 3515).

use super::{Event, Exchange, Reoffer, Session, State};
use crate::dialog::Dialog;
use crate::message::{Request, reason_phrase};
use crate::method::Method;
use crate::transaction::{Input, ServerTx};
use bytes::Bytes;
use plugboard_model::Time;

/// How long the peer may count on news, in seconds: longer than any number rings.
const EXPIRES: u32 = 600;

/// A REFER of the peer that goes on: it stands for the subscription that it made.
#[derive(Debug)]
pub(super) struct Refer {
    /// The number of the REFER, which tells several apart (RFC 3515 section 2.4.6).
    id: u32,
    /// Not answered yet.
    asked: Option<(ServerTx, Request)>,
    /// He wants no news (RFC 4488).
    silent: bool,
}

impl Session {
    /// A REFER in an answered session; one at a time.
    pub(super) fn on_refer(&mut self, tx: ServerTx, request: Request) {
        let targets: Vec<&str> = request.headers.get_all("Refer-To").collect();
        let [target] = targets[..] else {
            // RFC 3515 section 2.4.2: exactly one.
            return self.answer(tx, &request, 400);
        };
        if self.refer.is_some() {
            return self.answer(tx, &request, 491);
        }
        let target = target.to_owned();
        let referred_by = request.headers.get("Referred-By").map(str::to_owned);
        let id = request.headers.cseq().map(|cseq| cseq.number).unwrap_or_default();
        let silent = request.headers.has_token("Refer-Sub", "false");
        self.refer = Some(Box::new(Refer { id, asked: Some((tx, request)), silent }));
        self.emit(Event::Referred { target, referred_by });
    }

    /// 202, and the first news.
    pub(super) fn accept_refer(&mut self, mut dialog: Box<Dialog>, exchange: Exchange) -> State {
        let Some((tx, request)) = self.refer.as_mut().and_then(|refer| refer.asked.take()) else {
            return State::Up { dialog, exchange };
        };
        let mut response = self.dialog_response(&request, 202);
        if self.refer.as_ref().is_some_and(|refer| refer.silent) {
            response.headers.push("Refer-Sub", "false");
        }
        self.respond(tx, response);
        self.notify_refer(&mut dialog, 100);
        State::Up { dialog, exchange }
    }

    pub(super) fn reject_refer(&mut self, status: u16) {
        let Some((tx, request)) = self.refer.take().and_then(|refer| refer.asked) else { return };
        self.answer(tx, &request, if (400..700).contains(&status) { status } else { 603 });
    }

    /// Tells how far the new call is; a final status is the last word.
    pub(super) fn tell_of_refer(&mut self, mut dialog: Box<Dialog>, exchange: Exchange, status: u16) -> State {
        self.notify_refer(&mut dialog, status);
        State::Up { dialog, exchange }
    }

    fn notify_refer(&mut self, dialog: &mut Dialog, status: u16) {
        let Some(refer) = self.refer.as_ref().filter(|refer| refer.asked.is_none()) else { return };
        let (id, silent, over) = (refer.id, refer.silent, status >= 200);
        if over {
            self.refer = None;
        }
        if silent {
            return;
        }
        let mut request = dialog.request(Method::Notify);
        let headers = &mut request.headers;
        headers.push("Contact", &*self.local.contact);
        headers.push("Event", format!("refer;id={id}"));
        headers.push(
            "Subscription-State",
            if over { "terminated;reason=noresource".to_owned() } else { format!("active;expires={EXPIRES}") },
        );
        headers.push("Content-Type", "message/sipfrag;version=2.0");
        request.body = format!("SIP/2.0 {status} {}\r\n", reason_phrase(status)).into_bytes();
        // What he answers changes nothing: news that he does not want harm nobody.
        let tx = self.next_stray_tx();
        let flow = dialog.flow();
        self.transaction(Input::SendRequest { tx, request, flow });
    }

    /// The session ends: a REFER that waits for its answer gets one.
    pub(super) fn drop_refer(&mut self) {
        if let Some((tx, request)) = self.refer.take().and_then(|refer| refer.asked) {
            self.answer(tx, &request, 481);
        }
    }

    /// Tells the peer whom he talks to now: by UPDATE where he takes one, else by a new INVITE that changes nothing.
    ///
    /// Source: RFC 4916 section 4.4, with the headers of RFC 3325.
    pub(super) fn identify(
        &mut self,
        now: Time,
        mut dialog: Box<Dialog>,
        exchange: Exchange,
        headers: &[(String, String)],
        sdp: Bytes,
    ) -> State {
        if !self.timer.as_ref().is_some_and(|timer| timer.takes_update()) {
            return match exchange {
                Exchange::Idle => self.send_reoffer(now, dialog, Reoffer { sdp, headers: headers.into() }, None, 1),
                // What is under way comes first; the newest name is told after it.
                Exchange::Asked { .. } | Exchange::Answered(_) | Exchange::Sent { .. } | Exchange::Glare { .. } => {
                    self.unsaid = Some(headers.into());
                    State::Up { dialog, exchange }
                }
            };
        }
        let mut request = dialog.request(Method::Update);
        request.headers.push("Contact", &*self.local.contact);
        self.push_timer(&mut request.headers);
        for (name, value) in headers {
            request.headers.push(name, value.as_str());
        }
        let tx = self.send(request, dialog.flow());
        if let Some(timer) = &mut self.timer {
            timer.sent(tx);
        }
        State::Up { dialog, exchange }
    }
}
