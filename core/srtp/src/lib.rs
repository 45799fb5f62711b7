//! SRTP (RFC 3711, RFC 7714) behind the seam of `plugboard-media` ([`plugboard_media::Guards`]): packets are sealed and opened by
//! `rtc-srtp`, handshakes (DTLS-SRTP, RFC 5764) done by `dimpl`. Here alone they are named.
//!
//! ```
//! use plugboard_media::{Guards, Kind, MasterKey, Protection, Suite};
//! use plugboard_model::Time;
//! use plugboard_srtp::Vault;
//!
//! let key = |byte| MasterKey::new(&[byte; 30]).unwrap();
//! let suite = Suite::AesCm128HmacSha1_80;
//! let (ann, bob) = (Protection::Sdes { suite, send: key(1), receive: key(2) }, Protection::Sdes { suite, send: key(2), receive: key(1) });
//! let vault = Vault::new().unwrap();
//! let (mut ann, mut bob) = (vault.guard(Time::ZERO, &ann).unwrap(), vault.guard(Time::ZERO, &bob).unwrap());
//!
//! let mut packet = [0; 200];
//! packet[..14].copy_from_slice(&[0x80, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7, 0xD5, 0xD5]);
//! let length = ann.seal(Kind::Rtp, &mut packet, 14).unwrap();
//! assert_eq!(length, 24);
//! assert_eq!(bob.open(Kind::Rtp, &mut packet, length), Ok(14));
//! assert_eq!(packet[12..14], [0xD5, 0xD5]);
//! ```

mod dtls;
mod packets;
mod rsa;
mod sdes;

use dimpl::DtlsCertificate;
use plugboard_media::{DtlsRole, Fingerprint, Guard, Guards, Protection};
use plugboard_model::Time;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Instant;

/// Why nothing can be encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCertificate(String);

impl fmt::Display for NoCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no certificate for encrypted media could be made: {}", self.0)
    }
}

impl std::error::Error for NoCertificate {}

/// Makes guards: it has the certificate that all handshakes of this run of the switch show.
pub struct Vault {
    certificate: DtlsCertificate,
    fingerprint: Fingerprint,
    configs: dtls::Configs,
    /// Where [`Time::ZERO`] is for the handshakes, which count in a clock's own units.
    epoch: Instant,
}

impl Vault {
    /// With a new certificate, signed by itself: who it is of is told by its fingerprint in the signalling.
    ///
    /// # Errors
    /// [`NoCertificate`]: the library made none.
    pub fn new() -> Result<Self, NoCertificate> {
        let made = rcgen::generate_simple_self_signed(vec!["plugboard".to_owned()]);
        let made = made.map_err(|error| NoCertificate(error.to_string()))?;
        let certificate =
            DtlsCertificate { certificate: made.cert.der().to_vec(), private_key: made.signing_key.serialize_der() };
        let configs = dtls::Configs::new().map_err(|error| NoCertificate(error.to_string()))?;
        Ok(Self { fingerprint: fingerprint(&certificate.certificate), certificate, configs, epoch: epoch() })
    }
}

/// Any point: only distances from it count.
#[expect(
    clippy::disallowed_methods,
    reason = "the handshakes' library counts from a clock's reading; time itself is an argument"
)]
fn epoch() -> Instant {
    Instant::now()
}

/// Of a certificate in DER.
fn fingerprint(certificate: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Guards for Vault {
    fn guard(&self, now: Time, protection: &Protection) -> Option<Box<dyn Guard>> {
        match *protection {
            Protection::Sdes { suite, send, receive } => Some(Box::new(sdes::Keyed::new(suite, send, receive)?)),
            Protection::Dtls { role, fingerprint } => {
                Some(Box::new(dtls::Shaken::new(self, now, self.configs.of(role), (role, fingerprint))))
            }
        }
    }

    fn stranger(&self, now: Time, protection: &Protection, datagram: &[u8]) -> Option<Box<dyn Guard>> {
        let Protection::Dtls { role: DtlsRole::Passive, fingerprint } = *protection else { return None };
        if !dtls::begins(datagram) {
            return None;
        }
        Some(Box::new(dtls::Shaken::stranger(self, now, self.configs.of_strangers(), fingerprint)))
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}
