//! What is kept of calls: journals while they run, a record when they end.
//!
//! ```text
//! <office> 00 j <call 16> <first entry 4>          some journal entries
//! <office> 00 o <call 16>                          a call that has a journal and no record yet
//! <office> 00 R <call 16>                          its record
//! <office> 00 t           <newest 8> <call 16>     records by time, newest first
//! <office> 00 u <user> 00 <newest 8> <call 16>     ... of a user
//! <office> 00 n <text> 00 <newest 8> <call 16>     ... of a number
//! ```

use crate::codec::Form;
use crate::earlier::{self, RECORD_FORM};
use crate::engine::{Change, Engine, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::{Class, Done};
use crate::sip_trace::{self, SipTrace, SipTraceEntry};
use crate::store::Store;
use plugboard_model::{CallId, CallRecord, JOURNAL_SCHEMA, JournalEntry, OfficeId, UserId, WallTime};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Entries of one journal that a reader gets: a call of a day with a menu that repeats.
const JOURNAL_READ_MAX: usize = 100_000;
/// Records of one page.
const PAGE_MAX: usize = 1_000;
/// Rows that one page looks at; a rare filter then gets a short page and a cursor.
const ROWS_MAX: usize = 20_000;
/// Rows that are read from an index in one go.
const ROWS_AT_ONCE: usize = 128;
/// Unfinished calls that a start reports: more than a switch can hold at once.
const UNFINISHED_MAX: usize = 100_000;
/// Bytes of a number in the index; longer ones are cut and the record is checked anyway.
const NUMBER_LEN_MAX: usize = 64;
/// Records whose indexes are written in one batch when they are rebuilt.
const REBUILD_BATCH: usize = 1_000;

const JOURNAL_FORM: Form = Form::new("a journal entry", {
    assert!(JOURNAL_SCHEMA < 256, "the version byte of a journal is its schema");
    JOURNAL_SCHEMA.to_le_bytes()[0]
});

/// Calls of all offices.
#[derive(Clone)]
pub struct CallStore {
    store: Store,
}

/// A call's journal as far as it was kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Journal {
    /// In the order of their numbers.
    pub entries: Vec<JournalEntry>,
    /// Entries are missing: lost under pressure, or past what a reader gets.
    pub gaps: bool,
}

/// Which records to list. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordFilter {
    /// Began at or after.
    pub from: Option<WallTime>,
    /// Began before.
    pub to: Option<WallTime>,
    /// Called, answered or rung.
    pub user: Option<UserId>,
    /// The caller's or the called number, whole.
    pub number: Option<String>,
}

/// Where a list goes on. Its text is opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordCursor {
    newest: u64,
    ulid: u128,
}

/// Some records, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The records; may be fewer than asked for although there are more.
    pub records: Vec<CallRecord>,
    /// Where to go on; `None` at the end.
    pub next: Option<RecordCursor>,
    /// Records on the way that cannot be read: damaged, or written by another version.
    pub unreadable: usize,
}

impl CallStore {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Appends entries to a call's journal. Never waits; under pressure they are dropped and counted.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be written at all: a fault of the caller.
    pub fn append_journal(&self, call: &CallId, entries: &[JournalEntry]) -> Result<(), StoreError> {
        self.append_journal_then(call, entries, None)
    }

    /// As [`CallStore::append_journal`]; `done` is called when a kill of the switch no longer loses them.
    ///
    /// # Errors
    /// As [`CallStore::append_journal`].
    pub fn append_journal_then(
        &self,
        call: &CallId,
        entries: &[JournalEntry],
        done: Option<Done>,
    ) -> Result<(), StoreError> {
        let Some(first) = entries.first() else { return Ok(()) };
        let key = call_key(call, Space::Journals).with(&first.seq.to_be_bytes());
        let mut changes = vec![Change::put(key, JOURNAL_FORM.encode(entries)?)];
        if first.seq == 0 {
            changes.push(Change::put(call_key(call, Space::OpenCalls), Vec::new()));
        }
        let lines = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        self.store.submit(Class::Journal { lines }, changes, done);
        Ok(())
    }

