//! Whose a message is that comes from where DNS says a gateway is, or to what we registered at one.

use plugboard_model::GatewayId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// For all shards: gateways' actors write it when their names lead elsewhere; shards look at it when an INVITE comes that no
/// gateway's written source explains. Locked for one look-up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers(Arc<RwLock<Table>>);

#[derive(Debug, Default)]
struct Table {
    addresses: BTreeMap<IpAddr, BTreeSet<GatewayId>>,
    lines: BTreeMap<String, GatewayId>,
}

impl Peers {
    /// From now on the gateway is at these addresses.
    pub(crate) fn moved(&self, gateway: &GatewayId, to: impl IntoIterator<Item = IpAddr>) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.addresses.retain(|_, gateways| {
            gateways.remove(gateway);
            !gateways.is_empty()
        });
        for address in to {
            table.addresses.entry(address.to_canonical()).or_default().insert(gateway.clone());
        }
    }

    /// Calls to a Contact with this parameter come from the gateway: nobody else was told of it.
    pub(crate) fn registers(&self, gateway: &GatewayId, line: Option<&str>) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.lines.retain(|_, known| known != gateway);
        if let Some(line) = line {
            table.lines.insert(line.to_owned(), gateway.clone());
        }
    }

    /// The gateway that was told of this line.
    pub(crate) fn by_line(&self, line: &str) -> Option<GatewayId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).lines.get(line).cloned()
    }

    /// The gateways at this address; several offices may have the same provider.
    pub(crate) fn at(&self, address: IpAddr) -> Vec<GatewayId> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.addresses.get(&address.to_canonical()).into_iter().flatten().cloned().collect()
    }
}
