//! Steps with a name, a log and a time; and the table of them at the end.

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::now;
use crate::crowd;
use crate::json::Json;
use crate::project::Project;

/// Lines of a failed step's log that are shown: a screenful.
const SHOWN_LINES: usize = 40;
/// On a terminal the line "still at it" is renewed this often.
const TICK: Duration = Duration::from_secs(1);
/// In a log it comes this often: enough to see that a build of half an hour is alive.
const SLOW_TICK: Duration = Duration::from_secs(30);
/// Room for a step's name in the table.
const NAME_WIDTH: usize = 40;

/// Why a step failed, for the reader, with what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    why: String,
    again: Option<String>,
}

impl Failure {
    /// A failure whose text says everything.
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), again: None }
    }

    /// A failed command: the log tells more, the command can be run again by hand.
    pub(crate) fn of_command(command: &Command, why: impl Into<String>) -> Self {
        Self { why: why.into(), again: Some(spelled(command)) }
    }

    /// The sentence for the reader.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    /// Tells the reader; the answer, false, says that not all went well.
    pub(crate) fn print(&self) -> bool {
        println!("{}", self.why);
        if let Some(again) = &self.again {
            println!("again: {again}");
        }
        false
    }
}

/// What a step does: the answer is a remark for its line, or nothing.
pub(crate) type Work<'a> = &'a mut dyn FnMut(&mut Log) -> Result<String, Failure>;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
}

#[derive(Debug)]
struct Done {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// Runs steps one after the other and remembers how they went.
#[derive(Debug)]
pub(crate) struct Steps {
    total: usize,
    done: Vec<Done>,
    logs: PathBuf,
    began: Instant,
}

impl Steps {
    /// `total` steps are to come; their logs go to `setup/` in the target folder.
    pub(crate) fn new(project: &Project, total: usize) -> Result<Self, Failure> {
        let logs = project.logs();
        std::fs::create_dir_all(&logs)
            .map_err(|error| Failure::new(format!("{} cannot be made: {error}", logs.display())))?;
        Ok(Self { total, done: Vec::new(), logs, began: now() })
    }

    /// Runs one step: `file` names its log, `name` is what the reader sees. Answers whether it passed.
    pub(crate) fn run(&mut self, file: &str, name: &'static str, work: Work<'_>) -> bool {
        let place = format!("step {} of {}", self.done.len() + 1, self.total);
        println!("{place}, after {}: {name}", span(self.began.elapsed()));
        let began = now();
        let path = self.logs.join(format!("{file}.log"));
        let result = Log::new(path.clone(), place).and_then(|mut log| work(&mut log).inspect_err(|_| log.show_end()));
        let took = began.elapsed();
        let outcome = match result {
            Ok(remark) if remark.is_empty() => {
                println!("    ok, {:.1} s", took.as_secs_f64());
                Outcome::Passed
            }
            Ok(remark) => {
                println!("    ok, {:.1} s: {remark}", took.as_secs_f64());
                Outcome::Passed
            }
            Err(failure) => {
                println!("    FAILED after {:.1} s: {}", took.as_secs_f64(), failure.why);
                if let Some(again) = failure.again {
                    println!("    log:   {}\n    again: {again}", path.display());
                }
                Outcome::Failed
            }
        };
        self.done.push(Done { name, took, outcome });
        outcome == Outcome::Passed
    }

    /// How many steps passed, and how many failed.
    pub(crate) fn count(&self) -> (u64, u64) {
        self.done.iter().fold((0, 0), |(passed, failed), done| match done.outcome {
            Outcome::Passed => (passed + 1, failed),
            Outcome::Failed => (passed, failed + 1),
        })
    }

    /// Whether every step was tried.
    pub(crate) fn is_complete(&self) -> bool {
        self.done.len() == self.total
    }

    /// The table of steps and their seconds.
    pub(crate) fn print_table(&self) {
        println!("\n{:NAME_WIDTH$} seconds", "step");
        for done in &self.done {
            let failed = if done.outcome == Outcome::Failed { "  FAILED" } else { "" };
            println!("{:NAME_WIDTH$} {:7.1}{failed}", done.name, done.took.as_secs_f64());
        }
        println!("{:NAME_WIDTH$} {:7.1}", "in all", self.began.elapsed().as_secs_f64());
        if self.done.len() < self.total {
            println!("{} of {} steps were not tried.", self.total - self.done.len(), self.total);
        }
    }
}

/// Where the output of a step's commands goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// To the log only; its end is shown when the step fails.
    OnFailure,
    /// To the log and to the reader.
    Always,
}

