//! The running switch, by its command alone.

use serde_json::Value;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Output, Stdio};
use tempfile::TempDir;

use crate::program::{Program, run};
use crate::{Office, Transport, compiled, free_rtp_ports, until};

/// How a switch is to be started.
#[derive(Debug, Clone)]
pub struct Serve {
    data: PathBuf,
    words: Vec<OsString>,
    plugins: Option<PathBuf>,
    variables: Vec<(String, String)>,
    how: How,
    /// It may take what other switches have compiled.
    borrows: bool,
}

/// By which command a switch is started.
#[derive(Debug, Clone)]
enum How {
    /// Its own.
    Itself,
    /// A line for `sh` that runs `"$@"`.
    Shell(String),
    /// `cargo up`, as somebody types it in the checkout; what is built lies where the test programs do.
    CargoUp,
}

/// A running switch on free ports; it is killed with the test.
#[derive(Debug)]
pub struct Plugboard {
    program: Program,
    data: PathBuf,
    ready: Value,
    /// What was printed before that.
    told: String,
    /// Kept open: a switch that cannot print is another case.
    _stdout: BufReader<ChildStdout>,
    /// Scratch space, also for the programs that talk to this switch.
    folder: Option<TempDir>,
}

/// The program under test: beside the folder of the test programs.
pub fn plugboard() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("plugboard");
    assert!(program.is_file(), "{} is missing: `cargo build --release --workspace --bin plugboard`", program.display());
    program
}

/// Where cargo put the test programs, and whatever else it builds.
pub fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().into()
}

/// The folder of the built plugins: what the switch finds by itself, or is told by the environment.
pub fn built_plugins() -> PathBuf {
    let beside = || plugboard().ancestors().nth(2).unwrap().join("plugins");
    std::env::var_os("PLUGBOARD_PLUGINS").map_or_else(beside, PathBuf::from)
}

/// The command line of a running or a future switch.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(plugboard());
    command.args(words).stdin(Stdio::null());
    command
}

impl Serve {
    /// With this data folder, listening on free ports of 127.0.0.1.
    pub fn on(data: &Path) -> Self {
        let words = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let serve = Self {
            data: data.into(),
            words: words.map(OsString::from).into(),
            plugins: None,
            variables: Vec::new(),
            how: How::Itself,
            borrows: true,
        };
        serve.with(["--rtp-ports", &free_rtp_ports()])
    }

    /// With this data folder, listening on free ports of this machine for everything, over IPv4 and IPv6. More of the
    /// configuration may follow: lines of `[sip]` first.
    pub fn everywhere(data: &Path, more: &str) -> Self {
        let both = "[\"127.0.0.1:0\", \"[::1]:0\"]";
        let listeners = ["udp", "tcp", "tls", "ws", "wss"].map(|transport| format!("{transport} = {both}\n")).concat();
        Self::plainly(data)
            .with(["--http", "127.0.0.1:0", "--rtp-ports", &free_rtp_ports()])
            .configured(&format!("[sip]\n{listeners}{more}"))
    }

    /// With these words on the command line and none else.
    pub fn plainly(data: &Path) -> Self {
        Self {
            data: data.into(),
            words: Vec::new(),
            plugins: None,
            variables: Vec::new(),
            how: How::Itself,
            borrows: true,
        }
    }

    /// With more words on the command line.
    #[must_use]
    pub fn with<W: Into<OsString>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// With a configuration file of this text.
    #[must_use]
    pub fn configured(self, text: &str) -> Self {
        let file = self.data.with_extension("toml");
        fs::write(&file, text).unwrap();
        self.with([OsString::from("--config"), file.into()])
    }

    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the actions of this folder instead of the built ones.
    #[must_use]
    pub fn plugins(mut self, folder: &Path) -> Self {
        self.plugins = Some(folder.into());
        self
    }

    /// Under a shell, which does something first: a line such as `ulimit -f 100; exec "$@"`.
    #[must_use]
    pub fn under(mut self, shell: &str) -> Self {
        self.how = How::Shell(shell.to_owned());
        self
    }

    /// It compiles its actions itself, as on a machine where nothing was compiled before.
    #[must_use]
    pub fn compiling(mut self) -> Self {
        self.borrows = false;
        self
    }

    /// By `cargo up`, with the demo office.
    #[must_use]
    pub fn by_cargo_up(mut self) -> Self {
        self.how = How::CargoUp;
        self
    }

