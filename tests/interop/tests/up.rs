//! `cargo up`, as the README tells a newcomer to type it: the demo office answers a call, and whoever types it again waits
//! for no compiler.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Call, Plugboard, Serve, Sipp, Transport, target};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Types it, waits for the line that says that calls are answered, and calls 100.
fn up_and_a_call(data: &Path, calls: usize) -> Plugboard {
    let mut switch = Serve::on(data).by_cargo_up().start();
    let caller = Sipp::calls(&switch, &format!("caller-{calls}"), &Call::new("101", "demo-101", "100"), Transport::Udp);
    caller.succeeds();
    let record = switch.waits_for_past_calls(calls)[0].clone();
    assert_eq!((&record["called"], &record["route"]), (&"100".into(), &"welcome".into()), "{record}");
    let sent = record["legs"][0]["quality"]["sent"].as_u64();
    assert!(sent.is_some_and(|packets| packets > 10), "the greeting was sent: {record}");
    switch.terminate();
    assert!(switch.wait().success());
    switch
}

/// What is built of this checkout: the switch and its actions, with the time of their making.
fn built() -> Vec<(PathBuf, SystemTime)> {
    let actions = fs::read_dir(target().join("plugins")).unwrap().map(|file| file.unwrap().path());
    let files = actions.chain([target().join("release/plugboard"), target().join("release/plugboard-componentize")]);
    let mut files: Vec<_> = files.map(|file| (file.clone(), fs::metadata(file).unwrap().modified().unwrap())).collect();
    files.sort();
    files
}

#[test]
fn cargo_up_serves_the_demo_office_and_the_next_one_compiles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(up_and_a_call(&data, 1));
    let before = built();
    let again = up_and_a_call(&data, 2);
    let told = again.told_before();
    for step in ["the machine", "the Rust toolchain", "build the plugins", "build the switch"] {
        assert!(told.contains(&format!(": {step}\n")), "{step}:\n{told}");
    }
    assert!(told.contains(", 0 of them new\n"), "{told}");
    assert!(before.len() > 6, "{before:?}");
    assert_eq!(built(), before);
    for step in ["plugins", "switch"] {
        let log = fs::read_to_string(target().join(format!("setup/{step}.log"))).unwrap();
        assert!(log.contains("Finished ") && !log.contains("Compiling "), "{log}");
    }
}
