//! How many runs there may be at once, in all and of one component.

use crate::{ComponentId, RunnerLimits};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a run was not started. Its outcome is `failed`; the call goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// As many runs as [`RunnerLimits::runs_max`].
    #[error("{0} runs are under way, which is the limit")]
    RunsFull(u32),
    /// As many runs of this component as [`RunnerLimits::runs_per_component_max`].
    #[error("{0} runs of this plugin are under way, which is its limit")]
    ComponentFull(u32),
    /// The key is a running one's.
    #[error("a run under this key is under way")]
    Twice,
    /// The plugin threads have ended.
    #[error("the plugin threads have ended")]
    Ended,
}

/// Counts runs; shared by the threads of one driver.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: RunnerLimits,
    counts: Mutex<Counts>,
    /// Instances in memory.
    instances: AtomicU32,
}

#[derive(Debug, Default)]
struct Counts {
    runs: u32,
    by_component: BTreeMap<ComponentId, u32>,
}

/// A run's place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    component: ComponentId,
}

impl Admission {
    pub(crate) fn new(limits: RunnerLimits) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default(), instances: AtomicU32::new(0) })
    }

    pub(crate) fn take(self: &Arc<Self>, component: ComponentId) -> Result<Place, StartError> {
        let mut counts = self.counts();
        if counts.runs >= self.limits.runs_max {
            return Err(StartError::RunsFull(self.limits.runs_max));
        }
        let of_component = counts.by_component.entry(component).or_default();
        if *of_component >= self.limits.runs_per_component_max {
            return Err(StartError::ComponentFull(self.limits.runs_per_component_max));
        }
        *of_component += 1;
        counts.runs += 1;
        Ok(Place { admission: Arc::clone(self), component })
    }

    pub(crate) fn runs(&self) -> u32 {
        self.counts().runs
    }

    /// Runs that hold an instance, whether they compute or wait.
    pub(crate) fn instances(&self) -> u32 {
        self.instances.load(Ordering::Relaxed)
    }

    pub(crate) fn instance_made(&self) {
        self.instances.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn instance_dropped(&self) {
        self.instances.fetch_sub(1, Ordering::Relaxed);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts();
        counts.runs = counts.runs.saturating_sub(1);
        if let Some(of_component) = counts.by_component.get_mut(&self.component) {
            *of_component = of_component.saturating_sub(1);
            if *of_component == 0 {
                counts.by_component.remove(&self.component);
            }
        }
    }
}
