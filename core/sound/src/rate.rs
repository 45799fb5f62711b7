//! From one sample rate to another.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Frames that are worked on at once: the filter is as steep as a block of this length allows.
const CHUNK: usize = 1_024;

/// The same sound at another rate. Empty when one of the rates makes no sense.
pub(crate) fn resampled(samples: Vec<f32>, from: u32, to: u32) -> Vec<f32> {
    if from == to || samples.is_empty() {
        return samples;
    }
    let (Ok(from), Ok(to)) = (usize::try_from(from), usize::try_from(to)) else { return Vec::new() };
    let made = Fft::<f32>::new(from, to, CHUNK, 1, FixedSync::Input).ok().and_then(|mut fft| {
        let input = InterleavedSlice::new(&samples, 1, samples.len()).ok()?;
        fft.process_all(&input, samples.len(), None).ok()
    });
    made.map(|sound| sound.take_data()).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// A sine of this amplitude, for one second.
    pub(crate) fn sine(hertz: f32, amplitude: f32, rate: u32) -> Vec<f32> {
        let count = u16::try_from(rate).unwrap();
        let rate = f32::from(count);
        (0..count).map(|n| amplitude * (TAU * hertz * f32::from(n) / rate).sin()).collect()
    }

    /// How much of one frequency is in there, as the amplitude of a sine (Goertzel's method).
    pub(crate) fn level(samples: &[f32], hertz: f32, rate: u32) -> f32 {
        let w = TAU * hertz / f32::from(u16::try_from(rate).unwrap());
        let (mut s1, mut s2) = (0.0_f32, 0.0_f32);
        for sample in samples {
            (s1, s2) = (sample + 2.0 * w.cos() * s1 - s2, s1);
        }
        let power = s1 * s1 + s2 * s2 - 2.0 * w.cos() * s1 * s2;
        2.0 * power.max(0.0).sqrt() / f32::from(u16::try_from(samples.len()).unwrap())
    }

    #[test]
    fn a_tone_within_the_telephones_band_stays_and_one_above_it_goes() {
        let mut sound = sine(1_000.0, 0.5, 48_000);
        for (sample, high) in sound.iter_mut().zip(sine(6_000.0, 0.4, 48_000)) {
            *sample += high;
        }
        let made = resampled(sound, 48_000, 8_000);
        assert!((7_990..=8_010).contains(&made.len()), "{}", made.len());
        let middle = &made[2_000..6_000];
        let kept = level(middle, 1_000.0, 8_000);
        assert!((0.48..0.52).contains(&kept), "{kept}");
        // 6 kHz would come back as 2 kHz.
        let mirrored = level(middle, 2_000.0, 8_000);
        assert!(mirrored < 0.001, "{mirrored}");
    }

    #[test]
    fn nothing_stays_nothing() {
        assert!(resampled(Vec::new(), 44_100, 8_000).is_empty());
        assert!(resampled(vec![0.0; 10], 0, 8_000).is_empty());
    }
}
