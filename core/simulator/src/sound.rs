//! What phones say and hear: each speaker and each prompt sounds of one byte, which no other has.

use plugboard_media::g711::{self, Law};
use std::sync::{Arc, Mutex, PoisonError};

/// What is heard when the bytes of a packet differ: nobody's voice, so it is a tone.
pub const TONE: &str = "tone";

/// The marks of a simulation: names in the order in which they were asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sounds(Arc<Mutex<Vec<String>>>);

impl Sounds {
    /// The PCMU byte of this name.
    pub(crate) fn mark(&self, name: &str) -> u8 {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        // Past the last mark they sound alike.
        let count = marks().count();
        marks().nth(index % count).unwrap_or_default()
    }

    /// Whose sound these bytes are; silence is nobody's.
    pub(crate) fn name(&self, law: Law, payload: &[u8]) -> Option<String> {
        let mut bytes = payload.to_vec();
        if law == Law::A {
            g711::transcode(Law::A, &mut bytes);
        }
        let first = bytes.first().copied()?;
        if bytes.iter().any(|byte| *byte != first) {
            return Some(TONE.to_owned());
        }
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks().position(|mark| mark == first).and_then(|index| names.get(index).cloned())
    }
}

/// Loud PCMU bytes that survive the way to A-law and back.
fn marks() -> impl Iterator<Item = u8> {
    (0x80..=0xD0_u8).filter(|byte| {
        let mut there = [*byte];
        g711::transcode(Law::Mu, &mut there);
        g711::transcode(Law::A, &mut there);
        there == [*byte]
    })
}

impl Sounds {
    /// Who is heard on each side of a recording in a law of G.711, and for how many pieces of 20 ms in a row; of one with one side,
    /// the other is empty.
    pub(crate) fn sides(&self, file: &[u8]) -> [Vec<(String, usize)>; 2] {
        let channels = file.get(22).copied().unwrap_or(2).into();
        let law = match file.get(20) {
            Some(6) => Law::A,
            Some(7) => Law::Mu,
            other => panic!("the format of the recording is {other:?}, no law of G.711"),
        };
        let sound = file.get(58..).unwrap_or_default();
        [0, 1].map(|side| {
            let bytes: Vec<u8> = sound.chunks(channels).filter_map(|both| both.get(side).copied()).collect();
            let mut runs: Vec<(String, usize)> = Vec::new();
            for piece in bytes.chunks(160) {
                let who = self.name(law, piece).unwrap_or_default();
                match runs.last_mut() {
                    Some((last, count)) if *last == who => *count += 1,
                    Some(_) | None => runs.push((who, 1)),
                }
            }
            runs
        })
    }
}
