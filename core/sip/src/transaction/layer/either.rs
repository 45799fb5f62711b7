//! Requests whose peer leaves the transport open: the short ones over UDP, the long ones over a stream, if it takes one.
//!
//! Source: RFC 3261 section 18.1.1.

use super::{CancelWish, Client, Key, Layer};
use crate::flow::Flow;
use crate::limits::UDP_REQUEST_BYTES_MAX;
use crate::message::Request;
use crate::transaction::ClientTx;
use plugboard_model::Time;
use std::time::Duration;

/// What goes over UDP when the stream was not taken.
#[derive(Debug)]
pub(in crate::transaction) struct WayBack {
    /// The request, without our Via.
    pub(in crate::transaction) request: Request,
    pub(in crate::transaction) flow: Flow,
    /// When it is taken though the stream has not failed.
    pub(in crate::transaction) due: Time,
    /// Whether it goes before others.
    helps: bool,
}

/// A stream over which nothing was heard for so long leads nowhere: a firewall has swallowed what opens it. Whoever has the
/// INVITE says 100 within 200 ms (RFC 3261 section 17.2.1); a second leaves room for a long way, and most of the 5 s after
/// which another gateway is tried.
const STREAM_SILENCE: Duration = Duration::from_secs(1);

impl Layer {
    /// Sends a request over `flow`; an INVITE that may go over either over `larger` if it is too long for that.
    pub(super) fn send(
        &mut self,
        now: Time,
        (tx, request, flow): (ClientTx, Request, Flow),
        larger: Option<Flow>,
        helps: bool,
    ) {
        let Some(larger) = larger else { return self.send_request(now, tx, request, flow, helps) };
        let mut whole = request.clone();
        self.push_via(&mut whole, tx, flow);
        if whole.to_bytes().len() <= UDP_REQUEST_BYTES_MAX || self.clients.contains_key(&tx) {
            return self.send_request(now, tx, request, flow, helps);
        }
        self.send_request(now, tx, request.clone(), larger, helps);
        if let Some(Client::Invite(invite)) = self.clients.get_mut(&tx) {
            let before = invite.wake();
            invite.way_back = Some(Box::new(WayBack { request, flow, due: now + STREAM_SILENCE, helps }));
            let after = invite.wake();
            self.rewake(Key::Client(tx), before, after);
        }
    }

    /// The stream was not taken: the same once more over UDP, in a transaction of the same branch, so that a peer that got
    /// it all the same knows it again.
    pub(super) fn send_back(&mut self, now: Time, tx: ClientTx, back: WayBack, cancel: Option<CancelWish>) {
        self.send_request(now, tx, back.request, back.flow, back.helps);
        if let Some(wish) = cancel {
            self.cancel(now, tx, Some(wish));
        }
    }
}
