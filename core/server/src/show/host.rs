//! What actions ask of the switch and what they are told, in words.

use plugboard_document::write_duration;
use plugboard_model::{
    Argument, Audio, CallError, CallEvent, CollectEnd, CollectRequest, Collected, ConferenceEnd, ConferenceRequest,
    DatabaseError, DatabaseRequest, DatabaseRows, FaxError, FaxOutcome, FaxReceived, FaxRequest, HistoryError,
    HostCall, HostResult, HttpError, HttpRequest, HttpResponse, LeaveRequest, Line, LogLevel, MailContent, MailRequest,
    Mailbox, MailboxEnd, MailboxError, MessageEnd, NotConnected, NotJoined, NoticeError, ParkEnd, ParkError, PlayEnd,
    PlayOptions, QueueEnd, QueueError, QueueRequest, RecordCall, RecordError, RingBack, RingRequest, SetError, Skill,
    Speech, Target, TextRequest, Tone, UserStatus, Value,
};
use std::time::Duration;

use super::calls::cause_text;
use super::when::moment;

fn span(millis: u32) -> String {
    write_duration(Duration::from_millis(millis.into()))
}

/// The function with what it was given.
pub(super) fn asked(call: &HostCall) -> String {
    let given = match call {
        HostCall::GetInfo | HostCall::Answer | HostCall::Now => String::new(),
        HostCall::Play { audio, options } => played(audio, *options),
        HostCall::Collect(request) => collects(request),
        HostCall::Echo { max_ms } => format!("at most {}", span(*max_ms)),
        HostCall::NextEvent { timeout_ms } => format!("within {}", span(*timeout_ms)),
        HostCall::HangUp(cause) => format!("(a caller who was not answered is told {})", cause_text(cause)),
        HostCall::Ring(request) => rings(request),
        HostCall::FindUser(name) | HostCall::FindGroup(name) | HostCall::GetVariable(name) => name.clone(),
        HostCall::FindContact(number) => number.clone(),
        HostCall::GetContact(id) => id.name.to_string(),
        HostCall::Park { place, max_ms } => {
            let place = place.map_or_else(|| "anywhere".to_owned(), |place| format!("at {place}"));
            format!("{place} for {}", write_duration(Duration::from_millis(u64::from(*max_ms))))
        }
        HostCall::SetVariable { name, value } => format!("{name} = {}", value_text(value)),
        HostCall::Log { level, message } => format!("{} {message:?}", level_word(*level)),
        HostCall::RandomBytes(count) => count.to_string(),
        HostCall::RandomBelow(limit) => limit.to_string(),
        HostCall::JoinConference(seat) => confers(seat),
        HostCall::Record(call) => records(call),
        HostCall::LeaveMessage(request) => leaves(request),
        HostCall::OpenMailbox(whose) => whose.as_ref().map(mailbox).unwrap_or_default(),
        HostCall::ReceiveFax(request) => faxes(request),
        HostCall::Http(request) => requests(request),
        HostCall::Query(request) => queries(request),
        HostCall::LastTalk { number, days } => format!("{number} within {days} days"),
        HostCall::SendMail(request) => mails(request),
        HostCall::SendText(TextRequest { to, text }) => format!("to {to}: {text:?}"),
        HostCall::PostLater(post) => format!("{}/{} {}", post.source, post.path, post.body),
        HostCall::Wait(request) => waits(request),
        HostCall::FindMembers { group, skill } => format!("{group}{}", skilled(skill.as_ref())),
    };
    format!("{} {given}", call.interface()).trim_end().to_owned()
}

const fn level_word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
    }
}

fn mails(request: &MailRequest) -> String {
    let what = match &request.content {
        MailContent::Written { subject, .. } => format!("{subject:?}"),
        MailContent::Template(name) => format!("the mail {name}"),
    };
    format!("{what} to {}", request.to.join(", "))
}

