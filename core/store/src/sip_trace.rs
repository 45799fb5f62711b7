//! A call's SIP messages, for `call trace --sip` and `--pcap`: bounded, dropped under pressure like journal lines.

use crate::codec::Form;
use crate::engine::{Change, Engine, Family};
use crate::error::StoreError;
use crate::key::Key;
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{LegId, Time};
use serde::{Deserialize, Serialize, Serializer};
use std::net::SocketAddr;
use std::ops::ControlFlow;

/// Messages kept of one call: a call with 32 devices that ring, twice over.
const MESSAGES_MAX: u32 = 1_024;
/// Bytes kept of one call.
const BYTES_MAX: usize = 1 << 20;
/// Bytes kept of one message: what a UDP datagram can hold.
const MESSAGE_LEN_MAX: usize = 65_535;
/// Entries are called this in errors.
const FORM: Form = Form::new("a SIP trace entry", 1);

/// Which way a message went, seen from the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SipFlow {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// What carried a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SipTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS.
    Wss,
}

/// A SIP message of a call. Credentials must be taken out of `bytes` before it comes here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipTraceEntry {
    /// Since the call's start.
    pub at: Time,
    /// The leg, once it is known.
    pub leg: Option<LegId>,
    /// Which way.
    pub flow: SipFlow,
    /// Over what.
    pub transport: SipTransport,
    /// Our address.
    pub local: SocketAddr,
    /// The other side's.
    pub remote: SocketAddr,
    /// The message; cut at 65,535 bytes.
    #[serde(serialize_with = "as_bytes")]
    pub bytes: Vec<u8>,
}

/// In one piece, not byte by byte; what is written is the same.
fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Writes one call's SIP trace. Belongs to the call, so that its limits end with it.
pub struct SipTrace {
    store: Store,
    prefix: Key,
    messages: u32,
    bytes: usize,
    dropped: u32,
}

impl SipTrace {
    pub(crate) const fn new(store: Store, prefix: Key) -> Self {
        Self { store, prefix, messages: 0, bytes: 0, dropped: 0 }
    }

    /// Keeps a message. Never waits. Past 1,024 messages or 1 MiB of a call nothing more is kept.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written at all: a fault of the caller.
    pub fn append(&mut self, mut entry: SipTraceEntry) -> Result<(), StoreError> {
        entry.bytes.truncate(MESSAGE_LEN_MAX);
        self.bytes = self.bytes.saturating_add(entry.bytes.len());
        if self.messages >= MESSAGES_MAX || self.bytes > BYTES_MAX {
            self.dropped = self.dropped.saturating_add(1);
            return Ok(());
        }
        let place = [entry.at.0.to_be_bytes().as_slice(), &self.messages.to_be_bytes()].concat();
        self.messages += 1;
        let change = Change::put(self.prefix.clone().with(&place), FORM.encode(&entry)?);
        self.store.submit(Class::Journal { lines: 1 }, vec![change], None);
        Ok(())
    }

    /// Messages not kept because of the call's limits.
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }
}

/// Reads a call's messages in their order.
pub(crate) fn read(engine: &Engine, prefix: &Key) -> Result<Vec<SipTraceEntry>, StoreError> {
    let (mut entries, mut fault) = (Vec::new(), None);
    engine.scan(Family::Journal, &prefix.bytes, &prefix.end(), |_, value| {
        match FORM.decode(value) {
            Ok(entry) => entries.push(entry),
            Err(broken) => fault = Some(broken),
        }
        if fault.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    fault.map_or(Ok(entries), Err)
}
