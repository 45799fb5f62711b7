//! Several people ring, and one of them gets the call.

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage, TONE};

use crate::{ELSEWHERE, millis, seconds, story, talk};

/// Ann outside of the group, and the three of it.
fn sales(sim: &mut Sim) -> (Phone, [Phone; 3]) {
    let ann = sim.phone("ann", "101");
    (ann, [sim.phone("bob", "102"), sim.phone("cem", "103"), sim.phone("dora", "104")])
}

#[test]
fn r56_r75_a_group_rings_everybody_at_the_same_time() {
    let mut sim = Sim::demo();
    let (ann, members) = sales(&mut sim);
    ann.dials("200");
    for member in &members {
        sim.run_until(member.rings());
    }
    let ladder = sim.ladder();
    let first = ladder.first("-> bob  INVITE").unwrap();
    for name in ["cem", "dora"] {
        let other = ladder.first(&format!("-> {name}  INVITE")).unwrap();
        assert!(other.since(first) <= millis(20) && first.since(other) <= millis(20), "{ladder}");
    }
    members[1].answers();
    talk(&mut sim, &ann, &members[1]);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().answered_by.unwrap().name.to_string(), "103");
}

#[test]
fn r2_of_a_list_either_may_answer() {
    for who in [0, 1] {
        let mut sim = story("  - call-user: { mode: list, target: [102, 105] }\n").start();
        let ann = sim.phone("ann", "101");
        let listed = [sim.phone("bob", "102"), sim.phone("egor", "105")];
        ann.dials("300");
        sim.run_until(listed[0].rings());
        sim.run_until(listed[1].rings());
        listed[who].answers();
        talk(&mut sim, &ann, &listed[who]);
        assert_eq!(listed[1 - who].calls(), [Stage::Over(487)]);
        ann.hangs_up();
        sim.run_until_quiet();
        assert_eq!(sim.record().outcome, CallOutcome::Answered);
    }
}

#[test]
fn r11_the_users_of_a_list_ring_simultaneously() {
    let mut sim = story("  - call-user: { mode: list, target: [102, 105] }\n").start();
    let (ann, bob, egor) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("egor", "105"));
    ann.dials("300");
    sim.run_until(bob.rings());
    sim.run_until(egor.rings());
    let ladder = sim.ladder();
    let at = |name: &str| ladder.first(&format!("-> {name}  INVITE")).unwrap();
    assert_eq!(at("bob"), at("egor"), "{ladder}");
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r12_first_answer_gets_the_call_and_of_two_at_once_one_is_hung_up() {
    let mut sim = Sim::demo();
    let (ann, [bob, cem, dora]) = sales(&mut sim);
    ann.dials("200");
    sim.run_until(dora.rings());
    sim.run_until(bob.rings());
    sim.run_until(cem.rings());
    sim.run_for(seconds(1));
    let begin = sim.now();
    cem.answers();
    bob.answers();
    talk(&mut sim, &ann, &cem);
    sim.run_for(seconds(1));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    1.100  cem -> switch  200 INVITE +sdp
    1.100  bob -> switch  200 INVITE +sdp
    1.105  switch -> cem  ACK
    1.105  switch -> bob  ACK
    1.105  switch -> bob  BYE because SIP;cause=200;text="OK"
    1.105  switch -> dora  CANCEL because SIP;cause=200;text="Call completed elsewhere"
    1.105  switch -> ann  200 INVITE +sdp
    1.110  bob -> switch  200 BYE
    1.110  dora -> switch  200 CANCEL
    1.110  dora -> switch  487 INVITE
    1.110  ann -> switch  ACK
    1.115  switch -> dora  ACK
    "#);
    assert_eq!(bob.calls(), [Stage::Over(200)]);
    assert_eq!(bob.packets_of("ann"), 0, "there is one bridge");
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().answered_by.unwrap().name.to_string(), "103");
}

