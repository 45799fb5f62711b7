//! All the ways that a call can go, as far as they are tried.

#![expect(clippy::wildcard_enum_match_arm, reason = "looks for a few entries of a journal among many")]

use plugboard_model::{
    CallOutcome, Dialled, HostCall, HostResult, JournalEntry, JournalEvent, PlayEnd, RunEnd, WallTime,
};
use plugboard_office::{Inquiry, Source};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::decisions::Decisions;
use super::plan::{Caller, Plan};
use super::{NotRehearsed, Rehearsed, Stage, perform};

/// What was found out about a call by trying its ways.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// Calls that were made.
    pub calls: usize,
    /// Ways that were not tried, since there were too many.
    pub ways_left: usize,
    /// How they ended, in words, and how many did.
    pub endings: BTreeMap<String, usize>,
    /// The steps that were taken, by scenario.
    pub reached: BTreeSet<(String, String)>,
    /// Those of the same scenarios that never were: path and word.
    pub never: BTreeSet<(String, String, String)>,
    /// What an author should know, the most frequent first.
    pub findings: Vec<Finding>,
}

/// Something that an author should know.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is.
    pub what: String,
    /// In how many calls it came.
    pub calls: usize,
    /// The first of them.
    pub plan: Plan,
}

/// Lets a call go each way that it can, one after the other, the short ones first, at most so many; at each of these times. After each
/// call `tell` hears how many were made; it may end the search.
///
/// # Errors
/// [`NotRehearsed`].
pub fn explore(
    stage: &Stage,
    plan: &Plan,
    times: &[WallTime],
    most: usize,
    mut tell: impl FnMut(usize) -> bool,
) -> Result<Explored, NotRehearsed> {
    let keys = keys_of(stage);
    let mut explored = Explored::default();
    let mut found: BTreeMap<String, (usize, Plan)> = BTreeMap::new();
    let plans: Vec<Plan> = match times {
        [] => vec![plan.clone()],
        times => times.iter().map(|at| Plan { at: Some(*at), ..plan.clone() }).collect(),
    };
    let mut open: VecDeque<(usize, Vec<usize>)> = (0..plans.len()).map(|which| (which, Vec::new())).collect();
    let mut scenarios = BTreeSet::new();
    while let Some((which, way)) = open.pop_front().filter(|_| explored.calls < most) {
        let Some(plan) = plans.get(which) else { continue };
        let (call, decisions) = perform(stage, Decisions::exploring(plan, &keys, way))?;
        open.extend(decisions.other_ways().into_iter().map(|way| (which, way)));
        explored.calls += 1;
        note(&mut explored, &mut scenarios, &call);
        for what in faults(&call) {
            found.entry(what).or_insert_with(|| (0, call.plan.clone())).0 += 1;
        }
        if !tell(explored.calls) {
            break;
        }
    }
    explored.ways_left = open.len();
    for program in stage.programs.values().filter(|program| scenarios.contains(program.id().name.as_str())) {
        let name = program.id().name.to_string();
        for (path, word) in program.steps() {
            if !explored.reached.contains(&(name.clone(), path.to_owned())) {
                explored.never.insert((name.clone(), path.to_owned(), word.to_owned()));
            }
        }
    }
    explored.findings = found.into_iter().map(|(what, (calls, plan))| Finding { what, calls, plan }).collect();
    explored.findings.sort_by_key(|finding| std::cmp::Reverse(finding.calls));
    Ok(explored)
}

/// Moments at which the office's clocks decide differently, the first of each kind, in the year after this one; at most so many.
pub fn times_of(stage: &Stage, plan: &Plan, from: WallTime, most: usize) -> Vec<WallTime> {
    const STEP_MS: i64 = 30 * 60 * 1_000;
    const STEPS: i64 = 366 * 48;
    let source = match &plan.from {
        Caller::User(user) => Source::User(user.clone()),
        Caller::Outside { gateway, .. } => Source::Gateway(gateway.clone()),
    };
    let called = Dialled::new(&plan.to).ok();
    let mut seen = BTreeSet::new();
    let mut times = Vec::new();
    for step in 0..STEPS {
        let at = WallTime(from.0.saturating_add(step * STEP_MS));
        let clocks: Vec<bool> = stage.programs.values().flat_map(|program| program.clock_says(at)).collect();
        let way = called.as_ref().map(|called| {
            let caller = if let Caller::Outside { number, .. } = &plan.from { number.as_str() } else { "" };
            format!("{:?}", stage.office.route(&Inquiry::new(&source, called, at).by(caller)))
        });
        if seen.insert((clocks, way)) {
            times.push(at);
            if times.len() >= most {
                break;
            }
        }
    }
    times
}

