//! The ten minutes of `sdk/README.md`, as written there.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{Testkit, WallTime, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The lines of every `sh` block.
fn steps(readme: &str) -> Vec<&str> {
    let mut inside = false;
    readme
        .lines()
        .filter(|line| {
            let fence = line.starts_with("```");
            inside = if fence { *line == "```sh" } else { inside };
            inside && !fence
        })
        .collect()
}

/// Compiling the host and the converter once more, with the features that they have alone, is for the full round.
fn is_for_the_full_round(step: &str) -> bool {
    step.starts_with("cargo test") || step.starts_with("cargo run")
}

/// What stands for the converter in the short round: the testkit takes the core module as well.
const MODULE_AS_IT_IS: &str = "cp \"$module\" greet-by-time.wasm";

#[test]
fn the_template_is_copied_changed_built_and_runs_as_the_tutorial_says() {
    let root = checkout();
    let readme = std::fs::read_to_string(root.join("sdk/README.md")).unwrap();
    let full = std::env::var_os("PLUGBOARD_LONG").is_some();
    let mut steps = steps(&readme);
    assert!(steps.len() >= 10, "{steps:?}");
    if !full {
        steps.retain(|step| !is_for_the_full_round(step));
        steps.push(MODULE_AS_IT_IS);
    }

    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &steps.join("\n")])
        .env("PLUGBOARD", &root)
        .env_remove("PLUGBOARD_PLUGINS")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let component = std::fs::read(folder.path().join("greet-by-time/greet-by-time.wasm")).unwrap();
    let testkit = Testkit::load(&component).unwrap();
    assert_eq!(testkit.manifest().name, "greet-by-time");
    for (hour, part) in [(8, "morning"), (12, "day"), (22, "evening"), (23, "night"), (4, "night")] {
        let began = WallTime(hour * 3_600_000);
        let report = testkit.run().parameters(&json!({})).began(began).finish().unwrap();
        assert_eq!((report.outcome(), report.text("part_of_day")), (Some("done"), Some(part)), "at {hour}");
    }
}

#[test]
fn an_action_is_about_thirty_lines() {
    let source = std::fs::read_to_string(checkout().join("plugins/template/src/lib.rs")).unwrap();
    let code = source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    assert!((20..=40).contains(&code), "{code} lines of code");
}
