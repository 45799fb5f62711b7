//! What a vendor does, by the tutorials of the SDK word for word: a project is made, tested, changed and built, and its component runs in a call.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Call, Office, Plugboard, Serve, Sipp, Transport, built_plugins, plugboard, steps};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The lines of every `sh` block of a page.
fn tutorial(page: &str) -> Vec<String> {
    let text = fs::read_to_string(checkout().join(page)).unwrap();
    let mut inside = false;
    let inner = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        inside = if fence { *line == "```sh" } else { inside };
        inside && !fence
    });
    inner.map(str::to_owned).collect()
}

/// What the set-up has brought already, as the lock file and the requirements of the template say: fetched again in the full round.
fn is_for_the_full_round(line: &str) -> bool {
    line.starts_with("npm ci") || line.starts_with("python3 -m venv")
}

/// Runs the lines in a new folder, and answers it with what they printed.
fn followed(lines: &[String]) -> (tempfile::TempDir, String) {
    let full = std::env::var_os("PLUGBOARD_LONG").is_some();
    let lines: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| full || !is_for_the_full_round(line)).collect();
    assert!(lines.len() >= 3, "{lines:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let beside = [plugboard().parent().unwrap().to_owned()];
    let path = std::env::join_paths(beside.into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &lines.join("\n")]).current_dir(folder.path());
    let output = shell.env("PATH", path).env("PLUGBOARD", checkout()).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    (folder, said)
}

/// Puts the component beside the built actions of a switch, and calls a scenario that runs it.
fn runs_in_a_call(component: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    for file in fs::read_dir(built_plugins()).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, plugins.join(file.file_name().unwrap())).unwrap();
    }
    fs::copy(component, plugins.join("greet-by-time.wasm")).unwrap();
    let switch: Plugboard = Serve::on(&folder.path().join("data")).plugins(&plugins).start();
    let steps_of_it = "- greet-by-time: { utc_offset: 1 }\n- echo: { max: 60s }";
    switch.apply(&Office::new().scenario("301", "greeting", steps_of_it));
    let call = Call::new("101", "secret-101", "301").lasts(Duration::from_secs(2));
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    let record = &switch.waits_for_past_calls(1)[0];
    let steps = steps(record);
    assert_eq!(steps[0], ("greet-by-time".to_owned(), "done".to_owned()), "{record}");
    assert_eq!(steps[1].0, "echo", "{record}");
}

/// The tutorial of a language that brings an interpreter: three calls pass, a fourth fails, then all four pass.
fn is_as_the_tutorial_says(page: &str) {
    let (folder, said) = followed(&tutorial(page));
    let at = |words: &str| said.find(words).unwrap_or_else(|| panic!("no {words:?} in: {said}"));
    assert!(at("3 passed, 0 failed") < at("3 passed, 1 failed"), "{said}");
    assert!(at("3 passed, 1 failed") < at("4 passed, 0 failed"), "{said}");
    assert!(said.contains("FAILED  the caller is greeted at night"), "{said}");
    // Nothing of WASI is left, or the build would have said so.
    assert!(said.contains("with the capabilities call, variables, log, clock"), "{said}");
    runs_in_a_call(&folder.path().join("greet-by-time/greet-by-time.wasm"));
}

#[test]
fn an_action_in_javascript_is_made_tested_and_built_as_its_tutorial_says_and_runs_in_a_call() {
    is_as_the_tutorial_says("sdk/javascript/README.md");
}

#[test]
fn an_action_in_python_is_made_tested_and_built_as_its_tutorial_says_and_runs_in_a_call() {
    is_as_the_tutorial_says("sdk/python/README.md");
}

#[test]
fn an_action_in_rust_is_made_tested_and_built_by_the_same_commands_and_runs_in_a_call() {
    let lines = [
        "plugboard plugin new --lang rust greet-by-time",
        "cd greet-by-time",
        "plugboard plugin test",
        "plugboard plugin build",
    ];
    let (folder, said) = followed(&lines.map(str::to_owned));
    assert!(said.contains("3 passed, 0 failed"), "{said}");
    runs_in_a_call(&folder.path().join("greet-by-time/greet-by-time.wasm"));
}
