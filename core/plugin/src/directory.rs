//! Who is in an office, as actions may ask.

use plugboard_model::{Candidate, ContactId, DirectoryContact, DirectoryGroup, DirectoryUser, Skill};
use std::fmt;

/// Looks up people and groups of one office. Called on the plugin threads: it must not block.
///
/// What it answers is journaled like any other answer, so that a replay does not ask it.
pub trait Directory: fmt::Debug + Send + Sync {
    /// The user with this internal number or id (WIT `directory.find-user`), as he is now.
    fn find_user(&self, number_or_id: &str) -> Option<DirectoryUser>;
    /// The group with this internal number or id (WIT `directory.find-group`).
    fn find_group(&self, number_or_id: &str) -> Option<DirectoryGroup>;
    /// Whether the office asks others for contacts that it does not have itself: then the switch is asked for those.
    fn asks_further(&self) -> bool {
        false
    }
    /// The contact with this number (WIT `contacts.find`).
    fn find_contact(&self, number: &str) -> Option<DirectoryContact>;
    /// The contact with this id (WIT `contacts.get`).
    fn contact(&self, id: &ContactId) -> Option<DirectoryContact>;
    /// Those of a group who are logged in to it, in the office's order, with this skill if one is asked for (WIT
    /// `directory.find-members`).
    fn find_members(&self, number_or_id: &str, skill: Option<&Skill>) -> Option<Vec<Candidate>>;
}
