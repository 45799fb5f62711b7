//! Reading a far end's session description, within limits (RFC 8866).
//!
//! The grammar is `sdp-types`'; what counts here is which audio line the switch can use, and what stands in it.

use crate::browser::{RemoteBrowser, lines};
use crate::codec::{Codec, Flow};
use crate::comfort::COMFORT_NOISE;
use crate::security::{Secured, Terms, Unusable};
use sdp_types::{Attribute, Media, Session};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A description of one audio and a few video lines has 1 to 4 KiB; browsers' reach 8.
const SDP_BYTES_MAX: usize = 16 * 1024;

/// No line that means something to us has more than 200.
const LINE_BYTES_MAX: usize = 1_024;

/// Each rejected line must be answered; browsers offer at most a handful.
const MEDIA_LINES_MAX: usize = 16;

/// RTP knows 128 payload types.
const FORMATS_MAX: usize = 128;

/// The packet time when nobody names one (RFC 3551 section 4.2), and the bounds that are still believed.
const PTIME_DEFAULT_MS: u8 = 20;
const PTIME_MIN_MS: u8 = 10;
const PTIME_MAX_MS: u8 = 60;

/// Why a description cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// Longer than the switch reads.
    #[error("the session description is too large: {what} {found}, at most {limit} are read")]
    TooLarge {
        /// Of what there is too much.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// It is no SDP at all.
    #[error("not a session description: {0}")]
    Malformed(String),
    /// No line that can carry a call.
    #[error("no usable audio line: {0}; offer m=audio with a port, and RTP/AVP or what browsers offer")]
    NoAudio(&'static str),
    /// No line whose encryption is taken here.
    #[error("no usable audio line: {0}")]
    Encryption(&'static str),
    /// It wants T.38, and not as anybody here has it.
    #[error("no usable image line: {0}")]
    NoImage(&'static str),
    /// The address of the audio line cannot be sent to.
    #[error("the connection address {0:?} is no unicast IP address")]
    Address(String),
    /// Neither side's list has a codec of the other.
    #[error("no codec in common; the switch speaks PCMU, PCMA, G722 and opus")]
    NoCommonCodec,
    /// The answer refuses our audio.
    #[error("the answer refuses audio (port 0)")]
    Refused,
    /// The answer does not have the offer's lines (RFC 3264 section 6).
    #[error("the answer has {found} media lines, the offer had {offered}")]
    LineCount {
        /// In the answer.
        found: usize,
        /// In the offer.
        offered: usize,
    },
    /// An answer came without an offer.
    #[error("an answer without an offer")]
    NotOffered,
}

impl SdpError {
    /// What is wrong, in words that hold nothing of the description: for reason phrases.
    pub const fn summary(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "the session description is too large",
            Self::Malformed(_) => "malformed session description",
            Self::NoAudio(_) => "no usable audio line",
            Self::NoImage(_) => "no usable image line",
            Self::Encryption(_) => "no audio line whose encryption is taken here",
            Self::Address(_) => "the connection address is no unicast IP address",
            Self::NoCommonCodec => "no codec in common",
            Self::Refused => "the answer refuses audio",
            Self::LineCount { .. } => "the answer has not the offer's media lines",
            Self::NotOffered => "an answer without an offer",
        }
    }

    /// The final SIP status for whoever sent it (RFC 3261 sections 21.4.1 and 21.4.26).
    pub const fn sip_status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } | Self::Malformed(_) => 400,
            Self::NoAudio(_)
            | Self::NoImage(_)
            | Self::Encryption(_)
            | Self::Address(_)
            | Self::NoCommonCodec
            | Self::Refused
            | Self::LineCount { .. }
            | Self::NotOffered => 488,
        }
    }
}

/// A far end's description, reduced to what a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// Every media line in order, as far as an answer must repeat it.
    pub(crate) lines: Vec<Line>,
    /// Which line is the audio.
    pub(crate) audio_index: usize,
    /// What it says.
    pub(crate) audio: AudioLine,
}

/// A media line as an answer that refuses it repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) media: String,
    pub(crate) proto: String,
    pub(crate) formats: String,
    /// `a=mid`, by which a browser knows the line.
    pub(crate) mid: Option<String>,
}

/// The audio line that carries the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AudioLine {
    pub(crate) rtp: SocketAddr,
    pub(crate) rtcp: SocketAddr,
    /// In the far end's order of preference.
    pub(crate) codecs: Vec<(u8, Codec)>,
    pub(crate) events: Vec<Events>,
    /// Comfort noise (RFC 3389), where it has it.
    pub(crate) comfort_noise: Option<u8>,
    /// As the far end sees it; an address of zeros has taken its receiving half away (RFC 3264 section 8.4).
    pub(crate) flow: Flow,
    pub(crate) ptime_ms: u8,
    /// What a browser says beside.
    pub(crate) browser: Option<Box<RemoteBrowser>>,
    pub(crate) secured: Secured,
}

