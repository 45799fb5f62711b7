//! Provisional responses that are acknowledged (RFC 3262), by the phones and by the switch, and offers before the answer.

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

use crate::{millis, seconds, talk};

/// Ann at 101, and Bob at 102, whose phone wants its ringing acknowledged and is offered that.
fn bob_is_reliable() -> (Sim, Phone, Phone) {
    let office = OfficeText::demo().replace("password: demo-102 }", "password: demo-102, reliable: true }");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.rings_reliably();
    (sim, ann, bob)
}

/// Ann, who insists on reliable responses, and Bob.
fn ann_insists() -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.says("Require", "100rel");
    (sim, ann, bob)
}

/// Bob answers, they talk, and Ann ends it.
fn a_whole_talk(sim: &mut Sim, ann: &Phone, bob: &Phone) {
    bob.answers();
    talk(sim, ann, bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_switch_acknowledges_what_a_phone_wants_acknowledged() {
    let (mut sim, ann, bob) = bob_is_reliable();
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(ann.hears_ringing());
    sim.run_for(seconds(3));
    assert_eq!(bob.acknowledged(), (None, 1));
    bob.speaks_early();
    sim.run_for(seconds(1));
    assert_eq!(bob.acknowledged(), (None, 2), "each of them, in order");
    bob.answers();
    talk(&mut sim, &ann, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  ann -> switch  INVITE 102 +sdp
    0.045  switch -> ann  407 INVITE
    0.050  ann -> switch  ACK
    0.050  ann -> switch  INVITE 102 +sdp
    0.055  switch -> bob  INVITE 102 +sdp
    0.060  bob -> switch  180 INVITE reliably
    0.065  switch -> bob  PRACK
    0.065  switch -> ann  180 INVITE
    0.070  bob -> switch  200 PRACK
    3.070  bob -> switch  183 INVITE reliably +sdp
    3.075  switch -> bob  PRACK
    3.080  bob -> switch  200 PRACK
    4.070  bob -> switch  200 INVITE +sdp
    4.075  switch -> bob  ACK
    4.075  switch -> ann  200 INVITE +sdp
    4.080  ann -> switch  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_ringing_or_an_acknowledgement_that_is_lost_goes_again_and_rings_once() {
    for lost in ["bob -> switch  180", "switch -> bob  PRACK", "bob -> switch  200 PRACK"] {
        let (mut sim, ann, bob) = bob_is_reliable();
        sim.loses(lost, 2);
        ann.dials("102");
        sim.run_until(ann.hears_ringing());
        sim.run_for(seconds(10));
        assert_eq!(bob.acknowledged(), (None, 1), "{lost}\n{}", sim.ladder());
        assert_eq!(sim.ladder().count("switch -> ann  180"), 1, "{lost}\n{}", sim.ladder());
        a_whole_talk(&mut sim, &ann, &bob);
    }
}

#[test]
fn a_phone_may_offer_anew_before_it_answers() {
    let (mut sim, ann, bob) = bob_is_reliable();
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.speaks_early();
    sim.run_for(seconds(1));
    bob.updates_early("sendrecv");
    sim.run_until(bob.was_answered_again());
    assert_eq!(bob.reinvited(), Some(200), "{}", sim.ladder());
    a_whole_talk(&mut sim, &ann, &bob);
}

#[test]
fn a_phone_that_has_not_answered_our_offer_may_not_make_one() {
    let (mut sim, ann, bob) = bob_is_reliable();
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(1));
    bob.updates_early("sendrecv");
    sim.run_until(bob.was_answered_again());
    assert_eq!(bob.reinvited(), Some(491), "RFC 3311 section 5.2\n{}", sim.ladder());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_caller_who_insists_is_rung_reliably() {
    let (mut sim, ann, bob) = ann_insists();
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(ann.hears_ringing());
    sim.run_for(seconds(2));
    assert_eq!(ann.acknowledged().0, Some(200));
    bob.answers();
    talk(&mut sim, &ann, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  ann -> switch  INVITE 102 +sdp
    0.045  switch -> ann  407 INVITE
    0.050  ann -> switch  ACK
    0.050  ann -> switch  INVITE 102 +sdp
    0.055  switch -> bob  INVITE 102 +sdp
    0.060  bob -> switch  180 INVITE
    0.065  switch -> ann  180 INVITE reliably
    0.070  ann -> switch  PRACK
    0.075  switch -> ann  200 PRACK
    2.070  bob -> switch  200 INVITE +sdp
    2.075  switch -> bob  ACK
    2.075  switch -> ann  200 INVITE +sdp
    2.080  ann -> switch  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn what_he_does_not_acknowledge_goes_again_and_at_last_the_call_is_given_up() {
    let (mut sim, ann, bob) = ann_insists();
    ann.forgets_to_acknowledge(true);
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(ann.was_told(504));
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
     0.040  ann -> switch  INVITE 102 +sdp
     0.045  switch -> ann  407 INVITE
     0.050  ann -> switch  ACK
     0.050  ann -> switch  INVITE 102 +sdp
     0.055  switch -> bob  INVITE 102 +sdp
     0.060  bob -> switch  180 INVITE
     0.065  switch -> ann  180 INVITE reliably
     0.565  switch -> ann  180 INVITE reliably
     1.565  switch -> ann  180 INVITE reliably
     3.565  switch -> ann  180 INVITE reliably
     7.565  switch -> ann  180 INVITE reliably
    15.565  switch -> ann  180 INVITE reliably
    31.565  switch -> ann  180 INVITE reliably
    32.065  switch -> ann  504 INVITE
    32.065  switch -> bob  CANCEL
    32.070  ann -> switch  ACK
    32.070  bob -> switch  200 CANCEL
    32.070  bob -> switch  487 INVITE
    32.075  switch -> bob  ACK
    "#);
    assert_eq!(sim.record().outcome, CallOutcome::Abandoned);
}

#[test]
fn an_acknowledgement_of_nothing_is_refused_and_changes_nothing() {
    let (mut sim, ann, bob) = ann_insists();
    ann.forgets_to_acknowledge(true);
    ann.dials("102");
    sim.run_until(ann.hears_ringing());
    ann.acknowledges_nothing();
    sim.run_for(millis(50));
    assert_eq!(ann.acknowledged().0, Some(481), "{}", sim.ladder());
    let before = sim.ladder().count("switch -> ann  180");
    ann.forgets_to_acknowledge(false);
    sim.run_for(seconds(10));
    assert_eq!(ann.acknowledged().0, Some(200), "the next repetition is acknowledged\n{}", sim.ladder());
    assert_eq!(sim.ladder().count("switch -> ann  180"), before + 1, "and no other follows");
    a_whole_talk(&mut sim, &ann, &bob);
}

#[test]
fn who_made_no_offer_gets_ours_with_the_ringing_and_answers_it_with_the_acknowledgement() {
    let (mut sim, ann, bob) = ann_insists();
    let begin = sim.now();
    ann.dials_without_an_offer("102");
    sim.run_until(ann.hears_ringing());
    sim.run_for(seconds(1));
    ann.updates_early("sendrecv");
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(200), "{}", sim.ladder());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  ann -> switch  INVITE 102
    0.045  switch -> ann  407 INVITE
    0.050  ann -> switch  ACK
    0.050  ann -> switch  INVITE 102
    0.055  switch -> bob  INVITE 102 +sdp
    0.060  bob -> switch  180 INVITE
    0.065  switch -> ann  180 INVITE reliably +sdp
    0.070  ann -> switch  PRACK +sdp
    0.075  switch -> ann  200 PRACK
    1.070  ann -> switch  UPDATE +sdp
    1.075  switch -> ann  200 UPDATE +sdp
    1.080  bob -> switch  200 INVITE +sdp
    1.085  switch -> bob  ACK
    1.085  switch -> ann  200 INVITE
    1.090  ann -> switch  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn an_answer_waits_for_the_acknowledgement_of_the_offer() {
    let (mut sim, ann, bob) = ann_insists();
    ann.forgets_to_acknowledge(true);
    ann.dials_without_an_offer("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_for(seconds(1));
    assert_eq!(ann.calls(), [Stage::Calling(180)], "{}", sim.ladder());
    ann.forgets_to_acknowledge(false);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_gives_up_before_he_acknowledged_is_heard() {
    let (mut sim, ann, bob) = ann_insists();
    ann.forgets_to_acknowledge(true);
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(ann.hears_ringing());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until(ann.was_told(487));
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  ann -> switch  INVITE 102 +sdp
    0.045  switch -> ann  407 INVITE
    0.050  ann -> switch  ACK
    0.050  ann -> switch  INVITE 102 +sdp
    0.055  switch -> bob  INVITE 102 +sdp
    0.060  bob -> switch  180 INVITE
    0.065  switch -> ann  180 INVITE reliably
    0.070  ann -> switch  CANCEL
    0.075  switch -> ann  200 CANCEL
    0.075  switch -> ann  487 INVITE
    0.075  switch -> bob  CANCEL
    0.080  ann -> switch  ACK
    0.080  bob -> switch  200 CANCEL
    0.080  bob -> switch  487 INVITE
    0.085  switch -> bob  ACK
    "#);
    assert_eq!(sim.record().outcome, CallOutcome::Abandoned);
}
