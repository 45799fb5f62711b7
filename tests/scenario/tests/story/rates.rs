//! Somebody asks more often than anybody has to.

use plugboard_model::CallOutcome;
use plugboard_simulator::{Log, OfficeText, Phone, Setup, Sim, Stage};
use plugboard_switch::{Rate, RequestRates};

use crate::{millis, seconds, talk};

const GATEWAY: &str = "10.0.1.1:5060";
/// In Ann's and Bob's house.
const FLOOD: &str = "[fd00:9::66]:5060";
/// Elsewhere.
const ANOTHER: &str = "203.0.113.9:5060";

/// As few as one house needs at a time.
const RATES: RequestRates = RequestRates {
    strangers: Rate { per_second: 1, burst: 8 },
    requests: Rate { per_second: 1, burst: 4 },
    calls: Rate { per_second: 1, burst: 2 },
};

fn office() -> OfficeText {
    OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nemergency: {{ confirmed: true, gateways: [out] }}\n\
         users:\n  - {{ id: \"101\", number: 101, password: demo-101 }}\n  - {{ id: \"102\", number: 102, password: demo-102 }}\n\
         \x20 - {{ id: \"103\", number: 103, password: demo-103 }}\ngateways:\n  - {{ id: out, address: \"{GATEWAY}\" }}\n\
         scenarios: []\nroutes:\n  - {{ id: in, from: gateways, any: true, user: \"102\" }}\n"
    ))
}

/// Ann and Bob, who are registered from one house, and the gateway.
fn house() -> (Sim, Phone, Phone, Phone) {
    let mut sim = Setup::offices(vec![office()]).rates(RATES).start();
    let ann = sim.new_phone_at("ann", "101", "[fd00:9::1]:5060");
    let bob = sim.new_phone_at("bob", "102", "[fd00:9::2]:5060");
    for phone in [&ann, &bob] {
        phone.registers();
        sim.run_until(phone.is_registered());
    }
    let gateway = sim.outside("gateway", GATEWAY);
    (sim, ann, bob, gateway)
}

/// A request of a stranger, the n-th.
fn request(method: &str, called: &str, from: &str, n: usize) -> String {
    format!(
        "{method} sip:{called}@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{method}-{n};rport\n\
         Max-Forwards: 70\nFrom: <sip:nobody@plugboard.test>;tag=s{n}\nTo: <sip:{called}@plugboard.test>\n\
         Call-ID: {method}-{n}@{from}\nCSeq: 1 {method}\nContact: <sip:x@{from}>\nContent-Length: 0\n\n"
    )
}

/// So many requests come from a stranger in Ann's house within a second; how many were answered.
fn flood(sim: &mut Sim, method: &str, requests: usize) -> usize {
    for n in 0..requests {
        sim.strange_message(FLOOD, &request(method, "102", FLOOD, n));
        sim.run_for(millis(1));
    }
    sim.run_for(millis(100));
    sim.said_to(FLOOD).len()
}

fn limited(sim: &Sim, of: &str) -> f64 {
    sim.metric(&format!("plugboard_sip_requests_limited_total{{of=\"{of}\"}}")).unwrap()
}

#[test]
fn a_flood_of_a_stranger_is_not_answered_and_phones_of_the_same_house_go_on() {
    let log = Log::begin();
    let (mut sim, ann, bob, _gateway) = house();
    let answered = flood(&mut sim, "OPTIONS", 200);
    assert_eq!(answered, 8, "the logins of Ann and Bob took nothing of it");
    assert!((limited(&sim, "source") - 192.0).abs() < 0.1);
    let told = log.lines().into_iter().filter(|line| line.starts_with("too many requests")).collect::<Vec<_>>();
    assert_eq!(told.len(), 10, "as many lines a minute as of any fault");
    assert!(told[0].contains("source=[fd00:9::66]:5060"), "{told:?}");
    for (n, method) in ["INVITE", "REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE", "REFER"].into_iter().enumerate() {
        assert!(flood(&mut sim, method, 20) <= 1, "{method}: one a second");
        sim.strange_message(ANOTHER, &request(method, "102", ANOTHER, n));
    }
    sim.run_for(millis(100));
    assert_eq!(sim.said_to(ANOTHER).len(), 6, "who is elsewhere is answered");
    flood(&mut sim, "OPTIONS", 20);
    ann.dials("102");
    bob.registers();
    sim.run_for(millis(100));
    assert!(bob.rings()() && bob.is_registered()(), "at once:\n{}", sim.ladder());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    flood(&mut sim, "OPTIONS", 20);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
    assert!(limited(&sim, "user").abs() < 0.1);
}

