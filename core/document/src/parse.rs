//! From text to tree.

use crate::{Entry, Fault, Faults, Kind, Mark, Node};
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A file past this is no document that a person wrote: an office of 10,000 users takes about 3 MB.
pub(crate) const FILE_BYTES_MAX: usize = 32 << 20;
/// Nodes of one document, for the same reason.
const NODES_MAX: usize = 1_000_000;
/// Deeper nesting than this is a mistake, and readers of the tree recurse.
const DEPTH_MAX: usize = 100;

/// Reads a YAML or JSON document.
///
/// Duplicate keys, anchors, aliases, tags and a second document in the file are faults: a reader of the file should
/// see what the switch sees. Every such fault is listed; a syntax error ends the reading.
///
/// # Errors
/// All faults, in the order of the file.
pub fn parse(file: &str, text: &str) -> Result<Node, Vec<Fault>> {
    match examine(file, text) {
        (Some(node), faults) if faults.is_empty() => Ok(node),
        (Some(_) | None, faults) => Err(faults),
    }
}

/// As [`parse`], and with the faults comes the tree where they leave one to look at: without the second of two equal
/// keys, say. So what else is wrong can be told in one go. `None`: the rest would be guessing.
pub fn examine(file: &str, text: &str) -> (Option<Node>, Vec<Fault>) {
    examine_within(file, text, NODES_MAX)
}

fn examine_within(file: &str, text: &str, nodes_max: usize) -> (Option<Node>, Vec<Fault>) {
    let mut faults = Faults::new(file);
    if text.len() > FILE_BYTES_MAX {
        let reason = format!("the file has {} bytes, at most {FILE_BYTES_MAX} are read", text.len());
        faults.add(Mark::default(), "", reason, "split it");
        return (None, faults.into_sorted());
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let events = Parser::new_from_str(text);
    let root = Builder { events, nodes_left: nodes_max, whole: true, faults: &mut faults }.document();
    (root, faults.into_sorted())
}

/// What to do about a fault of syntax that people make: the parser names what it met, which is seldom where it began.
fn syntax_remedy(info: &str) -> &'static str {
    if info.contains("tab") {
        "write spaces in place of tabs"
    } else if info.contains("'-' indicator") {
        "begin all items of a list in the same column"
    } else if info.contains("':'") || info.contains("'}'") || info.contains("']'") || info.contains("mapping values") {
        "close each [ and { before here, and quote a text that has a : in it"
    } else {
        ""
    }
}

struct Builder<'i, 'f> {
    events: Parser<'i, serde_saphyr::granit_parser::StrInput<'i>>,
    nodes_left: usize,
    /// Every value that the file has is in the tree.
    whole: bool,
    faults: &'f mut Faults,
}

/// Reading stopped; the fault is noted.
struct Stopped;

