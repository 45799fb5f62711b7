//! Memory per held call.

use std::time::Duration;

use super::{Bench, NO_MEDIA, known};
use crate::clock;
use crate::error::LoadError;
use crate::process;
use crate::report::{Report, Row, eprint_line};
use crate::sipp::Sipp;
use crate::switch::Switch;

/// Calls set up a second.
const RATE: u32 = 100;
/// After hang-up: the transactions of a call live for 32 s more.
const LEAVE: Duration = Duration::from_secs(40);
/// Rounds: caches are filled in the first, the second is measured.
const ROUNDS: usize = 2;

/// Memory in KB: the switch's own and the machine's kernel.
#[derive(Clone, Copy)]
struct Memory {
    resident: u64,
    kernel: u64,
    descriptors: usize,
}

impl Bench<'_> {
    pub(super) fn held(&self, switch: &Switch, report: &mut Report) -> Result<(), LoadError> {
        if switch.processes.0.is_empty() {
            eprint_line("memory is not to be known without --pid");
            return Ok(());
        }
        let calls = self.options.calls;
        let _callee = self.callee(switch.sip, &[NO_MEDIA.to_string()], false)?;
        for round in 1..=ROUNDS {
            eprint_line(&format!("{calls} calls held, round {round} of {ROUNDS}"));
            let before = memory(switch);
            let up = Duration::from_secs((calls / RATE + 4).into());
            let mut caller = self.caller(switch.sip, calls, RATE, up)?;
            let all_up = clock::wait_for(up, || caller.calls().live >= u64::from(calls));
            let during = memory(switch);
            if !all_up {
                return Err(LoadError::Failed(format!("only {} of {calls} calls were up", caller.calls().live)));
            }
            ended(&mut caller, calls)?;
            clock::pass(LEAVE);
            let after = memory(switch);
            let each = |more: u64, less: u64| (f64_of(more) - f64_of(less)) / f64::from(calls);
            let kept = each(after.resident, before.resident);
            report.add(Row {
                key: if round == ROUNDS { "held_kb" } else { "held_kb_cold" },
                what: format!("memory of a held call, {calls} calls, round {round}, KB"),
                switch: known(switch, each(during.resident, before.resident)),
                bare: None,
                note: format!(
                    "{kept:.1} KB kept {} s after hang-up; {} descriptors; kernel of the whole machine {:.1} KB",
                    LEAVE.as_secs(),
                    during.descriptors.saturating_sub(before.descriptors),
                    each(during.kernel, before.kernel)
                ),
            });
        }
        Ok(())
    }
}

fn memory(switch: &Switch) -> Memory {
    Memory {
        resident: switch.processes.resident_kb(),
        kernel: process::kernel_kb(),
        descriptors: switch.processes.descriptors(),
    }
}

fn ended(caller: &mut Sipp, calls: u32) -> Result<(), LoadError> {
    let done = caller.finish(Duration::from_mins(3))?;
    if done.failed == 0 { Ok(()) } else { Err(LoadError::Failed(format!("{} of {calls} calls failed", done.failed))) }
}

fn f64_of(kb: u64) -> f64 {
    f64::from(u32::try_from(kb).unwrap_or(u32::MAX))
}
