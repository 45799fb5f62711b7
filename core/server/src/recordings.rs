//! Recordings and voice messages as an admin has them: listed, copied, compared with their sums, erased, and forgotten in time.

use plugboard_model::{CallId, GroupId, Mailbox, OfficeId, TapeEnd, TapeKind, TapeRecord, TapeWhy, UserId, WallTime};
use plugboard_recorder::{Disk as _, Folder, look};
use plugboard_store::{CommitError, Store, StoreError, TapeFilter};
use plugboard_switch::Mailboxes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use crate::control::ONLY;

/// The folder of recordings in the data folder.
pub(crate) const FOLDER: &str = plugboard_store::FILES;

/// Recordings in one answer, and in one step of forgetting.
pub(crate) const LIST_MAX: usize = 1_000;

/// Which recordings are meant.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
pub(crate) struct Which {
    /// Of calls in which somebody with this number talked, whole.
    #[arg(long)]
    pub(crate) number: Option<String>,
    /// Voice messages and greetings of this user.
    #[arg(long, conflicts_with = "group")]
    pub(crate) user: Option<String>,
    /// Voice messages and greetings of this group.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Voice messages alone.
    #[arg(long)]
    pub(crate) messages: bool,
    /// The office.
    #[arg(long, default_value = ONLY)]
    pub(crate) office: String,
}

impl Which {
    fn filter(&self, office: &OfficeId) -> Result<TapeFilter, String> {
        let user = self.user.as_ref().map(|user| UserId::new(office, user).map(Mailbox::User));
        let group = self.group.as_ref().map(|group| GroupId::new(office, group).map(Mailbox::Group));
        let of = user.or(group).transpose().map_err(|error| error.to_string())?;
        let messages = self.messages.then_some(true);
        Ok(TapeFilter { number: self.number.clone(), of, messages, ..TapeFilter::default() })
    }

    pub(crate) fn office(&self) -> Result<OfficeId, String> {
        OfficeId::new(&self.office).map_err(|error| error.to_string())
    }

    /// Whether anything narrows it.
    pub(crate) fn is_everything(&self) -> bool {
        self.number.is_none() && self.user.is_none() && self.group.is_none() && !self.messages
    }
}

/// Where files lie, and what is known of them.
#[derive(Clone)]
pub(crate) struct Recordings {
    store: Store,
    folder: Folder,
    /// Told of voice messages that are removed here.
    mailboxes: Mailboxes,
}

impl Recordings {
    pub(crate) fn new(store: Store, data: &Path) -> Self {
        Self { store, folder: Folder::new(data.join(FOLDER)), mailboxes: Mailboxes::default() }
    }

    /// Those of a switch that runs.
    pub(crate) fn of(self, mailboxes: Mailboxes) -> Self {
        Self { mailboxes, ..self }
    }

    pub(crate) fn folder(&self) -> Folder {
        self.folder.clone()
    }

