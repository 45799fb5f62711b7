//! How people are, told to phones and by them: presence, keys that are kept in step, waiting messages (R119, R120).

use plugboard_model::{Dialled, ForwardWhen, OfficeId, UserId, UserStatus};
use plugboard_office::SettingsChange;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{millis, seconds, talk};

const PRESENCE: &str = "presence";
const KEYS: &str = "as-feature-event";
const MESSAGES: &str = "message-summary";

/// Bob, whose phone keeps its keys in step, and Ann, who watches how he is.
fn in_step() -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.watches("102", PRESENCE);
    bob.watches("102", KEYS);
    sim.run_until(ann.sees_that("102", PRESENCE, "open unknown"));
    sim.run_until(|| bob.sees_of("102", KEYS).contains("dnd=false"));
    sim.run_for(seconds(2));
    (sim, ann, bob)
}

#[test]
fn presence_tells_whether_somebody_can_be_reached_and_that_he_talks() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    ann.watches("102", PRESENCE);
    sim.run_until(ann.sees_that("102", PRESENCE, "closed unknown"));
    let bob = sim.phone("bob", "102");
    sim.run_until(ann.sees_that("102", PRESENCE, "open unknown"));
    let cem = sim.phone("cem", "103");
    cem.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &bob, &cem);
    sim.run_until(ann.sees_that("102", PRESENCE, "open on-the-phone"));
    bob.hangs_up();
    sim.run_until(ann.sees_that("102", PRESENCE, "open unknown"));
    bob.registers_for(0);
    sim.run_until(ann.sees_that("102", PRESENCE, "closed unknown"));
    sim.run_until_quiet();
}

