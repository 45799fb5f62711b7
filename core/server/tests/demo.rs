//! The command where no switch runs. What a running one does is in `tests/interop`, with programs of others.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};

fn plugboard(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plugboard"));
    command.args(words).env_remove("PLUGBOARD_DATA");
    if std::env::var_os("PLUGBOARD_PLUGINS").is_none() {
        // Where `cargo plugins` puts the actions.
        let program = Path::new(env!("CARGO_BIN_EXE_plugboard"));
        command.env("PLUGBOARD_PLUGINS", program.parent().and_then(Path::parent).unwrap().join("plugins"));
    }
    command.output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_files_of_the_demo_have_no_fault() {
    let office = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/office.yaml");
    let output = plugboard(&["check", office.to_str().unwrap()]);
    assert_eq!((text(output.stdout).as_str(), text(output.stderr).as_str()), ("", ""));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_wrong_command_line_ends_with_2_and_help_with_0() {
    assert_eq!(plugboard(&["serve", "--no-such-flag"]).status.code(), Some(2));
    assert_eq!(plugboard(&["call"]).status.code(), Some(2));
    assert_eq!(plugboard(&["serve", "--rtp-ports", "many"]).status.code(), Some(2));
    assert_eq!(plugboard(&["--help"]).status.code(), Some(0));
}

#[test]
fn the_schemas_name_what_the_documents_have() {
    let office = text(plugboard(&["schema", "office"]).stdout);
    assert!(office.contains("\"gateways\"") && office.contains("2020-12"), "{office}");
    let scenario = text(plugboard(&["schema", "scenario"]).stdout);
    assert!(scenario.contains("\"call-group\""), "installed actions are words of the language: {scenario}");
}

#[test]
fn the_licences_of_everything_inside_are_told() {
    let licences = text(plugboard(&["licenses"]).stdout);
    for name in ["wasmtime", "actix", "RocksDB"] {
        assert!(licences.to_lowercase().contains(&name.to_lowercase()), "{name}");
    }
}
