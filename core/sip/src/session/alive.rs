//! Whether the peer is there, when nothing is heard of him: an OPTIONS within the dialog, to which any answer is one; and words for him.
//!
//! Source: RFC 3261 section 11 and section 12.2.1.2, RFC 5057 section 5.3.

use super::exchange::is_gone;
use super::{Event, Exchange, Session, State, reason_value};
use crate::dialog::Dialog;
use crate::message::Response;
use crate::method::Method;
use crate::transaction::ClientTx;
use plugboard_model::Cause;

impl Session {
    pub(super) fn ask(&mut self, mut dialog: Box<Dialog>, exchange: Exchange) -> State {
        if self.asked.is_none() {
            let mut request = dialog.request(Method::Options);
            request.headers.push("Contact", &*self.local.contact);
            self.asked = Some(self.send(request, dialog.flow()));
        }
        State::Up { dialog, exchange }
    }

    /// Words for whoever holds the phone. One that shows none refuses them, and nothing is lost.
    pub(super) fn say(&mut self, mut dialog: Box<Dialog>, exchange: Exchange, text: String) -> State {
        let mut request = dialog.request(Method::Message);
        request.headers.push("Content-Type", "text/plain");
        request.body = text.into_bytes();
        self.send(request, dialog.flow());
        State::Up { dialog, exchange }
    }

    /// Whether this answer to our question says that there is no such call.
    pub(super) fn denies_to_live(&mut self, tx: ClientTx, response: &Response) -> bool {
        if self.asked != Some(tx) || response.is_provisional() {
            return false;
        }
        self.asked = None;
        let lives = !is_gone(response.status);
        if lives {
            self.emit(Event::Lives);
        }
        !lives
    }

    /// Whether it was our question that nobody answered, or that could not be sent.
    pub(super) fn is_dead(&mut self, tx: ClientTx) -> bool {
        let ours = self.is_up() && self.asked == Some(tx);
        if ours {
            self.asked = None;
        }
        ours
    }

    /// Ends the session with a peer that is not there. He is told all the same.
    pub(super) fn bury(&mut self, dialog: Box<Dialog>, exchange: Exchange) -> State {
        let cause = Cause::silent();
        self.leave(dialog, exchange, Some(reason_value(&cause)), cause)
    }
}
