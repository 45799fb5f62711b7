//! Commands that run beside one another: most of what they do is waiting.

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::clock::now;
use crate::step::{Failure, lines_of, program, spelled};

/// How one of them ended.
#[derive(Debug)]
pub(crate) struct End {
    /// Its place in what was handed in.
    pub(crate) place: usize,
    /// The command as one would type it, and what it printed on both outputs.
    pub(crate) lines: Vec<String>,
    /// A status other than 0, and an end at the limit, are failures.
    pub(crate) result: Result<(), Failure>,
}

type Waiting = Arc<Mutex<VecDeque<(usize, Command)>>>;

/// Starts them in their order, `at_once` at a time; each is ended after `limit`. Answers where their ends are told.
pub(crate) fn start(commands: Vec<Command>, at_once: usize, limit: Duration) -> Receiver<End> {
    let waiting: Waiting = Arc::new(Mutex::new(commands.into_iter().enumerate().collect()));
    let (sender, ends) = channel();
    for _ in 0..at_once.max(1) {
        let (waiting, sender) = (Arc::clone(&waiting), sender.clone());
        thread::spawn(move || work(&waiting, &sender, limit));
    }
    ends
}

fn work(waiting: &Waiting, ends: &Sender<End>, limit: Duration) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((place, mut command)) = next else { return };
        let mut lines = vec![format!("$ {}", spelled(&command))];
        let result = run(&mut command, &mut lines, limit);
        if ends.send(End { place, lines, result }).is_err() {
            return;
        }
    }
}

fn run(command: &mut Command, lines: &mut Vec<String>, limit: Duration) -> Result<(), Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().map_err(|error| Failure::of_command(command, format!("it could not be started: {error}")))?;
    let output = lines_of(&mut child);
    let began = now();
    let in_time = loop {
        match output.recv_timeout(limit.saturating_sub(began.elapsed())) {
            Ok(line) => lines.push(line),
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    if !in_time {
        // It may have ended by itself meanwhile; either way it is over.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| Failure::of_command(command, format!("lost sight of it: {error}")))?;
    match (in_time, status.success()) {
        (true, true) => Ok(()),
        (true, false) => Err(Failure::of_command(command, format!("`{}` ended with {status}", program(command)))),
        (false, _) => {
            let seconds = limit.as_secs();
            Err(Failure::of_command(command, format!("`{}` took longer than {seconds} s", program(command))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    fn ends(commands: Vec<Command>, at_once: usize, limit: Duration) -> Vec<End> {
        let mut ends: Vec<End> = start(commands, at_once, limit).into_iter().collect();
        ends.sort_by_key(|end| end.place);
        ends
    }

    #[test]
    fn each_tells_its_own_lines_and_how_it_ended() {
        let ends = ends(vec![shell("echo one; echo more"), shell("echo two >&2; exit 3")], 2, LONG);
        assert_eq!(ends[0].lines, ["$ sh -c 'echo one; echo more'", "one", "more"]);
        assert!(ends[0].result.is_ok());
        assert_eq!(ends[1].lines[1..], ["two"]);
        assert!(ends[1].result.as_ref().unwrap_err().why().contains("exit status: 3"));
    }

    #[test]
    fn two_run_at_once_and_a_third_waits() {
        let folder = std::env::temp_dir().join(format!("plugboard-crowd-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let at = folder.display();
        // Each of the first two opens a pipe that ends when the other opens its own; the third would block for ever
        // if it had begun before they ended.
        assert!(shell(&format!("mkfifo {at}/a {at}/b")).status().unwrap().success());
        let one = shell(&format!("echo x > {at}/a; cat {at}/b; touch {at}/first"));
        let two = shell(&format!("cat {at}/a; echo x > {at}/b; touch {at}/second"));
        let three = shell(&format!("ls {at}/first || ls {at}/second"));
        let ends = ends(vec![one, two, three], 2, LONG);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(ends.iter().all(|end| end.result.is_ok()), "{ends:?}");
    }

    #[test]
    fn one_that_hangs_is_ended_and_named_and_the_others_are_run() {
        let ends = ends(vec![shell("echo here; exec tail -f /dev/null"), shell("true")], 1, Duration::from_millis(300));
        assert_eq!(ends[0].result.as_ref().unwrap_err().why(), "`sh` took longer than 0 s");
        assert!(ends[1].result.is_ok());
    }

    #[test]
    fn one_that_cannot_be_started_is_a_failure_of_its_own() {
        let ends = ends(vec![Command::new("/no/such/program"), shell("true")], 2, LONG);
        assert!(ends[0].result.as_ref().unwrap_err().why().contains("could not be started"));
        assert!(ends[1].result.is_ok());
    }
}
