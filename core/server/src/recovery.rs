//! What is left of calls that a crash cut off.

use plugboard_model::{
    CallId, CallOutcome, CallRecord, Cause, JournalEntry, JournalEvent, LegId, LegRecord, Steps, Time, UserId, WallTime,
};
use plugboard_store::Store;
use std::collections::BTreeMap;

/// What such a call and its legs ended of.
const STOPPED: &str = "The switch stopped during the call";
/// Legs in a record, as in that of a call that ended well.
const LEGS_MAX: usize = 64;

/// Calls without a record get theirs from their journals: one call, one outcome.
pub(crate) fn close_unfinished(store: &Store) {
    let calls = store.calls();
    let unfinished = match calls.unfinished_calls() {
        Ok(unfinished) => unfinished,
        Err(error) => return tracing::error!(%error, "unfinished calls could not be read"),
    };
    for id in unfinished {
        let entries = match calls.journal(&id) {
            Ok(journal) => journal.entries,
            Err(error) => {
                tracing::error!(call_id = %id, %error, "the journal of a call that was cut off could not be read");
                Vec::new()
            }
        };
        if let Err(error) = calls.put_record(&record(&id, &entries), None) {
            tracing::error!(call_id = %id, %error, "the record of a call that was cut off could not be written");
        }
    }
}

/// A leg as far as its journal tells.
struct Leg {
    user: Option<UserId>,
    party: String,
    began: Time,
    answered: Option<Time>,
    ended: Option<(Time, Cause)>,
}

/// The record of a call that ends with its journal.
pub(crate) fn record(id: &CallId, entries: &[JournalEntry]) -> CallRecord {
    let last = entries.last().map_or(Time::ZERO, |entry| entry.at);
    let mut record = CallRecord::bare(id.clone(), WallTime(0), CallOutcome::Failed(stopped()));
    let mut legs: BTreeMap<LegId, Leg> = BTreeMap::new();
    let mut bridged = None;
    let mut steps = Steps::default();
    for entry in entries {
        steps.note(entry.at, &entry.event);
        match &entry.event {
            JournalEvent::Began { wall, caller, called, caller_user, direction } => {
                record.began = *wall;
                record.caller.clone_from(caller);
                record.called.clone_from(called);
                record.caller_user.clone_from(caller_user);
                record.direction = *direction;
                let leg = Leg {
                    user: caller_user.clone(),
                    party: caller.clone(),
                    began: entry.at,
                    answered: None,
                    ended: None,
                };
                legs.insert(LegId::CALLER, leg);
            }
            JournalEvent::Routed { route, scenario, .. } => {
                record.route = Some(route.clone());
                record.scenario = Some(scenario.clone());
            }
            JournalEvent::LegBegan { leg, user, to } => {
                let began = Leg { user: user.clone(), party: to.clone(), began: entry.at, answered: None, ended: None };
                legs.insert(*leg, began);
            }
            JournalEvent::LegAnswered { leg } => {
                if let Some(leg) = legs.get_mut(leg) {
                    leg.answered = Some(entry.at);
                }
            }
            JournalEvent::LegEnded { leg, cause } => {
                if let Some(leg) = legs.get_mut(leg) {
                    leg.ended = Some((entry.at, cause.clone()));
                }
            }
            JournalEvent::Bridged { b, .. } => {
                bridged.get_or_insert((entry.at, *b));
            }
            JournalEvent::Step { .. }
            | JournalEvent::Emergency { .. }
            | JournalEvent::Decided { .. }
            | JournalEvent::Assigned { .. }
            | JournalEvent::RunBegan { .. }
            | JournalEvent::Begin { .. }
            | JournalEvent::End { .. }
            | JournalEvent::PutAway { .. }
            | JournalEvent::RunEnded { .. }
            | JournalEvent::LegRang { .. }
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
    let anchor = record.began;
    if let Some((at, peer)) = bridged {
        record.answered = Some(anchor.after(at));
        record.answered_by = legs.get(&peer).and_then(|leg| leg.user.clone());
    }
    record.ended = anchor.after(last);
    record.steps = steps.into_records();
    record.legs = legs.into_iter().take(LEGS_MAX).map(|(id, leg)| leg_record(id, leg, anchor, last)).collect();
    record
}

fn leg_record(id: LegId, leg: Leg, anchor: WallTime, last: Time) -> LegRecord {
    let (ended, cause) = leg.ended.unwrap_or((last, stopped()));
    LegRecord {
        leg: id,
        user: leg.user,
        gateway: None,
        party: leg.party,
        began: anchor.after(leg.began),
        answered: leg.answered.map(|at| anchor.after(at)),
        ended: anchor.after(ended),
        cause,
        quality: None,
        encryption: None,
    }
}

/// What whoever did not end well ended of.
pub(crate) fn stopped() -> Cause {
    Cause { status: 500, text: STOPPED.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{Direction, Name, OfficeId};

    #[test]
    fn a_call_that_was_cut_off_keeps_what_its_journal_tells() {
        let office = OfficeId::new("main").unwrap();
        let id = CallId::new(office.clone(), WallTime(1), 7);
        let user = |name: &str| UserId { office: office.clone(), name: Name::new(name).unwrap() };
        let events = [
            JournalEvent::Began {
                wall: WallTime(1_000),
                caller: "101".into(),
                called: "102".into(),
                caller_user: Some(user("101")),
                direction: Direction::Internal,
            },
            JournalEvent::Step { path: "steps[0]".into(), word: "call-user".into() },
            JournalEvent::LegBegan { leg: LegId(1), user: Some(user("102")), to: "102".into() },
            JournalEvent::LegBegan { leg: LegId(2), user: Some(user("103")), to: "103".into() },
            JournalEvent::LegEnded { leg: LegId(2), cause: Cause::of(486) },
            JournalEvent::LegAnswered { leg: LegId(1) },
            JournalEvent::Bridged { a: LegId::CALLER, b: LegId(1) },
        ];
        let entries: Vec<JournalEntry> = events
            .into_iter()
            .zip(0_u32..)
            .map(|(event, seq)| JournalEntry { seq, at: Time::from_millis(u64::from(seq) * 100), event })
            .collect();
        let record = record(&id, &entries);
        assert_eq!(
            (record.began, record.answered, record.ended),
            (WallTime(1_000), Some(WallTime(1_600)), WallTime(1_600))
        );
        assert_eq!(record.answered_by, Some(user("102")));
        assert_eq!(record.outcome, CallOutcome::Failed(stopped()));
        let causes: Vec<u16> = record.legs.iter().map(|leg| leg.cause.status).collect();
        assert_eq!(causes, [500, 500, 486], "the caller, who answered, who was busy");
        assert_eq!(record.steps.len(), 1);
        assert_eq!(super::record(&id, &[]).outcome, CallOutcome::Failed(stopped()), "even without a journal");
    }
}
