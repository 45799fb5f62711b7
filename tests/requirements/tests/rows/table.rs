//! The table of the `README.md`: what it says of each row is so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The last row whose letter is built.
const LAST: u32 = 80;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the table, with the tests that it names: `file::test`.
fn table() -> BTreeMap<u32, Vec<String>> {
    let text = std::fs::read_to_string(root().join("tests/requirements/README.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let (row, rest) = line.strip_prefix("| R")?.split_once(" | ")?;
        let row = row.trim().parse().ok()?;
        let (_, tests) = rest.rsplit_once(" | ")?;
        Some((row, tests.trim_end_matches(" |").split(", ").map(|test| test.trim_matches('`').to_owned()).collect()))
    });
    rows.collect()
}

/// Whether a source file has a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}()");
    source.split_once(&head).is_some_and(|(before, _)| before.trim_end().ends_with("#[test]"))
}

#[test]
fn each_row_has_tests_from_end_to_end_that_carry_its_number() {
    let table = table();
    assert_eq!(table.keys().copied().collect::<BTreeSet<u32>>(), (1..=LAST).collect());
    for (row, tests) in table {
        assert!(!tests.is_empty(), "R{row}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("R{row}: {test} is no file::test"));
            assert!(name.split('_').any(|word| *word == format!("r{row}")), "{test} does not carry R{row}");
            let source = std::fs::read_to_string(root().join("tests").join(file));
            let source = source.unwrap_or_else(|error| panic!("R{row}: tests/{file}: {error}"));
            assert!(has_test(&source, name), "R{row}: tests/{file} has no test {name}");
        }
    }
}
