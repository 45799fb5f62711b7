//! G.711 to and from linear audio of 8 kHz: a law has no more.

use crate::concealer::Concealer;
use plugboard_media::Rate;
use plugboard_media::coding::{Decode, Encode};
use plugboard_media::g711::{self, Law};

/// Packs.
#[derive(Debug)]
pub(crate) struct Packer(Law);

impl Packer {
    /// None: a law is narrow.
    pub(crate) fn new(law: Law, rate: Rate) -> Option<Self> {
        (rate == Rate::Narrow).then_some(Self(law))
    }
}

impl Encode for Packer {
    fn encode(&mut self, frame: &[i16], payload: &mut Vec<u8>) -> bool {
        payload.extend(frame.iter().map(|sample| g711::encode(self.0, *sample)));
        true
    }
}

/// Unpacks.
#[derive(Debug)]
pub(crate) struct Unpacker {
    law: Law,
    concealer: Concealer,
}

impl Unpacker {
    /// None: a law is narrow.
    pub(crate) fn new(law: Law, rate: Rate) -> Option<Self> {
        if rate == Rate::Narrow { Some(Self { law, concealer: Concealer::new(rate) }) } else { None }
    }
}

impl Decode for Unpacker {
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> bool {
        let from = samples.len();
        samples.extend(payload.iter().map(|byte| g711::decode(self.law, *byte)));
        self.concealer.heard(samples, from);
        true
    }

    fn conceal(&mut self, count: usize, _: Option<&[u8]>, samples: &mut Vec<i16>) {
        self.concealer.fill(count, samples);
    }
}