    /// The newest ones.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn list(&self, which: &Which, limit: usize) -> Result<Value, String> {
        let office = which.office()?;
        let tapes = self.store.tapes().list(&office, &which.filter(&office)?, limit.min(LIST_MAX));
        let tapes = tapes.map_err(|error| error.to_string())?;
        Ok(json!({ "recordings": tapes.iter().map(shown).collect::<Vec<_>>() }))
    }

    /// Those of a call.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn of_call(&self, call: &CallId) -> Result<Vec<Value>, StoreError> {
        Ok(self.store.tapes().of_call(call)?.iter().map(shown).collect())
    }

    /// Copies one, as it is now.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn export(&self, id: &str, to: &Path) -> Result<Value, String> {
        let tape = self.find(id)?;
        let from = self.folder.place(&tape.file).map_err(|error| error.to_string())?;
        let copied = std::fs::File::open(&from).and_then(|mut from| {
            let mut file = OpenOptions::new().write(true).create_new(true).open(to)?;
            io::copy(&mut from, &mut file)
        });
        match copied {
            Ok(bytes) => Ok(json!({ "done": format!("{bytes} bytes in {}", to.display()), "bytes": bytes })),
            Err(error) => Err(format!("{} to {}: {error}", from.display(), to.display())),
        }
    }

    /// Removes files, and then what is known of them.
    ///
    /// # Errors
    /// In words; what was not removed is still listed.
    pub(crate) fn erase(&self, ids: &[String], which: &Which) -> Result<Value, String> {
        let office = which.office()?;
        let mut erased = 0_usize;
        let tapes = ids.iter().map(|id| self.find(id)).collect::<Result<Vec<_>, _>>()?;
        for tape in &tapes {
            self.erase_one(tape)?;
            erased += 1;
        }
        if !which.is_everything() {
            erased += self.erase_all(&office, &which.filter(&office)?)?;
        }
        // Whoever asks next is not to find them.
        self.store
            .sync()
            .map_err(|error| format!("the files are erased; the list will be once the disk takes it: {error}"))?;
        Ok(json!({ "done": format!("{erased} recordings are erased"), "erased": erased }))
    }

    /// Compares files with their sums.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn verify(&self, which: &Which) -> Result<Value, String> {
        let office = which.office()?;
        let tapes = self.store.tapes().list(&office, &which.filter(&office)?, usize::MAX);
        let tapes = tapes.map_err(|error| error.to_string())?;
        let (mut sound, mut going_on, mut faults) = (0_usize, 0_usize, Vec::new());
        for tape in &tapes {
            let Some(end) = &tape.end else {
                going_on += 1;
                continue;
            };
            // One that the disk refused from its beginning has no file.
            if end.bytes == 0 {
                continue;
            }
            let found = look(&mut self.folder.clone(), &tape.file);
            let fault = match found {
                Ok(found) if found.sha256 == end.sha256 => None,
                Ok(_) => Some("it is not as it was when it ended".to_owned()),
                Err(error) => Some(error.to_string()),
            };
            match fault {
                None => sound += 1,
                Some(reason) => faults.push(json!({ "id": id_of(tape), "file": tape.file, "reason": reason })),
            }
        }
        Ok(json!({ "sound": sound, "going_on": going_on, "faults": faults }))
    }

    /// Recordings that went on when the switch ended are closed as they lie.
    pub(crate) fn close_unfinished(&self) {
        let unfinished = TapeFilter { unfinished: true, ..TapeFilter::default() };
        let offices = match self.store.calls().offices() {
            Ok(offices) => offices,
            Err(error) => return tracing::error!(%error, "recordings that were cut off could not be read"),
        };
        for office in offices {
            let tapes = self.store.tapes().list(&office, &unfinished, usize::MAX).unwrap_or_default();
            for tape in tapes {
                let end = look(&mut self.folder.clone(), &tape.file).unwrap_or_else(|error| {
                    let why = TapeWhy::Disk(error.to_string());
                    TapeEnd { length_ms: 0, bytes: 0, sha256: [0; 32], missing_ms: 0, why }
                });
                // Nobody has decided about a greeting, and nothing was said of a message.
                let is_nothing = match &tape.kind {
                    TapeKind::Greeting { .. } => true,
                    TapeKind::Message { .. } => end.length_ms < MESSAGE_MS_MIN,
                    TapeKind::Recording { .. } => false,
                };
                if is_nothing {
                    match self.folder.clone().remove(&tape.file) {
                        Ok(()) => self.store.tapes().remove(&tape.call, tape.n),
                        Err(error) => {
                            tracing::error!(call_id = %tape.call, n = tape.n, %error, "what was cut off could not be removed");
                        }
                    }
                    continue;
                }
                let (call, n, length_ms) = (&tape.call, tape.n, end.length_ms);
                tracing::warn!(call_id = %call, n, length_ms, "a recording was cut off when the switch ended");
                if let Err(error) = self.store.tapes().put(&TapeRecord { end: Some(end), ..tape.clone() }) {
                    tracing::error!(call_id = %tape.call, %error, "a recording could not be closed");
                }
            }
        }
        // Mailboxes are read soon after, and these may be messages.
        if let Err(error) = self.store.sync() {
            tracing::error!(%error, "recordings that were cut off could not be closed");
        }
    }

    /// Removes what is older; how many were.
    ///
    /// # Errors
    /// What was not removed stays for the next time.
    pub(crate) fn forget(&self, recordings: WallTime, messages: WallTime) -> Result<usize, CommitError> {
        let mut sum = 0;
        for office in self.store.calls().offices()? {
            for (before, messages) in [(recordings, false), (messages, true)] {
                let filter = TapeFilter { before: Some(before), messages: Some(messages), ..TapeFilter::default() };
                let old = self.store.tapes().list(&office, &filter, usize::MAX)?;
                // A greeting is no recording of a call: it is kept as long as its user wants it.
                for tape in old.iter().filter(|tape| !matches!(tape.kind, TapeKind::Greeting { .. })) {
                    match self.erase_one(tape) {
                        Ok(()) => sum += 1,
                        Err(reason) => tracing::error!(call_id = %tape.call, reason, "a recording was not removed"),
                    }
                }
            }
        }
        Ok(sum)
    }

    fn erase_all(&self, office: &OfficeId, filter: &TapeFilter) -> Result<usize, String> {
        let tapes = self.store.tapes().list(office, filter, usize::MAX).map_err(|error| error.to_string())?;
        // One that cannot be removed keeps none of the others.
        let faults: Vec<String> = tapes.iter().filter_map(|tape| self.erase_one(tape).err()).collect();
        match faults.as_slice() {
            [] => Ok(tapes.len()),
            [first, ..] => {
                let (left, removed) = (faults.len(), tapes.len() - faults.len());
                Err(format!("{removed} removed, {left} left: {first}"))
            }
        }
    }

    fn erase_one(&self, tape: &TapeRecord) -> Result<(), String> {
        if tape.end.is_none() {
            return Err(format!("recording {} goes on", id_of(tape)));
        }
        self.folder.clone().remove(&tape.file).map_err(|error| format!("{}: {error}", tape.file))?;
        self.store.tapes().remove(&tape.call, tape.n);
        self.mailboxes.forget(tape);
        Ok(())
    }

    fn find(&self, id: &str) -> Result<TapeRecord, String> {
        let wrong = || format!("{id:?} is no recording; `plugboard recording list` shows those that are known");
        let (call, n) = id.rsplit_once('-').ok_or_else(wrong)?;
        let (call, n) = (crate::control::call_id(call)?, n.parse().map_err(|_| wrong())?);
        self.store.tapes().get(&call, n).map_err(|error| error.to_string())?.ok_or_else(wrong)
    }
}

