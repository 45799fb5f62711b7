//! The configuration file.

use plugboard_document::{Fault, Faults, Field, Fields, Node, parse_toml, write_duration};
use serde_json::{Value as Json, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
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
/// How long something is kept: from a moment, for trying it out, to what no office outlives.
const KEPT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24 * 36_500);
/// A day.
const DAY: Duration = Duration::from_hours(24);
/// Listeners of a kind.
const LISTENERS_MAX: usize = 16;
/// An address that no machine has (RFC 5737): the way to it is the way to the world.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

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
    /// SIP listeners.
    pub(crate) sip: Sip,
    /// RTP.
    pub(crate) media: Media,
    /// HTTP: metrics and health.
    pub(crate) http: Http,
    /// How long what is known of calls is kept.
    pub(crate) keep: Keep,
    /// `error`, `warn`, `info`, `debug`, or a filter of tracing-subscriber.
    pub(crate) log: String,
}

/// SIP listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sip {
    /// UDP.
    pub(crate) udp: Vec<SocketAddr>,
    /// TCP.
    pub(crate) tcp: Vec<SocketAddr>,
}

/// RTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    /// Where RTP is bound and what SDP says; without it, [`Config::media_address`] finds one.
    pub(crate) address: Option<IpAddr>,
    /// Even ports for RTP, the odd ones above for RTCP.
    pub(crate) ports: RangeInclusive<u16>,
    /// Threads that relay, 1 to 64.
    pub(crate) threads: usize,
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
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5060));
        Self {
            data: "/var/lib/plugboard".into(),
            plugins: None,
            threads: 1,
            drain: Duration::from_secs(30),
            sip: Sip { udp: vec![any], tcp: vec![any] },
            media: Media { address: None, ports: plugboard_media::DEFAULT_PORTS, threads: 1 },
            http: Http { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), token_file: None },
            // A year of history; a month to ask why a call went as it did; two weeks for faults of phones.
            keep: Keep { calls: 365 * DAY, journals: 30 * DAY, traces: 14 * DAY },
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

    /// Where RTP is bound and what SDP says: what is configured; else the address that SIP listens on; else, when SIP
    /// listens on all of them, the one that leads to the world.
    pub(crate) fn media_address(&self) -> IpAddr {
        let listeners = || self.sip.udp.iter().chain(&self.sip.tcp).map(SocketAddr::ip);
        let named = self.media.address.or_else(|| listeners().find(|ip| !ip.is_unspecified()));
        named.or_else(way_out).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

/// The machine's own address on the way to the world. Nothing is sent.
fn way_out() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
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
    if let Some(field) = fields.take("media") {
        media(&field, &mut config.media, faults);
    }
    if let Some(field) = fields.take("http") {
        http(&field, &mut config.http, faults);
    }
    if let Some(field) = fields.take("keep") {
        keep(&field, &mut config.keep, faults);
    }
    fields.finish(faults);
    config
}

fn keep(field: &Field<'_>, keep: &mut Keep, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    set(&mut keep.calls, fields.take("calls").and_then(|field| field.duration(KEPT, faults)));
    set(&mut keep.journals, fields.take("journals").and_then(|field| field.duration(KEPT, faults)));
    set(&mut keep.traces, fields.take("traces").and_then(|field| field.duration(KEPT, faults)));
    fields.finish(faults);
}

fn sip(field: &Field<'_>, sip: &mut Sip, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    let before = faults.len();
    let udp = fields.take("udp").map(|field| addresses(&field, faults));
    let tcp = fields.take("tcp").map(|field| addresses(&field, faults));
    fields.finish(faults);
    // Whoever names listeners gets those and no other: what is meant for loopback must not be open to the world.
    if udp.is_some() || tcp.is_some() {
        (sip.udp, sip.tcp) = (udp.unwrap_or_default(), tcp.unwrap_or_default());
    }
    // An address that is no address has its fault already.
    if sip.udp.is_empty() && sip.tcp.is_empty() && faults.len() == before {
        field.fault(faults, "there is no SIP listener: udp and tcp are both empty", "name an address in one of them");
    }
}

