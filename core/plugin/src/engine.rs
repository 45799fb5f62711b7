//! The wasmtime engine: deterministic, pooled, precompiled.

use crate::limits::{CompileLimits, Limits};
use crate::ticker::{Busy, Ticker};
use sha2::{Digest, Sha256};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

/// What stops a guest that does not stop by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metering {
    /// A ticker thread advances the epoch every millisecond while guests run: for production.
    Epoch,
    /// Each instruction burns fuel, so that a run depends on its inputs alone: for the inline runner of a simulation.
    Fuel,
}

/// How many guests of which size the pool holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// Runs that have an instance at the same moment; put away runs have none. The kernel's `vm.max_map_count`
    /// (65,530 by default) ends at about 10,000.
    pub instances: u32,
    /// The most linear memory that [`crate::Limits::memory_bytes_max`] may allow.
    pub memory_bytes_max: u32,
}

impl Default for PoolSize {
    fn default() -> Self {
        Self { instances: 1_000, memory_bytes_max: 64 << 20 }
    }
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The pool's address space cannot be had, or the processor is not supported.
    #[error(
        "cannot make the plugin engine with {instances} instances: {cause} (fewer instances need less address space)"
    )]
    Wasmtime {
        /// The pool's size.
        instances: u32,
        /// What wasmtime says.
        cause: String,
    },
    /// The operating system gives no thread.
    #[error("cannot start the thread of the epoch ticker: {0}")]
    Ticker(#[from] std::io::Error),
}

/// The stack that a guest may use. Half of the fiber's, the other half is for host functions.
const GUEST_STACK_BYTES: usize = 64 << 10;
/// A fiber's stack; only touched pages cost memory.
const FIBER_STACK_BYTES: usize = 128 << 10;
/// Core instances, memories and tables of one component: `wit-component` makes three, one and two of a module.
const CORE_INSTANCES_PER_COMPONENT: u32 = 8;
const TABLES_PER_COMPONENT: u32 = 4;
/// The most elements of a table that a limit may allow.
const TABLE_ELEMENTS: usize = 20_000;
/// Pages that a slot keeps after its run ended: what a small action touches, so that the next one faults less.
const KEEP_RESIDENT_BYTES: usize = 64 << 10;
/// Slots that are used again before others: few, so that their pages and stacks are still in the processor's caches.
const WARM_SLOTS: u32 = 16;

/// An engine with its ticker. Cheap to clone.
#[derive(Clone)]
pub struct PluginEngine {
    engine: wasmtime::Engine,
    metering: Metering,
    pool: PoolSize,
    ticker: Option<Arc<Ticker>>,
    compile_limits: CompileLimits,
    fingerprint: [u8; 32],
}

impl PluginEngine {
    /// Makes an engine.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn new(metering: Metering, pool: PoolSize) -> Result<Self, EngineError> {
        let engine = wasmtime::Engine::new(&config(metering, pool))
            .map_err(|cause| EngineError::Wasmtime { instances: pool.instances, cause: format!("{cause:#}") })?;
        let ticker = match metering {
            Metering::Epoch => Some(Arc::new(Ticker::start(engine.weak())?)),
            Metering::Fuel => None,
        };
        let fingerprint = fingerprint(&engine);
        Ok(Self { engine, metering, pool, ticker, compile_limits: CompileLimits::default(), fingerprint })
    }

    /// The same engine with other limits on compilation.
    #[must_use]
    pub fn with_compile_limits(mut self, limits: CompileLimits) -> Self {
        self.compile_limits = limits;
        self
    }

    /// What stops a guest here.
    pub fn metering(&self) -> Metering {
        self.metering
    }

    /// Does the pool hold a run of these limits? What it does not hold it would refuse in the limiter's place, and the
    /// same run would then end differently on another host.
    pub(crate) fn holds(&self, limits: &Limits) -> bool {
        limits.memory_bytes_max <= self.pool.memory_bytes_max
            && usize::try_from(limits.table_elements_max).is_ok_and(|elements| elements <= TABLE_ELEMENTS)
            && limits.instances_max <= CORE_INSTANCES_PER_COMPONENT
    }

    /// Instances in the pool.
    pub(crate) fn instances(&self) -> u32 {
        self.pool.instances
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    pub(crate) fn compile_limits(&self) -> &CompileLimits {
        &self.compile_limits
    }

    /// SHA-256 over everything that compiled code depends on; the cache keeps files of one fingerprint apart.
    pub(crate) fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Keeps the epoch ticking until the guard is dropped.
    pub(crate) fn busy(&self) -> Option<Busy> {
        self.ticker.as_ref().map(Ticker::busy)
    }
}

impl std::fmt::Debug for PluginEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginEngine").field("metering", &self.metering).finish_non_exhaustive()
    }
}

fn config(metering: Metering, pool: PoolSize) -> Config {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(pool.instances)
        .total_core_instances(pool.instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(pool.instances)
        .total_tables(pool.instances.saturating_mul(TABLES_PER_COMPONENT))
        .total_stacks(pool.instances)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(1)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memory_size(usize::try_from(pool.memory_bytes_max).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(4 << 10)
        .async_stack_keep_resident(0)
        .max_unused_warm_slots(WARM_SLOTS);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pooling))
        // Deterministic: the same inputs give the same run on every machine of the same architecture.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .wasm_component_model(true)
        .concurrency_support(false);
    match metering {
        Metering::Epoch => config.epoch_interruption(true),
        Metering::Fuel => config.consume_fuel(true),
    };
    config
}

fn fingerprint(engine: &wasmtime::Engine) -> [u8; 32] {
    /// Feeds what wasmtime hashes to SHA-256: the 64 bits of the usual hasher would let two engines collide.
    struct Collector(Sha256);
    impl Hasher for Collector {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut collector = Collector(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut collector);
    collector.0.finalize().into()
}
