//! What the interop tests share: the running switch, and the programs of others that talk to it.
//!
//! Nothing here knows the switch from within: it is started, asked and ended by its command line alone. The tests wait
//! for conditions, never for time, since these are real processes on a machine that may be busy.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    reason = "a test stops at the first surprise; all of this is for tests"
)]

mod baresip;
mod bridge;
mod browser;
mod compiled;
mod consultation;
mod databases;
mod ear;
mod kamailio;
mod linphone;
mod mail_server;
mod name_server;
mod namespace;
mod office;
mod port;
mod program;
mod scenario;
mod sipp;
mod switch;
mod tone;
mod turn;
mod wait;

pub use baresip::Baresip;
pub use bridge::Bridge;
pub use browser::Browser;
pub use databases::{DATABASE, DATABASE_PASSWORD, DATABASE_USER, DatabaseServer};
pub use ear::{Ear, Heard, speech};
pub use kamailio::Kamailio;
pub use linphone::Linphone;
pub use mail_server::{MailServer, Tls, rough_mail_server};
pub use name_server::{Known, NameServer};
pub use namespace::{in_own_network, with_own_mounts};
pub use office::Office;
pub(crate) use port::is_open;
pub use port::{free_port, free_rtp_ports};
pub use program::{Program, tool};
pub use scenario::{Answer, Call};
pub use sipp::Sipp;
pub use switch::{Plugboard, Serve, asked, built_plugins, page, plugboard, steps, target};
pub use tone::{Recording, write_tone};
pub use turn::{Coturn, TURN_SECRET, turn_client};
pub use wait::{LIMIT, until};

/// SIP over this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Streams.
    Tcp,
    /// Streams under TLS.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket under TLS.
    Wss,
}

impl Transport {
    /// As in a SIP URI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }
}
