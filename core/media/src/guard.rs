//! The seam to whatever encrypts packets: this crate knows whose packet it is and when, [`Guards`] knows how.

use crate::engine::Kind;
use crate::security::{Fingerprint, Protection, Suite};
use plugboard_model::Time;
use std::fmt;

/// So much longer a packet becomes at most by what protects it: the tag of AES-GCM and SRTCP's index.
pub const SEAL_BYTES_MAX: usize = 24;

/// Why a packet of the far end is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOpened {
    /// It is nobody's who has the keys, or came before, or is no such packet.
    Forged,
    /// There are no keys yet: the handshake goes on.
    NoKeys,
}

/// What a handshake wants, or came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shake {
    /// A datagram to the far end.
    Send(Kind, Vec<u8>),
    /// [`Guard::poll`] wants to be called again then.
    Wait(Time),
    /// There are keys for RTP.
    Secured(Suite),
    /// There will be none, with the reason.
    Failed(&'static str),
}

/// Protects the packets of one leg, both ways.
pub trait Guard: Send + fmt::Debug {
    /// Encrypts the first `length` bytes of `buffer`, where they lie, and says how many they are then. `None`: there are no keys yet, or
    /// no room, or it is no such packet; it must not be sent.
    fn seal(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Option<usize>;

    /// Checks and decrypts.
    ///
    /// # Errors
    /// [`NotOpened`]; the bytes are as they came.
    fn open(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, NotOpened>;

    /// Goes on under a new agreement; what is the same in it stays: streams that go on with a key keep their numbers. False: it
    /// cannot, and a new one is wanted.
    fn renew(&mut self, protection: &Protection) -> bool;

    /// A datagram of the handshake came.
    fn shake(&mut self, now: Time, kind: Kind, datagram: &[u8]);

    /// What the handshake wants now; ask until it says when to come again, or nothing.
    fn poll(&mut self, now: Time) -> Option<Shake>;

    /// Whoever shakes has shown that he hears what is sent to him: arithmetic was done for him.
    fn is_heard(&self) -> bool;

    /// With what it encrypts, as soon as there are keys.
    fn suite(&self) -> Option<Suite>;
}

/// Makes guards. One for the whole switch.
pub trait Guards: Send + Sync + fmt::Debug {
    /// For what was agreed; none when it cannot be made.
    fn guard(&self, now: Time, protection: &Protection) -> Option<Box<dyn Guard>>;

    /// The same for a handshake that comes from where nobody was named: whoever begins it shows first that he hears what is sent there
    /// (RFC 6347 section 4.2.1). It is broken off as soon as another certificate is shown than was named. None also when `datagram`,
    /// which came from there, begins none.
    fn stranger(&self, now: Time, protection: &Protection, datagram: &[u8]) -> Option<Box<dyn Guard>>;

    /// Of the certificate that handshakes show.
    fn fingerprint(&self) -> Fingerprint;
}
