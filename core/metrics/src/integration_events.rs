//! Events of systems beside the telephone.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::lines::if_any;
use plugboard_model::{Name, OfficeId, Time};
use std::time::Duration;

label!(
    /// What became of a call of an integration's export.
    IntegrationOutcome {
        /// It answered.
        Answered = "answered",
        /// It said that it does not know, trapped, or passed a limit.
        Failed = "failed",
        /// It did not answer in its time.
        TimeOver = "time_over",
        /// It is not installed, or there was no place for it.
        NotStarted = "not_started",
    }
);

/// An export of an integration was called.
#[derive(Debug, Clone, Copy)]
pub struct IntegrationAnswered<'a> {
    /// For which office.
    pub office: &'a OfficeId,
    /// Which of its integrations.
    pub integration: &'a Name,
    /// What became of it.
    pub outcome: IntegrationOutcome,
    /// Why there is no answer; empty where there is one.
    pub reason: &'a str,
    /// From the question to the answer.
    pub took: Duration,
    /// When: the switch's clock.
    pub at: Time,
}

impl IntegrationAnswered<'_> {
    /// Counts, and writes a line of what failed unless there were too many in this minute.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.integration_calls.inc(self.outcome);
        let Self { office, integration, outcome, reason, took, at } = self;
        let (outcome, ms) = (outcome.as_str(), took.as_millis());
        if self.outcome == IntegrationOutcome::Answered {
            return tracing::debug!(%office, %integration, outcome, ms, "integration");
        }
        let Some(left_out) = metrics.families.integration_lines.one_more(self.outcome, *at) else { return };
        let left_out = if_any(left_out);
        tracing::warn!(%office, %integration, outcome, reason, ms, left_out, "an integration did not answer");
    }
}
