//! A backup of a running store, and what a restore makes of it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use plugboard_model::{
    CallId, Dialled, FaxFile, FaxOutcome, FaxRecord, FaxTry, FaxTryEnd, OfficeId, OrderId, OrderState, OutgoingFax,
    TapeBy, TapeEnd, TapeKind, TapeRecord, TapeWhy, UserId, WallTime,
};
use plugboard_store::{
    Blobs, DataFolder, Key, Kind, Kv, Op, Place, Scope, Space, Store, StoreError, TapeFilter, restore,
};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn key(name: &str) -> Key {
    Key::new(Scope::Office(&OfficeId::new("main").unwrap()), Space::Settings, &[name]).unwrap()
}

fn open(folder: &Path) -> Store {
    Store::start(Place::Folder(DataFolder::open(folder, Kind::Office).unwrap()), None).unwrap()
}

#[test]
fn a_restored_backup_holds_what_was_there_at_its_moment() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    let id = store.put_blob(Scope::Switch, &vec![7; 2_500_000]).unwrap();
    store.commit(vec![Op::put(key("before"), vec![1])]).unwrap();
    let report = store.backup(&backup).unwrap();
    assert!(report.files > 3, "{report:?}");
    store.commit(vec![Op::put(key("after"), vec![2])]).unwrap();
    assert_eq!(restore(&backup, &restored).unwrap().files, report.files);
    let copy = open(&restored);
    assert_eq!(copy.get(&key("before")).unwrap().unwrap().value, [1]);
    assert_eq!(copy.get(&key("after")).unwrap(), None);
    assert_eq!(copy.blob(Scope::Switch, id).unwrap().unwrap(), vec![7; 2_500_000]);
    assert_eq!(store.get(&key("after")).unwrap().unwrap().value, [2]);
}

#[test]
fn faxes_that_wait_in_a_backup_are_given_up_by_its_restore_and_those_that_are_over_stay_as_they_are() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let (store, office) = (open(&live), OfficeId::new("main").unwrap());
    let order = |n: u128, state| OutgoingFax {
        id: OrderId(CallId::new(office.clone(), WallTime(1_000), n)),
        key: None,
        digest: [7; 32],
        ordered: WallTime(1_000),
        from: UserId::new(&office, "ann").unwrap(),
        to: Dialled::new("0301234").unwrap(),
        ident: String::new(),
        header: String::new(),
        pages: 1,
        bytes: 9,
        pages_sent: 0,
        tries: Vec::new(),
        state,
    };
    let waits = order(1, OrderState::Waiting { until: WallTime(5_000) });
    let called = order(2, OrderState::Calling { since: WallTime(5_000) });
    let sent = order(3, OrderState::Sent { at: WallTime(5_000) });
    for fax in [&waits, &called, &sent] {
        store.outgoing_faxes().take(fax, b"a document").unwrap();
    }
    store.backup(&backup).unwrap();
    assert_eq!(restore(&backup, &restored).unwrap().given_up, 2);
    let copy = open(&restored).outgoing_faxes();
    let given_up = |fax: &OutgoingFax| OutgoingFax {
        tries: vec![FaxTry::without_call(WallTime(1_000), WallTime(1_000), FaxTryEnd::Restored)],
        state: OrderState::Failed { at: WallTime(1_000) },
        ..fax.clone()
    };
    assert_eq!(copy.all(&office).unwrap(), [given_up(&waits), given_up(&called), sent]);
    assert_eq!(copy.document(&waits.id).unwrap(), None);
    assert_eq!(store.outgoing_faxes().all(&office).unwrap()[0], waits, "the running switch sends its own");
}

