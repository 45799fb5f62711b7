//! The plugins of the folder and those that admins installed, compiled.

use plugboard_document::Fault;
use plugboard_plugin::{Catalogue, CompiledCache, ComponentId, Installed, Metering, PluginEngine, PoolSize};
use plugboard_scenario::ActionCatalogue;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the actions could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginsError {
    #[error("the plugin engine does not start: {0}")]
    Engine(#[from] plugboard_plugin::EngineError),
    #[error("{0}")]
    Cache(#[from] plugboard_plugin::CacheError),
    #[error("the plugins in {} cannot be read ({cause}); build them with `cargo plugins`, or name their folder with --plugins", folder.display())]
    Folder { folder: PathBuf, cause: std::io::Error },
    #[error("{}: {cause}", file.display())]
    File { file: PathBuf, cause: std::io::Error },
}

/// The plugins in force; and what could not be.
#[derive(Clone)]
pub(crate) struct Actions {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) by_name: BTreeMap<String, Arc<Installed>>,
    /// Those that came with the switch, in its folder: nothing that is installed takes their place.
    pub(crate) own: BTreeSet<String>,
    /// What the checkers know of them.
    pub(crate) known: ActionCatalogue,
    /// A file each.
    pub(crate) refused: Vec<Fault>,
    /// Where they were found.
    pub(crate) folder: PathBuf,
}

/// The line for whoever waits.
pub(crate) fn progress(names: &[String]) -> String {
    format!("compiling {} plugins, a moment each: {}", names.len(), names.join(", "))
}

/// `plugins` beside the folder of the program: where the build puts them.
pub(crate) fn default_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().and_then(Path::parent).map_or_else(|| "plugins".into(), |target| target.join("plugins"))
}

/// Installs every `.wasm` file of a folder, in the order of their names. `tell` is given the names of those that must be
/// compiled first, if there are any: that takes a part of a second for each.
pub(crate) fn load(folder: &Path, cache: Option<&Path>, tell: impl FnOnce(&[String])) -> Result<Actions, PluginsError> {
    let engine = PluginEngine::new(Metering::Epoch, PoolSize::default())?;
    let cache = cache.map(CompiledCache::open).transpose()?;
    let catalogue = Arc::new(Catalogue::new(engine, cache));
    let files = read(folder)?;
    let new = files.iter().filter(|(_, bytes)| !catalogue.has_compiled(bytes));
    let new: Vec<String> =
        new.filter_map(|(file, _)| file.file_stem().map(|name| name.to_string_lossy().into_owned())).collect();
    if !new.is_empty() {
        tell(&new);
    }
    let (mut refused, mut owners) = (Vec::new(), BTreeMap::<String, (PathBuf, ComponentId)>::new());
    for (file, bytes) in files {
        let name = file.display().to_string();
        match catalogue.install(&bytes) {
            Ok(installed) => match owners.get(&installed.manifest().name) {
                None => {
                    owners.insert(installed.manifest().name.clone(), (file, installed.id()));
                }
                Some((first, id)) => {
                    // The first one stays in use, whatever the second holds.
                    if *id != installed.id() {
                        catalogue.remove(installed.id());
                    }
                    catalogue.make_current(*id);
                    let (action, first) = (&installed.manifest().name, first.display());
                    let reason = format!("the action {action:?} is in {first} too, which stays in use");
                    refused.push(Fault::of_file(name, reason, "take one of the two files out of the folder"));
                }
            },
            Err(error) => refused.push(Fault::of_file(name, error.to_string(), "")),
        }
    }
    let by_name = catalogue.actions().into_iter().map(|action| (action.manifest().name.clone(), action)).collect();
    let known = ActionCatalogue::new();
    let actions =
        Actions { catalogue, by_name, own: owners.into_keys().collect(), known, refused, folder: folder.to_owned() };
    Ok(actions.known_anew())
}

impl Actions {
    /// With this plugin in the place of the one of its name, if there is one.
    pub(crate) fn with(&self, installed: &Arc<Installed>) -> Self {
        let mut next = self.clone();
        next.by_name.insert(installed.manifest().name.clone(), Arc::clone(installed));
        next.known_anew()
    }

