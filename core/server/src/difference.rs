//! What differs between two offices, as people read it: which users, groups, routes, scenarios and steps came, went and changed.

use plugboard_document::{Entry, Kind, Node};
use plugboard_office::Secrets;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::house::House;

/// Changes that are told.
pub(crate) const CHANGES_MAX: usize = 2_000;
/// Letters of a value that are shown.
const VALUE_LEN_MAX: usize = 160;
/// Pairs of items of two lists that are compared: a millisecond's work.
const COMPARED_MAX: usize = 1_000_000;
/// What stands in the place of a secret: its value is compared and never shown.
const SECRET: &str = "\u{0}";

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// What it is about, such as `user 102` or `scenario welcome: steps[2]: call-user`.
    pub(crate) of: String,
    /// Whether it came, went or changed.
    pub(crate) what: What,
    /// As it was: JSON in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// As it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Came,
    Went,
    Changed,
}

/// What came, went and changed from one office to another, in the order of the document.
pub(crate) fn between(old: &House, new: &House) -> Result<Vec<Change>, String> {
    Ok(compared(&tree(old)?, &tree(new)?))
}

/// An office as a tree that can be compared: each secret is marked as one.
fn tree(house: &House) -> Result<Node, String> {
    let parsed = |secrets| {
        let text = house.office.export(secrets, Some(&house.folder));
        plugboard_document::parse("office", &text).map_err(|faults| crate::house::in_words(faults).join("; "))
    };
    let (mut clear, hidden) = (parsed(Secrets::InClear)?, parsed(Secrets::Hidden)?);
    mark(&mut clear, &hidden);
    Ok(clear)
}

/// Marks the values that are shown to nobody.
fn mark(clear: &mut Node, hidden: &Node) {
    let is_kept = |node: &Node| node.get("keep").is_some() && node.as_map().is_some_and(|entries| entries.len() == 1);
    if is_kept(hidden) && !is_kept(clear) {
        clear.kind = Kind::Text(format!("{SECRET}{}", clear.to_json()));
        return;
    }
    match (&mut clear.kind, &hidden.kind) {
        (Kind::Map(clear), Kind::Map(hidden)) => {
            for entry in clear {
                match hidden.iter().find(|other| other.key == entry.key) {
                    Some(other) => mark(&mut entry.value, &other.value),
                    // What is left out where secrets are hidden is one.
                    None => entry.value.kind = Kind::Text(format!("{SECRET}{}", entry.value.to_json())),
                }
            }
        }
        (Kind::List(clear), Kind::List(hidden)) => {
            clear.iter_mut().zip(hidden).for_each(|(clear, hidden)| mark(clear, hidden));
        }
        (
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(..)
            | Kind::Decimal(..)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_),
            _,
        ) => {}
    }
}

fn compared(old: &Node, new: &Node) -> Vec<Change> {
    let mut changes = Vec::new();
    maps(entries(old), entries(new), "", &mut changes);
    changes.truncate(CHANGES_MAX);
    changes
}

fn entries(node: &Node) -> &[Entry] {
    node.as_map().unwrap_or_default()
}

/// Two values at the same place.
fn values(old: &Node, new: &Node, of: &str, changes: &mut Vec<Change>) {
    if same(old, new) {
        return;
    }
    match (&old.kind, &new.kind) {
        (Kind::Map(old), Kind::Map(new)) => maps(old, new, of, changes),
        (Kind::List(old), Kind::List(new)) if !is_plain(old) || !is_plain(new) => lists(old, new, of, changes),
        (
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(..)
            | Kind::Decimal(..)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_),
            _,
        ) => changes.push(Change {
            of: of.to_owned(),
            what: What::Changed,
            from: Some(shown(old)),
            to: Some(shown(new)),
        }),
    }
}

