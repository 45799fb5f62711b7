//! [`Kv`] and [`Cells`]: values under a revision. The written form is the revision (8 bytes) and the value.

use crate::engine::{Change, Engine, Family};
use crate::error::{CommitError, StoreError};
use crate::key::Key;
use crate::queue::Done;
use crate::store::Store;
use crate::traits::{Cells, Kv, Op, Pre, Rev, Versioned};
use crate::writer::Decide;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys of one page and writes of one batch: what the cluster's storage takes too.
pub(crate) const PAGE_MAX: usize = 1_000;
/// Bytes of one value; larger ones are blobs.
pub(crate) const VALUE_LEN_MAX: usize = 4 << 20;

impl Kv for Store {
    fn get(&self, key: &Key) -> Result<Option<Versioned>, StoreError> {
        read(self.engine(), key)
    }

    fn scan(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let (limit, mut page) = (limit.min(PAGE_MAX), Vec::new());
        // The smallest key after another one is that key and a zero byte.
        let from = after.map_or_else(|| prefix.bytes.clone(), |after| after.clone().with(&[0]).bytes);
        let from = from.max(prefix.bytes.clone());
        let mut fault = None;
        self.engine().scan(Family::of(prefix.space), &from, &prefix.end(), |key, value| {
            if page.len() >= limit {
                return ControlFlow::Break(());
            }
            match unpack(value) {
                Ok(found) => page.push((Key { space: prefix.space, bytes: key.to_vec() }, found)),
                Err(broken) => fault = Some(broken),
            }
            if fault.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        fault.map_or(Ok(page), Err)
    }

    fn commit(&self, ops: Vec<Op>) -> Result<Rev, CommitError> {
        let (bytes, decide, own) = decision(ops)?;
        self.decide(bytes, decide)?;
        Ok(own.get())
    }
}

impl Store {
    /// As [`Kv::commit`], without waiting: `done` is called after the sync, or with the reason why nothing was written.
    /// For the call path, which claims and frees cells.
    pub fn commit_then(&self, ops: Vec<Op>, done: Done) {
        match decision(ops) {
            Ok((bytes, decide, own)) => {
                self.submit_decision(bytes, decide, Box::new(move |result| done(result.map(|_| own.get()))));
            }
            Err(refusal) => done(Err(refusal.into())),
        }
    }
}

impl Cells for Store {
    fn read(&self, key: &Key) -> Result<Option<Versioned>, StoreError> {
        self.get(key)
    }

    fn swap(&self, key: Key, pre: Pre, value: Option<Vec<u8>>) -> Result<Rev, CommitError> {
        self.commit(vec![Op { key, pre, value }])
    }
}

/// A revision that the writer fills in: the one that a write got, while its group is reported under a later one.
#[derive(Clone)]
struct Own(Arc<Mutex<Rev>>);

impl Own {
    fn set(&self, rev: Rev) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rev;
    }

    fn get(&self) -> Rev {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a batch, what decides it, and where its revision will be.
fn decision(ops: Vec<Op>) -> Result<(usize, Decide, Own), StoreError> {
    if ops.len() > PAGE_MAX {
        return Err(StoreError::TooLarge { what: "a batch", len: ops.len(), max: PAGE_MAX });
    }
    let longest = ops.iter().filter_map(|op| op.value.as_ref()).map(Vec::len).max().unwrap_or(0);
    if longest > VALUE_LEN_MAX {
        return Err(StoreError::TooLarge { what: "a value", len: longest, max: VALUE_LEN_MAX });
    }
    let bytes = ops.iter().map(|op| op.key.bytes.len() + op.value.as_ref().map_or(0, Vec::len)).sum();
    let own = Own(Arc::new(Mutex::new(Rev(0))));
    let decided = own.clone();
    let decide: Decide = Box::new(move |engine, rev| {
        let changes = ops.into_iter().map(|op| change(engine, op, rev)).collect::<Result<_, _>>()?;
        decided.set(rev);
        Ok(changes)
    });
    Ok((bytes, decide, own))
}

/// What is at a key.
pub(crate) fn read(engine: &Engine, key: &Key) -> Result<Option<Versioned>, StoreError> {
    engine.get(Family::of(key.space), &key.bytes)?.map(|value| unpack(&value)).transpose()
}

/// The written form of a value at a revision.
pub(crate) fn pack(rev: Rev, value: &[u8]) -> Vec<u8> {
    [&rev.0.to_be_bytes(), value].concat()
}

/// One write of a batch, if what it asks is true.
fn change(engine: &Engine, op: Op, rev: Rev) -> Result<Change, CommitError> {
    let found = match op.pre {
        Pre::Any => None,
        Pre::Absent | Pre::At(_) => read(engine, &op.key)?.map(|found| found.rev),
    };
    let holds = match op.pre {
        Pre::Any => true,
        Pre::Absent => found.is_none(),
        Pre::At(wanted) => found == Some(wanted),
    };
    if !holds {
        return Err(CommitError::Conflict { key: op.key.to_string(), found });
    }
    Ok(match op.value {
        Some(value) => Change::put(op.key, pack(rev, &value)),
        None => Change::delete(op.key),
    })
}

fn unpack(value: &[u8]) -> Result<Versioned, StoreError> {
    match value.split_first_chunk() {
        Some((rev, value)) => Ok(Versioned { rev: Rev(u64::from_be_bytes(*rev)), value: value.to_vec() }),
        None => Err(StoreError::Corrupt { what: "a value", reason: "it is too short".into() }),
    }
}