#[test]
fn a_damaged_backup_is_refused_and_leaves_no_data_folder() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    store.commit(vec![Op::put(key("a"), vec![1; 10_000])]).unwrap();
    store.backup(&backup).unwrap();
    let mut files = fs::read_dir(backup.join("db")).unwrap().map(|file| file.unwrap().path());
    let table = files.find(|path| path.extension().is_some_and(|end| end == "sst")).unwrap();
    // A copy, since the file is the live store's too.
    let mut bytes = fs::read(&table).unwrap();
    bytes[20] ^= 1;
    fs::remove_file(&table).unwrap();
    fs::write(&table, bytes).unwrap();
    let refusal = restore(&backup, &restored).unwrap_err().to_string();
    assert!(refusal.contains("not those that were backed up"), "{refusal}");
    let left: Vec<_> = fs::read_dir(outer.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!restored.exists() && left.len() == 2, "nothing is left of it: {left:?}");
    // A folder that was there and empty stays so, and the next restore takes it.
    fs::create_dir(&restored).unwrap();
    let inode = fs::metadata(&restored).unwrap().ino();
    assert!(restore(&backup, &restored).is_err());
    assert_eq!(fs::read_dir(&restored).unwrap().count(), 0);
    let whole = outer.path().join("d");
    store.backup(&whole).unwrap();
    assert_eq!(restore(&whole, &restored).unwrap().kind, Kind::Office);
    open(&restored);
    // It is the very folder that was there, which may be a volume or in a folder that may not be written to.
    assert_eq!(fs::metadata(&restored).unwrap().ino(), inode);
}

#[test]
fn a_backup_goes_to_an_empty_folder_and_a_list_cannot_lead_out_of_it() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    let refusal = store.backup(&live).unwrap_err();
    assert!(matches!(refusal, StoreError::Backup { .. }));
    let refusal = refusal.to_string();
    assert!(refusal.contains("not empty") && refusal.contains("does not exist yet"), "what to do: {refusal}");
    store.backup(&backup).unwrap();
    let list = fs::read_to_string(backup.join("files.sha256")).unwrap();
    fs::write(backup.join("files.sha256"), format!("{list}00  ../outside\n")).unwrap();
    assert!(restore(&backup, &restored).is_err());
    assert!(!restored.exists());
    fs::remove_file(backup.join("files.sha256")).unwrap();
    let refusal = restore(&backup, &restored).unwrap_err().to_string();
    assert!(refusal.contains("no whole backup") && refusal.contains("`plugboard backup`"), "what to do: {refusal}");
    fs::write(backup.join("files.sha256"), &list).unwrap();
    let refusal = restore(&backup, &live).unwrap_err().to_string();
    assert!(refusal.contains("not empty") && refusal.contains("does not exist yet"), "what to do: {refusal}");
}

fn call(at: i64) -> CallId {
    CallId::new(OfficeId::new("main").unwrap(), WallTime(at), 1)
}

/// A recording with its file; one that goes on has no end.
fn tape(store: &Store, live: &Path, at: i64, sound: &[u8], over: bool) -> TapeRecord {
    let file = format!("main/2026/11/23/{at}-1.wav");
    let place = live.join("recordings").join(&file);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, sound).unwrap();
    let (bytes, sha256) = (sound.len().try_into().unwrap(), Sha256::digest(sound).into());
    let end = over.then_some(TapeEnd { length_ms: 1_000, bytes, sha256, missing_ms: 0, why: TapeWhy::CallOver });
    let (kind, began) = (TapeKind::Recording { by: TapeBy::Policy }, WallTime(at));
    let (caller, called) = ("101".to_owned(), "102".to_owned());
    let tape = TapeRecord {
        call: call(at),
        n: 1,
        kind,
        began,
        caller,
        caller_name: String::new(),
        called,
        others: Vec::new(),
        file,
        end,
    };
    store.tapes().put(&tape).unwrap();
    tape
}

fn fax(store: &Store, live: &Path, at: i64, page: &[u8]) -> FaxRecord {
    let file = format!("main/2026/11/23/{at}-1.tif");
    let place = live.join("recordings").join(&file);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, page).unwrap();
    let files = vec![FaxFile { file, bytes: page.len().try_into().unwrap(), sha256: Sha256::digest(page).into() }];
    let fax = FaxRecord {
        call: call(at),
        n: 1,
        began: WallTime(at),
        ended: WallTime(at + 60_000),
        caller: "101".into(),
        caller_name: String::new(),
        called: "300".into(),
        end: FaxOutcome::Done,
        pages: 1,
        cut: false,
        bad_rows: 0,
        sender: String::new(),
        bit_rate: 14_400,
        corrected: true,
        t38: false,
        files,
    };
    store.faxes().put(&fax).unwrap();
    fax
}

