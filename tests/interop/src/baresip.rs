//! baresip: a phone that sends a tone and keeps what it hears.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tone::write_tone_as;
use crate::{Plugboard, Program, Recording, Transport, free_port, tool, until};

/// Longer than any test's call.
const TONE_SECONDS: u32 = 60;
/// Bytes of a recording that has two seconds.
const TWO_SECONDS: u64 = 2 * 16_000;

/// A running phone.
#[derive(Debug)]
pub struct Baresip {
    program: Program,
    folder: PathBuf,
    control: u16,
    switch: String,
}

/// What is not the same for all of them.
#[derive(Debug, Default)]
struct More {
    /// Parameters of its account.
    account: String,
    /// Modules beside the usual ones.
    modules: &'static [&'static str],
    /// Samples a second and channels of what it says; none: as G.711 has them.
    sound: Option<(u32, u8)>,
    /// The user whose presence it watches.
    watches: Option<String>,
    /// Somebody has to take its calls: it does not answer at once.
    rings: bool,
}

impl Baresip {
    /// A phone of a user of this switch. It sends a tone, answers at once, and registers.
    pub fn start(switch: &Plugboard, user: &str, password: &str, hertz: f64, transport: Transport) -> Self {
        Self::start_at(switch, switch.sip(transport), user, password, hertz, transport)
    }

    /// A phone that encrypts as it says: `srtp` (SDES where it is taken up), `srtp-mand` (SDES, or no call), `dtls_srtp` (by a
    /// handshake, with a certificate of RSA, or no call).
    pub fn start_encrypting(
        switch: &Plugboard,
        user: &str,
        password: &str,
        hertz: f64,
        transport: Transport,
        how: &str,
    ) -> Self {
        let more = More { account: format!(";mediaenc={how}"), modules: &["srtp", "dtls_srtp"], ..More::default() };
        Self::start_with(switch, switch.sip(transport), user, password, hertz, transport, &more)
    }

    /// A phone that speaks this codec alone, as an account names it: `g722/16000`, `opus/48000/2`.
    pub fn start_speaking(switch: &Plugboard, user: &str, password: &str, hertz: f64, codec: &str) -> Self {
        let mut parts = codec.split('/').skip(1);
        let rate = parts.next().and_then(|rate| rate.parse().ok()).unwrap_or(8_000);
        let sound = Some((rate, parts.next().and_then(|channels| channels.parse().ok()).unwrap_or(1)));
        let more =
            More { account: format!(";audio_codecs={codec}"), modules: &["g722", "opus"], sound, ..More::default() };
        Self::start_with(switch, switch.sip(Transport::Udp), user, password, hertz, Transport::Udp, &more)
    }

    /// A phone that rings until somebody takes the call; see [`Baresip::takes_the_call`].
    pub fn start_ringing(switch: &Plugboard, user: &str, password: &str, hertz: f64) -> Self {
        let more = More { rings: true, ..More::default() };
        Self::start_with(switch, switch.sip(Transport::Udp), user, password, hertz, Transport::Udp, &more)
    }

    /// A phone that watches whether a colleague is there, and its own mailbox.
    pub fn start_watching(switch: &Plugboard, user: &str, password: &str, hertz: f64, colleague: &str) -> Self {
        let (modules, watches) = (&["contact", "presence", "mwi"][..], Some(colleague.to_owned()));
        let more = More { account: ";mwi=yes".into(), modules, watches, ..More::default() };
        Self::start_with(switch, switch.sip(Transport::Udp), user, password, hertz, Transport::Udp, &more)
    }

    /// The same behind a proxy at this address, through which everything goes, over UDP.
    pub fn start_behind(switch: &Plugboard, proxy: SocketAddr, user: &str, password: &str, hertz: f64) -> Self {
        let more = More { account: format!(";outbound=\"sip:{proxy};transport=udp\""), ..More::default() };
        Self::start_with(switch, switch.sip(Transport::Udp), user, password, hertz, Transport::Udp, &more)
    }

