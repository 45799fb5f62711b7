//! The configuration file.

mod api;
mod dns;
mod limits;
mod push;
mod schema;
mod tls;
mod turn;

pub(crate) use api::Program;
pub(crate) use push::PushService;
pub(crate) use schema::schema;
pub(crate) use tls::Tls;

use plugboard_document::{Fault, Faults, Field, Fields, Node, parse_toml};
use plugboard_switch::{Listen, LocalNetwork, RequestRates, SipProtocol};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where it is when nobody says where.
pub(crate) const DEFAULT_FILE: &str = "/etc/plugboard/plugboard.toml";
/// What to do about a file that cannot be read.
const NAME_A_FILE: &str = "name a file that is there and that this user may read";

/// The fault of a file that could not be read as text.
pub(crate) fn unread(file: &str, cause: &std::io::Error) -> Fault {
    if cause.kind() == std::io::ErrorKind::InvalidData {
        return Fault::of_file(file, "this is no text in UTF-8", "save it as UTF-8, or name another file");
    }
    Fault::of_file(file, format!("cannot be read: {cause}"), NAME_A_FILE)
}
/// Threads of a kind: more than any machine of an office has cores.
const THREADS: RangeInclusive<i64> = 1..=64;
/// Waits of the switch as a whole.
const DRAIN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);
/// How long nothing may be heard of a peer; zero for ever.
const SILENCE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);
/// Of the time between two packets, a quarter at most.
const GATHER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_millis(5);
/// How long something is kept: from a moment, for trying it out, to what no office outlives.
const KEPT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24 * 36_500);
/// A day.
const DAY: Duration = Duration::from_hours(24);
/// Listeners of a kind.
const LISTENERS_MAX: usize = 16;
/// An address that no machine has (RFC 5737): the way to it is the way to the world.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
/// The same of IPv6 (RFC 3849).
const ELSEWHERE_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9);
/// Networks of an office, and pages that may connect.
const NETWORKS_MAX: usize = 64;
/// One address for each family.
const FAMILIES: usize = 2;
/// A browser checks every pair of addresses: more than these only delay it.
pub(crate) const WEBRTC_ADDRESSES: usize = 8;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The folder of plugins; without it, `plugins` beside the program's folder.
    pub(crate) plugins: Option<PathBuf>,
    /// Signalling threads, 1 to 64.
    pub(crate) threads: usize,
    /// How long a SIGTERM waits for running calls.
    pub(crate) drain: Duration,
    /// SIP listeners, and what peers see of them.
    pub(crate) sip: Sip,
    /// Certificates.
    pub(crate) tls: Tls,
    /// Services that wake phones.
    pub(crate) push: Vec<PushService>,
    /// The server through which browsers come whose network blocks UDP.
    pub(crate) turn: Option<turn::TurnServer>,
    /// Who is asked for names; nobody: whom the machine asks.
    pub(crate) dns: Vec<SocketAddr>,
    /// What reads words aloud: a program with the arguments of espeak-ng.
    pub(crate) speech: PathBuf,
    /// RTP.
    pub(crate) media: Media,
    /// HTTP: metrics and health.
    pub(crate) http: Http,
    /// The programs that may order faxes there.
    pub(crate) api: Vec<api::Program>,
    /// How long what is known of calls is kept.
    pub(crate) keep: Keep,
    /// How often requests may come.
    pub(crate) limits: RequestRates,
    /// `error`, `warn`, `info`, `debug`, or a filter of tracing-subscriber.
    pub(crate) log: String,
}

/// SIP listeners, and what peers see of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sip {
    /// UDP.
    pub(crate) udp: Vec<SocketAddr>,
    /// TCP.
    pub(crate) tcp: Vec<SocketAddr>,
    /// TLS.
    pub(crate) tls: Vec<SocketAddr>,
    /// WebSocket.
    pub(crate) ws: Vec<SocketAddr>,
    /// Secure WebSocket.
    pub(crate) wss: Vec<SocketAddr>,
    /// The addresses that a NAT gives us, one for each family at most.
    pub(crate) public: Vec<IpAddr>,
    /// Networks whose peers see our own addresses.
    pub(crate) local_networks: Vec<LocalNetwork>,
    /// Web pages that may connect over WebSocket; none: all of them.
    pub(crate) origins: Vec<String>,
}

