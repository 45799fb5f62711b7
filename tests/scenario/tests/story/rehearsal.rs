//! Calls that nobody makes: `plugboard simulate` lets this very switch answer what would happen.

use plugboard_model::{CallOutcome, HostResult, JournalEvent, LegId, PlayEnd, UserId, WallTime};
use plugboard_simulator::OfficeText;
use plugboard_simulator::rehearsal::{Caller, Does, Explored, Plan, ServiceDoes, Stage, Times, explore, rehearse};
use std::time::Duration;

use crate::seconds;

/// 2026-01-05, a Monday, 09:00 UTC.
pub(crate) const MONDAY: WallTime = WallTime(1_767_603_600_000);

fn user(stage: &Stage, name: &str) -> UserId {
    stage.office.find_user(name).unwrap().id.clone()
}

/// The demo office with these steps at the number 300.
fn stage(steps: &str) -> Stage {
    OfficeText::demo().with_story(steps).stage()
}

fn plan(stage: &Stage, to: &str) -> Plan {
    Plan { at: Some(MONDAY), ..Plan::new(Caller::User(user(stage, "101")), to) }
}

fn explored(stage: &Stage, times: &[WallTime], most: usize) -> Explored {
    explore(stage, &plan(stage, "300"), &Times::At(times.to_vec()), most, |_| true).unwrap()
}

fn findings(explored: &Explored) -> Vec<&str> {
    explored.findings.iter().map(|finding| finding.what.as_str()).collect()
}

#[test]
fn a_call_that_nobody_makes_goes_as_its_plan_says() {
    let stage = OfficeText::demo().stage();
    let sales = ["102", "103", "104"].map(|name| user(&stage, name));
    let [bob, cem, dora] = sales;
    let people = [
        (bob, Does::Ignores),
        (cem.clone(), Does::Answers(Duration::from_secs(7))),
        (dora, Does::Refuses(Duration::ZERO, 486)),
    ];
    let plan =
        Plan { keys: vec!["1".into()], people: people.into(), talk: Duration::from_secs(30), ..plan(&stage, "100") };
    let call = rehearse(&stage, &plan).unwrap();
    assert_eq!(call.left, Vec::<String>::new());
    let [record] = call.records.as_slice() else { panic!("{:?}", call.records) };
    assert_eq!(record.outcome, CallOutcome::Answered);
    assert_eq!(record.answered_by, Some(cem));
    assert!((0..50).contains(&(record.began.0 - MONDAY.0)), "the clock is the plan's when the call begins");
    let talked = record.ended.0 - record.answered.unwrap().0;
    assert!((30_000..30_500).contains(&talked), "{talked} ms");
    let rang_after = record.answered.unwrap().0 - record.began.0;
    assert!(
        (10_000..10_500).contains(&rang_after),
        "he keys after a second, more keys are awaited for two, and Cem answers after seven: {rang_after} ms"
    );
    assert_eq!(rehearse(&stage, &plan).unwrap().journals, call.journals, "it goes the same way each time");
}

#[test]
fn who_has_no_device_is_not_rung_and_whoever_calls_from_outside_shows_his_number() {
    let stage = OfficeText::demo().stage();
    let gateway = stage.office.gateways().next().unwrap().id.clone();
    let from = Caller::Outside { gateway, number: "+49301234567".into() };
    let offline = Plan { others: Some(Does::Offline), keys: vec!["102".into()], ..Plan::new(from, "100") };
    let call = rehearse(&stage, &offline).unwrap();
    let [record] = call.records.as_slice() else { panic!("{:?}", call.records) };
    assert_eq!(record.caller, "+49301234567");
    let rang = call.journals[0]
        .iter()
        .any(|entry| matches!(entry.event, JournalEvent::LegBegan { leg, .. } if leg != LegId::CALLER));
    assert!(!rang, "{:?}", call.journals[0]);
}

