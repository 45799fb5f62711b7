//! Which SIP addresses outside steps may call.

use crate::Toll;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rules of calls to SIP addresses that no gateway stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// Only those at these domains, in lower case; empty: at any.
    pub domains: BTreeSet<String>,
    /// Whether they may be in private networks.
    pub private: bool,
    /// What they may cost together, besides the limits of who pays.
    pub toll: Option<Arc<Toll>>,
}

impl Addresses {
    /// Whether somebody at this host may be called.
    pub fn lets(&self, host: &str) -> bool {
        self.domains.is_empty() || self.domains.contains(host)
    }
}
