//! Random scenarios: each that the checker takes is simulated every way that its calls can go, as far as these are tried. None of these calls is left
//! without a next step, each ends, and only those end in silence of which the checker says so.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::wildcard_enum_match_arm, reason = "looks for a few entries of a journal among many")]

use plugboard_model::{JournalEntry, JournalEvent, Time, WallTime};
use plugboard_plugin::Limits;
use plugboard_simulator::rehearsal::{Caller, Plan, ServiceDoes, Stage, Times, explore, rehearse, rehearse_and_replay};
use plugboard_simulator::{Dice, OfficeText};
use std::collections::BTreeSet;
use std::time::Duration;

/// Scenarios of one run; `--long` takes more.
const SCENARIOS: u64 = 40;
/// Calls whose runs are dropped and rebuilt; `--long` takes 240.
const CALLS_DROPPED: usize = 60;
/// Calls of one scenario.
const CALLS: usize = 8;
/// 2026-01-05, a Monday, 09:00 UTC.
const MONDAY: WallTime = WallTime(1_767_603_600_000);

/// Writes random scenarios.
struct Author(Dice);

impl Author {
    fn below(&mut self, most: u64) -> u64 {
        self.0.below(most)
    }

    fn list(&mut self, depth: u32) -> String {
        let count = 1 + self.below(2);
        let steps: Vec<String> = (0..count).map(|_| self.step(depth)).collect();
        format!("[{}]", steps.join(", "))
    }