impl Sip {
    /// Every listener of the switch.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = Listen> {
        let all = [
            (SipProtocol::Udp, &self.udp),
            (SipProtocol::Tcp, &self.tcp),
            (SipProtocol::Tls, &self.tls),
            (SipProtocol::Ws, &self.ws),
            (SipProtocol::Wss, &self.wss),
        ];
        all.into_iter().flat_map(|(transport, addresses)| {
            addresses.iter().map(move |address| Listen { transport, address: *address })
        })
    }

    /// Whether a listener needs a certificate.
    pub(crate) fn is_secure(&self) -> bool {
        self.listeners().any(|listen| listen.transport.is_secure())
    }
}

/// RTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    /// Where RTP is bound and what SDP says, one for each family at most; [`Config::media_addresses`] finds the others.
    pub(crate) addresses: Vec<IpAddr>,
    /// Even ports for RTP, the odd ones above for RTCP.
    pub(crate) ports: RangeInclusive<u16>,
    /// Threads that relay, 1 to 64.
    pub(crate) threads: usize,
    /// After so long without a packet a peer is asked whether it is there; never with zero.
    pub(crate) silence: Duration,
    /// Whether one is asked as well that never sent a packet.
    pub(crate) silence_from_start: bool,
    /// How long packets may gather on a busy thread; zero: not at all.
    pub(crate) gather: Duration,
    /// Where browsers send to: one port a thread from this one up; 0: any.
    pub(crate) webrtc_port: u16,
    /// Other addresses under which browsers reach these ports.
    pub(crate) webrtc_addresses: Vec<IpAddr>,
    /// Browsers are told of these alone.
    pub(crate) webrtc_only: bool,
}

/// How long what is known of calls is kept, counted from a call's beginning. What goes on is kept anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    /// Records: `call list` and `call show`. With a record goes what else is left of the call.
    pub(crate) calls: Duration,
    /// Journals: `call trace` and `call replay`.
    pub(crate) journals: Duration,
    /// SIP messages: `call trace --sip` and `--pcap`.
    pub(crate) traces: Duration,
    /// Recordings of calls, with their files.
    pub(crate) recordings: Duration,
    /// Voice messages, likewise.
    pub(crate) messages: Duration,
}

/// HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Http {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// A file with the token that everybody off loopback must send.
    pub(crate) token_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let any = |port| vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))];
        Self {
            data: "/var/lib/plugboard".into(),
            plugins: None,
            threads: 1,
            drain: Duration::from_secs(30),
            sip: Sip { udp: any(5060), tcp: any(5060), tls: any(5061), wss: any(8443), ..Sip::default() },
            tls: Tls::default(),
            push: Vec::new(),
            turn: None,
            dns: Vec::new(),
            speech: plugboard_sound::espeak::PROGRAM.into(),
            media: Media {
                addresses: Vec::new(),
                ports: plugboard_media::DEFAULT_PORTS,
                threads: 1,
                silence: plugboard_media::EngineConfig::default().silent_after,
                silence_from_start: false,
                gather: plugboard_media::DEFAULT_GATHER,
                webrtc_port: plugboard_media::DEFAULT_BROWSER_PORT,
                webrtc_addresses: Vec::new(),
                webrtc_only: false,
            },
            http: Http { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), token_file: None },
            api: Vec::new(),
            // A year of history; a month to ask why a call went as it did; two weeks for faults of phones.
            keep: Keep {
                calls: 365 * DAY,
                journals: 30 * DAY,
                traces: 14 * DAY,
                recordings: 90 * DAY,
                messages: 90 * DAY,
            },
            limits: RequestRates::default(),
            log: "info".into(),
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// Every fault in it, with file, line and column.
    pub(crate) fn read(file: &Path) -> Result<Self, Vec<Fault>> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|cause| vec![unread(&name, &cause)])?;
        Self::parse(&name, &text)
    }

    /// Reads a file's text. Unknown keys are faults: a typo must not be a default in silence.
    ///
    /// # Errors
    /// Every fault.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let root = parse_toml(file, text)?;
        let mut faults = Faults::new(file);
        let config = read(&root, &mut faults);
        if faults.is_empty() { Ok(config) } else { Err(faults.into_sorted()) }
    }

    /// Where RTP is bound and what SDP says, by family: what is configured; else the address that SIP listens on; else,
    /// when SIP listens on all of them, the one that leads to the world. A family that SIP does not speak has none.
    pub(crate) fn media_addresses(&self) -> (Option<IpAddr>, Option<IpAddr>) {
        let of = |v4: bool| {
            let listeners =
                || self.sip.listeners().map(|listen| listen.address.ip()).filter(move |ip| ip.is_ipv4() == v4);
            let configured = self.media.addresses.iter().copied().find(|ip| ip.is_ipv4() == v4);
            let named = configured.or_else(|| listeners().find(|ip| !ip.is_unspecified()));
            named.or_else(|| listeners().next().map(|any| way_out(v4).unwrap_or_else(|| loopback_of(any))))
        };
        (of(true), of(false))
    }
}

