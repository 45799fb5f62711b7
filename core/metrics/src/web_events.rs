//! Events of the web: what actions asked of its services.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::lines::if_any;
use plugboard_model::{CallId, Time};
use std::time::Duration;

label!(
    /// What became of a request to a service of the web.
    WebOutcome {
        /// It answered 2xx.
        Done = "done",
        /// It answered something else.
        Refused = "refused",
        /// It did not answer in time.
        TimeOver = "time_over",
        /// It could not be reached, or was left alone after failures.
        Unreachable = "unreachable",
        /// The connection broke.
        Broken = "broken",
        /// The office has no such source, or does not let it be asked so.
        Denied = "denied",
        /// It had its requests at once already.
        Busy = "busy",
        /// The answer was too long, or no text.
        Unfit = "unfit",
    }
);

/// A service of the web was asked for a call.
#[derive(Debug, Clone, Copy)]
pub struct WebAsked<'a> {
    /// For which call.
    pub call: &'a CallId,
    /// The source.
    pub source: &'a str,
    /// What became of it.
    pub outcome: WebOutcome,
    /// Why there is no answer, without secrets; empty where there is one.
    pub reason: &'a str,
    /// From the question to the answer.
    pub took: Duration,
    /// When: the switch's clock.
    pub at: Time,
}

impl WebAsked<'_> {
    /// Counts, and writes a line of what failed unless there were too many in this minute: a service that is down fails for
    /// each call.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.web_requests.inc(self.outcome);
        metrics.families.web_seconds.observe(self.took.as_secs_f64());
        let Self { call, source, outcome, reason, took, at } = self;
        let (call, outcome, ms) = (tracing::field::display(call), outcome.as_str(), took.as_millis());
        if matches!(self.outcome, WebOutcome::Done | WebOutcome::Refused) {
            return tracing::debug!(call_id = call, source, outcome, ms, "service of the web");
        }
        let Some(left_out) = metrics.families.web_lines.one_more(self.outcome, *at) else { return };
        let left_out = if_any(left_out);
        tracing::warn!(call_id = call, source, outcome, reason, ms, left_out, "a service of the web did not answer");
    }
}
