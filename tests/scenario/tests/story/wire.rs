//! Messages get lost, come twice and meet on their way; sessions change while people talk.

use plugboard_model::{CallOutcome, JournalEvent};
use plugboard_simulator::{Phone, Setup, Sim, Weather};

use crate::{journaled, not_answered, seconds, talk};

fn ann_and_bob() -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    (sim, ann, bob)
}

fn connected() -> (Sim, Phone, Phone) {
    let (mut sim, ann, bob) = ann_and_bob();
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(1));
    bob.answers();
    talk(&mut sim, &ann, &bob);
    (sim, ann, bob)
}

#[test]
fn each_message_of_a_call_may_be_lost_once_and_nobody_notices_more_than_a_delay() {
    for words in [
        "ann -> switch  INVITE",
        "switch -> ann  407 INVITE",
        "ann -> switch  ACK",
        "switch -> bob  INVITE",
        "bob -> switch  180",
        "switch -> ann  180",
        "bob -> switch  200 INVITE",
        "switch -> bob  ACK",
        "switch -> ann  200 INVITE",
        "ann -> switch  BYE",
        "switch -> ann  200 BYE",
        "switch -> bob  BYE",
        "bob -> switch  200 BYE",
    ] {
        let (mut sim, ann, bob) = ann_and_bob();
        sim.loses(words, 1);
        ann.dials("102");
        sim.run_until(bob.rings());
        sim.run_for(seconds(3));
        bob.answers();
        talk(&mut sim, &ann, &bob);
        sim.run_for(seconds(3));
        ann.hangs_up();
        sim.run_until(bob.is_idle());
        sim.run_until_quiet();
        assert_eq!(sim.ladder().count("(lost)"), 1, "{words}\n{}", sim.ladder());
        assert_eq!(sim.record().outcome, CallOutcome::Answered, "{words}");
    }
}

#[test]
fn each_message_of_a_cancelled_call_may_be_lost_once() {
    for words in [
        "ann -> switch  CANCEL",
        "switch -> ann  200 CANCEL",
        "switch -> ann  487 INVITE",
        "switch -> bob  CANCEL",
        "bob -> switch  200 CANCEL",
        "bob -> switch  487 INVITE",
        "switch -> bob  ACK",
    ] {
        let (mut sim, ann, bob) = ann_and_bob();
        sim.loses(words, 1);
        ann.dials("102");
        sim.run_until(bob.rings());
        sim.run_for(seconds(1));
        ann.hangs_up();
        sim.run_until(ann.was_told(487));
        sim.run_until(bob.was_told(487));
        sim.run_until_quiet();
        assert_eq!(sim.ladder().count("(lost)"), 1, "{words}\n{}", sim.ladder());
        assert_eq!(sim.record().outcome, CallOutcome::Abandoned, "{words}");
    }
}

#[test]
fn messages_that_come_twice_are_one_call() {
    let twice = Weather { doubled: 1_000, ..Weather::CALM };
    let mut sim = Setup::demo().weather(twice).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!((ann.calls().len(), bob.calls().len()), (1, 1));
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn an_answer_that_the_caller_never_acknowledges_ends_the_call() {
    let (mut sim, ann, bob) = ann_and_bob();
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(1));
    sim.loses("ann -> switch  ACK", 1_000);
    bob.answers();
    let answered = sim.now();
    sim.run_until(bob.is_idle());
    let took = sim.now().since(answered).as_secs();
    assert_eq!(took, 32, "64 times T1 (RFC 3261 section 13.3.1.4)");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("switch -> ann  BYE"), 1, "{}", sim.ladder());
}

#[test]
fn an_answer_is_sent_again_until_its_ack_comes() {
    let (mut sim, ann, bob) = ann_and_bob();
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(1));
    sim.loses("ann -> switch  ACK", 3);
    bob.answers();
    talk(&mut sim, &ann, &bob);
    sim.run_for(seconds(10));
    assert_eq!(sim.ladder().count("switch -> ann  200 INVITE"), 4, "{}", sim.ladder());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_change_that_meets_the_end_of_the_call_holds_up_nothing() {
    let (mut sim, ann, bob) = connected();
    ann.holds();
    bob.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!(journaled(&sim, &record, |event| matches!(event, JournalEvent::Ended { .. })), 1);
}

