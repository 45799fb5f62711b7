//! How a phone encrypts what it says: SRTP with keys in its descriptions (RFC 4568) or from a handshake (RFC 5763), written and read by
//! itself; only packets and handshakes are done by the library that the switch uses, too.

use plugboard_media::{
    DtlsRole, Fingerprint, Guard, Guards, Kind, MasterKey, Protection, SEAL_BYTES_MAX, Shake, Suite,
};
use plugboard_model::Time;
use std::fmt::Write as _;

use crate::media::vault;

/// What a phone does about encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encrypts {
    /// Nothing.
    #[default]
    Never,
    /// It takes keys that are offered, and offers its own beside plain RTP (RFC 8643).
    IfItCan,
    /// It insists: RTP/SAVP.
    BySdes,
    /// It insists on a handshake: UDP/TLS/RTP/SAVP.
    ByDtls,
}

/// The secrets of one call.
#[derive(Debug)]
pub(crate) struct Secrecy {
    manner: Encrypts,
    suite: Suite,
    /// It names the fingerprint of another certificate than it shows.
    lies: bool,
    /// The key in our descriptions is made of this letter; another one is another key.
    pub(crate) letter: char,
    /// What the far end said: the tag of its line, the proto of its audio line and whether it had keys.
    tag: u32,
    proto: Option<String>,
    theirs: Option<MasterKey>,
    role: Option<DtlsRole>,
    agreed: Option<Protection>,
    guard: Option<Box<dyn Guard>>,
    /// The guard is to be made anew.
    changed: bool,
    wake: Option<Time>,
}

impl Secrecy {
    pub(crate) fn new((manner, suite): (Encrypts, Suite), lies: bool) -> Self {
        Self {
            manner,
            suite,
            lies,
            letter: 'Q',
            tag: 1,
            proto: None,
            theirs: None,
            role: None,
            agreed: None,
            guard: None,
            changed: false,
            wake: None,
        }
    }

    /// Whether something is encrypted now.
    pub(crate) fn is_on(&self) -> bool {
        self.guard.as_ref().is_some_and(|guard| guard.suite().is_some())
    }

    /// The transport of our audio line and the lines beside it.
    pub(crate) fn describe(&self) -> (String, String) {
        let answers = self.proto.is_some();
        let proto = self.proto.clone().unwrap_or_else(|| {
            let own = match self.manner {
                Encrypts::Never | Encrypts::IfItCan => "RTP/AVP",
                Encrypts::BySdes => "RTP/SAVP",
                Encrypts::ByDtls => "UDP/TLS/RTP/SAVP",
            };
            own.to_owned()
        });
        let mut lines = String::new();
        let sdes = matches!(self.manner, Encrypts::BySdes | Encrypts::IfItCan);
        if sdes && (!answers || self.theirs.is_some()) {
            let (name, bytes) = (self.suite.name(), self.suite.key_bytes() + self.suite.salt_bytes());
            let letters = (bytes * 8).div_ceil(6);
            let mut text = self.letter.to_string().repeat(letters - 1);
            // The last letter's spare bits are none.
            text.push('A');
            text.extend(std::iter::repeat_n('=', letters.next_multiple_of(4) - letters));
            let _ = write!(lines, "a=crypto:{} {name} inline:{text}\r\n", self.tag);
        }
        if self.manner == Encrypts::ByDtls {
            let setup = match self.role {
                None => "actpass",
                Some(DtlsRole::Active) => "active",
                Some(DtlsRole::Passive) => "passive",
            };
            let mut own = vault().map_or(Fingerprint([0; 32]), |vault| vault.fingerprint());
            if self.lies {
                own.0[0] ^= 1;
            }
            let _ = write!(lines, "a=setup:{setup}\r\na=fingerprint:sha-256 {own}\r\n");
        }
        (proto, lines)
    }

    fn own_key(&self) -> Option<MasterKey> {
        let (_, lines) = self.describe();
        key_of(&lines, self.suite).map(|(_, key)| key)
    }

