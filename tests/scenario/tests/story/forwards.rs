//! Calls to people whose calls go elsewhere.

use plugboard_model::{CallOutcome, Dialled, ForwardWhen, JournalEvent, UserStatus};
use plugboard_office::SettingsChange;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::settings::set;
use crate::{not_answered, seconds, story, talk};

fn forward(sim: &Sim, who: &str, when: ForwardWhen, to: &str) {
    set(sim, who, SettingsChange::Forward(when, Some(Dialled::new(to).unwrap()))).unwrap();
}

#[test]
fn r6_a_call_goes_at_once_to_where_all_his_calls_go() {
    let mut sim = Sim::demo();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    forward(&sim, "102", ForwardWhen::Always, "103");
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &ann, &cem);
    ann.hangs_up();
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.060  ann -> switch  INVITE 102 +sdp
    0.065  switch -> ann  407 INVITE
    0.070  ann -> switch  ACK
    0.070  ann -> switch  INVITE 102 +sdp
    0.075  switch -> cem  INVITE 103 +sdp
    0.080  cem -> switch  180 INVITE
    0.080  cem -> switch  200 INVITE +sdp
    0.085  switch -> cem  ACK
    0.085  switch -> ann  180 INVITE
    0.085  switch -> ann  200 INVITE +sdp
    0.090  ann -> switch  ACK
    0.110  ann -> switch  BYE
    0.115  switch -> ann  200 BYE
    0.115  switch -> cem  BYE because SIP;cause=200;text="OK"
    0.120  cem -> switch  200 BYE
    "#);
    assert_eq!(bob.calls(), []);
    let record = sim.record();
    assert_eq!(record.answered_by.as_ref().unwrap().name.to_string(), "103");
    let forwarded = |event: &JournalEvent| matches!(event, JournalEvent::Forwarded { to, .. } if to == "103");
    assert!(sim.journal(&record).iter().any(|entry| forwarded(&entry.event)));
}