    /// Keeps a finished call's record and closes its journal. Never waits; `done` is called after the sync.
    ///
    /// # Errors
    /// As [`CallStore::append_journal`].
    pub fn put_record(&self, record: &CallRecord, done: Option<Done>) -> Result<(), StoreError> {
        let mut changes = vec![
            Change::put(call_key(&record.id, Space::Records), RECORD_FORM.encode(record)?),
            Change::delete(call_key(&record.id, Space::OpenCalls)),
        ];
        changes.extend(index_keys(record).into_iter().map(|key| Change::put(key, Vec::new())));
        self.store.submit(Class::Record, changes, done);
        Ok(())
    }

    /// A call's record. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn record(&self, call: &CallId) -> Result<Option<CallRecord>, StoreError> {
        read_record(self.store.engine(), call)
    }

    /// Records of an office, newest first; at most `limit` and at most 1,000. Those that cannot be read are counted and
    /// hide no other. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn records(
        &self,
        office: &OfficeId,
        filter: &RecordFilter,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<RecordPage, StoreError> {
        let (limit, engine) = (limit.clamp(1, PAGE_MAX), self.store.engine());
        if filter.user.as_ref().is_some_and(|user| user.office != *office) {
            return Ok(RecordPage { records: Vec::new(), next: None, unreadable: 0 });
        }
        let prefix = filter.index(office);
        let newest = filter.to.map_or(0, |to| newest(WallTime(to.0.saturating_sub(1))));
        let from = prefix.clone().with(&newest.to_be_bytes()).bytes;
        // The smallest key after a row is that row and a zero byte.
        let from = after.map_or(from.clone(), |after| from.max(prefix.clone().with(&after.bytes()).with(&[0]).bytes));
        let to = match filter.from {
            Some(from) => prefix.clone().with(&self::newest(from).saturating_add(1).to_be_bytes()).bytes,
            None => prefix.end(),
        };
        let mut page = RecordPage { records: Vec::new(), next: None, unreadable: 0 };
        let (mut from, mut seen) = (from, 0);
        while from < to {
            let rows = index_rows(engine, &from, &to)?;
            let last = rows.len() < ROWS_AT_ONCE;
            seen += rows.len();
            for row in rows {
                if page.records.len() >= limit {
                    return Ok(page);
                }
                let call = CallId { office: office.clone(), ulid: row.ulid };
                match read_record(engine, &call) {
                    Ok(record) => page.records.extend(record.filter(|record| filter.holds(record))),
                    Err(error) if error.is_of_one_value() => page.unreadable += 1,
                    Err(error) => return Err(error),
                }
                page.next = Some(row);
                from = prefix.clone().with(&row.bytes()).with(&[0]).bytes;
            }
            if last {
                page.next = None;
                break;
            }
            if seen >= ROWS_MAX {
                break;
            }
        }
        Ok(page)
    }

    /// A call's journal. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError::Version`] for entries of another schema; [`StoreError`].
    pub fn journal(&self, call: &CallId) -> Result<Journal, StoreError> {
        let prefix = call_key(call, Space::Journals);
        let (mut journal, mut fault) = (Journal::default(), None);
        self.store.engine().scan(Family::Journal, &prefix.bytes, &prefix.end(), |_, value| {
            match JOURNAL_FORM.decode::<Vec<JournalEntry>>(value) {
                Ok(entries) => journal.entries.extend(entries),
                Err(broken) => fault = Some(broken),
            }
            let full = journal.entries.len() >= JOURNAL_READ_MAX;
            if full || fault.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        journal.gaps = journal.entries.len() >= JOURNAL_READ_MAX
            || journal.entries.iter().zip(0..).any(|(entry, seq)| entry.seq != seq);
        fault.map_or(Ok(journal), Err)
    }

    /// Calls that a crash cut short: they have a journal and no record. For the start, before new calls come: the switch
    /// writes a record for each. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unfinished_calls(&self) -> Result<Vec<CallId>, StoreError> {
        let (engine, mut calls) = (self.store.engine(), Vec::new());
        for office in offices(engine)? {
            let open = open_calls(engine, &office)?;
            calls.extend(open.into_iter().map(|ulid| CallId { office: office.clone(), ulid }));
        }
        calls.truncate(UNFINISHED_MAX);
        Ok(calls)
    }

    /// The writer of a call's SIP trace; keep it as long as the call runs.
    pub fn sip_trace(&self, call: &CallId) -> SipTrace {
        SipTrace::new(self.store.clone(), call_key(call, Space::SipTraces))
    }

    /// A call's SIP messages in their order. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sip_messages(&self, call: &CallId) -> Result<Vec<SipTraceEntry>, StoreError> {
        sip_trace::read(self.store.engine(), &call_key(call, Space::SipTraces))
    }

    /// Every office that something is kept of, also those that are configured no more. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn offices(&self) -> Result<Vec<OfficeId>, StoreError> {
        offices(self.store.engine())
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }
}

