//! Released versions of the interfaces stay as they are.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// SHA-256 over the files of a folder, as `wit/README.md` says.
fn hash(folder: &Path) -> String {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        hasher.update(format!("{name}\0{}\0", bytes.len()));
        hasher.update(&bytes);
    }
    hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The faults of a lock file against the folders beside it.
fn faults(lock: &str, folders: &Path) -> Vec<String> {
    let lock: Json = toml::from_str(lock).unwrap();
    let mut faults = Vec::new();
    for entry in lock["released"].as_array().unwrap() {
        let version = entry["version"].as_str().unwrap();
        let now = hash(&folders.join(version));
        if entry["sha256"] != now.as_str() {
            faults.push(format!("{version} was released and has changed: its hash is {now} now"));
        }
    }
    faults
}

#[test]
fn no_released_version_has_changed() {
    let lock = std::fs::read_to_string(wit().join("lock.toml")).unwrap();
    assert_eq!(faults(&lock, &wit()), Vec::<String>::new());
}

#[test]
fn one_changed_byte_of_a_released_version_is_found() {
    let folders = tempfile::tempdir().unwrap();
    let released = folders.path().join("1.0.0");
    std::fs::create_dir(&released).unwrap();
    std::fs::write(released.join("a.wit"), "package a:b@1.0.0;").unwrap();
    let lock = format!("[[released]]\nversion = \"1.0.0\"\nsha256 = \"{}\"\n", hash(&released));
    assert!(faults(&lock, folders.path()).is_empty());
    std::fs::write(released.join("a.wit"), "package a:b@1.0.0; ").unwrap();
    assert_eq!(faults(&lock, folders.path()).len(), 1);
}

#[test]
fn each_folder_is_the_version_that_its_name_says() {
    for entry in std::fs::read_dir(wit()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let version = entry.file_name().into_string().unwrap();
        for file in std::fs::read_dir(entry.path()).unwrap().map(Result::unwrap) {
            let text = std::fs::read_to_string(file.path()).unwrap();
            assert!(text.starts_with(&format!("package plugboard:%switch@{version};")), "{}", file.path().display());
        }
    }
}
