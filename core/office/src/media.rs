//! What a document says of the media of whoever is called: encryption and keys.

/// Whether the media of a user's devices or a gateway is encrypted (SRTP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Never: who insists is refused.
    Off,
    /// Where they want it.
    Accepted,
    /// It is offered to them, and they may leave it.
    Offered,
    /// There is no call without it.
    Required,
}

impl Encryption {
    pub(crate) const WORDS: [(&'static str, Self); 4] =
        [("off", Self::Off), ("accepted", Self::Accepted), ("offered", Self::Offered), ("required", Self::Required)];
}

/// Where the keys of encrypted media come from, in offers of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptionBy {
    /// From signalling (RFC 4568).
    Sdes,
    /// From a handshake on the media's way (RFC 5763).
    Dtls,
}

impl EncryptionBy {
    pub(crate) const WORDS: [(&'static str, Self); 2] = [("sdes", Self::Sdes), ("dtls", Self::Dtls)];
}

/// How keys (DTMF) come from them and go to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyForm {
    /// As was agreed on: events in RTP (RFC 4733), else tones.
    #[default]
    Auto,
    /// Events in RTP alone: tones in their audio are no keys.
    Rfc4733,
    /// By SIP INFO.
    Info,
    /// As tones, both ways.
    Inband,
}

impl KeyForm {
    pub(crate) const WORDS: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("rfc4733", Self::Rfc4733), ("info", Self::Info), ("inband", Self::Inband)];
}

/// What is said of media, of a user's devices and of a gateway alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaRules {
    /// Whether it is encrypted; without it, offered where signalling is, else accepted.
    pub encryption: Option<Encryption>,
    /// By which keys, where we offer it; without it, SDES where signalling is encrypted, else DTLS.
    pub encryption_by: Option<EncryptionBy>,
    /// Keys may be told in signalling that everybody on the way can read.
    pub sdes_without_tls: bool,
    /// How keys travel.
    pub keys: KeyForm,
}
