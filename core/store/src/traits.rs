//! The traits that the rest of the switch could know storage by, whatever is behind them.
//!
//! All of them are synchronous: reads run on the caller's thread, writes wait for the writer thread and the sync. Call
//! them from threads that may wait; the call path uses [`Store`](crate::Store)'s queue instead.

use crate::error::{CommitError, StoreError};
use crate::key::{Key, Scope};
use std::fmt;

/// Where a key is: grows with each write of the store and is never given twice, not even after a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rev(pub u64);

/// A value and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// Where it is.
    pub rev: Rev,
    /// What it is.
    pub value: Vec<u8>,
}

/// What must be true of a key for its write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pre {
    /// It does not exist.
    Absent,
    /// It is there.
    At(Rev),
    /// Nothing.
    Any,
}

/// One write of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The key.
    pub key: Key,
    /// What must be true.
    pub pre: Pre,
    /// The new value; `None` deletes.
    pub value: Option<Vec<u8>>,
}

impl Op {
    /// Writes whatever was there.
    pub fn put(key: Key, value: Vec<u8>) -> Self {
        Self { key, pre: Pre::Any, value: Some(value) }
    }

    /// Deletes whatever was there.
    pub fn delete(key: Key) -> Self {
        Self { key, pre: Pre::Any, value: None }
    }

    /// ... only if this is true.
    pub fn when(mut self, pre: Pre) -> Self {
        self.pre = pre;
        self
    }
}

/// Keys and values: settings, grants, indexes.
pub trait Kv {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn get(&self, key: &Key) -> Result<Option<Versioned>, StoreError>;

    /// Keys under `prefix` in the order of their bytes, after `after`, at most `limit` (and at most 1,000).
    ///
    /// # Errors
    /// [`StoreError`].
    fn scan(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError>;

    /// Writes all of `ops` or none, and syncs. At most 1,000.
    ///
    /// # Errors
    /// [`CommitError`]; nothing was written, [`CommitError::Unknown`] apart.
    fn commit(&self, ops: Vec<Op>) -> Result<Rev, CommitError>;
}

/// Single values under compare-and-set: claims, presence.
pub trait Cells {
    /// What is in the cell.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(&self, key: &Key) -> Result<Option<Versioned>, StoreError>;

    /// Writes `value` (`None` empties) if `pre` is true, and syncs.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] says what is there.
    fn swap(&self, key: Key, pre: Pre, value: Option<Vec<u8>>) -> Result<Rev, CommitError>;
}

/// The place of an entry in its stream; counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// Streams of entries in order.
pub trait Log {
    /// Appends and syncs. An `id` that the stream has seen (since it was trimmed) changes nothing and gives the first
    /// one's place, so that a repeat after [`CommitError::Unknown`] is safe.
    ///
    /// # Errors
    /// [`CommitError`].
    fn append(&self, stream: &Key, id: &str, entry: Vec<u8>) -> Result<Seq, CommitError>;

    /// Entries after `after`, oldest first, at most `limit` (and at most 1,000).
    ///
    /// # Errors
    /// [`StoreError`].
    fn entries(&self, stream: &Key, after: Option<Seq>, limit: usize) -> Result<Vec<(Seq, Vec<u8>)>, StoreError>;

    /// Forgets entries up to and with `up_to`, and their ids. Places are not given again.
    ///
    /// # Errors
    /// [`CommitError`].
    fn trim(&self, stream: &Key, up_to: Seq) -> Result<(), CommitError>;
}

/// A blob's name: the SHA-256 of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 32]);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Large values under their own hash: plugin components.
pub trait Blobs {
    /// Keeps `bytes` (at most 64 MiB) and syncs. Keeping the same twice changes nothing.
    ///
    /// # Errors
    /// [`CommitError`].
    fn put_blob(&self, scope: Scope<'_>, bytes: &[u8]) -> Result<BlobId, CommitError>;

    /// The bytes, checked against their hash.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they are not what was kept.
    fn blob(&self, scope: Scope<'_>, id: BlobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Which blobs there are, with their sizes; at most 1,000 after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn blobs(&self, scope: Scope<'_>, after: Option<BlobId>) -> Result<Vec<(BlobId, u64)>, StoreError>;

    /// Forgets a blob.
    ///
    /// # Errors
    /// [`CommitError`].
    fn remove_blob(&self, scope: Scope<'_>, id: BlobId) -> Result<(), CommitError>;
}
