//! The tone by which a fax machine that calls tells what it is: 1,100 Hz for half a second, each three seconds (CNG, ITU-T T.30
//! section 4.1).

use std::f64::consts::TAU;

/// What is looked at together: 20 ms at 8 kHz, 22 periods of the tone.
const BLOCK: usize = 160;
const SAMPLES: f64 = 160.0;

const HERTZ: f64 = 1_100.0;

/// Blocks that a tone lasts: half a second, within 15 % and the two blocks at its ends.
const SHORTEST: u32 = 19;
const LONGEST: u32 = 31;

/// Blocks that a packet which was lost takes out of a tone.
const GAP_MAX: u32 = 2;

/// A sine of -38 dBm0, per sample and squared: the weakest that counts.
const WEAKEST: f64 = 75_000.0;

/// How much of all that is heard the tone is. A voice has more beside it.
const PURITY: f64 = 0.85;

/// Listens for the tone.
#[derive(Debug, Default)]
pub(crate) struct Calling {
    block: Vec<i16>,
    /// For how many blocks it has been heard, and how many of silence there were since.
    lasts: u32,
    gap: u32,
}

impl Calling {
    /// Takes samples of 8 kHz; true when a tone has ended that was one.
    pub(crate) fn hear(&mut self, samples: &[i16]) -> bool {
        let mut heard = false;
        for sample in samples {
            self.block.push(*sample);
            if self.block.len() == BLOCK {
                heard |= self.block_heard();
                self.block.clear();
            }
        }
        heard
    }

    fn block_heard(&mut self) -> bool {
        if is_tone(&self.block) {
            self.lasts = self.lasts.saturating_add(1 + std::mem::take(&mut self.gap));
            return false;
        }
        self.gap += 1;
        if self.lasts > 0 && self.gap <= GAP_MAX {
            return false;
        }
        self.gap = 0;
        (SHORTEST..=LONGEST).contains(&std::mem::take(&mut self.lasts))
    }
}

/// The mean square of what a block has of the tone (Goertzel's recurrence) against all that it has.
fn is_tone(block: &[i16]) -> bool {
    let turn = 2.0 * (TAU * HERTZ / 8_000.0).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in block {
        let next = f64::from(*sample) + turn * one - two;
        (two, one) = (one, next);
    }
    let tone = 2.0 * (one * one + two * two - turn * one * two) / (SAMPLES * SAMPLES);
    let all = block.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / SAMPLES;
    tone >= WEAKEST && tone >= PURITY * all
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "a test's signals are far from the ends of their type")]
mod tests {
    use super::*;

    /// Silence, a sine of so many milliseconds, silence.
    fn heard(hertz: f64, loud: f64, millis: u32) -> bool {
        let sine = |n: u32| (loud * (TAU * hertz * f64::from(n) / 8_000.0).sin()) as i16;
        let mut samples = vec![0; 1_234];
        samples.extend((0..millis * 8).map(sine));
        samples.extend([0; 4_000]);
        let mut calling = Calling::default();
        samples.chunks(160).any(|piece| calling.hear(piece))
    }

    #[test]
    fn half_a_second_of_the_tone_is_a_fax_machine() {
        for (hertz, loud, millis) in [(1_100.0, 8_000.0, 500), (1_105.0, 500.0, 430), (1_095.0, 20_000.0, 570)] {
            assert!(heard(hertz, loud, millis), "{hertz} Hz, {loud}, {millis} ms");
        }
    }

    #[test]
    fn a_packet_that_was_lost_amid_the_tone_leaves_it_one() {
        let sine = |n: u32| (8_000.0 * (TAU * HERTZ * f64::from(n) / 8_000.0).sin()) as i16;
        let gap = |n: u32| if (1_700..1_860).contains(&n) { 0 } else { sine(n) };
        let samples: Vec<i16> = (0..4_000).map(gap).chain([0; 2_000]).collect();
        let mut calling = Calling::default();
        assert!(samples.chunks(160).any(|piece| calling.hear(piece)));
    }

    #[test]
    fn what_is_shorter_longer_weaker_or_of_another_pitch_is_none() {
        for (hertz, loud, millis) in [
            (1_100.0, 8_000.0, 300),
            (1_100.0, 8_000.0, 800),
            (1_100.0, 200.0, 500),
            (1_000.0, 8_000.0, 500),
            (2_100.0, 8_000.0, 500),
        ] {
            assert!(!heard(hertz, loud, millis), "{hertz} Hz, {loud}, {millis} ms");
        }
    }

    #[test]
    fn a_voice_is_none() {
        let mut calling = Calling::default();
        let voice = |n: u32| {
            let at = f64::from(n) / 8_000.0;
            let parts = (1..12_u8).map(|part| (TAU * 137.5 * f64::from(part) * at).sin() / f64::from(part));
            (6_000.0 * parts.sum::<f64>()) as i16
        };
        let samples: Vec<i16> = (0..80_000).map(voice).collect();
        assert!(!samples.chunks(160).any(|piece| calling.hear(piece)));
    }
}
