//! What is heard before the answer: of a gateway what it says, of a user nothing.

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

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

/// Ann called a number at a gateway that tells whether there is a sound; it rings.
fn dialled_who_tells(world_says: &str, early_media: bool) -> (Sim, Phone, Phone) {
    let office = OfficeText::demo();
    let office =
        if early_media { office.replace("transport: udp }", "transport: udp, early_media: true }") } else { office };
    let mut sim = Setup::offices(vec![office]).start();
    let ann = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    world.says_of_early_media(world_says);
    world.keeps_quiet();
    ann.dials("0301234");
    sim.run_until(world.rings());
    (sim, ann, world)
}

/// RFC 5009 section 6.
#[test]
fn a_gateway_that_tells_of_its_sound_decides_what_the_caller_hears() {
    let (mut sim, ann, world) = dialled_who_tells("inactive", true);
    assert_eq!(world.was_told_of_caller("P-Early-Media").as_deref(), Some("supported"));
    let begin = sim.now();
    world.speaks_early();
    sim.run_until(ann.hears_ringing());
    sim.run_for(seconds(2));
    assert_eq!(ann.packets_of("world"), 0, "it said that this is nothing to hear");
    world.says_of_early_media("sendrecv");
    world.rings_again(false);
    sim.run_until(ann.hears("world"));
    assert_eq!(ann.calls(), [Stage::Calling(183)], "a 180 would let his phone ring over it");
    world.says_of_early_media("inactive");
    world.rings_again(false);
    sim.run_until(ann.hears_ringing());
    let heard = ann.packets_of("world");
    sim.run_for(seconds(2));
    assert!(ann.packets_of("world") <= heard + 1, "ring-back again");
    world.answers();
    talk(&mut sim, &ann, &world);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  world -> switch  183 INVITE +sdp early inactive
    0.045  switch -> ann  180 INVITE
    2.050  world -> switch  180 INVITE early sendrecv
    2.055  switch -> ann  183 INVITE +sdp
    2.070  world -> switch  180 INVITE early inactive
    2.075  switch -> ann  180 INVITE +sdp
    4.080  world -> switch  200 INVITE +sdp
    4.085  switch -> world  ACK
    4.085  switch -> ann  200 INVITE +sdp
    4.090  ann -> switch  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateway_that_is_not_to_tell_is_heard_as_ever() {
    let (mut sim, ann, world) = dialled_who_tells("inactive", false);
    assert_eq!(world.was_told_of_caller("P-Early-Media"), None);
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateway_that_tells_nothing_is_heard_by_todays_rule() {
    let (mut sim, ann, world) = dialled_who_tells("", true);
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn an_answered_caller_hears_our_ring_back_where_the_gateway_has_no_sound() {
    let office = OfficeText::demo().replace("transport: udp }", "transport: udp, early_media: true }");
    let office = office
        .with_story("  - play-audio: { audio: welcome }\n  - call-number: { number: \"+4930555\", ring_for: 30s }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let ann = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    world.says_of_early_media("sendonly");
    world.keeps_quiet();
    ann.dials("300");
    sim.run_until(world.rings());
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    world.says_of_early_media("inactive");
    world.rings_again(false);
    sim.run_until(ann.hears(plugboard_simulator::TONE));
    let heard = ann.packets_of("world");
    sim.run_for(seconds(2));
    assert!(ann.packets_of("world") <= heard + 1);
    world.answers();
    talk(&mut sim, &ann, &world);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_caller_who_understands_it_is_told_whether_there_is_a_sound() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    ann.says("P-Early-Media", "supported");
    ann.dials("0301234");
    sim.run_until(ann.hears_ringing());
    assert_eq!(sim.ladder().count("switch -> ann  180 INVITE early inactive"), 1, "{}", sim.ladder());
    world.speaks_early();
    sim.run_until(ann.hears("world"));
    assert_eq!(sim.ladder().count("switch -> ann  183 INVITE +sdp early sendrecv"), 1, "{}", sim.ladder());
    ann.hangs_up();
    sim.run_until_quiet();
}