fn notice_error(error: &NoticeError) -> String {
    match error {
        NoticeError::Denied(why) => format!("denied: {why}"),
        NoticeError::Full(why) => why.clone(),
        NoticeError::NotKept(why) => format!("not kept: {why}"),
        NoticeError::Invalid(which) => format!("refused: {which}"),
    }
}

fn audio(audio: &Audio) -> String {
    match audio {
        Audio::Prompt(name) => format!("prompt {name:?}"),
        Audio::Music(name) => format!("music {name:?}"),
        Audio::Tape(file) => format!("recording {file:?}"),
        Audio::Speech(Speech { text, language: Some(language) }) => format!("words {text:?} in {language}"),
        Audio::Speech(Speech { text, language: None }) => format!("words {text:?}"),
        Audio::Tone(tone) => {
            let name = match tone {
                Tone::RingBack => "ring-back",
                Tone::Busy => "busy",
                Tone::Congestion => "congestion",
                Tone::Beep => "beep",
            };
            format!("tone {name}")
        }
    }
}

fn played(what: &Audio, options: PlayOptions) -> String {
    let max = options.max_ms.map(|max| format!(", at most {}", span(max))).unwrap_or_default();
    let again = if options.repeat { ", again and again" } else { "" };
    let digit = if options.stop_on_digit { ", until a digit" } else { "" };
    format!("{}{max}{again}{digit}", audio(what))
}

fn collects(request: &CollectRequest) -> String {
    let CollectRequest { prompt, max_digits, first_digit_ms, inter_digit_ms, end_digit } = request;
    let (first, next) = (span(*first_digit_ms), span(*inter_digit_ms));
    let end = end_digit.map(|digit| format!(", ended by {digit}")).unwrap_or_default();
    let heard = prompt.as_ref().map(|prompt| format!(", after {}", audio(prompt))).unwrap_or_default();
    format!("up to {max_digits} digits, the first within {first}, each other within {next}{end}{heard}")
}

fn skilled(skill: Option<&Skill>) -> String {
    skill.map(|skill| format!(", skilled in {} at {} or more", skill.name, skill.level)).unwrap_or_default()
}

fn waits(request: &QueueRequest) -> String {
    let told = request.announce_ms.map(|every| format!(", told his place every {}", span(every))).unwrap_or_default();
    let key = request.call_back_on.map(|key| format!(", called back with {key}")).unwrap_or_default();
    let leave = request.exit_on.map(|key| format!(", leaves with {key}")).unwrap_or_default();
    let first = if request.priority > 0 { format!(", priority {}", request.priority) } else { String::new() };
    let skill = skilled(request.skill.as_ref());
    format!("for {}, each rung for {}{told}{key}{leave}{first}{skill}", span(request.max_ms), span(request.ring_for_ms))
}

fn waited(done: &Result<QueueEnd, QueueError>) -> String {
    match done {
        Ok(QueueEnd::Answered(connected)) => format!("answered by {}", connected.number),
        Ok(QueueEnd::Timeout) => "his time is over".into(),
        Ok(QueueEnd::Nobody) => "the scenario names nobody above".into(),
        Ok(QueueEnd::Full) => "the queue is full".into(),
        Ok(QueueEnd::CalledBack) => "he is called back".into(),
        Ok(QueueEnd::Exited) => "he left by the key".into(),
        Err(QueueError::CallerGone) => "the caller is gone".into(),
        Err(QueueError::Talking) => "refused: the caller talks to somebody".into(),
        Err(QueueError::NoMedia(why)) => format!("no media: {why}"),
        Err(QueueError::Invalid(which)) => format!("refused: {which}"),
    }
}

fn confers(seat: &ConferenceRequest) -> String {
    let as_what = if seat.listens { " to listen" } else { "" };
    let key = seat.leave_on.map(|key| format!(", leaves with {key}")).unwrap_or_default();
    format!("room {}{as_what}, of at most {}, for {}{key}", seat.room, seat.seats_max, span(seat.max_ms))
}

