//! Capabilities `mail` and `text-message`.

use super::bindings::plugboard::switch::{mail, text_message, types};
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{HostCall, HostResult, MailAttach, MailContent, MailRequest, NoticeError, TextRequest};
use std::ops::RangeInclusive;

/// Whom a mail goes to.
const TO: RangeInclusive<usize> = 1..=32;
/// Bytes of each.
const TO_BYTES: RangeInclusive<usize> = 1..=254;
/// Bytes of a subject (RFC 5322 section 2.1.1).
const SUBJECT_BYTES: RangeInclusive<usize> = 1..=998;
/// Bytes of a text.
const TEXT_BYTES: RangeInclusive<usize> = 0..=65_536;
/// Bytes of a template's name.
const NAME_BYTES: RangeInclusive<usize> = 1..=64;
/// Bytes of a number.
const NUMBER_BYTES: RangeInclusive<usize> = 1..=64;
/// Characters of a text message: ten of those that it is cut into.
const MESSAGE_CHARS: RangeInclusive<usize> = 1..=1_600;
/// Each kind once.
const ATTACH_MAX: usize = 3;

impl mail::Host for Guest {
    async fn send(&mut self, message: mail::Message) -> wasmtime::Result<Result<String, types::NoticeError>> {
        match read(message) {
            Ok(request) => told(self.ask(HostCall::SendMail(request)).await?, "mail.send"),
            Err(fault) => Ok(Err(types::NoticeError::Invalid(fault))),
        }
    }
}

impl text_message::Host for Guest {
    async fn send(&mut self, to: String, text: String) -> wasmtime::Result<Result<String, types::NoticeError>> {
        let fits = words::in_range("the bytes of to", to.len(), NUMBER_BYTES);
        if let Err(fault) =
            fits.and_then(|_| words::in_range("the characters of text", text.chars().count(), MESSAGE_CHARS))
        {
            return Ok(Err(types::NoticeError::Invalid(fault)));
        }
        told(self.ask(HostCall::SendText(TextRequest { to, text })).await?, "text-message.send")
    }
}

/// What became of a notice, as the guest is told.
pub(super) fn told(answer: HostResult, of: &'static str) -> wasmtime::Result<Result<String, types::NoticeError>> {
    let HostResult::Noticed(done) = answer else { return Err(wrong_answer(of)) };
    Ok(done.map_err(|why| match why {
        NoticeError::Denied(reason) => types::NoticeError::Denied(reason),
        NoticeError::Full(reason) => types::NoticeError::Full(reason),
        NoticeError::NotKept(reason) => types::NoticeError::NotKept(reason),
        NoticeError::Invalid(which) => types::NoticeError::Invalid(which),
    }))
}

fn read(message: mail::Message) -> Result<MailRequest, String> {
    let mail::Message { to, content, attach } = message;
    words::in_range("the entries of to", to.len(), TO)?;
    for one in &to {
        words::in_range("the bytes of an entry of to", one.len(), TO_BYTES)?;
    }
    words::in_range("the entries of attach", attach.len(), 0..=ATTACH_MAX)?;
    let content = match content {
        mail::Content::Written(mail::Written { subject, text }) => {
            words::in_range("the bytes of subject", subject.len(), SUBJECT_BYTES)?;
            words::in_range("the bytes of text", text.len(), TEXT_BYTES)?;
            // What ends a line of a header begins another one.
            if subject.chars().any(char::is_control) {
                return Err(format!("subject {}: it has control characters", words::cut(&subject)));
            }
            MailContent::Written { subject, text }
        }
        mail::Content::Template(name) => {
            words::in_range("the bytes of template", name.len(), NAME_BYTES)?;
            MailContent::Template(name)
        }
    };
    let attach = attach.into_iter().map(|one| match one {
        mail::Attachment::Voicemail => MailAttach::Voicemail,
        mail::Attachment::Recording => MailAttach::Recording,
        mail::Attachment::Fax => MailAttach::Fax,
    });
    Ok(MailRequest { to, content, attach: attach.collect() })
}
