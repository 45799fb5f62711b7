//! Whoever is put on hold hears music; the switch answers for the other side (RFC 5359 section 2.1).

use plugboard_model::{JournalEvent, LegId};
use plugboard_simulator::{Codec, OfficeText, Phone, Setup, Sim};

use crate::{conversation, journaled, seconds, talk};

const MUSIC: &str = "music";

/// Waits until his last change of the session is answered, and so it is accepted.
fn accepted(sim: &mut Sim, phone: &Phone) {
    sim.run_until(phone.was_answered_again());
    assert_eq!(phone.reinvited(), Some(200), "{}", sim.ladder());
    sim.run_for(seconds(1));
}

#[test]
fn r115_r116_hold_is_answered_at_once_and_the_other_side_hears_music_until_it_is_taken_back() {
    let (mut sim, ann, bob) = conversation();
    let begin = sim.now();
    ann.holds();
    accepted(&mut sim, &ann);
    assert!(bob.hears_now(MUSIC) && !bob.hears_now("ann"));
    assert!(ann.hears_nothing()(), "who holds hears nobody");
    ann.resumes();
    accepted(&mut sim, &ann);
    talk(&mut sim, &ann, &bob);
    assert!(!bob.hears_now(MUSIC));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.090  ann -> switch  INVITE again +sendonly
    0.095  switch -> ann  200 INVITE +recvonly
    0.100  ann -> switch  ACK
    1.100  ann -> switch  INVITE again +sdp
    1.105  switch -> ann  200 INVITE +sdp
    1.110  ann -> switch  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let held = |event: &JournalEvent| *event == JournalEvent::Held { by: LegId::CALLER, whom: Some(LegId(1)) };
    let resumed = |event: &JournalEvent| *event == JournalEvent::Resumed { by: LegId::CALLER, whom: Some(LegId(1)) };
    assert_eq!((journaled(&sim, &record, held), journaled(&sim, &record, resumed)), (1, 1));
}

#[test]
fn each_way_to_hold_is_one() {
    type Deed = fn(&Phone);
    let ways: [(&str, Deed, Deed); 4] = [
        ("inactive", Phone::holds_both_ways, Phone::resumes),
        ("zeros", Phone::holds_with_zeros, Phone::resumes),
        ("update", Phone::holds_by_update, Phone::resumes_by_update),
        ("callee", Phone::holds, Phone::resumes_by_update),
    ];
    for (way, hold, resume) in ways {
        let (mut sim, ann, bob) = conversation();
        let (holder, held) = if way == "callee" { (&bob, &ann) } else { (&ann, &bob) };
        hold(holder);
        accepted(&mut sim, holder);
        assert!(held.hears_now(MUSIC), "{way}\n{}", sim.ladder());
        assert!(holder.hears_nothing()(), "{way}\n{}", sim.ladder());
        resume(holder);
        accepted(&mut sim, holder);
        talk(&mut sim, holder, held);
        holder.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn both_may_hold_at_once_and_whoever_comes_back_first_hears_music() {
    let (mut sim, ann, bob) = conversation();
    ann.holds();
    bob.holds();
    accepted(&mut sim, &ann);
    accepted(&mut sim, &bob);
    assert!(ann.hears_nothing()() && bob.hears_nothing()());
    ann.resumes();
    accepted(&mut sim, &ann);
    assert!(ann.hears_now(MUSIC) && bob.hears_nothing()());
    bob.resumes();
    accepted(&mut sim, &bob);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn an_office_may_have_silence_in_place_of_music() {
    let office = OfficeText::demo().replace("language: en", "hold_music: silence\nlanguage: en");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.holds();
    accepted(&mut sim, &ann);
    assert!(!bob.hears_now(MUSIC) && !bob.hears_now("ann"));
    ann.resumes();
    accepted(&mut sim, &ann);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_refresh_changes_nothing_and_whoever_is_on_hold_stays_there() {
    let (mut sim, ann, bob) = conversation();
    let begin = sim.now();
    ann.refreshes();
    bob.refreshes();
    accepted(&mut sim, &ann);
    accepted(&mut sim, &bob);
    talk(&mut sim, &ann, &bob);
    ann.holds();
    accepted(&mut sim, &ann);
    bob.refreshes();
    ann.refreshes();
    accepted(&mut sim, &bob);
    accepted(&mut sim, &ann);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.090  ann -> switch  INVITE again +sdp
    0.090  bob -> switch  INVITE again +sdp
    0.095  switch -> ann  200 INVITE +sdp
    0.095  switch -> bob  200 INVITE +sdp
    0.100  ann -> switch  ACK
    0.100  bob -> switch  ACK
    2.100  ann -> switch  INVITE again +sendonly
    2.105  switch -> ann  200 INVITE +recvonly
    2.110  ann -> switch  ACK
    3.110  bob -> switch  INVITE again +sdp
    3.110  ann -> switch  INVITE again +sendonly
    3.115  switch -> bob  200 INVITE +sdp
    3.115  switch -> ann  200 INVITE +recvonly
    3.120  bob -> switch  ACK
    3.120  ann -> switch  ACK
    "#);
    assert!(bob.hears_now(MUSIC) && ann.hears_nothing()());
    ann.resumes();
    accepted(&mut sim, &ann);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_phone_that_becomes_another_is_answered_and_the_other_side_does_not_notice() {
    let (mut sim, ann, bob) = conversation();
    let begin = sim.now();
    ann.asks_for_an_offer();
    accepted(&mut sim, &ann);
    talk(&mut sim, &ann, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.090  ann -> switch  INVITE again
    0.095  switch -> ann  200 INVITE +sdp
    0.100  ann -> switch  ACK +sdp
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("switch -> bob  INVITE again"), 0);
}

#[test]
fn who_calls_without_an_offer_talks_and_holds_as_anybody() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.speaks_only(Codec::Pcma);
    ann.dials_without_an_offer("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.holds();
    accepted(&mut sim, &ann);
    assert!(bob.hears_now(MUSIC));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn offers_that_meet_are_each_answered_since_nobody_else_is_asked() {
    let (mut sim, ann, bob) = conversation();
    for _ in 0..3 {
        ann.holds();
        bob.holds_by_update();
        accepted(&mut sim, &ann);
        accepted(&mut sim, &bob);
        ann.resumes_by_update();
        bob.resumes();
        accepted(&mut sim, &ann);
        accepted(&mut sim, &bob);
    }
    talk(&mut sim, &ann, &bob);
    assert_eq!(sim.ladder().count(" 491 "), 0);
    ann.hangs_up();
    sim.run_until_quiet();
}