/// What callers may key in any menu of the office, one that is in none, and an internal number where they are put through.
fn keys_of(stage: &Stage) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for program in stage.programs.values() {
        for (own, extensions) in program.menus() {
            keys.extend(own.into_iter().map(ToOwned::to_owned));
            if extensions {
                keys.extend(stage.office.users().next().map(|user| user.number.as_str().to_owned()));
            }
        }
    }
    let unknown = ["9", "8", "7", "*", "#"].into_iter().find(|key| !keys.contains(*key));
    keys.extend(unknown.filter(|_| !keys.is_empty()).map(ToOwned::to_owned));
    keys
}

fn note(explored: &mut Explored, scenarios: &mut BTreeSet<String>, call: &Rehearsed) {
    for entries in &call.journals {
        let mut scenario = String::new();
        for entry in entries {
            match &entry.event {
                JournalEvent::Routed { scenario: begins, .. } => {
                    scenario = begins.name.to_string();
                    scenarios.insert(scenario.clone());
                }
                JournalEvent::Step { path, .. } => {
                    explored.reached.insert((scenario.clone(), path.clone()));
                }
                _ => {}
            }
        }
    }
    let ending =
        call.records.first().map_or_else(|| "no record".to_owned(), |record| record.outcome.as_str().to_owned());
    *explored.endings.entry(ending).or_default() += 1;
}

/// What is wrong with a call, each once.
fn faults(call: &Rehearsed) -> BTreeSet<String> {
    let mut faults = BTreeSet::new();
    if !call.left.is_empty() {
        faults.insert(format!("it does not end: {} are left", call.left.join(", ")));
    }
    for entries in &call.journals {
        let mut names = BTreeMap::new();
        let mut at = "";
        for entry in entries {
            match &entry.event {
                JournalEvent::Step { path, .. } => at = path,
                JournalEvent::RunBegan { run, action, .. } => {
                    names.insert(*run, (action.as_str(), at));
                }
                JournalEvent::End { result: HostResult::Played(Ok(PlayEnd::NotPlayable(why))), .. } => {
                    faults.insert(format!("{at}: {why}"));
                }
                JournalEvent::RunEnded { run, end } => {
                    let (action, path) = names.get(run).copied().unwrap_or_default();
                    let why = match end {
                        RunEnd::Failed(why) => why.clone(),
                        RunEnd::Trapped { reason, .. } => format!("it trapped: {reason}"),
                        RunEnd::Limit { limit, .. } => format!("it exceeded its limit {limit}"),
                        RunEnd::Diverged { .. } => "it diverged from its journal".to_owned(),
                        RunEnd::Outcome(outcome) if outcome == "failed" => "its outcome is failed".to_owned(),
                        RunEnd::Outcome(_) | RunEnd::Cancelled => continue,
                    };
                    faults.insert(format!("{path}: {action} fails: {why}"));
                }
                JournalEvent::Note { text } if is_fault(text) => {
                    faults.insert(text.clone());
                }
                _ => {}
            }
        }
        if is_silent(entries) {
            faults.insert("the caller is answered, hears nothing, talks to nobody, and is hung up on".into());
        }
    }
    for record in &call.records {
        if let CallOutcome::Failed(cause) = &record.outcome {
            faults.insert(format!("the call fails: {} {}", cause.status, cause.text));
        }
    }
    faults
}

/// Of what the switch notes of a call, what its author did not mean.
fn is_fault(note: &str) -> bool {
    let words =
        ["counts as false", "could not be set", "has no value", "denied: ", "too many steps", "the scenario ends: "];
    words.iter().any(|word| note.contains(word))
}

/// Whether somebody called in vain, without a word.
fn is_silent(entries: &[JournalEntry]) -> bool {
    let mut answered = false;
    for entry in entries {
        match &entry.event {
            JournalEvent::LegAnswered { leg } if leg.0 == 0 => answered = true,
            JournalEvent::Bridged { .. } | JournalEvent::Digit { .. } => return false,
            JournalEvent::Begin { call, .. } => match call {
                HostCall::Collect(plugboard_model::CollectRequest { prompt: None, .. })
                | HostCall::GetInfo
                | HostCall::Answer
                | HostCall::HangUp(_)
                | HostCall::FindUser(_)
                | HostCall::FindGroup(_)
                | HostCall::FindMembers { .. }
                | HostCall::GetVariable(_)
                | HostCall::SetVariable { .. }
                | HostCall::Log { .. }
                | HostCall::Now
                | HostCall::RandomBytes(_)
                | HostCall::RandomBelow(_)
                | HostCall::Http(_)
                | HostCall::Query(_)
                | HostCall::SendMail(_)
                | HostCall::SendText(_)
                | HostCall::PostLater(_)
                | HostCall::LastTalk { .. }
                | HostCall::FindContact(_) => {}
                _ => return false,
            },
            JournalEvent::LegEnded { leg, cause } if leg.0 == 0 && *cause == plugboard_model::Cause::hung_up() => {}
            _ => {}
        }
    }
    answered
}
