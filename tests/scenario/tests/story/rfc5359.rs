//! The call flows of RFC 5359, each as a story with its ladder. The switch stands where the RFC has its proxies, as a back-to-back
//! user agent: no re-INVITE and no REFER passes it, so the far side sees nothing of a hold.
//!
//! Not here, because a later part of the switch brings it: 2.18, click to dial, needs the panel's API.
//!
//! Not applicable: 2.6, transfer of instant messages: the switch carries no MESSAGE, whose flow has no call in it.

use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  bob -> switch  INVITE again +sendonly
    0.115  switch -> bob  200 INVITE +recvonly
    0.120  bob -> switch  ACK
    0.120  bob -> switch  INVITE again +sdp
    0.125  switch -> bob  200 INVITE +sdp
    0.130  bob -> switch  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  bob -> switch  INVITE again +sendonly
    0.115  switch -> bob  200 INVITE +recvonly
    0.120  bob -> switch  ACK
    0.120  bob -> switch  INVITE 103 +sdp
    0.125  switch -> bob  407 INVITE
    0.130  bob -> switch  ACK
    0.130  bob -> switch  INVITE 103 +sdp
    0.135  switch -> cem  INVITE 103 +sdp
    0.140  cem -> switch  180 INVITE
    0.140  cem -> switch  200 INVITE +sdp
    0.145  switch -> cem  ACK
    0.145  switch -> bob  180 INVITE
    0.145  switch -> bob  200 INVITE +sdp
    0.150  bob -> switch  ACK
    0.170  cem -> switch  BYE
    0.170  bob -> switch  INVITE again +sdp
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
     0.110  ann -> switch  INVITE again +inactive
     0.115  switch -> ann  200 INVITE +inactive
     0.120  ann -> switch  ACK
    15.120  ann -> switch  INVITE again +sdp
    15.125  switch -> ann  200 INVITE +sdp
    15.130  ann -> switch  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  bob -> switch  REFER to 103
    0.115  switch -> bob  202 REFER
    0.115  switch -> bob  NOTIFY of 100 Trying
    0.115  switch -> cem  INVITE 103 +sdp
    0.120  bob -> switch  200 NOTIFY
    0.120  cem -> switch  180 INVITE
    0.120  cem -> switch  200 INVITE +sdp
    0.125  switch -> cem  ACK
    0.125  switch -> bob  NOTIFY of 180 Ringing
    0.125  switch -> bob  NOTIFY of 200 OK
    0.125  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.125  switch -> ann  INVITE again +sdp
    0.130  bob -> switch  200 NOTIFY
    0.130  bob -> switch  200 NOTIFY
    0.130  bob -> switch  200 BYE
    0.130  ann -> switch  200 INVITE +sdp
    0.135  switch -> ann  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.170  bob -> switch  REFER to anybody in place
    0.175  switch -> bob  202 REFER
    0.175  switch -> bob  NOTIFY of 100 Trying
    0.175  switch -> cem  INVITE again +sdp
    0.175  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.175  switch -> ann  INVITE again +sdp
    0.175  switch -> bob  NOTIFY of 200 OK
    0.175  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.180  bob -> switch  200 NOTIFY
    0.180  cem -> switch  200 INVITE +sdp
    0.180  bob -> switch  200 BYE
    0.180  ann -> switch  200 INVITE +sdp
    0.180  bob -> switch  200 NOTIFY
    0.180  bob -> switch  200 BYE
    0.185  switch -> cem  ACK
    0.185  switch -> ann  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    32.480  ann -> switch  INVITE 102 +sdp
    32.485  switch -> ann  407 INVITE
    32.490  ann -> switch  ACK
    32.490  ann -> switch  INVITE 102 +sdp
    32.495  switch -> cem  INVITE 103 +sdp
    32.500  cem -> switch  180 INVITE
    32.500  cem -> switch  200 INVITE +sdp
    32.505  switch -> cem  ACK
    32.505  switch -> ann  180 INVITE
    32.505  switch -> ann  200 INVITE +sdp
    32.510  ann -> switch  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    32.480  ann -> switch  INVITE 102 +sdp
    32.485  switch -> ann  407 INVITE
    32.490  ann -> switch  ACK
    32.490  ann -> switch  INVITE 102 +sdp
    32.495  switch -> bob  INVITE 102 +sdp
    32.500  bob -> switch  486 INVITE
    32.505  switch -> bob  ACK
    32.505  switch -> cem  INVITE 103 +sdp
    32.510  cem -> switch  180 INVITE
    32.510  cem -> switch  200 INVITE +sdp
    32.515  switch -> cem  ACK
    32.515  switch -> ann  180 INVITE
    32.515  switch -> ann  200 INVITE +sdp
    32.520  ann -> switch  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    32.480  ann -> switch  INVITE 102 +sdp
    32.485  switch -> ann  407 INVITE
    32.490  ann -> switch  ACK
    32.490  ann -> switch  INVITE 102 +sdp
    32.495  switch -> bob  INVITE 102 +sdp
    32.500  bob -> switch  180 INVITE
    32.505  switch -> ann  180 INVITE
    52.495  switch -> bob  CANCEL
    52.495  switch -> cem  INVITE 103 +sdp
    52.500  bob -> switch  200 CANCEL
    52.500  bob -> switch  487 INVITE
    52.500  cem -> switch  180 INVITE
    52.500  cem -> switch  200 INVITE +sdp
    52.505  switch -> bob  ACK
    52.505  switch -> cem  ACK
    52.505  switch -> ann  200 INVITE +sdp
    52.510  ann -> switch  ACK
    "#);
    alice.hangs_up();
    sim.run_until_quiet();
}

