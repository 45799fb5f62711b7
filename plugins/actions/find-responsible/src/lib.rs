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
    let number = given.number.unwrap_or_else(|| {
        let call = call::info();
        if call.caller_user.is_some() { call.called_number } else { call.caller_number }
    });
    let responsible = contacts::find(&number).map(|contact| contact.responsible).unwrap_or_default();
    let mut users = responsible.into_iter().map(|one| User(one.user));
    let Some(first) = users.next() else { return Ok(Found::NotFound) };
    Ok(Found::Found { responsible: first, additional: users.collect() })
}
