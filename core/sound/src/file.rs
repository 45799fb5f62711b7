//! Sound files: what people record and buy, made ready to be played.

use plugboard_codec::Library;
use plugboard_media::coding::Decode;
use plugboard_media::{CLOCK_RATE, Codec, Codecs, Rate};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use crate::level::normalised;
use crate::rate::resampled;

/// The longest sound. What is longer is a recording, and in memory by mistake.
const SECONDS_MAX: usize = 600;

/// Ten minutes of the widest format (48 kHz, stereo, 16 bits) and a generous header.
pub const FILE_BYTES_MAX: usize = SECONDS_MAX * 48_000 * 4 + 64 * 1024;

/// The endings of the files that are read.
pub const ENDINGS: [&str; 6] = ["wav", "mp3", "flac", "ogg", "oga", "opus"];

/// What phones, studios and browsers record with.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// What a header of Opus counts in, whatever was encoded (RFC 7845 section 5.1).
const OPUS_RATE: u32 = 48_000;

/// Damaged packets in a row after which the rest is given up.
const DAMAGED_MAX: usize = 50;

/// Why a file cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// None of the formats that are read.
    #[error("no WAV, MP3, FLAC, Ogg/Vorbis or Ogg/Opus file ({0})")]
    Unknown(String),
    /// A format whose contents are not read.
    #[error("its coding is not read ({0}); convert it to 16-bit PCM, mono, 8000 Hz")]
    Coding(String),
    /// It is damaged from its beginning.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Longer than [`FILE_BYTES_MAX`] or ten minutes.
    #[error("it is too long: at most 10 minutes are played")]
    TooLong,
    /// There is no sound in it.
    #[error("there is no sound in it")]
    Empty,
}

/// Reads a file into what calls play: 16-bit samples, mono, [`CLOCK_RATE`], at the loudness of all others. `ending` is the file's, if it has one.
///
/// A file that is damaged further on plays as far as it can be read. Takes about a second for ten minutes: not for a thread that
/// carries calls.
///
/// # Errors
/// [`FileError`], which says what is wrong with the file.
pub fn read(bytes: Vec<u8>, ending: Option<&str>) -> Result<Vec<i16>, FileError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FileError::TooLong);
    }
    // A decoder that panics over somebody's file costs that file.
    let read = catch_unwind(AssertUnwindSafe(|| decoded(bytes, ending)));
    let (samples, rate) = read.unwrap_or_else(|_| Err(FileError::Damaged("its decoder failed".into())))?;
    let samples = normalised(resampled(samples, rate, CLOCK_RATE), CLOCK_RATE);
    if samples.is_empty() {
        return Err(FileError::Empty);
    }
    Ok(samples.into_iter().map(linear).collect())
}

/// 16 bits of a sample between -1 and 1.
#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
fn linear(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}

