//! Calls are handed on: to numbers (RFC 5589 section 6, RFC 5359 section 2.4) and to other calls (section 7, 2.5).

use plugboard_model::{CallOutcome, CallRecord, JournalEvent, LegId, Time};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{conversation, journaled, millis, not_answered, seconds, talk};

/// Ann called Bob, they talk, and Cem is there as well.
fn three() -> (Sim, Phone, Phone, Phone) {
    let (mut sim, ann, bob) = conversation();
    let cem = sim.phone("cem", "103");
    (sim, ann, bob, cem)
}

/// Ann called Bob and holds him, then called Cem: two calls, and all three talk or wait.
fn consultation() -> (Sim, Phone, Phone, Phone) {
    let (mut sim, ann, bob, cem) = three();
    ann.holds();
    sim.run_until(ann.was_answered_again());
    ann.dials("103");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &ann, &cem);
    (sim, ann, bob, cem)
}

fn handed_on(sim: &Sim, record: &CallRecord) -> usize {
    journaled(sim, record, |event| matches!(event, JournalEvent::Transferred { .. }))
}

#[test]
fn the_callee_hands_the_caller_on_and_one_call_it_stays() {
    let (mut sim, ann, bob, cem) = three();
    let begin = sim.now();
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    sim.run_for(seconds(1));
    assert_eq!(bob.told_of_transfer(), [100, 180]);
    assert_eq!(cem.caller().as_deref().map(|from| from.starts_with("\"Ann Archer\" <sip:101@")), Some(true));
    cem.answers();
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    assert_eq!(bob.told_of_transfer(), [100, 180, 200]);
    assert!(
        ann.shows().is_some_and(|shown| shown.contains("Cem Celik") && shown.contains("103@")),
        "{:?}",
        ann.shows()
    );
    sim.run_for(seconds(1));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  bob -> switch  REFER to 103
    0.115  switch -> bob  202 REFER
    0.115  switch -> bob  NOTIFY of 100 Trying
    0.115  switch -> cem  INVITE 103 +sdp
    0.120  bob -> switch  200 NOTIFY
    0.120  cem -> switch  180 INVITE
    0.125  switch -> bob  NOTIFY of 180 Ringing
    0.130  bob -> switch  200 NOTIFY
    1.120  cem -> switch  200 INVITE +sdp
    1.125  switch -> cem  ACK
    1.125  switch -> bob  NOTIFY of 200 OK
    1.125  switch -> bob  BYE because SIP;cause=200;text="OK"
    1.125  switch -> ann  INVITE again +sdp
    1.130  bob -> switch  200 NOTIFY
    1.130  bob -> switch  200 BYE
    1.130  ann -> switch  200 INVITE +sdp
    1.135  switch -> ann  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!((&record.outcome, record.legs.len(), handed_on(&sim, &record)), (&CallOutcome::Answered, 3, 1));
    assert_eq!(record.answered_by.map(|user| user.name.to_string()).as_deref(), Some("102"));
}

