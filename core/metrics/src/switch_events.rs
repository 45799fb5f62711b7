//! Events of the switch as a whole.

use crate::labels::{Label, label};
use crate::metrics::{Metrics, TrunkSeries};
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

/// A trunk came up or went down.
#[derive(Clone, Copy)]
pub struct GatewayChanged<'a> {
    /// Which.
    pub trunk: &'a TrunkSeries,
    /// It answers.
    pub up: bool,
    /// Why it does not.
    pub reason: Option<&'a str>,
}

impl GatewayChanged<'_> {
    /// Writes the line and sets the gauge.
    pub fn emit(&self, _metrics: &Metrics) {
        self.trunk.up.set(i64::from(self.up));
        let trunk = self.trunk.name.as_ref();
        if self.up {
            tracing::info!(trunk, "trunk is up");
        } else {
            tracing::warn!(trunk, reason = self.reason, "trunk is down");
        }
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
