//! Faxes as an admin has them: listed, copied, forgotten in time.

use plugboard_model::{CallId, FaxFile, FaxOutcome, FaxRecord, OfficeId, WallTime};
use plugboard_recorder::{Disk as _, Folder, sum};
use plugboard_store::{CommitError, FaxFilter, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::recordings::{FOLDER, LIST_MAX, hexadecimal};

/// Which file of a fax is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub(crate) enum Form {
    /// Made of what was received.
    Pdf,
    /// As it was received.
    Tif,
}

impl Form {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Tif => "tif",
        }
    }
}

/// Where files lie, and what is known of them.
#[derive(Clone)]
pub(crate) struct Faxes {
    store: Store,
    folder: Folder,
}

impl Faxes {
    pub(crate) fn new(store: Store, data: &Path) -> Self {
        Self { store, folder: Folder::new(data.join(FOLDER)) }
    }

    /// The newest ones.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn list(&self, office: &str, number: Option<String>, limit: usize) -> Result<Value, String> {
        let office = OfficeId::new(office).map_err(|error| error.to_string())?;
        let filter = FaxFilter { number, ..FaxFilter::default() };
        let faxes =
            self.store.faxes().list(&office, &filter, limit.min(LIST_MAX)).map_err(|error| error.to_string())?;
        Ok(json!({ "faxes": faxes.iter().map(shown).collect::<Vec<_>>() }))
    }

    /// Those of a call.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn of_call(&self, call: &CallId) -> Result<Vec<Value>, StoreError> {
        Ok(self.store.faxes().of_call(call)?.iter().map(shown).collect())
    }

    /// Copies a file of one.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn export(&self, id: &str, form: Form, to: &Path) -> Result<Value, String> {
        let fax = self.find(id)?;
        let suffix = form.suffix();
        let is_it = |file: &&FaxFile| Path::new(&file.file).extension().is_some_and(|found| found == suffix);
        let file = fax.files.iter().find(is_it);
        let file = file.ok_or_else(|| format!("fax {id} has no {suffix}: {}", what_came(&fax)))?;
        let from = self.folder.place(&file.file).map_err(|error| error.to_string())?;
        let copied = std::fs::File::open(&from).and_then(|mut from| {
            let mut file = OpenOptions::new().write(true).create_new(true).open(to)?;
            io::copy(&mut from, &mut file)
        });
        match copied {
            Ok(bytes) => Ok(json!({ "done": format!("{bytes} bytes in {}", to.display()), "bytes": bytes })),
            Err(error) => Err(format!("{} to {}: {error}", from.display(), to.display())),
        }
    }

    /// Removes files, and then what is known of them: of those named, and of all from or to a number of the office.
    ///
    /// # Errors
    /// In words; what was not removed is still listed, and keeps none of the others.
    pub(crate) fn erase(&self, ids: &[String], office: &str, number: Option<String>) -> Result<Value, String> {
        let mut faxes = ids.iter().map(|id| self.find(id)).collect::<Result<Vec<_>, _>>()?;
        if number.is_some() {
            let office = OfficeId::new(office).map_err(|error| error.to_string())?;
            let filter = FaxFilter { number, ..FaxFilter::default() };
            let of_number = self.store.faxes().list(&office, &filter, usize::MAX).map_err(|error| error.to_string())?;
            faxes.extend(of_number.into_iter().filter(|fax| !ids.contains(&id_of(fax))));
        }
        let faults: Vec<String> = faxes.iter().filter_map(|fax| self.erase_one(fax).err()).collect();
        let erased = faxes.len() - faults.len();
        // Whoever asks next is not to find them.
        self.store
            .sync()
            .map_err(|error| format!("the files are erased; the list will be once the disk takes it: {error}"))?;
        match faults.as_slice() {
            [] => Ok(json!({ "done": format!("{erased} faxes are erased"), "erased": erased })),
            [first, ..] => Err(format!("{erased} erased, {} left: {first}", faults.len())),
        }
    }

    /// Compares files with their sums.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn verify(&self, office: &str) -> Result<Value, String> {
        let office = OfficeId::new(office).map_err(|error| error.to_string())?;
        let faxes = self.store.faxes().list(&office, &FaxFilter::default(), usize::MAX);
        let faxes = faxes.map_err(|error| error.to_string())?;
        let (mut sound, mut faults) = (0_usize, Vec::new());
        for fax in &faxes {
            for file in &fax.files {
                let fault = match sum(&mut self.folder.clone(), &file.file) {
                    Ok(found) if found == (file.bytes, file.sha256) => None,
                    Ok(_) => Some("it is not as it was when it was received".to_owned()),
                    Err(error) => Some(error.to_string()),
                };
                match fault {
                    None => sound += 1,
                    Some(reason) => {
                        faults.push(json!({ "id": id_of(fax), "file": file.file, "reason": reason }));
                    }
                }
            }
        }
        Ok(json!({ "sound": sound, "going_on": 0, "faults": faults }))
    }

    fn erase_one(&self, fax: &FaxRecord) -> Result<(), String> {
        let mut folder = self.folder.clone();
        for file in &fax.files {
            folder.remove(&file.file).map_err(|error| format!("{}: {error}", file.file))?;
        }
        self.store.faxes().remove(&fax.call, fax.n);
        Ok(())
    }

    /// Removes what is older; how many were.
    ///
    /// # Errors
    /// What was not removed stays for the next time.
    pub(crate) fn forget(&self, before: WallTime) -> Result<usize, CommitError> {
        let mut gone = 0;
        for office in self.store.calls().offices()? {
            let filter = FaxFilter { before: Some(before), ..FaxFilter::default() };
            for fax in self.store.faxes().list(&office, &filter, usize::MAX)? {
                match self.erase_one(&fax) {
                    Ok(()) => gone += 1,
                    Err(reason) => tracing::error!(call_id = %fax.call, reason, "a fax was not removed"),
                }
            }
        }
        Ok(gone)
    }

    fn find(&self, id: &str) -> Result<FaxRecord, String> {
        let wrong = || format!("{id:?} is no fax; `plugboard fax list` shows those that are known");
        let (call, n) = id.rsplit_once('-').ok_or_else(wrong)?;
        let (call, n) = (crate::control::call_id(call)?, n.parse().map_err(|_| wrong())?);
        self.store.faxes().get(&call, n).map_err(|error| error.to_string())?.ok_or_else(wrong)
    }
}

