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

/// The references that people read, by the kind of file that they are about.
const REFERENCES: [(&str, &str); 3] =
    [("config", "REFERENCE.md"), ("office", "../office/REFERENCE.md"), ("scenario", "../scenario/REFERENCE.md")];

#[test]
fn the_references_tell_what_the_schemas_have() {
    for (kind, file) in REFERENCES {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let made = text(plugboard(&["schema", kind, "--markdown"]).stdout);
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let again = format!("plugboard schema {kind} --markdown > core/{}", file.display());
        assert!(kept == made, "the reference is not up to date; please run: {again}");
    }
}

#[test]
fn the_steps_in_the_reference_of_scenarios_have_no_fault() {
    let reference = text(plugboard(&["schema", "scenario", "--markdown"]).stdout);
    let blocks = reference.split("```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let (steps, whole): (Vec<&str>, Vec<&str>) = blocks.partition(|block| block.starts_with("- "));
    let actions =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/actions")).unwrap().count();
    assert_eq!((steps.len(), whole.len()), (actions, 1), "one for each action, and the demo's scenario");
    let file = std::env::temp_dir().join(format!("plugboard-reference-{}.yaml", std::process::id()));
    // Each in a scenario of its own: after the one that hangs up nothing is reached.
    for (place, steps) in steps.iter().enumerate() {
        std::fs::write(&file, format!("scenario: step-{place}\nvariables: {{ agent: user }}\nsteps:\n{steps}\n"))
            .unwrap();
        let told = text(plugboard(&["check", file.to_str().unwrap()]).stdout);
        assert_eq!(told, "", "{steps}");
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn the_demo_keeps_its_data_in_a_folder_of_this_user_alone() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::PermissionsExt;
    let home = std::env::temp_dir().join(format!("plugboard-demo-home-{}", std::process::id()));
    let mut serve = demo();
    serve.env("HOME", &home).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = serve.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let data = home.join(".local/share/plugboard/demo");
    assert!(line.contains(&format!("\"data\":{:?}", data.to_str().unwrap())), "{line}");
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    std::fs::remove_dir_all(&home).unwrap();

    let output = demo().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stderr).contains("name one with --data"), "neither a home nor a folder for data");
}

/// The demo on free ports, without any environment that says where its data are to be.
fn demo() -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_plugboard"));
    let mut serve = Command::new(program);
    serve.args(["--json", "serve", "--demo", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--webrtc-port", "0"]);
    if std::env::var_os("PLUGBOARD_PLUGINS").is_none() {
        serve.env("PLUGBOARD_PLUGINS", program.parent().and_then(Path::parent).unwrap().join("plugins"));
    }
    for name in ["PLUGBOARD_DATA", "XDG_DATA_HOME", "HOME"] {
        serve.env_remove(name);
    }
    serve
}

#[test]
fn the_licences_of_everything_inside_are_told() {
    let licences = text(plugboard(&["licenses"]).stdout);
    for name in ["wasmtime", "actix", "RocksDB"] {
        assert!(licences.to_lowercase().contains(&name.to_lowercase()), "{name}");
    }
}
