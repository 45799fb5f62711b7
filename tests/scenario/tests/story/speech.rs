//! Words that are read aloud.

use crate::{seconds, steps, story};

#[test]
fn words_are_read_to_their_end_and_the_next_step_follows() {
    let mut sim =
        story("  - say: { text: \"You called {called_number}\", language: en }\n  - play-audio: { audio: second }\n")
            .start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("You called 300"));
    let began = sim.now();
    sim.run_until(ann.hears("second"));
    let took = sim.now().since(began);
    // A tenth of a second a letter.
    assert!((1_300..1_500).contains(&took.as_millis()), "{took:?}");
    sim.run_until_quiet();
    assert_eq!(steps(&sim.record()), ["steps[0] say: done", "steps[1] play-audio: done"]);
}

#[test]
fn a_key_stops_the_words() {
    let words = "A very long text that nobody wants to hear to its end";
    let mut sim = story(&format!(
        "  - say: {{ text: \"{words}\", stop_on_digit: true }}\n    on:\n      digit:\n        - play-audio: {{ audio: first }}\n"
    ))
    .start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears(words));
    let began = sim.now();
    ann.presses("5");
    sim.run_until(ann.hears("first"));
    assert!(sim.now().since(began) < seconds(1));
    sim.run_until_quiet();
    assert_eq!(steps(&sim.record()), ["steps[0] say: digit", "steps[0].on.digit[0] play-audio: done"]);
}

#[test]
fn what_cannot_be_read_is_skipped() {
    let mut sim = story("  - say: { text: \"Hello\", language: xx }\n  - play-audio: { audio: second }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("second"));
    sim.run_until_quiet();
    assert_eq!(ann.packets_of("Hello"), 0);
    assert_eq!(steps(&sim.record()), ["steps[0] say: skipped", "steps[1] play-audio: done"]);
}
