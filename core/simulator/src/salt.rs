//! Salt: words that nobody else says, in every part of what a phone sends, so that it shows when one of them reaches
//! somebody else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;

/// How every salt begins; the name of the side and what it is in follow.
const SALT: &str = "salt-";

/// Headers that are added to everything, with `%` for the salt.
const HEADERS: [(&str, &str); 33] = [
    ("X-Unknown", "%"),
    ("P-Unknown", "<sip:%@%.test>;x=%"),
    ("Subject", "%"),
    ("Organization", "%"),
    ("User-Agent", "%/1.0"),
    ("Server", "%/1.0"),
    ("Call-Info", "<http://%.test/>;purpose=info"),
    ("Alert-Info", "<http://%.test/>"),
    ("Error-Info", "<http://%.test/>"),
    ("Warning", "399 %.test \"%\""),
    ("Reason", "SIP;cause=480;text=\"%\""),
    ("Reply-To", "<sip:%@%.test>"),
    ("In-Reply-To", "%@%.test"),
    ("Referred-By", "<sip:%@%.test>"),
    ("P-Asserted-Identity", "\"%\" <sip:%@%.test>"),
    ("P-Preferred-Identity", "\"%\" <sip:%@%.test>"),
    ("Remote-Party-ID", "\"%\" <sip:%@%.test>;party=calling"),
    ("Diversion", "<sip:%@%.test>;reason=unknown"),
    ("History-Info", "<sip:%@%.test>;index=1"),
    ("P-Charging-Vector", "icid-value=%"),
    ("P-Access-Network-Info", "IEEE-802.11;info=%"),
    ("P-Called-Party-ID", "<sip:%@%.test>"),
    ("User-to-User", "%;encoding=hex"),
    ("Geolocation", "<sip:%@%.test>"),
    ("Identity", "%"),
    ("Session-ID", "%"),
    ("Content-Language", "%"),
    ("Content-ID", "<%@%.test>"),
    ("Accept-Contact", "*;%"),
    ("Allow-Events", "%"),
    ("Supported", "%"),
    ("Priority", "%"),
    ("Resource-Priority", "%.0"),
];

/// Whose messages are salted, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Salts {
    sides: BTreeMap<IpAddr, String>,
    found: BTreeSet<String>,
}

impl Salts {
    /// What comes from this address is salted from now on.
    pub(crate) fn add(&mut self, address: IpAddr, name: &str) {
        self.sides.insert(address, name.to_owned());
    }

    /// A message with salt in it, if its sender is one of those.
    pub(crate) fn salted(&self, from: IpAddr, message: &[u8]) -> Option<Vec<u8>> {
        let side = self.sides.get(&from)?;
        let text = std::str::from_utf8(message).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = lines.next()?;
        let is_response = start.starts_with("SIP/2.0 ");
        let mut salted = if is_response { format!("{start} {SALT}{side}-phrase") } else { start.to_owned() };
        let body = salted_body(side, body);
        for (place, line) in lines.enumerate() {
            let (name, value) = line.split_once(':').map(|(name, value)| (name, value.trim()))?;
            let own = if is_response { "To" } else { "From" };
            let value = match name {
                "From" | "To" if name == own && value.starts_with('<') => {
                    format!("\"{SALT}{side}-display\" {value};x={SALT}{side}-{name}-param")
                }
                // Its own, on top; a response only says back what it was asked with.
                "Via" if place == 0 && !is_response => format!("{value};x={SALT}{side}-via"),
                "Contact" if value.starts_with('<') => {
                    let uri = value.replacen('>', &format!(";x={SALT}{side}-contact-uri>"), 1);
                    format!("\"{SALT}{side}-contact-display\" {uri};x={SALT}{side}-contact-param")
                }
                "Refer-To" => format!("{value};x={SALT}{side}-refer-to"),
                "Content-Length" => body.len().to_string(),
                _ => value.to_owned(),
            };
            let _ = write!(salted, "\r\n{name}: {value}");
        }
        for (name, value) in HEADERS {
            let _ = write!(salted, "\r\n{name}: {}", value.replace('%', &format!("{SALT}{side}-{name}")));
        }
        Some(format!("{salted}\r\n\r\n{body}").into_bytes())
    }

    /// Looks through what the switch says to somebody for the salt of others, and for their addresses and tags.
    pub(crate) fn look(&mut self, to: IpAddr, message: &[u8]) {
        let Some(receiver) = self.sides.get(&to) else { return };
        let text = String::from_utf8_lossy(message);
        let start = text.lines().next().unwrap_or_default();
        let words = if start.starts_with("SIP/2.0 ") { 2 } else { 1 };
        let what = start.split(' ').take(words).collect::<Vec<&str>>().join(" ");
        for (address, side) in self.sides.iter().filter(|(address, _)| **address != to) {
            let mut marks: Vec<String> = text
                .match_indices(&format!("{SALT}{side}-"))
                .map(|(at, _)| {
                    text[at..].split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default()
                })
                .map(str::to_owned)
                .collect();
            let address = address.to_string();
            let whole = |at: usize| !text[at + address.len()..].starts_with(|c: char| c.is_ascii_digit());
            if text.match_indices(&address).any(|(at, _)| whole(at)) {
                marks.push(format!("{side}'s address"));
            }
            if text.contains(&format!("tag={side}-")) {
                marks.push(format!("{side}'s tag"));
            }
            self.found.extend(marks.into_iter().map(|mark| format!("{mark} in {what} to {receiver}")));
        }
    }

    /// All that was found, once each.
    pub(crate) fn found(&self) -> Vec<String> {
        self.found.iter().cloned().collect()
    }
}

/// A description with salt in each kind of line; any other body with a line more.
fn salted_body(side: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    if !body.starts_with("v=0") {
        return format!("{body}X={SALT}{side}-body\r\n");
    }
    let mut salted = String::new();
    for line in body.lines() {
        let line = match line.split_once('=') {
            // The same each time: another one would be another session.
            Some(("o", value)) => format!("o={SALT}{side}-origin{}", value.find(' ').map_or("", |at| &value[at..])),
            Some(("s", _)) => format!(
                "s={SALT}{side}-session\r\ni={SALT}{side}-info\r\nu=http://{SALT}{side}-uri.test/\r\n\
                 e={SALT}{side}-mail@x.test\r\np=+1 ({SALT}{side}-phone)"
            ),
            Some(("t", _)) => format!("{line}\r\na=tool:{SALT}{side}-tool\r\na=x-session:{SALT}{side}-attribute"),
            _ => line.to_owned(),
        };
        let _ = write!(salted, "{line}\r\n");
    }
    let _ = write!(
        salted,
        "a=x-media:{SALT}{side}-media\r\na=label:{SALT}{side}-label\r\na=ssrc:7 cname:{SALT}{side}-cname\r\n"
    );
    salted
}
