//! Backups while the switch runs, and restoring them.
//!
//! A backup is a folder with the marker, the database, the files that its entries name ([`crate::beside`]) and a list of every file with its
//! SHA-256. The list is written last: a folder without it is a backup that was cut short, which the next one to that folder goes on
//! with. Files of the database never change once written, nor does a recording that is over, so the backup shares them with the
//! running switch where the file system allows, and costs little room and time.

use crate::beside::{self, Shelf};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::folder::{self, DataFolder, FolderError, Kind, MARKER, io_fault};
use crate::migrate::SCHEMA;
use crate::store::Store;
use crate::traits::BlobId;
use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The list of files.
const LIST: &str = "files.sha256";
const DATABASE: &str = "db";
/// A backup that is not done.
const UNFINISHED: &str = "unfinished";
/// What to do about a folder that is no backup.
const NAME_A_BACKUP: &str = "name a folder that `plugboard backup` made";
const NOT_EMPTY: &str = "that folder is not empty; name one that is, or that does not exist yet";
/// Bytes of the list that a restore reads: two million files.
const LIST_LEN_MAX: u64 = 256 << 20;
/// Read at a time when a file is hashed or copied.
const BLOCK_LEN: usize = 64 << 10;

/// What a backup or a restore holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Recordings and faxes whose entries are there, and their files are not: removed by hand, or erased meanwhile.
    pub missing: usize,
    /// What kind of data folder it is.
    pub kind: Kind,
}

impl Store {
    /// Copies everything written so far to `to`, with the files that entries name; calls go on. The folder must not exist, be empty,
    /// or hold a backup that was cut short: what lies there of recordings and faxes is kept. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError::Backup`] with the reason; what was copied then is no backup.
    pub fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        let failed = |reason: &dyn ToString| StoreError::Backup {
            what: format!("cannot back up to {}", to.display()),
            reason: reason.to_string(),
        };
        let own = self.folder().ok_or_else(|| failed(&"a store in memory has no backup"))?;
        self.sync().map_err(|fault| failed(&fault))?;
        make_ready(to).map_err(|reason| failed(&reason))?;
        self.fill_backup(own, to).map_err(|fault| {
            failed(&format!(
                "{fault}; make room and give the same command again, which goes on where it was, or delete {}",
                to.display()
            ))
        })
    }

    /// Files go before the database and, those that are new then, after it: so none is missing that an entry of it names, and what was
    /// erased meanwhile is not in it.
    fn fill_backup(&self, own: &DataFolder, to: &Path) -> Result<BackupReport, String> {
        let disk = |fault: io::Error| in_words(&fault);
        let named = || beside::named(self).map_err(|fault| fault.to_string());
        let mut shelf = Shelf::default();
        shelf.take(own.path(), to, &named()?)?;
        self.engine().checkpoint(&to.join(DATABASE)).map_err(|fault| fault.to_string())?;
        let now = named()?;
        shelf.take(own.path(), to, &now)?;
        let (taken, missing) = shelf.settle(to, &now).map_err(disk)?;
        folder::write_marker(to, own.kind(), own.schema()).map_err(|fault| fault.to_string())?;
        let mut files = hash_all(to).map_err(disk)?;
        files.extend(taken.into_iter().map(|(name, hash, bytes)| Listed { name, hash, bytes }));
        write_list(to, &files).map_err(disk)?;
        fs::remove_file(to.join(UNFINISHED)).map_err(disk)?;
        Ok(BackupReport { missing, ..report(&files, own.kind()) })
    }
}

