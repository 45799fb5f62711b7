//! What programs ask over HTTP about scenarios.

use plugboard_console::scenarios::{Wish, Workshop};
use plugboard_model::OfficeId;
use serde_json::Value;
use std::fs::DirBuilder;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::offices;
use crate::boot::Running;

/// A simulation that takes longer is ended.
const SIMULATION_MAX: Duration = Duration::from_secs(60);
/// An exploration ends by itself then, and tells what it has: its last call and the answer take far less than what is left.
const EXPLORATION_SECONDS: u64 = 40;
/// What folders of simulations are called, before the process and the number.
const FOLDER: &str = "simulation-";

/// Answers for a running switch. A simulation is a process of its own: whatever it does, it does nothing to calls.
pub(super) struct Bench {
    running: Arc<Running>,
    data: PathBuf,
}

impl Bench {
    /// For the switch that has this data folder for itself: what simulations of a switch before it left there is taken away.
    pub(super) fn new(running: &Arc<Running>, data: &Path) -> Self {
        for entry in std::fs::read_dir(data).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(FOLDER) {
                drop(Folder(entry.path()));
            }
        }
        Self { running: Arc::clone(running), data: data.to_owned() }
    }
}

impl Workshop for Bench {
    fn actions(&self) -> Value {
        super::plugins::list(&self.running).unwrap_or(Value::Null)
    }

    fn versions(&self, office: &OfficeId, limit: usize) -> Result<Value, String> {
        offices::versions(&self.running, office.as_str(), limit)
    }

    fn difference(&self, office: &OfficeId, from: u64, to: u64) -> Result<Value, String> {
        offices::diff(&self.running, office.as_str(), (Some(from), Some(to)), None)
    }

    fn simulate(&self, office: &OfficeId, wish: &Wish) -> Result<Value, Vec<String>> {
        if let Some(file) = wish.scenario.as_deref().filter(|name| crate::simulate::is_file(name)) {
            return Err(vec![format!("{file} is a file, a scenario of the office is wanted")]);
        }
        let folder = Folder::make(&self.data).map_err(|error| vec![format!("no folder for it: {error}")])?;
        let one = |error: std::io::Error| vec![error.to_string()];
        let mut command = Command::new(std::env::current_exe().map_err(one)?);
        command.args(["--json", "simulate", "--office", office.0.as_str()]).arg("--data").arg(&self.data);
        // Whoever serves may have no folder of his own for what is compiled once.
        command.env("XDG_CACHE_HOME", std::path::absolute(&self.data).map_err(one)?.join("cache"));
        command.arg("--plugins").arg(&self.running.actions().folder);
        if !wish.call.is_null() {
            command.arg("--call").arg(folder.write("call.yaml", &wish.call.to_string()).map_err(one)?);
        }
        if wish.explore {
            command.args(["--explore", &format!("--within={EXPLORATION_SECONDS}")]);
            command.args(wish.calls.map(|calls| format!("--calls={calls}")));
        }
        command.arg("--");
        match (&wish.draft, &wish.scenario) {
            (Some(draft), _) => command.arg(folder.write("draft.yaml", draft).map_err(one)?),
            (None, Some(scenario)) => command.arg(scenario),
            (None, None) => &mut command,
        };
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let place = folder.0.display().to_string();
        answered(command.spawn().map_err(one)?)
            .map_err(|faults| faults.into_iter().map(|fault| fault.replace(&format!("{place}/"), "")).collect())
    }
}

/// What the process says, or its faults.
fn answered(mut child: Child) -> Result<Value, Vec<String>> {
    let reading = |from: Option<Box<dyn Read + Send>>| {
        let (told, waits) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut from) = from {
                // What was read before a fault is told.
                let _ = from.read_to_end(&mut text);
            }
            // Nobody waits for it any more when its time is over.
            let _ = told.send(String::from_utf8_lossy(&text).into_owned());
        });
        waits
    };
    let said = reading(child.stdout.take().map(|out| Box::new(out) as _));
    let complained = reading(child.stderr.take().map(|out| Box::new(out) as _));
    let said = said.recv_timeout(SIMULATION_MAX);
    // Whether it was there to be killed or is gone meanwhile is the same to us.
    let _ = child.kill();
    let _ = child.wait();
    let Ok(said) = said else {
        return Err(vec![format!("it took longer than {} s; ask for fewer calls", SIMULATION_MAX.as_secs())]);
    };
    if let Ok(value) = serde_json::from_str(&said) {
        return Ok(value);
    }
    let complained = complained.recv().unwrap_or_default();
    let fault = |line: &str| {
        let told: Option<Value> = serde_json::from_str(line).ok();
        told.and_then(|told| told.get("error")?.as_str().map(ToOwned::to_owned)).unwrap_or_else(|| line.to_owned())
    };
    Err(complained.lines().map(fault).collect())
}

/// A folder for the files of one simulation, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn make(data: &Path) -> std::io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = data.join(format!("{FOLDER}{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }

    fn write(&self, name: &str, text: &str) -> std::io::Result<PathBuf> {
        let file = self.0.join(name);
        std::fs::write(&file, text)?;
        Ok(file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the files of a simulation are left");
        }
    }
}
