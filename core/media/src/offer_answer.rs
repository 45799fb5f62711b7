//! Offer and answer for one leg (RFC 3264): which codec, which payload types, which addresses, which way.

use crate::codec::{Codec, Flow};
use crate::comfort::COMFORT_NOISE;
use crate::plane::LocalMedia;
use crate::sdp::{AudioLine, Description, Events, Line, SdpError};
use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

/// The payload types that we offer telephone-event with, as nearly everyone does: beside most codecs, and beside Opus.
const TELEPHONE_EVENT: u8 = 101;
const TELEPHONE_EVENT_48: u8 = 110;

/// What we take of RFC 4733: the 16 keys and the flash.
const EVENTS: &str = "0-16";

/// The packet time that we offer.
const PTIME: &str = "20";

/// Room for a description with one audio line.
const BODY_BYTES: usize = 384;

/// A far end's offer that was read and found usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer(Description);

impl Offer {
    /// Reads an offer: the body of an INVITE, or of a 200 to an INVITE without one.
    ///
    /// # Errors
    /// [`SdpError`], whose [`SdpError::sip_status`] says 400 or 488.
    pub fn parse(body: &[u8]) -> Result<Self, SdpError> {
        let description = Description::parse(body).map_err(|error| {
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

/// The description that one leg's dialog lives with: it knows what we sent, so that its version counts up exactly when
/// something changes and every later offer keeps the lines of the first (RFC 3264 section 8).
#[derive(Debug, Clone)]
pub struct OfferAnswer {
    local: LocalMedia,
    session_id: u64,
    version: u64,
    lines: Vec<Line>,
    audio_index: usize,
    /// The numbers that mean telephone-event in this session, and the one that means Opus: they do not change once they
    /// were said (RFC 3264 section 8.3.2).
    events: Vec<Events>,
    opus: u8,
    sent: Option<Sent>,
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
        }
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
        self.send(Said { codecs, events, comfort_noise: None, flow })
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
        let wanted = preferred.iter().find_map(|codec| audio.codecs.iter().find(|(_, offered)| offered == codec));
        let (payload_type, codec) = *wanted.or(audio.codecs.first()).ok_or(SdpError::NoCommonCodec)?;
        self.lines.clone_from(&offer.0.lines);
        self.audio_index = offer.0.audio_index;
        self.learn(audio);
        let flow = audio.flow.reversed().and(flow);
        let events = Events::beside(codec, &audio.events);
        // Noise of 8 kHz goes with what has that clock (RFC 3389 section 5).
        let comfort_noise = audio.comfort_noise.filter(|_| codec.clock_rate() == 8_000);
        let body = self.send(Said {
            codecs: vec![(payload_type, codec)],
            events: events.into_iter().collect(),
            comfort_noise,
            flow,
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
    pub fn accept_answer(&self, body: &[u8]) -> Result<Negotiated, SdpError> {
        let sent = &self.sent.as_ref().ok_or(SdpError::NotOffered)?.said;
        let answer = Description::parse(body)?;
        let offered = self.lines.len().max(1);
        if answer.lines.len() != offered {
            return Err(SdpError::LineCount { found: answer.lines.len(), offered });
        }
        let audio = &answer.audio;
        let common = audio.codecs.iter().find_map(|(theirs, codec)| {
            let ours = sent.codecs.iter().find(|(_, offered)| offered == codec)?;
            Some((*codec, *theirs, ours.0))
        });
        let (codec, payload_type_send, payload_type_receive) = common.ok_or(SdpError::NoCommonCodec)?;
        let theirs = Events::beside(codec, &audio.events);
        let ours = theirs.and_then(|theirs| sent.events.iter().find(|ours| ours.clock == theirs.clock));
        Ok(Negotiated {
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
        })
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

    /// RFC 8866, the lines in the order of its section 5.
    fn write(&self, said: &Said) -> Vec<u8> {
        let (id, version, address) = (self.session_id, self.version, self.local.rtp.ip());
        let family = family(address);
        let mut body = String::with_capacity(BODY_BYTES);
        line(&mut body, format_args!("v=0"));
        line(&mut body, format_args!("o=- {id} {version} IN {family} {address}"));
        line(&mut body, format_args!("s=-"));
        line(&mut body, format_args!("c=IN {family} {address}"));
        line(&mut body, format_args!("t=0 0"));
        if self.lines.is_empty() {
            self.write_audio(&mut body, "RTP/AVP", said);
        }
        for (index, theirs) in self.lines.iter().enumerate() {
            if index == self.audio_index {
                self.write_audio(&mut body, &theirs.proto, said);
            } else {
                // One that we do not take: the same with port 0 (RFC 3264 section 6).
                line(&mut body, format_args!("m={} 0 {} {}", theirs.media, theirs.proto, theirs.formats));
            }
        }
        body.into_bytes()
    }

    fn write_audio(&self, body: &mut String, proto: &str, said: &Said) {
        let (rtp, rtcp) = (self.local.rtp, self.local.rtcp);
        let Said { codecs, events, comfort_noise, flow } = said;
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
        if rtcp != SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)) {
            line(body, format_args!("a=rtcp:{} IN {} {}", rtcp.port(), family(rtcp.ip()), rtcp.ip()));
        }
        line(body, format_args!("a={}", flow.name()));
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
