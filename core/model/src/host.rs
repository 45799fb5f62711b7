//! What an action asks of the switch, and what it is told: the WIT package `plugboard:switch` as plain types.
//!
//! `plugin` lifts guest calls into [`HostCall`], `call` and `switch` answer with [`HostResult`]; both are journaled.
//! Each call has exactly one result variant, named in its documentation.

use crate::{
    Candidate, Cause, ConferenceEnd, ConferenceRequest, ContactId, DatabaseError, DatabaseRequest, DatabaseRows,
    DirectoryContact, FaxError, FaxReceived, FaxRequest, GroupId, HistoryError, HttpError, HttpRequest, HttpResponse,
    MailRequest, Mailbox, NotJoined, NoticeError, OutgoingPost, ParkEnd, ParkError, QueueEnd, QueueError, QueueRequest,
    Skill, Talk, TextRequest, UserId, UserStatus, Value, WallTime,
};
use serde::{Deserialize, Serialize};

/// A request of a running action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostCall {
    /// Answer: [`HostResult::Info`].
    GetInfo,
    /// Answer: [`HostResult::Done`].
    Answer,
    /// Answer: [`HostResult::Played`].
    Play {
        /// What to play.
        audio: Audio,
        /// How long, and what stops it.
        options: PlayOptions,
    },
    /// Answer: [`HostResult::Collected`].
    Collect(CollectRequest),
    /// Answer: [`HostResult::Done`].
    Echo {
        /// 100 to 3,600,000.
        max_ms: u32,
    },
    /// Answer: [`HostResult::Event`].
    NextEvent {
        /// 0 to 3,600,000.
        timeout_ms: u32,
    },
    /// Answer: [`HostResult::Done`].
    HangUp(Cause),
    /// Answer: [`HostResult::Rang`].
    Ring(RingRequest),
    /// A user by internal number or id. Answer: [`HostResult::User`].
    FindUser(String),
    /// A group by internal number or id. Answer: [`HostResult::Group`].
    FindGroup(String),
    /// Answer: [`HostResult::Value`].
    GetVariable(String),
    /// Answer: [`HostResult::Set`].
    SetVariable {
        /// The variable.
        name: String,
        /// Its new value.
        value: Value,
    },
    /// Answer: [`HostResult::Unit`].
    Log {
        /// How loud.
        level: LogLevel,
        /// At most 1,024 bytes.
        message: String,
    },
    /// Answer: [`HostResult::Now`].
    Now,
    /// Answer: [`HostResult::Bytes`].
    RandomBytes(u32),
    /// Answer: [`HostResult::Below`].
    RandomBelow(u64),
    /// Answer: [`HostResult::Conferred`].
    JoinConference(ConferenceRequest),
    // The store writes the place of a variant: new ones stand at the end.
    /// Answer: [`HostResult::Recorded`].
    Record(RecordCall),
    /// Answer: [`HostResult::MessageLeft`].
    LeaveMessage(LeaveRequest),
    /// This mailbox is opened for the caller; `None`: his own, or the one that he names. Answer: [`HostResult::MailboxClosed`].
    OpenMailbox(Option<Mailbox>),
    /// Answer: [`HostResult::Faxed`].
    ReceiveFax(FaxRequest),
    /// Answer: [`HostResult::Responded`].
    Http(HttpRequest),
    /// Who talked with a number last. Answer: [`HostResult::Talked`].
    LastTalk {
        /// 1 to 64 bytes.
        number: String,
        /// How far back: 1 to 3,650.
        days: u32,
    },
    /// A contact by one of his numbers. Answer: [`HostResult::Contact`].
    FindContact(String),
    /// Answer: [`HostResult::Parked`].
    Park {
        /// Where: 1 to 99; `None`: the first place that is free.
        place: Option<u32>,
        /// 1,000 to 3,600,000.
        max_ms: u32,
    },
    /// Answer: [`HostResult::Queried`].
    Query(DatabaseRequest),
    /// Answer: [`HostResult::Noticed`].
    SendMail(MailRequest),
    /// Answer: [`HostResult::Noticed`].
    SendText(TextRequest),
    /// Answer: [`HostResult::Noticed`].
    PostLater(OutgoingPost),
    /// The caller waits for one of those whom the scenario named above. Answer: [`HostResult::Waited`].
    Wait(QueueRequest),
    /// Those of a group who are logged in to it, with this skill if one is asked for. Answer: [`HostResult::Members`].
    FindMembers {
        /// The group's internal number or id.
        group: String,
        /// What they can do.
        skill: Option<Skill>,
    },
    /// `contacts.get`.
    GetContact(ContactId),
}

