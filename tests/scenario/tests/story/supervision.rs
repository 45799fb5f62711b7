//! A colleague's call that is listened to: by ear, with a whisper, as one of three.

use plugboard_model::JournalEvent;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{journaled, millis, seconds, talk};

/// Ann at 101 and Bob at 102 talk, and Eve at 103, who supervises the sales group that Bob is in, listens.
fn listened_to() -> (Sim, [Phone; 3]) {
    let mut sim = Setup::offices(vec![
        OfficeText::demo().replace("password: demo-103 }", "password: demo-103, supervises: [sales] }"),
    ])
    .start();
    let phones = [sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("eve", "103")];
    let [ann, bob, eve] = &phones;
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, ann, bob);
    eve.dials("*13102");
    sim.run_until(eve.talks());
    sim.run_for(seconds(1));
    (sim, phones)
}

/// Whom each hears of what two say at once. Only one speaks at a time, since voices of one byte add up to another.
fn heard(sim: &mut Sim, phones: &[Phone; 3]) -> Vec<String> {
    for phone in phones {
        phone.is_muted(true);
    }
    sim.run_for(millis(500));
    let mut rows = Vec::new();
    for speaker in phones {
        speaker.is_muted(false);
        sim.run_for(millis(500));
        let by: Vec<String> = phones.iter().filter(|one| one.hears_now(&speaker.name())).map(Phone::name).collect();
        rows.push(format!("{}: {}", speaker.name(), by.join(" ")));
        speaker.is_muted(true);
        sim.run_for(millis(500));
    }
    for phone in phones {
        phone.is_muted(false);
    }
    rows
}

#[test]
fn a_supervisor_listens_whispers_to_his_own_and_joins_in() {
    let (mut sim, phones) = listened_to();
    let eve = &phones[2];
    assert_eq!(heard(&mut sim, &phones), ["ann: bob eve", "bob: ann eve", "eve: "]);
    eve.presses("2");
    sim.run_for(seconds(1));
    assert_eq!(heard(&mut sim, &phones), ["ann: bob eve", "bob: ann eve", "eve: bob"]);
    eve.presses("3");
    sim.run_for(seconds(1));
    assert_eq!(heard(&mut sim, &phones), ["ann: bob eve", "bob: ann eve", "eve: ann bob"]);
    eve.presses("1");
    sim.run_for(seconds(1));
    assert_eq!(heard(&mut sim, &phones), ["ann: bob eve", "bob: ann eve", "eve: "]);
}

#[test]
fn when_he_leaves_the_two_talk_on_as_before_and_the_journal_has_him() {
    let (mut sim, [ann, bob, eve]) = listened_to();
    eve.hangs_up();
    sim.run_for(seconds(1));
    assert!(ann.hears_now("bob") && bob.hears_now("ann"));
    ann.hangs_up();
    sim.run_until_quiet();
    let records = sim.records("main");
    let told = |event: &JournalEvent| *event == JournalEvent::Note { text: "user 103 supervises the call".into() };
    assert_eq!(journaled(&sim, &records[0], told), 1);
    assert_eq!(records[1].called, "*13102");
}

#[test]
fn when_they_hang_up_he_is_let_go() {
    let (mut sim, [ann, _bob, eve]) = listened_to();
    ann.hangs_up();
    sim.run_until(eve.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_hold_goes_on_to_work_under_the_ear_of_a_supervisor() {
    let (mut sim, phones) = listened_to();
    let [ann, bob, eve] = &phones;
    ann.holds();
    sim.run_for(seconds(1));
    assert!(bob.hears_now("music"), "{}", sim.ladder());
    ann.resumes();
    sim.run_for(seconds(1));
    assert!(bob.hears_now("ann") && ann.hears_now("bob") && !eve.hears_now("music"));
}

#[test]
fn nobody_listens_to_those_whom_he_does_not_supervise_or_who_do_not_talk() {
    let (mut sim, [ann, bob, eve]) = listened_to();
    eve.hangs_up();
    sim.run_until(eve.is_idle());
    // Ann is in no group of Eve's.
    eve.dials("*13101");
    sim.run_until(eve.was_told(403));
    sim.run_until(eve.is_idle());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    eve.dials("*13102");
    sim.run_until(eve.was_told(480));
    sim.run_until_quiet();
}

#[test]
fn he_hears_nobody_who_comes_after_the_one_whom_he_supervises() {
    for by_bob in [true, false] {
        let (mut sim, [ann, bob, eve]) = listened_to();
        let dora = sim.phone("dora", "104");
        // Bob gives Ann to Dora, or Ann gives Bob to her.
        if by_bob {
            bob.hands_on_to("104");
        } else {
            ann.hands_on_to("104");
        }
        sim.run_until(dora.rings());
        dora.answers();
        let stays = if by_bob { &ann } else { &bob };
        talk(&mut sim, stays, &dora);
        sim.run_until(eve.is_idle());
        let before = eve.packets_of("dora");
        sim.run_for(seconds(2));
        assert_eq!((before, eve.packets_of("dora")), (0, 0));
        dora.hangs_up();
        sim.run_until_quiet();
        assert!(sim.left().is_empty(), "{:?}", sim.left());
    }
}

#[test]
fn keys_reach_whom_one_talks_to_while_somebody_listens() {
    let (mut sim, [ann, bob, eve]) = listened_to();
    ann.presses("42#");
    sim.run_for(seconds(2));
    bob.presses("7");
    sim.run_for(seconds(2));
    assert_eq!((bob.keys(), ann.keys(), eve.keys()), ("42#".into(), "7".into(), String::new()));
    ann.hangs_up();
    sim.run_until_quiet();
}
