//! Calls that are handed on to what nobody has to answer: scenarios and mailboxes.

use plugboard_model::{CallOutcome, JournalEvent, LegId, Mailbox, TapeKind, Value};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{journaled, seconds, steps, talk};

const RECEPTION: &str =
    "  - play-audio: { audio: welcome }\n  - call-user: { mode: list, target: [103], ring_for: 20s }\n";
const ONLY_RINGS: &str = "  - call-user: { mode: list, target: [103], ring_for: 10s }\n";

/// Ann called Bob and they talk; Cem is there as well, and a scenario of these steps is at 300.
fn three(steps: &str) -> (Sim, Phone, Phone, Phone) {
    let of_102 = "name: Bob Baker, password: demo-102";
    let with_pin = format!("{of_102}, voicemail: {{ pin: \"47110\" }}");
    let office = OfficeText::demo().with_story(steps).replace(of_102, &with_pin);
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    (sim, ann, bob, cem)
}

#[test]
fn whoever_is_handed_on_to_a_scenario_goes_on_in_it() {
    let (mut sim, ann, bob, cem) = three(RECEPTION);
    let begin = sim.now();
    bob.hands_on_to("300");
    sim.run_until(ann.hears("welcome"));
    sim.run_until(bob.is_idle());
    assert_eq!(bob.told_of_transfer(), [100, 200]);
    sim.run_until(cem.rings());
    assert!(cem.caller().is_some_and(|from| from.contains("Ann Archer")), "{:?}", cem.caller());
    assert!(cem.was_told_of_caller("Diversion").is_some_and(|by| by.contains("102@")), "Bob has sent her on");
    cem.answers();
    talk(&mut sim, &ann, &cem);
    assert!(ann.shows().is_some_and(|shown| shown.contains("Cem Celik")), "{:?}", ann.shows());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  bob -> switch  REFER to 300
    0.115  switch -> bob  202 REFER
    0.115  switch -> bob  NOTIFY of 100 Trying
    0.115  switch -> bob  NOTIFY of 200 OK
    0.115  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.120  bob -> switch  200 NOTIFY
    0.120  bob -> switch  200 NOTIFY
    0.120  bob -> switch  200 BYE
    2.115  switch -> cem  INVITE 103 +sdp
    2.120  cem -> switch  180 INVITE
    2.120  cem -> switch  200 INVITE +sdp
    2.125  switch -> cem  ACK
    2.125  switch -> ann  INVITE again +sdp
    2.130  ann -> switch  200 INVITE +sdp
    2.135  switch -> ann  ACK
    "#);
    cem.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!((&record.outcome, record.legs.len()), (&CallOutcome::Answered, 3));
    assert_eq!(steps(&record), ["steps[0] play-audio: done", "steps[1] call-user: answer"]);
    assert_eq!(record.scenario.as_ref().map(|id| id.name.as_str()), Some("story"));
    let by = |event: &JournalEvent| matches!(event, JournalEvent::Transferred { by: Some(LegId(1)), whom: LegId(0), to } if to == "300");
    assert_eq!(journaled(&sim, &record, by), 1);
}

