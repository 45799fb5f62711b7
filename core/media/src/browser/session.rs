//! One browser's session: a str0m peer that was told what offer and answer agreed on.

use super::{BrowserAgreed, BrowserFormat, Browsers, Datagram, is_stun};
use crate::codec::Codec;
use crate::rtp::{Header, ahead};
use plugboard_model::Time;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::config::{DtlsCert, Fingerprint};
use str0m::format::{Codec as Coding, CodecConfig, FormatParams};
use str0m::media::{Frequency, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, RtpWrite};
use str0m::{Candidate, Event, IceConnectionState, IceCreds, Input, Output, Rtc, RtcConfig};

/// How often reports are sent (RFC 3550 section 6.2 asks for 5 s on average).
const REPORTS: Duration = Duration::from_secs(5);

/// How often we look what was reported: more often than a browser reports, so that no report is missed.
const LOOKS: Duration = Duration::from_secs(2);

/// More lost packets than this in a report are none but duplicates: it has 24 bits and a sign.
const LOST_MAX: u64 = 0x7F_FFFF;

/// What one input can set off; a handshake's flight has about ten datagrams. More is a fault that must not spin.
const OUTPUTS_MAX: usize = 256;

/// What a line is called when the browser gives it no name.
const MID: &str = "0";

/// Our certificate: one a process, made at its start. Browsers know it by the fingerprint in each description.
pub struct Certificate {
    certificate: DtlsCert,
    fingerprint: Arc<str>,
}

/// The system gave no randomness, or the library fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no certificate for browsers could be made")]
pub struct CertificateError;

impl Certificate {
    /// Makes one.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn make() -> Result<Self, CertificateError> {
        let provider = str0m::crypto::from_feature_flags();
        let certificate = provider.dtls_provider.generate_certificate().ok_or(CertificateError)?;
        let digest = provider.sha256_provider.sha256(&certificate.certificate);
        let fingerprint = Fingerprint { hash_func: "sha-256".to_owned(), bytes: digest.to_vec() };
        Ok(Self { certificate, fingerprint: fingerprint.to_string().into() })
    }

    /// `sha-256 AB:CD...`.
    pub fn fingerprint(&self) -> Arc<str> {
        Arc::clone(&self.fingerprint)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.fingerprint).finish()
    }
}

/// What came of an input.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// To be sent.
    pub(crate) datagrams: Vec<Datagram>,
    /// RTP of the browser, whole and in the clear.
    pub(crate) packets: Vec<Vec<u8>>,
    /// The browser is gone for now: its checks stopped, or it said so.
    pub(crate) lost: bool,
    /// The browser is there (again).
    pub(crate) there: bool,
    /// When the session wants to be driven again.
    pub(crate) alarm: Option<Instant>,
    /// What the browser reported last of what it hears.
    pub(crate) reported: Option<Reported>,
}

/// A browser's report of our stream (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported {
    /// Up to which packet.
    pub(crate) highest: u64,
    pub(crate) lost: u32,
    pub(crate) jitter_ticks: u32,
    pub(crate) round_trip: Option<Duration>,
}

