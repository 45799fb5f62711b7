//! Calls for help where nothing has room any more.

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{millis, seconds, talk};

const GATEWAY: &str = "10.0.1.1:5060";

/// Eight users, and a gateway that leads to help.
fn office() -> OfficeText {
    let user =
        |n: u32| format!("  - {{ id: \"{n}\", number: {n}, password: demo-{n}, outside_number: \"+4930123{n}\" }}\n");
    let users = (101..=108).map(user).collect::<Vec<_>>().concat();
    OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nemergency: {{ confirmed: true, gateways: [out] }}\n\
         users:\n{users}gateways:\n  - {{ id: out, address: \"{GATEWAY}\" }}\nscenarios: []\nroutes:\n\
         \x20 - {{ id: out, prefix: 0, gateway: out, strip: 1 }}\n  - {{ id: in, from: gateways, any: true, user: \"101\" }}\n"
    ))
}

/// All eight, registered, and who answers calls for help.
fn started(setup: Setup) -> (Sim, Vec<Phone>, Phone) {
    let mut sim = setup.offices_are(vec![office()]).start();
    let phones = (101..=108).map(|n| sim.phone(&format!("u{n}"), &n.to_string())).collect();
    let gateway = sim.outside("gateway", GATEWAY);
    (sim, phones, gateway)
}

#[test]
fn a_call_for_help_has_ports_when_no_other_call_has_any_and_so_has_the_call_back() {
    // Eight pairs, two of them for help.
    let (mut sim, phones, gateway) = started(Setup::demo().ports(20_000..=20_015));
    for (caller, called) in [(2, 3), (4, 5), (6, 7)] {
        phones[caller].dials(&format!("{}", 101 + called));
        sim.run_until(phones[called].rings());
        phones[called].answers();
        talk(&mut sim, &phones[caller], &phones[called]);
    }
    assert_eq!(sim.ports_in_use(), 6);
    let (ann, bob) = (&phones[0], &phones[1]);
    ann.dials("102");
    sim.run_until(ann.was_told(503));
    assert_eq!(sim.metric("plugboard_rtp_ports_exhausted_total"), Some(1.0));
    bob.dials("112");
    sim.run_until(gateway.rings());
    gateway.answers();
    talk(&mut sim, bob, &gateway);
    assert_eq!(sim.ports_in_use(), 8, "to the last pair");
    gateway.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_for(seconds(1));
    gateway.dials("+4930123102");
    sim.run_until(bob.rings());
    assert_eq!(sim.ports_in_use(), 8);
    gateway.hangs_up();
    for caller in [2, 4, 6] {
        phones[caller].hangs_up();
    }
    sim.run_until_quiet();
}