fn what_came(fax: &FaxRecord) -> String {
    match &fax.end {
        FaxOutcome::Done => "the file could not be written".into(),
        FaxOutcome::NoFax => "the caller was no fax machine".into(),
        FaxOutcome::Failed(reason) => reason.clone(),
    }
}

/// The id of a fax: its call's, and which of the call.
fn id_of(fax: &FaxRecord) -> String {
    format!("{}-{}", fax.call, fax.n)
}

/// As commands tell it.
fn shown(fax: &FaxRecord) -> Value {
    let files = fax.files.iter().map(|file| {
        json!({
            "file": format!("{FOLDER}/{}", file.file), "bytes": file.bytes, "sha256": hexadecimal(&file.sha256),
        })
    });
    json!({
        "id": id_of(fax), "began": fax.began, "ended": fax.ended,
        "caller": fax.caller, "caller_name": fax.caller_name, "called": fax.called,
        "end": fax.end.as_str(),
        "reason": if let FaxOutcome::Failed(reason) = &fax.end { Some(reason.as_str()) } else { None },
        "pages": fax.pages, "cut": fax.cut, "bad_rows": fax.bad_rows, "sender": fax.sender,
        "bit_rate": fax.bit_rate, "error_correction": fax.corrected, "t38": fax.t38, "files": files.collect::<Vec<_>>(),
    })
}

