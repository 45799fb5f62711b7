//! Offer and answer for one leg (RFC 3264): which codec, which payload types, which addresses, which way.

mod imaging;

use crate::browser::{BrowserAgreed, BrowserEnd, BrowserFormat, IceLogin, RemoteBrowser, Setup, lines};
use crate::codec::{CLOCK_RATE, Codec, Flow};
use crate::comfort::COMFORT_NOISE;
use crate::plane::LocalMedia;
use crate::sdp::{AudioLine, Description, Events, Line, SdpError};
use crate::security::{
    Crypto, DtlsRole, Encryption, Fingerprint, Keying, OurKeys, Protection, Secured, SetupWord, Suite, Terms,
};
use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

/// The payload types that we offer telephone-event with, as nearly everyone does: beside most codecs, and beside Opus.
const TELEPHONE_EVENT: u8 = 101;
const TELEPHONE_EVENT_48: u8 = 110;

/// What we take of RFC 4733: the 16 keys and the flash.
const EVENTS: &str = "0-16";

/// The packet time that we offer.
const PTIME: &str = "20";

/// Room for a description with one audio line; keys make it longer.
const BODY_BYTES: usize = 384;

/// The payload type that browsers use for telephone-event of 8 kHz, so that ours is no other.
const BROWSER_TELEPHONE_EVENT: u8 = 126;

/// What our line to a browser is called.
const BROWSER_MID: &str = "0";

/// Of a host's address over UDP (RFC 8445 section 5.1.2.1); the addresses that come first are better by one.
const CANDIDATE_PRIORITY: u32 = 2_130_706_431;

/// A far end's offer that was read and found usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer(Description);

impl Offer {
    /// Reads an offer: the body of an INVITE, or of a 200 to an INVITE without one; by what the leg may do about encryption.
    ///
    /// # Errors
    /// [`SdpError`], whose [`SdpError::sip_status`] says 400 or 488.
    pub fn parse(body: &[u8], terms: Terms) -> Result<Self, SdpError> {
        let description = Description::parse(body, terms).map_err(|error| {
            // Port 0 in an offer means a line that is not used, not a refusal of ours.
            if error == SdpError::Refused { SdpError::NoAudio("its port is 0") } else { error }
        })?;
        if description.audio.codecs.is_empty() { Err(SdpError::NoCommonCodec) } else { Ok(Self(description)) }
    }

    /// The codecs that the switch knows, in the far end's order; each once.
    pub fn codecs(&self) -> Vec<Codec> {
        let mut codecs = Vec::new();
        for (_, codec) in &self.0.audio.codecs {
            if !codecs.contains(codec) {
                codecs.push(*codec);
            }
        }
        codecs
    }

    /// Where the far end hears RTP and RTCP.
    pub fn hears_at(&self) -> [SocketAddr; 2] {
        [self.0.audio.rtp, self.0.audio.rtcp]
    }

    /// Whether it is a browser's: its leg is to be opened as one.
    pub fn is_of_browser(&self) -> bool {
        self.0.audio.browser.is_some()
    }

    /// A browser's name for ICE: another one begins ICE anew.
    pub fn ice_name(&self) -> Option<&str> {
        self.0.audio.browser.as_ref().map(|browser| browser.login.name.as_str())
    }

    /// The flow that the far end asks for, as the switch sees it: [`Flow::RecvOnly`] and [`Flow::Inactive`] are holds.
    pub fn flow(&self) -> Flow {
        self.0.audio.flow.reversed()
    }
}

/// What offer and answer agreed on, for [`crate::Command::SetRemote`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// The codec to send.
    pub codec: Codec,
    /// Its payload type in packets to the far end.
    pub payload_type_send: u8,
    /// Its payload type in packets from the far end.
    pub payload_type_receive: u8,
    /// telephone-event in packets to the far end; `None`: it takes none.
    pub telephone_event_send: Option<u8>,
    /// telephone-event in packets from the far end.
    pub telephone_event_receive: Option<u8>,
    /// Ticks a second that its durations count by, both ways.
    pub telephone_event_clock: u32,
    /// Comfort noise, both ways (RFC 3389); `None`: none is sent nor taken.
    pub comfort_noise: Option<u8>,
    /// Where the far end takes RTP.
    pub remote_rtp: SocketAddr,
    /// Where the far end takes RTCP.
    pub remote_rtcp: SocketAddr,
    /// Which way audio flows.
    pub flow: Flow,
    /// How much audio the far end likes in a packet: 10 to 60 ms.
    pub ptime_ms: u8,
}

