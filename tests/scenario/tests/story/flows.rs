//! Devices behind proxies, and devices with several flows (RFC 3327, RFC 5626).

use crate::{millis, not_answered, seconds, talk};
use plugboard_model::CallOutcome;
use plugboard_simulator::{Phone, Sim, Stage};

const NEAR: &str = "<sip:near.example.org;lr>";
const EDGE: &str = "<sip:3a7f@edge.example.org;lr;ob>";
const DEVICE: &str = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF";

#[test]
fn a_call_to_a_phone_behind_proxies_passes_them() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"));
    bob.is_behind(&[NEAR, EDGE]);
    bob.registers();
    sim.run_until(bob.is_registered());
    ann.dials("102");
    sim.run_until(bob.rings());
    assert_eq!(bob.routes(), [NEAR, EDGE]);
    bob.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_phone_with_two_flows_is_rung_once_and_over_the_other_one_when_the_first_breaks() {
    let mut sim = Sim::demo();
    let (ann, first, second) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("bob2", "102"));
    for (flow, number) in [(&second, 2), (&first, 1)] {
        sim.connects(flow);
        flow.is_flow(number, DEVICE);
        flow.registers();
        sim.run_until(flow.is_registered());
        sim.run_for(seconds(1));
    }
    assert_eq!(first.registration(), Some((200, 2)), "both flows stand");
    ann.dials("102");
    sim.run_until(first.rings());
    sim.run_for(seconds(3));
    assert!(second.calls().is_empty(), "one device rings once\n{}", sim.ladder());
    ann.hangs_up();
    sim.run_until(first.is_idle());
    sim.disconnects(&first);
    ann.dials("102");
    sim.run_until(second.rings());
    second.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until(second.is_idle());
    sim.run_until_quiet();
}

/// Ann, and a device of 102 with two flows, of which the first is rung first.
fn two_flows(streams: bool) -> (Sim, Phone, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, first, second) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("bob2", "102"));
    for (flow, number) in [(&second, 2), (&first, 1)] {
        if streams {
            sim.connects(flow);
        }
        flow.is_flow(number, DEVICE);
        flow.registers();
        sim.run_until(flow.is_registered());
        sim.run_for(seconds(1));
    }
    (sim, ann, first, second)
}

/// Ann hears the device over its second flow, and hangs up. It was one leg all the time.
fn is_reached_over(sim: &mut Sim, ann: &Phone, second: &Phone) {
    sim.run_until(second.rings());
    second.answers();
    talk(sim, ann, second);
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.records("main").pop().unwrap();
    assert_eq!(record.outcome, CallOutcome::Answered);
    assert_eq!(record.legs.len(), 2, "a device is one leg, over whatever flow: {:?}", record.legs);
    assert_eq!(record.legs[1].cause.status, 200);
}

#[test]
fn a_flow_that_failed_gives_way_to_the_next_one_of_the_device() {
    for streams in [false, true] {
        let (mut sim, ann, first, second) = two_flows(streams);
        first.always_refuses(430);
        ann.dials("102");
        is_reached_over(&mut sim, &ann, &second);
        let asked =
            |sim: &Sim| sim.ladder().count("switch -> bob     INVITE") + sim.ladder().count("switch -> bob  INVITE");
        let before = asked(&sim);
        assert_eq!(first.calls(), [Stage::Over(430)], "it did not ring");
        ann.dials("102");
        is_reached_over(&mut sim, &ann, &second);
        assert_eq!(asked(&sim), before, "the one that works goes first now\n{}", sim.ladder());
        first.is_plugged_in();
        first.registers();
        sim.run_for(seconds(1));
        ann.dials("102");
        is_reached_over(&mut sim, &ann, &first);
    }
}

#[test]
fn a_flow_over_which_nothing_is_heard_gives_way_after_five_seconds() {
    for streams in [false, true] {
        let (mut sim, ann, first, second) = two_flows(streams);
        first.is_unplugged();
        ann.dials("102");
        sim.run_for(seconds(4));
        assert!(second.calls().is_empty(), "{}", sim.ladder());
        is_reached_over(&mut sim, &ann, &second);
    }
}

#[test]
fn a_connection_that_breaks_in_the_moment_of_the_call_gives_way() {
    let (mut sim, ann, first, second) = two_flows(true);
    sim.loses("switch -> bob  INVITE", 1);
    ann.dials("102");
    sim.run_for(millis(30));
    assert_eq!(sim.ladder().count("switch -> bob  INVITE"), 1, "it is under way");
    sim.disconnects(&first);
    is_reached_over(&mut sim, &ann, &second);
}

#[test]
fn what_the_device_itself_answers_is_its_answer_over_every_flow() {
    for status in [486, 503, 480, 600] {
        let (mut sim, ann, first, second) = two_flows(false);
        first.always_refuses(status);
        ann.dials("102");
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        assert!(second.calls().is_empty(), "{status}: the targeted instance has already answered\n{}", sim.ladder());
    }
}

#[test]
fn a_device_that_rang_is_not_rung_again_over_another_flow() {
    let (mut sim, ann, first, second) = two_flows(false);
    ann.dials("102");
    sim.run_until(first.rings());
    first.refuses(430);
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert!(second.calls().is_empty(), "{}", sim.ladder());
}

#[test]
fn who_hangs_up_while_a_flow_is_silent_rings_no_other_one() {
    let (mut sim, ann, first, second) = two_flows(false);
    first.is_unplugged();
    ann.dials("102");
    sim.run_for(seconds(2));
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_for(seconds(40));
    assert!(second.calls().is_empty(), "{}", sim.ladder());
    sim.run_until_quiet();
}

#[test]
fn what_a_proxy_has_lost_is_bound_no_more() {
    let (mut sim, ann, first, second) = two_flows(false);
    first.always_refuses(430);
    second.always_refuses(430);
    ann.dials("102");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(
        not_answered(&sim.record()),
        Some(480),
        "what happened between a proxy and a phone is none of the caller's"
    );
    let asked = sim.ladder().count("INVITE 102 +sdp");
    ann.dials("102");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("INVITE 102 +sdp") - asked, 2, "nobody is asked but us\n{}", sim.ladder());
    second.is_plugged_in();
    second.registers();
    sim.run_for(seconds(1));
    ann.dials("102");
    is_reached_over(&mut sim, &ann, &second);
}

#[test]
fn a_proxy_that_has_lost_a_phone_in_the_middle_of_a_call_ends_it_and_the_next_call_goes_another_way() {
    let (mut sim, ann, first, second) = two_flows(false);
    ann.dials("102");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    first.is_muted(true);
    first.answers_options_with(430);
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().legs[1].cause.status, 430);
    ann.dials("102");
    is_reached_over(&mut sim, &ann, &second);
    assert_eq!(first.calls().len(), 1, "{}", sim.ladder());
}

#[test]
fn whoever_hangs_up_with_430_for_a_reason_has_no_phone_forgotten() {
    let mut sim = Sim::demo();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    bob.says("Reason", "SIP;cause=430;text=\"Flow Failed\"");
    for (calls, called, number) in [(&ann, &bob, "102"), (&bob, &ann, "101")] {
        calls.dials(number);
        sim.run_until(called.rings());
        called.answers();
        talk(&mut sim, calls, called);
        bob.hangs_up();
        sim.run_until_quiet();
    }
    for (phone, number) in [(&ann, "101"), (&bob, "102")] {
        cem.dials(number);
        sim.run_until(phone.rings());
        cem.hangs_up();
        sim.run_until_quiet();
    }
}
