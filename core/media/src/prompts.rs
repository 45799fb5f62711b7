//! Prompts and music by name, kept ready. Looking up takes a short lock.

use crate::audio::Audio;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Room for what is kept: four and a half hours of audio in both laws.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// Names that are kept: an office has dozens of prompts, and the rooms of many offices share this.
const PROMPTS_MAX: usize = 10_000;

/// The longest name, as for other names of an office.
const NAME_LEN_MAX: usize = 128;

/// Why a prompt was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// Empty or too long.
    #[error("a prompt's name has 1 to 128 bytes, this one has {0}")]
    Name(usize),
    /// No room.
    #[error("no room for prompt {name:?}: at most {BYTES_MAX} bytes and {PROMPTS_MAX} prompts are kept")]
    Full {
        /// Which.
        name: String,
    },
}

/// The prompts and the music that are ready.
#[derive(Debug, Default)]
pub struct Prompts {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_name: BTreeMap<String, Audio>,
    bytes: usize,
}

impl Prompts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The prompt of this name, if there is one.
    pub fn get(&self, name: &str) -> Option<Audio> {
        self.kept().by_name.get(name).cloned()
    }

    /// The names of all, in order.
    pub fn names(&self) -> Vec<String> {
        self.kept().by_name.keys().cloned().collect()
    }

    /// Keeps audio under a name; replaces what had the name. Calls that play the old one play it to its end.
    ///
    /// # Errors
    /// [`PromptError::Name`], [`PromptError::Full`].
    pub fn insert(&self, name: &str, audio: Audio) -> Result<(), PromptError> {
        if name.is_empty() || name.len() > NAME_LEN_MAX {
            return Err(PromptError::Name(name.len()));
        }
        let mut kept = self.kept_mut();
        let old = kept.by_name.get(name).map_or(0, Audio::size_bytes);
        let bytes = kept.bytes - old + audio.size_bytes();
        if bytes > BYTES_MAX || (kept.by_name.len() >= PROMPTS_MAX && !kept.by_name.contains_key(name)) {
            return Err(PromptError::Full { name: name.into() });
        }
        kept.bytes = bytes;
        kept.by_name.insert(name.into(), audio);
        Ok(())
    }

    /// Forgets a prompt; true: there was one.
    pub fn remove(&self, name: &str) -> bool {
        let mut kept = self.kept_mut();
        let removed = kept.by_name.remove(name);
        kept.bytes -= removed.as_ref().map_or(0, Audio::size_bytes);
        removed.is_some()
    }

    fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        // Changes under the lock are whole: a panic leaves nothing half done.
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_mut(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;

    fn audio(samples: usize) -> Audio {
        Audio::from_g711(Law::Mu, &vec![1; samples])
    }

    #[test]
    fn room_is_counted_across_replacing_and_removing() {
        let prompts = Prompts::new();
        let half = audio(BYTES_MAX / 4);
        prompts.insert("a", half.clone()).unwrap();
        prompts.insert("b", half.clone()).unwrap();
        prompts.insert("a", half.clone()).unwrap();
        assert!(matches!(prompts.insert("c", audio(1)), Err(PromptError::Full { .. })));
        assert!(prompts.remove("b"));
        prompts.insert("c", half).unwrap();
        assert!(!prompts.remove("b"));
    }

    #[test]
    fn a_name_has_bounds() {
        assert!(matches!(Prompts::new().insert("", audio(1)), Err(PromptError::Name(0))));
        assert!(matches!(Prompts::new().insert(&"x".repeat(129), audio(1)), Err(PromptError::Name(129))));
    }
}
