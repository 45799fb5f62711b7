//! A colleague takes a call that rings somebody else (RFC 5359 section 2.16), by code or by Replaces (RFC 3891).

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{ELSEWHERE, seconds, talk};

/// Ann calls Bob, who rings; Cem is of his group, Egor is not.
fn ringing(rule: &str) -> (Sim, Phone, Phone, Phone, Phone) {
    let office = OfficeText::demo().replace("language: en", &format!("{rule}language: en"));
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (cem, egor) = (sim.phone("cem", "103"), sim.phone("egor", "105"));
    ann.dials("102");
    sim.run_until(bob.rings());
    (sim, ann, bob, cem, egor)
}

#[test]
fn a_colleague_takes_the_call_that_rings_his_group() {
    let (mut sim, ann, bob, cem, _) = ringing("");
    let begin = sim.now();
    cem.allows_updates();
    cem.dials("*8");
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    assert_eq!(bob.reason().as_deref(), Some(ELSEWHERE), "he has missed nothing");
    sim.run_for(seconds(1));
    assert!(cem.shows().is_some_and(|shown| shown.contains("Ann Archer")), "{:?}", cem.shows());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.100  bob -> switch  180 INVITE
    0.100  cem -> switch  INVITE *8 +sdp
    0.105  switch -> cem  407 INVITE
    0.105  switch -> ann  180 INVITE
    0.110  cem -> switch  ACK
    0.110  cem -> switch  INVITE *8 +sdp
    0.115  switch -> bob  CANCEL because SIP;cause=200;text="Call completed elsewhere"
    0.115  switch -> ann  200 INVITE +sdp
    0.115  switch -> cem  200 INVITE +sdp
    0.115  switch -> cem  UPDATE
    0.120  bob -> switch  200 CANCEL
    0.120  bob -> switch  487 INVITE
    0.120  ann -> switch  ACK
    0.120  cem -> switch  ACK
    0.120  cem -> switch  200 UPDATE
    0.125  switch -> bob  ACK
    0.125  switch -> ann  INVITE again +sdp
    0.130  ann -> switch  200 INVITE +sdp
    0.135  switch -> ann  ACK
    "#);
    ann.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until_quiet();
    assert!(sim.records("main").iter().all(|record| record.outcome == CallOutcome::Answered));
}

#[test]
fn a_phone_that_takes_no_update_is_shown_whom_it_picked_up_by_a_new_invite() {
    let (mut sim, ann, bob, cem, _) = ringing("");
    let begin = sim.now();
    cem.dials("*8");
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    sim.run_for(seconds(1));
    assert!(cem.shows().is_some_and(|shown| shown.contains("Ann Archer")), "{}", sim.ladder());
    insta::assert_snapshot!(sim.ladder().since(begin).of("cem"), @r#"
    0.100  cem -> switch  INVITE *8 +sdp
    0.105  switch -> cem  407 INVITE
    0.110  cem -> switch  ACK
    0.110  cem -> switch  INVITE *8 +sdp
    0.115  switch -> cem  200 INVITE +sdp
    0.120  cem -> switch  ACK
    0.125  switch -> cem  INVITE again +sdp
    0.130  cem -> switch  200 INVITE +sdp
    0.135  switch -> cem  ACK
    "#);
    talk(&mut sim, &ann, &cem);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_call_is_taken_from_the_number_that_it_rings() {
    for number in ["*8102", "*8200"] {
        let (mut sim, ann, bob, cem, _) = ringing("");
        cem.dials(number);
        talk(&mut sim, &ann, &cem);
        sim.run_until(bob.is_idle());
        cem.hangs_up();
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
    }
}

#[test]
fn a_call_to_a_group_is_taken_by_who_rings_nowhere_himself() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let cem = sim.new_phone("cem", "103");
    ann.dials("200");
    sim.run_until(bob.rings());
    cem.dials("*8");
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    assert_eq!(bob.reason().as_deref(), Some(ELSEWHERE));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn nothing_that_rings_and_nobody_whom_one_may_help_is_told() {
    let (mut sim, ann, bob, cem, egor) = ringing("");
    for (phone, number, status) in
        [(&egor, "*8102", 403), (&egor, "*8", 404), (&cem, "*8103", 404), (&cem, "*8999", 404), (&cem, "*8104", 404)]
    {
        phone.dials(number);
        sim.run_until(phone.was_told(status));
    }
    bob.answers();
    talk(&mut sim, &ann, &bob);
    // Whom he talks to is his alone.
    cem.dials("*8102");
    sim.run_until(cem.was_told(404));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_office_says_who_may_take_whose_call() {
    let (mut sim, ann, bob, _, egor) = ringing("pick_up: any\n");
    egor.dials("*8102");
    talk(&mut sim, &ann, &egor);
    egor.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    let (mut sim, ann, bob, cem, _) = ringing("pick_up: none\n");
    cem.dials("*8102");
    sim.run_until(cem.was_told(403));
    cem.takes_the_call_of(&bob);
    sim.run_until(cem.was_told(603));
    let desk = sim.phone("desk", "102");
    desk.dials("*8102");
    talk(&mut sim, &ann, &desk);
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_lamp_takes_what_rings_and_nothing_that_is_answered() {
    let (mut sim, ann, bob, cem, _) = ringing("");
    cem.takes_early(&bob);
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    ann.hangs_up();
    sim.run_until_quiet();
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    cem.takes_early(&bob);
    sim.run_until(cem.was_told(486));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_takes_a_call_may_be_too_late() {
    let (mut sim, ann, bob, cem, _) = ringing("");
    cem.dials("*8102");
    ann.hangs_up();
    sim.run_until(cem.was_told(404));
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}