    /// A step; those after it are reached.
    fn step(&mut self, depth: u32) -> String {
        let deep = if depth == 0 { 0 } else { 9 };
        let user = 102 + self.below(4);
        match self.below(12 + deep) {
            0 => "{play-audio: {audio: welcome}}".into(),
            1 => "{play-audio: {audio: nowhere}}".into(),
            2 => format!("{{call-user: {{mode: user, target: {user}, ring_for: 6s}}, continue: true}}"),
            3 => "{call-group: {group: sales}, continue: true}".into(),
            4 => "{collect-digits: {prompt: welcome, first_digit: 2s, max_digits: 1}}".into(),
            5 => "{set: {n: 3}}".into(),
            6 => "{event: hold, steps: [{set: {n: 4}}]}".into(),
            7 => "{echo: {max: 2s}}".into(),
            8 => "{say: {text: 'You are {n} of all'}}".into(),
            9 => "{write-log: {text: here}}".into(),
            10 => "{send-email: {to: [boss@example.com], subject: Call, text: Somebody called}}".into(),
            11 => format!("{{run: part{}}}", self.below(2)),
            12 => format!(
                "{{http-request: {{source: crm, path: client, into: {{n: /n}}}}, on: {{done: [{{if: \"n > 2\", then: {}, else: {}}}], not-found: {}}}}}",
                self.list(depth - 1),
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            13 => format!(
                "{{database-query: {{database: orders, query: agent-of, with: {{number: '{{caller_number}}'}}, into: {{vip: vip}}}}, on: {{found: [{{if: vip, then: {}}}], empty: {}}}}}",
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            14 => format!(
                "{{event: {}, steps: [{{write-log: {{text: it happened}}}}]}}",
                ["hang-up", "resume", "ringing"].get(usize::try_from(self.below(3)).unwrap()).unwrap()
            ),
            15 => format!(
                "{{if: \"caller_number == '10{}'\", then: {}, else: {}}}",
                self.below(3),
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            16 => format!(
                "{{menu: {{prompt: welcome, repeats: 1, extensions: {}, keys: {{'1': {}, '2': {}}}, invalid: {}, nothing: {}}}}}",
                self.below(2) == 0,
                self.list(depth - 1),
                self.list(depth - 1),
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            17 => format!(
                "{{when: {{days: mon-fri, from: '09:00', to: '18:00', time_zone: UTC}}, then: {}, else: {}}}",
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            18 => format!("{{repeat: {{times: {}}}, steps: {}}}", 1 + self.below(3), self.list(depth - 1)),
            19 => format!("{{stream: {}}}", self.list(0)),
            _ => format!(
                "{{call-user: {{mode: user, target: {user}, ring_for: 6s}}, continue: true, on: {{answer: {}, timeout: {}, no-answer: {}}}}}",
                self.list(0),
                self.list(depth - 1),
                self.list(depth - 1)
            ),
        }
    }
}

fn scenario(seed: u64) -> String {
    let mut author = Author(Dice::new(seed));
    let count = 1 + author.below(4);
    let steps: Vec<String> = (0..count).map(|_| format!("  - {}\n", author.step(2))).collect();
    format!("scenario: story\n{VARIABLES}steps:\n{}", steps.concat())
}

/// What all scenarios here declare.
const VARIABLES: &str =
    "variables: { n: { type: number, default: 0 }, vip: { type: boolean, default: false }, w: text }\n";
/// Scenarios that others run.
const PARTS: [&str; 2] = [
    "[{play-audio: {audio: welcome}}, {set: {n: 5}}]",
    "[{if: {all: [\"assigned(n)\", \"n > 3\"]}, then: [{say: {text: Many}}]}, {wait: {time: 1s}}]",
];
const SOURCES: &str = "http:\n  - { id: crm, url: https://crm.example.com, timeout: 4s }\n\
    databases:\n  - id: orders\n    kind: postgresql\n    address: db.example.com\n    database: crm\n    user: plugboard\n    timeout: 2s\n    \
    queries:\n      - { id: agent-of, sql: \"select agent, vip from clients where phone = :number\" }\n\
    mail:\n  host: mail.example.com\n  from: \"Desk <desk@plugboard.test>\"\nusers:\n";

fn office(text: &str) -> OfficeText {
    office_with(text, PARTS)
}

fn office_with(text: &str, parts: [&str; 2]) -> OfficeText {
    let files = "scenarios:\n  - { file: part0.yaml }\n  - { file: part1.yaml }\n";
    let part = |which: u32, steps: &str| {
        format!("scenario: part{which}\nvariables: {{ n: number, vip: boolean, w: text }}\nsteps: {steps}\n")
    };
    let [first, second] = parts;
    let office = OfficeText::demo().replace("users:\n", SOURCES).with_story("  - hang-up\n");
    let office = office.replace("scenarios:\n", files);
    let office = office.with("part0.yaml", &part(0, first)).with("part1.yaml", &part(1, second));
    office.with("story.yaml", text)
}

fn plan(stage: &Stage) -> Plan {
    let caller = stage.office.find_user("101").unwrap().id.clone();
    Plan { at: Some(MONDAY), ..Plan::new(Caller::User(caller), "300") }
}

/// What must hold in each call of each scenario that is taken.
fn holds(seed: u64, text: &str) -> (usize, Heard) {
    let stage = office(text).stage();
    let found = explore(&stage, &plan(&stage), &Times::At(vec![MONDAY]), CALLS, |_| true).unwrap();
    for finding in &found.findings {
        let wrong = [
            "does not end",
            "trapped",
            "exceeded its limit",
            "diverged",
            "could not be set",
            "has no value",
            "too many steps",
        ];
        assert!(
            !wrong.iter().any(|word| finding.what.contains(word)),
            "seed {seed}: {} in {:?}\n{text}",
            finding.what,
            finding.plan
        );
    }
    assert_eq!(found.endings.values().sum::<usize>(), found.calls, "seed {seed}: each has one record\n{text}");
    assert!(!found.endings.contains_key("no record"), "seed {seed}: {:?}\n{text}", found.endings);
    let scenario = stage.office.scenario_named("story").unwrap().id.clone();
    let may_be_silent = stage.programs.get(&scenario).unwrap().silence().is_some();
    let was_silent = found.endings.contains_key("failed");
    let heard = match (may_be_silent, was_silent) {
        (false, true) => panic!("seed {seed}: the checker says that every caller hears something\n{text}"),
        (true, true) => Heard::Nothing,
        (_, false) => Heard::Something,
    };
    (found.calls, heard)
}

/// Whether callers heard something.
#[derive(PartialEq)]
enum Heard {
    Something,
    Nothing,
}

/// What happened in a call and when, whether its runs were put away meanwhile or not.
fn story(entries: &[JournalEntry]) -> Vec<(Time, JournalEvent)> {
    let unpinned = |event: &JournalEvent| {
        let mut event = event.clone();
        // The limits are pinned, and differ here.
        if let JournalEvent::RunBegan { pins, .. } = &mut event {
            pins.limits.clear();
        }
        event
    };
    let kept = entries.iter().filter(|entry| !matches!(entry.event, JournalEvent::PutAway { .. }));
    kept.map(|entry| (entry.at, unpinned(&entry.event))).collect()
}

#[test]
fn a_run_that_is_dropped_while_it_waits_and_rebuilt_leads_to_the_same_call_as_one_that_stays() {
    let (mut calls, mut dropped) = (0, 0);
    let mut dice = Dice::new(7);
    let wanted = CALLS_DROPPED * if std::env::var_os("PLUGBOARD_LONG").is_some() { 4 } else { 1 };
    for seed in 0.. {
        if calls >= wanted {
            break;
        }
        let text = scenario(seed);
        if !faults(&text).is_empty() {
            continue;
        }
        let mut stage = office(&text).stage();
        let keys = [vec![], vec!["1".to_owned()], vec!["2".to_owned(), "1".to_owned()], vec!["102".to_owned()]];
        for keys in keys {
            let plan = Plan { keys, ..plan(&stage) };
            let mut told = |put_away_after_ms: u32| {
                stage.limits = Limits { put_away_after_ms, ..Limits::default() };
                rehearse(&stage, &plan).unwrap().journals
            };
            // An hour: no run waits so long.
            let stayed = told(3_600_000);
            // At once, or at any moment of the first seconds.
            let away = told(u32::try_from(dice.below(6)).unwrap() * 700);
            let is_away = |entries: &Vec<JournalEntry>| {
                entries.iter().filter(|entry| matches!(entry.event, JournalEvent::PutAway { .. })).count()
            };
            assert_eq!(stayed.iter().map(is_away).sum::<usize>(), 0);
            dropped += away.iter().map(is_away).sum::<usize>();
            calls += stayed.len();
            let stories =
                |journals: &[Vec<JournalEntry>]| journals.iter().map(|entries| story(entries)).collect::<Vec<_>>();
            assert_eq!(stories(&away), stories(&stayed), "seed {seed}, {plan:?}\n{text}");
        }
    }
    assert!(dropped > calls / 2, "{dropped} runs of {calls} calls were dropped: they show too little");
}

#[test]
fn a_thousand_journaled_calls_of_random_scenarios_replay_to_the_same_decisions() {
    let wanted = if std::env::var_os("PLUGBOARD_LONG").is_some() { 1_000 } else { 60 };
    let decided = |journals: &[Vec<JournalEntry>]| -> Vec<(String, String)> {
        let decided = |entry: &JournalEntry| match &entry.event {
            JournalEvent::Decided { path, branch } => Some((path.clone(), branch.clone())),
            _ => None,
        };
        journals.iter().flatten().filter_map(decided).collect()
    };
    let (mut calls, mut runs, mut decisions, mut words) = (0, 0, 0, BTreeSet::new());
    for seed in 0.. {
        if calls >= wanted {
            break;
        }
        let text = scenario(seed);
        if !faults(&text).is_empty() {
            continue;
        }
        words.extend(WORDS.into_iter().filter(|word| text.contains(&format!("{{{word}: "))));
        let stage = office(&text).stage();
        let says = |body: &str| ServiceDoes::Answers { status: 200, body: body.to_owned(), after: Duration::ZERO };
        for (keys, crm) in [
            (vec![], says(r#"{"n": 3}"#)),
            (vec!["1".to_owned()], says(r#"{"n": 1}"#)),
            (vec!["2".to_owned()], ServiceDoes::Down),
        ] {
            let plan = Plan { keys, services: [("crm".to_owned(), crm)].into(), ..plan(&stage) };
            let (call, replayed) = rehearse_and_replay(&stage, &plan).unwrap();
            let again = rehearse(&stage, &call.plan).unwrap();
            assert_eq!(decided(&again.journals), decided(&call.journals), "seed {seed}, {plan:?}\n{text}");
            calls += call.journals.len();
            runs += replayed;
            decisions += decided(&call.journals).len();
        }
    }
    assert!(
        runs > calls && decisions > calls,
        "{runs} runs and {decisions} decisions of {calls} calls show too little"
    );
    assert_eq!(words.len(), WORDS.len(), "these words alone: {words:?}");
}

/// The control words.
const WORDS: [&str; 8] = ["if", "when", "menu", "event", "stream", "run", "repeat", "set"];

#[test]
fn calls_of_random_scenarios_that_the_checker_takes_always_have_a_next_step_and_always_end() {
    let seeds = match std::env::var("PLUGBOARD_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..SCENARIOS * if std::env::var_os("PLUGBOARD_LONG").is_some() { 20 } else { 1 },
    };
    let (mut taken, mut calls, mut silent) = (0_usize, 0, 0);
    for seed in seeds.clone() {
        let text = scenario(seed);
        if faults(&text).is_empty() {
            taken += 1;
            let (made, heard) = holds(seed, &text);
            calls += made;
            silent += usize::from(heard == Heard::Nothing);
        }
    }
    if seeds.end - seeds.start > 1 {
        assert!(taken >= 20 && calls >= 2 * taken, "{taken} scenarios, {calls} calls: they show too little");
        assert!(silent > 0, "of none that the checker finds silent a call shows it");
    }
}

/// Scenarios of each kind of fault; `--long` takes more.
const PLANTED: u64 = 8;

/// Control words around a place, each of which can be decided so that a call comes there.
struct Nest {
    dice: Dice,
    part: String,
}

impl Nest {
    /// Steps with `inner` at one place, and `other` wherever a call can go instead.
    fn around(seed: u64, inner: &str, other: &str) -> Self {
        let mut nest = Self { dice: Dice::new(seed), part: String::new() };
        let mut kinds = ["if", "when", "http", "database", "repeat", "run"].to_vec();
        let mut steps = inner.to_owned();
        for _ in 0..=nest.dice.below(3) {
            let kind = kinds.remove(usize::try_from(nest.dice.below(u64::try_from(kinds.len()).unwrap())).unwrap());
            steps = nest.one(kind, steps, other);
        }
        nest.part.push_str(&steps);
        nest
    }

    /// Of these branches one has what is inside.
    fn branches(&mut self, names: &[&str], inner: &str, other: &str) -> String {
        let chosen = usize::try_from(self.dice.below(u64::try_from(names.len()).unwrap())).unwrap();
        let one = |(place, name): (usize, &&str)| format!("{name}: [{}]", if place == chosen { inner } else { other });
        names.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
    }

    fn one(&mut self, kind: &str, inner: String, other: &str) -> String {
        match kind {
            "if" => format!("{{if: \"caller_number == '101'\", {}}}", self.branches(&["then", "else"], &inner, other)),
            "when" => {
                let branches = self.branches(&["then", "else"], &inner, other);
                format!("{{when: {{days: mon-fri, from: '09:00', to: '18:00', time_zone: UTC}}, {branches}}}")
            }
            "http" => {
                let outcomes = ["done", "not-found", "refused", "timeout", "failed"];
                let branches = self.branches(&outcomes, &inner, other);
                format!("{{http-request: {{source: crm, path: client, into: {{n: /n}}}}, on: {{{branches}}}}}")
            }
            "database" => {
                let branches = self.branches(&["found", "empty", "failed"], &inner, other);
                let asked = "database: orders, query: agent-of, with: {number: '{caller_number}'}, into: {vip: vip}";
                format!("{{database-query: {{{asked}}}, on: {{{branches}}}}}")
            }
            "repeat" => format!("{{repeat: {{times: 2}}, steps: [{inner}]}}"),
            _ => {
                // What is inside is another scenario from here on: the text before this mark.
                self.part = format!("{inner}\u{1}");
                "{run: part0}".into()
            }
        }
    }

    /// The office whose scenario is this, and then more steps.
    fn office(&self, more: &str) -> OfficeText {
        let (part, steps) = self.part.split_once('\u{1}').unwrap_or(("{set: {n: 5}}", &self.part));
        let text = format!("scenario: story\n{VARIABLES}steps: [{steps}{more}]\n");
        office_with(&text, [&format!("[{part}]"), PARTS[1]])
    }
}

/// All that is tried of a scenario: both callers, both times, all answers.
fn tried(stage: &Stage) -> Vec<plugboard_simulator::rehearsal::Explored> {
    let times = Times::At(vec![MONDAY, WallTime(MONDAY.0 + 12 * 3_600_000)]);
    let by = |caller: &str| {
        let plan = Plan { from: Caller::User(stage.office.find_user(caller).unwrap().id.clone()), ..plan(stage) };
        explore(stage, &plan, &times, 60, |_| true).unwrap()
    };
    ["101", "102"].map(by).into()
}

fn planted() -> std::ops::Range<u64> {
    0..PLANTED * if std::env::var_os("PLUGBOARD_LONG").is_some() { 5 } else { 1 }
}

#[test]
fn each_way_into_silence_that_the_checker_names_is_gone_by_a_call_and_there_is_none_where_it_names_none() {
    for seed in planted() {
        let silent = Nest::around(seed, "{set: {n: 1}}", "{say: {text: Hello}}");
        let stage = silent.office("").stage();
        let scenario = stage.office.scenario_named("story").unwrap().id.clone();
        let way = stage.programs.get(&scenario).unwrap().silence().map(<[String]>::to_vec);
        let way = way.unwrap_or_else(|| panic!("seed {seed}: it says of no way that it is silent\n{}", silent.part));
        let found = tried(&stage);
        let shown =
            found.iter().flat_map(|found| &found.findings).find(|finding| finding.what.contains("the call fails"));
        let shown = shown.unwrap_or_else(|| panic!("seed {seed}: no call is silent, by {way:?}\n{}", silent.part));
        let call = rehearse(&stage, &shown.plan).unwrap();
        let decided: Vec<String> = call.journals[0]
            .iter()
            .filter_map(|entry| match &entry.event {
                JournalEvent::Decided { path, branch } => Some(format!("{path}: {branch}")),
                _ => None,
            })
            .collect();
        assert!(
            way.iter().all(|said| decided.contains(said)),
            "seed {seed}: {way:?}, decided was {decided:?}\n{}",
            silent.part
        );
        let heard = Nest::around(seed, "{say: {text: Here}}", "{say: {text: Hello}}").office("").stage();
        assert_eq!(heard.programs.get(&scenario).unwrap().silence(), None, "seed {seed}");
        assert!(tried(&heard).iter().all(|found| !found.endings.contains_key("failed")), "seed {seed}");
    }
}

#[test]
fn where_the_checker_says_that_a_variable_may_have_no_value_a_call_comes_without_one() {
    for seed in planted() {
        let nest = |inner: &str| Nest::around(seed, inner, "{set: {w: hello}}");
        let (lacks, has) = (nest("{set: {n: 1}}"), nest("{set: {w: hello}}"));
        let use_of_it = ", {say: {text: 'It is {w}'}}";
        let sim = plugboard_simulator::Sim::demo();
        let faults = sim.faults(&lacks.office(use_of_it));
        assert!(
            faults.iter().any(|fault| fault.contains("w may have no value here")),
            "seed {seed}: {faults:?}\n{}",
            lacks.part
        );
        assert_eq!(sim.faults(&has.office(use_of_it)), Vec::<String>::new(), "seed {seed}\n{}", has.part);
        let asks = ", {if: \"assigned(w)\", then: [{say: {text: 'It is {w}'}}], else: [{say: {text: Nothing}}]}";
        let without = |nest: &Nest| {
            let found = tried(&nest.office(asks).stage());
            found.iter().any(|found| found.reached.iter().any(|(_, path)| path == "steps[1].else[0]"))
        };
        assert!(without(&lacks), "seed {seed}: each call has one\n{}", lacks.part);
        assert!(!without(&has), "seed {seed}: a call has none\n{}", has.part);
    }
}

#[test]
fn a_step_of_which_the_checker_says_that_it_is_never_reached_is_reached_by_no_call() {
    for seed in planted() {
        let (ends, goes_on) =
            (Nest::around(seed, "hang-up", "hang-up"), Nest::around(seed, "{set: {n: 1}}", "hang-up"));
        let sim = plugboard_simulator::Sim::demo();
        let after = ", {say: {text: After it}}";
        let faults = sim.faults(&ends.office(after));
        assert!(faults.iter().any(|fault| fault.contains("never reached")), "seed {seed}: {faults:?}\n{}", ends.part);
        assert_eq!(sim.faults(&goes_on.office(after)), Vec::<String>::new(), "seed {seed}\n{}", goes_on.part);
        let reached = |stage: &Stage, path: &str| {
            tried(stage).iter().any(|found| found.reached.iter().any(|(_, reached)| reached == path))
        };
        assert!(reached(&goes_on.office(after).stage(), "steps[1]"), "seed {seed}\n{}", goes_on.part);
        // The checker takes it where a call might pass by; none does.
        let (part, steps) = ends.part.split_once('\u{1}').unwrap_or(("{set: {n: 5}}", &ends.part));
        let text = format!(
            "scenario: story\n{VARIABLES}steps: [{{if: \"caller_number == '999'\", then: [{{set: {{n: 2}}}}], else: [{steps}]}}{after}]\n"
        );
        let passed = office_with(&text, [&format!("[{part}]"), PARTS[1]]).stage();
        assert!(!reached(&passed, "steps[1]"), "seed {seed}: a call comes there\n{text}");
    }
}

#[test]
fn scenarios_that_run_each_other_for_ever_are_refused_with_the_round_that_they_go() {
    let sim = plugboard_simulator::Sim::demo();
    let text = format!("scenario: story\n{VARIABLES}steps: [{{run: part0}}]\n");
    let faults = sim.faults(&office_with(&text, ["[{run: part1}]", "[{say: {text: Again}}, {run: part0}]"]));
    assert!(faults.iter().any(|fault| fault.contains("part0 runs part1 runs part0: they never end")), "{faults:?}");
}

fn faults(text: &str) -> Vec<String> {
    let sim = plugboard_simulator::Sim::demo();
    let faults = sim.faults(&office(text));
    assert!(
        faults.iter().all(|fault| fault.contains("nowhere")
            || fault.contains("never reached")
            || fault.contains("may have no value")),
        "{faults:?}\n{text}"
    );
    faults
}
