//! Signals, and how much of them is left.

use std::f64::consts::TAU;

/// A sine.
pub(crate) fn tone(hertz: f64, rate: u32, seconds: f64, peak: f64) -> Vec<i16> {
    wave(rate, seconds, |at| peak * (TAU * hertz * at).sin())
}

/// A signal of its values in time.
pub(crate) fn wave(rate: u32, seconds: f64, at: impl Fn(f64) -> f64) -> Vec<i16> {
    let count = (f64::from(rate) * seconds) as u32;
    (0..count).map(|n| at(f64::from(n) / f64::from(rate)).clamp(-32_000.0, 32_000.0) as i16).collect()
}

/// How much of the power is at a frequency, 0 to 1.
pub(crate) fn share(samples: &[i16], hertz: f64, rate: u32) -> f64 {
    let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (angle, sample) = (TAU * hertz * n as f64 / f64::from(rate), f64::from(*sample));
        re += sample * angle.cos();
        im += sample * angle.sin();
        power += sample * sample;
    }
    if power == 0.0 { 0.0 } else { 2.0 * (re * re + im * im) / (samples.len() as f64 * power) }
}
