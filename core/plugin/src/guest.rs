//! The store's data: how a guest's host calls meet its run.

use crate::run::{RunState, SharedRun, Step, Tick};
use plugboard_model::{HostCall, HostResult, OfficeId};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use wasmtime::{ResourceLimiter, UpdateDeadline};

/// What a store belongs to, and the limits on its memory.
pub(crate) struct Guest {
    purpose: Purpose,
    bounds: Bounds,
}

/// Why a guest was started.
enum Purpose {
    /// To say what it is, when it is installed. It may call nothing.
    Describe,
    /// To run. An integration has its office's settings.
    Run { office: OfficeId, state: SharedRun, settings: Option<String> },
}

/// Memory and table limits of one store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) memory_bytes_max: usize,
    pub(crate) table_elements_max: usize,
    pub(crate) instances_max: usize,
    /// The guest wanted more memory or table than it may have; a trap after that is the limit's.
    pub(crate) refused: bool,
    /// The most memory it had.
    pub(crate) memory_bytes: usize,
}

/// A host call ended the guest; the reason is in its [`RunState`].
#[derive(Debug)]
pub(crate) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host stopped the run")
    }
}

impl std::error::Error for Stopped {}

/// Locks a run's state. A panic of another holder left it whole: each change is one assignment or push.
pub(crate) fn lock(state: &Mutex<RunState>) -> MutexGuard<'_, RunState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The switch answered a host call with another one's result.
pub(crate) fn wrong_answer(call: &'static str) -> wasmtime::Error {
    wasmtime::Error::msg(format!(
        "the switch answered {call} with another call's result; this is a fault of the switch"
    ))
}

impl Guest {
    pub(crate) fn to_describe(bounds: Bounds) -> Self {
        Self { purpose: Purpose::Describe, bounds }
    }

    pub(crate) fn to_run(office: OfficeId, state: SharedRun, bounds: Bounds) -> Self {
        Self { purpose: Purpose::Run { office, state, settings: None }, bounds }
    }

    /// The call's own office: what ids of the guest belong to.
    pub(crate) fn office(&self) -> &OfficeId {
        /// While it describes itself a guest's ids lead nowhere; every call is refused after its arguments are read.
        static NO_OFFICE: std::sync::OnceLock<OfficeId> = std::sync::OnceLock::new();
        match &self.purpose {
            Purpose::Run { office, .. } => office,
            Purpose::Describe => NO_OFFICE.get_or_init(|| match OfficeId::new("none") {
                Ok(office) => office,
                Err(_) => unreachable!("`none` is a name: four letters a to z"),
            }),
        }
    }

    /// What an office has set for the integration that begins.
    pub(crate) fn set_settings(&mut self, told: String) {
        if let Purpose::Run { settings, .. } = &mut self.purpose {
            *settings = Some(told);
        }
    }

    /// The same, for the integration. Always the same in one run, so that no journal holds it.
    pub(crate) fn settings(&self) -> wasmtime::Result<&str> {
        match &self.purpose {
            Purpose::Run { settings: Some(settings), .. } => Ok(settings),
            Purpose::Run { .. } => {
                Err(wasmtime::Error::msg("an action has no settings; this is a fault of the switch"))
            }
            Purpose::Describe => Err(wasmtime::Error::msg("`describe` called settings.get; it may call no import")),
        }
    }

    /// Counts a log line; `false` past the limit.
    pub(crate) fn may_log(&mut self) -> bool {
        match &self.purpose {
            Purpose::Run { state, .. } => lock(state).may_log(),
            Purpose::Describe => true,
        }
    }

    /// Makes a host call: journals it, and waits for the answer if it is not known at once.
    pub(crate) async fn ask(&mut self, call: HostCall) -> wasmtime::Result<HostResult> {
        let state = match &self.purpose {
            Purpose::Run { state, .. } => state,
            Purpose::Describe => {
                return Err(wasmtime::Error::msg(format!(
                    "`describe` called {}; it may call no import",
                    call.interface()
                )));
            }
        };
        let step = lock(state).begin(call);
        match step {
            Step::Answered(result) => Ok(result),
            Step::Stopped => Err(wasmtime::Error::new(Stopped)),
            Step::Waits => {
                std::future::poll_fn(|_| match lock(state).take_answer() {
                    Some(result) => Poll::Ready(Ok(result)),
                    None => Poll::Pending,
                })
                .await
            }
        }
    }

    /// The epoch advanced while this guest runs. `Err` when its time is over.
    pub(crate) fn ticked(&mut self) -> wasmtime::Result<UpdateDeadline> {
        match &self.purpose {
            Purpose::Run { state, .. } => match lock(state).ticked() {
                Tick::GoOn => Ok(UpdateDeadline::Continue(1)),
                Tick::Yield => Ok(UpdateDeadline::Yield(1)),
                Tick::Over => Err(wasmtime::Error::new(Stopped)),
            },
            Purpose::Describe => Ok(UpdateDeadline::Continue(1)),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Purpose::Run { state, .. } = &self.purpose {
            let mut state = lock(state);
            state.memory_bytes = state.memory_bytes.max(self.bounds.memory_bytes);
            if self.bounds.refused {
                state.memory_refused = true;
            }
        }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.bounds.memory_bytes_max;
        if fits {
            self.bounds.memory_bytes = self.bounds.memory_bytes.max(desired);
        } else {
            self.bounds.refused = true;
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.bounds.table_elements_max;
        self.bounds.refused |= !fits;
        Ok(fits)
    }

    fn instances(&self) -> usize {
        self.bounds.instances_max
    }
}

impl Bounds {
    pub(crate) fn of(limits: &crate::Limits) -> Self {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            memory_bytes_max: size(limits.memory_bytes_max),
            table_elements_max: size(limits.table_elements_max),
            instances_max: size(limits.instances_max),
            refused: false,
            memory_bytes: 0,
        }
    }
}
