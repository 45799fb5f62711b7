//! What is asked of whoever keeps mail, texts and posts until they have left.

use actix::Message;
use plugboard_call::notices::NotChanged;
use plugboard_model::{MailAttach, Notice, NoticeEnd, NoticeError, NoticeId, OfficeId};
use plugboard_store::CommitError;

/// Where it is told under which name a notice was taken, or why it was not.
pub(crate) type Told = Box<dyn FnOnce(Result<String, NoticeError>) + Send>;

/// Command: take this. From a `CallActor`, or the thread that has written a message or a fax, to the `NoticesActor`; `told` is called when it
/// is on the disk.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TakeNotice {
    pub(crate) notice: Notice,
    /// What of its call goes along with a mail.
    pub(crate) attach: Vec<MailAttach>,
    pub(crate) told: Told,
}

/// Event: a notice is on the disk, or is not. From the store's thread to the `NoticesActor`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct NoticeKept {
    pub(crate) id: NoticeId,
    /// The try that it allows, if it does.
    pub(crate) begins: Option<u32>,
    pub(crate) done: Result<(), CommitError>,
    pub(crate) told: Option<Told>,
}

/// Event: a try to let a notice leave is over. From whoever had it to the `NoticesActor`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct NoticeTried {
    pub(crate) id: NoticeId,
    pub(crate) n: u32,
    pub(crate) end: NoticeEnd,
}

/// Question: what is there of an office, the newest first, so many at most? Answered by the `NoticesActor`.
#[derive(Debug, Message)]
#[rtype(result = "Vec<Notice>")]
pub(crate) struct GetNotices {
    pub(crate) office: OfficeId,
    /// Those of calls of this number alone.
    pub(crate) number: Option<String>,
    /// Those that are not over alone.
    pub(crate) waiting: bool,
    pub(crate) most: usize,
}

/// Question: how far is this? Answered by the `NoticesActor`.
#[derive(Debug, Message)]
#[rtype(result = "Option<Notice>")]
pub(crate) struct GetNotice(pub(crate) NoticeId);

/// Command: try this again now. From `Switch` to the `NoticesActor`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Notice, NotChanged>")]
pub(crate) struct RetryNotice(pub(crate) NoticeId);

/// Command: drop this. From `Switch` to the `NoticesActor`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Notice, NotChanged>")]
pub(crate) struct DropNotice(pub(crate) NoticeId);

/// Command: forget what is of calls of this number, however far it is; the answer says how many there were. From `Switch` to the
/// `NoticesActor`. Without an office it only waits for its turn.
#[derive(Debug, Message)]
#[rtype(result = "usize")]
pub(crate) struct ForgetNotices {
    pub(crate) office: Option<OfficeId>,
    pub(crate) number: String,
}
