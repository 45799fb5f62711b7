//! Rows of the requirements that no other story tells from end to end; `README.md` says where each of the others is.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story stops at the first surprise")]

mod a_call_to_user;
mod b_route_scenario;
mod c_sales_team;
mod table;

use plugboard_model::CallRecord;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};
use std::time::Duration;

/// The demo office with this document of a scenario `story` at the number 300.
fn document(text: &str) -> OfficeText {
    OfficeText::demo().with_story("  - hang-up\n").with("story.yaml", text)
}

/// The demo office with these steps at the number 300.
fn story(steps: &str) -> Setup {
    Setup::offices(vec![OfficeText::demo().with_story(steps)])
}

/// The words and outcomes of the steps that a call took.
fn steps(record: &CallRecord) -> Vec<String> {
    record.steps.iter().map(|step| format!("{}: {}", step.word, step.outcome)).collect()
}

/// Somebody calls 300, this one rings and takes the call, and both hear each other.
fn reaches(sim: &mut Sim, caller: &Phone, callee: &Phone) {
    caller.dials("300");
    sim.run_until(callee.rings());
    callee.answers();
    sim.run_until(caller.hears(&callee.name()));
    sim.run_until(callee.hears(&caller.name()));
    caller.hangs_up();
    sim.run_until_quiet();
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
