//! How an office sends e-mail, in its document.

use crate::support::{demo_folder, faults};
use plugboard_office::{MailTls, Office, Secrets};
use std::sync::Arc;
use std::time::Duration;

fn office(mail: &str) -> String {
    format!(
        "office: main\ndomains: [plugboard.test]\nusers:\n  - {{ id: ann, number: 101, password: x, mail: ann@example.com }}\n  - {{ id: bob, number: 102, password: x }}\n\
         groups:\n  - {{ id: sales, number: 200, members: [ann], mail: sales@example.com }}\nmail:\n{mail}"
    )
}

fn read(mail: &str) -> Arc<Office> {
    Office::parse("o.yaml", &office(mail), &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

const ALL: &str = "  host: mail.example.com\n  tls: implicit\n  login: { user: desk, password: s3cret }\n  from: \"Front desk <desk@example.com>\"\n  timeout: 10s\n  \
    an_hour: 60\n  attachments: 0\n  templates:\n    - id: hold\n      texts:\n        en: { subject: On hold, text: \"{caller_number} waits\", html: \"<b>{caller_number}</b>\" }\n        \
    de: { subject: Gehalten, text: \"{caller_number} wartet\" }\n";

#[test]
fn mail_says_by_which_server_from_whom_and_how_much() {
    let office = read(ALL);
    let mail = office.mail.as_ref().unwrap();
    assert_eq!((mail.host.as_str(), mail.port, mail.tls), ("mail.example.com", 465, MailTls::Implicit));
    assert_eq!((mail.from.name.as_str(), mail.from.address.as_str()), ("Front desk", "desk@example.com"));
    assert_eq!((mail.timeout, mail.an_hour, mail.attachments_max), (Duration::from_secs(10), 60, 0));
    assert_eq!(mail.give_up_after, Duration::from_hours(24));
    let template = office.mail_template("hold").unwrap();
    assert_eq!(template.text("de-AT", "en").unwrap().subject, "Gehalten");
    assert_eq!(template.text("fr", "en").unwrap().subject, "On hold");
    assert_eq!(template.all().count(), 5);
    assert!(office.mail_template("other").is_none());
    assert!(!format!("{office:?}").contains("s3cret"), "a secret is shown to nobody");
    let plain = read("  { host: mail.example.com, from: desk@example.com }\n");
    let mail = plain.mail.as_ref().unwrap();
    assert_eq!((mail.port, mail.tls, mail.private), (587, MailTls::StartTls, false));
}

#[test]
fn mail_goes_to_addresses_users_and_groups() {
    let office = read(ALL);
    for (whom, to) in [
        ("x@example.org", "x@example.org"),
        ("ann", "ann@example.com"),
        ("101", "ann@example.com"),
        ("sales", "sales@example.com"),
        ("200", "sales@example.com"),
    ] {
        assert_eq!(office.mail_address(whom).map(|address| address.to_string()), Ok(to.to_owned()));
    }
    for (whom, why) in [("bob", "has no `mail`"), ("999", "neither an address"), ("x@exa\r\nmple.org", "domain")] {
        let told = office.mail_address(whom).unwrap_err();
        assert!(told.contains(why), "{whom:?}: {told}");
    }
}

#[test]
fn what_is_exported_reads_the_same_and_hides_the_password() {
    let office = read(ALL);
    let clear = office.export(Secrets::InClear, None);
    let again = Office::parse("o.yaml", &clear, &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(again.mail, office.mail);
    assert_eq!(again.mail_address("sales"), office.mail_address("sales"));
    let hidden = office.export(Secrets::Hidden, None);
    assert!(!hidden.contains("s3cret") && hidden.contains("keep: true"), "{hidden}");
}

#[test]
fn every_fault_of_mail_is_told_with_its_place_and_remedy() {
    let with = |more: &str| format!("  {{ host: mail.example.com, from: desk@example.com, {more} }}\n");
    for (mail, told) in [
        ("  { from: desk@example.com }\n".to_owned(), "mail"),
        ("  { host: mail.example.com }\n".to_owned(), "from"),
        ("  { host: \"mail example\", from: desk@example.com }\n".to_owned(), "is no name of a server"),
        ("  { host: mail.example.com, from: \"desk\" }\n".to_owned(), "has no @"),
        (
            "  { host: mail.example.com, from: \"Desk\\r\\nBcc: x@y.test <desk@example.com>\" }\n".to_owned(),
            "more than one line",
        ),
        (with("tls: none"), "would be sent in the clear"),
        (with("tls: ssl"), "implicit"),
        (with("port: 0"), "mail.port"),
        (with("login: { user: desk }"), "password"),
        (with("timeout: 5m"), "mail.timeout"),
        (with("an_hour: 0"), "mail.an_hour"),
        (with("attachments: 30000000"), "mail.attachments"),
        (with("templates: [{ id: hold }]"), "texts"),
        (with("templates: [{ id: hold, texts: {} }]"), "languages"),
        (with("templates: [{ id: hold, texts: { english words: { subject: a, text: b } } }]"), "is no language"),
        (with("templates: [{ id: hold, texts: { en: { subject: \"a\\nb\", text: b } } }]"), "a subject is one line"),
        (with("templates: [{ id: hold, texts: { en: { subject: a } } }]"), "text"),
        (with("hosts: 1"), "host"),
    ] {
        let found = faults(&office(&mail));
        assert!(found.contains(told), "{mail}: {found}");
    }
}
