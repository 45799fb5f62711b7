//! What one run leaves behind: nothing, for the next of the same component, in this call and in others.

use plugboard_simulator::{OfficeText, Setup};
use plugboard_tests_hostile::Guest;
use std::time::Duration;

/// Traps if anything of an earlier run is there, in memory, in a global or in a table; else writes into all three.
fn leaves() -> Guest {
    let looks = "(if (i32.or (i32.or (i32.load (i32.const 60000)) (i32.load (i32.const 130000))) (global.get $seen)) (then unreachable))
        (if (i32.eqz (ref.is_null (table.get $t (i32.const 1)))) (then unreachable))
        (if (i32.ne (memory.size) (i32.const 2)) (then unreachable))
        (i32.store (i32.const 60000) (i32.const 1)) (i32.store (i32.const 130000) (i32.const 1))
        (global.set $seen (i32.const 1)) (table.set $t (i32.const 1) (ref.func $returns)) (drop (memory.grow (i32.const 4)))";
    Guest::new("leaves-something", &format!("{looks} {}", Guest::DONE))
        .with("(global $seen (mut i32) (i32.const 0)) (table $t 2 funcref) (elem declare func $returns)")
}

#[test]
fn no_run_finds_what_another_left() {
    let story = "  - repeat: 3\n    steps:\n      - leaves-something: {}\n  - play-audio: { audio: after }\n";
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(story)])
        .with_actions(&[leaves().component()])
        .prompt("after", Duration::from_secs(1))
        .start();
    let phones = [sim.phone("ann", "101"), sim.phone("bob", "102")];
    for _ in 0..3 {
        for phone in &phones {
            phone.dials("300");
        }
        for phone in &phones {
            sim.run_until(phone.hears("after"));
            sim.run_until(phone.is_idle());
        }
    }
    sim.run_until_quiet();
    let steps: Vec<String> = sim
        .records("main")
        .into_iter()
        .flat_map(|record| record.steps)
        .filter(|step| step.word == "leaves-something")
        .map(|step| step.outcome)
        .collect();
    assert_eq!(steps, vec!["done"; 18]);
}