#[test]
fn what_time_it_is_decides_and_is_tried_when_all_ways_are() {
    let hours = "  - when: { days: [mon-fri], from: '09:00', to: '18:00', time_zone: Europe/Berlin }\n    then:\n\
        \x20     - call-user: { mode: user, target: \"102\" }\n    else:\n      - say: { text: closed }\n";
    let stage = stage(hours);
    let bob = user(&stage, "102");
    let rang = |at: i64| {
        let call = rehearse(&stage, &Plan { at: Some(WallTime(at)), ..plan(&stage, "300") }).unwrap();
        call.records[0].legs.iter().any(|leg| leg.user.as_ref() == Some(&bob))
    };
    assert!(rang(MONDAY.0));
    assert!(!rang(MONDAY.0 + 12 * 3_600_000), "at 21:00 UTC they are closed");
    let found = over_a_year(&stage, 8);
    assert_eq!(
        found.times,
        [MONDAY, WallTime(MONDAY.0 + 8 * 3_600_000)],
        "open from now on, closed at 18:00 in Berlin"
    );
    assert!(explored(&stage, &found.times[..1], 50).never.iter().any(|(_, path, _)| path == "steps[0].else[0]"));
    assert!(found.never.is_empty());
}

fn over_a_year(stage: &Stage, most: usize) -> Explored {
    explore(stage, &plan(stage, "300"), &Times::From(MONDAY, most), 100, |_| true).unwrap()
}

#[test]
fn times_are_those_at_which_clocks_decide_to_the_minute_in_the_scenarios_that_the_call_comes_to() {
    let calendars = "time_zone: Europe/Berlin\ncalendars:\n  - { id: desk, open: [ { days: [mon-fri], from: '09:00', to: '18:05' } ], holidays: [ { on: '01-06', name: Epiphany } ] }\nusers:\n";
    let steps = "  - when: desk\n    then: [ { say: { text: open } } ]\n    else:\n      - when: { calendar: desk, days: [holiday] }\n\
        \x20       then: [ { say: { text: holiday } } ]\n        else: [ { say: { text: closed } } ]\n";
    let other = "scenario: other\nsteps:\n  - when: { days: [mon], from: '13:13', to: '13:14', time_zone: UTC }\n    then: [ hang-up ]\n    else: [ hang-up ]\n";
    let office = OfficeText::demo().replace("users:\n", calendars).with_story(steps);
    let office = office.replace("scenarios:\n", "scenarios:\n  - { file: other.yaml }\n").with("other.yaml", other);
    let stage = office.stage();
    let found = over_a_year(&stage, 8);
    let minutes = |minutes: i64| WallTime(MONDAY.0 + minutes * 60_000);
    // Ten in Berlin; closed at 18:05, and a holiday from midnight on.
    assert_eq!(
        found.times,
        [MONDAY, minutes(8 * 60 + 5), minutes(14 * 60)],
        "what a call does not come to decides nothing"
    );
    assert_eq!((found.times_left, found.never.len()), (0, 0), "{:?}", found.never);
    assert_eq!(over_a_year(&stage, 2).times_left, 1, "what is cut is told");
}

#[test]
fn an_exploration_that_is_stopped_tells_what_it_has() {
    let stage =
        stage("  - menu: { prompt: welcome, keys: { \"1\": [ { call-user: { mode: user, target: \"102\" } } ] } }\n");
    let found = explore(&stage, &plan(&stage, "300"), &Times::At(vec![MONDAY]), 100, |calls| calls < 3).unwrap();
    assert!(found.stopped && found.calls == 3 && found.ways_left > 0, "{found:?}");
    assert!(!found.reached.is_empty());
}

#[test]
fn an_end_that_the_author_wants_is_no_finding_and_one_that_he_does_not_is() {
    let meant = explored(&stage("  - hang-up: { cause: not-found }\n"), &[MONDAY], 20);
    assert_eq!((findings(&meant), meant.endings.get("failed")), (Vec::new(), Some(&1)), "he says so");
    let none = OfficeText::demo().stage();
    let nobody = explore(&none, &plan(&none, "399"), &Times::At(vec![MONDAY]), 20, |_| true).unwrap();
    assert!(findings(&nobody).iter().any(|what| what.contains("the call fails: 404")), "{:?}", findings(&nobody));
    let refused = OfficeText::demo().replace("routes:\n", "routes:\n  - { id: no, number: 399, refuse: 404 }\n");
    let refused = refused.stage();
    let meant = explore(&refused, &plan(&refused, "399"), &Times::At(vec![MONDAY]), 20, |_| true).unwrap();
    assert_eq!(findings(&meant), Vec::<&str>::new(), "the route says so");
}

