//! A power cut: what was synced is there, what was not may be gone, and what is gone is a tail.
//!
//! The cut is made by copying the data folder file by file and shortening each write-ahead log to a random length
//! between what the last sync had made sure of and what has been written since: that is what a disk may hold of a file
//! that is only appended to. `RocksDB` syncs its other files itself before it refers to them, so they are copied as
//! they are. Not shown here: sectors of the tail that reach the disk out of order (the log's checksums end it there),
//! and disks that lie about a sync.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use plugboard_model::{CallId, CallOutcome, CallRecord, JournalEntry, JournalEvent, OfficeId, Time, WallTime};
use plugboard_store::{DataFolder, InlineWriter, Kind, Place, Store};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Cuts of one test: most of them fall into a batch, some between two.
const SEEDS: u64 = 20;

/// A small generator, so that a seed means the same everywhere (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

fn call() -> CallId {
    CallId::new(OfficeId::new("main").unwrap(), WallTime(1), 1)
}

fn line(seq: u32) -> JournalEntry {
    JournalEntry { seq, at: Time::ZERO, event: JournalEvent::Note { text: format!("line {seq}") } }
}

fn record(n: i64) -> CallRecord {
    let id = CallId::new(OfficeId::new("main").unwrap(), WallTime(n), 0);
    CallRecord::bare(id, WallTime(n), CallOutcome::Answered)
}

fn open(folder: &Path) -> (Store, InlineWriter) {
    Store::start_inline(Place::Folder(DataFolder::open(folder, Kind::Office).unwrap()), None).unwrap()
}

/// The length of each write-ahead log.
fn logs(folder: &Path) -> BTreeMap<String, u64> {
    let files = fs::read_dir(folder.join("db")).unwrap().map(|file| file.unwrap());
    let logs = files.filter(|file| file.path().extension().is_some_and(|end| end == "log"));
    logs.map(|log| (log.file_name().into_string().unwrap(), log.metadata().unwrap().len())).collect()
}

/// What the disk holds after the cut.
fn cut(from: &Path, to: &Path, synced: &BTreeMap<String, u64>, random: &mut Random) {
    fs::create_dir(to.join("db")).unwrap();
    fs::copy(from.join("plugboard-data"), to.join("plugboard-data")).unwrap();
    for file in fs::read_dir(from.join("db")).unwrap().map(|file| file.unwrap()) {
        let copy = to.join("db").join(file.file_name());
        fs::copy(file.path(), &copy).unwrap();
        let name = file.file_name().into_string().unwrap();
        if let Some(written) = logs(from).get(&name) {
            let kept = synced.get(&name).copied().unwrap_or(0);
            let kept = kept + random.below(written - kept + 1);
            fs::OpenOptions::new().write(true).open(&copy).unwrap().set_len(kept).unwrap();
        }
    }
}

#[test]
fn a_power_cut_loses_a_tail_of_what_was_not_synced_and_nothing_else() {
    let (mut cut_lines, mut whole) = (0, 0);
    for seed in 1..=SEEDS {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (store, writer) = open(before.path());
        let (reported, mut now, mut lines, mut records) = (Arc::new(AtomicI64::new(0)), Time::ZERO, 0, 0);
        let (mut synced, mut synced_lines) = (logs(before.path()), 0);
        for _ in 0..20 + random.below(60) {
            let batch: Vec<_> = (lines..).take(1 + usize::try_from(random.below(4)).unwrap()).map(line).collect();
            lines += u32::try_from(batch.len()).unwrap();
            store.calls().append_journal(&call(), &batch).unwrap();
            if random.below(4) == 0 {
                records += 1;
                let (n, reported) = (records, reported.clone());
                let done = Box::new(move |result: Result<_, _>| {
                    result.unwrap();
                    reported.store(n, Ordering::Relaxed);
                });
                store.calls().put_record(&record(n), Some(done)).unwrap();
            }
            let told = reported.load(Ordering::Relaxed);
            writer.run(now);
            if reported.load(Ordering::Relaxed) > told {
                (synced, synced_lines) = (logs(before.path()), lines);
            }
            now = now + std::time::Duration::from_millis(random.below(8));
        }
        let reported = reported.load(Ordering::Relaxed);
        cut(before.path(), after.path(), &synced, &mut random);
        let (store, _writer) = open(after.path());
        let kept = store.calls().journal(&call()).unwrap();
        assert!(!kept.gaps, "seed {seed}: something was lost before something that was kept");
        let kept = u32::try_from(kept.entries.len()).unwrap();
        assert!((synced_lines..=lines).contains(&kept), "seed {seed}: {synced_lines} <= {kept} <= {lines}");
        let found = (1..=records).take_while(|n| store.calls().record(&record(*n).id).unwrap().is_some()).count();
        let found = i64::try_from(found).unwrap();
        assert!(found >= reported, "seed {seed}: {reported} records were reported, {found} are there");
        let later = (found + 1..=records).any(|n| store.calls().record(&record(n).id).unwrap().is_some());
        assert!(!later, "seed {seed}: a record was lost before one that was kept");
        cut_lines += usize::from(kept < lines);
        whole += usize::from(kept == lines);
    }
    assert!(cut_lines > 0 && whole < usize::try_from(SEEDS).unwrap(), "no cut lost anything: the test cuts nothing");
}
