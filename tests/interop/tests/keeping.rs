//! What the data folder holds: through backups, cuts and other versions.

use plugboard_tests_interop::{Call, Office, Plugboard, Serve, Sipp, Transport, until};
use std::fs;
use std::time::Duration;

fn echo(switch: &Plugboard, name: &str) {
    let call = Call::new("101", "secret-101", "*43").lasts(Duration::from_millis(100));
    Sipp::calls(switch, name, &call, Transport::Udp).succeeds();
}

#[test]
fn a_backup_taken_during_a_call_is_restored_and_served_from() {
    let switch = Plugboard::with_office(&Office::new());
    echo(&switch, "before");
    let past = switch.waits_for_past_calls(1)[0].clone();
    let call = Call::new("101", "secret-101", "*43").stays();
    let running = Sipp::calls(&switch, "running", &call, Transport::Udp).start();
    let live = switch.waits_for_live_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let (backup, restored) = (switch.folder().join("backup"), switch.folder().join("restored"));
    let (backup, restored) = (backup.to_str().unwrap(), restored.to_str().unwrap());
    switch.succeeds(&["backup", backup]);
    switch.succeeds(&["call", "hangup", &live]);
    running.succeeds();

    let told = switch.ask(&["restore", backup, restored]);
    assert!(told["files"].as_u64().unwrap() > 0, "{told}");
    let second = Serve::on(restored.as_ref()).start();
    let calls = second.waits_for_past_calls(2);
    assert_eq!(calls[1], past, "the record is the same");
    assert_eq!(calls[0]["id"], live.as_str(), "the call that went on then has its one outcome");
    echo(&second, "after");
    assert_eq!(second.waits_for_past_calls(3).len(), 3, "and it serves the office");
    assert!(switch.complains(&["restore", backup, restored]).contains("restored"), "not over what is there");
}

#[test]
fn data_of_a_newer_version_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.terminate();
    switch.wait();
    let marker = data.join("plugboard-data");
    let text = fs::read_to_string(&marker).unwrap();
    let newer: String = text
        .lines()
        .map(|line| if line.starts_with("schema = ") { "schema = 99\n".into() } else { format!("{line}\n") })
        .collect();
    fs::write(&marker, &newer).unwrap();
    let (code, said) = Serve::on(&data).fails();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("schema 99") && said.contains("a newer version wrote it"), "{said}");
    assert_eq!(fs::read_to_string(&marker).unwrap(), newer, "it stays as it is");
}

#[test]
fn the_demo_refuses_the_folder_of_a_real_office_and_the_reverse() {
    let folder = tempfile::tempdir().unwrap();
    let (real, demo) = (folder.path().join("real"), folder.path().join("demo"));
    for (data, more) in [(&real, None), (&demo, Some("--demo"))] {
        let mut switch = Serve::on(data).with(more).start();
        switch.terminate();
        assert!(switch.wait().success());
    }
    let (code, said) = Serve::on(&real).with(["--demo"]).fails();
    assert_eq!(code, Some(3));
    assert!(said.contains("a real office") && said.contains("--data"), "{said}");
    let (code, said) = Serve::on(&demo).fails();
    assert_eq!(code, Some(3));
    assert!(said.contains("the demo") && said.contains("--demo"), "{said}");
}

#[test]
fn two_switches_do_not_share_a_folder() {
    let switch = Plugboard::with_office(&Office::new());
    let (code, said) = Serve::on(switch.data()).fails();
    assert_eq!(code, Some(3));
    assert!(said.contains("is used by another Plugboard"), "{said}");
    echo(&switch, "caller");
}

#[test]
fn after_a_kill_during_a_call_its_journal_is_there_and_the_call_gets_its_one_outcome() {
    let switch = Plugboard::with_office(&Office::new());
    echo(&switch, "before");
    switch.waits_for_past_calls(1);
    let call = Call::new("101", "secret-101", "*43").stays();
    let _running = Sipp::calls(&switch, "running", &call, Transport::Udp).start();
    let id = switch.waits_for_live_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let before = until("the echo to begin", || {
        let output = switch.command(&["--json", "call", "trace", &id]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.contains("\"echo\"").then(|| serde_json::from_str::<serde_json::Value>(&text).unwrap())
    });
    let (_folder, data) = switch.cut();

    let second = Serve::on(&data).start();
    let calls = second.waits_for_past_calls(2);
    assert_eq!((&calls[0]["id"], &calls[0]["caller"]), (&id.as_str().into(), &"101".into()));
    assert_eq!(calls[0]["outcome"]["failed"]["status"], 500, "{}", calls[0]);
    let after = second.ask(&["call", "trace", &id]);
    let (before, after) = (before["entries"].as_array().unwrap(), after["entries"].as_array().unwrap());
    assert_eq!(&after[..before.len()], &before[..], "everything up to the cut");
    assert_eq!(second.ask(&["call", "replay", &id])["runs"][0]["same"], true);
    echo(&second, "after");
}
