//! CPU per call.

use std::time::Duration;

use super::{Bench, HOLD, NO_MEDIA, known};
use crate::clock;
use crate::error::LoadError;
use crate::report::{Report, Row, eprint_line, ms};
use crate::switch::Switch;

/// Calls that warm the caches; where fewer are measured, as many.
const WARM: u32 = 200;

impl Bench<'_> {
    pub(super) fn calls(&self, switch: &Switch, report: &mut Report) -> Result<(), LoadError> {
        let (calls, rate) = (self.options.calls, self.options.rate);
        eprint_line(&format!("{calls} calls at {rate} a second"));
        let _callee = self.callee(switch.sip, &[NO_MEDIA.to_string()], false)?;
        self.caller(switch.sip, WARM.min(calls), rate, HOLD)?.finish(Duration::from_mins(2))?;
        let idle = self.watch(&switch.processes);
        clock::pass(Duration::from_secs(2));
        let idle = self.seen(&idle, &switch.processes);
        let watch = self.watch(&switch.processes);
        let done = self.caller(switch.sip, calls, rate, HOLD)?.finish(Duration::from_mins(10))?;
        let seen = self.seen(&watch, &switch.processes);
        if done.failed > 0 {
            return Err(LoadError::Failed(format!("{} of {calls} calls failed at {rate} a second", done.failed)));
        }
        report.add(Row {
            key: "cpu_ms_per_call",
            what: format!("CPU of a call at {rate} calls/s, ms"),
            switch: known(switch, ms(seen.switch) / f64::from(calls)),
            bare: None,
            note: format!(
                "{} messages sent again; {:.1} % of a core without calls; {}",
                done.repeated,
                100.0 * idle.switch.as_secs_f64() / idle.took.as_secs_f64(),
                seen.others()
            ),
        });
        Ok(())
    }
}
