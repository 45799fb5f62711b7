//! Calls that lie on different shards, each with media on a thread of its own, and are joined.

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{seconds, talk};

/// Whether the two calls that were joined lay on different shards; they are told by the last bits of their ids.
fn lay_apart(sim: &Sim) -> bool {
    let records = sim.records("main");
    let [.., one, other] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((&one.outcome, &other.outcome), (&CallOutcome::Answered, &CallOutcome::Answered));
    one.id.ulid & 0xff != other.id.ulid & 0xff
}

/// They hear each other, also after a hold, over so many pairs of ports.
fn hear_each_other(sim: &mut Sim, one: &Phone, other: &Phone) -> usize {
    talk(sim, one, other);
    let ports = sim.ports_in_use();
    one.holds();
    sim.run_for(seconds(2));
    one.resumes();
    sim.run_for(seconds(2));
    let before = [one.packets_of(&other.name()), other.packets_of(&one.name())];
    sim.run_for(seconds(2));
    let after = [one.packets_of(&other.name()), other.packets_of(&one.name())];
    for (before, after) in before.into_iter().zip(after) {
        assert!(after >= before + 95, "a packet each 20 ms for two seconds: {before} and {after}");
    }
    one.presses("7");
    sim.run_for(seconds(1));
    assert!(other.keys().ends_with('7'), "{}", other.keys());
    ports
}

#[test]
fn an_attended_transfer_joins_calls_on_two_media_threads_in_both_directions() {
    for v4 in [true, false] {
        let mut apart = 0;
        let mut sim = Setup::demo().shards(4, v4).start();
        let people = [("ann", "101"), ("bob", "102"), ("cem", "103"), ("dora", "104")];
        let phones = people.map(|(name, user)| {
            let phone = if v4 {
                sim.new_phone(name, user)
            } else {
                sim.new_phone_at(name, user, &format!("[fd00::{user}]:5060"))
            };
            phone.registers();
            phone
        });
        sim.run_for(seconds(1));
        let [ann, bob, cem, dora] = &phones;
        for (one, by, other, number) in [(ann, bob, cem, "103"), (cem, bob, dora, "104"), (dora, bob, ann, "101")] {
            one.dials("102");
            sim.run_until(by.rings());
            by.answers();
            talk(&mut sim, one, by);
            by.dials(number);
            sim.run_until(other.rings());
            other.answers();
            talk(&mut sim, by, other);
            by.connects_its_calls();
            sim.run_until(by.is_idle());
            let ports = hear_each_other(&mut sim, one, other);
            one.hangs_up();
            sim.run_until_quiet();
            assert_eq!(ports, if lay_apart(&sim) { 4 } else { 2 }, "two of phones, and two between the threads");
            apart += usize::from(ports == 4);
        }
        assert!(apart > 0, "no two calls lay on different shards");
    }
}

#[test]
fn a_call_is_picked_up_and_fetched_from_another_shard() {
    let mut apart = 0;
    let mut sim = Setup::offices(vec![OfficeText::demo()]).shards(4, true).start();
    let people = [("ann", "101"), ("bob", "102"), ("cem", "103"), ("dora", "104")];
    let phones = people.map(|(name, user)| sim.phone(name, user));
    let [ann, bob, cem, dora] = &phones;
    for fetcher in [cem, dora, cem, dora] {
        ann.dials("102");
        sim.run_until(bob.rings());
        fetcher.dials("*8");
        let ports = hear_each_other(&mut sim, ann, fetcher);
        ann.hangs_up();
        sim.run_until_quiet();
        assert_eq!(ports, if lay_apart(&sim) { 4 } else { 2 });
        apart += usize::from(ports == 4);
    }
    assert!(apart > 0, "no two calls lay on different shards");
}