#[test]
fn a_call_for_help_gets_through_a_table_that_takes_no_other() {
    let (mut sim, phones, gateway) = started(Setup::demo().transactions(64));
    let (ann, bob, cem) = (&phones[0], &phones[1], &phones[2]);
    // Each REGISTER that was answered is remembered for 32 s, and its challenge is not.
    while sim.holdings().transactions < 56 {
        let before = sim.holdings().transactions;
        cem.registers();
        sim.run_until(cem.is_registered());
        assert!(sim.holdings().transactions > before);
    }
    ann.dials("102");
    sim.run_until(ann.was_told(503));
    assert_eq!(ann.told_to_wait(), ["5"]);
    cem.registers();
    sim.run_for(millis(200));
    assert_eq!(cem.registration().map(|(status, _)| status), Some(503));
    bob.dials("112");
    sim.run_until(gateway.rings());
    gateway.answers();
    talk(&mut sim, bob, &gateway);
    assert!(sim.holdings().transactions > 56);
    bob.holds();
    sim.run_until(bob.was_answered_again());
    bob.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_call_for_help_rings_out_when_calls_that_were_let_in_have_taken_all_but_the_last_places() {
    let (mut sim, phones, gateway) = started(Setup::demo().transactions(64));
    let (ann, bob, cem, dora) = (&phones[0], &phones[1], &phones[2], &phones[3]);
    ann.dials("104");
    sim.run_until(dora.rings());
    dora.answers();
    talk(&mut sim, ann, dora);
    while sim.holdings().transactions < 56 {
        cem.registers();
        sim.run_until(cem.is_registered());
    }
    // The calls that there are change as they like.
    while sim.holdings().transactions < 60 {
        ann.holds();
        sim.run_until(ann.was_answered_again());
    }
    bob.dials("112");
    sim.run_until(gateway.rings());
    gateway.answers();
    talk(&mut sim, bob, &gateway);
    bob.hangs_up();
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_call_for_help_and_the_call_back_are_taken_when_as_many_calls_go_on_as_the_switch_takes() {
    let (mut sim, phones, gateway) = started(Setup::demo().calls(2, 1));
    let (ann, bob, cem) = (&phones[0], &phones[1], &phones[6]);
    for (caller, called) in [(2, 3), (4, 5)] {
        phones[caller].dials(&format!("{}", 101 + called));
        sim.run_until(phones[called].rings());
        phones[called].answers();
        talk(&mut sim, &phones[caller], &phones[called]);
    }
    ann.dials("102");
    sim.run_until(ann.was_told(503));
    assert_eq!(ann.told_to_wait(), ["5"]);
    gateway.dials("+4930123101");
    sim.run_until(gateway.was_told(503));
    assert_eq!(sim.metric(r#"plugboard_calls_refused_total{reason="call_limit"}"#), Some(2.0));
    bob.dials("112");
    sim.run_until(gateway.rings());
    gateway.answers();
    talk(&mut sim, bob, &gateway);
    cem.dials("112");
    sim.run_until(cem.was_told(503));
    gateway.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_for(seconds(1));
    cem.dials_uri("urn:service:sos");
    sim.run_until(gateway.rings());
    cem.hangs_up();
    sim.run_until(|| cem.is_idle()() && gateway.is_idle()());
    sim.run_for(seconds(1));
    gateway.dials("+4930123102");
    sim.run_until(bob.rings());
    gateway.hangs_up();
    sim.run_until(bob.is_idle());
    phones[2].hangs_up();
    sim.run_until(phones[3].is_idle());
    sim.run_for(seconds(1));
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    phones[4].hangs_up();
    sim.run_until_quiet();
}

/// Somebody in the house of these guesses until nobody there is listened to.
fn guesses(sim: &mut Sim, guesser: &Phone) {
    for n in 0..20 {
        guesser.has_password(&format!("guess-{n}"));
        guesser.registers();
        sim.run_for(millis(100));
    }
    assert_eq!(sim.metric("plugboard_login_sources_silenced_total"), Some(1.0));
}

#[test]
fn a_call_for_help_is_heard_from_a_house_to_which_nobody_listens() {
    let mut sim = Setup::offices(vec![office()]).start();
    let registered = sim.new_phone_at("registered", "101", "[fd00:9::1]:5060");
    registered.registers();
    sim.run_until(registered.is_registered());
    let gateway = sim.outside("gateway", GATEWAY);
    let guesser = sim.new_phone_at("guesser", "108", "[fd00:9::66]:5060");
    guesses(&mut sim, &guesser);
    // Its plug was out: it is not registered, and its user is believed nowhere.
    let another = sim.new_phone_at("another", "102", "[fd00:9::2]:5060");
    another.dials("101");
    sim.run_for(seconds(5));
    assert!(!registered.rings()(), "{}", sim.ladder());
    another.hangs_up();
    sim.run_until(another.is_idle());
    for phone in [&registered, &another] {
        phone.dials("112");
        sim.run_until(gateway.rings());
        phone.hangs_up();
        sim.run_until(|| gateway.is_idle()() && phone.is_idle()());
    }
    sim.run_until_quiet();
}

#[test]
fn whoever_guesses_by_calls_for_help_gains_no_more_than_by_others() {
    let mut sim = Setup::offices(vec![office()]).start();
    let gateway = sim.outside("gateway", GATEWAY);
    let guesser = sim.new_phone_at("guesser", "108", "[fd00:9::66]:5060");
    guesses(&mut sim, &guesser);
    let wrong = |sim: &Sim| sim.metric("plugboard_login_failures_total{fault=\"wrong_password\"}").unwrap();
    let before = wrong(&sim);
    for n in 0..10 {
        guesser.has_password(&format!("again-{n}"));
        guesser.dials("112");
        sim.run_for(seconds(1));
        // Four were told that the password is wrong; the others hear nothing.
        if !guesser.is_idle()() {
            guesser.hangs_up();
        }
        sim.run_for(seconds(1));
    }
    assert!((wrong(&sim) - before - 4.0).abs() < 0.1, "four in ten minutes: {}", wrong(&sim) - before);
    guesser.has_password("demo-108");
    guesser.dials("112");
    sim.run_for(seconds(5));
    assert!(!gateway.rings()(), "{}", sim.ladder());
    guesser.hangs_up();
    sim.run_until_quiet();
}