#[test]
fn the_caller_hands_the_callee_on_and_leaves() {
    let (mut sim, ann, bob, cem) = three();
    bob.allows_updates();
    ann.hands_on_to("103");
    sim.run_until(cem.rings());
    assert!(cem.caller().is_some_and(|from| from.contains("Bob Baker")));
    ann.hangs_up();
    sim.run_for(seconds(1));
    cem.answers();
    talk(&mut sim, &bob, &cem);
    assert!(ann.is_idle()());
    cem.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn who_is_handed_on_hears_the_ring_back_tone_meanwhile() {
    let (mut sim, ann, bob, cem) = three();
    ann.holds();
    sim.run_until(ann.was_answered_again());
    ann.hands_on_to("103");
    sim.run_until(cem.rings());
    sim.run_until(bob.hears(plugboard_simulator::TONE));
    cem.answers();
    talk(&mut sim, &bob, &cem);
    cem.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_handed_on_a_call_gets_it_back_when_nobody_answers_there() {
    let (mut sim, ann, bob, cem) = three();
    let begin = sim.now();
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    bob.hangs_up();
    sim.run_until(bob.rings());
    assert_eq!(sim.now().since(begin).as_secs(), 30, "the office's own time");
    assert!(cem.is_idle()());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_recall_that_nobody_takes_ends_the_call() {
    let (mut sim, ann, bob, cem) = three();
    cem.always_refuses(486);
    bob.hands_on_to("103");
    bob.hangs_up();
    sim.run_until(bob.rings());
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn an_office_may_do_without_recall() {
    let office = OfficeText::demo().replace("language: en", "transfer: { ring_for: 5s, recall: false }\nlanguage: en");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    bob.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(bob.calls().len(), 1, "nobody called him back");
}

#[test]
fn who_still_has_his_call_goes_on_with_it_when_the_other_one_is_busy() {
    let (mut sim, ann, bob, cem) = three();
    cem.always_refuses(486);
    ann.holds();
    sim.run_until(ann.was_answered_again());
    ann.hands_on_to("103");
    sim.run_until(ann.was_told_of_transfer(486));
    sim.run_until(bob.hears("music"));
    ann.resumes();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn calls_are_handed_on_to_groups_and_to_the_world() {
    let (mut sim, ann, bob, cem) = three();
    let world = sim.outside("world", "127.0.0.1:5080");
    bob.hands_on_to("200");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &ann, &cem);
    cem.hands_on_to("0301");
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &ann, &world);
    assert_eq!(world.shows(), None, "the world is not told our names");
    world.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_call_through_a_gateway_is_handed_on_through_the_same_gateway() {
    let mut sim = Sim::demo();
    let (ann, world) = (sim.phone("ann", "101"), sim.outside("world", "127.0.0.1:5080"));
    ann.dials("0301");
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &ann, &world);
    ann.hands_on_to("0302");
    sim.run_until(world.rings());
    world.answers();
    sim.run_until(ann.is_idle());
    assert_eq!(ann.told_of_transfer().last(), Some(&200));
    world.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn what_may_not_be_handed_on_is_refused_and_the_call_goes_on() {
    let (mut sim, ann, bob) = conversation();
    for (target, status) in [
        ("<sip:999@plugboard.test>", 404),
        ("<sip:103@elsewhere.test>", 404),
        ("<sip:102@plugboard.test>", 486),
        ("<sip:103@plugboard.test?Replaces=x>", 400),
        ("no address", 400),
    ] {
        bob.refers_to(target);
        sim.run_until(bob.was_refused_transfer(status));
    }
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_world_hands_no_call_on_at_the_cost_of_the_office() {
    let mut sim = Sim::demo();
    let (ann, world) = (sim.phone("ann", "101"), sim.outside("world", "127.0.0.1:5080"));
    ann.dials("0301");
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &ann, &world);
    world.refers_to("<sip:00900@plugboard.test>");
    sim.run_until(world.was_refused_transfer(403));
    talk(&mut sim, &ann, &world);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn two_calls_of_one_user_become_one_conversation() {
    let (mut sim, ann, bob, cem) = consultation();
    let begin = sim.now();
    ann.connects_its_calls();
    talk(&mut sim, &bob, &cem);
    sim.run_until(ann.is_idle());
    assert_eq!(ann.told_of_transfer(), [100, 200]);
    assert!(bob.shows().is_some_and(|shown| shown.contains("Cem Celik")), "{:?}", bob.shows());
    assert!(cem.shows().is_some_and(|shown| shown.contains("Bob Baker")), "{:?}", cem.shows());
    sim.run_for(seconds(1));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.170  ann -> switch  REFER to anybody in place
    0.175  switch -> ann  202 REFER
    0.175  switch -> ann  NOTIFY of 100 Trying
    0.175  switch -> cem  INVITE again +sdp
    0.175  switch -> ann  BYE because SIP;cause=200;text="OK"
    0.175  switch -> bob  INVITE again +sdp
    0.175  switch -> ann  NOTIFY of 200 OK
    0.175  switch -> ann  BYE because SIP;cause=200;text="OK"
    0.180  ann -> switch  200 NOTIFY
    0.180  cem -> switch  200 INVITE +sdp
    0.180  ann -> switch  200 BYE
    0.180  bob -> switch  200 INVITE +sdp
    0.180  ann -> switch  200 NOTIFY
    0.180  ann -> switch  200 BYE
    0.185  switch -> cem  ACK
    0.185  switch -> bob  ACK
    "#);
    bob.holds();
    sim.run_until(cem.hears("music"));
    bob.resumes();
    talk(&mut sim, &bob, &cem);
    bob.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until_quiet();
    let records = sim.records("main");
    assert_eq!(records.len(), 2);
    for (record, other) in [(&records[0], &records[1]), (&records[1], &records[0])] {
        assert_eq!(record.outcome, CallOutcome::Answered);
        let refers = record.legs.iter().any(|leg| leg.party == format!("call {}", other.id));
        assert!(refers, "{record:#?}");
    }
}

#[test]
fn either_end_of_a_joined_conversation_may_end_it_or_hand_it_on() {
    let (mut sim, ann, bob, cem) = consultation();
    let dora = sim.phone("dora", "104");
    ann.connects_its_calls();
    talk(&mut sim, &bob, &cem);
    cem.hands_on_to("104");
    sim.run_until(dora.rings());
    dora.answers();
    talk(&mut sim, &bob, &dora);
    sim.run_until(cem.is_idle());
    assert!(bob.shows().is_some_and(|shown| shown.contains("Dora")), "{:?}", bob.shows());
    dora.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_call_that_is_not_there_or_is_another_ones_is_not_joined() {
    let (mut sim, ann, bob, cem) = three();
    let dora = sim.phone("dora", "104");
    dora.dials("103");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &dora, &cem);
    for target in ["nowhere%3Bto-tag%3Dx%3Bfrom-tag%3Dy", "nowhere%3Bto-tag%3D1-00%3Bfrom-tag%3Dy"] {
        ann.refers_to(&format!("<sip:103@plugboard.test?Replaces={target}>"));
        sim.run_until(ann.was_told_of_transfer(481));
    }
    ann.takes_the_call_of(&dora);
    sim.run_until(ann.was_told(603));
    talk(&mut sim, &ann, &bob);
    talk(&mut sim, &dora, &cem);
    ann.hangs_up();
    dora.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn another_device_of_the_same_user_takes_his_call_over() {
    let (mut sim, ann, bob) = conversation();
    let mobile = sim.phone("mobile", "101");
    mobile.takes_the_call_of(&ann);
    talk(&mut sim, &mobile, &bob);
    sim.run_until(ann.is_idle());
    mobile.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.records("main").len(), 2);
}

#[test]
fn a_colleague_of_the_group_picks_up_what_rings_and_nobody_else_does() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (cem, egor) = (sim.phone("cem", "103"), sim.phone("egor", "105"));
    ann.dials("102");
    sim.run_until(bob.rings());
    egor.takes_the_call_of(&bob);
    sim.run_until(egor.was_told(603));
    let begin = sim.now();
    cem.takes_the_call_of(&bob);
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    assert_eq!(bob.reason().as_deref(), Some(crate::ELSEWHERE));
    sim.run_for(seconds(1));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.120  egor -> switch  ACK in place
    0.120  cem -> switch  INVITE replaced in place +sdp
    0.125  switch -> cem  407 INVITE
    0.130  cem -> switch  ACK in place
    0.130  cem -> switch  INVITE replaced in place +sdp
    0.135  switch -> bob  CANCEL because SIP;cause=200;text="Call completed elsewhere"
    0.135  switch -> ann  200 INVITE +sdp
    0.135  switch -> cem  200 INVITE +sdp
    0.140  bob -> switch  200 CANCEL
    0.140  bob -> switch  487 INVITE
    0.140  ann -> switch  ACK
    0.140  cem -> switch  ACK
    0.145  switch -> bob  ACK
    0.145  switch -> ann  INVITE again +sdp
    0.145  switch -> cem  INVITE again +sdp
    0.150  ann -> switch  200 INVITE +sdp
    0.150  cem -> switch  200 INVITE +sdp
    0.155  switch -> ann  ACK
    0.155  switch -> cem  ACK
    "#);
    ann.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until_quiet();
}

#[test]
fn who_is_handed_on_may_hang_up_while_it_rings() {
    let (mut sim, ann, bob, cem) = three();
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    ann.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_caller_in_a_scenario_is_handed_on_and_the_scenario_does_not_notice() {
    let mut sim = crate::story("  - call-user: { mode: list, target: [102], ring_for: 10s }\n").start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &ann, &cem);
    cem.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!((record.outcome.clone(), not_answered(&record)), (CallOutcome::Answered, None));
    let by =
        |event: &JournalEvent| matches!(event, JournalEvent::Transferred { by: Some(LegId(1)), whom: LegId(0), .. });
    assert_eq!(journaled(&sim, &record, by), 1);
}

/// Bob hands Ann on to Cem, and Ann holds at the moment when the switch tells her of Cem: each has its INVITE refused.
fn glare() -> (Sim, Phone, Phone, Time) {
    let (mut sim, ann, bob, cem) = three();
    ann.minds_glare();
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    cem.answers();
    let begin = sim.now();
    // The answer is 5 ms on its way to the switch, and what that says to Ann is 5 ms on its way to her.
    sim.run_for(millis(7));
    ann.holds();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(491), "{}", sim.ladder());
    (sim, ann, cem, begin)
}

fn shows_cem(ann: &Phone) -> bool {
    ann.shows().is_some_and(|shown| shown.contains("Cem Celik"))
}

#[test]
fn the_name_of_whom_one_talks_to_now_is_told_again_when_it_met_a_hold_and_the_hold_is_too() {
    let (mut sim, ann, cem, begin) = glare();
    assert!(!shows_cem(&ann));
    // RFC 3261 section 14.1: who did not make the call tries again within 2 s, who made it after 2.1 s.
    sim.run_for(seconds(2));
    assert!(shows_cem(&ann), "{}", sim.ladder().since(begin));
    sim.run_for(millis(100));
    ann.holds();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(200), "{}", sim.ladder().since(begin));
    sim.run_for(seconds(1));
    assert!(cem.hears_now("music"));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.120  bob -> switch  200 NOTIFY
    0.120  cem -> switch  180 INVITE
    0.120  cem -> switch  200 INVITE +sdp
    0.125  switch -> cem  ACK
    0.125  switch -> bob  NOTIFY of 180 Ringing
    0.125  switch -> bob  NOTIFY of 200 OK
    0.125  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.125  switch -> ann  INVITE again +sdp
    0.127  ann -> switch  INVITE again +sendonly
    0.130  bob -> switch  200 NOTIFY
    0.130  bob -> switch  200 NOTIFY
    0.130  bob -> switch  200 BYE
    0.130  ann -> switch  491 INVITE
    0.132  switch -> ann  491 INVITE
    0.135  switch -> ann  ACK
    0.137  ann -> switch  ACK
    0.405  switch -> ann  INVITE again +sdp
    0.410  ann -> switch  200 INVITE +sdp
    0.415  switch -> ann  ACK
    2.237  ann -> switch  INVITE again +sendonly
    2.242  switch -> ann  200 INVITE +recvonly
    2.247  ann -> switch  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_was_called_and_holds_at_the_wrong_moment_hears_the_switch_again_after_longer() {
    let (mut sim, ann, bob, cem) = three();
    bob.minds_glare();
    ann.hands_on_to("103");
    sim.run_until(cem.rings());
    cem.answers();
    let begin = sim.now();
    sim.run_for(millis(7));
    bob.holds();
    sim.run_until(bob.was_answered_again());
    assert_eq!(bob.reinvited(), Some(491), "{}", sim.ladder());
    // RFC 3261 section 14.1: the switch made this call, and waits for 2.1 to 4 s.
    sim.run_for(millis(2_000));
    assert!(!shows_cem(&bob), "{}", sim.ladder().since(begin));
    sim.run_for(millis(2_100));
    assert!(shows_cem(&bob), "{}", sim.ladder().since(begin));
    assert_eq!(sim.ladder().since(begin).count("bob -> switch  491 INVITE"), 1);
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_hold_that_comes_again_before_the_name_is_told_again_goes_first() {
    let (mut sim, ann, cem, begin) = glare();
    ann.holds();
    sim.run_until(ann.was_answered_again());
    assert_eq!(ann.reinvited(), Some(200));
    sim.run_for(seconds(1));
    assert!(shows_cem(&ann), "{}", sim.ladder().since(begin));
    assert!(cem.hears_now("music"), "{}", sim.ladder().since(begin));
    ann.hangs_up();
    sim.run_until_quiet();
}
