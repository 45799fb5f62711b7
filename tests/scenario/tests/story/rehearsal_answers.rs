//! Explorations make up what services and databases answer, so that each way behind an answer is tried.

use plugboard_model::UserId;
use plugboard_simulator::OfficeText;
use plugboard_simulator::rehearsal::{
    Caller, CarrierDoes, DatabaseDoes, Explored, Plan, ServiceDoes, Stage, Times, explore, rehearse,
};

use crate::rehearsal::MONDAY;
use crate::seconds;

const SOURCES: &str = "http:\n  - { id: crm, url: https://crm.example.com, timeout: 4s }\n\
    databases:\n  - id: orders\n    kind: postgresql\n    address: db.example.com\n    database: crm\n    user: plugboard\n    timeout: 2s\n    \
    queries:\n      - { id: agent-of, sql: \"select agent, vip from clients where phone = :number\" }\n\
    mail:\n  host: mail.example.com\n  from: \"Desk <desk@plugboard.test>\"\nusers:\n";

/// The demo office with a service, a database and a mail server; the number 300 leads to these steps.
fn stage(variables: &str, steps: &str) -> Stage {
    let story = format!("scenario: story\nvariables: {{ {variables} }}\nsteps:\n{steps}");
    OfficeText::demo().replace("users:\n", SOURCES).with_story("  - hang-up\n").with("story.yaml", &story).stage()
}

fn user(stage: &Stage, number: &str) -> UserId {
    stage.office.find_user(number).unwrap().id.clone()
}

fn plan(stage: &Stage) -> Plan {
    Plan { at: Some(MONDAY), ..Plan::new(Caller::User(user(stage, "101")), "300") }
}

fn explored(stage: &Stage) -> Explored {
    explore(stage, &plan(stage), &Times::At(vec![MONDAY]), 300, |_| true).unwrap()
}

fn never(explored: &Explored) -> Vec<&str> {
    explored.never.iter().map(|(_, path, _)| path.as_str()).collect()
}

#[test]
fn each_way_behind_the_answer_of_a_service_is_tried() {
    let steps = "  - http-request: { source: crm, path: client, into: { agent: /data/0/agent, level: /level, kind: /kind, due: /due } }\n    on:\n      done:\n\
        \x20       - if: \"level >= 3\"\n          then: [ { call-user: { mode: variable, target: agent, ring_for: 6s }, continue: true } ]\n\
        \x20         else: [ { play-audio: { audio: welcome } } ]\n\
        \x20       - set: { copy: \"{kind}\" }\n\
        \x20       - if: \"copy in ['vip', 'press'] && due\"\n          then: [ { play-audio: { audio: welcome } } ]\n\
        \x20         else: [ { say: { text: Hello } } ]\n      not-found: [ { say: { text: Unknown } } ]\n      refused: [ { say: { text: No } } ]\n\
        \x20     timeout: [ { say: { text: Late } } ]\n      failed: [ { say: { text: Down } } ]\n";
    let stage = stage("agent: user, level: number, kind: text, due: boolean, copy: text", steps);
    let found = explored(&stage);
    assert_eq!(never(&found), Vec::<&str>::new(), "{} calls, {} ways left", found.calls, found.ways_left);
    let answered = |plan: &Plan| matches!(plan.services.get("crm"), Some(ServiceDoes::Answers { .. }));
    assert!(!found.findings.iter().any(|finding| answered(&finding.plan) && finding.what.contains("crm")));
}

#[test]
fn each_way_behind_the_rows_of_a_database_is_tried_and_a_plan_says_what_they_are() {
    let steps = "  - database-query: { database: orders, query: agent-of, with: { number: \"{caller_number}\" }, into: { agent: agent, vip: vip } }\n    on:\n      found:\n\
        \x20       - if: vip\n          then: [ { call-user: { mode: variable, target: agent, ring_for: 6s } } ]\n\
        \x20         else: [ { say: { text: Hello } } ]\n      empty: [ { say: { text: Unknown } } ]\n      failed: [ { say: { text: Down } } ]\n";
    let stage = stage("agent: user, vip: boolean", steps);
    let found = explored(&stage);
    assert_eq!(never(&found), Vec::<&str>::new(), "{} calls", found.calls);
    let rows = r#"[{"agent": "105", "vip": true}]"#.to_owned();
    let says = DatabaseDoes::Answers { rows, count: 1, after: seconds(1) };
    for name in ["orders", "orders/agent-of"] {
        let planned = Plan { databases: [(name.to_owned(), says.clone())].into(), ..plan(&stage) };
        let call = rehearse(&stage, &planned).unwrap();
        assert_eq!(call.records[0].answered_by, Some(user(&stage, "105")));
        assert_eq!(call.queried, ["orders agent-of"]);
    }
    let down = rehearse(&stage, &plan(&stage)).unwrap();
    assert_eq!(down.records[0].answered_by, None, "databases that are not named are down");
}

#[test]
fn a_mail_that_leaves_is_taken_or_refused_as_the_plan_says() {
    let stage = stage(
        "n: number",
        "  - send-email: { to: [boss@example.com], subject: Call, text: Somebody called }\n  - say: { text: Bye }\n",
    );
    let taken = rehearse(&stage, &plan(&stage)).unwrap();
    assert_eq!(taken.left_by_itself, ["mail to boss@example.com: taken"]);
    let refused = Plan { mail: Some(CarrierDoes::Refuses), ..plan(&stage) };
    let refused = rehearse(&stage, &refused).unwrap();
    assert_eq!(refused.left_by_itself, ["mail to boss@example.com: refused"]);
    assert_eq!(refused.left, Vec::<String>::new());
    assert_eq!(refused.records[0].outcome, taken.records[0].outcome, "the call waits for nobody");
    let found = explored(&stage);
    assert_eq!(found.calls, 2, "taken, and refused");
}