    /// Without the plugin of this name.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut next = self.clone();
        next.by_name.remove(name);
        next.known_anew()
    }

    /// With the files that admins installed, in the order of their names.
    pub(crate) fn with_installed(mut self, files: impl IntoIterator<Item = (String, Result<Vec<u8>, String>)>) -> Self {
        for (file, read) in files {
            let taken = read.and_then(|bytes| self.take(&bytes));
            match taken {
                Ok(installed) => {
                    self.by_name.insert(installed.manifest().name.clone(), installed);
                }
                Err(reason) => self.refused.push(Fault::of_file(file, reason, "")),
            }
        }
        self.known_anew()
    }

    /// Compiles a file that is no plugin of the switch's own.
    ///
    /// # Errors
    /// Why it cannot be installed, in words.
    pub(crate) fn take(&self, bytes: &[u8]) -> Result<Arc<Installed>, String> {
        let installed = self.catalogue.install(bytes).map_err(|error| error.to_string())?;
        let name = &installed.manifest().name;
        if let Some(own) = self.by_name.get(name).filter(|_| self.own.contains(name)) {
            self.catalogue.make_current(own.id());
            if own.id() != installed.id() {
                self.catalogue.remove(installed.id());
            }
            return Err(format!(
                "{name} came with the switch, and nothing takes its place; give this one another name"
            ));
        }
        Ok(installed)
    }

    /// Those that admins installed.
    pub(crate) fn strangers(&self) -> impl Iterator<Item = &String> {
        self.by_name.keys().filter(|name| !self.own.contains(*name))
    }

    fn known_anew(mut self) -> Self {
        let strangers: Vec<String> = self.strangers().cloned().collect();
        self.known = plugboard_switch::action_catalogue(&self.by_name).with_strangers(strangers);
        self
    }
}

/// The files of a folder that may not be there.
pub(crate) fn files(folder: &Path) -> impl Iterator<Item = (String, Result<Vec<u8>, String>)> {
    let read = read(folder).unwrap_or_default();
    read.into_iter().map(|(file, bytes)| (file.display().to_string(), Ok(bytes)))
}

/// The `.wasm` files of a folder, in the order of their names.
fn read(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, PluginsError> {
    let failed = |cause| PluginsError::Folder { folder: folder.into(), cause };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "wasm"));
    files.sort();
    let bytes = |file: PathBuf| match std::fs::read(&file) {
        Ok(bytes) => Ok((file, bytes)),
        Err(cause) => Err(PluginsError::File { file, cause }),
    };
    files.into_iter().map(bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_files_with_the_same_action_the_first_is_in_use_and_nothing_is_left_of_the_second() {
        // Where `cargo plugins` puts the actions: beside the folder of the program, which is two above its tests.
        let program = std::env::current_exe().unwrap();
        let beside = || program.ancestors().nth(3).unwrap().join("plugins");
        let built = std::env::var_os("PLUGBOARD_PLUGINS").map_or_else(beside, PathBuf::from);
        let folder = std::env::temp_dir().join(format!("plugboard-twins-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let first = std::fs::read(built.join("echo.wasm")).unwrap();
        // An empty custom section named x: another component, the same action.
        let second = [first.as_slice(), &[0, 2, 1, b'x']].concat();
        for (name, bytes) in [("a.wasm", &first), ("b.wasm", &second), ("c.wasm", &first)] {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        let actions = load(&folder, None, |_| ()).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let (first, second) = (ComponentId::of(&first), ComponentId::of(&second));
        assert_eq!(actions.by_name.values().map(|action| action.id()).collect::<Vec<_>>(), [first]);
        assert_eq!(actions.catalogue.current("echo").map(|action| action.id()), Some(first));
        assert!(actions.catalogue.get(second).is_none());
        assert_eq!(actions.refused.len(), 2, "the copy of the first is told as well: {:?}", actions.refused);
    }
}
