//! `call explain`: who was rung and who was not, and why.

#![expect(clippy::wildcard_enum_match_arm, reason = "looks for a few entries of a journal among many")]

use plugboard_model::{Cause, ForwardWhy, JournalEntry, JournalEvent, LegId, Time};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

use super::calls::cause_text;
use super::passed_over::{Asked, PassedOver};
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
    /// A phone outside, of the user who is called.
    phone: Option<String>,
    began: Time,
    rang: Option<Time>,
    answered: Option<Time>,
    /// Since when he talks to somebody.
    talks: Option<Time>,
}

/// `call explain`.
pub(crate) fn why(value: &Value, json: bool) -> ExitCode {
    let user = value.get("user").and_then(Value::as_str);
    let number = value.get("number").and_then(Value::as_str);
    let entries: Result<Vec<JournalEntry>, _> =
        items(value, "entries").iter().map(|entry| serde_json::from_value(entry.clone())).collect();
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            output::error(format!("the journal is not understood: {error}"));
            return ExitCode::from(1);
        }
    };
    let asked = user.map(|user| Asked {
        user: user.to_owned(),
        groups: items(value, "groups").iter().filter_map(|group| group.as_str().map(ToOwned::to_owned)).collect(),
    });
    let mut fates = fates(&entries, asked);
    let way = way(&entries);
    if let Some(user) = user {
        // Who sent the call on before he was rung stands there by his number.
        fates.retain(|fate| fate.who == user || number == Some(fate.who.as_str()));
        for fate in &mut fates {
            user.clone_into(&mut fate.who);
        }
        if fates.is_empty() {
            fates.push(Fate { who: user.to_owned(), at: 0.0, what: nothing(&entries, user) });
        }
    }
    let value = json!({ "people": fates, "decided": way, "user": user });
    either(&value, json, || {
        for fate in &fates {
            output::line(format!("{:>10.3} s  {:<12} {}", fate.at, fate.who, fate.what));
        }
        if fates.is_empty() {
            output::line("nobody was to be rung");
        }
        if !way.is_empty() {
            output::line("what decided:");
        }
        for line in &way {
            output::line(format!("  {line}"));
        }
    })
}

/// Why nothing is told of somebody.
fn nothing(entries: &[JournalEntry], user: &str) -> String {
    let calls = |entry: &JournalEntry| matches!(&entry.event, JournalEvent::Began { caller_user: Some(caller), .. } if caller.name.as_str() == user);
    if entries.iter().any(calls) {
        return "was not rung: he is the one who called".into();
    }
    "was not rung: the call never came to him, nor to a group or a contact of his".into()
}

