//! G.711: the two laws, to and from linear samples, and into each other by table (ITU-T G.711).

use std::fmt;

/// The two laws. One byte a sample, 8,000 samples a second (RFC 3551 section 4.5.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    /// mu-law: North America and Japan.
    Mu,
    /// A-law: everywhere else.
    A,
}

impl Law {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::Mu];

    /// The byte that means silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xFF,
            Self::A => 0xD5,
        }
    }

    /// Whether a packet has nothing but silence, below some -55 dBov, in the places that are looked at.
    pub(crate) fn is_silent(self, bytes: &[u8]) -> bool {
        // Prime to the samples of the usual tones' periods.
        !bytes.is_empty() && bytes.iter().step_by(13).all(|byte| self.is_nearly(*byte))
    }

    /// The same of every sample: what is not sent at all must be nothing that anybody could hear.
    pub(crate) fn is_all_silent(self, bytes: &[u8]) -> bool {
        !bytes.is_empty() && bytes.iter().all(|byte| self.is_nearly(*byte))
    }

    /// Whether a sample is so near to silence that it counts as that.
    const fn is_nearly(self, byte: u8) -> bool {
        /// Steps from the middle.
        const NEARLY: u8 = 3;
        (byte ^ self.silence()) & 0x7F <= NEARLY
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mu => "mu-law",
            Self::A => "A-law",
        })
    }
}

/// Adds the bias that makes mu-law's segments powers of two (ITU-T G.191's reference code).
const MULAW_BIAS: u16 = 0x84;

/// The largest magnitude that mu-law can say.
const MULAW_CLIP: u16 = 32_635;

static PCMU_TO_PCMA: [u8; 256] = transcode_table(Law::Mu);
static PCMA_TO_PCMU: [u8; 256] = transcode_table(Law::A);

/// Turns audio of one law into the other, in place.
pub fn transcode(from: Law, bytes: &mut [u8]) {
    let table = match from {
        Law::Mu => &PCMU_TO_PCMA,
        Law::A => &PCMA_TO_PCMU,
    };
    for byte in bytes {
        if let Some(other) = table.get(usize::from(*byte)) {
            *byte = *other;
        }
    }
}

/// The byte nearest to a 16-bit linear sample.
#[must_use]
pub const fn encode(law: Law, sample: i16) -> u8 {
    match law {
        Law::Mu => encode_mulaw(sample),
        Law::A => encode_alaw(sample),
    }
}

/// The 16-bit linear sample of a byte.
#[must_use]
pub const fn decode(law: Law, byte: u8) -> i16 {
    match law {
        Law::Mu => decode_mulaw(byte),
        Law::A => decode_alaw(byte),
    }
}

#[expect(clippy::indexing_slicing, reason = "a byte cannot pass the end of 256 places, and it runs at compile time")]
const fn transcode_table(from: Law) -> [u8; 256] {
    let into = match from {
        Law::Mu => Law::A,
        Law::A => Law::Mu,
    };
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = encode(into, decode(from, byte));
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

/// Sign, three bits of segment, four bits of step, all inverted.
const fn encode_mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs();
    let magnitude = (if magnitude > MULAW_CLIP { MULAW_CLIP } else { magnitude }) + MULAW_BIAS;
    // The bias keeps bit 7 set, so that there are at most 8 leading zeros.
    let segment = 8 - magnitude.leading_zeros();
    !(sign | low_byte(segment << 4) | (low_byte((magnitude >> (segment + 3)) as u32) & 0x0F))
}

const fn decode_mulaw(byte: u8) -> i16 {
    let bits = !byte;
    let magnitude = ((((bits & 0x0F) as i16) << 3) + MULAW_BIAS.cast_signed()) << ((bits & 0x70) >> 4);
    let magnitude = magnitude - MULAW_BIAS.cast_signed();
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

/// Sign, three bits of segment, four bits of step; every other bit inverted.
const fn encode_alaw(sample: i16) -> u8 {
    // The negative side counts from -1, so that both zeros have a code.
    let (mask, magnitude) = if sample < 0 {
        (0x55, (sample.unsigned_abs() - 1) as u32 >> 3)
    } else {
        (0xD5, sample.unsigned_abs() as u32 >> 3)
    };
    let segment = if magnitude < 0x20 { 0 } else { 27 - magnitude.leading_zeros() };
    let step = if segment < 2 { magnitude >> 1 } else { magnitude >> segment };
    (low_byte(segment << 4) | (low_byte(step) & 0x0F)) ^ mask
}

const fn decode_alaw(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let step = ((bits & 0x0F) as i16) << 4;
    let magnitude = match (bits & 0x70) >> 4 {
        0 => step + 0x08,
        segment => (step + 0x108) << (segment - 1),
    };
    if bits & 0x80 == 0 { -magnitude } else { magnitude }
}

const fn low_byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_laws_match_the_reference_points_of_g_711() {
        // Tables 1a to 2b: the largest values, and the smallest of each sign.
        assert_eq!(decode(Law::Mu, 0x80), 32_124);
        assert_eq!(decode(Law::Mu, 0x00), -32_124);
        assert_eq!((decode(Law::Mu, 0xFF), decode(Law::Mu, 0x7F)), (0, 0));
        assert_eq!(decode(Law::A, 0xAA), 32_256);
        assert_eq!(decode(Law::A, 0x2A), -32_256);
        assert_eq!((decode(Law::A, 0xD5), decode(Law::A, 0x55)), (8, -8));
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for law in Law::ALL {
            for byte in 0..=u8::MAX {
                // mu-law has two zeros; the negative one comes back as the positive.
                let expected = if law == Law::Mu && byte == 0x7F { 0xFF } else { byte };
                assert_eq!(encode(law, decode(law, byte)), expected, "{law} {byte:#x}");
            }
        }
    }

    #[test]
    fn silence_stays_silence_in_the_other_law() {
        let mut bytes = [Law::Mu.silence()];
        transcode(Law::Mu, &mut bytes);
        assert_eq!(bytes, [Law::A.silence()]);
    }

    proptest! {
        #[test]
        fn encoding_errs_by_less_than_a_step(sample in i16::MIN..=i16::MAX) {
            for law in Law::ALL {
                let heard = i32::from(decode(law, encode(law, sample)));
                // A step is a sixteenth of its segment; mu-law clips 643 below the end of the range.
                let limit = (i32::from(sample).abs() / 16).max(16) + 8;
                prop_assert!((heard - i32::from(sample)).abs() <= limit, "{law}: {sample} became {heard}");
            }
        }
    }
}
