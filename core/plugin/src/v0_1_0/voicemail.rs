//! Capability `voicemail`.

use super::bindings::plugboard::switch::voicemail as wit;
use super::call::prompt_name;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{HostCall, HostResult, LeaveRequest, Mailbox, MailboxEnd, MailboxError, MessageEnd, OfficeId};

impl wit::Host for Guest {
    async fn leave(&mut self, options: wit::LeaveOptions) -> wasmtime::Result<Result<wit::Left, wit::VoicemailError>> {
        let request = match request(self.office(), options) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::VoicemailError::Invalid(fault))),
        };
        let HostResult::MessageLeft(left) = self.ask(HostCall::LeaveMessage(request)).await? else {
            return Err(wrong_answer("voicemail.leave"));
        };
        Ok(left
            .map(|end| match end {
                MessageEnd::Recorded => wit::Left::Recorded,
                MessageEnd::Empty => wit::Left::Empty,
                MessageEnd::Full => wit::Left::Full,
            })
            .map_err(error_told))
    }

    async fn open(
        &mut self,
        whose: Option<wit::Mailbox>,
    ) -> wasmtime::Result<Result<wit::Closed, wit::VoicemailError>> {
        let whose = match whose.map(|whose| mailbox(self.office(), whose)).transpose() {
            Ok(whose) => whose,
            Err(fault) => return Ok(Err(wit::VoicemailError::Invalid(fault))),
        };
        let HostResult::MailboxClosed(closed) = self.ask(HostCall::OpenMailbox(whose)).await? else {
            return Err(wrong_answer("voicemail.open"));
        };
        Ok(closed
            .map(|end| match end {
                MailboxEnd::Done => wit::Closed::Done,
                MailboxEnd::Refused => wit::Closed::Refused,
            })
            .map_err(error_told))
    }
}

fn request(office: &OfficeId, options: wit::LeaveOptions) -> Result<LeaveRequest, String> {
    let in_range = |what, range, given: Option<u32>| given.map(|ms| words::in_range(what, ms, range)).transpose();
    Ok(LeaveRequest {
        mailbox: options.mailbox.map(|whose| mailbox(office, whose)).transpose()?,
        greeting: options.greeting.map(prompt_name).transpose()?,
        longest_ms: in_range("longest-ms", 5_000..=1_800_000, options.longest_ms)?,
        silence_ms: in_range("silence-ms", 2_000..=60_000, options.silence_ms)?,
    })
}

fn mailbox(office: &OfficeId, given: wit::Mailbox) -> Result<Mailbox, String> {
    match given {
        wit::Mailbox::User(id) => words::user(office, &id).map(Mailbox::User),
        wit::Mailbox::Group(id) => words::group(office, &id).map(Mailbox::Group),
    }
}

fn error_told(error: MailboxError) -> wit::VoicemailError {
    match error {
        MailboxError::CallerGone => wit::VoicemailError::CallerGone,
        MailboxError::Talking => wit::VoicemailError::Talking,
        MailboxError::NoMailbox(reason) => wit::VoicemailError::NoMailbox(reason),
        MailboxError::NotKept(reason) => wit::VoicemailError::NotKept(reason),
        MailboxError::NoMedia(reason) => wit::VoicemailError::NoMedia(reason),
        MailboxError::Invalid(which) => wit::VoicemailError::Invalid(which),
    }
}