#[test]
fn recordings_and_faxes_go_along_whole_ones_without_a_copy_and_those_that_grow_as_they_are() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    let whole = tape(&store, &live, 1_000, b"what was said", true);
    let growing = tape(&store, &live, 2_000, b"what is being", false);
    let fax = fax(&store, &live, 3_000, b"a page");
    // Nobody's, and one whose file somebody removed.
    fs::write(live.join("recordings/main/stray.wav"), b"of no entry").unwrap();
    let gone = tape(&store, &live, 4_000, b"removed by hand", true);
    fs::remove_file(live.join("recordings").join(&gone.file)).unwrap();
    let report = store.backup(&backup).unwrap();
    assert_eq!(report.missing, 1);
    let inode = |root: &Path, file: &str| fs::metadata(root.join("recordings").join(file)).unwrap().ino();
    assert_eq!(inode(&live, &whole.file), inode(&backup, &whole.file), "it costs no room");
    assert_ne!(inode(&live, &growing.file), inode(&backup, &growing.file), "what grows does not grow there");
    fs::write(live.join("recordings").join(&growing.file), b"what is being said meanwhile").unwrap();
    assert!(!backup.join("recordings/main/stray.wav").exists());

    assert_eq!(restore(&backup, &restored).unwrap().files, report.files);
    let read = |file: &str| fs::read(restored.join("recordings").join(file)).unwrap();
    assert_eq!((read(&whole.file), read(&growing.file)), (b"what was said".to_vec(), b"what is being".to_vec()));
    assert_eq!(read(&fax.files[0].file), b"a page");
    let copy = open(&restored);
    assert_eq!(copy.tapes().get(&whole.call, 1).unwrap(), Some(whole));
    assert_eq!(copy.faxes().get(&fax.call, 1).unwrap(), Some(fax));
}

#[test]
fn a_recording_that_changed_in_the_backup_is_named_and_all_else_is_restored() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    let changed = tape(&store, &live, 1_000, b"what was said", true);
    let lost = tape(&store, &live, 2_000, b"what was lost", true);
    store.backup(&backup).unwrap();
    let there = |tape: &TapeRecord| Path::new("recordings").join(&tape.file);
    // A copy, since the file is the live one's too.
    fs::remove_file(backup.join(there(&changed))).unwrap();
    fs::write(backup.join(there(&changed)), b"what was sung").unwrap();
    fs::remove_file(backup.join(there(&lost))).unwrap();
    let report = restore(&backup, &restored).unwrap();
    assert_eq!((report.damaged, report.missing), (1, 1));
    assert_eq!(report.which, [there(&changed), there(&lost)]);
    assert_eq!(fs::read(restored.join(there(&changed))).unwrap(), b"what was sung");
    assert_eq!(open(&restored).tapes().get(&changed.call, 1).unwrap(), Some(changed));
}

#[test]
fn a_recording_that_the_disk_cut_is_counted_and_named_by_backup_and_restore() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    let cut = tape(&store, &live, 1_000, b"what was said", true);
    tape(&store, &live, 2_000, b"and what else", true);
    fs::write(live.join("recordings").join(&cut.file), b"what").unwrap();
    let there = [Path::new("recordings").join(&cut.file)];
    let report = store.backup(&backup).unwrap();
    assert_eq!((report.damaged, report.missing, report.which.as_slice()), (1, 0, there.as_slice()));
    let report = restore(&backup, &restored).unwrap();
    assert_eq!((report.damaged, report.missing, report.which.as_slice()), (1, 0, there.as_slice()));
    assert_eq!(fs::read(restored.join(&there[0])).unwrap(), b"what");
}

