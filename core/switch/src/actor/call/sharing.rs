//! Legs that talk to each other in two codecs and could share one: one of them is asked to change, so that what they say passes as it is.

use actix::Context;
use plugboard_media::Codec;
use plugboard_model::LegId;

use super::{CallActor, Order};
use crate::message::LegCommand;

/// What a modem passes through.
pub(super) const OF_MODEMS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

/// Whether what the one says is unpacked for the other. Either law of G.711 is turned into the other as it passes.
fn is_unpacked(one: Codec, other: Codec) -> bool {
    one != other && (one.law().is_none() || other.law().is_none())
}

/// The codecs that pass to one who speaks this.
fn alike(codec: Codec) -> Vec<Codec> {
    let rest = OF_MODEMS.into_iter().filter(|other| *other != codec && !is_unpacked(*other, codec));
    [codec].into_iter().chain(rest).collect()
}

impl CallActor {
    /// Two legs talk from now on. Whom the switch had answered itself, at a menu or in a queue, speaks the first codec of his offer.
    pub(super) fn share_codec(&mut self, anchor: LegId, peer: LegId) {
        self.sharing = None;
        let (Some(ours), Some(theirs)) = (self.spoken_by(anchor), self.spoken_by(peer)) else { return };
        if is_unpacked(ours, theirs) && !self.is_supervised() {
            self.sharing = Some((anchor, peer));
            self.order(anchor, LegCommand::Speak(alike(theirs)));
        }
    }

    /// What a leg speaks now. Who could not change leaves it to the other one.
    pub(super) fn speaks(&mut self, leg: LegId, codec: Codec, ctx: &mut Context<Self>) {
        if let Some(handle) = self.legs.get_mut(&leg) {
            handle.codec = Some(codec);
        }
        if let Some((_, peer)) = self.sharing.take_if(|(anchor, _)| *anchor == leg)
            && self.spoken_by(peer).is_some_and(|theirs| is_unpacked(codec, theirs))
        {
            self.order(peer, LegCommand::Speak(alike(codec)));
        }
        self.fax_speaks(leg, codec, ctx);
    }

    /// What a leg of this call speaks; one that stands for another call says nothing of it.
    fn spoken_by(&self, leg: LegId) -> Option<Codec> {
        let handle = self.legs.get(&leg)?;
        handle.codec.filter(|_| matches!(handle.order, Order::Leg(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_without_work_is_alike() {
        for one in Codec::ALL {
            for other in Codec::ALL {
                assert_eq!(alike(one).contains(&other), !is_unpacked(one, other), "{one:?} {other:?}");
            }
            assert_eq!(alike(one)[0], one);
        }
    }
}
