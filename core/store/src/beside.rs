//! Files that entries of the store name and that lie beside the database: recordings, voice messages, greetings, faxes. A backup takes
//! those along that are whole by a hard link, where it lies on the same file system, and copies the others; their sums are known
//! from their entries, so that none of them is read for it.

use crate::backup::{is_full, read_through};
use crate::calls::offices;
use crate::error::StoreError;
use crate::store::Store;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Component, Path, PathBuf};

/// The folder in the data folder in which they lie.
pub const FILES: &str = "recordings";

/// A file that is not whole yet; one that has its name is.
const PART: &str = "part";

/// Bytes and SHA-256; none while it grows.
type Sum = Option<(u64, [u8; 32])>;

/// What is known of files, by their path below [`FILES`].
pub(crate) type Named = BTreeMap<String, Sum>;

/// A file in a backup: its path there, its sum in digits, its bytes.
pub(crate) type Taken = (PathBuf, String, u64);

/// All files that entries name now.
pub(crate) fn named(store: &Store) -> Result<Named, StoreError> {
    let mut named = Named::new();
    for office in offices(store.engine())? {
        store.tapes().each(&office, &mut |tape| {
            // One that the disk refused from its beginning has no file.
            if tape.end.as_ref().is_none_or(|end| end.bytes > 0) {
                named.insert(tape.file, tape.end.map(|end| (end.bytes, end.sha256)));
            }
        })?;
        store.faxes().each(&office, &mut |fax| {
            named.extend(fax.files.into_iter().map(|file| (file.file, Some((file.bytes, file.sha256)))));
        })?;
    }
    Ok(named)
}

/// What a backup holds of them.
#[derive(Default)]
pub(crate) struct Shelf {
    taken: BTreeMap<String, (Sum, Taken)>,
}

impl Shelf {
    /// Takes along what is not there yet as it is to be.
    ///
    /// # Errors
    /// Which file, and what the disk said.
    pub(crate) fn take(&mut self, own: &Path, to: &Path, named: &Named) -> Result<(), String> {
        for (file, sum) in named {
            if self.taken.get(file).is_some_and(|(before, _)| before == sum) {
                continue;
            }
            let Some(place) = below(Path::new(file)) else { continue };
            let (from, target) = (own.join(&place), to.join(&place));
            match take_one(&from, &target, *sum) {
                Ok((digits, bytes)) => {
                    self.taken.insert(file.clone(), (*sum, (place, digits, bytes)));
                }
                // Erased meanwhile, or by hand: whoever counts them at the end knows.
                Err(fault) if fault.kind() == ErrorKind::NotFound => {}
                Err(fault) if is_full(&fault) => return Err(format!("the disk is full ({})", target.display())),
                Err(fault) => return Err(format!("{}: {fault}", target.display())),
            }
        }
        Ok(())
    }

    /// Gives back what no entry names any more, also what lies there from an attempt before. What is in the backup then, and how many
    /// entries have no file.
    ///
    /// # Errors
    /// What the disk said.
    pub(crate) fn settle(mut self, to: &Path, named: &Named) -> io::Result<(Vec<Taken>, usize)> {
        self.taken.retain(|file, _| named.contains_key(file));
        let missing = named.len() - self.taken.len();
        let keeps: Vec<PathBuf> = self.taken.values().map(|(_, (place, ..))| to.join(place)).collect();
        sweep(&to.join(FILES), &mut |place| keeps.binary_search(place).is_ok())?;
        Ok((self.taken.into_values().map(|(_, taken)| taken).collect(), missing))
    }
}

/// A path below the folder of files; none: it leads out of it.
pub(crate) fn below(file: &Path) -> Option<PathBuf> {
    let inside = file.components().all(|part| matches!(part, Component::Normal(_)));
    (inside && file.file_name().is_some()).then(|| Path::new(FILES).join(file))
}

fn take_one(from: &Path, target: &Path, sum: Sum) -> io::Result<(String, u64)> {
    if let Some((bytes, sha256)) = sum {
        let digits = crate::traits::BlobId(sha256).to_string();
        // From an attempt before: whether it is what it should be, its sum tells whoever restores it.
        if fs::symlink_metadata(target).is_ok_and(|there| there.is_file() && there.len() == bytes) {
            return Ok((digits, bytes));
        }
        make_parent(target)?;
        remove(target)?;
        return match fs::hard_link(from, target) {
            Ok(()) => Ok((digits, bytes)),
            Err(fault) if fault.kind() == ErrorKind::NotFound => Err(fault),
            Err(_) => copy(from, target).map(|_| (digits, bytes)),
        };
    }
    // It goes on: what is shared would grow in the backup, too.
    make_parent(target)?;
    remove(target)?;
    copy(from, target)
}

fn make_parent(target: &Path) -> io::Result<()> {
    target.parent().map_or(Ok(()), |parent| DirBuilder::new().recursive(true).mode(0o700).create(parent))
}

fn copy(from: &Path, target: &Path) -> io::Result<(String, u64)> {
    let mut part = target.as_os_str().to_owned();
    part.push(format!(".{PART}"));
    let mut file = None;
    let copied = read_through(from, |block| {
        if file.is_none() {
            file = Some(File::create(&part)?);
        }
        file.as_mut().map_or(Ok(()), |file| file.write_all(block))
    });
    let done = copied.and_then(|copied| {
        let file = file.map_or_else(|| File::create(&part), Ok)?;
        file.sync_all()?;
        fs::rename(&part, target)?;
        Ok(copied)
    });
    if done.is_err() {
        let _ = remove(Path::new(&part));
    }
    done
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => Err(fault),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes the files of a folder that are not to be kept, and folders that are empty then.
fn sweep(folder: &Path, keeps: &mut impl FnMut(&PathBuf) -> bool) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(()),
        Err(fault) => return Err(fault),
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            sweep(&path, keeps)?;
        } else if !keeps(&path) {
            remove(&path)?;
        }
    }
    // One that is not empty stays.
    let _ = fs::remove_dir(folder);
    Ok(())
}