fn conferred(done: &Result<ConferenceEnd, NotJoined>) -> String {
    match done {
        Ok(ConferenceEnd::Key) => "he left with the key".into(),
        Ok(ConferenceEnd::TimeOver) => "his time is over".into(),
        Err(NotJoined::Full) => "the room is full".into(),
        Err(NotJoined::CallerGone) => "the caller is gone".into(),
        Err(NotJoined::Talking) => "refused: the caller talks to somebody".into(),
        Err(NotJoined::NoMedia(why)) => format!("no media: {why}"),
        Err(NotJoined::Invalid(which)) => format!("refused: {which}"),
    }
}

fn records(call: &RecordCall) -> String {
    match call {
        RecordCall::Start { announcement, beep } => {
            let told = announcement.as_ref().map(|name| format!("after prompt {name:?}")).unwrap_or_default();
            let beeps = if *beep { " with beeps" } else { "" };
            format!("{told}{beeps}").trim_start().to_owned()
        }
        RecordCall::Pause | RecordCall::Resume | RecordCall::Stop => String::new(),
    }
}

fn mailbox(mailbox: &Mailbox) -> String {
    match mailbox {
        Mailbox::User(user) => format!("of user {}", user.name),
        Mailbox::Group(group) => format!("of group {}", group.name),
    }
}

