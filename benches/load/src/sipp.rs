//! sipp, which makes and answers the calls.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::clock;
use crate::error::LoadError;
use crate::process::{Cores, Processes};

const CALLER: &str = include_str!("../scenarios/caller.xml");
const CALLEE: &str = include_str!("../scenarios/callee.xml");
const WAITER: &str = include_str!("../scenarios/waiter.xml");
const AGENT: &str = include_str!("../scenarios/agent.xml");
const REGISTER: &str = include_str!("../scenarios/register.xml");
/// Where the scenarios put what is logged about media.
const MEDIA: &str = "<!-- media -->";
/// Logs which port of ours talks to which address: own port, address, port.
const LOG_MEDIA: &str = "<action>\
    <ereg regexp=\"m=audio ([0-9]+)\" search_in=\"msg\" assign_to=\"line,port\"/>\
    <ereg regexp=\"c=IN IP4 ([0-9.]+)\" search_in=\"msg\" assign_to=\"line,ip\"/>\
    <log message=\"media [OWN] [$ip] [$port]\"/>\
    </action>";

/// What sipp is to do.
pub(crate) struct Job<'a> {
    /// A name for its files.
    pub(crate) name: &'a str,
    /// Its own address.
    pub(crate) local: SocketAddr,
    /// Whom it talks to.
    pub(crate) remote: SocketAddr,
    /// Its lines of fields.
    pub(crate) fields: &'a [String],
    /// Calls, and calls a second.
    pub(crate) calls: u32,
    pub(crate) rate: u32,
    /// How long a call is held.
    pub(crate) hold: Duration,
    /// Media addresses are logged.
    pub(crate) media: bool,
}

/// A running sipp.
pub(crate) struct Sipp {
    child: Child,
    name: String,
    statistics: PathBuf,
    log: PathBuf,
    cpu: Duration,
}

/// What came of its calls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Calls {
    /// Begun.
    pub(crate) begun: u64,
    /// That go on.
    pub(crate) live: u64,
    /// As the scenario says.
    pub(crate) good: u64,
    /// Not so.
    pub(crate) failed: u64,
    /// Messages sent again.
    pub(crate) repeated: u64,
}

/// Starts sipp in these folders and on these cores.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    /// Where its files go.
    pub(crate) folder: PathBuf,
    /// Where it runs.
    pub(crate) cores: Cores,
}

impl Generator {
    /// Registers every line of `fields` (user; credentials) and waits until it is done.
    pub(crate) fn register(&self, job: &Job<'_>) -> Result<(), LoadError> {
        let mut sipp = self.start(job, REGISTER)?;
        let calls = sipp.finish(Duration::from_mins(2))?;
        if calls.good < u64::from(job.calls) {
            return Err(LoadError::Failed(format!("only {} of {} users could register", calls.good, job.calls)));
        }
        Ok(())
    }

    /// Begins to call. A line of fields is a number and the port where the caller hears.
    pub(crate) fn call(&self, job: &Job<'_>) -> Result<Sipp, LoadError> {
        self.start(job, &scenario(CALLER, job.media.then_some("field1")))
    }

    /// Begins to call, and waits to be hung up on. A line of fields is a number, the port where the caller hears and his own number.
    pub(crate) fn wait(&self, job: &Job<'_>) -> Result<Sipp, LoadError> {
        self.start(job, WAITER)
    }

    /// Begins to answer, until it is dropped. A line of fields is the port where the called side hears.
    pub(crate) fn answer(&self, job: &Job<'_>) -> Result<Sipp, LoadError> {
        self.listen(job, &scenario(CALLEE, job.media.then_some("field0")))
    }

    /// The same, and hangs up after a while; with media, [`Sipp::served`] tells who called.
    pub(crate) fn serve(&self, job: &Job<'_>) -> Result<Sipp, LoadError> {
        self.listen(job, AGENT)
    }

    fn listen(&self, job: &Job<'_>, scenario: &str) -> Result<Sipp, LoadError> {
        let sipp = self.start(job, scenario)?;
        // It says nothing when it listens; its port is taken then.
        let listens = || std::net::UdpSocket::bind(job.local).is_err();
        if clock::wait_for(Duration::from_secs(30), listens) {
            Ok(sipp)
        } else {
            Err(LoadError::Failed(format!("sipp does not listen on {}", job.local)))
        }
    }

