//! Who said what to whom, and when: the SIP of a story as text.

use plugboard_model::Time;
use plugboard_sip::{Message, Method, parse_datagram};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives.
    Sent,
    /// The network loses it.
    Lost,
    /// It arrives, and again.
    Doubled,
}

/// The ladder of a simulation: a line for each SIP message when it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladder {
    names: BTreeMap<SocketAddr, String>,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    at: Time,
    text: String,
}

impl Ladder {
    /// Gives an address a name.
    pub(crate) fn name(&mut self, address: SocketAddr, name: &str) {
        self.names.insert(address, name.to_owned());
    }

    /// The line for a message without its fate: `ann -> switch INVITE 102`.
    pub(crate) fn words(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> String {
        format!("{} -> {}  {}", self.name_of(from), self.name_of(to), what(bytes))
    }

    pub(crate) fn add(&mut self, at: Time, words: &str, fate: Fate) {
        let fate = match fate {
            Fate::Sent => "",
            Fate::Lost => "  (lost)",
            Fate::Doubled => "  (twice)",
        };
        self.lines.push(Line { at, text: format!("{words}{fate}") });
    }

    /// The lines from this time on.
    pub fn since(&self, from: Time) -> Self {
        let lines = self.lines.iter().filter(|line| line.at >= from).cloned().collect();
        Self { names: self.names.clone(), lines }
    }

    /// How many lines have these words in them.
    pub fn count(&self, words: &str) -> usize {
        self.lines.iter().filter(|line| line.text.contains(words)).count()
    }

    /// The lines of what this phone sent or got.
    #[must_use]
    pub fn of(&self, name: &str) -> Self {
        let (from, to) = (format!("{name} -> "), format!(" -> {name} "));
        let is_its = |line: &&Line| line.text.starts_with(&from) || line.text.contains(&to);
        Self { names: self.names.clone(), lines: self.lines.iter().filter(is_its).cloned().collect() }
    }

    /// When the first line with these words was sent.
    pub fn first(&self, words: &str) -> Option<Time> {
        self.lines.iter().find(|line| line.text.contains(words)).map(|line| line.at)
    }

    /// The first line with these words.
    pub fn line(&self, words: &str) -> Option<&str> {
        self.lines.iter().find(|line| line.text.contains(words)).map(|line| line.text.as_str())
    }

    fn name_of(&self, address: SocketAddr) -> String {
        self.names.get(&address).cloned().unwrap_or_else(|| address.to_string())
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let ms = line.at.as_millis();
            writeln!(f, "{:>4}.{:03}  {}", ms / 1_000, ms % 1_000, line.text)?;
        }
        Ok(())
    }
}

/// A message in words: method and called number, or status and the method that it answers; then what matters of it.
fn what(bytes: &[u8]) -> String {
    let Ok(message) = parse_datagram(bytes) else {
        return format!("{} bytes that are no SIP", bytes.len());
    };
    let headers = message.headers();
    let mut words = match &message {
        Message::Request(request) if request.method == Method::Invite => {
            let in_dialog = headers.to().is_ok_and(|to| to.tag().is_some());
            let number = request.uri.user().unwrap_or_default();
            if in_dialog { "INVITE again".to_owned() } else { format!("INVITE {number}") }
        }
        Message::Request(request) => request.method.as_str().to_owned(),
        Message::Response(response) => {
            let method = headers.cseq().map_or_else(|_| "?".to_owned(), |cseq| cseq.method.to_string());
            format!("{} {method}", response.status)
        }
    };
    if let Message::Response(response) = &message
        && (300..400).contains(&response.status)
    {
        for contact in headers.get_all("Contact") {
            words.push_str(" to ");
            words.push_str(contact);
        }
    }
    if let Some(target) = headers.get("Refer-To") {
        words.push_str(" to ");
        words.push_str(target.split(['?', '@']).next().unwrap_or_default().trim_start_matches("<sip:"));
        words.push_str(if target.contains("Replaces=") { " in place" } else { "" });
    }
    if headers.contains("Replaces") {
        words.push_str(" in place");
    }
    if let Some(told) = std::str::from_utf8(message.body()).ok().and_then(|body| body.strip_prefix("SIP/2.0 ")) {
        words.push_str(" of ");
        words.push_str(told.trim_end());
    }
    words.push_str(&event(&message));
    if headers.contains("RSeq") {
        words.push_str(" reliably");
    }
    if let Some(direction) = direction(message.body()) {
        words.push_str(direction);
    }
    if let Some(early) = headers.get("P-Early-Media") {
        words.push_str(" early ");
        words.push_str(early);
    }
    if let Some(reason) = headers.get("Reason") {
        words.push_str(" because ");
        words.push_str(reason);
    }
    words
}

/// What is subscribed to or told, but for the news of a transfer.
fn event(message: &Message) -> String {
    let Message::Request(request) = message else { return String::new() };
    let event = request.headers.get("Event").filter(|event| !event.starts_with("refer"));
    let Some(event) = event else { return String::new() };
    let whose = if request.method == Method::Notify { request.headers.from() } else { request.headers.to() };
    let whose = whose.ok().and_then(|whose| whose.parse_uri().ok());
    let whose = whose.and_then(|uri| uri.user().map(|user| user.into_owned())).unwrap_or_default();
    let ended = request.headers.get("Subscription-State").and_then(|state| state.strip_prefix("terminated;"));
    let ends = request.headers.expires() == Some(0);
    let mut words = format!(" {event} of {whose}");
    let body = String::from_utf8_lossy(&request.body);
    for word in crate::phone::in_words(&body).into_iter().chain(ended.map(str::to_owned)) {
        words.push(' ');
        words.push_str(&word);
    }
    if ends {
        words.push_str(" no more");
    }
    words
}

/// What a body says of the media.
fn direction(body: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.contains("m=audio"))?;
    if text.contains("c=IN IP4 0.0.0.0") {
        return Some(" +zeros");
    }
    let directions = ["a=sendonly", "a=recvonly", "a=inactive"];
    let found = directions.iter().find(|direction| text.contains(**direction));
    Some(match found {
        Some(&"a=sendonly") => " +sendonly",
        Some(&"a=recvonly") => " +recvonly",
        Some(_) => " +inactive",
        None => " +sdp",
    })
}
