//! What is left of a signal after each codec: how good, not which bytes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test stops at the first surprise, and its signals are far from the ends of their types"
)]

mod support;

use plugboard_codec::Library;
use plugboard_media::coding::Decode;
use plugboard_media::{Codec, Codecs, Rate};
use std::f64::consts::TAU;
use support::{share, tone, wave};

/// Codec, rate, the signal to noise that a voice has after it (dB), and how late it may come (ms).
const GOLDEN: [(Codec, Rate, f64, u32); 6] = [
    (Codec::Pcma, Rate::Narrow, 33.0, 0),
    (Codec::Pcmu, Rate::Narrow, 33.0, 0),
    (Codec::G722, Rate::Narrow, 15.0, 4),
    (Codec::G722, Rate::Wide, 15.0, 4),
    (Codec::Opus, Rate::Narrow, 8.0, 12),
    (Codec::Opus, Rate::Wide, 8.0, 12),
];

/// A voice of a kind: harmonics of 140 Hz that wander, weaker upwards, in syllables.
fn voice(rate: u32, seconds: f64) -> Vec<i16> {
    wave(rate, seconds, |at| {
        let pitch = 140.0 * at + 1.5 * (TAU * 0.7 * at).sin();
        let syllable = 0.55 + 0.45 * (TAU * 3.0 * at).sin();
        let vowel = (1..20_u8).map(f64::from).map(|n| {
            let hertz = 140.0 * n;
            let formants =
                1.0 / (1.0 + ((hertz - 500.0) / 250.0).powi(2)) + 0.5 / (1.0 + ((hertz - 1_500.0) / 300.0).powi(2));
            formants * (TAU * n * pitch + n).sin()
        });
        6_000.0 * syllable * vowel.sum::<f64>()
    })
}

/// Signal to noise in dB of what was heard up to `lag_max` samples late, at the lag and loudness that fit best. The first
/// tenth of a second is left out: codecs have to find their feet.
fn snr(meant: &[i16], heard: &[i16], lag_max: usize) -> f64 {
    let from = 800;
    let length = meant.len().min(heard.len().saturating_sub(lag_max)).saturating_sub(from);
    assert!(length > 4_000, "too little was heard: {} of {}", heard.len(), meant.len());
    let meant: Vec<f64> = meant[from..from + length].iter().map(|sample| f64::from(*sample)).collect();
    let power: f64 = meant.iter().map(|sample| sample * sample).sum();
    let noise = (0..=lag_max).map(|lag| {
        let heard = heard[from + lag..from + lag + length].iter().map(|sample| f64::from(*sample));
        meant.iter().zip(heard).map(|(meant, heard)| (meant - heard).powi(2)).sum::<f64>()
    });
    10.0 * (power / noise.fold(f64::INFINITY, f64::min).max(1.0)).log10()
}

/// A generator that is the same each time (Numerical Recipes).
struct Dice(u32);

impl Dice {
    /// True as often as that.
    fn falls(&mut self, percent: u32) -> bool {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % 100 < percent
    }
}

fn packed(codec: Codec, rate: Rate, signal: &[i16]) -> Vec<Vec<u8>> {
    let mut encoder = Library.encoder(codec, rate).unwrap();
    let pack = |frame: &[i16]| {
        let mut payload = Vec::new();
        assert!(encoder.encode(frame, &mut payload));
        payload
    };
    signal.chunks_exact(rate.frame()).map(pack).collect()
}

/// Unpacks; `None` did not come.
fn unpacked(decoder: &mut dyn Decode, rate: Rate, payloads: &[Option<Vec<u8>>], conceal: bool) -> Vec<i16> {
    let mut samples = Vec::new();
    for (index, payload) in payloads.iter().enumerate() {
        match payload {
            Some(payload) => assert!(decoder.decode(payload, &mut samples)),
            None if conceal => {
                let next = payloads.get(index + 1).and_then(Option::as_deref);
                decoder.conceal(rate.frame(), next, &mut samples);
            }
            None => samples.resize(samples.len() + rate.frame(), 0),
        }
        assert_eq!(samples.len(), (index + 1) * rate.frame(), "a step lasts 20 ms, whatever came");
    }
    samples
}

#[test]
fn a_voice_survives_each_codec() {
    for (codec, rate, least, late_ms) in GOLDEN {
        let signal = voice(rate.hertz(), 4.0);
        let payloads: Vec<_> = packed(codec, rate, &signal).into_iter().map(Some).collect();
        let mut decoder = Library.decoder(codec, rate).unwrap();
        let heard = unpacked(&mut *decoder, rate, &payloads, true);
        let lag = usize::try_from(rate.hertz() / 1_000 * late_ms).unwrap();
        let found = snr(&signal, &heard, lag);
        assert!(found >= least, "{codec} at {rate:?}: {found:.1} dB, not {least}");
    }
}

