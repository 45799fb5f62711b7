//! What descriptions say of encryption: keys told in them (SDES, RFC 4568 and RFC 7714) and fingerprints of whoever agrees on
//! keys over the media's own way (DTLS-SRTP, RFC 5763).

use crate::base64;
use sdp_types::{Media, Session};
use std::fmt;

/// The longest master key with its salt: that of AES-256 in GCM.
const KEY_BYTES_MAX: usize = 44;

/// Phones offer up to eight lines; what stands behind is not looked at.
const CRYPTO_LINES_MAX: usize = 16;

/// How packets are encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES-128 in counter mode, 80 bits of HMAC-SHA1 (RFC 4568 section 6.2.1): the one that everybody has.
    AesCm128HmacSha1_80,
    /// The same with 32 bits of HMAC for RTP (RFC 4568 section 6.2.2).
    AesCm128HmacSha1_32,
    /// AES-128 in Galois/Counter mode (RFC 7714).
    AeadAes128Gcm,
    /// AES-256 in Galois/Counter mode (RFC 7714).
    AeadAes256Gcm,
}

impl Suite {
    /// In the order in which we offer them: the stronger and faster first.
    pub const ALL: [Self; 4] =
        [Self::AeadAes256Gcm, Self::AeadAes128Gcm, Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32];

    /// As `a=crypto` says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of its master key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of its master salt.
    pub const fn salt_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    const fn secret_bytes(self) -> usize {
        self.key_bytes() + self.salt_bytes()
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }
}

/// A master key and its salt. It is never printed, and nothing can write it down but a description.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey {
    bytes: [u8; KEY_BYTES_MAX],
    length: usize,
}

impl MasterKey {
    /// `secret` is the key and, after it, the salt. `None`: longer than any suite's.
    pub fn new(secret: &[u8]) -> Option<Self> {
        let mut bytes = [0; KEY_BYTES_MAX];
        bytes.get_mut(..secret.len())?.copy_from_slice(secret);
        Some(Self { bytes, length: secret.len() })
    }

    /// The key and the salt, if they have the lengths of the suite.
    pub fn parts(&self, suite: Suite) -> Option<(&[u8], &[u8])> {
        let secret = self.bytes.get(..self.length).filter(|secret| secret.len() == suite.secret_bytes())?;
        secret.split_at_checked(suite.key_bytes())
    }

    fn text(&self) -> String {
        base64::encode(self.bytes.get(..self.length).unwrap_or_default())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(not shown)")
    }
}

/// The SHA-256 of a certificate (RFC 8122 section 5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads the value of `a=fingerprint`; `None`: of another hash, or broken.
    fn parse(value: &str) -> Option<Self> {
        let (hash, digits) = value.trim().split_once(' ')?;
        let mut bytes = [0; 32];
        let mut pairs = digits.trim().split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && !pair.starts_with('+'))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        (hash.eq_ignore_ascii_case("sha-256") && pairs.next().is_none()).then_some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    /// As SDP says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Who begins the handshake (RFC 4145 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// We do.
    Active,
    /// The far end does.
    Passive,
}

/// What a leg may do about encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encryption {
    /// It is refused.
    Off,
    /// It is not offered, and taken where the far end wants it.
    #[default]
    Accepted,
    /// It is offered beside plain RTP (RFC 8643), and taken.
    Offered,
    /// Without it there is no call.
    Required,
}

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keying {
    /// From the description itself.
    Sdes,
    /// From a handshake.
    #[default]
    Dtls,
}

/// By what an offer is made and a far end's description is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// What the leg may do.
    pub encryption: Encryption,
    /// What is offered.
    pub keying: Keying,
    /// Keys may be told in this leg's signalling.
    pub sdes: bool,
    /// We can do a handshake.
    pub dtls: bool,
}

/// What is ours: the bytes that our keys are made of, and the fingerprint of our certificate.
#[derive(Clone)]
pub struct OurKeys {
    secrets: [[u8; KEY_BYTES_MAX]; Suite::ALL.len()],
    fingerprint: Option<Fingerprint>,
}

impl OurKeys {
    /// How many random bytes [`OurKeys::new`] wants.
    pub const BYTES: usize = KEY_BYTES_MAX * Suite::ALL.len();

    /// Of random bytes, each used once.
    pub fn new(random: &[u8; Self::BYTES], fingerprint: Option<Fingerprint>) -> Self {
        let mut secrets = [[0; KEY_BYTES_MAX]; Suite::ALL.len()];
        for (secret, part) in secrets.iter_mut().zip(random.chunks(KEY_BYTES_MAX)) {
            secret.copy_from_slice(part);
        }
        Self { secrets, fingerprint }
    }

