//! Call progress tones (ITU-T E.180), made of what each country has ([`Country`]).

use crate::audio::Audio;
use crate::codec::CLOCK_RATE;
use crate::country::Wave;
use plugboard_model::Tone;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

pub use crate::country::Country;

/// The peak of a sine at 0 dBm0: mu-law's largest value is one of 3.17 dBm0 (ITU-T G.711).
const PEAK_0_DBM0: f64 = 32_124.0 * 0.694_2;

/// One frequency alone; E.180 section 3 asks for -10 dBm0, give or take 5.
const LEVEL_ONE: f64 = PEAK_0_DBM0 * 0.316_2;

/// Each of two: 3 dB less, for the same power.
const LEVEL_TWO: f64 = LEVEL_ONE * FRAC_1_SQRT_2;

/// One period of a tone. Play it with `repeat`, except the beep.
pub fn audio(country: Country, tone: Tone) -> Audio {
    let pattern = country.pattern(tone);
    let mut samples = Vec::new();
    for (part, millis) in pattern.cadence_ms.iter().enumerate() {
        let count = millis * (CLOCK_RATE / 1_000);
        if part % 2 == 0 {
            samples.extend((0..count).map(|n| sample(pattern.wave, n)));
        } else {
            samples.extend((0..count).map(|_| 0));
        }
    }
    Audio::from_linear(&samples)
}

/// Whether a tone goes on until it is stopped.
pub const fn repeats(tone: Tone) -> bool {
    match tone {
        Tone::RingBack | Tone::Busy | Tone::Congestion => true,
        Tone::Beep => false,
    }
}

/// A country's tones, made once.
#[derive(Debug, Clone)]
pub struct Tones {
    ring_back: Audio,
    busy: Audio,
    congestion: Audio,
    beep: Audio,
}

impl Tones {
    /// Makes them all.
    pub fn new(country: Country) -> Self {
        Self {
            ring_back: audio(country, Tone::RingBack),
            busy: audio(country, Tone::Busy),
            congestion: audio(country, Tone::Congestion),
            beep: audio(country, Tone::Beep),
        }
    }

    /// One of them.
    pub const fn get(&self, tone: Tone) -> &Audio {
        match tone {
            Tone::RingBack => &self.ring_back,
            Tone::Busy => &self.busy,
            Tone::Congestion => &self.congestion,
            Tone::Beep => &self.beep,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the sum of the levels is below 16 bits")]
fn sample(wave: Wave, n: u32) -> i16 {
    let turn = |hertz: u16| TAU * f64::from(hertz) * f64::from(n) / f64::from(CLOCK_RATE);
    let value = match wave {
        Wave::One(hertz) => LEVEL_ONE * turn(hertz).sin(),
        Wave::Two(first, second) => LEVEL_TWO * (turn(first).sin() + turn(second).sin()),
        Wave::Swelling(hertz, by) => LEVEL_ONE * turn(hertz).sin() * f64::midpoint(1.0, turn(by).cos()),
    };
    value.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::{self, Law};

    fn linear(audio: &Audio, law: Law) -> Vec<f64> {
        audio.bytes(law).iter().map(|byte| f64::from(g711::decode(law, *byte))).collect()
    }

    /// The power of one frequency in a block, by Goertzel's method, as the amplitude of a sine.
    fn goertzel(samples: &[f64], hertz: f64) -> f64 {
        let w = TAU * hertz / 8_000.0;
        let (mut s1, mut s2) = (0.0, 0.0);
        for sample in samples {
            (s1, s2) = (sample + 2.0 * w.cos() * s1 - s2, s1);
        }
        let power: f64 = s1 * s1 + s2 * s2 - 2.0 * w.cos() * s1 * s2;
        2.0 * power.max(0.0).sqrt() / f64::from(u32::try_from(samples.len()).unwrap())
    }

    /// The parts of a wave: frequency and amplitude.
    fn parts(wave: Wave) -> Vec<(f64, f64)> {
        match wave {
            Wave::One(hertz) => vec![(f64::from(hertz), LEVEL_ONE)],
            Wave::Two(first, second) => vec![(f64::from(first), LEVEL_TWO), (f64::from(second), LEVEL_TWO)],
            Wave::Swelling(hertz, by) => {
                let (hertz, by) = (f64::from(hertz), f64::from(by));
                vec![(hertz, LEVEL_ONE / 2.0), (hertz - by, LEVEL_ONE / 4.0), (hertz + by, LEVEL_ONE / 4.0)]
            }
        }
    }

    #[test]
    fn each_tone_of_each_country_has_its_frequencies_and_no_other_in_both_laws() {
        for country in Country::all() {
            for tone in [Tone::RingBack, Tone::Busy, Tone::Congestion, Tone::Beep] {
                let pattern = country.pattern(tone);
                for law in Law::ALL {
                    let heard = linear(&audio(country, tone), law);
                    let first = usize::try_from(pattern.cadence_ms[0]).unwrap() * 8;
                    let heard = &heard[..first];
                    let whole = heard.iter().map(|sample| sample * sample).sum::<f64>()
                        / f64::from(u32::try_from(heard.len()).unwrap());
                    let mut of_parts = 0.0;
                    for (hertz, level) in parts(pattern.wave) {
                        let found = goertzel(heard, hertz);
                        of_parts += level * level / 2.0;
                        assert!(
                            (found / level - 1.0).abs() < 0.12,
                            "{} {tone:?} {law} {hertz}: {found}",
                            country.code()
                        );
                    }
                    assert!((whole / of_parts - 1.0).abs() < 0.12, "{} {tone:?} {law}: {whole}", country.code());
                }
            }
        }
    }

    #[test]
    fn cadences_are_those_of_e_180() {
        let of = |code| Country::of_code(code).unwrap();
        let ring = audio(of("us"), Tone::RingBack);
        assert_eq!(ring.duration().as_millis(), 6_000);
        let heard = linear(&ring, Law::Mu);
        assert!(heard[16_000..].iter().all(|sample| *sample == 0.0), "4 s of silence after 2 s of tone");
        assert_eq!(audio(of("de"), Tone::Busy).duration().as_millis(), 960);
        assert_eq!(audio(of("gb"), Tone::Congestion).duration().as_millis(), 1_500);
        assert_eq!(audio(of("tr"), Tone::Congestion).duration().as_millis(), 2_000);
    }
}
