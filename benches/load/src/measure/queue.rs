//! Callers who wait in one queue with music: what they cost, and in which order they are served.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::{Bench, NO_MEDIA, known};
use crate::clock;
use crate::error::LoadError;
use crate::office;
use crate::report::{Report, Row, eprint_line, ms};
use crate::sipp::{Job, Sipp};
use crate::switch::{Programs, Switch};

/// People who serve the queue.
const AGENTS: u32 = 50;
/// Callers who come in a second.
const RATE: u32 = 100;
/// All of them wait so long before the first is served, and what that takes is measured.
const WAIT: Duration = Duration::from_secs(10);
/// How long each is talked to.
const TALK: Duration = Duration::from_millis(100);
/// Rounds: pools and caches are filled in the first, the second is what callers cost.
const ROUNDS: usize = 2;
/// After the last is served: the transactions of a call live for 32 s more.
const LEAVE: Duration = Duration::from_secs(40);
/// The first caller's number; the others follow.
const FIRST: u32 = 3_000_000;

impl Bench<'_> {
    pub(super) fn queue(&self, programs: &Programs, report: &mut Report) -> Result<(), LoadError> {
        let folder = self.folder.join("queue");
        std::fs::create_dir_all(&folder).map_err(LoadError::file(&folder))?;
        let music = folder.join("music.wav");
        std::fs::write(&music, office::music()).map_err(LoadError::file(&music))?;
        let document = office::hotline(AGENTS, &[self.caller]);
        let mut switch = Switch::office(programs, &folder, self.cores, self.options.bind, &document)?;
        for round in 1..=ROUNDS {
            self.agents_come(programs, &switch)?;
            self.in_queue(programs, &switch, round, report)?;
            if round < ROUNDS {
                clock::pass(LEAVE);
            }
        }
        if switch.is_alive() { switch.stop() } else { Err(LoadError::Failed("the switch ended on its own".into())) }
    }

    fn in_queue(
        &self,
        programs: &Programs,
        switch: &Switch,
        round: usize,
        report: &mut Report,
    ) -> Result<(), LoadError> {
        let callers = self.options.waiting;
        eprint_line(&format!("{callers} callers come to wait in one queue, round {round} of {ROUNDS}"));
        // It takes the packets in and throws them away when it is full.
        let sink = SocketAddr::new(self.options.bind, NO_MEDIA);
        let _sink = UdpSocket::bind(sink).map_err(LoadError::at(format!("the callers' port {sink}")))?;
        let numbers: Vec<u32> = (FIRST..FIRST + callers).collect();
        let fields: Vec<String> = numbers.iter().map(|number| format!("300;{NO_MEDIA};{number}")).collect();
        let before = switch.processes.resident_kb();
        let job = Job {
            name: "waiters",
            local: self.caller,
            remote: switch.sip,
            fields: &fields,
            calls: callers,
            rate: RATE,
            hold: Duration::from_hours(1),
            media: false,
        };
        let mut waiters = self.generator.wait(&job)?;
        let coming = Duration::from_secs((callers / RATE + 60).into());
        let waiting = || switch.sample("plugboard_queue_waiting");
        if !clock::wait_for(coming, || waiting() >= Some(f64::from(callers))) {
            return Err(LoadError::Failed(format!("only {:?} of {callers} callers wait", waiting())));
        }
        let watch = self.watch(&switch.processes);
        clock::pass(WAIT);
        let (seen, during) = (self.seen(&watch, &switch.processes), switch.processes.resident_kb());
        let grown = during.saturating_sub(before);
        let kb = f64::from(u32::try_from(grown).unwrap_or(u32::MAX));
        report.add(Row {
            key: if round == ROUNDS { "queue_mb" } else { "queue_mb_cold" },
            what: format!("memory of {callers} callers in a queue, round {round}, MB"),
            switch: known(switch, kb / 1_024.0),
            bare: None,
            note: format!(
                "{:.1} KB each; {:.0} MB before; {:.0} % of a core plays music; {}",
                kb / f64::from(callers.max(1)),
                f64::from(u32::try_from(before).unwrap_or(u32::MAX)) / 1_024.0,
                100.0 * ms(seen.switch) / ms(seen.took),
                seen.others()
            ),
        });
        let began = clock::now();
        let agents = self.agents_serve(programs, switch)?;
        let done = waiters.finish(coming * 4)?;
        let took = clock::now() - began;
        if done.failed > 0 {
            return Err(LoadError::Failed(format!("{} of {callers} callers were not served", done.failed)));
        }
        let late = displaced(&agents.served(), &numbers)?;
        report.add(Row {
            key: "queue_places",
            what: "places by which a caller was served later or earlier than he came".into(),
            switch: Some(f64::from(late)),
            bare: None,
            note: format!(
                "{AGENTS} people ring at once; all were served within {:.0} s, {:.0} a second",
                took.as_secs_f64(),
                f64::from(callers) / took.as_secs_f64().max(0.001)
            ),
        });
        Ok(())
    }

    /// Those who serve register, and are away for now.
    fn agents_come(&self, programs: &Programs, switch: &Switch) -> Result<(), LoadError> {
        for number in office::numbers_of(AGENTS) {
            switch.command(programs, &["user", "status", "--office", "load", &number.to_string(), "away"])?;
        }
        self.generator.register(&Job {
            name: "register-agents",
            local: self.phone,
            remote: switch.sip,
            fields: &office::credentials(AGENTS),
            calls: AGENTS,
            rate: AGENTS,
            hold: Duration::ZERO,
            media: false,
        })
    }

    /// They begin to serve.
    fn agents_serve(&self, programs: &Programs, switch: &Switch) -> Result<Sipp, LoadError> {
        let agents = self.generator.serve(&Job {
            name: "agents",
            local: self.phone,
            remote: switch.sip,
            fields: &[NO_MEDIA.to_string()],
            calls: 0,
            rate: 1,
            hold: TALK,
            media: true,
        })?;
        for number in office::numbers_of(AGENTS) {
            switch.command(programs, &["user", "status", "--office", "load", &number.to_string(), "available"])?;
        }
        Ok(agents)
    }
}

/// How many places one is at most away from his own.
fn displaced(served: &[u32], came: &[u32]) -> Result<u32, LoadError> {
    let mut sorted = served.to_vec();
    sorted.sort_unstable();
    if sorted != came {
        return Err(LoadError::Failed(format!("{} of {} callers were served, each once", served.len(), came.len())));
    }
    let away = (FIRST..).zip(served).map(|(place, number)| place.abs_diff(*number));
    Ok(away.max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_served_out_of_his_turn_is_seen_and_so_is_who_is_not_served() {
        let came: Vec<u32> = (FIRST..FIRST + 4).collect();
        assert_eq!(displaced(&came, &came).unwrap(), 0);
        assert_eq!(displaced(&[FIRST, FIRST + 2, FIRST + 3, FIRST + 1], &came).unwrap(), 2);
        assert!(displaced(&came[1..], &came).is_err());
        assert!(displaced(&[FIRST, FIRST, FIRST + 2, FIRST + 3], &came).is_err());
    }
}
