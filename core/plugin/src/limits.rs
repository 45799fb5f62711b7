//! What a run and a compilation may use. Everything here is a number with its reason.

use crate::GuestSize;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits of one run. They are pinned in its journal, in the form that [`Limits::pinned`] writes.
///
/// Times count what the guest uses: neither waits nor the rebuilding of a run that was put away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Guest CPU, metered by the epoch. An action needs well under a millisecond; half a second is a loop.
    pub cpu_ms_max: u32,
    /// From the start to the end, waits not counted: catches a run that starves on a full machine.
    pub active_ms_max: u32,
    /// Instructions in the inline engine, where the epoch does not tick: about a tenth of a second.
    pub fuel_max: u64,
    /// Linear memory. An action of the Rust SDK starts with just over 1 MiB.
    pub memory_bytes_max: u32,
    /// Elements of a table: indirect calls of a guest of a few megabytes.
    pub table_elements_max: u32,
    /// Core instances in the component: `wit-component` makes three of one module.
    pub instances_max: u32,
    /// Host calls. A menu that a caller walks through for an hour makes a few hundred.
    pub host_calls_max: u32,
    /// Arguments and results of all host calls, as the journal writes them.
    pub host_bytes_max: u32,
    /// Log lines; later ones are counted and dropped (`plugboard:switch/log`).
    pub log_lines_max: u32,
    /// The parameters' JSON.
    pub parameters_bytes_max: u32,
    /// A host call that waits longer has its run put away. Longer than answers from memory take, shorter than
    /// anything that a person or a network does.
    pub put_away_after_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_ms_max: 500,
            active_ms_max: 10_000,
            fuel_max: 100_000_000,
            memory_bytes_max: 16 << 20,
            table_elements_max: 10_000,
            instances_max: 8,
            host_calls_max: 10_000,
            host_bytes_max: 1 << 20,
            log_lines_max: 256,
            parameters_bytes_max: 64 << 10,
            put_away_after_ms: 20,
        }
    }
}

/// Python begins with 13 MiB; what it reads and answers in a call fits many times into the rest.
const LARGE_MEMORY_BYTES: u32 = 64 << 20;
/// Python's table begins with 5,706 elements.
const LARGE_TABLE_ELEMENTS: u32 = 40_000;
/// Core instances of a component that is linked of a library for each part of an interpreter: Python has 38 modules.
const LARGE_INSTANCES: u32 = 128;
/// An interpreter spends some fifty instructions on one of its own.
const LARGE_FUEL: u64 = 1_000_000_000;

impl Limits {
    /// The form that [`plugboard_model::RunPins::limits`] keeps: JSON with every field.
    pub fn pinned(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Limits::pinned`] wrote; `None` for another host's form.
    pub fn from_pinned(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The same for a guest of this size: what a large one needs more of is its own default wherever the small one's stands.
    #[must_use]
    pub fn of_size(self, size: GuestSize) -> Self {
        match size {
            GuestSize::Small => self,
            GuestSize::Large => {
                let (small, or) =
                    (Self::default(), |said: u32, small: u32, large: u32| if said == small { large } else { said });
                Self {
                    memory_bytes_max: or(self.memory_bytes_max, small.memory_bytes_max, LARGE_MEMORY_BYTES),
                    table_elements_max: or(self.table_elements_max, small.table_elements_max, LARGE_TABLE_ELEMENTS),
                    instances_max: or(self.instances_max, small.instances_max, LARGE_INSTANCES),
                    fuel_max: if self.fuel_max == small.fuel_max { LARGE_FUEL } else { self.fuel_max },
                    ..self
                }
            }
        }
    }

    /// What the values of one host call may take in the host's memory: a list of empty texts takes three times as much there as in
    /// the guest.
    pub(crate) fn host_values_bytes(&self) -> usize {
        usize::try_from(self.host_bytes_max).unwrap_or(usize::MAX)
    }

    /// How long a host call waits before its run is put away.
    pub(crate) fn put_away_after(&self) -> Duration {
        Duration::from_millis(u64::from(self.put_away_after_ms))
    }
}

/// Limits of a runner, which all its runs share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerLimits {
    /// Runs at once, put away ones included: the switch's 10,000 calls.
    pub runs_max: u32,
    /// Runs at once of one component, so that one plugin cannot take every place.
    pub runs_per_component_max: u32,
    /// Runs that wait with an instance because their journal is too long to rebuild them from: 36 KiB and more each.
    pub suspended_max: u32,
}

impl Default for RunnerLimits {
    fn default() -> Self {
        Self { runs_max: 10_000, runs_per_component_max: 8_000, suspended_max: 400 }
    }
}

/// Limits of a compilation, which neither fuel nor memory limits bound: 50,000 functions took 9.5 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// The component file. A Rust action has 60 KB; one with an interpreter inside is a large guest's ([`CompileLimits::large`]).
    pub bytes_max: usize,
    /// Functions in all its modules.
    pub functions_max: u32,
    /// One function's body: compile time grows faster than its size.
    pub body_bytes_max: u32,
    /// Modules and components nested in it.
    pub modules_max: u32,
    /// Wall time. The compiler cannot be stopped: past this its result is thrown away, and no other compilation
    /// starts before it ended.
    pub time_max: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            bytes_max: 8 << 20,
            functions_max: 20_000,
            body_bytes_max: 512 << 10,
            modules_max: 16,
            time_max: Duration::from_secs(30),
        }
    }
}

impl CompileLimits {
    /// Those of large guests. The switch compiles them as it does small ones: one at a time, on a thread that carries no call.
    pub fn large() -> Self {
        Self {
            // A Python action has 18.5 MB, of which the standard library is the most.
            bytes_max: 48 << 20,
            functions_max: 60_000,
            body_bytes_max: 1 << 20,
            modules_max: 128,
            time_max: Duration::from_secs(180),
        }
    }
}

/// A run is put away only while it can be rebuilt in well under a millisecond: at most so many host calls ...
pub(crate) const REBUILD_CALLS_MAX: usize = 256;
/// ... whose journal has at most so many bytes ...
pub(crate) const REBUILD_BYTES_MAX: usize = 64 << 10;
/// What the rebuilding of a run may take beyond a multiple of its first time: a tick, and what the machine is slow.
pub(crate) const REBUILD_CPU_SPARE: Duration = Duration::from_millis(5);
/// Rebuilding may take this many times what the run took the first time, plus a tick, before it counts as diverged.
pub(crate) const REBUILD_CPU_FACTOR: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_limits_read_back_and_another_hosts_form_is_refused() {
        let limits = Limits { cpu_ms_max: 7, ..Limits::default() };
        assert_eq!(Limits::from_pinned(&limits.pinned()), Some(limits));
        assert_eq!(Limits::from_pinned("{}"), None);
        assert_eq!(Limits::from_pinned(&limits.pinned().replace("cpu_ms_max", "cpu")), None);
    }
}
