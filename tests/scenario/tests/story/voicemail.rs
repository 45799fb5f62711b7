//! Voice messages: left after the tone, heard again, counted on the phone that they are for.

use plugboard_model::{CallOutcome, CallRecord, JournalEvent, Mailbox, TapeEnd, TapeKind, TapeRecord, TapeWhy};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};
use std::time::Duration;

use crate::{millis, seconds, steps};

pub(super) const GREETING: &str = "Bob Baker cannot take your call. Please leave a message after the tone.";
pub(super) const KEPT: &str = "Your message is saved. Goodbye.";
pub(super) const SUMMARY: &str = "message-summary";

/// The demo office, in which 102 has the PIN 47110, with a scenario of these steps at 300.
pub(super) fn office(steps: &str) -> OfficeText {
    let of_102 = "name: Bob Baker, password: demo-102";
    let with_pin = format!("{of_102}, voicemail: {{ pin: \"47110\" }}");
    OfficeText::demo().with_story(steps).replace(of_102, &with_pin)
}

/// Who dials 300 leaves a message for 102.
pub(super) fn voicemail() -> Setup {
    Setup::offices(vec![office("  - voicemail: { user: \"102\" }\n")])
}

/// The same where mailboxes have these rules.
pub(super) fn ruled(rules: &str) -> Setup {
    let demo = "voicemail: { own_phone_without_pin: true }";
    let text = office("  - voicemail: { user: \"102\" }\n").replace(demo, &format!("voicemail: {{ {rules} }}"));
    Setup::offices(vec![text])
}

/// Ann dials, hears the greeting and the tone, and speaks from then on.
pub(super) fn speaks(sim: &mut Sim, ann: &Phone) {
    ann.dials("300");
    sim.run_until(ann.hears(GREETING));
    let before = ann.packets_of("tone");
    let phone = ann.clone();
    sim.run_until(move || phone.packets_of("tone") > before);
    // The beep is over.
    sim.run_for(millis(600));
}

/// Ann leaves a message of this length, and is told that it is kept.
pub(super) fn leaves(sim: &mut Sim, ann: &Phone, length: Duration) {
    speaks(sim, ann);
    sim.run_for(length);
    ann.presses("#");
    sim.run_until(ann.hears(KEPT));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
}

/// The messages and greetings, each with how it ended.
pub(super) fn tapes(sim: &Sim) -> Vec<(TapeRecord, TapeEnd)> {
    let ended = |tape: TapeRecord| {
        let end = tape.end.clone().unwrap_or_else(|| panic!("it goes on: {tape:#?}"));
        (tape, end)
    };
    sim.recordings("main").into_iter().map(ended).collect()
}

/// Whether the message was heard.
fn heard(tape: &TapeRecord) -> bool {
    matches!(tape.kind, TapeKind::Message { heard: true, .. })
}

/// The record of the last call.
fn last(sim: &Sim) -> CallRecord {
    sim.records("main").pop().unwrap()
}

/// For how long somebody is heard in a file, in milliseconds.
pub(super) fn said(sim: &Sim, tape: &TapeRecord, who: &str) -> usize {
    let [said, _] = sim.sides(&tape.file);
    said.iter().filter(|(name, _)| name == who).map(|(_, count)| count * 20).sum()
}

fn notes(sim: &Sim) -> Vec<String> {
    let journal = sim.journal(&last(sim));
    let note = |event| if let JournalEvent::Note { text } = event { Some(text) } else { None };
    journal.into_iter().filter_map(|entry| note(entry.event)).collect()
}

/// The menu of a mailbox.
pub(super) fn menu(new: u32, old: u32) -> String {
    format!("New messages: {new}. Old messages: {old}. 1: new messages. 2: old messages. 5: record a greeting. 9: end.")
}

pub(super) const AFTER: &str = "1: again. 2: next. 3: delete. 4: save. 0: menu.";