#[test]
fn r6_a_call_goes_on_when_he_does_not_answer_in_time_and_his_phone_stops() {
    let mut sim = Sim::demo();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    forward(&sim, "102", ForwardWhen::NoAnswer, "103");
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(19));
    assert_eq!(cem.calls(), []);
    sim.run_for(seconds(2));
    assert!(bob.is_idle()());
    // Bob's own minute is over long before: who is forwarded to rings as long as one who is dialled.
    sim.run_for(seconds(50));
    cem.answers();
    talk(&mut sim, &ann, &cem);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r6_a_call_goes_on_from_who_is_busy_and_from_who_does_not_want_to_be_disturbed() {
    let office = OfficeText::demo().replace("password: demo-102 }", "password: demo-102, calls_at_once: 1 }");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    let dora = sim.phone("dora", "104");
    forward(&sim, "102", ForwardWhen::Busy, "103");
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    dora.dials("102");
    sim.run_until(cem.rings());
    dora.hangs_up();
    ann.hangs_up();
    sim.run_until_quiet();
    // His phone says so itself.
    dora.dials("102");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(cem.rings());
    dora.hangs_up();
    sim.run_until_quiet();
    set(&sim, "102", SettingsChange::Status(UserStatus::DoNotDisturb)).unwrap();
    ann.dials("102");
    sim.run_until(cem.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r6_a_call_goes_on_from_who_has_no_phone() {
    let mut sim = Sim::demo();
    let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
    forward(&sim, "102", ForwardWhen::Unreachable, "103");
    ann.dials("102");
    sim.run_until(cem.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r7_a_callees_own_way_to_his_mobile_goes_out_as_if_he_had_dialled_it() {
    let mut sim = story("  - call-user: { mode: user, target: 102 }\n").start();
    let ann = sim.phone("ann", "101");
    let mobile = sim.outside("mobile", "127.0.0.1:5080");
    forward(&sim, "102", ForwardWhen::Always, "001701234567");
    for number in ["102", "300"] {
        ann.dials(number);
        sim.run_until(mobile.rings());
        mobile.answers();
        if number == "300" {
            // The scenario would go on: that a person answers has to be shown.
            sim.run_until(mobile.hears(PRESS));
            mobile.presses("1");
        }
        talk(&mut sim, &ann, &mobile);
        ann.hangs_up();
        sim.run_until_quiet();
    }
    assert!(sim.ladder().count("-> mobile  INVITE 01701234567") == 2, "{}", sim.ladder());
}

#[test]
fn r8_forwards_that_lead_back_end_as_a_loop_and_the_scenario_goes_on() {
    let mut sim = story(
        "  - call-user: { mode: user, target: 102 }\n    on:\n      no-answer:\n        - play-audio: { audio: nobody }\n",
    )
    .start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    forward(&sim, "102", ForwardWhen::Always, "103");
    forward(&sim, "103", ForwardWhen::Always, "102");
    ann.dials("300");
    sim.run_until(ann.hears("nobody"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Handled);
    ann.dials("102");
    sim.run_until(ann.was_told(482));
    sim.run_until_quiet();
    assert_eq!((bob.calls(), cem.calls()), (vec![], vec![]));
    let looped = sim.records("main").into_iter().find(|record| record.called == "102").unwrap();
    assert_eq!(not_answered(&looped), Some(482));
    // And so does one that leads back to the caller.
    forward(&sim, "102", ForwardWhen::Always, "101");
    ann.dials("102");
    sim.run_until(ann.was_told(482));
    sim.run_until_quiet();
}

#[test]
fn a_group_call_is_for_the_group_and_follows_no_members_forward() {
    for distribution in ["all-at-once", "in-order"] {
        let office = OfficeText::demo()
            .replace("distribution: all-at-once", &format!("distribution: {distribution}"))
            .with_story("  - call-group: { group: 200, ring_for: 5s }\n");
        let mut sim = Setup::offices(vec![office]).start();
        let (ann, bob, egor) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("egor", "105"));
        forward(&sim, "102", ForwardWhen::Always, "105");
        ann.dials("300");
        sim.run_until(bob.rings());
        sim.run_for(seconds(1));
        assert_eq!(egor.calls(), [], "{distribution}");
        ann.hangs_up();
        sim.run_until_quiet();
    }
}

/// Bob has no phone and his calls go to a mobile; a scenario calls him at 300, and has another step.
fn to_the_mobile(forward: &str) -> (Sim, Phone, Phone) {
    let steps = "  - call-user: { mode: user, target: \"102\", ring_for: 30s }\n  - play-audio: { audio: late }\n";
    let forward = format!("password: demo-102, forward: {{ unreachable: {forward} }} }}");
    let office = OfficeText::demo().with_story(steps).replace("password: demo-102 }", &forward);
    let mut sim = Setup::offices(vec![office]).prompt("late", seconds(2)).start();
    let (ann, mobile) = (sim.phone("ann", "101"), sim.outside("mobile", "127.0.0.1:5080"));
    (sim, ann, mobile)
}

const PRESS: &str = "There is a call for you. Press one to take it.";

#[test]
fn r62_a_mobiles_mailbox_does_not_steal_the_call_of_a_scenario_that_is_forwarded_there() {
    for forward in ["\"0301234\"", "{ number: \"0301234\", confirm_within: 20s }"] {
        let (mut sim, ann, mobile) = to_the_mobile(forward);
        ann.dials("300");
        sim.run_until(mobile.rings());
        mobile.answers();
        sim.run_until(mobile.hears(PRESS));
        sim.run_for(seconds(4));
        assert_eq!((ann.packets_of("mobile"), mobile.packets_of("ann")), (0, 0), "nobody has pressed the key");
        sim.run_until(ann.hears("late"));
        sim.run_until(mobile.is_idle());
        ann.hangs_up();
        sim.run_until_quiet();
        // Who presses it has the call.
        ann.dials("300");
        sim.run_until(mobile.rings());
        mobile.answers();
        sim.run_until(mobile.hears(PRESS));
        mobile.presses("1");
        talk(&mut sim, &ann, &mobile);
        mobile.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn r62_each_forward_says_whether_a_key_is_asked_for() {
    // Of a scenario: not where the user wants it so. Of somebody who dials him: only where he wants it.
    for (number, forward, asked) in [
        ("300", "{ number: \"0301234\", confirm: false }", false),
        ("102", "\"0301234\"", false),
        ("102", "{ number: \"0301234\", confirm: true }", true),
    ] {
        let (mut sim, ann, mobile) = to_the_mobile(forward);
        ann.dials(number);
        sim.run_until(mobile.rings());
        mobile.answers();
        if asked {
            sim.run_until(mobile.hears(PRESS));
            assert_eq!(mobile.packets_of("ann"), 0);
            mobile.presses("1");
        }
        talk(&mut sim, &ann, &mobile);
        assert_eq!(mobile.packets_of(PRESS) > 0, asked, "{number} {forward}");
        ann.hangs_up();
        sim.run_until_quiet();
    }
}