/// Where an exported file goes.
pub(crate) fn target(to: Option<PathBuf>, id: &str, form: Form) -> PathBuf {
    let usual = || PathBuf::from(format!("{}.{}", id.rsplit('/').next().unwrap_or(id), form.suffix()));
    let to = to.unwrap_or_else(usual);
    std::path::absolute(&to).unwrap_or(to)
}

/// A document that is to be sent, as it goes through the control socket.
///
/// # Errors
/// In words.
pub(crate) fn read(file: &Path) -> Result<String, String> {
    let most = plugboard_codec::document::DOCUMENT_MAX;
    let told = |error: io::Error| format!("{}: {error}", file.display());
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(file).map_err(told)?.take(limit).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() > most {
        return Err(format!("{}: it is longer than {most} bytes; write it packed as Group 4", file.display()));
    }
    Ok(hexadecimal(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_store::Place;

    const DAY: i64 = 86_400_000;

    fn fax(folder: &mut Folder, at: i64) -> FaxRecord {
        let call = CallId::new(OfficeId::new("main").unwrap(), WallTime(at), 1);
        let files = ["tif", "pdf"].map(|suffix| {
            let file = format!("main/{at}-fax-1.{suffix}");
            folder.create(&file, suffix.as_bytes()).unwrap();
            let (bytes, sha256) = sum(folder, &file).unwrap();
            FaxFile { file, bytes, sha256 }
        });
        FaxRecord {
            call,
            n: 1,
            began: WallTime(at),
            ended: WallTime(at),
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
            t38: true,
            files: files.to_vec(),
        }
    }

    #[test]
    fn a_fax_is_listed_copied_in_both_forms_and_forgotten_with_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::start(Place::Memory, None).unwrap();
        let mut faxes = Faxes::new(store.clone(), folder.path());
        for at in [DAY, 5 * DAY] {
            let one = fax(&mut faxes.folder, at);
            store.faxes().put(&one).unwrap();
        }
        store.sync().unwrap();
        let listed = faxes.list("main", None, 10).unwrap();
        let id = listed["faxes"][1]["id"].as_str().unwrap().to_owned();
        assert_eq!(listed["faxes"][1]["files"][1]["file"], format!("recordings/main/{DAY}-fax-1.pdf"));
        for (form, content) in [(Form::Pdf, "pdf"), (Form::Tif, "tif")] {
            let to = folder.path().join(content);
            faxes.export(&id, form, &to).unwrap();
            assert_eq!(std::fs::read_to_string(&to).unwrap(), content);
            assert!(faxes.export(&id, form, &to).is_err(), "nothing is written over");
        }
        assert_eq!(faxes.verify("main").unwrap()["sound"], 4);
        faxes.folder.append(&format!("main/{DAY}-fax-1.tif"), 3, b"x", b"T").unwrap();
        let named = faxes.verify("main").unwrap();
        assert_eq!((&named["sound"], &named["faults"][0]["id"]), (&json!(3), &json!(id)));
        assert_eq!(faxes.forget(WallTime(2 * DAY)).unwrap(), 1);
        store.sync().unwrap();
        assert!(faxes.export(&id, Form::Pdf, &folder.path().join("gone")).unwrap_err().contains("is no fax"));
        assert!(!faxes.folder.place(&format!("main/{DAY}-fax-1.tif")).unwrap().exists());
        let left = faxes.list("main", None, 10).unwrap()["faxes"].clone();
        assert_eq!(left.as_array().unwrap().len(), 1);
        let id = left[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(faxes.erase(&[], "main", Some("0301234".into())).unwrap()["erased"], 0);
        // Named and found by its number, it is one.
        assert_eq!(faxes.erase(&[id], "main", Some("101".into())).unwrap()["erased"], 1);
        store.sync().unwrap();
        assert_eq!(faxes.list("main", None, 10).unwrap()["faxes"], json!([]));
    }
}
