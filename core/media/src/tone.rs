//! Call progress tones of some countries (ITU-T E.180 and its supplement 2).

use crate::audio::Audio;
use crate::codec::CLOCK_RATE;
use plugboard_model::Tone;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Whose tones a caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Country {
    /// Germany, and with its 425 Hz most of Europe.
    #[default]
    De,
    /// The Russian Federation.
    Ru,
    /// The United Kingdom.
    Uk,
    /// The United States and Canada.
    Us,
}

impl Country {
    /// By its two letters, in either case; the kingdom also by its ISO code.
    pub fn of_code(code: &str) -> Option<Self> {
        match code.to_ascii_lowercase().as_str() {
            "de" => Some(Self::De),
            "ru" => Some(Self::Ru),
            "uk" | "gb" => Some(Self::Uk),
            "us" | "ca" => Some(Self::Us),
            _ => None,
        }
    }
}

/// The peak of a sine at 0 dBm0: mu-law's largest value is one of 3.17 dBm0 (ITU-T G.711).
const PEAK_0_DBM0: f64 = 32_124.0 * 0.694_2;

/// One frequency alone; E.180 section 3 asks for -10 dBm0, give or take 5.
const LEVEL_ONE: f64 = PEAK_0_DBM0 * 0.316_2;

/// Each of two: 3 dB less, for the same power.
const LEVEL_TWO: f64 = LEVEL_ONE * FRAC_1_SQRT_2;

/// One period: frequencies in Hz (0: no second one), then milliseconds of tone and silence in turn.
struct Pattern {
    hertz: [u16; 2],
    cadence_ms: &'static [u32],
}

const fn pattern(country: Country, tone: Tone) -> Pattern {
    const fn of(hertz: [u16; 2], cadence_ms: &'static [u32]) -> Pattern {
        Pattern { hertz, cadence_ms }
    }
    match (tone, country) {
        (Tone::RingBack, Country::De) => of([425, 0], &[1_000, 4_000]),
        (Tone::RingBack, Country::Ru) => of([425, 0], &[800, 3_200]),
        (Tone::RingBack, Country::Uk) => of([400, 450], &[400, 200, 400, 2_000]),
        (Tone::RingBack, Country::Us) => of([440, 480], &[2_000, 4_000]),
        (Tone::Busy, Country::De) => of([425, 0], &[480, 480]),
        (Tone::Busy, Country::Ru) => of([425, 0], &[400, 400]),
        (Tone::Busy, Country::Uk) => of([400, 0], &[375, 375]),
        (Tone::Busy, Country::Us) => of([480, 620], &[500, 500]),
        (Tone::Congestion, Country::De) => of([425, 0], &[240, 240]),
        (Tone::Congestion, Country::Ru) => of([425, 0], &[200, 200]),
        (Tone::Congestion, Country::Uk) => of([400, 0], &[400, 350, 225, 525]),
        (Tone::Congestion, Country::Us) => of([480, 620], &[250, 250]),
        // The tone of recorders, E.180 section 8.
        (Tone::Beep, Country::De | Country::Ru | Country::Uk | Country::Us) => of([1_400, 0], &[400]),
    }
}

/// One period of a tone. Play it with `repeat`, except the beep.
pub fn audio(country: Country, tone: Tone) -> Audio {
    let pattern = pattern(country, tone);
    let mut samples = Vec::new();
    for (part, millis) in pattern.cadence_ms.iter().enumerate() {
        let count = millis * (CLOCK_RATE / 1_000);
        if part % 2 == 0 {
            samples.extend((0..count).map(|n| sample(pattern.hertz, n)));
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
fn sample(hertz: [u16; 2], n: u32) -> i16 {
    let wave = |hertz: u16| (TAU * f64::from(hertz) * f64::from(n) / f64::from(CLOCK_RATE)).sin();
    let [first, second] = hertz;
    let value = if second == 0 { LEVEL_ONE * wave(first) } else { LEVEL_TWO * (wave(first) + wave(second)) };
    value.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::{self, Law};

    const COUNTRIES: [Country; 4] = [Country::De, Country::Ru, Country::Uk, Country::Us];

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

    #[test]
    fn each_tone_has_its_frequencies_and_no_other_in_both_laws() {
        for country in COUNTRIES {
            for tone in [Tone::RingBack, Tone::Busy, Tone::Congestion, Tone::Beep] {
                let pattern = pattern(country, tone);
                for law in Law::ALL {
                    // 200 ms: whole periods of every frequency here, so that they do not leak into each other.
                    let heard = linear(&audio(country, tone), law);
                    let heard = &heard[..1_600];
                    for hertz in [350_u16, 400, 425, 440, 450, 480, 620, 1_400] {
                        let level = goertzel(heard, f64::from(hertz));
                        if pattern.hertz.contains(&hertz) {
                            assert!((4_000.0..8_000.0).contains(&level), "{country:?} {tone:?} {law} {hertz}: {level}");
                        } else {
                            assert!(level < 300.0, "{country:?} {tone:?} {law} {hertz}: {level}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn cadences_are_those_of_e_180() {
        let ring = audio(Country::Us, Tone::RingBack);
        assert_eq!(ring.duration().as_millis(), 6_000);
        let heard = linear(&ring, Law::Mu);
        assert!(heard[16_000..].iter().all(|sample| *sample == 0.0), "4 s of silence after 2 s of tone");
        assert_eq!(audio(Country::De, Tone::Busy).duration().as_millis(), 960);
        assert_eq!(audio(Country::Uk, Tone::Congestion).duration().as_millis(), 1_500);
    }

    #[test]
    fn countries_are_found_by_code() {
        assert_eq!(Country::of_code("GB"), Some(Country::Uk));
        assert_eq!(Country::of_code("xx"), None);
    }
}
