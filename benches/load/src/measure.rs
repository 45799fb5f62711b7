//! The measurements, in turn.

mod calls;
mod held;
mod queue;
mod rate;
mod registrar;
mod relay;
mod setup;
mod start;
mod transports;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::clock;
use crate::error::LoadError;
use crate::office;
use crate::options::{Options, Part};
use crate::process::{self, Cores, Processes};
use crate::report::{Report, eprint_line};
use crate::sipp::{Generator, Job, Sipp};
use crate::switch::{Programs, Switch};

/// A port that nobody listens on; calls without RTP name it as theirs.
const NO_MEDIA: u16 = 40_000;
/// How long a call is held where many are made: as in the figures of other switches.
const HOLD: Duration = Duration::from_secs(1);
/// Registrations a second: the digest of each costs more than a call's.
const REGISTER_RATE: u32 = 500;

/// Everything that the parts share.
pub(crate) struct Bench<'a> {
    options: &'a Options,
    folder: PathBuf,
    cores: Cores,
    generator: Generator,
    caller: SocketAddr,
    prober: SocketAddr,
    phone: SocketAddr,
}

/// The CPU of the switch and of the generator over a stretch of time, and what others took of the switch's core.
struct Watch {
    began: Instant,
    switch: Duration,
    busy: Duration,
}

/// What a [`Watch`] saw.
struct Seen {
    took: Duration,
    switch: Duration,
    /// Of the switch's core, by everybody.
    busy: Duration,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(options: &'a Options, folder: &Path) -> Result<Self, LoadError> {
        let cores = Cores::new(options.switch_core, options.no_pin);
        // Descendants that are the switch are put on their own core when they start.
        cores.place(&[std::process::id()], false);
        let at = |port: u16| SocketAddr::new(options.bind, port);
        let next = options.callers.checked_add(1).ok_or(LoadError::Failed("--callers is the last port".into()))?;
        Ok(Self {
            options,
            folder: folder.to_owned(),
            cores,
            generator: Generator { folder: folder.to_owned(), cores },
            caller: at(options.callers),
            prober: at(next),
            phone: at(options.phones),
        })
    }

    /// Measures every part that is wanted.
    pub(crate) fn run(&mut self, report: &mut Report) -> Result<(), LoadError> {
        let programs = if self.options.target.is_none() { Some(Programs::find(self.options)?) } else { None };
        if let Some(programs) = programs.as_ref().filter(|_| self.options.wants(Part::Start)) {
            self.start(programs, report)?;
        }
        if let Some(programs) = programs.as_ref().filter(|_| self.options.wants(Part::Registrar)) {
            self.registrar(programs, report)?;
        }
        if let Some(programs) = programs.as_ref().filter(|_| self.options.wants(Part::Transports)) {
            self.transports(programs, report)?;
        }
        if let Some(programs) = programs.as_ref().filter(|_| self.options.wants(Part::Queue)) {
            self.queue(programs, report)?;
        }
        if !Part::of_calls().iter().any(|part| self.options.wants(*part)) {
            return Ok(());
        }
        let mut switch = self.open(programs.as_ref())?;
        if self.options.wants(Part::Calls) {
            self.calls(&switch, report)?;
        }
        if self.options.wants(Part::Setup) {
            self.setup(&switch, report)?;
        }
        if self.options.wants(Part::Relay) {
            self.relay(&switch, report)?;
        }
        if self.options.wants(Part::Held) {
            self.held(&switch, report)?;
        }
        if self.options.wants(Part::Rate) {
            self.rate(&mut switch, report)?;
        }
        if switch.is_alive() { switch.stop() } else { Err(LoadError::Failed("the switch ended on its own".into())) }
    }

    /// The switch, ready to carry calls.
    fn open(&self, programs: Option<&Programs>) -> Result<Switch, LoadError> {
        if let Some(target) = self.options.target {
            return Ok(Switch::foreign(target, &self.options.pid, self.cores));
        }
        let programs = programs.ok_or_else(|| LoadError::Failed("no switch to start".into()))?;
        eprint_line(&format!("starting a switch with an office of {} users", office::USERS));
        let switch = Switch::load(programs, &self.folder, self.cores, &[self.caller, self.prober])?;
        eprint_line("registering them");
        let fields = office::credentials(office::USERS);
        self.generator.register(&Job {
            name: "register",
            local: self.phone,
            remote: switch.sip,
            fields: &fields,
            calls: office::USERS,
            rate: REGISTER_RATE,
            hold: Duration::ZERO,
            media: false,
        })?;
        Ok(switch)
    }

    /// The numbers to dial, in turn.
    fn numbers(&self) -> Vec<String> {
        match self.options.target {
            Some(_) => vec![self.options.number.clone()],
            None => office::numbers().map(|number| number.to_string()).collect(),
        }
    }

    /// Fields of callers that send no RTP.
    fn silent(&self) -> Vec<String> {
        self.numbers().iter().map(|number| format!("{number};{NO_MEDIA}")).collect()
    }

    /// Answers calls until it is dropped.
    fn callee(&self, switch: SocketAddr, fields: &[String], media: bool) -> Result<Sipp, LoadError> {
        self.generator.answer(&Job {
            name: "callee",
            local: self.phone,
            remote: switch,
            fields,
            calls: 0,
            rate: 1,
            hold: Duration::ZERO,
            media,
        })
    }

    /// Makes calls without RTP.
    fn caller(&self, to: SocketAddr, calls: u32, rate: u32, hold: Duration) -> Result<Sipp, LoadError> {
        let fields = self.silent();
        let local = self.caller;
        self.generator.call(&Job {
            name: "caller",
            local,
            remote: to,
            fields: &fields,
            calls,
            rate,
            hold,
            media: false,
        })
    }

    fn watch(&self, switch: &Processes) -> Watch {
        Watch { began: clock::now(), switch: switch.cpu(), busy: self.busy() }
    }

    fn seen(&self, watch: &Watch, switch: &Processes) -> Seen {
        Seen {
            took: clock::now() - watch.began,
            switch: switch.cpu().saturating_sub(watch.switch),
            busy: self.busy().saturating_sub(watch.busy),
        }
    }

    fn busy(&self) -> Duration {
        match self.cores {
            Cores::Any => Duration::ZERO,
            Cores::Apart { switch, .. } => process::busy(switch),
        }
    }
}

impl Seen {
    /// How disturbed it was, for a note.
    fn others(&self) -> String {
        let share = |time: Duration| 100.0 * time.as_secs_f64() / self.took.as_secs_f64().max(0.001);
        let others = share(self.busy.saturating_sub(self.switch));
        format!("{others:.0} % of the switch's core went to others")
    }
}

/// A figure of a switch whose processes are known.
fn known(switch: &Switch, figure: f64) -> Option<f64> {
    (!switch.processes.0.is_empty()).then_some(figure)
}