/// The switch mixes where the RFC has Alice's phone: Alice and Bob talk in a room, and Carol comes in.
#[test]
fn flow_2_10_conference_third_party_is_added() {
    let mut sim = crate::story("  - conference: { room: three }\n").start();
    let (alice, bob, carol) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    for phone in [&alice, &bob] {
        phone.dials("300");
        sim.run_until(phone.talks());
    }
    talk(&mut sim, &alice, &bob);
    let begin = sim.now();
    carol.dials("300");
    sim.run_until(carol.talks());
    all_hear_each_other(&mut sim, &[&alice, &bob, &carol]);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.520  cem -> switch  INVITE 300 +sdp
    0.525  switch -> cem  407 INVITE
    0.530  cem -> switch  ACK
    0.530  cem -> switch  INVITE 300 +sdp
    0.535  switch -> cem  200 INVITE +sdp
    0.540  cem -> switch  ACK
    "#);
    for phone in [&alice, &bob, &carol] {
        phone.hangs_up();
    }
    sim.run_until_quiet();
}

/// Carol joins by a code where the RFC has the header Join.
#[test]
fn flow_2_11_conference_third_party_joins() {
    let office = OfficeText::demo().replace("password: demo-103 }", "password: demo-103, supervises: [sales] }");
    let mut sim = Setup::offices(vec![office]).start();
    let (alice, bob, carol) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    alice.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &alice, &bob);
    let begin = sim.now();
    carol.dials("*13102");
    sim.run_until(carol.talks());
    carol.presses("3");
    sim.run_for(seconds(1));
    all_hear_each_other(&mut sim, &[&alice, &bob, &carol]);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  cem -> switch  INVITE *13102 +sdp
    0.115  switch -> cem  407 INVITE
    0.120  cem -> switch  ACK
    0.120  cem -> switch  INVITE *13102 +sdp
    0.125  switch -> cem  200 INVITE +sdp
    0.130  cem -> switch  ACK
    "#);
    carol.hangs_up();
    sim.run_until(carol.is_idle());
    talk(&mut sim, &alice, &bob);
    alice.hangs_up();
    sim.run_until_quiet();
}

