//! The switch that is measured: one of ours, started here, or a foreign one.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clock;
use crate::error::LoadError;
use crate::office;
use crate::options::Options;
use crate::process::{Cores, Processes};

/// A switch may compile its actions first.
const READY: Duration = Duration::from_mins(2);

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    switch: PathBuf,
    plugins: PathBuf,
}

impl Programs {
    /// Beside this program, as cargo puts them.
    pub(crate) fn find(options: &Options) -> Result<Self, LoadError> {
        let own = std::env::current_exe().map_err(LoadError::at("this program's own path"))?;
        let beside = own.parent().unwrap_or(Path::new("."));
        let switch = options.switch.clone().unwrap_or_else(|| beside.join("plugboard"));
        let plugins = options.plugins.clone().unwrap_or_else(|| beside.parent().unwrap_or(beside).join("plugins"));
        for (path, remedy) in
            [(&switch, "cargo build --release --workspace --bin plugboard"), (&plugins, "cargo plugins")]
        {
            if !path.exists() {
                return Err(LoadError::Failed(format!("{} is not there; please run: {remedy}", path.display())));
            }
        }
        Ok(Self { switch, plugins })
    }
}

/// A running switch.
pub(crate) struct Switch {
    /// Where it listens.
    pub(crate) sip: SocketAddr,
    /// Its processes; empty: unknown.
    pub(crate) processes: Processes,
    /// Its data folder; empty: a foreign one's.
    pub(crate) data: PathBuf,
    /// What it said when it was ready.
    ready: Value,
    /// How long it took to be ready.
    pub(crate) started_in: Duration,
    child: Option<Child>,
}

impl Switch {
    /// A switch that runs already.
    pub(crate) fn foreign(sip: SocketAddr, pids: &[u32], cores: Cores) -> Self {
        cores.place(pids, true);
        Self {
            sip,
            processes: Processes(pids.to_vec()),
            started_in: Duration::ZERO,
            data: PathBuf::new(),
            ready: Value::Null,
            child: None,
        }
    }

    /// Starts the demo office.
    pub(crate) fn demo(programs: &Programs, data: &Path, cores: Cores) -> Result<Self, LoadError> {
        let arguments = ["--demo", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"].map(Into::into);
        Self::serve(programs, data, cores, &arguments)
    }

    /// Starts the office of the load.
    pub(crate) fn load(
        programs: &Programs,
        folder: &Path,
        cores: Cores,
        callers: &[SocketAddr],
    ) -> Result<Self, LoadError> {
        let Some(first) = callers.first() else { return Err(LoadError::Failed("no caller".into())) };
        Self::office(programs, folder, cores, first.ip(), &office::document(office::USERS, callers))
    }

    /// Starts a switch and gives it this office.
    pub(crate) fn office(
        programs: &Programs,
        folder: &Path,
        cores: Cores,
        address: IpAddr,
        office: &str,
    ) -> Result<Self, LoadError> {
        let (configuration, document) = (folder.join("plugboard.toml"), folder.join("office.yaml"));
        fs::write(&configuration, office::configuration(address)).map_err(LoadError::file(&configuration))?;
        fs::write(&document, office).map_err(LoadError::file(&document))?;
        let switch = Self::again(programs, folder, cores)?;
        let data = folder.join("data");
        let applied = Command::new(&programs.switch).arg("apply").arg("--data").arg(&data).arg(&document).output();
        let applied = applied.map_err(LoadError::at("plugboard apply"))?;
        if applied.status.success() {
            return Ok(switch);
        }
        Err(LoadError::Failed(format!("plugboard apply: {}", String::from_utf8_lossy(&applied.stderr))))
    }

    /// Starts one with what a folder holds from before.
    pub(crate) fn again(programs: &Programs, folder: &Path, cores: Cores) -> Result<Self, LoadError> {
        Self::serve(programs, &folder.join("data"), cores, &["--config".into(), folder.join("plugboard.toml")])
    }

    fn serve(programs: &Programs, data: &Path, cores: Cores, arguments: &[PathBuf]) -> Result<Self, LoadError> {
        let log = data.with_extension("log");
        let errors = fs::File::create(&log).map_err(LoadError::file(&log))?;
        let mut command = cores.for_switch(programs.switch.clone());
        command
            .args(["--json", "serve", "--webrtc-port", "0", "--data"])
            .arg(data)
            .arg("--plugins")
            .arg(&programs.plugins)
            .args(arguments);
        let began = clock::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(LoadError::at(programs.switch.display().to_string()))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            // A switch that cannot start ends, and the line is empty.
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let started_in = clock::now() - began;
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        let sip = ready.pointer("/sip/udp").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let processes = Processes(vec![child.id()]);
        let data = data.to_owned();
        let mut switch = Self { sip: ([0, 0, 0, 0], 0).into(), processes, data, ready, started_in, child: Some(child) };
        let Some(sip) = sip.filter(|_| started_in < READY) else {
            return Err(LoadError::Failed(format!("the switch did not start; see {}", log.display())));
        };
        switch.sip = sip;
        Ok(switch)
    }

    /// Tells it something by its command line.
    pub(crate) fn command(&self, programs: &Programs, words: &[&str]) -> Result<(), LoadError> {
        let told = Command::new(&programs.switch).args(words).arg("--data").arg(&self.data).output();
        let told = told.map_err(LoadError::at("a command of plugboard"))?;
        if told.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&told.stderr);
        Err(LoadError::Failed(format!("plugboard {}: {said}", words.join(" "))))
    }

    /// One of its metrics.
    pub(crate) fn sample(&self, name: &str) -> Option<f64> {
        let mut stream = TcpStream::connect(self.ready.get("http")?.as_str()?).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }

    /// Where it listens over a transport.
    pub(crate) fn listens(&self, transport: &str) -> Result<SocketAddr, LoadError> {
        let address = self.ready.pointer(&format!("/sip/{}", transport.to_ascii_lowercase())).and_then(Value::as_str);
        let address = address.and_then(|text| text.parse().ok());
        address.ok_or_else(|| LoadError::Failed(format!("the switch does not listen over {transport}")))
    }

    /// Ends it as an administrator does.
    pub(crate) fn stop(mut self) -> Result<(), LoadError> {
        let Some(child) = &mut self.child else { return Ok(()) };
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &child.id().to_string()]).status();
        told.map_err(LoadError::at("kill"))?;
        if clock::wait_for(Duration::from_secs(40), || matches!(child.try_wait(), Ok(Some(_)))) {
            return Ok(());
        }
        Err(LoadError::Failed("the switch did not end within 40 s of SIGTERM".into()))
    }

    /// Whether it still runs; a foreign one is believed to.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| matches!(child.try_wait(), Ok(None)))
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