#[test]
fn the_certificate_that_the_switch_made_goes_along_and_stays_private() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    fs::create_dir(live.join("tls")).unwrap();
    let files = ["tls/certificate.pem", "tls/key.pem"];
    for file in files {
        fs::write(live.join(file), file).unwrap();
    }
    store.backup(&backup).unwrap();
    restore(&backup, &restored).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    for (root, file) in [&backup, &restored].into_iter().flat_map(|root| files.map(|file| (root, file))) {
        assert_eq!(fs::read(root.join(file)).unwrap(), file.as_bytes());
        assert_eq!((mode(&root.join(file)), mode(&root.join("tls"))), (0o600, 0o700));
    }
    // It is no recording: one that changed is refused.
    fs::write(backup.join(files[1]), "another").unwrap();
    let refusal = restore(&backup, &outer.path().join("d")).unwrap_err().to_string();
    assert!(refusal.contains(files[1]), "{refusal}");
}

#[test]
fn files_and_entries_of_a_restored_backup_are_of_one_moment_whatever_began_and_was_erased_meanwhile() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    let over = Arc::new(AtomicBool::new(false));
    let busy = {
        let (store, live, over) = (store.clone(), live.clone(), Arc::clone(&over));
        std::thread::spawn(move || {
            let mut made = VecDeque::new();
            for at in 1.. {
                made.push_back(tape(&store, &live, at, &at.to_be_bytes(), at % 3 != 0));
                if made.len() > 50 {
                    // As the switch does it: the file first.
                    let old = made.pop_front().unwrap();
                    fs::remove_file(live.join("recordings").join(&old.file)).unwrap();
                    store.tapes().remove(&old.call, 1);
                }
                if over.load(Ordering::Relaxed) && at > 200 {
                    return;
                }
            }
        })
    };
    let report = store.backup(&backup).unwrap();
    over.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    let again = restore(&backup, &restored).unwrap();
    assert_eq!((again.missing, again.damaged), (report.missing, report.damaged));
    let named = open(&restored).tapes().list(&OfficeId::new("main").unwrap(), &TapeFilter::default(), 1_000).unwrap();
    let folder = restored.join("recordings/main/2026/11/23");
    let there = fs::read_dir(&folder).map_or(0, Iterator::count);
    assert_eq!(there, named.len() - again.missing, "whatever lies there is named, so that it is erased some day");
    let found = named.iter().filter(|tape| restored.join("recordings").join(&tape.file).exists()).count();
    assert_eq!(found, there);
}

#[test]
fn a_backup_that_was_cut_short_goes_on_and_forgets_what_was_erased_meanwhile() {
    let outer = tempfile::tempdir().unwrap();
    let (live, backup, restored) = (outer.path().join("a"), outer.path().join("b"), outer.path().join("c"));
    let store = open(&live);
    let kept = tape(&store, &live, 1_000, b"what was said", true);
    let erased = tape(&store, &live, 2_000, b"what was not", true);
    store.backup(&backup).unwrap();
    // As a backup is before its list is written.
    fs::write(backup.join("unfinished"), b"").unwrap();
    fs::remove_file(backup.join("files.sha256")).unwrap();
    assert!(restore(&backup, &restored).is_err());
    fs::remove_file(live.join("recordings").join(&erased.file)).unwrap();
    store.tapes().remove(&erased.call, 1);
    let there = backup.join("recordings").join(&kept.file);
    fs::remove_file(&there).unwrap();
    fs::write(&there, b"what was said").unwrap();
    let inode = fs::metadata(&there).unwrap().ino();
    store.backup(&backup).unwrap();
    assert_eq!(fs::metadata(&there).unwrap().ino(), inode, "what is there is not copied again");
    assert!(!backup.join("recordings").join(&erased.file).exists());
    restore(&backup, &restored).unwrap();
    assert_eq!(open(&restored).tapes().get(&kept.call, 1).unwrap(), Some(kept));
    // One that is done is not gone on with.
    assert!(store.backup(&backup).unwrap_err().to_string().contains("not empty"));
}
