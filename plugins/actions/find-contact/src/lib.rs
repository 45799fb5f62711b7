//! The action `find-contact`: finds the contact that a number belongs to.

use plugboard_sdk::contacts;
use plugboard_sdk::prelude::*;

/// The parameters of `find-contact`.
#[derive(Parameters)]
struct FindContact {
    /// The number; without it, that of the other side: the caller's, or what a user of the office called.
    #[parameter(max = 64)]
    #[text(
        ru("Номер", "Номер; если не задан, номер собеседника: звонящего или того, кому звонит сотрудник."),
        de("Nummer", "Die Nummer; ohne Angabe die der Gegenseite: des Anrufers, oder die ein Benutzer gewählt hat.")
    )]
    number: Option<String>,
}

/// How it ends.
#[derive(Outcome)]
enum Found {
    /// The office has a contact with this number.
    #[text(ru("Контакт найден"), de("Gefunden"))]
    Found {
        /// Who.
        contact: Contact,
        /// His name.
        contact_name: String,
        /// Where he works; empty when nobody said it.
        contact_company: String,
        /// His address of e-mail; empty when there is none.
        contact_email: String,
        /// His language, else the office's.
        contact_language: String,
        /// What the office files him under.
        contact_groups: Vec<String>,
    },
    /// It has none, or the other side shows no number.
    #[text(ru("Контакт не найден"), de("Nicht gefunden"))]
    NotFound,
}

/// Finds the contact that a number belongs to, however it is written.
#[action(
    ru("Найти контакт", "Находит контакт по номеру, как бы тот ни был записан."),
    de("Kontakt finden", "Findet den Kontakt zu einer Nummer, wie sie auch geschrieben ist.")
)]
fn find_contact(given: FindContact) -> Result<Found, Failure> {
    let Some(contact) = contacts::meant(None, given.number.as_deref())? else { return Ok(Found::NotFound) };
    Ok(Found::Found {
        contact: Contact(contact.id),
        contact_name: contact.name,
        contact_company: contact.company,
        contact_email: contact.email,
        contact_language: contact.language,
        contact_groups: contact.groups,
    })
}
