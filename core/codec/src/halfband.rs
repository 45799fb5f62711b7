//! From 8 to 16 kHz and back, for narrow codecs among wide ones: a half-band filter that lets pass what a telephone has.

use std::collections::VecDeque;
use std::f32::consts::PI;

/// Taps of the filter: 70 dB less at 4.6 kHz than below 3.4 kHz; 0.94 ms of delay.
const TAPS: usize = 31;
const MIDDLE: usize = TAPS / 2;

/// One direction's memory: the last samples at 16 kHz.
#[derive(Debug)]
pub(crate) struct HalfBand {
    taps: [f32; TAPS],
    last: VecDeque<f32>,
}

impl HalfBand {
    pub(crate) fn new() -> Self {
        Self { taps: taps(), last: VecDeque::from([0.0; TAPS]) }
    }

    /// Appends two samples for each.
    pub(crate) fn double(&mut self, narrow: &[i16], wide: &mut Vec<i16>) {
        wide.reserve(2 * narrow.len());
        for sample in narrow {
            // A zero between each two halves the power; it is given back.
            self.push(2.0 * f32::from(*sample));
            wide.push(self.filtered());
            self.push(0.0);
            wide.push(self.filtered());
        }
    }

    /// Appends a sample for each two; an odd one at the end is left out.
    pub(crate) fn halve(&mut self, wide: &[i16], narrow: &mut Vec<i16>) {
        narrow.reserve(wide.len() / 2);
        for pair in wide.chunks_exact(2) {
            for sample in pair {
                self.push(f32::from(*sample));
            }
            narrow.push(self.filtered());
        }
    }

    fn push(&mut self, sample: f32) {
        self.last.pop_front();
        self.last.push_back(sample);
    }

    fn filtered(&self) -> i16 {
        let sum: f32 = self.last.iter().zip(self.taps).map(|(sample, tap)| sample * tap).sum();
        #[expect(clippy::cast_possible_truncation, reason = "it is clamped to what a sample can say")]
        let sample = sum.round().clamp(-32_768.0, 32_767.0) as i16;
        sample
    }
}

/// A sinc of half the band under a Blackman window, of unit gain.
fn taps() -> [f32; TAPS] {
    let mut taps = [0.0; TAPS];
    for (place, n) in taps.iter_mut().zip(0_u8..) {
        let from_middle = f32::from(n) - MIDDLE_F32;
        let sinc = if from_middle == 0.0 { 0.5 } else { (PI * from_middle / 2.0).sin() / (PI * from_middle) };
        let at = (f32::from(n) + 1.0) / (2.0 * MIDDLE_F32 + 2.0);
        *place = sinc * (0.42 - 0.5 * (2.0 * PI * at).cos() + 0.08 * (4.0 * PI * at).cos());
    }
    let gain: f32 = taps.iter().sum();
    taps.map(|tap| tap / gain)
}

const MIDDLE_F32: f32 = 15.0;
const _: () = assert!(MIDDLE == 15);

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test's signals are far from the ends of their types"
)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: f64, count: u32) -> Vec<i16> {
        let at = |n: u32| 8_000.0 * (std::f64::consts::TAU * hertz * f64::from(n) / rate).sin();
        (0..count).map(|n| at(n) as i16).collect()
    }

    fn power(samples: &[i16]) -> f64 {
        let settled = &samples[200..];
        settled.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / settled.len() as f64
    }

    fn decibels(out: &[i16], of: &[i16]) -> f64 {
        10.0 * (power(out) / power(of)).log10()
    }

    #[test]
    fn a_voice_comes_through_both_ways_as_loud_as_it_was() {
        for hertz in [300.0, 1_000.0, 2_500.0, 3_300.0] {
            let narrow = tone(hertz, 8_000.0, 4_000);
            let (mut wide, mut back) = (Vec::new(), Vec::new());
            HalfBand::new().double(&narrow, &mut wide);
            assert_eq!(wide.len(), 8_000);
            assert!(decibels(&wide, &narrow).abs() < 0.6, "{hertz}: {}", decibels(&wide, &narrow));
            HalfBand::new().halve(&wide, &mut back);
            assert_eq!(back.len(), 4_000);
            assert!(decibels(&back, &narrow).abs() < 1.2, "{hertz}: {}", decibels(&back, &narrow));
        }
    }

    #[test]
    fn what_a_narrow_codec_cannot_say_does_not_come_back_as_something_else() {
        for hertz in [5_500.0, 7_000.0] {
            let wide = tone(hertz, 16_000.0, 8_000);
            let mut narrow = Vec::new();
            HalfBand::new().halve(&wide, &mut narrow);
            assert!(decibels(&narrow, &wide) < -45.0, "{hertz}: {}", decibels(&narrow, &wide));
        }
    }

    #[test]
    fn frames_join_without_a_seam() {
        let narrow = tone(700.0, 8_000.0, 1_600);
        let (mut at_once, mut in_parts, mut filter) = (Vec::new(), Vec::new(), HalfBand::new());
        HalfBand::new().double(&narrow, &mut at_once);
        narrow.chunks(160).for_each(|frame| filter.double(frame, &mut in_parts));
        assert_eq!(at_once, in_parts);
    }
}
