//! The installed actions, as the scenario language sees them.

use plugboard_plugin::{Catalogue, CompiledCache, Installed, Metering, PluginEngine, PoolSize};
use plugboard_scenario::{Action, ActionCatalogue, Sets};
use std::collections::BTreeMap;
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

/// Every action in a folder, installed; and what could not be.
pub(crate) struct Actions {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) by_name: BTreeMap<String, Arc<Installed>>,
    pub(crate) refused: Vec<String>,
}

/// `plugins` beside the folder of the program: where the build puts them.
pub(crate) fn default_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().and_then(Path::parent).map_or_else(|| "plugins".into(), |target| target.join("plugins"))
}

/// Installs every `.wasm` file of a folder, in the order of their names.
pub(crate) fn load(folder: &Path, cache: Option<&Path>) -> Result<Actions, PluginsError> {
    let engine = PluginEngine::new(Metering::Epoch, PoolSize::default())?;
    let cache = cache.map(CompiledCache::open).transpose()?;
    let catalogue = Arc::new(Catalogue::new(engine, cache));
    let failed = |cause| PluginsError::Folder { folder: folder.into(), cause };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "wasm"));
    files.sort();
    let mut refused = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).map_err(|cause| PluginsError::File { file: file.clone(), cause })?;
        if let Err(error) = catalogue.install(&bytes) {
            refused.push(format!("{}: {error}", file.display()));
        }
    }
    let by_name = catalogue.actions().into_iter().map(|action| (action.manifest().name.clone(), action)).collect();
    Ok(Actions { catalogue, by_name, refused })
}

/// What the checker of scenarios knows of the actions.
pub(crate) fn for_scenarios(actions: &BTreeMap<String, Arc<Installed>>) -> ActionCatalogue {
    actions
        .values()
        .map(|installed| {
            let manifest = installed.manifest();
            Action {
                name: manifest.name.clone(),
                parameters: manifest.parameters.clone(),
                outcomes: manifest.outcomes.iter().map(|outcome| outcome.name.clone()).collect(),
                sets: manifest
                    .sets
                    .iter()
                    .map(|sets| Sets {
                        name: sets.name.clone(),
                        value_type: sets.value_type,
                        after: sets.after.clone(),
                    })
                    .collect(),
                blocking: manifest.blocking,
            }
        })
        .collect()
}
