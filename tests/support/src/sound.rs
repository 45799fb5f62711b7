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
        marks().nth(index).unwrap_or_else(|| panic!("a story has fewer voices and prompts than {index}"))
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
