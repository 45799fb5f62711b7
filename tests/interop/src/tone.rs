//! Tones in WAV files: written for a phone to send, found in what another one heard.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

/// Samples a second, as G.711 has them.
const RATE: u32 = 8_000;
const HEADER: usize = 44;

/// Writes `seconds` of a tone: 16 bits, one channel.
#[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "the sine stays within 16 bits")]
pub fn write_tone(file: &Path, hertz: f64, seconds: u32) {
    let sample = |at: u32| ((TAU * hertz * f64::from(at) / f64::from(RATE)).sin() * 12_000.0) as i16;
    let data: Vec<u8> = (0..RATE * seconds).flat_map(|at| sample(at).to_le_bytes()).collect();
    let len = u32::try_from(data.len()).unwrap();
    let mut bytes = Vec::with_capacity(HEADER + data.len());
    bytes.extend(b"RIFF");
    bytes.extend((len + 36).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1, 0, 1, 0]);
    bytes.extend(RATE.to_le_bytes());
    bytes.extend((RATE * 2).to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend(len.to_le_bytes());
    bytes.extend(data);
    fs::write(file, bytes).unwrap();
}

/// What a phone heard.
#[derive(Debug)]
pub struct Recording {
    samples: Vec<f64>,
}

impl Recording {
    /// Reads a WAV file of 8,000 16-bit samples a second.
    pub fn read(file: &Path) -> Self {
        let bytes = fs::read(file).unwrap();
        assert_eq!(&bytes[..4], b"RIFF", "{}", file.display());
        assert_eq!(bytes[22..28], [1, 0, 0x40, 0x1f, 0, 0], "{} has one channel of 8,000 Hz", file.display());
        let data = bytes.windows(4).position(|word| word == b"data").unwrap() + 8;
        let samples = bytes[data..].chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])));
        Self { samples: samples.collect() }
    }

    /// Reads a file that is still being written, whose header does not say how long it is. `None` before there is a header.
    pub fn so_far(file: &Path) -> Option<Self> {
        let bytes = fs::read(file).ok()?;
        let data = bytes.windows(4).position(|word| word == b"data")? + 8;
        let samples = bytes.get(data..)?.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])));
        Some(Self { samples: samples.collect() })
    }

    /// Whether the last second is this tone, and hardly anything else.
    pub fn ends_with(&self, hertz: f64) -> bool {
        let second = usize::try_from(RATE).unwrap();
        let last = self.samples.rchunks_exact(second).next().map(<[f64]>::to_vec);
        last.is_some_and(|samples| Self { samples }.is_tone(hertz))
    }

    /// Whether there was at least a second, and nothing of this tone is in the last one.
    pub fn ends_without(&self, hertz: f64) -> bool {
        let second = usize::try_from(RATE).unwrap();
        let last = self.samples.rchunks_exact(second).next().map(<[f64]>::to_vec);
        last.is_some_and(|samples| Self { samples }.share(hertz) < 0.05)
    }

    /// Whether there was at least a second, and nothing is heard in the last one.
    pub fn ends_silent(&self) -> bool {
        let second = usize::try_from(RATE).unwrap();
        let last = self.samples.rchunks_exact(second).next();
        last.is_some_and(|samples| samples.iter().all(|sample| sample.abs() < 100.0))
    }

    /// How much of the sound of the loudest second is this tone: 1 for nothing else, near 0 for none of it.
    pub fn share(&self, hertz: f64) -> f64 {
        let second = usize::try_from(RATE).unwrap();
        let energy = |part: &[f64]| part.iter().map(|sample| sample * sample).sum::<f64>();
        let loudest = self.samples.chunks_exact(second).max_by(|one, other| energy(one).total_cmp(&energy(other)));
        let Some(part) = loudest else { return 0.0 };
        let turn = |at: usize| TAU * hertz * f64::from(u32::try_from(at).unwrap()) / f64::from(RATE);
        let along: f64 = part.iter().enumerate().map(|(at, sample)| sample * turn(at).cos()).sum();
        let across: f64 = part.iter().enumerate().map(|(at, sample)| sample * turn(at).sin()).sum();
        // A sine of amplitude a over n samples has the energy a²n/2 and the correlation an/2.
        2.0 * (along * along + across * across) / (f64::from(RATE) * energy(part)).max(1.0)
    }

    /// For how long something was heard that is no tone: what changes all the time, as speech does.
    pub fn speaking_seconds(&self) -> f64 {
        /// A hundredth of the loudest that there is, as the mean of squares.
        const QUIET: f64 = 10_000.0;
        let frames = self.samples.chunks_exact(usize::try_from(RATE / 50).unwrap());
        let powers: Vec<f64> = frames.map(|frame| frame.iter().map(|sample| sample * sample).sum::<f64>()).collect();
        let changes = powers.windows(2).filter(|pair| match pair {
            [before, after] => {
                let (low, high) = (before.min(*after), before.max(*after));
                high > QUIET * f64::from(RATE / 50) && high > low * 1.1
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