    /// Takes what the far end's description says. `offered`: it is an offer, ours is yet to come.
    pub(crate) fn take(&mut self, body: &str) {
        let Some(audio) = body.lines().find_map(|line| line.strip_prefix("m=audio ")) else { return };
        self.proto = audio.split_whitespace().nth(1).map(str::to_owned);
        let agreed = match self.manner {
            Encrypts::Never => None,
            Encrypts::IfItCan | Encrypts::BySdes => {
                let theirs = key_of(body, self.suite);
                self.theirs = theirs.map(|(_, key)| key);
                self.tag = theirs.map_or(self.tag, |(tag, _)| tag);
                let keys = self.own_key().zip(self.theirs);
                keys.map(|(send, receive)| Protection::Sdes { suite: self.suite, send, receive })
            }
            Encrypts::ByDtls => {
                let value = |start: &str| body.lines().find_map(|line| line.trim_end().strip_prefix(start));
                // As most phones do, it begins whenever it may.
                self.role =
                    value("a=setup:").map(|setup| if setup == "active" { DtlsRole::Passive } else { DtlsRole::Active });
                let digits = value("a=fingerprint:sha-256 ").unwrap_or_default();
                let mut fingerprint = Fingerprint([0; 32]);
                for (byte, pair) in fingerprint.0.iter_mut().zip(digits.split(':')) {
                    *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
                }
                self.role.map(|role| Protection::Dtls { role, fingerprint })
            }
        };
        self.changed |= agreed != self.agreed;
        self.agreed = agreed;
    }

    /// Makes what was agreed hold.
    fn settle(&mut self, now: Time) {
        if !std::mem::replace(&mut self.changed, false) {
            return;
        }
        let Some(agreed) = self.agreed else {
            self.guard = None;
            return;
        };
        if self.guard.as_mut().is_none_or(|guard| !guard.renew(&agreed)) {
            self.guard = vault().and_then(|vault| vault.guard(now, &agreed));
        }
        self.wake = Some(now);
    }

    /// What is said, as it goes out. None: it may not go out yet.
    pub(crate) fn seal(&mut self, now: Time, packet: Vec<u8>) -> Option<Vec<u8>> {
        self.settle(now);
        if self.agreed.is_none() {
            return Some(packet);
        }
        let mut packet = packet;
        let length = packet.len();
        packet.resize(length + SEAL_BYTES_MAX, 0);
        let sealed = self.guard.as_mut()?.seal(Kind::Rtp, &mut packet, length)?;
        packet.truncate(sealed);
        Some(packet)
    }

    /// What came, in clear. None: it was nothing to be heard.
    pub(crate) fn open(&mut self, now: Time, packet: &[u8]) -> Option<Vec<u8>> {
        self.settle(now);
        if self.agreed.is_none() {
            return Some(packet.to_vec());
        }
        let guard = self.guard.as_mut()?;
        if packet.first().is_some_and(|first| (20..=63).contains(first)) {
            guard.shake(now, Kind::Rtp, packet);
            self.wake = Some(now);
            return None;
        }
        let mut packet = packet.to_vec();
        let length = packet.len();
        let opened = guard.open(Kind::Rtp, &mut packet, length).ok()?;
        packet.truncate(opened);
        Some(packet)
    }

    /// Datagrams of the handshake that are due.
    pub(crate) fn tick(&mut self, now: Time) -> Vec<Vec<u8>> {
        self.settle(now);
        let mut datagrams = Vec::new();
        if self.wake.is_none_or(|at| at > now) {
            return datagrams;
        }
        self.wake = None;
        while let Some(wish) = self.guard.as_mut().and_then(|guard| guard.poll(now)) {
            match wish {
                Shake::Send(Kind::Rtp, datagram) => datagrams.push(datagram),
                // It speaks no RTCP.
                Shake::Send(Kind::Rtcp, _) | Shake::Secured(_) | Shake::Failed(_) => {}
                Shake::Wait(at) => {
                    self.wake = Some(at);
                    break;
                }
            }
        }
        datagrams
    }

    /// When [`Secrecy::tick`] wants to be called.
    pub(crate) fn next(&self) -> Option<Time> {
        if self.changed { Some(Time::ZERO) } else { self.wake }
    }
}

/// The first key of this suite and its tag. Source: RFC 4568 section 9.1.
fn key_of(body: &str, suite: Suite) -> Option<(u32, MasterKey)> {
    body.lines().find_map(|line| {
        let mut words = line.strip_prefix("a=crypto:")?.split_whitespace();
        let (tag, name, inline) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
        let text = inline.strip_prefix("inline:")?.split('|').next()?;
        (name == suite.name()).then(|| MasterKey::new(&base64(text)))?.map(|key| (tag, key))
    })
}

/// Source: RFC 4648 section 4.
fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = text
        .chars()
        .filter_map(|letter| LETTERS.find(letter))
        .flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1));
    let bits: Vec<usize> = bits.collect();
    let byte = |bits: &[usize]| bits.iter().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit == 1));
    bits.chunks_exact(8).map(byte).collect()
}
