//! The cache of compiled components: private (0700) and authenticated, because the engine trusts what it loads.
//!
//! A file is an HMAC-SHA-256 and the compiled code. The key lies beside the files (0600); whoever can read it owns the
//! switch's user anyway. A file that fails is as good as absent: it is compiled again and never given to the engine.

use crate::{ComponentId, PluginEngine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use wasmtime::component::Component;

/// A folder of compiled components.
#[derive(Debug)]
pub struct CompiledCache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
}

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The folder cannot be made private.
    #[error("cannot make the plugin cache {folder}: {cause}; give the switch's user this folder or another --data")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The folder is another user's.
    #[error("the plugin cache {folder} belongs to another user; remove it or choose another --data")]
    Owner {
        /// The folder.
        folder: PathBuf,
    },
    /// The key cannot be read or written.
    #[error("cannot use the key of the plugin cache {file}: {cause}")]
    Key {
        /// The key's file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
/// Compiled code is a few times its component; past this a file is none of ours.
const FILE_BYTES_MAX: u64 = 256 << 20;

impl CompiledCache {
    /// Opens the folder, makes it if it is absent and private if it is not.
    ///
    /// A key that others could read is replaced, which makes every file in the folder worthless.
    ///
    /// # Errors
    /// [`CacheError`].
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        let failed = |cause| CacheError::Folder { folder: folder.to_owned(), cause };
        if !folder.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let metadata = fs::symlink_metadata(folder).map_err(failed)?;
        if !metadata.is_dir() || metadata.uid() != own_uid().map_err(failed)? {
            return Err(CacheError::Owner { folder: folder.to_owned() });
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let file = folder.join("key");
        let key = read_key(&file)
            .and_then(|key| key.map_or_else(|| write_key(&file), Ok))
            .map_err(|cause| CacheError::Key { file, cause })?;
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// The compiled component, if an authentic file of this engine is there.
    pub(crate) fn load(&self, engine: &PluginEngine, id: ComponentId) -> Option<Component> {
        let mut file = File::open(self.path(engine, id)).ok()?;
        if file.metadata().ok()?.len() > FILE_BYTES_MAX {
            return None;
        }
        // Read whole before it is checked: what is checked is what is loaded, whoever writes the file meanwhile.
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let (mac, code) = bytes.split_at_checked(MAC_BYTES)?;
        self.mac(engine, id, code).verify_slice(mac).ok()?;
        deserialize(engine, code)
    }

    /// Whether there is a file for the component; whether it is authentic, [`CompiledCache::load`] finds out.
    pub(crate) fn holds(&self, engine: &PluginEngine, id: ComponentId) -> bool {
        self.path(engine, id).is_file()
    }

    /// Keeps a compiled component. A full disk costs only the next start's compilation.
    pub(crate) fn store(&self, engine: &PluginEngine, id: ComponentId, component: &Component) -> io::Result<()> {
        let code = component.serialize().map_err(|cause| io::Error::other(format!("{cause:#}")))?;
        let mac = self.mac(engine, id, &code).finalize().into_bytes();
        let path = self.path(engine, id);
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        let written = private_file(&draft).and_then(|mut file| {
            file.write_all(&mac)?;
            file.write_all(&code)?;
            fs::rename(&draft, &path)
        });
        if written.is_err() {
            drop(fs::remove_file(&draft));
        }
        written
    }

    fn path(&self, engine: &PluginEngine, id: ComponentId) -> PathBuf {
        let engine = ComponentId(*engine.fingerprint()).short();
        self.folder.join(format!("{id}-{engine}.compiled"))
    }

    fn mac(&self, engine: &PluginEngine, id: ComponentId, code: &[u8]) -> Hmac<Sha256> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes a key of any length (RFC 2104 section 2)")
        };
        // The name is under the MAC too: an authentic file cannot stand in for another.
        mac.update(&id.0);
        mac.update(engine.fingerprint());
        mac.update(code);
        mac
    }
}

#[expect(unsafe_code, reason = "the engine must trust compiled code, and this code carries our own MAC")]
fn deserialize(engine: &PluginEngine, code: &[u8]) -> Option<Component> {
    // SAFETY: the caller checked the MAC, so `code` is what `Component::serialize` gave us for the same component and
    // an engine of the same fingerprint.
    unsafe { Component::deserialize(engine.wasmtime(), code) }.ok()
}

/// The user that this process runs as: the owner of its own entry in `/proc`.
fn own_uid() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self")?.uid())
}

/// The key, unless it is absent, damaged or was readable by others.
fn read_key(path: &Path) -> io::Result<Option<[u8; KEY_BYTES]>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(1 + KEY_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes.try_into().ok())
}

fn write_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let key: [u8; KEY_BYTES] = rand::random();
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
