//! What is kept of recordings and voice messages beside their files.
//!
//! ```text
//! <office> 00 T <call 16> <n 4>    one of a call
//! ```

use crate::codec::Form;
use crate::engine::{Change, Engine, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{CallId, Mailbox, OfficeId, TapeEnd, TapeKind, TapeRecord, WallTime};
use std::collections::VecDeque;
use std::ops::ControlFlow;

const FORM: Form = Form::new("a recording", 2);
/// Before there were other numbers than the first two.
const FIRST_FORM: Form = Form::new("a recording", 1);

/// Reads what this version wrote, or an earlier one.
fn read(bytes: &[u8]) -> Result<TapeRecord, StoreError> {
    if bytes.first() != Some(&FIRST_FORM.version) {
        return FORM.decode(bytes);
    }
    let First { call, n, kind, began, caller, caller_name, called, file, end } = FIRST_FORM.decode(bytes)?;
    Ok(TapeRecord { call, n, kind, began, caller, caller_name, called, others: Vec::new(), file, end })
}

#[derive(serde::Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct First {
    call: CallId,
    n: u32,
    kind: TapeKind,
    began: WallTime,
    caller: String,
    caller_name: String,
    called: String,
    file: String,
    end: Option<TapeEnd>,
}

/// Recordings of all offices.
#[derive(Clone)]
pub struct Tapes {
    store: Store,
}

/// Which recordings to list. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TapeFilter {
    /// Began before.
    pub before: Option<WallTime>,
    /// A number of anybody who talked, whole; nobody's greeting is of a number.
    pub number: Option<String>,
    /// Voice messages and greetings of this mailbox.
    pub of: Option<Mailbox>,
    /// Voice messages and greetings alone.
    pub mailboxes: bool,
    /// Voice messages (true), or all the rest.
    pub messages: Option<bool>,
    /// They go on, or were going on when the switch ended.
    pub unfinished: bool,
}

impl TapeFilter {
    /// Whether a recording is one of these.
    pub fn takes(&self, tape: &TapeRecord) -> bool {
        let (of, message) = (tape.kind.mailbox(), matches!(tape.kind, TapeKind::Message { .. }));
        self.before.is_none_or(|before| tape.began < before)
            && self.number.as_ref().is_none_or(|number| {
                let mut numbers = [&tape.caller, &tape.called].into_iter().chain(&tape.others);
                !matches!(tape.kind, TapeKind::Greeting { .. }) && numbers.any(|known| known == number)
            })
            && self.of.as_ref().is_none_or(|mailbox| of == Some(mailbox))
            && (!self.mailboxes || of.is_some())
            && self.messages.is_none_or(|wanted| wanted == message)
            && (!self.unfinished || tape.end.is_none())
    }
}

impl Tapes {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps what is known of a recording in place of what was. Never waits.
    ///
    /// # Errors
    /// [`StoreError`]: a fault of the caller.
    pub fn put(&self, tape: &TapeRecord) -> Result<(), StoreError> {
        let change = Change::put(key(&tape.call, tape.n), FORM.encode(tape)?);
        self.store.submit(Class::Record, vec![change], None);
        Ok(())
    }

    /// Forgets a recording. Never waits.
    pub fn remove(&self, call: &CallId, n: u32) {
        self.store.submit(Class::Record, vec![Change::delete(key(call, n))], None);
    }

    /// One of a call. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, call: &CallId, n: u32) -> Result<Option<TapeRecord>, StoreError> {
        let found = self.store.engine().get(Family::Main, &key(call, n).bytes)?;
        found.map(|bytes| read(&bytes)).transpose()
    }

    /// All of a call, in their order. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of_call(&self, call: &CallId) -> Result<Vec<TapeRecord>, StoreError> {
        let space = Key::space(Scope::Office(&call.office), Space::Tapes).with(&call.ulid.to_be_bytes());
        let mut found = Vec::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |_, value| {
            found.extend(read(value));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// The newest `limit` of an office that the filter takes, newest first. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list(&self, office: &OfficeId, filter: &TapeFilter, limit: usize) -> Result<Vec<TapeRecord>, StoreError> {
        let space = Key::space(Scope::Office(office), Space::Tapes);
        let mut found = VecDeque::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |_, value| {
            if let Ok(tape) = read(value)
                && filter.takes(&tape)
            {
                if found.len() >= limit {
                    found.pop_front();
                }
                found.push_back(tape);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found.into_iter().rev().collect())
    }
}

