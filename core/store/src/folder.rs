//! The data folder: private, used by one process, of one kind, of a known schema.
//!
//! ```text
//! <data>/            0700
//!   plugboard-data   what this folder is: kind and schema, as text
//!   lock             locked while a switch runs; holds its process id
//!   db/              the database
//! ```
//! Other parts of the switch keep files of their own here (`control.sock`, the compile cache); they open it first.

use crate::migrate::SCHEMA;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file that says what the folder is.
pub(crate) const MARKER: &str = "plugboard-data";
const LOCK: &str = "lock";
const DATABASE: &str = "db";
/// What an otherwise empty folder may hold: a fresh file system has it.
const LOST_AND_FOUND: &str = "lost+found";

/// Whose calls a data folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The demo's, with known passwords.
    Demo,
    /// A real office's.
    Office,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Office => "office",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Demo => "the demo",
            Self::Office => "a real office",
        })
    }
}

/// Why a folder cannot be the data folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Another process has it.
    #[error("{} is used by another Plugboard (process {process}); stop it, or use another folder with --data", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Its process id, or `unknown`.
        process: String,
    },
    /// It is of the other kind.
    #[error("{} holds the data of {found}, not of {wanted}; use another folder with --data, {}", folder.display(),
        match wanted { Kind::Demo => "or leave --demo out", Kind::Office => "or serve it with --demo" })]
    Kind {
        /// The folder.
        folder: PathBuf,
        /// What it is.
        found: Kind,
        /// What was asked for.
        wanted: Kind,
    },
    /// A newer version wrote it.
    #[error("{} has schema {found}, this Plugboard knows up to {known}: a newer version wrote it; use that version, \
        or restore a backup made before the upgrade into another folder", folder.display())]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest that this version knows.
        known: u32,
    },
    /// It holds something else.
    #[error("{} is not empty and not a data folder of Plugboard; use an empty one with --data", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// Its marker cannot be read.
    #[error("{} cannot be read: {reason}; restore a backup into an empty folder", file.display())]
    Marker {
        /// The marker's path.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file system said no.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
}

/// A data folder that is ours: locked until this is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    kind: Kind,
    schema: u32,
    _lock: File,
}

