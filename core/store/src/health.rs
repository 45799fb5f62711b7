//! How the store is, and who is told.

use std::time::Duration;

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StoreHealth {
    /// It writes.
    #[default]
    Ok,
    /// It does not, or not fast enough. Calls go on; it goes on trying.
    Degraded {
        /// What the disk said.
        reason: String,
        /// Journal and trace lines lost since the start.
        lost_journal: u64,
        /// Records and other durable writes lost since the start.
        lost_records: u64,
    },
}

impl StoreHealth {
    /// Why it is degraded.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::Degraded { reason, .. } => Some(reason),
        }
    }
}

/// Who is told what the store does. Called on the writer's thread: must not wait.
pub trait StoreObserver: Send + Sync {
    /// A group of `writes` was synced, `took` after its first write.
    fn committed(&self, took: Duration, writes: usize);
    /// So many journal lines and records were lost since the last such call.
    fn lost(&self, journal: u64, records: u64);
    /// The store became degraded, for another reason, or well again. Counts that only grow are told by `lost`.
    fn health(&self, health: &StoreHealth);
    /// So many writes waited when the writer looked.
    fn queued(&self, jobs: usize);
}
