//! Legs of the call that want to go from audio to T.38: to a fax machine of ours, or both of those who talk.

use plugboard_media::ImageTerms;
use plugboard_model::{JournalEvent, LegId};
use std::collections::BTreeSet;

use super::{CallActor, LegHandle, Order};
use crate::convert::NOT_ACCEPTABLE;
use crate::message::LegCommand;

/// Who speaks T.38, and who waits for whom.
#[derive(Debug, Default)]
pub(super) struct Imaging {
    speak: BTreeSet<LegId>,
    /// Who wants it, and who was offered it for that.
    asked: Option<(LegId, LegId)>,
    /// Who was offered it for somebody who has taken his wish back, and has not answered.
    in_vain: BTreeSet<LegId>,
    /// Our machine has offered it to this one.
    offered: Option<LegId>,
}

impl CallActor {
    /// A far end wants T.38. Our machine takes it; whom it talks to is asked first.
    pub(super) fn image_offered(&mut self, leg: LegId, terms: ImageTerms) {
        if self.faxes_with(leg) && !self.imaging.speak.contains(&leg) && self.is_amid_fax(leg) {
            return self.order(leg, LegCommand::AnswerImage(Err(NOT_ACCEPTABLE)));
        }
        if self.faxes_with(leg) {
            self.imaging.speak.insert(leg);
            self.note_image(leg, "speaks T.38 with a machine of ours");
            return self.order(leg, LegCommand::AnswerImage(Ok(ImageTerms::default().and(terms))));
        }
        let Some(peer) = self.call.talking_to().and_then(|peer| {
            let anchor = self.call.anchor();
            let other = if leg == anchor { Some(peer) } else { (leg == peer).then_some(anchor) };
            // One that stands for another call cannot be asked.
            other.filter(|other| matches!(self.legs.get(other), Some(LegHandle { order: Order::Leg(_), .. })))
        }) else {
            return self.order(leg, LegCommand::AnswerImage(Err(NOT_ACCEPTABLE)));
        };
        if self.imaging.speak.contains(&leg) && self.imaging.speak.contains(&peer) {
            // Nothing but its own address may have changed.
            return self.order(leg, LegCommand::AnswerImage(Ok(terms)));
        }
        let is_asked = self.imaging.asked.is_some() || self.imaging.in_vain.contains(&peer);
        if is_asked || self.imaging.speak.contains(&peer) {
            return self.order(leg, LegCommand::AnswerImage(Err(NOT_ACCEPTABLE)));
        }
        self.imaging.asked = Some((leg, peer));
        self.order(peer, LegCommand::OfferImage(terms));
    }

    /// Whom we offered T.38 takes it, or refuses it.
    pub(super) fn image_answered(&mut self, leg: LegId, answer: Result<ImageTerms, u16>) {
        if answer.is_ok() {
            self.imaging.speak.insert(leg);
            self.note_image(leg, "speaks T.38");
        } else {
            self.note_image(leg, "refuses T.38: audio goes on");
        }
        if self.imaging.offered.take_if(|offered| *offered == leg).is_some() {
            return;
        }
        if self.imaging.in_vain.remove(&leg) {
            // Nobody is there to speak it with.
            return self.back_to_audio();
        }
        let Some((asks, _)) = self.imaging.asked.take_if(|(_, asked)| *asked == leg) else { return };
        if answer.is_ok() {
            self.imaging.speak.insert(asks);
            self.note_image(asks, "speaks T.38");
        }
        // What it said is between those two, and said on as it is; a refusal has one word.
        self.order(asks, LegCommand::AnswerImage(answer.map_err(|_| NOT_ACCEPTABLE)));
    }

    /// A far end has cancelled its wish while whom it talks to thinks about it.
    pub(super) fn image_withdrawn(&mut self, leg: LegId) {
        if let Some((_, asked)) = self.imaging.asked.take_if(|(asks, _)| *asks == leg) {
            self.imaging.in_vain.insert(asked);
        }
    }

    /// A far end is back to audio: so is whom it talks to.
    pub(super) fn image_over(&mut self, leg: LegId) {
        self.imaging.speak.remove(&leg);
        self.note_image(leg, "speaks audio again");
        self.back_to_audio();
    }

    /// A leg has gone: nobody waits for its answer, and whom it sent T.38 has nobody to send it to.
    pub(super) fn image_left(&mut self, leg: LegId) {
        let spoke = self.imaging.speak.remove(&leg);
        self.imaging.offered.take_if(|offered| *offered == leg);
        self.imaging.in_vain.remove(&leg);
        if let Some((asks, _)) = self.imaging.asked.take_if(|(asks, asked)| *asks == leg || *asked == leg)
            && asks != leg
        {
            self.order(asks, LegCommand::AnswerImage(Err(NOT_ACCEPTABLE)));
        }
        if spoke {
            self.back_to_audio();
        }
    }

    /// Whoever speaks T.38 is offered audio.
    pub(super) fn back_to_audio(&mut self) {
        let all: Vec<LegId> = self.imaging.speak.iter().copied().collect();
        for leg in all {
            self.order(leg, LegCommand::OfferAudio);
        }
    }

    /// The far end of our machine has shown itself to be one: T.38 is better than audio, where it can.
    pub(super) fn offer_image(&mut self, leg: LegId) {
        if self.imaging.offered.is_none() && !self.imaging.speak.contains(&leg) {
            self.imaging.offered = Some(leg);
            self.order(leg, LegCommand::OfferImage(ImageTerms::default()));
        }
    }

    fn note_image(&mut self, leg: LegId, what: &str) {
        self.journal.note(self.now(), JournalEvent::Note { text: format!("leg {leg} {what}") });
    }
}
