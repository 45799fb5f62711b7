//! Events of plugins.

use crate::labels::{Label, RunOutcome};
use crate::metrics::{ActionSeries, Metrics};
use crate::sip_events::whole;
use plugboard_model::{CallId, HostCall, LegId, RunId};
use std::time::Duration;

/// The functions of the host, as [`HostCall::interface`] names them; what is none of these counts as the last.
pub(crate) const HOST_INTERFACES: [&str; 36] = [
    "call.get-info",
    "call.answer",
    "call.play",
    "call.collect",
    "call.echo",
    "call.next-event",
    "call.hang-up",
    "dial.ring",
    "directory.find-user",
    "directory.find-group",
    "variables.get",
    "variables.set",
    "log.write",
    "clock.now",
    "random.bytes",
    "random.below",
    "conference.join",
    "record.start",
    "record.pause",
    "record.resume",
    "record.stop",
    "voicemail.leave",
    "voicemail.open",
    "fax.receive",
    "http.send",
    "history.last-talk",
    "contacts.find",
    "contacts.get",
    "call.park",
    "database.ask",
    "mail.send",
    "text-message.send",
    "http.post-later",
    "queue.wait",
    "directory.find-members",
    "other",
];

/// A run of an action ended.
#[derive(Clone, Copy)]
pub struct PluginRunEnded<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The run.
    pub run: RunId,
    /// The action and version.
    pub action: &'a ActionSeries,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why, when it did not finish; from the host, so bounded and without personal data.
    pub reason: Option<&'a str>,
    /// The time it computed; waits for host calls are not part of it.
    pub took: Duration,
}

impl PluginRunEnded<'_> {
    /// Writes the line and counts. A run that did not finish is a warning.
    pub fn emit(&self, _metrics: &Metrics) {
        if let Some(counter) = self.action.runs.get(self.outcome.index()) {
            counter.inc();
        }
        self.action.seconds.observe(self.took.as_secs_f64());
        let took_us = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        let (action, outcome) = (self.action.name.as_ref(), self.outcome.as_str());
        match self.outcome {
            RunOutcome::Finished | RunOutcome::Cancelled => {
                tracing::debug!(call_id = %self.call, leg_id = %LegId::CALLER, run_id = self.run.0, action, outcome,
                    took_us, "action ended");
            }
            RunOutcome::Failed | RunOutcome::Trapped | RunOutcome::Limit | RunOutcome::Diverged => {
                tracing::warn!(call_id = %self.call, leg_id = %LegId::CALLER, run_id = self.run.0, action, outcome,
                    took_us, reason = self.reason, "action failed");
            }
        }
    }
}

/// A running action asked something of the host.
#[derive(Debug, Clone, Copy)]
pub struct PluginCalledHost<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The run.
    pub run: RunId,
    /// What it asked.
    pub host_call: &'a HostCall,
}

impl PluginCalledHost<'_> {
    /// Counts and writes a line at trace level.
    pub fn emit(&self, metrics: &Metrics) {
        let interface = self.host_call.interface();
        let known = HOST_INTERFACES.iter().position(|name| *name == interface);
        let place = known.unwrap_or(HOST_INTERFACES.len() - 1);
        if let Some(counter) = metrics.families.host_calls.get(place) {
            counter.inc();
        }
        tracing::trace!(call_id = %self.call, leg_id = %LegId::CALLER, run_id = self.run.0, interface, "host call");
    }
}

/// A waiting run was dropped; it is rebuilt from its journal.
#[derive(Debug, Clone, Copy)]
pub struct PluginPutAway<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The run.
    pub run: RunId,
}

impl PluginPutAway<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.put_away.inc();
        tracing::debug!(call_id = %self.call, leg_id = %LegId::CALLER, run_id = self.run.0, "run put away");
    }
}

/// How many runs hold an instance in memory now; those that are put away hold none.
#[derive(Debug, Clone, Copy)]
pub struct PluginsSuspended(pub usize);

impl PluginsSuspended {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.suspended.set(whole(self.0));
        tracing::trace!(count = self.0, "runs suspended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{OfficeId, WallTime};

    #[test]
    fn a_run_counts_once_under_how_it_ended() {
        let metrics = Metrics::new();
        let call = CallId::new(OfficeId::new("main").unwrap(), WallTime(1), 7);
        let action = metrics.action("play-audio", "0.1.0");
        let (run, took) = (RunId(0), Duration::from_micros(80));
        PluginRunEnded { call: &call, run, action: &action, outcome: RunOutcome::Trapped, reason: Some("stack"), took }
            .emit(&metrics);
        PluginCalledHost { call: &call, run, host_call: &HostCall::Answer }.emit(&metrics);
        let text = metrics.render();
        let line = r#"plugboard_plugin_runs_total{action="play-audio",outcome="trapped",version="0.1.0"} 1"#;
        assert!(text.contains(line), "{text}");
        assert!(text.contains(r#"plugboard_plugin_run_seconds_bucket{action="play-audio",le="0.0001"} 1"#));
        assert!(text.contains(r#"plugboard_plugin_host_calls_total{interface="call.answer"} 1"#));
        assert!(!text.contains("main/"), "a call id became a label");
    }
}
