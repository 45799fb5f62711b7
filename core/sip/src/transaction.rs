//! The transaction layer: the four machines of RFC 3261 section 17 with the corrections of RFC 6026 and RFC 4320.
//!
//! One [`Layer`] serves one shard. Messages and the wishes of the sessions go in as [`Input`], datagrams and what
//! the sessions must know come out as [`Output`]. The layer sends again, absorbs what came again, answers CANCEL,
//! acknowledges refusals, and gives up in time. It knows no dialog: a request is routed by whoever reads the output.
//!
//! A client transaction is named by its sender ([`ClientTx`]), and its name is in its branch: a response finds the
//! transaction, its owner and, by the layer's prefix, the shard, without a look-up by text.
//!
//! Source: RFC 3261 sections 8, 9, 17 and 18; RFC 6026; RFC 4320; RFC 3581.

mod client_invite;
mod client_non_invite;
mod key;
mod layer;
mod server_invite;
mod server_non_invite;
mod timer;

pub use layer::{INVITE_SILENCE, Layer, LayerSettings, TRANSACTIONS_MAX};
pub use timer::Timers;

use crate::flow::Flow;
use crate::message::{Message, Request, Response};
use crate::method::Method;
use bytes::Bytes;
use std::net::SocketAddr;

/// The name of a client transaction, given by whoever sends the request.
///
/// Never use one twice in a layer's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientTx {
    /// Whoever sends it, such as a leg's number in the shard: responses are routed by it.
    pub owner: u64,
    /// The sender's own count.
    pub seq: u32,
}

/// The name of a server transaction, given by the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerTx(pub u64);

/// A transaction of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Of a request that we sent.
    Client(ClientTx),
    /// Of the CANCEL of this INVITE.
    Cancel(ClientTx),
    /// Of a request that came.
    Server(ServerTx),
}

/// What the layer is told.
#[derive(Debug)]
pub enum Input {
    /// A message came from the network.
    Received {
        /// The message.
        message: Message,
        /// Over what it came.
        flow: Flow,
    },
    /// Send a request, neither ACK nor CANCEL. The layer adds the Via.
    SendRequest {
        /// The new transaction's name.
        tx: ClientTx,
        /// The request, without our Via.
        request: Request,
        /// Over what it goes.
        flow: Flow,
    },
    /// Send an INVITE to a peer that leaves the transport open: over UDP, or over a stream if it is longer than 1,300 bytes
    /// (RFC 3261 section 18.1.1). A stream that cannot be opened is given up at once for UDP.
    SendEither {
        /// The new transaction's name.
        tx: ClientTx,
        /// The INVITE, without our Via.
        request: Request,
        /// Over what it goes when it is short: UDP.
        flow: Flow,
        /// Over what it goes when it is long.
        larger: Flow,
    },
    /// The same of a call for help, or one that comes back to who called for help: while there is any room at all.
    SendForHelp {
        /// The new transaction's name.
        tx: ClientTx,
        /// The request, without our Via.
        request: Request,
        /// Over what it goes.
        flow: Flow,
        /// Over what it goes when it is long, if the peer leaves that open.
        larger: Option<Flow>,
    },
    /// Send the ACK of a 2xx: no transaction, never repeated by the layer (RFC 3261 section 13.2.2.4).
    SendAck {
        /// Names the branch; like a transaction's.
        tx: ClientTx,
        /// The ACK, without our Via.
        request: Request,
        /// Over what it goes.
        flow: Flow,
    },
    /// Give an INVITE up. CANCEL goes at once if a 1xx came, else as soon as one comes (RFC 3261 section 9.1).
    /// The INVITE's own end is still told: 487 most often, or a 2xx that crossed, or [`Output::Timeout`].
    Cancel {
        /// The INVITE.
        tx: ClientTx,
        /// The value of a Reason header.
        reason: Option<String>,
    },
    /// Nobody waits for the end of this INVITE any more: its dialog is over (RFC 3261 section 15). Nothing is sent, and what
    /// has no final response in 32 s ends by [`Output::Timeout`]: a peer who has said 1xx and forgotten it would hold the
    /// transaction for ever.
    Abandon {
        /// The INVITE.
        tx: ClientTx,
    },
    /// Answer a request. After the first final response only repeated 2xx to INVITE are sent.
    Respond {
        /// The request's transaction.
        tx: ServerTx,
        /// The response, made with [`Response::to_request`].
        response: Response,
    },
    /// Answer a request once and forget it, as a stateless server does: nothing is kept, repeated or acknowledged, and a
    /// repeat of the request comes as a new one. The layer gives To a tag, the same for each repeat. For strangers,
    /// who must not be able to fill the table (RFC 3261 sections 8.2.7 and 26.3.2.4), and only before any response.
    Refuse {
        /// The request's transaction.
        tx: ServerTx,
        /// The response, a final one, made with [`Response::to_request`].
        response: Response,
    },
    /// Forget a request without an answer.
    Ignore {
        /// The request's transaction.
        tx: ServerTx,
    },
    /// Send the 2xx of an INVITE once more: its ACK has not come (RFC 3261 section 13.3.1.4).
    Repeat {
        /// The INVITE's transaction.
        tx: ServerTx,
    },
    /// From now on `owner` is told what happens to this request.
    Own {
        /// The request's transaction.
        tx: ServerTx,
        /// Whoever answers it.
        owner: u64,
    },
    /// A connection broke, or nothing can be sent to this address.
    Failed {
        /// The flow; all its transactions end.
        flow: Flow,
    },
    /// This one message could not be sent and never can; others to the same address can. An INVITE whose response it was
    /// is refused with 500 by the shortest response there is.
    Unsent {
        /// As [`Output::Transmit`] said.
        of: Key,
    },
    /// An INVITE for help came: it is let in also when others are not.
    CalledForHelp {
        /// The INVITE.
        request: Request,
        /// Where it came from.
        flow: Flow,
    },
    /// The host of a peer says that nobody takes what was sent to him over UDP (ICMP, RFC 3261 section 18.4).
    ///
    /// Anybody can say so in his name. So it ends no more than the request that it quotes, whose branch only he knows who has seen
    /// it; and only one that opens something and to which nothing was heard: a call that stands is ended by what is said within it.
    Undelivered {
        /// Where it went.
        to: SocketAddr,
        /// Its beginning.
        quoted: Bytes,
    },
    /// [`Layer::poll_timeout`] is reached.
    Tick,
}

