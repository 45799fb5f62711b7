//! What is wrong with a call, and what the caller gets when others do not do their part.

#![expect(clippy::wildcard_enum_match_arm, reason = "looks for a few entries of a journal among many")]

use plugboard_model::{
    CallOutcome, Cause, HostCall, HostResult, JournalEntry, JournalEvent, PlayEnd, RunEnd, WallTime,
};
use plugboard_office::{Treatment, Verdict};
use std::collections::{BTreeMap, BTreeSet};

use super::plan::{CarrierDoes, DatabaseDoes, ServiceDoes};
use super::times::inquiry;
use super::{Rehearsed, Stage};

/// What is wrong with a call, each once.
pub(super) fn faults(stage: &Stage, call: &Rehearsed) -> BTreeSet<String> {
    let mut faults = BTreeSet::new();
    if !call.left.is_empty() {
        faults.insert(format!("it does not end: {} are left", call.left.join(", ")));
    }
    for entries in &call.journals {
        let mut names = BTreeMap::new();
        // Runs whose service or database did not answer: that they fail is no fault of theirs.
        let mut let_down = BTreeSet::new();
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
                JournalEvent::End {
                    run, result: HostResult::Responded(Err(_)) | HostResult::Queried(Err(_)), ..
                } => {
                    let_down.insert(*run);
                }
                JournalEvent::RunEnded { run, end } => {
                    let (action, path) = names.get(run).copied().unwrap_or_default();
                    let why = match end {
                        RunEnd::Failed(_) if let_down.contains(run) => continue,
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
    for (place, record) in call.records.iter().enumerate() {
        let entries = call.journals.get(place).map_or(&[] as &[JournalEntry], Vec::as_slice);
        if let CallOutcome::Failed(cause) = &record.outcome
            && !is_meant(stage, call, entries, cause, place == 0)
        {
            faults.insert(format!("the call fails: {} {}", cause.status, cause.text));
        }
    }
    faults
}

/// Whether the author wants the call to end so: a step of his says it, or a route that refuses.
fn is_meant(stage: &Stage, call: &Rehearsed, entries: &[JournalEntry], cause: &Cause, first: bool) -> bool {
    let by_step = entries.iter().any(|entry| {
        matches!(&entry.event, JournalEvent::Begin { call: HostCall::HangUp(said), .. } if said.status == cause.status)
    });
    let at = call.plan.at.unwrap_or(WallTime(0));
    let by_route = || {
        let explained = stage.office.explain(&inquiry(&call.plan, at)?);
        let refuses = matches!(explained.treatment, Treatment::Refused(_));
        Some(
            refuses && explained.looked.iter().any(|looked| looked.route.is_some() && looked.verdict == Verdict::Taken),
        )
    };
    by_step || (first && by_route() == Some(true))
}

/// Who did not do his part in a call, and what the caller got all the same, each in a sentence.
pub(super) fn outages(call: &Rehearsed) -> BTreeSet<String> {
    let was_asked = |asked: &[String], name: &str| asked.iter().any(|line| line.split(' ').next() == Some(name));
    let mut down = BTreeSet::new();
    for (name, does) in call.plan.services.iter().filter(|(name, _)| was_asked(&call.asked, name)) {
        match does {
            ServiceDoes::Down => down.insert(format!("{name} is down")),
            ServiceDoes::Slow => down.insert(format!("{name} is too slow")),
            ServiceDoes::Answers { status: 500.., .. } => {
                down.insert(format!("{name} answers with a fault of its own"))
            }
            ServiceDoes::Answers { .. } => false,
        };
    }
    for (name, does) in &call.plan.databases {
        if !was_asked(&call.queried, name.split('/').next().unwrap_or(name)) {
            continue;
        }
        match does {
            DatabaseDoes::Down => down.insert(format!("{name} is down")),
            DatabaseDoes::Slow => down.insert(format!("{name} is too slow")),
            DatabaseDoes::Answers { .. } => false,
        };
    }
    for (does, what) in [(call.plan.mail, "mail"), (call.plan.texts, "text")] {
        let left = call.left_by_itself.iter().any(|left| left.split(' ').next() == Some(what));
        if left && does == Some(CarrierDoes::Refuses) {
            down.insert(format!("{what} is refused"));
        }
    }
    let gets = gets(call);
    down.into_iter().map(|what| format!("when {what}: {gets}")).collect()
}

/// What the caller gets in the end.
fn gets(call: &Rehearsed) -> String {
    if call.journals.first().is_some_and(|entries| is_silent(entries)) {
        return "the caller is answered, hears nothing and is hung up on".into();
    }
    match call.records.first().map(|record| (&record.outcome, &record.answered_by)) {
        Some((CallOutcome::Answered, Some(user))) => format!("the caller talks to {}", user.name),
        Some((CallOutcome::Answered, None)) => "the caller talks to somebody outside".into(),
        Some((CallOutcome::Handled, _)) => "the caller hears the switch and talks to nobody".into(),
        Some((CallOutcome::Abandoned, _)) => "the caller gives up".into(),
        Some((CallOutcome::NotAnswered(cause), _)) => {
            format!("nobody answers the caller: {} {}", cause.status, cause.text)
        }
        Some((CallOutcome::Failed(cause), _)) => format!("the caller is refused: {} {}", cause.status, cause.text),
        None => "the call is refused before the switch takes it".into(),
    }
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
                | HostCall::FindContact(_)
                | HostCall::GetContact(_) => {}
                _ => return false,
            },
            JournalEvent::LegEnded { leg, cause } if leg.0 == 0 && *cause == plugboard_model::Cause::hung_up() => {}
            _ => {}
        }
    }
    answered
}