/// A payload type of telephone-event, and the clock that its durations count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) payload_type: u8,
    pub(crate) clock: u32,
}

impl Events {
    /// Those that go with a codec: of its own clock (RFC 4733 section 2.4.1), else any.
    pub(crate) fn beside(codec: Codec, all: &[Self]) -> Option<Self> {
        all.iter().find(|events| events.clock == codec.clock_rate()).or(all.first()).copied()
    }
}

impl Description {
    /// Reads an offer or an answer, by what the leg may do.
    pub(crate) fn parse(body: &[u8], terms: Terms) -> Result<Self, SdpError> {
        let session = read_session(body)?;
        let (audio_index, media, secured) = pick_audio(&session, terms)?;
        let audio = AudioLine::read(&session, media, secured)?;
        let lines = session.medias.into_iter().map(Line::from).collect();
        Ok(Self { lines, audio_index, audio })
    }
}

impl Line {
    /// A line of audio that nobody has said anything of yet.
    pub(crate) fn audio() -> Self {
        Self { media: "audio".into(), proto: "RTP/AVP".into(), formats: "0".into(), mid: None }
    }
}

impl From<Media> for Line {
    fn from(media: Media) -> Self {
        let mid = media.get_first_attribute_value("mid").flatten().map(|mid| mid.trim().to_owned());
        Self { media: media.media, proto: media.proto, formats: media.fmt, mid }
    }
}

impl AudioLine {
    fn read(session: &Session, media: &Media, secured: Secured) -> Result<Self, SdpError> {
        let browser = if is_browser(session, media) {
            Some(Box::new(lines::read(session, media).map_err(SdpError::NoAudio)?))
        } else {
            None
        };
        // Where a browser is, its checks tell; what its description says of that may be zeros, or a name (RFC 8839).
        let address = match (connection(session, media), &browser) {
            (Ok(address), _) => address,
            (Err(_), Some(_)) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            (Err(error), None) => return Err(error),
        };
        let rtp = SocketAddr::new(address, media.port);
        let Formats { codecs, events, comfort_noise } = formats(media)?;
        let asked = flow(&media.attributes).or_else(|| flow(&session.attributes)).unwrap_or_default();
        let flow = if address.is_unspecified() && browser.is_none() { Flow::new(asked.sends(), false) } else { asked };
        let (rtcp, ptime_ms) = (rtcp(media, rtp), ptime(media));
        Ok(Self { rtp, rtcp, codecs, events, comfort_noise, flow, ptime_ms, browser, secured })
    }
}

/// Reads a description within its limits.
pub(crate) fn read_session(body: &[u8]) -> Result<Session, SdpError> {
    check_limits(body)?;
    let session = Session::parse(body).map_err(|error| SdpError::Malformed(error.to_string()))?;
    within("media lines", session.medias.len(), MEDIA_LINES_MAX)?;
    Ok(session)
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), SdpError> {
    if found > limit { Err(SdpError::TooLarge { what, found, limit }) } else { Ok(()) }
}

fn check_limits(body: &[u8]) -> Result<(), SdpError> {
    within("bytes", body.len(), SDP_BYTES_MAX)?;
    let longest = body.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0);
    within("bytes in a line", longest, LINE_BYTES_MAX)
}

/// A browser's line: it has a name for ICE, without which its transport is a phone's that does DTLS.
fn is_browser(session: &Session, media: &Media) -> bool {
    let names = |attribute: &Attribute| attribute.attribute.eq_ignore_ascii_case("ice-ufrag");
    lines::is_transport(&media.proto) && media.attributes.iter().chain(&session.attributes).any(names)
}

/// The first audio line that we can carry, an encrypted one before a plain one; when there is none, the reason that says most.
fn pick_audio(session: &Session, terms: Terms) -> Result<(usize, &Media, Secured), SdpError> {
    let mut reason = SdpError::NoAudio("there is no m=audio");
    let mut plain = None;
    for (index, media) in session.medias.iter().enumerate() {
        if !media.media.eq_ignore_ascii_case("audio") {
            continue;
        }
        if media.port != 0 && is_browser(session, media) {
            return Ok((index, media, Secured::Plain));
        }
        match Secured::read(session, media, terms) {
            Err(Unusable::Transport) => {
                if !matches!(reason, SdpError::Encryption(_)) {
                    reason = SdpError::NoAudio("its transport is neither RTP/AVP nor a browser's");
                }
            }
            _ if media.port == 0 => reason = SdpError::Refused,
            Err(Unusable::Encryption(why)) => reason = SdpError::Encryption(why),
            Ok(Secured::Plain) => plain = plain.or(Some((index, media, Secured::Plain))),
            Ok(secured) => return Ok((index, media, secured)),
        }
    }
    plain.ok_or(reason)
}

