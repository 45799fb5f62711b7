//! Walking a document: every field is taken by name, what is left over is a fault.

use crate::{Entry, Faults, Kind, Mark, Node};
use plugboard_model::Name;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A value in a document and the way to it.
#[derive(Debug, Clone)]
pub struct Field<'n> {
    /// The value.
    pub node: &'n Node,
    /// Where its key is, or the value itself in a list.
    pub key_at: Mark,
    /// The way to it, such as `users[0].number`.
    pub path: String,
}

/// The fields of a map. Take each one that is known, then call [`Fields::finish`].
#[derive(Debug)]
pub struct Fields<'n> {
    at: Mark,
    path: String,
    entries: &'n [Entry],
    known: BTreeSet<&'static str>,
}

impl<'n> Field<'n> {
    /// The document as a whole.
    pub fn root(node: &'n Node) -> Self {
        Self { node, key_at: node.at, path: String::new() }
    }

    /// Notes a fault at this value.
    pub fn fault(&self, faults: &mut Faults, reason: impl Into<String>, remedy: impl Into<String>) {
        faults.add(self.node.at, &self.path, reason, remedy);
    }

    /// A text, or a number as it was written.
    pub fn text(&self, faults: &mut Faults) -> Option<String> {
        let text = self.node.as_text();
        if text.is_none() {
            self.fault(faults, format!("a text is expected, not {}", self.node.kind_name()), "");
        }
        text.map(Into::into)
    }

    /// A name: 1 to 64 of `a-z 0-9 . _ -`.
    pub fn name(&self, faults: &mut Faults) -> Option<Name> {
        let text = self.text(faults)?;
        Name::new(&text).map_err(|error| self.fault(faults, error.to_string(), "")).ok()
    }

    /// A whole number in a range.
    pub fn integer(&self, range: RangeInclusive<i64>, faults: &mut Faults) -> Option<i64> {
        match &self.node.kind {
            Kind::Integer(value, _) if range.contains(value) => Some(*value),
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(..)
            | Kind::Decimal(..)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_) => {
                let reason = format!("a whole number from {} to {} is expected", range.start(), range.end());
                self.fault(faults, reason, "");
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self, faults: &mut Faults) -> Option<bool> {
        if let Kind::Boolean(value) = self.node.kind {
            return Some(value);
        }
        self.fault(faults, "true or false is expected", "");
        None
    }

    /// A time span with its unit, such as `20s`, `1500ms`, `2m`, `1h`, in a range.
    pub fn duration(&self, range: RangeInclusive<Duration>, faults: &mut Faults) -> Option<Duration> {
        let value = self.node.as_text().and_then(read_duration).filter(|value| range.contains(value));
        if value.is_none() {
            let (least, most) = (write_duration(*range.start()), write_duration(*range.end()));
            let reason = format!("a time with its unit is expected, from {least} to {most}");
            self.fault(faults, reason, "write for example \"20s\", \"500ms\" or \"2m\"");
        }
        value
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
        let text = self.text(faults)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(faults, format!("{text:?} is not one of {}", list.join(", ")), did_you_mean(&text, &list));
        }
        found
    }

    /// Whether it is a list, where one thing or several may stand.
    pub fn is_list(&self) -> bool {
        matches!(self.node.kind, Kind::List(_))
    }

    /// The items of a list of at most `max`; none after a fault.
    pub fn list(&self, max: usize, faults: &mut Faults) -> Vec<Field<'n>> {
        let Kind::List(items) = &self.node.kind else {
            self.fault(
                faults,
                format!("a list is expected, not {}", self.node.kind_name()),
                "begin each item with \"- \"",
            );
            return Vec::new();
        };
        if items.len() > max {
            self.fault(faults, format!("{} items are too many, at most {max} are read", items.len()), "");
        }
        let item =
            |(place, node): (usize, &'n Node)| Field { node, key_at: node.at, path: format!("{}[{place}]", self.path) };
        items.iter().take(max).enumerate().map(item).collect()
    }