/// Everything in the file as mono, with its rate.
fn decoded(bytes: Vec<u8>, ending: Option<&str>) -> Result<(Vec<f32>, u32), FileError> {
    let mut hint = Hint::new();
    if let Some(ending) = ending {
        hint.with_extension(ending);
    }
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
    let options = (FormatOptions::default(), MetadataOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, source, options.0, options.1)
        .map_err(|fault| FileError::Unknown(fault.to_string()))?;
    let track = format.default_track(TrackType::Audio).ok_or(FileError::Empty)?;
    let (id, coding) = (track.id, track.codec_params.as_ref().and_then(|coding| coding.audio()));
    let mut reader = Reader::of(coding.ok_or(FileError::Empty)?)?;
    let mut sound = Sound::default();
    let damaged = loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break None,
            Err(fault) => break Some(fault.to_string()),
        };
        if packet.track_id != id {
            continue;
        }
        match reader.read(&packet, &mut sound) {
            Ok(()) => sound.damaged = 0,
            Err(reason) if sound.damaged >= DAMAGED_MAX => break Some(reason),
            Err(reason) => {
                sound.damaged += 1;
                sound.reason = Some(reason);
            }
        }
        if sound.is_too_long() {
            return Err(FileError::TooLong);
        }
    };
    match (sound.mono.is_empty(), damaged.or(sound.reason)) {
        (true, Some(reason)) => Err(FileError::Damaged(reason)),
        (true, None) => Err(FileError::Empty),
        (false, Some(reason)) => {
            tracing::warn!(reason, "a sound file is damaged: it is played as far as it was read");
            Ok((sound.mono, sound.rate))
        }
        (false, None) => Ok((sound.mono, sound.rate)),
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Sound {
    mono: Vec<f32>,
    rate: u32,
    damaged: usize,
    reason: Option<String>,
}

impl Sound {
    /// Takes interleaved samples of so many channels.
    fn take(&mut self, samples: &[f32], channels: usize, rate: u32) {
        self.rate = rate;
        let share = f32::from(u16::try_from(channels).unwrap_or(u16::MAX)).recip();
        self.mono.extend(samples.chunks_exact(channels.max(1)).map(|frame| frame.iter().sum::<f32>() * share));
    }

    fn is_too_long(&self) -> bool {
        self.mono.len() >= SECONDS_MAX * usize::try_from(self.rate.max(1)).unwrap_or(usize::MAX)
    }
}

/// What makes samples of packets.
enum Reader {
    Symphonia(Box<dyn AudioDecoder>, Vec<f32>),
    /// Symphonia reads Ogg, and leaves Opus to libopus, which makes one channel of two.
    Opus {
        decoder: Box<dyn Decode>,
        skip: usize,
    },
}

impl Reader {
    fn of(coding: &AudioCodecParameters) -> Result<Self, FileError> {
        if coding.codec == CODEC_ID_OPUS {
            return Self::opus(coding);
        }
        if let Some(rate) = coding.sample_rate.filter(|rate| !RATES.contains(rate)) {
            return Err(FileError::Coding(format!("{rate} Hz")));
        }
        let decoder = symphonia::default::get_codecs().make_audio_decoder(coding, &AudioDecoderOptions::default());
        decoder
            .map(|decoder| Self::Symphonia(decoder, Vec::new()))
            .map_err(|fault| FileError::Coding(fault.to_string()))
    }

    /// By the identification header (RFC 7845 section 5.1): channels, and how much is skipped at the beginning.
    fn opus(coding: &AudioCodecParameters) -> Result<Self, FileError> {
        let header = coding.extra_data.as_deref().unwrap_or_default();
        let skip =
            header.get(10..12).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u16::from_le_bytes(*bytes));
        match header.get(9) {
            Some(1 | 2) => {}
            Some(more) => return Err(FileError::Coding(format!("Opus with {more} channels"))),
            None => return Err(FileError::Damaged("no header of Opus".into())),
        }
        let decoder = Library.decoder(Codec::Opus, Rate::Narrow);
        let decoder = decoder.ok_or_else(|| FileError::Coding("Opus, without memory for it".into()))?;
        Ok(Self::Opus { decoder, skip: usize::from(skip) / usize::try_from(OPUS_RATE / CLOCK_RATE).unwrap_or(1) })
    }

    fn read(&mut self, packet: &Packet, sound: &mut Sound) -> Result<(), String> {
        match self {
            Self::Symphonia(decoder, samples) => {
                let heard = decoder.decode(packet).map_err(|fault: Fault| fault.to_string())?;
                samples.resize(heard.samples_interleaved(), 0.0);
                heard.copy_to_slice_interleaved(&mut *samples);
                sound.take(samples, heard.spec().channels().count(), heard.spec().rate());
            }
            Self::Opus { decoder, skip } => {
                let mut samples = Vec::new();
                if !decoder.decode(&packet.data, &mut samples) {
                    return Err("a packet of Opus cannot be read".into());
                }
                let skipped = samples.len().min(*skip);
                *skip -= skipped;
                let heard: Vec<f32> =
                    samples.into_iter().skip(skipped).map(|sample| f32::from(sample) / 32_768.0).collect();
                sound.take(&heard, 1, CLOCK_RATE);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rate::tests::{level, sine};

    /// A WAV file of 16 bits; with several channels, each has the same.
    pub(crate) fn wav(samples: &[f32], rate: u32, channels: u16) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let format = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::new(&mut file, format).unwrap();
        for sample in samples {
            (0..channels).for_each(|_| writer.write_sample(linear(*sample)).unwrap());
        }
        writer.finalize().unwrap();
        file.into_inner()
    }

    /// The tone is there, loud, and nothing else is.
    fn is_a_tone_of_1_khz(samples: &[i16]) {
        let heard: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / f32::from(i16::MAX)).collect();
        let middle = &heard[2_000..6_000];
        let tone = level(middle, 1_000.0, 8_000);
        assert!((0.08..0.3).contains(&tone), "{tone}");
        for other in [300.0, 500.0, 1_500.0, 2_000.0, 3_000.0] {
            assert!(level(middle, other, 8_000) < tone / 30.0, "{other}");
        }
    }

    #[test]
    fn what_studios_phones_and_browsers_record_becomes_the_same_sound() {
        for (rate, channels) in [(8_000, 1), (16_000, 1), (22_050, 1), (44_100, 2), (48_000, 2)] {
            let made = read(wav(&sine(1_000.0, 0.6, rate), rate, channels), None).unwrap();
            assert!((7_980..=8_020).contains(&made.len()), "{rate}: {}", made.len());
            is_a_tone_of_1_khz(&made);
        }
    }

    #[test]
    fn every_format_that_people_have_is_read() {
        let files: [(&str, &[u8]); 5] = [
            ("mp3", include_bytes!("../tests/tone.mp3")),
            ("flac", include_bytes!("../tests/tone.flac")),
            ("ogg", include_bytes!("../tests/tone.ogg")),
            ("opus", include_bytes!("../tests/tone.opus")),
            ("wav", include_bytes!("../tests/tone.alaw.wav")),
        ];
        for (ending, file) in files {
            for hint in [Some(ending), None] {
                let made = read(file.to_vec(), hint).unwrap_or_else(|fault| panic!("{ending}: {fault}"));
                assert!((7_900..=8_600).contains(&made.len()), "{ending}: {}", made.len());
                is_a_tone_of_1_khz(&made);
            }
        }
    }

    #[test]
    fn what_is_damaged_further_on_plays_as_far_as_it_goes() {
        let file = include_bytes!("../tests/tone.flac");
        let made = read(file[..file.len() / 2].to_vec(), Some("flac")).unwrap();
        assert!((2_000..6_000).contains(&made.len()), "{}", made.len());
    }

    #[test]
    fn faults_are_named() {
        let fault = |bytes: &[u8]| read(bytes.to_vec(), Some("wav")).unwrap_err().to_string();
        assert!(fault(b"Hello, this is a text file and no sound at all.").starts_with("no WAV, MP3, FLAC"));
        assert!(fault(b"").starts_with("no WAV, MP3, FLAC"));
        assert_eq!(fault(&wav(&[], 8_000, 1)), FileError::Empty.to_string());
        assert_eq!(fault(&wav(&vec![0.1; 8_000 * 601], 8_000, 1)), FileError::TooLong.to_string());
        assert_eq!(read(vec![0; FILE_BYTES_MAX + 1], None), Err(FileError::TooLong));
    }
}