/// Copies a backup to `to`, which must not exist or be empty, checks every file on the way, and opens the result once.
///
/// One that does not exist is made beside `to` and gets its name at the end. An empty one is filled where it is, since it
/// may be a volume, or in a folder that this user may not write to; the marker comes last, so that one that was cut short
/// is no data folder.
///
/// # Errors
/// [`StoreError::Backup`]; `to` is then as it was, not there or empty.
pub fn restore(backup: &Path, to: &Path) -> Result<BackupReport, StoreError> {
    let failed = |reason: &dyn ToString| StoreError::Backup {
        what: format!("cannot restore {} to {}", backup.display(), to.display()),
        reason: reason.to_string(),
    };
    let files = read_list(backup).map_err(|reason| failed(&reason))?;
    let (kind, schema) = match folder::read_marker(backup) {
        Ok(Some(marker)) => marker,
        Ok(None) => return Err(failed(&format!("it has no file {MARKER}, so it is no backup; {NAME_A_BACKUP}"))),
        Err(fault) => return Err(failed(&fault)),
    };
    if schema > SCHEMA {
        let newer = FolderError::Newer { folder: backup.into(), found: schema, known: SCHEMA };
        return Err(failed(&newer));
    }
    if is_free(to).map_err(|reason| failed(&reason))? {
        let restored = fill(backup, to, files, kind, schema);
        if restored.is_err() {
            // What is left of it is of no use to anybody; that it failed is what counts.
            let _ = make_empty_again(to);
        }
        return restored.map_err(|reason| failed(&reason));
    }
    let beside = beside(to).ok_or_else(|| failed(&"it has no name of its own; name a folder below it"))?;
    let restored = fill(backup, &beside, files, kind, schema).and_then(|report| {
        fs::rename(&beside, to).map_err(|fault| fault.to_string())?;
        sync_parent(to).map_err(|fault| fault.to_string())?;
        Ok(report)
    });
    if restored.is_err() && beside.exists() {
        let _ = fs::remove_dir_all(&beside);
    }
    restored.map_err(|reason| failed(&reason))
}

/// Makes a data folder of a backup.
fn fill(backup: &Path, to: &Path, files: Vec<Listed>, kind: Kind, schema: u32) -> Result<BackupReport, String> {
    make_empty(to)?;
    let mut files = files;
    for file in files.iter_mut().filter(|file| file.name != Path::new(MARKER)) {
        file.bytes = copy(backup, to, file).map_err(|reason| format!("{}: {reason}", file.name.display()))?;
    }
    drop(Engine::open(&to.join(DATABASE)).map_err(|fault| fault.to_string())?);
    // Only now is it a data folder.
    folder::write_marker(to, kind, schema).map_err(|fault| fault.to_string())?;
    Ok(report(&files, kind))
}

/// Where a folder is made before it gets its name: in the same folder, so that a rename does it.
fn beside(to: &Path) -> Option<PathBuf> {
    let mut name = to.file_name()?.to_owned();
    name.push(format!(".restoring-{}", std::process::id()));
    Some(to.with_file_name(name))
}

/// Whether the folder is there, and empty; `Ok(false)`: it is not there. The error says what to name instead.
fn is_free(folder: &Path) -> Result<bool, String> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(true),
            Some(_) => Err(NOT_EMPTY.into()),
        },
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(io_fault("read", folder)(fault).to_string()),
    }
}

/// Takes out of the folder what a restore put into it.
fn make_empty_again(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// A file of a backup, by its path within.
struct Listed {
    name: PathBuf,
    hash: String,
    bytes: u64,
}

fn report(files: &[Listed], kind: Kind) -> BackupReport {
    let bytes = files.iter().map(|file| file.bytes).sum();
    BackupReport { files: files.len(), bytes, missing: 0, kind }
}

/// The folder, new or empty; the error says what to name instead.
fn make_empty(folder: &Path) -> Result<(), String> {
    let text = |fault: FolderError| format!("{fault}; name a folder that this user may make or write to");
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io_fault("make", folder));
    made.map_err(text)?;
    let mut entries = fs::read_dir(folder).map_err(io_fault("read", folder)).map_err(text)?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(NOT_EMPTY.into()),
    }
}

