//! The action `transfer`: hands the caller on to somebody, and ends the scenario.

use plugboard_sdk::dial::{NotConnected, RingBack, Target};
use plugboard_sdk::prelude::*;

/// The parameters of `transfer`.
#[derive(Parameters)]
struct Transfer {
    /// To whom: the internal number or id of a user or a group, or an outside number as a user of the office would dial it.
    #[parameter(min = 1, max = 64)]
    #[text(
        ru("Кому", "Внутренний номер или имя пользователя или группы, или внешний номер."),
        de("Ziel", "Interne Nummer oder Kennung eines Benutzers oder einer Gruppe, oder eine Nummer außerhalb.")
    )]
    to: String,
    /// How long to ring.
    #[parameter(default = "60s", min = "1s", max = "10m")]
    #[text(ru("Время вызова", "Сколько времени звонить."), de("Klingeldauer", "Wie lange es klingelt."))]
    ring_for: Duration,
    /// What the caller hears meanwhile.
    #[parameter(default = "tone")]
    #[text(ru("Звук ожидания", "Что слышит звонящий."), de("Freizeichen", "Was der Anrufer währenddessen hört."))]
    ring_back: Hears,
}

/// What the caller hears while it rings.
#[derive(Choice, Clone, Copy)]
enum Hears {
    /// The ring-back tone.
    #[text(ru("Гудки"), de("Freiton"))]
    Tone,
    /// Music on hold.
    #[text(ru("Музыка"), de("Musik"))]
    Music,
}

/// After it nothing follows; a call that nobody answers is over.
#[derive(Outcome)]
enum Transferred {
    /// Somebody answered and has the caller.
    #[text(ru("Ответили"), de("Jemand hat geantwortet"))]
    Answer,
}

/// Hands the caller on: whoever answers has him, and if nobody does he is hung up with the cause.
#[action(
    ru("Перевести", "Переводит звонящего на другой номер и завершает сценарий."),
    de("Weiterverbinden", "Gibt den Anrufer weiter und beendet das Szenario.")
)]
fn transfer(given: Transfer) -> Result<Transferred, Failure> {
    let target = match (directory::find_user(&given.to), directory::find_group(&given.to)) {
        (Some(user), _) => Target::User(user.id),
        (None, Some(group)) => Target::Group(group.id),
        (None, None) => Target::Number(given.to),
    };
    let ring_back = match given.ring_back {
        Hears::Tone => RingBack::Tone,
        Hears::Music => RingBack::Music,
    };
    let cause = match dial::ring(&[target], given.ring_for, ring_back) {
        Ok(_) => return Ok(Transferred::Answer),
        Err(NotConnected::Timeout) => Cause { sip_status: 480, text: "Nobody answered".into() },
        Err(NotConnected::NoAnswer(cause)) => cause,
        Err(
            fault @ (NotConnected::CallerGone
            | NotConnected::Denied(_)
            | NotConnected::Invalid(_)
            | NotConnected::Talking),
        ) => return Err(fault.into()),
    };
    call::hang_up(&cause)?;
    Err(Failure::CallOver)
}
