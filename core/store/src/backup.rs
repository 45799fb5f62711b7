//! Backups while the switch runs, and restoring them.
//!
//! A backup is a folder with the marker, the database, the files that its entries name ([`crate::beside`]), the certificate that the switch
//! made itself and a list of every file with its SHA-256. The list is written last: a folder without it is a backup that was cut short, which the next one to that folder goes on
//! with. Files of the database never change once written, nor does a recording that is over, so the backup shares them with the
//! running switch where the file system allows, and costs little room and time.

use crate::beside::{self, Named, Shelf};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::folder::{self, DataFolder, FolderError, Kind, MARKER, io_fault};
use crate::migrate::SCHEMA;
use crate::notices;
use crate::outgoing::give_up_restored;
use crate::promises;
use crate::store::Store;
use crate::traits::BlobId;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The list of files.
const LIST: &str = "files.sha256";
const DATABASE: &str = "db";
/// A backup that is not done; locked while it is made.
const UNFINISHED: &str = "unfinished";
/// What to do about a folder that is no backup.
const NAME_A_BACKUP: &str = "name a folder that `plugboard backup` made";
const NOT_EMPTY: &str = "that folder is not empty; name one that is, or that does not exist yet";
const RUNNING: &str = "a backup to that folder is running; wait for its end, or name another folder";
/// Bytes of the list: two million files, and what a restore may keep in memory.
const LIST_LEN_MAX: u64 = 256 << 20;
/// Names that a report has of files that are not what they should be: the first ones, for whoever looks after them.
const WHICH_MAX: usize = 20;
/// Read at a time when a file is hashed or copied.
const BLOCK_LEN: usize = 64 << 10;

/// What a backup or a restore holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Recordings and faxes whose entries are there, and their files are not: removed by hand, or erased meanwhile.
    pub missing: usize,
    /// Recordings and faxes that are there and not what their entries say, as far as that was looked at: a backup that links a file
    /// compares its length alone, a restore reads all of them.
    pub damaged: usize,
    /// The first twenty of those that are missing or damaged, by their paths in the data folder.
    pub which: Vec<PathBuf>,
    /// What kind of data folder it is.
    pub kind: Kind,
    /// Faxes that waited to be sent and are given up by a restore.
    pub given_up: usize,
    /// Mails, text messages and posts that waited, likewise.
    pub notices_given_up: usize,
    /// Callers who were to be called back, likewise.
    pub promises_given_up: usize,
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
        // Held until all is there, so that no other one goes to the same folder meanwhile.
        let _lock = make_ready(to).map_err(|reason| failed(&reason))?;
        self.fill_backup(own, to).map_err(|fault| {
            failed(&format!(
                "{fault}; make room and give the same command again, which goes on where it was, or delete {}",
                to.display()
            ))
        })
    }

    /// Most files go before the database, since that takes long; which ones belong to it, it says itself, and what it names that is not
    /// there yet goes after it. So files and entries of a backup are of one moment.
    fn fill_backup(&self, own: &DataFolder, to: &Path) -> Result<BackupReport, String> {
        let disk = |fault: io::Error| in_words(&fault);
        let text = |fault: StoreError| fault.to_string();
        let mut shelf = Shelf::default();
        shelf.take(own.path(), to, &beside::named(self.engine()).map_err(text)?)?;
        // What was erased meanwhile is not to be named by it.
        self.sync().map_err(|fault| fault.to_string())?;
        self.engine().checkpoint(&to.join(DATABASE)).map_err(text)?;
        let named = Engine::open_to_read(&to.join(DATABASE)).and_then(|engine| beside::named(&engine)).map_err(text)?;
        shelf.take(own.path(), to, &named)?;
        let mut taken = shelf.settle(to, &named).map_err(disk)?;
        let faults = Faults::of(&named, taken.iter().map(|taken| (taken.place.as_path(), taken.damaged)));
        taken.extend(beside::take_certificate(own.path(), to).map_err(disk)?);
        folder::write_marker(to, own.kind(), own.schema()).map_err(|fault| fault.to_string())?;
        let mut files = hash_all(to).map_err(disk)?;
        files.extend(taken.into_iter().map(|taken| Listed {
            name: taken.place,
            hash: taken.digits,
            bytes: taken.bytes,
        }));
        write_list(to, &files, LIST_LEN_MAX)?;
        fs::remove_file(to.join(UNFINISHED)).map_err(disk)?;
        Ok(report(&files, own.kind(), faults))
    }
}

/// What is not as entries say.
#[derive(Default)]
struct Faults {
    missing: usize,
    damaged: usize,
    which: Vec<PathBuf>,
}

impl Faults {
    /// Of the files that entries name, by those that are there, and whether each is damaged.
    fn of<'a>(named: &Named, there: impl Iterator<Item = (&'a Path, bool)>) -> Self {
        let there: BTreeMap<&Path, bool> = there.collect();
        let mut faults = Self::default();
        for file in named.keys() {
            let place = beside::below(Path::new(file)).unwrap_or_else(|| file.into());
            match there.get(place.as_path()) {
                Some(false) => continue,
                Some(true) => faults.damaged += 1,
                None => faults.missing += 1,
            }
            if faults.which.len() < WHICH_MAX {
                faults.which.push(place);
            }
        }
        faults
    }
}

