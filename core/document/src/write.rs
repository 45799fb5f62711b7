//! Writing a tree as YAML: what [`crate::parse`] reads back as the same tree, in the same order.

use crate::parse::plain;
use crate::{Entry, Kind, Node};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// Columns of a line that holds a whole list or map.
const COLUMNS: usize = 100;

impl Node {
    /// The tree as YAML: keys in their order, numbers as they were written. Reading it gives the same tree.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        match block(self, COLUMNS) {
            Some(Block::Map(entries)) => write_map(entries, 0, &mut out),
            Some(Block::List(items)) => write_list(items, 0, &mut out),
            None => write_line(self, &mut out),
        }
        out
    }
}

/// What takes lines of its own.
enum Block<'a> {
    Map(&'a [Entry]),
    List(&'a [Node]),
}

/// What of a node does not go into the line that begins with `before` columns.
fn block(node: &Node, before: usize) -> Option<Block<'_>> {
    match &node.kind {
        Kind::Map(entries) if !fits(node, before) => Some(Block::Map(entries)),
        Kind::List(items) if !fits(node, before) => Some(Block::List(items)),
        Kind::Null
        | Kind::Boolean(_)
        | Kind::Integer(..)
        | Kind::Decimal(..)
        | Kind::Text(_)
        | Kind::List(_)
        | Kind::Map(_) => None,
    }
}

fn write_line(node: &Node, out: &mut String) {
    out.push_str(&flow(node));
    out.push('\n');
}

fn new_line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A map whose first key stands where the line is, the others `indent` blanks from its start.
fn write_map(entries: &[Entry], indent: usize, out: &mut String) {
    for (place, entry) in entries.iter().enumerate() {
        if place > 0 {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        let key = key(&entry.key);
        out.push_str(&key);
        out.push(':');
        match block(&entry.value, indent + key.len()) {
            Some(Block::Map(inner)) => {
                new_line(indent + 2, out);
                write_map(inner, indent + 2, out);
            }
            Some(Block::List(items)) => {
                new_line(indent + 2, out);
                write_list(items, indent + 2, out);
            }
            None => {
                out.push(' ');
                write_line(&entry.value, out);
            }
        }
    }
}

fn write_list(items: &[Node], indent: usize, out: &mut String) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str("- ");
        match block(item, indent) {
            Some(Block::Map(inner)) => write_map(inner, indent + 2, out),
            Some(Block::List(inner)) => write_list(inner, indent + 2, out),
            None => write_line(item, out),
        }
    }
}

/// Whether a list or map may stand in one line that begins with `before` columns: it is short, and what it holds are no
/// lists or maps themselves. An empty one has no other way to be written.
fn fits(node: &Node, before: usize) -> bool {
    let inner = |node: &Node| match &node.kind {
        Kind::List(items) => !items.is_empty(),
        Kind::Map(entries) => !entries.is_empty(),
        Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) => false,
    };
    let flat = match &node.kind {
        Kind::List(items) => !items.iter().any(inner),
        Kind::Map(entries) => !entries.iter().any(|entry| inner(&entry.value)),
        Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) => true,
    };
    !inner(node) || flat && before + 4 + flow(node).len() <= COLUMNS
}

/// In one line.
fn flow(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "~".into(),
        Kind::Boolean(value) => value.to_string(),
        Kind::Integer(_, written) | Kind::Decimal(_, written) => written.clone(),
        Kind::Text(value) => text(value),
        Kind::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) if entries.is_empty() => "{}".into(),
        Kind::Map(entries) => {
            let entry = |entry: &Entry| format!("{}: {}", key(&entry.key), flow(&entry.value));
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A key of a map: any word but a number is as good without quotes.
fn key(key: &str) -> String {
    if is_word(key) { key.to_owned() } else { quoted(key) }
}

fn text(value: &str) -> String {
    if is_plain(value) { value.to_owned() } else { quoted(value) }
}

/// Words that no reader takes for anything but a text, whatever stands around them.
fn is_plain(value: &str) -> bool {
    if crate::read_duration(value).is_some() {
        return true;
    }
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | ' ');
    value.len() <= COLUMNS
        && (value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/'))
        && value.ends_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(inner)
        && !value.contains("  ")
        && !is_other(value)
}

fn is_word(value: &str) -> bool {
    is_plain(value) && !value.contains([' ', '/'])
}

/// What the core schema, or a reader of YAML 1.1, takes for no text.
fn is_other(value: &str) -> bool {
    const BOOLEANS_OF_YAML_1_1: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    !matches!(plain(value.into()), Kind::Text(_)) || BOOLEANS_OF_YAML_1_1.contains(&value.to_ascii_lowercase().as_str())
}

/// In double quotes, as JSON writes it; what YAML does not take as it is, is escaped as well.
fn quoted(value: &str) -> String {
    let mut out = String::new();
    for c in Json::from(value).to_string().chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::made(Kind::Text(text.to_owned()))
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::made(Kind::Text(text))
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::made(Kind::Boolean(value))
    }
}

