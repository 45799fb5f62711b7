//! A store in another process: killed, out of disk, idle.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use plugboard_model::{CallId, OfficeId, TapeBy, TapeKind, TapeRecord, WallTime};
use plugboard_store::{DataFolder, Kind, Place, RecordFilter, Store};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The program of `examples/store_child.rs`, which cargo builds beside the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().join("examples/store_child")
}

fn child(command: &mut Command) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    (child, said)
}

fn open(folder: &Path) -> Store {
    Store::start(Place::Folder(DataFolder::open(folder, Kind::Office).unwrap()), None).unwrap()
}

#[test]
fn a_killed_switch_keeps_every_journal_line_that_was_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, said) = child(Command::new(program()).arg("journal").arg(folder.path()));
    let reported: usize = said.take(200).last().unwrap().parse().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let store = open(folder.path());
    let call = CallId::new(OfficeId::new("main").unwrap(), WallTime(1), 1);
    let journal = store.calls().journal(&call).unwrap();
    assert!(journal.entries.len() > reported, "{} of {reported}", journal.entries.len());
    assert!(!journal.gaps);
    assert_eq!(store.calls().unfinished_calls().unwrap(), [call]);
}

/// The disk is full in the way that a process can be given without rights: files may not grow past a size (`ulimit -f`,
/// EFBIG from the kernel instead of ENOSPC; `RocksDB` treats both as a failed write). Then the limit is lifted.
#[test]
fn on_a_full_disk_lines_are_lost_and_counted_and_records_are_kept_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let limited = "trap '' XFSZ; ulimit -S -f 1500; exec \"$0\" full \"$1\"";
    let (mut child, mut said) = child(Command::new("sh").args(["-c", limited]).arg(program()).arg(folder.path()));
    assert_eq!(said.next().unwrap(), "ok");
    let lost = |word: &str| word.strip_prefix("degraded ")?.split(' ').next()?.parse::<u64>().ok();
    let worse = said.find(|word| lost(word).is_some_and(|lines| lines > 500)).unwrap();
    assert!(worse.contains("File too large"), "{worse}");
    assert_eq!(worse.split(' ').nth(2), Some("0"), "a record was lost: {worse}");
    let process = child.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited:"]).status().unwrap().success());
    assert!(said.any(|word| word == "ok"), "the store did not recover");
    drop(child.stdin.take());
    let written = said.find_map(|word| word.strip_prefix("wrote ")?.parse::<usize>().ok()).unwrap();
    assert!(child.wait().unwrap().success());
    let (store, mut found, mut after) = (open(folder.path()), 0, None);
    loop {
        let office = OfficeId::new("main").unwrap();
        let page = store.calls().records(&office, &RecordFilter::default(), after, 1_000).unwrap();
        found += page.records.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, written);
}

/// The same limit: a recording that goes on is longer than a file may be.
#[test]
fn a_backup_to_a_full_disk_names_it_and_goes_on_when_there_is_room() {
    let (folder, outer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let backup = outer.path().join("backup");
    let file = "main/2-1.wav".to_owned();
    let (call, kind) =
        (CallId::new(OfficeId::new("main").unwrap(), WallTime(1), 1), TapeKind::Recording { by: TapeBy::User });
    let (caller, called) = ("101".to_owned(), "102".to_owned());
    let tape = TapeRecord {
        call,
        n: 1,
        kind,
        began: WallTime(1),
        caller,
        caller_name: String::new(),
        called,
        others: Vec::new(),
        file,
        end: None,
    };
    let store = open(folder.path());
    fs::create_dir_all(folder.path().join("recordings/main")).unwrap();
    fs::write(folder.path().join("recordings").join(&tape.file), vec![0xD5; 8_000_000]).unwrap();
    store.tapes().put(&tape).unwrap();
    store.close();
    drop(store);
    let limited = "trap '' XFSZ; ulimit -S -f 6000; exec \"$0\" backup \"$1\" \"$2\"";
    let program = program();
    let (mut child, mut said) =
        child(Command::new("sh").args(["-c", limited]).arg(&program).arg(folder.path()).arg(&backup));
    let refused = said.next().unwrap();
    assert!(refused.contains("the disk is full") && refused.contains("2-1.wav"), "{refused}");
    assert!(refused.contains("make room and give the same command again"), "{refused}");
    let process = child.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited:"]).status().unwrap().success());
    drop(child.stdin.take());
    assert_eq!(said.next().unwrap(), "done");
    assert!(child.wait().unwrap().success());
    plugboard_store::restore(&backup, &outer.path().join("restored")).unwrap();
}

#[test]
fn an_idle_store_costs_less_than_20_mb() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut said) = child(Command::new(program()).arg("idle").arg(folder.path()));
    let cost_kb: u64 = said.next().unwrap().parse().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(cost_kb < 20_000, "{cost_kb} kB");
}
