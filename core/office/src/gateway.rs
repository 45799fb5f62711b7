//! A gateway as the office document describes it.

use crate::numbers::NumberFormat;
use crate::{ImageRule, MediaRules, Secret, Toll, Transport};
use plugboard_model::{Dialled, GatewayId, Name};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A SIP peer that carries calls to and from the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Which.
    pub id: GatewayId,
    /// Where calls are sent.
    pub address: Place,
    /// How; without one DNS decides, and it is UDP where an address is given.
    pub transport: Option<Transport>,
    /// Whom everything for it is sent to in its place.
    pub outbound_proxy: Option<OutboundProxy>,
    /// Sources that are believed to be this gateway: an address, and a port unless any will do. `None`: where its calls go to.
    pub inbound: Option<Vec<(IpAddr, Option<u16>)>>,
    /// Among the gateways that a route names: lower ones are tried first.
    pub priority: u32,
    /// Among equals: how often it is drawn first. 0: after those that are drawn, as written.
    pub weight: u32,
    /// The group that routes may name in its place.
    pub group: Option<Name>,
    /// Calls through it at once, and how many of them may be in each direction; 1 to 10,000.
    pub limits: CallLimits,
    /// Whether calls through it are recorded.
    pub record: crate::RecordRule,
    /// The name and password that it is told when it asks (401, 407), and by which we register.
    pub login: Option<GatewayLogin>,
    /// We register there, for so long each time.
    pub register: Option<Duration>,
    /// Whether and how it is asked whether it lives.
    pub probe: Option<Probe>,
    /// When a call that it does not answer by a word goes to the next one.
    pub answer_within: Duration,
    /// Whose number is shown, and how it is told.
    pub caller: CallerRules,
    /// How numbers are written that go to it.
    pub numbers: NumberFormat,
    /// Whether it is offered reliable provisional responses (RFC 3262).
    pub reliable: bool,
    /// The limits of calls that go to it, whoever makes them.
    pub toll: Option<Arc<Toll>>,
    /// What it is told of a call for help beside the number.
    pub emergency_headers: Vec<EmergencyHeader>,
    /// Whether it tells if there is a sound before the answer (P-Early-Media, RFC 5009).
    pub early_media: bool,
    /// What T.38 is to it, in faxes of ours.
    pub t38: ImageRule,
    /// How it is told who has sent a call on.
    pub diversion: TellsDiversion,
    /// Its encryption and keys.
    pub media: MediaRules,
}

/// A header that marks a call for help, for a gateway that wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EmergencyHeader {
    /// `Priority: emergency` (RFC 3261 section 20.26).
    Priority,
    /// `Resource-Priority: esnet.0` (RFC 7135).
    ResourcePriority,
}

impl EmergencyHeader {
    /// Each as documents name it.
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("priority", Self::Priority), ("resource-priority", Self::ResourcePriority)];
}

/// Where a gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At an address.
    Address(SocketAddr),
    /// At whatever DNS says (RFC 3263); with a port, only addresses are asked for.
    Host {
        /// Its name, in lower case.
        name: String,
        /// Its port.
        port: Option<u16>,
    },
}

/// A proxy that takes what is for a gateway: it is named in Route (RFC 3261 section 8.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundProxy {
    /// Where it is.
    pub place: Place,
    /// How it is reached; without one as the gateway would be.
    pub transport: Option<Transport>,
}

impl OutboundProxy {
    /// Reads a loose route (`sip:proxy.test:5080;transport=tcp;lr`), also without `sip:` and `lr`: no other kind is spoken.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip") => rest,
            Some(_) | None => text,
        };
        let mut parts = rest.split(';');
        let place = Place::parse(parts.next()?)?;
        let mut transport = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match (name.to_ascii_lowercase().as_str(), value.to_ascii_lowercase().as_str()) {
                ("lr", _) => {}
                ("transport", "udp") => transport = Some(Transport::Udp),
                ("transport", "tcp") => transport = Some(Transport::Tcp),
                ("transport", "tls") => transport = Some(Transport::Tls),
                _ => return None,
            }
        }
        Some(Self { place, transport })
    }
}

impl fmt::Display for OutboundProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            None => "",
            Some(Transport::Udp) => ";transport=udp",
            Some(Transport::Tcp) => ";transport=tcp",
            Some(Transport::Tls) => ";transport=tls",
        };
        write!(f, "sip:{}{transport};lr", self.place)
    }
}

/// The port of an address that has none (RFC 3261 section 19.1.2).
const PORT: u16 = 5060;

/// How many calls may be in a gateway at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Together.
    pub both: u32,
    /// That come from it.
    pub inbound: u32,
    /// That go to it.
    pub outbound: u32,
}

/// The name and password for a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayLogin {
    /// The name; registered as well.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How a gateway is asked by OPTIONS whether it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// How often.
    pub every: Duration,
    /// So many unanswered in a row, and it is down.
    pub down_after: u32,
    /// So many answered in a row, and it is up again.
    pub up_after: u32,
}

