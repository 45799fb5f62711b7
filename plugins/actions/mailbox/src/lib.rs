//! The action `mailbox`: lets the caller hear the messages of a mailbox and record its greeting.

use plugboard_sdk::prelude::*;
use plugboard_sdk::voicemail::{self, Closed, Mailbox};

/// The parameters of `mailbox`.
#[derive(Parameters)]
struct Open {
    /// The internal number or id of the user whose mailbox it is. Without user and group: the caller's own, or the one whose number he
    /// enters.
    #[parameter(min = 1, max = 64, names = "user")]
    #[text(
        ru(
            "Пользователь",
            "Внутренний номер или имя владельца ящика; без пользователя и группы: свой ящик звонящего или тот, чей номер он введёт."
        ),
        de(
            "Benutzer",
            "Die interne Nummer oder Kennung, wessen Mailbox es ist; ohne Benutzer und Gruppe: die eigene des Anrufers, oder deren Nummer er eingibt."
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
}

/// How it ends.
#[derive(Outcome)]
enum Ended {
    /// The caller had done in it what he wanted.
    #[text(ru("Готово"), de("Erledigt"))]
    Done,
    /// It was not opened: a wrong PIN, or it is locked for a while.
    #[text(ru("Ящик не открыт"), de("Nicht geöffnet"))]
    Refused,
}

/// Lets the caller hear, save and delete the messages of a mailbox, and record its greeting.
#[action(
    ru("Почтовый ящик", "Даёт звонящему прослушать, сохранить и удалить сообщения и записать приветствие."),
    de("Mailbox abhören", "Lässt den Anrufer Nachrichten hören, speichern und löschen und eine Ansage aufnehmen.")
)]
fn mailbox(given: Open) -> Result<Ended, Failure> {
    let mailbox = whose(given.user.as_deref(), given.group.as_deref())?;
    match voicemail::open(mailbox.as_ref())? {
        Closed::Done => Ok(Ended::Done),
        Closed::Refused => Ok(Ended::Refused),
    }
}

fn whose(user: Option<&str>, group: Option<&str>) -> Result<Option<Mailbox>, Failure> {
    match (user, group) {
        (Some(_), Some(_)) => Err(Failure::new("a mailbox is a user's or a group's, not both")),
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