impl Negotiated {
    /// What two who know of each other need not describe: this codec by its usual number, both ways, in packets of 20 ms; RTCP at
    /// the next port; no keys.
    pub fn plain(codec: Codec, remote_rtp: SocketAddr) -> Self {
        Self {
            codec,
            payload_type_send: codec.payload_type(),
            payload_type_receive: codec.payload_type(),
            telephone_event_send: None,
            telephone_event_receive: None,
            telephone_event_clock: CLOCK_RATE,
            comfort_noise: None,
            remote_rtp,
            remote_rtcp: SocketAddr::new(remote_rtp.ip(), remote_rtp.port().saturating_add(1)),
            flow: Flow::SendRecv,
            ptime_ms: 20,
        }
    }

    /// The same with keys as events of this number, both ways.
    #[must_use]
    pub const fn with_keys(self, number: u8) -> Self {
        Self { telephone_event_send: Some(number), telephone_event_receive: Some(number), ..self }
    }
}

/// The description that one leg's dialog lives with: it knows what we sent, so that its version counts up exactly when
/// something changes and every later offer keeps the lines of the first (RFC 3264 section 8).
#[derive(Debug, Clone)]
pub struct OfferAnswer {
    local: LocalMedia,
    session_id: u64,
    version: u64,
    lines: Vec<Line>,
    audio_index: usize,
    /// The numbers that mean telephone-event here, and the one that means Opus: they do not change once they were
    /// said (RFC 3264 section 8.3.2).
    events: Vec<Events>,
    opus: u8,
    sent: Option<Sent>,
    browser: Option<Box<Browser>>,
    terms: Terms,
    keys: Option<OurKeys>,
    /// What the last offer and answer agreed on.
    protection: Option<Protection>,
}

/// What a browser's leg keeps beside.
#[derive(Debug, Clone)]
struct Browser {
    end: BrowserEnd,
    /// What it said last.
    remote: Option<RemoteBrowser>,
    /// Who begins DTLS, once that is agreed: we.
    begins: Option<bool>,
    /// What payload types mean, by all that was ever said.
    formats: Vec<(u8, BrowserFormat)>,
}

/// The last description that we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    body: Vec<u8>,
    /// What it said of audio; an answer is judged by it.
    said: Said,
}

/// What a description of ours says of audio.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    codecs: Vec<(u8, Codec)>,
    events: Vec<Events>,
    comfort_noise: Option<u8>,
    flow: Flow,
    security: SaidSecurity,
}

/// What a description of ours says of encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SaidSecurity {
    Nothing,
    Sdes(Vec<Crypto>),
    Dtls(SetupWord),
}

impl OfferAnswer {
    /// For a leg with these sockets. `session_id` should differ from dialog to dialog; 62 bits of it are used.
    pub fn new(local: LocalMedia, session_id: u64) -> Self {
        // Some far ends read the number as a signed one.
        Self {
            local,
            session_id: session_id >> 2,
            version: 1,
            lines: Vec::new(),
            audio_index: 0,
            events: vec![
                Events { payload_type: TELEPHONE_EVENT, clock: 8_000 },
                Events { payload_type: TELEPHONE_EVENT_48, clock: 48_000 },
            ],
            opus: Codec::Opus.payload_type(),
            sent: None,
            browser: None,
            terms: Terms::default(),
            keys: None,
            protection: None,
        }
    }

    /// For a browser's leg.
    pub fn for_browser(local: LocalMedia, end: BrowserEnd, session_id: u64) -> Self {
        // Where the line itself says that we are is one of the candidates (RFC 8839 section 4.2.1.2): of its family, where there is one.
        let same_family = |candidate: &&SocketAddr| candidate.is_ipv4() == local.rtp.is_ipv4();
        let named = end.candidates.iter().find(same_family).or(end.candidates.first()).filter(|_| end.only);
        let local = named.map_or(local, |named| LocalMedia { rtp: *named, rtcp: *named, ..local });
        Self {
            events: vec![
                Events { payload_type: BROWSER_TELEPHONE_EVENT, clock: 8_000 },
                Events { payload_type: TELEPHONE_EVENT_48, clock: 48_000 },
            ],
            browser: Some(Box::new(Browser { end, remote: None, begins: None, formats: Vec::new() })),
            ..Self::new(local, session_id)
        }
    }

