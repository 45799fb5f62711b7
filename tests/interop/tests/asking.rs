//! Programs that ask a running switch over HTTP what scenarios may be made of, and what they would do.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Office, Plugboard, Serve, asked};
use serde_json::{Value, json};
use std::fs;

const TOKEN: &str = "a-token-of-the-main-office";

/// A switch with an office and a program that may ask of it.
fn switch() -> Plugboard {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, TOKEN).unwrap();
    let api = format!("[[api]]\nname = \"crm\"\noffice = \"main\"\ntoken_file = {:?}\n", token.to_str().unwrap());
    let switch = Plugboard::empty_by(|serve| serve.configured(&api));
    switch.apply(&Office::new());
    switch
}

fn ask(switch: &Plugboard, method: &str, what: &str, token: &str, body: &Value) -> (u16, Value) {
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = format!("/api/v1/offices/main/{what}");
    let (status, text) = asked(switch.http(), method, &path, &headers, body.as_bytes());
    (status, serde_json::from_str(&text).unwrap())
}

#[test]
fn r32_a_program_sees_the_list_of_all_actions_generated_from_the_components() {
    let switch = switch();
    let (status, list) = ask(&switch, "GET", "actions", TOKEN, &Value::Null);
    assert_eq!(status, 200);
    let by_command = switch.ask(&["plugin", "list"]);
    let names = |list: &Value| {
        let actions = list["actions"].as_array().unwrap();
        actions.iter().map(|action| action["manifest"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&list), names(&by_command));
    assert!(names(&list).contains(&"call-user".to_owned()));
    assert_eq!(ask(&switch, "GET", "actions", "guessed-and-long-enough", &Value::Null).0, 401);
}

#[test]
fn a_program_asks_for_versions_and_what_differs_between_them() {
    let switch = switch();
    let file = switch.folder().join("next.yaml");
    fs::write(&file, Office::new().user(101, "calls_at_once: 1").text()).unwrap();
    switch.succeeds(&["apply", "--why", "one is enough", file.to_str().unwrap()]);
    let (status, told) = ask(&switch, "GET", "versions", TOKEN, &Value::Null);
    assert_eq!((status, &told["versions"][0]["why"]), (200, &json!("one is enough")), "{told}");
    let (status, told) = ask(&switch, "GET", "versions/1/diff/2", TOKEN, &Value::Null);
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["changes"], json!([{ "of": "user 101: calls_at_once", "what": "came", "to": "1" }]), "{told}");
    assert_eq!((&told["to"]["who"], &told["to"]["why"]), (&json!("plugboard apply"), &json!("one is enough")));
    assert_eq!(ask(&switch, "GET", "versions/1/diff/9", TOKEN, &Value::Null).0, 404);
}

#[test]
fn what_a_simulation_left_when_the_switch_was_killed_is_taken_away() {
    let (_kept, data) = switch().cut();
    let left = data.join("simulation-1-0");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("draft.yaml"), "x").unwrap();
    let _switch = Serve::on(&data).start();
    assert!(!left.exists());
}

#[test]
fn a_program_asks_what_would_happen_and_what_a_draft_would_do() {
    let switch = switch();
    let wish =
        json!({ "call": { "from": "101", "to": "102", "people": { "102": { "answers": "3s" } }, "talk": "5s" } });
    let (status, told) = ask(&switch, "POST", "simulate", TOKEN, &wish);
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["calls"][0]["record"]["answered_by"]["name"], "102", "{told}");
    assert_eq!(told["left"], json!([]));
    let draft = "scenario: draft\nsteps:\n  - say: { text: Hello }\n  - call-user: { mode: user, target: \"103\" }\n";
    let (status, told) =
        ask(&switch, "POST", "simulate", TOKEN, &json!({ "draft": draft, "call": { "from": "101" }, "explore": true }));
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["steps_never_reached"], json!([]), "{told}");
    assert!(told["calls"].as_u64().unwrap() >= 3, "answered, not answered, busy: {told}");
    assert_eq!(told["time_was_over"], false);
    let at = json!({ "from": "101", "at": "2026-12-25T21:00:00+01:00" });
    let (_, told) =
        ask(&switch, "POST", "simulate", TOKEN, &json!({ "draft": draft, "call": at, "explore": true, "calls": 1 }));
    assert_eq!(told["times"], json!(["2026-12-25T20:00:00+00:00"]), "by the office's clock: {told}");
    let broken = draft.replace("103", "nobody");
    let (status, told) =
        ask(&switch, "POST", "simulate", TOKEN, &json!({ "draft": broken, "call": { "from": "101" } }));
    assert_eq!(status, 422);
    let fault = told["faults"][0].as_str().unwrap();
    assert!(fault.starts_with("draft.yaml:4:") && fault.contains("nobody"), "{fault}");
    let (status, told) = ask(&switch, "POST", "simulate", TOKEN, &json!({ "scenario": "/etc/hostname" }));
    assert_eq!(status, 422);
    assert!(told["faults"][0].as_str().unwrap().contains("is a file"), "{told}");
    let (status, told) =
        ask(&switch, "POST", "simulate", TOKEN, &json!({ "scenario": "nowhere", "call": { "from": "101" } }));
    assert_eq!(status, 422);
    assert!(told["faults"][0].as_str().unwrap().contains("has no scenario \"nowhere\""), "{told}");
    assert!(switch.past_calls().is_empty(), "nobody was called");
    assert!(switch.data().join("cache").is_dir(), "what is compiled once is kept with the switch");
    let left: Vec<_> = fs::read_dir(switch.data()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("simulation")), "{left:?}");
}
