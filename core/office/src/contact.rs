//! People outside whom the office knows.

use crate::{Office, Spelled};
use plugboard_model::{Dialled, Name};

/// Somebody outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Which.
    pub id: Name,
    /// For people.
    pub name: String,
    /// His numbers.
    pub numbers: Vec<Dialled>,
    /// His language (BCP 47).
    pub language: Option<String>,
}

impl Office {
    /// The contact with this number, however it is written. The place where a store of contacts is to be asked.
    pub(crate) fn contact_of(&self, number: &Spelled) -> Option<&Contact> {
        let spellings = [number.e164.as_deref(), Some(number.written.as_str())];
        let found = spellings.into_iter().flatten().find_map(|text| self.contact_numbers.get(text))?;
        self.contacts.get(found)
    }

    /// Every contact, by id.
    pub fn contacts(&self) -> impl ExactSizeIterator<Item = &Contact> {
        self.contacts.values()
    }
}
