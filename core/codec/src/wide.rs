//! G.722 at 64 kbit/s by spandsp. At 8 kHz only its lower band is made and heard, which costs less than a filter and loses
//! nothing that G.711 could say.
#![expect(unsafe_code, reason = "spandsp's types do not say that they may move to another thread")]

use crate::concealer::Concealer;
use plugboard_media::Rate;
use plugboard_media::coding::{Decode, Encode};
use spandsp::g722::{G722Decoder, G722Encoder, G722Options, G722Rate};

/// Longer than any payload (60 ms are 480 bytes); the C code is given room for what it is given.
const PAYLOAD_MAX: usize = 1_500;

/// One of spandsp's contexts.
struct Owned<T>(T);

// SAFETY: a G.722 context is a piece of memory that it allocated itself, that nothing else points to and that refers to no
// thread's or global state (g722.h, struct g722_encode_state_s): it does not matter which thread works on it next, and `&mut` lets
// one at a time.
unsafe impl<T: OnlyMemory> Send for Owned<T> {}

/// A context that is memory and nothing else.
trait OnlyMemory {}
impl OnlyMemory for G722Encoder {}
impl OnlyMemory for G722Decoder {}

/// A byte is two samples of 16 kHz or one of 8.
const fn samples_in(bytes: usize, rate: Rate) -> usize {
    match rate {
        Rate::Narrow => bytes,
        Rate::Wide => bytes * 2,
    }
}

fn options(rate: Rate) -> G722Options {
    match rate {
        Rate::Narrow => G722Options::SAMPLE_RATE_8000,
        Rate::Wide => G722Options::empty(),
    }
}

/// Packs.
pub(crate) struct Packer {
    encoder: Owned<G722Encoder>,
    rate: Rate,
}

impl Packer {
    /// None: there is no memory.
    pub(crate) fn new(rate: Rate) -> Option<Self> {
        let encoder = Owned(G722Encoder::new(G722Rate::Rate64000, options(rate)).ok()?);
        Some(Self { encoder, rate })
    }
}

impl Encode for Packer {
    fn encode(&mut self, frame: &[i16], payload: &mut Vec<u8>) -> bool {
        let samples_a_byte = samples_in(1, self.rate);
        // Whole bytes only: it would keep half of one.
        let whole = frame.len() - frame.len() % samples_a_byte;
        let from = payload.len();
        payload.resize(from + whole / samples_a_byte, 0);
        let (Some(room), Some(frame)) = (payload.get_mut(from..), frame.get(..whole)) else { return false };
        let made = self.encoder.0.encode(room, frame);
        payload.truncate(from + made);
        made > 0
    }
}

/// Unpacks.
pub(crate) struct Unpacker {
    decoder: Owned<G722Decoder>,
    rate: Rate,
    concealer: Concealer,
}

impl Unpacker {
    /// None: there is no memory.
    pub(crate) fn new(rate: Rate) -> Option<Self> {
        let decoder = Owned(G722Decoder::new(G722Rate::Rate64000, options(rate)).ok()?);
        Some(Self { decoder, rate, concealer: Concealer::new(rate) })
    }
}

impl Decode for Unpacker {
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> bool {
        if payload.is_empty() || payload.len() > PAYLOAD_MAX {
            return false;
        }
        let from = samples.len();
        samples.resize(from + samples_in(payload.len(), self.rate), 0);
        let Some(room) = samples.get_mut(from..) else { return false };
        let made = self.decoder.0.decode(room, payload);
        samples.truncate(from + made);
        self.concealer.heard(samples, from);
        true
    }

    fn conceal(&mut self, count: usize, _: Option<&[u8]>, samples: &mut Vec<i16>) {
        self.concealer.fill(count, samples);
    }
}