    fn command(&self) -> Command {
        let mut command = match &self.how {
            How::Itself => Command::new(plugboard()),
            How::Shell(line) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", line, "sh"]).arg(plugboard());
                shell
            }
            How::CargoUp => {
                let mut cargo = Command::new("cargo");
                let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                cargo.arg("up").current_dir(checkout).env("CARGO_TARGET_DIR", target());
                cargo
            }
        };
        if !matches!(self.how, How::CargoUp) {
            command.arg("serve");
        }
        command
            .args(["--json", "--webrtc-port", "0"])
            .args(&self.words)
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.plugins {
            command.arg("--plugins").arg(folder);
        }
        command
    }

    /// Starts it, and waits until it is ready.
    pub fn start(self) -> Plugboard {
        let borrows = self.borrows && !matches!(self.how, How::CargoUp);
        if borrows {
            compiled::lend(&self.data, self.words.iter().any(|word| word == "--demo"));
        }
        let log = self.data.with_extension("log");
        let mut command = self.command();
        let more = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        command.stdout(Stdio::piped()).stderr(more);
        let mut program = Program::from(command, "plugboard", log);
        let mut stdout = BufReader::new(program.child().stdout.take().unwrap());
        let (mut told, mut line) = (String::new(), String::new());
        stdout.read_line(&mut line).unwrap();
        // Whoever builds it first tells of that in words.
        while matches!(self.how, How::CargoUp) && !line.is_empty() && !line.starts_with('{') {
            told.push_str(&line);
            line.clear();
            stdout.read_line(&mut line).unwrap();
        }
        let Ok(ready) = serde_json::from_str(&line) else { panic!("not ready: {told}{line:?} {}", program.output()) };
        if borrows {
            compiled::keep(&self.data);
        }
        Plugboard { program, data: self.data, ready, told, _stdout: stdout, folder: None }
    }

    /// Starts it where it is to end by itself.
    pub fn fails(self) -> (Option<i32>, String) {
        let log = self.data.with_extension("refused");
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let mut program = Program::from(command, "plugboard", log);
        (program.wait().code(), program.output())
    }
}

