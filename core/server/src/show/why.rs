//! `call explain`: who was rung and who was not, and why.

#![expect(clippy::wildcard_enum_match_arm, reason = "looks for a few entries of a journal among many")]

use plugboard_model::{Cause, ForwardWhy, JournalEntry, JournalEvent, LegId, Time};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

use super::calls::cause_text;
use super::{either, items, seconds};
use crate::output;

/// What became of one user in a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Fate {
    /// His id, or the number outside.
    who: String,
    /// Seconds since the call began.
    at: f64,
    /// In words.
    what: String,
}

/// A leg that is called.
struct Called {
    who: String,
    began: Time,
    rang: Option<Time>,
    answered: Option<Time>,
}

/// `call explain`.
pub(crate) fn why(value: &Value, json: bool) -> ExitCode {
    let user = value.get("user").and_then(Value::as_str);
    let entries: Result<Vec<JournalEntry>, _> =
        items(value, "entries").iter().map(|entry| serde_json::from_value(entry.clone())).collect();
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            output::error(format!("the journal is not understood: {error}"));
            return ExitCode::from(1);
        }
    };
    let mut fates = fates(&entries);
    let way = way(&entries);
    if let Some(user) = user {
        fates.retain(|fate| fate.who == user);
    }
    let value = json!({ "people": fates, "decided": way, "user": user });
    either(&value, json, || {
        for fate in &fates {
            output::line(format!("{:>10.3} s  {:<12} {}", fate.at, fate.who, fate.what));
        }
        if fates.is_empty() {
            let who = user.unwrap_or("nobody");
            output::line(format!("{who}: the call never came there"));
        }
        if !way.is_empty() {
            output::line("what decided:");
        }
        for line in &way {
            output::line(format!("  {line}"));
        }
    })
}

/// Everybody who was rung, or was to be, in the order in which it happened.
fn fates(entries: &[JournalEntry]) -> Vec<Fate> {
    let mut fates = Vec::new();
    let mut legs: BTreeMap<LegId, Called> = BTreeMap::new();
    let mut numbers: BTreeMap<LegId, String> = BTreeMap::new();
    // Why ringing stops that nobody has refused.
    let mut stops = "its time was over";
    let fate = |who: &str, at: Time, what: String| Fate { who: who.to_owned(), at: seconds(at.0), what };
    for entry in entries {
        match &entry.event {
            JournalEvent::LegBegan { leg, user, to } => {
                let who = user.as_ref().map_or_else(|| to.clone(), |user| user.name.to_string());
                numbers.insert(*leg, who.clone());
                legs.insert(*leg, Called { who, began: entry.at, rang: None, answered: None });
            }
            JournalEvent::LegRang { leg } => {
                if let Some(called) = legs.get_mut(leg) {
                    called.rang = Some(entry.at);
                }
            }
            JournalEvent::LegAnswered { leg } => {
                if *leg != LegId::CALLER {
                    stops = "somebody else answered";
                }
                if let Some(called) = legs.get_mut(leg) {
                    called.answered = Some(entry.at);
                }
            }
            JournalEvent::LegEnded { leg, cause } => {
                if *leg == LegId::CALLER {
                    stops = "the caller gave up";
                }
                if let Some(called) = legs.remove(leg) {
                    fates.push(fate(&called.who, called.began, called.words(entry.at, cause, stops)));
                }
            }
            JournalEvent::NotRung { user, cause } => {
                fates.push(fate(user.name.as_str(), entry.at, format!("was not rung: {}", not_rung(cause))));
            }
            JournalEvent::Forwarded { leg, by, why, to } => {
                let who = leg.and_then(|leg| numbers.get(&leg)).unwrap_or(by);
                fates.push(fate(who, entry.at, format!("sent the call on to {to}: {}", forwarded(*why))));
            }
            _ => {}
        }
    }
    fates.extend(
        legs.into_values().map(|called| fate(&called.who, called.began, "is called, and the call goes on".into())),
    );
    fates.sort_by(|a, b| a.at.total_cmp(&b.at));
    fates
}

impl Called {
    fn words(&self, end: Time, cause: &Cause, stops: &str) -> String {
        let Some(rang) = self.rang else {
            return match self.answered {
                Some(answered) => {
                    format!("answered at once, and talked for {:.1} s", end.since(answered).as_secs_f64())
                }
                None => format!("was called, and did not ring: {}", ended(cause, stops)),
            };
        };
        let after = |from: Time, to: Time| format!("{:.1} s", to.since(from).as_secs_f64());
        match self.answered {
            Some(answered) if answered < end => {
                format!("rang for {}, answered, and talked for {}", after(rang, answered), after(answered, end))
            }
            Some(answered) => format!("rang for {}, and answered when another had", after(rang, answered)),
            None => format!("rang for {}: {}", after(rang, end), ended(cause, stops)),
        }
    }
}

