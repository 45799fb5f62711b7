//! What is asked of the outbox from outside.

use actix::Message;
use plugboard_call::outbox::{NotOrdered, NotWithdrawn};
use plugboard_model::{Cause, OfficeId, OrderId, OutgoingFax};

/// A fax that somebody wants to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFax {
    /// The office.
    pub office: OfficeId,
    /// On whose behalf: the id or the number of a user.
    pub from: String,
    /// Whom to call, as he would dial it.
    pub to: String,
    /// What the machine says of itself; none: what the office says.
    pub ident: Option<String>,
    /// What stands at the top of each page; none: what the office says.
    pub header: Option<String>,
    /// What whoever orders it calls it: 1 to 100 letters of ASCII. The same key is the same order, for thirty days.
    pub key: Option<String>,
    /// The SHA-256 of what was ordered.
    pub digest: [u8; 32],
    /// The pages: a TIFF file of ITU-T T.6 as machines send it.
    pub tiff: Vec<u8>,
    /// How many there are, at least one.
    pub pages: u32,
}

/// Why a fax is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaxRefused {
    /// There is no such office.
    #[error("there is no office {0}")]
    NoOffice(OfficeId),
    /// There is no such user.
    #[error("the office has no user {0:?}")]
    NoUser(String),
    /// A field is not what it has to be.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which, as in [`NewFax`].
        field: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The office does not let him call there.
    #[error("he may not call there: {} {}", .0.status, .0.text)]
    NotAllowed(Cause),
    /// Too many wait, or the key is taken.
    #[error(transparent)]
    NotOrdered(#[from] NotOrdered),
    /// The disk refused it.
    #[error("it could not be kept: {0}")]
    NotKept(String),
    /// The switch ends.
    #[error("the switch ends just now")]
    Ending,
}

/// A fax that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenFax {
    /// How far it is.
    pub fax: OutgoingFax,
    /// It was ordered before, by the same key.
    pub before: bool,
}

/// Question: will you send this? From `Switch` to the `OutboxActor`; what it says yes to is on the disk.
#[derive(Debug, Message)]
#[rtype(result = "Result<TakenFax, FaxRefused>")]
pub(crate) struct OrderFax(pub(crate) NewFax);

/// Command: do not send this. From `Switch` to the `OutboxActor`.
#[derive(Debug, Message)]
#[rtype(result = "Result<OutgoingFax, NotWithdrawn>")]
pub(crate) struct WithdrawFax(pub(crate) OrderId);

/// Question: how far is this? Answered by the `OutboxActor`.
#[derive(Debug, Message)]
#[rtype(result = "Option<OutgoingFax>")]
pub(crate) struct GetFaxOrder(pub(crate) OrderId);

/// Question: what is there of an office? Answered by the `OutboxActor`: the newest so many, newest first, of one number alone if that is named.
#[derive(Debug, Message)]
#[rtype(result = "Vec<OutgoingFax>")]
pub(crate) struct GetFaxOrders {
    pub(crate) office: OfficeId,
    pub(crate) to: Option<String>,
    pub(crate) most: usize,
}

/// Command: forget what is over of this number, whole. From `Switch` to the `OutboxActor`; the answer says how many there were. Without an
/// office it only waits for its turn.
#[derive(Debug, Message)]
#[rtype(result = "usize")]
pub(crate) struct ForgetFaxOrders {
    pub(crate) office: Option<OfficeId>,
    pub(crate) to: String,
}
