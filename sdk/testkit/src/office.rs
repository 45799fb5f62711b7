//! The office of a test: its users and groups.

use plugboard_model::{
    CallInfo, ContactId, DirectoryContact, DirectoryGroup, DirectoryUser, Distribution, GroupId, IdError, Member, Name,
    OfficeId, Responsible, UserId, UserStatus,
};

/// The office that every run belongs to.
const OFFICE: &str = "test";

/// The id of a user of the test's office.
///
/// # Panics
/// When `name` is not 1 to 64 of `a-z 0-9 . _ -`.
pub fn user_id(name: &str) -> UserId {
    valid(name, UserId::new(&office(), name))
}

/// The id of a group of the test's office.
///
/// # Panics
/// When `name` is not 1 to 64 of `a-z 0-9 . _ -`.
pub fn group_id(name: &str) -> GroupId {
    valid(name, GroupId::new(&office(), name))
}

/// A user who is available, reachable and in no call.
///
/// # Panics
/// As [`user_id`].
pub fn user(name: &str, number: &str) -> DirectoryUser {
    DirectoryUser {
        id: user_id(name),
        number: number.into(),
        name: name.into(),
        status: UserStatus::Available,
        reachable: true,
        calls: 0,
    }
}

/// A group with these members and their weights, which rings for 20 seconds.
///
/// # Panics
/// As [`user_id`].
pub fn group(name: &str, number: &str, distribution: Distribution, members: &[(&str, u32)]) -> DirectoryGroup {
    DirectoryGroup {
        id: group_id(name),
        number: number.into(),
        name: name.into(),
        distribution,
        members: members.iter().map(|(user, weight)| Member { user: user_id(user), weight: *weight }).collect(),
        ring_for_ms: 20_000,
    }
}

/// The id of a contact of the test's office.
///
/// # Panics
/// As [`user_id`].
pub fn contact_id(name: &str) -> ContactId {
    ContactId { office: user_id(name).office, name: user_id(name).name }
}

/// A contact with a number, for whom these users are responsible, each with so many phones outside.
///
/// # Panics
/// As [`user_id`], of the contact's name too.
pub fn contact(name: &str, number: &str, responsible: &[(&str, u32)]) -> DirectoryContact {
    DirectoryContact {
        id: valid(name, Name::new(name)),
        name: name.into(),
        numbers: vec![number.into()],
        company: String::new(),
        email: String::new(),
        language: "en".into(),
        groups: Vec::new(),
        responsible: responsible
            .iter()
            .map(|(user, phones)| Responsible { user: user_id(user), phones: *phones })
            .collect(),
    }
}

pub(crate) fn office() -> OfficeId {
    valid(OFFICE, OfficeId::new(OFFICE))
}

/// A caller from outside.
pub(crate) fn caller() -> CallInfo {
    CallInfo {
        id: "test/01J8ZQ6M6H3V2K9C4T7R5N1XWB".into(),
        caller_number: "+4930123456".into(),
        caller_name: String::new(),
        caller_user: None,
        called_number: "100".into(),
        language: "en".into(),
    }
}

fn valid<T>(name: &str, id: Result<T, IdError>) -> T {
    id.unwrap_or_else(|fault| panic!("{name:?}: {fault}"))
}
