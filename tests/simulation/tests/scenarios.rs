//! Random scenarios: each that the checker takes is simulated every way that its calls can go, as far as these are tried. None of these calls is left
//! without a next step, each ends, and only those end in silence of which the checker says so.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_model::{JournalEntry, JournalEvent, Time, WallTime};
use plugboard_plugin::Limits;
use plugboard_simulator::rehearsal::{Caller, Plan, Stage, explore, rehearse};
use plugboard_simulator::{Dice, OfficeText};

/// Scenarios of one run; `--long` takes more.
const SCENARIOS: u64 = 40;
/// Calls whose runs are dropped and rebuilt.
const CALLS_DROPPED: usize = 200;
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
        let deep = if depth == 0 { 0 } else { 6 };
        let user = 102 + self.below(4);
        match self.below(8 + deep) {
            0 => "{play-audio: {audio: welcome}}".into(),
            1 => "{play-audio: {audio: nowhere}}".into(),
            2 => format!("{{call-user: {{mode: user, target: {user}, ring_for: 6s}}, continue: true}}"),
            3 => "{call-group: {group: sales}, continue: true}".into(),
            4 => "{collect-digits: {prompt: welcome, first_digit: 2s, max_digits: 1}}".into(),
            5 => "{set: {n: 3}}".into(),
            6 => "{event: hold, steps: [{set: {n: 4}}]}".into(),
            7 => "{echo: {max: 2s}}".into(),
            8 => format!(
                "{{if: \"caller_number == '10{}'\", then: {}, else: {}}}",
                self.below(3),
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            9 => format!(
                "{{menu: {{prompt: welcome, repeats: 1, extensions: {}, keys: {{'1': {}, '2': {}}}, invalid: {}, nothing: {}}}}}",
                self.below(2) == 0,
                self.list(depth - 1),
                self.list(depth - 1),
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            10 => format!(
                "{{when: {{days: mon-fri, from: '09:00', to: '18:00', time_zone: UTC}}, then: {}, else: {}}}",
                self.list(depth - 1),
                self.list(depth - 1)
            ),
            11 => format!("{{repeat: {{times: {}}}, steps: {}}}", 1 + self.below(3), self.list(depth - 1)),
            12 => format!("{{stream: {}}}", self.list(0)),
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
    format!("scenario: story\nvariables: {{ n: number }}\nsteps:\n{}", steps.concat())
}

fn office(text: &str) -> OfficeText {
    OfficeText::demo().with_story("  - hang-up\n").with("story.yaml", text)
}

fn plan(stage: &Stage) -> Plan {
    let caller = stage.office.find_user("101").unwrap().id.clone();
    Plan { at: Some(MONDAY), ..Plan::new(Caller::User(caller), "300") }
}

/// What must hold in each call of each scenario that is taken.
fn holds(seed: u64, text: &str) -> (usize, Heard) {
    let stage = office(text).stage();
    let found = explore(&stage, &plan(&stage), &[MONDAY], CALLS, |_| true).unwrap();
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
    for seed in 0.. {
        if calls >= CALLS_DROPPED {
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