/// A browser's session.
pub(crate) struct Session {
    rtc: Rtc,
    epoch: Instant,
    local: SocketAddr,
    mid: Mid,
    agreed: BrowserAgreed,
    /// The sequence number that went out last, counted on beyond 16 bits.
    last_sequence: Option<u64>,
    /// When the engine will drive it, as far as it was told.
    pub(crate) armed: Option<Time>,
    /// The browser was told gone.
    pub(crate) gone: bool,
    /// Where its last datagram came from that was no check.
    pub(crate) speaks_from: Option<SocketAddr>,
    /// Up to which packet it has reported.
    reported: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Session {
    /// A session for what was agreed; `stream` names what the browser hears. `None`: the description names something that
    /// str0m cannot take.
    pub(crate) fn new(
        browsers: &Browsers,
        now: Time,
        local: SocketAddr,
        stream: u32,
        agreed: BrowserAgreed,
    ) -> Option<Self> {
        let fingerprint: Fingerprint = agreed.remote.fingerprint.parse().ok()?;
        let mut config = RtcConfig::new()
            .set_dtls_cert(browsers.certificate.certificate.clone())
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_rtcp_report_interval_audio(REPORTS)
            .set_stats_interval(Some(LOOKS))
            .set_local_ice_credentials(creds(&agreed.login))
            .clear_codecs()
            .clear_extension_map();
        if let Some(number) = agreed.remote.mid_extension {
            config = config.set_extension(number, Extension::RtpMid);
        }
        if let Some(number) = agreed.remote.level_extension {
            config = config.set_extension(number, Extension::AudioLevel);
        }
        for (number, format) in &agreed.formats {
            add(config.codec_config(), *number, *format)?;
        }
        let mut rtc = config.build(at(browsers.epoch, now));
        rtc.add_local_candidate(Candidate::host(local, "udp").ok()?);
        let mid = Mid::from(agreed.remote.mid.as_deref().unwrap_or(MID));
        let mut direct = rtc.direct_api();
        direct.set_ice_controlling(false);
        direct.set_remote_ice_credentials(creds(&agreed.remote.login));
        direct.set_remote_fingerprint(fingerprint);
        direct.declare_media(mid, MediaKind::Audio);
        direct.declare_stream_tx(stream.into(), None, mid, None);
        for ssrc in &agreed.remote.streams {
            direct.expect_stream_rx((*ssrc).into(), None, mid, None);
        }
        direct.start_dtls(agreed.begins).ok()?;
        let epoch = browsers.epoch;
        Some(Self {
            rtc,
            epoch,
            local,
            mid,
            agreed,
            last_sequence: None,
            armed: None,
            gone: false,
            speaks_from: None,
            reported: 0,
        })
    }

    /// Takes over what was agreed anew. False: another certificate came, so that it is another session.
    pub(crate) fn renew(&mut self, agreed: &BrowserAgreed) -> bool {
        if agreed.remote.fingerprint != self.agreed.remote.fingerprint {
            return false;
        }
        let mut direct = self.rtc.direct_api();
        // As ICE-lite we check nothing: a restart is a new name and password on either side, and what is nominated goes
        // on until the browser nominates another (RFC 8445 section 9).
        if agreed.login != self.agreed.login {
            direct.set_local_ice_credentials(creds(&agreed.login));
        }
        direct.set_remote_ice_credentials(creds(&agreed.remote.login));
        for ssrc in agreed.remote.streams.iter().filter(|ssrc| !self.agreed.remote.streams.contains(ssrc)) {
            direct.expect_stream_rx((*ssrc).into(), None, self.mid, None);
        }
        for ssrc in self.agreed.remote.streams.iter().filter(|ssrc| !agreed.remote.streams.contains(ssrc)) {
            direct.remove_stream_rx((*ssrc).into());
        }
        self.agreed.clone_from(agreed);
        true
    }

    /// Whether this is news: what was looked at before is told again until the next report.
    pub(crate) fn is_new(&mut self, reported: &Reported) -> bool {
        std::mem::replace(&mut self.reported, reported.highest) != reported.highest
    }

    /// Whether a check really comes from the browser: it knows the password.
    pub(crate) fn accepts(&self, now: Time, source: SocketAddr, packet: &[u8]) -> bool {
        Receive::new(Protocol::Udp, source, self.local, packet)
            .is_ok_and(|receive| self.rtc.accepts(&Input::Receive(at(self.epoch, now), receive)))
    }

    /// Takes a datagram. False: it was nothing that can be understood.
    pub(crate) fn receive(&mut self, now: Time, source: SocketAddr, packet: &[u8], found: &mut Found) -> bool {
        let instant = at(self.epoch, now);
        let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, packet) else {
            return false;
        };
        let taken = self.rtc.handle_input(Input::Receive(instant, receive)).is_ok();
        if taken && !is_stun(packet) {
            self.speaks_from = Some(source);
        }
        self.drain(instant, found);
        taken
    }

