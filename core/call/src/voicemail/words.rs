//! What mailboxes say, in three languages.

/// A moment by the office's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// 1 to 31.
    pub day: u8,
    /// 1 to 12.
    pub month: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// Something that a mailbox says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phrase {
    /// Before the beep, where the mailbox has no greeting of its own.
    Greeting {
        /// Whose mailbox.
        name: String,
    },
    /// There is no room for one more message.
    Full,
    /// The message is kept.
    MessageKept,
    /// The disk ended it: what was said before is kept.
    MessageCut,
    /// The disk took nothing of it.
    MessageLost,
    /// Nobody was heard, or hardly: it is not kept.
    NothingSaid,
    /// Which mailbox?
    EnterMailbox,
    /// Which PIN?
    EnterPin,
    /// It is not that.
    WrongPin,
    /// Too many were wrong.
    Locked,
    /// What is there, and what keys do.
    Menu {
        /// Not heard yet.
        new: usize,
        /// Heard.
        old: usize,
    },
    /// Before a message.
    Header {
        /// Name or number, empty when withheld.
        from: String,
        /// When it was left.
        at: Moment,
    },
    /// What keys do after a message.
    MessageKeys,
    /// There is none after this one.
    NoMore,
    /// It is gone.
    Deleted,
    /// It is kept.
    Saved,
    /// A message cannot be read.
    NotPlayable,
    /// Speak after the tone.
    RecordGreeting,
    /// What keys do after a new greeting.
    KeepGreeting,
    /// The end.
    Goodbye,
}

/// Which language is spoken.
#[derive(Clone, Copy)]
enum Tongue {
    English,
    Russian,
    German,
}

