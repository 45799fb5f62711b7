//! The head of a WAV file, and what such a file of ours holds.
//!
//! Source: Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF), and RFC 2361 for the numbers of codecs.

use plugboard_media::g711::{self, Law};
use plugboard_media::{Audio, CLOCK_RATE};

use crate::reel::{Form, Shape};

/// RIFF, format with the size of its extension, fact, and the head of the data.
pub(crate) const HEAD_LEN: usize = 58;

/// A RIFF file's sizes have 32 bits; what is longer keeps the greatest, which players take as "to the end".
const SIZE_MAX: u64 = 0xFFFF_FFFF;

/// Why a file is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// No such head.
    #[error("it does not begin as a recording does")]
    Head,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// As what.
    pub form: Form,
    /// How long it plays.
    pub length_ms: u64,
    /// How many bytes of the file belong to it: a write that was cut short may have left more.
    pub bytes: u64,
}

/// The head of a file with so many bytes of sound.
pub(crate) fn head(form: Form, sound: u64) -> [u8; HEAD_LEN] {
    let (tag, bits): (u16, u16) = match form.shape {
        Shape::Law(Law::A) => (6, 8),
        Shape::Law(Law::Mu) => (7, 8),
        Shape::Linear(_) => (1, 16),
    };
    let channels = u16::try_from(form.channels()).unwrap_or(2);
    let rate = form.rate();
    let block = u16::try_from(form.frame_bytes()).unwrap_or(2);
    let size = |bytes: u64| u32::try_from(bytes.min(SIZE_MAX)).unwrap_or(u32::MAX);
    let frames = sound / u64::from(block.max(1));
    let mut head = Vec::with_capacity(HEAD_LEN);
    head.extend_from_slice(b"RIFF");
    head.extend_from_slice(&size(sound + 50).to_le_bytes());
    head.extend_from_slice(b"WAVEfmt ");
    head.extend_from_slice(&18_u32.to_le_bytes());
    for two in [tag, channels] {
        head.extend_from_slice(&two.to_le_bytes());
    }
    head.extend_from_slice(&rate.to_le_bytes());
    head.extend_from_slice(&(rate * u32::from(block)).to_le_bytes());
    for two in [block, bits, 0] {
        head.extend_from_slice(&two.to_le_bytes());
    }
    head.extend_from_slice(b"fact");
    head.extend_from_slice(&4_u32.to_le_bytes());
    head.extend_from_slice(&size(frames).to_le_bytes());
    head.extend_from_slice(b"data");
    head.extend_from_slice(&size(sound).to_le_bytes());
    let mut whole = [0; HEAD_LEN];
    whole.copy_from_slice(head.get(..HEAD_LEN).unwrap_or(&[0; HEAD_LEN]));
    whole
}

/// What a file of ours holds, by its head and its length.
///
/// # Errors
/// [`WavError`].
pub fn measure(head: &[u8], file_bytes: u64) -> Result<Measured, WavError> {
    let two = |at: usize| head.get(at..at + 2).and_then(|bytes| bytes.first_chunk()).map(|b| u16::from_le_bytes(*b));
    let four = |at: usize| head.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).map(|b| u32::from_le_bytes(*b));
    if head.get(..4) != Some(b"RIFF") || head.get(8..16) != Some(b"WAVEfmt ") || head.get(50..54) != Some(b"data") {
        return Err(WavError::Head);
    }
    let (Some(tag), Some(channels), Some(rate), Some(said)) = (two(20), two(22), four(24), four(54)) else {
        return Err(WavError::Head);
    };
    let shape = match (tag, rate) {
        (6, 8_000) => Shape::Law(Law::A),
        (7, 8_000) => Shape::Law(Law::Mu),
        (1, 8_000) => Shape::Linear(plugboard_media::Rate::Narrow),
        (1, 16_000) => Shape::Linear(plugboard_media::Rate::Wide),
        _ => return Err(WavError::Head),
    };
    let form = Form { shape, stereo: channels == 2 };
    let head_bytes = u64::try_from(HEAD_LEN).unwrap_or(0);
    let there = file_bytes.saturating_sub(head_bytes);
    let told = if said == u32::MAX { there } else { u64::from(said).min(there) };
    let block = u64::try_from(form.frame_bytes()).unwrap_or(1).max(1);
    let frames = told / block;
    Ok(Measured { form, length_ms: frames * 1_000 / u64::from(form.rate()), bytes: head_bytes + frames * block })
}

/// A mono file of ours, ready to be played.
///
/// # Errors
/// [`WavError`].
pub fn read(file: &[u8]) -> Result<Audio, WavError> {
    let measured = measure(file, u64::try_from(file.len()).unwrap_or(u64::MAX))?;
    let end = usize::try_from(measured.bytes).unwrap_or(file.len());
    let sound = file.get(HEAD_LEN..end).unwrap_or_default();
    Ok(match measured.form.shape {
        Shape::Law(law) => Audio::from_g711(law, sound),
        Shape::Linear(_) => {
            let samples: Vec<i16> = sound.as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
            let step = usize::try_from(measured.form.rate() / CLOCK_RATE).unwrap_or(1).max(1);
            // The telephone's rate: the mean of each two is filter enough for a voice.
            let narrow: Vec<i16> = samples
                .chunks(step)
                .map(|some| {
                    let sum: i32 = some.iter().map(|sample| i32::from(*sample)).sum();
                    i16::try_from(sum / i32::try_from(some.len().max(1)).unwrap_or(1)).unwrap_or(0)
                })
                .collect();
            Audio::from_linear(&narrow)
        }
    })
}

/// A sample of a law as its own byte stands for it.
pub(crate) fn pack(law: Law, sample: i16) -> u8 {
    g711::encode(law, sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reader_finds_what_the_head_says() {
        let form = Form { shape: Shape::Linear(plugboard_media::Rate::Wide), stereo: true };
        let mut file = head(form, 8).to_vec();
        for sample in [1_i16, -1, 300, -300] {
            file.extend_from_slice(&sample.to_le_bytes());
        }
        let mut reader = hound::WavReader::new(file.as_slice()).unwrap();
        assert_eq!((reader.spec().channels, reader.spec().sample_rate, reader.duration()), (2, 16_000, 2));
        assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), [1, -1, 300, -300]);
    }

    #[test]
    fn what_the_head_does_not_tell_of_is_not_there() {
        let form = Form { shape: Shape::Law(Law::A), stereo: true };
        let head = head(form, 16_000);
        let measured = measure(&head, 16_058 + 777).unwrap();
        assert_eq!((measured.form, measured.length_ms, measured.bytes), (form, 1_000, 16_058));
        // Nor is what it tells of and is not there.
        assert_eq!(measure(&head, 58 + 8_001).unwrap().length_ms, 500);
        assert_eq!(measure(b"RIFF....", 8), Err(WavError::Head));
    }
}