fn maps(old: &[Entry], new: &[Entry], of: &str, changes: &mut Vec<Change>) {
    for entry in old {
        let of = inside(of, &entry.key);
        match new.iter().find(|other| other.key == entry.key) {
            Some(other) => values(&entry.value, &other.value, &of, changes),
            None => whole(&entry.value, &of, What::Went, changes),
        }
    }
    for entry in new.iter().filter(|entry| old.iter().all(|other| other.key != entry.key)) {
        whole(&entry.value, &inside(of, &entry.key), What::Came, changes);
    }
}

/// Something that came or went: of a list of things each by its name.
fn whole(value: &Node, of: &str, what: What, changes: &mut Vec<Change>) {
    match &value.kind {
        Kind::List(items) if items.iter().any(|item| name_of(item).is_some()) => {
            items.iter().enumerate().for_each(|(place, item)| changes.push(one(item, &item_of(of, item, place), what)));
        }
        Kind::List(_)
        | Kind::Map(_)
        | Kind::Null
        | Kind::Boolean(_)
        | Kind::Integer(..)
        | Kind::Decimal(..)
        | Kind::Text(_) => changes.push(one(value, of, what)),
    }
}

fn one(value: &Node, of: &str, what: What) -> Change {
    let shown = Some(shown(value));
    match what {
        What::Went => Change { of: of.to_owned(), what, from: shown, to: None },
        What::Came | What::Changed => Change { of: of.to_owned(), what, from: None, to: shown },
    }
}

/// Things with names are compared by them, wherever they stand; others in their order, as steps are.
fn lists(old: &[Node], new: &[Node], of: &str, changes: &mut Vec<Change>) {
    let (Some(olds), Some(news)) = (by_name(old), by_name(new)) else { return steps(old, new, of, changes) };
    let found =
        |names: &BTreeMap<String, &'_ Node>, item: &Node| name_of(item).is_some_and(|name| names.contains_key(&name));
    for (place, item) in old.iter().enumerate() {
        let of = item_of(of, item, place);
        match name_of(item).and_then(|name| news.get(&name)) {
            Some(other) => values(item, other, &of, changes),
            None => changes.push(one(item, &of, What::Went)),
        }
    }
    for (place, item) in new.iter().enumerate().filter(|(_, item)| !found(&olds, item)) {
        changes.push(one(item, &item_of(of, item, place), What::Came));
    }
}

/// The things of a list by their names, if each has one of its own.
fn by_name(list: &[Node]) -> Option<BTreeMap<String, &Node>> {
    let names = list.iter().map(|item| Some((name_of(item)?, item))).collect::<Option<BTreeMap<_, _>>>();
    names.filter(|names| names.len() == list.len())
}

/// What is the same at both ends stays; of what is between, items of the same word changed, others came and went.
fn steps(old: &[Node], new: &[Node], of: &str, changes: &mut Vec<Change>) {
    let kept = common(old, new);
    let ends = kept.iter().copied().chain([(old.len(), new.len())]);
    let (mut a, mut b) = (0, 0);
    for (until_a, until_b) in ends {
        let (gone, come) = (old.get(a..until_a).unwrap_or_default(), new.get(b..until_b).unwrap_or_default());
        let mut met = 0;
        for (place, item) in (a..).zip(gone) {
            let found = come
                .iter()
                .enumerate()
                .skip(met)
                .find(|(_, other)| word_of(item).is_some() && word_of(other) == word_of(item));
            let Some((at, other)) = found else {
                changes.push(one(item, &item_of(of, item, place), What::Went));
                continue;
            };
            let passed = come.iter().enumerate().skip(met).take(at - met);
            passed.for_each(|(at, item)| changes.push(one(item, &item_of(of, item, b + at), What::Came)));
            values(item, other, &item_of(of, other, b + at), changes);
            met = at + 1;
        }
        let rest = come.iter().enumerate().skip(met);
        rest.for_each(|(at, item)| changes.push(one(item, &item_of(of, item, b + at), What::Came)));
        (a, b) = (until_a + 1, until_b + 1);
    }
}