#[test]
fn what_names_a_dialog_that_is_gone_counts_as_a_strangers_request() {
    let (mut sim, ..) = house();
    for n in 0..20 {
        let text = request("BYE", "102", FLOOD, n).replace("test>\nCall-ID", "test>;tag=gone\nCall-ID");
        sim.strange_message(FLOOD, &text);
    }
    sim.run_for(millis(100));
    let said = sim.said_to(FLOOD);
    assert_eq!((said.len(), said.iter().filter(|text| text.starts_with("SIP/2.0 481 ")).count()), (8, 8));
}

#[test]
fn a_call_for_help_passes_a_flood_of_its_own_house_and_the_callers_own_limit() {
    let (mut sim, _ann, bob, gateway) = house();
    flood(&mut sim, "REGISTER", 50);
    // Not registered, so he is asked who he is.
    let cem = sim.new_phone_at("cem", "103", "[fd00:9::3]:5060");
    cem.dials("102");
    sim.run_for(seconds(2));
    flood(&mut sim, "REGISTER", 50);
    cem.hangs_up();
    sim.run_until(cem.is_idle());
    cem.dials("112");
    sim.run_for(millis(100));
    assert!(gateway.rings()(), "at once:\n{}", sim.ladder());
    cem.hangs_up();
    sim.run_until(gateway.is_idle());
    // By now nobody floods, and he calls more often than he may.
    sim.run_for(seconds(60));
    for status in [0, 0, 503] {
        cem.dials("102");
        sim.run_for(millis(100));
        if status == 0 {
            assert!(bob.rings()(), "{}", sim.ladder());
            cem.hangs_up();
            sim.run_until(|| cem.is_idle()() && bob.is_idle()());
        } else {
            assert!(cem.was_told(status)());
        }
    }
    cem.dials("112");
    sim.run_for(millis(100));
    assert!(gateway.rings()(), "{}", sim.ladder());
    cem.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_user_who_calls_too_often_is_told_when_to_try_again_and_his_calls_go_on() {
    let log = Log::begin();
    let (mut sim, ann, bob, _gateway) = house();
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    let begin = sim.now();
    for _ in 0..8 {
        ann.holds();
        sim.run_until(ann.was_answered_again());
    }
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until(|| ann.is_idle()() && bob.is_idle()());
    ann.dials("102");
    sim.run_until(ann.was_told(503));
    assert!(sim.now().since(begin) < seconds(1));
    assert_eq!(ann.told_to_wait(), ["1"]);
    assert_eq!(sim.metric(r#"plugboard_calls_refused_total{reason="too_often"}"#), Some(1.0));
    assert!((limited(&sim, "user") - 1.0).abs() < 0.1);
    let told = log.lines().into_iter().filter(|line| line.starts_with("too many requests")).collect::<Vec<_>>();
    assert!(told.len() == 1 && told[0].contains("of=\"user\"") && told[0].contains("user=main/101"), "{told:?}");
    bob.dials("101");
    sim.run_until(ann.rings());
    bob.hangs_up();
    sim.run_until(|| ann.is_idle()() && bob.is_idle()());
    sim.run_for(seconds(1));
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(ann.calls().iter().filter(|stage| **stage == Stage::Over(503)).count(), 1);
}

#[test]
fn a_user_who_registers_too_often_is_told_when_to_try_again_and_may_call() {
    let (mut sim, ann, bob, _gateway) = house();
    sim.run_for(seconds(10));
    for n in 0..6 {
        ann.registers();
        sim.run_until(|| ann.registration().is_some());
        let expected = if n < 4 { 200 } else { 503 };
        assert_eq!(ann.registration().map(|(status, _)| status), Some(expected), "{n}");
    }
    assert_eq!(ann.told_to_wait(), ["1", "1"]);
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_for(seconds(1));
    ann.registers();
    sim.run_until(ann.is_registered());
    sim.run_until_quiet();
}

#[test]
fn a_gateways_calls_are_not_counted() {
    let (mut sim, _ann, bob, gateway) = house();
    for n in 0..30 {
        gateway.dials(&format!("030{n}"));
    }
    sim.run_until(bob.rings());
    sim.run_for(seconds(1));
    assert_eq!(sim.ladder().count("switch -> gateway  503"), 0, "{}", sim.ladder());
    assert!(limited(&sim, "source").abs() < 0.1);
    assert_eq!(sim.records("main").len() + sim.holdings().calls, 30);
    bob.refuses(603);
    for _ in 0..30 {
        gateway.hangs_up();
    }
    sim.run_until_quiet();
}

#[test]
fn a_gateway_that_asks_whether_we_are_there_is_not_counted() {
    let (mut sim, ..) = house();
    for n in 0..30 {
        let text =
            request("OPTIONS", "x", GATEWAY, n).replace("OPTIONS sip:x@plugboard.test", "OPTIONS sip:plugboard.test");
        sim.strange_message(GATEWAY, &text);
    }
    sim.run_for(millis(100));
    assert!(limited(&sim, "source").abs() < 0.1);
}
