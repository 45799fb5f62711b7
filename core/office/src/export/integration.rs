//! Systems beside the telephone, as a document.

use super::Entries;
use crate::Integration;
use plugboard_document::{Node, write_duration};

pub(super) fn node(integration: &Integration) -> Node {
    let mut entry = Entries::default();
    entry.put("id", integration.id.as_str());
    entry.put("plugin", integration.plugin.as_str());
    if integration.settings.as_map().is_some_and(|map| !map.is_empty()) {
        entry.put("settings", integration.settings.clone());
    }
    let services = integration.services.iter();
    entry.put_some("services", services.map(|(name, source)| (name.as_str(), Node::from(source.as_str()))));
    if let Some(capabilities) = &integration.capabilities {
        entry.put("capabilities", capabilities.iter().map(|one| Node::from(one.as_str())).collect::<Node>());
    }
    entry.put_unless("timeout", write_duration(integration.timeout), write_duration(Integration::TIMEOUT));
    entry.put_unless("at_once", integration.at_once, Integration::AT_ONCE);
    entry.node()
}
