//! Callers whom a portal of Bitrix24 knows.

use plugboard_model::{HostResult, HttpRequest, JournalEvent};
use plugboard_simulator::{Bitrix24, OfficeText, Phone, Setup, Sim};
use serde_json::json;

use crate::{journaled, millis};

const CARRIER: &str = "10.0.1.1:5060";
const CARLA: &str = "+79161234567";

/// Calls from outside come to whoever is responsible for the caller, else to Ann.
fn text(settings: &str) -> OfficeText {
    OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: ru\nusers:\n\
         \x20 - {{ id: ann, number: 201, name: Ann Archer, password: demo-201 }}\n\
         \x20 - {{ id: bob, number: 202, name: Bob Baker, password: demo-202 }}\n\
         http:\n  - {{ id: portal, url: https://acme.bitrix24.test/rest, login: {{ path: 1/s3cr3t }}, methods: [post] }}\n\
         integrations:\n  - {{ id: crm, plugin: bitrix24, services: {{ rest: portal }}, settings: {settings} }}\n\
         gateways:\n  - {{ id: carrier, address: \"{CARRIER}\" }}\n\
         numbers:\n  - {{ number: \"+74957777777\", scenario: front }}\n\
         scenarios:\n  - scenario: front\n    steps:\n      - call-responsible: {{}}\n\
         \x20     - call-user: {{ mode: user, target: ann, ring_for: 10s }}\n"
    ))
}

/// A call of Carla's that this phone gets.
fn rings(settings: &str, portal: Bitrix24, at: &str) -> Sim {
    let mut sim = Setup::offices(vec![text(settings)]).start();
    let phones: Vec<Phone> = [("ann", "201"), ("bob", "202")].map(|(name, number)| sim.phone(name, number)).into();
    let carrier = sim.outside("carrier", CARRIER);
    sim.site_is(move |request| (millis(100), Ok(portal.answers(request))));
    carrier.dials_as("+74957777777", CARLA);
    let rung = if at == "ann" { &phones[0] } else { &phones[1] };
    sim.run_until(rung.rings());
    carrier.hangs_up();
    sim.run_until_quiet();
    sim
}

fn asked(sim: &Sim) -> Vec<String> {
    sim.sites_asked().into_iter().map(|one| one.request.path).collect()
}

fn found(sim: &Sim, name: &str) -> bool {
    let named = |event: &JournalEvent| matches!(event, JournalEvent::End { result: HostResult::Contact(Some(found)), .. } if found.name == name);
    journaled(sim, &sim.record(), named) == 1
}

/// As people write numbers into a CRM of Russia.
fn carla(owner: &str) -> Bitrix24 {
    let fields = json!({ "NAME": "Карла", "LAST_NAME": "Клиентова", "ASSIGNED_BY_ID": owner });
    Bitrix24::default()
        .with("CONTACT", 12, "8 (916) 123-45-67", fields)
        .user(7, "Bob", Some("202"))
        .user(8, "Cem", None)
}

#[test]
fn a_contact_comes_to_the_extension_of_its_responsible_employee() {
    let sim = rings("{}", carla("7"), "bob");
    assert_eq!(
        asked(&sim),
        ["crm.duplicate.findbycomm.json", "crm.contact.get.json", "crm.contact.get.json", "user.get.json"]
    );
    assert!(found(&sim, "Карла Клиентова"));
    let request: HttpRequest = sim.sites_asked()[0].request.clone();
    let body: serde_json::Value = request.body.unwrap().parse().unwrap();
    assert_eq!((&body["type"], &body["values"][0]), (&json!("PHONE"), &json!(CARLA)));
}

#[test]
fn whose_extension_the_portal_does_not_know_the_office_may_know() {
    let sim = rings("{ users: { \"8\": bob } }", carla("8"), "bob");
    assert!(!asked(&sim).contains(&"user.get.json".to_owned()));
    let sim = rings("{}", carla("8"), "ann");
    assert!(found(&sim, "Карла Клиентова"), "he is known all the same");
}

#[test]
fn companies_and_leads_are_found_too_and_leads_only_where_they_count() {
    let company = json!({ "TITLE": "ООО Ромашка", "ASSIGNED_BY_ID": "7" });
    let portal = || Bitrix24::default().user(7, "Bob", Some("202"));
    let sim = rings("{}", portal().with("COMPANY", 3, CARLA, company), "bob");
    assert!(found(&sim, "ООО Ромашка"));
    let lead =
        || portal().with("LEAD", 5, CARLA, json!({ "TITLE": "Звонок с сайта", "NAME": null, "ASSIGNED_BY_ID": 7 }));
    assert!(found(&rings("{}", lead(), "bob"), "Звонок с сайта"));
    let sim = rings("{ leads: false }", lead(), "ann");
    assert_eq!(asked(&sim), ["crm.duplicate.findbycomm.json"]);
}

#[test]
fn whoever_the_portal_does_not_know_is_nobody() {
    let sim = rings("{}", Bitrix24::default(), "ann");
    assert_eq!(asked(&sim), ["crm.duplicate.findbycomm.json"]);
}