#[test]
fn each_codec_keeps_a_tone_in_its_place_and_its_size() {
    for (codec, rate, ..) in GOLDEN {
        let signal = tone(1_000.0, rate.hertz(), 2.0, 8_000.0);
        let payloads: Vec<_> = packed(codec, rate, &signal).into_iter().map(Some).collect();
        let size = payloads.iter().flatten().map(Vec::len).sum::<usize>() / payloads.len();
        match codec {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => assert_eq!(size, 160),
            Codec::Opus => assert!((20..=90).contains(&size), "{size} bytes a frame are not 24 kbit/s"),
        }
        let mut decoder = Library.decoder(codec, rate).unwrap();
        let heard = unpacked(&mut *decoder, rate, &payloads, true);
        let found = share(&heard[heard.len() / 2..], 1_000.0, rate.hertz());
        assert!(found > 0.95, "{codec} at {rate:?}: {found}");
    }
}

#[test]
fn what_is_packed_at_one_rate_is_unpacked_at_the_other() {
    for codec in [Codec::G722, Codec::Opus] {
        for (from, to) in [(Rate::Narrow, Rate::Wide), (Rate::Wide, Rate::Narrow)] {
            let signal = tone(700.0, from.hertz(), 2.0, 8_000.0);
            let mut decoder = Library.decoder(codec, to).unwrap();
            let mut heard = Vec::new();
            for payload in packed(codec, from, &signal) {
                assert!(decoder.decode(&payload, &mut heard));
            }
            let found = share(&heard[heard.len() / 2..], 700.0, to.hertz());
            assert!(found > 0.9, "{codec} from {from:?} to {to:?}: {found}");
        }
    }
}

#[test]
fn losses_are_concealed_better_than_by_silence() {
    // Loss in per cent, and the least signal to noise (dB) of G.711, G.722 and Opus.
    let floors = [(1, [19.0, 12.0, 7.0]), (5, [11.0, 9.0, 6.0]), (10, [8.0, 6.0, 4.5])];
    for (percent, floors) in floors {
        for (index, codec) in [Codec::Pcma, Codec::G722, Codec::Opus].into_iter().enumerate() {
            let rate = Rate::Narrow;
            let signal = voice(rate.hertz(), 8.0);
            let mut dice = Dice(7);
            let payloads: Vec<_> = packed(codec, rate, &signal)
                .into_iter()
                .map(|payload| (!dice.falls(percent)).then_some(payload))
                .collect();
            assert!(payloads.iter().any(Option::is_none));
            let lag = 12 * 8;
            let [with, without] = [true, false].map(|conceal| {
                let mut decoder = Library.decoder(codec, rate).unwrap();
                snr(&signal, &unpacked(&mut *decoder, rate, &payloads, conceal), lag)
            });
            assert!(with > without + 0.5, "{codec}, {percent} %: {with:.1} dB concealed, {without:.1} dB silent");
            assert!(with >= floors[index], "{codec}, {percent} %: {with:.1} dB, not {}", floors[index]);
        }
    }
}

#[test]
fn payloads_that_are_none_are_refused_and_hurt_nothing() {
    for (codec, rate, ..) in GOLDEN {
        let mut decoder = Library.decoder(codec, rate).unwrap();
        let mut samples = Vec::new();
        if codec == Codec::Opus {
            assert!(!decoder.decode(&[], &mut samples));
            assert!(!decoder.decode(&[0xFF], &mut samples), "a packet of frames without their count");
            assert!(samples.is_empty());
        }
        decoder.conceal(rate.frame(), Some(&[0xFF; 3]), &mut samples);
        assert_eq!(samples.len(), rate.frame());
    }
}

#[test]
fn all_sixteen_keys_are_heard_once_each_through_noise_and_a_law() {
    let rows = [697.0, 770.0, 852.0, 941.0];
    let columns = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    let mut signal = Vec::new();
    let mut dice = Dice(3);
    for row in rows {
        for column in columns {
            let (low, high) = (tone(row, 8_000, 0.06, 5_000.0), tone(column, 8_000, 0.06, 5_000.0));
            signal.extend(low.iter().zip(&high).map(|(low, high)| low + high));
            signal.extend([0; 400]);
        }
    }
    for sample in &mut signal {
        *sample += if dice.falls(50) { 60 } else { -60 };
    }
    let payloads = packed(Codec::Pcmu, Rate::Narrow, &signal);
    let mut decoder = Library.decoder(Codec::Pcmu, Rate::Narrow).unwrap();
    let mut receiver = Library.key_receiver().unwrap();
    let mut keys = Vec::new();
    for payload in payloads {
        let mut samples = Vec::new();
        decoder.decode(&payload, &mut samples);
        receiver.hear(&samples, &mut keys);
    }
    assert_eq!(keys.iter().collect::<String>(), "123A456B789C*0#D");
}

#[test]
fn a_voice_is_no_key() {
    let mut receiver = Library.key_receiver().unwrap();
    let mut keys = Vec::new();
    for frame in voice(8_000, 30.0).chunks(160) {
        receiver.hear(frame, &mut keys);
    }
    assert_eq!(keys, []);
}