    /// The fields of a map; `None` after a fault.
    pub fn fields(&self, faults: &mut Faults) -> Option<Fields<'n>> {
        let Some(entries) = self.node.as_map() else {
            self.fault(
                faults,
                format!("a map is expected, not {}", self.node.kind_name()),
                "write \"key: value\" lines",
            );
            return None;
        };
        Some(Fields { at: self.node.at, path: self.path.clone(), entries, known: BTreeSet::new() })
    }

    /// The entries of a map whose keys are free, in the order of the document.
    pub fn entries(&self, faults: &mut Faults) -> Vec<(&'n str, Field<'n>)> {
        self.fields(faults).map(|fields| fields.all()).unwrap_or_default()
    }
}

impl<'n> Fields<'n> {
    /// Where the map begins.
    pub fn at(&self) -> Mark {
        self.at
    }

    /// The way to the map.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Takes the field `key`, if the document has it and it is not null.
    pub fn take(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.known.insert(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (entry.value.kind != Kind::Null).then(|| self.field(entry))
    }

    /// Takes the field `key`; its absence is a fault.
    pub fn need(&mut self, key: &'static str, faults: &mut Faults) -> Option<Field<'n>> {
        let found = self.take(key);
        if found.is_none() {
            faults.add(self.at, &self.path, format!("{key:?} is missing"), "");
        }
        found
    }

    /// Every entry, taken or not.
    pub fn all(&self) -> Vec<(&'n str, Field<'n>)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), self.field(entry))).collect()
    }

    /// Entries that nobody took.
    pub fn rest(&self) -> Vec<(&'n str, Field<'n>)> {
        self.all().into_iter().filter(|(key, _)| !self.known.contains(key)).collect()
    }

    /// Each field that nobody took is a fault, which names those that exist.
    pub fn finish(self, faults: &mut Faults) {
        for (key, field) in self.rest() {
            let known: Vec<&str> = self.known.iter().copied().collect();
            let remedy = match did_you_mean(key, &known) {
                near if near.is_empty() => format!("known here: {}", known.join(", ")),
                near => near,
            };
            faults.add(field.key_at, &field.path, format!("{key:?} is not known"), remedy);
        }
    }

    fn field(&self, entry: &'n Entry) -> Field<'n> {
        let path = match self.path.as_str() {
            "" => entry.key.clone(),
            path => format!("{path}.{}", entry.key),
        };
        Field { node: &entry.value, key_at: entry.at, path }
    }
}

/// The remedy for a word that is not among the known ones: `did you mean "steps"?`; empty when none is near.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    closest(word, known.iter().copied()).map(|near| format!("did you mean {near:?}?")).unwrap_or_default()
}

/// The candidate that a typing mistake probably meant: at most two edits away, and at most half of its letters.
fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= 2 && edits * 2 <= candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance; words of documents are short, so the plain table does. Words past 64 letters are far away.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, (y, pair)) in b.iter().zip(row.windows(2)).enumerate() {
            let (diagonal, above) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            let left = next.get(j).copied().unwrap_or(0);
            next.push((above + 1).min(left + 1).min(diagonal + usize::from(x != y)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// Reads `20s`, `1500ms`, `2m`, `1h`, `30d`; `None` for anything else.
pub fn read_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// Writes a time span as people write it, in the largest unit that it is a whole number of: `20s`, `1500ms`, `2m`, `1h`.
/// [`read_duration`] reads it back; what is shorter than a millisecond is left out.
pub fn write_duration(span: Duration) -> String {
    let millis = span.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
    let (unit, word) = unit.unwrap_or((1, "ms"));
    format!("{}{word}", millis / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_is_written_as_people_write_it_and_reads_back() {
        for (millis, text) in [
            (0, "0ms"),
            (1_500, "1500ms"),
            (20_000, "20s"),
            (60_000, "1m"),
            (90_000, "90s"),
            (7_200_000, "2h"),
            (31_536_000_000, "365d"),
        ] {
            let span = Duration::from_millis(millis);
            assert_eq!(write_duration(span), text);
            assert_eq!(read_duration(text), Some(span), "{text}");
        }
        assert_eq!(read_duration("20"), None);
    }

    #[test]
    fn a_word_that_is_near_a_known_one_is_told() {
        let known = ["steps", "scenario", "title"];
        assert_eq!(did_you_mean("step", &known), "did you mean \"steps\"?");
        assert_eq!(did_you_mean("users", &known), "");
    }
}
