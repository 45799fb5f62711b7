//! What is heard before the answer: of a gateway what it says, of a user nothing.

use plugboard_model::CallOutcome;
use plugboard_tests_support::{Phone, Sim, Stage};

use crate::{seconds, talk};

/// Ann called a number outside, and the gateway rings.
fn dialled() -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    ann.dials("0301234");
    sim.run_until(world.rings());
    (sim, ann, world)
}

#[test]
fn r4_what_a_gateway_says_before_it_answers_reaches_the_caller_and_goes_on_after_it() {
    let (mut sim, ann, world) = dialled();
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    assert_eq!(ann.calls(), [Stage::Calling(183)], "nobody has answered");
    sim.run_for(seconds(5));
    assert!(ann.hears_now("world"));
    world.answers();
    talk(&mut sim, &ann, &world);
    assert_eq!(sim.ladder().count("switch -> ann  183 INVITE +sdp"), 1, "{}", sim.ladder());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn r4_an_announcement_before_a_refusal_is_heard_and_the_refusal_is_passed_on() {
    let (mut sim, ann, world) = dialled();
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    world.refuses(404);
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
    assert_eq!(sim.ports_in_use(), 0);
}

#[test]
fn who_hears_an_announcement_may_give_up() {
    let (mut sim, ann, world) = dialled();
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    ann.hangs_up();
    sim.run_until(world.is_idle());
    assert_eq!(world.calls(), [Stage::Over(487)]);
    sim.run_until_quiet();
    assert_eq!(sim.ports_in_use(), 0);
}

#[test]
fn r4_what_a_users_phone_says_before_he_answers_reaches_nobody() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.speaks_early();
    sim.run_for(seconds(5));
    assert_eq!(ann.packets_of("bob"), 0);
    assert_eq!(ann.calls(), [Stage::Calling(180)]);
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateway_that_rings_with_a_description_lets_the_callers_phone_ring() {
    let (mut sim, ann, world) = dialled();
    world.rings_again(true);
    sim.run_for(seconds(3));
    assert_eq!(ann.calls(), [Stage::Calling(180)], "a 183 would leave him in silence");
    assert_eq!(sim.ladder().count("switch -> ann  180 INVITE +sdp"), 1, "{}", sim.ladder());
    world.answers();
    talk(&mut sim, &ann, &world);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateway_that_rings_after_an_announcement_lets_the_callers_phone_ring() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    world.keeps_quiet();
    ann.dials("0301234");
    sim.run_until(world.rings());
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    assert_eq!(ann.calls(), [Stage::Calling(183)]);
    world.rings_again(false);
    sim.run_until(ann.hears_ringing());
    world.answers();
    talk(&mut sim, &ann, &world);
    ann.hangs_up();
    sim.run_until_quiet();
}
