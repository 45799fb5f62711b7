//! How an office sends text messages to telephones: by a provider that is one of its services of the web.

use crate::Office;
use plugboard_document::{Entry, Kind, Node};
use plugboard_model::{Dialled, HttpMethod, Name, OutgoingText};
use std::collections::BTreeMap;
use std::time::Duration;

/// The provider of an office, and how it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct TextRules {
    /// One of its services of the web.
    pub source: Name,
    /// Below its address.
    pub path: String,
    /// `post` or `get`.
    pub method: HttpMethod,
    /// Names and values, with placeholders.
    pub query: BTreeMap<String, String>,
    /// What is sent along.
    pub body: Option<TextBody>,
    /// What stands for `{from}`: our number, or a name.
    pub from: String,
    /// Messages at once.
    pub at_once: u32,
    /// Messages that are taken in an hour.
    pub an_hour: u32,
    /// How long one is tried.
    pub give_up_after: Duration,
}

/// What is sent to a provider, with placeholders.
#[derive(Debug, Clone, PartialEq)]
pub enum TextBody {
    /// A document of JSON, with placeholders in its texts.
    Document(Node),
    /// Names and values of a form.
    Form(BTreeMap<String, String>),
}

/// What is sent to a provider for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilledBody {
    /// A document of JSON.
    Json(String),
    /// Names and values of a form, not escaped.
    Form(Vec<(String, String)>),
}

impl TextBody {
    /// Whether a text in it is so.
    pub(crate) fn any(&self, is: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Document(node) => any_text(node, is),
            Self::Form(form) => form.values().any(|value| is(value)),
        }
    }
}

impl TextRules {
    pub(crate) const AT_ONCE: u32 = 2;
    pub(crate) const AN_HOUR: u32 = 100;
    pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_hours(1);
    /// What a request may have of a message.
    pub(crate) const PLACES: [&'static str; 4] = ["{to}", "{text}", "{from}", "{key}"];

    /// Whether the provider can tell a repetition: its request has the message's key.
    pub fn tells_repetitions(&self) -> bool {
        let has_key = |text: &str| text.contains("{key}");
        self.query.values().any(|value| has_key(value)) || self.body.as_ref().is_some_and(|body| body.any(&has_key))
    }

    /// The query and the body that ask for this message.
    pub fn request(&self, message: &OutgoingText, key: &str) -> (Vec<(String, String)>, Option<FilledBody>) {
        let values = [message.to.as_str(), message.text.as_str(), self.from.as_str(), key];
        let filled = |text: &str| fill(text, values);
        let values = |map: &BTreeMap<String, String>| {
            map.iter().map(|(name, value)| (name.clone(), filled(value))).collect::<Vec<_>>()
        };
        let body = self.body.as_ref().map(|body| match body {
            TextBody::Document(node) => FilledBody::Json(each_text(node, &filled).to_json().to_string()),
            TextBody::Form(form) => FilledBody::Form(values(form)),
        });
        (values(&self.query), body)
    }

    /// What of a text is neither a placeholder nor plain.
    pub(crate) fn odd_brace(text: &str) -> bool {
        let mut rest = text;
        while let Some(place) = rest.find(['{', '}']) {
            let at = rest.get(place..).unwrap_or_default();
            let Some(known) = Self::PLACES.iter().find(|known| at.starts_with(**known)) else { return true };
            rest = at.get(known.len()..).unwrap_or_default();
        }
        false
    }
}

/// Fills the places in one after the other: what a caller has said is never looked at again.
fn fill(text: &str, values: [&str; 4]) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some(place) = rest.find('{') {
        let (before, at) = rest.split_at(place);
        filled.push_str(before);
        let known = TextRules::PLACES.iter().zip(values).find(|(known, _)| at.starts_with(**known));
        let (value, len) = known.map_or(("{", 1), |(known, value)| (value, known.len()));
        filled.push_str(value);
        rest = at.get(len..).unwrap_or_default();
    }
    filled + rest
}

fn each_text(node: &Node, with: &dyn Fn(&str) -> String) -> Node {
    let kind = match &node.kind {
        Kind::Text(text) => Kind::Text(with(text)),
        Kind::List(items) => Kind::List(items.iter().map(|item| each_text(item, with)).collect()),
        Kind::Map(entries) => {
            let entry = |entry: &Entry| Entry { value: each_text(&entry.value, with), ..entry.clone() };
            Kind::Map(entries.iter().map(entry).collect())
        }
        other @ (Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..)) => other.clone(),
    };
    Node { at: node.at, kind }
}

/// Whether a text in it is so.
pub(crate) fn any_text(node: &Node, is: &dyn Fn(&str) -> bool) -> bool {
    match &node.kind {
        Kind::Text(text) => is(text),
        Kind::List(items) => items.iter().any(|item| any_text(item, is)),
        Kind::Map(entries) => entries.iter().any(|entry| any_text(&entry.value, is)),
        Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) => false,
    }
}

impl Office {
    /// A number as a provider of text messages wants it (E.164); `None`: it is none of the public network.
    pub fn text_number(&self, number: &str) -> Option<String> {
        self.number_plan().e164(&Dialled::new(number).ok()?).map(|number| number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_says_takes_no_place_of_its_own() {
        let values = ["+49170", "I am {from} \"x\" {key", "Desk", "k-1"];
        assert_eq!(fill("{from}: {text} ({key})", values), "Desk: I am {from} \"x\" {key (k-1)");
        for (text, odd) in [("{to}", false), ("a {text} b {key}", false), ("{too}", true), ("{", true), ("a}", true)] {
            assert_eq!(TextRules::odd_brace(text), odd, "{text}");
        }
    }
}