/// Shows all of an office, oldest first. Waits for the disk.
pub(crate) fn each(engine: &Engine, office: &OfficeId, each: &mut dyn FnMut(TapeRecord)) -> Result<(), StoreError> {
    let space = Key::space(Scope::Office(office), Space::Tapes);
    engine.scan(Family::Main, &space.bytes, &space.end(), |_, value| {
        if let Ok(one) = read(value) {
            each(one);
        }
        ControlFlow::Continue(())
    })
}

fn key(call: &CallId, n: u32) -> Key {
    Key::space(Scope::Office(&call.office), Space::Tapes).with(&call.ulid.to_be_bytes()).with(&n.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;
    use plugboard_model::TapeBy;

    fn tape(at: i64, n: u32, caller: &str) -> TapeRecord {
        let office = OfficeId::new("main").unwrap();
        TapeRecord {
            call: CallId::new(office, WallTime(at), 5),
            n,
            kind: TapeKind::Recording { by: TapeBy::Policy },
            began: WallTime(at),
            caller: caller.into(),
            caller_name: String::new(),
            called: "102".into(),
            others: if n == 2 { vec!["+4930123".into()] } else { Vec::new() },
            file: format!("main/{at}-{n}.wav"),
            end: None,
        }
    }

    #[test]
    fn what_an_earlier_version_wrote_is_read() {
        let TapeRecord { call, n, kind, began, caller, caller_name, called, file, end, .. } = tape(1_000, 1, "101");
        let first = First { call, n, kind, began, caller, caller_name, called, file, end };
        assert_eq!(read(&FIRST_FORM.encode(&first).unwrap()).unwrap(), tape(1_000, 1, "101"));
    }

    #[test]
    fn recordings_are_found_by_call_number_and_age_newest_first() {
        let store = Store::start(Place::Memory, None).unwrap();
        let (tapes, office) = (store.tapes(), OfficeId::new("main").unwrap());
        for one in [tape(1_000, 1, "101"), tape(2_000, 1, "103"), tape(2_000, 2, "103"), tape(3_000, 1, "101")] {
            tapes.put(&one).unwrap();
        }
        store.sync().unwrap();
        let files = |filter: TapeFilter, limit: usize| {
            tapes.list(&office, &filter, limit).unwrap().into_iter().map(|tape| tape.file).collect::<Vec<_>>()
        };
        assert_eq!(files(TapeFilter::default(), 2), ["main/3000-1.wav", "main/2000-2.wav"]);
        let of_101 = TapeFilter { number: Some("101".into()), ..TapeFilter::default() };
        assert_eq!(files(of_101, 9), ["main/3000-1.wav", "main/1000-1.wav"]);
        let handed_on = TapeFilter { number: Some("+4930123".into()), ..TapeFilter::default() };
        assert_eq!(files(handed_on, 9), ["main/2000-2.wav"]);
        let old = TapeFilter { before: Some(WallTime(2_000)), ..TapeFilter::default() };
        assert_eq!(files(old, 9), ["main/1000-1.wav"]);
        let call = tape(2_000, 1, "").call;
        assert_eq!(tapes.of_call(&call).unwrap().len(), 2);
        tapes.remove(&call, 1);
        store.sync().unwrap();
        assert_eq!(tapes.of_call(&call).unwrap(), [tape(2_000, 2, "103")]);
        assert_eq!(tapes.get(&call, 1).unwrap(), None);
    }
}
