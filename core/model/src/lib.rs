//! The words of the switch as types, shared by every crate and owned by none of them.
//!
//! Nothing here does anything: no clock, no I/O, no policy. A type is here when two crates that may not
//! import each other (`sip`, `media`, `call`, `scenario`, `office`, `plugin`, `store`) must both say it.

mod address;
mod cause;
mod conference;
mod contact;
mod database;
mod fax;
mod forward;
mod history;
mod host;
mod http;
mod id;
mod integration;
mod journal;
mod notice;
mod number;
mod outgoing;
mod park;
mod quality;
mod queue;
mod record;
mod status;
mod steps;
mod tape;
mod time;
mod value;

pub use address::is_public;
pub use cause::{Cause, REASON_COMPLETED_ELSEWHERE, best_cause};
pub use conference::{ConferenceEnd, ConferenceRequest, NotJoined};
pub use contact::{DirectoryContact, KnownContact, Responsible};
pub use database::{Argument, DatabaseError, DatabaseRequest, DatabaseRows};
pub use fax::{FaxError, FaxFile, FaxOutcome, FaxReceived, FaxRecord, FaxRequest};
pub use forward::{ForwardWhen, ForwardWhy};
pub use history::{HistoryError, Talk};
pub use host::{
    Audio, CallError, CallEvent, CallInfo, CollectEnd, CollectRequest, Collected, Connected, DirectoryGroup,
    DirectoryUser, Distribution, HostCall, HostResult, LeaveRequest, Line, LogLevel, MailboxEnd, MailboxError, Member,
    MessageEnd, NotConnected, PlayEnd, PlayOptions, RecordCall, RecordError, RingBack, RingRequest, SetError, Speech,
    Target, Tone, UserPhones,
};
pub use http::{HttpError, HttpMethod, HttpRequest, HttpResponse};
pub use id::{
    CallId, ContactId, GatewayId, GroupId, IdError, LegId, Name, NumberId, OfficeId, RouteId, RunId, ScenarioId, UserId,
};
pub use integration::{AskedNumber, FoundContact, IntegrationAnswer, IntegrationAsk, LoggedCall};
pub use journal::{JOURNAL_SCHEMA, JournalEntry, JournalEvent, RunEnd, RunPins};
pub use notice::{
    Attachment, MailAddress, MailAttach, MailContent, MailRequest, Notice, NoticeContent, NoticeEnd, NoticeError,
    NoticeId, NoticePart, NoticeState, NoticeTry, OutgoingMail, OutgoingPost, OutgoingText, TextRequest,
};
pub use number::{Dialled, DialledError};
pub use outgoing::{FaxTry, FaxTryEnd, OrderId, OrderState, OutgoingFax, SentPage};
pub use park::{ParkEnd, ParkError};
pub use quality::{FarQuality, Heard, LegQuality, Sound, mos};
pub use queue::{
    Candidate, PromisedCall, QUEUE_CALLERS_MAX, QueueEnd, QueueError, QueueRequest, QueueRules, Skill, Wanted,
};
pub use record::{CallOutcome, CallRecord, Direction, LegEncryption, LegRecord, StepRecord};
pub use status::UserStatus;
pub use steps::Steps;
pub use tape::{Mailbox, TapeBy, TapeEnd, TapeKind, TapeRecord, TapeWhy};
pub use time::{Time, WallTime};
pub use value::{Value, ValueType};
