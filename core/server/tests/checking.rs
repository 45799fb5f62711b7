//! `plugboard check`: every fault of every file, with its place, and nothing else.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo plugins` puts the actions.
fn plugins() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_plugboard"));
    let beside = || program.parent().and_then(Path::parent).unwrap().join("plugins");
    std::env::var_os("PLUGBOARD_PLUGINS").map_or_else(beside, PathBuf::from)
}

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
        self.check_with(&plugins(), files)
    }

    fn check_with(&self, plugins: &Path, files: &[(&str, &str)]) -> (Vec<String>, Vec<String>, i32) {
        let (told, code) = self.told(plugins, files);
        let line = |fault: &Value| {
            let text = |key: &str| fault[key].as_str().unwrap().to_owned();
            let place = match (fault["line"].as_u64().unwrap(), fault["column"].as_u64().unwrap()) {
                (0, 0) => String::new(),
                (line, column) => format!("{line}:{column}:"),
            };
            format!("{}:{place} {} ({})", text("file"), text("reason"), text("remedy"))
        };
        let list = |key: &str| told[key].as_array().unwrap().iter().map(line).collect();
        (list("faults"), list("warnings"), code)
    }

    /// The answer for programs, and the exit code.
    fn told(&self, plugins: &Path, files: &[(&str, &str)]) -> (Value, i32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugboard"));
        command.current_dir(&self.0).args(["--json", "check", "--plugins"]).arg(plugins);
        for (name, text) in files {
            fs::write(self.0.join(name), text).unwrap();
            command.arg(name);
        }
        let output = command.output().unwrap();
        let told = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (told, output.status.code().unwrap())
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
fn r52_a_prompt_that_an_action_takes_by_its_default_is_looked_for_as_well() {
    let desk = Desk::new("kind");
    let office = "office: main\ndomains: [a.test]\nscenarios:\n  - scenario: main\n    steps:\n      \
                  - play-audio: { audio: greeting }\n      - play-audio: { audio: farewell, kind: prompt }\n      - hang-up\n";
    let (faults, warnings, code) = desk.check(&[("office.yaml", office)]);
    assert_eq!((faults.len(), code), (0, 0), "{faults:?}");
    for name in ["\"greeting\"", "\"farewell\""] {
        assert!(warnings.iter().any(|warning| warning.contains(name)), "{name}: {warnings:?}");
    }
    let tone = office.replace("audio: farewell, kind: prompt", "audio: bussy, kind: tone");
    let (faults, _, code) = desk.check(&[("office.yaml", &tone)]);
    assert_eq!(code, 1);
    assert_eq!(faults, ["office.yaml:7:30: there is no tone \"bussy\" (did you mean \"busy\"?)"]);
}

#[test]
fn a_warning_is_a_fault_where_strictness_is_asked_for() {
    let desk = Desk::new("strict");
    let office = "office: main\ndomains: [a.test]\nmusic: { hold: gone.wav }\n";
    fs::write(desk.0.join("office.yaml"), office).unwrap();
    let check = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugboard"));
        command.current_dir(&desk.0).arg("check").args(words).arg("--plugins").arg(plugins());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (words, code) in [(&["office.yaml"][..], 0), (&["--strict", "office.yaml"], 1)] {
        let (found, said) = check(words);
        assert_eq!(found, Some(code), "{words:?}");
        assert!(said.contains("warning") && said.contains("gone.wav"), "{said}");
    }
    let office = "office: main\ndomains: [a.test]\n";
    fs::write(desk.0.join("office.yaml"), office).unwrap();
    let (found, said) = check(&["--strict", "office.yaml"]);
    assert_eq!(found, Some(1));
    assert!(said.contains("nobody has confirmed the emergency numbers"), "{said}");
    fs::write(desk.0.join("office.yaml"), format!("{office}emergency: {{ confirmed: true }}\n")).unwrap();
    assert_eq!(check(&["--strict", "office.yaml"]), (Some(0), String::new()));
}

#[test]
fn a_folder_is_no_file_and_the_files_in_it_are_named() {
    let desk = Desk::new("folder");
    fs::create_dir(desk.0.join("sub")).unwrap();
    let faults = |desk: &Desk| {
        let words = ["check", "sub"];
        let output = Command::new(env!("CARGO_BIN_EXE_plugboard")).current_dir(&desk.0).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        faults(&desk).starts_with("sub: this is a folder, a file is wanted (name an office file; there is none in it)")
    );
    for name in ["b.yaml", "a.yaml", "notes.txt"] {
        fs::write(desk.0.join("sub").join(name), "").unwrap();
    }
    let told = faults(&desk);
    assert!(told.contains("(name files, such as sub/a.yaml sub/b.yaml)"), "{told}");
}

#[test]
fn a_fault_is_an_object_for_programs() {
    let desk = Desk::new("object");
    let (told, code) = desk.told(&plugins(), &[("p.toml", "threads = 1\nthread = 2\n")]);
    assert_eq!(code, 1);
    let expected = serde_json::json!([{ "file": "p.toml", "line": 2, "column": 1, "path": "thread",
        "reason": "\"thread\" is not known", "remedy": "did you mean \"threads\"?" }]);
    assert_eq!(told["faults"], expected);
}

#[test]
fn what_is_wrong_with_one_file_hides_nothing_of_the_others() {
    let desk = Desk::new("others");
    let broken = "office: main\ndomains: [a.test\n";
    let nameless = "domains: [a.test]\nscenarios:\n  - scenario: main\n    steps: [dance]\n";
    let config = "threads = 0\n";
    let files = [("broken.yaml", broken), ("nameless.yaml", nameless), ("p.toml", config)];
    let (faults, _, _) = desk.check(&files);
    let places: Vec<&str> = faults.iter().map(|fault| fault.split(' ').next().unwrap()).collect();
    assert_eq!(
        places,
        ["broken.yaml:2:10:", "nameless.yaml:1:1:", "nameless.yaml:4:13:", "p.toml:1:11:"],
        "{faults:#?}"
    );
    // Nor does the lack of any plugin: what can be told without them is told.
    let (faults, _, _) = desk.check_with(Path::new("no-such-folder"), &files);
    let files: Vec<&str> = faults.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    assert_eq!(files, ["no-such-folder", "broken.yaml", "nameless.yaml", "p.toml"], "{faults:#?}");
}

#[test]
fn two_plugins_of_one_name_are_told_with_both_files() {
    let desk = Desk::new("twins");
    let folder = desk.0.join("plugins");
    fs::create_dir_all(&folder).unwrap();
    let mut echo = fs::read(plugins().join("echo.wasm")).unwrap();
    fs::write(folder.join("a-first.wasm"), &echo).unwrap();
    // An empty custom section named x: another file, the same action.
    echo.extend([0, 2, 1, b'x']);
    fs::write(folder.join("b-second.wasm"), &echo).unwrap();
    fs::write(folder.join("c-broken.wasm"), b"no wasm").unwrap();
    let scenario = "scenario: s\nsteps: [echo]\n";
    let (faults, _, code) = desk.check_with(&folder, &[("s.yaml", scenario)]);
    assert_eq!((code, faults.len()), (1, 2), "{faults:?}");
    for word in ["a-first.wasm", "b-second.wasm", "\"echo\"", "take one of the two files out"] {
        assert!(faults[0].contains(word), "{word}: {faults:?}");
    }
    assert!(faults[1].contains("c-broken.wasm"), "{faults:?}");
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

#[test]
fn what_a_route_does_not_grant_to_its_scenario_is_told_before_anybody_calls() {
    let desk = Desk::new("grants");
    let office = |plugins: &str| {
        format!(
            "office: main\ndomains: [a.test]\nemergency: {{ confirmed: true }}\nusers: [{{ id: ann, number: 1, password: x }}]\n\
             scenarios:\n  - scenario: main\n    steps:\n      - play-audio: {{ audio: busy, kind: tone, max: 1s }}\n      \
             - call-user: {{ mode: user, target: ann }}\nroutes:\n  - {{ id: r, number: 100, scenario: main, plugins: {plugins} }}\n"
        )
    };
    let (faults, warnings, code) = desk.check(&[("office.yaml", &office("{ call-user: { capabilities: [dial] } }"))]);
    assert_eq!((faults.len(), code), (0, 0), "{faults:?}");
    assert!(
        warnings.iter().any(|line| line
            .contains("the route r leads to the scenario main, whose action play-audio is not enabled there")),
        "{warnings:?}"
    );
    assert!(
        warnings.iter().any(|line| line.contains("whose action call-user is not granted the capability")),
        "{warnings:?}"
    );
    assert_eq!(desk.check(&[("office.yaml", &office("{ call-user: all, play-audio: all }"))]).1, Vec::<String>::new());
    let (faults, _, _) =
        desk.check(&[("office.yaml", &office("{ call-usr: all, play-audio: { capabilities: [cal] } }"))]);
    let expected = [
        "office.yaml:11:54: no action call-usr is installed (did you mean \"call-user\"?)",
        "office.yaml:11:69: there is no capability \"cal\" (did you mean \"call\"?)",
    ];
    assert_eq!(faults, expected);
}