#[test]
fn r72_a_message_is_left_after_the_tone_and_heard_again() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    leaves(&mut sim, &ann, seconds(5));
    let record = sim.record();
    assert_eq!(steps(&record), ["steps[0] voicemail: recorded"]);
    // Nobody talked to the caller (R85).
    assert_eq!((&record.outcome, record.answered, &record.answered_by), (&CallOutcome::Handled, None, &None));
    let all = tapes(&sim);
    let [(tape, end)] = all.as_slice() else { panic!("{all:#?}") };
    assert!(
        matches!(&tape.kind, TapeKind::Message { of: Mailbox::User(bob), heard: false } if bob.name.as_str() == "102")
    );
    assert_eq!((&tape.call, &end.why), (&record.id, &TapeWhy::Asked));
    assert!((4_500..6_500).contains(&end.length_ms), "{}", end.length_ms);
    assert!(said(&sim, tape, "ann") > 4_300, "{:?}", sim.sides(&tape.file));
    // Where she begins, one piece has something of both.
    assert!(said(&sim, tape, "tone") <= 20, "the beep is no part of it: {:?}", sim.sides(&tape.file));
    let told = notes(&sim).join("; ");
    assert!(told.contains("voicemail of user 102; message 1 for user 102 begins; message 1 of"), "{told}");
    assert!(told.contains("ended: asked, kept"), "{told}");

    bob.dials("*98");
    sim.run_until(bob.hears(&menu(1, 0)));
    bob.presses("1");
    sim.run_until(bob.hears("ann"));
    sim.run_until(bob.hears(AFTER));
    let played = bob.packets_of("ann") * 20;
    assert!(played.abs_diff(u64::try_from(said(&sim, tape, "ann")).unwrap()) < 200, "{played}");
    bob.presses("2");
    sim.run_until(bob.hears("No more messages."));
    sim.run_until(bob.hears(&menu(0, 1)));
    bob.presses("9");
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert!(heard(&tapes(&sim)[0].0));
}

#[test]
fn a_message_ends_at_its_longest_length() {
    let mut sim = ruled("own_phone_without_pin: true, longest: 6s").start();
    let ann = sim.phone("ann", "101");
    speaks(&mut sim, &ann);
    sim.run_until(ann.hears(KEPT));
    sim.run_until_quiet();
    let (_, end) = tapes(&sim).remove(0);
    assert_eq!(end.why, TapeWhy::Limit);
    assert!((5_900..6_500).contains(&end.length_ms), "{}", end.length_ms);
}

#[test]
fn a_message_ends_by_silence() {
    let mut sim = ruled("own_phone_without_pin: true, silence: 3s").start();
    let ann = sim.phone("ann", "101");
    speaks(&mut sim, &ann);
    sim.run_for(seconds(4));
    ann.is_muted(true);
    let began = sim.now();
    sim.run_until(ann.hears(KEPT));
    let waited = sim.now().since(began);
    assert!((millis(2_900)..millis(4_000)).contains(&waited), "{waited:?}");
    sim.run_until_quiet();
    let (tape, end) = tapes(&sim).remove(0);
    assert_eq!(end.why, TapeWhy::Silence);
    assert!(said(&sim, &tape, "ann") > 3_500);
}

#[test]
fn who_says_nothing_or_hardly_anything_leaves_no_message() {
    for spoken in [millis(0), millis(300)] {
        let mut sim = voicemail().start();
        let ann = sim.phone("ann", "101");
        ann.dials("300");
        sim.run_until(ann.hears(GREETING));
        ann.is_muted(true);
        sim.run_until(ann.hears("tone"));
        sim.run_for(seconds(1));
        ann.is_muted(false);
        sim.run_for(spoken);
        ann.is_muted(true);
        sim.run_until(ann.hears("Nothing was recorded."));
        sim.run_until_quiet();
        assert_eq!(steps(&last(&sim)), ["steps[0] voicemail: empty"]);
        assert_eq!(sim.recordings("main"), []);
        assert_eq!(sim.tapes().paths(), Vec::<String>::new(), "the file is gone as well");
    }
}

