//! What admins have installed beside the folder of plugins, and whose signatures they trust; kept in the store.
//!
//! A component is a blob under its own hash, which journals name too; a plugin is one entry that says which component is in
//! force and which were before. A copy of each file lies in a folder of its own, so that `check` and `simulate`, which ask no
//! running switch, know the plugin as well.

use plugboard_model::WallTime;
use plugboard_plugin::ComponentId;
use plugboard_signature::PublicKey;
use plugboard_store::{BlobId, Blobs, Key, Kv, Op, Pre, Scope, Space, Store};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the copies, within the data folder.
const FOLDER: &str = "installed";
/// Where entries of plugins are.
const PLUGIN: &str = "plugin";
/// Where trusted keys are.
const KEY: &str = "trusted-key";
/// Versions that a plugin can be rolled back to.
const EARLIER_MAX: usize = 5;
/// Plugins of vendors: an office has a few.
const PLUGINS_MAX: usize = 200;
/// Vendors.
const KEYS_MAX: usize = 100;

/// A version that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// As the component says.
    #[serde(rename = "version")]
    pub(crate) named: String,
    /// The component's SHA-256, in hex.
    pub(crate) component: String,
    /// The key that signed it.
    pub(crate) signed_by: Option<String>,
    /// When it was installed.
    pub(crate) at: WallTime,
}

/// A plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// What is in force.
    pub(crate) now: Version,
    /// What was before, newest last.
    #[serde(default)]
    pub(crate) earlier: Vec<Version>,
}

impl Entry {
    /// With another version in force; the one before can be had back. `None`: that version is in force already.
    pub(crate) fn followed_by(before: Option<Self>, now: Version) -> Option<Self> {
        let Some(before) = before else { return Some(Self { now, earlier: Vec::new() }) };
        if before.now.component == now.component {
            return None;
        }
        let mut earlier = before.earlier;
        earlier.retain(|version| version.component != now.component);
        earlier.push(before.now);
        let old = earlier.len().saturating_sub(EARLIER_MAX);
        earlier.drain(..old);
        Some(Self { now, earlier })
    }

    /// With the version before in force; the one that is left is forgotten.
    pub(crate) fn rolled_back(mut self) -> Option<Self> {
        let now = self.earlier.pop()?;
        Some(Self { now, earlier: self.earlier })
    }
}

/// A vendor's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trusted {
    /// Whose it is, as the admin wrote.
    pub(crate) vendor: String,
    /// Since when.
    pub(crate) at: WallTime,
}

/// What is kept.
#[derive(Clone)]
pub(crate) struct Shelf {
    store: Store,
    folder: PathBuf,
}

/// Where copies of the installed files of a switch with this data folder are.
pub(crate) fn folder_of(data: &Path) -> PathBuf {
    data.join(FOLDER)
}

impl Shelf {
    /// That of a switch with this store and data folder.
    pub(crate) fn new(store: Store, data: &Path) -> Self {
        Self { store, folder: folder_of(data) }
    }

    /// The plugins by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn plugins(&self) -> Result<BTreeMap<String, Entry>, String> {
        self.all(PLUGIN, PLUGINS_MAX)
    }

    /// The keys that are trusted, as they are written.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn keys(&self) -> Result<BTreeMap<String, Trusted>, String> {
        self.all(KEY, KEYS_MAX)
    }

    /// The file of a version.
    ///
    /// # Errors
    /// The store has it not any more.
    pub(crate) fn file(&self, version: &Version) -> Result<Vec<u8>, String> {
        let id = parse_id(&version.component).ok_or_else(|| format!("{:?} is no SHA-256", version.component))?;
        let kept = self.store.blob(Scope::Switch, BlobId(id.0)).map_err(|error| error.to_string())?;
        kept.ok_or_else(|| format!("version {} is not kept any more ({})", version.named, version.component))
    }

    /// Keeps a plugin's entry, and the file of its version in force.
    ///
    /// # Errors
    /// Nothing was changed, in words.
    pub(crate) fn put(&self, name: &str, entry: &Entry, file: &[u8]) -> Result<(), String> {
        let others = self.plugins()?;
        if others.len() >= PLUGINS_MAX && !others.contains_key(name) {
            return Err(format!("{PLUGINS_MAX} plugins are installed, which is the limit; remove one"));
        }
        self.store.put_blob(Scope::Switch, file).map_err(|error| error.to_string())?;
        self.write(PLUGIN, name, Some(entry))?;
        self.copy(name, file);
        Ok(())
    }

    /// Forgets a plugin; its files stay for the journals that name them.
    ///
    /// # Errors
    /// Nothing was changed, in words.
    pub(crate) fn remove(&self, name: &str) -> Result<(), String> {
        self.write::<Entry>(PLUGIN, name, None)?;
        drop(std::fs::remove_file(self.path(name)));
        Ok(())
    }

    /// Trusts whatever this key signs, from now on.
    ///
    /// # Errors
    /// Nothing was changed, in words.
    pub(crate) fn trust(&self, key: &PublicKey, vendor: String, at: WallTime) -> Result<(), String> {
        let known = self.keys()?;
        let name = key.to_string();
        if known.len() >= KEYS_MAX && !known.contains_key(&name) {
            return Err(format!("{KEYS_MAX} keys are trusted, which is the limit; `plugboard plugin distrust` one"));
        }
        self.write(KEY, &name, Some(&Trusted { vendor, at }))
    }

    /// Trusts it no more. What it has signed stays installed.
    ///
    /// # Errors
    /// Nothing was changed, in words.
    pub(crate) fn distrust(&self, key: &str) -> Result<(), String> {
        self.write::<Trusted>(KEY, key, None)
    }

    /// Makes the folder of copies what the entries say.
    pub(crate) fn copy_all(&self, plugins: &BTreeMap<String, Entry>) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !plugins.contains_key(&name) {
                drop(std::fs::remove_file(path));
            }
        }
        for (name, entry) in plugins {
            if let Ok(file) = self.file(&entry.now) {
                self.copy(name, &file);
            }
        }
    }

    /// A copy is for tools beside the switch, which goes on without it.
    fn copy(&self, name: &str, file: &[u8]) {
        let path = self.path(name);
        if std::fs::read(&path).is_ok_and(|there| there == file) {
            return;
        }
        let draft = path.with_extension("draft");
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&draft, file))
            .and_then(|()| std::fs::rename(&draft, &path));
        if let Err(error) = written {
            let path = path.display();
            tracing::warn!(%path, %error, "no copy of an installed plugin: `check` and `simulate` do not know it");
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.wasm"))
    }

    fn all<T: DeserializeOwned>(&self, kind: &str, limit: usize) -> Result<BTreeMap<String, T>, String> {
        let prefix = key(&[kind])?;
        let found = self.store.scan(&prefix, None, limit).map_err(|error| error.to_string())?;
        let read = |(key, value): &(Key, plugboard_store::Versioned)| {
            let name = key.parts().pop()?;
            Some((name, serde_json::from_slice(&value.value).ok()?))
        };
        found.iter().map(|entry| read(entry).ok_or_else(|| format!("the entry {} cannot be read", entry.0))).collect()
    }

    fn write<T: Serialize>(&self, kind: &str, name: &str, value: Option<&T>) -> Result<(), String> {
        let value = value.map(serde_json::to_vec).transpose().map_err(|error| error.to_string())?;
        let op = Op { key: key(&[kind, name])?, pre: Pre::Any, value };
        self.store.commit(vec![op]).map(drop).map_err(|error| error.to_string())
    }
}

