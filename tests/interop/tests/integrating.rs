//! A CRM beside the switch knows who calls: a real one of HTTP, asked by a component that never sees its secret.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Call, Office, Plugboard, Sipp, Transport, steps};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

const TOKEN: &str = "s3cret-of-the-crm";
const NUMBER: &str = "+49401234567";

/// A CRM that knows one number; the heads of what it is asked.
fn crm() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, (told, hears)) = (listener.local_addr().unwrap().port(), channel());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert!(stream.read_line(&mut head).unwrap() > 0, "a whole request: {head}");
            }
            let known = head.starts_with("GET /api/people?phone=%2B49401234567 ");
            let body = if known { r#"[{"id":"A-1","name":"Carla","user":"102"}]"# } else { "[]" };
            let (kind, len) = ("application/json", body.len());
            write!(
                stream.get_mut(),
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
            if told.send(head).is_err() {
                return;
            }
        }
    });
    (port, hears)
}

fn office(port: u16, settings: &str) -> Office {
    let find =
        |number: &str| format!("  - find-responsible: {{ number: \"{number}\" }}\n  - hang-up: {{ cause: busy }}\n");
    Office::new().scenario("700", "known", &find(NUMBER)).scenario("701", "unknown", &find("+49405")).lines(&format!(
        "http:\n  - {{ id: crm, url: \"http://127.0.0.1:{port}/api\", private: true, login: {{ bearer: {TOKEN} }} }}\n\
         integrations:\n  - {{ id: crm, plugin: rest-contacts, services: {{ api: crm }}, settings: {settings} }}\n"
    ))
}

const MAPPING: &str =
    "{ find: { path: people, query: { phone: \"{e164}\" } }, contact: { id: /id, name: /name, responsible: /user } }";

#[test]
fn an_integration_asks_a_crm_who_is_responsible_and_shows_its_secret_to_it_alone() {
    let (port, told) = crm();
    let switch = Plugboard::with_office(&office(port, MAPPING));
    for (called, outcome) in [("700", "found"), ("701", "not-found")] {
        Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", called).gets(486), Transport::Udp).succeeds();
        let head = told.recv().unwrap();
        assert!(head.to_ascii_lowercase().contains(&format!("authorization: bearer {TOKEN}\r\n")), "{head}");
        let calls = switch.waits_for_past_calls(if called == "700" { 1 } else { 2 });
        let call = calls.iter().find(|call| call["called"] == called).unwrap();
        let record = switch.ask(&["call", "show", call["id"].as_str().unwrap()]);
        assert_eq!(steps(&record)[0], ("find-responsible".to_owned(), outcome.to_owned()), "{record}");
    }
    assert!(switch.sample("plugboard_integration_calls_total{outcome=\"answered\"}") > 1.9);
    assert!(!switch.log().contains(TOKEN));
    let listed = switch.ask(&["plugin", "list"]);
    assert_eq!(listed["integrations"][0]["manifest"]["kind"], "integration");
}

#[test]
fn an_office_whose_integration_does_not_fit_its_plugin_is_not_applied_and_told_why() {
    let switch = Plugboard::empty(&[]);
    let apply = |office: &Office| {
        let file = office.write(switch.folder());
        switch.complains(&["apply", file.to_str().unwrap()])
    };
    let told = apply(&office(1, "{ find: { path: 7 } }"));
    assert!(told.contains("integrations[0].settings.find.path") && told.contains("contact"), "{told}");
    let text = office(1, MAPPING).text();
    let with = |from: &str, to: &str| {
        let file = switch.folder().join("changed.yaml");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        switch.complains(&["apply", file.to_str().unwrap()])
    };
    assert!(with("plugin: rest-contacts", "plugin: rest-contact").contains("rest-contacts"), "what is meant");
    assert!(with("services: { api: crm }", "services: { ap: crm }").contains("asks a service api"));
    assert!(with("services: { api: crm }", "services: { api: cr }").contains("the office has no source cr"));
}
