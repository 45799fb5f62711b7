//! Installed plugins: several versions side by side, one of them current.

use crate::cache::CompiledCache;
use crate::compile::{Compiler, check_size};
use crate::guest::{Bounds, Guest};
use crate::interface::{ImportFault, Outside, capability};
use crate::manifest::{Manifest, ManifestError};
use crate::{Capability, CompileError, EngineError, GuestSize, Limits, PluginEngine, PluginKind, v0_1_0};
use plugboard_componentize::ComponentizeError;
use plugboard_model::{JOURNAL_SCHEMA, RunPins};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};
use wasmtime::component::Component;
use wasmtime::{Store, UpdateDeadline};

/// SHA-256 of a component file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ComponentId(pub [u8; 32]);

impl ComponentId {
    /// The id of these bytes.
    pub fn of(component: &[u8]) -> Self {
        Self(Sha256::digest(component).into())
    }

    /// The first eight hex digits: enough for people and thread names.
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An installed component, linked to what it imports and nothing else.
pub struct Installed {
    id: ComponentId,
    manifest: Manifest,
    bytes: Arc<[u8]>,
    size: GuestSize,
    engine: PluginEngine,
    work: Work,
}

/// What is linked.
#[derive(Clone)]
pub(crate) enum Work {
    /// A step of scenarios.
    Action(v0_1_0::Action),
    /// A system beside the telephone.
    Integration(v0_1_0::Integration),
}

impl Work {
    /// Starts an instance and runs it to its end.
    pub(crate) async fn run(
        &self,
        store: &mut Store<Guest>,
        parameters: &str,
    ) -> wasmtime::Result<Result<String, String>> {
        match self {
            Self::Action(action) => action.run(store, parameters).await,
            Self::Integration(integration) => integration.run(store, parameters).await,
        }
    }
}

impl Installed {
    /// SHA-256 of its file.
    pub fn id(&self) -> ComponentId {
        self.id
    }

    /// What it is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The component file, which replay needs as long as a journal names it.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// Which pool its runs take their instances from.
    pub fn size(&self) -> GuestSize {
        self.size
    }

    /// The engine that it is compiled for.
    pub(crate) fn engine(&self) -> &PluginEngine {
        &self.engine
    }

    /// What a run of it is pinned to.
    pub fn pins(&self, limits: &Limits) -> RunPins {
        RunPins {
            component: self.id.0,
            wit: self.manifest.wit.clone(),
            host: HOST_VERSION.to_owned(),
            journal: JOURNAL_SCHEMA,
            limits: limits.pinned(),
        }
    }

    pub(crate) fn work(&self) -> &Work {
        &self.work
    }
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, manifest, .. } = self;
        f.debug_struct("Installed").field("id", id).field("manifest", manifest).finish_non_exhaustive()
    }
}

/// Why a file was not installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A core module that makes no component.
    #[error(transparent)]
    Componentize(#[from] ComponentizeError),
    /// The engine for guests of its size cannot be had.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Too large, or not valid.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It wants something that no grant can give.
    #[error("the component imports {import}, which this switch does not have: {fault}")]
    Import {
        /// The import's full name.
        import: String,
        /// Why there is no such import.
        fault: ImportFault,
    },
    /// It does not export what an action exports.
    #[error("the component is no action of plugboard:switch {version}: it does not export {export:?}", version = v0_1_0::VERSION)]
    NotAnAction {
        /// What is missing.
        export: &'static str,
    },
    /// It exports some of what an integration exports.
    #[error("the component is no integration of plugboard:switch {version}: it does not export {export:?}", version = v0_1_0::VERSION)]
    NotAnIntegration {
        /// What is missing.
        export: &'static str,
    },
    /// It imports what plugins of its kind are never given.
    #[error("{kind} has no interface {capability}; build it with the SDK of this switch")]
    NotForIt {
        /// What it is.
        kind: &'static str,
        /// What it wants.
        capability: Capability,
    },
    /// A plugin of the other kind has the name.
    #[error("the name {0:?} belongs to a plugin of another kind; give this one another name")]
    NameTaken(String),
    /// A function that it imports or exports is not of the type that the interface gives it.
    #[error(
        "the component does not fit plugboard:switch {version}: {cause}; build it with the SDK of this switch",
        version = v0_1_0::VERSION
    )]
    Mismatch {
        /// What the engine says.
        cause: String,
    },
    /// `describe` trapped, called something or took too long.
    #[error("the component could not describe itself: {0}")]
    Describe(String),
    /// What it says about itself is wrong.
    #[error("the component describes itself wrongly: {0}")]
    Manifest(#[from] ManifestError),
    /// Too many components.
    #[error("{0} components are installed, which is the limit; remove versions that no journal needs")]
    Full(usize),
}

