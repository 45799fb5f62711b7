//! Digest authentication, both sides: MD5, SHA-256 and SHA-512-256 and their `-sess` forms, with `qop=auth` and `auth-int`.
//!
//! The server side stores nothing for a challenge: a nonce carries its own issue time and number under an HMAC over
//! these and the address that it was made for, and only a nonce that was *used with the right password* gets an entry,
//! which remembers the counts already seen. An attacker without a password therefore costs no memory.
//!
//! An answer is looked at only when its nonce is ours, fresh, and was made for the address that it comes from. So whoever
//! is called wrong has received what was sent to his address: a sender who forges another's address never is.
//!
//! Source: RFC 7616 (digest), RFC 8760 (digest in SIP, several algorithms), RFC 2617 (MD5), RFC 3261 section 22.

mod decoys;
mod guesses;
mod header;
mod terms;

pub use decoys::Decoys;
pub use guesses::{BELIEVED_MAX, Belief, Guesses, WRONG_MAX};
pub use header::{Challenge, DigestAnswer, Protection, Qop};
pub use terms::{Algorithms, Integrity, Terms};

use hmac::{Hmac, KeyInit, Mac};
use md5::Digest;
use plugboard_model::Time;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Bytes of a realm: as long as a host name can be, since an office's first domain is its realm.
const REALM_MAX: usize = 253;
/// Nonces remembered because they were used: a phone holds one at a time, so this serves 50,000 phones of one realm.
/// Past it the oldest is forgotten, and every nonce as old or older counts as stale from then on: forgetting never
/// lets a replay through.
pub const USED_NONCES_MAX: usize = 50_000;

/// How far an `nc` may lag behind the highest one seen: requests sent together may overtake each other on UDP.
pub const NC_WINDOW: u32 = 64;

/// Longest Authorization or challenge value that is read; the longest seen in the field is near 600 bytes.
pub const DIGEST_VALUE_MAX: usize = 4096;