fn media(field: &Field<'_>, media: &mut Media, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    if let Some(field) = fields.take("address") {
        let address = field.text(faults).map(|text| text.parse::<IpAddr>());
        match address {
            Some(Ok(address)) if !address.is_unspecified() => media.address = Some(address),
            Some(Ok(_) | Err(_)) => {
                field.fault(faults, "an address that phones can send to is expected", "such as \"192.0.2.10\"");
            }
            None => {}
        }
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

/// The JSON Schema of the file.
pub(crate) fn schema() -> Json {
    let address = json!({ "type": "string", "description": "Address and port.", "examples": ["0.0.0.0:5060"] });
    let listeners = |transport: &str| {
        json!({ "type": "array", "maxItems": LISTENERS_MAX, "items": address, "examples": [["192.0.2.10:5060"]],
            "description": format!("Where to listen for SIP over {transport}.") })
    };
    let threads = |description: &str| {
        json!({ "type": "integer", "minimum": THREADS.start(), "maximum": THREADS.end(), "default": 1,
            "description": description, "examples": [2] })
    };
    let time = |default: Duration, range: &RangeInclusive<Duration>, description: &str| {
        json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|min|h|d)$", "default": write_duration(default),
            "x-type": "duration", "x-minimum": write_duration(*range.start()),
            "x-maximum": write_duration(*range.end()), "description": description })
    };
    let part = |description: &str, properties: Json| json!({ "type": "object", "additionalProperties": false, "description": description, "properties": properties });
    let Config { drain, keep, .. } = Config::default();
    let mut schema = part(
        "What concerns the switch as a whole. Every key may be left out; one that is not known is a fault.",
        json!({
            "data": { "type": "string", "description": "The data folder; `--data` goes before it.",
                "default": "/var/lib/plugboard" },
            "plugins": { "type": "string", "examples": ["/usr/lib/plugboard/plugins"], "description": "The folder of \
                plugins; without it, `plugins` beside the program's folder. `--plugins` goes before it." },
            "threads": threads("Signalling threads."),
            "drain": time(drain, &DRAIN, "How long a SIGTERM waits for running calls."),
            "log": { "type": "string", "default": "info", "examples": ["warn"],
                "description": "error, warn, info, debug, or a filter of tracing-subscriber." },
            "sip": part(
                "Without any listener, 0.0.0.0:5060 over both; else those that are named and no other.",
                json!({ "udp": listeners("UDP"), "tcp": listeners("TCP") })
            ),
            "media": part("RTP.", json!({
                "address": { "type": "string", "examples": ["192.0.2.10"], "description": "Where RTP is bound and what \
                    SDP says; without it, the address that SIP listens on, or the one that leads to the world." },
                "ports": { "type": "string", "pattern": "^[0-9]+ *- *[0-9]+$", "default": "20000-29999",
                    "description": "Even ports for RTP, the odd ones above for RTCP: two ports a leg." },
                "threads": threads("Threads that relay; at least as many as there are signalling threads.")
            })),
            "http": part("Metrics and health.", json!({
                "listen": { "type": "string", "default": "127.0.0.1:8080", "description": "Where to listen." },
                "token_file": { "type": "string", "examples": ["/etc/plugboard/token"], "description": "Holds the token \
                    that everybody must send who asks for metrics; needed where `listen` is not on loopback." }
            })),
            "keep": part(
                "How long what is known of calls is kept, counted from a call's beginning. What is older is removed at \
                 the start and every hour, in small steps; the log tells what, and the metric \
                 `plugboard_store_trimmed_calls_total` counts it. Calls that go on keep everything.",
                json!({
                    "calls": time(keep.calls, &KEPT, "Records: `call list` and `call show`. With a record goes what else \
                        is left of the call."),
                    "journals": time(keep.journals, &KEPT, "Journals: `call trace` and `call replay`."),
                    "traces": time(keep.traces, &KEPT, "SIP messages: `call trace --sip` and `--pcap`.")
                })
            )
        }),
    );
    if let Json::Object(fields) = &mut schema {
        fields.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        fields.insert("title".into(), "Plugboard's configuration (TOML)".into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(config.keep, Keep { calls: 10 * DAY, journals: 30 * DAY, traces: Duration::from_hours(36) });
        let told = faults("[keep]\ncalls = \"0s\"\njournal = \"1d\"\n");
        assert!(told[0].starts_with("p.toml:2:") && told[0].contains("from 1s to 36500d"), "{told:?}");
        assert!(told[1].contains("did you mean \"journals\"?"), "{told:?}");
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
        let mut config = Config::default();
        let here: IpAddr = "127.0.0.9".parse().unwrap();
        config.sip.udp = vec![SocketAddr::new(here, 5060)];
        config.sip.tcp.clear();
        assert_eq!(config.media_address(), here);
        config.media.address = Some("192.0.2.7".parse().unwrap());
        assert_eq!(config.media_address().to_string(), "192.0.2.7");
        config.media.address = None;
        config.sip.udp = vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5060))];
        assert!(!config.media_address().is_unspecified(), "nobody can send to 0.0.0.0");
    }

    #[test]
    fn the_schema_knows_each_key_that_is_read() {
        let parts = ["sip", "media", "http", "keep"].map(|part| format!("[{part}]\nnothing = 1\n")).concat();
        let told = faults(&format!("nothing = 1\n{parts}")).join("\n");
        let schema = schema();
        for part in ["", "/properties/sip", "/properties/media", "/properties/http", "/properties/keep"] {
            let properties = schema.pointer(&format!("{part}/properties")).and_then(Json::as_object).unwrap();
            for key in properties.keys() {
                assert!(told.contains(key.as_str()), "{key} is in the schema and not among the known keys: {told}");
            }
        }
    }
}
