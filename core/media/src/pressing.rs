//! Keys that the switch itself presses towards a far end: as events (RFC 4733) or as tones (ITU-T Q.23).

use crate::codec::{CLOCK_RATE, FRAME_MS, FRAME_SAMPLES};
use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::time::Duration;

/// Keys that wait: faster than people dial, as many as a dialled number has.
const WAITING_MAX: usize = 32;

/// ITU-T Q.24 has receivers take 40 ms; networks and phones like it longer, and nobody waits for a key of a second.
const HELD_MIN: Duration = Duration::from_millis(80);
const HELD_MAX: Duration = Duration::from_secs(1);

/// Frames of silence after a key: 60 ms.
const PAUSE: u32 = 3;

/// The end of an event is said three times (RFC 4733 section 2.5.1.4).
const ENDS: u32 = 3;

/// Each of the two sines: -6 dBm0 together they are -3, which no line cuts.
const PEAK: f64 = 8_000.0;

/// Of an event, in -dBm0.
const VOLUME: u8 = 0x0A;

/// The keys by event number (RFC 4733 section 3.2), with the tones of Q.23.
const KEYS: [(char, f64, f64); 16] = [
    ('0', 941.0, 1_336.0),
    ('1', 697.0, 1_209.0),
    ('2', 697.0, 1_336.0),
    ('3', 697.0, 1_477.0),
    ('4', 770.0, 1_209.0),
    ('5', 770.0, 1_336.0),
    ('6', 770.0, 1_477.0),
    ('7', 852.0, 1_209.0),
    ('8', 852.0, 1_336.0),
    ('9', 852.0, 1_477.0),
    ('*', 941.0, 1_209.0),
    ('#', 941.0, 1_477.0),
    ('A', 697.0, 1_633.0),
    ('B', 770.0, 1_633.0),
    ('C', 852.0, 1_633.0),
    ('D', 941.0, 1_633.0),
];

/// What is sent in a frame's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Press {
    /// A packet of an event: its payload in a clock of so many ticks a second, and whether it is the key's first.
    Event { payload: [u8; 4], first: bool },
    /// A frame of a tone.
    Tone(Box<[i16; FRAME_SAMPLES]>),
    /// Nothing, between two keys.
    Pause,
}

/// How a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Events whose durations count so many ticks a second.
    Events { clock: u32 },
    /// Tones.
    Tones,
}

#[derive(Debug, Clone, Copy)]
struct Key {
    index: usize,
    by: By,
    frames: u32,
    done: u32,
}

/// One leg's keys to be pressed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pressing {
    waiting: VecDeque<Key>,
}

impl Pressing {
    /// One more. False: it is no key, or too many wait.
    pub(crate) fn press(&mut self, key: char, held: Duration, by: By) -> bool {
        let Some(index) = KEYS.iter().position(|(name, ..)| *name == key) else { return false };
        if self.waiting.len() >= WAITING_MAX {
            return false;
        }
        let millis = held.clamp(HELD_MIN, HELD_MAX).as_millis();
        let frames = u32::try_from(millis).unwrap_or(0) / u32::try_from(FRAME_MS).unwrap_or(20);
        self.waiting.push_back(Key { index, by, frames, done: 0 });
        true
    }

    /// A tone is heard in place of everything else.
    pub(crate) fn sounds(&self) -> bool {
        self.waiting.front().is_some_and(|key| key.by == By::Tones)
    }

    /// The next frame; `None`: nothing is pressed.
    pub(crate) fn frame(&mut self) -> Option<Press> {
        let key = self.waiting.front_mut()?;
        let done = key.done;
        key.done += 1;
        let code = u8::try_from(key.index).unwrap_or(0);
        let (frames, ends) = (key.frames, if key.by == By::Tones { 0 } else { ENDS });
        let press = match key.by {
            By::Tones if done < frames => Press::Tone(Box::new(tone(key.index, done))),
            By::Events { clock } if done < frames + ENDS => {
                let ended = done >= frames;
                let ticks = (done + 1).min(frames) * (clock / 1_000) * u32::try_from(FRAME_MS).unwrap_or(20);
                let [high, low] = u16::try_from(ticks).unwrap_or(u16::MAX).to_be_bytes();
                let flags = if ended { 0x80 | VOLUME } else { VOLUME };
                Press::Event { payload: [code, flags, high, low], first: done == 0 }
            }
            By::Tones | By::Events { .. } => Press::Pause,
        };
        if key.done >= frames + ends + PAUSE {
            self.waiting.pop_front();
        }
        Some(press)
    }
}

fn tone(index: usize, frame: u32) -> [i16; FRAME_SAMPLES] {
    let mut samples = [0; FRAME_SAMPLES];
    let Some((_, low, high)) = KEYS.get(index) else { return samples };
    let from = frame * u32::try_from(FRAME_SAMPLES).unwrap_or(160);
    for (n, sample) in (from..).zip(&mut samples) {
        let at = TAU * f64::from(n) / f64::from(CLOCK_RATE);
        #[expect(clippy::cast_possible_truncation, reason = "two sines of a quarter of the range each")]
        {
            *sample = (PEAK * ((low * at).sin() + (high * at).sin())) as i16;
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_as_events_counts_up_and_ends_three_times() {
        let mut pressing = Pressing::default();
        assert!(pressing.press('#', Duration::from_millis(100), By::Events { clock: 8_000 }));
        let all: Vec<Press> = std::iter::from_fn(|| pressing.frame()).collect();
        let payloads: Vec<[u8; 4]> = all
            .iter()
            .filter_map(|press| if let Press::Event { payload, .. } = press { Some(*payload) } else { None })
            .collect();
        assert_eq!(payloads.first(), Some(&[11, 10, 0, 160]));
        assert_eq!(payloads[5..], [[11, 0x8A, 3, 0x20]; 3]);
        assert_eq!((payloads.len(), all.len()), (8, 11));
    }

    #[test]
    fn what_is_no_key_is_not_pressed_and_too_many_are_not_kept() {
        let mut pressing = Pressing::default();
        assert!(!pressing.press('x', Duration::ZERO, By::Tones));
        let taken = (0..100).filter(|_| pressing.press('1', Duration::ZERO, By::Tones)).count();
        assert_eq!(taken, WAITING_MAX);
        assert!(pressing.sounds());
    }
}
