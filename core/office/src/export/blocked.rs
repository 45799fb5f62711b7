//! Blocked callers.

use super::Entries;
use crate::parts::BUSY_STATUS;
use crate::{Blocked, BlockedThen};
use plugboard_document::Node;

pub(super) fn node(blocked: &Blocked) -> Node {
    let mut entry = Entries::default();
    entry.put_list("callers", blocked.callers.iter().map(|like| Node::from(like.as_str())));
    entry.put_unless("anonymous", blocked.anonymous, false);
    match &blocked.then {
        BlockedThen::Refuse(cause) if cause.status == BUSY_STATUS => {}
        BlockedThen::Refuse(cause) => {
            entry.put("then", [("refuse", Node::from(u32::from(cause.status)))].into_iter().collect::<Node>());
        }
        BlockedThen::Scenario(scenario) => {
            entry.put("then", [("scenario", Node::from(scenario.name.as_str()))].into_iter().collect::<Node>());
        }
    }
    entry.node()
}
