//! Calls a second.

use std::time::Duration;

use super::{Bench, HOLD, NO_MEDIA, Seen};
use crate::clock;
use crate::error::LoadError;
use crate::report::{Report, Row, eprint_line, ms};
use crate::sipp::Calls;
use crate::switch::Switch;

/// More failed calls than one in so many are too many.
const ONE_IN: u64 = 1_000;
/// The share of the wanted rate that counts as reached.
const REACHED: f64 = 0.97;
/// The share of its cores that makes a side full.
const FULL: f64 = 0.85;

/// What came of one rate.
struct Tried {
    rate: u32,
    calls: Calls,
    /// Calls a second that came to their end.
    reached: f64,
    seen: Seen,
    generator: Duration,
}

impl Bench<'_> {
    pub(super) fn rate(&self, switch: &mut Switch, report: &mut Report) -> Result<(), LoadError> {
        let (mut best, mut worst) = (Vec::new(), None);
        for rate in &self.options.rates {
            let tried = self.try_rate(switch, *rate, self.options.rate_seconds)?;
            if tried.is_good() {
                best.push(*rate);
            } else {
                worst = Some(tried);
                break;
            }
        }
        // A rate that holds for a while may still fill something up.
        while let Some(rate) = best.pop() {
            let tried = self.try_rate(switch, rate, self.options.proof_seconds)?;
            if !tried.is_good() {
                worst = Some(tried);
                continue;
            }
            let limit = worst.as_ref().map_or_else(
                || "no higher rate was tried".into(),
                |worst| format!("at {} {}", worst.rate, worst.words(self.cores.of_load())),
            );
            report.add(Row {
                key: "calls_per_second",
                what: format!("calls a second for {} s, less than 0.1 % failed", self.options.proof_seconds),
                switch: Some(tried.reached),
                bare: None,
                note: format!("{}; {limit}", tried.words(self.cores.of_load())),
            });
            report.add(Row {
                key: "cpu_ms_per_call_full",
                what: "CPU of a call at that rate, ms".into(),
                switch: super::known(
                    switch,
                    ms(tried.seen.switch) / f64::from(u32::try_from(tried.calls.begun).unwrap_or(1)),
                ),
                bare: None,
                note: String::new(),
            });
            return Ok(());
        }
        Err(LoadError::Failed("no rate could be held".into()))
    }

    fn try_rate(&self, switch: &mut Switch, rate: u32, seconds: u32) -> Result<Tried, LoadError> {
        let mut callee = self.callee(switch.sip, &[NO_MEDIA.to_string()], false)?;
        let calls = rate.saturating_mul(seconds);
        let watch = self.watch(&switch.processes);
        let mut caller = self.caller(switch.sip, calls, rate, HOLD)?;
        let done = caller.finish(Duration::from_secs(seconds.into()) * 3 + Duration::from_secs(90))?;
        let seen = self.seen(&watch, &switch.processes);
        if !switch.is_alive() {
            return Err(LoadError::Failed(format!("the switch ended at {rate} calls a second")));
        }
        let generator = caller.cpu() + callee.cpu();
        let time = seen.took.saturating_sub(HOLD).as_secs_f64();
        let reached = f64::from(u32::try_from(done.good).unwrap_or(u32::MAX)) / time.max(0.001);
        let tried = Tried { rate, calls: done, reached, seen, generator };
        eprint_line(&format!("  {rate} calls/s: {}", tried.words(self.cores.of_load())));
        // What a rate too high left behind must not fail the next one.
        if !tried.is_good() {
            clock::pass(Duration::from_secs(35));
        }
        Ok(tried)
    }
}

impl Tried {
    fn is_good(&self) -> bool {
        self.calls.failed * ONE_IN < self.calls.begun && self.reached >= f64::from(self.rate) * REACHED
    }

    fn words(&self, load_cores: usize) -> String {
        let share = |cpu: Duration| cpu.as_secs_f64() / self.seen.took.as_secs_f64().max(0.001);
        let (switch, generator) = (share(self.seen.switch), share(self.generator));
        let load_cores = f64::from(u32::try_from(load_cores).unwrap_or(1));
        let full = match (switch >= FULL, generator >= FULL * load_cores) {
            (true, true) => "both sides are full",
            (true, false) => "the switch is full",
            (false, true) => "the generator is full",
            (false, false) => "neither side is full",
        };
        format!(
            "{:.0}/s, {} of {} failed, {} messages sent again, switch {:.0} %, generator {:.0} % of a core: {full}; {}",
            self.reached,
            self.calls.failed,
            self.calls.begun,
            self.calls.repeated,
            100.0 * switch,
            100.0 * generator,
            self.seen.others()
        )
    }
}
