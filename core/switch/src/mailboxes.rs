//! The voice messages of all mailboxes: one table for all shards, locked for one look-up, read from the store when an office comes into
//! force. Calls wait for no disk: what changes goes into the store's queue and the recorder's.

use actix::Recipient;
use plugboard_model::{CallId, Mailbox, OfficeId, TapeBy, TapeKind, TapeRecord, Time};
use plugboard_office::{Office, PinTries, Voicemail};
use plugboard_recorder::Recorder;
use plugboard_store::{Store, TapeFilter};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::env::Env;
use crate::message::MailboxShows;
use crate::pin_tries::{self, Changed, Whose};
use crate::post::press;

/// Callers whose wrong PINs are remembered; past it the one who tried longest ago is forgotten. Each has cost a call.
const CALLERS_MAX: usize = 4_096;

/// The mailboxes of every office in force.
#[derive(Clone, Default)]
pub struct Mailboxes(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    boxes: BTreeMap<Mailbox, Contents>,
    /// Wrong PINs of callers, whatever mailbox they tried.
    callers: BTreeMap<(OfficeId, String), PinTries>,
    /// Those who are told when a mailbox changes: one a shard.
    watchers: Vec<Recipient<MailboxShows>>,
}

#[derive(Default)]
struct Contents {
    /// Oldest first.
    messages: Vec<TapeRecord>,
    greeting: Option<TapeRecord>,
    tries: PinTries,
    /// Messages that are being left, and how long they may become together.
    places: usize,
    placed: Duration,
}

/// A place in a mailbox for a message that is being left: whoever leaves another one meanwhile finds so much less room. It is given back
/// when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    table: Mailboxes,
    mailbox: Mailbox,
    longest: Duration,
}

impl Place {
    /// How long the message may become.
    pub(crate) const fn longest(&self) -> Duration {
        self.longest
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // One whose owner is gone meanwhile has none.
        if let Some(contents) = self.table.shelf().boxes.get_mut(&self.mailbox) {
            contents.places = contents.places.saturating_sub(1);
            contents.placed = contents.placed.saturating_sub(self.longest);
        }
    }
}

/// Messages of a mailbox that are new, and that were heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) new: u32,
    pub(crate) old: u32,
}

impl fmt::Debug for Mailboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailboxes")
    }
}

impl Mailboxes {
    /// Takes in what is kept of an office that comes into force. Waits for the disk.
    pub(crate) fn restore(&self, env: &Env, office: &OfficeId) {
        self.restore_tries(env, office);
        let (store, recorder) = (&env.store, &env.recorder);
        let filter = TapeFilter { mailboxes: true, ..TapeFilter::default() };
        let kept = store.tapes().list(office, &filter, usize::MAX).unwrap_or_else(|error| {
            tracing::error!(%office, %error, "the voice messages could not be read");
            Vec::new()
        });
        let mut shelf = self.shelf();
        for (mailbox, contents) in &mut shelf.boxes {
            if mailbox.office() == office {
                (contents.messages, contents.greeting) = (Vec::new(), None);
            }
        }
        // Newest first.
        for tape in kept.into_iter().rev().filter(|tape| tape.end.is_some()) {
            // Of greetings the newest is in force; one before it was to go when the switch ended.
            if let Some(before) = shelf.put(tape) {
                remove(store, recorder, &before);
            }
        }
    }

    fn restore_tries(&self, env: &Env, office: &OfficeId) {
        let kept = pin_tries::read(env, office);
        let mut shelf = self.shelf();
        for (whose, tries) in kept {
            let running = match whose {
                Whose::Mailbox(mailbox) => &mut shelf.boxes.entry(mailbox).or_default().tries,
                Whose::Caller(caller) => shelf.callers.entry(caller).or_default(),
            };
            // Of an office that was in force before, the table may know more than the store does yet.
            if tries.is_newer_than(running) {
                *running = tries;
            }
        }
    }

