//! The action `park`: puts the caller aside until somebody fetches him.

use plugboard_sdk::call::ParkEnd;
use plugboard_sdk::call::ParkError;
use plugboard_sdk::prelude::*;

/// The parameters of `park`.
#[derive(Parameters)]
struct Park {
    /// The place; without it, the first that is free.
    #[parameter(min = 1, max = 99)]
    #[text(
        ru("Место", "Номер места парковки; если не задан, первое свободное."),
        de("Platz", "Der Parkplatz; ohne Angabe der erste freie.")
    )]
    place: Option<u32>,
    /// How long he waits there at the most.
    #[parameter(default = "5m", min = "1s", max = "1h")]
    #[text(ru("Время", "Сколько ждать самое большее."), de("Dauer", "Wie lange er dort höchstens wartet."))]
    time: Duration,
}

/// How it ends.
#[derive(Outcome)]
enum Parked {
    /// Somebody fetched him and talks to him.
    #[text(ru("Звонящего забрали"), de("Jemand hat ihn geholt"))]
    Retrieved,
    /// Nobody did in time.
    #[text(ru("Время вышло"), de("Die Zeit ist um"))]
    Timeout,
    /// The place, or every one, is taken, or the office has none of this number.
    #[text(ru("Нет свободного места"), de("Kein Platz ist frei"))]
    Full,
}

/// Puts the caller aside, with music on hold, until somebody fetches him by the code for parked calls.
#[action(
    ru("Припарковать", "Ставит звонящего на парковку, пока его не заберут."),
    de("Parken", "Stellt den Anrufer beiseite, bis ihn jemand holt.")
)]
fn park(given: Park) -> Result<Parked, Failure> {
    match call::park(given.place, given.time) {
        Ok(ParkEnd::Retrieved) => Ok(Parked::Retrieved),
        Ok(ParkEnd::TimeOver) => Ok(Parked::Timeout),
        Err(ParkError::NoPlace(why)) => {
            log::warn(&why);
            Ok(Parked::Full)
        }
        Err(ParkError::Refused(error)) => Err(error.into()),
    }
}
