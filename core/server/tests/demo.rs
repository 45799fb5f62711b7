//! The demo office, called by sipp: a program that was not written here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running demo on free ports, ended with the test.
struct Demo {
    process: Child,
    folder: PathBuf,
    sip: String,
    http: String,
}

impl Demo {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plugboard-test-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugboard"));
        command.args(["--json", "serve", "--demo", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        command.args(["--rtp-ports", "31000-31099", "--data"]).arg(folder.join("data"));
        if std::env::var_os("PLUGBOARD_PLUGINS").is_none() {
            command.arg("--plugins").arg(built_plugins());
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line:?}"));
        let text = |path: &str| ready.pointer(path).and_then(|value| value.as_str()).unwrap().to_owned();
        Self { sip: text("/sip/udp"), http: text("/http"), process, folder }
    }

    /// Runs sipp once to its end; true: every call was as the scenario says.
    fn sipp(&self, scenario: &str, who: &str, password: &str, called: &str, port: u16) -> bool {
        let file = self.folder.join(format!("{who}-{called}.csv").replace('*', "star"));
        fs::write(&file, format!("SEQUENTIAL\n{who};[authentication username={who} password={password}];{called}\n"))
            .unwrap();
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(scenario);
        let status = Command::new("sipp")
            .args([self.sip.as_str(), "-m", "1", "-nostdin", "-i", "127.0.0.1", "-timeout", "30s", "-timeout_error"])
            .arg("-sf")
            .arg(scenario)
            .arg("-inf")
            .arg(file)
            .args(["-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.expect("sipp is installed: cargo verify does it (Debian's sip-tester)").success()
    }

    /// The newest past call. Its record is written after the phones have heard the end, so this asks until it is there.
    fn past_call(&self) -> serde_json::Value {
        for _ in 0..500 {
            if let Some(record) = self.ask(&["call", "list"]).pointer("/past/0") {
                return record.clone();
            }
        }
        panic!("the call left no record")
    }

    fn ask(&self, args: &[&str]) -> serde_json::Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugboard"));
        command.arg("--json").args(args.get(..1).unwrap()).arg("--data").arg(self.folder.join("data"));
        let output = command.args(args.get(1..).unwrap()).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{args:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where `cargo plugins` puts the actions: beside this test's own program.
fn built_plugins() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_plugboard"));
    program.parent().and_then(Path::parent).unwrap().join("plugins")
}

#[test]
fn r1_r10_a_phone_registers_by_digest_and_is_called_by_its_number() {
    let demo = Demo::start("call");
    assert!(!demo.sipp("register.xml", "102", "wrong", "102", 31_202), "a wrong password registers nobody");
    assert!(demo.sipp("register.xml", "102", "demo-102", "102", 31_202));
    let mut callee = Command::new("sipp")
        .args(["-sn", "uas", "-m", "1", "-nostdin", "-i", "127.0.0.1", "-p", "31202", "-timeout", "30s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(demo.sipp("call.xml", "101", "demo-101", "102", 31_201));
    assert!(callee.wait().unwrap().success(), "the callee saw INVITE, ACK and BYE");
    let record = demo.past_call();
    assert_eq!(record.pointer("/outcome"), Some(&serde_json::json!("answered")));
    assert_eq!(record.pointer("/caller"), Some(&serde_json::json!("101")));
}

#[test]
fn an_action_in_a_sandbox_answers_the_echo_and_its_decisions_can_be_replayed() {
    let demo = Demo::start("echo");
    assert!(demo.sipp("call.xml", "101", "demo-101", "*43", 31_211));
    let record = demo.past_call();
    let id = record.pointer("/id").and_then(|id| id.as_str()).unwrap();
    let trace = demo.ask(&["call", "trace", id]);
    assert!(trace.to_string().contains("\"run_began\""), "{trace}");
    let replay = demo.ask(&["call", "replay", id]);
    assert_eq!(replay.pointer("/runs/0/same"), Some(&serde_json::json!(true)), "{replay}");
    let ladder = demo.ask(&["call", "trace", id, "--sip"]);
    assert!(ladder.to_string().contains("INVITE sip:*43"), "{ladder}");
    assert!(!ladder.to_string().contains("response="), "no credentials are kept: {ladder}");
    assert!(!demo.http.is_empty());
}
