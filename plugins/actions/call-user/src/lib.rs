//! The action `call-user`: rings one user, several, or the one that a variable holds, and connects the caller to
//! whoever answers first.

mod target;

use plugboard_sdk::dial::{Connected, NotConnected, RingBack, Target};
use plugboard_sdk::prelude::*;
use target::OneOrMore;

/// The parameters of `call-user`.
#[derive(Parameters)]
struct CallUser {
    /// How the target is given.
    #[text(ru("Способ", "Как задан адресат."), de("Art", "Wie das Ziel angegeben ist."))]
    mode: Mode,
    /// The internal number or id of a user, a list of them, or the name of a variable of type `user`.
    #[parameter(by(mode, user(names = "user"), list(names = "user"), variable(reads = "user")))]
    #[text(
        ru("Кому", "Внутренний номер или имя пользователя, их список, или имя переменной типа `user`."),
        de(
            "Ziel",
            "Interne Nummer oder Kennung eines Benutzers, eine Liste davon, oder eine Variable vom Typ `user`."
        )
    )]
    target: OneOrMore,
    /// How long to ring.
    #[parameter(default = "20s", min = "1s", max = "10m")]
    #[text(ru("Время вызова", "Сколько времени звонить."), de("Klingeldauer", "Wie lange es klingelt."))]
    ring_for: Duration,
    /// What the caller hears meanwhile.
    #[parameter(default = "tone")]
    #[text(ru("Звук ожидания", "Что слышит звонящий."), de("Freizeichen", "Was der Anrufer währenddessen hört."))]
    ring_back: Hears,
}

/// How the target is given.
#[derive(Choice)]
enum Mode {
    /// One user by his internal number or id.
    #[text(ru("Пользователь"), de("Ein Benutzer"))]
    User,
    /// A list of users, who ring at once.
    #[text(ru("Список"), de("Eine Liste"))]
    List,
    /// A variable that an earlier step assigned.
    #[text(ru("Переменная"), de("Eine Variable"))]
    Variable,
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
    /// Somebody answered and talks to the caller.
    #[text(ru("Ответили"), de("Jemand hat geantwortet"))]
    Answer {
        /// Who.
        answered_by: User,
    },
    /// Nobody took the call: declined, busy or not to be reached.
    #[text(
        ru("Никто не принял вызов: отклонён, занято или недоступен"),
        de("Niemand hat angenommen: abgelehnt, besetzt oder nicht erreichbar")
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

/// Rings users and connects the caller to the first that answers.
#[action(
    ru("Позвонить пользователю", "Вызывает пользователей и соединяет звонящего с первым ответившим."),
    de("Benutzer anrufen", "Ruft Benutzer an und verbindet den Anrufer mit dem ersten, der antwortet.")
)]
fn call_user(given: CallUser) -> Result<Called, Failure> {
    let users = match given.mode {
        Mode::User => found(std::slice::from_ref(given.target.only()?)),
        Mode::List => found(given.target.all()),
        Mode::Variable => assigned(given.target.only()?)?,
    };
    let Some(first) = users.first().cloned() else {
        return Ok(Called::NoAnswer { cause: 404, cause_text: "No such user".into() });
    };
    let targets: Vec<_> = users.into_iter().map(Target::User).collect();
    let ring_back = match given.ring_back {
        Hears::Tone => RingBack::Tone,
        Hears::Music => RingBack::Music,
    };
    match dial::ring(&targets, given.ring_for, ring_back) {
        Ok(Connected { user, .. }) => Ok(Called::Answer { answered_by: User(user.unwrap_or(first)) }),
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

/// The ids of these users, each once; one that the office does not have is left out with a line in the log.
fn found(names: &[String]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for name in names {
        match directory::find_user(name) {
            Some(user) if ids.contains(&user.id) => {}
            Some(user) => ids.push(user.id),
            None => log::warn(&format!("there is no user {name} in this office")),
        }
    }
    ids
}

/// The user or users that a variable holds.
fn assigned(name: &str) -> Result<Vec<String>, Failure> {
    match variables::get(name) {
        Some(Value::User(user)) => Ok(vec![user]),
        Some(Value::Users(users)) => Ok(users),
        Some(_) => Err(Failure::new(format!("the variable {name} is not of type user"))),
        None => Err(Failure::new(format!("the variable {name} is not assigned"))),
    }
}
