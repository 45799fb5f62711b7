//! Services of the web in an office document.

use crate::support::{demo_folder, faults};
use plugboard_model::HttpMethod;
use plugboard_office::{HttpLogin, Office, Secrets};
use std::sync::Arc;
use std::time::Duration;

fn office(sources: &str) -> String {
    format!("office: main\ndomains: [plugboard.test]\nhttp:\n{sources}")
}

fn read(sources: &str) -> Arc<Office> {
    Office::parse("o.yaml", &office(sources), &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

const ALL: &str = "  - id: crm\n    url: https://crm.example.com/api/\n    login: { bearer: t0k3n }\n    methods: [get, post]\n    \
    timeout: 2s\n    retries: 0\n    at_once: 4\n    bytes: 100000\n\
    \x20 - id: erp\n    url: http://10.0.0.5:8080\n    private: true\n    login: { user: plugboard, password: { environment: PLUGBOARD_ERP } }\n\
    \x20 - { id: bare, url: https://example.com, login: { header: X-Api-Key, value: { keep: true } } }\n";

#[test]
fn a_source_says_where_it_is_what_it_may_be_asked_and_how_long() {
    let office = read(ALL);
    let crm = office.http_source("crm").unwrap();
    assert_eq!(crm.base.as_str(), "https://crm.example.com/api");
    assert_eq!(crm.methods, [HttpMethod::Get, HttpMethod::Post].into());
    assert_eq!((crm.timeout, crm.retries, crm.at_once, crm.bytes_max), (Duration::from_secs(2), 0, 4, 100_000));
    let erp = office.http_source("erp").unwrap();
    assert!(erp.private && !crm.private);
    let Some(HttpLogin::Basic { user, password }) = &erp.login else { panic!("{:?}", erp.login) };
    assert_eq!((user.as_str(), password.reveal()), ("plugboard", "secret of PLUGBOARD_ERP"));
    let bare = office.http_source("bare").unwrap();
    assert_eq!(bare.methods, [HttpMethod::Get].into());
    assert_eq!((bare.timeout, bare.retries, bare.at_once, bare.bytes_max), (Duration::from_secs(5), 1, 8, 65_536));
    assert!(office.http_source("nobody").is_none());
    assert!(!format!("{office:?}").contains("t0k3n"), "a secret is shown to nobody");
}

#[test]
fn a_secret_may_be_a_part_of_the_address_and_is_hidden_all_the_same() {
    let office = read("  - { id: portal, url: https://acme.example.com/rest, login: { path: 1/abc123 } }\n");
    let portal = office.http_source("portal").unwrap();
    assert_eq!(portal.address(), "https://acme.example.com/rest/1/abc123");
    assert!(!office.export(Secrets::Hidden, None).contains("abc123") && !format!("{portal:?}").contains("abc123"));
    assert!(office.export(Secrets::InClear, None).contains("1/abc123"));
}

#[test]
fn what_is_exported_reads_the_same_and_hides_secrets() {
    let office = read(ALL.replace("{ keep: true }", "k3y").as_str());
    let clear = office.export(Secrets::InClear, None);
    let again = Office::parse("o.yaml", &clear, &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(again.http, office.http);
    let hidden = office.export(Secrets::Hidden, None);
    assert!(!hidden.contains("t0k3n") && !hidden.contains("k3y") && hidden.contains("keep: true"), "{hidden}");
}

#[test]
fn every_fault_of_a_source_is_told_with_its_place_and_remedy() {
    for (source, told) in [
        ("{ id: crm }", "http[0]"),
        ("{ id: crm, url: crm.example.com }", "does not begin with https://"),
        ("{ id: crm, url: http://crm.example.com }", "would be sent in the clear"),
        ("{ id: crm, url: https://a, login: { bearer: x, user: y } }", "a login is { bearer }"),
        ("{ id: crm, url: https://a, login: { user: y } }", "a login is { bearer }"),
        ("{ id: crm, url: https://a, login: { path: x, bearer: y } }", "a login is { bearer }"),
        ("{ id: crm, url: https://a, login: { path: \"1/../x\" } }", "no part of an address"),
        ("{ id: crm, url: https://a, login: { path: \"1/x?y\" } }", "no part of an address"),
        ("{ id: crm, url: https://a, login: { user: \"a:b\", password: c } }", "no service takes such a user"),
        ("{ id: crm, url: https://a, login: { header: Host, value: c } }", "is written by the switch"),
        ("{ id: crm, url: https://a, login: { header: \"X Y\", value: c } }", "is no name of a header"),
        ("{ id: crm, url: https://a, methods: [got] }", "get"),
        ("{ id: crm, url: https://a, timeout: 31s }", "http[0].timeout"),
        ("{ id: crm, url: https://a, retries: 4 }", "http[0].retries"),
        ("{ id: crm, url: https://a, bytes: 10 }", "http[0].bytes"),
        ("{ id: crm, url: https://a, tries: 4 }", "retries"),
        ("{ id: crm, url: https://a }\n  - { id: crm, url: https://b }", "twice"),
    ] {
        let found = faults(&office(&format!("  - {source}\n")));
        assert!(found.contains(told), "{source}: {found}");
    }
}
