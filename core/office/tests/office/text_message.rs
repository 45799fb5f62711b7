//! How an office sends text messages, in its document.

use crate::support::{demo_folder, faults};
use plugboard_model::{HttpMethod, OutgoingText};
use plugboard_office::{FilledBody, Office, Secrets};
use std::sync::Arc;

fn office(texts: &str) -> String {
    format!(
        "office: main\ndomains: [plugboard.test]\nhttp:\n  - {{ id: sms, url: https://sms.example.com, methods: [get, post] }}\n  - {{ id: read, url: https://sms.example.com }}\ntext_messages:\n{texts}"
    )
}

fn read(texts: &str) -> Arc<Office> {
    Office::parse("o.yaml", &office(texts), &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[test]
fn a_provider_is_asked_as_the_office_says_and_numbers_are_written_for_the_world() {
    let office = read(
        "  source: sms\n  path: send\n  from: Desk\n  query: { v: 1 }\n  body: { messages: [{ to: \"{to}\", text: \"{from}: {text}\" }], id: \"{key}\", test: false }\n",
    );
    let texts = office.text_messages.as_ref().unwrap();
    assert!(texts.tells_repetitions());
    assert_eq!(office.text_number("0170 1234567").as_deref(), Some("+491701234567"));
    assert_eq!(office.text_number("101"), None);
    let message = OutgoingText { to: "+491701234567".into(), text: "Say \"hi\" {key}".into() };
    let (query, body) = texts.request(&message, "k-1");
    assert_eq!(query, [("v".to_owned(), "1".to_owned())]);
    let Some(FilledBody::Json(body)) = body else { panic!("{body:?}") };
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let wanted = serde_json::json!({ "messages": [{ "to": "+491701234567", "text": "Desk: Say \"hi\" {key}" }], "id": "k-1", "test": false });
    assert_eq!(body, wanted);
    let asked = read("  { source: sms, method: get, query: { to: \"{to}\", text: \"{text}\" } }\n");
    let texts = asked.text_messages.as_ref().unwrap();
    assert_eq!((texts.method, texts.tells_repetitions()), (HttpMethod::Get, false));
    let again = Office::parse("o.yaml", &office.export(Secrets::Hidden, None), &demo_folder()).unwrap();
    let (one, other) = (again.text_messages.as_ref().unwrap(), office.text_messages.as_ref().unwrap());
    assert_eq!(
        (one.request(&message, "k"), &one.from, one.an_hour),
        (other.request(&message, "k"), &other.from, other.an_hour)
    );
}

#[test]
fn a_provider_that_wants_a_form_gets_one() {
    let office = read("  { source: sms, form: { To: \"{to}\", Body: \"{text}\", Ref: \"{key}\" } }\n");
    let texts = office.text_messages.as_ref().unwrap();
    assert!(texts.tells_repetitions());
    let message = OutgoingText { to: "+491701234567".into(), text: "a&b {key}".into() };
    let pairs = [("Body", "a&b {key}"), ("Ref", "k-1"), ("To", "+491701234567")];
    let form = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    assert_eq!(texts.request(&message, "k-1"), (vec![], Some(FilledBody::Form(form))));
    let again = Office::parse("o.yaml", &office.export(Secrets::Hidden, None), &demo_folder()).unwrap();
    assert_eq!(again.text_messages, office.text_messages);
}

#[test]
fn every_fault_of_text_messages_is_told() {
    for (texts, told) in [
        ("{ query: { text: \"{text}\" } }", "source"),
        ("{ source: smss, query: { text: \"{text}\" } }", "no source smss"),
        ("{ source: read, query: { text: \"{text}\" } }", "takes no post"),
        ("{ source: sms, query: { to: \"{to}\" } }", "does not say the text"),
        ("{ source: sms, query: { text: \"{text} {nam}\" } }", "a brace stands for nothing"),
        ("{ source: sms, body: { text: \"{text}\", x: [\"{y}\"] } }", "a brace stands for nothing"),
        ("{ source: sms, method: get, body: { text: \"{text}\" } }", "get has no body"),
        ("{ source: sms, form: { text: \"{text}\" }, body: { text: \"{text}\" } }", "there is a body already"),
        ("{ source: sms, form: { text: \"{txt}\" } }", "a brace stands for nothing"),
        ("{ source: sms, method: get, form: { text: \"{text}\" } }", "get has no body"),
        ("{ source: sms, path: a/../b, query: { text: \"{text}\" } }", "is no path"),
        ("{ source: sms, query: { text: \"{text}\" }, an_hour: 0 }", "an_hour"),
        ("{ source: sms, query: { text: \"{text}\" }, sender: x }", "sender"),
    ] {
        let found = faults(&office(&format!("  {texts}\n")));
        assert!(found.contains(told), "{texts}: {found}");
    }
}
