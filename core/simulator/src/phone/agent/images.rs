//! A phone that goes on by T.38.

use plugboard_model::Time;
use plugboard_sip::Method;

use super::{Agent, Purpose};
use crate::phone::call::Stage;
use crate::phone::voice;

impl Agent {
    /// Offers T.38 in place of audio; a refusal leaves audio as it is.
    pub(crate) fn offer_image(&mut self, now: Time, index: usize) {
        let Some(call) = self.calls.get_mut(index).filter(|call| call.stage == Stage::Up) else { return };
        call.reinvited = None;
        let (body, peer) = (voice::write_image(call.voice.local, call.voice.fec).into_bytes(), call.peer);
        let mut invite = self.request_of(index, Method::Invite);
        invite.headers.push("Content-Type", "application/sdp");
        invite.body = body;
        self.send_request(now, invite, peer, Purpose::Reinvite(index), false);
    }

    /// Takes its last offer within a call back, which nobody has answered.
    pub(crate) fn cancel_image(&mut self, now: Time, index: usize) {
        let purpose = Purpose::Reinvite(index);
        let invite = self.clients.iter().rev().find(|(_, client)| client.purpose == purpose);
        if let Some(invite) = invite.map(|(_, client)| client.request.clone()) {
            self.cancel_request(now, index, invite, &purpose);
        }
    }
}
