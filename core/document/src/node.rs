//! A document as a tree with places.

use crate::Mark;
use serde_json::Value as Json;
use std::fmt::Write as _;

/// A node of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Mark,
    /// What it is.
    pub kind: Kind,
}

/// What a node is (the YAML 1.2 core schema, which JSON shares).
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number, and how it was written: `0101` may be a telephone number.
    Integer(i64, String),
    /// Any other number, and how it was written.
    Decimal(f64, String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the document; keys are unique.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key begins.
    pub at: Mark,
    /// The key as text.
    pub key: String,
    /// The value.
    pub value: Node,
}

impl Node {
    /// A node that no document holds, such as one made from a program.
    pub fn made(kind: Kind) -> Self {
        Self { at: Mark::default(), kind }
    }

    /// The text of a text or of a number as it was written; `None` for anything else.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Integer(_, text) | Kind::Decimal(_, text) => Some(text),
            Kind::Null | Kind::Boolean(_) | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The entries of a map; `None` for anything else.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) | Kind::List(_) => {
                None
            }
        }
    }

    /// The value of a map's key; `None` when this is no map or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// What it is, for a fault's reason.
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Boolean(_) => "true or false",
            Kind::Integer(..) => "a whole number",
            Kind::Decimal(..) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The same as JSON. A number that JSON cannot hold becomes null.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Null => Json::Null,
            Kind::Boolean(value) => Json::Bool(*value),
            Kind::Integer(value, _) => Json::from(*value),
            Kind::Decimal(value, _) => Json::from(*value),
            Kind::Text(text) => Json::from(text.as_str()),
            Kind::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Kind::Map(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect()),
        }
    }

    /// The canonical form: JSON without blanks, the keys of each map in byte order, so that a hash of it does not
    /// depend on layout, comments or the order of keys. A number that is written otherwise than JSON writes it, such as
    /// `0101`, is a text there: it may be a telephone number.
    pub fn canonical(&self) -> String {
        self.canonical_but(None)
    }

    /// As [`Node::canonical`], but the maps under the key `ordered` keep the order of their keys: it counts there.
    pub fn canonical_but(&self, ordered: Option<&str>) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out, ordered, false);
        out
    }

    fn write_canonical(&self, out: &mut String, ordered: Option<&str>, in_order: bool) {
        match &self.kind {
            Kind::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write_canonical(out, ordered, false);
                }
                out.push(']');
            }
            Kind::Map(entries) => {
                let mut sorted: Vec<&Entry> = entries.iter().collect();
                if !in_order {
                    sorted.sort_by(|a, b| a.key.cmp(&b.key));
                }
                out.push('{');
                for (place, entry) in sorted.into_iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{}:", Json::from(entry.key.as_str()));
                    entry.value.write_canonical(out, ordered, ordered == Some(entry.key.as_str()));
                }
                out.push('}');
            }
            Kind::Integer(_, written) | Kind::Decimal(_, written) => {
                let json = self.to_json().to_string();
                out.push_str(&if json == *written { json } else { Json::from(written.as_str()).to_string() });
            }
            Kind::Null | Kind::Boolean(_) | Kind::Text(_) => {
                let _ = write!(out, "{}", self.to_json());
            }
        }
    }
}