impl HostCall {
    /// `interface.function` as the WIT names it.
    pub const fn interface(&self) -> &'static str {
        match self {
            Self::GetInfo => "call.get-info",
            Self::Answer => "call.answer",
            Self::Play { .. } => "call.play",
            Self::Collect(_) => "call.collect",
            Self::Echo { .. } => "call.echo",
            Self::NextEvent { .. } => "call.next-event",
            Self::HangUp(_) => "call.hang-up",
            Self::Ring(_) => "dial.ring",
            Self::FindUser(_) => "directory.find-user",
            Self::FindGroup(_) => "directory.find-group",
            Self::GetVariable(_) => "variables.get",
            Self::SetVariable { .. } => "variables.set",
            Self::Log { .. } => "log.write",
            Self::Now => "clock.now",
            Self::RandomBytes(_) => "random.bytes",
            Self::RandomBelow(_) => "random.below",
            Self::JoinConference(_) => "conference.join",
            Self::Record(RecordCall::Start { .. }) => "record.start",
            Self::Record(RecordCall::Pause) => "record.pause",
            Self::Record(RecordCall::Resume) => "record.resume",
            Self::Record(RecordCall::Stop) => "record.stop",
            Self::LeaveMessage(_) => "voicemail.leave",
            Self::OpenMailbox(_) => "voicemail.open",
            Self::ReceiveFax(_) => "fax.receive",
            Self::Http(_) => "http.send",
            Self::LastTalk { .. } => "history.last-talk",
            Self::FindContact(_) => "contacts.find",
            Self::GetContact(_) => "contacts.get",
            Self::Park { .. } => "call.park",
            Self::Query(_) => "database.ask",
            Self::SendMail(_) => "mail.send",
            Self::SendText(_) => "text-message.send",
            Self::PostLater(_) => "http.post-later",
            Self::Wait(_) => "queue.wait",
            Self::FindMembers { .. } => "directory.find-members",
        }
    }
}

/// The answer to a [`HostCall`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostResult {
    /// To [`HostCall::GetInfo`].
    Info(CallInfo),
    /// To [`HostCall::Answer`], [`HostCall::Echo`], [`HostCall::HangUp`].
    Done(Result<(), CallError>),
    /// To [`HostCall::Play`].
    Played(Result<PlayEnd, CallError>),
    /// To [`HostCall::Collect`].
    Collected(Result<Collected, CallError>),
    /// To [`HostCall::NextEvent`].
    Event(Result<CallEvent, CallError>),
    /// To [`HostCall::Ring`].
    Rang(Result<Connected, NotConnected>),
    /// To [`HostCall::FindUser`].
    User(Option<DirectoryUser>),
    /// To [`HostCall::FindGroup`].
    Group(Option<DirectoryGroup>),
    /// To [`HostCall::GetVariable`].
    Value(Option<Value>),
    /// To [`HostCall::SetVariable`].
    Set(Result<(), SetError>),
    /// To [`HostCall::Log`].
    Unit,
    /// To [`HostCall::Now`].
    Now(WallTime),
    /// To [`HostCall::RandomBytes`].
    Bytes(Vec<u8>),
    /// To [`HostCall::RandomBelow`].
    Below(u64),
    /// To [`HostCall::JoinConference`].
    Conferred(Result<ConferenceEnd, NotJoined>),
    /// To [`HostCall::Record`].
    Recorded(Result<(), RecordError>),
    /// To [`HostCall::LeaveMessage`].
    MessageLeft(Result<MessageEnd, MailboxError>),
    /// To [`HostCall::OpenMailbox`].
    MailboxClosed(Result<MailboxEnd, MailboxError>),
    /// To [`HostCall::ReceiveFax`].
    Faxed(Result<FaxReceived, FaxError>),
    /// To [`HostCall::Http`].
    Responded(Result<HttpResponse, HttpError>),
    /// To [`HostCall::LastTalk`].
    Talked(Result<Option<Talk>, HistoryError>),
    /// To [`HostCall::FindContact`] and [`HostCall::GetContact`].
    Contact(Option<DirectoryContact>),
    /// To [`HostCall::Park`].
    Parked(Result<ParkEnd, ParkError>),
    /// To [`HostCall::Query`].
    Queried(Result<DatabaseRows, DatabaseError>),
    /// To [`HostCall::SendMail`], [`HostCall::SendText`], [`HostCall::PostLater`]: the notice's name, as [`crate::NoticeId::text`] has it.
    Noticed(Result<String, NoticeError>),
    /// To [`HostCall::Wait`].
    Waited(Result<QueueEnd, QueueError>),
    /// To [`HostCall::FindMembers`].
    Members(Option<Vec<Candidate>>),
}

