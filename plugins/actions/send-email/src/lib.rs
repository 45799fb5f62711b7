//! The action `send-email`: puts an e-mail into the office's outbox.

use plugboard_sdk::mail::{self, Attachment, Content, Message, Written};
use plugboard_sdk::prelude::*;

/// The parameters of `send-email`.
#[derive(Parameters)]
struct SendEmail {
    /// To whom: addresses, or users and groups by internal number or id.
    #[parameter(min = 1, max = 32, names = "recipient")]
    #[text(
        ru("Кому", "Адреса, либо пользователи и группы по внутреннему номеру или идентификатору."),
        de("An", "Adressen, oder Benutzer und Gruppen mit interner Nummer oder Kennung.")
    )]
    to: Vec<String>,
    /// A mail of the office that is written already, in place of `subject` and `text`.
    #[parameter(min = 1, max = 64, names = "mail-template")]
    #[text(
        ru("Шаблон", "Готовое письмо офиса вместо темы и текста."),
        de("Vorlage", "Eine fertige Mail des Büros anstelle von Betreff und Text.")
    )]
    template: Option<String>,
    /// The subject: one line.
    #[parameter(min = 1, max = 200)]
    #[text(ru("Тема", "Одна строка."), de("Betreff", "Eine Zeile."))]
    subject: Option<String>,
    /// The text.
    #[parameter(max = 4096)]
    #[text(ru("Текст", "Текст письма."), de("Text", "Der Text der Mail."))]
    text: Option<String>,
    /// What goes along, if the call has it.
    #[parameter(max = 3)]
    #[text(ru("Вложения", "Что приложить, если оно есть."), de("Anhang", "Was mitgeht, wenn der Anruf es hat."))]
    attach: Option<Vec<Attach>>,
}

/// What goes along.
#[derive(Choice, Clone, Copy)]
enum Attach {
    /// The voice message that was left last.
    #[text(ru("Голосовое сообщение"), de("Die Sprachnachricht"))]
    Voicemail,
    /// The call's recording, as far as it is when the mail leaves.
    #[text(ru("Запись разговора"), de("Die Aufnahme"))]
    Recording,
    /// The fax that was received last.
    #[text(ru("Факс"), de("Das Fax"))]
    Fax,
}

/// How it ends.
#[derive(Outcome)]
enum Sent {
    /// It is kept, and leaves by itself.
    #[text(ru("Письмо принято к отправке"), de("Die Mail ist angenommen"))]
    Queued {
        /// Its name in the outbox.
        notice: String,
    },
}

/// Puts an e-mail into the office's outbox; nobody waits for the mail server.
#[action(
    ru("Письмо", "Отправляет письмо; сервера никто не ждёт."),
    de("E-Mail", "Sendet eine Mail; auf den Server wartet niemand.")
)]
fn send_email(given: SendEmail) -> Result<Sent, Failure> {
    let content = match (given.template, given.subject) {
        (Some(template), None) if given.text.is_none() => Content::Template(template),
        (None, Some(subject)) => {
            // A caller may call himself what he likes: it stays one line.
            let subject = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            Content::Written(Written { subject, text: given.text.unwrap_or_default() })
        }
        (Some(_), _) => return Err(Failure::new("a mail has a template, or a subject and a text, not both")),
        (None, None) => return Err(Failure::new("a mail needs a template, or a subject and a text")),
    };
    let attach = given.attach.unwrap_or_default().into_iter().map(|one| match one {
        Attach::Voicemail => Attachment::Voicemail,
        Attach::Recording => Attachment::Recording,
        Attach::Fax => Attachment::Fax,
    });
    let notice = mail::send(&Message { to: given.to, content, attach: attach.collect() })?;
    Ok(Sent::Queued { notice })
}
