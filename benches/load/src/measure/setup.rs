//! How much later a call is answered than without the switch.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Bench, NO_MEDIA};
use crate::clock;
use crate::error::LoadError;
use crate::probe::{Probe, SetUp};
use crate::report::{Report, Row, at, eprint_line, ms};
use crate::switch::Switch;

/// Between two calls of the probe: 50 a second.
const BETWEEN: Duration = Duration::from_millis(20);

impl Bench<'_> {
    pub(super) fn setup(&self, switch: &Switch, report: &mut Report) -> Result<(), LoadError> {
        eprint_line(&format!("{} calls one by one, through the switch and without it", self.options.calls));
        let _callee = self.callee(switch.sip, &[NO_MEDIA.to_string()], false)?;
        let direct = self.probe(self.phone)?;
        let through = self.probe(switch.sip)?;
        let rang = |all: &[SetUp]| all.iter().map(|set_up| set_up.rang).collect::<Vec<_>>();
        let answered = |all: &[SetUp]| all.iter().map(|set_up| set_up.answered).collect::<Vec<_>>();
        let steps = [
            ("until it rings", rang(&through), rang(&direct)),
            ("until it is answered", answered(&through), answered(&direct)),
        ];
        for (step, mut with, mut without) in steps {
            for (key, percent) in [("setup_ms_p50", 50), ("setup_ms_p99", 99)] {
                let (with, without) = (ms(at(&mut with, percent)), ms(at(&mut without, percent)));
                report.add(Row {
                    key,
                    what: format!("set-up {step}, ms p{percent}"),
                    switch: Some(with),
                    bare: Some(without),
                    note: format!("{:.2} ms added", with - without),
                });
            }
        }
        Ok(())
    }

    fn probe(&self, to: SocketAddr) -> Result<Vec<SetUp>, LoadError> {
        let probe = Probe::new(self.prober, to)?;
        let numbers = self.numbers();
        let mut all = Vec::new();
        for (n, number) in (0..self.options.calls).zip(numbers.iter().cycle()) {
            let next = clock::now() + BETWEEN;
            all.push(probe.call(n, number)?);
            clock::pass(next.saturating_duration_since(clock::now()));
        }
        Ok(all)
    }
}