    fn start(&self, job: &Job<'_>, scenario: &str) -> Result<Sipp, LoadError> {
        let path = |end: &str| self.folder.join(format!("{}{end}", job.name));
        let (scenario_file, fields_file) = (path(".xml"), path(".csv"));
        let mut fields = String::from("SEQUENTIAL\n");
        for line in job.fields {
            let _infallible = writeln!(fields, "{line}");
        }
        write(&scenario_file, scenario)?;
        write(&fields_file, &fields)?;
        let (statistics, log) = (path("-statistics.csv"), path("-media.log"));
        for old in [&statistics, &log] {
            // Nothing is there on the first run.
            let _ = fs::remove_file(old);
        }
        let mut command = self.cores.for_load("sipp");
        command.arg(job.remote.to_string()).args(["-i", &job.local.ip().to_string()]);
        command.args(["-p", &job.local.port().to_string(), "-nostdin", "-nd", "-recv_timeout", "30000"]);
        command.arg("-sf").arg(scenario_file).arg("-inf").arg(fields_file);
        command.args(["-r", &job.rate.to_string(), "-d", &job.hold.as_millis().to_string()]);
        command.args(["-trace_stat", "-fd", "1", "-stf"]).arg(&statistics);
        command.args(["-deadcall_wait", "0", "-max_socket", "4", "-buff_size", "4194304"]);
        if job.calls > 0 {
            command.args(["-m", &job.calls.to_string()]);
        }
        if job.media {
            command.arg("-trace_logs").arg("-log_file").arg(&log);
        }
        // Only what it says of its own faults is of interest.
        let errors = fs::File::create(path(".err")).map_err(LoadError::file(&path(".err")))?;
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let child = command.spawn().map_err(LoadError::at("sipp (Debian's sip-tester), by taskset"))?;
        Ok(Sipp { child, name: job.name.to_owned(), statistics, log, cpu: Duration::ZERO })
    }
}

/// A scenario that logs where the other side hears, if it is told which field holds our own port.
fn scenario(text: &str, own: Option<&str>) -> String {
    let Some(own) = own else { return text.to_owned() };
    // sipp refuses a variable that is never read.
    let read = "<Reference variables=\"line\"/></scenario>";
    text.replace(MEDIA, &LOG_MEDIA.replace("OWN", own)).replace("</scenario>", read)
}

fn write(path: &Path, text: &str) -> Result<(), LoadError> {
    fs::write(path, text).map_err(LoadError::file(path))
}

impl Sipp {
    /// What it has come to; sipp writes it down once a second and at its end.
    pub(crate) fn calls(&self) -> Calls {
        fs::read_to_string(&self.statistics).map(|text| read_statistics(&text)).unwrap_or_default()
    }

    /// CPU that it has had.
    pub(crate) fn cpu(&mut self) -> Duration {
        self.cpu = self.cpu.max(Processes(vec![self.child.id()]).cpu());
        self.cpu
    }

    /// Waits until it has made all its calls.
    pub(crate) fn finish(&mut self, limit: Duration) -> Result<Calls, LoadError> {
        let ended = clock::wait_for(limit, || {
            self.cpu();
            matches!(self.child.try_wait(), Ok(Some(_)))
        });
        if !ended {
            return Err(LoadError::Failed(format!("sipp ({}) did not end within {limit:?}", self.name)));
        }
        let calls = self.calls();
        if calls.begun == 0 {
            return Err(LoadError::Failed(format!("sipp ({}) made no call; see its .err file", self.name)));
        }
        Ok(calls)
    }

    /// The numbers of those who called, in order.
    pub(crate) fn served(&self) -> Vec<u32> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter_map(|line| line.split_once("served ")?.1.trim().parse().ok()).collect()
    }

    /// Which port of ours talks to which address, as far as calls are answered.
    pub(crate) fn media(&self) -> Vec<(u16, SocketAddr)> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter_map(read_media).collect()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_media(line: &str) -> Option<(u16, SocketAddr)> {
    let mut words = line.split_ascii_whitespace().skip_while(|word| *word != "media").skip(1);
    let (own, ip, port) = (words.next()?, words.next()?, words.next()?);
    Some((own.parse().ok()?, SocketAddr::new(ip.parse().ok()?, port.parse().ok()?)))
}

fn read_statistics(text: &str) -> Calls {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(';').collect();
    let last: Vec<&str> = lines.last().unwrap_or_default().split(';').collect();
    let value = |name: &str| {
        let place = names.iter().position(|other| *other == name)?;
        last.get(place)?.parse::<u64>().ok()
    };
    let value = |name: &str| value(name).unwrap_or(0);
    Calls {
        begun: value("TotalCallCreated"),
        live: value("CurrentCall"),
        good: value("SuccessfulCall(C)"),
        failed: value("FailedCall(C)"),
        repeated: value("Retransmissions(C)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_statistics_counts() {
        let text = "A;TotalCallCreated;CurrentCall;SuccessfulCall(C);FailedCall(C);Retransmissions(C);\n\
                    x;1;1;0;0;0;\nx;20;2;17;1;3;\n";
        let calls = read_statistics(text);
        assert_eq!((calls.begun, calls.live, calls.good, calls.failed, calls.repeated), (20, 2, 17, 1, 3));
    }

    #[test]
    fn a_logged_line_tells_our_port_and_theirs() {
        let read = read_media("2026-01-01 media 40000 127.0.0.1 20002");
        assert_eq!(read, Some((40_000, "127.0.0.1:20002".parse().unwrap())));
        assert_eq!(read_media("media 40000"), None);
    }
}
