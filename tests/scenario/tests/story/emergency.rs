//! Calls for help: nothing stands in their way, and whoever made one is called back.

use plugboard_model::{CallOutcome, Direction, JournalEvent, LegId};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

use crate::{journaled, millis, seconds, talk};

const FIRST: &str = "10.0.1.1:5060";
const SECOND: &str = "10.0.1.2:5060";

/// Three users, two gateways, and what the office says of calls for help.
fn office(emergency: &str, first: &str) -> OfficeText {
    OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nemergency: {{ {emergency} }}\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, name: Ann Archer, password: demo-101, outside_number: \"+4930123101\" }}\n\
         \x20 - {{ id: \"102\", number: 102, name: Bob Baker, password: demo-102, location: berlin }}\n\
         \x20 - {{ id: \"103\", number: 103, password: demo-103, status: logged-out, location: berlin }}\n\
         gateways:\n  - {{ id: first, address: \"{FIRST}\"{first} }}\n  - {{ id: second, address: \"{SECOND}\" }}\n\
         scenarios: []\nroutes:\n  - {{ id: out, prefix: 0, gateway: first, strip: 1 }}\n\
         \x20 - {{ id: all, any: true, refuse: 603 }}\n\
         \x20 - {{ id: in, from: gateways, any: true, user: \"101\" }}\n"
    ))
}

const BERLIN: &str = "confirmed: true, test: 933, gateways: [first, second], locations: [{ id: berlin, call_back: \"+4930100\", \
    geolocation: \"https://lis.test/b\" }, { id: here, networks: [\"10.9.0.0/16\"], call_back: \"+4940100\" }]";

fn started(emergency: &str, first: &str) -> (Sim, Phone, Phone, Phone) {
    let mut sim = Setup::offices(vec![office(emergency, first)]).start();
    let bob = sim.phone("bob", "102");
    let (one, two) = (sim.outside("first", FIRST), sim.outside("second", SECOND));
    (sim, bob, one, two)
}

fn is_notice(event: &JournalEvent) -> bool {
    matches!(event, JournalEvent::Emergency { .. })
}