impl Phrase {
    /// The prompt of an office that is heard in place of the words: `voicemail-` and this.
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::Greeting { .. } => "greeting",
            Self::Full => "full",
            Self::MessageKept => "message-kept",
            Self::MessageCut => "message-cut",
            Self::MessageLost => "message-lost",
            Self::NothingSaid => "nothing-said",
            Self::EnterMailbox => "enter-mailbox",
            Self::EnterPin => "enter-pin",
            Self::WrongPin => "wrong-pin",
            Self::Locked => "locked",
            Self::Menu { .. } => "menu",
            Self::Header { .. } => "header",
            Self::MessageKeys => "message-keys",
            Self::NoMore => "no-more",
            Self::Deleted => "deleted",
            Self::Saved => "saved",
            Self::NotPlayable => "not-playable",
            Self::RecordGreeting => "record-greeting",
            Self::KeepGreeting => "keep-greeting",
            Self::Goodbye => "goodbye",
        }
    }

    /// The office's prompt for it; what names numbers, people or times has none.
    pub fn prompt(&self) -> Option<String> {
        let fixed = !matches!(self, Self::Menu { .. } | Self::Header { .. });
        fixed.then(|| format!("voicemail-{}", self.slug()))
    }

    /// Bad news: where nothing can be read aloud, another tone tells it.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Full
            | Self::MessageCut
            | Self::MessageLost
            | Self::NothingSaid
            | Self::WrongPin
            | Self::Locked
            | Self::NotPlayable
            | Self::NoMore => true,
            Self::Greeting { .. }
            | Self::MessageKept
            | Self::EnterMailbox
            | Self::EnterPin
            | Self::Menu { .. }
            | Self::Header { .. }
            | Self::MessageKeys
            | Self::Deleted
            | Self::Saved
            | Self::RecordGreeting
            | Self::KeepGreeting
            | Self::Goodbye => false,
        }
    }

    /// The words in a language (BCP 47), and the language that they are in: English for one that we do not speak.
    pub fn words(&self, language: &str) -> (String, &'static str) {
        let tongue = match language.split('-').next() {
            Some("ru") => Tongue::Russian,
            Some("de") => Tongue::German,
            Some(_) | None => Tongue::English,
        };
        let text = match self {
            Self::Menu { new, old } => menu(tongue, *new, *old),
            Self::Header { from, at } => header(tongue, from, *at),
            Self::Greeting { name } => match tongue {
                Tongue::English => format!("{name} cannot take your call. Please leave a message after the tone."),
                Tongue::Russian => format!("{name}: сейчас никто не может ответить. Оставьте сообщение после сигнала."),
                Tongue::German => {
                    format!("{name} kann Ihren Anruf nicht annehmen. Bitte sprechen Sie nach dem Signalton.")
                }
            },
            Self::Full
            | Self::MessageKept
            | Self::MessageCut
            | Self::MessageLost
            | Self::NothingSaid
            | Self::EnterMailbox
            | Self::EnterPin
            | Self::WrongPin
            | Self::Locked
            | Self::MessageKeys
            | Self::NoMore
            | Self::Deleted
            | Self::Saved
            | Self::NotPlayable
            | Self::RecordGreeting
            | Self::KeepGreeting
            | Self::Goodbye => {
                let [english, russian, german] = self.fixed();
                match tongue {
                    Tongue::English => english.to_owned(),
                    Tongue::Russian => russian.to_owned(),
                    Tongue::German => german.to_owned(),
                }
            }
        };
        let language = match tongue {
            Tongue::English => "en",
            Tongue::Russian => "ru",
            Tongue::German => "de",
        };
        (text, language)
    }

    const fn fixed(&self) -> [&'static str; 3] {
        match self {
            // Those that name something have words of their own.
            Self::Greeting { .. } | Self::Menu { .. } | Self::Header { .. } => [""; 3],
            Self::Full => [
                "Nobody can take your call, and the mailbox is full.",
                "Никто не может ответить, и почтовый ящик переполнен.",
                "Niemand kann Ihren Anruf annehmen, und die Mailbox ist voll.",
            ],
            Self::MessageKept => [
                "Your message is saved. Goodbye.",
                "Ваше сообщение сохранено. До свидания.",
                "Ihre Nachricht ist gespeichert. Auf Wiederhören.",
            ],
            Self::MessageCut => [
                "Only the first part of your message could be saved.",
                "Сохранено только начало вашего сообщения.",
                "Nur der Anfang Ihrer Nachricht konnte gespeichert werden.",
            ],
            Self::MessageLost => [
                "Your message could not be saved. Please call again later.",
                "Сообщение не удалось сохранить. Перезвоните позже.",
                "Ihre Nachricht konnte nicht gespeichert werden. Bitte rufen Sie später an.",
            ],
            Self::NothingSaid => ["Nothing was recorded.", "Ничего не записано.", "Es wurde nichts aufgenommen."],
            Self::EnterMailbox => [
                "Enter the number of the mailbox, then the hash key.",
                "Введите номер почтового ящика и решётку.",
                "Geben Sie die Nummer der Mailbox ein, dann die Rautetaste.",
            ],
            Self::EnterPin => [
                "Enter your PIN, then the hash key.",
                "Введите пин-код и решётку.",
                "Geben Sie Ihre PIN ein, dann die Rautetaste.",
            ],
            Self::WrongPin => ["That is not right.", "Неверно.", "Das ist nicht richtig."],
            Self::Locked => [
                "Too many attempts. Please try again later.",
                "Слишком много попыток. Попробуйте позже.",
                "Zu viele Versuche. Bitte versuchen Sie es später.",
            ],
            Self::MessageKeys => [
                "1: again. 2: next. 3: delete. 4: save. 0: menu.",
                "1: ещё раз. 2: следующее. 3: удалить. 4: сохранить. 0: меню.",
                "1: noch einmal. 2: nächste. 3: löschen. 4: speichern. 0: Menü.",
            ],
            Self::NoMore => ["No more messages.", "Больше сообщений нет.", "Keine weiteren Nachrichten."],
            Self::Deleted => ["Deleted.", "Удалено.", "Gelöscht."],
            Self::Saved => ["Saved.", "Сохранено.", "Gespeichert."],
            Self::NotPlayable => [
                "This message cannot be played.",
                "Это сообщение нельзя воспроизвести.",
                "Diese Nachricht kann nicht abgespielt werden.",
            ],
            Self::RecordGreeting => [
                "Speak your greeting after the tone, then press the hash key.",
                "Произнесите приветствие после сигнала и нажмите решётку.",
                "Sprechen Sie Ihre Ansage nach dem Signalton, dann drücken Sie die Rautetaste.",
            ],
            Self::KeepGreeting => [
                "1: keep. 2: record again. 3: delete.",
                "1: сохранить. 2: записать заново. 3: удалить.",
                "1: behalten. 2: neu aufnehmen. 3: löschen.",
            ],
            Self::Goodbye => ["Goodbye.", "До свидания.", "Auf Wiederhören."],
        }
    }
}

