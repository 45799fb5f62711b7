//! What the kernel tells of processes and cores.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The kernel counts CPU time in hundredths of a second (`USER_HZ`, the same on every architecture that we know).
const TICK: Duration = Duration::from_millis(10);

/// Processes that together are one program.
#[derive(Debug, Clone)]
pub(crate) struct Processes(pub(crate) Vec<u32>);

impl Processes {
    /// The CPU time that they have had, threads that ended included.
    pub(crate) fn cpu(&self) -> Duration {
        self.0.iter().map(|pid| cpu_of(*pid)).sum()
    }

    /// Their resident memory in KB, as exact as the kernel knows it.
    pub(crate) fn resident_kb(&self) -> u64 {
        self.0.iter().map(|pid| resident_of(*pid)).sum()
    }

    /// Their open descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        let count = |pid: &u32| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        self.0.iter().map(count).sum()
    }
}

fn cpu_of(pid: u32) -> Duration {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return Duration::ZERO };
    // The second field is a name in brackets that may hold anything; utime and stime are fields 14 and 15.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: u32 =
        after.split_ascii_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

fn resident_of(pid: u32) -> u64 {
    let line = |file: &str, key: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    // `status` is off by what each core has not yet added up.
    line("smaps_rollup", "Rss:").or_else(|| line("status", "VmRSS:")).unwrap_or(0)
}

/// The kernel's own memory that is not to be given back, in KB: sockets are in it, and everything else of the machine.
pub(crate) fn kernel_kb() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("SUnreclaim:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The load average of a minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

/// The time that a core was busy, since the machine's start.
pub(crate) fn busy(core: usize) -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let name = format!("cpu{core}");
    let line = text.lines().find_map(|line| line.strip_prefix(&name).filter(|rest| rest.starts_with(' ')));
    let fields: Vec<u32> = line.unwrap_or_default().split_ascii_whitespace().filter_map(|f| f.parse().ok()).collect();
    // user, nice, system, then idle and iowait, then irq and softirq.
    let ticks = |from: usize, to: usize| fields.get(from..to).unwrap_or_default().iter().sum::<u32>();
    TICK * (ticks(0, 3) + ticks(5, 7))
}

/// Where the switch runs and where its load does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cores {
    /// Wherever the kernel puts them.
    Any,
    /// The switch alone on one, the load on all others.
    Apart {
        /// The switch's.
        switch: usize,
        /// How many there are.
        count: usize,
    },
}

impl Cores {
    /// The machine's cores, the switch on the last one unless told.
    pub(crate) fn new(wish: Option<usize>, no_pin: bool) -> Self {
        let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if no_pin || count < 2 {
            return Self::Any;
        }
        Self::Apart { switch: wish.unwrap_or(count - 1).min(count - 1), count }
    }

    /// How many cores the generator has.
    pub(crate) fn of_load(self) -> usize {
        match self {
            Self::Any => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            Self::Apart { count, .. } => count - 1,
        }
    }

    /// A command that runs a program on the switch's core.
    pub(crate) fn for_switch(self, program: PathBuf) -> Command {
        match self {
            Self::Any => Command::new(program),
            Self::Apart { switch, .. } => on(&switch.to_string(), program),
        }
    }

    /// A command that runs a program on the generator's cores.
    pub(crate) fn for_load(self, program: &str) -> Command {
        match self {
            Self::Any => Command::new(program),
            Self::Apart { switch, count } => on(&others(switch, count), program.into()),
        }
    }

    /// Moves processes that were not started here: ours to the generator's cores, a foreign switch to its own.
    pub(crate) fn place(self, pids: &[u32], switch_side: bool) {
        let Self::Apart { switch, count } = self else { return };
        let list = if switch_side { switch.to_string() } else { others(switch, count) };
        for pid in pids {
            // One that cannot be moved is measured where it is: CPU time is the same there.
            let moved = Command::new("taskset").args(["-a", "-c", "-p", &list, &pid.to_string()]).output();
            drop(moved);
        }
    }
}

fn on(list: &str, program: PathBuf) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", list]).arg(program);
    command
}

fn others(switch: usize, count: usize) -> String {
    let others: Vec<String> = (0..count).filter(|core| *core != switch).map(|core| core.to_string()).collect();
    others.join(",")
}