    /// The same through something that stands before the switch, at this address.
    pub fn start_at(
        switch: &Plugboard,
        address: SocketAddr,
        user: &str,
        password: &str,
        hertz: f64,
        transport: Transport,
    ) -> Self {
        Self::start_with(switch, address, user, password, hertz, transport, &More::default())
    }

    fn start_with(
        switch: &Plugboard,
        address: SocketAddr,
        user: &str,
        password: &str,
        hertz: f64,
        transport: Transport,
        more: &More,
    ) -> Self {
        let folder = switch.folder().join(format!("phone-{user}-{}", transport.name()));
        fs::create_dir_all(&folder).unwrap();
        let tone = folder.join("tone.wav");
        write_tone_as(&tone, hertz, TONE_SECONDS, more.sound.unwrap_or((8_000, 1)));
        let modules = modules();
        let loaded: String = more.modules.iter().flat_map(|name| ["module ", name, ".so\n"]).collect();
        // It takes the port after its SIP port for TLS; the last one is for commands.
        let sip = free_port(3);
        let (control, rtp) = (sip + 2, free_port(20));
        let (here, tone) = (folder.display(), tone.display());
        let certificate = switch.data().join("tls/certificate.pem");
        // Without the line it trusts nobody and everybody: it does not look.
        let trust =
            if transport == Transport::Tls { format!("sip_cafile {}\n", certificate.display()) } else { String::new() };
        let config = format!(
            "sip_listen 127.0.0.1:{sip}\nnet_interface 127.0.0.1\naudio_source aufile,{tone}\n\
             audio_player aufile,/dev/null\naudio_alert aufile,/dev/null\nsnd_path {here}\n\
             module_path {}\n{loaded}module g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule account.so\nmodule menu.so\n\
             module ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control}\nrtp_ports {rtp}-{}\n{trust}",
            modules.display(),
            rtp + 19,
        );
        let account = format!(
            "<sip:{user}@{address};transport={}>;auth_pass={password};answermode={};regint=600{}\n",
            transport.name(),
            if more.rings { "manual" } else { "auto" },
            more.account
        );
        fs::write(folder.join("config"), config).unwrap();
        fs::write(folder.join("accounts"), account).unwrap();
        let contact =
            |whom: &String| format!("\"{whom}\" <sip:{whom}@{address};transport={}>;presence=p2p\n", transport.name());
        fs::write(folder.join("contacts"), more.watches.iter().map(contact).collect::<String>()).unwrap();
        let mut command = Command::new(tool("baresip"));
        command.arg("-f").arg(&folder).stdin(Stdio::null());
        let before = switch.devices_of(user);
        let program = Program::start(command, &folder, "baresip");
        switch.waits_for_registration(user, before + 1);
        Self { program, folder, control, switch: format!("{address};transport={}", transport.name()) }
    }

