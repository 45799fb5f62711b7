//! sipp: callers and callees.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{
    Answer, Bridge, Call, Ear, Plugboard, Program, Transport, consultation, free_port, is_open, scenario, tool, until,
};

/// A sipp to be started.
#[derive(Debug)]
pub struct Sipp {
    command: Command,
    folder: PathBuf,
    name: String,
    port: u16,
    /// Where its RTP is to be sent.
    hears: String,
    /// Over TLS and WebSocket, which it does not know.
    bridge: Option<Bridge>,
    /// What it answers comes to this transport.
    answers: Option<Transport>,
}

impl Sipp {
    fn new(folder: &Path, name: &str, xml: &str, port: u16, transport: Transport) -> Self {
        Self::new_at(folder, name, xml, SocketAddr::from((Ipv4Addr::LOCALHOST, port)), transport)
    }

    fn new_at(folder: &Path, name: &str, xml: &str, own: SocketAddr, transport: Transport) -> Self {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("scenario.xml");
        fs::write(&file, xml).unwrap();
        let mut command = Command::new(tool("sipp"));
        let wire = if transport == Transport::Udp { "u1" } else { "t1" };
        let media = free_port(8).to_string();
        command.current_dir(&folder).args([
            "-nostdin",
            "-i",
            &own.ip().to_string(),
            "-t",
            wire,
            "-m",
            "1",
            "-mp",
            &media,
        ]);
        command.args(["-p", &own.port().to_string(), "-timeout", "60s", "-timeout_error", "-trace_msg"]);
        command.args(["-message_file", "messages.log", "-trace_screen", "-screen_file", "screen.log"]);
        command.args(["-trace_err", "-error_file", "errors.log", "-sf"]).arg(file);
        Self { command, folder, name: name.to_owned(), port: own.port(), hears: media, bridge: None, answers: None }
    }

    /// Somebody who calls this switch once.
    pub fn calls(switch: &Plugboard, name: &str, call: &Call, transport: Transport) -> Self {
        Self::calls_from(switch, name, call, transport, free_port(1))
    }

    /// Somebody who calls this switch once, from a port that is his own.
    pub fn calls_from(switch: &Plugboard, name: &str, call: &Call, transport: Transport, port: u16) -> Self {
        Self::new(switch.folder(), name, &call.xml(), port, transport).towards(switch, transport)
    }

    /// Somebody who calls this switch once over IPv6.
    pub fn calls_over_v6(switch: &Plugboard, name: &str, call: &Call, transport: Transport) -> Self {
        let own = SocketAddr::from((Ipv6Addr::LOCALHOST, free_port(1)));
        let mut sipp = Self::new_at(switch.folder(), name, &call.xml(), own, transport);
        let bridge = match transport {
            Transport::Udp | Transport::Tcp => None,
            Transport::Tls | Transport::Ws | Transport::Wss => Some(Bridge::over_v6(switch, transport)),
        };
        let remote = bridge.as_ref().map_or_else(|| switch.sip_over_v6(transport), Bridge::address);
        sipp.command.arg(remote.to_string());
        Self { bridge, ..sipp }
    }

    /// Somebody who answers one call at a port of `::1`.
    pub fn answers_over_v6(switch: &Plugboard, name: &str, answer: &Answer, transport: Transport, port: u16) -> Self {
        let own = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        let sipp = Self::new_at(switch.folder(), name, &answer.xml(), own, transport);
        Self { answers: Some(transport), ..sipp }
    }

    /// Somebody who calls another address once, such as a carrier's, from a port that is his own.
    pub fn calls_at(switch: &Plugboard, name: &str, call: &Call, address: SocketAddr, port: u16) -> Self {
        let mut sipp = Self::new(switch.folder(), name, &call.xml(), port, Transport::Udp);
        sipp.command.arg(address.to_string());
        sipp
    }

    /// A user who calls one, puts him on hold, calls another one, and connects both.
    pub fn connects(switch: &Plugboard, user: &str, password: &str, both: [&str; 2], transport: Transport) -> Self {
        let xml = consultation::xml(user, password, both[0], both[1]);
        let mut sipp = Self::new(switch.folder(), "consultation", &xml, free_port(1), transport);
        // Its usual Call-ID has an @, which would have to be escaped in a URI.
        sipp.command.args(["-cid_str", "%u-%p", &switch.sip(transport).to_string()]);
        sipp
    }

    /// Somebody who answers one call at a port.
    pub fn answers(switch: &Plugboard, name: &str, answer: &Answer, transport: Transport, port: u16) -> Self {
        let sipp = Self::new(switch.folder(), name, &answer.xml(), port, transport);
        Self { answers: Some(transport), ..sipp }
    }

    /// A phone of a user that registers from this port, over UDP.
    pub fn registers(switch: &Plugboard, user: &str, password: &str, port: u16) -> Self {
        Self::registers_at(switch, switch.sip(Transport::Udp), user, password, port)
    }

    /// The same at another address of this switch.
    pub fn registers_at(switch: &Plugboard, address: SocketAddr, user: &str, password: &str, port: u16) -> Self {
        Self::registers_with(switch, address, user, password, port, (Transport::Udp, ""))
    }

    /// An app that sleeps: it registers over UDP with what a push service wants to know (RFC 8599).
    pub fn registers_to_be_woken(switch: &Plugboard, user: &str, password: &str, port: u16, push: &str) -> Self {
        Self::registers_with(switch, switch.sip(Transport::Udp), user, password, port, (Transport::Udp, push))
    }