impl<'i> Builder<'i, '_> {
    fn document(mut self) -> Option<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next().ok()?;
            if matches!(event, Event::StreamEnd) {
                break;
            }
            if event.is_node() {
                if root.is_some() {
                    self.faults.add(mark(&span.start), "", "a second document begins here", "one document a file");
                    return None;
                }
                root = Some(self.node(event, &span, 0).ok()?);
            }
        }
        if root.is_none() {
            self.faults.add(Mark::default(), "", "the file is empty", "");
        }
        root.filter(|_| self.whole)
    }

    fn next(&mut self) -> Result<(Event<'i>, Span), Stopped> {
        loop {
            match self.events.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(pair)) => return Ok(pair),
                Some(Err(error)) => return Err(self.syntax(&error)),
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }

    fn syntax(&mut self, error: &ScanError) -> Stopped {
        self.faults.add(mark(error.marker()), "", error.info(), syntax_remedy(&error.info()));
        Stopped
    }

    fn node(&mut self, event: Event<'i>, span: &Span, depth: usize) -> Result<Node, Stopped> {
        let at = mark(&span.start);
        let Some(nodes_left) = self.nodes_left.checked_sub(1).filter(|_| depth <= DEPTH_MAX) else {
            let reason = format!("the document has more than {NODES_MAX} values or nests deeper than {DEPTH_MAX}");
            self.faults.add(at, "", reason, "split it");
            return Err(Stopped);
        };
        self.nodes_left = nodes_left;
        if event.anchor_id().is_some_and(|id| id != 0) || event.tag().is_some() {
            self.faults.add(at, "", "anchors (&name) and tags (!name) are not read", "quote the text, or write it out");
        }
        let kind = if matches!(event, Event::SequenceStart(..)) {
            self.list(depth)?
        } else if matches!(event, Event::MappingStart(..)) {
            self.map(depth)?
        } else if let Event::Scalar(text, style, ..) = event {
            if style == ScalarStyle::Plain { plain(text) } else { Kind::Text(text.into_owned()) }
        } else {
            self.faults.add(at, "", "aliases (*name) are not read", "quote the text, or write it out");
            self.whole = false;
            Kind::Null
        };
        Ok(Node { at, kind })
    }

    fn list(&mut self, depth: usize) -> Result<Kind, Stopped> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                return Ok(Kind::List(items));
            }
            items.push(self.node(event, &span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Kind, Stopped> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                return Ok(Kind::Map(entries));
            }
            let key = self.node(event, &span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1)?;
            let Some(text) = key_text(&key) else {
                self.faults.add(key.at, "", format!("a key is a text, not {}", key.kind_name()), "");
                continue;
            };
            if seen.insert(text.clone()) {
                entries.push(Entry { at: key.at, key: text, value });
            } else {
                self.faults.add(key.at, "", format!("the key {text:?} is here twice"), "take one of them out");
            }
        }
    }
}

/// The text of a key; `true` and `null` as written by people are words there.
fn key_text(key: &Node) -> Option<String> {
    match &key.kind {
        Kind::Boolean(value) => Some(value.to_string()),
        Kind::Null => Some("null".into()),
        Kind::Integer(_, text) | Kind::Decimal(_, text) | Kind::Text(text) => Some(text.clone()),
        Kind::List(_) | Kind::Map(_) => None,
    }
}

