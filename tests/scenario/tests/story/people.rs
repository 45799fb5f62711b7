//! One person calls another.

use plugboard_model::{CallOutcome, HostResult, JournalEvent, UserStatus};
use plugboard_simulator::{OfficeText, Setup, Sim, Stage, TONE};

use crate::{ELSEWHERE, conversation, not_answered, seconds, story, talk};

#[test]
fn r1_the_caller_ends_up_talking_to_the_one_whom_he_dialled() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(3));
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  ann -> switch  INVITE 102 +sdp
    0.045  switch -> ann  407 INVITE
    0.050  ann -> switch  ACK
    0.050  ann -> switch  INVITE 102 +sdp
    0.055  switch -> bob  INVITE 102 +sdp
    0.060  bob -> switch  180 INVITE
    0.065  switch -> ann  180 INVITE
    3.060  bob -> switch  200 INVITE +sdp
    3.065  switch -> bob  ACK
    3.065  switch -> ann  200 INVITE +sdp
    3.070  ann -> switch  ACK
    3.090  ann -> switch  BYE
    3.095  switch -> ann  200 BYE
    3.095  switch -> bob  BYE because SIP;cause=200;text="OK"
    3.100  bob -> switch  200 BYE
    "#);
    let record = sim.record();
    assert_eq!(record.outcome, CallOutcome::Answered);
    assert_eq!((record.caller.as_str(), record.called.as_str()), ("101", "102"));
    assert_eq!(record.answered_by.unwrap().name.to_string(), "102");
    assert_eq!(bob.caller().unwrap(), bob.caller().unwrap().replace("102", ""), "the caller is the caller");
    assert!(bob.caller().unwrap().starts_with(r#""Ann Archer" <sip:101@plugboard.test>"#), "{:?}", bob.caller());
}

#[test]
fn the_callee_may_hang_up_as_well() {
    let (mut sim, ann, bob) = conversation();
    bob.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("switch -> ann  BYE"), 1);
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn r3_every_registered_device_of_a_user_rings_and_the_others_learn_that_it_was_taken() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let (desk, mobile) = (sim.phone("desk", "102"), sim.phone("mobile", "102"));
    assert_eq!(mobile.registration(), Some((200, 2)), "both contacts are there");
    ann.dials("102");
    sim.run_until(desk.rings());
    sim.run_until(mobile.rings());
    mobile.answers();
    talk(&mut sim, &ann, &mobile);
    assert_eq!(desk.calls(), [Stage::Over(487)]);
    assert_eq!(desk.reason().as_deref(), Some(ELSEWHERE));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r4_nobody_hears_anybody_before_the_answer() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(ann.hears_ringing());
    sim.run_for(seconds(5));
    assert_eq!((ann.packets_of("bob"), bob.packets_of("ann"), ann.packets_of(TONE)), (0, 0, 0));
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hangs_up();
    sim.run_until_quiet();
    let journal = sim.journal(&sim.record());
    let at = |what: fn(&JournalEvent) -> bool| journal.iter().position(|entry| what(&entry.event)).unwrap();
    let answered = at(|event| matches!(event, JournalEvent::LegAnswered { .. }));
    assert!(answered < at(|event| matches!(event, JournalEvent::Bridged { .. })));
}

#[test]
fn r5_who_does_not_want_to_be_disturbed_is_not_rung_and_the_caller_learns_why() {
    let quiet = OfficeText::demo().replace("password: demo-102 }", "password: demo-102, status: do-not-disturb }");
    let mut sim = Setup::offices(vec![quiet]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    sim.run_until_quiet();
    assert_eq!(bob.calls(), []);
    let CallOutcome::NotAnswered(cause) = sim.record().outcome else { panic!("{:?}", sim.record()) };
    assert_eq!((cause.status, cause.text.as_str()), (480, "Do not disturb"));
}

#[test]
fn r5_a_busy_status_keeps_scenarios_away_but_not_people() {
    let busy = OfficeText::demo()
        .with_story("  - call-user: { mode: user, target: 102 }\n")
        .replace("password: demo-102 }", "password: demo-102, status: busy }");
    let mut sim = Setup::offices(vec![busy]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.was_told(486));
    assert_eq!(bob.calls(), []);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r10_r57_a_scenario_calls_a_user_by_his_internal_number() {
    let mut sim = story("  - call-user: { mode: user, target: 106 }\n").start();
    let (ann, fay) = (sim.phone("ann", "101"), sim.phone("fay", "106"));
    ann.dials("300");
    sim.run_until(fay.rings());
    fay.answers();
    talk(&mut sim, &ann, &fay);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().answered_by.unwrap().name.to_string(), "106");
}

#[test]
fn a_wrong_password_registers_nobody_and_calls_nobody() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.new_phone("ann", "101"), sim.phone("bob", "102"));
    ann.has_password("guessed");
    ann.registers();
    sim.run_for(seconds(1));
    assert_eq!(ann.registration().unwrap().0, 401);
    ann.dials("102");
    sim.run_until(ann.was_told(407));
    sim.run_until_quiet();
    assert_eq!(bob.calls(), []);
    assert_eq!(sim.records("main"), []);
}