/// How ringing ended, in words.
fn ended(cause: &Cause, stops: &str) -> String {
    match cause.status {
        200 | 487 => stops.into(),
        486 | 600 => "the phone said busy".into(),
        603 | 607 => "declined".into(),
        408 => "the phone did not answer the switch".into(),
        480 => format!("not to be reached ({})", cause_text(cause)),
        488 | 606 => "the phone speaks no codec that the switch speaks".into(),
        _ => cause_text(cause),
    }
}

fn not_rung(cause: &Cause) -> String {
    match cause.status {
        486 => "in a call already".into(),
        503 => "as many calls already as may be at once".into(),
        _ => cause.text.clone(),
    }
}

const fn forwarded(why: ForwardWhy) -> &'static str {
    why.diversion_reason()
}

/// What led the call where it went.
fn way(entries: &[JournalEntry]) -> Vec<String> {
    entries
        .iter()
        .filter_map(|entry| match &entry.event {
            JournalEvent::Routed { route, scenario, .. } if route.is_empty() => {
                Some(format!("the scenario {} began", scenario.name))
            }
            JournalEvent::Routed { route, scenario, .. } => {
                Some(format!("the route {route}: the scenario {}", scenario.name))
            }
            JournalEvent::Decided { path, branch } => Some(format!("{path}: {branch}")),
            JournalEvent::Note { text } => Some(text.clone()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{OfficeId, UserId};

    fn told(events: Vec<(u64, JournalEvent)>) -> Vec<String> {
        let entries: Vec<JournalEntry> = (0_u32..)
            .zip(events)
            .map(|(seq, (ms, event))| JournalEntry { seq, at: Time::from_millis(ms), event })
            .collect();
        fates(&entries).into_iter().map(|fate| format!("{} {}", fate.who, fate.what)).collect()
    }

    #[test]
    fn ringing_that_nobody_refused_is_told_by_what_ended_it() {
        let office = OfficeId::new("main").unwrap();
        let bob = UserId::new(&office, "bob").unwrap();
        let began = JournalEvent::LegBegan { leg: LegId(1), user: Some(bob), to: "bob".into() };
        let ended = |leg| JournalEvent::LegEnded { leg: LegId(leg), cause: Cause { status: 487, text: String::new() } };
        let rang = JournalEvent::LegRang { leg: LegId(1) };
        let over = told(vec![(0, began.clone()), (0, rang.clone()), (20_000, ended(1))]);
        assert_eq!(over, ["bob rang for 20.0 s: its time was over"]);
        let gave_up = told(vec![(0, began), (0, rang), (3_000, ended(0)), (3_000, ended(1))]);
        assert_eq!(gave_up, ["bob rang for 3.0 s: the caller gave up"]);
    }

    #[test]
    fn who_rang_who_did_not_and_why_is_told_in_the_order_in_which_it_happened() {
        let office = OfficeId::new("main").unwrap();
        let user = |name: &str| UserId::new(&office, name).unwrap();
        let began =
            |leg, name: &str| JournalEvent::LegBegan { leg: LegId(leg), user: Some(user(name)), to: name.into() };
        let cause = |status, text: &str| Cause { status, text: text.into() };
        let ended = |leg, status| JournalEvent::LegEnded { leg: LegId(leg), cause: cause(status, "") };
        let lines = told(vec![
            (1_000, JournalEvent::NotRung { user: user("dora"), cause: cause(480, "Do not disturb") }),
            (1_000, JournalEvent::NotRung { user: user("fay"), cause: cause(486, "Busy Here") }),
            (1_000, began(1, "bob")),
            (1_000, began(2, "cem")),
            (1_000, began(3, "egor")),
            (1_500, JournalEvent::LegRang { leg: LegId(1) }),
            (1_600, JournalEvent::LegRang { leg: LegId(2) }),
            (1_700, ended(3, 488)),
            (4_500, JournalEvent::LegAnswered { leg: LegId(1) }),
            (4_600, ended(2, 487)),
            (9_500, ended(1, 200)),
        ]);
        assert_eq!(
            lines,
            [
                "dora was not rung: Do not disturb",
                "fay was not rung: in a call already",
                "egor was called, and did not ring: the phone speaks no codec that the switch speaks",
                "cem rang for 3.0 s: somebody else answered",
                "bob rang for 3.0 s, answered, and talked for 5.0 s",
            ]
        );
    }
}
