//! URIs: sip and sips on rsip's type, tel, and any other kept as it came.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use rsip::common::uri::{Auth, Host, HostWithPort, Param, Scheme, Uri};

use crate::scan;
use crate::via;

/// Why a text is not a URI, or not one that its scheme allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// There is no `scheme:` at its start.
    #[error("the URI has no scheme; write it as sip:user@host")]
    NoScheme,
    /// It holds white space, brackets or control characters.
    #[error("the URI holds a character that must be escaped as %hh")]
    BadCharacter,
    /// The host is empty or no host.
    #[error("the URI's host is not a domain name, an IPv4 address or an IPv6 address in brackets")]
    BadHost,
    /// The port is not in 1 to 65,535.
    #[error("the URI's port is not a number from 1 to 65535")]
    BadPort,
    /// A parameter is empty or malformed.
    #[error("a parameter of the URI is empty or malformed")]
    BadParam,
    /// The number of a tel URI has no digits or others than phone digits.
    #[error("the number of the tel URI is malformed")]
    BadNumber,
}

/// Where a request goes, and what stands between the brackets of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestUri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// `tel:`.
    Tel(TelUri),
    /// Another scheme, as it was spelled; answered with 416 when asked for (RFC 3261 section 8.2.2.1).
    Raw(String),
}

/// A `sip:` or `sips:` URI. Spelling is kept: what was read is written the same.
///
/// Source: RFC 3261 section 19.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipUri {
    // An IPv6 host stands as a domain with its brackets, because rsip prints its own address type without;
    // parameters are `Lr` or `Other`, because rsip re-spells the typed ones.
    uri: Uri,
    headers: Option<String>,
}

/// A `tel:` URI.
///
/// Source: RFC 3966.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelUri {
    /// The number as it is spelled, with its `+` and visual separators.
    pub number: String,
    /// The parameters, from the first `;`; empty when there are none.
    pub params: String,
}

impl RequestUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// What of it is malformed.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError::NoScheme)?;
        if !is_scheme(scheme) {
            return Err(UriError::NoScheme);
        }
        if text.bytes().any(|byte| byte <= b' ' || matches!(byte, b'<' | b'>' | b'"' | 0x7f)) {
            return Err(UriError::BadCharacter);
        }
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return SipUri::after_scheme(scheme.len() == 4, rest).map(Self::Sip);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            TelUri::after_scheme(rest).map(Self::Tel)
        } else {
            Ok(Self::Raw(text.to_owned()))
        }
    }

    /// The sip or sips URI, if it is one.
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Raw(_) => None,
        }
    }

    /// What was dialled: the user of a sip URI with escapes read, or the number of a tel URI.
    pub fn user(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Sip(uri) => uri.user_decoded(),
            Self::Tel(uri) => Some(Cow::Borrowed(&uri.number)),
            Self::Raw(_) => None,
        }
    }

    /// Whether it asks for help whatever its number is: `urn:service:sos` and its kinds (RFC 5031 section 4.2).
    pub fn is_help(&self) -> bool {
        const HELP: &str = "urn:service:sos";
        let Self::Raw(text) = self else { return false };
        let fits = text.get(..HELP.len()).is_some_and(|head| head.eq_ignore_ascii_case(HELP));
        fits && text.get(HELP.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The scheme in lower case as far as it is known: `sip`, `sips`, `tel`, or as it was spelled.
    pub fn scheme(&self) -> &str {
        match self {
            Self::Sip(uri) if uri.is_sips() => "sips",
            Self::Sip(_) => "sip",
            Self::Tel(_) => "tel",
            Self::Raw(text) => text.split_once(':').map_or(text, |(scheme, _)| scheme),
        }
    }
}

impl From<SipUri> for RequestUri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

impl fmt::Display for RequestUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Tel(uri) => uri.fmt(f),
            Self::Raw(text) => f.write_str(text),
        }
    }
}

impl SipUri {
    /// Builds `sip:user@host:port`; the user is escaped where it must be, an IPv6 host may lack its brackets.
    pub fn new(user: Option<&str>, host: &str, port: Option<u16>) -> Self {
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let auth = user.map(|user| Auth { user: escape_user(user), password: None });
        let host_with_port = HostWithPort { host: Host::Domain(host.into()), port: port.map(Into::into) };
        Self { uri: Uri { scheme: Some(Scheme::Sip), auth, host_with_port, ..Uri::default() }, headers: None }
    }

