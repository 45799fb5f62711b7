//! One direction of one key: sealing what goes, opening what comes.

use plugboard_media::{Kind, MasterKey, NotOpened, Suite};
use rtc_srtp::context::Context;
use rtc_srtp::crypto::{RTCCrypto, RTCCryptoProvider, default_provider};
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// Packets that may come late: more than a second of audio, at least 64 (RFC 3711 section 3.3.2).
const WINDOW: usize = 128;

/// Streams of one far end that are told apart: a phone has one, and another after each change of what it plays. Beyond, the one that
/// was not heard for longest is forgotten, and with it the count of its turns.
const STREAMS_MAX: usize = 16;

/// Names of streams that were heard of and never proved; junk may have any.
const TRIALS_MAX: usize = 16;

/// A call of a day has turned the counter so often; beyond, a stream is taken to begin anew with a new key: turning it here costs
/// the media thread time.
const TURNS_MAX: u32 = 64;

/// A quarter of the numbers: two such steps are never taken for one backwards.
const QUARTER: u16 = 1 << 14;

/// Where the names stand in a packet.
const RTP_BYTES_MIN: usize = 12;
const RTCP_BYTES_MIN: usize = 8;

static CRYPTO: LazyLock<Option<Arc<dyn RTCCryptoProvider>>> = LazyLock::new(|| default_provider().ok());

const fn profile(suite: Suite) -> ProtectionProfile {
    match suite {
        Suite::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Suite::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Suite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Suite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    }
}

fn context(suite: Suite, key: &MasterKey) -> Option<Context> {
    let (key, salt) = key.parts(suite)?;
    let crypto: &dyn RTCCrypto = CRYPTO.as_ref()?.crypto();
    let (rtp, rtcp) = (srtp_replay_protection(WINDOW), srtcp_replay_protection(WINDOW));
    Context::new(key, salt, profile(suite), Some(rtp), Some(rtcp), crypto).ok()
}

/// Puts what was made in the place of what it was made of.
fn put(made: &[u8], buffer: &mut [u8]) -> Option<usize> {
    buffer.get_mut(..made.len())?.copy_from_slice(made);
    Some(made.len())
}

/// Seals with one key.
pub(crate) struct Sealer(Context);

impl Sealer {
    pub(crate) fn new(suite: Suite, key: &MasterKey) -> Option<Self> {
        context(suite, key).map(Self)
    }

    pub(crate) fn seal(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Option<usize> {
        let packet = buffer.get(..length)?;
        let made = match kind {
            Kind::Rtp => self.0.encrypt_rtp(packet),
            Kind::Rtcp => self.0.encrypt_rtcp(packet),
        };
        put(&made.ok()?, buffer)
    }
}

/// A stream of the far end that proved to have the key.
struct Stream {
    ssrc: u32,
    context: Context,
    /// How often its numbers turned over, and the highest since.
    turns: u32,
    last: u16,
}

/// Opens with one key.
///
/// `rtc-srtp` keeps what it knows of a stream for each name that it is shown, whether the packet proves anything or not. So each
/// stream that proved itself has a context of its own, and all others share one that is thrown away when it has seen too many.
pub(crate) struct Opener {
    kind: Kind,
    suite: Suite,
    key: MasterKey,
    /// Whoever was heard last stands last.
    streams: Vec<Stream>,
    trial: Context,
    tried: Vec<u32>,
    /// Streams of the key before, as they go on if they keep their count (RFC 3711 section 3.3.1); most begin anew.
    wound: Vec<Stream>,
}

impl Opener {
    pub(crate) fn new(kind: Kind, suite: Suite, key: MasterKey) -> Option<Self> {
        let trial = context(suite, &key)?;
        Some(Self { kind, suite, key, streams: Vec::new(), trial, tried: Vec::new(), wound: Vec::new() })
    }

    /// The same far end with another key.
    pub(crate) fn rekeyed(&self, suite: Suite, key: MasterKey) -> Option<Self> {
        let mut next = Self::new(self.kind, suite, key)?;
        // The one that was heard last, whether under this key or under the one before.
        let last = self.streams.last().or(self.wound.last());
        let turned = last.filter(|stream| (1..=TURNS_MAX).contains(&stream.turns));
        next.wound = turned.and_then(|stream| wind(suite, &key, stream)).into_iter().collect();
        Some(next)
    }

    pub(crate) fn has(&self, suite: Suite, key: &MasterKey) -> bool {
        self.suite == suite && self.key == *key
    }

