//! G.711 to and from linear audio of 8 kHz, and of 16 kHz with nothing in its upper half: a law has no more.

use crate::concealer::Concealer;
use crate::halfband::HalfBand;
use plugboard_media::Rate;
use plugboard_media::coding::{Decode, Encode};
use plugboard_media::g711::{self, Law};

/// Packs.
#[derive(Debug)]
pub(crate) struct Packer {
    law: Law,
    narrowed: Option<HalfBand>,
}

impl Packer {
    pub(crate) fn new(law: Law, rate: Rate) -> Self {
        Self { law, narrowed: (rate == Rate::Wide).then(HalfBand::new) }
    }
}

impl Encode for Packer {
    fn encode(&mut self, frame: &[i16], payload: &mut Vec<u8>) -> bool {
        let law = self.law;
        match &mut self.narrowed {
            None => payload.extend(frame.iter().map(|sample| g711::encode(law, *sample))),
            Some(filter) => {
                let mut narrow = Vec::new();
                filter.halve(frame, &mut narrow);
                payload.extend(narrow.iter().map(|sample| g711::encode(law, *sample)));
            }
        }
        true
    }
}

/// Unpacks.
#[derive(Debug)]
pub(crate) struct Unpacker {
    law: Law,
    concealer: Concealer,
    widened: Option<HalfBand>,
}

impl Unpacker {
    pub(crate) fn new(law: Law, rate: Rate) -> Self {
        let widened = (rate == Rate::Wide).then(HalfBand::new);
        Self { law, concealer: Concealer::new(Rate::Narrow), widened }
    }
}

impl Decode for Unpacker {
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> bool {
        let decoded = payload.iter().map(|byte| g711::decode(self.law, *byte));
        match &mut self.widened {
            None => {
                let from = samples.len();
                samples.extend(decoded);
                self.concealer.heard(samples, from);
            }
            Some(filter) => {
                let mut narrow: Vec<i16> = decoded.collect();
                self.concealer.heard(&mut narrow, 0);
                filter.double(&narrow, samples);
            }
        }
        true
    }

    fn conceal(&mut self, count: usize, _: Option<&[u8]>, samples: &mut Vec<i16>) {
        match &mut self.widened {
            None => self.concealer.fill(count, samples),
            Some(filter) => {
                let mut narrow = Vec::new();
                self.concealer.fill(count / 2, &mut narrow);
                filter.double(&narrow, samples);
            }
        }
    }
}