    /// Whether an offer begins ICE anew (RFC 8839 section 4.4.1.1.1): then [`OfferAnswer::set_login`] is due.
    pub fn restarts_ice(&self, offer: &Offer) -> bool {
        let known = self.browser.as_ref().and_then(|browser| browser.remote.as_ref());
        matches!((known, &offer.0.audio.browser), (Some(known), Some(offered)) if known.login != offered.login)
    }

    /// Our new name and password for ICE; the next description says them.
    pub fn set_login(&mut self, login: IceLogin) {
        if let Some(browser) = self.browser.as_mut() {
            browser.end.login = login;
        }
    }

    /// What was agreed with a browser, for [`crate::Command::SetBrowser`].
    pub fn browser_agreed(&self) -> Option<BrowserAgreed> {
        let browser = self.browser.as_ref()?;
        Some(BrowserAgreed {
            login: browser.end.login.clone(),
            remote: browser.remote.clone()?,
            begins: browser.begins.unwrap_or(false),
            formats: browser.formats.clone(),
        })
    }

    /// The same for a leg that may be encrypted, with keys of its own.
    #[must_use]
    pub fn encrypted_by(self, terms: Terms, keys: OurKeys) -> Self {
        let dtls = terms.dtls && keys.fingerprint().is_some();
        Self { terms: Terms { dtls, ..terms }, keys: Some(keys), ..self }
    }

    /// What descriptions of the far end are read by.
    pub const fn terms(&self) -> Terms {
        self.terms
    }

    /// How packets are to be protected since the last offer and answer; `None`: not at all.
    pub const fn protection(&self) -> Option<Protection> {
        self.protection
    }

    /// The last description sent, for a repetition: a 200 repeats the answer of its reliable 183.
    pub fn sent(&self) -> Option<&[u8]> {
        self.sent.as_ref().map(|sent| sent.body.as_slice())
    }

    /// Writes an offer with `codecs` in this order. Also for a 200 to an INVITE that had none.
    ///
    /// An empty list offers [`Codec::ALL`].
    pub fn make_offer(&mut self, codecs: &[Codec], flow: Flow) -> Vec<u8> {
        let codecs = if codecs.is_empty() { &Codec::ALL } else { codecs };
        let number = |codec: &Codec| if *codec == Codec::Opus { self.opus } else { codec.payload_type() };
        let codecs: Vec<_> = codecs.iter().map(|codec| (number(codec), *codec)).collect();
        let has = |clock: u32| codecs.iter().any(|(_, codec)| codec.clock_rate() == clock);
        // Events of 8 kHz beside everything: there are phones that know no others.
        let events = self.events.iter().filter(|events| events.clock == 8_000 || has(events.clock)).copied().collect();
        let security = self.offered_security();
        self.send(Said { codecs, events, comfort_noise: None, flow, security })
    }

    /// What an offer of ours says of encryption.
    fn offered_security(&self) -> SaidSecurity {
        let Some(keys) = &self.keys else { return SaidSecurity::Nothing };
        match (self.terms.encryption, self.terms.keying) {
            (Encryption::Off | Encryption::Accepted, _) if self.protection.is_none() => SaidSecurity::Nothing,
            // What goes on encrypted goes on so by the same means.
            (Encryption::Off | Encryption::Accepted | Encryption::Offered | Encryption::Required, keying) => {
                match self.protection.map_or(keying, |protection| protection.keying()) {
                    Keying::Sdes => {
                        let suites = (1..).zip(Suite::ALL);
                        let lines = suites.filter_map(|(tag, suite)| Some(Crypto { tag, suite, key: keys.of(suite)? }));
                        SaidSecurity::Sdes(lines.collect())
                    }
                    // A handshake that was done holds on, whoever began it (RFC 8842 section 5).
                    Keying::Dtls => SaidSecurity::Dtls(SetupWord::ActPass),
                }
            }
        }
    }

