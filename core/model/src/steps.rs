//! The steps that a call took, as its journal tells them.

use crate::{HostCall, JournalEvent, RunEnd, RunId, StepRecord, Time, WallTime};
use std::collections::{BTreeMap, BTreeSet};

/// Steps kept in a record, the first ones.
const STEPS_MAX: usize = 256;

/// The outcome of a step that ended the call.
const HUNG_UP: &str = "hung up";

/// Gathers the steps of one call, of its journal's events in their order; at most 256, the first ones.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    kept: Vec<StepRecord>,
    /// When the call began.
    call_began: Option<WallTime>,
    /// Where the scenario is: `None` before its first step and in one past the limit.
    current: Option<usize>,
    /// The step of each run that goes on; `None`: one past the limit.
    runs: BTreeMap<RunId, Option<usize>>,
    /// The run that asked for the call's end: that it is cancelled then is how it ends well.
    hangs_up: Option<RunId>,
    /// Paths of steps past the limit, as many as the scenario has at most: what is decided there is not of an earlier
    /// step, though that one may have had the same path.
    beyond: BTreeSet<String>,
}

impl Steps {
    /// A step starts a run. Told by whoever sees it, since several steps may be under way when the run tells that it has begun;
    /// without it the run is of the step that was taken last.
    pub fn starts(&mut self, run: RunId, path: &str) {
        self.runs.insert(run, self.kept.iter().rposition(|step| step.path == path));
    }

    /// Takes the next event, with its moment since the call's start.
    pub fn note(&mut self, at: Time, event: &JournalEvent) {
        let now = self.call_began.map(|began| began.after(at));
        match event {
            JournalEvent::Began { wall, .. } => self.call_began = Some(*wall),
            JournalEvent::Step { path, word } => {
                if self.kept.len() < STEPS_MAX {
                    self.current = Some(self.kept.len());
                    let (path, word) = (path.clone(), word.clone());
                    self.kept.push(StepRecord { path, word, outcome: String::new(), began: now, ended: None });
                } else {
                    self.current = None;
                    self.beyond.insert(path.clone());
                }
            }
            JournalEvent::Decided { path, branch } if !self.beyond.contains(path) => {
                if let Some(step) = self.kept.iter_mut().rev().find(|step| step.path == *path) {
                    step.outcome.clone_from(branch);
                    step.ended = now;
                }
            }
            JournalEvent::RunBegan { run, .. } => {
                self.runs.entry(*run).or_insert(self.current);
            }
            JournalEvent::RunEnded { run, end } => {
                // A line may be lost under pressure: then it is the run of where the scenario is.
                let step = self.runs.remove(run).unwrap_or(self.current);
                if let Some(step) = step.and_then(|step| self.kept.get_mut(step)) {
                    let hung_up = *end == RunEnd::Cancelled && self.hangs_up == Some(*run);
                    let word = if hung_up { HUNG_UP } else { word_of(end) };
                    word.clone_into(&mut step.outcome);
                    step.ended = now;
                }
            }
            JournalEvent::Begin { run, call: HostCall::HangUp(_), .. } => self.hangs_up = Some(*run),
            JournalEvent::Decided { .. }
            | JournalEvent::Routed { .. }
            | JournalEvent::Emergency { .. }
            | JournalEvent::Assigned { .. }
            | JournalEvent::Begin { .. }
            | JournalEvent::End { .. }
            | JournalEvent::PutAway { .. }
            | JournalEvent::LegBegan { .. }
            | JournalEvent::LegRang { .. }
            | JournalEvent::LegAnswered { .. }
            | JournalEvent::LegEnded { .. }
            | JournalEvent::Bridged { .. }
            | JournalEvent::Digit { .. }
            | JournalEvent::Held { .. }
            | JournalEvent::Resumed { .. }
            | JournalEvent::Transferred { .. }
            | JournalEvent::Forwarded { .. }
            | JournalEvent::FellSilent { .. }
            | JournalEvent::NotHeard { .. }
            | JournalEvent::HeardAgain { .. }
            | JournalEvent::NotRung { .. }
            | JournalEvent::PhoneOf { .. }
            | JournalEvent::Note { .. }
            | JournalEvent::Ended { .. } => {}
        }
    }