/// A hash of the digest scheme (RFC 7616 section 3.3, RFC 8760 section 2.1).
///
/// With a `-sess` form the password is hashed once for a nonce and the client's nonce, so that whoever checks the rest
/// need not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `MD5`: what many phones and sipp know.
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256`.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
    /// `SHA-512-256`: SHA-512/256 of FIPS 180-4.
    Sha512Part,
    /// `SHA-512-256-sess`.
    Sha512PartSess,
}

/// A password. Never printed: `Debug` shows `Secret(..)`, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// What the switch knows of a device's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The password itself.
    Password(Secret),
    /// `H(username:realm:password)` in hex, per algorithm (RFC 7616 section 3.4.2): enough to check, not to read.
    Ha1 {
        /// With MD5, 32 hex digits.
        md5: Option<Secret>,
        /// With SHA-256, 64 hex digits.
        sha256: Option<Secret>,
        /// With SHA-512-256, 64 hex digits.
        sha512_256: Option<Secret>,
    },
}

/// Whether the `uri` of the answer must be the Request-URI, letter by letter.
///
/// RFC 3261 section 22.4 lets them differ, since a proxy may rewrite the Request-URI; sipp signs its target's address
/// whatever it sends. The digest always covers the string as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UriCheck {
    /// They must be the same string.
    #[default]
    Exact,
    /// They may differ.
    Ignore,
}

/// Settings of an [`Authenticator`].
#[derive(Debug, Clone)]
pub struct DigestSettings {
    /// The realm, shown to the user by some phones; no quotes, backslashes or controls, 1 to 253 bytes.
    pub realm: String,
    /// How long a nonce lives from its issue.
    pub nonce_life: Duration,
    /// Whether the answer's `uri` must be the Request-URI.
    pub uri_check: UriCheck,
    /// Accept answers without `qop` (RFC 2069), which can be replayed while the nonce lives. Off unless asked for.
    pub accept_without_qop: bool,
}

/// Why an authenticator could not be made, or a value not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The realm would break the quoting of the header.
    #[error("realm {realm:?} must have 1 to 253 bytes and no quote, backslash or control character")]
    Realm {
        /// The refused realm.
        realm: String,
    },
    /// The value is not of the digest scheme.
    #[error("the value is not of the Digest scheme")]
    OtherScheme,
    /// The value cannot be read.
    #[error("malformed digest value: {what}")]
    Malformed {
        /// The part that cannot be read.
        what: &'static str,
    },
    /// The challenge asks for something that this side cannot do.
    #[error("unsupported digest challenge: {what}")]
    Unsupported {
        /// The part that is not supported.
        what: &'static str,
    },
}

/// The result of a check. Only `Ok` lets a request in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The password is right and the nonce is fresh.
    Ok,
    /// The nonce is old, of a former run, of another address or invented; the password was not looked at. Challenge
    /// again with `stale=true`, and the phone answers without asking its user (RFC 7616 section 3.3).
    Stale,
    /// The nonce is fresh but the answer uses an algorithm or a `qop` that this user was not offered, most often since he
    /// did not say who he is when he was challenged; the password was not looked at. Challenge again with his own and
    /// `stale=true`.
    OtherTerms,
    /// The nonce is fresh; the password, user or realm is wrong: challenge again, and count it.
    Wrong,
    /// The password is right but this count of this nonce was used: challenge again with `stale=true`. Phones
    /// that never raise `nc` land here at every request and get through by the new nonce.
    Replayed,
    /// The answer lacks a field, or its `uri` is not the Request-URI: 400 (RFC 7616 section 3.4.1, RFC 3261 22.4).
    Malformed,
}

/// What of a request is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its Request-URI, as it stands on the wire.
    pub uri: &'a str,
    /// Its body, which `auth-int` covers.
    pub body: &'a [u8],
}

/// Makes and checks challenges of one realm.
#[derive(Debug)]
pub struct Authenticator {
    settings: DigestSettings,
    key: Key,
    /// Number of the next nonce.
    next: u64,
    /// Every nonce up to this number that is not in `used` counts as stale.
    floor: u64,
    used: BTreeMap<u64, Window>,
}

impl Authenticator {
    /// An authenticator that signs its nonces with `key`, 32 random bytes kept in memory only.
    ///
    /// # Errors
    /// [`DigestError::Realm`] if the realm cannot stand in a quoted string.
    pub fn new(key: [u8; 32], settings: DigestSettings) -> Result<Self, DigestError> {
        let fits = (1..=REALM_MAX).contains(&settings.realm.len())
            && !settings.realm.chars().any(|c| c.is_control() || c == '"' || c == '\\');
        if !fits {
            return Err(DigestError::Realm { realm: settings.realm });
        }
        Ok(Self { settings, key: Key(key), next: 1, floor: 0, used: BTreeMap::new() })
    }

    /// The realm of every challenge.
    pub fn realm(&self) -> &str {
        &self.settings.realm
    }

    /// Number of nonces remembered; never above [`USED_NONCES_MAX`].
    pub fn used_nonces(&self) -> usize {
        self.used.len()
    }

    /// The values of the WWW-Authenticate or Proxy-Authenticate headers of a 401 or 407, best algorithm first.
    ///
    /// `from` is where the request came from: answers from elsewhere are stale. `stale` after [`Verdict::Stale`],
    /// [`Verdict::OtherTerms`] and [`Verdict::Replayed`].
    pub fn challenge(&mut self, now: Time, from: IpAddr, terms: impl Into<Terms>, stale: bool) -> Vec<String> {
        let nonce = self.make_nonce(now, from);
        let stale = if stale { ", stale=true" } else { "" };
        let terms = terms.into();
        let qop = terms.integrity.qop();
        terms
            .algorithms
            .list()
            .iter()
            .map(|algorithm| {
                format!(
                    "Digest realm=\"{}\", nonce=\"{nonce}\", algorithm={}, qop=\"{qop}\"{stale}",
                    self.settings.realm,
                    algorithm.name(),
                )
            })
            .collect()
    }

    /// Checks the answer of a request that came from `from`.
    ///
    /// `terms` and `credentials` are those of [`DigestAnswer::username`]; for a user that does not exist give the terms
    /// that his challenges have and `None`: the check takes as long and says [`Verdict::Wrong`].
    pub fn check(
        &mut self,
        now: Time,
        answer: &DigestAnswer,
        (from, request): (IpAddr, Signed<'_>),
        terms: impl Into<Terms>,
        credentials: Option<&Credentials>,
    ) -> Verdict {
        let terms = terms.into();
        if answer.qop.is_none() && !self.settings.accept_without_qop {
            return Verdict::Malformed;
        }
        if self.settings.uri_check == UriCheck::Exact && answer.uri != request.uri {
            return Verdict::Malformed;
        }
        let Some((number, issued)) = self.fresh_nonce(now, from, &answer.nonce) else { return Verdict::Stale };
        let protection = answer.qop.as_ref().map(|qop| qop.protection);
        if !terms.algorithms.list().contains(&answer.algorithm) || !terms.integrity.allows(protection) {
            return Verdict::OtherTerms;
        }
        let nobody = Credentials::Password(Secret::new(""));
        let ha1 = credentials.unwrap_or(&nobody).ha1(answer.algorithm, &answer.username, &answer.realm);
        let expected = answer.expected_response(ha1.as_deref().unwrap_or_default(), request);
        let same: bool = expected.as_bytes().ct_eq(answer.response.to_ascii_lowercase().as_bytes()).into();
        if !(same && answer.realm == self.settings.realm && credentials.is_some() && ha1.is_some()) {
            return Verdict::Wrong;
        }
        self.take_count(now, number, issued, answer)
    }

    /// Number and issue time of a nonce that was made for `from` and may still be used.
    fn fresh_nonce(&self, now: Time, from: IpAddr, nonce: &str) -> Option<(u64, Time)> {
        let (number, issued) = self.read_nonce(nonce, from)?;
        let in_time = issued <= now && now.since(issued) <= self.settings.nonce_life;
        let known = number > self.floor || self.used.contains_key(&number);
        (in_time && known).then_some((number, issued))
    }

    /// Whether a fresh nonce, proven to be signed over with the right password, may be used with this count.
    fn take_count(&mut self, now: Time, number: u64, issued: Time, answer: &DigestAnswer) -> Verdict {
        self.forget_expired(now);
        let Some(qop) = &answer.qop else { return Verdict::Ok };
        if let Some(window) = self.used.get_mut(&number) {
            return if window.take(qop.nc) { Verdict::Ok } else { Verdict::Replayed };
        }
        if self.used.len() >= USED_NONCES_MAX
            && let Some(oldest) = self.used.first_entry()
        {
            if number < *oldest.key() {
                return Verdict::Stale;
            }
            self.floor = self.floor.max(*oldest.key());
            oldest.remove();
        }
        self.used.insert(number, Window::first(issued, qop.nc));
        Verdict::Ok
    }

    /// Drops the nonces whose life is over. They are numbered in the order of issue, so only the front is looked at.
    fn forget_expired(&mut self, now: Time) {
        while let Some(first) = self.used.first_entry()
            && now.since(first.get().issued) > self.settings.nonce_life
        {
            first.remove();
        }
    }

    /// Number, issue time and 16 bytes of MAC over both and the address, in hex.
    fn make_nonce(&mut self, now: Time, from: IpAddr) -> String {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        let mut bytes = [0u8; 32];
        let (stamp, mac) = bytes.split_at_mut(16);
        let (first, second) = stamp.split_at_mut(8);
        first.copy_from_slice(&number.to_be_bytes());
        second.copy_from_slice(&now.0.to_be_bytes());
        let whole = self.nonce_mac(stamp, from).finalize().into_bytes();
        for (to, from) in mac.iter_mut().zip(whole) {
            *to = from;
        }
        hex(&bytes)
    }

    /// The number and issue time of a nonce that we made for this address; `None` for any other string.
    fn read_nonce(&self, nonce: &str, from: IpAddr) -> Option<(u64, Time)> {
        let bytes: [u8; 32] = unhex(nonce)?.try_into().ok()?;
        let (stamp, mac) = bytes.split_at(16);
        self.nonce_mac(stamp, from).verify_truncated_left(mac).ok()?;
        let (number, issued) = stamp.split_at(8);
        Some((u64::from_be_bytes(number.try_into().ok()?), Time(u64::from_be_bytes(issued.try_into().ok()?))))
    }

    fn nonce_mac(&self, stamp: &[u8], from: IpAddr) -> Hmac<sha2::Sha256> {
        count_hash();
        let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(&self.key.0) else {
            unreachable!("HMAC takes a key of any length (RFC 2104 section 2)")
        };
        mac.update(self.settings.realm.as_bytes());
        mac.update(stamp);
        let address = match from {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        mac.update(&address.octets());
        mac
    }
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess, Self::Sha512Part, Self::Sha512PartSess];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512Part => "SHA-512-256",
            Self::Sha512PartSess => "SHA-512-256-sess",
        }
    }

    /// Whether this is a `-sess` form.
    const fn is_session(self) -> bool {
        match self {
            Self::Md5Sess | Self::Sha256Sess | Self::Sha512PartSess => true,
            Self::Md5 | Self::Sha256 | Self::Sha512Part => false,
        }
    }

    /// The hash of `parts` joined by colons, in lower-case hex.
    fn hash(self, parts: &[&str]) -> String {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        self.hash_bytes(&parts)
    }

    fn hash_bytes(self, parts: &[&[u8]]) -> String {
        fn run<D: Digest>(parts: &[&[u8]]) -> String {
            let mut hasher = D::new();
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    hasher.update(b":");
                }
                hasher.update(part);
            }
            hex(&hasher.finalize())
        }
        count_hash();
        match self {
            Self::Md5 | Self::Md5Sess => run::<md5::Md5>(parts),
            Self::Sha256 | Self::Sha256Sess => run::<sha2::Sha256>(parts),
            Self::Sha512Part | Self::Sha512PartSess => run::<sha2::Sha512_256>(parts),
        }
    }
}

impl Secret {
    /// Wraps a password.
    pub fn new(password: impl Into<Box<str>>) -> Self {
        Self(password.into())
    }

    /// The password, for the hash and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Credentials {
    /// `H(username:realm:password)`; `None` when only another algorithm's is known.
    fn ha1(&self, algorithm: Algorithm, username: &str, realm: &str) -> Option<String> {
        let (md5, sha256, sha512_256) = match self {
            Self::Password(password) => return Some(ha1(algorithm, username, realm, password)),
            Self::Ha1 { md5, sha256, sha512_256 } => (md5, sha256, sha512_256),
        };
        let known = match algorithm {
            Algorithm::Md5 | Algorithm::Md5Sess => md5,
            Algorithm::Sha256 | Algorithm::Sha256Sess => sha256,
            Algorithm::Sha512Part | Algorithm::Sha512PartSess => sha512_256,
        };
        known.as_ref().map(|ha1| ha1.expose().to_ascii_lowercase())
    }
}

/// `H(username:realm:password)` in hex: what to store instead of a password (RFC 7616 section 3.4.2).
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &Secret) -> String {
    algorithm.hash(&[username, realm, password.expose()])
}

/// The HMAC key of the nonces. Never printed.
struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The counts of one nonce that were used: the highest, and a bit for each of the [`NC_WINDOW`] below it.
#[derive(Debug, Clone, Copy)]
struct Window {
    issued: Time,
    highest: u32,
    /// Bit `i` is count `highest - i`.
    seen: u64,
}

impl Window {
    fn first(issued: Time, nc: u32) -> Self {
        Self { issued, highest: nc, seen: 1 }
    }

    /// Takes the count `nc`; false if it was taken before or lies below the window.
    fn take(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            self.seen = self.seen.checked_shl(nc - self.highest).unwrap_or(0) | 1;
            self.highest = nc;
            return true;
        }
        let Some(bit) = 1u64.checked_shl(self.highest - nc) else { return false };
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }
}

#[cfg(test)]
thread_local! {
    /// Hashes that this thread has made.
    static HASHES: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// One hash more is made: tests count them, since their number must not tell who exists.
fn count_hash() {
    #[cfg(test)]
    HASHES.set(HASHES.get() + 1);
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests;
