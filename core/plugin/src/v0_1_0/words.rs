//! The version's words to the model's and back.

use super::bindings::plugboard::switch::{description, types};
use crate::manifest::Described;
use plugboard_model::{Cause, ContactId, GroupId, KnownContact, OfficeId, UserId, Value, WallTime};

/// The longest text of a value (`plugboard:switch/types`).
const VALUE_TEXT_BYTES_MAX: usize = 4_096;
/// The longest list of a value.
const VALUE_ITEMS_MAX: usize = 64;

/// A manifest as the component said it.
pub(super) fn described(said: description::ActionDescription) -> Described {
    let texts = |list: Vec<description::Text>| list.into_iter().map(|text| (text.language, text.text)).collect();
    Described {
        name: said.name,
        version: said.version,
        titles: texts(said.titles),
        summaries: texts(said.summaries),
        parameters: said.parameters,
        outcomes: said.outcomes.into_iter().map(|outcome| (outcome.name, texts(outcome.texts))).collect(),
        sets: said.sets.into_iter().map(|sets| (sets.name, sets.type_, sets.after)).collect(),
        blocking: said.blocking,
    }
}

/// A cause that the guest gives; `Err` says which part is out of its range.
pub(super) fn cause(given: types::Cause) -> Result<Cause, String> {
    if given.sip_status != 200 && !(300..=699).contains(&given.sip_status) {
        return Err(format!("sip-status {} is neither 200 nor 300 to 699", given.sip_status));
    }
    if given.text.len() > 128 || given.text.contains(|c: char| c.is_control()) {
        return Err("the cause's text has at most 128 bytes and no control characters".into());
    }
    Ok(Cause { status: given.sip_status, text: given.text })
}

/// A cause that the guest is told.
pub(super) fn cause_told(cause: Cause) -> types::Cause {
    types::Cause { sip_status: cause.status, text: cause.text }
}

/// A user's id in the call's own office.
pub(super) fn user(office: &OfficeId, id: &str) -> Result<UserId, String> {
    UserId::new(office, id).map_err(|fault| format!("user {}: {fault}", cut(id)))
}

/// A group's id in the call's own office.
pub(super) fn group(office: &OfficeId, id: &str) -> Result<GroupId, String> {
    GroupId::new(office, id).map_err(|fault| format!("group {}: {fault}", cut(id)))
}

/// The id as the guest knows it: without the office.
pub(super) fn user_told(id: &UserId) -> String {
    id.name.as_str().to_owned()
}

/// The group's id as the guest knows it.
pub(super) fn group_told(id: &GroupId) -> String {
    id.name.as_str().to_owned()
}

/// A value that the guest gives; `None` when it is too large or names an impossible id.
pub(super) fn value(office: &OfficeId, given: types::Value) -> Option<Value> {
    let fits = |text: &String| text.len() <= VALUE_TEXT_BYTES_MAX;
    Some(match given {
        types::Value::Text(text) => Value::Text(Some(text).filter(fits)?),
        types::Value::Number(number) => Value::Number(number),
        types::Value::Boolean(boolean) => Value::Boolean(boolean),
        types::Value::Time(millis) => Value::Time(WallTime(millis)),
        types::Value::User(id) => Value::User(UserId::new(office, &id).ok()?),
        types::Value::Group(id) => Value::Group(GroupId::new(office, &id).ok()?),
        types::Value::Texts(texts) => {
            Value::Texts(Some(texts).filter(|texts| texts.len() <= VALUE_ITEMS_MAX && texts.iter().all(fits))?)
        }
        types::Value::Users(ids) if ids.len() <= VALUE_ITEMS_MAX => {
            Value::Users(ids.iter().map(|id| UserId::new(office, id)).collect::<Result<_, _>>().ok()?)
        }
        types::Value::Users(_) => return None,
        types::Value::Contact(id) => Value::Contact(Box::new(KnownContact::named(ContactId::new(office, &id).ok()?))),
    })
}

/// A value that the guest is told.
pub(super) fn value_told(value: Value) -> types::Value {
    match value {
        Value::Text(text) => types::Value::Text(text),
        Value::Number(number) => types::Value::Number(number),
        Value::Boolean(boolean) => types::Value::Boolean(boolean),
        Value::Time(time) => types::Value::Time(time.0),
        Value::User(id) => types::Value::User(user_told(&id)),
        Value::Group(id) => types::Value::Group(group_told(&id)),
        Value::Texts(texts) => types::Value::Texts(texts),
        Value::Users(ids) => types::Value::Users(ids.iter().map(user_told).collect()),
        Value::Contact(contact) => types::Value::Contact(contact.id.name.as_str().to_owned()),
    }
}

/// Does `value` lie in the range? `Err` names the parameter and the range.
pub(super) fn in_range<N: PartialOrd + std::fmt::Display + Copy>(
    what: &str,
    value: N,
    range: std::ops::RangeInclusive<N>,
) -> Result<N, String> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(format!("{what} {value} is not {} to {}", range.start(), range.end()))
    }
}

/// A name or number of a guest, short enough for a message.
pub(super) fn cut(text: &str) -> String {
    format!("{:?}", text.chars().take(64).collect::<String>())
}