/// The log of one running step.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    /// Such as `step 2 of 4`.
    place: String,
    last: VecDeque<String>,
    /// Crates that cargo has compiled or checked in this step, or begun to: `wasmtime v48.0.8`.
    crates: BTreeSet<String>,
    /// What the reader is told of the last line that says something to him.
    latest: String,
    terminal: bool,
}

impl Log {
    fn new(path: PathBuf, place: String) -> Result<Self, Failure> {
        let file = File::create(&path)
            .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))?;
        let terminal = std::io::stdout().is_terminal();
        let (crates, latest) = (BTreeSet::new(), String::new());
        Ok(Self { file, path, place, last: VecDeque::new(), crates, latest, terminal })
    }

    /// Runs a command to its end; a status other than 0 is a failure.
    pub(crate) fn run(&mut self, command: &mut Command, show: Show) -> Result<(), Failure> {
        self.watch(command, show, None, &mut |_| {})
    }

    /// Like [`Log::run`], with a look at each line, and an end after `limit`.
    pub(crate) fn watch(
        &mut self,
        command: &mut Command,
        show: Show,
        limit: Option<Duration>,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), Failure> {
        self.keep(&format!("$ {}", spelled(command)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Err(Failure::of_command(command, format!("it could not be started: {error}"))),
        };
        let lines = lines_of(&mut child);
        let in_time = self.follow(&lines, show, limit, each);
        if !in_time {
            // It may have ended by itself meanwhile; either way it is over.
            let _ = child.kill();
        }
        let status =
            child.wait().map_err(|error| Failure::of_command(command, format!("lost sight of it: {error}")))?;
        match (in_time, status.success()) {
            (true, true) => Ok(()),
            (true, false) => Err(Failure::of_command(command, format!("`{}` ended with {status}", program(command)))),
            (false, _) => {
                let seconds = limit.unwrap_or_default().as_secs();
                Err(Failure::of_command(command, format!("`{}` took longer than {seconds} s", program(command))))
            }
        }
    }

    /// Runs commands beside one another, `at_once` at a time, each to its end or `limit`, in their order.
    ///
    /// What one printed is kept when it has ended, whole, so that it can be read as if it had run alone.
    pub(crate) fn crowd(
        &mut self,
        commands: Vec<Command>,
        at_once: usize,
        limit: Duration,
        each: &mut dyn FnMut(crowd::End),
    ) {
        let total = commands.len();
        let began = now();
        let mut told = began;
        let ended = crowd::start(commands, at_once, limit);
        for done in 1..=total {
            let end = loop {
                match ended.recv_timeout(TICK) {
                    Ok(end) => break end,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if told.elapsed() >= if self.terminal { TICK } else { SLOW_TICK } {
                    told = now();
                    self.tell(began.elapsed());
                }
            };
            self.clear();
            for line in &end.lines {
                self.keep(line);
            }
            self.latest = format!("{done} of {total} programs have ended");
            each(end);
        }
    }

    /// Runs a command and answers what it printed on standard output.
    pub(crate) fn output(&mut self, command: &mut Command) -> Result<String, Failure> {
        self.keep(&format!("$ {}", spelled(command)));
        let output = command.stdin(Stdio::null()).output();
        let output =
            output.map_err(|error| Failure::of_command(command, format!("it could not be started: {error}")))?;
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            self.keep(line);
        }
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(Failure::of_command(command, format!("`{}` ended with {}", program(command), output.status)))
        }
    }

    /// A line for the log and the reader.
    pub(crate) fn say(&mut self, line: &str) {
        println!("    {line}");
        self.keep(line);
    }

    fn keep(&mut self, line: &str) {
        self.crates.extend(crate_of(line));
        self.latest = told(line).unwrap_or_else(|| std::mem::take(&mut self.latest));
        // A log that cannot be written (a full disk) must not end the step; its end is shown from memory.
        let _ = writeln!(self.file, "{line}");
        if self.last.len() == SHOWN_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }

    /// Follows the lines until the last writer is gone; false when `limit` came first.
    fn follow(
        &mut self,
        lines: &Receiver<String>,
        show: Show,
        limit: Option<Duration>,
        each: &mut dyn FnMut(&str),
    ) -> bool {
        let began = now();
        let mut told = began;
        loop {
            if limit.is_some_and(|limit| began.elapsed() >= limit) {
                return false;
            }
            match lines.recv_timeout(TICK) {
                Ok(line) => {
                    self.keep(&line);
                    each(&line);
                    if show == Show::Always {
                        self.clear();
                        println!("{line}");
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.clear();
                    return true;
                }
            }
            let tick = if self.terminal { TICK } else { SLOW_TICK };
            if told.elapsed() >= tick {
                told = now();
                self.tell(began.elapsed());
            }
        }
    }

    fn tell(&self, so_far: Duration) {
        let line = self.progress(so_far);
        if self.terminal {
            print!("\r\x1b[K    {line}");
            // A terminal that cannot be flushed shows the line a little later.
            let _ = std::io::stdout().flush();
        } else {
            println!("    {line}");
        }
    }

    /// Which step, for how long, how far: `step 4 of 4, 2 min 30 s, 143 crates: Compiling wasmtime v48.0.8`.
    fn progress(&self, so_far: Duration) -> String {
        let last: String = self.latest.chars().take(80).collect();
        let crates = if self.crates.is_empty() { String::new() } else { format!(", {} crates", self.crates.len()) };
        format!("{}, {}{crates}: {last}", self.place, span(so_far))
    }

    fn clear(&self) {
        if self.terminal {
            print!("\r\x1b[K");
        }
    }

    fn show_end(&self) {
        if self.last.is_empty() {
            return;
        }
        println!("    the end of {}:", self.path.display());
        for line in &self.last {
            println!("    | {line}");
        }
    }
}

