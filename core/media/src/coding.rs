//! The seam to whatever packs and unpacks audio that is not G.711: this crate knows when, [`Codecs`] knows how.

use crate::codec::Codec;
use crate::fax::{FaxMachine, FaxOrder};
use std::fmt;

/// How many linear samples a second audio is worked on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rate {
    /// 8,000: where one side is G.711, so that nothing more would be heard.
    Narrow,
    /// 16,000.
    Wide,
}

impl Rate {
    /// Samples a second.
    pub const fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
        }
    }

    /// Samples of a frame of 20 ms.
    pub const fn frame(self) -> usize {
        match self {
            Self::Narrow => 160,
            Self::Wide => 320,
        }
    }

    /// The most that is heard of audio in this codec.
    pub const fn of(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu | Codec::Pcma => Self::Narrow,
            Codec::G722 | Codec::Opus => Self::Wide,
        }
    }
}

/// Packs linear audio, in the order in which it is to be heard.
pub trait Encode: Send {
    /// Appends the payload of one frame of 20 ms to `payload`. False: nothing came out of it.
    fn encode(&mut self, frame: &[i16], payload: &mut Vec<u8>) -> bool;
}

/// Unpacks payloads, in the order of their sequence numbers.
pub trait Decode: Send {
    /// Appends the samples of a payload. False: it is no such payload; nothing was appended.
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> bool;

    /// Appends `count` samples in place of a payload that did not come; `next`: the one after it, where it came already.
    fn conceal(&mut self, count: usize, next: Option<&[u8]>, samples: &mut Vec<i16>);
}

/// Hears keys as tones (ITU-T Q.23) in audio of [`Rate::Narrow`].
pub trait HearKeys: Send {
    /// Takes the next samples and appends the keys that were let go in them.
    fn hear(&mut self, samples: &[i16], keys: &mut Vec<char>);
}

/// Makes what packs, unpacks and listens. One for the whole switch.
pub trait Codecs: Send + Sync + fmt::Debug {
    /// A packer whose frames have `rate`; none when it cannot be made.
    fn encoder(&self, codec: Codec, rate: Rate) -> Option<Box<dyn Encode>>;

    /// An unpacker whose samples have `rate`.
    fn decoder(&self, codec: Codec, rate: Rate) -> Option<Box<dyn Decode>>;

    /// A receiver of keys.
    fn key_receiver(&self) -> Option<Box<dyn HearKeys>>;

    /// A fax machine that does this; none when it cannot be made. What has none says so by not having this.
    fn fax(&self, order: &FaxOrder) -> Option<Box<dyn FaxMachine>> {
        let _ = order;
        None
    }
}

/// How long a payload plays, in microseconds; `None`: it is no such payload.
pub fn duration_micros(codec: Codec, payload: &[u8]) -> Option<u32> {
    let bytes = u32::try_from(payload.len()).ok().filter(|bytes| (1..=PAYLOAD_MAX).contains(bytes))?;
    match codec {
        // One byte is 125 us of each: G.711 has a sample in it, G.722 two of twice as many.
        Codec::Pcmu | Codec::Pcma | Codec::G722 => Some(bytes * 125),
        Codec::Opus => opus_micros(payload),
    }
}

/// What an Ethernet frame carries.
const PAYLOAD_MAX: u32 = 1_500;

/// A packet of Opus plays at most 120 ms (RFC 6716 section 3.2.5).
const OPUS_MICROS_MAX: u32 = 120_000;

/// RFC 6716 section 3.1: configuration and count of frames stand in the first two bytes.
fn opus_micros(payload: &[u8]) -> Option<u32> {
    let first = *payload.first()?;
    let configuration = first >> 3;
    let frame = match configuration {
        0..=11 => [10_000, 20_000, 40_000, 60_000].get(usize::from(configuration & 3)).copied()?,
        12..=15 => [10_000, 20_000].get(usize::from(configuration & 1)).copied()?,
        _ => [2_500, 5_000, 10_000, 20_000].get(usize::from(configuration & 3)).copied()?,
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3F),
    };
    let whole: u32 = frames * frame;
    (1..=OPUS_MICROS_MAX).contains(&whole).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_duration_stands_in_the_payload() {
        assert_eq!(duration_micros(Codec::Pcma, &[0; 160]), Some(20_000));
        assert_eq!(duration_micros(Codec::G722, &[0; 240]), Some(30_000));
        assert_eq!(duration_micros(Codec::Pcma, &[]), None);
        // SILK 20 ms once, CELT 2.5 ms twice, hybrid 10 ms three times, seven times 20 ms.
        assert_eq!(duration_micros(Codec::Opus, &[1 << 3]), Some(20_000));
        assert_eq!(duration_micros(Codec::Opus, &[(16 << 3) | 1]), Some(5_000));
        assert_eq!(duration_micros(Codec::Opus, &[(12 << 3) | 3, 3]), Some(30_000));
        assert_eq!(duration_micros(Codec::Opus, &[(1 << 3) | 3, 7]), None);
        assert_eq!(duration_micros(Codec::Opus, &[(1 << 3) | 3]), None);
    }
}
