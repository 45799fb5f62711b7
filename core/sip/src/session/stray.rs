//! Answers that nobody waits for.

use crate::dialog::{Dialog, NextHop};
use crate::flow::Flow;
use crate::message::Response;
use crate::method::Method;
use crate::transaction::{ClientTx, Input};
use crate::uri::RequestUri;
use std::collections::VecDeque;

/// The dialogs of 2xx to INVITE that came too late or second, so that each is hung up once.
#[derive(Debug)]
pub struct Strays {
    most: usize,
    known: VecDeque<Stray>,
}

#[derive(Debug)]
struct Stray {
    dialog: Dialog,
    /// Whether our BYE is out: it is sent again by its own transaction.
    is_ended: bool,
}

impl Strays {
    /// Remembers this many; of more, the oldest is forgotten.
    pub const fn new(most: usize) -> Self {
        Self { most, known: VecDeque::new() }
    }

    /// Notes a dialog of a device that has rung, and may answer too late: our next request in it counts on.
    pub(super) fn rang(&mut self, dialog: Dialog) {
        self.remember(Stray { dialog, is_ended: false });
    }

    /// What ends the dialog of such a 2xx: an ACK, then a BYE. The same 2xx again is acknowledged again, and no more: a
    /// second BYE would have the number of the first. Nothing when the response is no such 2xx, or too broken to be
    /// answered.
    ///
    /// `ack` and `bye` are two new names of the sender's choice; what the BYE is answered may be dropped.
    ///
    /// Source: RFC 3261 sections 12.2.1.1 and 13.2.2.4.
    pub fn end(&mut self, response: &Response, flow: Flow, ack: ClientTx, bye: ClientTx) -> Vec<Input> {
        let Some((number, mut dialog)) = read(response, flow) else { return Vec::new() };
        let acknowledge = Input::SendAck { tx: ack, request: dialog.ack(number), flow };
        let place = self.known.iter().position(|stray| stray.dialog.id() == dialog.id());
        let known = place.and_then(|place| self.known.remove(place));
        let was_ended = known.as_ref().is_some_and(|stray| stray.is_ended);
        if let Some(stray) = known {
            dialog.goes_on_from(&stray.dialog);
        }
        let bye = (!was_ended).then(|| Input::SendRequest { tx: bye, request: dialog.request(Method::Bye), flow });
        self.remember(Stray { dialog, is_ended: true });
        [acknowledge].into_iter().chain(bye).collect()
    }

    fn remember(&mut self, stray: Stray) {
        if self.known.len() >= self.most {
            self.known.pop_front();
        }
        self.known.push_back(stray);
    }
}

/// The number of the INVITE that a 2xx answers, and the dialog that it makes.
fn read(response: &Response, flow: Flow) -> Option<(u32, Dialog)> {
    let cseq = response.headers.cseq().ok()?;
    if cseq.method != Method::Invite || !response.is_success() {
        return None;
    }
    let contacts = response.headers.contacts().ok()?;
    let target = RequestUri::parse(contacts.first()?.addr()?.uri).ok()?;
    Some((cseq.number, Dialog::of_response(response, &target, flow, NextHop::Source).ok()?))
}