fn menu(tongue: Tongue, new: usize, old: usize) -> String {
    match tongue {
        Tongue::English => format!(
            "New messages: {new}. Old messages: {old}. 1: new messages. 2: old messages. 5: record a greeting. 9: end."
        ),
        Tongue::Russian => format!(
            "Новых сообщений: {new}. Прослушанных: {old}. 1: новые. 2: прослушанные. 5: записать приветствие. 9: выход."
        ),
        Tongue::German => format!(
            "Neue Nachrichten: {new}. Alte Nachrichten: {old}. 1: neue. 2: alte. 5: Ansage aufnehmen. 9: beenden."
        ),
    }
}

fn header(tongue: Tongue, from: &str, at: Moment) -> String {
    let Moment { day, month, hour, minute } = at;
    let name = month_name(tongue, month);
    // A number is read digit by digit.
    let is_number = from.chars().all(|c| c.is_ascii_digit() || c == '+');
    let spelled: String = from.chars().flat_map(|c| [c, ' ']).collect();
    let from = if is_number { spelled.trim_end() } else { from };
    match tongue {
        Tongue::English => {
            let from = if from.is_empty() { "an unknown number" } else { from };
            format!("From {from}, {name} {day}, {hour}:{minute:02}.")
        }
        Tongue::Russian => {
            let from = if from.is_empty() { "неизвестного номера" } else { from };
            format!("От {from}, {day} {name}, {hour}:{minute:02}.")
        }
        Tongue::German => {
            let from = if from.is_empty() { "unbekannt" } else { from };
            format!("Von {from}, {day}. {name}, {hour}:{minute:02} Uhr.")
        }
    }
}

fn month_name(tongue: Tongue, month: u8) -> &'static str {
    const ENGLISH: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const RUSSIAN: [&str; 12] = [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ];
    const GERMAN: [&str; 12] = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ];
    let names = match tongue {
        Tongue::English => &ENGLISH,
        Tongue::Russian => &RUSSIAN,
        Tongue::German => &GERMAN,
    };
    names.get(usize::from(month).saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_by_whom_and_when_in_the_language_of_the_office() {
        let header = Phrase::Header { from: "102".into(), at: Moment { day: 3, month: 12, hour: 9, minute: 5 } };
        assert_eq!(header.words("en-GB"), ("From 1 0 2, December 3, 9:05.".into(), "en"));
        assert_eq!(header.words("de"), ("Von 1 0 2, 3. Dezember, 9:05 Uhr.".into(), "de"));
        assert_eq!(header.words("ru").0, "От 1 0 2, 3 декабря, 9:05.");
        let hidden = Phrase::Header { from: String::new(), at: Moment { day: 3, month: 1, hour: 9, minute: 5 } };
        assert_eq!(hidden.words("fr"), ("From an unknown number, January 3, 9:05.".into(), "en"));
    }

    #[test]
    fn what_names_nothing_may_be_a_prompt_of_the_office() {
        assert_eq!(Phrase::Locked.prompt().as_deref(), Some("voicemail-locked"));
        assert_eq!(Phrase::Menu { new: 1, old: 0 }.prompt(), None);
    }
}