/// Each speaks alone for a while, since voices of one byte add up to another.
fn all_hear_each_other(sim: &mut Sim, phones: &[&Phone]) {
    for phone in phones {
        phone.is_muted(true);
    }
    sim.run_for(seconds(1));
    for speaker in phones {
        speaker.is_muted(false);
        sim.run_for(seconds(1));
        for listener in phones {
            let other = listener.name() != speaker.name();
            assert_eq!(listener.hears_now(&speaker.name()), other, "{} hears {}", listener.name(), speaker.name());
        }
        speaker.is_muted(true);
        sim.run_for(seconds(1));
    }
    for phone in phones {
        phone.is_muted(false);
    }
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.060  ann -> switch  INVITE 300 +sdp
    0.065  switch -> ann  407 INVITE
    0.070  ann -> switch  ACK
    0.070  ann -> switch  INVITE 300 +sdp
    0.075  switch -> bob  INVITE 102 +sdp
    0.080  bob -> switch  180 INVITE
    0.085  switch -> ann  180 INVITE
    5.075  switch -> bob  CANCEL
    5.075  switch -> cem  INVITE 103 +sdp
    5.080  bob -> switch  200 CANCEL
    5.080  bob -> switch  487 INVITE
    5.080  cem -> switch  180 INVITE
    5.080  cem -> switch  200 INVITE +sdp
    5.085  switch -> bob  ACK
    5.085  switch -> cem  ACK
    5.085  switch -> ann  200 INVITE +sdp
    5.090  ann -> switch  ACK
    "#);
    alice.hangs_up();
    sim.run_until_quiet();
}

/// Bob's callers meet a scenario first: Alice hears an announcement, Carol reaches him.
#[test]
fn flow_2_13_incoming_call_screening() {
    let steps = "  - if: caller_number == \"101\"
    then:
      - play-audio: { audio: first }
      - hang-up: { cause: declined }
  - call-user: { mode: user, target: \"102\", ring_for: 20s }
";
    let mut sim = crate::story(steps).start();
    let (alice, bob, carol) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    let begin = sim.now();
    alice.dials("300");
    sim.run_until(alice.hears("first"));
    sim.run_until(alice.is_idle());
    assert!(bob.calls().is_empty());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.060  ann -> switch  INVITE 300 +sdp
    0.065  switch -> ann  407 INVITE
    0.070  ann -> switch  ACK
    0.070  ann -> switch  INVITE 300 +sdp
    0.075  switch -> ann  200 INVITE +sdp
    0.080  ann -> switch  ACK
    2.075  switch -> ann  BYE because SIP;cause=603;text="Decline"
    2.080  ann -> switch  200 BYE
    "#);
    carol.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &carol, &bob);
    carol.hangs_up();
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.020  ann -> switch  INVITE 00900123 +sdp
    0.025  switch -> ann  407 INVITE
    0.030  ann -> switch  ACK
    0.030  ann -> switch  INVITE 00900123 +sdp
    0.035  switch -> ann  403 INVITE
    0.040  ann -> switch  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  bob -> switch  REFER to *701
    0.115  switch -> bob  MESSAGE
    0.115  switch -> bob  202 REFER
    0.115  switch -> bob  NOTIFY of 100 Trying
    0.115  switch -> bob  NOTIFY of 200 OK
    0.115  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.120  bob -> switch  200 MESSAGE
    0.120  bob -> switch  200 NOTIFY
    0.120  bob -> switch  200 NOTIFY
    0.120  bob -> switch  200 BYE
    0.120  cem -> switch  INVITE *701 +sdp
    0.125  switch -> cem  407 INVITE
    0.130  cem -> switch  ACK
    0.130  cem -> switch  INVITE *701 +sdp
    0.135  switch -> ann  INVITE again +sdp
    0.135  switch -> cem  200 INVITE +sdp
    0.140  ann -> switch  200 INVITE +sdp
    0.140  cem -> switch  ACK
    0.145  switch -> ann  ACK
    0.145  switch -> cem  INVITE again +sdp
    0.150  cem -> switch  200 INVITE +sdp
    0.155  switch -> cem  ACK
    "#);
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
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.060  ann -> switch  INVITE 102 +sdp
    0.065  switch -> ann  407 INVITE
    0.070  ann -> switch  ACK
    0.070  ann -> switch  INVITE 102 +sdp
    0.075  switch -> bob  INVITE 102 +sdp
    0.080  bob -> switch  180 INVITE
    0.080  cem -> switch  INVITE replaced in place +sdp
    0.085  switch -> cem  407 INVITE
    0.085  switch -> ann  180 INVITE
    0.090  cem -> switch  ACK in place
    0.090  cem -> switch  INVITE replaced in place +sdp
    0.095  switch -> bob  CANCEL because SIP;cause=200;text="Call completed elsewhere"
    0.095  switch -> ann  200 INVITE +sdp
    0.095  switch -> cem  200 INVITE +sdp
    0.100  bob -> switch  200 CANCEL
    0.100  bob -> switch  487 INVITE
    0.100  ann -> switch  ACK
    0.100  cem -> switch  ACK
    0.105  switch -> bob  ACK
    0.105  switch -> ann  INVITE again +sdp
    0.105  switch -> cem  INVITE again +sdp
    0.110  ann -> switch  200 INVITE +sdp
    0.110  cem -> switch  200 INVITE +sdp
    "#);
    alice.hangs_up();
    sim.run_until_quiet();
}

