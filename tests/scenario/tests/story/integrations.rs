//! Whoever is no contact of the office is known to a system beside the telephone, and comes to whom that says.

use plugboard_model::{HostResult, HttpError, HttpRequest, HttpResponse, JournalEvent};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};
use std::time::Duration;

use crate::{guests, journaled, millis, seconds, steps};

const CARRIER: &str = "10.0.1.1:5060";
const CARLA: &str = "+49401234567";

/// One integration of a made-up CRM, whose owners have extensions.
const CRM: &str = "integrations:\n  - id: crm\n    plugin: rest-contacts\n    services: { api: crm }\n    settings:\n\
    \x20     find: { path: people, query: { phone: \"{e164}\" }, list: /found }\n\
    \x20     contact: { id: /id, name: [/first, /last], company: /company, numbers: /phone, owner: /owner }\n\
    \x20     owner: { ask: { path: \"owners/{owner}\" }, user: /extension }\n";

/// Calls from outside come to whoever is responsible for the caller, else to Ann.
fn text(integrations: &str) -> OfficeText {
    OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - {{ id: ann, number: 101, name: Ann Archer, password: demo-101 }}\n\
         \x20 - {{ id: bob, number: 102, name: Bob Baker, password: demo-102 }}\n\
         contacts:\n  - {{ id: own, numbers: \"+49409\", responsible: bob }}\n\
         http:\n  - {{ id: crm, url: https://crm.example.com/api, methods: [get, post], timeout: 4s }}\n\
         {integrations}gateways:\n  - {{ id: carrier, address: \"{CARRIER}\" }}\n\
         numbers:\n  - {{ number: \"+4930777\", scenario: front }}\n\
         scenarios:\n  - scenario: front\n    steps:\n\
         \x20     - find-contact: {{}}\n        on:\n          found:\n            - call-responsible: {{ contact: contact }}\n\
         \x20     - call-user: {{ mode: user, target: ann, ring_for: 10s }}\n"
    ))
}

struct House {
    sim: Sim,
    ann: Phone,
    bob: Phone,
    carrier: Phone,
}

fn house(integrations: &str) -> House {
    started(Setup::offices(vec![text(integrations)]))
}

fn started(setup: Setup) -> House {
    let mut sim = setup.start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let carrier = sim.outside("carrier", CARRIER);
    House { sim, ann, bob, carrier }
}

impl House {
    /// A call that this phone gets; how long the caller waited.
    fn rings(&mut self, number: &str, who: fn(&Self) -> &Phone) -> Duration {
        let began = self.sim.now();
        self.carrier.dials_as("+4930777", number);
        let rings = who(self).rings();
        self.sim.run_until(rings);
        let waited = self.sim.now().since(began);
        self.carrier.hangs_up();
        self.sim.run_until_quiet();
        waited
    }

    /// Of the last call.
    fn first_step(&self) -> String {
        let records = self.sim.records("main");
        steps(records.last().unwrap()).swap_remove(0)
    }

    /// What the CRM was asked.
    fn asked(&self) -> Vec<String> {
        let word = |request: &HttpRequest| {
            let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}", request.path, query.join("&")).trim().to_owned()
        };
        self.sim.sites_asked().iter().map(|one| word(&one.request)).collect()
    }
}

fn says(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, content_type: "application/json".into(), body: body.into() }
}