#[test]
fn a_call_survives_a_storm() {
    let mut sim = Setup::demo().seed(7).weather(Weather::STORM).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    sim.run_for(seconds(10));
    assert!(ann.packets_of("bob") > 400, "{} of 500 packets came", ann.packets_of("bob"));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_message_that_is_too_long_for_a_datagram_ends_its_own_call_and_no_other_with_that_peer() {
    let mut sim = Sim::demo();
    let (house, ann, dora) = (sim.phone("house", "102"), sim.phone("ann", "101"), sim.phone("dora", "104"));
    house.belongs_to("105", "demo-105");
    house.dials("104");
    sim.run_until(dora.rings());
    sim.finds_too_long("switch -> house  INVITE 102");
    ann.dials("102");
    sim.run_until(ann.is_idle());
    assert_eq!(not_answered(&sim.record()), Some(500), "{}", sim.ladder());
    dora.answers();
    talk(&mut sim, &house, &dora);
    house.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn an_answer_that_is_too_long_for_a_datagram_is_a_refusal_and_the_callee_is_hung_up() {
    let (mut sim, ann, bob) = ann_and_bob();
    sim.finds_too_long("switch -> ann  200 INVITE");
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.was_told(500));
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().legs[0].cause.status, 500, "{}", sim.ladder());
    assert_eq!(sim.ladder().count("switch -> ann  BYE"), 0, "she knows of no session\n{}", sim.ladder());
    assert_eq!(sim.metric("plugboard_sip_messages_too_long_total"), Some(1.0));
}

#[test]
fn an_answer_to_a_change_that_is_too_long_for_a_datagram_ends_the_call() {
    let (mut sim, ann, bob) = connected();
    sim.finds_too_long("switch -> ann  200 INVITE");
    ann.holds();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(500));
    sim.run_until(ann.is_idle());
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert!(ann.reason().unwrap().contains("cause=500"), "{:?}", ann.reason());
    assert_eq!(sim.record().legs[0].cause.status, 500);
}

#[test]
fn an_answer_to_our_offer_that_fits_nothing_ends_the_call() {
    let (mut sim, ann, bob) = connected();
    ann.loses_its_codecs();
    ann.asks_for_an_offer();
    sim.run_until(ann.is_idle());
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert!(ann.reason().unwrap().contains("cause=488"), "{:?}", ann.reason());
    assert_eq!(sim.ladder().count("switch -> ann  BYE"), 1, "{}", sim.ladder());
    assert_eq!((sim.record().outcome, sim.record().legs[0].cause.status), (CallOutcome::Answered, 488));
}

#[test]
fn a_phone_that_comes_back_over_another_connection_keeps_its_call() {
    let (mut sim, ann, bob) = ann_and_bob();
    sim.connects(&bob);
    bob.registers();
    sim.run_until(bob.is_registered());
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    // Twice, and once in the moment in which the switch asks whether he is there.
    for pause in [10, 882] {
        sim.run_for(seconds(pause));
        sim.disconnects(&bob);
        sim.run_for(seconds(5));
        sim.connects(&bob);
        bob.registers();
        sim.run_until(bob.is_registered());
    }
    sim.run_for(seconds(60));
    assert!(sim.ladder().count("bob -> switch  200 OPTIONS") > 0, "{}", sim.ladder());
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("switch -> bob  BYE"), 1, "{}", sim.ladder());
}

#[test]
fn a_phone_whose_codecs_nobody_knows_is_told_so() {
    let (mut sim, ann, bob) = ann_and_bob();
    ann.speaks_g729_only();
    ann.dials("102");
    sim.run_until(ann.was_told(488));
    sim.run_until_quiet();
    assert!(bob.calls().is_empty());
    let cause = sim.record().legs[0].cause.clone();
    assert!(cause.text.contains("PCMU, PCMA, G722 and opus"), "{cause:?}");
    let warnings = ann.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let says_why = warnings[0].starts_with("305 plugboard \"") && warnings[0].contains("PCMU, PCMA, G722 and opus");
    assert!(says_why && warnings[0].ends_with('"'), "RFC 3261 section 20.43: {warnings:?}");
}

#[test]
fn a_phone_that_changes_to_what_nobody_knows_is_told_so_and_the_call_goes_on() {
    let (mut sim, ann, bob) = ann_and_bob();
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.loses_its_codecs();
    ann.refreshes();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(488));
    let warnings = ann.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let says_why = warnings[0].starts_with("305 plugboard \"") && warnings[0].contains("PCMU, PCMA, G722 and opus");
    assert!(says_why && warnings[0].ends_with('"'), "RFC 3261 section 20.43: {warnings:?}");
    talk(&mut sim, &ann, &bob);
}
