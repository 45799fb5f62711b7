//! What was made of files, kept on disk: a start does not make it again.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Counts up when the same file would give another sound.
const MAKE: &str = "1-8000";

/// Room for ten hours of sound; what was made first goes first.
const BYTES_MAX: u64 = 576_000_000;

/// Sounds by the hash of the file that they were made of. Everything in it can be made again: a fault of the disk costs time, never a
/// sound.
#[derive(Debug, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// In this folder, which is made when something is kept.
    pub fn of_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// Keeps nothing.
    pub const fn none() -> Self {
        Self { folder: None }
    }

    /// What is kept of a file, or what `make` makes of it.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn of<E>(
        &self,
        bytes: Vec<u8>,
        make: impl FnOnce(Vec<u8>) -> Result<Vec<i16>, E>,
    ) -> Result<Vec<i16>, E> {
        let Some(folder) = &self.folder else { return make(bytes) };
        let path = folder.join(key(&bytes));
        if let Some(kept) = read(&path) {
            return Ok(kept);
        }
        let made = make(bytes)?;
        if let Err(error) = write(folder, &path, &made) {
            tracing::warn!(folder = %folder.display(), %error, "a sound is not kept: it is made again at the next start");
        }
        Ok(made)
    }
}

fn key(bytes: &[u8]) -> String {
    let mut name = String::new();
    for byte in Sha256::digest(bytes) {
        // Writing into memory cannot fail.
        let _written = write!(name, "{byte:02x}");
    }
    format!("{name}.{MAKE}")
}

fn read(path: &Path) -> Option<Vec<i16>> {
    let bytes = std::fs::read(path).ok().filter(|bytes| !bytes.is_empty() && bytes.len() % 2 == 0)?;
    let (pairs, _) = bytes.as_chunks::<2>();
    Some(pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect())
}

/// Whole or not at all: under another name until it is written.
fn write(folder: &Path, path: &Path, samples: &[i16]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    make_room(folder, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    let unfinished = path.with_extension("unfinished");
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(&bytes)?;
    std::fs::rename(unfinished, path)
}

fn make_room(folder: &Path, wanted: u64) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        files.push((about.modified()?, about.len(), entry.path()));
    }
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
    for (_, length, path) in files {
        if bytes.saturating_add(wanted) <= BYTES_MAX {
            break;
        }
        std::fs::remove_file(path)?;
        bytes -= length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of_folder(&folder.path().join("sounds"));
        assert_eq!(cache.of::<()>(b"file".to_vec(), |_| Ok(vec![1, -2, 3])), Ok(vec![1, -2, 3]));
        assert_eq!(cache.of::<()>(b"file".to_vec(), |_| Err(())), Ok(vec![1, -2, 3]));
        assert_eq!(cache.of(b"another".to_vec(), |_| Err("broken")), Err("broken"));
    }

    #[test]
    fn what_is_damaged_is_made_again_and_a_folder_that_cannot_be_made_costs_no_sound() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of_folder(folder.path());
        std::fs::write(folder.path().join(key(b"file")), b"odd").unwrap();
        assert_eq!(cache.of::<()>(b"file".to_vec(), |_| Ok(vec![7])), Ok(vec![7]));
        let nowhere = Cache::of_folder(Path::new("/proc/none"));
        assert_eq!(nowhere.of::<()>(b"file".to_vec(), |_| Ok(vec![7])), Ok(vec![7]));
    }
}