/// The machine's own address on the way to the world. Nothing is sent.
fn way_out(v4: bool) -> Option<IpAddr> {
    let (any, elsewhere): (IpAddr, _) =
        if v4 { (Ipv4Addr::UNSPECIFIED.into(), ELSEWHERE) } else { (Ipv6Addr::UNSPECIFIED.into(), ELSEWHERE_V6) };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(elsewhere).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn loopback_of(family: IpAddr) -> IpAddr {
    match family {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// A range of ports, such as `20000-29999`.
pub(crate) fn read_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    // A leg takes an even port and the odd one above.
    (first < last && first.next_multiple_of(2) < last).then_some(first..=last)
}

/// What is wrong with a range of ports.
pub(crate) const PORTS_FORM: &str =
    "a range of ports is written first-last, such as \"20000-29999\", and holds an even port with the odd one above";

fn speech(field: &Field<'_>, program: &mut PathBuf, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    set(program, path(&mut fields, "program", faults));
    fields.finish(faults);
}

fn read(root: &Node, faults: &mut Faults) -> Config {
    let mut config = Config::default();
    let Some(mut fields) = Field::root(root).fields(faults) else { return config };
    set(&mut config.data, path(&mut fields, "data", faults));
    config.plugins = path(&mut fields, "plugins", faults);
    set(&mut config.threads, threads(&mut fields, faults));
    set(&mut config.drain, fields.take("drain").and_then(|field| field.duration(DRAIN, faults)));
    set(&mut config.log, fields.take("log").and_then(|field| field.text(faults)));
    if let Some(field) = fields.take("sip") {
        sip(&field, &mut config.sip, faults);
    }
    if let Some(field) = fields.take("tls") {
        tls::read(&field, &mut config.tls, faults);
    }
    if let Some(field) = fields.take("push") {
        push::read(&field, &mut config.push, faults);
    }
    if let Some(field) = fields.take("turn") {
        config.turn = turn::read(&field, faults);
    }
    if let Some(field) = fields.take("dns") {
        dns::read(&field, &mut config.dns, faults);
    }
    if let Some(field) = fields.take("speech") {
        speech(&field, &mut config.speech, faults);
    }
    if let Some(field) = fields.take("media") {
        media(&field, &mut config.media, faults);
    }
    if let Some(field) = fields.take("http") {
        http(&field, &mut config.http, faults);
    }
    if let Some(field) = fields.take("api") {
        api::read(&field, &mut config.api, faults);
    }
    if let Some(field) = fields.take("keep") {
        keep(&field, &mut config.keep, faults);
    }
    if let Some(field) = fields.take("limits") {
        limits::read(&field, &mut config.limits, faults);
    }
    fields.finish(faults);
    config
}

fn keep(field: &Field<'_>, keep: &mut Keep, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    set(&mut keep.calls, fields.take("calls").and_then(|field| field.duration(KEPT, faults)));
    set(&mut keep.journals, fields.take("journals").and_then(|field| field.duration(KEPT, faults)));
    set(&mut keep.traces, fields.take("traces").and_then(|field| field.duration(KEPT, faults)));
    set(&mut keep.recordings, fields.take("recordings").and_then(|field| field.duration(KEPT, faults)));
    set(&mut keep.messages, fields.take("messages").and_then(|field| field.duration(KEPT, faults)));
    fields.finish(faults);
}

fn sip(field: &Field<'_>, sip: &mut Sip, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    let before = faults.len();
    let mut named = false;
    let mut listeners = |fields: &mut Fields<'_>, key, place: &mut Vec<SocketAddr>, faults: &mut Faults| {
        let read = fields.take(key).map(|field| addresses(&field, faults));
        named |= read.is_some();
        *place = read.unwrap_or_default();
    };
    let mut read = Sip::default();
    listeners(&mut fields, "udp", &mut read.udp, faults);
    listeners(&mut fields, "tcp", &mut read.tcp, faults);
    listeners(&mut fields, "tls", &mut read.tls, faults);
    listeners(&mut fields, "ws", &mut read.ws, faults);
    listeners(&mut fields, "wss", &mut read.wss, faults);
    // Whoever names listeners gets those and no other: what is meant for loopback must not be open to the world.
    if !named {
        let Sip { udp, tcp, tls, ws, wss, .. } = sip.clone();
        (read.udp, read.tcp, read.tls, read.ws, read.wss) = (udp, tcp, tls, ws, wss);
    }
    if let Some(field) = fields.take("public_address") {
        read.public = one_of_each_family(&field, "an address that peers outside can send to is expected", faults);
    }
    if let Some(field) = fields.take("local_networks") {
        read.local_networks =
            field.list(NETWORKS_MAX, faults).iter().filter_map(|item| network(item, faults)).collect();
    }
    if let Some(field) = fields.take("origins") {
        read.origins = field.list(NETWORKS_MAX, faults).iter().filter_map(|item| origin(item, faults)).collect();
    }
    fields.finish(faults);
    // An address that is no address has its fault already.
    if read.listeners().next().is_none() && faults.len() == before {
        let reason = "there is no SIP listener: udp, tcp, tls, ws and wss are all empty";
        field.fault(faults, reason, "name an address in one of them");
    }
    *sip = read;
}

/// One address, or a list of two of different families.
fn one_of_each_family(field: &Field<'_>, expected: &str, faults: &mut Faults) -> Vec<IpAddr> {
    let texts = if field.is_list() { field.list(FAMILIES, faults) } else { vec![field.clone()] };
    let mut found: Vec<IpAddr> = Vec::new();
    for item in texts {
        let Some(text) = item.text(faults) else { continue };
        match text.parse::<IpAddr>() {
            Ok(address) if found.iter().any(|other| other.is_ipv4() == address.is_ipv4()) => {
                item.fault(faults, "two addresses of one family", "name one of IPv4 and one of IPv6 at most");
            }
            Ok(address) if !address.is_unspecified() => found.push(address),
            Ok(_) | Err(_) => item.fault(faults, expected, "such as \"192.0.2.10\""),
        }
    }
    found
}

/// Several of either family, each once.
fn addresses_of(field: &Field<'_>, expected: &str, faults: &mut Faults) -> Vec<IpAddr> {
    let texts = if field.is_list() { field.list(WEBRTC_ADDRESSES, faults) } else { vec![field.clone()] };
    let mut found: Vec<IpAddr> = Vec::new();
    for item in texts {
        let Some(text) = item.text(faults) else { continue };
        match text.parse::<IpAddr>() {
            Ok(address) if found.contains(&address) => item.fault(faults, "it is named twice", "name each once"),
            Ok(address) if !address.is_unspecified() => found.push(address),
            Ok(_) | Err(_) => item.fault(faults, expected, "such as \"192.0.2.10\""),
        }
    }
    found
}

fn network(item: &Field<'_>, faults: &mut Faults) -> Option<LocalNetwork> {
    let text = item.text(faults)?;
    let network = text.parse().ok();
    if network.is_none() {
        item.fault(faults, format!("{text:?} is no network"), "such as \"192.168.0.0/16\" or \"fd00::/8\"");
    }
    network
}

/// As browsers send it: scheme, host and port, nothing behind.
fn origin(item: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = item.text(faults)?;
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    if host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' '])) {
        return Some(text);
    }
    item.fault(faults, format!("{text:?} is no origin of a web page"), "such as \"https://desk.example.com\"");
    None
}

