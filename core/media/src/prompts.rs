//! Prompts and music by name, read once and kept ready.
//!
//! Loading reads and converts files: it belongs on a thread that carries no calls. Looking up takes a short lock.

use crate::audio::Audio;
use crate::wav::{self, WavError};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Room for what is kept: four and a half hours of audio in both laws.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// Names that are kept: an office has dozens of prompts, and the rooms of many offices share this.
const PROMPTS_MAX: usize = 10_000;

/// The longest name, as for other names of an office.
const NAME_LEN_MAX: usize = 128;

/// Why a prompt was not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The file could not be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not playable.
    #[error("prompt {name:?}: {cause}")]
    Wav {
        /// Which.
        name: String,
        /// Why.
        cause: WavError,
    },
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

/// The prompts that are ready.
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

    /// The prompt of this name, if it was loaded.
    pub fn get(&self, name: &str) -> Option<Audio> {
        self.kept().by_name.get(name).cloned()
    }

    /// The names of all that is loaded, in order.
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

    /// Loads a WAV file from memory.
    ///
    /// # Errors
    /// [`PromptError`]; what had the name before stays.
    pub fn load_bytes(&self, name: &str, file: &[u8]) -> Result<Audio, PromptError> {
        let audio = wav::read(file).map_err(|cause| PromptError::Wav { name: name.into(), cause })?;
        self.insert(name, audio.clone())?;
        Ok(audio)
    }

    /// Loads a WAV file from disk. Waits for the disk: not for a thread that carries calls.
    ///
    /// # Errors
    /// [`PromptError`]; what had the name before stays.
    pub fn load_file(&self, name: &str, path: &Path) -> Result<Audio, PromptError> {
        let failed = |cause| PromptError::File { path: path.into(), cause };
        let limit = u64::try_from(wav::FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        // One byte past the limit tells that the file is too long, whatever its length says.
        std::fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
        self.load_bytes(name, &bytes)
    }

    /// Loads every `*.wav` of a folder under its name without the ending. Answers what could not be loaded, in order.
    ///
    /// # Errors
    /// [`PromptError::File`] when the folder itself cannot be read.
    pub fn load_folder(&self, folder: &Path) -> Result<Vec<PromptError>, PromptError> {
        let failed = |cause| PromptError::File { path: folder.into(), cause };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wav")));
        paths.sort();
        let load = |path: &PathBuf| self.load_file(&path.file_stem()?.to_string_lossy(), path).err();
        Ok(paths.iter().filter_map(load).collect())
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
    fn a_folder_gives_its_good_files_and_the_faults_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("welcome.en.wav"), wav::write(&audio(80), Law::A)).unwrap();
        std::fs::write(folder.path().join("broken.wav"), b"RIFF").unwrap();
        std::fs::write(folder.path().join("README.md"), b"no audio").unwrap();
        let prompts = Prompts::new();
        let faults = prompts.load_folder(folder.path()).unwrap();
        assert_eq!(prompts.names(), ["welcome.en"]);
        assert_eq!(prompts.get("welcome.en").unwrap().len(), 80);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].to_string(), "prompt \"broken\": not a WAV file");
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Path::new("/nonexistent/prompt.wav");
        let error = Prompts::new().load_file("prompt", missing).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nonexistent/prompt.wav");
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
