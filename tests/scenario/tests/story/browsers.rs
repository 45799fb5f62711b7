//! Browsers as far as their signalling goes: which codec they are answered with, and what becomes of a call whose browser is gone. How
//! their media travels is shown by `core/media/tests/browser_leg.rs`, and by Chromium in `tests/interop`.

use super::*;
use plugboard_media::Codec;
use plugboard_simulator::Transport;

const ANN: &str = "10.0.0.11:5060";

fn registered(sim: &mut Sim, phone: Phone) -> Phone {
    phone.registers();
    sim.run_until(phone.is_registered());
    phone
}

/// A page of user 101.
fn page(sim: &mut Sim, name: &str) -> Phone {
    let phone = sim.new_phone(name, "101");
    phone.is_browser();
    sim.connects_over(&phone, Transport::Wss);
    registered(sim, phone)
}

fn desk(sim: &mut Sim) -> Phone {
    let phone = sim.new_phone("bob", "102");
    registered(sim, phone)
}

/// 101's browser talks with 102's desk phone.
fn a_call(sim: &mut Sim) -> (Phone, Phone) {
    let (ann, bob) = (page(sim, "ann"), desk(sim));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    sim.run_until(bob.talks());
    (ann, bob)
}

#[test]
fn a_browser_is_answered_with_the_g711_of_the_desk_phone_that_it_called() {
    let mut sim = Sim::demo();
    let (ann, bob) = (page(&mut sim, "ann"), desk(&mut sim));
    bob.speaks_only(Codec::Pcma);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    let record = sim.records("main").first().cloned().unwrap();
    let (to_ann, to_bob) = (sim.said_in(&record, ANN), sim.said_in(&record, "10.0.0.12:5060"));
    assert!(to_bob.contains("RTP/AVP 111 0 8 "), "what the browser has, in its order: {to_bob}");
    assert!(to_ann.contains(" UDP/TLS/RTP/SAVPF 8 126\r\n"), "nothing to transcode: {to_ann}");
}

#[test]
fn a_browser_that_is_called_is_offered_the_callers_codec_first_and_opus_last() {
    let mut sim = Sim::demo();
    let (ann, bob) = (page(&mut sim, "ann"), desk(&mut sim));
    bob.speaks_only(Codec::Pcma);
    bob.dials("101");
    sim.run_until(ann.rings());
    ann.refuses(486);
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    let said = sim.said_in(&sim.records("main").first().cloned().unwrap(), ANN);
    assert!(said.contains(" UDP/TLS/RTP/SAVPF 8 0 9 111 126 110\r\n"), "{said}");
}

#[test]
fn a_browser_that_is_gone_is_held_for_half_a_minute_and_then_hung_up() {
    let mut sim = Sim::demo();
    let (ann, bob) = a_call(&mut sim);
    sim.browsers_are_gone();
    sim.run_for(Duration::from_secs(29));
    assert!(bob.talks()() && ann.talks()(), "{}", sim.ladder());
    sim.run_for(Duration::from_secs(2));
    assert!(bob.is_idle()() && ann.is_idle()(), "{}", sim.ladder());
    sim.run_until_quiet();
}

#[test]
fn a_browser_that_comes_back_in_time_talks_on() {
    let mut sim = Sim::demo();
    let (ann, bob) = a_call(&mut sim);
    sim.browsers_are_gone();
    sim.run_for(Duration::from_secs(20));
    sim.browsers_are_back();
    sim.run_for(Duration::from_secs(25));
    assert!(bob.talks()() && ann.talks()(), "{}", sim.ladder());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_page_that_is_loaded_anew_takes_the_call_back_and_nobody_hangs_up_on_it() {
    let mut sim = Sim::demo();
    let (ann, bob) = a_call(&mut sim);
    sim.browsers_are_gone();
    sim.run_for(Duration::from_secs(20));
    let anew = page(&mut sim, "anew");
    anew.takes_the_call_of(&ann);
    sim.run_until(anew.talks());
    sim.run_until(ann.is_idle());
    sim.run_for(Duration::from_secs(40));
    assert!(bob.talks()() && anew.talks()(), "{}", sim.ladder());
    bob.hangs_up();
    sim.run_until(anew.is_idle());
    sim.run_until_quiet();
}
