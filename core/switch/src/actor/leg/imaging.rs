//! A leg that goes from audio to T.38 and back, by whoever's wish.

use actix::Context;
use bytes::Bytes;
use plugboard_media::{Command as MediaCommand, Flow as MediaFlow, ImageOffer, ImageTerms};
use plugboard_sip::session::Command;

use super::{LegActor, reject_reoffer};
use crate::convert::{NOT_ACCEPTABLE, warning};
use crate::message::LegNews;

/// How a description of T.38 names its line.
const IMAGE_LINE: &[u8] = b"\nm=image ";

/// How far a leg is with T.38.
#[derive(Debug, Default)]
pub(super) enum Imaging {
    /// It speaks audio.
    #[default]
    Audio,
    /// We have offered T.38 while it speaks audio.
    Offered,
    /// The far end has, and waits for the answer.
    Asked(Box<ImageOffer>),
    /// It speaks T.38.
    Speaks,
    /// The far end offers T.38 anew while it speaks it.
    AskedAgain(Box<ImageOffer>),
}

/// What the far end is to be offered as soon as nothing else is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Due {
    #[default]
    Nothing,
    Audio,
}

impl Imaging {
    const fn is_offered(&self) -> bool {
        matches!(self, Self::Offered)
    }

    /// Audio is something new to it.
    pub(super) const fn speaks(&self) -> bool {
        matches!(self, Self::Speaks | Self::AskedAgain(_))
    }

    /// The far end takes its wish back; whether it had one.
    fn withdrawn(&mut self) -> bool {
        match self {
            Self::Asked(_) => *self = Self::Audio,
            Self::AskedAgain(_) => *self = Self::Speaks,
            Self::Audio | Self::Offered | Self::Speaks => return false,
        }
        true
    }

    /// Audio was agreed on; whether T.38 ends by it.
    pub(super) fn ends(&mut self) -> bool {
        matches!(std::mem::take(self), Self::Speaks | Self::AskedAgain(_))
    }
}

impl LegActor {
    /// Whether an offer of the far end is one of T.38: then the call is asked, or it is refused.
    pub(super) fn image_offered(&mut self, sdp: &[u8], ctx: &mut Context<Self>) -> bool {
        let offer = match ImageOffer::parse(sdp) {
            Ok(Some(offer)) => offer,
            Ok(None) => return false,
            Err(error) => {
                self.step_later(reject_reoffer(&error), ctx);
                return true;
            }
        };
        // Nobody has keys for T.38 here: what is encrypted stays what it is.
        if !self.may_image() {
            self.step_later(Self::refuse_image(NOT_ACCEPTABLE), ctx);
            return true;
        }
        let terms = offer.terms();
        self.imaging = match std::mem::take(&mut self.imaging) {
            Imaging::Speaks | Imaging::AskedAgain(_) => Imaging::AskedAgain(Box::new(offer)),
            Imaging::Audio | Imaging::Offered | Imaging::Asked(_) => Imaging::Asked(Box::new(offer)),
        };
        self.tell(LegNews::ImageOffered(terms));
        true
    }

    /// The far end has cancelled its offer: whoever thinks about it for the call does so for nobody.
    pub(super) fn image_withdrawn(&mut self) {
        if self.imaging.withdrawn() {
            self.tell(LegNews::ImageWithdrawn);
        }
    }

    /// An offer of ours within the call was answered or refused, whatever it was of.
    pub(super) fn offer_answered(&mut self, result: Result<Option<Bytes>, u16>, ctx: &mut Context<Self>) {
        if self.imaging.is_offered() {
            return self.image_answered(result);
        }
        if !self.says_image() {
            return self.reoffer_done(result, ctx);
        }
        self.image_refreshed(result);
        if let Some(command) = self.due_audio() {
            self.step_later(command, ctx);
        }
    }

    /// Our new offer was answered or refused. An answer that fits nothing of it ends the leg: to the peer the new session
    /// holds since then (RFC 3261 section 14.1, RFC 3264 section 8), so that the old one cannot go on, and no word but BYE
    /// takes it back.
    fn reoffer_done(&mut self, result: Result<Option<Bytes>, u16>, ctx: &mut Context<Self>) {
        let done = result.as_ref().map(|_| ()).map_err(|status| *status);
        match result {
            Ok(Some(sdp)) => self.take_answer(&sdp, ctx),
            Ok(None) => {}
            Err(_) => {
                // What was agreed is in force again: it is what a refresh says, and what one is answered.
                if let Some(agreed) = &self.agreed {
                    self.description.make_offer(&[agreed.codec], agreed.flow);
                }
            }
        }
        self.codec_answered(done);
    }

