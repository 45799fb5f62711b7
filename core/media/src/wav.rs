//! WAV files made ready to be played: any usual format in, G.711 at 8 kHz out.

use crate::audio::Audio;
use crate::codec::CLOCK_RATE;
use crate::g711::{self, Law};
use std::f64::consts::PI;

/// The longest prompt. What is longer is a recording, and in memory by mistake.
const SECONDS_MAX: usize = 600;

/// Ten minutes of the widest format (48 kHz, stereo, 16 bits) and a generous header.
pub const FILE_BYTES_MAX: usize = SECONDS_MAX * 48_000 * 4 + 64 * 1024;

/// The rates that phones, studios and browsers record with.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// Chunks besides the audio are few; more is a file made to keep us busy.
const CHUNKS_MAX: usize = 64;

/// A length that streaming writers put where they do not know it: 2 GiB less a page, or all ones.
const UNKNOWN_LENGTH: usize = 0x7FFF_F000;

/// The low-pass ends below the new half rate: 3.4 kHz is all that a telephone carries (ITU-T G.712).
const CUT_OFF: f64 = 0.44;

/// Zero crossings of the low-pass on each side: about 60 dB of what lies above is gone.
const CROSSINGS: u32 = 16;

/// Why a file cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// No RIFF file of form WAVE.
    #[error("not a WAV file")]
    NotWav,
    /// A chunk ends past the file.
    #[error("the file is cut off in its {0:?} chunk")]
    CutOff(String),
    /// No `fmt ` or no `data`, or too many others before them.
    #[error("the file has no {0:?} chunk")]
    Missing(&'static str),
    /// A format that is not read.
    #[error(
        "format {tag} with {bits} bits, {channels} channels, {rate} Hz is not read; convert it to 16-bit PCM, mono, 8000 Hz"
    )]
    Format {
        /// The format tag.
        tag: u16,
        /// Bits a sample.
        bits: u16,
        /// Channels.
        channels: u16,
        /// Samples a second.
        rate: u32,
    },
    /// Longer than [`FILE_BYTES_MAX`] or ten minutes.
    #[error("the file is too long: at most 10 minutes are played")]
    TooLong,
    /// A file without sound.
    #[error("the file has no audio in it")]
    Empty,
}

/// How a sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Pcm8,
    Pcm16,
    Law(Law),
}

#[derive(Debug, Clone, Copy)]
struct Format {
    encoding: Encoding,
    channels: usize,
    rate: u32,
}

/// Reads a WAV file: PCM of 8 or 16 bits, A-law or mu-law, mono or stereo (mixed to mono), 8 to 48 kHz.
///
/// Takes about a second for ten minutes of 48 kHz: not for a thread that carries calls.
///
/// # Errors
/// [`WavError`], which says what is wrong with the file.
pub fn read(file: &[u8]) -> Result<Audio, WavError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(WavError::TooLong);
    }
    let (format, data) = chunks(file)?;
    let frame = format.channels * if format.encoding == Encoding::Pcm16 { 2 } else { 1 };
    let frames = data.len() / frame;
    let seconds = frames / usize::try_from(format.rate).unwrap_or(usize::MAX);
    if frames == 0 {
        return Err(WavError::Empty);
    }
    if seconds >= SECONDS_MAX {
        return Err(WavError::TooLong);
    }
    if let (Encoding::Law(law), 1, CLOCK_RATE) = (format.encoding, format.channels, format.rate) {
        return Ok(Audio::from_g711(law, data));
    }
    let samples = linear(format, data);
    Ok(Audio::from_linear(&if format.rate == CLOCK_RATE { samples } else { resample(&samples, format.rate) }))
}

