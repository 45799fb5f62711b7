//! The call flows of RFC 5359, each as a story with its ladder. The switch stands where the RFC has its proxies, as a back-to-back
//! user agent: no re-INVITE and no REFER passes it, so the far side sees nothing of a hold.
//!
//! Not here, because a later part of the switch brings it:
//! - 2.10 and 2.11, conferences of three: need mixing.
//! - 2.13, incoming call screening by the callee's announcement: needs recording. 2.17, automatic redial: needs a call that the
//!   switch makes when a lamp goes out. 2.18, click to dial: needs the panel's API.
//!
//! Not applicable: 2.6, transfer of instant messages: the switch carries no MESSAGE, whose flow has no call in it.

use plugboard_tests_support::{OfficeText, Phone, Setup, Sim};

use crate::{conversation, seconds, talk};

/// Alice called Bob, they talk; Carol is there as well.
fn three() -> (Sim, Phone, Phone, Phone) {
    let (mut sim, alice, bob) = conversation();
    let carol = sim.phone("cem", "103");
    (sim, alice, bob, carol)
}

/// Alice, Bob and Carol, none of whom is in a call.
fn idle() -> (Sim, Phone, Phone, Phone) {
    let mut sim = Sim::demo();
    let (alice, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let carol = sim.phone("cem", "103");
    (sim, alice, bob, carol)
}

/// He dials a code and hears that it is done.
fn sets(sim: &mut Sim, phone: &Phone, code: &str) {
    phone.dials(code);
    sim.run_until(phone.is_idle());
    sim.run_until_quiet();
}

#[test]
fn flow_2_1_call_hold() {
    let (mut sim, alice, bob, _) = three();
    let begin = sim.now();
    bob.holds();
    sim.run_until(bob.was_answered_again());
    sim.run_until(alice.hears("music"));
    bob.resumes();
    sim.run_until(bob.was_answered_again());
    talk(&mut sim, &alice, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_2_consultation_hold() {
    let (mut sim, alice, bob, carol) = three();
    let begin = sim.now();
    bob.holds();
    sim.run_until(bob.was_answered_again());
    bob.dials("103");
    sim.run_until(carol.rings());
    carol.answers();
    talk(&mut sim, &bob, &carol);
    carol.hangs_up();
    sim.run_until(carol.is_idle());
    bob.resumes();
    talk(&mut sim, &alice, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_3_music_on_hold() {
    let (mut sim, alice, bob, _) = three();
    let begin = sim.now();
    alice.holds_both_ways();
    sim.run_until(bob.hears("music"));
    sim.run_for(seconds(15));
    assert!(bob.hears_now("music"), "it begins again at its end");
    alice.resumes();
    talk(&mut sim, &alice, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_4_unattended_transfer() {
    let (mut sim, alice, bob, carol) = three();
    let begin = sim.now();
    bob.hands_on_to("103");
    sim.run_until(carol.rings());
    carol.answers();
    talk(&mut sim, &alice, &carol);
    sim.run_until(bob.is_idle());
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_5_attended_transfer() {
    let (mut sim, alice, bob, carol) = three();
    bob.holds();
    sim.run_until(bob.was_answered_again());
    bob.dials("103");
    sim.run_until(carol.rings());
    carol.answers();
    talk(&mut sim, &bob, &carol);
    let begin = sim.now();
    bob.connects_its_calls();
    talk(&mut sim, &alice, &carol);
    sim.run_until(bob.is_idle());
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until(carol.is_idle());
    sim.run_until_quiet();
}

#[test]
fn flow_2_7_call_forwarding_unconditional() {
    let (mut sim, alice, bob, carol) = idle();
    sets(&mut sim, &bob, "*72103");
    let begin = sim.now();
    let before = bob.calls().len();
    alice.dials("102");
    sim.run_until(carol.rings());
    carol.answers();
    talk(&mut sim, &alice, &carol);
    assert_eq!(bob.calls().len(), before, "he is not rung");
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_8_call_forwarding_busy() {
    let (mut sim, alice, bob, carol) = idle();
    sets(&mut sim, &bob, "*90103");
    bob.always_refuses(486);
    let begin = sim.now();
    alice.dials("102");
    sim.run_until(carol.rings());
    carol.answers();
    talk(&mut sim, &alice, &carol);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_9_call_forwarding_no_answer() {
    let (mut sim, alice, bob, carol) = idle();
    sets(&mut sim, &bob, "*92103");
    let begin = sim.now();
    alice.dials("102");
    sim.run_until(bob.rings());
    sim.run_until(carol.rings());
    sim.run_until(bob.is_idle());
    carol.answers();
    talk(&mut sim, &alice, &carol);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_12_find_me() {
    let steps = "  - call-user: { mode: list, target: [102], ring_for: 5s }\n    on:\n      timeout:\n        - call-user: { mode: list, target: [103], ring_for: 5s }\n";
    let mut sim = crate::story(steps).start();
    let (alice, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let carol = sim.phone("cem", "103");
    let begin = sim.now();
    alice.dials("300");
    sim.run_until(bob.rings());
    sim.run_until(carol.rings());
    carol.answers();
    talk(&mut sim, &alice, &carol);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_14_outgoing_call_screening() {
    let office =
        OfficeText::demo().replace("routes:\n", "routes:\n  - { id: premium, prefix: \"00900\", refuse: 403 }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let alice = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    let begin = sim.now();
    alice.dials("00900123");
    sim.run_until(alice.was_told(403));
    assert_eq!(world.calls(), []);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    sim.run_until_quiet();
}

#[test]
fn flow_2_15_call_park() {
    let (mut sim, alice, bob, carol) = three();
    let begin = sim.now();
    bob.hands_on_to("*701");
    sim.run_until(alice.hears("music"));
    sim.run_until(bob.is_idle());
    carol.dials("*701");
    talk(&mut sim, &alice, &carol);
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn flow_2_16_call_pickup() {
    let (mut sim, alice, bob, carol) = idle();
    let begin = sim.now();
    alice.dials("102");
    sim.run_until(bob.rings());
    carol.takes_early(&bob);
    talk(&mut sim, &alice, &carol);
    sim.run_until(bob.is_idle());
    insta::assert_snapshot!(sim.ladder().since(begin), @"");
    alice.hangs_up();
    sim.run_until_quiet();
}
