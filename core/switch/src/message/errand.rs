//! Calls of the switch's own: who wants one, what it is for, and what came of it.

use actix::{Message, Recipient};
use plugboard_call::Party;
use plugboard_call::queue::Outcome;
use plugboard_media::FaxDocument;
use plugboard_model::{
    CallId, Cause, Dialled, FaxTry, FaxTryEnd, NotConnected, OfficeId, OrderId, PromisedCall, UserId, WallTime,
};
use std::time::Duration;

use super::{QueueNews, UseQueue};
use crate::post::post;

/// Command: call somebody on behalf of a user who does not call himself. From whoever has an errand to the `CallsActor` of any shard.
///
/// The errand's [`Report`] is the answer: exactly one, also when no call comes of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Originate {
    pub(crate) office: OfficeId,
    /// On whose behalf: by his routes and within his limits.
    pub(crate) from: UserId,
    pub(crate) to: Dialled,
    pub(crate) ring_for: Duration,
    pub(crate) errand: Errand,
}

/// What a call of the switch's own is for.
#[derive(Debug)]
pub(crate) enum Errand {
    /// To send a fax to whoever answers.
    Fax(Box<FaxErrand>),
    /// To call somebody back who has waited for whoever answers.
    CallBack(Box<CallBack>),
}

/// A fax that is to be sent.
#[derive(Debug)]
pub(crate) struct FaxErrand {
    /// What our machine says of itself.
    pub(crate) ident: String,
    pub(crate) document: FaxDocument,
    /// Pages of the document.
    pub(crate) pages: u32,
    pub(crate) report: Report,
}

/// Somebody who is to be called back.
pub(crate) struct CallBack {
    queue: Recipient<UseQueue>,
    /// What he was promised.
    promise: Box<PromisedCall>,
    /// Who is rung first.
    pub(crate) user: UserId,
    /// Who is rung then, once he may be.
    pub(crate) parties: Vec<Party>,
    stands: Stands,
}

/// How far calling somebody back has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// The user is rung.
    Rings,
    /// The user is there, and nobody has rung the other one yet: the promise is struck off or is about to be.
    There,
    /// What came of it is told.
    Told,
}

impl CallBack {
    pub(crate) const fn new(queue: Recipient<UseQueue>, promise: Box<PromisedCall>, user: UserId) -> Self {
        Self { queue, promise, user, parties: Vec::new(), stands: Stands::Rings }
    }

    /// The call with which he came.
    pub(crate) const fn call(&self) -> &CallId {
        &self.promise.call
    }

    /// The user has answered: may he who is to be called back be rung now?
    pub(crate) fn called(&mut self, news: Recipient<QueueNews>) {
        if self.stands == Stands::Rings {
            self.stands = Stands::There;
            post(&self.queue, UseQueue::Called { call: self.call().clone(), user: self.user.clone(), news });
        }
    }

    /// Now he is rung, or he is not to be called any more.
    pub(crate) fn goes_on(&mut self) {
        self.stands = Stands::Told;
    }

    /// The user was rung for nothing.
    pub(crate) fn missed(&mut self, outcome: Outcome) {
        if self.stands == Stands::Rings {
            self.stands = Stands::Told;
            let (call, user) = (self.call().clone(), self.user.clone());
            post(&self.queue, UseQueue::Rang { call, user, outcome });
        }
    }
}

impl std::fmt::Debug for CallBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallBack").field("call", self.call()).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Drop for CallBack {
    /// Whoever had the errand is gone with it.
    fn drop(&mut self) {
        match self.stands {
            Stands::Rings => self.missed(Outcome::Failed),
            Stands::There => post(&self.queue, UseQueue::PutBack(self.promise.clone())),
            Stands::Told => {}
        }
    }
}

/// Whom to tell what came of an errand.
#[derive(Debug)]
pub(crate) struct Report {
    to: Option<Recipient<FaxTried>>,
    order: OrderId,
    began: WallTime,
}

impl Report {
    pub(crate) const fn new(to: Recipient<FaxTried>, order: OrderId, began: WallTime) -> Self {
        Self { to: Some(to), order, began }
    }

    /// Since when it is tried.
    pub(crate) const fn began(&self) -> WallTime {
        self.began
    }

    pub(crate) fn give(mut self, tried: FaxTry) {
        if let Some(to) = self.to.take() {
            post(&to, FaxTried { order: self.order.clone(), tried });
        }
    }
}

impl Drop for Report {
    /// Whoever had the errand is gone with it.
    fn drop(&mut self) {
        if let Some(to) = self.to.take() {
            let end = FaxTryEnd::NotReached("a fault of the switch ended the call".into());
            let tried = FaxTry::without_call(self.began, self.began, end);
            post(&to, FaxTried { order: self.order.clone(), tried });
        }
    }
}

/// Event: a try to send a fax is over. From whoever had the errand to the `OutboxActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct FaxTried {
    pub(crate) order: OrderId,
    pub(crate) tried: FaxTry,
}

/// What a call that reached nobody is to an order.
pub(crate) fn end_of(why: &NotConnected) -> FaxTryEnd {
    match why {
        NotConnected::Timeout => FaxTryEnd::NoAnswer,
        NotConnected::NoAnswer(cause) => end_of_cause(cause),
        NotConnected::CallerGone => FaxTryEnd::Failed("the call was ended before anybody answered".into()),
        NotConnected::Denied(reason) | NotConnected::Invalid(reason) => FaxTryEnd::Refused(reason.clone()),
        NotConnected::Talking => FaxTryEnd::NotReached("the call is in use".into()),
    }
}

/// The same of its cause: numbers that do not exist and calls that are forbidden stay so; what a server could not do, it may do later.
pub(crate) fn end_of_cause(cause: &Cause) -> FaxTryEnd {
    let text = || format!("{} {}", cause.status, cause.text);
    match cause.status {
        486 | 600 => FaxTryEnd::Busy,
        408 | 480 | 487 => FaxTryEnd::NoAnswer,
        401 | 403 | 404 | 410 | 484 | 604 => FaxTryEnd::Refused(text()),
        500..=599 => FaxTryEnd::NotReached(text()),
        _ => FaxTryEnd::Failed(text()),
    }
}