/// The places of a longest common part of two lists; of long ones that differ much, what is the same at both ends.
fn common(old: &[Node], new: &[Node]) -> Vec<(usize, usize)> {
    let texts = |items: &[Node]| items.iter().map(|item| item.to_json().to_string()).collect::<Vec<_>>();
    let (old, new) = (texts(old), texts(new));
    let start = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let rest = |list: &[String]| list.get(start..).unwrap_or_default().to_vec();
    let (mut middle, mut other) = (rest(&old), rest(&new));
    let end = middle.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    middle.truncate(middle.len() - end);
    other.truncate(other.len() - end);
    let mut kept: Vec<(usize, usize)> = (0..start).map(|place| (place, place)).collect();
    if middle.len().saturating_mul(other.len()) <= COMPARED_MAX {
        kept.extend(in_both(&middle, &other).into_iter().map(|(a, b)| (start + a, start + b)));
    }
    kept.extend((0..end).map(|place| (old.len() - end + place, new.len() - end + place)));
    kept
}

fn in_both(old: &[String], new: &[String]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    // How long it is from each pair of places on.
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    let at = |longest: &[u32], a: usize, b: usize| longest.get(a * width + b).copied().unwrap_or(0);
    for (a, one) in old.iter().enumerate().rev() {
        for (b, other) in new.iter().enumerate().rev() {
            let best = if one == other {
                at(&longest, a + 1, b + 1) + 1
            } else {
                at(&longest, a + 1, b).max(at(&longest, a, b + 1))
            };
            if let Some(place) = longest.get_mut(a * width + b) {
                *place = best;
            }
        }
    }
    let (mut a, mut b, mut kept) = (0, 0, Vec::new());
    while let (Some(one), Some(other)) = (old.get(a), new.get(b)) {
        if one == other {
            kept.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if at(&longest, a + 1, b) >= at(&longest, a, b + 1) {
            a += 1;
        } else {
            b += 1;
        }
    }
    kept
}

/// Whether they say the same, wherever they stand.
fn same(old: &Node, new: &Node) -> bool {
    old.to_json() == new.to_json()
}

/// Whether a list has values alone, such as days or keys.
fn is_plain(items: &[Node]) -> bool {
    items.iter().all(|item| item.as_map().is_none())
}

/// What a thing is called in its list: users, groups, routes and scenarios have such names.
fn name_of(item: &Node) -> Option<String> {
    ["id", "scenario", "number", "code", "on"]
        .into_iter()
        .find_map(|key| item.get(key)?.as_text().map(ToOwned::to_owned))
}

/// The word of a step.
fn word_of(item: &Node) -> Option<String> {
    const BESIDE: [&str; 6] = ["on", "then", "else", "steps", "continue", "note"];
    if let Some(word) = item.as_text() {
        return Some(word.to_owned());
    }
    item.as_map()?.iter().map(|entry| entry.key.clone()).find(|key| !BESIDE.contains(&key.as_str()))
}

/// How a thing in a list is called: `user 102`, `steps[2]`.
fn item_of(of: &str, item: &Node, place: usize) -> String {
    let Some(name) = name_of(item) else { return format!("{of}[{place}]") };
    let (before, list) = of.rsplit_once(": ").map_or(("", of), |(before, list)| (before, list));
    let kind = list.strip_suffix('s').unwrap_or(list);
    let kind = if before.is_empty() { kind.to_owned() } else { format!("{before}: {kind}") };
    format!("{kind} {name}")
}

fn inside(of: &str, key: &str) -> String {
    if of.is_empty() {
        return key.to_owned();
    }
    // A thing with a name, or a place within one.
    let is_thing = !of.contains(": ") && of.contains(' ');
    if is_thing { format!("{of}: {key}") } else { format!("{of}.{key}") }
}

/// A value in a line, without secrets.
fn shown(value: &Node) -> String {
    let mut value = value.clone();
    hide(&mut value);
    let text = match value.as_text() {
        Some(text) => text.to_owned(),
        None => value.to_json().to_string(),
    };
    if text.chars().count() <= VALUE_LEN_MAX {
        return text;
    }
    let kept: String = text.chars().take(VALUE_LEN_MAX).collect();
    format!("{kept}…")
}

fn hide(node: &mut Node) {
    match &mut node.kind {
        Kind::Text(text) if text.starts_with(SECRET) => "(secret)".clone_into(text),
        Kind::List(items) => items.iter_mut().for_each(hide),
        Kind::Map(entries) => entries.iter_mut().for_each(|entry| hide(&mut entry.value)),
        Kind::Null | Kind::Boolean(_) | Kind::Integer(..) | Kind::Decimal(..) | Kind::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        plugboard_document::parse("office.yaml", text).unwrap()
    }

    fn lines(old: &str, new: &str) -> Vec<String> {
        let line = |change: Change| {
            let sign = match change.what {
                What::Came => '+',
                What::Went => '-',
                What::Changed => '~',
            };
            let values = [change.from, change.to].into_iter().flatten().collect::<Vec<_>>().join(" -> ");
            format!("{sign} {}: {values}", change.of)
        };
        compared(&node(old), &node(new)).into_iter().map(line).collect()
    }

    #[test]
    fn things_with_names_come_go_and_change_wherever_they_stand() {
        let old =
            "users:\n  - { id: ann, number: 101, name: Ann }\n  - { id: bob, number: 102, forward: { busy: 101 } }\n";
        let new = "language: de\nusers:\n  - { id: bob, number: 102, forward: { busy: 103 } }\n  - { id: cem, number: 103 }\n";
        assert_eq!(
            lines(old, new),
            [
                r#"- user ann: {"id":"ann","name":"Ann","number":101}"#,
                "~ user bob: forward.busy: 101 -> 103",
                r#"+ user cem: {"id":"cem","number":103}"#,
                "+ language: de",
            ]
        );
        assert_eq!(lines(new, new), Vec::<String>::new());
    }

    #[test]
    fn a_step_that_came_moves_no_other() {
        let old = "scenarios:\n  - scenario: front\n    steps: [ { say: { text: Hello } }, { call-user: { target: 102 } }, hang-up ]\n";
        let new = "scenarios:\n  - scenario: front\n    steps: [ { say: { text: Hi } }, { wait: { for: 1s } }, { call-user: { target: 102 } } ]\n";
        assert_eq!(
            lines(old, new),
            [
                "~ scenario front: steps[0].say.text: Hello -> Hi",
                r#"+ scenario front: steps[1]: {"wait":{"for":"1s"}}"#,
                "- scenario front: steps[2]: hang-up",
            ]
        );
        let nested = |text: &str| {
            format!(
                "scenarios:\n  - scenario: front\n    steps: [ {{ if: x, then: [ {{ say: {{ text: {text} }} }} ] }} ]\n"
            )
        };
        assert_eq!(lines(&nested("a"), &nested("b")), ["~ scenario front: steps[0].then[0].say.text: a -> b"]);
    }

    #[test]
    fn a_secret_that_changed_is_told_and_not_shown() {
        let marked = |secret: &str| {
            let mut clear = node(&format!("users: [ {{ id: ann, password: {secret}, pin: 4711 }} ]"));
            mark(&mut clear, &node("users: [ { id: ann, password: { keep: true } } ]"));
            clear
        };
        let changes = compared(&marked("before"), &marked("after"));
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        assert_eq!((change.of.as_str(), change.what), ("user ann: password", What::Changed));
        assert_eq!((change.from.as_deref(), change.to.as_deref()), (Some("(secret)"), Some("(secret)")));
        let gone = compared(&marked("before"), &node("language: en"));
        assert!(!format!("{gone:?}").contains("before") && !format!("{gone:?}").contains("4711"), "{gone:?}");
    }
}
