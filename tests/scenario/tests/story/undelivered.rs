//! Peers whose host says that nobody takes what is sent to them (ICMP, RFC 3261 section 18.4).

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Setup, Sim};

use crate::{conversation, not_answered, seconds, talk};

const FIRST: &str = "198.51.100.20:5060";
const SECOND: &str = "198.51.100.21:5060";

#[test]
fn a_phone_whose_port_is_closed_is_not_waited_for() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    sim.closes_port(&bob, true);
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(ann.is_idle());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  ann -> switch  INVITE 102 +sdp
    0.045  switch -> ann  407 INVITE
    0.050  ann -> switch  ACK
    0.050  ann -> switch  INVITE 102 +sdp
    0.055  switch -> bob  INVITE 102 +sdp
    0.060  switch -> ann  500 INVITE
    0.065  ann -> switch  ACK
    "#);
    sim.run_until_quiet();
    assert_eq!(not_answered(&sim.record()), Some(500), "that he is not there is no word on us");
    sim.closes_port(&bob, false);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_other_device_rings_on_and_the_other_flow_is_tried_at_once() {
    let mut sim = Sim::demo();
    let (ann, bob, desk) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("desk", "102"));
    sim.closes_port(&bob, true);
    ann.dials("102");
    sim.run_until(desk.rings());
    sim.run_for(seconds(2));
    desk.answers();
    talk(&mut sim, &ann, &desk);
    desk.hangs_up();
    sim.run_until_quiet();

    let mut sim = Sim::demo();
    let (ann, first, second) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("bob2", "102"));
    for (flow, number) in [(&second, 2), (&first, 1)] {
        flow.is_flow(number, "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF");
        flow.registers();
        sim.run_until(flow.is_registered());
        sim.run_for(seconds(1));
    }
    sim.closes_port(&first, true);
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(second.rings());
    assert!(sim.now().since(begin) < seconds(1), "{}", sim.ladder());
    second.answers();
    talk(&mut sim, &ann, &second);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateway_whose_port_is_closed_gives_way_at_once() {
    let office = OfficeText::demo()
        .replace(
            "gateways:\n",
            &format!(
                "gateways:\n  - {{ id: first, address: \"{FIRST}\" }}\n  - {{ id: second, address: \"{SECOND}\" }}\n"
            ),
        )
        .replace("routes:\n", "routes:\n  - { id: eight, prefix: 8, gateways: [first, second], strip: 1 }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, first, second) = (sim.phone("ann", "101"), sim.outside("first", FIRST), sim.outside("second", SECOND));
    sim.closes_port(&first, true);
    let begin = sim.now();
    ann.dials("8301");
    sim.run_until(second.rings());
    assert!(sim.now().since(begin) < seconds(1), "{}", sim.ladder());
    second.answers();
    talk(&mut sim, &ann, &second);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_call_that_stands_is_ended_by_no_such_word() {
    let (mut sim, ann, bob) = conversation();
    // Whoever restarts his phone's program is back in a moment.
    sim.closes_port(&bob, true);
    ann.hands_on_to("102");
    bob.is_muted(true);
    sim.run_for(seconds(70));
    assert!(!ann.is_idle()(), "{}", sim.ladder());
    sim.closes_port(&bob, false);
    bob.is_muted(false);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_has_not_seen_a_request_cannot_say_that_it_was_not_taken() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.is_unplugged();
    ann.dials("102");
    sim.run_for(seconds(1));
    for branch in ["z9hG4bK-s0-1.1.0000000000000000", "z9hG4bK-s9-1.1.0", "z9hG4bK", ""] {
        let quoted = format!("INVITE sip:102@x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch={branch}\r\n");
        sim.forges_undelivered(&bob, &quoted);
    }
    sim.run_for(seconds(10));
    assert!(!ann.is_idle()(), "{}", sim.ladder());
    bob.is_plugged_in();
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}
