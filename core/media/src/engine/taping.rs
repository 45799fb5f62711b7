//! Legs that are recorded: each packet that they send or are sent goes to their tapes as well.

use super::Engine;
use crate::codec::{Codec, Flow};
use crate::command::MediaLeg;
use crate::leg::{Leg, Payload};
use crate::rtp::Header;
use crate::tape::{Side, Tape, Taped};
use plugboard_model::Time;

impl Engine {
    /// Gives a leg another tape, or none.
    pub(super) fn record(&mut self, now: Time, leg: MediaLeg, tape: Option<Tape>) {
        if let Some(leg) = self.leg_mut(leg) {
            change(now, &mut leg.tape, tape);
        }
    }

    /// The same for a message that is spoken at the leg, whatever else is recorded of it.
    pub(super) fn dictate(&mut self, now: Time, leg: MediaLeg, tape: Option<Tape>) {
        if let Some(leg) = self.leg_mut(leg) {
            change(now, &mut leg.dictation, tape);
        }
    }

    /// What came from a leg, before it is passed on. Whoever holds is silent, whatever his phone sends meanwhile.
    pub(super) fn tape_said(&mut self, now: Time, id: MediaLeg, header: &Header, payload: Payload, packet: &[u8]) {
        let Payload::Audio(codec) = payload else { return };
        let Some(leg) = self.leg_mut(id).filter(|leg| leg.is_taped() && leg.flow() == Flow::SendRecv) else {
            return;
        };
        let payload = packet.get(header.payload.clone()).unwrap_or_default();
        for tape in leg.tapes() {
            let (stream, timestamp) = (header.ssrc, header.timestamp);
            tape.take(now, Taped::Sound { side: Side::Said, codec, stream, timestamp, payload });
        }
    }
}

fn change(now: Time, place: &mut Option<Tape>, tape: Option<Tape>) {
    if *place == tape {
        return;
    }
    if let Some(old) = std::mem::replace(place, tape) {
        old.take(now, Taped::Off);
    }
    if let Some(new) = place {
        new.take(now, Taped::On);
    }
}

impl Leg {
    /// Whether something of it is recorded.
    pub(crate) const fn is_taped(&self) -> bool {
        self.tape.is_some() || self.dictation.is_some()
    }

    fn tapes(&self) -> impl Iterator<Item = &Tape> {
        self.tape.iter().chain(&self.dictation)
    }

    /// What goes to a leg, as it is sent.
    pub(crate) fn tape_heard(&self, now: Time, codec: Codec, timestamp: u32, payload: &[u8]) {
        if !self.is_taped() || self.playing.as_ref().is_some_and(|playing| playing.aside) {
            return;
        }
        let stream = self.outgoing.ssrc;
        for tape in self.tapes() {
            tape.take(now, Taped::Sound { side: Side::Heard, codec, stream, timestamp, payload });
        }
    }

    /// Time goes on.
    pub(crate) fn tape_still(&self, now: Time) {
        for tape in self.tapes() {
            tape.take(now, Taped::Still);
        }
    }
}
