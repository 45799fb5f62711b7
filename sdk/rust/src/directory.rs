//! Who is in the call's own office. Read only; answers come at once.

use crate::bindings::plugboard::switch::directory as raw;

pub use crate::bindings::plugboard::switch::directory::{Candidate, Distribution, Group, Member, Skill, Status, User};

/// The user with this internal number or id.
pub fn find_user(number_or_id: &str) -> Option<User> {
    raw::find_user(number_or_id)
}

/// The group with this internal number or id.
pub fn find_group(number_or_id: &str) -> Option<Group> {
    raw::find_group(number_or_id)
}

/// The members of a group who are logged in to it, in the order the office wrote them; none but those who have the skill, if one is named.
pub fn find_members(number_or_id: &str, skill: Option<&Skill>) -> Option<Vec<Candidate>> {
    raw::find_members(number_or_id, skill)
}