    /// What is in mailboxes whose owners the office has no more is nobody's: greetings go, and messages are recordings from now on, so that
    /// no later owner of the same id hears them.
    pub(crate) fn let_go(&self, store: &Store, recorder: &Recorder, office: &Office) {
        let is_there = |mailbox: &Mailbox| match mailbox {
            Mailbox::User(user) => office.user(user).is_some(),
            Mailbox::Group(group) => office.group(group).is_some(),
        };
        let mut shelf = self.shelf();
        let gone: Vec<Mailbox> = shelf
            .boxes
            .keys()
            .filter(|mailbox| *mailbox.office() == office.id && !is_there(mailbox))
            .cloned()
            .collect();
        for mailbox in gone {
            let Some(Contents { messages, greeting, tries, .. }) = shelf.boxes.remove(&mailbox) else { continue };
            if tries != PinTries::default() {
                pin_tries::forget(store, &Whose::Mailbox(mailbox));
            }
            for tape in messages {
                let tape = TapeRecord { kind: TapeKind::Recording { by: TapeBy::User }, ..tape };
                if let Err(error) = store.tapes().put(&tape) {
                    tracing::error!(call_id = %tape.call, n = tape.n, %error, "a message without owner could not be kept as a recording");
                }
            }
            if let Some(tape) = greeting {
                remove(store, recorder, &tape);
            }
        }
    }

    /// A message or a greeting that is to stay; of greetings the newest one is heard.
    pub(crate) fn put(&self, tape: TapeRecord) {
        let mut shelf = self.shelf();
        let mailbox = tape.kind.mailbox().cloned();
        shelf.put(tape);
        shelf.tell(mailbox.as_ref());
    }

    /// A message or a greeting that is gone, whoever removed it.
    pub fn forget(&self, tape: &TapeRecord) {
        if let Some(mailbox) = tape.kind.mailbox() {
            self.take(mailbox, &tape.call, tape.n);
        }
    }

    fn take(&self, mailbox: &Mailbox, call: &CallId, n: u32) -> Option<TapeRecord> {
        let mut shelf = self.shelf();
        let contents = shelf.boxes.get_mut(mailbox)?;
        let is_it = |tape: &TapeRecord| tape.n == n && tape.call == *call;
        let taken = match contents.messages.iter().position(is_it) {
            Some(place) => Some(contents.messages.remove(place)),
            None => contents.greeting.take_if(|tape| is_it(tape)),
        };
        shelf.tell(Some(mailbox));
        taken
    }

    /// The messages of a mailbox, oldest first.
    pub(crate) fn messages(&self, mailbox: &Mailbox) -> Vec<TapeRecord> {
        self.shelf().boxes.get(mailbox).map(|contents| contents.messages.clone()).unwrap_or_default()
    }

    /// What it says to callers.
    pub(crate) fn greeting(&self, mailbox: &Mailbox) -> Option<TapeRecord> {
        self.shelf().boxes.get(mailbox).and_then(|contents| contents.greeting.clone())
    }

    /// How many messages it has.
    pub(crate) fn counts(&self, mailbox: &Mailbox) -> Counts {
        let shelf = self.shelf();
        let messages = shelf.boxes.get(mailbox).map(|contents| contents.messages.as_slice()).unwrap_or_default();
        let count = |heard| {
            let those =
                messages.iter().filter(|tape| matches!(tape.kind, TapeKind::Message { heard: is, .. } if is == heard));
            u32::try_from(those.count()).unwrap_or(u32::MAX)
        };
        Counts { new: count(false), old: count(true) }
    }