impl From<u32> for Node {
    fn from(value: u32) -> Self {
        Self::made(Kind::Integer(value.into(), value.to_string()))
    }
}

impl FromIterator<Self> for Node {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::made(Kind::List(items.into_iter().collect()))
    }
}

impl<'k> FromIterator<(&'k str, Self)> for Node {
    fn from_iter<I: IntoIterator<Item = (&'k str, Self)>>(entries: I) -> Self {
        let entry = |(key, value): (&str, Self)| Entry { at: crate::Mark::default(), key: key.to_owned(), value };
        Self::made(Kind::Map(entries.into_iter().map(entry).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mark, parse};
    use proptest::prelude::*;

    /// The tree without its places.
    fn bare(node: &Node) -> Node {
        Node::made(match &node.kind {
            Kind::List(items) => Kind::List(items.iter().map(bare).collect()),
            Kind::Map(entries) => {
                let entry =
                    |entry: &Entry| Entry { at: Mark::default(), key: entry.key.clone(), value: bare(&entry.value) };
                Kind::Map(entries.iter().map(entry).collect())
            }
            Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) => node.kind.clone(),
        })
    }

    #[test]
    fn a_document_is_written_as_a_person_would_write_it() {
        let text = "office: main\ndomains: [a.test]\nusers:\n  - { number: 0101, id: \"101\", name: Ann Archer, \"on\": ~ }\n\
                    steps:\n  - set: { b: 1, a: '{b}' }\n  - menu:\n      keys: { '1': [hang-up], '2': [] }\n  - - 1.50\n    - [[]]\n";
        let written = parse("a.yaml", text).unwrap().to_yaml();
        insta::assert_snapshot!(written, @r#"
        office: main
        domains: [a.test]
        users:
          - { number: 0101, id: "101", name: Ann Archer, "on": ~ }
        steps:
          - set: { b: 1, a: "{b}" }
          - menu:
              keys:
                "1": [hang-up]
                "2": []
          - - 1.50
            - [[]]
        "#);
    }

    #[test]
    fn words_that_a_reader_could_take_for_something_else_are_quoted() {
        for word in ["true", "null", "no", "1", "+49", "a: b", "- a", " a", "a ", "", "\u{85}", "é", "a#b", "~", "*43"]
        {
            let node: Node = [("k", Node::from(word))].into_iter().collect();
            let written = node.to_yaml();
            assert!(written.contains('"'), "{written}");
            assert_eq!(bare(&parse("a.yaml", &written).unwrap()), node, "{written}");
        }
    }

    fn any_node() -> impl Strategy<Value = Node> {
        let words = prop_oneof!["[ -~\u{85}\u{a0}\u{2028}\u{feff}é\n\t]{0,12}", "[a-z0-9 .+-]{0,110}"];
        let leaf = prop_oneof![
            Just(Node::made(Kind::Null)),
            any::<bool>().prop_map(Node::from),
            "[+-]?[0-9]{1,18}".prop_map(|text| Node::made(Kind::Integer(text.parse().unwrap(), text))),
            "[0-9]{1,5}[.][0-9]{1,5}".prop_map(|text| Node::made(Kind::Decimal(text.parse().unwrap(), text))),
            words.prop_map(Node::from),
        ];
        let keys = prop_oneof![4 => "[ -~é\n]{0,9}", 1 => "[a-z0-9 .+-]{80,110}"];
        let tree = leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Node::from_iter),
                proptest::collection::btree_map(keys.clone(), inner, 0..6).prop_flat_map(|map| {
                    Just(map.into_iter().collect::<Vec<_>>()).prop_shuffle().prop_map(|entries| {
                        entries.iter().map(|(key, value)| (key.as_str(), value.clone())).collect::<Node>()
                    })
                }),
            ]
        });
        // Deep in a document a line begins where others end.
        (tree, proptest::collection::vec(any::<bool>(), 0..60)).prop_map(|(tree, around)| {
            around.into_iter().fold(tree, |inner, map| {
                if map { [("k", inner)].into_iter().collect() } else { Node::from_iter([inner]) }
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same_tree_in_the_same_order(node in any_node()) {
            let written = node.to_yaml();
            let read = parse("a.yaml", &written).map_err(|faults| TestCaseError::fail(format!("{written}\n{faults:?}")))?;
            prop_assert_eq!(bare(&read), node, "{}", written);
        }
    }
}
