//! `cargo verify`: set up, then every check and test; the cheap ones first, the programs of others last.

use crate::args::VerifyWish;
use crate::machine;
use crate::notices;
use crate::plugins;
use crate::project::Project;
use crate::rust;
use crate::step::{Log, Show, Steps};
use crate::suites::{self, Suite};
use crate::tally::Tally;
use crate::tools::{self, DENY};

/// Steps of the set-up.
const SETUP_STEPS: usize = 3;
/// Steps of the whole.
const ALL_STEPS: usize = 14;

/// Runs everything; what does not depend on a failed step is still tried. Answers whether all went well.
pub(crate) fn verify(project: &Project, wish: VerifyWish) -> bool {
    let mut steps = match Steps::new(project, if wish.setup_only { SETUP_STEPS } else { ALL_STEPS }) {
        Ok(steps) => steps,
        Err(failure) => return failure.print(),
    };
    let mut tally = Tally::default();
    let ready = set_up(project, &mut steps);
    if wish.setup_only {
        return ready;
    }
    if ready {
        check(project, &mut steps);
        test(project, &mut steps, wish.long, &mut tally);
    }
    conclude(&steps, &tally)
}

fn set_up(project: &Project, steps: &mut Steps) -> bool {
    steps.run("machine", "the machine", &mut |log| machine::for_tests(project, log))
        && steps.run("rust", "the Rust toolchain", &mut |log| rust::for_tests(project, log))
        && steps.run("tools", "the checking tools", &mut |log| tools::provide(project, log))
}

/// The checks that read the code and build no program.
fn check(project: &Project, steps: &mut Steps) {
    let quietly = |log: &mut Log, mut command: std::process::Command| {
        log.run(&mut command, Show::OnFailure).map(|()| String::new())
    };
    steps.run("fmt", "formatting", &mut |log| quietly(log, project.cargo(&["fmt", "--all", "--check"])));
    steps.run("notices", "third-party notices", &mut |log| notices::check(project, log));
    steps.run("deny", "licences, bans, sources", &mut |log| {
        let args = ["--config", ".deny.toml", "--all-features", "check", "bans", "licenses", "sources"];
        quietly(log, project.command(DENY.program(), &args))
    });
    steps.run("clippy", "lints", &mut |log| {
        quietly(
            log,
            project.cargo(&["clippy", "--release", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
        )
    });
    steps.run("doc", "documentation", &mut |log| {
        // With the examples named, the features are those of the lints, and nothing is checked twice.
        let args = ["doc", "--release", "--workspace", "--no-deps", "--lib", "--bins", "--examples"];
        let mut doc = project.cargo(&args);
        // Nobody reads pages about an action's inside; the lints have read its comments.
        doc.args(["--exclude", "plugboard-action-*", "--exclude", "plugboard-integration-*"]);
        doc.env("RUSTDOCFLAGS", "--deny warnings");
        quietly(log, doc)
    });
}

/// Plugins, test programs, tests.
fn test(project: &Project, steps: &mut Steps, long: bool, tally: &mut Tally) {
    let mut all: Vec<Suite> = Vec::new();
    let built = steps.run("plugins", "build the plugins", &mut |log| plugins::build(project, log))
        && steps.run("build", "build the switch and the tests", &mut |log| {
            all = suites::build(project, log)?;
            Ok(format!("{} test programs", all.len()))
        });
    if !built {
        return;
    }
    let (interop, own): (Vec<Suite>, Vec<Suite>) = all.into_iter().partition(|suite| suite.is_interop(project));
    let (tidy, own): (Vec<Suite>, Vec<Suite>) = own.into_iter().partition(|suite| suite.is_tidy(project));
    steps.run("tidy", "the shape of the workspace", &mut |log| suites::run(project, log, &tidy, long, tally));
    steps.run("tests", "tests", &mut |log| suites::run(project, log, &own, long, tally));
    steps.run("doctests", "examples in the documentation", &mut |log| suites::run_doc_tests(project, log, long, tally));
    steps
        .run("interop", "interop with programs of others", &mut |log| suites::run(project, log, &interop, long, tally));
}

/// The closing table; its last line counts tests and checks together.
fn conclude(steps: &Steps, tally: &Tally) -> bool {
    steps.print_table();
    for skipped in &tally.skipped {
        println!("skipped: {skipped}");
    }
    let (passed, failed) = steps.count();
    println!("tests: {} passed, {} failed; steps: {passed} passed, {failed} failed", tally.passed, tally.failed);
    // A failed step of tests is counted by its tests; where it has none that failed, it did not get that far.
    let failed = failed.max(tally.failed);
    println!("{} passed, {failed} failed", tally.passed + passed);
    failed == 0 && steps.is_complete()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Failure;

    #[test]
    fn a_run_with_untried_steps_is_no_success() {
        let target = std::env::temp_dir().join(format!("plugboard-verify-{}", std::process::id()));
        let project = Project { root: target.clone(), target };
        let mut steps = Steps::new(&project, 2).unwrap();
        steps.run("one", "one", &mut |_| Ok(String::new()));
        assert!(!conclude(&steps, &Tally::default()));
        steps.run("two", "two", &mut |_| Ok(String::new()));
        assert!(conclude(&steps, &Tally::default()));
    }

    #[test]
    fn a_failed_step_is_no_success_even_when_every_test_passed() {
        let target = std::env::temp_dir().join(format!("plugboard-verify-failed-{}", std::process::id()));
        let project = Project { root: target.clone(), target };
        let mut steps = Steps::new(&project, 1).unwrap();
        steps.run("lints", "lints", &mut |_| Err(Failure::new("one lint")));
        assert!(!conclude(&steps, &Tally { passed: 7, ..Tally::default() }));
    }
}
