//! Messages about callers who wait for somebody to become free.

use actix::{Message, Recipient};
use plugboard_call::queue::{Joining, Left, Outcome, QueueShown, UserTells};
use plugboard_model::{CallId, Dialled, UserId};

use super::Originate;

/// Command: something of the queues changes. To the `QueueActor`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) enum UseQueue {
    /// A caller waits from now on. From his `CallActor`; answered by [`QueueNews::Joined`] or [`QueueNews::Full`].
    Join { joining: Joining, news: Recipient<QueueNews> },
    /// ... and no more. From the same.
    Leave { call: CallId, why: Left },
    /// What came of an offer. From the same, or from whoever calls back.
    Rang { call: CallId, user: UserId, outcome: Outcome },
    /// How many are before him? From the same; answered by [`QueueNews::Position`].
    AskPosition(CallId),
    /// He has left, and is to be called back. From the same.
    CallBack { call: CallId, to: CallBackTo },
    /// Calls are made here. From the `Switch`, once, before anything else.
    Serve(Vec<Recipient<Originate>>),
    /// How a user is. From each `UserActor`, whenever it changes.
    UserIs(UserTells),
}

/// Whom to call back.
#[derive(Debug, Clone)]
pub(crate) struct CallBackTo {
    /// As whoever calls him dials it.
    pub(crate) number: Dialled,
    /// How long whoever is free is rung before.
    pub(crate) ring_for: std::time::Duration,
}

/// Event: something happened to a caller who waits. From the `QueueActor` to his `CallActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) enum QueueNews {
    /// He waits.
    Joined,
    /// There is no room for him.
    Full,
    /// This user is free: he is to be rung, and [`UseQueue::Rang`] tells what came of it.
    Offered(UserId),
    /// His place; 1 is the next.
    Position(usize),
}

/// Question: who waits? From the `Switch`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Vec<QueueShown>")]
pub(crate) struct GetQueues;
