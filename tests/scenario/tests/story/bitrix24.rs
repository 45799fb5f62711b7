//! Callers whom a portal of Bitrix24 knows.

use plugboard_model::{HostResult, HttpError, HttpRequest, HttpResponse, JournalEvent, NoticeState};
use plugboard_simulator::{Bitrix24, OfficeText, Phone, Setup, Sim};
use serde_json::{Value as Json, json};
use std::time::Duration;

use crate::{journaled, millis, seconds};

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

const LOGS: &str = "{ log_calls: true, log_for: \"1\" }";

/// Who works at the portal.
fn staff() -> Bitrix24 {
    Bitrix24::default().user(1, "Front desk", None).user(9, "Ann", Some("201"))
}

/// What one service answers, and after how long.
type Answers = fn(&Bitrix24, &HttpRequest, u32) -> (Duration, Result<HttpResponse, HttpError>);

fn always(portal: &Bitrix24, request: &HttpRequest, _: u32) -> (Duration, Result<HttpResponse, HttpError>) {
    (millis(100), Ok(portal.answers(request)))
}

/// A call of Carla's that Ann takes for seven seconds, or does not. Each request is answered so, by how many of its method came before.
fn logged(setup: Setup, portal: &Bitrix24, takes: bool, answers: Answers) -> Sim {
    let mut sim = setup.start();
    let (ann, _bob) = (sim.phone("ann", "201"), sim.phone("bob", "202"));
    let carrier = sim.outside("carrier", CARRIER);
    answers_so(&sim, portal, answers);
    carrier.dials_as("+74957777777", CARLA);
    sim.run_until(ann.rings());
    if takes {
        ann.answers();
        sim.run_until(carrier.talks());
        sim.run_for(seconds(7));
    }
    carrier.hangs_up();
    sim.run_until_quiet();
    sim
}

fn answers_so(sim: &Sim, portal: &Bitrix24, answers: Answers) {
    let (portal, mut asked) = (portal.clone(), std::collections::BTreeMap::<String, u32>::new());
    sim.site_is(move |request| {
        let before = asked.entry(request.path.clone()).or_default();
        *before += 1;
        answers(&portal, request, *before - 1)
    });
}

fn office() -> Setup {
    Setup::offices(vec![text(LOGS)])
}

/// The only call of the portal: what it was registered with, and finished with.
fn only(portal: &Bitrix24) -> (Json, Json) {
    let calls = portal.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    (calls[0].registered.clone(), calls[0].finished.clone().unwrap())
}

fn down(path: &str) -> bool {
    path.starts_with("telephony")
}

#[test]
fn a_call_is_logged_with_who_took_it_and_how_long_they_talked() {
    let portal = staff();
    let sim = logged(office(), &portal, true, always);
    let (registered, finished) = only(&portal);
    let said = |name: &str| registered[name].clone();
    assert_eq!((said("USER_ID"), said("PHONE_NUMBER"), said("TYPE")), (json!("9"), json!(CARLA), json!(2)));
    assert_eq!((said("CRM_CREATE"), said("SHOW")), (json!(0), json!(0)));
    let began = time_text(sim.record().began.0);
    assert_eq!(said("CALL_START_DATE"), json!(began));
    assert_eq!((&finished["DURATION"], &finished["STATUS_CODE"]), (&json!(7), &json!("200")));
    let notices = sim.ask(sim.switch().notices(&sim.record().id.office, None, false, 10));
    assert!(matches!(notices[0].state, NoticeState::Sent { .. }), "{notices:?}");
}

/// Stories begin on one day.
fn time_text(millis: i64) -> String {
    let seconds = millis / 1_000;
    let days = seconds / 86_400;
    let mut left = days;
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while left >= if is_leap(year) { 366 } else { 365 } {
        left -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}+00:00", month + 1, left + 1)
}

#[test]
fn a_missed_call_is_logged_for_whom_it_rang() {
    let portal = staff();
    logged(office(), &portal, false, always);
    let (registered, finished) = only(&portal);
    assert_eq!(registered["USER_ID"], json!("9"));
    assert_eq!((&finished["DURATION"], &finished["STATUS_CODE"]), (&json!(0), &json!("304")));
    let unknown = Bitrix24::default().user(1, "Front desk", None);
    logged(office(), &unknown, false, always);
    assert_eq!(only(&unknown).0["USER_ID"], json!("1"), "the portal does not know Ann's extension");
}

#[test]
fn an_office_that_does_not_want_calls_logged_asks_the_portal_nothing() {
    let portal = staff();
    logged(Setup::offices(vec![text("{}")]), &portal, true, always);
    assert!(portal.calls().is_empty());
}

#[test]
fn a_call_is_logged_once_the_portal_is_back() {
    let portal = staff();
    let mut sim = logged(office(), &portal, true, |portal, request, before| {
        let unreachable = || Err(HttpError::Unreachable("nobody is there".into()));
        (millis(100), if down(&request.path) && before < 2 { unreachable() } else { Ok(portal.answers(request)) })
    });
    sim.run_for(seconds(600));
    assert_eq!(only(&portal).1["DURATION"], json!(7));
}

#[test]
fn a_call_that_was_not_told_when_the_switch_ended_is_told_by_the_next_one() {
    let portal = staff();
    let before = logged(office(), &portal, true, |portal, request, _| {
        let unreachable = || Err(HttpError::Unreachable("nobody is there".into()));
        (millis(100), if down(&request.path) { unreachable() } else { Ok(portal.answers(request)) })
    });
    assert!(portal.calls().is_empty());
    let mut after = office().after(before).start();
    answers_so(&after, &portal, always);
    after.run_for(seconds(120));
    assert_eq!(only(&portal).1["STATUS_CODE"], json!("200"));
}

#[test]
fn a_call_whose_logging_was_heard_but_not_answered_is_not_logged_twice() {
    let portal = staff();
    let mut sim = logged(office(), &portal, true, |portal, request, before| {
        let late = request.path.starts_with("telephony.externalcall.finish") && before == 0;
        (if late { seconds(60) } else { millis(100) }, Ok(portal.answers(request)))
    });
    sim.run_for(seconds(120));
    only(&portal);
    assert!(asked(&sim).contains(&"voximplant.statistic.get.json".to_owned()), "{:?}", asked(&sim));
}

#[test]
fn a_call_within_the_office_is_logged_nowhere() {
    let portal = staff();
    let mut sim = office().start();
    let (ann, bob) = (sim.phone("ann", "201"), sim.phone("bob", "202"));
    answers_so(&sim, &portal, always);
    ann.dials("202");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().direction.as_str(), "internal");
    assert!(portal.calls().is_empty() && sim.sites_asked().is_empty(), "{:?}", sim.sites_asked());
}
