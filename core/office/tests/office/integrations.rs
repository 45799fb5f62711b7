//! Systems beside the telephone in an office document.

use crate::support::{demo_folder, faults};
use plugboard_model::Name;
use plugboard_office::{Office, Secrets};
use std::time::Duration;

fn office(integrations: &str) -> String {
    let http = "http:\n  - { id: crm, url: https://crm.example.com }\n";
    format!("office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\n{http}integrations:\n{integrations}")
}

const ALL: &str = "  - { id: first, plugin: rest-contacts, services: { api: crm }, settings: { find: { path: x } }, capabilities: [http, settings], timeout: 1s, at_once: 3 }\n  - { id: second, plugin: bare }\n";

#[test]
fn integrations_are_asked_in_their_order_with_their_settings_and_services() {
    let read = Office::parse("o.yaml", &office(ALL), &demo_folder()).unwrap();
    let [first, second] = read.integrations.as_slice() else { panic!("{:?}", read.integrations) };
    assert_eq!((first.plugin.as_str(), first.timeout, first.at_once), ("rest-contacts", Duration::from_secs(1), 3));
    assert_eq!(first.settings.to_json(), serde_json::json!({ "find": { "path": "x" } }));
    assert_eq!(read.service(first, "api").map(|source| source.id.as_str()), Some("crm"));
    assert!(read.service(first, "crm").is_none(), "by the plugin's own name alone");
    assert_eq!((second.timeout, second.at_once, second.capabilities.is_none()), (Duration::from_secs(2), 8, true));
    assert_eq!(read.integration(&Name::new("second").unwrap()).map(|one| one.plugin.as_str()), Some("bare"));
    let again = Office::parse("o.yaml", &read.export(Secrets::Hidden, None), &demo_folder()).unwrap();
    assert_eq!(
        again.integrations.iter().map(|one| one.settings.to_json()).collect::<Vec<_>>(),
        [first.settings.to_json(), serde_json::json!({})]
    );
    assert_eq!(again.integrations[0].services, first.services);
}

#[test]
fn a_number_is_asked_for_in_e164_and_in_the_ways_to_write_it() {
    let read = Office::parse("o.yaml", &office(ALL), &demo_folder()).unwrap();
    let asked = read.asked_number("0401234567");
    assert_eq!((asked.shown.as_str(), asked.forms[0].as_str()), ("0401234567", "+49401234567"));
    assert!(asked.forms.contains(&"0049401234567".to_owned()) && asked.forms.len() <= 16, "{asked:?}");
    assert_eq!(read.asked_number("anonymous").forms, ["anonymous"]);
}

#[test]
fn every_fault_of_an_integration_is_told() {
    for (integration, told) in [
        ("{ id: a }", "plugin"),
        ("{ id: a, plugin: p, services: { api: nobody } }", "the office has no source nobody"),
        ("{ id: a, plugin: p, settings: [1] }", "names with values"),
        ("{ id: a, plugin: p, settings: {}, settings_file: x.yaml }", "there are settings already"),
        ("{ id: a, plugin: p, settings_file: absent.yaml }", "absent.yaml cannot be read"),
        ("{ id: a, plugin: p, timeout: 1m }", "timeout"),
        ("{ id: a, plugin: p }\n  - { id: a, plugin: p }", "twice"),
    ] {
        let said = format!("{:?}", faults(&office(&format!("  - {integration}\n"))));
        assert!(said.contains(told), "{integration}: {said}");
    }
    let long = format!("{{ id: a, plugin: p, settings: {{ x: \"{}\" }} }}", "y".repeat(32_768));
    assert!(format!("{:?}", faults(&office(&format!("  - {long}\n")))).contains("32,768"));
}
