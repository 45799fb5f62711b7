//! Events of databases: what actions asked of them.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::lines::if_any;
use plugboard_model::{CallId, Time};
use std::time::Duration;

label!(
    /// What became of a question to a database.
    DatabaseOutcome {
        /// It answered.
        Done = "done",
        /// It did not answer in time.
        TimeOver = "time_over",
        /// It could not be reached, or was left alone after failures.
        Unreachable = "unreachable",
        /// The connection broke.
        Broken = "broken",
        /// The office has no such database or query, or it was asked wrongly.
        Denied = "denied",
        /// It had its questions already.
        Busy = "busy",
        /// It refused the query.
        Refused = "refused",
        /// The answer had too many rows, was too long, or could not be shown.
        Unfit = "unfit",
        /// Nobody knows whether it changed what it was to change.
        Unknown = "unknown",
    }
);

/// A database was asked for a call.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseAsked<'a> {
    /// For which call.
    pub call: &'a CallId,
    /// The database.
    pub database: &'a str,
    /// The query.
    pub query: &'a str,
    /// What became of it.
    pub outcome: DatabaseOutcome,
    /// Why there is no answer, without secrets; empty where there is one.
    pub reason: &'a str,
    /// From the question to the answer.
    pub took: Duration,
    /// When: the switch's clock.
    pub at: Time,
}

impl DatabaseAsked<'_> {
    /// Counts, and writes a line of what failed unless there were too many in this minute: a database that is down fails for
    /// each call.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.database_questions.inc(self.outcome);
        metrics.families.database_seconds.observe(self.took.as_secs_f64());
        let Self { call, database, query, outcome, reason, took, at } = self;
        let (call, outcome, ms) = (tracing::field::display(call), outcome.as_str(), took.as_millis());
        if self.outcome == DatabaseOutcome::Done {
            return tracing::debug!(call_id = call, database, query, outcome, ms, "database");
        }
        let Some(left_out) = metrics.families.database_lines.one_more(self.outcome, *at) else { return };
        let left_out = if_any(left_out);
        tracing::warn!(call_id = call, database, query, outcome, reason, ms, left_out, "a database did not answer");
    }
}