/// What is to become of the call's recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordCall {
    /// It begins.
    Start {
        /// A prompt of the office that both sides hear.
        announcement: Option<String>,
        /// Both sides hear its begin, its pauses and its end.
        beep: bool,
    },
    /// It pauses.
    Pause,
    /// It goes on.
    Resume,
    /// It ends.
    Stop,
}

/// Why nothing came of a [`RecordCall`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordError {
    /// The caller hung up.
    CallerGone,
    /// The office does not let this call be recorded, or wants it to be.
    NotAllowed,
    /// There is no recording.
    NotRecording,
    /// There is one already.
    Recording,
    /// No media, with the reason.
    NoMedia(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}

/// How a caller leaves a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveRequest {
    /// For whom; `None`: whoever's forward led here, else whom the scenario rang last, else whoever handed the call on, else
    /// whoever was called.
    pub mailbox: Option<Mailbox>,
    /// A prompt of the office that is heard first, in place of the mailbox's own greeting.
    pub greeting: Option<String>,
    /// The longest message: 5,000 to 1,800,000; `None`: as the office has it.
    pub longest_ms: Option<u32>,
    /// The silence that ends it: 2,000 to 60,000; `None`: as the office has it.
    pub silence_ms: Option<u32>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageEnd {
    /// It is kept.
    Recorded,
    /// Nothing was said, or too little: it is not kept.
    Empty,
    /// The mailbox has no room: none was taken.
    Full,
}

/// How a mailbox was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxEnd {
    /// The caller had done in it what he wanted.
    Done,
    /// It was not opened: a wrong PIN, or it is locked for a while.
    Refused,
}

/// Why nothing came of a message or a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxError {
    /// The caller hung up. A message that he had begun is kept if it is long enough.
    CallerGone,
    /// The caller talks to somebody.
    Talking,
    /// There is none, or nobody said which, with the reason.
    NoMailbox(String),
    /// The disk took nothing of the message, with the reason.
    NotKept(String),
    /// No media, with the reason.
    NoMedia(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}

impl From<CallError> for MailboxError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::CallerGone => Self::CallerGone,
            CallError::Talking => Self::Talking,
            CallError::NoMedia(reason) => Self::NoMedia(reason),
            CallError::Invalid(which) => Self::Invalid(which),
        }
    }
}

impl From<CallError> for NotJoined {
    fn from(error: CallError) -> Self {
        match error {
            CallError::CallerGone => Self::CallerGone,
            CallError::Talking => Self::Talking,
            CallError::NoMedia(reason) => Self::NoMedia(reason),
            CallError::Invalid(which) => Self::Invalid(which),
        }
    }
}

/// Who calls whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInfo {
    /// The call's id as text.
    pub id: String,
    /// Empty when withheld.
    pub caller_number: String,
    /// Empty when there is none.
    pub caller_name: String,
    /// The caller, when he is a user of this office.
    pub caller_user: Option<UserId>,
    /// The number that was called.
    pub called_number: String,
    /// BCP 47.
    pub language: String,
}

/// What to play.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audio {
    /// A prompt of the office by name.
    Prompt(String),
    /// A call progress tone.
    Tone(Tone),
    /// Music by name; loops.
    Music(String),
    /// Words, spoken by what the machine has for that.
    Speech(Speech),
    /// A voice message or greeting, by its file. Of the switch's own making: no action asks for it.
    Tape(String),
}

/// Words to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Speech {
    /// 1 to 2,000 bytes of text.
    pub text: String,
    /// BCP 47; `None`: the office's language.
    pub language: Option<String>,
}

/// Call progress tones (ITU-T E.182).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// The far end rings.
    RingBack,
    /// The far end is busy.
    Busy,
    /// The network cannot connect.
    Congestion,
    /// A short beep.
    Beep,
}

/// How long to play, and what stops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlayOptions {
    /// 100 to 3,600,000; `None`: at the audio's end.
    pub max_ms: Option<u32>,
    /// Begin again at the end until `max_ms`.
    pub repeat: bool,
    /// A digit stops it and is the result.
    pub stop_on_digit: bool,
}

/// How playing ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayEnd {
    /// The audio was over.
    Finished,
    /// `max_ms` was over.
    TimeOver,
    /// This digit stopped it.
    Digit(char),
    /// Missing or broken, with the reason.
    NotPlayable(String),
}