fn connection(session: &Session, media: &Media) -> Result<IpAddr, SdpError> {
    let Some(connection) = media.connections.first().or(session.connection.as_ref()) else {
        return Err(SdpError::NoAudio("there is no c= line"));
    };
    let text = || SdpError::Address(connection.connection_address.chars().take(64).collect());
    let address = connection.connection_address.parse::<IpAddr>().map_err(|_| text())?;
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    if address.is_multicast() || broadcast { Err(text()) } else { Ok(address) }
}

fn flow(attributes: &[Attribute]) -> Option<Flow> {
    attributes.iter().find_map(|attribute| Flow::of_attribute(&attribute.attribute))
}

/// What a line's payload types mean, in its order.
#[derive(Default)]
struct Formats {
    codecs: Vec<(u8, Codec)>,
    events: Vec<Events>,
    comfort_noise: Option<u8>,
}

fn formats(media: &Media) -> Result<Formats, SdpError> {
    within("formats", media.fmt.split_ascii_whitespace().count(), FORMATS_MAX)?;
    let mut formats = Formats::default();
    for payload_type in media.fmt.split_ascii_whitespace().filter_map(|format| format.parse::<u8>().ok()) {
        if payload_type > 127 {
            continue;
        }
        match mapped(media, payload_type) {
            Some(Mapped::Audio(codec)) => formats.codecs.push((payload_type, codec)),
            Some(Mapped::TelephoneEvent { clock }) => formats.events.push(Events { payload_type, clock }),
            Some(Mapped::ComfortNoise) => formats.comfort_noise = formats.comfort_noise.or(Some(payload_type)),
            None => {}
        }
    }
    Ok(formats)
}

enum Mapped {
    Audio(Codec),
    TelephoneEvent { clock: u32 },
    ComfortNoise,
}

/// What a payload type means: by its `a=rtpmap`, else by the static table.
fn mapped(media: &Media, payload_type: u8) -> Option<Mapped> {
    let rtpmap = media.get_attribute_values("rtpmap").flatten().find_map(|value| {
        let (number, encoding) = value.trim().split_once(' ')?;
        (number.parse() == Ok(payload_type)).then(|| encoding.trim())
    });
    let Some(encoding) = rtpmap else {
        return match payload_type {
            COMFORT_NOISE => Some(Mapped::ComfortNoise),
            _ => Codec::of_static(payload_type).filter(|codec| Codec::ALL.contains(codec)).map(Mapped::Audio),
        };
    };
    let mut parts = encoding.split('/');
    let (name, rate, channels) = (parts.next()?, parts.next()?, parts.next());
    let clock: u32 = rate.trim().parse().ok()?;
    let channels: u8 = channels.map_or(Some(1), |count| count.trim().parse().ok())?;
    let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
    if is("telephone-event") {
        return [8_000, 48_000].contains(&clock).then_some(Mapped::TelephoneEvent { clock });
    }
    if is("CN") {
        return (clock == 8_000).then_some(Mapped::ComfortNoise);
    }
    let is_it =
        |codec: &Codec| is(codec.name()) && clock == codec.clock_rate() && channels == codec.channels().unwrap_or(1);
    Codec::ALL.into_iter().find(is_it).map(Mapped::Audio)
}

/// `a=rtcp:53020` or `a=rtcp:53020 IN IP4 126.16.64.4` (RFC 3605), else the next port. With `a=rtcp-mux` the answer
/// leaves multiplexing out, so that the far end falls back to two ports (RFC 5761 section 5.1.1).
fn rtcp(media: &Media, rtp: SocketAddr) -> SocketAddr {
    let next = SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1));
    let Some(Some(value)) = media.get_first_attribute_value("rtcp") else {
        return next;
    };
    let mut words = value.split_ascii_whitespace();
    let Some(port) = words.next().and_then(|word| word.parse::<u16>().ok()).filter(|port| *port != 0) else {
        return next;
    };
    let address = words.nth(2).and_then(|word| word.parse::<IpAddr>().ok()).filter(|ip| !ip.is_multicast());
    SocketAddr::new(address.unwrap_or(rtp.ip()), port)
}

fn ptime(media: &Media) -> u8 {
    let number = |name| {
        let value = media.get_first_attribute_value(name).flatten()?;
        value.trim().split('.').next()?.parse::<u32>().ok()
    };
    let wanted = number("ptime").unwrap_or(u32::from(PTIME_DEFAULT_MS));
    let limit = number("maxptime").unwrap_or(u32::from(PTIME_MAX_MS));
    let bounded = wanted.min(limit).clamp(u32::from(PTIME_MIN_MS), u32::from(PTIME_MAX_MS));
    u8::try_from(bounded).unwrap_or(PTIME_DEFAULT_MS)
}
