//! Databases decide where calls go.

use plugboard_model::{Argument, CallOutcome, DatabaseError, DatabaseRows, HostCall, HostResult, JournalEvent};
use plugboard_simulator::{OfficeText, Setup};
use std::time::Duration;

use crate::{journaled, seconds, steps};

const DATABASES: &str = "databases:\n  - id: crm\n    kind: postgresql\n    address: db.example.com\n    database: crm\n    user: plugboard\n    \
    timeout: 2s\n    queries:\n      - { id: agent-of, sql: \"select agent, vip from clients where phone = :number\" }\n\
    \x20     - { id: by-id, sql: \"select agent from clients where id = :id and vip = :vip\", parameters: { id: number, vip: boolean } }\n\
    \x20     - { id: told, sql: \"insert into calls (phone) values (:number)\", writes: true }\nusers:\n";

/// The demo office with a database; the number 300 leads to these steps.
fn office(steps: &str) -> Setup {
    let story = format!("scenario: story\nvariables: {{ agent: user, vip: boolean }}\nsteps:\n{steps}");
    let demo = OfficeText::demo().replace("users:\n", DATABASES).with_story("  - hang-up\n").with("story.yaml", &story);
    Setup::offices(vec![demo])
}

/// Asks for the agent, who is rung; whoever has none goes to Cem.
const ASKS: &str = "  - database-query: { database: crm, query: agent-of, with: { number: \"{caller_number}\" }, into: { agent: agent, vip: vip } }\n\
    \x20   on:\n      found:\n        - call-user: { mode: variable, target: agent }\n\
    \x20 - call-user: { mode: user, target: \"103\" }\n";

fn rows(rows: &str, count: u64) -> DatabaseRows {
    DatabaseRows { rows: rows.into(), count }
}

#[test]
fn r22_a_row_of_a_database_decides_whom_to_ring() {
    let mut sim = office(ASKS).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    sim.tables_are(|_| (Duration::from_millis(20), Ok(rows(r#"[{"agent": "102", "vip": true}]"#, 1))));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(cem.is_idle()());
    let asked = sim.databases_asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].database.id.as_str(), asked[0].query.id.as_str()), ("crm", "agent-of"));
    assert_eq!(asked[0].arguments, [("number".to_owned(), Argument::Text("101".into()))].into());
    let record = sim.record();
    assert_eq!(steps(&record), ["steps[0] database-query: found", "steps[0].on.found[0] call-user: answer"]);
    let began = |event: &JournalEvent| matches!(event, JournalEvent::Begin { call: HostCall::Query(asked), .. } if asked.query == "agent-of");
    let ended = |event: &JournalEvent| matches!(event, JournalEvent::End { result: HostResult::Queried(Ok(rows)), .. } if rows.count == 1);
    assert_eq!((journaled(&sim, &record, began), journaled(&sim, &record, ended)), (1, 1));
}

#[test]
fn r22_whatever_a_database_does_the_caller_goes_on() {
    let odd: [(Result<DatabaseRows, DatabaseError>, &str); 11] = [
        (Ok(rows("[]", 0)), "empty"),
        (Ok(rows(r#"[{"agent": null, "vip": true}]"#, 1)), "empty"),
        (Ok(rows(r#"[{"agent": "999", "vip": true}]"#, 1)), "empty"),
        (Ok(rows(r#"[{"agent": "102"}]"#, 1)), "failed"),
        (Ok(rows(r#"[{"agent": "102", "vip": "perhaps"}]"#, 1)), "failed"),
        (Err(DatabaseError::Unreachable("refused".into())), "failed"),
        (Err(DatabaseError::Refused("read only".into())), "failed"),
        (Err(DatabaseError::TooManyRows(100)), "failed"),
        (Err(DatabaseError::TooLong(65_536)), "failed"),
        (Err(DatabaseError::Unshown("\"place\" is of type POINT".into())), "failed"),
        (Err(DatabaseError::Busy), "failed"),
    ];
    for (answer, outcome) in odd {
        let mut sim = office(ASKS).start();
        let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
        let told = answer.clone();
        sim.tables_are(move |_| (Duration::from_millis(10), told.clone()));
        ann.dials("300");
        sim.run_until(cem.rings());
        ann.hangs_up();
        sim.run_until_quiet();
        assert!(bob.is_idle()());
        assert_eq!(steps(&sim.record())[0], format!("steps[0] database-query: {outcome}"), "{answer:?}");
    }
}

#[test]
fn r22_a_database_that_does_not_answer_in_time_lets_the_caller_fall_through() {
    let mut sim = office(ASKS).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    sim.tables_are(|_| (seconds(60), Ok(rows(r#"[{"agent": "102", "vip": true}]"#, 1))));
    let began = sim.now();
    ann.dials("300");
    sim.run_until(cem.rings());
    let waited = sim.now().since(began);
    assert!((seconds(2)..seconds(3)).contains(&waited), "{waited:?}");
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(bob.is_idle()());
    assert_eq!(steps(&sim.record())[0], "steps[0] database-query: failed");
}

#[test]
fn values_become_what_the_query_takes_and_what_cannot_is_not_asked() {
    let asks = |id: &str| {
        format!(
            "  - database-query: {{ database: crm, query: by-id, with: {{ id: \"{id}\", vip: true }} }}\n  - call-user: {{ mode: user, target: \"103\" }}\n"
        )
    };
    for (id, asked) in [("{caller_number}", 1), ("{caller_name}", 0)] {
        let mut sim = office(&asks(id)).start();
        let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
        sim.tables_are(|_| (Duration::ZERO, Ok(rows("[]", 0))));
        ann.dials("300");
        sim.run_until(cem.rings());
        ann.hangs_up();
        sim.run_until_quiet();
        let questions = sim.databases_asked();
        assert_eq!(questions.len(), asked, "{id}");
        for question in questions {
            let expected = [("id".to_owned(), Argument::Number(101)), ("vip".to_owned(), Argument::Boolean(true))];
            assert_eq!(question.arguments, expected.into());
        }
        let outcome = if asked == 1 { "empty" } else { "failed" };
        assert_eq!(steps(&sim.record())[0], format!("steps[0] database-query: {outcome}"), "{id}");
    }
}

#[test]
fn what_writes_is_sent_once_whatever_is_heard_of_it() {
    let writes = "  - database-query: { database: crm, query: told, with: { number: \"{caller_number}\" } }\n  - call-user: { mode: user, target: \"103\" }\n";
    let mut sim = office(writes).start();
    let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
    sim.tables_are(|_| (seconds(1), Err(DatabaseError::Unknown("the connection broke".into()))));
    ann.dials("300");
    sim.run_until(cem.rings());
    cem.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.databases_asked().len(), 1);
    let record = sim.record();
    assert_eq!(record.outcome, CallOutcome::Answered);
    assert_eq!(steps(&record)[0], "steps[0] database-query: failed");
}

#[test]
fn a_caller_who_hangs_up_waits_for_no_database() {
    let mut sim = office(ASKS).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    sim.tables_are(|_| (Duration::from_millis(1_900), Ok(rows(r#"[{"agent": "102", "vip": true}]"#, 1))));
    ann.dials("300");
    sim.run_for(Duration::from_millis(500));
    ann.hangs_up();
    sim.run_for(Duration::from_millis(500));
    assert_eq!(sim.records("main").len(), 1);
    sim.run_for(seconds(3));
    sim.run_until_quiet();
    assert!(bob.is_idle()());
}
