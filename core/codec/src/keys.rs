//! Keys heard as tones (ITU-T Q.23), within the limits that ITU-T Q.24 sets a receiver: 40 ms of both frequencies, neither
//! much louder than the other, and hardly anything beside them.

use plugboard_media::coding::HearKeys;
use std::f64::consts::TAU;

/// Samples that are looked at together: 12.75 ms at 8 kHz. Each of the eight frequencies has a whole number of periods in it,
/// nearly enough.
const BLOCK: usize = 102;

const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// A sine of -32 dBm0, per sample and squared: the weakest that counts.
const WEAKEST: f64 = 300_000.0;

/// The upper one may be 6 times as strong as the lower one (8 dB), and the lower one 2.5 times (4 dB).
const TWIST: f64 = 6.3;
const TWIST_REVERSED: f64 = 2.5;

/// What each is above the others of its group: 8 dB.
const ABOVE_OTHERS: f64 = 6.3;

/// How much of all that is heard the two are. A voice has more beside them.
const PURITY: f64 = 0.8;

/// Two blocks in a row are a key, and two without it are its end.
const BLOCKS: u8 = 2;

/// Hears keys.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    block: Vec<i16>,
    /// What the last block had, and for how many blocks in a row.
    last: (Option<char>, u8),
    /// The key that was told and is still held.
    held: Option<char>,
}

impl HearKeys for Receiver {
    fn hear(&mut self, samples: &[i16], keys: &mut Vec<char>) {
        for sample in samples {
            self.block.push(*sample);
            if self.block.len() == BLOCK {
                let found = key_in(&self.block);
                self.block.clear();
                self.found(found, keys);
            }
        }
    }
}

impl Receiver {
    fn found(&mut self, key: Option<char>, keys: &mut Vec<char>) {
        self.last = if self.last.0 == key { (key, self.last.1.saturating_add(1)) } else { (key, 1) };
        if self.last.1 >= BLOCKS && self.held != key {
            self.held = key;
            keys.extend(key);
        }
    }
}

/// The key whose tones a block is.
fn key_in(block: &[i16]) -> Option<char> {
    let low = LOW.map(|hertz| power(block, hertz));
    let high = HIGH.map(|hertz| power(block, hertz));
    let (row, lower) = strongest(low)?;
    let (column, upper) = strongest(high)?;
    if lower < WEAKEST || upper < WEAKEST || upper > lower * TWIST || lower > upper * TWIST_REVERSED {
        return None;
    }
    let all: f64 = block.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / SAMPLES;
    if lower + upper < PURITY * all {
        return None;
    }
    KEYS.get(row)?.get(column).copied()
}

/// [`BLOCK`], to count with.
const SAMPLES: f64 = 102.0;

/// The one that stands above the others.
fn strongest(powers: [f64; 4]) -> Option<(usize, f64)> {
    let (index, most) = powers.iter().copied().enumerate().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let alone = powers.iter().enumerate().all(|(at, power)| at == index || power * ABOVE_OTHERS < most);
    alone.then_some((index, most))
}

/// The mean square of what a block has of a frequency (Goertzel's recurrence).
fn power(block: &[i16], hertz: f64) -> f64 {
    let turn = 2.0 * (TAU * hertz / 8_000.0).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in block {
        let next = f64::from(*sample) + turn * one - two;
        (two, one) = (one, next);
    }
    // A sine of amplitude a over n samples has (an/2)² of it, and a mean square of a²/2.
    2.0 * (one * one + two * two - turn * one * two) / (SAMPLES * SAMPLES)
}