    /// The app when it has been woken: registers again from its port and answers the call that comes there, which is
    /// not one of the scenario's. It stays until it is dropped.
    pub fn wakes_and_answers(switch: &Plugboard, user: &str, password: &str, port: u16, push: &str) -> Self {
        Self::registers_and_answers_at(switch, user, password, port, (Transport::Udp, push))
    }

    /// A phone that registers and answers the call that comes to it then. It stays until it is dropped.
    pub fn registers_and_answers(switch: &Plugboard, user: &str, password: &str, transport: Transport) -> Self {
        Self::registers_and_answers_at(switch, user, password, free_port(1), (transport, ""))
    }

    fn registers_and_answers_at(
        switch: &Plugboard,
        user: &str,
        password: &str,
        port: u16,
        (transport, params): (Transport, &str),
    ) -> Self {
        let xml = scenario::registration_that_stays(user, password, params);
        let sipp = Self::new(switch.folder(), &format!("registered-{user}"), &xml, port, transport);
        let answer = sipp.folder.join("answer.xml");
        fs::write(&answer, Answer::new().xml()).unwrap();
        let mut sipp = sipp.towards(switch, transport);
        sipp.command.arg("-oocsf").arg(answer);
        sipp
    }

    /// Sends to this switch, through a bridge over what it does not know.
    fn towards(mut self, switch: &Plugboard, transport: Transport) -> Self {
        let bridge = match transport {
            Transport::Udp | Transport::Tcp => None,
            Transport::Tls | Transport::Ws | Transport::Wss => Some(Bridge::to(switch, transport)),
        };
        let remote = bridge.as_ref().map_or_else(|| switch.sip(transport), Bridge::address);
        self.command.arg(remote.to_string());
        Self { bridge, ..self }
    }

    /// The same over TCP: with its end its connection is gone, and the app sleeps.
    pub fn registers_to_sleep(switch: &Plugboard, user: &str, password: &str, push: &str) -> Self {
        Self::registers_with(switch, switch.sip(Transport::Tcp), user, password, free_port(1), (Transport::Tcp, push))
    }

    /// A phone of a user that watches something of a number: it is told so often, and then ends its subscription.
    pub fn watches(switch: &Plugboard, user: &str, password: &str, watched: [&str; 2], told: usize) -> Self {
        let [number, event] = watched;
        let xml = scenario::subscription(user, password, number, event, told);
        let mut sipp =
            Self::new(switch.folder(), &format!("watch-{number}-{event}"), &xml, free_port(1), Transport::Udp);
        sipp.command.arg(switch.sip(Transport::Udp).to_string());
        sipp
    }

    fn registers_with(
        switch: &Plugboard,
        address: SocketAddr,
        user: &str,
        password: &str,
        port: u16,
        (transport, params): (Transport, &str),
    ) -> Self {
        let xml = scenario::registration(user, password, params);
        let mut sipp = Self::new(switch.folder(), &format!("register-{user}-{port}"), &xml, port, transport);
        sipp.command.arg(address.to_string());
        sipp
    }

    /// Its RTP goes to this ear instead of itself.
    #[must_use]
    pub fn heard_by(mut self, ear: &Ear) -> Self {
        self.hears = ear.port().to_string();
        self
    }

    /// With more words on sipp's command line.
    #[must_use]
    pub fn with(mut self, words: &[&str]) -> Self {
        self.command.args(words);
        self
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Starts it. One that answers is at its port then.
    pub fn start(mut self) -> Running {
        self.command.args(["-key", "hears", &self.hears]);
        let mut program = Program::start(self.command, &self.folder, &self.name);
        // Whoever calls before that hears from the kernel that nobody is there.
        if let Some(transport) = self.answers {
            until("sipp at its port", || (program.ended().is_some() || is_open(transport, self.port)).then_some(()));
        }
        Running { program, folder: self.folder, _bridge: self.bridge }
    }

    /// Runs it to its end, where everything went as its scenario says.
    pub fn succeeds(self) -> Told {
        self.start().succeeds()
    }

    /// Runs it to its end, which is to be a failure.
    pub fn fails(self) {
        let mut running = self.start();
        assert!(!running.program.wait().success());
    }
}

/// A running sipp.
#[derive(Debug)]
pub struct Running {
    program: Program,
    folder: PathBuf,
    _bridge: Option<Bridge>,
}

/// What a sipp that has ended tells.
#[derive(Debug)]
pub struct Told {
    folder: PathBuf,
}

impl Running {
    /// Waits for its end; everything went as its scenario says.
    pub fn succeeds(mut self) -> Told {
        let status = self.program.wait();
        let said = fs::read_to_string(self.folder.join("errors.log")).unwrap_or_default();
        let messages = fs::read_to_string(self.folder.join("messages.log")).unwrap_or_default();
        assert!(status.success(), "{}: {status}\n{said}\n{messages}", self.folder.display());
        Told { folder: self.folder.clone() }
    }

    /// Waits for its end, however it comes to it.
    pub fn ends(mut self) -> Told {
        self.program.wait();
        Told { folder: self.folder.clone() }
    }

    /// Its messages so far.
    pub fn messages(&self) -> String {
        fs::read_to_string(self.folder.join("messages.log")).unwrap_or_default()
    }
}

impl Told {
    /// Every message that it sent and received.
    pub fn messages(&self) -> String {
        fs::read_to_string(self.folder.join("messages.log")).unwrap()
    }
}