    /// Builds `sip:user@address:port`.
    pub fn of_address(user: Option<&str>, address: SocketAddr) -> Self {
        Self::new(user, &address.ip().to_string(), Some(address.port()))
    }

    /// Reads a sip or sips URI.
    ///
    /// # Errors
    /// What of it is malformed; [`UriError::NoScheme`] for another scheme.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        match RequestUri::parse(text)? {
            RequestUri::Sip(uri) => Ok(uri),
            RequestUri::Tel(_) | RequestUri::Raw(_) => Err(UriError::NoScheme),
        }
    }

    /// Whether the scheme is `sips`.
    pub fn is_sips(&self) -> bool {
        self.uri.scheme == Some(Scheme::Sips)
    }

    /// The user as it is spelled, escapes and all.
    pub fn user(&self) -> Option<&str> {
        self.uri.user()
    }

    /// The user with its escapes read; bytes that are no UTF-8 become U+FFFD.
    pub fn user_decoded(&self) -> Option<Cow<'_, str>> {
        self.user().map(unescape)
    }

    /// The password, as it is spelled. It must not reach a log.
    pub fn password(&self) -> Option<&str> {
        self.uri.auth.as_ref()?.password.as_deref()
    }

    /// The host as it is spelled, an IPv6 address with its brackets.
    pub fn host(&self) -> Cow<'_, str> {
        match self.uri.host() {
            Host::Domain(domain) => Cow::Borrowed(domain.value()),
            Host::IpAddr(address) => Cow::Owned(address.to_string()),
        }
    }

    /// The host as an address, if it is one.
    pub fn host_ip(&self) -> Option<IpAddr> {
        let host = self.host();
        match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => via::ipv6(inner).map(IpAddr::V6),
            None => host.parse().ok(),
        }
    }

    /// The port, if one is given.
    pub fn port(&self) -> Option<u16> {
        self.uri.port().map(|port| *port.value())
    }

    /// The `transport` parameter as it is spelled.
    pub fn transport(&self) -> Option<&str> {
        self.param("transport")
    }

    /// The value of the URI parameter with this name; names have no case.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(found, _)| found.eq_ignore_ascii_case(name)).and_then(|(_, value)| value)
    }

    /// Whether the URI parameter is there, with a value or without.
    pub fn has_param(&self, name: &str) -> bool {
        self.params().any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    /// All URI parameters in order.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.uri.params.iter().map(param_parts)
    }

    /// Sets a URI parameter, in the place of the old one if there is one.
    pub fn set_param(&mut self, name: &str, value: Option<&str>) {
        let param = new_param(name, value);
        match self.uri.params.iter_mut().find(|old| param_parts(old).0.eq_ignore_ascii_case(name)) {
            Some(old) => *old = param,
            None => self.uri.params.push(param),
        }
    }

    /// Removes a URI parameter; whether it was there.
    pub fn remove_param(&mut self, name: &str) -> bool {
        let before = self.uri.params.len();
        self.uri.params.retain(|param| !param_parts(param).0.eq_ignore_ascii_case(name));
        self.uri.params.len() != before
    }

    /// The headers after `?`, as they are spelled.
    pub fn headers(&self) -> Option<&str> {
        self.headers.as_deref()
    }

    /// Sets or removes the headers after `?`. They must be escaped already.
    pub fn set_headers(&mut self, headers: Option<String>) {
        self.headers = headers;
    }

    /// Whether both name the same resource.
    ///
    /// Source: RFC 3261 section 19.1.4.
    pub fn equivalent(&self, other: &Self) -> bool {
        self.is_sips() == other.is_sips()
            && same_decoded(self.user(), other.user())
            && same_decoded(self.password(), other.password())
            && self.host().eq_ignore_ascii_case(&other.host())
            && self.port() == other.port()
            && self.params_match(other)
            && other.params_match(self)
            && same_headers(self.headers(), other.headers())
    }

    fn params_match(&self, other: &Self) -> bool {
        // Of one that is said twice, which it must not be, the first counts on both sides.
        let first = |uri: &Self, name: &str| {
            uri.params()
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.map(ToOwned::to_owned))
        };
        self.params().all(|(name, _)| {
            let must_be_in_both = ["user", "ttl", "method", "maddr", "transport"];
            match first(other, name) {
                Some(theirs) => match (first(self, name).flatten(), theirs) {
                    (Some(ours), Some(theirs)) => unescape(&ours).eq_ignore_ascii_case(&unescape(&theirs)),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                },
                None => !must_be_in_both.iter().any(|must| must.eq_ignore_ascii_case(name)),
            }
        })
    }

    fn after_scheme(sips: bool, text: &str) -> Result<Self, UriError> {
        // The user may hold `;`, `?` and `/`, hence the `@` is looked for first; it cannot stand unescaped
        // after the host, but peers put it in parameters and headers, hence the first one counts.
        let (auth, rest) = match text.bytes().position(|byte| byte == b'@').and_then(|at| scan::split_around(text, at))
        {
            Some((user_info, rest)) => (Some(read_user_info(user_info)?), rest),
            None => (None, text),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers.to_owned())),
            None => (rest, None),
        };
        let mut parts = rest.split(';');
        let (host, port) = read_host_port(parts.next().unwrap_or_default())?;
        let mut params = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
            if name.is_empty() || value == Some("") || params.len() == crate::limits::PARAMS_MAX {
                return Err(UriError::BadParam);
            }
            params.push(new_param(name, value));
        }
        let host_with_port = HostWithPort { host: Host::Domain(host.into()), port: port.map(Into::into) };
        let scheme = Some(if sips { Scheme::Sips } else { Scheme::Sip });
        Ok(Self { uri: Uri { scheme, auth, host_with_port, params, ..Uri::default() }, headers })
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_sips() { "sips:" } else { "sip:" })?;
        if let Some(auth) = &self.uri.auth {
            f.write_str(&auth.user)?;
            if let Some(password) = &auth.password {
                write!(f, ":{password}")?;
            }
            f.write_str("@")?;
        }
        f.write_str(&self.host())?;
        if let Some(port) = self.port() {
            write!(f, ":{port}")?;
        }
        for (name, value) in self.params() {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

impl TelUri {
    fn after_scheme(text: &str) -> Result<Self, UriError> {
        let end = text.bytes().position(|byte| byte == b';').unwrap_or(text.len());
        let (number, params) = text.split_at_checked(end).ok_or(UriError::BadNumber)?;
        let digits = number.strip_prefix('+').unwrap_or(number);
        let is_phone = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
        if !digits.bytes().any(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#'))
            || !digits.bytes().all(is_phone)
        {
            return Err(UriError::BadNumber);
        }
        Ok(Self { number: number.to_owned(), params: params.to_owned() })
    }
}

impl fmt::Display for TelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tel:{}{}", self.number, self.params)
    }
}