/// The host's version, to which runs are pinned.
pub(crate) const HOST_VERSION: &str = concat!("plugboard-plugin ", env!("CARGO_PKG_VERSION"), ", wasmtime 48");
/// Installed components: a few hundred plugins in a few versions each. Each holds its file and its code.
const COMPONENTS_MAX: usize = 1_024;
/// Milliseconds (epoch) that `describe` may take.
const DESCRIBE_TICKS: u32 = 1_000;

/// The installed components. Shared by the threads that run them.
#[derive(Debug)]
pub struct Catalogue {
    engine: PluginEngine,
    /// Made for the first large guest.
    large: OnceLock<PluginEngine>,
    cache: Option<CompiledCache>,
    compiler: Compiler,
    installed: RwLock<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    components: BTreeMap<ComponentId, Arc<Installed>>,
    current: BTreeMap<String, ComponentId>,
}

impl Catalogue {
    /// An empty catalogue. Without a cache each component is compiled at each start.
    pub fn new(engine: PluginEngine, cache: Option<CompiledCache>) -> Self {
        Self { engine, large: OnceLock::new(), cache, compiler: Compiler::default(), installed: RwLock::default() }
    }

    /// The engine that its small components are compiled for.
    pub fn engine(&self) -> &PluginEngine {
        &self.engine
    }

    /// Whether installing these bytes compiles nothing: they are installed, or the cache holds them compiled.
    pub fn has_compiled(&self, wasm: &[u8]) -> bool {
        let Ok(bytes) = plugboard_componentize::componentize(wasm) else { return false };
        let id = ComponentId::of(&bytes);
        let in_cache = |engine: &PluginEngine| self.cache.as_ref().is_some_and(|cache| cache.holds(engine, id));
        self.get(id).is_some() || GuestSize::of(&bytes).is_ok_and(|size| self.sized(size).is_ok_and(in_cache))
    }

    /// Installs a component, or a core module after [`crate::componentize`], and makes it its name's current version.
    ///
    /// Compiles on a thread of its own and waits for it, a second and more: not for a thread that carries calls.
    /// Installing the same bytes again makes them current again.
    ///
    /// # Errors
    /// [`InstallError`]; the catalogue is then as it was.
    pub fn install(&self, wasm: &[u8]) -> Result<Arc<Installed>, InstallError> {
        let bytes: Arc<[u8]> = self.component_of(wasm)?.into();
        let id = ComponentId::of(&bytes);
        let installed = match self.get(id) {
            Some(installed) => installed,
            None => Arc::new(self.prepare(id, bytes)?),
        };
        let mut held = self.installed.write().unwrap_or_else(PoisonError::into_inner);
        if held.components.len() >= COMPONENTS_MAX && !held.components.contains_key(&id) {
            return Err(InstallError::Full(COMPONENTS_MAX));
        }
        let name = &installed.manifest.name;
        let other = held.current.get(name).and_then(|id| held.components.get(id));
        if other.is_some_and(|other| other.manifest.kind != installed.manifest.kind) {
            return Err(InstallError::NameTaken(name.clone()));
        }
        held.components.insert(id, Arc::clone(&installed));
        held.current.insert(installed.manifest.name.clone(), id);
        Ok(installed)
    }

    /// A component by id, whichever version is current.
    pub fn get(&self, id: ComponentId) -> Option<Arc<Installed>> {
        self.installed.read().unwrap_or_else(PoisonError::into_inner).components.get(&id).cloned()
    }

    /// The current version of a plugin.
    pub fn current(&self, name: &str) -> Option<Arc<Installed>> {
        let held = self.installed.read().unwrap_or_else(PoisonError::into_inner);
        held.components.get(held.current.get(name)?).cloned()
    }

    /// The current version of every plugin, actions and integrations, by name.
    pub fn actions(&self) -> Vec<Arc<Installed>> {
        let held = self.installed.read().unwrap_or_else(PoisonError::into_inner);
        held.current.values().filter_map(|id| held.components.get(id).cloned()).collect()
    }

    /// The component that a file is, or that is made of it.
    pub(crate) fn component_of(&self, wasm: &[u8]) -> Result<Vec<u8>, InstallError> {
        check_size(wasm, self.engine.bytes_max())?;
        Ok(plugboard_componentize::componentize(wasm)?)
    }

    /// A component by its bytes: the installed one, or one that is only looked at.
    pub(crate) fn look_at(&self, component: &[u8]) -> Result<Arc<Installed>, InstallError> {
        let id = ComponentId::of(component);
        self.get(id).map_or_else(|| self.prepare(id, component.into()).map(Arc::new), Ok)
    }

    /// Makes an installed version its name's current one, as when a newer one is rolled back. `false`: not installed.
    pub fn make_current(&self, id: ComponentId) -> bool {
        let mut held = self.installed.write().unwrap_or_else(PoisonError::into_inner);
        let Some(name) = held.components.get(&id).map(|installed| installed.manifest.name.clone()) else {
            return false;
        };
        held.current.insert(name, id);
        true
    }

