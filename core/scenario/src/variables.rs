//! The variables of one call.

use crate::document::is_variable_name;
use plugboard_model::{OfficeId, SetError, Value, ValueType};
use std::collections::BTreeMap;

/// Variables of a call, as the WIT says.
pub(crate) const VARIABLES_MAX: usize = 256;
/// Bytes of a text, as the WIT says.
pub(crate) const TEXT_BYTES_MAX: usize = 4_096;
/// Items of a list, as the WIT says.
pub(crate) const LIST_MAX: usize = 64;
/// Bytes of all values of a call together: 256 texts of the full size would be a megabyte a call.
const TOTAL_BYTES_MAX: usize = 256 * 1_024;

#[derive(Debug, Clone, PartialEq)]
struct Slot {
    value_type: ValueType,
    value: Option<Value>,
    read_only: bool,
}

/// Typed variables by name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variables {
    office: OfficeId,
    slots: BTreeMap<String, Slot>,
    bytes: usize,
}

impl Variables {
    pub(crate) fn new(office: OfficeId) -> Self {
        Self { office, slots: BTreeMap::new(), bytes: 0 }
    }

    /// Declares a variable of the document.
    pub(crate) fn declare(&mut self, name: &str, value_type: ValueType, value: Option<Value>) {
        self.bytes += value.as_ref().map_or(0, bytes_of);
        self.slots.insert(name.into(), Slot { value_type, value, read_only: crate::flow::is_own(name) });
    }

    /// Gives a variable of the switch its value; one that does not fit the limits is left out.
    pub(crate) fn set_own(&mut self, name: &str, value: Value) {
        if is_variable_name(name) && check(&self.office, &value).is_ok() {
            let old = self.get(name).map_or(0, bytes_of);
            self.bytes = self.bytes.saturating_sub(old).saturating_add(bytes_of(&value));
            let slot = Slot { value_type: value.value_type(), value: Some(value), read_only: true };
            self.slots.insert(name.into(), slot);
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.slots.get(name)?.value.as_ref()
    }

    /// Takes a value away; the type stays.
    pub(crate) fn unassign(&mut self, name: &str) {
        if let Some(old) = self.slots.get_mut(name).filter(|slot| !slot.read_only).and_then(|slot| slot.value.take()) {
            self.bytes = self.bytes.saturating_sub(bytes_of(&old));
        }
    }

    pub(crate) fn assign(&mut self, name: &str, value: Value) -> Result<(), SetError> {
        // Most often a variable gets another value: then its name was read before and stays where it is.
        let slots = self.slots.len();
        let Some(slot) = self.slots.get_mut(name) else {
            if !is_variable_name(name) {
                return Err(SetError::BadName);
            }
            check(&self.office, &value)?;
            if crate::flow::is_own(name) {
                return Err(SetError::ReadOnly);
            }
            let bytes = self.bytes.saturating_add(bytes_of(&value));
            if slots >= VARIABLES_MAX || bytes > TOTAL_BYTES_MAX {
                return Err(SetError::TooLarge);
            }
            self.bytes = bytes;
            let slot = Slot { value_type: value.value_type(), value: Some(value), read_only: false };
            self.slots.insert(name.into(), slot);
            return Ok(());
        };
        check(&self.office, &value)?;
        if slot.read_only {
            return Err(SetError::ReadOnly);
        }
        if slot.value_type != value.value_type() {
            return Err(SetError::WrongType(slot.value_type.as_str().into()));
        }
        let old = slot.value.as_ref().map_or(0, bytes_of);
        let bytes = self.bytes.saturating_sub(old).saturating_add(bytes_of(&value));
        if bytes > TOTAL_BYTES_MAX {
            return Err(SetError::TooLarge);
        }
        (self.bytes, slot.value) = (bytes, Some(value));
        Ok(())
    }

    /// Assigned variables, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.slots.iter().filter_map(|(name, slot)| Some((name.as_str(), slot.value.as_ref()?)))
    }
}

/// Whether a value is within the limits and of this office.
fn check(office: &OfficeId, value: &Value) -> Result<(), SetError> {
    let fits = match value {
        Value::Text(text) => text.len() <= TEXT_BYTES_MAX,
        Value::Texts(texts) => texts.len() <= LIST_MAX && texts.iter().all(|text| text.len() <= TEXT_BYTES_MAX),
        Value::Users(users) => users.len() <= LIST_MAX,
        Value::Contact(contact) => contact.groups.len() <= LIST_MAX && contact.bytes() <= TEXT_BYTES_MAX,
        Value::Number(_) | Value::Boolean(_) | Value::Time(_) | Value::User(_) | Value::Group(_) => true,
    };
    if !fits {
        return Err(SetError::TooLarge);
    }
    let foreign = match value {
        Value::Users(users) => users.iter().any(|user| user.office != *office),
        Value::User(_) | Value::Group(_) | Value::Contact(_) => value.office() != Some(office),
        Value::Text(_) | Value::Number(_) | Value::Boolean(_) | Value::Time(_) | Value::Texts(_) => false,
    };
    if foreign { Err(SetError::WrongType(format!("of office {office}"))) } else { Ok(()) }
}

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Texts(texts) => texts.iter().map(String::len).sum(),
        Value::Users(users) => users.len() * 64,
        Value::Contact(contact) => contact.bytes(),
        Value::Number(_) | Value::Boolean(_) | Value::Time(_) | Value::User(_) | Value::Group(_) => 8,
    }
}