impl RecordFilter {
    /// The narrowest index for this filter.
    fn index(&self, office: &OfficeId) -> Key {
        let scope = Scope::Office(office);
        match (&self.user, &self.number) {
            (Some(user), _) => user_index(user),
            (None, Some(number)) => Key::space(scope, Space::RecordsByNumber).with(&number_bytes(number)),
            (None, None) => Key::space(scope, Space::RecordsByTime),
        }
    }

    fn holds(&self, record: &CallRecord) -> bool {
        self.from.is_none_or(|from| record.began >= from)
            && self.to.is_none_or(|to| record.began < to)
            && self.user.as_ref().is_none_or(|user| users(record).contains(user))
            && self.number.as_ref().is_none_or(|number| record.caller == *number || record.called == *number)
    }
}

impl RecordCursor {
    /// The text that [`RecordCursor::parse`] reads.
    pub fn text(self) -> String {
        format!("{:016x}{:032x}", self.newest, self.ulid)
    }

    /// Reads a cursor's text.
    ///
    /// # Errors
    /// [`StoreError::Cursor`].
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let (newest, ulid) = text.split_at_checked(16).ok_or(StoreError::Cursor)?;
        if text.len() != 48 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(StoreError::Cursor);
        }
        let newest = u64::from_str_radix(newest, 16).map_err(|_| StoreError::Cursor)?;
        let ulid = u128::from_str_radix(ulid, 16).map_err(|_| StoreError::Cursor)?;
        Ok(Self { newest, ulid })
    }

    fn of(key: &[u8]) -> Option<Self> {
        let (rest, ulid) = key.split_last_chunk()?;
        Some(Self { newest: u64::from_be_bytes(*rest.last_chunk()?), ulid: u128::from_be_bytes(*ulid) })
    }

    fn bytes(self) -> Vec<u8> {
        [self.newest.to_be_bytes().as_slice(), &self.ulid.to_be_bytes()].concat()
    }
}

