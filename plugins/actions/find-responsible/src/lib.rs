//! The action `find-responsible`: finds the user who is responsible for a contact.

use plugboard_sdk::contacts;
use plugboard_sdk::prelude::*;

/// The parameters of `find-responsible`.
#[derive(Parameters)]
struct FindResponsible {
    /// The contact's number; without it, that of the other side: the caller's, or what a user of the office called.
    #[parameter(max = 64)]
    #[text(
        ru("Номер", "Номер контакта; если не задан, номер собеседника: звонящего или того, кому звонит сотрудник."),
        de(
            "Nummer",
            "Die Nummer des Kontakts; ohne Angabe die der Gegenseite: des Anrufers, oder die ein Benutzer gewählt hat."
        )
    )]
    number: Option<String>,
    /// A variable with the contact, as `find-contact` leaves it; in place of `number`.
    #[parameter(reads = "contact", max = 64)]
    #[text(
        ru("Контакт", "Переменная с контактом, как её заполняет `find-contact`; вместо номера."),
        de("Kontakt", "Eine Variable mit dem Kontakt, wie `find-contact` sie hinterlässt; an Stelle der Nummer.")
    )]
    contact: Option<String>,
}

/// How it ends.
#[derive(Outcome)]
enum Found {
    /// The number is a contact's, and somebody is responsible for him.
    #[text(ru("Ответственный найден"), de("Gefunden"))]
    Found {
        /// Who, the first of them.
        responsible: User,
        /// The others, in their order.
        additional: Vec<User>,
    },
    /// The number is no contact's, or nobody is responsible for him.
    #[text(ru("Ответственный не найден"), de("Nicht gefunden"))]
    NotFound,
}

/// Finds the user who is responsible for a contact.
#[action(
    ru("Найти ответственного", "Находит сотрудника, ответственного за контакт."),
    de("Zuständigen finden", "Findet den Benutzer, der für einen Kontakt zuständig ist.")
)]
fn find_responsible(given: FindResponsible) -> Result<Found, Failure> {
    let contact = contacts::meant(given.contact.as_deref(), given.number.as_deref())?;
    let responsible = contact.map(|contact| contact.responsible).unwrap_or_default();
    let mut users = responsible.into_iter().map(|one| User(one.user));
    let Some(first) = users.next() else { return Ok(Found::NotFound) };
    Ok(Found::Found { responsible: first, additional: users.collect() })
}