    /// Our half of the answer to what an offer says of encryption, and what both come to.
    fn answered_security(&self, secured: &Secured) -> (SaidSecurity, Option<Protection>) {
        match (secured, &self.keys) {
            (Secured::Sdes(lines), Some(keys)) => {
                let taken = lines.iter().find_map(|line| Some((line, keys.of(line.suite)?)));
                let Some((Crypto { tag, suite, key: receive }, send)) = taken else {
                    return (SaidSecurity::Nothing, None);
                };
                let protection = Protection::Sdes { suite: *suite, send, receive: *receive };
                (SaidSecurity::Sdes(vec![Crypto { tag: *tag, suite: *suite, key: send }]), Some(protection))
            }
            (Secured::Dtls { fingerprint, setup }, Some(_)) => {
                // Whoever is behind a NAT has to speak first, and that is never we.
                let role = match (setup, self.role_with(*fingerprint)) {
                    (SetupWord::ActPass, Some(role)) => role,
                    (SetupWord::ActPass | SetupWord::Active, _) => DtlsRole::Passive,
                    (SetupWord::Passive, _) => DtlsRole::Active,
                };
                let said = if role == DtlsRole::Active { SetupWord::Active } else { SetupWord::Passive };
                (SaidSecurity::Dtls(said), Some(Protection::Dtls { role, fingerprint: *fingerprint }))
            }
            (Secured::Plain, _) | (_, None) => (SaidSecurity::Nothing, None),
        }
    }

    /// Our role in the handshake that was agreed with whoever has this certificate.
    fn role_with(&self, certificate: Fingerprint) -> Option<DtlsRole> {
        match self.protection {
            Some(Protection::Dtls { role, fingerprint }) if fingerprint == certificate => Some(role),
            Some(Protection::Dtls { .. } | Protection::Sdes { .. }) | None => None,
        }
    }

    /// What an answer to `said` comes to.
    fn agreed_security(&self, said: &SaidSecurity, secured: &Secured) -> Result<Option<Protection>, SdpError> {
        match (said, secured) {
            (SaidSecurity::Sdes(ours), Secured::Sdes(theirs)) => {
                let pair = theirs.iter().find_map(|theirs| {
                    let same = |ours: &&Crypto| ours.tag == theirs.tag && ours.suite == theirs.suite;
                    ours.iter().find(same).map(|ours| (ours, theirs))
                });
                let (ours, theirs) = pair.ok_or(SdpError::Encryption("its answer takes none of the keys offered"))?;
                Ok(Some(Protection::Sdes { suite: ours.suite, send: ours.key, receive: theirs.key }))
            }
            (SaidSecurity::Dtls(_), Secured::Dtls { fingerprint, setup }) => {
                let role = match (setup, self.role_with(*fingerprint)) {
                    (SetupWord::Active, _) => DtlsRole::Passive,
                    (SetupWord::Passive, _) => DtlsRole::Active,
                    (SetupWord::ActPass, Some(role)) => role,
                    (SetupWord::ActPass, None) => {
                        return Err(SdpError::Encryption("its answer leaves open who begins the handshake"));
                    }
                };
                Ok(Some(Protection::Dtls { role, fingerprint: *fingerprint }))
            }
            // To an offer that had nothing of the kind, such lines mean nothing.
            (_, Secured::Plain) | (SaidSecurity::Nothing, _) => Ok(None),
            (SaidSecurity::Sdes(_), Secured::Dtls { .. }) | (SaidSecurity::Dtls(_), Secured::Sdes(_)) => {
                Err(SdpError::Encryption("its answer takes its keys from where none were offered"))
            }
        }
    }

