//! Who is in the call's own office. Read only; answers come at once.

use crate::bindings::plugboard::switch::directory as raw;

pub use crate::bindings::plugboard::switch::directory::{Distribution, Group, Member, Status, User};

/// The user with this internal number or id.
pub fn find_user(number_or_id: &str) -> Option<User> {
    raw::find_user(number_or_id)
}

/// The group with this internal number or id.
pub fn find_group(number_or_id: &str) -> Option<Group> {
    raw::find_group(number_or_id)
}