/// What to collect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectRequest {
    /// Played meanwhile; the first digit stops it.
    pub prompt: Option<Audio>,
    /// 1 to 32.
    pub max_digits: u8,
    /// From the prompt's end: 100 to 120,000.
    pub first_digit_ms: u32,
    /// Between digits: 100 to 30,000.
    pub inter_digit_ms: u32,
    /// Ends the input and is not part of it.
    pub end_digit: Option<char>,
}

/// What was collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// `0-9 * # A-D`; empty when nothing came.
    pub digits: String,
    /// What ended it.
    pub ended_by: CollectEnd,
    /// Why the prompt was not heard, if it was not.
    pub not_played: Option<String>,
}

/// What ends a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectEnd {
    /// As many as asked for.
    MaxDigits,
    /// The end digit.
    EndDigit,
    /// A wait was over.
    Timeout,
}

/// Something that happened to the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEvent {
    /// A digit of the caller.
    Digit(char),
    /// Somebody was put on hold.
    Held,
    /// ... and taken back.
    Resumed,
    /// Nothing happened in time.
    Timeout,
}

/// Why a request about the call was refused or cut short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallError {
    /// The caller hung up.
    CallerGone,
    /// The caller talks to somebody.
    Talking,
    /// No media, with the reason.
    NoMedia(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}

/// Whom to ring, for how long, and what the caller hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingRequest {
    /// 1 to 32, all at once.
    pub targets: Vec<Target>,
    /// 1,000 to 600,000.
    pub ring_for_ms: u32,
    /// What the caller hears.
    pub ring_back: RingBack,
}

/// Whom to ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Every registered device of a user.
    User(UserId),
    /// Every member of a group, at once.
    Group(GroupId),
    /// An internal or outside number.
    Number(String),
    /// The phones outside of a user's profile.
    Phones(UserPhones),
    /// An outside number, called in a way of the step's own.
    Line(Line),
    /// A SIP address outside.
    Address(String),
}

/// Phones outside that stand in a user's profile. Each has to show by a key that a person answers, unless the profile says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPhones {
    /// Whose.
    pub user: UserId,
    /// All at once; else the first alone.
    pub all: bool,
}

/// An outside number, called in a way of the step's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// As a user would dial it; with a gateway, as that gateway wants it.
    pub number: String,
    /// Through this gateway alone, in place of those that routes lead to.
    pub gateway: Option<String>,
    /// It has to show by a key that a person answers.
    pub confirm: bool,
}

/// What the caller hears while it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingBack {
    /// The ring-back tone (a 180 while the caller is unanswered).
    Tone,
    /// Music on hold.
    Music,
    /// Nothing.
    Silence,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// `None` for an outside number.
    pub user: Option<UserId>,
    /// The number that was reached.
    pub number: String,
    /// From the first INVITE to the answer.
    pub rang_ms: u32,
}

/// Why nobody was connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotConnected {
    /// Our timer ended it.
    Timeout,
    /// The callee's side ended it, with the best cause.
    NoAnswer(Cause),
    /// The caller hung up meanwhile.
    CallerGone,
    /// The grant does not cover this target.
    Denied(String),
    /// A parameter is out of its range, or the target does not exist.
    Invalid(String),
    /// The caller already talks to somebody.
    Talking,
}

/// Why a variable could not be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetError {
    /// It has another type in this scenario.
    WrongType(String),
    /// Not a variable's name.
    BadName,
    /// Too many variables, or the value is too large.
    TooLarge,
    /// The switch's own variable.
    ReadOnly,
    /// The office has no such contact.
    Unknown,
}

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// For the admin.
    Info,
    /// Something is wrong.
    Warn,
}

/// A user as actions see him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryUser {
    /// Who.
    pub id: UserId,
    /// His internal number.
    pub number: String,
    /// His name.
    pub name: String,
    /// What he lets others know.
    pub status: UserStatus,
    /// A device of his is registered now.
    pub reachable: bool,
    /// Calls he has now, ringing ones not counted.
    pub calls: u32,
}

/// How a group spreads its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Everyone rings.
    #[default]
    AllAtOnce,
    /// One after the other, as written.
    InOrder,
    /// One after the other, drawn by weight.
    Random,
    /// One after the other, who has been free for longest first.
    LongestIdle,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// In a random draw; 0 stands at the end.
    pub weight: u32,
}

/// A group as actions see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGroup {
    /// Which.
    pub id: GroupId,
    /// Its internal number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// How it spreads its calls.
    pub distribution: Distribution,
    /// At most 256, in the office's order.
    pub members: Vec<Member>,
    /// How long to ring each member, or all of them.
    pub ring_for_ms: u32,
}
