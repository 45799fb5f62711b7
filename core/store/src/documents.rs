//! Office documents with their versions: what the office is, its scenarios, its routes; who changed them, when and why.
//!
//! ```text
//! <office> 00 d <name> 00                newest version (8), then the document
//! <office> 00 D <name> 00 00 <version 8> one version
//! ```

use crate::codec::Form;
use crate::engine::{Change as Write, Engine, Family};
use crate::error::{CommitError, StoreError};
use crate::key::{Key, KeyError, Scope, Space};
use crate::kv::{PAGE_MAX, VALUE_LEN_MAX};
use crate::store::Store;
use plugboard_model::{OfficeId, WallTime};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

const FORM: Form = Form::new("a document", 1);

/// Who changed a document, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// A user, or the command that did it.
    pub who: String,
    /// When.
    pub at: WallTime,
    /// In their words; may be empty.
    pub why: String,
}

/// One version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Counts from 1.
    pub version: u64,
    /// Where it came from.
    pub change: Change,
    /// The text, or nothing for a version that deletes.
    pub body: Option<Vec<u8>>,
}

/// What is told of a version without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Counts from 1.
    pub version: u64,
    /// Where it came from.
    pub change: Change,
}

/// Documents of all offices. All methods wait for the disk.
#[derive(Clone)]
pub struct Documents {
    store: Store,
}

impl Documents {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Writes a new version and syncs; `None` deletes (the versions stay). With `expected` only if that is the newest
    /// version (0: none yet).
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when another version is the newest; [`CommitError`].
    pub fn put(
        &self,
        office: &OfficeId,
        name: &str,
        body: Option<Vec<u8>>,
        change: Change,
        expected: Option<u64>,
    ) -> Result<u64, CommitError> {
        let bytes = body.as_ref().map_or(0, Vec::len) + change.why.len() + change.who.len();
        if bytes > VALUE_LEN_MAX {
            return Err(StoreError::TooLarge { what: "a document", len: bytes, max: VALUE_LEN_MAX }.into());
        }
        let head = Key::new(Scope::Office(office), Space::Documents, &[name])?;
        let versions = versions_key(office, name)?;
        let own = Arc::new(Mutex::new(0));
        let decided = Arc::clone(&own);
        let decide = move |engine: &Engine, _| {
            let newest = read(engine, &head)?.map_or(0, |newest| newest.version);
            if expected.is_some_and(|expected| expected != newest) {
                let found = (newest > 0).then_some(crate::traits::Rev(newest));
                return Err(CommitError::Conflict { key: head.to_string(), found });
            }
            let document = Document { version: newest + 1, change, body };
            *decided.lock().unwrap_or_else(PoisonError::into_inner) = document.version;
            let value = FORM.encode(&document)?;
            let version = versions.with(&document.version.to_be_bytes());
            Ok(vec![Write::put(head, value.clone()), Write::put(version, value)])
        };
        self.store.decide(bytes, Box::new(decide))?;
        Ok(*own.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest version; `None` when there is none, or it was deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, office: &OfficeId, name: &str) -> Result<Option<Document>, StoreError> {
        let head = Key::new(Scope::Office(office), Space::Documents, &[name])?;
        Ok(read(self.store.engine(), &head)?.filter(|document| document.body.is_some()))
    }

    /// One version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn version(&self, office: &OfficeId, name: &str, version: u64) -> Result<Option<Document>, StoreError> {
        read(self.store.engine(), &versions_key(office, name)?.with(&version.to_be_bytes()))
    }

    /// Versions below `before`, newest first, at most `limit` (and at most 1,000). No two of their bodies are in memory at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history(
        &self,
        office: &OfficeId,
        name: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        let newest = Key::new(Scope::Office(office), Space::Documents, &[name])?;
        let newest = read(self.store.engine(), &newest)?.map_or(0, |newest| newest.version);
        let end = before.unwrap_or(u64::MAX).min(newest.saturating_add(1));
        let start = end.saturating_sub(u64::try_from(limit.min(PAGE_MAX)).unwrap_or(u64::MAX)).max(1);
        let mut versions = Vec::new();
        for version in (start..end).rev() {
            let found = self.version(office, name, version)?;
            versions.extend(found.map(|Document { version, change, .. }| Version { version, change }));
        }
        Ok(versions)
    }

    /// The offices that have a document of this name, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn offices(&self, name: &str) -> Result<Vec<OfficeId>, StoreError> {
        /// Behind the last key of every office: their names are of `-`, digits and letters.
        const END: [u8; 1] = [u8::MAX];
        let (mut offices, mut from) = (Vec::new(), vec![b'-']);
        loop {
            let mut next = None;
            self.store.engine().scan(Family::Main, &from, &END, |row, _| {
                next = row.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
                ControlFlow::Break(())
            })?;
            let Some(mut scope) = next else { return Ok(offices) };
            let office = std::str::from_utf8(&scope).ok().and_then(|text| OfficeId::new(text).ok());
            if let Some(office) = office
                && self.get(&office, name)?.is_some()
            {
                offices.push(office);
            }
            // A zero ends the office's name in its keys, so this is behind them all.
            scope.push(1);
            from = scope;
        }
    }

    /// Names of the documents that an office has, after `after`, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn names(&self, office: &OfficeId, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        let space = Key::space(Scope::Office(office), Space::Documents);
        let from = match after {
            Some(after) => Key::new(Scope::Office(office), Space::Documents, &[after])?.with(&[0]),
            None => space.clone(),
        };
        let (mut names, mut fault) = (Vec::new(), None);
        self.store.engine().scan(Family::Main, &from.bytes, &space.end(), |row, value| {
            match FORM.decode::<Document>(value) {
                Ok(Document { body: Some(_), .. }) => {
                    names.extend(Key { space: Space::Documents, bytes: row.to_vec() }.parts().into_iter().next());
                }
                Ok(Document { body: None, .. }) => {}
                Err(broken) => fault = Some(broken),
            }
            if names.len() >= PAGE_MAX || fault.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        fault.map_or(Ok(names), Err)
    }
}

fn versions_key(office: &OfficeId, name: &str) -> Result<Key, KeyError> {
    Ok(Key::new(Scope::Office(office), Space::DocumentVersions, &[name])?.with(&[0]))
}

fn read(engine: &Engine, key: &Key) -> Result<Option<Document>, StoreError> {
    let value = engine.get(Family::of(key.space), &key.bytes)?;
    value.map(|value| FORM.decode(&value)).transpose()
}
