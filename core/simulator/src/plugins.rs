//! The plugin runner without threads, and the components that `cargo plugins` has built.

use plugboard_model::{HostCall, HostResult, Time};
use plugboard_plugin::{
    Catalogue, Clock as PluginClock, CompileLimits, CompiledCache, Installed, Metering, PluginEngine, PoolSize,
    RunEvent, RunKey, RunSpec, Runner, RunnerLimits, Sink, StartError,
};
use plugboard_switch::{Clock, Plugins};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

use crate::clock::SimClock;

/// Small: a story has a few calls, and several run beside each other in one process.
const POOL: PoolSize = PoolSize { instances: 64, memory_bytes_max: 32 << 20 };
/// The same for those that bring an interpreter.
const LARGE_POOL: PoolSize = PoolSize { instances: 16, memory_bytes_max: 128 << 20 };

/// One runner, driven by the simulation: guests run between two messages of the actors, never within one.
pub(crate) struct SimPlugins {
    runner: Mutex<Runner>,
    clock: Arc<SimClock>,
    /// Until then others have the thread.
    busy_until: Mutex<Time>,
    wake: Arc<Notify>,
    sink: Sink,
    /// What runs asked of the switch, if anybody wants to know.
    asked: Mutex<Option<Vec<HostCall>>>,
}

impl SimPlugins {
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        limits: RunnerLimits,
        clock: &Arc<SimClock>,
        wake: Arc<Notify>,
        sink: Sink,
    ) -> Self {
        let (now, wall) = (Arc::clone(clock), Arc::clone(clock));
        let plugin_clock = PluginClock::new(move || now.now(), move || wall.wall());
        let runner = Mutex::new(Runner::new(catalogue, plugin_clock, limits));
        Self {
            runner,
            clock: Arc::clone(clock),
            busy_until: Mutex::new(Time::ZERO),
            wake,
            sink,
            asked: Mutex::default(),
        }
    }

    /// No guest has its turn before then.
    pub(crate) fn busy_until(&self, until: Time) {
        *self.busy_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// When guests have their turn, if that is later than now.
    fn free_at(&self) -> Option<Time> {
        let until = *self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
        (until > self.clock.now()).then_some(until)
    }

    /// Runs every guest that is ready.
    pub(crate) fn work(&self) {
        if self.free_at().is_some() {
            return;
        }
        loop {
            let (worked, events) = {
                let mut runner = self.lock();
                (runner.work(), runner.take_events())
            };
            if !events.is_empty() {
                self.note(&events);
                (self.sink)(events);
            } else if !worked {
                return;
            }
        }
    }

    /// From now on what runs ask of the switch is noted.
    pub(crate) fn watch(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// What they asked since this was called last.
    pub(crate) fn asked(&self) -> Vec<HostCall> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether they asked anything since then.
    pub(crate) fn has_asked(&self) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|asked| !asked.is_empty())
    }

    fn note(&self, events: &[RunEvent]) {
        if let Some(asked) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            asked.extend(events.iter().filter_map(|event| match event {
                RunEvent::HostCall { call, .. } => Some(call.clone()),
                RunEvent::Journal { .. } | RunEvent::Ended { .. } => None,
            }));
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.free_at().or_else(|| self.lock().poll_timeout())
    }

    /// Runs that have not ended.
    pub(crate) fn runs(&self) -> usize {
        self.lock().runs()
    }

    fn lock(&self) -> MutexGuard<'_, Runner> {
        self.runner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugins for SimPlugins {
    fn start(&self, spec: RunSpec) -> Result<(), StartError> {
        self.wake.notify_one();
        self.lock().start(spec)
    }

    fn resume(&self, key: RunKey, n: u32, result: HostResult) -> bool {
        self.wake.notify_one();
        self.lock().resume(&key, n, result);
        true
    }

    fn cancel(&self, key: RunKey) {
        self.wake.notify_one();
        self.lock().cancel(&key);
    }
}

/// The built-in actions, compiled once for all stories of a process.
pub(crate) fn built_in() -> Arc<Catalogue> {
    static BUILT_IN: OnceLock<Arc<Catalogue>> = OnceLock::new();
    Arc::clone(BUILT_IN.get_or_init(|| with(&[])))
}

/// The built-in actions and these.
pub(crate) fn with(more: &[Vec<u8>]) -> Arc<Catalogue> {
    let folder = folder();
    let files = files(&folder);
    assert!(!files.is_empty(), "there are no actions in {}: build them with `cargo plugins`", folder.display());
    let catalogue = catalogue_of(&files, None).unwrap_or_else(|fault| panic!("{fault}"));
    for component in more {
        catalogue.install(component).unwrap_or_else(|fault| panic!("an action of the story: {fault}"));
    }
    Arc::new(catalogue)
}

/// Every plugin of a folder, bounded by fuel as simulations need them; compiled ones are kept in the cache, if there is one. Then what is
/// in the folder `installed`, with the names of these: one that cannot be installed, or whose name is taken, is passed over, as a switch does.
///
/// # Errors
/// What of the first folder cannot be read or installed, in words.
pub fn actions_of(
    folder: &Path,
    installed: Option<&Path>,
    cache: Option<CompiledCache>,
) -> Result<(Arc<Catalogue>, BTreeSet<String>), String> {
    let catalogue = catalogue_of(&files(folder), cache)?;
    let (own, mut strangers) = (by_name(&catalogue), BTreeSet::new());
    for file in installed.map(files).unwrap_or_default() {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let Ok(plugin) = catalogue.install(&bytes) else { continue };
        let name = &plugin.manifest().name;
        match own.get(name) {
            Some(own) => drop(catalogue.make_current(own.id())),
            None => drop(strangers.insert(name.clone())),
        }
    }
    Ok((Arc::new(catalogue), strangers))
}

fn catalogue_of(files: &[PathBuf], cache: Option<CompiledCache>) -> Result<Catalogue, String> {
    let engine = PluginEngine::new(Metering::Fuel, POOL).map_err(|fault| fault.to_string())?;
    let engine = engine.with_large(LARGE_POOL, CompileLimits::large());
    let catalogue = Catalogue::new(engine, cache);
    for file in files {
        let bytes = std::fs::read(file).map_err(|fault| format!("{}: {fault}", file.display()))?;
        catalogue.install(&bytes).map_err(|fault| format!("{}: {fault}", file.display()))?;
    }
    Ok(catalogue)
}

/// The installed actions by name.
pub fn by_name(catalogue: &Catalogue) -> BTreeMap<String, Arc<Installed>> {
    catalogue.actions().into_iter().map(|action| (action.manifest().name.clone(), action)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    let mut files: Vec<PathBuf> = found.unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "wasm"));
    files.sort();
    files
}

/// What `cargo verify` names, else `plugins` in the target folder that this test program is in.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("PLUGBOARD_PLUGINS") {
        return folder.into();
    }
    let program = std::env::current_exe().unwrap_or_default();
    // target/release/deps/program
    program.ancestors().nth(3).map_or_else(|| "plugins".into(), |target| target.join("plugins"))
}
