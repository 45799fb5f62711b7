//! Actions, audio and disks that do not do what they should, in a running switch: the call goes on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_hostile::Guest;
use plugboard_tests_interop::{
    Baresip, Call, Office, Plugboard, Serve, Sipp, Transport, steps, until, with_own_mounts, write_tone,
};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The built actions, with more beside them.
fn plugins(folder: &Path, more: &[(&str, Vec<u8>)]) -> PathBuf {
    let to = folder.join("plugins");
    fs::create_dir(&to).unwrap();
    let program = std::env::current_exe().unwrap();
    let beside = program.ancestors().nth(3).unwrap().join("plugins");
    let built = std::env::var_os("PLUGBOARD_PLUGINS").map_or(beside, PathBuf::from);
    for file in fs::read_dir(&built).unwrap_or_else(|error| panic!("{}: {error}", built.display())) {
        let file = file.unwrap().path();
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
    for (name, bytes) in more {
        fs::write(to.join(format!("{name}.wasm")), bytes).unwrap();
    }
    to
}

fn calls(switch: &Plugboard, number: &str) -> serde_json::Value {
    let before = switch.past_calls().len();
    let call = Call::new("101", "secret-101", number).lasts(Duration::from_secs(2));
    Sipp::calls(switch, &format!("caller-{before}"), &call, Transport::Udp).succeeds();
    switch.waits_for_past_calls(before + 1)[0].clone()
}

#[test]
fn an_action_that_traps_loops_or_eats_memory_has_failed_and_the_call_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let eats = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let faulty = [
        ("traps", Guest::new("traps", "unreachable").module()),
        ("loops", Guest::new("loops", "(loop $again (br $again)) unreachable").module()),
        ("eats", Guest::new("eats", eats).module()),
        ("no-component", b"not even wasm".to_vec()),
    ];
    let plugins = plugins(folder.path(), &faulty);
    let switch = Serve::on(&folder.path().join("data")).plugins(&plugins).start();
    let mut office = Office::new();
    for (number, name) in [("301", "traps"), ("302", "loops"), ("303", "eats")] {
        let steps = format!(
            "- {name}: {{}}\n  on: {{ failed: [ {{ play-audio: {{ audio: beep, kind: tone, max: 1s }} }} ] }}\n- echo: {{ max: 60s }}"
        );
        office = office.scenario(number, &format!("with-{name}"), &steps);
    }
    switch.apply(&office);
    for (number, name, outcomes) in
        [("301", "traps", &["trapped"][..]), ("302", "loops", &["limit"]), ("303", "eats", &["limit", "trapped"])]
    {
        let record = calls(&switch, number);
        let steps = steps(&record);
        let names: Vec<&str> = steps.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(names, [name, "play-audio", "echo"], "{record}");
        assert_eq!((steps[0].1.as_str(), steps[1].1.as_str()), ("failed", "done"), "{record}");
        assert_eq!(record["outcome"], "handled");
        let counted: f64 = outcomes
            .iter()
            .map(|outcome| {
                let labels = format!("{{action=\"{name}\",outcome=\"{outcome}\",version=\"1.0.0\"}}");
                switch.sample(&format!("plugboard_plugin_runs_total{labels}"))
            })
            .sum();
        assert!((counted - 1.0).abs() < 0.1, "{name} was counted {counted} times");
    }
    let refused = switch.ask(&["plugin", "list"])["refused"].to_string();
    assert!(refused.contains("no-component.wasm"), "the rest was installed all the same: {refused}");
    assert_eq!(switch.page("/readyz").0, 200);
}

#[test]
fn r52_missing_and_broken_audio_is_told_to_who_applies_it_and_skipped_and_logged_in_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let audio = folder.path().join("audio");
    fs::create_dir(&audio).unwrap();
    write_tone(&audio.join("good.wav"), 440.0, 1);
    fs::write(audio.join("broken.wav"), "RIFF, and then nothing of the kind").unwrap();
    let mut switch = Serve::on(&data).start();
    let steps = "- play-audio: { audio: broken, max: 5s }\n- play-audio: { audio: missing, kind: prompt, max: 5s }\n- play-audio: { audio: good, max: 5s }\n- echo: { max: 60s }";
    let office = Office::new().scenario("300", "plays", steps).lines("prompts: audio");
    let file = office.write(folder.path());
    let output = switch.command(&["apply", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("broken.wav is not played: ") && said.contains("\"missing\""), "{said}");

    let call = Call::new("101", "secret-101", "300").lasts(Duration::from_secs(2));
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    let record = switch.waits_for_past_calls(1)[0].clone();
    assert_eq!(steps_words(&record), ["play-audio", "play-audio", "play-audio", "echo"], "{record}");
    for name in ["broken", "missing"] {
        let logged = |line: &str| line.contains("\"WARN\"") && line.contains(name) && line.contains("call_id");
        assert!(switch.log().lines().any(logged), "{name} is not in the log: {}", switch.log());
    }

    // A file that goes away later keeps no switch from starting.
    fs::remove_dir_all(&audio).unwrap();
    switch.terminate();
    assert!(switch.wait().success());
    drop(switch);
    let switch = Serve::on(&data).start();
    let record = calls(&switch, "300");
    assert_eq!(steps_words(&record), ["play-audio", "play-audio", "play-audio", "echo"], "{record}");
}

