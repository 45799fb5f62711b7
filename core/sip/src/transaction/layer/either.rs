//! Requests whose peer leaves the transport open: the short ones over UDP, the long ones over a stream, if it takes one.
//!
//! Source: RFC 3261 section 18.1.1.

use super::{CancelWish, Client, Layer};
use crate::flow::Flow;
use crate::limits::UDP_REQUEST_BYTES_MAX;
use crate::message::Request;
use crate::transaction::ClientTx;
use plugboard_model::Time;

/// What goes over UDP when the stream was not taken.
#[derive(Debug)]
pub(in crate::transaction) struct WayBack {
    /// The request, without our Via.
    pub(in crate::transaction) request: Request,
    pub(in crate::transaction) flow: Flow,
}

impl Layer {
    /// Sends an INVITE over `flow`, which is UDP, or over `larger` if it is too long for that.
    pub(super) fn send_either(&mut self, now: Time, tx: ClientTx, request: Request, flow: Flow, larger: Flow) {
        let mut whole = request.clone();
        self.push_via(&mut whole, tx, flow);
        if whole.to_bytes().len() <= UDP_REQUEST_BYTES_MAX || self.clients.contains_key(&tx) {
            return self.send_request(now, tx, request, flow);
        }
        self.send_request(now, tx, request.clone(), larger);
        if let Some(Client::Invite(invite)) = self.clients.get_mut(&tx) {
            invite.way_back = Some(Box::new(WayBack { request, flow }));
        }
    }

    /// The stream was not taken: the same once more over UDP, in a transaction of the same branch, so that a peer that got
    /// it all the same knows it again.
    pub(super) fn send_back(&mut self, now: Time, tx: ClientTx, back: WayBack, cancel: Option<CancelWish>) {
        self.send_request(now, tx, back.request, back.flow);
        if let Some(wish) = cancel {
            self.cancel(now, tx, wish);
        }
    }
}