/// The folder for a backup: new, empty, or with one that was cut short, of which the files that entries name stay.
fn make_ready(to: &Path) -> Result<(), String> {
    if fs::symlink_metadata(to.join(UNFINISHED)).is_ok() {
        let again = |fault: io::Error| format!("what lies there cannot be taken up again: {fault}");
        for old in [LIST, MARKER] {
            match fs::remove_file(to.join(old)) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(again(fault)),
                Ok(()) | Err(_) => {}
            }
        }
        return match fs::remove_dir_all(to.join(DATABASE)) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(again(fault)),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    make_empty(to)?;
    File::create(to.join(UNFINISHED)).map(drop).map_err(|fault| in_words(&fault))
}

/// What the disk said, and what that means.
fn in_words(fault: &io::Error) -> String {
    if is_full(fault) { format!("the disk is full ({fault})") } else { fault.to_string() }
}

/// Whether there is no room, on the disk, of this user's share, or for a file as long as that.
pub(crate) fn is_full(fault: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(fault.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// The marker and the database of a fresh backup, which is flat.
fn hash_all(backup: &Path) -> io::Result<Vec<Listed>> {
    let mut names = vec![PathBuf::from(MARKER)];
    for entry in fs::read_dir(backup.join(DATABASE))? {
        names.push(Path::new(DATABASE).join(entry?.file_name()));
    }
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let (hash, bytes) = read_through(&backup.join(&name), |_| Ok(()))?;
            Ok(Listed { name, hash, bytes })
        })
        .collect()
}

fn write_list(backup: &Path, files: &[Listed]) -> io::Result<()> {
    let mut list = File::create(backup.join(LIST))?;
    for file in files {
        writeln!(list, "{}  {}", file.hash, file.name.display())?;
    }
    list.sync_all()?;
    File::open(backup)?.sync_all()
}

/// The list, as `sha256sum` writes it. Names are held to what a backup contains: no way out of the folder.
fn read_list(backup: &Path) -> Result<Vec<Listed>, String> {
    let path = backup.join(LIST);
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(LIST_LEN_MAX).read_to_string(&mut text));
    let missing = |fault| format!("{}: {fault}; without it this is no whole backup, {NAME_A_BACKUP}", path.display());
    read.map_err(missing)?;
    let line = |line: &str| {
        let (hash, name) = line.split_once("  ")?;
        let inner = name.strip_prefix("db/").unwrap_or(name);
        let plain = !inner.is_empty() && inner != ".." && inner != "." && !inner.contains('/');
        let beside = name.strip_prefix(beside::FILES).and_then(|rest| rest.strip_prefix('/'));
        let beside = beside.is_some_and(|rest| beside::below(Path::new(rest)) == Some(PathBuf::from(name)));
        (plain || beside).then(|| Listed { name: name.into(), hash: hash.into(), bytes: 0 })
    };
    text.lines()
        .map(|text| line(text).ok_or_else(|| format!("{}: cannot read {text:?}; use another backup", path.display())))
        .collect()
}

/// Copies a file whose bytes are those of the list; answers how many.
fn copy(backup: &Path, to: &Path, file: &Listed) -> Result<u64, String> {
    let target = to.join(&file.name);
    let parent = target.parent().unwrap_or(to);
    let text = |fault: io::Error| in_words(&fault);
    DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(text)?;
    let mut copied = File::create(&target).map_err(text)?;
    let (hash, bytes) = read_through(&backup.join(&file.name), |block| copied.write_all(block)).map_err(text)?;
    if hash != file.hash {
        return Err("its bytes are not those that were backed up; use another backup".into());
    }
    copied.sync_all().map_err(text)?;
    Ok(bytes)
}

/// The SHA-256 and length of a file, which `each` sees block by block.
pub(crate) fn read_through(path: &Path, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(String, u64)> {
    let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut block = vec![0; BLOCK_LEN];
    loop {
        let read = file.read(&mut block)?;
        let part = block.get(..read).unwrap_or_default();
        if part.is_empty() {
            return Ok((BlobId(hash.finalize().into()).to_string(), bytes));
        }
        hash.update(part);
        each(part)?;
        bytes += u64::try_from(read).unwrap_or(0);
    }
}
