//! Runs an action under the real host, without a switch: for `cargo test`.
//!
//! ```no_run
//! use plugboard_testkit::{Connected, HostCall, Testkit, json, user, user_id};
//!
//! let testkit = Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap();
//! let report = testkit
//!     .run()
//!     .parameters(&json!({ "mode": "user", "target": "101" }))
//!     .user(user("ann", "101"))
//!     .on_ring(|_| Ok(Connected { user: Some(user_id("ann")), number: "101".into(), rang_ms: 3_000 }))
//!     .finish()
//!     .unwrap();
//! assert_eq!(report.outcome(), Some("answer"));
//! assert!(matches!(report.calls.last(), Some(HostCall::SetVariable { .. })));
//! ```
//!
//! The component runs in the host that a switch has, with its limits, and only the far side of each host call is a
//! script. What a script does not say: an audio plays to its end, no digit comes, nobody answers the telephone, nobody is
//! in the directory. Time is virtual; each host call that waits takes a second of it.
//!
//! Two things are checked in every run, because they must hold in every action. At each wait the run is dropped and
//! rebuilt from its record, and afterwards the whole record is replayed: an action that then asks for something else than
//! before fails here rather than in a call. And the variables that the manifest promises after an outcome must be there.

mod component;
mod office;
mod report;
mod script;
mod scripted;

pub use component::BuildError;
pub use office::{contact, contact_id, group, group_id, user, user_id};
pub use plugboard_model::{
    Argument, Audio, CallError, CallEvent, CallInfo, Candidate, Cause, CollectEnd, CollectRequest, Collected,
    ConferenceEnd, ConferenceRequest, Connected, DatabaseError, DatabaseRequest, DatabaseRows, DirectoryContact,
    DirectoryGroup, DirectoryUser, Distribution, FaxError, FaxOutcome, FaxReceived, FaxRequest, GroupId, HistoryError,
    HostCall, HttpError, HttpMethod, HttpRequest, HttpResponse, KnownContact, LeaveRequest, Line, LogLevel, MailAttach,
    MailContent, MailRequest, Mailbox, MailboxEnd, MailboxError, Member, MessageEnd, NotConnected, NotJoined,
    NoticeError, OutgoingPost, ParkEnd, ParkError, PlayEnd, PlayOptions, QueueEnd, QueueError, QueueRequest,
    RecordCall, RecordError, Responsible, RingBack, RingRequest, RunEnd, SetError, Skill, Speech, Talk, Target,
    TextRequest, Tone, UserId, UserPhones, UserStatus, Value, WallTime,
};
pub use plugboard_plugin::{Capability, DialGrant, Grants, InstallError, Limits, Manifest, RunUsage};
pub use report::Report;
pub use script::Run;
pub use scripted::{ScriptError, ScriptedCall};
pub use serde_json::{Value as Json, json};

use plugboard_plugin::{
    Catalogue, CompileLimits, EngineError, Installed, Metering, PluginEngine, PoolSize, ReplayRefused,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// An action, ready to run.
#[derive(Clone)]
pub struct Testkit {
    catalogue: Arc<Catalogue>,
    installed: Arc<Installed>,
}

/// Why an action cannot be tested, or broke a rule that every action keeps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestkitError {
    /// The component could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The machine gives no engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The host refuses the component.
    #[error("the host does not install the component: {0}")]
    Install(#[from] InstallError),
    /// The host has no place for the run.
    #[error("the host does not start the run: {0}")]
    Start(String),
    /// The run neither ended nor asked for anything.
    #[error("the run stands still after {0} host calls: report this as a fault of the host")]
    StandsStill(usize),
    /// The record could not be replayed.
    #[error("the run's record cannot be replayed: {0}")]
    Replay(#[from] ReplayRefused),
    /// Served with the same answers, the action asked for something else.
    #[error(
        "served with the same answers again, the action decided otherwise ({0}); it may not depend on anything else"
    )]
    Diverged(String),
    /// The manifest promises a variable that was not assigned.
    #[error("the manifest says that {variable} is assigned after the outcome {outcome}, and it is not")]
    Promise {
        /// The variable.
        variable: String,
        /// The outcome.
        outcome: String,
    },
}

/// Tests beside each other in one program share an engine; an action in a test waits in one instance at most.
const POOL: PoolSize = PoolSize { instances: 8, memory_bytes_max: 32 << 20 };
/// The same for an action that brings an interpreter.
const LARGE_POOL: PoolSize = PoolSize { instances: 4, memory_bytes_max: 128 << 20 };

/// What was built in this program already, by its package's folder.
static BUILT: Mutex<BTreeMap<PathBuf, Testkit>> = Mutex::new(BTreeMap::new());

impl Testkit {
    /// The action of the package in this folder: `Testkit::of(env!("CARGO_MANIFEST_DIR"))`.
    ///
    /// Builds it for `wasm32-unknown-unknown` with the profile `plugin`, once in a test program. Where the environment
    /// variable `PLUGBOARD_PLUGINS` names a folder with built components, the one named like the package's folder is
    /// taken from there.
    ///
    /// # Errors
    /// [`TestkitError::Build`], and those of [`Testkit::load`].
    pub fn of(package: impl AsRef<Path>) -> Result<Self, TestkitError> {
        let package = package.as_ref();
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = built.get(package) {
            return Ok(known.clone());
        }
        let testkit = Self::load(&component::of(package)?)?;
        built.insert(package.to_owned(), testkit.clone());
        Ok(testkit)
    }

    /// The action in this file: a component, or a core module with the world of the SDK.
    ///
    /// # Errors
    /// [`TestkitError::Install`] when the host refuses it, [`TestkitError::Engine`].
    pub fn load(wasm: &[u8]) -> Result<Self, TestkitError> {
        let engine = PluginEngine::new(Metering::Fuel, POOL)?.with_large(LARGE_POOL, CompileLimits::large());
        let catalogue = Arc::new(Catalogue::new(engine, None));
        let installed = catalogue.install(wasm)?;
        Ok(Self { catalogue, installed })
    }

    /// What the action says about itself, as the host checked it.
    pub fn manifest(&self) -> &Manifest {
        self.installed.manifest()
    }

    /// The component's size in bytes.
    pub fn size(&self) -> usize {
        self.installed.bytes().len()
    }

    /// Every interface that the component imports, such as `plugboard:switch/call@0.1.0`, in its order.
    pub fn imports(&self) -> Vec<String> {
        component::imports(self.installed.bytes())
    }

    /// A run that can be given its script.
    pub fn run(&self) -> Run<'_> {
        Run::new(self)
    }

    pub(crate) fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    pub(crate) fn installed(&self) -> &Installed {
        &self.installed
    }
}

impl std::fmt::Debug for Testkit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Testkit").field("installed", &self.installed).finish_non_exhaustive()
    }
}

/// Builds the package in this folder for `wasm32-unknown-unknown` with the profile `plugin`, and makes a component of it.
///
/// # Errors
/// [`BuildError`].
pub fn build(package: &Path) -> Result<Vec<u8>, BuildError> {
    component::made(package)
}
