//! Sounds by name, from files and folders.

use plugboard_media::{Audio, PromptError, Prompts};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::file::{self, ENDINGS, FILE_BYTES_MAX, FileError};

/// Why a sound was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file, or the folder, could not be read.
    #[error("cannot read {path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not playable.
    #[error("{path} is not played: {cause}")]
    Sound {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: FileError,
    },
    /// There is another file of the same name.
    #[error("{path} is not played: another file has the name {name:?}, and only one can be meant")]
    Twice {
        /// Which.
        path: PathBuf,
        /// The name of both.
        name: String,
    },
    /// No room, or no name.
    #[error(transparent)]
    Kept(#[from] PromptError),
}

/// Takes a file under a name. Waits for the disk: not for a thread that carries calls.
///
/// # Errors
/// [`LoadError`]; what had the name before stays.
pub fn load_file(prompts: &Prompts, cache: &Cache, name: &str, path: &Path) -> Result<(), LoadError> {
    let failed = |cause| LoadError::File { path: path.into(), cause };
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    // One byte past the limit tells that the file is too long, whatever its length says.
    std::fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    let ending = path.extension().and_then(|ending| ending.to_str());
    let made = cache.of(bytes, |bytes| file::read(bytes, ending));
    let samples = made.map_err(|cause| LoadError::Sound { path: path.into(), cause })?;
    Ok(prompts.insert(name, Audio::from_linear(&samples))?)
}

/// Takes every sound file of a folder under its name without the ending. Answers what could not be taken, in order.
///
/// # Errors
/// [`LoadError::File`] when the folder itself cannot be read.
pub fn load_folder(prompts: &Prompts, cache: &Cache, folder: &Path) -> Result<Vec<LoadError>, LoadError> {
    let failed = |cause| LoadError::File { path: folder.into(), cause };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    let is_sound = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
    };
    paths.retain(is_sound);
    paths.sort();
    let mut faults = Vec::new();
    for path in paths {
        let Some(name) = path.file_stem().map(|name| name.to_string_lossy().into_owned()) else { continue };
        if prompts.get(&name).is_some() {
            faults.push(LoadError::Twice { path, name });
            continue;
        }
        faults.extend(load_file(prompts, cache, &name, &path).err());
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::wav;
    use crate::rate::tests::sine;

    #[test]
    fn a_folder_gives_its_good_files_and_the_faults_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        put("welcome.en.wav", &wav(&sine(440.0, 0.3, 8_000), 8_000, 1));
        put("welcome.en.WAV", &wav(&sine(440.0, 0.3, 8_000), 8_000, 1));
        put("broken.mp3", b"RIFF");
        put("README.md", b"no sound");
        let prompts = Prompts::new();
        let faults = load_folder(&prompts, &Cache::none(), folder.path()).unwrap();
        assert_eq!(prompts.names(), ["welcome.en"]);
        assert_eq!(prompts.get("welcome.en").unwrap().len(), 8_000);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("broken.mp3 is not played: no WAV"), "{told:?}");
        assert!(told[1].contains("another file has the name \"welcome.en\""), "{told:?}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Path::new("/nonexistent/prompt.wav");
        let error = load_file(&Prompts::new(), &Cache::none(), "prompt", missing).unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nonexistent/prompt.wav: "), "{error}");
    }
}