    /// Removes a version; runs that have begun keep it to their end. `false`: it was not installed.
    pub fn remove(&self, id: ComponentId) -> bool {
        let mut held = self.installed.write().unwrap_or_else(PoisonError::into_inner);
        held.current.retain(|_, current| *current != id);
        held.components.remove(&id).is_some()
    }

    fn prepare(&self, id: ComponentId, bytes: Arc<[u8]>) -> Result<Installed, InstallError> {
        // What it asks for is read first: nothing is compiled for a file that is meant for something else.
        let outside = Outside::of(&bytes)?;
        let capabilities = capabilities(&outside)?;
        let kind = outside.kind();
        if let Some(export) = outside.lacks() {
            return Err(match kind {
                PluginKind::Action => InstallError::NotAnAction { export },
                PluginKind::Integration => InstallError::NotAnIntegration { export },
            });
        }
        fits(kind, &capabilities)?;
        let size = GuestSize::of(&bytes)?;
        let engine = self.sized(size)?.clone();
        let component = self.compiled(&engine, id, &bytes)?;
        let mismatch = |cause: wasmtime::Error| InstallError::Mismatch { cause: format!("{cause:#}") };
        let wanted = capabilities.iter().copied();
        let (work, manifest) = match kind {
            PluginKind::Action => {
                let action = v0_1_0::Action::link(engine.wasmtime(), &component, wanted).map_err(mismatch)?;
                let said = describe(&engine, size, async |store| action.describe(store).await)?;
                (Work::Action(action), said.check(v0_1_0::VERSION, capabilities)?)
            }
            PluginKind::Integration => {
                let integration = v0_1_0::Integration::link(engine.wasmtime(), &component, wanted).map_err(mismatch)?;
                let said = describe(&engine, size, async |store| integration.describe(store).await)?;
                (Work::Integration(integration), said.check(v0_1_0::VERSION, capabilities)?)
            }
        };
        Ok(Installed { id, manifest, bytes, size, engine, work })
    }

    /// The engine for guests of this size.
    fn sized(&self, size: GuestSize) -> Result<&PluginEngine, EngineError> {
        match (size, self.large.get()) {
            (GuestSize::Small, _) => Ok(&self.engine),
            (GuestSize::Large, Some(large)) => Ok(large),
            // Two that come at once make two, of which the first is kept.
            (GuestSize::Large, None) => {
                let made = self.engine.for_large()?;
                Ok(self.large.get_or_init(|| made))
            }
        }
    }

    fn compiled(&self, engine: &PluginEngine, id: ComponentId, bytes: &Arc<[u8]>) -> Result<Component, InstallError> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.load(engine, id)) {
            return Ok(component);
        }
        let component = self.compiler.compile(engine, id, bytes)?;
        if let Some(cache) = &self.cache {
            // A cache that cannot be written costs time at the next start and nothing else.
            drop(cache.store(engine, id, &component));
        }
        Ok(component)
    }
}

/// Asks a component what it is, within the limits of its size.
fn describe<D>(
    engine: &PluginEngine,
    size: GuestSize,
    describe: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<D>,
) -> Result<D, InstallError> {
    let limits = Limits::default().of_size(size);
    let mut store = Store::new(engine.wasmtime(), Guest::to_describe(Bounds::of(&limits)));
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(limits.host_values_bytes());
    let _busy = engine.busy();
    match engine.metering() {
        crate::Metering::Epoch => {
            let mut ticks = 0;
            store.set_epoch_deadline(1);
            store.epoch_deadline_callback(move |_| {
                ticks += 1;
                Ok(if ticks > DESCRIBE_TICKS { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
            });
        }
        crate::Metering::Fuel => {
            store.set_fuel(limits.fuel_max).map_err(|cause| InstallError::Describe(format!("{cause:#}")))?;
        }
    }
    let mut describing = Box::pin(describe(&mut store));
    match describing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(said) => said.map_err(|cause| InstallError::Describe(format!("{cause:#}"))),
        Poll::Pending => {
            unreachable!("`describe` waits for nothing: its host calls fail and its epoch never yields")
        }
    }
}

/// Whether plugins of this kind are ever given all of these.
fn fits(kind: PluginKind, capabilities: &BTreeSet<Capability>) -> Result<(), InstallError> {
    let integration = |capability: &Capability| v0_1_0::Integration::CAPABILITIES.contains(capability);
    let (kind, strange) = match kind {
        PluginKind::Action => ("an action", capabilities.get(&Capability::Settings)),
        PluginKind::Integration => ("an integration", capabilities.iter().find(|one| !integration(one))),
    };
    strange.map_or(Ok(()), |capability| Err(InstallError::NotForIt { kind, capability: *capability }))
}

/// The capabilities among a component's imports; anything else that is not mere types is refused.
fn capabilities(outside: &Outside) -> Result<BTreeSet<Capability>, InstallError> {
    let mut capabilities = BTreeSet::new();
    for import in &outside.imports {
        let found = capability(import).map_err(|fault| InstallError::Import { import: import.clone(), fault })?;
        capabilities.extend(found);
    }
    Ok(capabilities)
}
