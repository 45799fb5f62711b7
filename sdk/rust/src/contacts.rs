//! People outside whom the office knows.

use crate::bindings::plugboard::switch::contacts as raw;

pub use crate::bindings::plugboard::switch::contacts::{Contact, Responsible};

/// The contact with this number, however it is written. Returns at once.
pub fn find(number: &str) -> Option<Contact> {
    raw::find(number)
}