/// A message that is shorter when the switch is cut off is none; while it runs the office says what is too short.
const MESSAGE_MS_MIN: u64 = 1_000;

/// The id of a recording: its call's, and which of the call.
fn id_of(tape: &TapeRecord) -> String {
    format!("{}-{}", tape.call, tape.n)
}

/// As commands tell it.
fn shown(tape: &TapeRecord) -> Value {
    let (kind, by, of) = match &tape.kind {
        TapeKind::Recording { by } => ("recording", Some(by.as_str()), None),
        TapeKind::Message { of, heard: false } => ("new message", None, Some(of)),
        TapeKind::Message { of, heard: true } => ("message", None, Some(of)),
        TapeKind::Greeting { of } => ("greeting", None, Some(of)),
    };
    let (user, group) = match of {
        Some(Mailbox::User(user)) => (Some(user.name.as_str()), None),
        Some(Mailbox::Group(group)) => (None, Some(group.name.as_str())),
        None => (None, None),
    };
    let end = tape.end.as_ref();
    json!({
        "id": id_of(tape), "kind": kind, "by": by, "user": user, "group": group, "began": tape.began,
        "caller": tape.caller, "caller_name": tape.caller_name, "called": tape.called, "others": tape.others,
        "file": format!("{FOLDER}/{}", tape.file),
        "length_ms": end.map(|end| end.length_ms), "bytes": end.map(|end| end.bytes),
        "sha256": end.map(|end| hexadecimal(&end.sha256)), "missing_ms": end.map(|end| end.missing_ms),
        "end": end.map(|end| end.why.as_str()),
        "reason": end.and_then(|end| match &end.why {
            TapeWhy::Disk(reason) => Some(reason.clone()),
            TapeWhy::Codec(codec) => Some(format!("{codec} cannot be unpacked here")),
            TapeWhy::Asked
            | TapeWhy::CallOver
            | TapeWhy::Silence
            | TapeWhy::Limit
            | TapeWhy::DiskFull
            | TapeWhy::Interrupted => None,
        }),
    })
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into memory cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where an exported file goes.
pub(crate) fn target(to: Option<PathBuf>, id: &str) -> PathBuf {
    let usual = || PathBuf::from(format!("{}.wav", id.rsplit('/').next().unwrap_or(id)));
    let to = to.unwrap_or_else(usual);
    std::path::absolute(&to).unwrap_or(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Keep};
    use crate::faxes::Faxes;
    use crate::keep::{Clock, Keeper, forget_with_files};
    use plugboard_metrics::{Metrics, Readiness};
    use plugboard_model::{CallOutcome, CallRecord, TapeBy, Time};
    use plugboard_store::Place;
    use std::time::Duration;

    const DAY: i64 = 86_400_000;

    struct World {
        recordings: Recordings,
        _folder: tempfile::TempDir,
    }

    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::start(Place::Memory, None).unwrap();
        World { recordings: Recordings::new(store, folder.path()), _folder: folder }
    }

    /// A second of A-law, two sides, as the recorder leaves it.
    fn file() -> Vec<u8> {
        let mut file = Vec::new();
        file.extend_from_slice(b"RIFF\xb2\x3e\x00\x00WAVEfmt \x12\x00\x00\x00\x06\x00\x02\x00");
        file.extend_from_slice(b"\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x08\x00\x00\x00");
        file.extend_from_slice(b"fact\x04\x00\x00\x00\x40\x1f\x00\x00data\x80\x3e\x00\x00");
        file.resize(58 + 16_000, 0xD5);
        file
    }

    impl World {
        fn put(&self, at: i64, kind: TapeKind, end: bool) -> String {
            let office = OfficeId::new("main").unwrap();
            let call = CallId::new(office, WallTime(at), 1);
            let name = format!("main/{at}-1.wav");
            self.recordings.folder().create(&name, &file()).unwrap();
            let end = end.then(|| look(&mut self.recordings.folder(), &name).unwrap());
            let (caller, called) = ("101".to_owned(), "102".to_owned());
            let (began, caller_name) = (WallTime(at), String::new());
            let tape = TapeRecord {
                call,
                n: 1,
                kind,
                began,
                caller,
                caller_name,
                called,
                others: Vec::new(),
                file: name,
                end,
            };
            self.recordings.store.tapes().put(&tape).unwrap();
            self.recordings.store.sync().unwrap();
            id_of(&tape)
        }

        fn ids(&self) -> Vec<String> {
            self.recordings.store.sync().unwrap();
            let listed = self.recordings.list(&which(), 10).unwrap();
            let listed = listed["recordings"].as_array().unwrap().clone();
            listed.iter().map(|tape| tape["id"].as_str().unwrap().to_owned()).collect()
        }
    }

    fn which() -> Which {
        Which { office: "main".into(), ..Which::default() }
    }

    const CALL: TapeKind = TapeKind::Recording { by: TapeBy::Policy };

    #[test]
    fn what_was_cut_off_is_closed_as_it_lies_and_then_found_sound() {
        let world = world();
        let id = world.put(DAY, CALL, false);
        assert_eq!(world.recordings.verify(&which()).unwrap()["going_on"], 1);
        assert!(world.recordings.erase(std::slice::from_ref(&id), &which()).is_err(), "it goes on");
        world.recordings.close_unfinished();
        world.recordings.store.sync().unwrap();
        let listed = world.recordings.list(&which(), 1).unwrap();
        let tape = &listed["recordings"][0];
        assert_eq!(
            (&tape["end"], &tape["length_ms"], &tape["bytes"]),
            (&json!("interrupted"), &json!(1_000), &json!(16_058))
        );
        assert_eq!(world.recordings.verify(&which()).unwrap()["sound"], 1);
    }

    #[test]
    fn a_greeting_that_was_cut_off_is_none_and_a_message_is_one_where_something_was_said() {
        let world = world();
        let of = Mailbox::User(UserId::new(&OfficeId::new("main").unwrap(), "ann").unwrap());
        let message = || TapeKind::Message { of: of.clone(), heard: false };
        let (said, silent) = (world.put(DAY, message(), false), world.put(2 * DAY, message(), false));
        world.put(3 * DAY, TapeKind::Greeting { of: of.clone() }, false);
        let mut folder = world.recordings.folder();
        // The head alone.
        folder.remove(&format!("main/{}-1.wav", 2 * DAY)).unwrap();
        folder.create(&format!("main/{}-1.wav", 2 * DAY), file().get(..58).unwrap()).unwrap();
        world.recordings.close_unfinished();
        assert_eq!(world.ids(), [said], "neither {silent} nor the greeting");
        assert!(!folder.place(&format!("main/{}-1.wav", 3 * DAY)).unwrap().exists());
    }

    #[test]
    fn a_file_that_changed_or_is_gone_is_named() {
        let world = world();
        let (changed, gone) = (world.put(DAY, CALL, true), world.put(2 * DAY, CALL, true));
        let mut folder = world.recordings.folder();
        folder.append(&format!("main/{DAY}-1.wav"), 16_058, b"x", b"R").unwrap();
        folder.remove(&format!("main/{}-1.wav", 2 * DAY)).unwrap();
        let verified = world.recordings.verify(&which()).unwrap();
        let named: Vec<&str> =
            verified["faults"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
        assert_eq!(named, [gone, changed]);
    }

    #[test]
    fn recordings_are_erased_by_id_by_number_and_by_age_and_greetings_by_none_of_it() {
        let world = world();
        let of = Mailbox::User(UserId::new(&OfficeId::new("main").unwrap(), "ann").unwrap());
        let message = TapeKind::Message { of: of.clone(), heard: false };
        let greeting = world.put(DAY, TapeKind::Greeting { of }, true);
        let (old, message) = (world.put(2 * DAY, CALL, true), world.put(3 * DAY, message, true));
        let (young, other) = (world.put(9 * DAY, CALL, true), world.put(10 * DAY, CALL, true));
        assert_eq!(world.recordings.forget(WallTime(4 * DAY), WallTime(0)).unwrap(), 1);
        assert_eq!(world.ids(), [other.clone(), young.clone(), message.clone(), greeting.clone()]);
        assert!(world.recordings.find(&old).is_err());
        assert_eq!(world.recordings.forget(WallTime(4 * DAY), WallTime(4 * DAY)).unwrap(), 1);
        assert_eq!(world.ids(), [other.clone(), young.clone(), greeting.clone()]);
        world.recordings.erase(&[other], &which()).unwrap();
        let to = world.recordings.folder.place("out.wav").unwrap();
        world.recordings.export(&young, &to).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), file());
        assert_eq!(world.ids(), [young.clone(), greeting.clone()]);
        let by_number = Which { number: Some("102".into()), ..which() };
        assert_eq!(world.recordings.erase(&[], &by_number).unwrap()["erased"], 1);
        assert_eq!(world.ids(), [greeting]);
        assert!(world.recordings.folder().read(&format!("main/{}-1.wav", 9 * DAY), &mut |_| ()).is_err());
    }

    #[test]
    fn recordings_and_messages_go_after_their_own_times_and_none_by_a_clock_that_is_doubted() {
        const TODAY: i64 = 20_779 * DAY;
        const WRONG: i64 = 24_855 * DAY;
        let (world, elsewhere) = (world(), tempfile::tempdir().unwrap());
        let days = |days: u64| Duration::from_hours(24 * days);
        let keep = Keep { recordings: days(30), messages: days(10), ..Config::default().keep };
        let store = world.recordings.store.clone();
        let faxes = Faxes::new(store.clone(), elsewhere.path());
        let id = CallId::new(OfficeId::new("main").unwrap(), WallTime(TODAY), 7);
        let record = CallRecord::bare(id, WallTime(TODAY), CallOutcome::Abandoned);
        store.calls().put_record(&record, None).unwrap();
        let keeper = Keeper::new(store, Metrics::new(), Readiness::default(), keep);
        let of = Mailbox::User(UserId::new(&OfficeId::new("main").unwrap(), "ann").unwrap());
        let message = || TapeKind::Message { of: of.clone(), heard: false };
        world.put(TODAY - 40 * DAY, CALL, true);
        let young = world.put(TODAY - 20 * DAY, CALL, true);
        world.put(TODAY - 19 * DAY, message(), true);
        let new = world.put(TODAY - 5 * DAY, message(), true);
        let round = |now: i64, clock| {
            let up = Time::from_millis(u64::try_from(now - TODAY + 2_000 * DAY).unwrap());
            let files = (&world.recordings, &faxes);
            let (_, gone) =
                plugboard_switch::run(forget_with_files(&keeper, files, (WallTime(now), up), clock)).unwrap();
            (gone, world.ids())
        };
        assert_eq!(round(WRONG, Clock::Doubted).1.len(), 4);
        assert_eq!(round(TODAY, Clock::Doubted), (2, vec![new, young.clone()]));
        assert_eq!(round(TODAY + 6 * DAY, Clock::Doubted), (1, vec![young]));
        assert_eq!(round(WRONG, Clock::Believed), (1, Vec::new()));
    }
}