/// A CRM that knows Carla alone, whom Bob serves.
fn crm(request: &HttpRequest) -> HttpResponse {
    const CARLA_THERE: &str = r#"{"found":[{"id":"A-1","first":"Carla","last":"Customer","company":"ACME","phone":["040 1234567"],"owner":7}]}"#;
    let is_carla = request.query.contains(&("phone".into(), CARLA.into()));
    match request.path.as_str() {
        "people" if is_carla => says(200, CARLA_THERE),
        "people" => says(200, r#"{"found":[]}"#),
        "owners/7" => says(200, r#"{"extension":"102"}"#),
        _ => says(404, ""),
    }
}

#[test]
fn a_caller_whom_the_crm_knows_comes_to_his_manager() {
    let mut house = house(CRM);
    house.sim.site_is(|request| (millis(200), Ok(crm(request))));
    house.rings(CARLA, |house| &house.bob);
    assert_eq!(house.asked(), ["people phone=+49401234567", "owners/7"]);
    assert!(house.ann.is_idle()());
    let record = house.sim.record();
    assert_eq!(steps(&record)[0], "steps[0] find-contact: found");
    let told = |event: &JournalEvent| {
        matches!(event, JournalEvent::End { result: HostResult::Contact(Some(found)), .. }
            if found.name == "Carla Customer" && found.company == "ACME" && found.id.as_str().starts_with("crm."))
    };
    // Once for each of the two steps: the second one asks for him by his id.
    assert_eq!(journaled(&house.sim, &record, told), 2);
}

#[test]
fn the_offices_own_contacts_and_inside_numbers_are_asked_of_nobody_else() {
    let mut house = house(CRM);
    house.sim.site_is(|request| (millis(200), Ok(crm(request))));
    house.rings("+49409", |house| &house.bob);
    assert!(house.asked().is_empty());
    house.rings("102", |house| &house.ann);
    assert!(house.asked().is_empty());
    assert_eq!(house.first_step(), "steps[0] find-contact: not-found");
}

#[test]
fn what_the_crm_said_is_kept_for_a_minute() {
    let mut house = house(CRM);
    house.sim.site_is(|request| (millis(200), Ok(crm(request))));
    house.rings(CARLA, |house| &house.bob);
    house.rings(CARLA, |house| &house.bob);
    assert_eq!(house.asked().len(), 2);
    house.sim.run_for(seconds(60));
    house.rings(CARLA, |house| &house.bob);
    assert_eq!(house.asked().len(), 4);
}

#[test]
fn a_caller_waits_no_longer_for_a_slow_crm_than_the_office_says() {
    let mut house = house(CRM);
    house.sim.site_is(|request| (seconds(3), Ok(crm(request))));
    let waited = house.rings(CARLA, |house| &house.ann);
    assert!((millis(2_000)..millis(2_500)).contains(&waited), "{waited:?}");
    assert_eq!(house.first_step(), "steps[0] find-contact: not-found");
}

#[test]
fn the_next_integration_is_asked_when_one_does_not_know_and_what_fails_hurts_nobody() {
    let both = CRM.replace(
        "  - id: crm\n",
        "  - id: first\n    plugin: rest-contacts\n    services: { api: crm }\n\
        \x20   settings: { find: { path: nowhere }, contact: { id: /id, name: /name } }\n  - id: crm\n",
    );
    let mut house = house(&both);
    let answers =
        [Ok(says(404, "")), Ok(says(500, "")), Ok(says(200, "<html>")), Err(HttpError::Busy), Ok(says(302, ""))];
    for (n, answer) in answers.into_iter().enumerate() {
        let first = answer.clone();
        house.sim.site_is(move |request| {
            let told = if request.path == "nowhere" { first.clone() } else { Ok(crm(request)) };
            (millis(50), told)
        });
        house.rings(CARLA, |house| &house.bob);
        assert_eq!(house.asked().len(), 3 * (n + 1), "{answer:?}");
        house.sim.run_for(seconds(61));
    }
}

#[test]
fn a_service_that_the_office_gives_for_nothing_else_is_denied() {
    let none = CRM.replace("    services: { api: crm }\n", "");
    let mut house = house(&none);
    house.sim.site_is(|request| (millis(50), Ok(crm(request))));
    house.rings(CARLA, |house| &house.ann);
    assert!(house.asked().is_empty());
}

#[test]
fn an_integration_without_the_capability_to_ask_the_web_asks_nothing() {
    let less = CRM.replace("    services:", "    capabilities: [settings, log]\n    services:");
    let mut house = house(&less);
    house.sim.site_is(|request| (millis(50), Ok(crm(request))));
    house.rings(CARLA, |house| &house.ann);
    assert!(house.asked().is_empty());
}

#[test]
fn whatever_a_wrong_integration_does_the_next_one_is_asked_and_the_call_goes_on() {
    let wrong = [
        ("loops", "(loop $again (br $again)) unreachable"),
        ("traps", "unreachable"),
        ("grows", "(loop $again (drop (memory.grow (i32.const 64))) (br $again)) unreachable"),
        ("falls", "call 1"),
        ("more-than-wanted", "TWO"),
        ("without-a-name", "UNNAMED"),
        ("out-of-memory", "NOWHERE"),
        ("says-too-much", "LONG"),
        ("more-than-there-is", "MANY"),
    ];
    for (name, find) in wrong {
        let deep = "(local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (call 2)";
        let component = guests::integration(name, &find.replace("call 1", deep));
        let first = format!("  - {{ id: first, plugin: {name}, timeout: 1s }}\n  - id: crm\n");
        let office = text(&CRM.replace("  - id: crm\n", &first));
        let mut house = started(Setup::offices(vec![office]).with_actions(&[component]));
        house.sim.site_is(|request| (millis(50), Ok(crm(request))));
        let waited = house.rings(CARLA, |house| &house.bob);
        assert!(waited < seconds(2), "{name}: {waited:?}");
        assert_eq!(house.first_step(), "steps[0] find-contact: found", "{name}");
    }
}

/// The shipped mappings against answers as the vendors document them.
mod mappings {
    use super::*;

    fn with(name: &str) -> String {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/integrations/rest-contacts/mappings");
        let text = std::fs::read_to_string(format!("{place}/{name}.yaml")).unwrap().replace(": ann }", ": bob }");
        let settings: Vec<String> = text.lines().map(|line| format!("      {line}")).collect();
        format!(
            "integrations:\n  - id: crm\n    plugin: rest-contacts\n    services: {{ api: crm }}\n    settings:\n{}\n",
            settings.join("\n")
        )
    }

    fn finds(mapping: &str, answers: fn(&HttpRequest) -> HttpResponse) -> (House, String) {
        let mut house = house(&with(mapping));
        house.sim.site_is(move |request| (millis(50), Ok(answers(request))));
        house.rings(CARLA, |house| &house.bob);
        let record = house.sim.record();
        let named = |event: &JournalEvent| {
            matches!(event, JournalEvent::End { result: HostResult::Contact(Some(found)), .. }
                if found.name == "Carla Customer" && found.numbers == ["040 1234567"])
        };
        assert_eq!(journaled(&house.sim, &record, named), 2);
        let asked = house.sim.sites_asked();
        (house, asked.first().and_then(|one| one.request.body.clone()).unwrap_or_default())
    }

    #[test]
    fn hubspot_is_searched_by_the_last_digits_and_its_owner_is_a_user() {
        let (house, body) = finds("hubspot", |request| {
            let known = request.path == "crm/v3/objects/contacts/search";
            let result = r#"{"id":"512","properties":{"firstname":"Carla","lastname":"Customer","phone":"040 1234567","mobilephone":null,"email":"carla@example.com","company":"ACME","hs_language":"de","hubspot_owner_id":"41629779"}}"#;
            if known { says(200, &format!(r#"{{"total":1,"results":[{result}]}}"#)) } else { says(404, "") }
        });
        assert_eq!(house.asked(), ["crm/v3/objects/contacts/search"]);
        assert!(body.contains(r#""value":"*401234567""#), "{body}");
    }

    #[test]
    fn salesforce_is_searched_and_its_owners_extension_is_asked() {
        let (house, _) = finds("salesforce", |request| match request.path.as_str() {
            "parameterizedSearch/" => says(
                200,
                r#"{"searchRecords":[{"attributes":{"type":"Contact"},"Id":"0035g00000XyZabAAF","Name":"Carla Customer","Phone":"040 1234567","MobilePhone":null,"Email":null,"Account":{"Name":"ACME"},"OwnerId":"0055g000001AbcdAAC"}]}"#,
            ),
            "sobjects/User/0055g000001AbcdAAC" => says(200, r#"{"attributes":{},"Extension":"102"}"#),
            _ => says(404, ""),
        });
        assert_eq!(house.asked().len(), 2);
        assert!(house.asked()[0].contains("q=401234567"), "{:?}", house.asked());
    }

    #[test]
    fn a_1c_base_is_filtered_by_odata() {
        let (house, _) = finds("1c-odata", |_| {
            says(
                200,
                r#"{"odata.metadata":"..","value":[{"Ref_Key":"1f3a","Description":"Carla Customer","КонтактнаяИнформация":[{"LineNumber":"1","НомерТелефона":"040 1234567"}],"ОсновнойМенеджер_Key":"8d1e0c2a-6f0b-11ee-8a1f-00155d000001"}]}"#,
            )
        });
        assert!(house.asked()[0].contains("substringof('401234567', d/НомерТелефона)"), "{:?}", house.asked());
    }
}