#[test]
fn who_is_not_registered_any_more_cannot_be_reached() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.registers_for(0);
    sim.run_until(bob.is_registered());
    assert_eq!(bob.registration(), Some((200, 0)));
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    bob.registers_for(60);
    sim.run_until(bob.is_registered());
    sim.run_for(seconds(61));
    ann.dials("102");
    sim.run_for(seconds(1));
    assert_eq!(ann.calls(), [Stage::Over(480), Stage::Over(480)]);
    sim.run_until_quiet();
    assert_eq!(bob.calls(), []);
    assert_eq!(not_answered(&sim.records("main")[1]), Some(480));
}

#[test]
fn nobody_rings_himself() {
    let mut sim = Sim::demo();
    let (desk, mobile) = (sim.phone("desk", "102"), sim.phone("mobile", "102"));
    desk.dials("102");
    sim.run_until(desk.was_told(486));
    sim.run_until_quiet();
    assert_eq!(mobile.calls(), []);
}

#[test]
fn a_number_that_does_not_exist_is_said_to_be_none() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    ann.dials("999");
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
}

#[test]
fn people_with_different_codecs_hear_each_other() {
    use plugboard_simulator::Codec;
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.speaks_only(Codec::Pcma);
    bob.speaks_only(Codec::Pcmu);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn keys_pressed_in_a_conversation_are_for_the_other_one() {
    let (mut sim, ann, bob) = conversation();
    ann.presses("42#");
    sim.run_for(seconds(2));
    assert_eq!(bob.keys(), "42#");
    ann.hangs_up();
    sim.run_until_quiet();
}

/// What the last call's action was told of a user: his calls, and whether a device of his is there.
fn told(sim: &Sim) -> Vec<(u32, bool)> {
    let found = |event| match event {
        JournalEvent::End { result: HostResult::User(Some(user)), .. } => Some((user.calls, user.reachable)),
        _ => None,
    };
    sim.journal(sim.records("main").last().unwrap()).into_iter().filter_map(|entry| found(entry.event)).collect()
}

#[test]
fn what_an_action_is_told_of_a_user_is_how_he_is_when_it_asks() {
    let mut sim = story("  - call-user: { mode: user, target: \"102\", ring_for: 2s }\n").start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.phone("cem", "103"));
    let tries = |sim: &mut Sim| {
        cem.dials("300");
        sim.run_until(cem.is_idle());
        sim.run_for(seconds(1));
        told(sim)
    };
    assert_eq!(tries(&mut sim), [(0, false)], "no device is registered yet");
    bob.registers_for(120);
    sim.run_until(bob.is_registered());
    assert_eq!(tries(&mut sim), [(0, true)], "he is there and does not answer");
    ann.dials("102");
    sim.run_until(bob.rings());
    assert_eq!(tries(&mut sim), [(0, true)], "somebody else rings him, which is no call of his yet");
    bob.answers();
    talk(&mut sim, &ann, &bob);
    assert_eq!(tries(&mut sim), [(1, true)], "he talks");
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    assert_eq!(tries(&mut sim), [(0, true)], "he is free again");
    bob.is_unplugged();
    sim.run_for(seconds(180));
    assert_eq!(tries(&mut sim), [(0, false)], "his registration is over");
}

#[test]
fn what_an_action_is_told_of_a_user_names_what_he_lets_others_know() {
    for (word, status) in [("busy", UserStatus::Busy), ("logged-out", UserStatus::LoggedOut)] {
        let office = OfficeText::demo()
            .with_story("  - call-user: { mode: user, target: 102 }\n")
            .replace("password: demo-102 }", &format!("password: demo-102, status: {word} }}"));
        let mut sim = Setup::offices(vec![office]).start();
        let (cem, bob) = (sim.phone("cem", "103"), sim.phone("bob", "102"));
        cem.dials("300");
        sim.run_until(cem.is_idle());
        sim.run_until_quiet();
        let entries = sim.journal(&sim.record());
        let told = entries.into_iter().find_map(|entry| match entry.event {
            JournalEvent::End { result: HostResult::User(Some(user)), .. } => Some((user.status, user.reachable)),
            _ => None,
        });
        assert_eq!((told, bob.calls()), (Some((status, true)), vec![]));
    }
}
