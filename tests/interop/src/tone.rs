//! Tones in WAV files: written for a phone to send, found in what another one heard.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

/// Samples a second, as G.711 has them.
const RATE: u32 = 8_000;
const HEADER: usize = 44;

/// Writes `seconds` of a tone: 8,000 samples a second of 16 bits, one channel.
pub fn write_tone(file: &Path, hertz: f64, seconds: u32) {
    write_tone_as(file, hertz, seconds, (RATE, 1));
}

/// The same with so many samples a second, on so many channels.
#[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "the sine stays within 16 bits")]
pub(crate) fn write_tone_as(file: &Path, hertz: f64, seconds: u32, (rate, channels): (u32, u8)) {
    let sample = |at: u32| ((TAU * hertz * f64::from(at) / f64::from(rate)).sin() * 12_000.0) as i16;
    let moment = |at: u32| std::iter::repeat_n(sample(at).to_le_bytes(), channels.into()).flatten();
    let data: Vec<u8> = (0..rate * seconds).flat_map(moment).collect();
    let len = u32::try_from(data.len()).unwrap();
    let mut bytes = Vec::with_capacity(HEADER + data.len());
    bytes.extend(b"RIFF");
    bytes.extend((len + 36).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1, 0, channels, 0]);
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * 2 * u32::from(channels)).to_le_bytes());
    bytes.extend([2 * channels, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend(len.to_le_bytes());
    bytes.extend(data);
    fs::write(file, bytes).unwrap();
}

/// What a phone heard.
#[derive(Debug)]
pub struct Recording {
    rate: u32,
    samples: Vec<f64>,
}

impl Recording {
    /// Reads a WAV file of 16-bit samples; of several channels, the first.
    pub fn read(file: &Path) -> Self {
        Self::so_far(file).unwrap_or_else(|| panic!("{} is a WAV file of 16 bits", file.display()))
    }

    /// Reads a file that is still being written, whose header does not say how long it is. `None` before there is a header.
    pub fn so_far(file: &Path) -> Option<Self> {
        let bytes = fs::read(file).ok()?;
        let format = bytes.get(20..36)?;
        let [_, _, channels, _, r0, r1, r2, r3, .., bits, _] = *format else { return None };
        let data = bytes.windows(4).position(|word| word == b"data")? + 8;
        if !bytes.starts_with(b"RIFF") || bits != 16 || channels == 0 {
            return None;
        }
        let moments = bytes.get(data..)?.chunks_exact(usize::from(channels) * 2);
        let samples = moments.map(|moment| f64::from(i16::from_le_bytes([moment[0], moment[1]]))).collect();
        Some(Self { rate: u32::from_le_bytes([r0, r1, r2, r3]), samples })
    }

    /// A sound of so many samples a second.
    pub fn of_samples(rate: u32, samples: Vec<f64>) -> Self {
        Self { rate, samples }
    }

    /// Whether it has so many seconds.
    pub fn lasts(&self, seconds: usize) -> bool {
        self.samples.len() >= seconds * self.second()
    }

    /// Samples of a second.
    fn second(&self) -> usize {
        usize::try_from(self.rate).unwrap()
    }

    /// The last second; none: there is less.
    fn last_second(&self) -> Option<Self> {
        let samples = self.samples.rchunks_exact(self.second()).next()?.to_vec();
        Some(Self { rate: self.rate, samples })
    }

    /// Whether the last second is this tone, and hardly anything else.
    pub fn ends_with(&self, hertz: f64) -> bool {
        self.last_second().is_some_and(|last| last.is_tone(hertz))
    }

    /// Whether there was at least a second, and nothing of this tone is in the last one.
    pub fn ends_without(&self, hertz: f64) -> bool {
        self.last_second().is_some_and(|last| last.share(hertz) < 0.05)
    }

    /// Whether there was at least a second, and nothing is heard in the last one.
    pub fn ends_silent(&self) -> bool {
        self.last_second().is_some_and(|last| last.samples.iter().all(|sample| sample.abs() < 100.0))
    }

    /// How much of the sound of the loudest second is this tone: 1 for nothing else, near 0 for none of it.
    pub fn share(&self, hertz: f64) -> f64 {
        let (second, rate) = (self.second(), f64::from(self.rate));
        let loudest = self.samples.chunks_exact(second).max_by(|one, other| energy(one).total_cmp(&energy(other)));
        let Some(part) = loudest else { return 0.0 };
        share_in(part, rate, hertz)
    }

    /// Whether this tone alone was heard for half a second, at any time after so many seconds.
    pub fn has_after(&self, seconds: usize, hertz: f64) -> bool {
        let later = self.samples.get(seconds * self.second()..).unwrap_or_default();
        let mut halves = later.windows(self.second() / 2).step_by(self.second() / 10);
        halves.any(|half| share_in(half, f64::from(self.rate), hertz) > 0.9)
    }

    /// How much of the loud parts of `said` was heard, each at its time give or take what networks and busy machines add to it:
    /// 1 for all. Both have as many samples a second.
    pub fn part_heard_of(&self, said: &Self) -> f64 {
        /// So alike is a part that was heard to what was said: it went through G.711 and back.
        const ALIKE: f64 = 0.95;
        let (piece, early, late) = (self.second() / 20, self.second(), 2 * self.second());
        let pieces: Vec<&[f64]> = said.samples.chunks_exact(piece).collect();
        let mean = pieces.iter().map(|part| energy(part)).sum::<f64>() / count(pieces.len());
        let loud = pieces.into_iter().enumerate().filter(|(_, part)| energy(part) > mean);
        let loud: Vec<(usize, &[f64])> = loud.step_by(2).collect();
        // The energy of all samples up to each.
        let so_far = |sum: &mut f64, sample: &f64| {
            *sum += sample * sample;
            Some(*sum)
        };
        let sums: Vec<f64> = std::iter::once(0.0).chain(self.samples.iter().scan(0.0, so_far)).collect();
        let is_heard = |(at, part): &&(usize, &[f64])| {
            let last = ((at + 1) * piece + late).min(self.samples.len());
            let wanted = energy(part);
            let mut begins = (at * piece).saturating_sub(early)..(last + 1).saturating_sub(piece);
            begins.any(|begin| {
                let heard = &self.samples[begin..begin + piece];
                let along: f64 = heard.iter().zip(*part).map(|(one, other)| one * other).sum();
                along > ALIKE * ((sums[begin + piece] - sums[begin]) * wanted).sqrt()
            })
        };
        count(loud.iter().filter(is_heard).count()) / count(loud.len()).max(1.0)
    }

    /// For how long something was heard that is no tone: what changes all the time, as speech does.
    pub fn speaking_seconds(&self) -> f64 {
        /// A hundredth of the loudest that there is, as the mean of squares.
        const QUIET: f64 = 10_000.0;
        let frames = self.samples.chunks_exact(self.second() / 50);
        let powers: Vec<f64> = frames.map(|frame| frame.iter().map(|sample| sample * sample).sum::<f64>()).collect();
        let changes = powers.windows(2).filter(|pair| match pair {
            [before, after] => {
                let (low, high) = (before.min(*after), before.max(*after));
                high > QUIET * f64::from(self.rate / 50) && high > low * 1.1
            }
            _ => false,
        });
        f64::from(u32::try_from(changes.count()).unwrap()) / 50.0
    }

    /// Whether this tone, and hardly anything else, is what was heard.
    pub fn is_tone(&self, hertz: f64) -> bool {
        self.share(hertz) > 0.9
    }
}

fn energy(part: &[f64]) -> f64 {
    part.iter().map(|sample| sample * sample).sum()
}

fn count(many: usize) -> f64 {
    f64::from(u32::try_from(many).unwrap())
}

/// How much of a sound of `rate` samples a second is this tone.
fn share_in(part: &[f64], rate: f64, hertz: f64) -> f64 {
    let turn = |at: usize| TAU * hertz * count(at) / rate;
    let along: f64 = part.iter().enumerate().map(|(at, sample)| sample * turn(at).cos()).sum();
    let across: f64 = part.iter().enumerate().map(|(at, sample)| sample * turn(at).sin()).sum();
    // A sine of amplitude a over n samples has the energy a²n/2 and the correlation an/2.
    2.0 * (along * along + across * across) / (count(part.len()) * energy(part)).max(1.0)
}