/// Writes the index rows of every record.
pub(crate) fn rebuild_indexes(engine: &Engine) -> Result<(), StoreError> {
    for office in offices(engine)? {
        let space = Key::space(Scope::Office(&office), Space::Records);
        let mut from = space.bytes.clone();
        loop {
            let (mut batch, mut fault, mut count, mut next) = (Vec::new(), None, 0, Vec::new());
            engine.scan(Family::Main, &from, &space.end(), |key, value| {
                match earlier::read(value) {
                    Ok(record) => {
                        batch.extend(index_keys(&record).into_iter().map(|key| Change::put(key, Vec::new())));
                    }
                    Err(broken) => fault = Some(broken),
                }
                next = [key, &[0]].concat();
                count += 1;
                if count >= REBUILD_BATCH || fault.is_some() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            if let Some(fault) = fault {
                return Err(fault);
            }
            engine.write(&batch)?;
            if count < REBUILD_BATCH {
                break;
            }
            from = next;
        }
    }
    Ok(())
}

/// Every office that has a key, by leaping from one to the next.
pub(crate) fn offices(engine: &Engine) -> Result<Vec<OfficeId>, StoreError> {
    // Offices' names begin above this; what begins with it is the switch's own.
    let (mut offices, mut from) = (Vec::new(), vec![1]);
    loop {
        let mut name = None;
        engine.scan(Family::Main, &from, &[u8::MAX], |key, _| {
            name = key.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
            ControlFlow::Break(())
        })?;
        let Some(name) = name else { return Ok(offices) };
        from = [name.as_slice(), &[1]].concat();
        let office = std::str::from_utf8(&name).ok().and_then(|name| OfficeId::new(name).ok());
        offices.push(office.ok_or_else(|| StoreError::Corrupt {
            what: "a key",
            reason: format!("{:?} is no office", String::from_utf8_lossy(&name)),
        })?);
    }
}

/// The numbers of the calls of an office that have a journal and no record, oldest first.
pub(crate) fn open_calls(engine: &Engine, office: &OfficeId) -> Result<Vec<u128>, StoreError> {
    let (prefix, mut open) = (Key::space(Scope::Office(office), Space::OpenCalls), Vec::new());
    engine.scan(Family::Main, &prefix.bytes, &prefix.end(), |key, _| {
        open.extend(key.last_chunk().map(|ulid| u128::from_be_bytes(*ulid)));
        if open.len() >= UNFINISHED_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(open)
}

/// Some rows of an index.
fn index_rows(engine: &Engine, from: &[u8], to: &[u8]) -> Result<Vec<RecordCursor>, StoreError> {
    let mut rows = Vec::new();
    engine.scan(Family::Main, from, to, |key, _| {
        rows.extend(RecordCursor::of(key));
        if rows.len() >= ROWS_AT_ONCE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(rows)
}

pub(crate) fn call_key(call: &CallId, space: Space) -> Key {
    Key::space(Scope::Office(&call.office), space).with(&call.ulid.to_be_bytes())
}

fn read_record(engine: &Engine, call: &CallId) -> Result<Option<CallRecord>, StoreError> {
    let value = engine.get(Family::Main, &call_key(call, Space::Records).bytes)?;
    value.map(|value| earlier::read(&value)).transpose()
}

/// Where a record can be found besides its id.
pub(crate) fn index_keys(record: &CallRecord) -> Vec<Key> {
    let scope = Scope::Office(&record.id.office);
    let row = RecordCursor { newest: newest(record.began), ulid: record.id.ulid }.bytes();
    let mut keys = vec![Key::space(scope, Space::RecordsByTime).with(&row)];
    keys.extend(users(record).iter().map(|user| user_index(user).with(&row)));
    let numbers = BTreeSet::from([record.caller.as_str(), record.called.as_str()]);
    let by_number = |number: &str| Key::space(scope, Space::RecordsByNumber).with(&number_bytes(number)).with(&row);
    keys.extend(numbers.into_iter().filter(|number| !number.is_empty()).map(by_number));
    keys
}

/// Everybody of the office who had part in the call.
fn users(record: &CallRecord) -> BTreeSet<&UserId> {
    let legs = record.legs.iter().filter_map(|leg| leg.user.as_ref());
    let all = legs.chain(&record.caller_user).chain(&record.answered_by);
    all.filter(|user| user.office == record.id.office).collect()
}

fn user_index(user: &UserId) -> Key {
    Key::space(Scope::Office(&user.office), Space::RecordsByUser).with(user.name.as_str().as_bytes()).with(&[0])
}

/// A number in a key: cut, without zeros, and ended by one.
fn number_bytes(number: &str) -> Vec<u8> {
    number.bytes().filter(|byte| *byte != 0).take(NUMBER_LEN_MAX).chain([0]).collect()
}

/// A time that sorts the newest first.
fn newest(time: WallTime) -> u64 {
    u64::MAX - u64::try_from(time.0).unwrap_or(0)
}
