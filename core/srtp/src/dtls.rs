//! A leg whose keys come from a handshake on the media's own way (RFC 5763, RFC 5764): one for RTP, and one of its own for RTCP,
//! which has its own port.

use crate::packets::{Opener, Sealer};
use crate::{Vault, fingerprint, rsa};
use dimpl::crypto::{CryptoProvider, aws_lc_rs};
use dimpl::{Config, Dtls, DtlsCertificate, Output, SrtpProfile};
use plugboard_media::{DtlsRole, Fingerprint, Guard, Kind, MasterKey, NotOpened, Protection, Shake, Suite};
use plugboard_model::Time;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A datagram of a flight fits any path.
const MTU: usize = 1_150;

/// Room for what the library hands out at once. A certificate is handed out whole, and one that had no room would be a panic: none is
/// longer than the datagrams that the library keeps of a flight.
const OUTPUT_BYTES: usize = 1 << 16;

/// What is not agreed on by then will not be: the far end gave up before.
const HANDSHAKE_MAX: Duration = Duration::from_secs(20);

/// A handshake that broke is begun again so often at once, since whatever is sent to the port may have broken it; then each
/// [`REST`], until its time is over.
const TRIES_MAX: u8 = 8;
const REST: Duration = Duration::from_secs(1);

/// A stranger who has been heard begins anew as seldom: each time costs signatures.
const STRANGERS_REST: Duration = Duration::from_secs(4);

/// More than a flight is never answered at once.
const OUTPUTS_MAX: usize = 64;

/// What handshakes are done by: those that we begin, those that we answer, which take certificates of RSA, too, and those that come from
/// where nobody was named: no answer of theirs is longer than their hello before they have said a cookie.
#[derive(Debug)]
pub(crate) struct Configs {
    active: Arc<Config>,
    passive: Arc<Config>,
    strangers: Arc<Config>,
}

impl Configs {
    pub(crate) fn new() -> Result<Self, dimpl::Error> {
        let built = |by: CryptoProvider, cookies| {
            let config = Config::builder().mtu(MTU).use_server_cookie(cookies).handshake_timeout(HANDSHAKE_MAX);
            config.with_crypto_provider(by).build().map(Arc::new)
        };
        let active = built(aws_lc_rs::default_provider(), false)?;
        Ok(Self { active, passive: built(rsa::provider(), false)?, strangers: built(rsa::provider(), true)? })
    }

    pub(crate) const fn of(&self, role: DtlsRole) -> &Arc<Config> {
        match role {
            DtlsRole::Active => &self.active,
            DtlsRole::Passive => &self.passive,
        }
    }

    pub(crate) const fn of_strangers(&self) -> &Arc<Config> {
        &self.strangers
    }
}

/// One port's handshake and what it came to.
struct Component {
    dtls: Option<Dtls>,
    tries: u8,
    keys: Option<(Suite, Sealer, Opener)>,
    /// The certificate that was shown is the one that was named.
    known: bool,
    /// When it began last.
    began: Time,
    /// Whose hello began it, where the far end begins (RFC 5246 section 7.4.1.2).
    hello: Option<[u8; RANDOM_BYTES]>,
    given_up: bool,
}

impl Component {
    const fn new(now: Time) -> Self {
        Self { dtls: None, tries: 0, keys: None, known: false, began: now, hello: None, given_up: false }
    }

    /// When it may begin anew.
    fn rests_until(&self, whose: Whose) -> Time {
        match whose {
            Whose::Stranger { heard: true } => self.began + STRANGERS_REST,
            Whose::Stranger { heard: false } | Whose::Named if self.tries < TRIES_MAX => Time::ZERO,
            Whose::Stranger { heard: false } | Whose::Named => self.began + REST,
        }
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Whose address was named.
    Named,
    /// Anybody; heard: he has said the cookie that was sent to him, and has been answered.
    Stranger { heard: bool },
}

/// What seals and opens.
pub(crate) struct Shaken {
    certificate: DtlsCertificate,
    config: Arc<Config>,
    epoch: Instant,
    role: DtlsRole,
    theirs: Fingerprint,
    whose: Whose,
    components: [Component; 2],
    wants: VecDeque<Shake>,
    wake: Option<Time>,
    failed: bool,
    /// There must be keys by then; none: there are.
    deadline: Option<Time>,
}

impl std::fmt::Debug for Shaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shaken").field("role", &self.role).field("suite", &self.suite()).finish_non_exhaustive()
    }
}