impl Plugboard {
    /// The demo office, in a data folder of its own.
    pub fn demo() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut switch = Serve::on(&folder.path().join("data")).with(["--demo"]).start();
        switch.folder = Some(folder);
        switch
    }

    /// A switch without an office, in a data folder of its own, with more words on its command line.
    pub fn empty(more: &[&str]) -> Self {
        Self::empty_by(|serve| serve.with(more.iter().copied()))
    }

    /// A switch without an office, started as `how` says.
    pub fn empty_by(how: impl FnOnce(Serve) -> Serve) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut switch = how(Serve::on(&folder.path().join("data"))).start();
        switch.folder = Some(folder);
        switch
    }

    /// A switch with this office that listens everywhere; see [`Serve::everywhere`].
    pub fn everywhere(office: &Office, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut switch = Serve::everywhere(&folder.path().join("data"), more).start();
        switch.folder = Some(folder);
        switch.apply(office);
        switch
    }

    /// A switch with this office.
    pub fn with_office(office: &Office) -> Self {
        let switch = Self::empty(&[]);
        switch.apply(office);
        switch
    }

    /// Loads an office into it.
    pub fn apply(&self, office: &Office) {
        let file = office.write(self.folder());
        self.succeeds(&["apply", file.to_str().unwrap()]);
    }

    /// Scratch space beside its data.
    pub fn folder(&self) -> &Path {
        self.data.parent().unwrap()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The line that it printed when it was ready.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// What was printed before that line.
    pub fn told_before(&self) -> &str {
        &self.told
    }

    /// Where it listens for SIP.
    pub fn sip(&self, transport: Transport) -> SocketAddr {
        self.address(&format!("/sip/{}", transport.name()))
    }

    /// Where it listens for SIP over IPv6.
    pub fn sip_over_v6(&self, transport: Transport) -> SocketAddr {
        let listeners = self.ready["listeners"].as_array().unwrap();
        let of = listeners.iter().filter(|listener| listener["transport"] == transport.name());
        let mut addresses = of.map(|listener| listener["address"].as_str().unwrap().parse::<SocketAddr>().unwrap());
        addresses.find(SocketAddr::is_ipv6).unwrap()
    }

    /// Where it serves metrics and health.
    pub fn http(&self) -> SocketAddr {
        self.address("/http")
    }

    fn address(&self, path: &str) -> SocketAddr {
        self.ready.pointer(path).and_then(Value::as_str).unwrap().parse().unwrap()
    }

    /// What it logged, over all starts on the same data folder.
    pub fn log(&self) -> String {
        self.program.output()
    }

    /// The process.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// Runs a command against it.
    pub fn command(&self, words: &[&str]) -> Output {
        run(command(words).env("PLUGBOARD_DATA", &self.data))
    }

    /// A command against it, for what the other ways leave out.
    pub fn command_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Output {
        run(command(words).env("PLUGBOARD_DATA", &self.data).envs(variables.iter().copied()))
    }

    /// A command that is told nothing of this switch by this environment variable.
    pub fn command_without(&self, words: &[&str], variable: &str) -> Output {
        run(command(words).env_remove(variable))
    }

    /// Runs a command that is to succeed, and gives what it printed.
    pub fn succeeds(&self, words: &[&str]) -> String {
        let output = self.command(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "plugboard {words:?} ended with {}: {said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command with `--json` that is to succeed.
    pub fn ask(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = ["--json"].iter().chain(words).copied().collect();
        let text = self.succeeds(&words);
        assert_eq!(text.lines().count(), 1, "one line for scripts: {text}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{words:?}: {text}"))
    }

    /// Runs a command that is to fail with 1, and gives its complaints.
    pub fn complains(&self, words: &[&str]) -> String {
        let output = self.command(words);
        assert_eq!(output.status.code(), Some(1), "plugboard {words:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The calls that go on.
    pub fn live_calls(&self) -> Vec<Value> {
        self.ask(&["call", "list"])["live"].as_array().unwrap().clone()
    }

    /// The past calls, newest first.
    pub fn past_calls(&self) -> Vec<Value> {
        self.ask(&["call", "list", "--limit", "1000"])["past"].as_array().unwrap().clone()
    }

    /// Waits for so many past calls: a record is written after the phones have heard the end.
    pub fn waits_for_past_calls(&self, many: usize) -> Vec<Value> {
        until(&format!("{many} past calls"), || Some(self.past_calls()).filter(|calls| calls.len() >= many))
    }

    /// Waits for so many calls at once.
    pub fn waits_for_live_calls(&self, many: usize) -> Vec<Value> {
        until(&format!("{many} live calls"), || Some(self.live_calls()).filter(|calls| calls.len() == many))
    }

    /// How many devices a user has.
    pub fn devices_of(&self, user: &str) -> usize {
        let users = self.ask(&["registrations"])["users"].as_array().unwrap().clone();
        let found = users.iter().find(|one| one["number"] == user).unwrap();
        found["contacts"].as_array().unwrap().len()
    }

    /// Waits until a user has so many devices.
    pub fn waits_for_registration(&self, user: &str, devices: usize) {
        until(&format!("{devices} devices of {user}"), || (self.devices_of(user) == devices).then_some(()));
    }

    /// Asks a page: its status and text.
    pub fn page(&self, path: &str) -> (u16, String) {
        page(self.http(), path, "")
    }

    /// A sample of `/metrics`, by name and labels as they are written there; 0 while there is none.
    pub fn sample(&self, name: &str) -> f64 {
        let (status, text) = self.page("/metrics");
        assert_eq!(status, 200);
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()).unwrap_or(0.0)
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Tells it to end.
    pub fn terminate(&self) {
        self.program.signal("TERM");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.program.wait()
    }

    /// Ends it as a power cut would, and gives the scratch space with its data.
    pub fn cut(mut self) -> (TempDir, PathBuf) {
        self.program.signal("KILL");
        self.program.wait();
        (self.folder.take().unwrap(), self.data.clone())
    }
}

/// Asks a page of any server on this machine.
pub fn page(server: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    asked(server, "GET", path, headers, b"")
}

/// The answer of an HTTP server to a request with lines of headers, each ended by CRLF.
pub fn asked(server: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(server).unwrap();
    let length = body.len();
    let head = format!("Host: {server}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}");
    write!(stream, "{method} {path} HTTP/1.1\r\n{head}\r\n").unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    (status, if chunked { dechunked(body) } else { body.to_owned() })
}

fn dechunked(body: &str) -> String {
    let (mut rest, mut text) = (body, String::new());
    while let Some((len, more)) = rest.split_once("\r\n") {
        let len = usize::from_str_radix(len.trim(), 16).unwrap();
        if len == 0 {
            break;
        }
        text.push_str(&more[..len]);
        rest = more[len..].trim_start_matches("\r\n");
    }
    text
}

/// The words and outcomes of a call's steps, as its record has them.
pub fn steps(record: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    record["steps"].as_array().unwrap().iter().map(|step| (text(&step["word"]), text(&step["outcome"]))).collect()
}
