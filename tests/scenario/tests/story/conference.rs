//! Rooms in which more than two talk.

use plugboard_model::CallOutcome;
use plugboard_simulator::{Phone, Setup, Sim};

use crate::{millis, seconds, steps, story};

fn room(more: &str) -> Setup {
    story(&format!(
        "  - conference: {{ room: monday, leave_on: \"#\"{more} }}\n    on:\n      full:\n        - play-audio: {{ audio: first }}\n  - play-audio: {{ audio: second }}\n"
    ))
}

/// Ann, Bob and Eve, who all dialled 300; nobody but the first has said anything yet.
fn three(sim: &mut Sim) -> [Phone; 3] {
    let phones = [sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("eve", "103")];
    for phone in &phones {
        phone.dials("300");
        sim.run_until(phone.talks());
        phone.is_muted(true);
        sim.run_for(seconds(1));
    }
    phones
}

#[test]
fn each_of_three_is_heard_by_both_others_and_not_by_himself() {
    let mut sim = room("").start();
    let phones = three(&mut sim);
    for (index, speaker) in phones.iter().enumerate() {
        speaker.is_muted(false);
        sim.run_for(millis(500));
        for (other, listener) in phones.iter().enumerate() {
            let heard = listener.hears_now(&speaker.name());
            assert_eq!(heard, other != index, "{} hears {}", listener.name(), speaker.name());
        }
        speaker.is_muted(true);
        sim.run_for(millis(500));
    }
    for phone in &phones {
        phone.hangs_up();
    }
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn who_is_alone_hears_music_until_somebody_comes_and_again_when_all_have_gone() {
    let mut sim = room("").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.hears("music"));
    bob.dials("300");
    sim.run_until(ann.hears("bob"));
    sim.run_until(bob.hears("ann"));
    sim.run_for(seconds(1));
    assert!(!ann.hears_now("music") && !bob.hears_now("music"));
    bob.hangs_up();
    sim.run_for(millis(300));
    sim.run_until(ann.hears("music"));
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn a_key_leads_out_of_the_room_and_the_scenario_goes_on() {
    let mut sim = room("").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.talks());
    bob.dials("300");
    sim.run_until(ann.hears("bob"));
    ann.presses("5#");
    sim.run_until(ann.hears("second"));
    sim.run_until(ann.is_idle());
    assert!(bob.talks()(), "he stays");
    bob.hangs_up();
    sim.run_until_quiet();
    let record = &sim.records("main")[0];
    assert_eq!(steps(record), ["steps[0] conference: done", "steps[1] play-audio: done"]);
    assert_eq!(record.outcome, CallOutcome::Handled);
}

#[test]
fn nobody_enters_a_room_that_is_full() {
    let mut sim = room(", seats: 2").start();
    let (ann, bob, eve) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("eve", "103"));
    ann.dials("300");
    bob.dials("300");
    sim.run_until(ann.hears("bob"));
    eve.dials("300");
    sim.run_until(eve.hears("first"));
    ann.hangs_up();
    bob.hangs_up();
    sim.run_until_quiet();
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn who_only_listens_is_not_heard() {
    let mut sim = room(", listens: true").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    bob.dials("300");
    sim.run_until(ann.talks());
    sim.run_until(bob.talks());
    sim.run_for(seconds(2));
    assert_eq!((ann.packets_of("bob"), bob.packets_of("ann")), (0, 0));
}

#[test]
fn the_others_hear_a_beep_when_somebody_comes() {
    for (beep, heard) in [("true", true), ("false", false)] {
        let mut sim = room(&format!(", beep: {beep}")).start();
        let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
        ann.dials("300");
        sim.run_until(ann.hears("music"));
        bob.dials("300");
        sim.run_until(bob.talks());
        sim.run_for(seconds(1));
        // Where one voice ends within a packet and another begins, there is a packet of neither.
        let beeps = ann.packets_of("tone");
        assert_eq!(beeps > 8, heard, "{beep}: {beeps} packets");
    }
}

#[test]
fn the_time_in_a_room_is_limited() {
    let mut sim = room(", max: 10s").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.talks());
    let began = sim.now();
    sim.run_until(ann.hears("second"));
    let took = sim.now().since(began);
    assert!((seconds(10)..seconds(11)).contains(&took), "{took:?}");
}
