//! Services of the web decide where calls go.

use plugboard_model::{CallOutcome, HostResult, HttpError, HttpMethod, HttpRequest, HttpResponse, JournalEvent};
use plugboard_simulator::{OfficeText, Setup};
use std::time::Duration;

use crate::{journaled, seconds, steps};

const SOURCES: &str = "http:\n  - { id: crm, url: https://crm.example.com/api, timeout: 4s }\n\
    \x20 - { id: log, url: https://log.example.com, methods: [post] }\nusers:\n";

/// The demo office with two services; the number 300 leads to these steps.
fn office(steps: &str) -> Setup {
    let story = format!("scenario: story\nvariables: {{ agent: user, vip: boolean }}\nsteps:\n{steps}");
    let demo = OfficeText::demo().replace("users:\n", SOURCES).with_story("  - hang-up\n").with("story.yaml", &story);
    Setup::offices(vec![demo])
}

/// Asks for the agent, who is rung; whoever has none goes to Cem.
const ASKS: &str = "  - http-request: { source: crm, path: contacts/search, query: { phone: \"{caller_number}\" }, into: { agent: /0/agent, vip: /0/vip } }\n\
    \x20   on:\n      done:\n        - call-user: { mode: variable, target: agent }\n\
    \x20 - call-user: { mode: user, target: \"103\" }\n";

fn says(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, content_type: "application/json".into(), body: body.into() }
}

#[test]
fn r23_an_answer_of_a_service_decides_whom_to_ring() {
    let mut sim = office(ASKS).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    sim.site_is(|_| (Duration::from_millis(300), Ok(says(200, r#"[{"agent": "102", "vip": true}]"#))));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(cem.is_idle()());
    let asked = sim.sites_asked();
    let request = HttpRequest {
        source: "crm".into(),
        method: HttpMethod::Get,
        path: "contacts/search".into(),
        query: vec![("phone".into(), "101".into())],
        body: None,
    };
    assert_eq!(asked.iter().map(|one| &one.request).collect::<Vec<_>>(), [&request]);
    let record = sim.record();
    assert_eq!(steps(&record), ["steps[0] http-request: done", "steps[0].on.done[0] call-user: answer"]);
    let answers = |event: &JournalEvent| matches!(event, JournalEvent::End { result: HostResult::Responded(Ok(response)), .. } if response.status == 200);
    assert_eq!(journaled(&sim, &record, answers), 1);
}

#[test]
fn r23_a_service_that_does_not_answer_in_time_lets_the_caller_fall_through() {
    let mut sim = office(ASKS).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    sim.site_is(|_| (seconds(60), Ok(says(200, r#"[{"agent": "102", "vip": true}]"#))));
    let began = sim.now();
    ann.dials("300");
    sim.run_until(cem.rings());
    let waited = sim.now().since(began);
    assert!((seconds(4)..seconds(5)).contains(&waited), "{waited:?}");
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(bob.is_idle()());
    assert_eq!(steps(&sim.record())[0], "steps[0] http-request: timeout");
}

#[test]
fn whatever_a_service_does_the_caller_goes_on() {
    let odd: [(Result<HttpResponse, HttpError>, &str); 9] = [
        (Ok(says(404, "")), "not-found"),
        (Ok(says(200, "[]")), "not-found"),
        (Ok(says(200, r#"[{"agent": "999", "vip": true}]"#)), "not-found"),
        (Ok(says(302, "")), "refused"),
        (Ok(says(500, "oh")), "refused"),
        (Ok(says(200, "<html>")), "failed"),
        (Err(HttpError::Unreachable("refused".into())), "failed"),
        (Err(HttpError::TooLong(65_536)), "failed"),
        (Err(HttpError::Busy), "failed"),
    ];
    for (answer, outcome) in odd {
        let mut sim = office(ASKS).start();
        let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
        let told = answer.clone();
        sim.site_is(move |_| (Duration::from_millis(10), told.clone()));
        ann.dials("300");
        sim.run_until(cem.rings());
        ann.hangs_up();
        sim.run_until_quiet();
        assert!(bob.is_idle()());
        assert_eq!(steps(&sim.record())[0], format!("steps[0] http-request: {outcome}"), "{answer:?}");
    }
}

#[test]
fn a_service_is_not_asked_for_what_the_office_does_not_let_it_do() {
    // What is known only in the call nobody can refuse before.
    let asks = "  - set: { how: post }\n  - http-request: { source: crm, method: \"{how}\", body: { a: 1 } }\n  - call-user: { mode: user, target: \"103\" }\n";
    let mut sim = office(asks).start();
    let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
    sim.site_is(|_| (Duration::ZERO, Ok(says(200, "{}"))));
    ann.dials("300");
    sim.run_until(cem.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(sim.sites_asked().is_empty());
    assert_eq!(steps(&sim.record())[1], "steps[1] http-request: failed");
}

#[test]
fn steps_beside_the_call_tell_a_service_and_each_has_a_key_of_its_own() {
    let tells = "  - event: hang-up\n    steps:\n      - http-request: { source: log, method: post, path: calls, body: { from: \"{caller_number}\", note: [1, true] } }\n\
        \x20 - http-request: { source: log, method: post, path: calls, body: \"{called_number}\" }\n\
        \x20 - call-user: { mode: user, target: \"103\" }\n";
    let mut sim = office(tells).start();
    let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
    sim.site_is(|_| (Duration::from_millis(50), Ok(says(204, ""))));
    ann.dials("300");
    sim.run_until(cem.rings());
    cem.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until_quiet();
    let asked = sim.sites_asked();
    let bodies: Vec<&str> = asked.iter().filter_map(|one| one.request.body.as_deref()).collect();
    assert_eq!(bodies, ["\"300\"", r#"{"from":"101","note":[1,true]}"#]);
    assert_ne!(asked[0].key, asked[1].key);
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_caller_who_hangs_up_waits_for_no_answer() {
    let mut sim = office(ASKS).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    sim.site_is(|_| (seconds(3), Ok(says(200, r#"[{"agent": "102", "vip": true}]"#))));
    ann.dials("300");
    sim.run_for(seconds(1));
    ann.hangs_up();
    sim.run_for(seconds(1));
    assert_eq!(sim.records("main").len(), 1);
    sim.run_for(seconds(3));
    sim.run_until_quiet();
    assert!(bob.is_idle()());
}

#[test]
fn a_webhook_to_a_service_that_takes_no_post_keeps_the_office_from_being_applied() {
    let sim = office("  - hang-up\n").start();
    let posts = |source: &str| {
        let steps = format!("  - webhook: {{ source: {source}, body: {{ a: 1 }} }}\n  - hang-up\n");
        sim.faults(&OfficeText::demo().replace("users:\n", SOURCES).with_story(&steps))
    };
    assert_eq!(posts("log"), [""; 0]);
    let faults = posts("crm");
    assert_eq!(faults.len(), 1, "{faults:?}");
    let told = "story.yaml:3:24: steps[0].webhook.source: the office does not let \"post\" be done at the source crm";
    assert!(faults[0].starts_with(told), "{faults:?}");
}