    /// A place for a message that may become so long; `None`: the mailbox is full, what others leave in this moment included.
    pub(crate) fn place(&self, mailbox: &Mailbox, rules: &Voicemail, longest: Duration) -> Option<Place> {
        let mut shelf = self.shelf();
        let contents = shelf.boxes.entry(mailbox.clone()).or_default();
        let most = usize::try_from(rules.messages).unwrap_or(usize::MAX);
        let taken: u64 = contents.messages.iter().filter_map(|tape| tape.end.as_ref()).map(|end| end.length_ms).sum();
        let taken = Duration::from_millis(taken) + contents.placed;
        let left = Duration::from_mins(rules.minutes.into()).saturating_sub(taken);
        if contents.messages.len() + contents.places >= most || left < rules.shortest {
            return None;
        }
        let longest = longest.min(left);
        contents.places += 1;
        contents.placed += longest;
        Some(Place { table: self.clone(), mailbox: mailbox.clone(), longest })
    }

    /// A message is no new one any more.
    pub(crate) fn keep(&self, store: &Store, mailbox: &Mailbox, call: &CallId, n: u32) {
        let mut shelf = self.shelf();
        let messages = shelf.boxes.get_mut(mailbox).map(|contents| contents.messages.as_mut_slice());
        let Some(tape) = messages.unwrap_or_default().iter_mut().find(|tape| tape.n == n && tape.call == *call) else {
            return;
        };
        tape.kind = TapeKind::Message { of: mailbox.clone(), heard: true };
        if let Err(error) = store.tapes().put(tape) {
            tracing::error!(call_id = %call, n, %error, "that a message was heard could not be kept");
        }
        shelf.tell(Some(mailbox));
    }

    /// Removes a message or a greeting, with its file.
    pub(crate) fn erase(&self, store: &Store, recorder: &Recorder, mailbox: &Mailbox, call: &CallId, n: u32) {
        if let Some(tape) = self.take(mailbox, call, n) {
            remove(store, recorder, &tape);
        }
    }

    /// From now on this greeting is heard; others are removed.
    pub(crate) fn greet(&self, store: &Store, recorder: &Recorder, tape: TapeRecord) {
        let Some(mailbox) = tape.kind.mailbox().cloned() else { return };
        if let Err(error) = store.tapes().put(&tape) {
            tracing::error!(call_id = %tape.call, n = tape.n, %error, "a greeting could not be kept");
        }
        let before = self.shelf().boxes.entry(mailbox).or_default().greeting.replace(tape.clone());
        if let Some(before) = before.filter(|before| (&before.call, before.n) != (&tape.call, tape.n)) {
            remove(store, recorder, &before);
        }
    }

    /// Until when nobody opens this mailbox, and this caller none.
    pub(crate) fn locked_until(&self, mailbox: Option<&Mailbox>, caller: &(OfficeId, String)) -> Time {
        let shelf = self.shelf();
        let of_mailbox =
            mailbox.and_then(|mailbox| shelf.boxes.get(mailbox)).map(|contents| contents.tries.locked_until());
        let of_caller = shelf.callers.get(caller).filter(|_| is_known(caller)).map(PinTries::locked_until);
        of_mailbox.into_iter().chain(of_caller).max().unwrap_or_default()
    }

    /// A PIN was tried; whose tries are others now.
    pub(crate) fn tried(
        &self,
        now: Time,
        mailbox: Option<&Mailbox>,
        caller: &(OfficeId, String),
        right: bool,
    ) -> Vec<Changed> {
        let mut shelf = self.shelf();
        let mut changed = Vec::new();
        let of_mailbox = |mailbox: &Mailbox| Whose::Mailbox(mailbox.clone());
        if right {
            if shelf.callers.remove(caller).is_some() {
                changed.push((Whose::Caller(caller.clone()), PinTries::default()));
            }
            if let Some(mailbox) = mailbox
                && let Some(contents) = shelf.boxes.get_mut(mailbox)
                && contents.tries != PinTries::default()
            {
                contents.tries = PinTries::default();
                changed.push((of_mailbox(mailbox), PinTries::default()));
            }
            return changed;
        }
        if let Some(mailbox) = mailbox {
            let tries = &mut shelf.boxes.entry(mailbox.clone()).or_default().tries;
            tries.wrong(now);
            changed.push((of_mailbox(mailbox), *tries));
        }
        if !is_known(caller) {
            return changed;
        }
        if shelf.callers.len() >= CALLERS_MAX && !shelf.callers.contains_key(caller) {
            let forgotten =
                |(caller, tries): (&(OfficeId, String), &PinTries)| tries.is_forgotten(now).then(|| caller.clone());
            let mut gone: Vec<(OfficeId, String)> = shelf.callers.iter().filter_map(forgotten).collect();
            if gone.is_empty() {
                let first = shelf.callers.iter().min_by_key(|(_, tries)| tries.last());
                gone.extend(first.map(|(caller, _)| caller.clone()));
            }
            for caller in gone {
                shelf.callers.remove(&caller);
                changed.push((Whose::Caller(caller), PinTries::default()));
            }
        }
        let tries = shelf.callers.entry(caller.clone()).or_default();
        tries.wrong(now);
        changed.push((Whose::Caller(caller.clone()), *tries));
        changed
    }

