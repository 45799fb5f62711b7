//! Files that lie beside the database: recordings, voice messages, greetings and faxes, which entries of the store name, and the
//! certificate that the switch made itself. A backup takes those along that are whole by a hard link, where it lies on the same file
//! system, and copies the others; their sums are known from their entries, so that none of them is read for it.

use crate::backup::{is_full, read_all, sum as sum_of};
use crate::calls::offices;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::traits::BlobId;
use crate::{faxes, tapes};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

/// The folder in the data folder in which they lie.
pub const FILES: &str = "recordings";

/// The folder in the data folder with the certificate that the switch made itself.
pub const TLS: &str = "tls";

/// What lies there: the certificate, and its key.
pub const TLS_FILES: [&str; 2] = ["certificate.pem", "key.pem"];

/// A file that is not whole yet; one that has its name is.
const PART: &str = "part";

/// Bytes and SHA-256; none while it grows.
pub(crate) type Sum = Option<(u64, [u8; 32])>;

/// What is known of files, by their path below [`FILES`].
pub(crate) type Named = BTreeMap<String, Sum>;

/// A file in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Its path there.
    pub(crate) place: PathBuf,
    /// Its SHA-256 in digits, as it is and not as it should be.
    pub(crate) digits: String,
    /// Its bytes.
    pub(crate) bytes: u64,
    /// It is not what its entry says.
    pub(crate) damaged: bool,
}

