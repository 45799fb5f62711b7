//! The XML of event bodies: a writer that escapes, and limits for the reader.

use roxmltree::{Document, Node, ParsingOptions};

/// The longest body that is read, in bytes: a phone's presence with a picture in it is none of ours.
pub const BODY_LEN_MAX: usize = 8 * 1024;
/// Elements, texts and attributes of a body that is read. Real ones have about 20.
const NODES_MAX: u32 = 256;
/// How deep elements lie in each other. Real ones lie five deep.
const DEPTH_MAX: usize = 16;

/// Why a body is not read: 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlFault {
    /// Longer than [`BODY_LEN_MAX`].
    #[error("the body is longer than {BODY_LEN_MAX} bytes")]
    TooLong,
    /// No UTF-8.
    #[error("the body is no UTF-8")]
    NoText,
    /// No XML, or one with a document type, or with too many elements.
    #[error("the body cannot be read: {0}")]
    Malformed(String),
    /// An element is missing, or says something that it cannot say.
    #[error("{0} is missing or not understood")]
    Lacks(&'static str),
}

/// Reads a body as a tree within the limits, and hands it to `read`. Document types, and with them entities, are refused.
pub(super) fn read<T>(body: &[u8], read: impl FnOnce(Node<'_, '_>) -> Result<T, XmlFault>) -> Result<T, XmlFault> {
    if body.len() > BODY_LEN_MAX {
        return Err(XmlFault::TooLong);
    }
    let text = std::str::from_utf8(body).map_err(|_| XmlFault::NoText)?;
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start(), options);
    let document = document.map_err(|fault| XmlFault::Malformed(fault.to_string()))?;
    let root = document.root_element();
    // So few are left that each may count its ancestors.
    if root.descendants().any(|node| node.ancestors().count() > DEPTH_MAX + 1) {
        return Err(XmlFault::Malformed("its elements lie too deep in each other".into()));
    }
    read(root)
}

/// The children of this name, whatever their namespace: phones differ in how they spell it.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The text of the first child of this name, without the white space around it.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    children(node, name).next().map(|child| child.text().unwrap_or_default().trim())
}

/// Writes XML. Everything that is given as text or as an attribute's value is escaped.
#[derive(Debug)]
pub(super) struct Xml(String);

impl Xml {
    /// With the declaration alone.
    pub(super) fn new(encoding: &str) -> Self {
        Self(format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n"))
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.0.push('>');
    }

    /// Closes it.
    pub(super) fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.0.push_str("/>");
    }

    /// An element with a text.
    pub(super) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.escaped(text);
        self.close(name);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push('\n');
        self.0.into_bytes()
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.escaped(value);
            self.0.push('"');
        }
    }

    fn escaped(&mut self, text: &str) {
        for char in text.chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&apos;"),
                // XML 1.0 section 2.2 has no place for them, escaped or not; line ends would be changed in attributes.
                control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => self.0.push(' '),
                other => self.0.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_it_was() {
        let odd = "<&>\"' \u{e9}\u{1f4de}]]>";
        let mut xml = Xml::new("UTF-8");
        xml.open("a", &[("x", odd)]);
        xml.leaf("b", &[], odd);
        xml.empty("c", &[]);
        xml.close("a");
        let body = xml.finish();
        let back = read(&body, |root| {
            Ok((
                root.attribute("x").map(str::to_owned),
                text(root, "b").map(str::to_owned),
                children(root, "c").count(),
            ))
        });
        assert_eq!(back, Ok((Some(odd.to_owned()), Some(odd.to_owned()), 1)));
    }

    #[test]
    fn control_characters_are_no_xml_and_become_spaces() {
        let mut xml = Xml::new("UTF-8");
        xml.leaf("a", &[], "x\u{1}\r\ny\u{ffff}");
        assert!(String::from_utf8(xml.finish()).unwrap().ends_with("<a>x   y </a>\n"));
    }

    #[test]
    fn what_is_too_long_too_deep_too_much_or_has_entities_is_refused() {
        let ok = |text: &str| read(text.as_bytes(), |_| Ok(()));
        assert_eq!(ok("<a><b/></a>"), Ok(()));
        assert_eq!(ok(&format!("<a>{}</a>", "x".repeat(BODY_LEN_MAX))), Err(XmlFault::TooLong));
        assert_eq!(read(b"<a>\xff</a>", |_| Ok(())), Err(XmlFault::NoText));
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert_eq!(ok(&deep(DEPTH_MAX)), Ok(()));
        assert!(matches!(ok(&deep(DEPTH_MAX + 1)), Err(XmlFault::Malformed(why)) if why.contains("deep")));
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\">]><a>&x;&x;</a>";
        assert!(matches!(ok(bomb), Err(XmlFault::Malformed(_))));
        let many = format!("<a>{}</a>", "<b/>".repeat(300));
        assert!(matches!(ok(&many), Err(XmlFault::Malformed(_))));
        assert!(matches!(ok("<a>"), Err(XmlFault::Malformed(_))));
        assert!(matches!(ok(""), Err(XmlFault::Malformed(_))));
    }
}