    /// Answers an offer with the first of `preferred` that it has (with its own first one when it has none of them).
    /// `flow` is what we allow; the answer says what both allow.
    ///
    /// # Errors
    /// [`SdpError::NoCommonCodec`].
    pub fn make_answer(
        &mut self,
        offer: &Offer,
        preferred: &[Codec],
        flow: Flow,
    ) -> Result<(Vec<u8>, Negotiated), SdpError> {
        let audio = &offer.0.audio;
        self.same_kind(audio.browser.as_deref())?;
        let wanted = preferred.iter().find_map(|codec| audio.codecs.iter().find(|(_, offered)| offered == codec));
        let (payload_type, codec) = *wanted.or(audio.codecs.first()).ok_or(SdpError::NoCommonCodec)?;
        self.lines.clone_from(&offer.0.lines);
        self.audio_index = offer.0.audio_index;
        self.learn(audio);
        self.know(audio);
        let flow = audio.flow.reversed().and(flow);
        let events = Events::beside(codec, &audio.events);
        // Noise of 8 kHz goes with what has that clock (RFC 3389 section 5).
        let comfort_noise = audio.comfort_noise.filter(|_| codec.clock_rate() == 8_000);
        let (security, protection) = self.answered_security(&audio.secured);
        self.protection = protection;
        let body = self.send(Said {
            codecs: vec![(payload_type, codec)],
            events: events.into_iter().collect(),
            comfort_noise,
            flow,
            security,
        });
        let event = events.map(|events| events.payload_type);
        let negotiated = Negotiated {
            codec,
            payload_type_send: payload_type,
            payload_type_receive: payload_type,
            telephone_event_send: event,
            telephone_event_receive: event,
            telephone_event_clock: events.map_or(8_000, |events| events.clock),
            comfort_noise,
            remote_rtp: audio.rtp,
            remote_rtcp: audio.rtcp,
            flow,
            ptime_ms: audio.ptime_ms,
        };
        Ok((body, negotiated))
    }

    /// Reads the answer to the last offer. May be called again: a forked INVITE brings several.
    ///
    /// # Errors
    /// [`SdpError`]; the leg cannot have audio by this answer.
    pub fn accept_answer(&mut self, body: &[u8]) -> Result<Negotiated, SdpError> {
        let sent = &self.sent.as_ref().ok_or(SdpError::NotOffered)?.said;
        let answer = Description::parse(body, self.terms)?;
        let offered = self.lines.len().max(1);
        if answer.lines.len() != offered {
            return Err(SdpError::LineCount { found: answer.lines.len(), offered });
        }
        let audio = &answer.audio;
        self.same_kind(audio.browser.as_deref())?;
        let common = audio.codecs.iter().find_map(|(theirs, codec)| {
            let ours = sent.codecs.iter().find(|(_, offered)| offered == codec)?;
            Some((*codec, *theirs, ours.0))
        });
        let (codec, payload_type_send, payload_type_receive) = common.ok_or(SdpError::NoCommonCodec)?;
        let theirs = Events::beside(codec, &audio.events);
        let ours = theirs.and_then(|theirs| sent.events.iter().find(|ours| ours.clock == theirs.clock));
        let protection = self.agreed_security(&sent.security, &audio.secured)?;
        let negotiated = Negotiated {
            codec,
            payload_type_send,
            payload_type_receive,
            telephone_event_send: ours.and(theirs).map(|events| events.payload_type),
            telephone_event_receive: ours.map(|events| events.payload_type),
            telephone_event_clock: ours.map_or(8_000, |events| events.clock),
            comfort_noise: sent.comfort_noise.and(audio.comfort_noise),
            remote_rtp: audio.rtp,
            remote_rtcp: audio.rtcp,
            flow: audio.flow.reversed().and(sent.flow),
            ptime_ms: audio.ptime_ms,
        };
        self.protection = protection;
        self.know(audio);
        Ok(negotiated)
    }

    /// A browser's leg has a browser at its far end, and no other has.
    fn same_kind(&self, browser: Option<&RemoteBrowser>) -> Result<(), SdpError> {
        match (&self.browser, browser) {
            (Some(_), Some(_)) | (None, None) => Ok(()),
            (Some(_), None) => Err(SdpError::NoAudio("this leg is a browser's: it wants ICE and DTLS")),
            (None, Some(_)) => Err(SdpError::NoAudio("this leg is no browser's: its transport is RTP/AVP")),
        }
    }

    /// Keeps what a browser said.
    fn know(&mut self, audio: &AudioLine) {
        if let (Some(browser), Some(remote)) = (self.browser.as_mut(), audio.browser.as_deref()) {
            let ours =
                Codec::ALL.map(|codec| (if codec == Codec::Opus { self.opus } else { codec.payload_type() }, codec));
            let codecs =
                audio.codecs.iter().chain(&ours).map(|(number, codec)| (*number, BrowserFormat::Audio(*codec)));
            let events = audio.events.iter().chain(&self.events);
            let events = events.map(|events| (events.payload_type, BrowserFormat::Events(events.clock)));
            let noise = audio.comfort_noise.map(|number| (number, BrowserFormat::Noise));
            // A number means for ever what it meant first (RFC 3264 section 8.3.2).
            for (number, format) in codecs.chain(events).chain(noise) {
                if browser.formats.iter().all(|(known, _)| *known != number) {
                    browser.formats.push((number, format));
                }
            }
            // Who began does so for as long as the connection lives (RFC 8842 section 5.5).
            let same = browser.remote.as_ref().is_some_and(|known| known.fingerprint == remote.fingerprint);
            if browser.begins.is_none() || !same {
                browser.begins = Some(remote.setup == Setup::Passive);
            }
            browser.remote = Some(remote.clone());
        }
    }

