//! The XML that devices send: presence, and the wishes of their keys.

use plugboard_sip::event::{BODY_LEN_MAX, FeatureWish, ForwardKind, Published};

/// The bytes are a body of either kind.
///
/// # Panics
/// When something was read that goes beyond its limits, or one body was read as both kinds.
pub fn events(bytes: &[u8]) {
    let (published, wish) = (Published::read(bytes), FeatureWish::read(bytes));
    assert!(published.is_err() || wish.is_err(), "read as both: {}", bytes.escape_ascii());
    assert!(bytes.len() <= BODY_LEN_MAX || (published.is_err() && wish.is_err()), "read though it is too long");
    if let Ok(published) = published {
        let mut activities = published.activities.clone();
        activities.sort_unstable();
        activities.dedup();
        assert_eq!(activities.len(), published.activities.len(), "each activity once: {}", bytes.escape_ascii());
        assert!(published.note.is_none_or(|note| !note.is_empty() && note.chars().count() <= 80));
    }
    if let Ok(FeatureWish::Forward(forward)) = wish {
        assert!(forward.to.is_none_or(|to| !to.is_empty() && to.len() <= 128));
        let rings =
            forward.rings.is_none_or(|rings| (1..=100).contains(&rings) && forward.kind == ForwardKind::NoAnswer);
        assert!(rings, "{}", bytes.escape_ascii());
    }
}
