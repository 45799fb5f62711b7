//! Devices behind proxies, and devices with several flows (RFC 3327, RFC 5626).

use crate::seconds;
use plugboard_tests_support::Sim;

const NEAR: &str = "<sip:near.example.org;lr>";
const EDGE: &str = "<sip:3a7f@edge.example.org;lr;ob>";
const DEVICE: &str = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF";

#[test]
fn a_call_to_a_phone_behind_proxies_passes_them() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"));
    bob.is_behind(&[NEAR, EDGE]);
    bob.registers();
    sim.run_until(bob.is_registered());
    ann.dials("102");
    sim.run_until(bob.rings());
    assert_eq!(bob.routes(), [NEAR, EDGE]);
    bob.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
}

#[test]
fn a_phone_with_two_flows_is_rung_once_and_over_the_other_one_when_the_first_breaks() {
    let mut sim = Sim::demo();
    let (ann, first, second) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("bob2", "102"));
    for (flow, number) in [(&second, 2), (&first, 1)] {
        sim.connects(flow);
        flow.is_flow(number, DEVICE);
        flow.registers();
        sim.run_until(flow.is_registered());
        sim.run_for(seconds(1));
    }
    assert_eq!(first.registration(), Some((200, 2)), "both flows stand");
    ann.dials("102");
    sim.run_until(first.rings());
    sim.run_for(seconds(3));
    assert!(second.calls().is_empty(), "one device rings once\n{}", sim.ladder());
    ann.hangs_up();
    sim.run_until(first.is_idle());
    sim.disconnects(&first);
    ann.dials("102");
    sim.run_until(second.rings());
    second.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until(second.is_idle());
    sim.run_until_quiet();
}
