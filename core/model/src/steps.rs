//! The steps that a call took, as its journal tells them.

use crate::{JournalEvent, RunEnd, StepRecord};

/// Steps kept in a record, the first ones.
const STEPS_MAX: usize = 256;

/// Gathers the steps of one call, of its journal's events in their order; at most 256, the first ones.
#[derive(Debug, Clone, Default)]
pub struct Steps(Vec<StepRecord>);

impl Steps {
    /// Takes the next event.
    pub fn note(&mut self, event: &JournalEvent) {
        match event {
            JournalEvent::Step { path, word } if self.0.len() < STEPS_MAX => {
                self.0.push(StepRecord { path: path.clone(), word: word.clone(), outcome: String::new() });
            }
            JournalEvent::Decided { path, branch } => {
                if let Some(step) = self.0.iter_mut().rev().find(|step| step.path == *path) {
                    step.outcome.clone_from(branch);
                }
            }
            JournalEvent::RunEnded { end, .. } => {
                // Runs are of steps, one after the other: the last step without an outcome is this run's.
                if let Some(step) = self.0.iter_mut().rev().find(|step| step.outcome.is_empty()) {
                    word_of(end).clone_into(&mut step.outcome);
                }
            }
            JournalEvent::Step { .. }
            | JournalEvent::Began { .. }
            | JournalEvent::Routed { .. }
            | JournalEvent::Assigned { .. }
            | JournalEvent::RunBegan { .. }
            | JournalEvent::Begin { .. }
            | JournalEvent::End { .. }
            | JournalEvent::PutAway { .. }
            | JournalEvent::LegBegan { .. }
            | JournalEvent::LegRang { .. }
            | JournalEvent::LegAnswered { .. }
            | JournalEvent::LegEnded { .. }
            | JournalEvent::Bridged { .. }
            | JournalEvent::Digit { .. }
            | JournalEvent::Note { .. }
            | JournalEvent::Ended { .. } => {}
        }
    }

    /// The steps so far.
    pub fn into_records(self) -> Vec<StepRecord> {
        self.0
    }
}

/// The outcome of a step as the scenario sees it.
fn word_of(end: &RunEnd) -> &str {
    match end {
        RunEnd::Outcome(outcome) => outcome,
        RunEnd::Cancelled => "cancelled",
        RunEnd::Failed(_) | RunEnd::Trapped { .. } | RunEnd::Limit { .. } | RunEnd::Diverged { .. } => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunId;

    fn step(path: &str) -> JournalEvent {
        JournalEvent::Step { path: path.into(), word: "call-user".into() }
    }

    fn outcomes(events: &[JournalEvent]) -> Vec<String> {
        let mut steps = Steps::default();
        for event in events {
            steps.note(event);
        }
        steps.into_records().into_iter().map(|step| step.outcome).collect()
    }

    #[test]
    fn each_step_gets_its_decision_or_the_end_of_its_run() {
        let ended = |end| JournalEvent::RunEnded { run: RunId(0), end };
        let told = outcomes(&[
            step("steps[0]"),
            ended(RunEnd::Outcome("no-answer".into())),
            step("steps[1]"),
            JournalEvent::Decided { path: "steps[1]".into(), branch: "then".into() },
            step("steps[2]"),
            ended(RunEnd::Failed("no such user".into())),
            step("steps[3]"),
            ended(RunEnd::Cancelled),
            step("steps[4]"),
        ]);
        assert_eq!(told, ["no-answer", "then", "failed", "cancelled", ""]);
    }

    #[test]
    fn a_scenario_that_goes_round_for_ever_fills_no_memory() {
        let events: Vec<_> = (0..2 * STEPS_MAX).map(|n| step(&format!("steps[{n}]"))).collect();
        assert_eq!(outcomes(&events).len(), STEPS_MAX);
    }
}