#[test]
fn who_hangs_up_while_he_speaks_has_left_his_message() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    speaks(&mut sim, &ann);
    sim.run_for(seconds(4));
    ann.hangs_up();
    sim.run_until_quiet();
    let (_, end) = tapes(&sim).remove(0);
    assert_eq!(end.why, TapeWhy::CallOver);
    assert!((3_500..5_500).contains(&end.length_ms), "{}", end.length_ms);
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(1, 0)));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_disk_that_fills_up_cuts_the_message_and_the_caller_is_told() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    leaves(&mut sim, &ann, seconds(3));
    speaks(&mut sim, &ann);
    sim.run_for(seconds(5));
    sim.tapes().has_room_for(Some(0));
    sim.run_until(ann.hears("Only the first part of your message could be saved."));
    sim.run_until_quiet();
    let all = tapes(&sim);
    assert_eq!((all.len(), &all[1].1.why), (2, &TapeWhy::DiskFull));
    assert!(all[1].1.length_ms > 2_000, "{}", all[1].1.length_ms);

    ann.dials("300");
    sim.run_until(ann.hears("Your message could not be saved. Please call again later."));
    sim.run_until_quiet();
    assert_eq!(steps(&last(&sim)), ["steps[0] voicemail: failed"]);
    assert_eq!(tapes(&sim).len(), 2, "nothing else is lost");
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(2, 0)));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_full_mailbox_takes_no_message_and_says_so() {
    let mut sim = ruled("own_phone_without_pin: true, messages: 1").start();
    let ann = sim.phone("ann", "101");
    leaves(&mut sim, &ann, seconds(3));
    ann.dials("300");
    sim.run_until(ann.hears("Nobody can take your call, and the mailbox is full."));
    sim.run_until_quiet();
    assert_eq!(steps(&last(&sim)), ["steps[0] voicemail: full"]);
    assert_eq!(tapes(&sim).len(), 1);
}

#[test]
fn messages_are_saved_and_deleted_and_what_is_not_heard_stays_new() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    for _ in 0..3 {
        leaves(&mut sim, &ann, seconds(3));
    }
    bob.watches("102", SUMMARY);
    sim.run_until(bob.sees_that("102", SUMMARY, "waiting=yes"));
    let counts = |bob: &Phone| {
        let told = bob.told_of("102", SUMMARY);
        told.split("Voice-Message: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned()
    };
    assert_eq!(counts(&bob), "3/0");
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(3, 0)));
    bob.presses("1");
    // The first one is deleted, the second saved, the third passed over.
    sim.run_until(bob.hears("ann"));
    bob.presses("3");
    sim.run_until(bob.hears("Deleted."));
    sim.run_for(millis(200));
    assert_eq!(counts(&bob), "2/0");
    sim.run_until(bob.hears("ann"));
    bob.presses("4");
    sim.run_until(bob.hears("Saved."));
    sim.run_for(millis(200));
    assert_eq!(counts(&bob), "1/1");
    sim.run_until(bob.hears("ann"));
    bob.presses("2");
    sim.run_until(bob.hears("No more messages."));
    sim.run_until(bob.hears(&menu(1, 1)));
    bob.hangs_up();
    sim.run_until_quiet();
    let all = tapes(&sim);
    assert_eq!(all.iter().map(|(tape, _)| heard(tape)).collect::<Vec<_>>(), [true, false]);
    assert_eq!(sim.tapes().paths().len(), 2, "the file of the deleted one is gone");
    assert_eq!(counts(&bob), "1/1");
}

#[test]
fn what_waits_is_told_to_the_phone_when_it_changes_and_also_after_a_restart() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.watches("102", SUMMARY);
    sim.run_until(bob.sees_that("102", SUMMARY, "waiting=no"));
    leaves(&mut sim, &ann, seconds(3));
    assert!(bob.told_of("102", SUMMARY).contains("Voice-Message: 1/0 (0/0)"), "{}", bob.told_of("102", SUMMARY));
    let mut again = voicemail().after(sim).start();
    // Others than before; the first has the voice of the first.
    let (_desk, bob) = (again.phone("desk", "101"), again.phone("mobile", "102"));
    bob.watches("102", SUMMARY);
    again.run_until(bob.sees_that("102", SUMMARY, "waiting=yes"));
    assert!(bob.told_of("102", SUMMARY).contains("Message-Account: sip:*98@plugboard.test\r\nVoice-Message: 1/0"));
    bob.dials("*98");
    again.run_until(bob.hears(&menu(1, 0)));
    bob.presses("1");
    again.run_until(bob.hears("desk"));
    again.run_until(bob.hears(AFTER));
    again.run_until(bob.sees_that("102", SUMMARY, "waiting=no"));
    assert!(bob.told_of("102", SUMMARY).contains("Voice-Message: 0/1 (0/0)"));
    bob.hangs_up();
    again.run_until_quiet();
}