fn steps_words(record: &serde_json::Value) -> Vec<String> {
    steps(record).into_iter().map(|(word, _)| word).collect()
}

#[test]
fn on_a_full_disk_calls_go_on_and_the_loss_is_counted_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // The first start keeps what is large (compiled actions); the second one puts it where it stays.
    for round in 0..2 {
        let mut switch = Serve::on(&data).start();
        if round == 0 {
            switch.apply(&Office::new());
        }
        switch.terminate();
        assert!(switch.wait().success());
    }

    // No file may grow beyond 128 KiB: that is soon full, and no other program on this machine notices.
    let switch = Serve::on(&data).under("ulimit -f 256; trap '' XFSZ; exec \"$@\"").start();
    let lost = |switch: &Plugboard| {
        switch.sample("plugboard_store_lost_journal_lines_total") + switch.sample("plugboard_store_lost_records_total")
    };
    let mut calls = 0;
    until("something to be lost", || {
        let call = Call::new("101", "secret-101", "*43").lasts(Duration::from_millis(20));
        Sipp::calls(&switch, &format!("caller-{calls}"), &call, Transport::Udp).succeeds();
        calls += 1;
        (lost(&switch) > 0.0).then_some(())
    });
    let (_, text) = switch.page("/readyz");
    assert!(text.contains("store") && text.contains("large"), "{text}");
    let call = Call::new("101", "secret-101", "*43").lasts(Duration::from_millis(20));
    Sipp::calls(&switch, "after", &call, Transport::Udp).succeeds();
    assert!((switch.sample("plugboard_store_degraded") - 1.0).abs() < 0.1);
}

/// A disk of so many bytes at a folder, with what the folder holds.
fn mount(folder: &Path, bytes: u64) {
    let before = folder.with_extension("before");
    fs::rename(folder, &before).unwrap();
    fs::create_dir(folder).unwrap();
    let runs = |line: &mut Command| assert!(line.status().unwrap().success(), "{line:?}");
    runs(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(folder));
    runs(Command::new("cp").arg("-a").arg(before.join(".")).arg(folder));
}

/// Writes on in a file until the disk has no byte left.
fn fill(file: &Path) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    let error = std::iter::repeat_with(|| file.write_all(&[b'x'; 4_096])).find_map(Result::err).unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
}

/// The bytes of all files below a folder.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}

#[test]
fn a_disk_that_fills_up_during_a_call_ends_no_call_and_what_is_lost_is_counted_and_shown() {
    /// More than the switch writes until the disk is filled, and less than its log is given at once where there is room.
    const ROOM: u64 = 3 << 20;
    const ANN: f64 = 440.0;
    const BOB: f64 = 1_000.0;
    if !with_own_mounts("a_disk_that_fills_up_during_a_call_ends_no_call_and_what_is_lost_is_counted_and_shown") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.apply(&Office::new());
    switch.terminate();
    assert!(switch.wait().success());
    drop(switch);
    mount(&data, bytes_in(&data) + ROOM);

    let switch = Serve::on(&data).start();
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    let bob = Baresip::start(&switch, "102", "secret-102", BOB, Transport::Udp);
    ann.dials("102");
    ann.waits_to_hear_tone(BOB);
    bob.waits_to_hear_tone(ANN);
    fill(&data.join("filler"));
    let lost = || {
        switch.sample("plugboard_store_lost_journal_lines_total") + switch.sample("plugboard_store_lost_records_total")
    };
    let mut calls = 0;
    until("something to be lost, counted and shown", || {
        let call = Call::new("103", "secret-103", "*43").lasts(Duration::from_millis(20));
        Sipp::calls(&switch, &format!("caller-{calls}"), &call, Transport::Udp).succeeds();
        calls += 1;
        // What the store gives back, it does not get again.
        fill(&data.join("filler"));
        let (_, text) = switch.page("/readyz");
        let shown = text.contains("store") && text.contains("No space left on device");
        (shown && lost() > 0.0 && switch.sample("plugboard_store_degraded") > 0.5).then_some(())
    });
    // The call from before goes on, both ways.
    ann.waits_to_hear_more_of(BOB);
    bob.waits_to_hear_more_of(ANN);
    ann.hangs_up();
}
