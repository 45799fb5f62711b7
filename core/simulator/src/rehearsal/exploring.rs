//! All the ways that a call can go, as far as they are tried.

#![expect(clippy::wildcard_enum_match_arm, reason = "looks for a few entries of a journal among many")]

use plugboard_model::{JournalEvent, WallTime};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::answers::Answers;
use super::decisions::Decisions;
use super::faults::{faults, outages};
use super::plan::Plan;
use super::times::{Almanac, Times};
use super::{NotRehearsed, Rehearsed, Stage, perform};

/// What was found out about a call by trying its ways.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// Calls that were made.
    pub calls: usize,
    /// Ways that were not tried, since there were too many.
    pub ways_left: usize,
    /// Whoever was told of each call ended the search.
    pub stopped: bool,
    /// When the calls began.
    pub times: Vec<WallTime>,
    /// Moments at which clocks decide otherwise that were not tried, since there were too many.
    pub times_left: usize,
    /// Answers that were not tried, since there were too many: of which service or query, and how many.
    pub answers_left: BTreeMap<String, usize>,
    /// The scenarios that ran, each with the route that led to it, as [`Rehearsed::ran`] has it, and in how many calls they did.
    pub ran: BTreeMap<(String, String), usize>,
    /// How they ended, in words, and how many did.
    pub endings: BTreeMap<String, usize>,
    /// The steps that were taken, by scenario.
    pub reached: BTreeSet<(String, String)>,
    /// Those of the same scenarios that never were: path and word.
    pub never: BTreeSet<(String, String, String)>,
    /// What an author should know, the most frequent first.
    pub findings: Vec<Finding>,
    /// What the caller gets when a service, a database or whoever carries messages on does not do its part, the most frequent first.
    pub outages: Vec<Finding>,
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

/// What was found, in how many calls, and the first of them.
#[derive(Default)]
struct Found(BTreeMap<String, (usize, Plan)>);

impl Found {
    fn add(&mut self, what: BTreeSet<String>, plan: &Plan) {
        for what in what {
            self.0.entry(what).or_insert_with(|| (0, plan.clone())).0 += 1;
        }
    }

    fn sorted(self) -> Vec<Finding> {
        let found = self.0.into_iter().map(|(what, (calls, plan))| Finding { what, calls, plan });
        let mut found: Vec<Finding> = found.collect();
        found.sort_by_key(|finding| std::cmp::Reverse(finding.calls));
        found
    }
}

/// Lets a call go each way that it can, one after the other, the short ones first, at most so many; at each of these times. After each
/// call `tell` hears how many were made; it may end the search.
///
/// # Errors
/// [`NotRehearsed`].
pub fn explore(
    stage: &Stage,
    plan: &Plan,
    times: &Times,
    most: usize,
    mut tell: impl FnMut(usize) -> bool,
) -> Result<Explored, NotRehearsed> {
    let (keys, answers) = (keys_of(stage), Arc::new(Answers::of(stage, &plan.from)));
    let mut explored = Explored::default();
    let (mut found, mut outside) = (Found::default(), Found::default());
    let mut almanac = Almanac::new(stage, plan, times);
    let mut open: VecDeque<(usize, Vec<usize>)> = (0..almanac.moments.len()).map(|which| (which, Vec::new())).collect();
    let mut scenarios = BTreeSet::new();
    while let Some((which, way)) = next(&mut open, explored.calls < most && !explored.stopped) {
        let plan = Plan { at: almanac.moments.get(which).copied(), ..plan.clone() };
        let (call, decisions) = perform(stage, Decisions::exploring(&plan, &keys, &answers, way), |_, _| ())?;
        open.extend(decisions.other_ways().into_iter().map(|way| (which, way)));
        explored.calls += 1;
        let known = scenarios.len();
        note(&mut explored, &mut scenarios, &call);
        if scenarios.len() > known {
            let (first, new) = (almanac.moments.len(), almanac.learn(&scenarios).len());
            (first..first + new).rev().for_each(|which| open.push_front((which, Vec::new())));
        }
        found.add(faults(stage, &call), &call.plan);
        outside.add(outages(&call), &call.plan);
        explored.stopped = !tell(explored.calls);
    }
    explored.ways_left = open.len();
    explored.answers_left.clone_from(&answers.left);
    (explored.times, explored.times_left) = (almanac.moments, almanac.left);
    for program in stage.programs.values().filter(|program| scenarios.contains(program.id().name.as_str())) {
        let name = program.id().name.to_string();
        for (path, word) in program.steps() {
            if !explored.reached.contains(&(name.clone(), path.to_owned())) {
                explored.never.insert((name.clone(), path.to_owned(), word.to_owned()));
            }
        }
    }
    (explored.findings, explored.outages) = (found.sorted(), outside.sorted());
    Ok(explored)
}

/// The next way, if there is to be one more: what is left stays where it is.
fn next(open: &mut VecDeque<(usize, Vec<usize>)>, more: bool) -> Option<(usize, Vec<usize>)> {
    if more { open.pop_front() } else { None }
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
    for one in call.ran() {
        *explored.ran.entry(one).or_default() += 1;
    }
    let ending =
        call.records.first().map_or_else(|| "no record".to_owned(), |record| record.outcome.as_str().to_owned());
    *explored.endings.entry(ending).or_default() += 1;
}
