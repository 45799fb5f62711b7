//! Legs that are recorded: each packet that they send or are sent goes to their tape as well.

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
        let Some(leg) = self.leg_mut(leg) else { return };
        if leg.tape == tape {
            return;
        }
        if let Some(old) = std::mem::replace(&mut leg.tape, tape) {
            old.take(now, Taped::Off);
        }
        if let Some(new) = &leg.tape {
            new.take(now, Taped::On);
        }
    }

    /// What came from a leg, before it is passed on. Whoever holds is silent, whatever his phone sends meanwhile.
    pub(super) fn tape_said(&mut self, now: Time, id: MediaLeg, header: &Header, payload: Payload, packet: &[u8]) {
        let Payload::Audio(codec) = payload else { return };
        let Some(leg) = self.leg_mut(id).filter(|leg| leg.tape.is_some() && leg.flow() == Flow::SendRecv) else {
            return;
        };
        let sound = Taped::Sound {
            side: Side::Said,
            codec,
            stream: header.ssrc,
            timestamp: header.timestamp,
            payload: packet.get(header.payload.clone()).unwrap_or_default().to_vec(),
        };
        if let Some(tape) = &leg.tape {
            tape.take(now, sound);
        }
    }
}

impl Leg {
    /// What goes to a leg, as it is sent.
    pub(crate) fn tape_heard(&self, now: Time, codec: Codec, timestamp: u32, payload: &[u8]) {
        let Some(tape) = &self.tape else { return };
        if self.playing.as_ref().is_some_and(|playing| playing.aside) {
            return;
        }
        let stream = self.outgoing.ssrc;
        tape.take(now, Taped::Sound { side: Side::Heard, codec, stream, timestamp, payload: payload.to_vec() });
    }

    /// Time goes on.
    pub(crate) fn tape_still(&self, now: Time) {
        if let Some(tape) = &self.tape {
            tape.take(now, Taped::Still);
        }
    }
}
