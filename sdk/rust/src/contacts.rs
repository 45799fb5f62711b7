//! People outside whom the office knows.

use crate::bindings::plugboard::switch::contacts as raw;
use crate::variables::{self, Value};
use crate::{Failure, call};

pub use crate::bindings::plugboard::switch::contacts::{Contact, Responsible};

/// The contact with this number, however it is written. Returns at once.
pub fn find(number: &str) -> Option<Contact> {
    raw::find(number)
}

/// The contact with this id; `None`: the office has none, or no longer. Returns at once.
pub fn get(id: &str) -> Option<Contact> {
    raw::get(id)
}

/// The contact whom a step means: the one in the variable of this name, else the one with this number, else the other side of the
/// call: the caller, or whom a user of the office called. Returns at once.
///
/// # Errors
/// The variable holds no contact.
pub fn meant(variable: Option<&str>, number: Option<&str>) -> Result<Option<Contact>, Failure> {
    if let Some(name) = variable {
        return match variables::get(name) {
            Some(Value::Contact(id)) => Ok(get(&id)),
            Some(_) | None => Err(Failure::new(["the variable ", name, " holds no contact"].concat())),
        };
    }
    if let Some(number) = number {
        return Ok(find(number));
    }
    let call = call::info();
    Ok(find(if call.caller_user.is_some() { &call.called_number } else { &call.caller_number }))
}