/// The text with its `%hh` escapes read; an escape that is none stays, bytes that are no UTF-8 become U+FFFD.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                plain.push(hex(*high) << 4 | hex(*low));
                rest = tail;
            }
            [byte, tail @ ..] => {
                plain.push(*byte);
                rest = tail;
            }
            [] => break,
        }
    }
    Cow::Owned(String::from_utf8(plain).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The user with `%hh` for every byte that the user part may not hold as it is.
pub fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte);
        if plain {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            for digit in [byte >> 4, byte & 15] {
                escaped.push(char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    escaped
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn read_user_info(text: &str) -> Result<Auth, UriError> {
    let (user, password) = text.split_once(':').map_or((text, None), |(user, password)| (user, Some(password)));
    if user.is_empty() {
        return Err(UriError::BadCharacter);
    }
    Ok(Auth { user: user.to_owned(), password: password.map(str::to_owned) })
}

fn read_host_port(text: &str) -> Result<(String, Option<u16>), UriError> {
    match via::host_port(text) {
        Some((host, port)) => Ok((host.to_owned(), port)),
        None if text
            .bytes()
            .position(|byte| byte == b':')
            .is_some_and(|at| via::is_host(text.get(..at).unwrap_or_default())) =>
        {
            Err(UriError::BadPort)
        }
        None => Err(UriError::BadHost),
    }
}

fn new_param(name: &str, value: Option<&str>) -> Param {
    match (name, value) {
        ("lr", None) => Param::Lr,
        (name, value) => Param::Other(name.into(), value.map(Into::into)),
    }
}

fn param_parts(param: &Param) -> (&str, Option<&str>) {
    match param {
        Param::Lr => ("lr", None),
        Param::Other(name, value) => (name.value(), value.as_ref().map(|value| value.value())),
        Param::Transport(_)
        | Param::User(_)
        | Param::Method(_)
        | Param::Ttl(_)
        | Param::Maddr(_)
        | Param::Branch(_)
        | Param::Received(_)
        | Param::Tag(_)
        | Param::Expires(_)
        | Param::Q(_) => {
            unreachable!("new_param, the only maker of parameters, makes none of these")
        }
    }
}

fn same_decoded(ours: Option<&str>, theirs: Option<&str>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => unescape(ours) == unescape(theirs),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Headers must be the same in both, in any order.
fn same_headers(ours: Option<&str>, theirs: Option<&str>) -> bool {
    let sorted = |text: Option<&str>| {
        let mut headers: Vec<_> = text
            .into_iter()
            .flat_map(|text| text.split('&'))
            .map(|header| {
                let (name, value) = header.split_once('=').unwrap_or((header, ""));
                (unescape(name).to_ascii_lowercase(), unescape(value).into_owned())
            })
            .collect();
        headers.sort();
        headers
    };
    sorted(ours) == sorted(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn sip(text: &str) -> SipUri {
        SipUri::parse(text).unwrap()
    }

    #[test]
    fn a_uri_with_a_parameter_twice_is_equal_to_itself() {
        let (twice, once) = (sip("sip:a@h;ttl=15;x=1;ttl=1"), sip("sip:a@h;x=1;ttl=15"));
        assert!(twice.equivalent(&twice) && twice.equivalent(&once) && once.equivalent(&twice));
        assert!(!twice.equivalent(&sip("sip:a@h;ttl=1")));
    }

    #[test]
    fn every_part_of_a_sip_uri_is_found_and_written_the_same() {
        let text = "sips:al%69ce;day=tue:pw@[2001:db8::1]:5061;transport=tcp;lr;Foo=bar?subject=a%20b&x=";
        let uri = sip(text);
        assert_eq!(uri.user(), Some("al%69ce;day=tue"));
        assert_eq!(uri.user_decoded().as_deref(), Some("alice;day=tue"));
        assert_eq!(uri.password(), Some("pw"));
        assert_eq!(uri.host_ip(), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(uri.port(), Some(5061));
        assert_eq!((uri.transport(), uri.has_param("lr"), uri.param("foo")), (Some("tcp"), true, Some("bar")));
        assert_eq!(uri.headers(), Some("subject=a%20b&x="));
        assert_eq!(uri.to_string(), text);
    }

    #[test]
    fn other_schemes_survive() {
        for text in ["tel:+1-555-0100;ext=22", "urn:service:sos", "soap.beep://192.0.2.1:3002", "isbn:2983792873"] {
            assert_eq!(RequestUri::parse(text).unwrap().to_string(), text);
        }
        assert!(matches!(RequestUri::parse("tel:+15550100"), Ok(RequestUri::Tel(tel)) if tel.number == "+15550100"));
    }

    #[test]
    fn malformed_uris_are_refused_with_the_reason() {
        for (text, error) in [
            ("alice@h", UriError::NoScheme),
            ("sip:", UriError::BadHost),
            ("sip:a@", UriError::BadHost),
            ("sip:a@h h", UriError::BadCharacter),
            ("sip:a@h:0", UriError::BadPort),
            ("sip:a@h:65536", UriError::BadPort),
            ("sip:2001:db8::10", UriError::BadPort),
            ("sip:[::1", UriError::BadHost),
            ("sip:h;;lr", UriError::BadParam),
            ("tel:abcxyz", UriError::BadNumber),
        ] {
            assert_eq!(RequestUri::parse(text), Err(error), "{text}");
        }
    }

    /// The examples of RFC 3261 section 19.1.4.
    #[test]
    fn equivalence_follows_the_examples_of_the_rfc() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ] {
            assert!(sip(a).equivalent(&sip(b)), "{a} {b}");
        }
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:carol@chicago.com?Subject=next%20meeting", "sip:carol@chicago.com"),
        ] {
            assert!(!sip(a).equivalent(&sip(b)), "{a} {b}");
        }
    }

    #[test]
    fn built_uri_is_escaped_and_brackets_ipv6() {
        assert_eq!(SipUri::new(Some("a b@c"), "::1", Some(5060)).to_string(), "sip:a%20b%40c@[::1]:5060");
        let mut uri = SipUri::new(None, "h", None);
        uri.set_param("transport", Some("tcp"));
        uri.set_param("Transport", Some("ws"));
        uri.set_param("lr", None);
        assert_eq!(uri.to_string(), "sip:h;Transport=ws;lr");
        assert!(uri.remove_param("LR") && !uri.remove_param("lr"));
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(unescape("%Z%45%"), "%ZE%");
        assert_eq!(unescape("%ff"), "\u{fffd}");
    }
}
