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

/// So many messages of a stranger in Ann's house, all at once; what he was told.
fn at_once(sim: &mut Sim, messages: usize, message: impl Fn(usize) -> String) -> Vec<String> {
    for n in 0..messages {
        sim.strange_message(FLOOD, &message(n));
    }
    sim.run_for(millis(100));
    sim.said_to(FLOOD)
}

/// As many were answered as a stranger may ask, each so.
fn assert_limited(said: &[String], status: u16, what: &str) {
    let line = format!("SIP/2.0 {status} ");
    assert_eq!((said.len(), said.iter().filter(|text| text.starts_with(&line)).count()), (8, 8), "{what}: {said:?}");
}

/// As much of what a stranger sends is answered, by this status, as of any request of his; who is elsewhere is answered, too.
fn assert_counted(status: u16, message: impl Fn(usize) -> String) {
    let (mut sim, ..) = house();
    let said = at_once(&mut sim, 50, &message);
    assert_limited(&said, status, &message(0));
    assert!((limited(&sim, "source") - 42.0).abs() < 0.1);
    sim.strange_message(ANOTHER, &message(99).replace(FLOOD, ANOTHER));
    sim.run_for(millis(100));
    assert_eq!(sim.said_to(ANOTHER).len(), 1);
}

#[test]
fn a_refreshed_subscription_that_there_is_not_counts_as_a_strangers_request() {
    // The tag of each subscription has such a beginning.
    assert_counted(481, |n| {
        request("SUBSCRIBE", "102", FLOOD, n).replace("test>\nCall-ID", "test>;tag=fffffffffffffffe-0\nCall-ID")
    });
}

#[test]
fn a_cancel_of_nothing_counts_as_a_strangers_request() {
    assert_counted(481, |n| request("CANCEL", "102", FLOOD, n));
}

#[test]
fn a_request_that_is_cut_off_counts_as_a_strangers() {
    assert_counted(400, |n| request("OPTIONS", "102", FLOOD, n).replace("Content-Length: 0", "Content-Length: 9"));
}

#[test]
fn a_request_whose_via_names_nothing_counts_as_a_strangers() {
    assert_counted(400, |n| request("OPTIONS", "102", FLOOD, n).replace("Via: SIP/2.0/UDP", "Via: SIP/2.0"));
}

#[test]
fn a_switch_that_ends_tells_a_stranger_no_more_often_than_any_other() {
    for method in ["OPTIONS", "INVITE"] {
        let (mut sim, ..) = house();
        sim.ask(async { sim.switch().drain() });
        let said = at_once(&mut sim, 50, |n| request(method, "102", FLOOD, n));
        assert_limited(&said, 503, method);
    }
}

#[test]
fn calls_for_help_of_strangers_have_a_limit_of_their_own_and_phones_of_the_house_call_for_help_all_the_same() {
    let (mut sim, ann, _bob, gateway) = house();
    let said = at_once(&mut sim, 500, |n| request("INVITE", "112", FLOOD, n));
    assert_eq!(said.len(), 108, "those of a stranger, and a hundred for help");
    assert!(said.iter().all(|text| text.starts_with("SIP/2.0 407 ")), "{said:?}");
    ann.dials("112");
    sim.run_for(millis(100));
    assert!(gateway.rings()(), "at once:\n{}", sim.ladder());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_subscription_that_there_is_goes_on_in_a_flood_of_its_house() {
    let (mut sim, ..) = house();
    // Not registered: it has no share of its own.
    let console = sim.new_phone_at("console", "103", "[fd00:9::3]:5060");
    console.watches("102", "presence");
    sim.run_for(millis(200));
    assert_eq!(console.subscribed("102", "presence"), Some(200));
    flood(&mut sim, "OPTIONS", 50);
    let begin = sim.now();
    console.watches_again("102", "presence", 600);
    sim.run_for(millis(100));
    assert_eq!(sim.ladder().since(begin).count("switch -> console  200 SUBSCRIBE"), 1, "{}", sim.ladder());
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