    /// The steps so far.
    pub fn into_records(self) -> Vec<StepRecord> {
        self.kept
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
    use crate::RunPins;

    fn step(path: &str) -> JournalEvent {
        JournalEvent::Step { path: path.into(), word: "call-user".into() }
    }

    fn began(run: u32) -> JournalEvent {
        let pins =
            RunPins { component: [0; 32], wit: String::new(), host: String::new(), journal: 1, limits: String::new() };
        JournalEvent::RunBegan { run: RunId(run), action: "call-user".into(), parameters: "{}".into(), pins }
    }

    fn ended(run: u32, outcome: &str) -> JournalEvent {
        JournalEvent::RunEnded { run: RunId(run), end: RunEnd::Outcome(outcome.into()) }
    }

    fn decided(path: &str) -> JournalEvent {
        JournalEvent::Decided { path: path.into(), branch: "then".into() }
    }

    fn outcomes(events: &[JournalEvent]) -> Vec<String> {
        let mut steps = Steps::default();
        for event in events {
            steps.note(Time::ZERO, event);
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

    /// So how long the caller waited is in the record.
    #[test]
    fn each_step_has_its_times() {
        let mut steps = Steps::default();
        let began_at = JournalEvent::Began {
            wall: WallTime(1_000),
            caller: "101".into(),
            called: "100".into(),
            caller_user: None,
            direction: crate::Direction::Internal,
        };
        let set = JournalEvent::Step { path: "steps[1]".into(), word: "set".into() };
        let happened = [
            (0, began_at),
            (5, step("steps[0]")),
            (6, began(0)),
            (42_000, ended(0, "answered")),
            (42_001, set),
            (42_002, step("steps[2]")),
            (42_003, decided("steps[2]")),
        ];
        for (millis, event) in &happened {
            steps.note(Time::from_millis(*millis), event);
        }
        let times: Vec<_> = steps.into_records().iter().map(|step| (step.began, step.ended)).collect();
        let at = |millis| Some(WallTime(millis));
        assert_eq!(times, [(at(1_005), at(43_000)), (at(43_001), None), (at(43_002), at(43_003))]);
    }

    #[test]
    fn the_end_of_a_run_is_told_of_its_own_step() {
        let set = JournalEvent::Step { path: "steps[0]".into(), word: "set".into() };
        let told =
            outcomes(&[set, step("steps[1]"), began(0), step("steps[2]"), began(1), ended(1, "b"), ended(0, "a")]);
        assert_eq!(told, ["", "a", "b"]);
    }

    #[test]
    fn a_step_that_ends_the_call_is_told_so_and_one_that_the_end_cuts_off_is_cancelled() {
        let hang_up =
            JournalEvent::Begin { run: RunId(0), n: 0, call: HostCall::HangUp(crate::Cause::of(480)), hash: [0; 32] };
        let over = || JournalEvent::RunEnded { run: RunId(0), end: RunEnd::Cancelled };
        assert_eq!(outcomes(&[step("steps[0]"), began(0), hang_up, over()]), ["hung up"]);
        assert_eq!(outcomes(&[step("steps[0]"), began(0), over()]), ["cancelled"]);
    }

    #[test]
    fn what_happens_past_the_last_step_that_is_kept_changes_no_earlier_one() {
        let mut events: Vec<_> = (0..STEPS_MAX - 1).map(|n| step(&format!("steps[{n}]"))).collect();
        // Of the last that is kept, the run ends after more have begun.
        events.extend([step("steps[255]"), began(0)]);
        // The scenario goes round: steps of the same paths.
        for n in 0..3 {
            let path = format!("steps[{n}]");
            events.extend([step(&path), began(n + 1), ended(n + 1, "late"), decided(&path)]);
        }
        events.extend([step("steps[9]"), ended(77, "late"), ended(0, "in time")]);
        let told = outcomes(&events);
        assert_eq!(told.len(), STEPS_MAX);
        assert_eq!(told.last().map(String::as_str), Some("in time"));
        assert!(told.iter().rev().skip(1).all(String::is_empty), "{told:?}");
    }

    #[test]
    fn a_scenario_that_goes_round_for_ever_fills_no_memory() {
        let events: Vec<_> = (0..2 * STEPS_MAX).map(|n| step(&format!("steps[{n}]"))).collect();
        assert_eq!(outcomes(&events).len(), STEPS_MAX);
    }
}
