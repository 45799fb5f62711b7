//! Events of the switch as a whole.

use crate::labels::{Label, label};
use crate::metrics::Metrics;
use plugboard_model::WallTime;

/// The switch started.
#[derive(Debug, Clone, Copy)]
pub struct ProcessStarted<'a> {
    /// Its version.
    pub version: &'a str,
    /// When.
    pub at: WallTime,
}

impl ProcessStarted<'_> {
    /// Writes the line and sets the gauges.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.build(self.version);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 need 41 bits, a double holds 53")]
        metrics.families.started.set(self.at.0 as f64 / 1000.0);
        tracing::info!(version = self.version, "Plugboard started");
    }
}

label!(
    /// A queue inside the switch.
    Queue {
        /// Messages to a call.
        Call = "call",
        /// Messages to a leg.
        Leg = "leg",
        /// Messages to a user.
        User = "user",
        /// Messages to the SIP side.
        Sip = "sip",
        /// Commands to a media thread.
        Media = "media",
        /// Runs for the plugin threads.
        Plugin = "plugin",
        /// Messages to a subscriber of events.
        Subscriber = "subscriber",
    }
);

/// A message was dropped because a queue was full.
#[derive(Debug, Clone, Copy)]
pub struct MessageDropped {
    /// Which queue.
    pub queue: Queue,
}

impl MessageDropped {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.drops.inc(self.queue);
        tracing::warn!(queue = self.queue.as_str(), "a queue is full: message dropped");
    }
}
