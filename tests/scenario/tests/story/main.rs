//! Call stories: the whole switch with phones, in virtual time. Names carry the requirement that they show.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a story stops at the first surprise, and looks at the one thing that it is about"
)]

mod bitrix24;
mod blocked;
mod browsers;
mod captured;
mod codecs;
mod conference;
mod databases;
mod diversion;
mod early_media;
mod emergency;
mod emergency_room;
mod encryption;
mod events;
mod faults;
mod fax;
mod fax_sending;
mod features;
mod flows;
mod forks;
mod forwards;
mod gateway_ladders;
mod gateways;
mod giving_up;
mod granted;
mod groups;
mod guests;
mod handed_to_service;
mod hold;
mod house;
mod integrations;
mod keys;
mod lamps;
mod last_agent;
mod long_invites;
mod mail;
mod mailboxes;
mod menu;
mod off_path;
mod outbound_proxy;
mod outcomes;
mod outside_calls;
mod overload;
mod park;
mod people;
mod pick_up;
mod presence;
mod protocol_faults;
mod quality;
mod queue;
mod queue_leaving;
mod rates;
mod recording;
mod redirect;
mod rehearsal;
mod rehearsal_answers;
mod reliable;
mod responsible;
mod rfc5359;
mod routes;
mod sent_to_scenario;
mod session_timer;
mod settings;
mod shards;
mod silence;
mod sleepers;
mod speech;
mod strangers;
mod supervision;
mod times;
mod toll;
mod topology;
mod traced;
mod transfer;
mod transfer_ordered;
mod transports;
mod undelivered;
mod voicemail;
mod web;
mod wire;

use plugboard_model::{CallOutcome, CallRecord, JournalEvent};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};
use std::time::Duration;

/// Why the devices of those who did not take the call stop ringing (R13).
const ELSEWHERE: &str = r#"SIP;cause=200;text="Call completed elsewhere""#;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The demo office with a scenario of these steps at 300.
fn story(steps: &str) -> Setup {
    Setup::offices(vec![OfficeText::demo().with_story(steps)])
        .prompt("first", seconds(2))
        .prompt("second", seconds(2))
        .prompt("nobody", seconds(2))
        .prompt("late", seconds(2))
        .prompt("long", seconds(60))
}

/// Both hear each other.
fn talk(sim: &mut Sim, one: &Phone, other: &Phone) {
    sim.run_until(one.hears(&other.name()));
    sim.run_until(other.hears(&one.name()));
}

/// Ann at 101 called Bob at 102, and they talk.
fn conversation() -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    (sim, ann, bob)
}

/// The words and outcomes of the steps that a call took.
fn steps(record: &CallRecord) -> Vec<String> {
    record.steps.iter().map(|step| format!("{} {}: {}", step.path, step.word, step.outcome)).collect()
}

/// What a call's journal says of one thing.
fn journaled(sim: &Sim, record: &CallRecord, what: impl Fn(&JournalEvent) -> bool) -> usize {
    sim.journal(record).iter().filter(|entry| what(&entry.event)).count()
}

/// The status that a call which nobody answered ended with.
fn not_answered(record: &CallRecord) -> Option<u16> {
    match &record.outcome {
        CallOutcome::NotAnswered(cause) => Some(cause.status),
        _ => None,
    }
}