    /// Whoever is to be told of every change, for as long as the switch runs.
    pub(crate) fn watch(&self, news: Recipient<MailboxShows>) {
        self.shelf().watchers.push(news);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Each change is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Takes one in; the greeting that it displaces.
    fn put(&mut self, tape: TapeRecord) -> Option<TapeRecord> {
        let contents = self.boxes.entry(tape.kind.mailbox().cloned()?).or_default();
        if matches!(tape.kind, TapeKind::Greeting { .. }) {
            return contents.greeting.replace(tape);
        }
        contents.messages.push(tape);
        None
    }

    fn tell(&self, mailbox: Option<&Mailbox>) {
        for news in &self.watchers {
            if let Some(mailbox) = mailbox {
                press(news, MailboxShows(mailbox.clone()));
            }
        }
    }
}

/// Removes a tape's file, and what is known of it. Never waits.
pub(crate) fn remove(store: &Store, recorder: &Recorder, tape: &TapeRecord) {
    let (store, call, n) = (store.clone(), tape.call.clone(), tape.n);
    // What is known of it goes last: a file that nothing is known of is found by nobody.
    let told = move |done: std::io::Result<()>| match done {
        Ok(()) => store.tapes().remove(&call, n),
        Err(error) => tracing::error!(call_id = %call, n, %error, "the file of a voice message could not be removed"),
    };
    recorder.remove(tape.file.clone(), Box::new(told));
}

/// Whether wrong PINs count against a caller: all who withhold their number are not one.
const fn is_known((_, who): &(OfficeId, String)) -> bool {
    !who.is_empty()
}

/// Who rings at a mailbox, for the count of wrong PINs: the user, else the number, else nobody knows who.
pub(crate) fn caller(office: &Office, begin: &plugboard_call::Begin) -> (OfficeId, String) {
    let who = begin.caller_user.as_ref().map_or_else(|| begin.caller.clone(), |user| format!("user {}", user.name));
    (office.id.clone(), who)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{TapeEnd, TapeWhy, UserId, WallTime};

    fn ann() -> Mailbox {
        Mailbox::User(UserId::new(&OfficeId::new("main").unwrap(), "ann").unwrap())
    }

    fn message(n: u32, minutes: u64) -> TapeRecord {
        let end =
            TapeEnd { length_ms: minutes * 60_000, bytes: 1, sha256: [0; 32], missing_ms: 0, why: TapeWhy::Asked };
        TapeRecord {
            call: CallId::new(OfficeId::new("main").unwrap(), WallTime(0), 1),
            n,
            kind: TapeKind::Message { of: ann(), heard: false },
            began: WallTime(0),
            caller: "102".into(),
            caller_name: String::new(),
            called: "101".into(),
            others: Vec::new(),
            file: format!("{n}.wav"),
            end: Some(end),
        }
    }

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_mailbox_is_full_by_messages_and_by_minutes() {
        let rules = Voicemail { messages: 3, minutes: 10, ..Voicemail::default() };
        let mailboxes = Mailboxes::default();
        let hour = Duration::from_hours(1);
        let room = |rules: &Voicemail| mailboxes.place(&ann(), rules, hour).map(|place| place.longest());
        assert_eq!(room(&rules), Some(Duration::from_mins(10)));
        mailboxes.put(message(1, 9));
        assert_eq!(room(&rules), Some(Duration::from_mins(1)));
        mailboxes.put(message(2, 1));
        assert_eq!(room(&rules), None);
        let longer = Voicemail { minutes: 60, ..rules.clone() };
        assert_eq!(room(&longer), Some(Duration::from_mins(50)));
        mailboxes.put(message(3, 0));
        assert_eq!(room(&longer), None);
        mailboxes.forget(&message(1, 9));
        assert_eq!((mailboxes.counts(&ann()).new, room(&longer).is_some()), (2, true));
    }

    #[test]
    fn twenty_who_leave_messages_at_once_leave_no_more_than_there_is_room_for() {
        let mailboxes = Mailboxes::default();
        let leave = |rules: &Voicemail| -> Vec<Place> {
            (0..20).filter_map(|_| mailboxes.place(&ann(), rules, Duration::from_mins(3))).collect()
        };
        let few = Voicemail { messages: 7, minutes: 600, ..Voicemail::default() };
        assert_eq!(leave(&few).len(), 7);
        let short = Voicemail { messages: 100, minutes: 10, ..few.clone() };
        let places = leave(&short);
        let longest: Vec<u64> = places.iter().map(|place| place.longest().as_secs()).collect();
        assert_eq!(longest, [180, 180, 180, 60], "ten minutes together");
        drop(places);
        assert_eq!(leave(&few).len(), 7, "whoever says nothing gives his place back");
    }

    #[test]
    fn who_tries_pins_is_locked_out_of_every_mailbox_and_a_right_one_forgets_it() {
        let (mailboxes, office) = (Mailboxes::default(), OfficeId::new("main").unwrap());
        let (eve, bob) = ((office.clone(), "099".to_owned()), (office, "user 102".to_owned()));
        for _ in 0..2 {
            mailboxes.tried(at(10), Some(&ann()), &eve, false);
        }
        // The third at a mailbox that does not exist.
        mailboxes.tried(at(10), None, &eve, false);
        assert_eq!(mailboxes.locked_until(None, &eve), at(70));
        assert_eq!(mailboxes.locked_until(Some(&ann()), &bob), Time::ZERO, "two were wrong there");
        mailboxes.tried(at(11), Some(&ann()), &bob, false);
        assert_eq!(mailboxes.locked_until(Some(&ann()), &bob), at(71));
        mailboxes.tried(at(80), Some(&ann()), &bob, true);
        assert_eq!(mailboxes.locked_until(Some(&ann()), &bob), Time::ZERO);
    }

    #[test]
    fn so_many_callers_are_remembered_and_no_more() {
        let (mailboxes, office) = (Mailboxes::default(), OfficeId::new("main").unwrap());
        for n in 0..CALLERS_MAX + 10 {
            let now = at(u64::try_from(n).unwrap());
            mailboxes.tried(now, None, &(office.clone(), n.to_string()), false);
        }
        let shelf = mailboxes.shelf();
        assert_eq!(shelf.callers.len(), CALLERS_MAX);
        assert!(!shelf.callers.contains_key(&(office.clone(), "0".into())), "who tried longest ago is forgotten");
    }

    #[test]
    fn those_who_withhold_their_number_are_not_one_caller() {
        let (mailboxes, nobody) = (Mailboxes::default(), (OfficeId::new("main").unwrap(), String::new()));
        for second in 0..20 {
            mailboxes.tried(at(second), None, &nobody, false);
        }
        assert!(mailboxes.locked_until(None, &nobody) <= at(0));
        for second in 0..20 {
            mailboxes.tried(at(second), Some(&ann()), &nobody, false);
        }
        assert!(mailboxes.locked_until(Some(&ann()), &nobody) > at(20), "the mailbox counts for itself");
    }
}