    /// The key that we send with: one a suite for the whole life of the leg, so that none is used with two streams' numbers.
    pub(crate) fn of(&self, suite: Suite) -> Option<MasterKey> {
        let place = Suite::ALL.iter().position(|known| *known == suite)?;
        MasterKey::new(self.secrets.get(place)?.get(..suite.secret_bytes())?)
    }

    pub(crate) const fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }
}

impl fmt::Debug for OurKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OurKeys(not shown)")
    }
}

/// How a leg's packets are protected, by what offer and answer agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// By keys that stood in the descriptions.
    Sdes {
        /// With what.
        suite: Suite,
        /// What we send with.
        send: MasterKey,
        /// What the far end sends with.
        receive: MasterKey,
    },
    /// By keys from a handshake.
    Dtls {
        /// Who begins it.
        role: DtlsRole,
        /// Whose certificate the far end must show.
        fingerprint: Fingerprint,
    },
}

impl Protection {
    /// Where the keys come from.
    pub const fn keying(&self) -> Keying {
        match self {
            Self::Sdes { .. } => Keying::Sdes,
            Self::Dtls { .. } => Keying::Dtls,
        }
    }
}

/// A key of a description (RFC 4568 section 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crypto {
    pub(crate) tag: u32,
    pub(crate) suite: Suite,
    pub(crate) key: MasterKey,
}

impl Crypto {
    /// Reads `1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31 PARAMETERS`. `None`: it cannot be used, by its form, its suite or what
    /// it asks for beyond; such a line is passed over (RFC 4568 section 5.1.2).
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9)?.parse().ok()?;
        let suite = Suite::of_name(words.next()?)?;
        let inline = words.next()?;
        // The window is the far end's own affair; every other parameter changes the packets.
        if !words.all(|parameter| parameter.starts_with("WSH=") || parameter == "KDR=0") {
            return None;
        }
        let (method, keys) = inline.split_once(':')?;
        // Several keys, or one with a name (MKI), are told apart in packets by bytes that we do not read.
        let mut parts = keys.split('|');
        let (text, lifetime, mki) = (parts.next()?, parts.next(), parts.next());
        let named = mki.is_some() || lifetime.is_some_and(|lifetime| lifetime.contains(':')) || keys.contains(';');
        if !method.eq_ignore_ascii_case("inline") || named {
            return None;
        }
        let mut secret = [0; KEY_BYTES_MAX];
        let length = base64::decode(text, &mut secret)?;
        (length == suite.secret_bytes()).then_some(Self { tag, suite, key: MasterKey::new(secret.get(..length)?)? })
    }
}

impl fmt::Display for Crypto {
    /// As SDP says it: the only place where a key is written down.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:{}", self.tag, self.suite.name(), self.key.text())
    }
}

/// Who may begin the handshake, as `a=setup` says (RFC 4145 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetupWord {
    Active,
    Passive,
    ActPass,
}

impl SetupWord {
    fn parse(value: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::ActPass].into_iter().find(|setup| setup.name() == value.trim())
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        }
    }
}

/// What an audio line says of encryption, as far as the terms let it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Secured {
    /// Nothing that holds.
    Plain,
    /// Keys, in the far end's order.
    Sdes(Vec<Crypto>),
    /// Whose handshake it will be.
    Dtls { fingerprint: Fingerprint, setup: SetupWord },
}

/// What a line's transport demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    Plain,
    Srtp,
    DtlsSrtp,
}

fn profile(proto: &str) -> Option<Profile> {
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(proto));
    if is(&["RTP/AVP", "RTP/AVPF"]) {
        return Some(Profile::Plain);
    }
    if is(&["RTP/SAVP", "RTP/SAVPF"]) {
        return Some(Profile::Srtp);
    }
    is(&["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"]).then_some(Profile::DtlsSrtp)
}

/// Why an audio line cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Its transport is none of RTP's.
    Transport,
    /// By its encryption, or the want of it.
    Encryption(&'static str),
}

