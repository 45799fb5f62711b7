//! Answers that nobody waits for.

use crate::dialog::{Dialog, NextHop};
use crate::flow::Flow;
use crate::message::Response;
use crate::method::Method;
use crate::transaction::{ClientTx, Input};
use crate::uri::RequestUri;

/// Ends the dialog of a 2xx to INVITE that came too late or second: an ACK, then a BYE
/// (RFC 3261 section 13.2.2.4). `None` when the response is not such a 2xx, or too broken to be answered.
///
/// `ack` and `bye` are two new names of the sender's choice; what the BYE is answered may be dropped.
pub fn end_stray(response: &Response, flow: Flow, ack: ClientTx, bye: ClientTx) -> Option<[Input; 2]> {
    let cseq = response.headers.cseq().ok()?;
    if cseq.method != Method::Invite || !response.is_success() {
        return None;
    }
    let contacts = response.headers.contacts().ok()?;
    let target = RequestUri::parse(contacts.first()?.addr()?.uri).ok()?;
    let mut dialog = Dialog::of_response(response, &target, flow, NextHop::Source).ok()?;
    let acknowledge = Input::SendAck { tx: ack, request: dialog.ack(cseq.number), flow };
    Some([acknowledge, Input::SendRequest { tx: bye, request: dialog.request(Method::Bye), flow }])
}
