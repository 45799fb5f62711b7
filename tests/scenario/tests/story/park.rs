//! Calls that are put aside and fetched (RFC 5359 section 2.15).

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{conversation, seconds, talk};

/// Ann called Bob, they talk, and Cem is there as well.
fn three() -> (Sim, Phone, Phone, Phone) {
    let (mut sim, ann, bob) = conversation();
    let cem = sim.phone("cem", "103");
    (sim, ann, bob, cem)
}

#[test]
fn who_parks_is_told_what_fetches_the_call_again() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("*70");
    sim.run_until(bob.is_idle());
    let told = bob.requests("MESSAGE").pop().unwrap_or_default();
    assert!(told.ends_with("\r\n\r\n*701") && told.contains("Content-Type: text/plain"), "{told}");
    bob.dials("*701");
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_parked_call_hears_music_and_is_fetched_by_dialling_its_place() {
    let (mut sim, ann, bob, cem) = three();
    let begin = sim.now();
    bob.hands_on_to("*705");
    sim.run_until(bob.was_told_of_transfer(200));
    sim.run_until(ann.hears("music"));
    sim.run_until(bob.is_idle());
    sim.run_for(seconds(10));
    assert!(ann.hears_now("music"));
    cem.dials("*705");
    talk(&mut sim, &ann, &cem);
    assert!(ann.shows().is_some_and(|shown| shown.contains("Cem Celik")), "{:?}", ann.shows());
    sim.run_for(seconds(1));
    assert!(!ann.hears_now("music"));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
     0.110  bob -> switch  REFER to *705
     0.115  switch -> bob  MESSAGE
     0.115  switch -> bob  202 REFER
     0.115  switch -> bob  NOTIFY of 100 Trying
     0.115  switch -> bob  NOTIFY of 200 OK
     0.115  switch -> bob  BYE because SIP;cause=200;text="OK"
     0.120  bob -> switch  200 MESSAGE
     0.120  bob -> switch  200 NOTIFY
     0.120  bob -> switch  200 NOTIFY
     0.120  bob -> switch  200 BYE
    10.120  cem -> switch  INVITE *705 +sdp
    10.125  switch -> cem  407 INVITE
    10.130  cem -> switch  ACK
    10.130  cem -> switch  INVITE *705 +sdp
    10.135  switch -> ann  INVITE again +sdp
    10.135  switch -> cem  200 INVITE +sdp
    10.140  ann -> switch  200 INVITE +sdp
    10.140  cem -> switch  ACK
    10.145  switch -> ann  ACK
    10.145  switch -> cem  INVITE again +sdp
    10.150  cem -> switch  200 INVITE +sdp
    10.155  switch -> cem  ACK
    "#);
    cem.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let outcomes: Vec<CallOutcome> = sim.records("main").into_iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [CallOutcome::Answered, CallOutcome::Answered]);
}

#[test]
fn the_caller_may_park_whom_he_called_and_anybody_fetches_the_first() {
    let (mut sim, ann, bob, cem) = three();
    ann.hands_on_to("*70");
    sim.run_until(bob.hears("music"));
    sim.run_until(ann.is_idle());
    cem.dials("*70");
    talk(&mut sim, &bob, &cem);
    bob.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_place_that_is_taken_or_is_not_there_is_refused_and_an_empty_one_has_nobody() {
    let (mut sim, ann, bob, cem) = three();
    let dora = sim.phone("dora", "104");
    bob.hands_on_to("*705");
    sim.run_until(ann.hears("music"));
    sim.run_until(bob.is_idle());
    dora.dials("103");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &dora, &cem);
    for (number, status) in [("*705", 486), ("*7011", 404), ("*700", 404)] {
        cem.hands_on_to(number);
        sim.run_until(cem.was_refused_transfer(status));
    }
    talk(&mut sim, &dora, &cem);
    // The first that is free.
    cem.hands_on_to("*70");
    sim.run_until(dora.hears("music"));
    sim.run_until(cem.is_idle());
    bob.dials("*702");
    sim.run_until(bob.was_told(404));
    bob.dials("*701");
    talk(&mut sim, &dora, &bob);
    bob.hangs_up();
    sim.run_until(dora.is_idle());
    // He hangs up himself, and his place is free again.
    ann.hangs_up();
    sim.run_for(seconds(1));
    bob.dials("*705");
    sim.run_until(bob.was_told(404));
    sim.run_until_quiet();
}

#[test]
fn of_two_who_fetch_a_call_at_once_one_has_it_and_the_other_is_told_that_nobody_is_there() {
    let (mut sim, ann, bob, cem) = three();
    let dora = sim.phone("dora", "104");
    bob.hands_on_to("*705");
    sim.run_until(ann.hears("music"));
    cem.dials("*705");
    dora.dials("*705");
    sim.run_until(|| cem.was_told(404)() || dora.was_told(404)());
    let (has, lost) = if cem.was_told(404)() { (&dora, &cem) } else { (&cem, &dora) };
    talk(&mut sim, &ann, has);
    sim.run_until(lost.is_idle());
    ann.hangs_up();
    sim.run_until(has.is_idle());
    sim.run_until_quiet();
}

#[test]
fn who_parked_a_call_is_rung_with_it_and_may_take_it_back() {
    let (mut sim, ann, bob, cem) = three();
    let begin = sim.now();
    bob.hands_on_to("*705");
    sim.run_until(ann.hears("music"));
    sim.run_until(bob.rings());
    assert_eq!(sim.now().since(begin).as_secs(), 90);
    bob.answers();
    talk(&mut sim, &ann, &bob);
    sim.run_for(seconds(1));
    assert!(!ann.hears_now("music"));
    cem.dials("*705");
    sim.run_until(cem.was_told(404));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_call_that_is_being_recalled_may_still_be_fetched() {
    let (mut sim, ann, bob, cem) = three();
    bob.hands_on_to("*705");
    sim.run_until(ann.hears("music"));
    sim.run_until(bob.rings());
    cem.dials("*705");
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    assert_eq!(bob.reason().as_deref(), Some(crate::ELSEWHERE), "he missed nothing");
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_call_that_nobody_wants_is_recalled_so_often_and_then_ends() {
    let office = OfficeText::demo().replace("language: en", "park: { recall_after: 10s, recalls: 2 }\nlanguage: en");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("*701");
    sim.run_until(ann.hears("music"));
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_for(seconds(5));
    assert!(ann.hears_now("music"), "he waits on");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(ann.is_idle());
    assert_eq!(bob.calls().len(), 3);
    sim.run_until_quiet();
}

#[test]
fn a_caller_from_outside_is_parked_and_fetched() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let world = sim.outside("world", "127.0.0.1:5080");
    ann.dials("0301");
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &ann, &world);
    ann.hands_on_to("*703");
    sim.run_until(world.hears("music"));
    world.refers_to("<sip:0900@plugboard.test>");
    sim.run_until(world.was_refused_transfer(403));
    bob.dials("*703");
    talk(&mut sim, &bob, &world);
    world.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}
