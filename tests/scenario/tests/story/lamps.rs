//! Lamps: what a phone shows of others' calls (RFC 4235), and how it takes one (RFC 5359 section 2.14).

use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{millis, seconds, talk};

const DIALOG: &str = "dialog";

/// The demo office, whose lamps tell who calls.
fn office() -> OfficeText {
    OfficeText::demo().replace("domains:", "lamps_show_caller: true\ndomains:")
}

/// Ann, Bob and Cem, whose phone has a lamp for Bob.
fn watched(office: OfficeText) -> (Sim, Phone, Phone, Phone) {
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    cem.watches("102", DIALOG);
    sim.run_until(cem.sees_that("102", DIALOG, "idle"));
    sim.run_for(seconds(2));
    (sim, ann, bob, cem)
}

#[test]
fn a_lamp_is_on_while_the_other_one_rings_and_talks_and_off_again() {
    let (mut sim, ann, bob, cem) = watched(OfficeText::demo());
    ann.dials("102");
    sim.run_until(cem.sees_that("102", DIALOG, "early"));
    assert!(bob.rings()());
    let told = cem.told_of("102", DIALOG);
    assert!(!told.contains("101"), "whoever calls is not shown unless the office wants it: {told}");
    sim.run_for(seconds(2));
    bob.answers();
    sim.run_until(cem.sees_that("102", DIALOG, "confirmed"));
    let told = cem.told_of("102", DIALOG);
    assert!(!told.contains("call-id"), "whoever talks is not found by his tags: {told}");
    sim.run_for(seconds(2));
    ann.hangs_up();
    sim.run_until(cem.sees_that("102", DIALOG, "idle"));
    insta::assert_snapshot!(sim.ladder().of("cem"), @r"
    0.040  cem -> switch  REGISTER
    0.045  switch -> cem  401 REGISTER
    0.050  cem -> switch  REGISTER
    0.055  switch -> cem  200 REGISTER
    0.060  cem -> switch  SUBSCRIBE dialog of 102
    0.065  switch -> cem  401 SUBSCRIBE
    0.070  cem -> switch  SUBSCRIBE dialog of 102
    0.075  switch -> cem  200 SUBSCRIBE
    0.075  switch -> cem  NOTIFY dialog of 102 idle
    0.080  cem -> switch  200 NOTIFY
    2.105  switch -> cem  NOTIFY dialog of 102 early
    2.110  cem -> switch  200 NOTIFY
    4.115  switch -> cem  NOTIFY dialog of 102 confirmed
    4.120  cem -> switch  200 NOTIFY
    6.125  switch -> cem  NOTIFY dialog of 102 idle
    6.130  cem -> switch  200 NOTIFY
    ");
    sim.run_until_quiet();
    assert_eq!(sim.metric("plugboard_subscriptions{package=\"dialog\"}"), Some(1.0));
    assert_eq!(sim.metric("plugboard_notifies_total{package=\"dialog\"}"), Some(4.0));
}

#[test]
fn who_calls_out_is_shown_too_and_a_change_is_told_within_a_second() {
    let (mut sim, ann, bob, cem) = watched(office());
    bob.dials("101");
    sim.run_until(cem.sees_that("102", DIALOG, "trying-out"));
    sim.run_until(ann.rings());
    let since = sim.now();
    ann.answers();
    sim.run_until(cem.sees_that("102", DIALOG, "confirmed-out"));
    assert!(sim.now().since(since) <= millis(1_100), "{}", sim.ladder());
    assert!(cem.told_of("102", DIALOG).contains("<identity display=\"Ann Archer\">sip:101@plugboard.test</identity>"));
    bob.hangs_up();
    sim.run_until(cem.sees_that("102", DIALOG, "idle"));
    sim.run_until_quiet();
}

#[test]
fn a_call_that_never_was_answered_leaves_no_lamp_on() {
    let (mut sim, ann, bob, cem) = watched(office());
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_for(seconds(2));
    assert_eq!(cem.sees_of("102", DIALOG), "idle");
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_for(seconds(2));
    assert_eq!(cem.sees_of("102", DIALOG), "idle");
    sim.run_until_quiet();
}

#[test]
fn several_devices_that_one_call_rings_are_one_call() {
    let (mut sim, ann, bob, cem) = watched(office());
    let mobile = sim.phone("mobile", "102");
    ann.dials("102");
    sim.run_until(|| bob.rings()() && mobile.rings()());
    sim.run_for(seconds(2));
    assert_eq!(cem.sees_of("102", DIALOG), "early");
    mobile.answers();
    sim.run_until(cem.sees_that("102", DIALOG, "confirmed"));
    mobile.hangs_up();
    sim.run_until(cem.sees_that("102", DIALOG, "idle"));
    sim.run_until_quiet();
}

#[test]
fn a_colleague_picks_up_what_his_lamp_shows_ringing() {
    let (mut sim, ann, bob, cem) = watched(office());
    ann.dials("102");
    sim.run_until(cem.sees_that("102", DIALOG, "early"));
    assert!(cem.told_of("102", DIALOG).contains(">sip:101@plugboard.test</identity>"), "whom he would pick up");
    cem.picks_up_by_lamp("102");
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    sim.run_until(cem.sees_that("102", DIALOG, "idle"));
    ann.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until_quiet();
}

#[test]
fn the_dialog_may_be_named_from_either_end() {
    let (mut sim, ann, bob, cem) = watched(office());
    ann.dials("102");
    sim.run_until(cem.sees_that("102", DIALOG, "early"));
    cem.picks_up_by_lamp_from_the_other_end("102");
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_lamp_shows_whether_somebody_is_parked_in_a_place() {
    let (mut sim, ann, bob, cem) = watched(office());
    cem.watches("*701", DIALOG);
    cem.watches("*702", DIALOG);
    sim.run_until(cem.sees_that("*701", DIALOG, "idle"));
    sim.run_until(cem.sees_that("*702", DIALOG, "idle"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    let since = sim.now();
    bob.hands_on_to("*701");
    sim.run_until(cem.sees_that("*701", DIALOG, "confirmed"));
    assert!(sim.now().since(since) <= millis(1_100), "{}", sim.ladder());
    let told = cem.told_of("*701", DIALOG);
    assert!(told.contains(">sip:101@plugboard.test</identity>"), "who waits there: {told}");
    assert!(told.contains("entity=\"sip:*701@plugboard.test\"") && !told.contains("call-id"), "{told}");
    assert_eq!(cem.sees_of("*702", DIALOG), "idle");
    // Who asks later is told as well.
    let dora = sim.phone("dora", "104");
    dora.watches("*701", DIALOG);
    sim.run_until(dora.sees_that("*701", DIALOG, "confirmed"));
    // The key of a lamp dials its number.
    cem.dials("*701");
    talk(&mut sim, &ann, &cem);
    sim.run_until(cem.sees_that("*701", DIALOG, "idle"));
    sim.run_until(dora.sees_that("*701", DIALOG, "idle"));
    ann.hangs_up();
    for (number, event) in [("*7011", DIALOG), ("*70", DIALOG), ("*78", DIALOG), ("*701", "presence")] {
        cem.watches(number, event);
        sim.run_until(|| cem.subscribed(number, event).is_some());
        assert_eq!(cem.subscribed(number, event), Some(404), "{number} {event}");
    }
    // An office with fewer places.
    sim.applies(&[office().replace("language: en", "park: { places: 1 }\nlanguage: en")]);
    sim.run_until(|| cem.subscription("*702", DIALOG) == "terminated;reason=noresource");
    assert!(cem.subscription("*701", DIALOG).starts_with("active"));
    sim.run_until_quiet();
}

#[test]
fn who_shares_no_group_sees_the_lamp_and_picks_up_nothing() {
    let (mut sim, ann, bob, _) = watched(office());
    let egor = sim.phone("egor", "105");
    egor.watches("102", DIALOG);
    ann.dials("102");
    sim.run_until(egor.sees_that("102", DIALOG, "early"));
    egor.picks_up_by_lamp("102");
    sim.run_until(egor.was_told(603));
    assert!(bob.rings()());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_lamp_of_a_group_shows_the_calls_that_its_members_get() {
    let (mut sim, ann, bob, cem) = watched(office());
    let dora = sim.phone("dora", "104");
    ann.watches("200", DIALOG);
    sim.run_until(ann.sees_that("200", DIALOG, "idle"));
    let egor = sim.phone("egor", "105");
    egor.dials("200");
    sim.run_until(ann.sees_that("200", DIALOG, "early"));
    assert!(bob.rings()() && cem.rings()() && dora.rings()(), "one call, however many it rings");
    dora.answers();
    sim.run_until(ann.sees_that("200", DIALOG, "confirmed"));
    sim.run_for(seconds(2));
    dora.dials("105");
    sim.run_for(seconds(2));
    assert_eq!(ann.sees_of("200", DIALOG), "confirmed", "what a member calls is no call to the group");
    egor.hangs_up();
    dora.hangs_up();
    sim.run_for(seconds(2));
    egor.hangs_up();
    sim.run_until(ann.sees_that("200", DIALOG, "idle"));
    sim.run_until_quiet();
}

#[test]
fn the_lamp_of_a_group_follows_the_members_that_it_has_now_and_those_who_come_back() {
    let (mut sim, ann, bob, cem) = watched(office());
    let (dora, egor) = (sim.phone("dora", "104"), sim.phone("egor", "105"));
    ann.watches("200", DIALOG);
    sim.run_until(ann.sees_that("200", DIALOG, "idle"));
    let members = "members: [\"102\", \"103\", \"104\"]";
    let small = office().replace(members, "members: [\"105\"]");
    sim.applies(std::slice::from_ref(&small));
    sim.run_for(seconds(2));
    cem.dials("200");
    sim.run_until(egor.rings());
    sim.run_until(ann.sees_that("200", DIALOG, "early"));
    assert!(bob.calls().is_empty() && dora.calls().is_empty());
    egor.refuses(486);
    sim.run_until(ann.sees_that("200", DIALOG, "idle"));
    // He goes, and comes back as another one.
    let egors_line = "  - { id: \"105\", number: 105, name: Egor Egorov, password: demo-105 }\n";
    let without = office().replace(egors_line, "").replace(members, "members: [\"102\"]");
    sim.applies(&[without]);
    sim.run_for(seconds(2));
    sim.applies(&[small]);
    sim.run_for(seconds(2));
    egor.registers();
    sim.run_until(egor.is_registered());
    cem.dials("200");
    sim.run_until(egor.rings());
    sim.run_until(ann.sees_that("200", DIALOG, "early"));
    cem.hangs_up();
    sim.run_until(ann.sees_that("200", DIALOG, "idle"));
    sim.run_until_quiet();
}

#[test]
fn after_a_transfer_the_lamp_shows_who_is_there_now() {
    let (mut sim, ann, bob, cem) = watched(office());
    let dora = sim.phone("dora", "104");
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    sim.run_until(cem.sees_that("102", DIALOG, "confirmed"));
    ann.hands_on_to("104");
    sim.run_until(dora.rings());
    dora.answers();
    talk(&mut sim, &bob, &dora);
    sim.run_for(seconds(2));
    assert_eq!(cem.sees_of("102", DIALOG), "confirmed");
    let told = cem.told_of("102", DIALOG);
    assert!(told.contains("sip:104@plugboard.test") && !told.contains("sip:101@"), "{told}");
    dora.hangs_up();
    sim.run_until(cem.sees_that("102", DIALOG, "idle"));
    sim.run_until_quiet();
}

#[test]
fn a_watcher_who_is_gone_is_forgotten() {
    let (mut sim, ann, bob, cem) = watched(office());
    cem.is_unplugged();
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(40));
    assert_eq!(sim.holdings().subscriptions, 0);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn in_bad_weather_the_last_word_is_the_truth() {
    use plugboard_simulator::Weather;
    let (mut sim, ann, bob, cem) = watched(office());
    sim.weather(Weather { lost: 150, doubled: 100, delay_ms_min: 5, delay_ms_max: 300 });
    for _ in 0..5 {
        ann.dials("102");
        if sim.is_true_within(seconds(20), bob.rings()) {
            bob.answers();
            sim.run_for(seconds(3));
        }
        if !ann.is_idle()() {
            ann.hangs_up();
        }
        sim.run_for(seconds(1));
    }
    sim.run_for(seconds(120));
    assert_eq!(cem.sees_of("102", DIALOG), "idle", "{}", sim.ladder().of("cem"));
}