impl DataFolder {
    /// Takes `path`, making it if it does not exist, and makes it private.
    ///
    /// # Errors
    /// [`FolderError`]; nothing was changed but an empty folder's mode and lock file.
    pub fn open(path: &Path, kind: Kind) -> Result<Self, FolderError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_fault("make", path))?;
        let marker = read_marker(path)?;
        if marker.is_none() && !is_empty(path)? {
            return Err(FolderError::NotOurs { folder: path.into() });
        }
        if let Some((found, _)) = marker
            && found != kind
        {
            return Err(FolderError::Kind { folder: path.into(), found, wanted: kind });
        }
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(io_fault("make private", path))?;
        let lock = lock(path)?;
        // Another process may have made or migrated it between the look and the lock.
        let schema = match read_marker(path)? {
            Some((found, _)) if found != kind => {
                return Err(FolderError::Kind { folder: path.into(), found, wanted: kind });
            }
            Some((_, found)) if found > SCHEMA => {
                return Err(FolderError::Newer { folder: path.into(), found, known: SCHEMA });
            }
            Some((_, found)) => found,
            None => {
                write_marker(path, kind, SCHEMA)?;
                SCHEMA
            }
        };
        Ok(Self { path: path.into(), kind, schema, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The schema of what it holds.
    pub(crate) const fn schema(&self) -> u32 {
        self.schema
    }

    /// Notes that its contents have a schema now.
    pub(crate) fn migrated(&mut self, schema: u32) -> Result<(), FolderError> {
        write_marker(&self.path, self.kind, schema)?;
        self.schema = schema;
        Ok(())
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// Whether a folder holds nothing that is somebody's.
pub(crate) fn is_empty(path: &Path) -> Result<bool, FolderError> {
    let entries = fs::read_dir(path).map_err(io_fault("read", path))?;
    for entry in entries {
        let name = entry.map_err(io_fault("read", path))?.file_name();
        // A lock file without a marker is what an interrupted first start leaves.
        if name != LOST_AND_FOUND && name != LOCK {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes the marker so that it is there whole or not at all.
pub(crate) fn write_marker(folder: &Path, kind: Kind, schema: u32) -> Result<(), FolderError> {
    let (path, new) = (folder.join(MARKER), folder.join("plugboard-data.new"));
    let text = format!("This folder belongs to Plugboard.\nkind = {}\nschema = {schema}\n", kind.as_str());
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(io_fault("write", &path))
}

/// Kind and schema of a folder; `None` without a marker.
pub(crate) fn read_marker(folder: &Path) -> Result<Option<(Kind, u32)>, FolderError> {
    let file = folder.join(MARKER);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(FolderError::Io { action: "read", path: file, cause }),
    };
    let value = |name: &str| text.lines().filter_map(|line| line.split_once(" = ")).find(|(n, _)| *n == name);
    let kind = match value("kind") {
        Some((_, "demo")) => Kind::Demo,
        Some((_, "office")) => Kind::Office,
        other => return Err(FolderError::Marker { file, reason: format!("its kind is {:?}", other.map(|o| o.1)) }),
    };
    match value("schema").map(|(_, schema)| schema.parse()) {
        Some(Ok(schema)) => Ok(Some((kind, schema))),
        other => Err(FolderError::Marker { file, reason: format!("its schema is no number ({other:?})") }),
    }
}

fn lock(folder: &Path) -> Result<File, FolderError> {
    let path = folder.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io_fault("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Only for the message; a lock file that cannot be read is still locked.
            file.read_to_string(&mut process).ok();
            let process = if process.trim().is_empty() { "unknown".into() } else { process.trim().into() };
            return Err(FolderError::InUse { folder: folder.into(), process });
        }
        Err(TryLockError::Error(cause)) => return Err(FolderError::Io { action: "lock", path, cause }),
    }
    let note = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    note.map_err(io_fault("write", &path)).map(|()| file)
}

pub(crate) fn io_fault(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |cause| FolderError::Io { action, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_who_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let held = DataFolder::open(folder.path(), Kind::Office).unwrap();
        let refusal = DataFolder::open(folder.path(), Kind::Office).unwrap_err().to_string();
        assert!(refusal.contains(&folder.path().display().to_string()), "{refusal}");
        assert!(refusal.contains(&std::process::id().to_string()), "{refusal}");
        drop(held);
        DataFolder::open(folder.path(), Kind::Office).unwrap();
    }

    #[test]
    fn the_demo_refuses_an_offices_folder_and_the_reverse() {
        let folder = tempfile::tempdir().unwrap();
        drop(DataFolder::open(folder.path(), Kind::Office).unwrap());
        let refusal = DataFolder::open(folder.path(), Kind::Demo).unwrap_err();
        assert!(matches!(refusal, FolderError::Kind { found: Kind::Office, wanted: Kind::Demo, .. }), "{refusal}");
        let folder = tempfile::tempdir().unwrap();
        drop(DataFolder::open(folder.path(), Kind::Demo).unwrap());
        assert!(DataFolder::open(folder.path(), Kind::Office).is_err());
    }

    #[test]
    fn newer_data_is_refused_with_the_reason_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        write_marker(folder.path(), Kind::Office, SCHEMA + 1).unwrap();
        let refusal = DataFolder::open(folder.path(), Kind::Office).unwrap_err().to_string();
        assert!(refusal.contains("newer version"), "{refusal}");
        assert_eq!(read_marker(folder.path()).unwrap(), Some((Kind::Office, SCHEMA + 1)));
    }

    #[test]
    fn the_folder_is_made_private_and_a_strangers_folder_is_left_alone() {
        let outer = tempfile::tempdir().unwrap();
        let ours = outer.path().join("a/b");
        fs::create_dir_all(&ours).unwrap();
        fs::set_permissions(&ours, Permissions::from_mode(0o755)).unwrap();
        drop(DataFolder::open(&ours, Kind::Demo).unwrap());
        assert_eq!(fs::metadata(&ours).unwrap().permissions().mode() & 0o777, 0o700);
        let refusal = DataFolder::open(outer.path(), Kind::Demo).unwrap_err();
        assert!(matches!(refusal, FolderError::NotOurs { .. }), "{refusal}");
    }
}
