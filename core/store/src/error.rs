//! Why the store could not do something.

use crate::key::KeyError;
use crate::traits::Rev;

/// Why something could not be read, or the store not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or RocksDB said no.
    #[error("the store cannot {action}: {reason}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// What RocksDB said.
        reason: String,
    },
    /// The store is closed, or reopening after a fault.
    #[error("the store is closed: {reason}")]
    Closed {
        /// Why.
        reason: String,
    },
    /// A stored value cannot be read.
    #[error("{what} in the store cannot be read: {reason}; restore a backup or report this")]
    Corrupt {
        /// What it is.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A stored value was written by a version that this one cannot read.
    #[error("{what} has version {found}, this Plugboard reads {known}; use the version that wrote it")]
    Version {
        /// What it is.
        what: &'static str,
        /// Its version.
        found: u8,
        /// The version that is understood.
        known: u8,
    },
    /// Too large to be stored.
    #[error("{what} has {len} bytes, at most {max} can be stored")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// Not a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A cursor that this store did not give.
    #[error("not a cursor of this list; start again without one")]
    Cursor,
    /// A backup or restore could not be done.
    #[error("{what}: {reason}")]
    Backup {
        /// What was tried, with the folder.
        what: String,
        /// Why it did not work, and what to do.
        reason: String,
    },
}

impl StoreError {
    /// Whether it is of one value alone: others can be read all the same.
    pub const fn is_of_one_value(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Version { .. })
    }
}

/// Why a write was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Somebody else was first. Final: read again and decide.
    #[error("somebody else changed {key}: it is at {found:?}")]
    Conflict {
        /// Which key.
        key: String,
        /// Where it is now; `None` when it does not exist.
        found: Option<Rev>,
    },
    /// Nothing was written; try again later.
    #[error("the store cannot write now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// Written or not: read again, then decide.
    #[error("the store cannot tell whether it wrote: {reason}")]
    Unknown {
        /// Why.
        reason: String,
    },
    /// The write itself is wrong.
    #[error(transparent)]
    Refused(#[from] StoreError),
}

impl From<KeyError> for CommitError {
    fn from(fault: KeyError) -> Self {
        Self::Refused(fault.into())
    }
}
