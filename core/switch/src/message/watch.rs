//! Messages about what others may know of a user: lamps, presence, his phone's keys.

use actix::{Message, Recipient};
use plugboard_model::{CallId, GroupId, LegId, Mailbox, OfficeId, UserId};
use plugboard_office::UserSettings;
use plugboard_sip::Request;
use plugboard_sip::event::{DialogState, Direction, FeatureWish, Published};
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::ServerTx;
use std::sync::Arc;

use super::{Shown, ToLayer};

/// What can be watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watched {
    /// A user.
    User(UserId),
    /// A group: the calls that its members get.
    Group(GroupId),
    /// A place where calls are parked, by its number.
    Place(OfficeId, u32),
}

impl Watched {
    /// The office that it is of.
    pub(crate) const fn office(&self) -> &OfficeId {
        match self {
            Self::User(user) => &user.office,
            Self::Group(group) => &group.office,
            Self::Place(office, _) => office,
        }
    }
}

/// Command: somebody subscribes. From `SipActor` to the `NotifierActor` of the same shard, authenticated; the answer goes to the
/// layer.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TakeSubscription {
    pub(crate) tx: ServerTx,
    pub(crate) request: Request,
    pub(crate) flow: Flow,
    pub(crate) watcher: UserId,
    pub(crate) watched: Watched,
    /// Ours, if it is taken.
    pub(crate) tag: String,
}

/// Command: show this shard what its watchers may know of you, now and whenever it changes; or no more. From `NotifierActor` to
/// `UserActor`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ShowTo {
    pub(crate) shard: usize,
    /// `None`: no more.
    pub(crate) news: Option<Recipient<UserShows>>,
}

/// Event: how a user is. From `UserActor` to every `NotifierActor` that watches him.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct UserShows {
    pub(crate) user: UserId,
    pub(crate) view: Arc<UserView>,
}

/// Event: a call was parked in a place, or is there no longer. From whoever has the place to every `NotifierActor`; what holds
/// is in the table of places.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct PlaceShows {
    pub(crate) office: OfficeId,
    pub(crate) place: u32,
}

/// Event: a mailbox has other messages now. From whoever changes it, on any thread, to every `NotifierActor`; what holds is in the
/// table of mailboxes.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct MailboxShows(pub(crate) Mailbox);

/// What others may know of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserView {
    /// Counts up: a later one is never overtaken by an earlier one.
    pub(crate) version: u64,
    pub(crate) settings: UserSettings,
    /// A device of his is registered.
    pub(crate) reachable: bool,
    /// His calls, oldest first.
    pub(crate) calls: Vec<UserCall>,
    /// What his devices say of him.
    pub(crate) published: Vec<Published>,
}

/// A call of a user, as lamps show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserCall {
    pub(crate) call: CallId,
    pub(crate) lamp: LegLamp,
}

/// How a leg of a user is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegLamp {
    pub(crate) state: DialogState,
    pub(crate) direction: Direction,
    /// Call-ID, his device's tag and ours, while it rings there.
    pub(crate) dialog: Option<[String; 3]>,
    /// Whoever is at the other end.
    pub(crate) remote: Shown,
}

/// Event: a leg of the user's is at something else now, or over. From `CallActor` to `UserActor`. All of a call are over with
/// `UseSlot::Release`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct UseLamp {
    pub(crate) call: CallId,
    pub(crate) leg: LegId,
    pub(crate) lamp: Option<LegLamp>,
}

/// Command: handle this PUBLISH, authenticated. From `SipActor` to `UserActor`, which answers with [`ToLayer`].
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Publish {
    pub(crate) tx: ServerTx,
    pub(crate) request: Request,
    pub(crate) reply: Recipient<ToLayer>,
}

/// Event: a push service says that there is no such device any more. From whatever thread asks it, to the `UserActor` that did.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct PushGone(pub(crate) plugboard_sip::registrar::Push);

/// Command: the user changed this with a key of his phone. From `NotifierActor` to `UserActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct PressKey(pub(crate) FeatureWish);