    /// Does what is due.
    pub(crate) fn drive(&mut self, now: Time, found: &mut Found) {
        let instant = at(self.epoch, now);
        if self.rtc.handle_input(Input::Timeout(instant)).is_err() {
            found.lost = true;
        }
        self.drain(instant, found);
    }

    /// Sends a packet of our stream. False: not before the session is up.
    pub(crate) fn write(&mut self, now: Time, header: &Header, payload: &[u8], found: &mut Found) -> bool {
        if !self.rtc.is_connected() {
            return false;
        }
        let last = self.last_sequence.unwrap_or(u64::from(header.sequence));
        let [l0, l1, ..] = last.to_le_bytes();
        let step = i64::from(ahead(header.sequence, u16::from_le_bytes([l0, l1])));
        let Some(sequence) = last.checked_add_signed(step) else {
            return false;
        };
        self.last_sequence = Some(sequence.max(last));
        let instant = at(self.epoch, now);
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.mid, None) else {
            return false;
        };
        let packet = RtpWrite::new(header.payload_type.into(), sequence.into(), header.timestamp, instant, payload)
            .marker(header.marker);
        stream.write_rtp(packet);
        self.drain(instant, found);
        true
    }

    /// Takes all that waits, and lets time go on where that is what it waits for.
    fn drain(&mut self, now: Instant, found: &mut Found) {
        for _ in 0..OUTPUTS_MAX {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    let bytes = Vec::from(transmit.contents);
                    found.datagrams.push(Datagram { from: self.local, to: transmit.destination, bytes });
                }
                Ok(Output::Event(event)) => happened(event, found),
                // What was written leaves only when time is said to go on, if it is due already.
                Ok(Output::Timeout(due)) if due <= now && self.rtc.is_alive() => {
                    if self.rtc.handle_input(Input::Timeout(now)).is_err() {
                        found.lost = true;
                        return;
                    }
                }
                Ok(Output::Timeout(due)) => {
                    found.alarm = Some(due);
                    return;
                }
                Err(_) => {
                    found.lost = true;
                    return;
                }
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "str0m tells much that a leg of audio has no use for")]
fn happened(event: Event, found: &mut Found) {
    match event {
        Event::RtpPacket(packet) => {
            let header = Header {
                marker: packet.header.marker,
                payload_type: *packet.header.payload_type,
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                ssrc: *packet.header.ssrc,
                payload: 0..0,
            };
            found.packets.push(header.packet(&packet.payload));
        }
        Event::MediaEgressStats(stats) => {
            found.reported = stats.remote.map(|remote| Reported {
                highest: *remote.maximum_sequence_number,
                lost: u32::try_from(remote.packets_lost).ok().filter(|lost| u64::from(*lost) <= LOST_MAX).unwrap_or(0),
                jitter_ticks: remote.jitter,
                round_trip: stats.rtt,
            });
        }
        Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => found.lost = true,
        Event::IceConnectionStateChange(IceConnectionState::Connected | IceConnectionState::Completed) => {
            (found.lost, found.there) = (false, true);
        }
        _ => {}
    }
}

/// Tells str0m what a payload type means: it needs the clock. `None`: no clock that there is.
fn add(config: &mut CodecConfig, number: u8, format: BrowserFormat) -> Option<()> {
    let (coding, clock, channels) = match format {
        BrowserFormat::Audio(codec) => {
            let coding = match codec {
                Codec::Pcmu => Coding::PCMU,
                Codec::Pcma => Coding::PCMA,
                Codec::G722 => Coding::G722,
                Codec::Opus => Coding::Opus,
            };
            (coding, codec.clock_rate(), codec.channels())
        }
        BrowserFormat::Events(clock) => (Coding::Tele, clock, None),
        BrowserFormat::Noise => (Coding::CN, 8_000, None),
    };
    let clock = Frequency::new(clock)?;
    config.add_config(number.into(), None, coding, clock, channels, FormatParams::default());
    Some(())
}

fn creds(login: &super::IceLogin) -> IceCreds {
    IceCreds { ufrag: login.name.clone(), pass: login.password.clone() }
}

fn at(epoch: Instant, now: Time) -> Instant {
    epoch + Duration::from_nanos(now.0)
}