/// Everybody who was rung, or was to be, in the order in which it happened.
fn fates(entries: &[JournalEntry], asked: Option<Asked>) -> Vec<Fate> {
    let mut fates = Vec::new();
    let mut legs: BTreeMap<LegId, Called> = BTreeMap::new();
    let mut numbers: BTreeMap<LegId, String> = BTreeMap::new();
    let mut passed_over = PassedOver::of(asked);
    // Why ringing stops that nobody has refused.
    let mut stops = "its time was over";
    let fate = |who: &str, at: Time, what: String| Fate { who: who.to_owned(), at: seconds(at.0), what };
    for entry in entries {
        for (user, why) in passed_over.take(entry, stops) {
            fates.push(fate(user.name.as_str(), entry.at, format!("was not rung: {why}")));
        }
        match &entry.event {
            JournalEvent::LegBegan { leg, user, to } => {
                let who = user.as_ref().map_or_else(|| to.clone(), |user| user.name.to_string());
                numbers.insert(*leg, who.clone());
                legs.insert(*leg, Called::new(who, entry.at));
            }
            JournalEvent::PhoneOf { leg, user } => {
                if let Some(called) = legs.get_mut(leg) {
                    let number = std::mem::replace(&mut called.who, user.name.to_string());
                    called.phone = Some(number);
                }
            }
            JournalEvent::LegRang { leg } => {
                if let Some(called) = legs.get_mut(leg) {
                    called.rang = Some(entry.at);
                }
            }
            JournalEvent::LegAnswered { leg } => {
                if let Some(called) = legs.get_mut(leg) {
                    called.answered = Some(entry.at);
                    // Of a phone outside it is decided when the key is pressed.
                    if called.phone.is_none() {
                        stops = "somebody else answered";
                    }
                }
            }
            JournalEvent::Bridged { a, b } => {
                stops = "somebody else answered";
                for leg in [a, b] {
                    if let Some(called) = legs.get_mut(leg) {
                        called.talks = Some(called.talks.unwrap_or(entry.at));
                    }
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
    fates.extend(legs.into_values().map(|called| {
        let what = if called.phone.is_some() { "his phone outside" } else { "his phone" };
        fate(&called.who, called.began, format!("{what} is called, and the call goes on"))
    }));
    fates.sort_by(|a, b| a.at.total_cmp(&b.at));
    fates
}

impl Called {
    const fn new(who: String, began: Time) -> Self {
        Self { who, phone: None, began, rang: None, answered: None, talks: None }
    }

    fn words(&self, end: Time, cause: &Cause, stops: &str) -> String {
        let words = self.became(end, cause, stops);
        match &self.phone {
            Some(number) => format!("at his phone outside, {number}: {words}"),
            None => words,
        }
    }

    fn became(&self, end: Time, cause: &Cause, stops: &str) -> String {
        let after = |from: Time, to: Time| format!("{:.1} s", to.since(from).as_secs_f64());
        let Some(rang) = self.rang else {
            return match self.answered {
                Some(answered) => format!("answered at once, and talked for {}", after(answered, end)),
                None => format!("was called, and did not ring: {}", ended(cause, stops)),
            };
        };
        match (self.answered, self.talks) {
            (Some(answered), None) if self.phone.is_some() => {
                let waited = after(answered, end);
                format!("rang for {}, was picked up, and nobody pressed 1 in {waited}: {stops}", after(rang, answered))
            }
            (Some(answered), talks) if answered < end => {
                let talked = after(talks.filter(|_| self.phone.is_some()).unwrap_or(answered), end);
                format!("rang for {}, answered, and talked for {talked}", after(rang, answered))
            }
            (Some(answered), _) => format!("rang for {}, and answered when another had", after(rang, answered)),
            (None, _) => format!("rang for {}: {}", after(rang, end), ended(cause, stops)),
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
    // Causes of a reason of their own say it: a user who is busy by his status, or blocks the caller, is in no call.
    match cause.status {
        486 if *cause == Cause::of(486) => "in a call already".into(),
        503 if *cause == Cause::of(503) => "as many calls already as may be at once".into(),
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
        fates(&entries, None).into_iter().map(|fate| format!("{} {}", fate.who, fate.what)).collect()
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

    #[test]
    fn what_became_of_a_phone_outside_is_told_of_the_user_whose_it_is() {
        let office = OfficeId::new("main").unwrap();
        let bob = UserId::new(&office, "bob").unwrap();
        let began = |leg| JournalEvent::LegBegan { leg: LegId(leg), user: None, to: "+491701".into() };
        let phone = |leg| JournalEvent::PhoneOf { leg: LegId(leg), user: bob.clone() };
        let ended = |leg| JournalEvent::LegEnded { leg: LegId(leg), cause: Cause { status: 200, text: String::new() } };
        let rings = |leg| vec![(0, began(leg)), (0, phone(leg)), (1_000, JournalEvent::LegRang { leg: LegId(leg) })];
        let picked_up = vec![(4_000, JournalEvent::LegAnswered { leg: LegId(1) }), (19_000, ended(1))];
        assert_eq!(
            told([rings(1), picked_up].concat()),
            [
                "bob at his phone outside, +491701: rang for 3.0 s, was picked up, and nobody pressed 1 in 15.0 s: its time was over"
            ]
        );
        let talked = vec![
            (4_000, JournalEvent::LegAnswered { leg: LegId(1) }),
            (6_000, JournalEvent::Bridged { a: LegId(0), b: LegId(1) }),
            (9_000, ended(1)),
        ];
        assert_eq!(
            told([rings(1), talked].concat()),
            ["bob at his phone outside, +491701: rang for 3.0 s, answered, and talked for 3.0 s"]
        );
    }

    #[test]
    fn a_user_who_is_busy_or_blocks_the_caller_is_in_no_call() {
        assert_eq!(not_rung(&Cause::of(486)), "in a call already");
        assert_eq!(
            not_rung(&Cause { status: 486, text: "the user bob blocks the caller".into() }),
            "the user bob blocks the caller"
        );
    }
}