fn media(field: &Field<'_>, media: &mut Media, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    if let Some(field) = fields.take("address") {
        media.addresses = one_of_each_family(&field, "an address that phones can send to is expected", faults);
    }
    if let Some(field) = fields.take("ports")
        && let Some(text) = field.text(faults)
    {
        match read_ports(&text) {
            Some(ports) => media.ports = ports,
            None => field.fault(faults, PORTS_FORM, ""),
        }
    }
    set(&mut media.threads, threads(&mut fields, faults));
    set(&mut media.silence, fields.take("silence").and_then(|field| field.duration(SILENCE, faults)));
    set(&mut media.silence_from_start, fields.take("silence_from_start").and_then(|field| field.boolean(faults)));
    set(&mut media.gather, fields.take("gather").and_then(|field| field.duration(GATHER, faults)));
    let port = fields.take("webrtc_port").and_then(|field| field.integer(0..=65_535, faults));
    set(&mut media.webrtc_port, port.and_then(|port| u16::try_from(port).ok()));
    if let Some(field) = fields.take("webrtc_address") {
        media.webrtc_addresses = addresses_of(&field, "an address that browsers can send to is expected", faults);
    }
    if let Some(field) = fields.take("webrtc_only") {
        set(&mut media.webrtc_only, field.boolean(faults));
        if media.webrtc_only && media.webrtc_addresses.is_empty() {
            field.fault(
                faults,
                "there is no `webrtc_address` that browsers could be told of",
                "name one, or leave this out",
            );
        }
    }
    fields.finish(faults);
}

