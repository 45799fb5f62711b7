//! The action `voicemail`: takes a message of the caller for a user or a group.

use plugboard_sdk::prelude::*;
use plugboard_sdk::voicemail::{self, Leave, Left, Mailbox, VoicemailError};

/// The parameters of `voicemail`.
#[derive(Parameters)]
struct Voicemail {
    /// The internal number or id of the user whose mailbox it is. Without user and group: of whoever's forward led here, else of whom
    /// the scenario rang last, else of whoever handed the call on, else of whom the called number belongs to.
    #[parameter(min = 1, max = 64, names = "user")]
    #[text(
        ru(
            "Пользователь",
            "Внутренний номер или имя владельца ящика; без пользователя и группы: того, чья переадресация привела сюда, иначе того, кому звонил сценарий, иначе того, кто передал вызов, иначе того, чей номер набран."
        ),
        de(
            "Benutzer",
            "Die interne Nummer oder Kennung, wessen Mailbox es ist; ohne Benutzer und Gruppe: wessen Umleitung hierher führte, sonst wer zuletzt gerufen wurde, sonst wer den Anruf weitergegeben hat, sonst wem die gewählte Nummer gehört."
        )
    )]
    user: Option<String>,
    /// The internal number or id of the group whose mailbox it is.
    #[parameter(min = 1, max = 64, names = "group")]
    #[text(
        ru("Группа", "Внутренний номер или имя группы, чей это ящик."),
        de("Gruppe", "Die interne Nummer oder Kennung der Gruppe, deren Mailbox es ist.")
    )]
    group: Option<String>,
    /// A prompt that is heard before the beep, in place of the mailbox's own greeting.
    #[parameter(min = 1, max = 128, names = "prompt")]
    #[text(
        ru("Приветствие", "Сообщение перед сигналом вместо собственного приветствия ящика."),
        de("Begrüßung", "Eine Ansage vor dem Signalton anstelle der eigenen der Mailbox.")
    )]
    greeting: Option<String>,
    /// The longest message; without it, as the office has it.
    #[parameter(min = "5s", max = "30m")]
    #[text(
        ru("Не дольше", "Самое длинное сообщение; если не задано, как в офисе."),
        de("Höchstens", "Die längste Nachricht; ohne Angabe wie im Büro.")
    )]
    max: Option<Duration>,
    /// The silence that ends a message; without it, as the office has it.
    #[parameter(min = "2s", max = "60s")]
    #[text(
        ru("Тишина", "Тишина, которая заканчивает сообщение; если не задано, как в офисе."),
        de("Stille", "Die Stille, die eine Nachricht beendet; ohne Angabe wie im Büro.")
    )]
    silence: Option<Duration>,
}

/// How it ends.
#[derive(Outcome)]
enum Taken {
    /// A message is kept.
    #[text(ru("Сообщение записано"), de("Eine Nachricht ist aufgenommen"))]
    Recorded,
    /// Nothing was said, or too little.
    #[text(ru("Ничего не сказано"), de("Es wurde nichts gesagt"))]
    Empty,
    /// The mailbox has no room.
    #[text(ru("Ящик переполнен"), de("Die Mailbox ist voll"))]
    Full,
}

/// Greets the caller, beeps and takes his message for a user or a group.
#[action(
    ru("Голосовая почта", "Приветствует звонящего и после сигнала записывает его сообщение пользователю или группе."),
    de(
        "Mailbox",
        "Begrüßt den Anrufer und nimmt nach dem Signalton seine Nachricht für einen Benutzer oder eine Gruppe auf."
    )
)]
fn voicemail(given: Voicemail) -> Result<Taken, Failure> {
    let mailbox = whose(given.user.as_deref(), given.group.as_deref())?;
    let options = Leave { mailbox, greeting: given.greeting, longest: given.max, silence: given.silence };
    match voicemail::leave(options) {
        Ok(Left::Recorded) => Ok(Taken::Recorded),
        Ok(Left::Empty) => Ok(Taken::Empty),
        Ok(Left::Full) => Ok(Taken::Full),
        Err(
            error @ (VoicemailError::CallerGone
            | VoicemailError::Talking
            | VoicemailError::NoMailbox(_)
            | VoicemailError::NotKept(_)
            | VoicemailError::NoMedia(_)
            | VoicemailError::Invalid(_)),
        ) => Err(error.into()),
    }
}

fn whose(user: Option<&str>, group: Option<&str>) -> Result<Option<Mailbox>, Failure> {
    match (user, group) {
        (Some(_), Some(_)) => Err(Failure::new("a message is for a user or for a group, not for both")),
        (Some(user), None) => match directory::find_user(user) {
            Some(found) => Ok(Some(Mailbox::User(found.id))),
            None => Err(Failure::new(["there is no user ", user, " in this office"].concat())),
        },
        (None, Some(group)) => match directory::find_group(group) {
            Some(found) => Ok(Some(Mailbox::Group(found.id))),
            None => Err(Failure::new(["there is no group ", group, " in this office"].concat())),
        },
        (None, None) => Ok(None),
    }
}