    pub(crate) fn open(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, NotOpened> {
        let packet = buffer.get(..length).ok_or(NotOpened::Forged)?;
        let (ssrc, sequence) = name(self.kind, packet).ok_or(NotOpened::Forged)?;
        if self.kind == Kind::Rtcp && !is_encrypted_report(self.suite, packet) {
            return Err(NotOpened::Forged);
        }
        if let Some(place) = self.streams.iter().position(|stream| stream.ssrc == ssrc) {
            let stream = self.streams.get_mut(place).ok_or(NotOpened::Forged)?;
            let opened = decrypt(self.kind, &mut stream.context, packet).ok_or(NotOpened::Forged)?;
            stream.count(sequence);
            if let Some(later @ [_, _, ..]) = self.streams.get_mut(place..) {
                later.rotate_left(1);
            }
            return put(&opened, buffer).ok_or(NotOpened::Forged);
        }
        if !self.tried.contains(&ssrc) {
            if self.tried.len() >= TRIALS_MAX {
                self.trial = context(self.suite, &self.key).ok_or(NotOpened::Forged)?;
                self.tried.clear();
            }
            self.tried.push(ssrc);
        }
        let (stream, opened) = match decrypt(self.kind, &mut self.trial, packet) {
            Some(opened) => {
                let fresh = context(self.suite, &self.key).ok_or(NotOpened::Forged)?;
                let context = std::mem::replace(&mut self.trial, fresh);
                self.tried.clear();
                (Stream { ssrc, context, turns: 0, last: sequence }, opened)
            }
            None => {
                let place = self.wound.iter().position(|stream| stream.ssrc == ssrc).ok_or(NotOpened::Forged)?;
                let stream = self.wound.get_mut(place).ok_or(NotOpened::Forged)?;
                let opened = decrypt(self.kind, &mut stream.context, packet).ok_or(NotOpened::Forged)?;
                stream.count(sequence);
                (self.wound.swap_remove(place), opened)
            }
        };
        if self.streams.len() >= STREAMS_MAX {
            self.streams.remove(0);
        }
        self.streams.push(stream);
        put(&opened, buffer).ok_or(NotOpened::Forged)
    }
}

impl Stream {
    fn count(&mut self, sequence: u16) {
        let ahead = sequence.wrapping_sub(self.last);
        if (1..=u16::MAX / 2).contains(&ahead) {
            self.turns += u32::from(sequence < self.last);
            self.last = sequence;
        }
    }
}

/// The stream under another key with its count of turns. The library begins at none and counts by what it is shown alone, so it is
/// shown packets of our own that lie a quarter of the numbers apart.
fn wind(suite: Suite, key: &MasterKey, old: &Stream) -> Option<Stream> {
    let (mut maker, mut context) = (context(suite, key)?, context(suite, key)?);
    let mut show = |sequence: u16| {
        let [s0, s1] = sequence.to_be_bytes();
        let [r0, r1, r2, r3] = old.ssrc.to_be_bytes();
        let packet = maker.encrypt_rtp(&[0x80, 0, s0, s1, 0, 0, 0, 0, r0, r1, r2, r3, 0]).ok()?;
        context.decrypt_rtp(&packet).ok()
    };
    for _ in 0..old.turns {
        for quarter in 0..4 {
            show(quarter * QUARTER)?;
        }
    }
    for quarter in 0..=old.last / QUARTER {
        show(quarter * QUARTER)?;
    }
    if !old.last.is_multiple_of(QUARTER) {
        show(old.last)?;
    }
    Some(Stream { ssrc: old.ssrc, context, turns: old.turns, last: old.last })
}

/// Which stream a packet says it is of, and its number.
fn name(kind: Kind, packet: &[u8]) -> Option<(u32, u16)> {
    let (at, least) = match kind {
        Kind::Rtp => (8, RTP_BYTES_MIN),
        Kind::Rtcp => (4, RTCP_BYTES_MIN),
    };
    let fixed = packet.get(..least)?;
    let sequence = if kind == Kind::Rtp { u16::from_be_bytes(*fixed.get(2..)?.first_chunk()?) } else { 0 };
    Some((u32::from_be_bytes(*fixed.get(at..)?.first_chunk()?), sequence))
}

/// SRTCP says by a bit whether it is encrypted. Nobody here agrees to reports in clear, and what says so is taken by the library without
/// a look at its tag: anybody could have made it.
fn is_encrypted_report(suite: Suite, packet: &[u8]) -> bool {
    let tag = profile(suite).rtcp_auth_tag_len();
    let index = packet.len().checked_sub(tag + 4).and_then(|at| packet.get(at));
    index.is_some_and(|first| first & 0x80 != 0)
}

fn decrypt(kind: Kind, context: &mut Context, packet: &[u8]) -> Option<Vec<u8>> {
    let opened = match kind {
        Kind::Rtp => context.decrypt_rtp(packet),
        Kind::Rtcp => context.decrypt_rtcp(packet),
    };
    opened.ok().map(|opened| opened.to_vec())
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(not shown)")
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({}, {} streams)", self.suite.name(), self.streams.len())
    }
}