impl Secured {
    /// Reads what a line says; what is said of a handshake may stand at the session, too.
    pub(crate) fn read(session: &Session, media: &Media, terms: Terms) -> Result<Self, Unusable> {
        let why = |why| Err(Unusable::Encryption(why));
        let profile = profile(&media.proto).ok_or(Unusable::Transport)?;
        if terms.encryption == Encryption::Off {
            return if profile == Profile::Plain { Ok(Self::Plain) } else { why("encryption is off here") };
        }
        let keys = || {
            let lines = media.get_attribute_values("crypto").flatten().take(CRYPTO_LINES_MAX);
            lines.filter_map(Crypto::parse).collect::<Vec<_>>()
        };
        let handshake = || {
            let at = [&media.attributes, &session.attributes];
            let values = |name: &'static str| {
                let lines = at.into_iter().flatten().filter(move |line| line.attribute.eq_ignore_ascii_case(name));
                lines.filter_map(|line| line.value.as_deref()).take(CRYPTO_LINES_MAX)
            };
            let fingerprint = values("fingerprint").find_map(Fingerprint::parse)?;
            Some(Self::Dtls { fingerprint, setup: values("setup").find_map(SetupWord::parse)? })
        };
        let keys = if terms.sdes && profile != Profile::DtlsSrtp { keys() } else { Vec::new() };
        if !keys.is_empty() {
            return Ok(Self::Sdes(keys));
        }
        if let Some(dtls) = handshake().filter(|_| terms.dtls) {
            return Ok(dtls);
        }
        match profile {
            Profile::Plain if terms.encryption == Encryption::Required => why("encryption is required here"),
            Profile::Plain => Ok(Self::Plain),
            Profile::Srtp if !terms.sdes => why("keys in SDP are taken over TLS and WSS only"),
            Profile::Srtp => why("none of its a=crypto lines can be used"),
            Profile::DtlsSrtp => why("it lacks a=fingerprint of sha-256 or a=setup"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn the_example_of_rfc_4568_is_read() {
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20");
        let crypto = Crypto::parse(&line).unwrap();
        assert_eq!((crypto.tag, crypto.suite), (1, Suite::AesCm128HmacSha1_80));
        let (key, salt) = crypto.key.parts(crypto.suite).unwrap();
        assert_eq!((key, salt), (b"YS___semctl () {".as_slice(), b"\t220;}\n}\nunles".as_slice()));
        assert_eq!(crypto.to_string(), format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
        assert!(!format!("{crypto:?}").contains("semctl"), "a key is never printed");
    }

    #[test]
    fn lines_that_ask_for_what_we_do_not_do_are_passed_over() {
        let read = |rest: &str| Crypto::parse(&format!("7 AES_CM_128_HMAC_SHA1_32 inline:{KEY}{rest}")).is_some();
        assert!(read("") && read("|1048576") && read(" WSH=128") && read(" KDR=0"));
        for rest in ["|2^20|1:4", "|1:4", ";inline:x", " UNENCRYPTED_SRTP", " KDR=1", " FEC_ORDER=FEC_SRTP", "AA"] {
            assert!(!read(rest), "{rest}");
        }
        for line in [
            "",
            "1",
            "x AES_CM_128_HMAC_SHA1_80 inline:",
            "1 F8_128_HMAC_SHA1_80 inline:AA",
            "1 AEAD_AES_128_GCM inline:AA",
        ] {
            assert_eq!(Crypto::parse(line), None, "{line}");
        }
        let short = format!("1 AEAD_AES_128_GCM inline:{KEY}");
        assert_eq!(Crypto::parse(&short), None, "30 bytes are no 28");
    }

    #[test]
    fn a_fingerprint_is_of_sha_256_and_whole() {
        let digits: Vec<String> = (0..32).map(|byte| format!("{byte:02x}")).collect();
        let text = digits.join(":");
        let read = Fingerprint::parse(&format!("SHA-256 {text}")).unwrap();
        assert_eq!(read.to_string(), text.to_uppercase());
        assert_eq!(Fingerprint::parse(&format!("sha-1 {text}")), None);
        assert_eq!(Fingerprint::parse(&format!("sha-256 {text}:00")), None);
        assert_eq!(Fingerprint::parse("sha-256 00:+1"), None);
    }

    #[test]
    fn each_suite_has_a_key_of_its_own() {
        let mut random = [0; OurKeys::BYTES];
        for (byte, value) in random.iter_mut().zip((0..=u8::MAX).cycle()) {
            *byte = value;
        }
        let ours = OurKeys::new(&random, None);
        let keys: Vec<_> = Suite::ALL.iter().map(|suite| ours.of(*suite).unwrap()).collect();
        for (place, suite) in Suite::ALL.into_iter().enumerate() {
            assert!(keys[place].parts(suite).is_some());
            assert!(!keys[..place].contains(&keys[place]));
        }
        assert_eq!(format!("{ours:?}"), "OurKeys(not shown)");
    }
}
