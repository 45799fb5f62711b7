//! The plugin runner without threads, and the components that `cargo plugins` has built.

use plugboard_model::HostResult;
use plugboard_model::Time;
use plugboard_plugin::{
    Catalogue, Clock as PluginClock, Installed, Metering, PluginEngine, PoolSize, RunKey, RunSpec, Runner,
    RunnerLimits, Sink, StartError,
};
use plugboard_switch::{Clock, Plugins};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

use crate::clock::SimClock;

/// Small: a story has a few calls, and several run beside each other in one process.
const POOL: PoolSize = PoolSize { instances: 64, memory_bytes_max: 32 << 20 };

/// One runner, driven by the simulation: guests run between two messages of the actors, never within one.
pub(crate) struct SimPlugins {
    runner: Mutex<Runner>,
    clock: Arc<SimClock>,
    /// Until then others have the thread.
    busy_until: Mutex<Time>,
    wake: Arc<Notify>,
    sink: Sink,
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
        Self { runner, clock: Arc::clone(clock), busy_until: Mutex::new(Time::ZERO), wake, sink }
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
                (self.sink)(events);
            } else if !worked {
                return;
            }
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
    let engine = PluginEngine::new(Metering::Fuel, POOL).unwrap_or_else(|fault| panic!("{fault}"));
    let catalogue = Catalogue::new(engine, None);
    let folder = folder();
    for file in files(&folder) {
        let bytes = std::fs::read(&file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        catalogue.install(&bytes).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    }
    for component in more {
        catalogue.install(component).unwrap_or_else(|fault| panic!("an action of the story: {fault}"));
    }
    Arc::new(catalogue)
}

/// The installed actions by name.
pub(crate) fn by_name(catalogue: &Catalogue) -> BTreeMap<String, Arc<Installed>> {
    catalogue.actions().into_iter().map(|action| (action.manifest().name.clone(), action)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    let mut files: Vec<PathBuf> = found.unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "wasm"));
    files.sort();
    assert!(!files.is_empty(), "there are no actions in {}: build them with `cargo plugins`", folder.display());
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