/// The crate that a line of cargo's is about, such as `wasmtime v48.0.8`, if it is compiled or checked in this run.
fn crate_of(line: &str) -> Option<String> {
    if let Some(message) = json(line) {
        let is_new = message.get("fresh") == Some(&Json::Bool(false));
        return package(message.text("package_id")?).filter(|_| is_new);
    }
    let mut words = line.split_whitespace();
    words.next().filter(|word| matches!(*word, "Compiling" | "Checking"))?;
    Some(format!("{} {}", words.next()?, words.next()?))
}

/// A line as a reader wants it: cargo's JSON shortened to its crate, and nothing where it names none.
fn told(line: &str) -> Option<String> {
    let Some(message) = json(line) else { return Some(line.trim().to_owned()) };
    let name = package(message.text("package_id")?)?;
    match message.text("reason")? {
        "compiler-artifact" if message.get("fresh") == Some(&Json::Bool(true)) => Some(format!("Fresh {name}")),
        "compiler-artifact" => Some(format!("Compiled {name}")),
        "build-script-executed" => Some(format!("Prepared {name}")),
        _ => None,
    }
}

/// A message of cargo's `--message-format=json`.
fn json(line: &str) -> Option<Json> {
    line.starts_with("{\"reason\":").then(|| Json::read(line).ok()).flatten()
}

/// The name and version in cargo's id of a package: `registry+https://..#wasmtime@48.0.8`, or `path+file:///w/sip#0.1.0`
/// where the folder has the package's name.
fn package(id: &str) -> Option<String> {
    let (place, name) = id.split_once('#')?;
    let (name, version) = name.split_once('@').or_else(|| Some((place.rsplit('/').next()?, name)))?;
    Some(format!("{name} v{version}"))
}

/// A time for people who wait: `40 s`, `2 min 30 s`.
fn span(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// Both outputs of a child, line by line, as they come.
pub(crate) fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender);
    }
    receiver
}

