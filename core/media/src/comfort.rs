//! Comfort noise (RFC 3389): what a far end lets us hear while nobody speaks there.

/// The payload type of comfort noise at 8 kHz (RFC 3551 section 6).
pub(crate) const COMFORT_NOISE: u8 = 13;

/// The level of a full-scale sine, to which -dBov refers; noise of this RMS.
const FULL_SCALE: f64 = 32_768.0;

/// Noise of one level. Its spectrum is white: the reflection coefficients that may follow the level are not used, which
/// the RFC leaves to the receiver (section 4).
#[derive(Debug, Clone)]
pub(crate) struct Noise {
    /// Of a uniform distribution, whose RMS is this by the root of three.
    peak: i32,
    seed: u32,
}

impl Noise {
    /// `level`: the payload's first byte, 0 to 127 in -dBov.
    pub(crate) fn new(level: u8) -> Self {
        let rms = FULL_SCALE * 10_f64.powf(-f64::from(level & 0x7F) / 20.0);
        // Louder than -30 dBov no silence is.
        let peak = (rms * 3_f64.sqrt()).clamp(0.0, 1_800.0);
        #[expect(clippy::cast_possible_truncation, reason = "it was clamped to 0 to 1,800")]
        Self { peak: peak as i32, seed: 0x2545_F491 }
    }

    /// Appends `count` samples.
    pub(crate) fn fill(&mut self, count: usize, samples: &mut Vec<i16>) {
        for _ in 0..count {
            // Numerical Recipes' generator: its high bits are even enough for a hiss.
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [.., high, higher] = self.seed.to_le_bytes();
            let even = i32::from(i16::from_le_bytes([high, higher]));
            samples.push(i16::try_from(even * self.peak / 32_768).unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_has_the_level_that_the_packet_says() {
        for level in [40_u8, 50, 60, 70] {
            let mut samples = Vec::new();
            Noise::new(level).fill(80_000, &mut samples);
            let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / 80_000.0;
            let heard = 10.0 * (power / FULL_SCALE.powi(2)).log10();
            assert!((heard + f64::from(level)).abs() < 1.5, "{level}: {heard}");
        }
        let mut loud = Vec::new();
        Noise::new(0).fill(8_000, &mut loud);
        assert!(loud.iter().all(|sample| sample.unsigned_abs() <= 1_800), "no silence is that loud");
    }
}