impl Shaken {
    /// With who was named.
    pub(crate) fn new(vault: &Vault, now: Time, config: &Arc<Config>, (role, theirs): (DtlsRole, Fingerprint)) -> Self {
        Self::with(vault, now, config, (role, theirs, Whose::Named))
    }

    /// With anybody, who begins.
    pub(crate) fn stranger(vault: &Vault, now: Time, config: &Arc<Config>, theirs: Fingerprint) -> Self {
        Self::with(vault, now, config, (DtlsRole::Passive, theirs, Whose::Stranger { heard: false }))
    }

    fn with(
        vault: &Vault,
        now: Time,
        config: &Arc<Config>,
        (role, theirs, whose): (DtlsRole, Fingerprint, Whose),
    ) -> Self {
        let deadline = now + HANDSHAKE_MAX;
        let mut shaken = Self {
            certificate: vault.certificate.clone(),
            config: Arc::clone(config),
            epoch: vault.epoch,
            role,
            theirs,
            whose,
            components: [Component::new(now), Component::new(now)],
            wants: VecDeque::new(),
            // A far end that never begins is noticed, too.
            wake: Some(deadline),
            failed: false,
            deadline: Some(deadline),
        };
        for kind in [Kind::Rtp, Kind::Rtcp] {
            shaken.begin(now, kind);
        }
        shaken
    }

    fn instant(&self, now: Time) -> Instant {
        self.epoch + now.since(Time::ZERO)
    }

    fn component(&mut self, kind: Kind) -> &mut Component {
        let [rtp, rtcp] = &mut self.components;
        if kind == Kind::Rtp { rtp } else { rtcp }
    }

    fn begin(&mut self, now: Time, kind: Kind) {
        let at = self.instant(now);
        let mut dtls = Dtls::new_12(Arc::clone(&self.config), self.certificate.clone(), at);
        dtls.set_active(self.role == DtlsRole::Active);
        // A client says its hello at its first tick.
        let began = dtls.handle_timeout(at).is_ok();
        let component = self.component(kind);
        component.tries = component.tries.saturating_add(1);
        component.known = false;
        component.began = now;
        component.hello = None;
        component.dtls = began.then_some(dtls);
        self.drain(now, kind);
    }

    /// The library calls it broken, or a stranger's certificate came: whatever came may have been anybody's, so that it is begun again
    /// until its time is over.
    fn broke(&mut self, now: Time, kind: Kind) {
        let component = self.component(kind);
        component.dtls = None;
        if component.keys.is_some() {
            return;
        }
        self.begin_when_rested(now, kind);
    }

    fn begin_when_rested(&mut self, now: Time, kind: Kind) {
        let whose = self.whose;
        let until = self.component(kind).rests_until(whose);
        if until <= now {
            return self.begin(now, kind);
        }
        self.wake = Some(self.wake.map_or(until, |wake| wake.min(until)));
    }

    /// Without RTCP a call goes on, and with the keys that there are.
    fn fail(&mut self, kind: Kind, why: &'static str) {
        self.component(kind).dtls = None;
        self.component(kind).given_up = true;
        let has_keys = self.component(kind).keys.is_some();
        if kind == Kind::Rtp && !has_keys && !std::mem::replace(&mut self.failed, true) {
            self.wants.push_back(Shake::Failed(why));
        }
    }

