//! Counts what test programs print.

/// The sum of the results of test programs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests marked `#[ignore]`; the project has none.
    pub(crate) ignored: u64,
    /// What tests said they could not try on this machine, with the reason.
    pub(crate) skipped: Vec<String>,
}

impl Tally {
    /// Takes one line of a test program's output into account.
    ///
    /// Two kinds of lines count: libtest's `test result: ok. 5 passed; 0 failed; ...`, and
    /// `skipped: NAME: REASON`, which a test writes where the machine lacks what it needs.
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim();
        if let Some(what) = line.strip_prefix("skipped: ") {
            self.skipped.push(what.to_owned());
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.split(';') {
            let mut words = count.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_add_up() {
        let mut tally = Tally::default();
        tally.line("test answers_an_invite ... ok");
        tally.line("test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s");
        tally.line("test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        assert_eq!(tally, Tally { passed: 8, failed: 2, ignored: 1, skipped: vec![] });
    }

    #[test]
    fn a_skipped_test_keeps_its_reason() {
        let mut tally = Tally::default();
        tally.line("skipped: bare_machine: needs root");
        assert_eq!(tally.skipped, ["bare_machine: needs root"]);
    }
}
