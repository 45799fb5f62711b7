//! CPU of a call over each transport, made by the same agents.

use plugboard_sip::flow::Transport;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::{Bench, HOLD, known};
use crate::agents::{Agent, Tally};
use crate::clock;
use crate::error::LoadError;
use crate::line::{Line, trust};
use crate::office;
use crate::report::{Report, Row, eprint_line, ms};
use crate::switch::{Programs, Switch};

/// Agents that call, and as many that answer.
const PAIRS: u32 = 200;
/// Caches are filled before.
const WARM: Duration = Duration::from_secs(4);

const TRANSPORTS: [(Transport, &str); 5] = [
    (Transport::Udp, "cpu_ms_per_call_udp"),
    (Transport::Tcp, "cpu_ms_per_call_tcp"),
    (Transport::Tls, "cpu_ms_per_call_tls"),
    (Transport::Ws, "cpu_ms_per_call_ws"),
    (Transport::Wss, "cpu_ms_per_call_wss"),
];

impl Bench<'_> {
    pub(super) fn transports(&self, programs: &Programs, report: &mut Report) -> Result<(), LoadError> {
        for (transport, key) in TRANSPORTS {
            let name = transport.name();
            eprint_line(&format!("{PAIRS} agents call as many over {name}, {} calls/s", self.options.rate));
            let folder = self.folder.join(format!("over-{name}"));
            std::fs::create_dir_all(&folder).map_err(LoadError::file(&folder))?;
            let document = office::document(PAIRS * 2, &[]);
            let switch = Switch::office(programs, &folder, self.cores, self.options.bind, &document)?;
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(LoadError::at("the agents' runtime"))?;
            let row = LocalSet::new().block_on(&runtime, self.over(transport, key, &switch));
            report.add(row?);
            switch.stop()?;
        }
        Ok(())
    }

    async fn over(&self, transport: Transport, key: &'static str, switch: &Switch) -> Result<Row, LoadError> {
        let failed = || LoadError::at(format!("an agent over {}", transport.name()));
        let certificate = switch.data.join("tls/certificate.pem");
        let tls = trust(&certificate).map_err(LoadError::file(&certificate))?;
        let to = switch.listens(transport.name())?;
        let opening = self.watch(&switch.processes);
        let mut agents = Vec::new();
        for user in office::numbers_of(PAIRS * 2) {
            let line = Line::open(transport, to, &tls).await.map_err(failed())?;
            let mut agent = Agent::new(user, line);
            agent.register().await.map_err(failed())?;
            agents.push((user, agent));
        }
        let opened = self.seen(&opening, &switch.processes);
        let half = usize::try_from(PAIRS).unwrap_or(0);
        let (tally, (stopping, stop)) = (Rc::new(Tally::default()), watch::channel(false));
        let every = Duration::from_secs(1) * PAIRS / self.options.rate.max(1);
        let began = Instant::now();
        let mut callers = Vec::new();
        for (called, ((_, caller), n)) in agents.split_off(half).into_iter().zip(agents.into_iter().zip(0..)) {
            let (other, callee) = called;
            tokio::task::spawn_local(callee.answers());
            let first = began + every * n / PAIRS;
            let calls = caller.calls(other, (first, every, HOLD), stop.clone(), Rc::clone(&tally));
            callers.push(tokio::task::spawn_local(calls));
        }
        clock::passes(WARM).await;
        let (watch, before) = (self.watch(&switch.processes), tally.good.get());
        let seconds = self.options.calls / self.options.rate.max(1);
        clock::passes(Duration::from_secs(seconds.into())).await;
        let (seen, calls) = (self.seen(&watch, &switch.processes), tally.good.get() - before);
        // Nobody is left but those who would be told.
        let _ = stopping.send(true);
        for caller in callers {
            let _ = caller.await;
        }
        if tally.failed.get() > 0 || calls == 0 {
            return Err(LoadError::Failed(format!("{} calls over {} failed", tally.failed.get(), transport.name())));
        }
        Ok(Row {
            key,
            what: format!("CPU of a call between two users over {}, ms", transport.name()),
            switch: known(switch, ms(seen.switch) / f64::from(calls)),
            bare: None,
            note: format!(
                "{calls} calls; {:.2} ms for a connection and its registration; {}",
                ms(opened.switch) / f64::from(PAIRS * 2),
                seen.others()
            ),
        })
    }
}
