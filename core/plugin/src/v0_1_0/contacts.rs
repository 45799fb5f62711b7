//! Capability `contacts`.

use super::bindings::plugboard::switch::contacts as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{ContactId, DirectoryContact, HostCall, HostResult};

/// Nothing longer is a number.
const NUMBER_BYTES_MAX: usize = 64;

impl wit::Host for Guest {
    async fn find(&mut self, number: String) -> wasmtime::Result<Option<wit::Contact>> {
        if number.is_empty() || number.len() > NUMBER_BYTES_MAX {
            return Ok(None);
        }
        let HostResult::Contact(found) = self.ask(HostCall::FindContact(number)).await? else {
            return Err(wrong_answer("contacts.find"));
        };
        Ok(found.map(told))
    }

    async fn get(&mut self, id: String) -> wasmtime::Result<Option<wit::Contact>> {
        let Ok(id) = ContactId::new(self.office(), &id) else { return Ok(None) };
        let HostResult::Contact(found) = self.ask(HostCall::GetContact(id)).await? else {
            return Err(wrong_answer("contacts.get"));
        };
        Ok(found.map(told))
    }
}

fn told(contact: DirectoryContact) -> wit::Contact {
    let responsible = contact.responsible.iter();
    wit::Contact {
        id: contact.id.to_string(),
        name: contact.name,
        numbers: contact.numbers,
        company: contact.company,
        email: contact.email,
        language: contact.language,
        groups: contact.groups,
        responsible: responsible
            .map(|one| wit::Responsible { user: words::user_told(&one.user), phones: one.phones })
            .collect(),
    }
}