#[test]
fn a_greeting_is_spoken_by_phone_and_heard_by_the_next_caller() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(0, 0)));
    bob.presses("5");
    let words = "Speak your greeting after the tone, then press the hash key.";
    sim.run_until(bob.hears(words));
    let phone = bob.clone();
    sim.run_until(move || phone.packets_of("tone") > 0);
    sim.run_for(seconds(4));
    bob.presses("#");
    sim.run_until(bob.hears("bob"));
    sim.run_until(bob.hears("1: keep. 2: record again. 3: delete."));
    bob.presses("1");
    sim.run_until(bob.hears("Saved."));
    bob.hangs_up();
    sim.run_until_quiet();
    ann.dials("300");
    sim.run_until(ann.hears("bob"));
    let phone = ann.clone();
    sim.run_until(move || phone.packets_of("tone") > 0);
    assert!((2_500..5_000).contains(&(ann.packets_of("bob") * 20)), "{}", ann.packets_of("bob"));
    assert_eq!(ann.packets_of(GREETING), 0);
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(matches!(tapes(&sim)[0].0.kind, TapeKind::Greeting { .. }));
}

#[test]
fn a_pin_opens_and_wrong_ones_lock_for_a_while_and_are_in_no_journal() {
    let mut sim = ruled("longest: 1m").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (enter, wrong) = ("Enter your PIN, then the hash key.", "That is not right.");
    leaves(&mut sim, &ann, seconds(3));
    // Ann tries to hear what is Bob's.
    ann.dials("*98102");
    for _ in 0..3 {
        sim.run_until(ann.hears(enter));
        ann.presses("1234#");
        sim.run_until(ann.hears(wrong));
    }
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let told = notes(&sim);
    assert_eq!(told.iter().filter(|note| *note == "a wrong PIN for user 102").count(), 3, "{told:?}");
    let digits: Vec<char> = sim
        .journal(&last(&sim))
        .into_iter()
        .filter_map(|entry| if let JournalEvent::Digit { digit, .. } = entry.event { Some(digit) } else { None })
        .collect();
    assert_eq!((digits.len(), digits.iter().all(|digit| *digit == '?')), (15, true), "{digits:?}");
    // Now it is locked, also for who knows it.
    bob.dials("*98");
    sim.run_until(bob.hears(enter));
    bob.presses("47110#");
    sim.run_until(bob.hears("Too many attempts. Please try again later."));
    sim.run_until(bob.is_idle());
    sim.run_for(seconds(61));
    bob.dials("*98");
    sim.run_until(bob.hears(enter));
    bob.presses("47110#");
    sim.run_until(bob.hears(&menu(1, 0)));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_comes_from_outside_enters_number_and_pin() {
    let text = office("  - mailbox\n").replace("any: true, scenario: welcome", "any: true, scenario: story");
    let mut sim = Setup::offices(vec![text]).start();
    let world = sim.outside("world", "127.0.0.1:5080");
    world.dials_as("100", "0301234");
    sim.run_until(world.hears("Enter the number of the mailbox, then the hash key."));
    world.presses("102#");
    sim.run_until(world.hears("Enter your PIN, then the hash key."));
    world.presses("47110#");
    sim.run_until(world.hears(&menu(0, 0)));
    world.presses("9");
    sim.run_until(world.hears("Goodbye."));
    sim.run_until(world.is_idle());
    sim.run_until_quiet();
    assert_eq!(steps(&last(&sim)), ["steps[0] mailbox: done"]);
}

#[test]
fn a_group_has_a_mailbox_that_its_members_open() {
    let text = office("  - voicemail: { group: sales }\n");
    let mut sim = Setup::offices(vec![text]).start();
    let (ann, cem, fay) = (sim.phone("ann", "101"), sim.phone("cem", "103"), sim.phone("fay", "106"));
    ann.dials("300");
    sim.run_until(ann.hears("Sales cannot take your call. Please leave a message after the tone."));
    sim.run_until(ann.hears("tone"));
    sim.run_for(seconds(3));
    ann.presses("#");
    sim.run_until(ann.hears(KEPT));
    sim.run_until_quiet();
    cem.dials("*98200");
    sim.run_until(cem.hears(&menu(1, 0)));
    cem.hangs_up();
    // Who is not in it is asked for a PIN, of which there is none.
    fay.dials("*98200");
    sim.run_until(fay.hears("Enter your PIN, then the hash key."));
    fay.presses("0000#");
    sim.run_until(fay.hears("That is not right."));
    fay.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_forward_leads_to_the_mailbox_of_whoever_does_not_answer() {
    let of_102 = "password: demo-102, voicemail";
    let text =
        office("  - voicemail\n").replace(of_102, &format!("forward: {{ no_answer: 300, after: 10s }}, {of_102}"));
    let mut sim = Setup::offices(vec![text]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_until(ann.hears(GREETING));
    sim.run_until(ann.hears("tone"));
    sim.run_for(seconds(3));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().answered, None);
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(1, 0)));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn where_nothing_reads_aloud_tones_lead_through() {
    let mut sim = voicemail().start();
    sim.loses_its_voice();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.hears("tone"));
    sim.run_for(seconds(3));
    ann.presses("#");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(steps(&last(&sim)), ["steps[0] voicemail: recorded"]);
    bob.dials("*98");
    sim.run_until(bob.hears("tone"));
    bob.presses("1");
    sim.run_until(bob.hears("ann"));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_prompt_of_the_office_stands_in_place_of_words() {
    let steps_ = "  - voicemail: { user: \"102\", greeting: closed }\n";
    let setup = Setup::offices(vec![office(steps_)]).prompt("closed", seconds(2));
    let mut sim = setup.prompt("voicemail-message-kept", seconds(1)).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("closed"));
    // Who knows it presses a key.
    ann.presses("1");
    sim.run_until(ann.hears("tone"));
    sim.run_for(seconds(3));
    ann.presses("#");
    sim.run_until(ann.hears("voicemail-message-kept"));
    sim.run_until_quiet();
    assert_eq!((ann.packets_of(GREETING), ann.packets_of(KEPT)), (0, 0));
    assert!(ann.packets_of("closed") < 90, "{}", ann.packets_of("closed"));
}

