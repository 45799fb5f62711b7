//! A program that runs beside the test, and ends with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::until;

/// The file of a program: the first in `$PLUGBOARD_TOOLS/bin` and on the path.
pub fn tool(name: &str) -> PathBuf {
    let tools = std::env::var_os("PLUGBOARD_TOOLS").map(|tools| PathBuf::from(tools).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = tools.into_iter().chain(std::env::split_paths(&path)).map(|folder| folder.join(name));
    folders.find(|file| file.is_file()).unwrap_or_else(|| {
        panic!("{name} is missing: run `cargo verify`, which sees to it (core/setup/src/machine.rs names its package)")
    })
}

/// A running program. What it prints goes to a file; dropping it kills it.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    output: PathBuf,
}

impl Program {
    /// Starts it; its output goes to `NAME.out` in `folder`.
    pub fn start(mut command: Command, folder: &Path, name: &str) -> Self {
        let output = folder.join(format!("{name}.out"));
        let file = File::create(&output).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Self::from(command, name, output)
    }

    /// Starts a program whose output streams are already set; what it says on standard error is in `output`.
    pub(crate) fn from(mut command: Command, name: &str, output: PathBuf) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { name: name.to_owned(), child, output }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let name = format!("the end of {}", self.name);
        until(&name, || self.ended())
    }

    /// Waits for its end, which is to be a success.
    pub fn succeeds(mut self) {
        let status = self.wait();
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.output());
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        // The shell's own: a bare machine has no program of that name.
        let mut shell = Command::new("sh");
        let status = shell.args(["-c", "kill -\"$0\" \"$1\"", signal, &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "SIG{signal} to {}", self.name);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended needs no killing, and whether it has is what `kill` finds out.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let output = self.output();
            let tail: Vec<&str> = output.lines().rev().take(25).collect();
            eprintln!("-- the last that {} said:", self.name);
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> std::process::Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
