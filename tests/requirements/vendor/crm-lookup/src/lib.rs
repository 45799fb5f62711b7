//! The action `crm-lookup` of a vendor: who looks after this customer, by the books that it has with it.

use plugboard_sdk::directory;
use plugboard_sdk::prelude::*;

/// The parameters of `crm-lookup`.
#[derive(Parameters)]
struct CrmLookup {
    /// The customer's number.
    #[parameter(min = 1, max = 64)]
    #[text(ru("Номер"), de("Nummer"))]
    number: String,
}

/// How it ends.
#[derive(Outcome)]
enum Looked {
    /// Somebody looks after him.
    #[text(ru("Найден"), de("Gefunden"))]
    Found {
        /// Who.
        agent: User,
    },
    /// Nobody knows him.
    #[text(ru("Не найден"), de("Nicht gefunden"))]
    NotFound,
}

/// Customers whose numbers end in 5 are looked after by 105, those in 4 by 104.
#[action(ru("Поиск в CRM", "Кто отвечает за клиента."), de("CRM-Suche", "Wer den Kunden betreut."))]
fn crm_lookup(given: CrmLookup) -> Result<Looked, Failure> {
    let agent = match given.number.chars().last() {
        Some('5') => "105",
        Some('4') => "104",
        _ => return Ok(Looked::NotFound),
    };
    Ok(directory::find_user(agent).map_or(Looked::NotFound, |user| Looked::Found { agent: User(user.id) }))
}