    /// Writes and remembers a description; the version counts up when it is not the last one.
    fn send(&mut self, said: Said) -> Vec<u8> {
        let mut body = self.write(&said);
        if let Some(last) = &self.sent
            && last.body != body
        {
            self.version += 1;
            body = self.write(&said);
        }
        self.sent = Some(Sent { body: body.clone(), said });
        body
    }

    /// What the far end's numbers mean, they mean in our offers, too.
    fn learn(&mut self, audio: &AudioLine) {
        for theirs in &audio.events {
            if let Some(ours) = self.events.iter_mut().find(|ours| ours.clock == theirs.clock) {
                ours.payload_type = theirs.payload_type;
            }
        }
        if let Some((opus, _)) = audio.codecs.iter().find(|(_, codec)| *codec == Codec::Opus) {
            self.opus = *opus;
        }
        // A number of theirs that was to be one of ours for something else.
        let mut taken: Vec<u8> = audio.codecs.iter().map(|(number, _)| *number).collect();
        taken.extend(audio.events.iter().map(|events| events.payload_type));
        let free = |taken: &[u8]| (96..=127).rev().find(|number| !taken.contains(number)).unwrap_or(127);
        if !audio.codecs.iter().any(|(_, codec)| *codec == Codec::Opus) && taken.contains(&self.opus) {
            self.opus = free(&taken);
        }
        taken.push(self.opus);
        for ours in &mut self.events {
            if !audio.events.contains(ours) && taken.contains(&ours.payload_type) {
                ours.payload_type = free(&taken);
            }
            taken.push(ours.payload_type);
        }
    }

    /// What is said of the session as a whole (RFC 8866 section 5).
    fn head(&self) -> String {
        let (id, version, address) = (self.session_id, self.version, self.local.rtp.ip());
        let family = family(address);
        let mut body = String::with_capacity(BODY_BYTES);
        line(&mut body, format_args!("v=0"));
        line(&mut body, format_args!("o=- {id} {version} IN {family} {address}"));
        line(&mut body, format_args!("s=-"));
        line(&mut body, format_args!("c=IN {family} {address}"));
        line(&mut body, format_args!("t=0 0"));
        body
    }

    /// RFC 8866, the lines in the order of its section 5.
    fn write(&self, said: &Said) -> Vec<u8> {
        let mut body = self.head();
        if let Some(browser) = &self.browser {
            if browser.remote.as_ref().is_none_or(|remote| remote.bundles) {
                line(&mut body, format_args!("a=group:BUNDLE {}", browser.mid()));
            }
            line(&mut body, format_args!("a=ice-lite"));
        }
        if self.lines.is_empty() {
            let plain = self.terms.encryption != Encryption::Required;
            let proto = match &said.security {
                _ if self.browser.is_some() => "UDP/TLS/RTP/SAVPF",
                SaidSecurity::Sdes(_) if !plain => "RTP/SAVP",
                SaidSecurity::Dtls(_) if !plain => "UDP/TLS/RTP/SAVP",
                // What may be taken or left (RFC 8643).
                SaidSecurity::Sdes(_) | SaidSecurity::Dtls(_) | SaidSecurity::Nothing => "RTP/AVP",
            };
            self.write_audio(&mut body, proto, said);
        }
        for (index, theirs) in self.lines.iter().enumerate() {
            if index == self.audio_index {
                self.write_audio(&mut body, &theirs.proto, said);
            } else {
                // One that we do not take: the same with port 0 (RFC 3264 section 6).
                line(&mut body, format_args!("m={} 0 {} {}", theirs.media, theirs.proto, theirs.formats));
                if let Some(mid) = theirs.mid.as_ref().filter(|_| self.browser.is_some()) {
                    line(&mut body, format_args!("a=mid:{mid}"));
                }
            }
        }
        body.into_bytes()
    }

