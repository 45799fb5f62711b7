//! What the data folder holds: through backups, cuts and other versions.

use plugboard_tests_interop::{Baresip, Call, Office, Plugboard, Serve, Sipp, Transport, built_plugins, until};
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
    assert!(told["done"].as_str().unwrap().ends_with(&format!("`plugboard serve --data {restored}`")), "{told}");
    let second = Serve::on(restored.as_ref()).start();
    let calls = second.waits_for_past_calls(2);
    assert_eq!(calls[1], past, "the record is the same");
    assert_eq!(calls[0]["id"], live.as_str(), "the call that went on then has its one outcome");
    echo(&second, "after");
    assert_eq!(second.waits_for_past_calls(3).len(), 3, "and it serves the office");
    let said = switch.complains(&["restore", backup, restored]);
    assert!(said.contains("not empty; name one that is, or that does not exist yet"), "not over what is there: {said}");
    let said = switch.complains(&["backup", backup]);
    assert!(said.contains("not empty; name one that is, or that does not exist yet"), "nor a backup: {said}");
    let said = switch.complains(&["restore", switch.folder().to_str().unwrap(), "new"]);
    assert!(said.contains("no whole backup") && said.contains("`plugboard backup` made"), "{said}");
}

#[test]
fn a_backup_has_the_recordings_and_a_restored_switch_finds_them_sound() {
    let switch = Plugboard::with_office(&Office::new().user(101, "record: always").user(102, "record: always"));
    let bob = Baresip::start(&switch, "102", "secret-102", 700.0, Transport::Udp);
    let ann = Baresip::start(&switch, "101", "secret-101", 440.0, Transport::Udp);
    ann.dials("102");
    ann.waits_for_answer();
    bob.waits_to_hear();
    let (backup, restored) = (switch.folder().join("backup"), switch.folder().join("restored"));
    let (backup, restored) = (backup.to_str().unwrap(), restored.to_str().unwrap());
    ann.hangs_up();
    switch.waits_for_past_calls(1);
    until("the recording to end", || (switch.ask(&["recording", "verify"])["sound"] == 1).then_some(()));
    switch.succeeds(&["backup", backup]);
    switch.ask(&["restore", backup, restored]);
    let second = Serve::on(restored.as_ref()).start();
    assert_eq!(second.ask(&["recording", "verify"])["sound"], 1);
}

#[test]
fn a_restored_demo_is_told_to_be_served_as_one() {
    let demo = Plugboard::demo();
    let (backup, restored) = (demo.folder().join("backup"), demo.folder().join("restored"));
    demo.succeeds(&["backup", backup.to_str().unwrap()]);
    let told = demo.succeeds(&["restore", backup.to_str().unwrap(), restored.to_str().unwrap()]);
    assert!(told.contains(&format!("`plugboard serve --demo --data {}`", restored.display())), "{told}");
    Serve::on(&restored).with(["--demo"]).start();
}

#[test]
fn what_was_kept_long_enough_is_removed_at_the_next_start_and_calls_that_go_on_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.apply(&Office::new());
    echo(&switch, "old");
    let record = switch.waits_for_past_calls(1)[0].clone();
    let old = record["id"].as_str().unwrap().to_owned();
    until("the call to be older than a second by the switch's clock", || {
        let now = switch.ask(&["call", "list"])["now"].as_i64().unwrap();
        (now > record["began"].as_i64().unwrap() + 1_000).then_some(())
    });
    switch.terminate();
    assert!(switch.wait().success());
    drop(switch);

    // Journals and SIP messages go before the record.
    let mut switch = Serve::on(&data).configured("[keep]\njournals = \"1s\"\ntraces = \"1s\"\n").start();
    until("the old journal to be removed", || {
        (!switch.command(&["call", "trace", &old]).status.success()).then_some(())
    });
    until("the old SIP messages to be removed", || {
        (!switch.command(&["call", "trace", &old, "--sip"]).status.success()).then_some(())
    });
    assert!(switch.complains(&["call", "trace", &old]).contains("[keep]"), "why it is gone");
    assert!(switch.succeeds(&["call", "show", &old]).contains("outcome    handled"));
    assert!((switch.sample("plugboard_store_trimmed_calls_total{kind=\"journal\"}") - 1.0).abs() < f64::EPSILON);
    assert!(switch.log().contains("what was kept long enough was removed"), "{}", switch.log());
    switch.terminate();
    assert!(switch.wait().success());
    drop(switch);

    // Then the record.
    let switch = Serve::on(&data).configured("[keep]\ncalls = \"1s\"\n").start();
    until("the old record to be removed", || switch.past_calls().is_empty().then_some(()));
    echo(&switch, "new");
    assert_eq!(switch.waits_for_past_calls(1).len(), 1, "and calls go on");
}

#[test]
fn an_office_whose_plugin_is_lost_is_served_without_the_scenario_that_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.apply(&Office::new());
    assert!(!switch.page("/readyz").1.contains("plugin_missing"));
    switch.terminate();
    assert!(switch.wait().success());
    drop(switch);

    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    for file in fs::read_dir(built_plugins()).unwrap().map(|file| file.unwrap().path()) {
        if file.file_name().unwrap() != "echo.wasm" {
            fs::copy(&file, plugins.join(file.file_name().unwrap())).unwrap();
        }
    }
    let switch = Serve::on(&data).plugins(&plugins).start();
    let (status, text) = switch.page("/readyz");
    assert!(status == 200 && text.contains("plugin_missing echo: scenario main/echo names"), "{status} {text}");
    let refused = Call::new("101", "secret-101", "*43").gets(500);
    Sipp::calls(&switch, "refused", &refused, Transport::Udp).succeeds();
    Sipp::registers(&switch, "102", "secret-102", plugboard_tests_interop::free_port(1)).succeeds();
    let file = Office::new().write(folder.path());
    assert!(
        switch.complains(&["apply", file.to_str().unwrap()]).contains("\"echo\" is neither"),
        "new ones are checked"
    );
    let bare = folder.path().join("bare.yaml");
    fs::write(&bare, "office: main\ndomains: [plugboard.test]\n").unwrap();
    switch.succeeds(&["apply", bare.to_str().unwrap()]);
    assert_eq!(switch.page("/readyz").1, "ready\n", "nothing needs it any more");
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
