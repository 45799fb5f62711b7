//! Runs plugin components within their limits.
//!
//! An action is a component that may call nothing but the interfaces of `plugboard:switch` that its route grants.
//! A [`Catalogue`] holds the installed ones; a [`Runner`] runs them, an instance per run, journals every host call
//! and puts away runs that wait; [`PluginThreads`] drives runners on threads of their own. [`replay`] reproduces a
//! run's decisions from its journal.
//!
//! One module per WIT version (`v0_1_0`), in it one per capability.

mod admission;
mod cache;
mod capability_texts;
mod catalogue;
mod clock;
mod compile;
mod directory;
mod engine;
mod grants;
mod guest;
mod inspection;
mod instance;
pub mod integration;
mod interface;
mod limits;
mod manifest;
mod replay;
mod run;
mod runner;
mod size;
mod threads;
mod ticker;
mod v0_1_0;

pub use admission::StartError;
pub use cache::{CacheError, CompiledCache};
pub use catalogue::{Catalogue, ComponentId, InstallError, Installed};
pub use clock::Clock;
pub use compile::CompileError;
pub use directory::Directory;
pub use engine::{EngineError, Metering, PluginEngine, PoolSize};
pub use grants::{Capability, DialGrant, Grants};
pub use inspection::{Import, Inspection};
pub use interface::ImportFault;
pub use limits::{CompileLimits, Limits, RunnerLimits};
pub use manifest::{Manifest, ManifestError, Offer, Outcome, PluginKind, SetsVariable, Texts};
pub use plugboard_componentize::{ComponentizeError, componentize};
pub use replay::{ReplayRefused, ReplayReport, Verdict, replay};
pub use run::{RunEvent, RunKey, RunSpec, RunUsage, host_call_hash};
pub use runner::Runner;
pub use size::GuestSize;
pub use threads::{PluginThreads, Sink, ThreadsError};
