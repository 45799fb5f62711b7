//! The manner of the sources: sizes, words, promises.

use plugboard_tests_tidy::{Source, sources};

/// A file is one noun; past this it is most likely two. A guide for the eye: what belongs together stays together.
const LINES: usize = 700;
/// Files that are longer, and how long they may be: the number only goes down.
const LONGER: &[(&str, usize)] = &[];

/// What no file says: places and people of somebody's workshop. Halved, so that this file does not say them either.
const FOREIGN_WORDS: [(&str, &str); 7] = [
    ("/wo", "rk/"),
    ("/tmp/", "pb"),
    ("/ro", "ot/"),
    ("Clau", "de"),
    ("Anthro", "pic"),
    ("ChatG", "PT"),
    ("sub", "agent"),
];

fn complaints(sources: &[Source], fault: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            complaints.extend(fault(line).map(|fault| format!("{}:{}: {fault}", source.path, number + 1)));
        }
    }
    complaints
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    for source in sources(&[".rs", ".ts", ".tsx", ".py"]) {
        let limit = LONGER.iter().find(|(path, _)| *path == source.path).map_or(LINES, |(_, limit)| *limit);
        let lines = source.text.lines().count();
        assert!(lines <= limit, "{} has {lines} lines, the limit is {limit}", source.path);
    }
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let words: Vec<String> = FOREIGN_WORDS.iter().map(|(one, other)| format!("{one}{other}")).collect();
    let all = sources(&[".rs", ".md", ".toml", ".wit", ".yaml", ".yml", ".json", ".sh", "run", ".txt"]);
    let ours: Vec<Source> =
        all.into_iter().filter(|source| !source.path.ends_with("third-party-licenses.txt")).collect();
    let found = complaints(&ours, |line| words.iter().find(|word| line.contains(*word)).cloned());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_for_later() {
    let marks = [format!("TO{}", "DO"), format!("FIX{}", "ME")];
    let found = complaints(&sources(&[".rs"]), |line| {
        let is_ignored = line.trim_start().starts_with("#[ignore");
        if is_ignored {
            Some("an ignored test".into())
        } else {
            marks.iter().find(|mark| line.contains(*mark)).cloned()
        }
    });
    // A note for later is allowed where it names the issue that will see to it.
    let found: Vec<&String> = found.iter().filter(|complaint| !complaint.contains("(#")).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_snapshot_waits_for_somebody_to_look_at_it() {
    let found = sources(&[".pending-snap", ".snap.new"]);
    assert!(found.is_empty(), "{:#?}", found.iter().map(|source| &source.path).collect::<Vec<_>>());
}
