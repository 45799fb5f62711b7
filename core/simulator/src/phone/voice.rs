//! What a phone says into a call: packets of its mark, and keys (RFC 4733).

use plugboard_media::{
    Codec,
    g711::{self, Law},
};
use plugboard_model::Time;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::fax::Line;

/// A packet each 20 ms, as every phone does it.
const EVERY: Duration = Duration::from_millis(20);
const SAMPLES: u32 = 160;
/// A key is held for so many packets, then let go three times (RFC 4733 section 2.5.1.4), then there is a pause.
const HELD: u32 = 5;
const LET_GO: u32 = 3;
const PAUSE: u32 = 3;
/// As loud as a key usually is: -10 dBm0.
const VOLUME: u8 = 0x0A;
/// The payload type of keys in the offers of phones.
pub(crate) const KEYS: u8 = 101;

/// The sending side of one call.
#[derive(Debug)]
pub(crate) struct Voice {
    pub(crate) local: SocketAddr,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) codec: Codec,
    /// The payload type of keys, when the far end takes them.
    pub(crate) keys_type: Option<u8>,
    /// What we may send, by the offer and answer.
    pub(crate) sends: bool,
    /// Somebody has muted it: it sends nothing at all.
    pub(crate) muted: bool,
    /// A fax machine speaks in its place.
    pub(crate) fax: Option<Line>,
    /// By T.38 it wants FEC.
    pub(crate) fec: bool,
    mark: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    next: Option<Time>,
    /// Datagrams of T.38 that are due at once.
    due: VecDeque<Vec<u8>>,
    keys: VecDeque<char>,
    pressing: Option<Pressing>,
}

#[derive(Debug)]
struct Pressing {
    event: u8,
    since: u32,
    ticks: u32,
}

impl Voice {
    pub(crate) fn new(local: SocketAddr, mark: u8, ssrc: u32) -> Self {
        Self {
            local,
            remote: None,
            codec: Codec::Pcmu,
            keys_type: None,
            sends: true,
            muted: false,
            fax: None,
            fec: false,
            mark,
            sequence: 1,
            timestamp: 1,
            ssrc,
            next: None,
            due: VecDeque::new(),
            keys: VecDeque::new(),
            pressing: None,
        }
    }

    /// From now on there is somebody to talk to.
    pub(crate) fn start(&mut self, now: Time) {
        self.next.get_or_insert(now);
    }

    /// It begins another stream.
    pub(crate) fn changes_stream(&mut self) {
        self.ssrc ^= 0x5A5A;
        self.sequence = 40_000;
    }

    pub(crate) fn stop(&mut self) {
        self.next = None;
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.extend(keys.chars());
    }

    /// When the next packet is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.next
    }

    /// The packet that is due, if it is.
    pub(crate) fn tick(&mut self, now: Time) -> Option<(SocketAddr, Vec<u8>)> {
        if let Some(datagram) = self.due.pop_front() {
            return Some((self.remote?, datagram));
        }
        let at = self.next.filter(|at| *at <= now)?;
        self.next = Some(at + EVERY);
        if let Some(datagrams) = self.fax.as_mut().and_then(Line::sends) {
            self.due.extend(datagrams);
            return self.tick(now);
        }
        let packet = self.packet();
        self.timestamp = self.timestamp.wrapping_add(SAMPLES);
        let packet = packet.filter(|_| self.sends && !self.muted)?;
        Some((self.remote?, packet))
    }

    fn packet(&mut self) -> Option<Vec<u8>> {
        if self.pressing.is_none()
            && let Some(event) = self.keys.pop_front().and_then(event_of)
        {
            self.pressing = Some(Pressing { event, since: self.timestamp, ticks: 0 });
        }
        if let Some(fax) = &mut self.fax {
            let payload = fax.says(self.codec.law()?);
            let payload_type = self.codec.payload_type();
            return Some(self.rtp(payload_type, self.timestamp, &payload));
        }
        let Some(pressing) = &mut self.pressing else {
            let mut payload = vec![self.mark; 160];
            if self.codec == Codec::Pcma {
                plugboard_media::g711::transcode(Law::Mu, &mut payload);
            }
            let payload_type = self.codec.payload_type();
            return Some(self.rtp(payload_type, self.timestamp, &payload));
        };
        let (tick, event, since) = (pressing.ticks, pressing.event, pressing.since);
        pressing.ticks += 1;
        if tick >= HELD + LET_GO + PAUSE {
            self.pressing = None;
            return None;
        }
        if tick >= HELD + LET_GO {
            return None;
        }
        let Some(keys_type) = self.keys_type else {
            let (payload_type, law) = (self.codec.payload_type(), self.codec.law()?);
            return Some(self.rtp(payload_type, self.timestamp, &tones(event, tick, law)));
        };
        let length = SAMPLES * (tick.min(HELD - 1) + 1);
        let [_, _, high, low] = length.to_be_bytes();
        let end = if tick >= HELD { 0x80 } else { 0 };
        Some(self.rtp(keys_type, since, &[event, end | VOLUME, high, low]))
    }

    /// Source: RFC 3550 section 5.1.
    fn rtp(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }
}

