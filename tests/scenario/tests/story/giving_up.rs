//! Somebody gives up, at the worst moments too.

use plugboard_media::EngineConfig;
use plugboard_model::CallOutcome;
use plugboard_simulator::{Sim, Stage};

use crate::silence::watched;
use crate::{conversation, millis, seconds, story};

#[test]
fn r29_a_caller_who_hangs_up_while_it_rings_leaves_nothing_that_rings() {
    let mut sim = story("  - call-group: { group: sales }\n  - call-user: { mode: user, target: 105 }\n").start();
    let ann = sim.phone("ann", "101");
    let called = [sim.phone("bob", "102"), sim.phone("cem", "103"), sim.phone("dora", "104"), sim.phone("egor", "105")];
    ann.dials("300");
    for phone in called.iter().take(3) {
        sim.run_until(phone.rings());
    }
    ann.hangs_up();
    sim.run_until(ann.was_told(487));
    for phone in called.iter().take(3) {
        sim.run_until(phone.was_told(487));
        assert_eq!(phone.reason(), None, "nobody took it: a missed call");
    }
    let invites = sim.ladder().count("INVITE");
    sim.run_for(seconds(90));
    assert_eq!(sim.ladder().count("INVITE"), invites, "no later ring");
    sim.run_until_quiet();
    assert_eq!(called[3].calls(), []);
    assert_eq!(sim.record().outcome, CallOutcome::Abandoned);
}

#[test]
fn a_cancel_that_meets_the_answer_on_its_way_ends_both_sides() {
    // One millisecond after the other, either way round, and at the same time.
    for late in 0..24 {
        let mut sim = Sim::demo();
        let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
        ann.dials("102");
        sim.run_until(bob.rings());
        sim.run_until(ann.hears_ringing());
        sim.run_for(millis(100));
        if late < 12 {
            bob.answers();
            sim.run_for(millis(late));
            ann.hangs_up();
        } else {
            ann.hangs_up();
            sim.run_for(millis(late - 12));
            if bob.rings()() {
                bob.answers();
            }
        }
        sim.run_until_quiet();
        assert!(ann.is_idle()() && bob.is_idle()(), "{late}: {:?} {:?}\n{}", ann.calls(), bob.calls(), sim.ladder());
        let outcome = sim.record().outcome;
        assert!(matches!(outcome, CallOutcome::Answered | CallOutcome::Abandoned), "{late}: {outcome:?}");
    }
}

#[test]
fn who_hangs_up_before_the_switch_said_a_word_is_heard_when_it_did() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_for(millis(20));
    assert_eq!(ann.calls(), [Stage::Calling(0)]);
    ann.hangs_up();
    sim.run_until(ann.was_told(487));
    sim.run_until_quiet();
    assert!(bob.is_idle()());
}

#[test]
fn a_phone_that_never_rang_and_answers_after_the_caller_gave_up_is_hung_up() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.keeps_quiet();
    ann.dials("102");
    sim.run_for(seconds(1));
    ann.hangs_up();
    sim.run_until(ann.was_told(487));
    sim.run_for(seconds(5));
    assert_eq!(sim.ladder().count("CANCEL"), 2, "no CANCEL before the phone says something\n{}", sim.ladder());
    bob.answers();
    sim.run_until(bob.was_told(200));
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Abandoned);
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_is_hung_up() {
    let mut sim =
        story("  - call-user: { mode: user, target: 102, ring_for: 5s }\n  - play-audio: { audio: late }\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    // The CANCEL at the end of the ring time and its answer pass each other.
    sim.loses("switch -> bob  CANCEL", 1);
    sim.run_until(ann.hears("late"));
    bob.answers();
    sim.run_until(bob.was_told(200));
    sim.run_until_quiet();
    assert_eq!(sim.ladder().count("switch -> bob  BYE"), 1, "{}", sim.ladder());
    assert_eq!(bob.packets_of("ann"), 0);
    assert_eq!(sim.record().outcome, CallOutcome::Handled);
}

#[test]
fn two_who_hang_up_at_the_same_time_are_both_told_that_it_is_over() {
    let (mut sim, ann, bob) = conversation();
    ann.hangs_up();
    bob.hangs_up();
    sim.run_until_quiet();
    assert_eq!(
        sim.ladder().count("200 BYE"),
        2 + sim.ladder().count("switch -> ann  BYE") + sim.ladder().count("switch -> bob  BYE"),
        "{}",
        sim.ladder()
    );
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_phone_whose_plug_is_pulled_holds_up_nobody() {
    let (mut sim, ann, bob) = conversation();
    bob.is_unplugged();
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
    ann.dials("102");
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.records("main").len(), 2);
}

#[test]
fn a_call_that_both_ends_left_without_a_word_is_over_within_a_quarter_of_an_hour_where_nobody_listens_for_silence() {
    let (mut sim, ann, bob) = watched(EngineConfig { silent_after: seconds(0), ..EngineConfig::default() });
    ann.is_unplugged();
    bob.is_unplugged();
    sim.run_for(seconds(14 * 60));
    assert_eq!(sim.records("main").len(), 0, "only the session timer notices");
    sim.run_for(seconds(2 * 60));
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
    sim.run_until_quiet();
}

#[test]
fn people_who_talk_for_long_are_asked_whether_they_are_there_and_notice_nothing() {
    let (mut sim, ann, bob) = conversation();
    sim.run_for(seconds(32 * 60));
    for phone in ["ann", "bob"] {
        assert_eq!(sim.ladder().count(&format!("switch -> {phone}  OPTIONS")), 2, "{}", sim.ladder());
    }
    assert!(ann.talks()() && bob.talks()());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}