#[test]
fn a_recording_of_the_call_has_the_message_as_well_and_goes_on_after_it() {
    let steps_ = "  - record\n  - voicemail: { user: \"102\" }\n  - play-audio: { audio: welcome }\n";
    let mut sim = Setup::offices(vec![office(steps_)]).start();
    let ann = sim.phone("ann", "101");
    leaves(&mut sim, &ann, seconds(3));
    let all = tapes(&sim);
    assert_eq!(all.iter().map(|(tape, _)| tape.n).collect::<Vec<_>>(), [1, 2]);
    let [_, right] = sim.sides(&all[0].0.file);
    assert!(right.iter().any(|(who, _)| who == "welcome"), "{right:?}");
    // Two tapes at one leg: what she said is on both.
    let [whole, message] = [0, 1].map(|n| u64::try_from(said(&sim, &all[n].0, "ann")).unwrap());
    assert!(message > 2_800, "{message}");
    assert!(whole + 500 > all[0].1.length_ms, "{whole} of {}", all[0].1.length_ms);
}

#[test]
fn a_pin_or_a_limit_that_is_none_is_a_fault() {
    let sim = Sim::demo();
    let faults = |office: &OfficeText| sim.faults(office).join("\n");
    let pin = OfficeText::demo().replace("password: demo-101", "password: demo-101, voicemail: { pin: \"12\" }");
    assert!(faults(&pin).contains("a PIN has 4 to 12 digits"), "{}", faults(&pin));
    let long = OfficeText::demo().replace("own_phone_without_pin: true", "longest: 2h");
    assert!(faults(&long).contains("longest"), "{}", faults(&long));
}

#[test]
fn in_the_demo_a_user_sends_his_unanswered_calls_to_his_mailbox_and_sales_take_messages() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.dials("*92*97");
    sim.run_until(bob.hears("tone"));
    sim.run_until(bob.is_idle());
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_until(ann.hears(GREETING));
    ann.hangs_up();
    sim.run_until_quiet();
    ann.dials("100");
    sim.run_until(ann.hears("welcome"));
    ann.presses("1");
    sim.run_until(bob.rings());
    sim.run_until(ann.hears("Sales cannot take your call. Please leave a message after the tone."));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.recordings("main"), [], "nothing was said");
}

