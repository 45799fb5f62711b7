//! Voice messages and faxes that go to their owners by mail: one notice for each, made where the file is written, whether the call still
//! lives or not.

use actix::Recipient;
use plugboard_model::{
    Attachment, FaxFile, FaxRecord, Notice, NoticeContent, NoticeId, NoticePart, NoticeState, OutgoingMail, TapeKind,
    TapeRecord, WallTime,
};
use plugboard_office::{MailTo, Office};
use std::path::Path;

use crate::message::TakeNotice;
use crate::post::press;

/// The languages that these mails have; any other office is told in the first.
const LANGUAGES: [&str; 3] = ["en", "ru", "de"];

/// Sends a message that was left to whoever its mailbox says, if it says so.
pub(crate) fn message(notices: &Recipient<TakeNotice>, office: &Office, tape: &TapeRecord) {
    let TapeKind::Message { of, .. } = &tape.kind else { return };
    let Some(rules) = office.mailbox(of).and_then(|rules| rules.mail.as_ref()) else { return };
    let from = caller(&tape.caller, &tape.caller_name);
    let seconds = tape.end.as_ref().map_or(0, |end| end.length_ms.div_ceil(1_000));
    let whose = office.mailbox_name(of);
    let [subject, text] = match language(office) {
        "ru" => {
            [format!("Голосовое сообщение: {from}"), format!("{from} оставил(а) сообщение для {whose}: {seconds} с.")]
        }
        "de" => [
            format!("Sprachnachricht von {from}"),
            format!("{from} hat eine Nachricht für {whose} hinterlassen: {seconds} s."),
        ],
        _ => [format!("Voice message from {from}"), format!("{from} has left a message for {whose}: {seconds} s.")],
    };
    let file = Attachment { file: tape.file.clone(), name: "voicemail.wav".into(), media_type: "audio/wav".into() };
    let id = NoticeId { call: tape.call.clone(), part: NoticePart::Message(tape.n) };
    let said = Said { subject, text, numbers: [&tape.caller, &tape.called], at: tape.began };
    take(notices, office, id, rules, said, Some(file));
}

/// Sends a fax that was received to whoever the number says that was called, if it says so.
pub(crate) fn fax(notices: &Recipient<TakeNotice>, office: &Office, fax: &FaxRecord) {
    let number = office.numbers().find(|number| number.number.as_str() == fax.called);
    let Some(rules) = number.and_then(|number| number.fax_mail.as_ref()).filter(|_| fax.pages > 0) else { return };
    let from = caller(&fax.caller, if fax.sender.is_empty() { &fax.caller_name } else { &fax.sender });
    let (pages, called) = (fax.pages, &fax.called);
    let [subject, text] = match language(office) {
        "ru" => [format!("Факс: {from}"), format!("Факс от {from} на номер {called}, страниц: {pages}.")],
        "de" => [format!("Fax von {from}"), format!("Fax von {from} an {called}, Seiten: {pages}.")],
        _ => [format!("Fax from {from}"), format!("Fax from {from} to {called}, pages: {pages}.")],
    };
    let pdf = |file: &&FaxFile| Path::new(&file.file).extension().is_some_and(|ending| ending == "pdf");
    let file = fax.files.iter().find(pdf).map(|file| Attachment {
        file: file.file.clone(),
        name: "fax.pdf".into(),
        media_type: "application/pdf".into(),
    });
    let id = NoticeId { call: fax.call.clone(), part: NoticePart::Fax(fax.n) };
    let said = Said { subject, text, numbers: [&fax.caller, &fax.called], at: fax.ended };
    take(notices, office, id, rules, said, file);
}

/// What a mail says.
struct Said<'s> {
    subject: String,
    text: String,
    numbers: [&'s String; 2],
    at: WallTime,
}

fn take(
    notices: &Recipient<TakeNotice>,
    office: &Office,
    id: NoticeId,
    rules: &MailTo,
    said: Said<'_>,
    file: Option<Attachment>,
) {
    let content = NoticeContent::Mail(OutgoingMail {
        message_id: message_id(office, &id),
        to: vec![rules.to.to_string()],
        subject: one_line(&said.subject),
        text: said.text,
        html: None,
        attachments: file.filter(|_| rules.attach).into_iter().collect(),
    });
    let numbers = said.numbers.into_iter().filter(|number| !number.is_empty()).cloned().collect();
    let (tries, state) = (Vec::new(), NoticeState::Waiting { until: said.at });
    let notice = Notice { id, taken: said.at, numbers, content, repeats: true, tried: 0, tries, state };
    let call = notice.id.call.clone();
    let told = Box::new(move |answer: Result<String, _>| {
        if let Err(why) = answer {
            tracing::error!(call_id = %call, ?why, "a voice message or a fax is not sent by mail");
        }
    });
    press(notices, TakeNotice { notice, attach: Vec::new(), told });
}

/// The name of a mail in the whole world: the same whenever the same mail is sent (RFC 5322 section 3.6.4).
pub(crate) fn message_id(office: &Office, id: &NoticeId) -> String {
    let domain = office.mail.as_ref().map(|mail| mail.from.address.as_str());
    let domain = domain.and_then(|address| address.rsplit_once('@')).map_or("localhost", |(_, domain)| domain);
    format!("{}.{}@{domain}", id.text(), id.office())
}

/// What is part of a header and no other line, whatever a caller calls himself.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn language(office: &Office) -> &'static str {
    let own = office.language.split('-').next().unwrap_or_default();
    LANGUAGES.into_iter().find(|known| own == *known).unwrap_or(LANGUAGES[0])
}

fn caller(number: &str, name: &str) -> String {
    match (number.is_empty(), name.is_empty()) {
        (true, true) => "?".into(),
        (true, false) => name.into(),
        (false, true) => number.into(),
        (false, false) => format!("{name} ({number})"),
    }
}