/// All files that entries of a database name.
pub(crate) fn named(engine: &Engine) -> Result<Named, StoreError> {
    let mut named = Named::new();
    for office in offices(engine)? {
        tapes::each(engine, &office, &mut |tape| {
            // One that the disk refused from its beginning has no file.
            if tape.end.as_ref().is_none_or(|end| end.bytes > 0) {
                named.insert(tape.file, tape.end.map(|end| (end.bytes, end.sha256)));
            }
        })?;
        faxes::each(engine, &office, &mut |fax| {
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
    /// Takes along what is not there yet as it is to be. What grew when it was taken before is taken anew.
    ///
    /// # Errors
    /// Which file, and what the disk said.
    pub(crate) fn take(&mut self, own: &Path, to: &Path, named: &Named) -> Result<(), String> {
        for (file, sum) in named {
            let before = self.taken.get(file).map(|(before, _)| before);
            if before == Some(sum) {
                continue;
            }
            let Some(place) = below(Path::new(file)) else { continue };
            let (from, target) = (own.join(&place), to.join(&place));
            if before.is_some() {
                remove(&target).map_err(|fault| format!("{}: {fault}", target.display()))?;
            }
            match take_one(&from, &target, *sum) {
                Ok(Some((digits, bytes, damaged))) => {
                    self.taken.insert(file.clone(), (*sum, Taken { place, digits, bytes, damaged }));
                }
                // Erased meanwhile, or by hand: whoever counts them at the end knows.
                Ok(None) => {
                    self.taken.remove(file);
                }
                Err(fault) if is_full(&fault) => return Err(format!("the disk is full ({})", target.display())),
                Err(fault) => return Err(format!("{}: {fault}", target.display())),
            }
        }
        Ok(())
    }

    /// Gives back what no entry names any more, also what lies there from an attempt before. What is in the backup then.
    ///
    /// # Errors
    /// What the disk said.
    pub(crate) fn settle(mut self, to: &Path, named: &Named) -> io::Result<Vec<Taken>> {
        self.taken.retain(|file, _| named.contains_key(file));
        let keeps: Vec<PathBuf> = self.taken.values().map(|(_, taken)| to.join(&taken.place)).collect();
        sweep(&to.join(FILES), &mut |place| keeps.binary_search(place).is_ok())?;
        Ok(self.taken.into_values().map(|(_, taken)| taken).collect())
    }
}

/// A path below the folder of files; none: it leads out of it.
pub(crate) fn below(file: &Path) -> Option<PathBuf> {
    let inside = file.components().all(|part| matches!(part, Component::Normal(_)));
    (inside && file.file_name().is_some()).then(|| Path::new(FILES).join(file))
}

/// Copies the certificate that the switch made itself, and its key, if there are such.
///
/// # Errors
/// What the disk said.
pub(crate) fn take_certificate(own: &Path, to: &Path) -> io::Result<Vec<Taken>> {
    let mut taken = Vec::new();
    for name in TLS_FILES {
        let place = Path::new(TLS).join(name);
        let target = to.join(&place);
        remove(&target)?;
        let Some(source) = open(&own.join(&place))? else { continue };
        make_parent(&target)?;
        let (digits, bytes) = copy(source, &target)?;
        taken.push(Taken { place, digits, bytes, damaged: false });
    }
    Ok(taken)
}

/// The file, if it is there.
fn open(from: &Path) -> io::Result<Option<File>> {
    match File::open(from) {
        Ok(file) => Ok(Some(file)),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Digits and bytes of what is in the backup then, and whether it is not what it should be. None: it is not there to be taken.
fn take_one(from: &Path, target: &Path, sum: Sum) -> io::Result<Option<(String, u64, bool)>> {
    let Some(source) = open(from)? else {
        return remove(target).map(|()| None);
    };
    make_parent(target)?;
    let Some((bytes, sha256)) = sum else {
        // It goes on: what is shared would grow in the backup, too.
        remove(target)?;
        return copy(source, target).map(|(digits, bytes)| Some((digits, bytes, false)));
    };
    let (own, should) = (source.metadata()?, BlobId(sha256).to_string());
    let as_it_should = |(digits, length): (String, u64)| {
        let damaged = length != bytes || digits != should;
        Some((digits, length, damaged))
    };
    if let Ok(there) = fs::symlink_metadata(target) {
        // From an attempt before: the very file, or a copy that is believed once it was read.
        if there.is_file() && there.len() == bytes {
            let same = (there.dev(), there.ino()) == (own.dev(), own.ino());
            if same || sum_of(target)?.0 == should {
                return Ok(Some((should, bytes, false)));
            }
        }
        remove(target)?;
    }
    if fs::hard_link(from, target).is_err() {
        // Not on the same file system, or erased since it was opened: what is open can be read all the same.
        return copy(source, target).map(as_it_should);
    }
    if own.len() == bytes {
        return Ok(Some((should, bytes, false)));
    }
    sum_of(target).map(as_it_should)
}

fn make_parent(target: &Path) -> io::Result<()> {
    target.parent().map_or(Ok(()), |parent| DirBuilder::new().recursive(true).mode(0o700).create(parent))
}

fn copy(source: File, target: &Path) -> io::Result<(String, u64)> {
    let mut part = target.as_os_str().to_owned();
    part.push(format!(".{PART}"));
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let copied = read_all(source, |block| file.write_all(block))?;
        file.sync_all()?;
        fs::rename(&part, target)?;
        Ok(copied)
    };
    let done = write();
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

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    /// A file whose entry says that it goes on.
    fn growing() -> Named {
        Named::from([("a.wav".to_owned(), None)])
    }

    /// The same file, whole.
    fn whole(sound: &[u8]) -> Named {
        let sum = (u64::try_from(sound.len()).unwrap(), Sha256::digest(sound).into());
        Named::from([("a.wav".to_owned(), Some(sum))])
    }

    /// The data folder and the backup.
    fn folders(outer: &Path) -> (PathBuf, PathBuf) {
        let (own, to) = (outer.join("own"), outer.join("to"));
        fs::create_dir_all(own.join(FILES)).unwrap();
        (own, to)
    }

    fn write(own: &Path, sound: &[u8]) {
        fs::write(own.join(FILES).join("a.wav"), sound).unwrap();
    }

    /// The backup's only file is what is told of it.
    fn holds(shelf: Shelf, to: &Path, named: &Named, sound: &[u8]) {
        let taken = shelf.settle(to, named).unwrap();
        assert_eq!(taken.len(), 1);
        let there = fs::read(to.join(&taken[0].place)).unwrap();
        assert_eq!(there, sound);
        assert_eq!(BlobId(Sha256::digest(&there).into()).to_string(), taken[0].digits, "its own sum is told");
    }

    #[test]
    fn a_tape_that_ended_while_it_was_copied_is_taken_anew() {
        let outer = tempfile::tempdir().unwrap();
        let (own, to) = folders(outer.path());
        let mut shelf = Shelf::default();
        write(&own, b"an older head");
        shelf.take(&own, &to, &growing()).unwrap();
        write(&own, b"a newer head!");
        let named = whole(b"a newer head!");
        shelf.take(&own, &to, &named).unwrap();
        holds(shelf, &to, &named, b"a newer head!");
    }

    #[test]
    fn a_copy_of_an_attempt_before_is_believed_once_its_sum_is_right() {
        let outer = tempfile::tempdir().unwrap();
        let (own, to) = folders(outer.path());
        write(&own, b"an older head");
        Shelf::default().take(&own, &to, &growing()).unwrap();
        write(&own, b"a newer head!");
        let (mut shelf, named) = (Shelf::default(), whole(b"a newer head!"));
        shelf.take(&own, &to, &named).unwrap();
        holds(shelf, &to, &named, b"a newer head!");
    }

    #[test]
    fn a_tape_that_is_erased_between_the_passes_is_missing_and_not_listed() {
        let outer = tempfile::tempdir().unwrap();
        let (own, to) = folders(outer.path());
        let (mut shelf, named) = (Shelf::default(), whole(b"what was said"));
        write(&own, b"what was said");
        shelf.take(&own, &to, &growing()).unwrap();
        fs::remove_file(own.join(FILES).join("a.wav")).unwrap();
        shelf.take(&own, &to, &named).unwrap();
        assert_eq!(shelf.settle(&to, &named).unwrap(), []);
        assert!(!to.join(FILES).join("a.wav").exists());
    }

    #[test]
    fn a_backup_whose_folder_is_taken_away_says_so_and_counts_nothing_as_erased() {
        let outer = tempfile::tempdir().unwrap();
        let (own, to) = folders(outer.path());
        write(&own, b"what was said");
        // Where the folder should be lies a link to nowhere: nothing can be made there.
        fs::create_dir(&to).unwrap();
        std::os::unix::fs::symlink(outer.path().join("nowhere/at/all"), to.join(FILES)).unwrap();
        assert!(Shelf::default().take(&own, &to, &whole(b"what was said")).is_err());
    }
}
