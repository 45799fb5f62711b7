//! linphonec: a phone that knows both digests.

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};

use crate::{Plugboard, Program, Recording, Transport, free_port, tool, until, write_tone};

/// Longer than any test's call.
const TONE_SECONDS: u32 = 60;

/// A running phone, which registers by itself.
#[derive(Debug)]
pub struct Linphone {
    program: Program,
    /// Where it is told what to do.
    typed: RefCell<ChildStdin>,
    switch: String,
    folder: PathBuf,
}

impl Linphone {
    /// A phone of a user of this switch.
    pub fn start(switch: &Plugboard, user: &str, password: &str) -> Self {
        Self::start_over(switch, user, password, Transport::Udp)
    }

    /// One that publishes how its user is.
    pub fn start_publishing(switch: &Plugboard, user: &str, password: &str) -> Self {
        Self::start_with(switch, user, password, Transport::Udp, (true, None))
    }

    /// One that shows how a colleague is.
    pub fn start_watching(switch: &Plugboard, user: &str, password: &str, colleague: &str) -> Self {
        Self::start_with(switch, user, password, Transport::Udp, (false, Some(colleague)))
    }

    /// The same over another transport; over TLS it verifies the switch's certificate.
    pub fn start_over(switch: &Plugboard, user: &str, password: &str, transport: Transport) -> Self {
        Self::start_with(switch, user, password, transport, (false, None))
    }

    fn start_with(
        switch: &Plugboard,
        user: &str,
        password: &str,
        transport: Transport,
        (publishes, watches): (bool, Option<&str>),
    ) -> Self {
        let folder = switch.folder().join(format!("linphone-{user}"));
        // It keeps a database below the home folder, and does not make the way to it.
        fs::create_dir_all(folder.join(".local/share/linphone")).unwrap();
        fs::create_dir_all(folder.join(".config/linphone")).unwrap();
        let (sip, address, name) = (free_port(1), switch.sip(transport), transport.name());
        // It finds no address in a certificate, only names. -1 takes any port; with 0 it does not speak TLS at all.
        let (address, tls) = match transport {
            Transport::Tls => (format!("localhost:{}", address.port()), -1),
            Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss => (address.to_string(), 0),
        };
        let root = switch.data().join("tls/certificate.pem");
        let config = format!(
            "[sip]\nroot_ca={}\nverify_server_certs=1\nverify_server_cn=1\nsip_port={sip}\nsip_tcp_port=0\n\
             sip_tls_port={tls}\nuse_ipv6=0\ndefault_proxy=0\n\
             register_only_when_network_is_up=0\n[proxy_0]\nreg_proxy=<sip:{address};transport={name}>\n\
             reg_identity=sip:{user}@127.0.0.1\nreg_sendregister=1\nreg_expires=600\npublish={}\n\
             [auth_info_0]\nusername={user}\npasswd={password}\nrealm=plugboard.test\n{}",
            root.display(),
            u8::from(publishes),
            watches
                .map(|number| format!("[friend_0]\nurl=<sip:{number}@{address}>\npol=accept\nsubscribe=1\n"))
                .unwrap_or_default(),
        );
        let file = folder.join("linphonerc");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(tool("linphonec"));
        // The log of everything shows each message. Standard input stays open: its end would be the phone's.
        command.arg("-c").arg(file).args(["-d", "6"]).env("HOME", &folder).stdin(Stdio::piped());
        command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
        let mut program = Program::start(command, &folder, "linphonec");
        let typed = RefCell::new(program.child().stdin.take().unwrap());
        Self { program, typed, switch: format!("{address};transport={name}"), folder }
    }

    /// Types a command, as its owner would.
    fn types(&self, line: &str) {
        let mut typed = self.typed.borrow_mut();
        writeln!(typed, "{line}").and_then(|()| typed.flush()).unwrap();
    }

    /// Its voice is a tone, and what it hears is kept. Without a sound card it has to be told that files will do.
    pub fn plays(&self, hertz: f64) {
        let tone = self.folder.join("tone.wav");
        write_tone(&tone, hertz, TONE_SECONDS);
        self.types("soundcard use files");
        self.types(&format!("play {}", tone.display()));
        self.types(&format!("record {}", self.folder.join("heard.wav").display()));
    }

    /// Whether the last second that it heard in a call that is over is this tone: it writes the file at the end.
    pub fn has_heard_tone(&self, hertz: f64) {
        let heard = || Recording::so_far(&self.folder.join("heard.wav")).filter(|heard| heard.ends_with(hertz));
        until(&format!("a tone of {hertz} Hz at linphonec"), || heard().map(|_| ()));
    }

    /// Calls a number, and waits until they talk; `call` counts its calls from 1.
    pub fn calls(&self, number: &str, call: usize) {
        self.types(&format!("call sip:{number}@{}", self.switch));
        self.waits_to_say(&format!("for call {call} (audio)"));
    }

    /// Puts whom it talks to on hold.
    pub fn holds(&self) {
        self.types("pause");
        self.waits_to_say("is now paused");
    }

    /// Connects its first call with its second one, and leaves both.
    pub fn connects_both(&self) {
        self.types("transfer 1 --to-call 2");
    }

    /// Waits until it has logged something.
    pub fn waits_to_say(&self, what: &str) {
        until(&format!("linphonec to say {what:?}"), || self.program.output().contains(what).then_some(()));
    }

    /// The credentials that it sent so far.
    pub fn credentials(&self) -> Vec<String> {
        let said = self.program.output();
        said.lines().filter(|line| line.starts_with("Authorization:")).map(str::to_owned).collect()
    }
}