    /// Takes what the library has to say, until it only waits.
    fn drain(&mut self, now: Time, kind: Kind) {
        let (theirs, role, epoch) = (self.theirs, self.role, self.epoch);
        let mut room = vec![0; OUTPUT_BYTES];
        for _ in 0..OUTPUTS_MAX {
            let [rtp, rtcp] = &mut self.components;
            let component = if kind == Kind::Rtp { rtp } else { rtcp };
            let Some(dtls) = component.dtls.as_mut() else { return };
            match dtls.poll_output(&mut room) {
                Output::Packet(datagram) => {
                    if matches!(self.whose, Whose::Stranger { .. }) && is_of(datagram, SERVER_HELLO) {
                        self.whose = Whose::Stranger { heard: true };
                    }
                    let datagram = if role == DtlsRole::Passive { rsa::ask(datagram) } else { datagram.into() };
                    self.wants.push_back(Shake::Send(kind, datagram.into_owned()));
                }
                Output::Timeout(at) => {
                    let at = Time::ZERO + at.saturating_duration_since(epoch);
                    // Nothing that is over by now is waited for.
                    if at > now && at.since(now) <= 2 * HANDSHAKE_MAX {
                        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
                    }
                    return;
                }
                // Nothing is proved by showing it: whoever answers to the end without it is refused then. Nobody waits for a stranger.
                Output::PeerCert(certificate) => {
                    component.known = fingerprint(certificate) == theirs;
                    if !component.known && self.whose != Whose::Named {
                        return self.fail(kind, ANOTHER);
                    }
                }
                Output::KeyingMaterial(material, profile) => {
                    if !component.known {
                        return self.fail(kind, ANOTHER);
                    }
                    let before = component.keys.take().map(|(suite, ..)| suite);
                    component.keys = keys(kind, role, &material, profile);
                    match &component.keys {
                        Some((suite, ..)) if kind == Kind::Rtp && before != Some(*suite) => {
                            self.deadline = None;
                            self.wants.push_back(Shake::Secured(*suite));
                        }
                        Some(_) => {}
                        None => return self.fail(kind, "the handshake gave no keys that can be used"),
                    }
                }
                Output::BufferTooSmall { .. } => return self.broke(now, kind),
                // It is connected, or the far end takes its leave of the handshake: the keys stay.
                Output::Connected | Output::ApplicationData(_) | Output::CloseNotify | _ => {}
            }
        }
    }
}

const ANOTHER: &str = "the far end's certificate is not the one that it named";

/// Where a record begins to say what it is of, and where a message in it does (RFC 6347 sections 4.1 and 4.2.2).
const RECORD_BYTES: usize = 13;
const MESSAGE_BYTES: usize = 12;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const RANDOM_BYTES: usize = 32;

/// Whether a datagram begins with a whole record, and one in clear with the begin of a message: what is none would end the handshake,
/// not only itself.
fn is_sound(datagram: &[u8]) -> bool {
    let Some(&[kind, major, _, e0, e1, .., l0, l1]) = datagram.first_chunk::<RECORD_BYTES>() else { return false };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let Some(record) = datagram.get(RECORD_BYTES..RECORD_BYTES + length) else { return false };
    let in_clear = (e0, e1) == (0, 0);
    major == 254 && (20..=25).contains(&kind) && (!in_clear || kind != HANDSHAKE || is_message(record))
}

/// A piece of a message that says where it belongs.
fn is_message(record: &[u8]) -> bool {
    let Some(&[_, l0, l1, l2, _, _, o0, o1, o2, f0, f1, f2]) = record.first_chunk::<MESSAGE_BYTES>() else {
        return false;
    };
    let number = |bytes: [u8; 3]| u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
    let (length, offset, piece) = (number([l0, l1, l2]), number([o0, o1, o2]), number([f0, f1, f2]));
    offset + piece <= length && usize::try_from(piece).is_ok_and(|piece| MESSAGE_BYTES + piece <= record.len())
}

/// Whether a datagram begins with such a message in clear.
fn is_of(datagram: &[u8], message: u8) -> bool {
    datagram.first() == Some(&HANDSHAKE)
        && datagram.get(RECORD_BYTES) == Some(&message)
        && datagram.get(3..5) == Some(&[0, 0])
}

/// Whether a datagram begins a handshake.
pub(crate) fn begins(datagram: &[u8]) -> bool {
    is_sound(datagram) && hello(datagram).is_some()
}

/// The begin of a handshake: what only one hello has.
fn hello(datagram: &[u8]) -> Option<[u8; RANDOM_BYTES]> {
    // After the version, two bytes.
    let random = datagram.get(RECORD_BYTES + MESSAGE_BYTES + 2..)?.first_chunk().copied();
    random.filter(|_| is_of(datagram, CLIENT_HELLO))
}

