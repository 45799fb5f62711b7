//! Calls that an admin hands on, as the one who leaves could by his phone.

use actix::{Message, Recipient};
use plugboard_model::{CallId, Dialled, LegId};
use tokio::sync::oneshot;

use crate::message::Wish;

/// Whom the one who stays is connected with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandOnTo {
    /// Whoever answers there, as if the one who leaves had dialled it; when nobody does, he has his call back, or is rung
    /// (RFC 5589 section 6).
    Number(Dialled),
    /// Whoever the one who leaves talks to in another call of his (RFC 5589 section 7).
    Call(CallId),
}

/// Why a call was not handed on; it is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHandedOn {
    /// There is no such live call.
    #[error("there is no live call {0}; `plugboard call list` shows those that go on")]
    NoCall(CallId),
    /// The leg is none of a user, or talks to nobody.
    #[error("leg {leg} is not a user's who talks to somebody; of this call such are: {}", listed(legs))]
    NoLeg {
        /// The leg that was named.
        leg: LegId,
        /// Those that can be.
        legs: Vec<LegId>,
    },
    /// No leg was named, and there is not exactly one.
    #[error("which leg leaves is not clear; those of users who talk to somebody are: {}: name one by --leg", listed(.0))]
    WhichLeg(Vec<LegId>),
    /// It may not be, as a phone that asks for it is told.
    #[error("{why} ({status})")]
    Refused {
        /// The SIP status that a phone would be told.
        status: u16,
        /// Why.
        why: &'static str,
    },
    /// The other call does not let itself be joined.
    #[error("the other call cannot be joined ({0}): the one who leaves must talk to somebody there, too")]
    NotJoined(u16),
    /// The call ended before it was handed on.
    #[error("the call has ended meanwhile")]
    Ended,
}

fn listed(legs: &[LegId]) -> String {
    if legs.is_empty() {
        return "none".to_owned();
    }
    legs.iter().map(LegId::to_string).collect::<Vec<_>>().join(", ")
}

/// Where the answer goes: the leg that leaves.
pub(crate) type HandedOn = oneshot::Sender<Result<LegId, NotHandedOn>>;

/// Command: what an admin wants of a call. To `CallActor`, from the outside; [`Ordered::GivePlace`] from the other call.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum Ordered {
    /// Hand on whom this leg talks to.
    HandOn {
        /// Who leaves; without it, whoever alone can.
        leg: Option<LegId>,
        to: Target,
        answer: HandedOn,
    },
    /// Let another call have whom the user talks to here who wishes it.
    GivePlace(Wish),
}

/// [`HandOnTo`] with the way to the other call.
#[derive(Debug)]
pub(crate) enum Target {
    Number(Dialled),
    Call(Recipient<Ordered>),
}

/// Question: the way to a call. Answered by each `CallsActor`: `None` when it is not of its shard.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Option<Recipient<Ordered>>")]
pub(crate) struct GetCall(pub(crate) CallId);
