//! Libraries are compiled once: both commands, the lints and the documentation take the same features for them.
//!
//! Cargo unites the features of the packages that are named together. Half an hour of compiling hangs on naming the
//! same ones everywhere, and nothing but time would tell.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a test that cannot read the graph has failed")]

use std::collections::BTreeSet;
use std::process::Command;

use plugboard_tests_tidy::root;
use serde_json::Value;

/// `core/setup/src/project.rs`: how one program is built.
const PROGRAM: &str = "build --release --workspace --test build_once --bin plugboard";
/// `core/setup/src/suites.rs`: how all tests are built.
const TESTS: &str = "test --release --workspace";
/// `core/setup/src/verify.rs`: clippy is a check with another compiler in front.
const LINTS: &str = "check --release --workspace --all-targets";
/// `core/setup/src/verify.rs`.
const DOCUMENTATION: &str = "doc --release --workspace --no-deps --lib --bins --examples --exclude plugboard-action-* --exclude plugboard-integration-*";
/// By hand.
const ONE_PACKAGE: &str = "build --release --package plugboard-server";

/// The compilations of other people's crates that a command line stands for; `only` those that one crate rests on.
fn compilations(line: &str, only: Option<&str>) -> BTreeSet<String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(line.split(' ')).args(["-Z", "unstable-options", "--unit-graph", "--offline"]).current_dir(root());
    // The graph is printed by a flag that is not stable; it builds nothing.
    let output = cargo.env("RUSTC_BOOTSTRAP", "1").output().expect("cargo runs");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let graph: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let units: Vec<&Value> = graph["units"].as_array().into_iter().flatten().collect();
    let name = |unit: &Value| unit["pkg_id"].as_str().unwrap_or_default().to_owned();

    let mut ahead: Vec<usize> =
        (0..units.len()).filter(|index| only.is_none_or(|only| name(units[*index]).contains(only))).collect();
    let mut seen = BTreeSet::new();
    while let Some(index) = ahead.pop() {
        if seen.insert(index) {
            let below = units[index]["dependencies"].as_array().into_iter().flatten();
            ahead.extend(below.filter_map(|unit| usize::try_from(unit["index"].as_u64()?).ok()));
        }
    }
    let foreign = seen.into_iter().map(|index| units[index]).filter(|unit| name(unit).starts_with("registry+"));
    foreign
        .map(|unit| {
            let profile = &unit["profile"];
            format!(
                "{} {} {} {} {} {}",
                name(unit),
                unit["mode"],
                unit["platform"],
                unit["features"],
                profile["opt_level"],
                profile["panic"]
            )
        })
        .collect()
}

#[test]
fn what_cargo_up_compiles_serves_cargo_verify() {
    let (up, verify) = (compilations(PROGRAM, None), compilations(TESTS, None));
    let twice: Vec<&String> = up.difference(&verify).collect();
    assert!(up.len() > 100, "only {} compilations", up.len());
    assert!(twice.is_empty(), "compiled by `cargo up` and differently by `cargo verify`: {twice:#?}");
}

#[test]
fn lints_and_documentation_share_what_they_check() {
    let (documentation, lints) = (compilations(DOCUMENTATION, None), compilations(LINTS, None));
    let twice: Vec<&String> = documentation.difference(&lints).collect();
    assert!(twice.is_empty(), "checked once for the lints and again for the documentation: {twice:#?}");
}

#[test]
fn rocksdb_is_compiled_once() {
    let all = compilations(TESTS, Some("librocksdb-sys"));
    assert!(all.iter().any(|unit| unit.contains("run-custom-build")), "{all:#?}");
    for line in [PROGRAM, LINTS, ONE_PACKAGE] {
        let built: BTreeSet<String> = compilations(line, Some("librocksdb-sys"));
        // A check reads what a build makes; the compilation in C++ is the build script's, and the same.
        let script = |units: &BTreeSet<String>| -> BTreeSet<String> {
            units.iter().filter(|unit| !unit.contains("\"check\"")).cloned().collect()
        };
        let strange: Vec<String> = script(&built).difference(&script(&all)).cloned().collect();
        assert!(strange.is_empty(), "`cargo {line}` compiles RocksDB once more, for the sake of {strange:#?}");
    }
}
