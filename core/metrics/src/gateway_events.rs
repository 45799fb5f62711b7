//! Events of gateways, which operators call trunks.

use crate::metrics::Metrics;
use plugboard_model::GatewayId;
use std::fmt;
use std::sync::Arc;

/// Gateways with series of their own; later ones share `other`.
pub(crate) const TRUNKS_MAX: usize = 1_000;

/// The series of one gateway.
#[derive(Clone)]
pub struct TrunkSeries {
    pub(crate) metrics: Metrics,
    pub(crate) name: Arc<str>,
}

impl fmt::Debug for TrunkSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrunkSeries").field(&self.name).finish()
    }
}

impl TrunkSeries {
    /// Calls that came from it and that went to it, now.
    pub fn calls(&self, inbound: u32, outbound: u32) {
        let calls = &self.metrics.families.trunk_calls;
        calls.with_label_values(&[&self.name, "inbound"]).set(inbound.into());
        calls.with_label_values(&[&self.name, "outbound"]).set(outbound.into());
    }

    /// Whether we are registered there.
    pub fn registered(&self, is: bool) {
        self.metrics.families.trunk_registered.with_label_values(&[&self.name]).set(i64::from(is));
    }

    fn up(&self, is: bool) {
        self.metrics.families.trunk_up.with_label_values(&[&self.name]).set(i64::from(is));
    }

    /// The gateway is no more.
    pub fn remove(&self) {
        let families = &self.metrics.families;
        // One that was never set is not there.
        families.trunk_up.remove_label_values(&[&self.name]).ok();
        families.trunk_registered.remove_label_values(&[&self.name]).ok();
        for direction in ["inbound", "outbound"] {
            families.trunk_calls.remove_label_values(&[&self.name, direction]).ok();
        }
    }
}

/// Calls can go to a gateway.
#[derive(Debug, Clone, Copy)]
pub struct GatewayUp<'a> {
    /// Which.
    pub gateway: &'a GatewayId,
    /// Its series.
    pub series: &'a TrunkSeries,
}

impl GatewayUp<'_> {
    /// Writes the line and sets the gauge.
    pub fn emit(&self) {
        self.series.up(true);
        tracing::info!(gateway = %self.gateway, "gateway up");
    }
}

/// No call goes to a gateway any more.
#[derive(Debug, Clone, Copy)]
pub struct GatewayDown<'a> {
    /// Which.
    pub gateway: &'a GatewayId,
    /// Why.
    pub reason: &'a str,
    /// Its series.
    pub series: &'a TrunkSeries,
}

impl GatewayDown<'_> {
    /// Writes the line and sets the gauge.
    pub fn emit(&self) {
        self.series.up(false);
        tracing::warn!(gateway = %self.gateway, reason = self.reason, "gateway down");
    }
}
