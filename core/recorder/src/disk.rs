//! Where recordings lie. Paths are relative, with `/` between folders.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files by path. Used by the recorder's threads alone; it may take its time.
pub trait Disk: Send {
    /// The same files, for another thread.
    fn again(&self) -> Box<dyn Disk>;
    /// Makes a file that is not there yet, and its folders.
    ///
    /// # Errors
    /// What the system says; nothing is left then.
    fn create(&mut self, path: &str, bytes: &[u8]) -> io::Result<()>;
    /// Puts `bytes` at `length`, which is the file's end, and then `head` at its start: so that the head never tells of what is not there.
    ///
    /// # Errors
    /// What the system says; the file has `length` bytes then, and its old head.
    fn append(&mut self, path: &str, length: u64, bytes: &[u8], head: &[u8]) -> io::Result<()>;
    /// The whole of a file, by pieces.
    ///
    /// # Errors
    /// What the system says.
    fn read(&mut self, path: &str, piece: &mut dyn FnMut(&[u8])) -> io::Result<()>;
    /// What was written survives a power cut from here on.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&mut self, path: &str) -> io::Result<()>;
    /// Removes a file; one that is not there is no fault.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&mut self, path: &str) -> io::Result<()>;
}

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// A folder of this machine. Files are the owner's alone.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The recordings below this folder; it is made when the first one begins.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where a recording lies.
    ///
    /// # Errors
    /// The path leads out of the folder.
    pub fn place(&self, path: &str) -> io::Result<PathBuf> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if inside && !path.is_empty() {
            Ok(self.0.join(path))
        } else {
            Err(io::Error::new(ErrorKind::InvalidInput, format!("{path:?} is no path of a recording")))
        }
    }
}

impl Disk for Folder {
    fn again(&self) -> Box<dyn Disk> {
        Box::new(self.clone())
    }

    fn create(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let place = self.place(path)?;
        if let Some(folder) = place.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place)?;
        file.write_all(bytes).inspect_err(|_| {
            let _gone = fs::remove_file(&place);
        })
    }

    fn append(&mut self, path: &str, length: u64, bytes: &[u8], head: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.place(path)?)?;
        if let Err(fault) = file.write_all_at(bytes, length) {
            // Half of it may be there: the head does not tell of it, and a reader that goes to the end shall not find it.
            let _cut = file.set_len(length);
            return Err(fault);
        }
        file.write_all_at(head, 0)
    }

    fn read(&mut self, path: &str, piece: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut file = File::open(self.place(path)?)?;
        let mut bytes = vec![0; PIECE];
        loop {
            match file.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => piece(bytes.get(..count).unwrap_or_default()),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    fn sync(&mut self, path: &str) -> io::Result<()> {
        File::open(self.place(path)?)?.sync_data()
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.place(path)?) {
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

/// Memory, for simulations; every clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    files: BTreeMap<String, Vec<u8>>,
    reads: BTreeMap<String, usize>,
    room: Option<usize>,
}

impl Memory {
    /// It has room for so many bytes more; none: as many as there are.
    pub fn has_room_for(&self, bytes: Option<usize>) {
        self.shelf().room = bytes;
    }

    /// A file as it is now.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.shelf().files.get(path).cloned()
    }

    /// How often a file was read whole.
    pub fn reads(&self, path: &str) -> usize {
        self.shelf().reads.get(path).copied().unwrap_or(0)
    }

    /// The paths of all.
    pub fn paths(&self) -> Vec<String> {
        self.shelf().files.keys().cloned().collect()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Each change is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn take_room(&mut self, bytes: usize) -> io::Result<()> {
        let Some(room) = &mut self.room else { return Ok(()) };
        *room = room.checked_sub(bytes).ok_or_else(|| io::Error::from(ErrorKind::StorageFull))?;
        Ok(())
    }
}

impl Disk for Memory {
    fn again(&self) -> Box<dyn Disk> {
        Box::new(self.clone())
    }

    fn create(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut shelf = self.shelf();
        if shelf.files.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        shelf.take_room(bytes.len())?;
        shelf.files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn append(&mut self, path: &str, length: u64, bytes: &[u8], head: &[u8]) -> io::Result<()> {
        let mut shelf = self.shelf();
        shelf.take_room(bytes.len())?;
        let file = shelf.files.get_mut(path).ok_or(ErrorKind::NotFound)?;
        file.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        file.extend_from_slice(bytes);
        if let Some(start) = file.get_mut(..head.len()) {
            start.copy_from_slice(head);
        }
        Ok(())
    }

    fn read(&mut self, path: &str, piece: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let file = self.file(path).ok_or(ErrorKind::NotFound)?;
        *self.shelf().reads.entry(path.to_owned()).or_default() += 1;
        piece(&file);
        Ok(())
    }

    fn sync(&mut self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        self.shelf().files.remove(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let folder = Folder::new("/var/lib/plugboard/recordings");
        for bad in ["", "/etc/passwd", "../x", "main/../../x"] {
            assert!(folder.place(bad).is_err(), "{bad:?}");
        }
        assert!(folder.place("main/2026/11/23/01J8-1.wav").is_ok());
    }

    #[test]
    fn a_file_grows_at_its_end_and_its_head_is_written_after() {
        let temporary = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(temporary.path());
        folder.create("a/b.wav", b"head").unwrap();
        assert!(folder.create("a/b.wav", b"x").is_err(), "it is there already");
        folder.append("a/b.wav", 4, b"one", b"HEAD").unwrap();
        folder.append("a/b.wav", 7, b"two", b"Head").unwrap();
        let mut all = Vec::new();
        folder.read("a/b.wav", &mut |piece| all.extend_from_slice(piece)).unwrap();
        assert_eq!(all, b"Headonetwo");
        folder.remove("a/b.wav").unwrap();
        folder.remove("a/b.wav").unwrap();
        assert!(folder.read("a/b.wav", &mut |_| ()).is_err());
    }
}