/// What a gateway is told of callers, and what it is believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallerRules {
    /// The number that is shown of callers who have none for outside.
    pub number: Option<Dialled>,
    /// The header that tells it beside From.
    pub tells: Identity,
    /// Whether what it says in such a header goes before From.
    pub believed: bool,
    /// Whether calls that come from outside and go out again show their caller's own number, not ours.
    pub passes: bool,
}

/// The header that tells who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// None: From alone does.
    #[default]
    From,
    /// P-Asserted-Identity (RFC 3325).
    Asserted,
    /// Remote-Party-ID, which many know that do not know RFC 3325.
    RemoteParty,
}

/// The headers that tell a gateway who has sent a call on before it goes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TellsDiversion {
    /// None: nobody's number is told whom the carrier does not ask for.
    #[default]
    No,
    /// Diversion (RFC 5806), which most carriers want.
    Diversion,
    /// History-Info (RFC 7044).
    HistoryInfo,
    /// Both.
    Both,
}

impl Place {
    /// Reads `192.0.2.1`, `192.0.2.1:5060`, `[2001:db8::1]:5060`, `sip.carrier.test` or `sip.carrier.test:5080`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(Self::Address(address));
        }
        if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Some(Self::Address(SocketAddr::new(ip, PORT)));
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port != 0)?)),
            None => (text, None),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        is_host(&name).then_some(Self::Host { name, port })
    }

    /// The host as URIs name it.
    pub fn host(&self) -> String {
        match self {
            Self::Address(address) => address.ip().to_string(),
            Self::Host { name, .. } => name.clone(),
        }
    }

    /// The address, if it needs no DNS.
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Host { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Host { name, port: Some(port) } => write!(f, "{name}:{port}"),
            Self::Host { name, port: None } => name.fmt(f),
        }
    }
}

impl Gateway {
    /// Sources that are believed to be it, as far as they are known without DNS.
    pub fn sources(&self) -> Vec<(IpAddr, Option<u16>)> {
        match (&self.inbound, self.next_hop()) {
            (Some(sources), _) => sources.clone(),
            (None, Place::Address(address)) => vec![(address.ip().to_canonical(), Some(address.port()))],
            (None, Place::Host { .. }) => Vec::new(),
        }
    }

    /// Whether it is believed by the addresses that DNS tells of it.
    pub const fn is_believed_by_name(&self) -> bool {
        self.inbound.is_none() && matches!(self.next_hop(), Place::Host { .. })
    }

    /// Where its messages go, and come from unless something else is said: its proxy, or itself.
    pub const fn next_hop(&self) -> &Place {
        match &self.outbound_proxy {
            Some(proxy) => &proxy.place,
            None => &self.address,
        }
    }

    /// How they go there.
    pub fn next_transport(&self) -> Option<Transport> {
        self.outbound_proxy.as_ref().and_then(|proxy| proxy.transport).or(self.transport)
    }

    /// What Route says in its requests outside of dialogs.
    pub fn routes(&self) -> Vec<String> {
        self.outbound_proxy.iter().map(|proxy| format!("<{proxy}>")).collect()
    }
}

/// A host name: labels of letters, digits and hyphens, the last of which is no number (RFC 1123 section 2.1).
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_a_name() {
        let read = |text| Place::parse(text).map(|place| (place.address().is_some(), place.to_string()));
        for (text, expected) in [
            ("192.0.2.1:5080", Some((true, "192.0.2.1:5080"))),
            ("192.0.2.1", Some((true, "192.0.2.1:5060"))),
            ("[2001:db8::1]:5070", Some((true, "[2001:db8::1]:5070"))),
            ("2001:db8::1", Some((true, "[2001:db8::1]:5060"))),
            ("SIP.Carrier.test.", Some((false, "sip.carrier.test"))),
            ("sip.carrier.test:5080", Some((false, "sip.carrier.test:5080"))),
            ("192.0.2.256", None),
            ("sip.carrier.test:0", None),
            ("sip..test", None),
            ("sip carrier", None),
            ("sip:carrier.test", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected.map(|(is, text)| (is, text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_proxy_is_a_loose_route() {
        for (text, expected) in [
            ("sip:proxy.test;lr", Some("sip:proxy.test;lr")),
            ("SIP:Proxy.test:5080;LR;transport=TCP", Some("sip:proxy.test:5080;transport=tcp;lr")),
            ("192.0.2.1", Some("sip:192.0.2.1:5060;lr")),
            ("proxy.test:5080", Some("sip:proxy.test:5080;lr")),
            ("[2001:db8::1]:5070;transport=tls", Some("sip:[2001:db8::1]:5070;transport=tls;lr")),
            ("sip:[2001:db8::1];lr=on", Some("sip:[2001:db8::1]:5060;lr")),
            ("sip:proxy.test;transport=ws", None),
            ("sip:proxy.test;maddr=192.0.2.9", None),
            ("sip:ann@proxy.test", None),
            ("sips:proxy.test", None),
            ("<sip:proxy.test;lr>", None),
            ("", None),
        ] {
            assert_eq!(OutboundProxy::parse(text).map(|proxy| proxy.to_string()).as_deref(), expected, "{text:?}");
        }
    }
}