/// 20 ms of the two tones of a key, so many packets after it was pressed (ITU-T Q.23).
fn tones(event: u8, tick: u32, law: Law) -> Vec<u8> {
    let columns = [("147*", 1_209.0), ("2580", 1_336.0), ("369#", 1_477.0), ("ABCD", 1_633.0)];
    let rows = [697.0, 770.0, 852.0, 941.0];
    let of_key = columns.iter().find_map(|(keys, column)| {
        let (_, row) = keys.chars().zip(rows).find(|(key, _)| event_of(*key) == Some(event))?;
        Some([row, *column])
    });
    let frequencies: [f64; 2] = of_key.unwrap_or_default();
    let sample = |n: u32| {
        let at = f64::from(tick * SAMPLES + n) / 8_000.0;
        let sum: f64 = frequencies.iter().map(|hertz: &f64| (std::f64::consts::TAU * hertz * at).sin()).sum();
        #[expect(clippy::cast_possible_truncation, reason = "two sines are at most 2")]
        let sample = (sum * 6_000.0) as i16;
        g711::encode(law, sample)
    };
    (0..SAMPLES).map(sample).collect()
}

/// The payload type and the payload of a packet.
pub(crate) fn open(packet: &[u8]) -> Option<(u8, &[u8])> {
    let payload_type = packet.get(1)? & 0x7F;
    Some((payload_type, packet.get(12..)?))
}

/// The key whose end a telephone-event packet tells.
pub(crate) fn ended_key(payload: &[u8]) -> Option<char> {
    let [event, flags, ..] = payload else { return None };
    let keys: Vec<char> = "0123456789*#ABCD".chars().collect();
    keys.get(usize::from(*event)).copied().filter(|_| flags & 0x80 != 0)
}

fn event_of(key: char) -> Option<u8> {
    "0123456789*#ABCD".chars().position(|known| known == key).and_then(|index| u8::try_from(index).ok())
}

/// What the far end's description says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) address: SocketAddr,
    pub(crate) codec: Option<Codec>,
    pub(crate) keys_type: Option<u8>,
    /// Whether it wants to hear us.
    pub(crate) hears: bool,
    /// Whether it speaks.
    pub(crate) speaks: bool,
}

/// Where T.38 is taken, by a description that wants it.
pub(crate) fn read_image(body: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(body).ok()?;
    let value = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let address = value("c=IN IP4 ").or_else(|| value("c=IN IP6 "))?.trim().parse().ok()?;
    let port = value("m=image ")?.split_whitespace().next()?.parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::new(address, port))
}

/// Wants T.38, or agrees to it, as a gateway does.
pub(crate) fn write_image(local: SocketAddr, fec: bool) -> String {
    let family = if local.is_ipv4() { "IP4" } else { "IP6" };
    let (ip, port) = (local.ip(), local.port());
    let correction = if fec { "t38UDPFEC" } else { "t38UDPRedundancy" };
    format!(
        "v=0\r\no=- 1 2 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=image {port} udptl t38\r\n\
         a=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n\
         a=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:{correction}\r\n"
    )
}

/// Reads an SDP as far as a phone that knows these codecs needs it. Source: RFC 8866.
pub(crate) fn read(body: &[u8], known: &[Codec]) -> Option<Described> {
    let text = std::str::from_utf8(body).ok()?;
    let value = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let address = value("c=IN IP4 ").or_else(|| value("c=IN IP6 "))?.trim().parse().ok()?;
    let mut media = value("m=audio ")?.split_whitespace();
    let port = media.next()?.parse().ok()?;
    let types: Vec<&str> = media.skip(1).collect();
    let codec = types.iter().find_map(|name| match *name {
        "0" => Some(Codec::Pcmu),
        "8" => Some(Codec::Pcma),
        "9" => Some(Codec::G722).filter(|codec| known.contains(codec)),
        _ => None,
    });
    let keys_type = text.lines().find_map(|line| {
        let (number, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        name.starts_with("telephone-event/").then(|| number.parse().ok())?
    });
    let has = |line: &str| text.lines().any(|other| other.trim_end() == line);
    let (inactive, sendonly, recvonly) = (has("a=inactive"), has("a=sendonly"), has("a=recvonly"));
    let address = SocketAddr::new(address, port);
    Some(Described { address, codec, keys_type, hears: !(inactive || sendonly), speaks: !(inactive || recvonly) })
}

/// Writes one. `types`: payload types, in the order of preference.
pub(crate) fn write(local: SocketAddr, types: &[u8], direction: &str, (proto, secrecy): (String, String)) -> String {
    let family = if local.is_ipv4() { "IP4" } else { "IP6" };
    let (mut ip, port) = (local.ip().to_string(), local.port());
    // As RFC 2543 section B.5 held.
    let direction = if direction == "zeros" {
        "0.0.0.0".clone_into(&mut ip);
        "sendrecv"
    } else {
        direction
    };
    let types = types.iter().map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
    format!(
        "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} {proto} {types} {KEYS}\r\n\
         a=rtpmap:{KEYS} telephone-event/8000\r\na=fmtp:{KEYS} 0-16\r\n{secrecy}a={direction}\r\n"
    )
}

/// The same of a phone that knows no telephone-event.
pub(crate) fn without_keys(described: &str) -> String {
    let mut text = String::new();
    for line in described.lines().filter(|line| !line.contains(&format!(":{KEYS} "))) {
        text.push_str(line.strip_suffix(&format!(" {KEYS}")).unwrap_or(line));
        text.push_str("\r\n");
    }
    text
}

/// Writes what a browser says of itself: Opus before G.711, keys by both clocks. Nobody checks or shakes hands for it, so that its
/// media never begins.
pub(crate) fn write_browser(local: SocketAddr, direction: &str) -> String {
    let digest = ["0A"; 32].join(":");
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=audio {} UDP/TLS/RTP/SAVPF 111 0 8 110 126\r\nc=IN IP4 0.0.0.0\r\n\
         a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:110 telephone-event/48000\r\n\
         a=rtpmap:126 telephone-event/8000\r\na=mid:0\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 {digest}\r\na=setup:active\r\na=ssrc:7 cname:x\r\n\
         a={direction}\r\n",
        local.port()
    )
}