#[test]
fn a_call_for_help_goes_out_shows_the_place_and_tells_the_front_desk() {
    let (mut sim, bob, first, _second) = started(BERLIN, ", emergency_headers: [priority, resource-priority]");
    let begin = sim.now();
    bob.says("Privacy", "id");
    bob.dials("112");
    sim.run_until(first.rings());
    let told = |header| first.was_told_of_caller(header);
    let shown = "\"Bob Baker\" <sip:+4930100@plugboard.test>";
    assert!(first.caller().unwrap().starts_with(shown), "who calls for help does not hide: {:?}", first.caller());
    assert_eq!(told("P-Asserted-Identity").as_deref(), Some(shown));
    assert_eq!(told("Geolocation").as_deref(), Some("<https://lis.test/b>"));
    assert_eq!(told("Priority").as_deref(), Some("emergency"));
    assert_eq!(told("Resource-Priority").as_deref(), Some("esnet.0"));
    assert_eq!((first.called().as_deref(), told("Privacy")), (Some("112"), None));
    first.answers();
    talk(&mut sim, &bob, &first);
    first.hangs_up();
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.020  bob -> switch  INVITE 112 +sdp
    0.025  switch -> first  INVITE 112 +sdp
    0.030  first -> switch  180 INVITE
    0.030  first -> switch  200 INVITE +sdp
    0.035  switch -> first  ACK
    0.035  switch -> bob  180 INVITE
    0.035  switch -> bob  200 INVITE +sdp
    0.040  bob -> switch  ACK
    0.060  first -> switch  BYE
    0.065  switch -> first  200 BYE
    0.065  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.070  bob -> switch  200 BYE
    "#);
    let record = sim.record();
    assert_eq!((record.route.as_deref(), record.direction), (Some("emergency"), Direction::Outbound));
    let notices: Vec<JournalEvent> =
        sim.journal(&record).into_iter().map(|entry| entry.event).filter(is_notice).collect();
    insta::assert_debug_snapshot!(notices, @r#"
    [
        Emergency {
            number: "112",
            location: Some(
                berlin,
            ),
            call_back: "+4930100",
            test: false,
        },
    ]
    "#);
    assert_eq!(sim.metric(r#"plugboard_emergency_calls_total{kind="call"}"#), Some(1.0));
}

#[test]
fn help_needs_no_prefix_takes_one_and_comes_by_its_urn() {
    let (mut sim, bob, first, _second) = started(BERLIN, "");
    for dialled in ["112", "0112", "+112", "1-1-2", "110"] {
        bob.dials(dialled);
        sim.run_until(first.rings());
        assert_eq!(first.called().unwrap(), if dialled == "110" { "110" } else { "112" }, "{dialled}");
        bob.hangs_up();
        sim.run_until(|| first.is_idle()() && bob.is_idle()());
    }
    for urn in ["urn:service:sos", "urn:service:sos.police", "URN:SERVICE:SOS.fire"] {
        bob.dials_uri(urn);
        sim.run_until(first.rings());
        assert_eq!(first.called().unwrap(), "112", "{urn}");
        bob.hangs_up();
        sim.run_until(|| first.is_idle()() && bob.is_idle()());
    }
    bob.dials_uri("urn:service:counseling");
    sim.run_until(bob.was_told(416));
    bob.dials_at("112", "elsewhere.test");
    sim.run_until(first.rings());
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_test_number_goes_the_whole_way_and_is_told_from_a_call_for_help() {
    let (mut sim, bob, first, second) = started(BERLIN, "");
    first.always_refuses(503);
    bob.dials("933");
    sim.run_until(second.rings());
    assert_eq!(second.called().as_deref(), Some("933"));
    assert!(second.caller().unwrap().contains("+4930100"));
    second.answers();
    talk(&mut sim, &bob, &second);
    bob.hangs_up();
    sim.run_until_quiet();
    let test = |event: &JournalEvent| matches!(event, JournalEvent::Emergency { test: true, .. });
    assert_eq!(journaled(&sim, &sim.record(), test), 1);
    assert_eq!(sim.metric(r#"plugboard_emergency_calls_total{kind="test"}"#), Some(1.0));
    assert_eq!(sim.metric(r#"plugboard_emergency_calls_total{kind="call"}"#), Some(0.0));
}

#[test]
fn a_call_for_help_tries_every_gateway_whatever_one_answers_and_then_once_more() {
    for status in [404, 480, 486, 500, 503, 603] {
        let (mut sim, bob, first, second) = started(BERLIN, "");
        first.always_refuses(status);
        second.always_refuses(status);
        bob.dials("112");
        sim.run_until(|| first.calls().len() == 2);
        second.is_plugged_in();
        sim.run_until(second.rings());
        second.answers();
        talk(&mut sim, &bob, &second);
        bob.hangs_up();
        sim.run_until_quiet();
        let legs: Vec<(String, u16)> = sim
            .record()
            .legs
            .iter()
            .skip(1)
            .map(|leg| (leg.gateway.as_ref().unwrap().name.to_string(), leg.cause.status))
            .collect();
        let leg = |name: &str, status| (name.to_owned(), status);
        assert_eq!(legs, [leg("first", status), leg("second", status), leg("first", status), leg("second", 200)]);
        assert_eq!(journaled(&sim, &sim.record(), is_notice), 1, "the front desk is told once");
    }
}

#[test]
fn a_call_for_help_goes_to_a_gateway_that_is_down_when_nothing_else_is_left() {
    let (mut sim, bob, first, second) = started(BERLIN, ", probe: { every: 5s, down_after: 1 }");
    first.is_unplugged();
    sim.run_for(seconds(60));
    assert!(sim.conditions().contains("first"), "{}", sim.conditions());
    first.is_plugged_in();
    second.always_refuses(503);
    bob.dials("112");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &bob, &first);
    bob.hangs_up();
    sim.run_until(first.is_idle());
}

#[test]
fn a_call_for_help_takes_the_channel_of_the_youngest_call_that_goes_out() {
    let (mut sim, bob, first, _second) = started(BERLIN, ", calls: 2");
    let (ann, dora) = (sim.phone("ann", "101"), sim.new_phone("dora", "101"));
    first.dials_as("+4930555", "+49301");
    sim.run_until(ann.rings());
    ann.answers();
    sim.run_until(ann.talks());
    dora.dials("0301234");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &dora, &first);
    let begin = sim.now();
    bob.dials("112");
    sim.run_until(first.rings());
    first.answers();
    sim.run_until(bob.talks());
    sim.run_until(dora.is_idle());
    assert!(ann.talks()(), "who called us goes on");
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.100  bob -> switch  INVITE 112 +sdp
    0.105  switch -> dora  BYE because SIP;cause=503;text="Its channel was needed for an emergency call"
    0.105  switch -> first  BYE because SIP;cause=200;text="OK"
    0.105  switch -> first  INVITE 112 +sdp
    0.110  dora -> switch  200 BYE
    0.110  first -> switch  200 BYE
    0.110  first -> switch  180 INVITE
    0.110  first -> switch  200 INVITE +sdp
    0.115  switch -> first  ACK
    0.115  switch -> bob  180 INVITE
    0.115  switch -> bob  200 INVITE +sdp
    0.120  bob -> switch  ACK
    "#);
    let ended = sim.records("main").into_iter().find(|record| record.called == "0301234").unwrap();
    assert_eq!(ended.outcome, CallOutcome::Answered);
    assert!(ended.legs.iter().any(|leg| leg.cause.text.contains("emergency")), "{:?}", ended.legs);
    assert_eq!(sim.metric("plugboard_emergency_channels_taken_total"), Some(1.0));
    bob.hangs_up();
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn calls_for_help_never_end_each_other() {
    let (mut sim, bob, first, _second) = started(BERLIN, ", calls: 1");
    let ann = sim.phone("ann", "101");
    for caller in [&bob, &ann] {
        caller.dials("112");
        sim.run_until(first.rings());
        first.answers();
        sim.run_until(caller.talks());
    }
    assert!(bob.talks()());
    bob.hangs_up();
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn neither_a_drain_nor_overload_keeps_a_call_for_help_out() {
    let (mut sim, bob, first, _second) = started(BERLIN, "");
    let ann = sim.phone("ann", "101");
    sim.messages_wait(millis(60));
    sim.run_for(millis(10));
    for _ in 0..20 {
        ann.registers();
        sim.run_for(millis(20));
    }
    ann.dials("0301234");
    sim.run_until(ann.was_told(503));
    bob.dials("0112");
    sim.run_until(first.rings());
    bob.hangs_up();
    sim.run_until(first.is_idle());
    sim.messages_wait(millis(0));
    sim.ask(async { sim.switch().drain() });
    ann.dials("0301234");
    sim.run_until(ann.was_told(503));
    bob.dials("112");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &bob, &first);
    first.hangs_up();
    sim.run_until(bob.is_idle());
    first.dials_as("+4930100", "112");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &bob, &first);
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn whoever_called_for_help_is_called_back_at_that_phone_whatever_his_status() {
    let (mut sim, bob, first, _second) = started(BERLIN, "");
    // Logged out and not registered: there is only the phone that called.
    let cem = sim.new_phone("cem", "103");
    cem.dials("112");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &cem, &first);
    cem.hangs_up();
    sim.run_until(first.is_idle());
    sim.run_for(seconds(20 * 60));
    let begin = sim.now();
    first.dials_as("+4930100", "112");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &cem, &first);
    assert_eq!(bob.calls(), [], "nobody else");
    first.hangs_up();
    sim.run_until_quiet();
    let routes: Vec<Option<String>> = sim.records("main").into_iter().map(|record| record.route).collect();
    assert!(routes.contains(&Some("emergency-call-back".into())), "{routes:?}");
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    1200.080  first -> switch  INVITE +4930100 +sdp
    1200.085  switch -> cem  INVITE 103 +sdp
    1200.090  cem -> switch  180 INVITE
    1200.090  cem -> switch  200 INVITE +sdp
    1200.095  switch -> cem  ACK
    1200.095  switch -> first  180 INVITE
    1200.095  switch -> first  200 INVITE +sdp
    1200.100  first -> switch  ACK
    1200.120  first -> switch  BYE
    1200.125  switch -> first  200 BYE
    1200.125  switch -> cem  BYE because SIP;cause=200;text="OK"
    1200.130  cem -> switch  200 BYE
    "#);
    sim.run_for(seconds(11 * 60));
    let ann = sim.phone("ann", "101");
    first.dials_as("+4930100", "112");
    sim.run_until(ann.rings());
    assert_eq!(cem.calls().len(), 2, "half an hour is over: the number is what it always was");
    first.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_phone_that_is_on_a_call_is_called_back_all_the_same() {
    let (mut sim, bob, first, second) = started(BERLIN, "");
    bob.dials("112");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &bob, &first);
    for caller in [&second, &first] {
        caller.dials_as("+4930100", "112");
        sim.run_until(bob.rings());
        bob.refuses(486);
        sim.run_until(|| caller.calls().last() == Some(&Stage::Over(486)));
    }
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_place_is_told_by_the_phones_network_before_its_user() {
    let mut sim = Setup::offices(vec![office(BERLIN, "")]).start();
    let (bob, first) = (sim.new_phone_at("bob", "102", "10.9.1.1:5060"), sim.outside("first", FIRST));
    bob.dials("112");
    sim.run_until(first.rings());
    assert!(first.caller().unwrap().contains("+4940100"), "{:?}", first.caller());
    bob.hangs_up();
    sim.run_until_quiet();
    let ann = sim.phone("ann", "101");
    ann.dials("112");
    sim.run_until(first.rings());
    assert!(first.caller().unwrap().contains("+4930123101"), "at no place: {:?}", first.caller());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_kind_of_help_whose_number_is_not_on_the_list_is_helped_all_the_same() {
    let (mut sim, bob, first, _second) = started(&format!("{BERLIN}, services: {{ police: \"0117\" }}"), "");
    bob.dials_uri("urn:service:sos.police");
    sim.run_until(first.rings());
    assert_eq!(first.called().as_deref(), Some("112"));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn nobody_sends_calls_of_others_on_to_help() {
    let (mut sim, bob, first, second) = started(BERLIN, "");
    let ann = sim.phone("ann", "101");
    // By his phone.
    bob.always_sends_on(302, &["<sip:112@plugboard.test>"]);
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    bob.is_plugged_in();
    // By the code, which says that it does not.
    bob.dials("*72112");
    sim.run_until(bob.was_told(403));
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    // By whatever else sets it.
    let id = plugboard_model::UserId::new(&plugboard_model::OfficeId::new("main").unwrap(), "102").unwrap();
    let to = plugboard_model::Dialled::new("0112").unwrap();
    let change = plugboard_office::SettingsChange::Forward(plugboard_model::ForwardWhen::Always, Some(to));
    sim.ask(sim.switch().change_user(&id, vec![change])).unwrap().unwrap();
    ann.dials("102");
    sim.run_until(ann.was_told(403));
    assert_eq!((first.calls().len(), second.calls().len()), (0, 0));
    sim.run_until_quiet();
}

#[test]
fn a_call_that_is_handed_on_to_help_is_one_for_help() {
    let (mut sim, bob, first, second) = started(BERLIN, "");
    let ann = sim.phone("ann", "101");
    first.always_refuses(486);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("112");
    sim.run_until(second.rings());
    second.answers();
    talk(&mut sim, &ann, &second);
    assert!(second.caller().unwrap().contains("+4930123101"), "it is Ann's: {:?}", second.caller());
    let record = LegId::CALLER;
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(journaled(&sim, &sim.record(), is_notice), 1, "{record}");
}

// ---- without a password -----------------------------------------------------------------------------------------

#[test]
fn a_registered_phone_calls_for_help_without_being_asked_for_a_password() {
    let (mut sim, bob, first, _second) = started(BERLIN, "");
    // The admin has changed it meanwhile: the phone would fail every challenge.
    bob.has_password("an old one");
    let begin = sim.now();
    bob.dials("112");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &bob, &first);
    bob.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.ladder().since(begin).count("407"), 0, "{}", sim.ladder());
    bob.dials("0301234");
    sim.run_until(bob.is_idle());
    assert_eq!(first.calls().len(), 1, "no other call is let through");
    sim.run_until_quiet();
}

#[test]
fn who_is_registered_elsewhere_or_nowhere_is_asked_for_his_password_before_he_calls_for_help() {
    for (emergency, asked) in [
        (BERLIN.to_owned(), true),
        (format!("{BERLIN}, unauthenticated: networks"), false),
        (format!("{BERLIN}, unauthenticated: nobody"), true),
    ] {
        let (mut sim, _bob, first, _second) = started(&emergency, "");
        let cem = sim.new_phone_at("cem", "103", "10.9.1.1:5060");
        cem.has_password("wrong");
        cem.dials("112");
        if asked {
            sim.run_until(cem.is_idle());
            assert_eq!(first.calls(), [], "{emergency}");
        } else {
            sim.run_until(first.rings());
            assert!(first.caller().unwrap().contains("+4940100"), "{:?}", first.caller());
            cem.hangs_up();
        }
        sim.run_until_quiet();
    }
}

#[test]
fn where_the_office_lets_nobody_through_unproven_a_registered_phone_is_asked_too() {
    let (mut sim, bob, first, _second) = started(&format!("{BERLIN}, unauthenticated: nobody"), "");
    let begin = sim.now();
    bob.dials("112");
    sim.run_until(first.rings());
    assert_eq!(sim.ladder().since(begin).count("407"), 1, "{}", sim.ladder());
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_claims_to_be_somebody_from_another_address_is_asked_for_the_password() {
    let (mut sim, _bob, first, _second) = started(BERLIN, "");
    sim.strange_message(
        "10.0.0.99:5060",
        "INVITE sip:112@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.99:5060;branch=z9hG4bKa\nMax-Forwards: 70\n\
         From: <sip:102@plugboard.test>;tag=a\nTo: <sip:112@plugboard.test>\nCall-ID: a\nCSeq: 1 INVITE\n\
         Contact: <sip:10.0.0.99>\nContent-Length: 0\n\n",
    );
    sim.run_for(seconds(1));
    let said = sim.said_to("10.0.0.99:5060");
    assert!(said.iter().any(|said| said.starts_with("SIP/2.0 407")), "{said:?}");
    assert_eq!(first.calls(), []);
}

/// A message that says it comes from Bob's phone.
fn forges_bob(sim: &Sim, bob: &Phone, number: u32, called: &str, more: &str) {
    let at = bob.address();
    sim.strange_message(
        &at.to_string(),
        &format!(
            "INVITE sip:{called}@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bKf{number}\nMax-Forwards: 70\n\
             From: <sip:102@plugboard.test>;tag=f\nTo: <sip:{called}@plugboard.test>\nCall-ID: f{number}\nCSeq: 1 INVITE\n\
             Contact: <sip:102@{at}>\n{more}Content-Length: 0\n\n"
        ),
    );
}

#[test]
fn who_forges_the_address_of_a_phone_reaches_help_alone_and_only_a_few_times() {
    let (mut sim, bob, first, second) = started(BERLIN, "");
    let ann = sim.phone("ann", "101");
    let begin = sim.now();
    forges_bob(&sim, &bob, 1, "0301234", "");
    forges_bob(&sim, &bob, 2, "101", "");
    forges_bob(&sim, &bob, 3, "112", "Replaces: a;to-tag=b;from-tag=c\n");
    sim.run_for(seconds(1));
    assert!(sim.ladder().since(begin).count("407") >= 3, "{}", sim.ladder());
    assert_eq!((ann.calls().len(), first.calls().len(), second.calls().len()), (0, 0, 0));
    let helped = r#"plugboard_emergency_calls_total{kind="call"}"#;
    for number in 4..10 {
        forges_bob(&sim, &bob, number, "112", "");
        sim.run_for(seconds(1));
    }
    assert_eq!(sim.metric(helped), Some(4.0));
    // His own phone knows its password.
    bob.dials("112");
    sim.run_for(seconds(1));
    assert_eq!(sim.metric(helped), Some(5.0));
}

#[test]
fn who_calls_for_help_without_a_password_hands_on_to_people_of_the_office_only() {
    for (emergency, proven) in [(BERLIN.to_owned(), false), (format!("{BERLIN}, unauthenticated: nobody"), true)] {
        let (mut sim, bob, first, _second) = started(&emergency, "");
        let ann = sim.phone("ann", "101");
        bob.dials("112");
        sim.run_until(first.rings());
        first.answers();
        talk(&mut sim, &bob, &first);
        bob.hands_on_to("0301234");
        sim.run_for(seconds(1));
        let answer = if proven { "202 REFER" } else { "403 REFER" };
        assert_eq!(sim.ladder().count(answer), 1, "{}", sim.ladder());
        if !proven {
            bob.hands_on_to("101");
            sim.run_until(ann.rings());
        }
    }
}

// ---- a new start ------------------------------------------------------------------------------------------------

#[test]
fn who_called_for_help_is_called_back_after_the_switch_has_started_again() {
    let (mut sim, bob, first, _second) = started(BERLIN, "");
    let cem = sim.new_phone("cem", "103");
    sim.connects(&cem);
    for caller in [&bob, &cem] {
        caller.dials("112");
        sim.run_until(first.rings());
        caller.hangs_up();
        sim.run_until_quiet();
    }
    let mut sim = Setup::offices(vec![office(BERLIN, "")]).after(sim).start();
    let (bob, cem) = (sim.new_phone("bob", "102"), sim.new_phone("cem", "103"));
    // His connection is another one now.
    sim.connects(&cem);
    cem.registers();
    sim.run_until(cem.is_registered());
    let first = sim.outside("first", FIRST);
    first.dials_as("+4930100", "112");
    sim.run_until(|| bob.rings()() && cem.rings()());
    bob.answers();
    talk(&mut sim, &bob, &first);
    first.hangs_up();
    sim.run_until_quiet();
}
