//! Feature codes that people dial.

use plugboard_model::{CallOutcome, Dialled, ForwardWhen, UserStatus};
use plugboard_simulator::{OfficeText, Setup, Sim, Stage, TONE};

use crate::settings::settings;
use crate::talk;

fn number(text: &str) -> Dialled {
    Dialled::new(text).unwrap()
}

#[test]
fn a_code_that_is_carried_out_is_answered_with_a_tone_and_hung_up() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let begin = sim.now();
    ann.dials("*78");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.020  ann -> switch  INVITE *78 +sdp
    0.025  switch -> ann  407 INVITE
    0.030  ann -> switch  ACK
    0.030  ann -> switch  INVITE *78 +sdp
    0.035  switch -> ann  200 INVITE +sdp
    0.040  ann -> switch  ACK
    0.435  switch -> ann  BYE because SIP;cause=200;text="OK"
    0.440  ann -> switch  200 BYE
    "#);
    assert!(ann.packets_of(TONE) > 0, "he hears that it is done");
    assert_eq!(settings(&sim, "101").status, UserStatus::DoNotDisturb);
    let record = sim.record();
    assert_eq!((record.outcome, record.route.as_deref()), (CallOutcome::Handled, Some("feature do_not_disturb")));
    ann.dials("*79");
    sim.run_until(ann.is_idle());
    assert_eq!(settings(&sim, "101").status, UserStatus::Available);
    sim.run_until_quiet();
}

#[test]
fn a_code_that_cannot_be_carried_out_is_refused_after_an_error_tone() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let begin = sim.now();
    // Nobody has this number.
    ann.dials("*72999");
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
    insta::assert_snapshot!(sim.ladder().since(begin), @r"
    0.020  ann -> switch  INVITE *72999 +sdp
    0.025  switch -> ann  407 INVITE
    0.030  ann -> switch  ACK
    0.030  ann -> switch  INVITE *72999 +sdp
    0.035  switch -> ann  183 INVITE +sdp
    2.035  switch -> ann  404 INVITE
    2.040  ann -> switch  ACK
    ");
    assert!(ann.packets_of(TONE) > 50, "he hears that it is not: {}", ann.packets_of(TONE));
    assert_eq!(settings(&sim, "101").forward.always, None);
    let CallOutcome::Failed(cause) = sim.record().outcome else { panic!("{:?}", sim.record()) };
    assert_eq!(cause.status, 404);
    // Somebody who is in no group cannot log in to one.
    ann.dials("*11200");
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
}

#[test]
fn forwards_and_groups_are_set_and_cleared_by_their_codes() {
    let mut sim = Sim::demo();
    let bob = sim.phone("bob", "102");
    let dial = |sim: &mut Sim, code: &str| {
        bob.dials(code);
        sim.run_until(bob.is_idle());
        sim.run_until_quiet();
        settings(sim, "102")
    };
    for (when, set, clear) in [
        (ForwardWhen::Always, "*72103", "*73"),
        (ForwardWhen::Busy, "*90103", "*91"),
        (ForwardWhen::NoAnswer, "*92103", "*93"),
        (ForwardWhen::Unreachable, "*94103", "*95"),
    ] {
        assert_eq!(dial(&mut sim, set).forward.to(when), Some(&number("103")), "{set}");
        assert_eq!(dial(&mut sim, clear).forward.to(when), None, "{clear}");
    }
    assert_eq!(dial(&mut sim, "*12200").out_of.len(), 1);
    assert_eq!(dial(&mut sim, "*11200").out_of.len(), 0);
    assert_eq!(dial(&mut sim, "*12").out_of.len(), 1, "every group that he is in");
    assert_eq!(dial(&mut sim, "*76").status, UserStatus::Busy);
    assert_eq!(dial(&mut sim, "*77").status, UserStatus::LoggedOut);
    assert_eq!(dial(&mut sim, "*75").status, UserStatus::Available);
}

#[test]
fn call_return_calls_whoever_called_last_also_after_a_restart() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.dials("*69");
    sim.run_until(bob.was_told(404));
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    let mut sim = Setup::demo().after(sim).start();
    // Others than before: what their phones registered as is still known.
    let (ann, bob) = (sim.phone("desk", "101"), sim.phone("mobile", "102"));
    bob.dials("*69");
    sim.run_until(ann.rings());
    ann.answers();
    talk(&mut sim, &ann, &bob);
    bob.hangs_up();
    sim.run_until_quiet();
    let returned = sim.records("main").into_iter().find(|record| record.outcome == CallOutcome::Answered).unwrap();
    assert_eq!(returned.route.as_deref(), Some("feature call_return"));
}

#[test]
fn call_return_dials_an_outside_caller_over_the_outside_line() {
    let office = OfficeText::demo()
        .replace("routes:\n", "routes:\n  - { id: bob, from: { gateway: outside }, number: 555, user: \"102\" }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let (bob, far) = (sim.phone("bob", "102"), sim.outside("far", "127.0.0.1:5080"));
    far.dials_as("555", "01701234567");
    sim.run_until(bob.rings());
    far.hangs_up();
    sim.run_until_quiet();
    bob.dials("*69");
    sim.run_until(far.rings());
    assert_eq!(sim.ladder().count("-> far  INVITE 01701234567"), 1, "{}", sim.ladder());
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn intercom_asks_the_phone_to_answer_by_itself_where_that_is_allowed() {
    let office = OfficeText::demo().replace("password: demo-102 }", "password: demo-102, intercom: allowed }");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("*80102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    // Who talks is not spoken into.
    cem.dials("*80102");
    sim.run_until(cem.was_told(486));
    ann.hangs_up();
    sim.run_until_quiet();
    let intercom = sim.records("main").into_iter().find(|record| record.caller == "101").unwrap();
    let invite = sim.said_in(&intercom, "10.0.0.12:5060");
    for header in ["Answer-Mode: Auto", "answer-after=0", "info=alert-autoanswer"] {
        assert!(invite.contains(header), "{header}: {invite}");
    }
    // Ann does not take such calls.
    bob.dials("*80101");
    sim.run_until(bob.was_told(403));
    assert_eq!(ann.calls().last(), Some(&Stage::Over(200)));
    sim.run_until_quiet();
}
