//! Mailboxes with more than one in front of them: those who guess at PINs, those who leave messages at once, and the members of a
//! group.

use plugboard_model::TapeKind;
use plugboard_simulator::{OfficeText, Setup};

use super::voicemail::{AFTER, GREETING, KEPT, SUMMARY, leaves, menu, office, ruled, speaks, tapes, voicemail};
use crate::seconds;

#[test]
fn an_office_that_is_taken_out_and_applied_again_gives_nobody_new_tries_to_guess_a_pin() {
    let office = OfficeText::demo().replace("own_phone_without_pin: true", "longest: 1m");
    let mut sim = Setup::offices(vec![office.clone()]).start();
    let ann = sim.phone("ann", "101");
    let (enter, wrong, locked) =
        ("Enter your PIN, then the hash key.", "That is not right.", "Too many attempts. Please try again later.");
    // Long after the switch was started.
    sim.run_for(seconds(3_600));
    ann.dials("*98102");
    for _ in 0..3 {
        sim.run_until(ann.hears(enter));
        ann.presses("1234#");
        sim.run_until(ann.hears(wrong));
    }
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    sim.applies(&[]);
    sim.run_for(seconds(5));
    sim.applies(&[office]);
    sim.run_for(seconds(5));
    ann.dials("*98103");
    sim.run_until(ann.hears(enter));
    ann.presses("47110#");
    sim.run_until(ann.hears(locked));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_restart_gives_nobody_new_tries_to_guess_a_pin() {
    let mut sim = ruled("longest: 1m").start();
    let ann = sim.phone("ann", "101");
    let (enter, wrong, locked) =
        ("Enter your PIN, then the hash key.", "That is not right.", "Too many attempts. Please try again later.");
    ann.dials("*98102");
    for _ in 0..3 {
        sim.run_until(ann.hears(enter));
        ann.presses("1234#");
        sim.run_until(ann.hears(wrong));
    }
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let mut again = ruled("longest: 1m").after(sim).start();
    let (desk, bob) = (again.phone("desk", "101"), again.phone("bob", "102"));
    // The mailbox is locked for whoever comes, and the guesser out of every one.
    for (phone, dials) in [(&bob, "*98"), (&desk, "*98103")] {
        phone.dials(dials);
        again.run_until(phone.hears(enter));
        phone.presses("47110#");
        again.run_until(phone.hears(locked));
        again.run_until(phone.is_idle());
    }
    again.run_for(seconds(61));
    bob.dials("*98");
    again.run_until(bob.hears(enter));
    bob.presses("47110#");
    again.run_until(bob.hears(&menu(0, 0)));
    bob.hangs_up();
    again.run_until_quiet();
    // A right one is forgotten as well: the next three are wrong for the first time.
    let mut third = ruled("longest: 1m").after(again).start();
    let cell = third.phone("cell", "102");
    cell.dials("*98");
    third.run_until(cell.hears(enter));
    cell.presses("47110#");
    third.run_until(cell.hears(&menu(0, 0)));
    cell.hangs_up();
    third.run_until_quiet();
}

#[test]
fn whoever_leaves_a_message_takes_the_last_place_from_his_first_word_on() {
    let mut sim = ruled("own_phone_without_pin: true, messages: 1").start();
    let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
    let full = "Nobody can take your call, and the mailbox is full.";
    speaks(&mut sim, &ann);
    cem.dials("300");
    sim.run_until(cem.hears(full));
    sim.run_until(cem.is_idle());
    ann.presses("#");
    sim.run_until(ann.hears(KEPT));
    sim.run_until_quiet();
    assert_eq!(tapes(&sim).len(), 1);
}

#[test]
fn whoever_says_nothing_gives_his_place_in_the_mailbox_back() {
    let mut sim = ruled("own_phone_without_pin: true, messages: 1").start();
    let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
    ann.dials("300");
    sim.run_until(ann.hears(GREETING));
    ann.hangs_up();
    sim.run_until_quiet();
    leaves(&mut sim, &cem, seconds(3));
    assert_eq!(tapes(&sim).len(), 1);
}

#[test]
fn a_key_pressed_again_and_again_reads_its_message_once() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    leaves(&mut sim, &ann, seconds(5));
    let file = tapes(&sim)[0].0.file.clone();
    // To sum it up.
    assert_eq!(sim.tapes().reads(&file), 1);
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(1, 0)));
    bob.presses("1");
    sim.run_until(bob.hears("ann"));
    for _ in 0..20 {
        bob.presses("1");
        sim.run_for(seconds(1));
    }
    sim.run_until(bob.hears("ann"));
    sim.run_until(bob.hears(AFTER));
    bob.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.tapes().reads(&file), 2);
}

/// Cem is in the group, or not any more.
fn sales(with_cem: bool) -> OfficeText {
    let text = office("  - voicemail: { group: sales }\n");
    let all = r#"members: ["102", "103", "104"]"#;
    if with_cem { text } else { text.replace(all, r#"members: ["102", "104"]"#) }
}

#[test]
fn a_message_for_a_group_lights_the_lamp_of_its_members_for_as_long_as_they_are_in_it() {
    let mut sim = Setup::offices(vec![sales(true)]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    for member in [&bob, &cem] {
        member.watches("200", SUMMARY);
        sim.run_until(member.sees_that("200", SUMMARY, "waiting=no"));
    }
    ann.watches("200", SUMMARY);
    let refused = || ann.subscribed("200", SUMMARY);
    sim.run_until(|| refused().is_some());
    assert_eq!(refused(), Some(403), "she is not in it");

    ann.dials("300");
    sim.run_until(ann.hears("tone"));
    sim.run_for(seconds(3));
    ann.presses("#");
    sim.run_until(ann.hears(KEPT));
    sim.run_until_quiet();
    assert!(matches!(tapes(&sim)[0].0.kind, TapeKind::Message { heard: false, .. }));
    for member in [&bob, &cem] {
        let told = member.told_of("200", SUMMARY);
        assert!(told.contains("Message-Account: sip:*98200@plugboard.test\r\nVoice-Message: 1/0 (0/0)"), "{told}");
    }
    // Whoever leaves the group sees no more of it.
    sim.applies(&[sales(false)]);
    sim.run_for(seconds(2));
    assert!(cem.subscription("200", SUMMARY).starts_with("terminated"), "{}", cem.subscription("200", SUMMARY));
    assert!(bob.subscription("200", SUMMARY).starts_with("active"));
    bob.dials("*98200");
    sim.run_until(bob.hears(&menu(1, 0)));
    bob.presses("1");
    sim.run_until(bob.hears("ann"));
    sim.run_until(bob.hears(AFTER));
    sim.run_until(bob.sees_that("200", SUMMARY, "waiting=no"));
    bob.hangs_up();
    sim.run_until_quiet();
    assert!(cem.told_of("200", SUMMARY).contains("Voice-Message: 1/0"), "what he was told last");
}