    pub(super) fn answer_image(&mut self, answer: Result<ImageTerms, u16>) -> Command {
        let before = std::mem::take(&mut self.imaging);
        let spoke = matches!(before, Imaging::Speaks | Imaging::AskedAgain(_));
        let (Imaging::Asked(offer) | Imaging::AskedAgain(offer)) = before else {
            // It was taken back meanwhile: the session has nothing to answer, and says so to nobody.
            self.imaging = before;
            return Self::refuse_image(NOT_ACCEPTABLE);
        };
        match answer {
            Ok(terms) => {
                let sdp = self.description.answer_image(&offer, terms);
                self.to_media(MediaCommand::SetImage {
                    leg: self.media.leg,
                    image: self.let_reach_image(offer.image()),
                });
                self.imaging = Imaging::Speaks;
                Command::AcceptReoffer { sdp: sdp.into() }
            }
            Err(status) => {
                if spoke {
                    self.imaging = Imaging::Speaks;
                }
                Self::refuse_image(status)
            }
        }
    }

    /// Audio goes on while the far end thinks about it.
    pub(super) fn offer_image(&mut self, terms: ImageTerms) -> Command {
        if !self.may_image() || !matches!(self.imaging, Imaging::Audio) || !self.session.may_offer() {
            self.tell(LegNews::ImageAnswered(Err(NOT_ACCEPTABLE)));
            self.imaging.withdrawn();
            // Nothing follows from it where nothing is asked.
            return Self::refuse_image(NOT_ACCEPTABLE);
        }
        self.imaging = Imaging::Offered;
        Command::Reoffer { sdp: self.description.offer_image(terms).into() }
    }

    fn image_answered(&mut self, result: Result<Option<Bytes>, u16>) {
        let answer = match result {
            Ok(Some(sdp)) => self.description.accept_image(&sdp).map_err(|error| error.sip_status()),
            Ok(None) => Err(NOT_ACCEPTABLE),
            Err(status) => Err(status),
        };
        match answer {
            Ok(image) => {
                self.imaging = Imaging::Speaks;
                let image = self.let_reach_image(image);
                self.to_media(MediaCommand::SetImage { leg: self.media.leg, image });
                self.tell(LegNews::ImageAnswered(Ok(image.terms)));
            }
            Err(status) => {
                self.imaging = Imaging::Audio;
                // What was agreed is in force again: it is what a refresh says, and what one is answered.
                if let Some(agreed) = &self.agreed {
                    self.description.make_offer(&[agreed.codec], agreed.flow);
                }
                self.tell(LegNews::ImageAnswered(Err(status)));
            }
        }
    }

    /// Whether what we said last is T.38, which is in force.
    fn says_image(&self) -> bool {
        let says = |sdp: &[u8]| sdp.windows(IMAGE_LINE.len()).any(|line| line == IMAGE_LINE);
        self.imaging.speaks() && self.description.sent().is_some_and(says)
    }

    /// A refresh of ours was answered: what was agreed stays, but for the far end's address.
    fn image_refreshed(&mut self, result: Result<Option<Bytes>, u16>) {
        if let Ok(Some(sdp)) = result
            && let Ok(image) = self.description.accept_image(&sdp)
        {
            let image = self.let_reach_image(image);
            self.to_media(MediaCommand::SetImage { leg: self.media.leg, image });
        }
    }

    /// The offer of audio that is due, if it may be sent now.
    pub(super) fn due_audio(&mut self) -> Option<Command> {
        if !self.session.may_offer() || std::mem::take(&mut self.due) == Due::Nothing || !self.imaging.speaks() {
            return None;
        }
        let codecs = self.codecs();
        Some(Command::Reoffer { sdp: self.description.make_offer(&codecs, MediaFlow::SendRecv).into() })
    }

    fn may_image(&self) -> bool {
        self.protection.is_none() && self.description.browser_agreed().is_none() && self.agreed.is_some()
    }

    fn refuse_image(status: u16) -> Command {
        let why = "T.38 is not possible in this call";
        Command::RejectReoffer { status, why, headers: warning(status, why).into_iter().collect() }
    }
}