/// Copies a backup to `to`, which must not exist or be empty, checks every file on the way, and opens the result once.
///
/// Faxes that waited to be sent are given up: they may have been sent since. A recording or a fax that is not what was backed up is restored as it is, counted and named: the database is worth more than
/// it. Anything else that changed is refused.
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
    let files = read_list(backup, LIST_LEN_MAX).map_err(|reason| failed(&reason))?;
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
    let mut there = Vec::with_capacity(files.len());
    for mut file in files {
        let failed = |reason: String| format!("{}: {reason}", file.name.display());
        let lies_beside = file.name.starts_with(beside::FILES);
        let copied = if file.name == Path::new(MARKER) {
            // Written at the end, of what was read of it.
            sum(&backup.join(&file.name)).map(Some).map_err(|fault| in_words(&fault))
        } else {
            copy(backup, to, &file.name, lies_beside)
        };
        let Some((hash, bytes)) = copied.map_err(failed)? else { continue };
        if hash != file.hash && !lies_beside {
            return Err(failed("its bytes are not those that were backed up; use another backup".into()));
        }
        let damaged = hash != file.hash;
        (file.hash, file.bytes) = (hash, bytes);
        there.push((file, damaged));
    }
    let engine = Engine::open(&to.join(DATABASE)).map_err(|fault| fault.to_string())?;
    let named = beside::named(&engine).map_err(|fault| fault.to_string())?;
    let given_up = give_up_restored(&engine).map_err(|fault| fault.to_string())?;
    let notices_given_up = notices::give_up_restored(&engine).map_err(|fault| fault.to_string())?;
    let promises_given_up = promises::give_up_restored(&engine).map_err(|fault| fault.to_string())?;
    drop(engine);
    let faults =
        Faults::of(&named, there.iter().map(|(file, changed)| (file.name.as_path(), *changed || !file.is(&named))));
    // Only now is it a data folder.
    folder::write_marker(to, kind, schema).map_err(|fault| fault.to_string())?;
    let files: Vec<Listed> = there.into_iter().map(|(file, _)| file).collect();
    Ok(BackupReport { given_up, notices_given_up, promises_given_up, ..report(&files, kind, faults) })
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

impl Listed {
    /// Whether it is what its entry says, if one that is whole names it.
    fn is(&self, named: &Named) -> bool {
        let file = self.name.strip_prefix(beside::FILES).ok().and_then(Path::to_str);
        let Some(Some((bytes, sha256))) = file.and_then(|file| named.get(file)) else { return true };
        self.bytes == *bytes && self.hash == BlobId(*sha256).to_string()
    }
}

fn report(files: &[Listed], kind: Kind, faults: Faults) -> BackupReport {
    let bytes = files.iter().map(|file| file.bytes).sum();
    let Faults { missing, damaged, which } = faults;
    BackupReport {
        files: files.len(),
        bytes,
        missing,
        damaged,
        which,
        kind,
        given_up: 0,
        notices_given_up: 0,
        promises_given_up: 0,
    }
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

/// The folder for a backup: new, empty, or with one that was cut short, of which the files that entries name stay. Locked until the
/// answer is dropped.
fn make_ready(to: &Path) -> Result<File, String> {
    let path = to.join(UNFINISHED);
    let goes_on = fs::symlink_metadata(&path).is_ok();
    if !goes_on {
        make_empty(to)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    let options = if goes_on { options.create(false) } else { options.create_new(true) };
    let file = options.open(&path).map_err(|fault| {
        if fault.kind() == io::ErrorKind::AlreadyExists {
            RUNNING.into()
        } else if goes_on && fault.kind() == io::ErrorKind::NotFound {
            NOT_EMPTY.to_owned()
        } else {
            in_words(&fault)
        }
    })?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(RUNNING.into()),
        Err(TryLockError::Error(fault)) => return Err(in_words(&fault)),
    }
    if !goes_on {
        return Ok(file);
    }
    // The one that was running may have come to its end between the look and the lock.
    let own = file.metadata().map_err(|fault| in_words(&fault))?;
    if !fs::symlink_metadata(&path).is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())) {
        return Err(NOT_EMPTY.into());
    }
    let again = |fault: io::Error| format!("what lies there cannot be taken up again: {fault}");
    for old in [LIST, MARKER] {
        match fs::remove_file(to.join(old)) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(again(fault)),
            Ok(()) | Err(_) => {}
        }
    }
    match fs::remove_dir_all(to.join(DATABASE)) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(again(fault)),
        Ok(()) | Err(_) => Ok(file),
    }
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
            let (hash, bytes) = sum(&backup.join(&name))?;
            Ok(Listed { name, hash, bytes })
        })
        .collect()
}

