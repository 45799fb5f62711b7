//! One hop of the path a request took.

use std::net::{IpAddr, Ipv6Addr};

use crate::params::Params;
use crate::scan;

/// What a branch of RFC 3261 begins with (section 8.1.1.7).
pub const BRANCH_COOKIE: &str = "z9hG4bK";

/// One Via value, read in place.
///
/// Source: RFC 3261 sections 18.2.1 and 20.42; RFC 3581 (`rport`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    /// The transport as it is spelled, `UDP` or one that nobody knows.
    pub transport: &'a str,
    /// The host as it is spelled, an IPv6 address with its brackets.
    pub host: &'a str,
    /// The port, if one is given.
    pub port: Option<u16>,
    /// The parameters.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads `SIP/2.0/UDP host:port;params` with white space where the grammar allows it. `None` when malformed.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (protocol, rest) = text.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        if !scan::trim(protocol).eq_ignore_ascii_case("SIP") || scan::trim(version) != "2.0" {
            return None;
        }
        let rest = scan::trim_start(rest);
        let end = rest.bytes().position(|byte| !scan::is_token_byte(byte))?;
        let (transport, rest) = rest.split_at_checked(end)?;
        let sent_by = scan::trim_start(rest);
        if transport.is_empty() || sent_by.len() == rest.len() {
            return None;
        }
        let end = sent_by.bytes().position(|byte| byte == b';').unwrap_or(sent_by.len());
        let (sent_by, params) = sent_by.split_at_checked(end)?;
        let (host, port) = host_port(scan::trim(sent_by))?;
        Some(Self { transport, host, port, params: Params::parse(params)? })
    }

    /// The transaction's branch.
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").flatten()
    }

    /// Where the request really came from, as the next hop saw it.
    ///
    /// An IPv6 address may be with or without brackets (RFC 5118 section 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let value = self.params.get("received").flatten()?;
        value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value).parse().ok()
    }

    /// The `rport` parameter: `Some(None)` when it asks for the port, `Some(Some(port))` when it is filled in.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|value| value.and_then(|value| value.parse().ok()))
    }

    /// `host` or `host:port` as it is spelled.
    pub fn sent_by(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_owned(),
        }
    }
}

/// Splits a `host [ ":" port ]`, white space allowed around the colon (RFC 3261 section 25.1, `COLON`).
pub(crate) fn host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let host_end = if text.starts_with('[') {
        text.bytes().position(|byte| byte == b']')? + 1
    } else {
        text.bytes().position(|byte| byte == b':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at_checked(host_end)?;
    let host = scan::trim(host);
    if !is_host(host) {
        return None;
    }
    let rest = scan::trim_start(rest);
    if rest.is_empty() {
        return Some((host, None));
    }
    let port = scan::number(scan::trim_start(rest.strip_prefix(':')?))?;
    Some((host, Some(port.try_into().ok().filter(|&port| port != 0)?)))
}

/// A domain name (with `_`, that peers use), an IPv4 address or an IPv6 address in brackets.
pub(crate) fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => ipv6(inner).is_some(),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    }
}

/// An IPv6 address as it stands between brackets.
///
/// Three colons before an embedded IPv4 address are read too: the grammar of RFC 3261 asks for them by mistake
/// (RFC 5118 section 4.10).
pub(crate) fn ipv6(text: &str) -> Option<Ipv6Addr> {
    match text.split_once(":::") {
        Some((head, tail)) => format!("{head}::{tail}").parse().ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn via_with_white_space_everywhere_is_read() {
        let via = Via::parse("SIP  / 2.0\t/ TCP   h.example  : 5070 ; branch = z9hG4bKx;rport").unwrap();
        assert_eq!((via.transport, via.host, via.port), ("TCP", "h.example", Some(5070)));
        assert_eq!(via.branch(), Some("z9hG4bKx"));
        assert_eq!(via.rport(), Some(None));
    }

    #[test]
    fn ipv6_sent_by_keeps_its_brackets() {
        let via = Via::parse("SIP/2.0/UDP [2001:db8::9:1]:6050;received=2001:db8::9:255;rport=9").unwrap();
        assert_eq!(via.sent_by(), "[2001:db8::9:1]:6050");
        assert_eq!(via.received(), Some("2001:db8::9:255".parse().unwrap()));
        assert_eq!(via.rport(), Some(Some(9)));
        let bracketed = Via::parse("SIP/2.0/UDP h;received=[2001:db8::9:255]").unwrap();
        assert_eq!(bracketed.received(), Some("2001:db8::9:255".parse().unwrap()));
    }

    #[test]
    fn malformed_vias_are_refused() {
        for text in ["SIP/2.0/UDP h;;branch=x", "SIP/3.0/UDP h", "SIP/2.0/UDP", "SIP/2.0/UDP h:99999", "UDP h", ""] {
            assert_eq!(Via::parse(text), None, "{text}");
        }
    }
}
