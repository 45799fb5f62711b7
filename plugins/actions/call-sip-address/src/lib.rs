//! The action `call-sip-address`: calls a SIP address outside, for which no gateway stands, and connects the caller when it answers.

use plugboard_sdk::dial::{NotConnected, RingBack, Target};
use plugboard_sdk::prelude::*;

/// The parameters of `call-sip-address`.
#[derive(Parameters)]
struct CallSipAddress {
    /// The address, such as `sip:desk@partner.example`; not one of this switch.
    #[parameter(min = 3, max = 320)]
    #[text(
        ru("SIP-адрес", "Внешний адрес, например `sip:desk@partner.example`; не внутри этой системы."),
        de("SIP-Adresse", "Die Adresse, etwa `sip:desk@partner.example`; keine dieser Anlage.")
    )]
    address: String,
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

/// How it ends: exactly one of these.
#[derive(Outcome)]
enum Called {
    /// The address answered and talks to the caller.
    #[text(ru("Ответили"), de("Es wurde geantwortet"))]
    Answer,
    /// Nobody took the call: declined, busy, no such address, or one that cannot be reached.
    #[text(
        ru("Никто не принял вызов: отклонён, занято, нет такого адреса или он недоступен"),
        de("Niemand hat angenommen: abgelehnt, besetzt, keine solche Adresse, oder sie ist nicht zu erreichen")
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
    /// It was not called: it is one of this switch, or the office does not let it be called.
    #[text(
        ru("Не набран: адрес внутри системы или не разрешён офисом"),
        de("Nicht angerufen: eine Adresse dieser Anlage, oder das Büro erlaubt sie nicht")
    )]
    Refused {
        /// Why, for people.
        refused_because: String,
    },
}

/// Calls a SIP address outside.
#[action(
    ru("Позвонить на SIP-адрес", "Вызывает внешний SIP-адрес, для которого нет шлюза."),
    de("SIP-Adresse anrufen", "Ruft eine SIP-Adresse außerhalb an, für die kein Gateway steht.")
)]
fn call_sip_address(given: CallSipAddress) -> Result<Called, Failure> {
    let ring_back = match given.ring_back {
        Hears::Tone => RingBack::Tone,
        Hears::Music => RingBack::Music,
    };
    match dial::ring(&[Target::Address(given.address)], given.ring_for, ring_back) {
        Ok(_) => Ok(Called::Answer),
        Err(NotConnected::Timeout) => Ok(Called::Timeout),
        Err(NotConnected::NoAnswer(Cause { sip_status, text })) => {
            Ok(Called::NoAnswer { cause: sip_status.into(), cause_text: text })
        }
        Err(NotConnected::Invalid(why)) => {
            log::warn(&why);
            Ok(Called::Refused { refused_because: why })
        }
        Err(fault @ (NotConnected::CallerGone | NotConnected::Denied(_) | NotConnected::Talking)) => Err(fault.into()),
    }
}
