//! The action `search-history`: finds the user who talked last with a number.

use plugboard_sdk::history::{self, HistoryError};
use plugboard_sdk::prelude::*;
use plugboard_sdk::variables::Moment;

/// The parameters of `search-history`.
#[derive(Parameters)]
struct SearchHistory {
    /// The number; without it, the caller's.
    #[parameter(max = 64)]
    #[text(
        ru("Номер", "Номер; если не задан, номер звонящего."),
        de("Nummer", "Die Nummer; ohne Angabe die des Anrufers.")
    )]
    number: Option<String>,
    /// How many days back.
    #[parameter(default = 365, min = 1, max = 3650)]
    #[text(ru("Дней", "За сколько последних дней."), de("Tage", "Wie viele Tage zurück."))]
    days: u32,
    /// A variable that gets the user as well, besides `last_user`.
    #[parameter(min = 1, max = 64, assigns = "user", after = "found")]
    #[text(
        ru("Переменная", "Переменная, которая кроме `last_user` получит сотрудника."),
        de("Variable", "Eine Variable, die außer `last_user` den Benutzer bekommt.")
    )]
    variable: Option<String>,
}

/// How it ends.
#[derive(Outcome)]
enum Searched {
    /// Somebody who is still in the office talked with the number.
    #[text(ru("Сотрудник найден"), de("Gefunden"))]
    Found {
        /// Who, the last time.
        last_user: User,
        /// When they began.
        last_talk: Moment,
    },
    /// Nobody did, or the caller shows no number.
    #[text(ru("Никто не найден"), de("Nicht gefunden"))]
    NotFound,
}

/// Finds the user who talked last with a number, whoever called whom.
#[action(
    ru("Поиск в истории", "Находит сотрудника, который последним говорил с номером."),
    de("Suche im Verlauf", "Findet, wer zuletzt mit einer Nummer gesprochen hat.")
)]
fn search_history(given: SearchHistory) -> Result<Searched, Failure> {
    let number = match given.number {
        Some(number) => number,
        None => call::info().caller_number,
    };
    if number.is_empty() {
        return Ok(Searched::NotFound);
    }
    let talk = history::last_talk(&number, given.days).map_err(|error| match error {
        HistoryError::Unavailable(why) => Failure::new(["the history cannot be read: ", &why].concat()),
        HistoryError::Invalid(which) => Failure::new(["the switch refused a parameter: ", &which].concat()),
    })?;
    let Some(talk) = talk else { return Ok(Searched::NotFound) };
    if let Some(variable) = given.variable {
        variables::set(&variable, User(talk.user.clone()))?;
    }
    Ok(Searched::Found { last_user: User(talk.user), last_talk: Moment(talk.at) })
}
