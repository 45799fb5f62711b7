//! Keys of vendors.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use std::fmt;
use std::str::FromStr;

/// The length of a public key in bytes.
pub(crate) const PUBLIC_BYTES: usize = 32;
/// The length of a signature in bytes.
pub(crate) const SIGNATURE_BYTES: usize = 64;
/// What stands before the key in a `SubjectPublicKeyInfo` (RFC 8410 section 4).
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Neither PEM nor base64 of a public key.
    #[error(
        "this is no public Ed25519 key: 44 characters as `plugboard plugin keygen` prints them, or a PEM file as \
         `openssl pkey -pubout` writes it"
    )]
    NoPublicKey,
    /// A private key where the public one belongs.
    #[error(
        "this is a private key, which stays with the vendor: give its public one (`plugboard plugin keygen --public FILE` prints it)"
    )]
    IsPrivate,
    /// No private key.
    #[error(
        "this is no private Ed25519 key: a PEM file as `plugboard plugin keygen` or `openssl genpkey -algorithm ed25519` \
         writes it, without a password"
    )]
    NoSigningKey,
    /// The machine gives no random numbers.
    #[error("no key could be made: the machine gives no random numbers")]
    Random,
}

/// The key by which others see who signed. Written as 44 characters of base64 (RFC 4648 section 4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; PUBLIC_BYTES]);

impl PublicKey {
    pub(crate) const fn of(bytes: [u8; PUBLIC_BYTES]) -> Self {
        Self(bytes)
    }

    /// The key's bytes (RFC 8032 section 5.1.5).
    pub const fn bytes(&self) -> &[u8; PUBLIC_BYTES] {
        &self.0
    }

    /// As a PEM file, for other programs.
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &[&PREFIX[..], &self.0].concat())
    }

    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0[..]).verify(message, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// Reads the 44 characters, or a PEM file.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).is_ok() {
            return Err(KeyError::IsPrivate);
        }
        let bytes = match SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()) {
            Ok(info) => info.strip_prefix(&PREFIX[..]).map(<[u8]>::to_vec),
            Err(_) => STANDARD.decode(text).ok(),
        };
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(KeyError::NoPublicKey)
    }
}

/// The key by which a vendor signs. Never shown by `Debug`.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// A new one.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map_err(|_| KeyError::Random).and_then(|pair| Self::of(pair, KeyError::Random))
    }

    /// Reads a PEM file of PKCS #8 (RFC 5958), version 1 or 2.
    ///
    /// # Errors
    /// [`KeyError::NoSigningKey`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let none = KeyError::NoSigningKey;
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| none)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|_| none)
            .and_then(|pair| Self::of(pair, none))
    }

    fn of(pair: Ed25519KeyPair, otherwise: KeyError) -> Result<Self, KeyError> {
        let public = pair.public_key().as_ref().try_into().map_err(|_| otherwise)?;
        Ok(Self { pair, public: PublicKey(public) })
    }

    /// As a PEM file, which only its owner may read.
    ///
    /// # Errors
    /// [`KeyError::NoSigningKey`] when the library cannot write it.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der = self.pair.to_pkcs8v1().map_err(|_| KeyError::NoSigningKey)?;
        Ok(pem("PRIVATE KEY", der.as_ref()))
    }

    /// What others know it by.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Lines of 64 characters (RFC 7468 section 2).
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let (mut lines, mut rest) = (String::new(), &*text);
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_and_read_again() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(key.public().to_pem().parse(), Ok(key.public()));
        assert_eq!(format!(" {}\n", key.public()).parse(), Ok(key.public()));
        assert_eq!(key.public().to_string().len(), 44);
        assert!(!format!("{key:?}").contains(key.to_pem().unwrap().lines().nth(1).unwrap()));
    }

    /// Made by OpenSSL 3.0: `genpkey -algorithm ed25519`, `pkey -pubout`.
    #[test]
    fn keys_of_openssl_are_read() {
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIB0aVJDRkU+AqXpy0o6r45t+chqiLBBp0gBui+umL5zF\n-----END PRIVATE KEY-----\n";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA37MfciPPm98WhzyS3TxU1EfFoXZCI87cKlWZ2/Sq9/s=\n-----END PUBLIC KEY-----\n";
        let key = SigningKey::from_pem(private).unwrap();
        assert_eq!(public.parse(), Ok(key.public()));
        assert_eq!(key.public().to_pem(), public);
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let private = SigningKey::generate().unwrap().to_pem().unwrap();
        assert_eq!(private.parse::<PublicKey>(), Err(KeyError::IsPrivate));
        for text in ["", "trusted", "AAAA", "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"] {
            assert_eq!(text.parse::<PublicKey>(), Err(KeyError::NoPublicKey), "{text}");
            assert_eq!(SigningKey::from_pem(text).unwrap_err(), KeyError::NoSigningKey, "{text}");
        }
    }
}