fn http(field: &Field<'_>, http: &mut Http, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    set(&mut http.listen, fields.take("listen").and_then(|field| address(&field, faults)));
    http.token_file = path(&mut fields, "token_file", faults);
    fields.finish(faults);
    if !http.listen.ip().is_loopback() && http.token_file.is_none() {
        field.fault(faults, TOKEN_NEEDED, "name the file that holds it in token_file");
    }
}

/// Why an HTTP listener off loopback is refused.
pub(crate) const TOKEN_NEEDED: &str = "http.listen is not on loopback, so a token must be asked for";

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn path(fields: &mut Fields<'_>, key: &'static str, faults: &mut Faults) -> Option<PathBuf> {
    fields.take(key).and_then(|field| field.text(faults)).map(PathBuf::from)
}

fn threads(fields: &mut Fields<'_>, faults: &mut Faults) -> Option<usize> {
    let count = fields.take("threads").and_then(|field| field.integer(THREADS, faults))?;
    usize::try_from(count).ok()
}

fn addresses(field: &Field<'_>, faults: &mut Faults) -> Vec<SocketAddr> {
    field.list(LISTENERS_MAX, faults).iter().filter_map(|item| address(item, faults)).collect()
}

fn address(field: &Field<'_>, faults: &mut Faults) -> Option<SocketAddr> {
    let text = field.text(faults)?;
    let address = text.parse().ok();
    if address.is_none() {
        let form = "such as \"0.0.0.0:5060\" or \"[::]:5060\"";
        field.fault(faults, format!("{text:?} is no address with a port"), form);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_switch::Rate;
    use serde_json::Value as Json;

    fn faults(text: &str) -> Vec<String> {
        Config::parse("p.toml", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_that_is_no_text_is_told_from_one_that_is_not_there() {
        let told = |kind: std::io::ErrorKind| unread("a.toml", &kind.into()).to_string();
        assert_eq!(
            told(std::io::ErrorKind::InvalidData),
            "a.toml: this is no text in UTF-8 (save it as UTF-8, or name another file)"
        );
        assert!(told(std::io::ErrorKind::NotFound).ends_with(&format!("({NAME_A_FILE})")));
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "threads = 0\ndrian = \"2s\"\n[sip]\nudpp = []\ntcp = [\"here\", \"127.0.0.1:5060\"]\n\
                    [media]\nports = \"9-1\"\naddress = \"0.0.0.0\"\n[http]\nlisten = \"0.0.0.0:80\"\n";
        let told = faults(text);
        let lines = ["p.toml:1:", "p.toml:2:", "p.toml:4:", "p.toml:5:", "p.toml:7:", "p.toml:8:", "p.toml:9:"];
        assert_eq!(told.len(), lines.len(), "{told:#?}");
        for (fault, line) in told.iter().zip(lines) {
            assert!(fault.starts_with(line), "{fault} is not at {line}");
        }
        assert!(told[1].contains("drian"), "{told:#?}");
    }

    #[test]
    fn units_stand_in_the_value() {
        let config = Config::parse("p.toml", "drain = \"2m\"\n[media]\nports = \"30000-30100\"\n").unwrap();
        assert_eq!(config.drain, Duration::from_secs(120));
        assert_eq!(config.media.ports, 30_000..=30_100);
        assert!(faults("drain = \"2\"")[0].contains("unit"));
        assert!(faults("[media]\nports = \"30001-30002\"\n")[0].contains("an even port"), "no leg could have any");
        assert_eq!(read_ports("30001-30003"), Some(30_001..=30_003));
    }

    #[test]
    fn what_is_kept_of_calls_is_said_in_days() {
        let config = Config::parse("p.toml", "[keep]\ncalls = \"10d\"\ntraces = \"36h\"\n").unwrap();
        let usual = Config::default().keep;
        assert_eq!(config.keep, Keep { calls: 10 * DAY, traces: Duration::from_hours(36), ..usual });
        let told = faults("[keep]\ncalls = \"0s\"\njournal = \"1d\"\n");
        assert!(told[0].starts_with("p.toml:2:") && told[0].contains("from 1s to 36500d"), "{told:?}");
        assert!(told[1].contains("did you mean \"journals\"?"), "{told:?}");
    }

    #[test]
    fn how_often_requests_may_come_is_said_a_second_and_at_once() {
        let config = Config::parse("p.toml", "[limits]\nstrangers = 0\ncalls = 3\ncalls_burst = 30\n").unwrap();
        let usual = Config::default().limits;
        let (strangers, calls) = (Rate { per_second: 0, ..usual.strangers }, Rate { per_second: 3, burst: 30 });
        assert_eq!(config.limits, RequestRates { strangers, calls, ..usual });
        let told = faults("[limits]\ncall = 1\nrequests_burst = 0\n");
        assert!(told[0].contains("did you mean \"calls\"?"), "{told:?}");
        assert!(told[1].starts_with("p.toml:3:") && told[1].contains("from 1 to 1000000"), "{told:?}");
    }

    #[test]
    fn name_servers_are_named_with_or_without_a_port() {
        let config = Config::parse("p.toml", "[dns]\nservers = [\"192.0.2.53\", \"[::1]:5353\"]\n").unwrap();
        assert_eq!(config.dns, ["192.0.2.53:53".parse().unwrap(), "[::1]:5353".parse::<SocketAddr>().unwrap()]);
        let told = faults("[dns]\nservers = [\"dns.example\", \"192.0.2.53\", \"192.0.2.53:53\"]\n");
        assert!(told.len() == 2 && told[0].contains("no address of a name server"), "{told:?}");
        assert!(told[1].contains("named twice"), "{told:?}");
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(Config::parse("p.toml", "").unwrap(), Config::default());
    }

    #[test]
    fn whoever_names_listeners_gets_no_other() {
        let config = Config::parse("p.toml", "[sip]\nudp = [\"127.0.0.1:5072\"]\n").unwrap();
        assert_eq!((config.sip.udp.len(), config.sip.tcp.len()), (1, 0));
        assert_eq!(Config::parse("p.toml", "[sip]\n").unwrap().sip, Config::default().sip);
    }

    #[test]
    fn media_is_where_phones_can_reach_it() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let sip = Sip { udp: vec![SocketAddr::new(ip("127.0.0.9"), 5060)], ..Sip::default() };
        let mut config = Config { sip, ..Config::default() };
        assert_eq!(config.media_addresses(), (Some(ip("127.0.0.9")), None));
        config.sip.tls = vec![SocketAddr::new(ip("::1"), 5061)];
        assert_eq!(config.media_addresses(), (Some(ip("127.0.0.9")), Some(ip("::1"))));
        config.media.addresses = vec![ip("192.0.2.7"), ip("2001:db8::7")];
        assert_eq!(config.media_addresses(), (Some(ip("192.0.2.7")), Some(ip("2001:db8::7"))));
        config.media.addresses.clear();
        config.sip = Sip { udp: vec![SocketAddr::new(ip("0.0.0.0"), 5060)], ..Sip::default() };
        let (v4, v6) = config.media_addresses();
        assert!(!v4.unwrap().is_unspecified(), "nobody can send to 0.0.0.0");
        assert_eq!(v6, None, "SIP does not speak IPv6");
    }

    #[test]
    fn a_switch_behind_nat_knows_its_address_and_its_neighbours() {
        let text = "[sip]\npublic_address = [\"203.0.113.9\", \"2001:db8::9\"]\nlocal_networks = [\"10.0.0.0/8\"]\n\
                    origins = [\"https://desk.example\"]\n[media]\naddress = \"10.0.0.5\"\n";
        let config = Config::parse("p.toml", text).unwrap();
        assert_eq!((config.sip.public.len(), config.sip.local_networks.len(), config.sip.origins.len()), (2, 1, 1));
        assert_eq!(config.sip.udp, Config::default().sip.udp, "none of these is a listener");
        let told = faults(
            "[sip]\npublic_address = [\"192.0.2.1\", \"192.0.2.2\"]\nlocal_networks = [\"10.0.0.0/40\"]\n\
             origins = [\"https://desk.example/page\"]\n",
        );
        assert!(told[0].contains("two addresses of one family"), "{told:?}");
        assert!(told[1].contains("is no network") && told[2].contains("is no origin"), "{told:?}");
        let single = Config::parse("p.toml", "[sip]\npublic_address = \"203.0.113.9\"\n").unwrap();
        assert_eq!(single.sip.public.len(), 1);
    }

    #[test]
    fn browsers_are_told_of_several_addresses_and_of_these_alone_where_there_are_any() {
        let addresses = "webrtc_address = [\"203.0.113.9\", \"203.0.113.10\", \"2001:db8::9\"]";
        let config = Config::parse("p.toml", &format!("[media]\n{addresses}\nwebrtc_only = true\n")).unwrap();
        assert_eq!((config.media.webrtc_addresses.len(), config.media.webrtc_only), (3, true));
        let told = faults("[media]\nwebrtc_only = true\n");
        assert!(told[0].contains("there is no `webrtc_address`"), "{told:?}");
        let told = faults("[media]\nwebrtc_address = [\"203.0.113.9\", \"203.0.113.9\", \"0.0.0.0\"]\n");
        assert!(told[0].contains("named twice") && told[1].contains("that browsers can send to"), "{told:?}");
    }

    #[test]
    fn the_schema_knows_each_key_that_is_read() {
        let parts = ["sip", "tls", "turn", "media", "http", "keep", "limits"]
            .map(|part| format!("[{part}]\nnothing = 1\n"))
            .concat();
        let told = faults(&format!("nothing = 1\n{parts}")).join("\n");
        let schema = schema();
        for part in [
            "",
            "/properties/sip",
            "/properties/tls",
            "/properties/turn",
            "/properties/media",
            "/properties/http",
            "/properties/keep",
            "/properties/limits",
        ] {
            let properties = schema.pointer(&format!("{part}/properties")).and_then(Json::as_object).unwrap();
            for key in properties.keys() {
                assert!(told.contains(key.as_str()), "{key} is in the schema and not among the known keys: {told}");
            }
        }
    }
}
