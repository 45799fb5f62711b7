//! Builds and runs the tests of the workspace, some test programs beside one another.
//!
//! Cargo builds them all in one go, so that every library is compiled once, with one set of features; they are run from
//! here, so that the tests against programs of others come last and one that hangs is named.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::json::Json;
use crate::project::Project;
use crate::step::{Failure, Log, Show};
use crate::tally::Tally;

/// No test program of a short round takes longer, even on a slow machine; one that does hangs.
const LIMIT: Duration = Duration::from_mins(15);
/// The full rounds are allowed to take a night.
const LONG_LIMIT: Duration = Duration::from_hours(8);

/// One test program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Suite {
    /// The package's folder: tests run in there, as under cargo.
    folder: PathBuf,
    /// The source file that the program was built from.
    source: PathBuf,
    program: PathBuf,
}

impl Suite {
    /// Whether it talks to programs that were not written here.
    pub(crate) fn is_interop(&self, project: &Project) -> bool {
        self.folder.starts_with(project.root.join("tests/interop"))
    }

    /// Whether it checks the shape of the workspace.
    pub(crate) fn is_tidy(&self, project: &Project) -> bool {
        self.folder.starts_with(project.root.join("tests/tidy"))
    }
}

/// Builds every test program of the workspace.
pub(crate) fn build(project: &Project, log: &mut Log) -> Result<Vec<Suite>, Failure> {
    let args = ["test", "--release", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let mut suites = Vec::new();
    log.watch(&mut project.cargo(&args), Show::OnFailure, None, &mut |line| suites.extend(suite(line)))?;
    suites.sort();
    suites.dedup();
    Ok(suites)
}

/// The test program that a line of cargo's JSON tells of.
fn suite(line: &str) -> Option<Suite> {
    let message = line.starts_with('{').then(|| Json::read(line).ok())??;
    let is_test = message.get("profile").and_then(|profile| profile.get("test")) == Some(&Json::Bool(true));
    let program = message.text("executable").filter(|_| is_test)?;
    let folder = Path::new(message.text("manifest_path")?).parent()?;
    let source = message.get("target")?.text("src_path")?;
    Some(Suite { folder: folder.into(), source: source.into(), program: program.into() })
}

/// Runs test programs, all of them even when one fails, as many at once as the machine has cores and one more.
///
/// Those of the switch's own code compute; those with programs of others wait for phones that speak.
pub(crate) fn run(
    project: &Project,
    log: &mut Log,
    suites: &[Suite],
    full: bool,
    tally: &mut Tally,
) -> Result<String, Failure> {
    let before = tally.clone();
    let mut failures = Vec::new();
    let programs = suites.iter().map(|suite| {
        let mut test = project.command(&suite.program, &[]);
        test.current_dir(&suite.folder).env("CARGO_MANIFEST_DIR", &suite.folder);
        settings(project, &mut test, full);
        test
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let limit = if full { LONG_LIMIT } else { LIMIT };
    log.crowd(programs.collect(), cores + 1, limit, &mut |end| {
        let Some(suite) = suites.get(end.place) else { return };
        println!("\n     Running {} ({})", project.shown(&suite.source), suite.program.display());
        // The first line is the command, which the log keeps.
        for line in end.lines.iter().skip(1) {
            println!("{line}");
            tally.line(line);
        }
        if let Err(failure) = end.result {
            failures.push((suite, failure));
        }
    });
    summary(project, &before, tally, failures)
}

/// Runs the examples of the documentation.
pub(crate) fn run_doc_tests(
    project: &Project,
    log: &mut Log,
    full: bool,
    tally: &mut Tally,
) -> Result<String, Failure> {
    let mut test = project.cargo(&["test", "--release", "--workspace", "--doc"]);
    settings(project, &mut test, full);
    let before = tally.clone();
    log.watch(&mut test, Show::Always, None, &mut |line| tally.line(line))?;
    summary(project, &before, tally, Vec::new())
}

fn settings(project: &Project, test: &mut std::process::Command, full: bool) {
    test.env("CARGO_TARGET_DIR", &project.target).env("PLUGBOARD_PLUGINS", crate::plugins::folder(project));
    test.env("PLUGBOARD_TOOLS", project.tools());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [project.tools().join("bin")].into_iter().chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(folders) {
        test.env("PATH", path);
    }
    if full {
        test.env("PLUGBOARD_LONG", "1");
    }
}

fn summary(
    project: &Project,
    before: &Tally,
    tally: &Tally,
    failures: Vec<(&Suite, Failure)>,
) -> Result<String, Failure> {
    let (passed, ignored) = (tally.passed - before.passed, tally.ignored - before.ignored);
    for (suite, failure) in &failures {
        println!("    {}: {}", project.shown(&suite.source), failure.why());
    }
    match failures.into_iter().next() {
        Some((_, first)) => Err(first),
        None if ignored > 0 => {
            Err(Failure::new(format!("{ignored} tests are marked #[ignore]; make them pass or take them out")))
        }
        None => Ok(format!("{passed} tests passed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARTIFACT: &str = r#"{"reason":"compiler-artifact","package_id":"x","manifest_path":"/w/core/sip/Cargo.toml",
        "target":{"kind":["lib"],"name":"sip","src_path":"/w/core/sip/src/lib.rs"},"profile":{"test":true},
        "executable":"/w/target/release/deps/sip-1"}"#;

    #[test]
    fn a_test_program_is_read_from_cargos_message() {
        let expected = Suite {
            folder: "/w/core/sip".into(),
            source: "/w/core/sip/src/lib.rs".into(),
            program: "/w/target/release/deps/sip-1".into(),
        };
        assert_eq!(suite(ARTIFACT), Some(expected));
    }

    #[test]
    fn programs_that_are_no_tests_and_other_lines_are_passed_over() {
        assert_eq!(suite(&ARTIFACT.replace("\"test\":true", "\"test\":false")), None);
        assert_eq!(suite(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(suite("   Compiling sip v0.1.0"), None);
    }
}
