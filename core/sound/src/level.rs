//! One loudness for all, so that nobody turns his phone up for the greeting and down for the music.

use ebur128::{EbuR128, Mode};

/// What everything is brought to, by EBU R 128's measure. Speech at this loudness has its active level near the -20 dBm0 of a voice in
/// the telephone network (ITU-T P.56, G.223).
const TARGET_LUFS: f64 = -20.0;

/// The highest peak: what goes above is turned down as a whole, not clipped.
const PEAK_MAX: f64 = 0.89;

/// A whisper is not made a shout: more gain would lift the room's noise.
const GAIN_MAX_DB: f64 = 15.0;

/// The sound at the loudness of all others. What is too short or too quiet to be measured stays as it is.
pub(crate) fn normalised(mut samples: Vec<f32>, rate: u32) -> Vec<f32> {
    let Some(gain) = gain(&samples, rate) else { return samples };
    for sample in &mut samples {
        *sample *= gain;
    }
    samples
}

#[expect(clippy::cast_possible_truncation, reason = "a factor between 0 and 6")]
fn gain(samples: &[f32], rate: u32) -> Option<f32> {
    let mut meter = EbuR128::new(1, rate, Mode::I | Mode::SAMPLE_PEAK).ok()?;
    meter.add_frames_f32(samples).ok()?;
    let loudness = meter.loudness_global().ok().filter(|loudness| loudness.is_finite())?;
    let peak = meter.sample_peak(0).ok().filter(|peak| *peak > 0.0)?;
    let wanted = 10_f64.powf((TARGET_LUFS - loudness).min(GAIN_MAX_DB) / 20.0);
    Some(wanted.min(PEAK_MAX / peak) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::tests::sine;

    fn loudness(samples: &[f32]) -> f64 {
        let mut meter = EbuR128::new(1, 8_000, Mode::I).unwrap();
        meter.add_frames_f32(samples).unwrap();
        meter.loudness_global().unwrap()
    }

    #[test]
    fn loud_and_quiet_come_out_alike() {
        let quiet = normalised(sine(800.0, 0.05, 8_000), 8_000);
        let loud = normalised(sine(800.0, 0.9, 8_000), 8_000);
        assert!((loudness(&quiet) - TARGET_LUFS).abs() < 0.5, "{}", loudness(&quiet));
        assert!((loudness(&loud) - TARGET_LUFS).abs() < 0.5, "{}", loudness(&loud));
    }

    #[test]
    fn a_whisper_stays_quieter_and_a_click_is_not_clipped() {
        let whisper = normalised(sine(800.0, 0.003, 8_000), 8_000);
        assert!(loudness(&whisper) < TARGET_LUFS - 10.0);
        let mut click = sine(800.0, 0.01, 8_000);
        click[4_000] = 0.9;
        assert!(normalised(click, 8_000).iter().all(|sample| sample.abs() <= 0.9));
    }

    #[test]
    fn silence_stays_silence() {
        assert_eq!(normalised(vec![0.0; 8_000], 8_000), vec![0.0; 8_000]);
    }
}