#[test]
fn each_way_that_a_call_can_go_is_tried_and_each_finding_comes_with_a_call_that_shows_it_again() {
    let steps = "  - menu:\n      prompt: welcome\n      repeats: 0\n      keys:\n        \"1\": [ { call-user: { mode: user, target: \"102\" } } ]\n\
        \x20       \"2\": [ { play-audio: { audio: welcome } } ]\n      invalid: [ hang-up ]\n      nothing: [ hang-up ]\n";
    let mut stage = stage(steps);
    // Its file is lost after it was checked.
    stage.prompts.remove("welcome");
    let found = explored(&stage, &[MONDAY], 100);
    assert!(found.never.is_empty(), "{:?}", found.never);
    assert_eq!(found.ways_left, 0);
    assert_eq!(found.calls, found.endings.values().sum::<usize>());
    let finding = found
        .findings
        .iter()
        .find(|finding| finding.what.contains("there is no prompt \"welcome\"") && !finding.plan.keys.is_empty())
        .unwrap();
    assert_eq!(findings(&found).len(), 1, "{:?}", findings(&found));
    let again = rehearse(&stage, &finding.plan).unwrap();
    assert_eq!(again.plan, finding.plan, "nothing was left open");
    assert!(again.journals[0].iter().any(|entry| matches!(
        &entry.event,
        JournalEvent::End { result: HostResult::Played(Ok(PlayEnd::NotPlayable(_))), .. }
    )));
}

#[test]
fn a_service_that_is_down_slow_or_says_nothing_of_use_is_one_of_the_ways() {
    let sources = "http:\n  - { id: crm, url: https://crm.example.com, timeout: 4s }\nusers:\n";
    let steps = "  - http-request: { source: crm, path: agent, into: { agent: /agent } }\n    on:\n      done: [ { call-user: { mode: variable, target: agent } } ]\n\
        \x20 - call-user: { mode: user, target: \"103\" }\n";
    let story = format!("scenario: story\nvariables: {{ agent: user }}\nsteps:\n{steps}");
    let stage =
        OfficeText::demo().replace("users:\n", sources).with_story("  - hang-up\n").with("story.yaml", &story).stage();
    let found = explored(&stage, &[MONDAY], 100);
    assert_eq!(findings(&found), Vec::<&str>::new(), "that others are down is nothing that the scenario does");
    let outages: Vec<&str> = found.outages.iter().map(|outage| outage.what.as_str()).collect();
    let down = found.outages.iter().find(|outage| outage.what == "when crm is down: the caller talks to 103").unwrap();
    assert!(outages.iter().any(|what| what.starts_with("when crm is too slow: ")), "{outages:?}");
    assert_eq!(down.plan.services.get("crm"), Some(&ServiceDoes::Down));
    let at_door = |does: ServiceDoes| {
        let planned = Plan { services: [("crm".to_owned(), does)].into(), ..plan(&stage, "300") };
        rehearse(&stage, &planned).unwrap().records.remove(0)
    };
    let slow = at_door(ServiceDoes::Slow);
    assert_eq!(slow.answered_by, Some(user(&stage, "103")));
    let answered_after = slow.answered.unwrap().0 - slow.began.0;
    assert!((9_000..9_500).contains(&answered_after), "four seconds of the service, five of Cem: {answered_after} ms");
    let body = r#"{"agent": "105"}"#.to_owned();
    let says = ServiceDoes::Answers { status: 200, body, after: seconds(1) };
    let planned = Plan { services: [("crm".to_owned(), says)].into(), ..plan(&stage, "300") };
    let call = rehearse(&stage, &planned).unwrap();
    assert_eq!(call.records[0].answered_by, Some(user(&stage, "105")));
    assert_eq!(call.asked, ["crm GET agent"]);
}

#[test]
fn whoever_is_answered_and_hears_nothing_is_found() {
    let silent = explored(&stage("  - collect-digits: { first_digit: 1s }\n"), &[MONDAY], 20);
    assert!(findings(&silent).iter().any(|what| what.contains("hears nothing")), "{:?}", findings(&silent));
    let asked = explored(&stage("  - collect-digits: { first_digit: 1s, prompt: welcome }\n"), &[MONDAY], 20);
    assert!(!findings(&asked).iter().any(|what| what.contains("hears nothing")), "{:?}", findings(&asked));
}
