//! Silence of our own: a pause in what is played, a room in which nobody speaks, a leg that nothing is sent to. A far end that agreed on
//! comfort noise (RFC 3389) is sent a word of it each second in place of frames of silence, or of nothing, so that nobody believes the line
//! dead. What a peer sends goes its way as it is.

use super::transcoding::header;
use super::{Engine, Forward, Kind, Slot};
use crate::codec::Codec;
use crate::command::MediaLeg;
use crate::leg::{Leg, Route};
use plugboard_model::Time;

/// A quiet hiss, in -dBov: what a good phone hears of an empty room.
const LEVEL: u8 = 70;

impl Engine {
    /// Whether a frame of our own is silence that the far end need not be sent. Sends comfort noise in its place where it is time for it.
    pub(super) fn hush(
        &mut self,
        now: Time,
        id: MediaLeg,
        (codec, payload): (Codec, &[u8]),
        send: &mut dyn FnMut(Forward, &[u8]),
    ) -> bool {
        let silent = codec.law().is_some_and(|law| law.is_silent(payload) && law.is_all_silent(payload));
        silent && self.noise(now, id, send)
    }

    /// Legs that nothing is sent to, though something was.
    pub(super) fn hush_idle(&mut self, now: Time, send: &mut dyn FnMut(Forward, &[u8])) {
        let idle = |slot: &Slot| match slot {
            Slot::Live(leg) if leg.outgoing.is_idle(now) && leg.flow().sends() && !is_told(leg) => Some(leg.id),
            Slot::Live(_) | Slot::Failed(..) | Slot::Vacant => None,
        };
        let idle: Vec<MediaLeg> = self.slots.iter().filter_map(idle).collect();
        for leg in idle {
            self.at_work = Some(leg);
            self.noise(now, leg, send);
        }
    }

    /// False: the far end takes none.
    fn noise(&mut self, now: Time, id: MediaLeg, send: &mut dyn FnMut(Forward, &[u8])) -> bool {
        let Some(leg) = self.leg_mut(id) else { return false };
        let Some(remote) = leg.remote.as_ref() else { return false };
        // A modem hears silence as silence.
        let number = remote.negotiated.comfort_noise.filter(|_| leg.fax.is_none() && leg.image.is_none());
        let Some(number) = number else { return false };
        let to = remote.rtp.destination();
        let Some(place) = leg.outgoing.noise(now) else { return true };
        let packet = header(place, number, leg.outgoing.ssrc).packet(&[LEVEL]);
        leg.count_sent(packet.len());
        self.emit(now, Forward { leg: id, kind: Kind::Rtp, to, length: packet.len() }, &packet, send);
        true
    }
}

/// Whether whoever it hears has told it of his silence himself, and may do so again.
fn is_told(leg: &Leg) -> bool {
    let heard = match leg.route {
        Route::Bridged { peer, .. } => Some(peer),
        Route::Echo => Some(leg.id),
        Route::Alone => None,
    };
    leg.outgoing.quiet_of().is_some_and(|from| heard == Some(from))
}