fn leaves(request: &LeaveRequest) -> String {
    let LeaveRequest { mailbox: whose, greeting, longest_ms, silence_ms } = request;
    let parts = [
        whose.as_ref().map(|whose| format!("in the mailbox {}", mailbox(whose))),
        greeting.as_ref().map(|name| format!("after prompt {name:?}")),
        longest_ms.map(|max| format!("at most {}", span(max))),
        silence_ms.map(|silence| format!("until {} of silence", span(silence))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn mailbox_error(error: &MailboxError) -> String {
    match error {
        MailboxError::CallerGone => "the caller is gone".into(),
        MailboxError::Talking => "refused: the caller talks to somebody".into(),
        MailboxError::NoMailbox(why) => format!("no mailbox: {why}"),
        MailboxError::NotKept(why) => format!("not kept: {why}"),
        MailboxError::NoMedia(why) => format!("no media: {why}"),
        MailboxError::Invalid(which) => format!("refused: {which}"),
    }
}

fn message_end(end: MessageEnd) -> String {
    match end {
        MessageEnd::Recorded => "a message is kept".into(),
        MessageEnd::Empty => "nothing was said".into(),
        MessageEnd::Full => "the mailbox is full".into(),
    }
}

fn mailbox_end(end: MailboxEnd) -> String {
    match end {
        MailboxEnd::Done => "done".into(),
        MailboxEnd::Refused => "it was not opened".into(),
    }
}

fn record_error(error: &RecordError) -> String {
    match error {
        RecordError::CallerGone => "the caller is gone".into(),
        RecordError::NotAllowed => "refused: the office does not allow it".into(),
        RecordError::NotRecording => "refused: the call is not recorded".into(),
        RecordError::Recording => "refused: the call is recorded already".into(),
        RecordError::NoMedia(why) => format!("no media: {why}"),
        RecordError::Invalid(which) => format!("refused: {which}"),
    }
}

fn faxes(request: &FaxRequest) -> String {
    let FaxRequest { ident, pages_max, max_ms } = request;
    let as_whom = if ident.is_empty() { String::new() } else { format!("as {ident:?}, ") };
    format!("{as_whom}at most {pages_max} pages within {}", span(*max_ms))
}

fn faxed(received: &FaxReceived) -> String {
    let end = match &received.end {
        FaxOutcome::Done => "received".into(),
        FaxOutcome::NoFax => "the caller is no fax machine".into(),
        FaxOutcome::Failed(reason) => format!("failed: {reason}"),
    };
    let kept = received.document.as_ref().map(|id| format!(", kept as {id}")).unwrap_or_default();
    format!("{end}, {} pages{kept}", received.pages)
}

/// The query and the body are the caller's matter: they stand in the journal, and `--json` has them.
fn requests(request: &HttpRequest) -> String {
    let HttpRequest { source, method, path, query, body } = request;
    let names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
    let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
    let body = body.as_ref().map(|body| format!(", {} bytes", body.len())).unwrap_or_default();
    format!("{} {path:?}{query} of {source}{body}", method.as_str())
}

/// The values are the caller's matter: they stand in the journal, and `--json` has them.
fn queries(request: &DatabaseRequest) -> String {
    let DatabaseRequest { database, query, with } = request;
    let long = |value: &Argument| match value {
        Argument::Text(text) => format!("{} bytes", text.len()),
        Argument::Number(_) => "a number".into(),
        Argument::Boolean(yes) => yes.to_string(),
    };
    let with: Vec<String> = with.iter().map(|(name, value)| format!("{name}: {}", long(value))).collect();
    format!("{query} of {database} ({})", with.join(", "))
}

fn queried(rows: &DatabaseRows) -> String {
    format!("{} rows, {} bytes", rows.count, rows.rows.len())
}

fn database_error(error: &DatabaseError) -> String {
    match error {
        DatabaseError::Denied(why) => format!("denied: {why}"),
        DatabaseError::TimeOver => "no answer in time".into(),
        DatabaseError::Unreachable(why) => format!("unreachable: {why}"),
        DatabaseError::Broken(why) => format!("the connection broke: {why}"),
        DatabaseError::Busy => "too many questions at once".into(),
        DatabaseError::Refused(why) => format!("the database refused: {why}"),
        DatabaseError::TooManyRows(most) => format!("more than {most} rows"),
        DatabaseError::TooLong(most) => format!("the rows are longer than {most} bytes"),
        DatabaseError::Unshown(column) => format!("a column cannot be shown: {column}"),
        DatabaseError::Unknown(why) => format!("unknown whether it was done: {why}"),
        DatabaseError::Invalid(which) => format!("refused: {which}"),
    }
}

fn responded(response: &HttpResponse) -> String {
    format!("{}, {} bytes {}", response.status, response.body.len(), response.content_type).trim_end().to_owned()
}

fn http_error(error: &HttpError) -> String {
    match error {
        HttpError::Denied(why) => format!("denied: {why}"),
        HttpError::TimeOver => "no answer in time".into(),
        HttpError::Unreachable(why) => format!("unreachable: {why}"),
        HttpError::Broken(why) => format!("the connection broke: {why}"),
        HttpError::Busy => "too many requests at once".into(),
        HttpError::TooLong(most) => format!("the answer is longer than {most} bytes"),
        HttpError::NoText => "the answer is no text".into(),
        HttpError::Invalid(which) => format!("refused: {which}"),
    }
}

fn fax_error(error: &FaxError) -> String {
    match error {
        FaxError::CallerGone => "the caller is gone".into(),
        FaxError::Talking => "refused: the caller talks to somebody".into(),
        FaxError::NoMedia(why) => format!("no media: {why}"),
        FaxError::Invalid(which) => format!("refused: {which}"),
    }
}

fn line_asked(line: &Line) -> String {
    let through = line.gateway.as_ref().map_or_else(String::new, |gateway| format!(" through {gateway}"));
    let key = if line.confirm { ", to be taken by a key" } else { "" };
    format!("number {}{through}{key}", line.number)
}

fn rings(request: &RingRequest) -> String {
    let target = |target: &Target| match target {
        Target::User(user) => format!("user {}", user.name),
        Target::Group(group) => format!("group {}", group.name),
        Target::Number(number) => format!("number {number}"),
        Target::Phones(phones) if phones.all => format!("all phones of the user {}", phones.user.name),
        Target::Phones(phones) => format!("the phone of the user {}", phones.user.name),
        Target::Line(line) => line_asked(line),
        Target::Address(address) => format!("address {address}"),
    };
    let targets: Vec<String> = request.targets.iter().map(target).collect();
    let hears = match request.ring_back {
        RingBack::Tone => "the ring-back tone",
        RingBack::Music => "music",
        RingBack::Silence => "nothing",
    };
    format!("{} for {}, the caller hears {hears}", targets.join(", "), span(request.ring_for_ms))
}

/// A result in words.
pub(super) fn told(result: &HostResult) -> String {
    match result {
        HostResult::Info(info) => format!("caller {}, called {}", info.caller_number, info.called_number),
        HostResult::Done(done) => done.as_ref().map_or_else(call_error, |()| "done".into()),
        HostResult::Played(end) => end.as_ref().map_or_else(call_error, play_end),
        HostResult::Collected(collected) => collected.as_ref().map_or_else(call_error, digits),
        HostResult::Event(event) => event.as_ref().map_or_else(call_error, |event| match event {
            CallEvent::Digit(digit) => format!("digit {digit}"),
            CallEvent::Held => "held".into(),
            CallEvent::Resumed => "resumed".into(),
            CallEvent::Timeout => "nothing happened in time".into(),
        }),
        HostResult::Rang(Ok(connected)) => {
            let user = connected.user.as_ref().filter(|user| user.name.as_str() != connected.number);
            let user = user.map(|user| format!(" (user {})", user.name)).unwrap_or_default();
            format!("answered by {}{user}", connected.number)
        }
        HostResult::Rang(Err(why)) => not_connected(why),
        HostResult::User(Some(user)) => {
            let status = match user.status {
                UserStatus::Available => "available",
                UserStatus::Busy => "busy",
                UserStatus::DoNotDisturb => "do not disturb",
                UserStatus::LoggedOut => "logged out",
                UserStatus::Away => "away",
                UserStatus::WrapUp => "wraps up",
            };
            let device = if user.reachable { "registered" } else { "no device registered" };
            format!("{} {}: {status}, {device}, {} calls", user.number, user.name, user.calls)
        }
        HostResult::Group(Some(group)) => format!("{} with {} members", group.name, group.members.len()),
        HostResult::User(None) | HostResult::Group(None) | HostResult::Members(None) => "there is none".into(),
        HostResult::Value(value) => value.as_ref().map_or_else(|| "it has no value".into(), value_text),
        HostResult::Set(set) => match set {
            Ok(()) => "done".into(),
            Err(SetError::WrongType(wanted)) => format!("refused: it is of type {wanted}"),
            Err(SetError::BadName) => "refused: no name of a variable".into(),
            Err(SetError::TooLarge) => "refused: too many variables, or too large".into(),
            Err(SetError::ReadOnly) => "refused: the switch's own variable".into(),
            Err(SetError::Unknown) => "refused: the office has no such contact".into(),
        },
        HostResult::Unit => "done".into(),
        HostResult::Now(at) => format!("{} UTC", moment(*at)),
        HostResult::Bytes(bytes) => format!("{} bytes", bytes.len()),
        HostResult::Below(number) => number.to_string(),
        HostResult::Conferred(done) => conferred(done),
        HostResult::Recorded(done) => done.as_ref().map_or_else(record_error, |()| "done".into()),
        HostResult::MessageLeft(end) => end.as_ref().map_or_else(mailbox_error, |end| message_end(*end)),
        HostResult::MailboxClosed(end) => end.as_ref().map_or_else(mailbox_error, |end| mailbox_end(*end)),
        HostResult::Talked(Ok(Some(talk))) => format!("user {}, {} UTC", talk.user.name, moment(talk.at)),
        HostResult::Waited(done) => waited(done),
        HostResult::Members(Some(members)) => format!("{} members", members.len()),
        HostResult::Talked(Ok(None)) => "nobody".into(),
        HostResult::Parked(Ok(ParkEnd::Retrieved)) => "fetched".into(),
        HostResult::Parked(Ok(ParkEnd::TimeOver)) => "its time is over".into(),
        HostResult::Parked(Err(ParkError::NoPlace(why))) => format!("no place: {why}"),
        HostResult::Parked(Err(ParkError::Refused(error))) => call_error(error),
        HostResult::Contact(found) => {
            found.as_ref().map_or_else(|| "nobody".into(), |found| format!("contact {}", found.id))
        }
        HostResult::Talked(Err(HistoryError::Unavailable(why))) => format!("cannot be read: {why}"),
        HostResult::Talked(Err(HistoryError::Invalid(which))) => format!("refused: {which}"),
        HostResult::Queried(done) => done.as_ref().map_or_else(database_error, queried),
        HostResult::Noticed(done) => done.as_ref().map_or_else(notice_error, |id| format!("in the outbox as {id}")),
        HostResult::Responded(done) => done.as_ref().map_or_else(http_error, responded),
        HostResult::Faxed(done) => done.as_ref().map_or_else(fax_error, faxed),
    }
}

fn call_error(error: &CallError) -> String {
    match error {
        CallError::CallerGone => "the caller hung up".into(),
        CallError::Talking => "refused: the caller talks to somebody".into(),
        CallError::NoMedia(why) => format!("no media: {why}"),
        CallError::Invalid(why) => format!("refused: {why}"),
    }
}

fn play_end(end: &PlayEnd) -> String {
    match end {
        PlayEnd::Finished => "played to its end".into(),
        PlayEnd::TimeOver => "its time is over".into(),
        PlayEnd::Digit(digit) => format!("stopped by the digit {digit}"),
        PlayEnd::NotPlayable(why) => format!("not played: {why}"),
    }
}

fn digits(collected: &Collected) -> String {
    let Collected { digits, ended_by, not_played } = collected;
    let ended = match ended_by {
        CollectEnd::MaxDigits => "that many were wanted",
        CollectEnd::EndDigit => "the end digit came",
        CollectEnd::Timeout => "no more came in time",
    };
    let unheard = not_played.as_ref().map(|why| format!("; the prompt was not played: {why}")).unwrap_or_default();
    let digits = if digits.is_empty() { "no digits".into() } else { format!("digits {digits}") };
    format!("{digits}, {ended}{unheard}")
}

fn not_connected(why: &NotConnected) -> String {
    match why {
        NotConnected::Timeout => "nobody answered in time".into(),
        NotConnected::NoAnswer(cause) => format!("nobody answered: {}", cause_text(cause)),
        NotConnected::CallerGone => "the caller hung up".into(),
        NotConnected::Denied(why) | NotConnected::Invalid(why) => format!("refused: {why}"),
        NotConnected::Talking => "refused: the caller talks to somebody".into(),
    }
}

/// A variable's value.
pub(super) fn value_text(value: &Value) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Number(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Time(at) => format!("{} UTC", moment(*at)),
        Value::User(user) => format!("user {}", user.name),
        Value::Group(group) => format!("group {}", group.name),
        Value::Contact(contact) => format!("contact {}", contact.id.name),
        Value::Texts(texts) => list(texts.iter().map(|text| format!("{text:?}")).collect()),
        Value::Users(users) => list(users.iter().map(|user| user.name.to_string()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{Cause, OfficeId, UserId};

    #[test]
    fn a_request_and_its_result_are_told_in_words() {
        let office = OfficeId::new("main").unwrap();
        let ring = HostCall::Ring(RingRequest {
            targets: vec![Target::User(UserId::new(&office, "bob").unwrap()), Target::Number("+4930".into())],
            ring_for_ms: 20_000,
            ring_back: RingBack::Tone,
        });
        assert_eq!(asked(&ring), "dial.ring user bob, number +4930 for 20s, the caller hears the ring-back tone");
        assert_eq!(asked(&HostCall::Answer), "call.answer");
        let busy = HostResult::Rang(Err(NotConnected::NoAnswer(Cause { status: 486, text: "Busy Here".into() })));
        assert_eq!(told(&busy), "nobody answered: 486 Busy Here");
        let gone = HostResult::Done(Err(CallError::CallerGone));
        assert_eq!(told(&gone), "the caller hung up");
        let digits = Collected { digits: "105".into(), ended_by: CollectEnd::EndDigit, not_played: None };
        assert_eq!(told(&HostResult::Collected(Ok(digits))), "digits 105, the end digit came");
    }
}