/// A plain scalar by the core schema (YAML 1.2.2 section 10.3.2), octal and hexadecimal forms left as texts:
/// nobody means them in these documents.
pub(crate) fn plain(text: Cow<'_, str>) -> Kind {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Boolean(true),
        "false" | "False" | "FALSE" => return Kind::Boolean(false),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.chars().any(|c| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if numeric {
        if let Ok(value) = text.parse::<i64>() {
            return Kind::Integer(value, text.into_owned());
        }
        if let Ok(value) = text.parse::<f64>() {
            return Kind::Decimal(value, text.into_owned());
        }
    }
    Kind::Text(text.into_owned())
}

fn mark(marker: &Marker) -> Mark {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Mark { line: number(marker.line()), column: number(marker.col().saturating_add(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, Node};
    use proptest::prelude::*;

    fn faults_of(text: &str) -> Vec<String> {
        parse("a.yaml", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_value_knows_its_line_and_column() {
        let root = parse("a.yaml", "# a comment\noffice: main\nusers:\n  - number: 0101\n").unwrap();
        let users = root.get("users").unwrap();
        let Kind::List(items) = &users.kind else { panic!("{users:?}") };
        let number = items[0].get("number").unwrap();
        assert_eq!((number.at.line, number.at.column), (4, 13));
        assert_eq!(number.as_text(), Some("0101"));
    }

    #[test]
    fn json_is_read_like_yaml_and_gives_the_same_canonical_form() {
        let yaml = parse("a.yaml", "b: [1, 2.5, ~]\na: {x: true, w: \"q\\n\"}\n").unwrap();
        let json = parse("a.json", r#"{"a": {"w": "q\n", "x": true}, "b": [1, 2.5, null]}"#).unwrap();
        assert_eq!(yaml.canonical(), json.canonical());
        assert_eq!(json.canonical(), r#"{"a":{"w":"q\n","x":true},"b":[1,2.5,null]}"#);
    }

    #[test]
    fn all_structural_faults_are_listed_with_their_lines() {
        insta::assert_snapshot!(faults_of("a: 1\nb: &x 2\na: 3\n? [1]\n: 2\nc: *x\n").join("\n"), @r#"
        a.yaml:2:7: anchors (&name) and tags (!name) are not read (quote the text, or write it out)
        a.yaml:3:1: the key "a" is here twice (take one of them out)
        a.yaml:4:3: a key is a text, not a list
        a.yaml:6:4: aliases (*name) are not read (quote the text, or write it out)
        "#);
        insta::assert_snapshot!(faults_of("a: [1\nb: 2\n").join("\n"), @"a.yaml:2:2: illegal placement of ':' indicator (close each [ and { before here, and quote a text that has a : in it)");
        insta::assert_snapshot!(faults_of("").join("\n"), @"a.yaml: the file is empty");
        insta::assert_snapshot!(faults_of("a: 1\n---\nb: 2\n").join("\n"), @"a.yaml:3:1: a second document begins here (one document a file)");
    }

    #[test]
    fn a_fault_of_syntax_that_people_make_has_a_remedy() {
        for (text, remedy) in [
            ("a:\n  - 1\n\t- 2\n", "spaces"),
            ("a:\n  - { b: 1 }\n   - { b: 2 }\n", "same column"),
            ("a: [1\nb: 2\n", "close each ["),
            ("a:\n  - { b: c: d }\n", "quote a text"),
            ("a: b: c\n", "quote a text"),
            ("a: { b: 1\nc: 2\n", "close each ["),
        ] {
            let (_, faults) = examine("a.yaml", text);
            assert!(faults.iter().any(|fault| fault.remedy.contains(remedy)), "{text}: {faults:?}");
        }
    }

    #[test]
    fn with_the_faults_comes_the_tree_unless_a_part_of_it_is_unknown() {
        let (tree, faults) = examine("a.yaml", "a: 1\na: 2\nb: !x 3\n");
        assert_eq!((faults.len(), tree.map(|tree| tree.canonical())), (2, Some(r#"{"a":1,"b":3}"#.into())));
        for unknown in ["a: *x\n", "a: [1\n", "a: 1\n---\nb: 2\n", ""] {
            assert!(matches!(examine("a.yaml", unknown), (None, faults) if faults.len() == 1), "{unknown}");
        }
    }

    #[test]
    fn nesting_and_size_have_limits() {
        assert!(faults_of(&"[".repeat(50_000)).len() == 1);
        assert!(faults_of(&format!("a: {}", "- ".repeat(300))).len() == 1);
        let list = "- 1\n".repeat(9);
        assert_eq!(examine_within("a.yaml", &list, 10).1, []);
        let (_, told) = examine_within("a.yaml", &list, 9);
        assert!(told[0].reason.contains("more than 1000000 values"), "{told:?}");
        assert!(parse("a.yaml", &"# no\n".repeat(50_000)).is_err());
    }

    #[test]
    fn an_unknown_field_is_named_with_the_nearest_known_one() {
        let root = parse("a.yaml", "numbr: 1\nzzz: 2\n").unwrap();
        let mut faults = crate::Faults::new("a.yaml");
        let mut fields = Field::root(&root).fields(&mut faults).unwrap();
        assert!(fields.take("number").is_none());
        fields.finish(&mut faults);
        let told: Vec<String> = faults.into_sorted().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        a.yaml:1:1: numbr: "numbr" is not known (did you mean "number"?)
        a.yaml:2:1: zzz: "zzz" is not known (known here: number)
        "#);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_what_is_read_survives_a_round_trip(text in "[-a-c0-2:\\[\\]{}\"'#&*!|>%@,?~. \n\t\u{e9}]{0,60}") {
            if let Ok(root) = parse("a.yaml", &text) {
                let again = parse("b.json", &root.canonical()).unwrap();
                prop_assert_eq!(again.canonical(), root.canonical());
            }
        }
    }

    #[test]
    fn a_made_node_has_no_place() {
        assert_eq!(Node::made(Kind::Null).at, Mark::default());
    }
}
