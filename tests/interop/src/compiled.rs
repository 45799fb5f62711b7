//! Actions compiled once for all test programs: each switch of theirs has a data folder of its own, and would compile them
//! anew for some seconds.
//!
//! The common folder is a switch's own `compiled`, key and all, so that what is lent is as authentic as what it lends from.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::target;

/// More files than that are of actions that were built anew many times.
const FILES_MAX: usize = 400;

fn common() -> PathBuf {
    target().join("tmp/compiled-actions")
}

fn own(data: &Path) -> PathBuf {
    data.join("compiled")
}

/// What says that a data folder is one, and of which kind; beside the common folder lies that of the first switch.
const MARKER: &str = "plugboard-data";

/// Gives a data folder that is still to be made what others have compiled. Without it the switch compiles by itself.
pub(crate) fn lend(data: &Path, demo: bool) {
    let Ok(marker) = fs::read_to_string(common().with_extension(MARKER)) else { return };
    if data.exists() {
        return;
    }
    let kind = |line: &str| if demo && line.starts_with("kind = ") { "kind = demo".into() } else { line.to_owned() };
    let marker: Vec<String> = marker.lines().map(kind).collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.and_then(|()| fs::write(data.join(MARKER), marker.join("\n"))).expect("a data folder of a test");
    drop(copy(&common(), &own(data)));
}

/// Keeps for others what a switch has compiled.
pub(crate) fn keep(data: &Path) {
    let (own, common) = (own(data), common());
    let key = |folder: &Path| fs::read(folder.join("key")).ok();
    if !common.exists() {
        // Whoever is first puts it there whole.
        let draft = common.with_extension(std::process::id().to_string());
        if copy(&own, &draft).and_then(|()| fs::rename(&draft, &common)).is_err() {
            drop(fs::remove_dir_all(&draft));
        } else if let Ok(marker) = fs::read_to_string(data.join(MARKER)) {
            let marker = marker.replace("kind = demo", "kind = office");
            drop(fs::write(common.with_extension(MARKER), marker));
        }
    } else if key(&own).is_some_and(|ours| Some(ours) == key(&common)) {
        drop(copy(&own, &common));
        if fs::read_dir(&common).is_ok_and(|files| files.count() > FILES_MAX) {
            drop(fs::remove_dir_all(&common));
        }
    }
}

/// Links what is missing, or copies it where the folders are on different disks.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let files = fs::read_dir(from)?;
    if !to.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    }
    for file in files {
        let file = file?.path();
        let name = file.file_name().unwrap_or_default();
        let is_draft = file.extension().is_some_and(|end| end.to_string_lossy().starts_with("draft"));
        let to = to.join(name);
        if !is_draft && !to.exists() && fs::hard_link(&file, &to).is_err() {
            fs::copy(&file, &to)?;
        }
    }
    Ok(())
}