/// Bob is busy; Alice's phone watches him and calls again when his lamp goes out.
#[test]
fn flow_2_17_automatic_redial() {
    let (mut sim, alice, bob, carol) = idle();
    carol.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &carol, &bob);
    let begin = sim.now();
    alice.dials("102");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(alice.was_told(486));
    alice.watches("102", "dialog");
    sim.run_until(alice.sees_that("102", "dialog", "confirmed"));
    bob.hangs_up();
    sim.run_until(alice.sees_that("102", "dialog", "idle"));
    alice.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &alice, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  ann -> switch  INVITE 102 +sdp
    0.115  switch -> ann  407 INVITE
    0.120  ann -> switch  ACK
    0.120  ann -> switch  INVITE 102 +sdp
    0.125  switch -> bob  INVITE 102 +sdp
    0.130  bob -> switch  180 INVITE
    0.130  bob -> switch  486 INVITE
    0.135  switch -> bob  ACK
    0.135  switch -> ann  180 INVITE
    0.135  switch -> ann  486 INVITE
    0.140  ann -> switch  ACK
    0.140  ann -> switch  SUBSCRIBE dialog of 102
    0.145  switch -> ann  401 SUBSCRIBE
    0.150  ann -> switch  SUBSCRIBE dialog of 102
    0.155  switch -> ann  200 SUBSCRIBE
    0.155  switch -> ann  NOTIFY dialog of 102 confirmed
    0.160  ann -> switch  200 NOTIFY
    0.160  bob -> switch  BYE
    0.165  switch -> bob  200 BYE
    0.165  switch -> cem  BYE because SIP;cause=200;text="OK"
    0.170  cem -> switch  200 BYE
    1.155  switch -> ann  NOTIFY dialog of 102 idle
    1.160  ann -> switch  200 NOTIFY
    1.160  ann -> switch  INVITE 102 +sdp
    1.165  switch -> ann  407 INVITE
    1.170  ann -> switch  ACK
    1.170  ann -> switch  INVITE 102 +sdp
    1.175  switch -> bob  INVITE 102 +sdp
    1.180  bob -> switch  180 INVITE
    1.180  bob -> switch  200 INVITE +sdp
    1.185  switch -> bob  ACK
    1.185  switch -> ann  180 INVITE
    1.185  switch -> ann  200 INVITE +sdp
    1.190  ann -> switch  ACK
    "#);
    alice.hangs_up();
    sim.run_until_quiet();
}
