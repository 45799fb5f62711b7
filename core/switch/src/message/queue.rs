//! Messages about callers who wait for somebody to become free.

use actix::{Message, Recipient};
use plugboard_call::queue::{CallBackTo, Joining, Left, Outcome, QueueShown, UserTells};
use plugboard_model::{CallId, Name, PromisedCall, UserId};
use std::time::Duration;

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
    /// He wants to leave and be called back. From the same; answered by [`QueueNews::Promised`].
    CallBack { call: CallId, to: CallBackTo },
    /// What came of keeping that. From the store's thread.
    Kept { call: CallId, kept: bool },
    /// Whoever was free has answered, to call him back. From the `CallActor` that rang them; answered by [`QueueNews::CallHim`].
    Called { call: CallId, user: UserId, news: Recipient<QueueNews> },
    /// Whoever was there to call him has gone before he was rung. From the errand.
    PutBack(Box<PromisedCall>),
    /// What an office that comes into force has promised before. From the `Switch`.
    Restore(Vec<PromisedCall>),
    /// Nobody is called back from now on. From the same.
    Drain,
    /// Calls are made here. From the `Switch`, once, before anything else.
    Serve(Vec<Recipient<Originate>>),
    /// How a user is. From each `UserActor`, whenever it changes.
    UserIs(UserTells),
}

/// Event: something happened to a caller who waits. From the `QueueActor` to his `CallActor`, or to the one that calls him back.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) enum QueueNews {
    /// He waits.
    Joined,
    /// There is no room for him.
    Full,
    /// This user is free: he is to be rung, and [`UseQueue::Rang`] tells what came of it. And through which groups he is wanted.
    Offered(UserId, Vec<Name>),
    /// His place; 1 is the next. And how long it is likely to take.
    Position(usize, Option<Duration>),
    /// Whether he is called back: if so, the disk has it.
    Promised(bool),
    /// Whether he who is to be called back may be rung now: if so, nobody rings him another time, and the disk has that.
    CallHim(bool),
}

/// Question: who waits? From the `Switch`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Vec<QueueShown>")]
pub(crate) struct GetQueues;