#[test]
fn r119_each_status_is_seen_by_devices() {
    for (status, seen) in [("busy", "open busy"), ("do-not-disturb", "closed busy"), ("logged-out", "closed away")] {
        let bob = "id: \"102\"";
        let office = OfficeText::demo().replace(bob, &format!("{bob}, status: {status}"));
        let mut sim = Setup::offices(vec![office]).start();
        let (ann, _bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
        ann.watches("102", PRESENCE);
        sim.run_until(ann.sees_that("102", PRESENCE, seen));
    }
}

#[test]
fn r120_a_key_of_the_phone_is_seen_by_the_switch_and_by_others_within_a_second() {
    let (mut sim, ann, bob) = in_step();
    let mobile = sim.phone("mobile", "102");
    mobile.watches("102", KEYS);
    sim.run_until(|| mobile.sees_of("102", KEYS).contains("dnd=false"));
    sim.run_for(seconds(2));
    let begin = sim.now();
    bob.presses_do_not_disturb(true);
    sim.run_until(ann.sees_that("102", PRESENCE, "closed busy"));
    sim.run_until(|| bob.sees_of("102", KEYS).contains("dnd=true") && mobile.sees_of("102", KEYS).contains("dnd=true"));
    assert!(sim.now().since(begin) <= seconds(1), "{}", sim.ladder().since(begin));
    insta::assert_snapshot!(sim.ladder().since(begin), @r"
    4.100  bob -> switch  SUBSCRIBE as-feature-event of 102 dnd=true
    4.105  switch -> bob  200 SUBSCRIBE
    4.105  switch -> ann  NOTIFY presence of 102 closed busy
    4.105  switch -> bob  NOTIFY as-feature-event of 102 dnd=true
    4.105  switch -> mobile  NOTIFY as-feature-event of 102 dnd=true
    4.110  ann -> switch  200 NOTIFY
    4.110  bob -> switch  200 NOTIFY
    4.110  mobile -> switch  200 NOTIFY
    ");
    let cem = sim.phone("cem", "103");
    cem.dials("102");
    sim.run_until(cem.was_told(480));
    let begin = sim.now();
    mobile.presses_do_not_disturb(false);
    sim.run_until(|| bob.sees_of("102", KEYS).contains("dnd=false"));
    sim.run_until(ann.sees_that("102", PRESENCE, "open unknown"));
    assert!(sim.now().since(begin) <= seconds(1), "{}", sim.ladder().since(begin));
    cem.dials("102");
    sim.run_until(bob.rings());
    cem.hangs_up();
    sim.run_until_quiet();
}

/// An admin, or a page, changes a setting of Bob's.
fn set(sim: &Sim, change: SettingsChange) {
    let bob = UserId::new(&OfficeId::new("main").unwrap(), "102").unwrap();
    sim.ask(sim.switch().change_user(&bob, vec![change])).unwrap().unwrap();
}

#[test]
fn r119_what_is_changed_elsewhere_turns_the_keys_of_the_phone() {
    let (mut sim, ann, bob) = in_step();
    let begin = sim.now();
    set(&sim, SettingsChange::Status(UserStatus::DoNotDisturb));
    sim.run_until(|| bob.sees_of("102", KEYS).contains("dnd=true"));
    sim.run_until(ann.sees_that("102", PRESENCE, "closed busy"));
    set(&sim, SettingsChange::Forward(ForwardWhen::Busy, Some(Dialled::new("103").unwrap())));
    sim.run_until(|| bob.sees_of("102", KEYS).contains("forwardBusy=103"));
    assert!(sim.now().since(begin) <= seconds(1), "{}", sim.ladder().since(begin));
    sim.run_until_quiet();
}

#[test]
fn r120_a_forward_that_is_set_at_the_phone_is_followed_and_one_to_nobody_is_not() {
    let (mut sim, ann, bob) = in_step();
    let cem = sim.phone("cem", "103");
    bob.sets_forward("forwardImmediate", Some("103"));
    sim.run_until(|| bob.sees_of("102", KEYS).contains("forwardImmediate=103"));
    ann.dials("102");
    sim.run_until(cem.rings());
    ann.hangs_up();
    bob.sets_forward("forwardImmediate", None);
    sim.run_until(|| bob.sees_of("102", KEYS).contains("forwardImmediate=off"));
    sim.run_until(cem.is_idle());
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    // What the end of the call is told by shall not be taken for the answer.
    sim.run_for(seconds(2));
    let told = bob.times_told("102", KEYS);
    bob.sets_forward("forwardBusy", Some("my colleague"));
    sim.run_until(|| bob.times_told("102", KEYS) > told);
    sim.run_for(seconds(1));
    assert!(bob.sees_of("102", KEYS).contains("forwardBusy=off"), "the phone is told that it stays off");
    sim.run_until_quiet();
}

#[test]
fn what_a_device_publishes_is_told_until_it_is_taken_back_or_runs_out() {
    let (mut sim, ann, bob) = in_step();
    ann.watches_again("102", PRESENCE, 3_600);
    bob.publishes("away");
    sim.run_until(ann.sees_that("102", PRESENCE, "open away"));
    assert_eq!(bob.published(), Some(200));
    sim.run_for(seconds(300));
    // Without a body it says the same once more.
    bob.publishes_for("", 600);
    sim.run_for(seconds(500));
    assert_eq!(ann.sees_of("102", PRESENCE), "open away");
    bob.publishes("meeting");
    sim.run_until(ann.sees_that("102", PRESENCE, "open meeting"));
    bob.publishes_for("", 0);
    sim.run_until(ann.sees_that("102", PRESENCE, "open unknown"));
    bob.publishes_for("", 600);
    sim.run_for(seconds(1));
    assert_eq!(bob.published(), Some(412), "its tag is not known any more");
    bob.publishes_for("<presence xmlns='x'><person><activities><away/></activities></person></presence>", 60);
    sim.run_until(ann.sees_that("102", PRESENCE, "open away"));
    sim.run_for(seconds(61));
    assert_eq!(ann.sees_of("102", PRESENCE), "open unknown");
    bob.publishes_for("<presence", 60);
    sim.run_for(seconds(1));
    assert_eq!(bob.published(), Some(412), "its tag ran out with it");
    bob.publishes_for("<presence", 60);
    sim.run_for(seconds(1));
    assert_eq!(bob.published(), Some(400));
    sim.run_until_quiet();
}

#[test]
fn r120_do_not_disturb_that_a_device_publishes_is_the_users_and_turns_the_keys_of_his_other_one() {
    let (mut sim, ann, bob) = in_step();
    let app = sim.phone("app", "102");
    let begin = sim.now();
    app.publishes("dnd");
    sim.run_until(|| bob.sees_of("102", KEYS).contains("dnd=true"));
    sim.run_until(ann.sees_that("102", PRESENCE, "closed busy"));
    assert!(sim.now().since(begin) <= seconds(1), "{}", sim.ladder().since(begin));
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    // He changes it at the other one, and what the first one says once more is nothing new.
    bob.presses_do_not_disturb(false);
    sim.run_until(ann.sees_that("102", PRESENCE, "open unknown"));
    app.publishes_for("", 600);
    sim.run_for(seconds(2));
    assert!(bob.sees_of("102", KEYS).contains("dnd=false"));
    app.publishes("away");
    app.publishes("dnd");
    sim.run_until(|| bob.sees_of("102", KEYS).contains("dnd=true"));
    // An app that is closed leaves him as he wants to be.
    app.publishes_for("", 0);
    sim.run_for(seconds(2));
    assert!(bob.sees_of("102", KEYS).contains("dnd=true"));
    sim.run_until_quiet();
}

#[test]
fn a_mailbox_without_messages_says_so() {
    let mut sim = Sim::demo();
    let bob = sim.phone("bob", "102");
    bob.watches("102", MESSAGES);
    sim.run_until(bob.sees_that("102", MESSAGES, "waiting=no"));
    assert!(
        bob.told_of("102", MESSAGES).contains("Message-Account: sip:*98@plugboard.test\r\nVoice-Message: 0/0 (0/0)")
    );
    sim.run_until_quiet();
}

#[test]
fn who_may_not_watch_is_told_so_and_an_unknown_one_is_asked_for_a_password_like_any_other() {
    let mut sim = Setup::offices(vec![OfficeText::demo(), other_office()]).start();
    let (ann, _bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let status = |sim: &mut Sim, number: &str, event: &str, more: &[(&str, &str)]| {
        ann.subscribes(number, event, 600, more);
        sim.run_until(|| ann.subscribed(number, event).is_some());
        ann.subscribed(number, event)
    };
    assert_eq!(status(&mut sim, "102", MESSAGES, &[]), Some(403), "another one's mailbox");
    assert_eq!(status(&mut sim, "102", KEYS, &[]), Some(403), "another one's keys");
    assert_eq!(status(&mut sim, "999", "dialog", &[]), Some(404), "nobody");
    assert_eq!(status(&mut sim, "701", "dialog", &[]), Some(404), "somebody of another office");
    assert_eq!(status(&mut sim, "200", PRESENCE, &[]), Some(404), "a group is in no state");
    assert_eq!(status(&mut sim, "102", "conference", &[]), Some(489));
    assert_eq!(status(&mut sim, "102", "dialog", &[("Accept", "text/plain")]), Some(406));
    assert_eq!(status(&mut sim, "102", "dialog", &[]), Some(200));
    let stranger = sim.new_phone("stranger", "101");
    stranger.has_password("guessed");
    stranger.watches("102", "dialog");
    sim.run_until(|| stranger.subscribed("102", "dialog").is_some());
    assert_eq!(stranger.subscribed("102", "dialog"), Some(401));
    assert_eq!(sim.holdings().subscriptions, 1);
    sim.run_until_quiet();
}

/// An office beside the demo's.
fn other_office() -> OfficeText {
    OfficeText::new(
        "office: other\ndomains: [other.test]\nusers:\n  - { id: zoe, number: 701, name: Zoe, password: demo-701 }\n",
    )
}

#[test]
fn a_subscription_is_refreshed_ended_and_runs_out() {
    let (mut sim, ann, bob) = in_step();
    ann.watches_again("102", PRESENCE, 700);
    sim.run_until(|| ann.subscribed("102", PRESENCE) == Some(200));
    sim.run_for(seconds(1));
    assert!(ann.subscription("102", PRESENCE).starts_with("active;expires=7"));
    ann.watches_again("102", PRESENCE, 0);
    sim.run_until(|| ann.subscription("102", PRESENCE) == "terminated;reason=timeout");
    ann.watches_again("102", PRESENCE, 600);
    sim.run_until(|| ann.subscribed("102", PRESENCE) == Some(481));
    sim.run_for(seconds(600));
    assert_eq!(bob.subscription("102", KEYS), "terminated;reason=timeout");
    assert_eq!(sim.holdings().subscriptions, 0);
    sim.run_until_quiet();
}

#[test]
fn who_leaves_the_office_is_watched_and_watches_no_more() {
    let (mut sim, ann, bob) = in_step();
    let cem = sim.phone("cem", "103");
    cem.watches("200", "dialog");
    bob.watches("101", PRESENCE);
    sim.run_for(seconds(2));
    let bobs_line = "  - { id: \"102\", number: 102, name: Bob Baker, password: demo-102 }\n";
    sim.applies(&[OfficeText::demo().replace(bobs_line, "").replace("\"102\", ", "")]);
    sim.run_until(|| ann.subscription("102", PRESENCE) == "terminated;reason=noresource");
    sim.run_until(|| bob.subscription("101", PRESENCE) == "terminated;reason=noresource");
    sim.run_until(|| bob.subscription("102", KEYS) == "terminated;reason=noresource");
    assert!(cem.subscription("200", "dialog").starts_with("active"), "the group goes on without him");
    ann.dials("200");
    sim.run_until(cem.sees_that("200", "dialog", "early"));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn when_the_switch_ends_whoever_watches_is_told() {
    let (mut sim, ann, bob) = in_step();
    sim.ask(async { sim.switch().drain() });
    sim.run_until(|| ann.subscription("102", PRESENCE) == "terminated;reason=deactivated");
    sim.run_until(|| bob.subscription("102", KEYS) == "terminated;reason=deactivated");
    ann.watches("102", PRESENCE);
    sim.run_until(|| ann.subscribed("102", PRESENCE) == Some(503));
    sim.ask(async { sim.switch().leave_subscriptions().await });
    sim.run_until_quiet();
}

#[test]
fn a_change_of_the_office_that_does_not_matter_to_him_is_not_told() {
    let (mut sim, ann, _bob) = in_step();
    let told = ann.times_told("102", PRESENCE);
    sim.applies(&[OfficeText::demo().replace("domains:", "lamps_show_caller: true\ndomains:")]);
    sim.run_for(millis(2_500));
    assert_eq!(ann.times_told("102", PRESENCE), told);
}