    fn command(&self, word: &str, parameters: &str) -> String {
        let text = serde_json::json!({ "command": word, "params": parameters, "token": word }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.control)).unwrap();
        write!(stream, "{}:{text},", text.len()).unwrap();
        // Its answer says that the command was carried out; events may come before it.
        let mut told = Vec::new();
        let mut part = [0; 4_096];
        while !String::from_utf8_lossy(&told).contains("\"response\":true") {
            let len = stream.read(&mut part).unwrap();
            assert!(len > 0, "baresip closed its control connection: {}", String::from_utf8_lossy(&told));
            told.extend(&part[..len]);
        }
        String::from_utf8_lossy(&told).into_owned()
    }

    /// Calls a number.
    pub fn dials(&self, number: &str) {
        self.command("dial", &format!("sip:{number}@{}", self.switch));
    }

    /// Takes the call that rings.
    pub fn takes_the_call(&self) {
        self.command("accept", "");
    }

    /// Hangs up.
    pub fn hangs_up(&self) {
        self.command("hangup", "");
    }

    /// Puts the other one on hold.
    pub fn holds(&self) {
        self.command("hold", "");
    }

    /// Takes him back.
    pub fn resumes(&self) {
        self.command("resume", "");
    }

    /// Hands whom it talks to on to a number, by REFER.
    pub fn hands_on_to(&self, number: &str) {
        self.command("transfer", &format!("sip:{number}@{}", self.switch));
    }

    /// Presses a key.
    pub fn presses(&self, key: char) {
        self.command("sndcode", &key.to_string());
    }

    /// Waits until it has logged something.
    pub fn waits_to_say(&self, what: &str) {
        until(&format!("baresip to say {what:?}"), || self.program.output().contains(what).then_some(()));
    }

    /// Waits until its list of contacts says this of whom it watches.
    pub fn waits_to_show(&self, status: &str) {
        until(&format!("a contact of baresip to be {status}"), || {
            self.command("contacts", "").contains(status).then_some(())
        });
    }

    /// Waits until its call is answered.
    pub fn waits_for_answer(&self) {
        until("an answered call of baresip", || self.program.output().contains("Call established").then_some(()));
    }

    /// The file of what it heard in its call, once there are two seconds.
    pub fn waits_to_hear(&self) -> PathBuf {
        self.waits_to_hear_for(2)
    }

    /// The same with so many seconds.
    pub fn waits_to_hear_for(&self, seconds: usize) -> PathBuf {
        let kept = || {
            let files = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
            let mut heard: Vec<PathBuf> = files.filter(|file| file.to_string_lossy().ends_with("-dec.wav")).collect();
            heard.sort();
            heard.pop().filter(|file| Recording::so_far(file).is_some_and(|heard| heard.lasts(seconds)))
        };
        until(&format!("{seconds} seconds of sound at baresip"), kept)
    }

    /// Waits until the last second that it heard is this tone.
    pub fn waits_to_hear_tone(&self, hertz: f64) {
        let hears = || {
            let files = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
            let mut heard = files.filter(|file| file.to_string_lossy().ends_with("-dec.wav"));
            heard.any(|file| Recording::so_far(&file).is_some_and(|heard| heard.ends_with(hertz))).then_some(())
        };
        until(&format!("a tone of {hertz} Hz at baresip"), hears);
    }

    /// Waits until it has heard two seconds more than until now, the last of them this tone.
    pub fn waits_to_hear_more_of(&self, hertz: f64) {
        let so_far = || {
            let files = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
            let files = files.filter(|file| file.to_string_lossy().ends_with("-dec.wav"));
            files.max_by_key(|file| fs::metadata(file).map_or(0, |about| about.len()))
        };
        let len = |file: &Path| fs::metadata(file).map_or(0, |about| about.len());
        let before = so_far().map_or(0, |file| len(&file));
        until(&format!("more of a tone of {hertz} Hz at baresip"), || {
            let file = so_far().filter(|file| len(file) >= before + TWO_SECONDS)?;
            Recording::so_far(&file).is_some_and(|heard| heard.ends_with(hertz)).then_some(())
        });
    }

    /// Waits until the last second that it heard has nothing of this tone.
    pub fn waits_to_hear_no_tone(&self, hertz: f64) {
        let quiet = || {
            let files = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
            let mut heard = files.filter(|file| file.to_string_lossy().ends_with("-dec.wav"));
            heard.any(|file| Recording::so_far(&file).is_some_and(|heard| heard.ends_without(hertz))).then_some(())
        };
        until(&format!("no tone of {hertz} Hz at baresip"), quiet);
    }

    /// Ends the phone as its owner would, and gives what it heard.
    pub fn heard(mut self, file: &Path) -> Recording {
        self.program.signal("TERM");
        self.program.wait();
        Recording::read(file)
    }

    /// What it printed.
    pub fn output(&self) -> String {
        self.program.output()
    }
}

/// Where Debian keeps its modules, on whichever architecture.
fn modules() -> PathBuf {
    let program = tool("baresip");
    let prefix = program.ancestors().nth(2).unwrap();
    let folders = ["lib/baresip/modules", "lib/x86_64-linux-gnu/baresip/modules", "local/lib/baresip/modules"];
    let mut found = folders.iter().map(|folder| prefix.join(folder)).filter(|folder| folder.is_dir());
    found.next().unwrap_or_else(|| panic!("no modules of baresip below {}", prefix.display()))
}