/// Writes the list, which is to be no longer than a restore reads.
fn write_list(backup: &Path, files: &[Listed], longest: u64) -> Result<(), String> {
    let lines = files.iter().map(|file| format!("{}  {}\n", file.hash, file.name.display()));
    let length: usize = lines.clone().map(|line| line.len()).sum();
    if u64::try_from(length).is_ok_and(|length| length > longest) {
        return Err(too_long(files.len(), longest));
    }
    let write = || {
        let mut list = BufWriter::new(File::create(backup.join(LIST))?);
        for line in lines {
            list.write_all(line.as_bytes())?;
        }
        list.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        File::open(backup)?.sync_all()
    };
    write().map_err(|fault| in_words(&fault))
}

fn too_long(files: usize, longest: u64) -> String {
    format!(
        "it has {files} files, and their list would be longer than the {longest} bytes that a restore reads; \
         keep recordings for a shorter time ([keep] in the configuration), or erase some"
    )
}

/// The list, as `sha256sum` writes it. Names are held to what a backup contains: no way out of the folder.
fn read_list(backup: &Path, longest: u64) -> Result<Vec<Listed>, String> {
    let path = backup.join(LIST);
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(longest.saturating_add(1)).read_to_string(&mut text));
    if u64::try_from(text.len()).is_ok_and(|length| length > longest) {
        return Err(format!("{}: it is longer than {longest} bytes; {NAME_A_BACKUP}", path.display()));
    }
    let missing = |fault| format!("{}: {fault}; without it this is no whole backup, {NAME_A_BACKUP}", path.display());
    read.map_err(missing)?;
    let line = |line: &str| {
        let (hash, name) = line.split_once("  ")?;
        let inner = name.strip_prefix("db/").unwrap_or(name);
        let plain = !inner.is_empty() && inner != ".." && inner != "." && !inner.contains('/');
        let beside = name.strip_prefix(beside::FILES).and_then(|rest| rest.strip_prefix('/'));
        let beside = beside.is_some_and(|rest| beside::below(Path::new(rest)) == Some(PathBuf::from(name)));
        let of_tls = beside::TLS_FILES.iter().any(|file| Path::new(beside::TLS).join(file) == Path::new(name));
        (plain || beside || of_tls).then(|| Listed { name: name.into(), hash: hash.into(), bytes: 0 })
    };
    text.lines()
        .map(|text| line(text).ok_or_else(|| format!("{}: cannot read {text:?}; use another backup", path.display())))
        .collect()
}

/// Copies a file; answers its sum and bytes. None: it is not there, and need not be.
fn copy(backup: &Path, to: &Path, name: &Path, may_miss: bool) -> Result<Option<(String, u64)>, String> {
    let target = to.join(name);
    let parent = target.parent().unwrap_or(to);
    let text = |fault: io::Error| in_words(&fault);
    let source = match File::open(backup.join(name)) {
        Ok(source) => source,
        Err(fault) if may_miss && fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(text(fault)),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(text)?;
    let mut options = OpenOptions::new();
    let mut copied = options.write(true).create_new(true).mode(0o600).open(&target).map_err(text)?;
    let sum = read_all(source, |block| copied.write_all(block)).map_err(text)?;
    copied.sync_all().map_err(text)?;
    Ok(Some(sum))
}

/// The SHA-256 and length of a file.
pub(crate) fn sum(path: &Path) -> io::Result<(String, u64)> {
    read_all(File::open(path)?, |_| Ok(()))
}

/// The SHA-256 and length of a file, which `each` sees block by block.
pub(crate) fn read_all(mut file: File, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(String, u64)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_a_restore_would_not_read_whole_is_refused_by_both() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b"].map(|name| Listed { name: name.into(), hash: "00".repeat(32), bytes: 1 });
        let line = 64 + 2 + 1 + 1;
        let refusal = write_list(folder.path(), &files, 2 * line - 1).unwrap_err();
        assert!(refusal.contains("2 files") && refusal.contains("[keep]"), "{refusal}");
        assert!(!folder.path().join(LIST).exists(), "and it is no backup");
        write_list(folder.path(), &files, 2 * line).unwrap();
        assert_eq!(read_list(folder.path(), 2 * line).unwrap().len(), 2);
        assert!(read_list(folder.path(), 2 * line - 1).is_err_and(|refusal| refusal.contains("longer than")));
    }

    #[test]
    fn a_second_backup_to_the_same_folder_is_refused_while_the_first_one_runs() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("backup");
        let first = make_ready(&to).unwrap();
        assert_eq!(make_ready(&to).unwrap_err(), RUNNING);
        drop(first);
        let second = make_ready(&to).unwrap();
        // Its end, seen by a third one that had looked before.
        fs::write(to.join(LIST), "").unwrap();
        fs::remove_file(to.join(UNFINISHED)).unwrap();
        drop(second);
        assert_eq!(make_ready(&to).unwrap_err(), NOT_EMPTY);
    }
}
