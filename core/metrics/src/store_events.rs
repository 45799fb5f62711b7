//! Events of the store.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::sip_events::whole;
use plugboard_model::OfficeId;
use std::time::Duration;

/// A group of writes was synced.
#[derive(Debug, Clone, Copy)]
pub struct StoreCommitted {
    /// From the group's first write to its sync.
    pub took: Duration,
    /// Writes in the group.
    pub writes: usize,
}

impl StoreCommitted {
    /// Writes the line at trace level and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.store_commit.observe(self.took.as_secs_f64());
        tracing::trace!(writes = self.writes, took = ?self.took, "store synced");
    }
}

/// Writes that wait now.
#[derive(Debug, Clone, Copy)]
pub struct StoreQueued(pub usize);

impl StoreQueued {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.store_queue.set(whole(self.0));
        tracing::trace!(count = self.0, "store queue");
    }
}

/// Writes were lost: the queue was full or the disk took nothing.
#[derive(Debug, Clone, Copy)]
pub struct StoreLost {
    /// Journal and trace lines, since the last such event.
    pub journal: u64,
    /// Records and other durable writes, since the last such event.
    pub records: u64,
    /// What the line says: journal and trace lines, and durable writes, since the last line. None: there is no line now, since
    /// a full disk would fill the log as well.
    pub told: Option<(u64, u64)>,
}

impl StoreLost {
    /// Counts, and writes the line if there is one.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.store_lost_journal.inc_by(self.journal);
        metrics.families.store_lost_records.inc_by(self.records);
        if let Some((journal_lines, records)) = self.told {
            tracing::error!(journal_lines, records, "the store lost writes");
        }
    }
}

/// The store cannot write; it goes on trying.
#[derive(Debug, Clone, Copy)]
pub struct StoreDegraded<'a> {
    /// What the disk said.
    pub reason: &'a str,
}

impl StoreDegraded<'_> {
    /// Writes the line and sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.store_degraded.set(1);
        tracing::error!(reason = self.reason, "the store cannot write: calls go on, their journal is lost");
    }
}

/// The store writes again.
#[derive(Debug, Clone, Copy)]
pub struct StoreRecovered;

impl StoreRecovered {
    /// Writes the line and clears the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.store_degraded.set(0);
        tracing::warn!("the store writes again");
    }
}

label!(
    /// What is kept of a call for its own time.
    KeptKind {
        /// Its record.
        Record = "record",
        /// Its journal.
        Journal = "journal",
        /// Its SIP messages.
        SipTrace = "sip_trace",
    }
);

/// What was old was forgotten: a round's sum for one office.
#[derive(Debug, Clone, Copy)]
pub struct StoreTrimmed<'a> {
    /// Whose.
    pub office: &'a OfficeId,
    /// What.
    pub kind: KeptKind,
    /// Of so many calls.
    pub calls: usize,
}

impl StoreTrimmed<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.store_trimmed.inc_by(self.kind, u64::try_from(self.calls).unwrap_or(u64::MAX));
        let (office, kind) = (self.office, self.kind.as_str());
        tracing::info!(%office, kind, calls = self.calls, "what was kept long enough was removed");
    }
}

/// Records that are old enough to be forgotten and cannot be read: they stay. A round's sum of all offices.
#[derive(Debug, Clone, Copy)]
pub struct StoreUnreadable(pub usize);

impl StoreUnreadable {
    /// Sets the gauge, and writes a line when there are some.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.store_unreadable.set(i64::try_from(self.0).unwrap_or(i64::MAX));
        if self.0 > 0 {
            tracing::warn!(
                records = self.0,
                "records that are old enough to be removed cannot be read and stay: they are damaged, or another version \
                 wrote them"
            );
        }
    }
}