#[test]
fn what_an_admin_erases_waits_no_longer() {
    let mut sim = voicemail().start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.watches("102", SUMMARY);
    leaves(&mut sim, &ann, seconds(3));
    sim.run_until(bob.sees_that("102", SUMMARY, "waiting=yes"));
    let (tape, _) = tapes(&sim).remove(0);
    sim.switch().mailboxes().forget(&tape);
    sim.run_until(bob.sees_that("102", SUMMARY, "waiting=no"));
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(0, 0)));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_message_is_heard_and_counted_whatever_shard_its_call_was_on() {
    let mut sim = voicemail().shards(3, true).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.watches("102", SUMMARY);
    for new in 1..=3 {
        leaves(&mut sim, &ann, seconds(2));
        let told = bob.told_of("102", SUMMARY);
        assert!(told.contains(&format!("Voice-Message: {new}/0 ")), "{told}");
    }
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(3, 0)));
    bob.presses("1");
    sim.run_until(bob.hears("ann"));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_message_that_names_nobody_is_for_whom_the_scenario_rang_last() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("100");
    sim.run_until(ann.hears("welcome"));
    ann.presses("102");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(ann.hears(GREETING));
    ann.hangs_up();
    sim.run_until_quiet();
    ann.dials("100");
    sim.run_until(ann.hears("welcome"));
    ann.presses("200");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(ann.hears("Sales cannot take your call. Please leave a message after the tone."));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_longest_pin_is_ended_by_the_hash_key_and_nothing_else_is() {
    let text = office("  - voicemail: { user: \"102\" }\n").replace("47110", "471100471100");
    let mut sim = Setup::offices(vec![text.replace("own_phone_without_pin: true", "longest: 1m")]).start();
    let bob = sim.phone("bob", "102");
    bob.dials("*98");
    sim.run_until(bob.hears("Enter your PIN, then the hash key."));
    bob.presses("471100471100#");
    sim.run_until(bob.hears(&menu(0, 0)));
    sim.run_for(seconds(2));
    assert!(bob.talks()(), "the hash key is no answer to the menu");
    bob.hangs_up();
    sim.run_until_quiet();
}

/// Bob has spoken a greeting and is asked what is to become of it.
fn greeting_under_review(sim: &mut Sim, keys: &str) -> Phone {
    let bob = sim.phone("bob", "102");
    bob.dials("*98");
    sim.run_until(bob.hears(&menu(0, 0)));
    bob.presses("5");
    let phone = bob.clone();
    sim.run_until(move || phone.packets_of("tone") > 0);
    sim.run_for(seconds(4));
    bob.presses(keys);
    sim.run_until(bob.hears("1: keep. 2: record again. 3: delete."));
    bob
}

#[test]
fn a_key_pressed_twice_at_the_end_of_a_greeting_decides_nothing() {
    let mut sim = voicemail().start();
    let bob = greeting_under_review(&mut sim, "##");
    sim.run_for(seconds(1));
    assert_eq!(bob.packets_of("Saved."), 0);
    bob.presses("3");
    sim.run_for(seconds(3));
    bob.hangs_up();
    sim.run_until_quiet();
    assert!(tapes(&sim).is_empty());
}

#[test]
fn a_greeting_that_nobody_had_decided_about_is_gone_after_a_restart() {
    let mut sim = voicemail().start();
    let _bob = greeting_under_review(&mut sim, "#");
    let mut again = voicemail().after(sim).start();
    let ann = again.phone("desk", "101");
    ann.dials("300");
    again.run_until(ann.hears(GREETING));
    ann.hangs_up();
    again.run_until_quiet();
}

#[test]
fn who_gets_a_number_after_somebody_else_hears_nothing_that_was_for_him() {
    let fay = "  - { id: \"106\", number: 106, name: Fay Fischer, password: demo-106 }\n";
    let steps = "  - voicemail: { user: \"106\" }\n";
    let before = OfficeText::demo().with_story(steps);
    let without = OfficeText::demo().replace(fay, "");
    let mut sim = Setup::offices(vec![before.clone()]).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("tone"));
    sim.run_for(seconds(3));
    ann.presses("#");
    sim.run_until(ann.hears(KEPT));
    sim.run_until_quiet();
    sim.applies(&[without]);
    sim.run_for(seconds(1));
    sim.applies(&[before]);
    sim.run_for(seconds(1));
    let phone = sim.phone("fay", "106");
    phone.dials("*98");
    sim.run_until(phone.hears(&menu(0, 0)));
    phone.hangs_up();
    sim.run_until_quiet();
    let kept = tapes(&sim);
    assert!(matches!(kept[0].0.kind, TapeKind::Recording { .. }), "an admin finds it: {kept:#?}");
}
