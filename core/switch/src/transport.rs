//! The sockets of SIP: UDP and TCP listeners, connections, and the router that gives each message to its shard.

mod network;
mod router;
mod sys;
mod tcp;
mod udp;

pub use network::{BindError, Listen, Network};
pub use router::{Router, Waiting};
