//! `plugboard check`: every fault of every file, with its place, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with files that faults are in.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plugboard-check-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// What `check` says of these files, and its exit code.
    fn check(&self, files: &[(&str, &str)]) -> (Vec<String>, Vec<String>, i32) {
        let plugins =
            Path::new(env!("CARGO_BIN_EXE_plugboard")).parent().and_then(Path::parent).unwrap().join("plugins");
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugboard"));
        command.current_dir(&self.0).args(["--json", "check", "--plugins"]).arg(plugins);
        for (name, text) in files {
            fs::write(self.0.join(name), text).unwrap();
            command.arg(name);
        }
        let output = command.output().unwrap();
        let told: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let list =
            |key: &str| told.get(key).unwrap().as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
        (list("faults").collect(), list("warnings").collect(), output.status.code().unwrap())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn faults_of_a_config_an_office_and_a_scenario_are_told_together() {
    let desk = Desk::new("together");
    let office = "office: main\ndomains: [a.test]\nusers:\n  - { id: ann, number: 1, password: x, ringfor: 3s }\n  \
                  - { id: bob, number: 1, password: { environment: PLUGBOARD_NOT_SET } }\nscenarios:\n  \
                  - scenario: main\n    steps:\n      - call-user: { mode: user, target: nobody }\n      - no-such-action\n";
    let scenario =
        "scenario: alone\nsteps:\n  - call-user: { mode: user, target: anybody }\n  - call-usr: { target: anybody }\n";
    let config = "threads = 100\n[sip]\nudp = [\"nowhere\"]\n";
    let (faults, _, code) = desk.check(&[("p.toml", config), ("office.yaml", office), ("alone.yaml", scenario)]);
    assert_eq!(code, 1);
    let expected = [
        ("p.toml:1:", "whole number"),
        ("p.toml:3:", "nowhere"),
        ("office.yaml:4:", "ringfor"),
        ("office.yaml:5:", "PLUGBOARD_NOT_SET"),
        ("office.yaml:9:", "nobody"),
        ("office.yaml:10:", "no-such-action"),
        ("alone.yaml:4:", "call-usr"),
    ];
    for (place, words) in expected {
        assert!(
            faults.iter().any(|fault| fault.starts_with(place) && fault.contains(words)),
            "{place} {words}: {faults:#?}"
        );
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
}

#[test]
fn r52_a_missing_audio_file_is_a_warning_and_no_fault() {
    let desk = Desk::new("audio");
    let office = "office: main\ndomains: [a.test]\nmusic: { hold: gone.wav }\nscenarios:\n  - scenario: main\n    \
                  steps:\n      - menu: { prompt: greeting, keys: { \"1\": [hang-up] } }\n      - hang-up\n";
    let (faults, warnings, code) = desk.check(&[("office.yaml", office)]);
    assert_eq!((faults.len(), code), (0, 0), "{faults:?}");
    assert!(warnings.iter().any(|warning| warning.contains("gone.wav")), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("\"greeting\"")), "{warnings:?}");
}

#[test]
fn a_file_that_is_not_there_is_told_by_its_name() {
    let desk = Desk::new("absent");
    fs::remove_file(desk.0.join("gone.yaml")).ok();
    let output = Command::new(env!("CARGO_BIN_EXE_plugboard"))
        .current_dir(&desk.0)
        .args(["check", "gone.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("gone.toml: cannot be read"));
}