fn key(parts: &[&str]) -> Result<Key, String> {
    Key::new(Scope::Switch, Space::Settings, parts).map_err(|error| error.to_string())
}

/// Reads a component's id as it is shown.
pub(crate) fn parse_id(text: &str) -> Option<ComponentId> {
    let byte = |n: usize| u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes.filter(|_| text.len() == 64).and_then(|bytes| bytes.try_into().ok()).map(ComponentId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_store::Place;

    fn version(n: u8) -> (Version, Vec<u8>) {
        let file = vec![n; 10];
        let component = ComponentId::of(&file).to_string();
        (Version { named: format!("1.0.{n}"), component, signed_by: None, at: WallTime(i64::from(n)) }, file)
    }

    #[test]
    fn five_versions_can_be_rolled_back_and_no_more() {
        let mut entry = None;
        for n in 0..8 {
            let next = Entry::followed_by(entry.clone(), version(n).0);
            assert_eq!(Entry::followed_by(next.clone(), version(n).0), None, "the same again changes nothing");
            entry = next;
        }
        let mut told = Vec::new();
        while let Some(found) = entry {
            told.push(found.now.named.clone());
            entry = found.rolled_back();
        }
        assert_eq!(told, ["1.0.7", "1.0.6", "1.0.5", "1.0.4", "1.0.3", "1.0.2"]);
    }

    #[test]
    fn what_is_installed_and_trusted_is_kept_with_a_copy_and_goes_when_it_is_removed() {
        let (data, store) = (tempfile::tempdir().unwrap(), Store::start(Place::Memory, None).unwrap());
        let shelf = Shelf::new(store.clone(), data.path());
        let (now, file) = version(1);
        let entry = Entry { now, earlier: Vec::new() };
        shelf.put("weather", &entry, &file).unwrap();
        let again = Shelf::new(store, data.path());
        assert_eq!(again.plugins().unwrap(), BTreeMap::from([("weather".to_owned(), entry.clone())]));
        assert_eq!(again.file(&entry.now).unwrap(), file);
        let copy = folder_of(data.path()).join("weather.wasm");
        assert_eq!(std::fs::read(&copy).unwrap(), file);
        std::fs::write(folder_of(data.path()).join("stray.wasm"), "x").unwrap();
        std::fs::remove_file(&copy).unwrap();
        again.copy_all(&again.plugins().unwrap());
        let left: Vec<_> =
            std::fs::read_dir(folder_of(data.path())).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(left, std::slice::from_ref(&copy));
        again.remove("weather").unwrap();
        assert!(again.plugins().unwrap().is_empty() && !copy.exists());
        assert!(again.file(&entry.now).is_ok(), "journals name it");
        let acme = plugboard_signature::SigningKey::generate().unwrap().public();
        again.trust(&acme, "Acme".into(), WallTime(5)).unwrap();
        assert_eq!(again.keys().unwrap()[&acme.to_string()].vendor, "Acme");
        again.distrust(&acme.to_string()).unwrap();
        assert!(again.keys().unwrap().is_empty());
    }
}
