//! A leg that is to go on in another codec: the far end is asked by a re-INVITE, once nothing else is under way.

use actix::Context;
use plugboard_media::{Codec, Flow as MediaFlow};
use plugboard_model::Time;
use plugboard_sip::session::{Command, Input};

use super::LegActor;
use super::imaging::Imaging;
use crate::message::LegNews;

/// What a leg was asked to speak.
#[derive(Debug, Default)]
pub(super) struct Speaking {
    /// To be asked for.
    wanted: Vec<Codec>,
    /// The far end is asked for it.
    asked: Option<Codec>,
    /// It has refused this: it is not asked again.
    refused: Option<Codec>,
}

impl LegActor {
    pub(super) fn speak(&mut self, codecs: Vec<Codec>) -> Option<Command> {
        self.speaking.wanted = codecs;
        self.due_codec()
    }

    /// Sends the offer of another codec, if one is due and nothing else is under way any more.
    pub(super) fn offer_codec(&mut self, now: Time, ctx: &mut Context<Self>) {
        if let Some(command) = self.due_codec() {
            self.session.handle(now, Input::Command(command));
            self.drain(ctx);
        }
    }

    /// This is agreed on from now on: the call is told, where it was nothing or something else before.
    pub(super) fn tell_change(&self, codec: Codec) {
        if self.agreed.as_ref().is_none_or(|agreed| agreed.codec != codec) {
            self.tell(LegNews::Speaks(codec));
        }
    }

    /// The offer of another codec that is due, if it may be sent now.
    ///
    /// It names that codec alone: an answer may hold all that was offered, in the order of the far end, who would stay with what it
    /// likes best. Only what it has named itself is asked for, so that it can be had.
    fn due_codec(&mut self) -> Option<Command> {
        if self.speaking.wanted.is_empty() || self.speaking.asked.is_some() || !self.session.may_offer() {
            return None;
        }
        let wanted = std::mem::take(&mut self.speaking.wanted);
        let agreed = self.agreed.as_ref()?;
        let theirs = agreed.theirs.as_ref().map(|theirs| theirs.offer.codecs()).unwrap_or_default();
        let can = |codec: &Codec| theirs.contains(codec) && self.speaking.refused != Some(*codec);
        // Pages take a re-INVITE of ours in many ways; what they speak is unpacked instead.
        let may = matches!(self.imaging, Imaging::Audio) && self.description.browser_agreed().is_none();
        let codec = wanted.iter().copied().find(can).filter(|_| may && !wanted.contains(&agreed.codec));
        let Some(codec) = codec else {
            self.tell(LegNews::Speaks(agreed.codec));
            return None;
        };
        self.speaking.asked = Some(codec);
        Some(Command::Reoffer { sdp: self.description.make_offer(&[codec], MediaFlow::SendRecv).into() })
    }

    /// An offer of ours within the call was answered (`Ok`), or refused with this status.
    pub(super) fn codec_answered(&mut self, result: Result<(), u16>) {
        let Some(codec) = self.speaking.asked.take() else { return };
        if matches!(result, Err(415 | 488 | 606)) {
            self.speaking.refused = Some(codec);
        }
        // A change was told as it came.
        if let Some(agreed) = self.agreed.as_ref().filter(|agreed| agreed.codec != codec) {
            self.tell(LegNews::Speaks(agreed.codec));
        }
    }
}