/// What the layer wants done, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// The transaction that ends when this cannot be sent; none for ACKs and for answers to what is forgotten.
        of: Option<Key>,
        /// Over what.
        flow: Flow,
        /// A whole message.
        bytes: Bytes,
    },
    /// A new request came; answer it by [`Input::Respond`]. Never ACK or CANCEL.
    Request {
        /// Its transaction.
        tx: ServerTx,
        /// The request, `received` and `rport` filled in.
        request: Request,
        /// Over what it came.
        flow: Flow,
    },
    /// The caller gave the INVITE up: answer it with 487. The CANCEL itself is answered. Told without an owner when
    /// there is none yet, and then again as soon as there is one.
    Cancelled {
        /// The INVITE's transaction.
        tx: ServerTx,
        /// As set by [`Input::Own`].
        owner: Option<u64>,
        /// The CANCEL, for its Reason and Call-ID.
        request: Request,
    },
    /// An ACK that belongs to no transaction: the ACK of a 2xx. Route it by its dialog.
    Ack {
        /// The ACK.
        request: Request,
        /// Over what it came.
        flow: Flow,
    },
    /// A response, provisional or final. A final one comes once, but each 2xx to INVITE is told (forks, repeats).
    Response {
        /// The request's transaction.
        tx: ClientTx,
        /// The response, its Via still on it.
        response: Response,
        /// Over what it came.
        flow: Flow,
    },
    /// A 2xx to an INVITE of ours whose transaction is over: acknowledge it and end its dialog.
    Stray {
        /// The name that its branch gives.
        tx: ClientTx,
        /// The response.
        response: Response,
        /// Over what it came.
        flow: Flow,
    },
    /// Nobody answered in time; as good as 408 (RFC 3261 section 8.1.3.1).
    Timeout {
        /// The request's transaction, which is over.
        tx: ClientTx,
    },
    /// The request could not be sent, or its connection broke; as good as 503.
    TransportError {
        /// The request's transaction, which is over.
        tx: ClientTx,
    },
    /// The layer is full: the request was not sent; as good as 503.
    Full {
        /// The request's transaction, which never began.
        tx: ClientTx,
    },
    /// The connection of an INVITE broke before it was answered, or its response, be it a 2xx, could not be sent.
    Lost {
        /// The request's transaction, which is over.
        tx: ServerTx,
        /// As set by [`Input::Own`].
        owner: Option<u64>,
    },
    /// A message that fits no transaction, and is forgotten.
    Misfit {
        /// What is wrong with it.
        misfit: Misfit,
        /// Of its CSeq.
        method: Method,
        /// Over what it came.
        flow: Flow,
        /// What is to be answered, if anything is: up to whoever runs the layer, since anybody may send as many as he likes.
        answer: Option<Box<Turned>>,
    },
}

/// A request that gets no transaction, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// The request.
    pub request: Request,
    /// Where the answer goes.
    pub back: Flow,
    /// The answer: a whole message.
    pub bytes: Bytes,
}

impl Input {
    /// The same of a call for help, where it sends a request.
    #[must_use]
    pub fn for_help(self) -> Self {
        match self {
            Self::SendRequest { tx, request, flow } => Self::SendForHelp { tx, request, flow, larger: None },
            Self::SendEither { tx, request, flow, larger } => {
                Self::SendForHelp { tx, request, flow, larger: Some(larger) }
            }
            other @ (Self::Received { .. }
            | Self::CalledForHelp { .. }
            | Self::SendForHelp { .. }
            | Self::SendAck { .. }
            | Self::Cancel { .. }
            | Self::Respond { .. }
            | Self::Refuse { .. }
            | Self::Ignore { .. }
            | Self::Repeat { .. }
            | Self::Own { .. }
            | Self::Failed { .. }
            | Self::Unsent { .. }
            | Self::Undelivered { .. }
            | Self::Abandon { .. }
            | Self::Tick) => other,
        }
    }
}

/// What is wrong with a message that fits no transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A response that nothing waits for: dropped (RFC 3261 section 18.1.2).
    #[error("it answers no request of ours")]
    Unasked,
    /// A CANCEL for no INVITE that is known: 481.
    #[error("there is no INVITE that it would cancel")]
    NothingToCancel,
    /// An INVITE that is served already and came another way: 482.
    #[error("the same INVITE came another way before")]
    Merged,
    /// There are as many transactions as there may be: 503.
    #[error("too many transactions are under way")]
    NoRoom,
    /// A request whose headers cannot be read as far as they name its transaction: 400 (RFC 4475 section 3.1.2.1).
    #[error("its headers do not name it")]
    Nameless,
}

impl Misfit {
    /// What it was answered with.
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Unasked => None,
            Self::NothingToCancel => Some(481),
            Self::Merged => Some(482),
            Self::NoRoom => Some(503),
            Self::Nameless => Some(400),
        }
    }
}
