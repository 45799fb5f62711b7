//! The action `call-responsible`: rings the user who is responsible for the calling contact, then his phone outside.

mod person;

use person::{Became, Person, Tries};
use plugboard_sdk::contacts;
use plugboard_sdk::dial::RingBack;
use plugboard_sdk::prelude::*;

/// The parameters of `call-responsible`.
#[derive(Parameters)]
struct CallResponsible {
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
    /// How long his browser and his SIP phones ring.
    #[parameter(default = "20s", min = "1s", max = "10m")]
    #[text(
        ru("Время вызова", "Сколько звонят его браузер и SIP-телефоны."),
        de("Klingeldauer", "Wie lange sein Browser und seine SIP-Telefone klingeln.")
    )]
    ring_for: Duration,
    /// Which of the phones outside in his profile ring when he does not pick up in that time, or at once when he is offline.
    #[parameter(default = "first")]
    #[text(
        ru(
            "Телефоны",
            "Какие телефоны из его профиля звонят, если он не взял трубку, или сразу, если он не в системе."
        ),
        de(
            "Telefone",
            "Welche Telefone seines Profils klingeln, wenn er nicht abnimmt, oder gleich, wenn er nicht angemeldet ist."
        )
    )]
    phones: Phones,
    /// How long they ring.
    #[parameter(default = "30s", min = "1s", max = "10m")]
    #[text(
        ru("Время вызова телефонов", "Сколько звонят телефоны из профиля."),
        de("Klingeldauer der Telefone", "Wie lange die Telefone des Profils klingeln.")
    )]
    phones_ring_for: Duration,
    /// Those who are responsible besides him are tried one after the other when he did not take the call.
    #[parameter(default = false)]
    #[text(
        ru("Дополнительные", "Если он не ответил, по очереди звонить дополнительным ответственным."),
        de("Weitere", "Nimmt er den Anruf nicht an, werden die weiteren Zuständigen der Reihe nach angerufen.")
    )]
    additional: bool,
    /// What the caller hears meanwhile.
    #[parameter(default = "tone")]
    #[text(ru("Звук ожидания", "Что слышит звонящий."), de("Freizeichen", "Was der Anrufer währenddessen hört."))]
    ring_back: Hears,
}

/// Which of a user's phones outside ring.
#[derive(Choice, Clone, Copy, PartialEq)]
enum Phones {
    /// The first.
    #[text(ru("Первый"), de("Das erste"))]
    First,
    /// All of them, at once.
    #[text(ru("Все сразу"), de("Alle zugleich"))]
    All,
    /// None.
    #[text(ru("Никакие"), de("Keines"))]
    None,
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
    /// Somebody who is responsible answered and talks to the caller.
    #[text(ru("Ответили"), de("Jemand hat geantwortet"))]
    Answer {
        /// Who.
        answered_by: User,
    },
    /// Nobody took the call: declined, or not to be reached.
    #[text(
        ru("Никто не принял вызов: отклонён или недоступен"),
        de("Niemand hat angenommen: abgelehnt oder nicht erreichbar")
    )]
    NoAnswer {
        /// The SIP status, such as 486.
        cause: i64,
        /// Its text.
        cause_text: String,
    },
    /// The time is over, or nobody pressed the key at the phone outside.
    #[text(ru("Время вызова вышло"), de("Die Klingeldauer ist um"))]
    Timeout,
    /// Nobody was rung.
    #[text(ru("Пропущено: звонить некому"), de("Übersprungen: niemand wurde angerufen"))]
    Skipped {
        /// `unknown-contact`, `nobody-responsible`, `offline` or `busy`; with several who are responsible, why the first was not rung.
        skipped_because: String,
    },
}

/// Rings the user who is responsible for the calling contact, then his phone outside.
#[action(
    ru(
        "Позвонить ответственному",
        "Вызывает сотрудника, ответственного за звонящий контакт, затем его мобильный телефон."
    ),
    de(
        "Zuständigen anrufen",
        "Ruft den Benutzer an, der für den anrufenden Kontakt zuständig ist, danach sein Mobiltelefon."
    )
)]
fn call_responsible(given: CallResponsible) -> Result<Called, Failure> {
    let caller = call::info().caller_user;
    let Some(contact) = contacts::meant(given.contact.as_deref(), given.number.as_deref())? else {
        return Ok(Called::skipped("unknown-contact"));
    };
    let tries = Tries {
        ring_for: given.ring_for,
        phones: given.phones != Phones::None,
        all: given.phones == Phones::All,
        phones_ring_for: given.phones_ring_for,
        ring_back: match given.ring_back {
            Hears::Tone => RingBack::Tone,
            Hears::Music => RingBack::Music,
        },
    };
    let wanted = if given.additional { contact.responsible.len() } else { 1 };
    // Whoever calls is not rung with his own call.
    let people = contact.responsible.into_iter().filter(|one| Some(&one.user) != caller.as_ref()).take(wanted);
    let (mut timed_out, mut best, mut passed_over, mut refused) = (false, None, None, None);
    for one in people {
        let person = Person { user: one.user, has_phones: one.phones > 0 };
        match person.tried(&tries)? {
            Became::Answer(user) => return Ok(Called::Answer { answered_by: User(user) }),
            Became::Timeout => timed_out = true,
            Became::NoAnswer(cause) => best = best.or(Some(cause)),
            Became::Skipped(why) => passed_over = passed_over.or(Some(why)),
            Became::Refused(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    if timed_out {
        return Ok(Called::Timeout);
    }
    match (best, refused) {
        (Some(Cause { sip_status, text }), _) => Ok(Called::NoAnswer { cause: sip_status.into(), cause_text: text }),
        (None, Some(refusal)) => Err(refusal.into()),
        (None, None) => Ok(Called::skipped(passed_over.unwrap_or("nobody-responsible"))),
    }
}

impl Called {
    fn skipped(why: &str) -> Self {
        Self::Skipped { skipped_because: why.into() }
    }
}
