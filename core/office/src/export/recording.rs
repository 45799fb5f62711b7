//! How an office records, as a document.

use super::Entries;
use crate::Recording;
use plugboard_document::Node;
use plugboard_model::Dialled;

pub(super) fn node(recording: &Recording) -> Option<Node> {
    let usual = Recording::default();
    if *recording == usual {
        return None;
    }
    let mut entry = Entries::default();
    if let Some(announcement) = &recording.announcement {
        entry.put("announcement", announcement.as_str());
    }
    entry.put_unless("beep", recording.beep, usual.beep);
    if recording.keys != usual.keys {
        entry.put(
            "keys",
            recording.keys.as_ref().map_or_else(|| Node::from(false), |keys: &Dialled| keys.as_str().into()),
        );
    }
    Some(entry.node())
}
