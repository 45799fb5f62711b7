//! One instance of a component, from its store to its end.

use crate::admission::Admission;
use crate::catalogue::Installed;
use crate::guest::{Bounds, Guest, lock};
use crate::run::{Breach, RunState, SharedRun};
use crate::{Metering, PluginKind};
use plugboard_model::{OfficeId, RunEnd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use wasmtime::{Store, Trap};

/// What the guest returned, or why it did not.
type Returned = wasmtime::Result<Result<String, String>>;

/// A guest on its fiber. Dropping it frees the instance, wherever it stands; the run's state must not be locked then,
/// because the store gives its figures to it.
pub(crate) struct Instance {
    guest: Pin<Box<dyn Future<Output = Returned> + Send>>,
    _seat: Seat,
}

/// A runner's share of the engine's pool.
pub(crate) struct Seats {
    most: u32,
    taken: Arc<AtomicU32>,
    admission: Arc<Admission>,
}

/// One instance's place in the pool.
pub(crate) struct Seat {
    taken: Arc<AtomicU32>,
    admission: Arc<Admission>,
}

impl Seats {
    pub(crate) fn new(most: u32, admission: Arc<Admission>) -> Self {
        Self { most: most.max(1), taken: Arc::default(), admission }
    }

    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    pub(crate) fn full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) >= self.most
    }

    pub(crate) fn take(&self) -> Seat {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.admission.instance_made();
        Seat { taken: Arc::clone(&self.taken), admission: Arc::clone(&self.admission) }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
        self.admission.instance_dropped();
    }
}

/// What a slice of guest time came to.
pub(crate) enum Slice {
    /// It waits for the answer to a host call.
    Waits,
    /// Its slice is over; it goes on in the next one.
    Yielded,
    /// It ended.
    Ended(RunEnd),
}

/// A reason for people is cut here (`plugboard:switch`, world `action`).
const REASON_BYTES_MAX: usize = 1_024;

impl Instance {
    /// Prepares an instance; it begins with the first slice.
    pub(crate) fn new(
        installed: &Installed,
        office: &OfficeId,
        state: &SharedRun,
        parameters: &Arc<str>,
        seat: Seat,
    ) -> wasmtime::Result<Self> {
        let (engine, limits) = (installed.engine(), *lock(state).limits());
        let guest = Guest::to_run(office.clone(), Arc::clone(state), Bounds::of(&limits));
        let mut store = Store::new(engine.wasmtime(), guest);
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(limits.host_values_bytes());
        match engine.metering() {
            Metering::Epoch => {
                store.set_epoch_deadline(1);
                store.epoch_deadline_callback(|mut context| context.data_mut().ticked());
            }
            Metering::Fuel => store.set_fuel(limits.fuel_max)?,
        }
        let (work, parameters, state) = (installed.work().clone(), Arc::clone(parameters), Arc::clone(state));
        let metering = engine.metering();
        let guest = Box::pin(async move {
            let returned = work.run(&mut store, &parameters).await;
            if metering == Metering::Fuel {
                lock(&state).usage.fuel = limits.fuel_max.saturating_sub(store.get_fuel().unwrap_or(0));
            }
            returned
        });
        Ok(Self { guest, _seat: seat })
    }

    /// Runs the guest until it waits, ends or its slice is over.
    pub(crate) fn run(&mut self, state: &SharedRun, installed: &Installed) -> Slice {
        lock(state).slice_begins();
        // A panic of a host function ends this run and no other; its instance is dropped by the caller.
        let polled =
            catch_unwind(AssertUnwindSafe(|| self.guest.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
        let mut state = lock(state);
        let in_time = state.tick();
        match polled {
            Ok(Poll::Ready(returned)) => Slice::Ended(end_of(&state, installed, returned)),
            Ok(Poll::Pending) if state.waiting.is_some() => Slice::Waits,
            Ok(Poll::Pending) if in_time => Slice::Yielded,
            Ok(Poll::Pending) => Slice::Ended(breach_end(&state).unwrap_or(RunEnd::Cancelled)),
            Err(_) => Slice::Ended(RunEnd::Failed("the host panicked; this is a fault of the switch".into())),
        }
    }
}

/// How a run ended when its instance could not even be prepared.
pub(crate) fn never_began(state: &RunState, cause: &wasmtime::Error) -> RunEnd {
    trap_end(state, cause)
}

fn end_of(state: &RunState, installed: &Installed, returned: Returned) -> RunEnd {
    if let Some(end) = breach_end(state) {
        return end;
    }
    if state.rebuilding() {
        // Its record goes on, and it does not: whatever it returned, it is not the run that was put away.
        return RunEnd::Diverged { at: state.next() };
    }
    match returned {
        // What an integration answers the host has written itself.
        Ok(Ok(answer)) if installed.manifest().kind == PluginKind::Integration => RunEnd::Outcome(answer),
        Ok(Ok(outcome)) if installed.manifest().outcomes.iter().any(|known| known.name == outcome) => {
            RunEnd::Outcome(outcome)
        }
        Ok(Ok(outcome)) => RunEnd::Failed(cut(format!("it returned the outcome {outcome:?}, which it does not have"))),
        Ok(Err(reason)) => RunEnd::Failed(cut(reason)),
        Err(cause) => trap_end(state, &cause),
    }
}

fn breach_end(state: &RunState) -> Option<RunEnd> {
    Some(match state.breach.as_ref()? {
        Breach::Limit(limit) => RunEnd::Limit { limit: (*limit).to_owned(), after: state.host_calls() },
        Breach::Diverged { at, .. } | Breach::BeyondRecord { at, .. } => RunEnd::Diverged { at: *at },
        Breach::Failed(reason) => RunEnd::Failed(cut(reason.clone())),
    })
}

fn trap_end(state: &RunState, cause: &wasmtime::Error) -> RunEnd {
    let after = state.host_calls();
    let limit = |limit: &str| RunEnd::Limit { limit: limit.to_owned(), after };
    match cause.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => limit("stack"),
        Some(Trap::OutOfFuel) => limit("fuel"),
        Some(Trap::Interrupt) => limit("epoch"),
        // Most guests trap as a plain `unreachable` when they are refused memory.
        Some(_) | None if state.memory_refused => limit("memory"),
        Some(trap) => RunEnd::Trapped { reason: trap.to_string(), after },
        None if cause.is::<wasmtime::PoolConcurrencyLimitError>() => limit("instances"),
        // A value that is none, or more of them than a host call may give. What led there are addresses in the guest.
        None => RunEnd::Failed(cut(cause.root_cause().to_string())),
    }
}

fn cut(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
    reason
}