/// A mono 8 kHz file in one law, as [`read`] takes it without any loss.
pub fn write(audio: &Audio, law: Law) -> Vec<u8> {
    let data = audio.bytes(law);
    let tag: u16 = match law {
        Law::Mu => 7,
        Law::A => 6,
    };
    let padding = data.len() % 2;
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut file = Vec::with_capacity(58 + data.len() + padding);
    file.extend(b"RIFF");
    file.extend(length(50 + data.len() + padding));
    file.extend(b"WAVEfmt ");
    file.extend(length(18));
    file.extend(tag.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(CLOCK_RATE.to_le_bytes());
    file.extend(CLOCK_RATE.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(8_u16.to_le_bytes());
    file.extend(0_u16.to_le_bytes());
    file.extend(b"fact");
    file.extend(length(4));
    file.extend(length(data.len()));
    file.extend(b"data");
    file.extend(length(data.len()));
    file.extend(data);
    file.resize(file.len() + padding, 0);
    file
}

fn chunks(file: &[u8]) -> Result<(Format, &[u8]), WavError> {
    let Some([b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E']) = file.first_chunk::<12>() else {
        return Err(WavError::NotWav);
    };
    let mut rest = file.get(12..).unwrap_or_default();
    let mut format = None;
    for _ in 0..CHUNKS_MAX {
        let Some(([n0, n1, n2, n3, l0, l1, l2, l3], body)) = rest.split_first_chunk::<8>() else {
            break;
        };
        let name = [*n0, *n1, *n2, *n3];
        let length = usize::try_from(u32::from_le_bytes([*l0, *l1, *l2, *l3])).unwrap_or(usize::MAX);
        let unknown = &name == b"data" && length >= UNKNOWN_LENGTH;
        let length = if unknown { body.len() } else { length };
        let content = body.get(..length);
        let content = content.ok_or_else(|| WavError::CutOff(String::from_utf8_lossy(&name).into_owned()))?;
        match &name {
            b"fmt " => format = Some(Format::read(content)?),
            b"data" => return Ok((format.ok_or(WavError::Missing("fmt "))?, content)),
            _ => {}
        }
        // Chunks begin at even places.
        rest = body.get(length + length % 2..).unwrap_or_default();
    }
    Err(WavError::Missing(if format.is_none() { "fmt " } else { "data" }))
}

impl Format {
    fn read(chunk: &[u8]) -> Result<Self, WavError> {
        let short = || WavError::CutOff("fmt ".into());
        let half = |at: usize| chunk.get(at..).and_then(|rest| rest.first_chunk().copied()).map(u16::from_le_bytes);
        let (tag, channels, bits) =
            (half(0).ok_or_else(short)?, half(2).ok_or_else(short)?, half(14).ok_or_else(short)?);
        let rate = chunk.get(4..).and_then(|rest| rest.first_chunk().copied()).map(u32::from_le_bytes);
        let rate = rate.ok_or_else(short)?;
        // The extensible format says the real one in the first half-word of its GUID.
        let tag = if tag == 0xFFFE { half(24).ok_or_else(short)? } else { tag };
        let encoding = match (tag, bits) {
            (1, 8) => Some(Encoding::Pcm8),
            (1, 16) => Some(Encoding::Pcm16),
            (6, 8) => Some(Encoding::Law(Law::A)),
            (7, 8) => Some(Encoding::Law(Law::Mu)),
            _ => None,
        };
        match encoding {
            Some(encoding) if RATES.contains(&rate) && (1..=2).contains(&channels) => {
                Ok(Self { encoding, channels: usize::from(channels), rate })
            }
            Some(_) | None => Err(WavError::Format { tag, bits, channels, rate }),
        }
    }
}

/// The samples as 16-bit linear, two channels mixed into one.
fn linear(format: Format, data: &[u8]) -> Vec<i16> {
    let samples: Vec<i16> = match format.encoding {
        // Eight bits are unsigned, with silence at 128.
        Encoding::Pcm8 => data.iter().map(|byte| (i16::from(*byte) - 128) * 256).collect(),
        Encoding::Pcm16 => data.as_chunks().0.iter().map(|chunk| i16::from_le_bytes(*chunk)).collect(),
        Encoding::Law(law) => data.iter().map(|byte| g711::decode(law, *byte)).collect(),
    };
    if format.channels == 1 {
        return samples;
    }
    samples.as_chunks().0.iter().map(|[left, right]| left.midpoint(*right)).collect()
}

/// To 8 kHz by a windowed-sinc low-pass, one set of taps for each phase between the two rates.
fn resample(samples: &[i16], rate: u32) -> Vec<i16> {
    let common = gcd(rate, CLOCK_RATE);
    let (step, phases) = (rate / common, CLOCK_RATE / common);
    let taps: Vec<Vec<f32>> = (0..phases).map(|phase| low_pass(rate, f64::from(phase) / f64::from(phases))).collect();
    let reach = reach(rate);
    let length = u64::try_from(samples.len()).unwrap_or(0) * u64::from(CLOCK_RATE) / u64::from(rate);
    (0..length)
        .map(|n| {
            // The input place of output n is n * step / phases.
            let place = n * u64::from(step);
            let (whole, phase) = (place / u64::from(phases), place % u64::from(phases));
            let (Ok(whole), Ok(phase)) = (usize::try_from(whole), usize::try_from(phase)) else {
                return 0;
            };
            let taps = taps.get(phase).map(Vec::as_slice).unwrap_or_default();
            // Tap t belongs to input whole + t + 1 - reach; before the first sample there is silence.
            let (skipped, first) = ((reach - 1).saturating_sub(whole), (whole + 1).saturating_sub(reach));
            let inputs = samples.get(first..).unwrap_or_default();
            let sum = taps.iter().skip(skipped).zip(inputs).map(|(tap, input)| tap * f32::from(*input)).sum::<f32>();
            rounded(sum)
        })
        .collect()
}

/// How many input samples the low-pass sees on each side.
fn reach(rate: u32) -> usize {
    usize::try_from((CROSSINGS * rate).div_ceil(CLOCK_RATE)).unwrap_or(1)
}

/// The taps for an output that lies `fraction` of an input sample after an input sample; their sum is 1.
fn low_pass(rate: u32, fraction: f64) -> Vec<f32> {
    let cut_off = CUT_OFF * f64::from(CLOCK_RATE) / f64::from(rate);
    let reach = u32::try_from(reach(rate)).unwrap_or(1);
    let taps: Vec<f64> = (1..=2 * reach)
        .map(|tap| {
            let distance = f64::from(tap) - f64::from(reach) - fraction;
            let angle = 2.0 * PI * cut_off * distance;
            let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
            // Blackman's window.
            let place = PI * distance / f64::from(reach);
            sinc * (0.42 + 0.5 * place.cos() + 0.08 * (2.0 * place).cos())
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| narrowed(tap / sum)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates at the ends of 16 bits, as audio should")]
const fn rounded(value: f32) -> i16 {
    value.round() as i16
}

#[expect(clippy::cast_possible_truncation, reason = "taps lie between -1 and 1; 24 bits are more than the audio has")]
const fn narrowed(value: f64) -> f32 {
    value as f32
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        file.extend(tag.to_le_bytes());
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend([0; 6]);
        file.extend(bits.to_le_bytes());
        file.extend(b"data");
        file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        file.extend(data);
        file
    }

    #[expect(clippy::cast_possible_truncation, reason = "the amplitude is below 16 bits")]
    fn sine(hertz: f64, rate: u32, seconds: u32) -> Vec<i16> {
        let wave = |n| 10_000.0 * (2.0 * PI * hertz * f64::from(n) / f64::from(rate)).sin();
        (0..rate * seconds).map(|n| wave(n) as i16).collect()
    }

    fn pcm16(samples: &[i16]) -> Vec<u8> {
        samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
    }

    /// The amplitude of one frequency, away from the edges.
    fn level(audio: &Audio, hertz: f64) -> f64 {
        let bytes = &audio.bytes(Law::A)[800..4_000];
        let (mut re, mut im) = (0.0, 0.0);
        for (n, byte) in (0_u32..).zip(bytes) {
            let (sin, cos) = (2.0 * PI * hertz * f64::from(n) / 8_000.0).sin_cos();
            let sample = f64::from(g711::decode(Law::A, *byte));
            (re, im) = (re + sample * cos, im + sample * sin);
        }
        2.0 * re.hypot(im) / 3_200.0
    }

    #[test]
    fn every_rate_keeps_a_voice_frequency_and_its_length() {
        for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000] {
            let audio = read(&file(1, 1, rate, 16, &pcm16(&sine(1_000.0, rate, 1)))).unwrap();
            assert_eq!(audio.len(), 8_000, "{rate}");
            let heard = level(&audio, 1_000.0);
            assert!((9_500.0..10_500.0).contains(&heard), "{rate}: {heard}");
        }
    }

    #[test]
    fn what_a_telephone_cannot_carry_does_not_fold_back() {
        let audio = read(&file(1, 1, 48_000, 16, &pcm16(&sine(6_000.0, 48_000, 1)))).unwrap();
        assert!(level(&audio, 2_000.0) < 30.0);
    }

    #[test]
    fn stereo_is_mixed_and_eight_bits_are_unsigned() {
        let stereo: Vec<i16> = (0..800).flat_map(|_| [8_000, 4_000]).collect();
        let audio = read(&file(1, 2, 8_000, 16, &pcm16(&stereo))).unwrap();
        assert_eq!(audio.bytes(Law::A)[0], g711::encode(Law::A, 6_000));
        let audio = read(&file(1, 1, 8_000, 8, &[128; 800])).unwrap();
        assert!(audio.bytes(Law::Mu).iter().all(|byte| *byte == 0xFF));
    }

    #[test]
    fn both_laws_are_kept_bit_for_bit_and_written_again() {
        let bytes: Vec<u8> = (0..=255).collect();
        for law in Law::ALL {
            let audio = Audio::from_g711(law, &bytes);
            let again = read(&write(&audio, law)).unwrap();
            assert_eq!(again.bytes(law), bytes);
        }
    }

    #[test]
    fn a_broken_file_says_what_is_wrong_with_it() {
        let good = file(1, 1, 8_000, 16, &[0; 100]);
        assert_eq!(read(b"ID3"), Err(WavError::NotWav));
        assert_eq!(read(&good[..good.len() - 1]), Err(WavError::CutOff("data".into())));
        assert_eq!(read(&good[..20]), Err(WavError::CutOff("fmt ".into())));
        assert_eq!(read(&good[..36]), Err(WavError::Missing("data")));
        assert_eq!(read(&file(1, 1, 8_000, 16, &[])), Err(WavError::Empty));
        let format = WavError::Format { tag: 3, bits: 32, channels: 1, rate: 8_000 };
        assert_eq!(read(&file(3, 1, 8_000, 32, &[0; 8])), Err(format));
        assert!(matches!(read(&file(1, 1, 96_000, 16, &[0; 8])), Err(WavError::Format { rate: 96_000, .. })));
    }

    #[test]
    fn more_than_ten_minutes_are_refused() {
        assert_eq!(read(&file(7, 1, 8_000, 8, &vec![0; 600 * 8_000])), Err(WavError::TooLong));
        assert!(read(&file(7, 1, 8_000, 8, &vec![0; 600 * 8_000 - 1])).is_ok());
        assert_eq!(read(&vec![0; FILE_BYTES_MAX + 1]), Err(WavError::TooLong));
    }

    #[test]
    fn a_stream_of_unknown_length_is_read_to_its_end() {
        let mut streamed = file(7, 1, 8_000, 8, &[1; 50]);
        streamed[40..44].copy_from_slice(&0x7FFF_F024_u32.to_le_bytes());
        assert_eq!(read(&streamed).unwrap().len(), 50);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..120), tag in 0_u16..8, rate: u32, cut in 0_usize..80) {
            let _ = read(&bytes);
            let mut file = file(tag, 1, rate, 8, &bytes);
            file.truncate(cut);
            let _ = read(&file);
        }
    }
}