/// What the handshake's secret is cut into (RFC 5764 section 4.2).
fn keys(kind: Kind, role: DtlsRole, material: &[u8], profile: SrtpProfile) -> Option<(Suite, Sealer, Opener)> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Suite::AesCm128HmacSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => Suite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => Suite::AeadAes256Gcm,
        _ => return None,
    };
    let (keys, salts) = material.split_at_checked(2 * suite.key_bytes())?;
    let (client_key, server_key) = keys.split_at_checked(suite.key_bytes())?;
    let (client_salt, server_salt) = salts.split_at_checked(suite.salt_bytes())?;
    let client = MasterKey::new(&[client_key, client_salt].concat())?;
    let server = MasterKey::new(&[server_key, server_salt].concat())?;
    let (send, receive) = if role == DtlsRole::Active { (client, server) } else { (server, client) };
    Some((suite, Sealer::new(suite, &send)?, Opener::new(kind, suite, receive)?))
}

impl Guard for Shaken {
    fn seal(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Option<usize> {
        self.component(kind).keys.as_mut()?.1.seal(kind, buffer, length)
    }

    fn open(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, NotOpened> {
        let (_, _, opener) = self.component(kind).keys.as_mut().ok_or(NotOpened::NoKeys)?;
        opener.open(buffer, length)
    }

    fn renew(&mut self, protection: &Protection) -> bool {
        // Who keeps his certificate keeps the keys (RFC 8842 section 4).
        matches!(protection, Protection::Dtls { role, fingerprint }
            if *role == self.role && *fingerprint == self.theirs && !self.failed)
    }

    fn shake(&mut self, now: Time, kind: Kind, datagram: &[u8]) {
        if !is_sound(datagram) {
            return;
        }
        let (at, theirs) = (self.instant(now), self.theirs);
        let (passive, whose) = (self.role == DtlsRole::Passive, self.whose);
        let component = self.component(kind);
        // The far end begins again, as after a fault of its own, or what went before was a stranger's: the keys hold until there are
        // new ones.
        if let Some(random) = hello(datagram).filter(|random| passive && component.hello.as_ref() != Some(random)) {
            if component.hello.is_some() {
                if component.rests_until(whose) > now {
                    return;
                }
                self.begin(now, kind);
            }
            self.component(kind).hello = Some(random);
        }
        let Some(dtls) = self.component(kind).dtls.as_mut() else { return };
        let mut take = || dtls.handle_timeout(at).and_then(|()| dtls.handle_packet(datagram));
        let taken = match whose {
            Whose::Named => take(),
            // All of it may lie in one datagram: no signature of another certificate is looked at.
            Whose::Stranger { .. } => rsa::only_of(theirs, take),
        };
        // What it has to say before it broke may be why.
        self.drain(now, kind);
        if taken.is_err() && self.component(kind).dtls.is_some() {
            self.broke(now, kind);
        }
    }

    fn poll(&mut self, now: Time) -> Option<Shake> {
        if self.wants.is_empty() && self.wake.is_some_and(|wake| wake <= now) {
            self.wake = self.deadline.filter(|deadline| *deadline > now);
            let at = self.instant(now);
            for kind in [Kind::Rtp, Kind::Rtcp] {
                let component = self.component(kind);
                let broken = component.dtls.is_none() && component.keys.is_none() && !component.given_up;
                if broken {
                    self.begin_when_rested(now, kind);
                }
                let ticked = self.component(kind).dtls.as_mut().map(|dtls| dtls.handle_timeout(at));
                match ticked {
                    Some(Ok(())) => self.drain(now, kind),
                    Some(Err(_)) if self.component(kind).keys.is_some() => self.component(kind).dtls = None,
                    Some(Err(_)) => self.fail(kind, "the handshake did not end in time"),
                    None => {}
                }
            }
            if self.deadline.take_if(|deadline| *deadline <= now).is_some() {
                self.fail(Kind::Rtp, "the handshake did not end in time");
            }
        }
        self.wants.pop_front().or_else(|| self.wake.map(Shake::Wait))
    }

    fn is_heard(&self) -> bool {
        self.whose != Whose::Stranger { heard: false }
    }

    fn suite(&self) -> Option<Suite> {
        let [rtp, _] = &self.components;
        rtp.keys.as_ref().map(|(suite, ..)| *suite)
    }
}
