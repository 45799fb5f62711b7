//! How long the switch takes to start with the demo office.

use super::Bench;
use crate::error::LoadError;
use crate::report::{Report, Row, at, eprint_line, ms};
use crate::switch::{Programs, Switch};

/// Starts that are timed.
const STARTS: usize = 5;

impl Bench<'_> {
    pub(super) fn start(&self, programs: &Programs, report: &mut Report) -> Result<(), LoadError> {
        eprint_line(&format!("starting the demo office {} times", STARTS + 1));
        let data = self.folder.join("demo");
        let mut times = Vec::new();
        for _ in 0..=STARTS {
            let switch = Switch::demo(programs, &data, self.cores)?;
            times.push(switch.started_in);
            switch.stop()?;
        }
        let first = times.remove(0);
        report.add(Row {
            key: "start_ms",
            what: "start with the demo office, actions compiled, ms p50".into(),
            switch: Some(ms(at(&mut times, 50))),
            bare: None,
            note: format!("{:.0} ms when they are not", ms(first)),
        });
        Ok(())
    }
}