fn forward(source: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        while matches!(source.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
}

pub(crate) fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The command as one would type it.
pub(crate) fn spelled(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy())));
        }
    }
    words.push(quoted(&program(command)));
    words.extend(command.get_args().map(|arg| quoted(&arg.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(name: &str) -> Steps {
        let target = std::env::temp_dir().join(format!("plugboard-setup-{}-{name}", std::process::id()));
        Steps::new(&Project { root: target.clone(), target }, 3).unwrap()
    }

    #[test]
    fn a_step_whose_command_fails_is_counted_as_failed() {
        let mut steps = steps("count");
        assert!(steps.run("true", "succeed", &mut |log| {
            log.run(&mut Command::new("true"), Show::OnFailure).map(|()| String::new())
        }));
        assert!(!steps.run("false", "fail", &mut |log| {
            log.run(&mut Command::new("false"), Show::OnFailure).map(|()| String::new())
        }));
        assert_eq!(steps.count(), (1, 1));
    }

    #[test]
    fn the_log_holds_both_outputs_and_the_command() {
        let mut steps = steps("log");
        let mut seen = Vec::new();
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo out; echo err >&2"]).env("WHO", "me too");
        steps.run("both", "both", &mut |log| {
            log.watch(&mut shell, Show::OnFailure, None, &mut |line| seen.push(line.to_owned())).map(|()| String::new())
        });
        seen.sort();
        assert_eq!(seen, ["err", "out"]);
        let log = std::fs::read_to_string(steps.logs.join("both.log")).unwrap();
        assert!(log.starts_with("$ WHO='me too' sh -c 'echo out; echo err >&2'\n"), "{log}");
    }

    #[test]
    fn whoever_waits_is_told_the_step_the_time_and_the_crates() {
        let mut steps = steps("progress");
        let mut told = String::new();
        steps.run("build", "build", &mut |log| {
            let mut cargo = Command::new("printf");
            cargo.arg("   Compiling rocksdb v0.25.0\nwarning: one\n   Compiling wasmtime v48.0.8\n");
            log.run(&mut cargo, Show::OnFailure)?;
            told = log.progress(Duration::from_secs(150));
            Ok(String::new())
        });
        assert_eq!(told, "step 1 of 3, 2 min 30 s, 2 crates: Compiling wasmtime v48.0.8");
        assert!(SLOW_TICK <= Duration::from_secs(30), "a line comes often enough");
    }

    #[test]
    fn cargos_messages_in_json_are_told_and_counted_by_their_crates() {
        let mut steps = steps("json");
        let mut told = Vec::new();
        let artifact = |id: &str, fresh: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{id}","target":{{"kind":["lib"]}},"fresh":{fresh}}}"#
            )
        };
        let wasmtime = "registry+https://github.com/rust-lang/crates.io-index#wasmtime@48.0.8";
        let lines = [
            artifact("registry+https://github.com/rust-lang/crates.io-index#serde@1.0.228", true),
            "   Compiling wasmtime v48.0.8".to_owned(),
            artifact(wasmtime, false),
            format!(r#"{{"reason":"build-script-executed","package_id":"{wasmtime}","cfgs":[]}}"#),
            artifact("path+file:///w/core/sdk#0.1.0", false),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        steps.run("json", "json", &mut |log| {
            for line in &lines {
                log.keep(line);
                told.push(log.progress(Duration::from_secs(40)));
            }
            Ok(String::new())
        });
        let place = "step 1 of 3, 40 s";
        let expected = [
            format!("{place}: Fresh serde v1.0.228"),
            format!("{place}, 1 crates: Compiling wasmtime v48.0.8"),
            format!("{place}, 1 crates: Compiled wasmtime v48.0.8"),
            format!("{place}, 1 crates: Prepared wasmtime v48.0.8"),
            format!("{place}, 2 crates: Compiled sdk v0.1.0"),
            format!("{place}, 2 crates: Compiled sdk v0.1.0"),
        ];
        assert_eq!(told, expected);
        assert_eq!(steps.count(), (1, 0));
    }

    #[test]
    fn a_command_that_hangs_is_ended_at_its_limit() {
        let mut steps = steps("hang");
        let mut cat = Command::new("tail");
        cat.args(["-f", "/dev/null"]);
        let began = now();
        let passed = steps.run("hang", "hang", &mut |log| {
            log.watch(&mut cat, Show::OnFailure, Some(Duration::from_millis(10)), &mut |_| {}).map(|()| String::new())
        });
        assert!(!passed);
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
