//! TOML as the same tree.

use crate::parse::FILE_BYTES_MAX;
use crate::{Entry, Fault, Faults, Kind, Mark, Node};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads a TOML document into a tree with places.
///
/// # Errors
/// Every fault of its syntax, by line and column.
pub fn parse_toml(file: &str, text: &str) -> Result<Node, Vec<Fault>> {
    let mut faults = Faults::new(file);
    if text.len() > FILE_BYTES_MAX {
        let reason = format!("the file has {} bytes, at most {FILE_BYTES_MAX} are read", text.len());
        faults.add(Mark::default(), "", reason, "split it");
        return Err(faults.into_sorted());
    }
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or_else(Mark::default, |span| lines.mark(span.start));
        faults.add(at, "", error.message().replace('\n', ", "), "");
    }
    if faults.is_empty() {
        let kind = map(table.get_ref(), &lines);
        Ok(Node { at: Mark { line: 1, column: 1 }, kind })
    } else {
        Err(faults.into_sorted())
    }
}

fn map(table: &DeTable<'_>, lines: &Lines<'_>) -> Kind {
    // The parser sorts by key; people read from top to bottom.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
        at: lines.mark(key.span().start),
        key: std::borrow::Cow::into_owned(Clone::clone(key.get_ref())),
        value: node(value, lines),
    };
    Kind::Map(entries.into_iter().map(entry).collect())
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines<'_>) -> Node {
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Text(text.clone().into_owned()),
        DeValue::Integer(number) => {
            let written = number.to_string();
            match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(whole) => Kind::Integer(whole, written),
                // Past what any setting takes; whoever reads it says which range it takes.
                Err(_) => Kind::Text(written),
            }
        }
        DeValue::Float(number) => {
            let written = number.to_string();
            written
                .parse()
                .map_or_else(|_| Kind::Text(written.clone()), |decimal| Kind::Decimal(decimal, written.clone()))
        }
        DeValue::Boolean(yes) => Kind::Boolean(*yes),
        DeValue::Datetime(time) => Kind::Text(time.to_string()),
        DeValue::Array(items) => Kind::List(items.iter().map(|item| node(item, lines)).collect()),
        DeValue::Table(table) => map(table, lines),
    };
    Node { at: lines.mark(value.span().start), kind }
}

/// Where each line begins.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    fn mark(&self, offset: usize) -> Mark {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Mark { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_its_order_and_each_value_its_place() {
        let text = "zeta = 1\n\n[sip]\nudp = [\"ä\", true]\nage = 0x10\n";
        let Ok(root) = parse_toml("p.toml", text) else { panic!("it is TOML") };
        let json = serde_json::json!({ "zeta": 1, "sip": { "udp": ["ä", true], "age": 16 } });
        assert_eq!(root.to_json(), json);
        let keys: Vec<&str> = root.as_map().unwrap_or_default().iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["zeta", "sip"]);
        let udp = root.get("sip").and_then(|sip| sip.get("udp"));
        assert_eq!(udp.map(|udp| udp.at), Some(Mark { line: 4, column: 7 }));
        let Some(Kind::List(items)) = udp.map(|udp| &udp.kind) else { panic!("udp is a list") };
        assert_eq!(items.get(1).map(|item| item.at), Some(Mark { line: 4, column: 13 }), "columns are characters");
    }

    #[test]
    fn every_fault_of_the_syntax_is_told() {
        let faults = parse_toml("p.toml", "a = \nb = 2\nc = = 3\n").err().unwrap_or_default();
        let lines: Vec<u32> = faults.iter().map(|fault| fault.line).collect();
        assert!(lines.contains(&1) && lines.contains(&3), "{faults:?}");
    }
}
