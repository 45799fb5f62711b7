//! A process with a store in it, for tests that kill it, fill its disk or weigh it.
//!
//! `store_child MODE FOLDER`: `journal` writes lines for ever and says each that a kill no longer loses; `full` writes
//! lines and a record every so often until its input ends, and says the store's health when it changes; `idle` says how much memory an open
//! store costs; `backup` backs it up to one more FOLDER, and once more when its input has ended. Each answer is one line on standard output.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "this program only speaks to the test that started it")]

use plugboard_model::{CallId, CallOutcome, CallRecord, JournalEntry, JournalEvent, OfficeId, Time, WallTime};
use plugboard_store::{DataFolder, Kind, Place, Store, StoreHealth};
use std::path::Path;
use std::sync::mpsc::channel;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mode, folder) = (arguments.next().unwrap(), arguments.next().unwrap());
    let before = resident_kb();
    let place = Place::Folder(DataFolder::open(folder.as_ref(), Kind::Office).unwrap());
    let store = Store::start(place, None).unwrap();
    match mode.as_str() {
        "journal" => journal(&store),
        "full" => write_until_stopped(&store),
        "backup" => back_up(&store, arguments.next().unwrap().as_ref()),
        "idle" => println!("{}", resident_kb() - before),
        other => println!("no such mode: {other}"),
    }
}

fn call() -> CallId {
    CallId::new(OfficeId::new("main").unwrap(), WallTime(1), 1)
}

/// Lines one after the other, each said when it is written.
fn journal(store: &Store) {
    for seq in 0.. {
        let (tell, told) = channel();
        let done = Box::new(move |result: Result<_, _>| tell.send(result.is_ok()).unwrap_or_default());
        let event = JournalEvent::Note { text: "a line".into() };
        let line = JournalEntry { seq, at: Time::ZERO, event };
        store.calls().append_journal_then(&call(), &[line], Some(done)).unwrap();
        if told.recv() == Ok(true) {
            println!("{seq}");
        }
    }
}

/// Lines and records until standard input ends: the parent has seen enough. Says the last record it wrote.
fn write_until_stopped(store: &Store) {
    let stop = std::thread::spawn(|| std::io::read_to_string(std::io::stdin()).ok());
    let (mut n, mut said) = (0, None);
    while !stop.is_finished() {
        n += 1;
        let event = JournalEvent::Note { text: "x".repeat(2_000) };
        let line = JournalEntry { seq: n, at: Time::ZERO, event };
        store.calls().append_journal(&call(), &[line]).unwrap();
        if n % 16 == 0 {
            store.calls().put_record(&record(n / 16), None).unwrap();
        }
        let health = store.health();
        if said.as_ref() != Some(&health) {
            match &health {
                StoreHealth::Ok => println!("ok"),
                StoreHealth::Degraded { reason, lost_journal, lost_records } => {
                    println!("degraded {lost_journal} {lost_records} {reason}");
                }
            }
            said = Some(health);
        }
        std::thread::park_timeout(std::time::Duration::from_micros(200));
    }
    store.close();
    println!("wrote {}", n / 16);
}

fn back_up(store: &Store, to: &Path) {
    let once = || println!("{}", store.backup(to).map_or_else(|fault| fault.to_string(), |_| "done".into()));
    once();
    std::io::read_to_string(std::io::stdin()).unwrap();
    once();
}

fn record(n: u32) -> CallRecord {
    let at = WallTime(i64::from(n));
    CallRecord::bare(CallId::new(OfficeId::new("main").unwrap(), at, 0), at, CallOutcome::Answered)
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
