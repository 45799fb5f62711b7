//! The action `call-number`: calls an outside number through the gateways that the office's routes lead to, and connects the
//! caller when it answers.

use plugboard_sdk::dial::{Line, NotConnected, RingBack, Target};
use plugboard_sdk::prelude::*;

/// The parameters of `call-number`.
#[derive(Parameters)]
struct CallNumber {
    /// The number, as a user of the office would dial it.
    #[parameter(min = 1, max = 64)]
    #[text(
        en("Number"),
        ru("Номер", "Номер, как его набрал бы пользователь офиса."),
        de("Nummer", "Die Nummer, wie ein Benutzer des Büros sie wählte.")
    )]
    number: String,
    /// Through this gateway of the office alone, in place of those that its routes lead to.
    #[parameter(min = 1, max = 64)]
    #[text(
        ru("Шлюз", "Только через этот шлюз офиса, а не по маршрутам."),
        de("Gateway", "Nur über dieses Gateway des Büros, statt über die, zu denen seine Routen führen.")
    )]
    gateway: Option<String>,
    /// Whoever answers has to press 1 before he is connected: so a mailbox does not take the call.
    #[parameter(default = false)]
    #[text(
        ru("Подтверждение", "Ответивший должен нажать 1, чтобы вызов не забрал автоответчик."),
        de("Bestätigen", "Wer abnimmt, muss die 1 drücken: so nimmt keine Mailbox den Anruf an.")
    )]
    confirm: bool,
    /// How long to ring.
    #[parameter(default = "60s", min = "1s", max = "10m")]
    #[text(ru("Время вызова", "Сколько времени звонить."), de("Klingeldauer", "Wie lange es klingelt."))]
    ring_for: Duration,
    /// What the caller hears until the gateway is heard.
    #[parameter(default = "tone")]
    #[text(
        ru("Звук ожидания", "Что слышит звонящий, пока не слышен шлюз."),
        de("Freizeichen", "Was der Anrufer hört, bis der Weg nach draußen zu hören ist.")
    )]
    ring_back: Hears,
}

/// What the caller hears while it rings.
#[derive(Choice, Clone, Copy)]
enum Hears {
    /// The ring-back tone, or what the gateway says before it answers.
    #[text(ru("Гудки"), de("Freiton"))]
    Tone,
    /// Music on hold.
    #[text(ru("Музыка"), de("Musik"))]
    Music,
}

/// How it ends: exactly one of these.
#[derive(Outcome)]
enum Called {
    /// The number answered and talks to the caller.
    #[text(ru("Ответили"), de("Es wurde geantwortet"))]
    Answer,
    /// Nobody took the call: declined, busy, no such number, or no gateway carries it.
    #[text(
        ru("Никто не принял вызов: отклонён, занято, нет такого номера или шлюза"),
        de("Niemand hat angenommen: abgelehnt, besetzt, keine solche Nummer, oder kein Gateway trägt den Anruf")
    )]
    NoAnswer {
        /// The SIP status, such as 486.
        cause: i64,
        /// Its text.
        cause_text: String,
    },
    /// The time is over.
    #[text(ru("Время вызова вышло"), de("Die Klingeldauer ist um"))]
    Timeout,
}

/// Calls an outside number through the gateways of the office.
#[action(
    ru("Позвонить через шлюз", "Вызывает внешний номер через шлюзы офиса."),
    de("Nach draußen anrufen", "Ruft eine Nummer außerhalb über die Gateways des Büros an.")
)]
fn call_number(given: CallNumber) -> Result<Called, Failure> {
    let ring_back = match given.ring_back {
        Hears::Tone => RingBack::Tone,
        Hears::Music => RingBack::Music,
    };
    let target = match (given.gateway, given.confirm) {
        (None, false) => Target::Number(given.number),
        (gateway, confirm) => Target::Line(Line { number: given.number, gateway, confirm }),
    };
    match dial::ring(&[target], given.ring_for, ring_back) {
        Ok(_) => Ok(Called::Answer),
        Err(NotConnected::Timeout) => Ok(Called::Timeout),
        Err(NotConnected::NoAnswer(Cause { sip_status, text })) => {
            Ok(Called::NoAnswer { cause: sip_status.into(), cause_text: text })
        }
        Err(
            fault @ (NotConnected::CallerGone
            | NotConnected::Denied(_)
            | NotConnected::Invalid(_)
            | NotConnected::Talking),
        ) => Err(fault.into()),
    }
}
