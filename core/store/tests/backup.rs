//! A backup of a running store, and what a restore makes of it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use plugboard_model::OfficeId;
use plugboard_store::{Blobs, DataFolder, Key, Kind, Kv, Op, Place, Scope, Space, Store, StoreError, restore};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

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
