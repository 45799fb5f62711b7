//! Actors, sockets and clock: carries out what the machines decide.
//!
//! [`Switch::start`] starts the actors over an [`Env`], [`Network`] gives them the network. One shard is one thread: it
//! owns a call with all its legs, its transactions and its timers, so that nothing of a call is shared. [`Events`]
//! brings back what media and plugin threads report.
//!
//! The only crate that names actix.

mod action_catalogue;
mod actor;
mod awaited;
mod channels;
mod contents;
mod convert;
mod delivered;
mod directory;
mod diversion;
mod env;
mod events;
mod grant_table;
mod guesses;
mod hand_on;
mod identity;
mod logged;
mod mailboxes;
mod media;
mod message;
mod moves;
mod overload;
mod parking;
mod peers;
mod pin_tries;
mod post;
mod rates;
mod rooms;
mod shard;
mod snapshot;
mod switch;
mod system;
mod talks;
mod thread;
mod tolls;
mod transport;
mod wake;

pub use plugboard_sip::flow::Transport as SipProtocol;

pub use plugboard_sip::locate::{Answer, NaptrRecord, NotFound, Question, Records, SrvRecord};
pub use plugboard_sip::registrar::Push as PushTarget;

pub use action_catalogue::action_catalogue;
pub use env::{
    CallRoom, Carriage, CarriageReply, Carrier, Clock, DatabaseQuestion, DatabaseReply, Databases, Dns, DnsReply, Env,
    History, Plugins, Prompts, Push, Random, SipTransport, TalkQuestion, TalkReply, Turn, Unsendable, Voice,
    VoiceReply, Web, WebReply, WebRequest,
};
pub use events::Events;
pub use grant_table::GrantTable;
pub use hand_on::{HandOnTo, NotHandedOn};
pub use mailboxes::Mailboxes;
pub use message::{FaxRefused, GatewayState, Holdings, LiveCall, NewFax, RegisteredContact, TakenFax, UserState};
pub use plugboard_call::notices::NotChanged;
pub use plugboard_call::outbox::{NotOrdered, NotWithdrawn};
pub use plugboard_call::queue::{CallerShown, QueueShown};
pub use plugboard_sip::rates::Rate;
pub use plugboard_sip::transaction::TRANSACTIONS_MAX;
pub use rates::RequestRates;
pub use snapshot::Configuration;
pub use switch::{Placement, SHARDS_MAX, Switch, run};
pub use system::{SystemClock, SystemRandom};
pub use thread::OwnThread;
pub use transport::{
    BindError, ClientCertificates, Listen, LocalNetwork, Manners, Network, Reach, Router, SelfSigned, Tls, TlsError,
    TlsFiles, Waiting,
};