#[test]
fn r13_for_the_others_the_call_was_completed_elsewhere() {
    let mut sim = Sim::demo();
    let (ann, [bob, cem, dora]) = sales(&mut sim);
    ann.dials("200");
    sim.run_until(dora.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    for other in [&cem, &dora] {
        assert_eq!((other.calls(), other.reason().as_deref()), (vec![Stage::Over(487)], Some(ELSEWHERE)));
    }
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_member_who_calls_his_group_is_not_rung_himself() {
    let mut sim = Sim::demo();
    let (_, [bob, cem, dora]) = sales(&mut sim);
    let mobile = sim.phone("mobile", "102");
    bob.dials("200");
    sim.run_until(cem.rings());
    sim.run_until(dora.rings());
    sim.run_for(seconds(2));
    assert_eq!(mobile.calls(), []);
    cem.answers();
    talk(&mut sim, &bob, &cem);
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_member_who_talks_is_not_rung_by_his_group() {
    let mut sim = Sim::demo();
    let (ann, [bob, cem, dora]) = sales(&mut sim);
    let egor = sim.phone("egor", "105");
    egor.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &egor, &bob);
    ann.dials("200");
    sim.run_until(cem.rings());
    sim.run_until(dora.rings());
    sim.run_for(seconds(2));
    assert_eq!(bob.calls().len(), 1, "he has a call and his slot is taken\n{}", sim.ladder());
    ann.hangs_up();
    egor.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_takes_one_of_two_calls_that_ring_him_stops_the_other() {
    let mut sim = story("  - call-group: { group: sales }\n").start();
    let (ann, [bob, cem, dora]) = sales(&mut sim);
    let egor = sim.phone("egor", "105");
    ann.dials("300");
    sim.run_until(dora.rings());
    egor.dials("200");
    sim.run_for(seconds(1));
    assert_eq!(bob.calls(), [Stage::Ringing, Stage::Ringing], "all at once reserves nobody");
    bob.answers();
    sim.run_for(seconds(1));
    assert_eq!(bob.calls(), [Stage::Over(487), Stage::Up], "{}", sim.ladder());
    assert_eq!(bob.reason(), None);
    assert_eq!(
        (cem.calls(), dora.calls()),
        (vec![Stage::Ringing, Stage::Over(487)], vec![Stage::Ringing, Stage::Over(487)])
    );
    cem.answers();
    talk(&mut sim, &ann, &cem);
    talk(&mut sim, &egor, &bob);
    ann.hangs_up();
    egor.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_group_where_everybody_declines_is_no_answer_with_the_best_cause() {
    let mut sim = Sim::demo();
    let (ann, [bob, cem, dora]) = sales(&mut sim);
    bob.always_refuses(486);
    cem.always_refuses(480);
    dora.always_refuses(603);
    ann.dials("200");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(ann.calls(), [Stage::Over(603)], "RFC 3261 section 16.7: 6xx goes before 4xx");
}

#[test]
fn a_caller_who_is_answered_already_hears_ring_back() {
    let steps = "  - play-audio: { audio: first }\n  - call-group: { group: sales }\n";
    let mut sim = story(steps).start();
    let (ann, [bob, _, _]) = sales(&mut sim);
    ann.dials("300");
    sim.run_until(ann.hears("first"));
    sim.run_until(bob.rings());
    sim.run_until(ann.hears(TONE));
    bob.answers();
    talk(&mut sim, &ann, &bob);
    sim.run_for(seconds(1));
    assert!(!ann.hears_now(TONE));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn members_in_order_ring_one_after_the_other() {
    let office = OfficeText::demo()
        .replace("distribution: all-at-once", "distribution: in-order")
        .with_story("  - call-group: { group: sales, ring_for: 5s }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, [bob, cem, dora]) = sales(&mut sim);
    ann.dials("300");
    sim.run_until(bob.rings());
    sim.run_for(seconds(4));
    assert_eq!((cem.calls(), dora.calls()), (vec![], vec![]));
    sim.run_until(cem.rings());
    assert_eq!(bob.calls(), [Stage::Over(487)]);
    cem.answers();
    talk(&mut sim, &ann, &cem);
    assert_eq!(dora.calls(), []);
    ann.hangs_up();
    sim.run_until_quiet();
}
