//! What the host of a peer says that it did not take. [`Input::Undelivered`](super::Input::Undelivered) says what is believed of it.

use super::{Client, Key, Layer};
use crate::flow::Transport;
use crate::peek::peek_quoted;
use plugboard_model::Time;
use std::net::SocketAddr;

impl Layer {
    pub(super) fn undelivered(&mut self, now: Time, to: SocketAddr, quoted: &[u8]) {
        let Some((method, branch)) = peek_quoted(quoted) else { return };
        let Some(tx) = std::str::from_utf8(branch).ok().and_then(|branch| self.branches.read(branch)) else { return };
        let is_it = |client: &Client| {
            let flow = client.flow();
            flow.transport == Transport::Udp && flow.remote == to && client.opens_unheard(method)
        };
        if self.clients.get(&tx).is_some_and(is_it) {
            self.fail_one(now, Key::Client(tx));
        }
    }
}

impl Client {
    /// Whether it sends a request of this method outside of any dialog, and nothing was heard of it.
    fn opens_unheard(&self, method: &[u8]) -> bool {
        match self {
            Self::Invite(invite) => method == b"INVITE" && invite.opens_unheard(),
            Self::Other(other) => other.opens_unheard(method),
        }
    }
}
