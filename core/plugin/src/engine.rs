//! The wasmtime engine: deterministic, pooled, precompiled.

use crate::GuestSize;
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

impl PoolSize {
    /// The pool of large guests: each may have 64 MiB, so that all of them together fit a machine of a switch that has them.
    pub fn large() -> Self {
        Self { instances: 100, memory_bytes_max: 128 << 20 }
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

/// What one guest of an engine may consist of.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// The stack that a guest may use. Half of the fiber's, the other half is for host functions.
    guest_stack_bytes: usize,
    /// A fiber's stack; only touched pages cost memory.
    fiber_stack_bytes: usize,
    /// Core instances, memories and tables of one component.
    core_instances: u32,
    memories: u32,
    tables: u32,
    /// Whether one module sees several memories, as the code does that the compiler puts between components within one.
    multi_memory: bool,
    /// The most elements of a table that a limit may allow.
    table_elements: usize,
    /// Pages that a slot keeps after its run ended: what an action touches, so that the next one faults less.
    keep_resident_bytes: usize,
    /// Slots that are used again before others: few, so that their pages and stacks are still in the processor's caches.
    warm_slots: u32,
}

/// `wit-component` makes three core instances, one memory and two tables of a module.
const SMALL: Shape = Shape {
    guest_stack_bytes: 64 << 10,
    fiber_stack_bytes: 128 << 10,
    core_instances: 8,
    memories: 1,
    tables: 4,
    multi_memory: false,
    table_elements: 20_000,
    keep_resident_bytes: 64 << 10,
    warm_slots: 16,
};
/// An interpreter and the libraries that it is linked of. It recurses where a compiled guest loops.
const LARGE: Shape = Shape {
    guest_stack_bytes: 512 << 10,
    fiber_stack_bytes: 1 << 20,
    core_instances: 128,
    memories: 8,
    tables: 16,
    multi_memory: true,
    table_elements: 50_000,
    keep_resident_bytes: 512 << 10,
    warm_slots: 4,
};

/// An engine with its ticker, for guests of one size. Cheap to clone.
#[derive(Clone)]
pub struct PluginEngine {
    engine: wasmtime::Engine,
    metering: Metering,
    pool: PoolSize,
    shape: Shape,
    ticker: Option<Arc<Ticker>>,
    compile_limits: CompileLimits,
    fingerprint: [u8; 32],
    large_pool: PoolSize,
    large_compile_limits: CompileLimits,
}

impl PluginEngine {
    /// Makes an engine for small guests. That of the large ones is made when the first of them is installed.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn new(metering: Metering, pool: PoolSize) -> Result<Self, EngineError> {
        Self::shaped(metering, pool, SMALL, CompileLimits::default())
    }

    /// The engine for large guests that belongs to this one.
    pub(crate) fn for_large(&self) -> Result<Self, EngineError> {
        Self::shaped(self.metering, self.large_pool, LARGE, self.large_compile_limits)
    }

    fn shaped(
        metering: Metering,
        pool: PoolSize,
        shape: Shape,
        compile_limits: CompileLimits,
    ) -> Result<Self, EngineError> {
        let engine = wasmtime::Engine::new(&config(metering, pool, shape))
            .map_err(|cause| EngineError::Wasmtime { instances: pool.instances, cause: format!("{cause:#}") })?;
        let ticker = match metering {
            Metering::Epoch => Some(Arc::new(Ticker::start(engine.weak())?)),
            Metering::Fuel => None,
        };
        let fingerprint = fingerprint(&engine);
        let (large_pool, large_compile_limits) = (PoolSize::large(), CompileLimits::large());
        Ok(Self {
            engine,
            metering,
            pool,
            shape,
            ticker,
            compile_limits,
            fingerprint,
            large_pool,
            large_compile_limits,
        })
    }

    /// The same engine with other limits on the compilation of small guests.
    #[must_use]
    pub fn with_compile_limits(mut self, limits: CompileLimits) -> Self {
        self.compile_limits = limits;
        self
    }

    /// The same engine with another pool and other limits on compilation for large guests.
    #[must_use]
    pub fn with_large(mut self, pool: PoolSize, limits: CompileLimits) -> Self {
        (self.large_pool, self.large_compile_limits) = (pool, limits);
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
            && usize::try_from(limits.table_elements_max).is_ok_and(|elements| elements <= self.shape.table_elements)
            && limits.instances_max <= self.shape.core_instances
    }

    /// Instances in the pool of guests of this size.
    pub(crate) fn instances(&self, size: GuestSize) -> u32 {
        match size {
            GuestSize::Small => self.pool.instances,
            GuestSize::Large => self.large_pool.instances,
        }
    }

    /// The largest file that is compiled, whatever its size.
    pub(crate) fn bytes_max(&self) -> usize {
        self.compile_limits.bytes_max.max(self.large_compile_limits.bytes_max)
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

fn config(metering: Metering, pool: PoolSize, shape: Shape) -> Config {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(pool.instances)
        .total_core_instances(pool.instances.saturating_mul(shape.core_instances))
        .total_memories(pool.instances.saturating_mul(shape.memories))
        .total_tables(pool.instances.saturating_mul(shape.tables))
        .total_stacks(pool.instances)
        .max_core_instances_per_component(shape.core_instances)
        .max_memories_per_component(shape.memories)
        .max_tables_per_component(shape.tables)
        .max_memory_size(usize::try_from(pool.memory_bytes_max).unwrap_or(usize::MAX))
        .table_elements(shape.table_elements)
        .linear_memory_keep_resident(shape.keep_resident_bytes)
        .table_keep_resident(4 << 10)
        .async_stack_keep_resident(0)
        .max_unused_warm_slots(shape.warm_slots);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pooling))
        // Deterministic: the same inputs give the same run on every machine of the same architecture.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(shape.multi_memory)
        .max_wasm_stack(shape.guest_stack_bytes)
        .async_stack_size(shape.fiber_stack_bytes)
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
