//! What a relayed packet costs and how long it is under way, beside a bare relay and beside no relay at all.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Bench, Seen, known};
use crate::bare::BareRelay;
use crate::clock;
use crate::error::LoadError;
use crate::phones::{Heard, Phones};
use crate::process::Processes;
use crate::report::{Report, Row, at, eprint_line, ms};
use crate::sipp::Job;
use crate::switch::Switch;

/// Calls with RTP a second: they are set up before the measurement.
const RATE: u16 = 50;
/// Before a measurement: a source is learned, caches warm up.
const WARM: Duration = Duration::from_millis(500);

impl Bench<'_> {
    pub(super) fn relay(&self, switch: &Switch, report: &mut Report) -> Result<(), LoadError> {
        let (calls, seconds) = (self.options.relay_calls, self.options.relay_seconds);
        eprint_line(&format!("RTP of {calls} calls for {seconds} s: direct, bare relay, switch"));
        let mut phones = Phones::new(self.options.bind, usize::from(calls) * 2)?;
        let own = phones.addresses()?;
        let pairs: Vec<[SocketAddr; 2]> = own.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).collect();
        let swapped: Vec<SocketAddr> = pairs.iter().flat_map(|[one, other]| [*other, *one]).collect();
        let nothing = Processes(Vec::new());
        let (_, mut direct) = self.talk(&mut phones, &swapped, &nothing)?;
        let bare = BareRelay::start(self.cores, self.options.bind, &pairs)?;
        let to: Vec<SocketAddr> = bare.calls.iter().flatten().copied().collect();
        let (bare_seen, mut bare_heard) = self.talk(&mut phones, &to, &bare.processes())?;
        drop(bare);
        let (seen, mut heard) = self.through(&mut phones, &pairs, switch)?;
        let cost = |seen: &Seen, heard: &Heard| {
            ms(seen.switch) * 1_000.0 / f64::from(u32::try_from(heard.latencies.len()).unwrap_or(u32::MAX)).max(1.0)
        };
        report.add(Row {
            key: "relay_cpu_ms",
            what: format!("CPU of 1,000 relayed packets, {calls} calls, ms"),
            switch: known(switch, cost(&seen, &heard)),
            bare: Some(cost(&bare_seen, &bare_heard)),
            note: format!(
                "{} and {} of {} packets lost; {}",
                heard.lost(),
                bare_heard.lost(),
                heard.sent,
                seen.others()
            ),
        });
        for (key, percent) in [("relay_ms_p50", 50), ("relay_ms_p99", 99)] {
            let without = ms(at(&mut direct.latencies, percent));
            let with = ms(at(&mut heard.latencies, percent));
            report.add(Row {
                key,
                what: format!("latency of a packet, ms p{percent}"),
                switch: Some(with),
                bare: Some(ms(at(&mut bare_heard.latencies, percent))),
                note: format!("{without:.2} ms without a relay, so {:.2} ms added", with - without),
            });
        }
        Ok(())
    }

    fn talk(&self, phones: &mut Phones, to: &[SocketAddr], relay: &Processes) -> Result<(Seen, Heard), LoadError> {
        phones.talk(to, WARM)?;
        let watch = self.watch(relay);
        let heard = phones.talk(to, Duration::from_secs(self.options.relay_seconds.into()))?;
        Ok((self.seen(&watch, relay), heard))
    }

    /// Calls from the first to the second phone of each pair.
    fn through(
        &self,
        phones: &mut Phones,
        pairs: &[[SocketAddr; 2]],
        switch: &Switch,
    ) -> Result<(Seen, Heard), LoadError> {
        let answering: Vec<String> = pairs.iter().map(|[_, other]| other.port().to_string()).collect();
        let calling: Vec<String> = self
            .numbers()
            .iter()
            .cycle()
            .zip(pairs)
            .map(|(number, [one, _])| format!("{number};{}", one.port()))
            .collect();
        let callee = self.callee(switch.sip, &answering, true)?;
        let calls = u32::from(self.options.relay_calls);
        let set_up = Duration::from_secs((self.options.relay_calls / RATE + 5).into());
        let hold = set_up + WARM + Duration::from_secs(self.options.relay_seconds.into());
        let job = Job {
            name: "caller",
            local: self.caller,
            remote: switch.sip,
            fields: &calling,
            calls,
            rate: RATE.into(),
            hold,
            media: true,
        };
        let mut caller = self.generator.call(&job)?;
        let ports = pairs.len();
        let all_up = clock::wait_for(set_up, || callee.media().len() >= ports && caller.media().len() >= ports);
        if !all_up {
            let up = caller.media().len();
            return Err(LoadError::Failed(format!("only {up} of {ports} calls were answered within {set_up:?}")));
        }
        let peers: HashMap<u16, SocketAddr> = callee.media().into_iter().chain(caller.media()).collect();
        let to: Option<Vec<SocketAddr>> = pairs.iter().flatten().map(|own| peers.get(&own.port()).copied()).collect();
        let to = to.ok_or_else(|| LoadError::Failed("a phone has no media address".into()))?;
        let measured = self.talk(phones, &to, &switch.processes)?;
        let done = caller.finish(hold + Duration::from_secs(20))?;
        if done.failed > 0 {
            return Err(LoadError::Failed(format!("{} of {calls} calls with RTP failed", done.failed)));
        }
        Ok(measured)
    }
}
