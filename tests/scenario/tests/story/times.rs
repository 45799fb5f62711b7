//! What the time of day decides in a scenario, and what is done again. Stories begin on Monday the 5th of January 2026 at 10:00 in Berlin.

use plugboard_model::{CallOutcome, JournalEvent};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{journaled, seconds, story};

const OFFICE: &str = "time_zone: Europe/Berlin\ncalendars:\n\
    \x20 - { id: office, open: [{ days: [mon-fri], from: \"09:00\", to: \"10:05\" }], ical: closed.ics }\nusers:\n";

/// The demo office, with a calendar whose holidays are in a file.
fn office(steps: &str, holiday: &str) -> Setup {
    let file = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{holiday}\r\n\
         SUMMARY:Works outing\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let demo = OfficeText::demo().replace("users:\n", OFFICE).with("closed.ics", &file).with_story(steps);
    Setup::offices(vec![demo])
}

const OPEN: &str = "  - when: office\n    then:\n      - call-user: { mode: user, target: \"102\" }\n    else:\n      - call-user: { mode: user, target: \"103\" }\n";

/// Ann calls, and this one of Bob and Cem rings.
fn rings(sim: &mut Sim, ann: &Phone, who: &Phone, other: &Phone) {
    ann.dials("300");
    sim.run_until(who.rings());
    assert!(other.is_idle()());
    ann.hangs_up();
    sim.run_until_quiet();
}

/// A note of the journal that holds this.
fn tells(event: &JournalEvent, text: &str) -> bool {
    matches!(event, JournalEvent::Note { text: note } if note.contains(text))
}

#[test]
fn r71_an_item_works_in_its_hours_alone() {
    let mut sim = office(OPEN, "20300101").start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    rings(&mut sim, &ann, &bob, &cem);
    sim.run_for(seconds(5 * 60));
    rings(&mut sim, &ann, &cem, &bob);
    let mut records = sim.records("main");
    records.sort_by_key(|record| record.began);
    assert_eq!(journaled(&sim, &records[0], |event| tells(event, "Europe/Berlin")), 1);
    assert_eq!(journaled(&sim, &records[1], |event| tells(event, "steps[0]: it is mon")), 1);
    assert_eq!(
        journaled(&sim, &records[1], |event| matches!(event, JournalEvent::Decided { branch, .. } if branch == "else")),
        1
    );
}

#[test]
fn a_holiday_of_a_file_closes_the_office_and_the_trace_names_it() {
    let mut sim = office(OPEN, "20260105").start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    rings(&mut sim, &ann, &cem, &bob);
    assert_eq!(journaled(&sim, &sim.record(), |event| tells(event, "(Works outing)")), 1);
}

#[test]
fn a_scenario_runs_another_one_of_the_office_and_goes_on() {
    let steps = "  - set: { agent: bob }\n  - run: whom\n  - call-user: { mode: user, target: \"103\" }\n";
    let whom = "scenario: whom\nvariables: { agent: { type: text, given: true } }\nsteps:\n\
        \x20 - if: agent == 'bob'\n    then: [{ call-user: { mode: user, target: \"102\", ring_for: 5s } }]\n";
    let office = OfficeText::demo().with_story(steps);
    let office = office.replace("{ file: story.yaml }", "{ file: story.yaml }\n  - { file: whom.yaml }");
    let mut sim = Setup::offices(vec![office.with("whom.yaml", whom)]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("300");
    sim.run_until(bob.rings());
    sim.run_until(cem.rings());
    assert!(bob.is_idle()());
    ann.hangs_up();
    sim.run_until_quiet();
    let inner = |event: &JournalEvent| matches!(event, JournalEvent::Step { path, .. } if path.starts_with("steps[1].whom.steps[0]"));
    assert_eq!(journaled(&sim, &sim.record(), inner), 2);
}

#[test]
fn steps_that_are_repeated_ring_again_until_somebody_answers() {
    let steps = "  - repeat: 3\n    steps:\n      - call-user: { mode: user, target: \"102\", ring_for: 5s }\n  - call-user: { mode: user, target: \"103\" }\n";
    let mut sim = story(steps).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("300");
    sim.run_until(bob.rings());
    sim.run_until(cem.rings());
    assert!(bob.is_idle()());
    cem.answers();
    crate::talk(&mut sim, &ann, &cem);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
    assert_eq!(sim.record().legs.len(), 5);
}
