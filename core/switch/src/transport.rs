//! The sockets of SIP: listeners of every transport, connections, and the router that gives each message to its shard.

mod connection;
mod connections;
mod network;
mod reach;
mod router;
mod san;
mod streams;
mod sys;
mod tls;
mod udp;
mod websocket;

pub use network::{BindError, Listen, Manners, Network};
pub use reach::{LocalNetwork, Reach};
pub use router::{Router, Waiting};
pub use tls::{ClientCertificates, SelfSigned, Tls, TlsError, TlsFiles};
