//! A released WIT version never changes: `wit/lock.toml` holds the hashes of its files.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Version folder -> file -> SHA-256 in hexadecimal.
type Lock = BTreeMap<String, BTreeMap<String, String>>;

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn hashes(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten();
    files
        .map(|file| {
            let digest = Sha256::digest(std::fs::read(file.path()).unwrap());
            let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            (file.file_name().to_string_lossy().into_owned(), hex.concat())
        })
        .collect()
}

/// What differs between the locked versions and the folders, one line each.
fn differences(lock: &Lock, wit: &Path) -> Vec<String> {
    let mut differences = Vec::new();
    for (version, locked) in lock {
        let there = hashes(&wit.join(version));
        for file in locked.keys().chain(there.keys().filter(|file| !locked.contains_key(*file))) {
            match (locked.get(file), there.get(file)) {
                (Some(one), Some(other)) if one == other => {}
                (Some(_), Some(_)) => differences.push(format!("{version}/{file} changed")),
                (Some(_), None) => differences.push(format!("{version}/{file} is gone")),
                (None, _) => differences.push(format!("{version}/{file} is new")),
            }
        }
    }
    differences
}

fn lock() -> (Option<String>, Lock) {
    let text = std::fs::read_to_string(wit().join("lock.toml")).unwrap();
    let mut table: toml::Table = text.parse().unwrap();
    let draft = table.remove("draft").map(|draft| draft.as_str().unwrap().to_owned());
    let released = table.remove("released").map_or_else(Lock::new, |released| released.try_into().unwrap());
    assert!(table.is_empty(), "wit/lock.toml knows `draft` and `released`, not {table}");
    (draft, released)
}

#[test]
fn released_wit_files_are_as_they_were() {
    let found = differences(&lock().1, &wit());
    assert!(found.is_empty(), "released WIT never changes; make a new version folder instead: {found:#?}");
}

#[test]
fn every_wit_version_is_released_or_the_draft() {
    let (draft, released) = lock();
    let entries = std::fs::read_dir(wit()).unwrap().flatten();
    let mut seen = 0;
    for folder in entries.filter(|entry| entry.path().is_dir()) {
        let version = folder.file_name().to_string_lossy().into_owned();
        assert!(released.contains_key(&version) || draft.as_ref() == Some(&version), "wit/{version} is in no list");
        seen += 1;
    }
    assert_eq!(seen, released.len() + draft.iter().count(), "wit/lock.toml names a version that is not there");
}

#[test]
fn a_changed_a_new_and_a_lost_file_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let wit = folder.path();
    std::fs::create_dir(wit.join("1.0.0")).unwrap();
    for (file, text) in [("a.wit", "a"), ("b.wit", "b")] {
        std::fs::write(wit.join("1.0.0").join(file), text).unwrap();
    }
    let mut lock = Lock::from([("1.0.0".into(), hashes(&wit.join("1.0.0")))]);
    assert!(differences(&lock, wit).is_empty());
    std::fs::write(wit.join("1.0.0/a.wit"), "changed").unwrap();
    std::fs::write(wit.join("1.0.0/c.wit"), "new").unwrap();
    lock.get_mut("1.0.0").unwrap().insert("d.wit".into(), String::new());
    let found = differences(&lock, wit);
    assert_eq!(found, ["1.0.0/a.wit changed", "1.0.0/d.wit is gone", "1.0.0/c.wit is new"]);
}

#[test]
fn each_file_belongs_to_the_version_that_its_folder_names() {
    let folders = std::fs::read_dir(wit()).unwrap().flatten().filter(|entry| entry.path().is_dir());
    for folder in folders {
        let version = folder.file_name().into_string().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
            let text = std::fs::read_to_string(file.path()).unwrap();
            assert!(text.starts_with(&format!("package plugboard:%switch@{version};")), "{}", file.path().display());
        }
    }
}