#[test]
fn who_was_called_is_the_caller_of_the_scenario_when_the_caller_hands_him_on() {
    let (mut sim, ann, bob, cem) = three(
        "  - set: { seen: '{caller_number} {caller_name} {called_number}' }\n  - play-audio: { audio: welcome }\n  - call-user: { mode: list, target: [103], ring_for: 20s }\n",
    );
    ann.hands_on_to("300");
    sim.run_until(bob.hears("welcome"));
    sim.run_until(ann.is_idle());
    sim.run_until(cem.rings());
    assert!(cem.caller().is_some_and(|from| from.contains("Bob Baker")), "{:?}", cem.caller());
    cem.answers();
    talk(&mut sim, &bob, &cem);
    bob.hangs_up();
    sim.run_until_quiet();
    let journal = sim.journal(&sim.record());
    let seen = journal.iter().find_map(|entry| match &entry.event {
        JournalEvent::Assigned { name, value: Value::Text(text) } if name == "seen" => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(seen, Some("102 Bob Baker 300"));
}

#[test]
fn a_scenario_that_only_rings_has_not_taken_the_call_before_somebody_answers() {
    let (mut sim, ann, bob, cem) = three(ONLY_RINGS);
    bob.hands_on_to("300");
    sim.run_until(cem.rings());
    sim.run_for(seconds(2));
    assert_eq!(bob.told_of_transfer(), [100, 180]);
    assert!(!bob.is_idle()());
    cem.answers();
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    assert_eq!(bob.told_of_transfer(), [100, 180, 200]);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_handed_on_has_his_call_back_when_the_scenario_reaches_nobody() {
    let (mut sim, ann, bob, cem) = three(ONLY_RINGS);
    cem.always_refuses(486);
    bob.hands_on_to("300");
    sim.run_until(bob.was_told_of_transfer(486));
    talk(&mut sim, &ann, &bob);
    bob.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn who_handed_on_and_left_is_rung_when_the_scenario_reaches_nobody() {
    for caller in [false, true] {
        let (mut sim, ann, bob, cem) = three(ONLY_RINGS);
        let (by, stays) = if caller { (&ann, &bob) } else { (&bob, &ann) };
        by.hands_on_to("300");
        sim.run_until(cem.rings());
        by.hangs_up();
        sim.run_for(seconds(5));
        assert!(cem.rings()(), "the scenario goes on without him");
        sim.run_until(by.rings());
        assert!(cem.is_idle()() && !stays.is_idle()());
        by.answers();
        talk(&mut sim, by, stays);
        stays.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn a_scenario_that_refuses_the_call_gives_it_back() {
    let (mut sim, ann, bob, _) = three("  - hang-up: { cause: busy }\n");
    bob.hands_on_to("300");
    sim.run_until(bob.was_told_of_transfer(486));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn whoever_is_handed_on_may_hang_up_within_the_scenario() {
    let (mut sim, ann, bob, cem) = three(ONLY_RINGS);
    bob.hands_on_to("300");
    sim.run_until(cem.rings());
    ann.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(bob.told_of_transfer(), [100, 180, 487]);
    assert_eq!(sim.left(), Vec::<String>::new());
}

#[test]
fn a_scenario_hands_over_to_another_and_its_own_last_steps_still_run() {
    let two = "  - event: hang-up\n    steps: [{ set: { news: first } }, { echo: { max: 5s } }, { set: { news: second } }]\n\
                 \x20 - play-audio: { audio: welcome }\n  - call-user: { mode: list, target: [102], ring_for: 20s }\n";
    let office = OfficeText::demo().with_story(two);
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    let heard = ann.packets_of("welcome");
    bob.hands_on_to("300");
    let again = ann.clone();
    sim.run_until(move || again.packets_of("welcome") > heard);
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let news = |event: &JournalEvent| matches!(event, JournalEvent::Assigned { name, .. } if name == "news");
    assert_eq!(journaled(&sim, &record, news), 4, "each has its own end: {:#?}", record.steps);
    let steps = steps(&record);
    assert_eq!(
        steps.iter().filter(|step| step.ends_with("echo: failed")).count(),
        2,
        "nobody is there for it: {steps:?}"
    );
    assert_eq!(steps.iter().filter(|step| step.ends_with("play-audio: done")).count(), 2, "{steps:?}");
    assert_eq!(sim.left(), Vec::<String>::new());
}

#[test]
fn whoever_goes_round_in_scenarios_is_stopped() {
    let (mut sim, ann, bob, _) =
        three("  - play-audio: { audio: welcome }\n  - call-user: { mode: list, target: [102], ring_for: 20s }\n");
    for _ in 0..16 {
        bob.hands_on_to("300");
        sim.run_until(bob.is_idle());
        sim.run_until(bob.rings());
        bob.answers();
        talk(&mut sim, &ann, &bob);
    }
    bob.refers_to("<sip:300@plugboard.test>");
    sim.run_until(bob.was_refused_transfer(483));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_is_handed_on_to_voicemail_leaves_his_message_for_whoever_handed_him_on() {
    for (caller, mailbox) in [(false, "102"), (true, "101")] {
        let (mut sim, ann, bob, _) = three("  - voicemail: {}\n");
        let (by, stays) = if caller { (&ann, &bob) } else { (&bob, &ann) };
        by.hands_on_to("300");
        sim.run_until(by.is_idle());
        let phone = stays.clone();
        sim.run_until(move || phone.packets_of("tone") > 0);
        sim.run_for(seconds(5));
        stays.hangs_up();
        sim.run_until_quiet();
        let tapes = sim.recordings("main");
        let [tape] = tapes.as_slice() else { panic!("{tapes:#?}") };
        assert!(
            matches!(&tape.kind, TapeKind::Message { of: Mailbox::User(user), .. } if user.name.as_str() == mailbox),
            "{tape:#?}"
        );
        assert_eq!(tape.caller, if caller { "102" } else { "101" });
    }
}

#[test]
fn who_is_handed_on_to_a_mailbox_needs_its_pin() {
    let (mut sim, ann, bob, _) = three(RECEPTION);
    bob.hands_on_to("*98102");
    sim.run_until(bob.is_idle());
    assert_eq!(bob.told_of_transfer(), [100, 200]);
    sim.run_until(ann.hears("Enter your PIN, then the hash key."));
    ann.presses("47110#");
    let menu = "New messages: 0. Old messages: 0. 1: new messages. 2: old messages. 5: record a greeting. 9: end.";
    sim.run_until(ann.hears(menu));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_code_that_does_something_for_whoever_dials_it_takes_no_call_of_another() {
    let (mut sim, ann, bob, _) = three(RECEPTION);
    for code in ["*78", "*69"] {
        bob.refers_to(&format!("<sip:{code}@plugboard.test>"));
        sim.run_until(bob.was_refused_transfer(403));
    }
    bob.refers_to("<sip:*98999@plugboard.test>");
    sim.run_until(bob.was_refused_transfer(404));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_last_steps_of_a_scenario_record_nothing_of_whoever_took_its_caller() {
    let (mut sim, ann, bob, cem) = three(
        "  - event: hang-up\n    steps: [record, { set: { news: done } }]\n\
         \x20 - play-audio: { audio: welcome }\n  - call-user: { mode: list, target: [103], ring_for: 20s }\n",
    );
    for from in [&bob, &cem] {
        from.hands_on_to("300");
        sim.run_until(from.is_idle());
        sim.run_until(cem.rings());
        cem.answers();
        talk(&mut sim, &ann, &cem);
    }
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let steps = steps(&record);
    assert_eq!(steps.iter().filter(|step| step.contains("record: ")).count(), 2, "{steps:?}");
    assert!(sim.recordings("main").is_empty(), "{:#?}", sim.recordings("main"));
}

#[test]
fn a_message_after_a_transfer_is_for_whom_the_scenario_rang_last() {
    let (mut sim, ann, bob, cem) =
        three("  - call-user: { mode: user, target: \"103\", ring_for: 10s }\n    on:\n      no-answer: [voicemail]\n");
    cem.always_refuses(486);
    bob.hands_on_to("300");
    sim.run_until(bob.is_idle());
    let phone = ann.clone();
    sim.run_until(move || phone.packets_of("tone") > 0);
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
    let tapes = sim.recordings("main");
    let [tape] = tapes.as_slice() else { panic!("{tapes:#?}") };
    assert!(
        matches!(&tape.kind, TapeKind::Message { of: Mailbox::User(user), .. } if user.name.as_str() == "103"),
        "{tape:#?}"
    );
}