    fn write_audio(&self, body: &mut String, proto: &str, said: &Said) {
        let (rtp, rtcp) = (self.local.rtp, self.local.rtcp);
        let Said { codecs, events, comfort_noise, flow, security } = said;
        let numbers = codecs.iter().map(|(number, _)| *number).chain(*comfort_noise);
        let numbers = numbers.chain(events.iter().map(|events| events.payload_type));
        let types: Vec<String> = numbers.map(|number| number.to_string()).collect();
        line(body, format_args!("m=audio {} {proto} {}", rtp.port(), types.join(" ")));
        for (number, codec) in codecs {
            let (name, rate) = (codec.name(), codec.clock_rate());
            match codec.channels() {
                Some(channels) => line(body, format_args!("a=rtpmap:{number} {name}/{rate}/{channels}")),
                None => line(body, format_args!("a=rtpmap:{number} {name}/{rate}")),
            }
            if let Some(parameters) = codec.parameters() {
                line(body, format_args!("a=fmtp:{number} {parameters}"));
            }
        }
        if let Some(number) = comfort_noise.filter(|number| *number != COMFORT_NOISE) {
            line(body, format_args!("a=rtpmap:{number} CN/8000"));
        }
        for Events { payload_type: number, clock } in events {
            line(body, format_args!("a=rtpmap:{number} telephone-event/{clock}"));
            line(body, format_args!("a=fmtp:{number} {EVENTS}"));
        }
        line(body, format_args!("a=ptime:{PTIME}"));
        if let Some(browser) = &self.browser {
            browser.write(body, rtp);
        } else if rtcp != SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)) {
            line(body, format_args!("a=rtcp:{} IN {} {}", rtcp.port(), family(rtcp.ip()), rtcp.ip()));
        }
        match (security, self.keys.as_ref().and_then(|keys| keys.fingerprint())) {
            (SaidSecurity::Sdes(lines), _) => {
                for crypto in lines {
                    line(body, format_args!("a=crypto:{crypto}"));
                }
            }
            (SaidSecurity::Dtls(setup), Some(fingerprint)) => {
                line(body, format_args!("a=setup:{}", setup.name()));
                line(body, format_args!("a=fingerprint:sha-256 {fingerprint}"));
            }
            (SaidSecurity::Dtls(_), None) | (SaidSecurity::Nothing, _) => {}
        }
        line(body, format_args!("a={}", flow.name()));
    }
}

impl Browser {
    fn mid(&self) -> &str {
        self.remote.as_ref().and_then(|remote| remote.mid.as_deref()).unwrap_or(BROWSER_MID)
    }

    /// The lines that only browsers have (RFC 8839 section 4.2.1, RFC 8842 section 5, RFC 9429).
    fn write(&self, body: &mut String, rtp: SocketAddr) {
        let (end, mid) = (&self.end, self.mid());
        line(body, format_args!("a=mid:{mid}"));
        line(body, format_args!("a=rtcp-mux"));
        line(body, format_args!("a=ice-ufrag:{}", end.login.name));
        line(body, format_args!("a=ice-pwd:{}", end.login.password));
        line(body, format_args!("a=fingerprint:{}", end.fingerprint));
        let setup = match self.begins {
            None => "actpass",
            Some(true) => "active",
            Some(false) => "passive",
        };
        line(body, format_args!("a=setup:{setup}"));
        let others = end.candidates.iter().filter(|candidate| **candidate != rtp);
        let reached = std::iter::once(&rtp).chain(others);
        for (address, number) in reached.zip(0_u32..) {
            let (priority, foundation) = (CANDIDATE_PRIORITY.saturating_sub(number << 8), number + 1);
            let (ip, port) = (address.ip(), address.port());
            line(body, format_args!("a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host"));
        }
        line(body, format_args!("a=end-of-candidates"));
        for (number, uri) in self.remote.iter().flat_map(lines::extensions) {
            line(body, format_args!("a=extmap:{number} {uri}"));
        }
        line(body, format_args!("a=msid:plugboard {mid}"));
        line(body, format_args!("a=ssrc:{} cname:plugboard", end.stream));
    }
}

const fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    }
}

fn line(body: &mut String, text: fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let written = body.write_fmt(text);
    debug_assert!(written.is_ok());
    body.push_str("\r\n");
}
