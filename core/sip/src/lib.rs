//! SIP: messages, transactions, dialogs, digest, registrar. Sans-IO
//!
//! The wire half reads and writes bytes with an own lexer and writer on rsip's types. rsip's parser and printer are
//! not used: they refuse a third of the valid messages of RFC 4475 and 5118, know no IPv6 host, no unknown method,
//! no folding and no compact names, and change binary bodies. This crate is the only one that names rsip.
//!
//! - Read: [`parse_datagram`], [`StreamFramer`], [`peek()`]; a fault is a [`ParseError`] that knows its answer.
//! - Look: [`Message`], [`Headers`] and the views [`NameAddr`], [`Via`], [`Params`], which borrow from the header.
//! - Judge: [`validate()`] for requests, [`check_response`] for responses.
//! - Write: [`Request::write_to`], [`Response::write_to`], into a buffer that is used again.
//!
//! The upper half keeps state and decides; time and random numbers are arguments:
//!
//! - [`transaction`]: one [`transaction::Layer`] a shard: sending again, absorbing, CANCEL, giving up.
//! - [`session`]: one [`session::Session`] a leg, calling or called; [`dialog`] is what it stands on.
//! - [`trunk`]: what is known of a gateway: [`locate`] where it is, [`probe`] whether it answers, [`registration`] our own there.
//! - [`registrar`]: where a user's devices are. [`stun`]: how they keep their flows. [`digest`]: who may say so. [`rates`]: how often.
//!   [`replies`]: the rest.

pub mod dialog;
pub mod digest;
mod diversion;
pub mod event;
pub mod flow;
mod headers;
mod lexer;
pub mod limits;
pub mod locate;
mod message;
mod method;
mod name_addr;
mod names;
mod params;
mod peek;
pub mod probe;
pub mod rates;
pub mod registrar;
pub mod registration;
mod rejection;
mod replaces;
pub mod replies;
mod scan;
pub mod session;
mod stream;
pub mod stun;
pub mod transaction;
pub mod trunk;
mod uri;
mod validate;
mod via;
mod writer;

pub use diversion::{Diversion, DiversionReason};
pub use headers::{CSeq, HeaderError, Headers};
pub use lexer::parse_datagram;
pub use message::{Message, Request, Response, reason_phrase};
pub use method::Method;
pub use name_addr::{Contact, NameAddr};
pub use params::{Params, push_quoted, unquote};
pub use peek::{Peek, PeekKind, peek, peek_quoted};
pub use rejection::{Fault, ParseError, Rejected, Rejection};
pub use replaces::{REPLACES, ReferTo, Replaces};
pub use stream::{Frame, FrameError, PING, PONG, StreamFramer, read_websocket};
pub use uri::{RequestUri, SipUri, TelUri, UriError, escape_user, unescape};
pub use validate::{Abilities, check_response, check_syntax, validate};
pub use via::{BRANCH_COOKIE, Via};
