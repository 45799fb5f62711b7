//! Phones over every transport and of both families, on both sides of a NAT.

use super::*;
use plugboard_simulator::Transport;

/// A phone that has a connection over this transport; registered when this returns.
fn phone_over(sim: &mut Sim, name: &str, user: &str, transport: Transport) -> Phone {
    let phone = sim.new_phone(name, user);
    if transport.is_reliable() {
        sim.connects_over(&phone, transport);
    }
    registered(sim, phone)
}

fn registered(sim: &mut Sim, phone: Phone) -> Phone {
    phone.registers();
    sim.run_until(phone.is_registered());
    phone
}

/// The demo office, whose user 101 is called by telephones' media even over WebSocket.
fn with_a_plain_websocket_phone() -> Sim {
    Setup::offices(vec![OfficeText::demo().replace("number: 101,", "number: 101, browser: false,")]).start()
}

/// One calls the other, they talk, the caller hangs up; the record.
fn one_call(sim: &mut Sim, caller: &Phone, callee: &Phone, number: &str) -> CallRecord {
    caller.dials(number);
    sim.run_until(callee.rings());
    callee.answers();
    talk(sim, caller, callee);
    caller.hangs_up();
    sim.run_until(callee.is_idle());
    sim.run_until_quiet();
    let record = sim.records("main").first().cloned().unwrap();
    assert_eq!(record.outcome, CallOutcome::Answered, "{}", sim.ladder());
    record
}

#[test]
fn phones_call_each_other_over_every_transport() {
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        let mut sim = with_a_plain_websocket_phone();
        let ann = phone_over(&mut sim, "ann", "101", transport);
        let bob = phone_over(&mut sim, "bob", "102", Transport::Udp);
        let record = one_call(&mut sim, &ann, &bob, "102");
        let (to_ann, to_bob) = (sim.said_in(&record, "10.0.0.11:5060"), sim.said_in(&record, "10.0.0.12:5060"));
        let named = format!("@10.0.0.1:5060;transport={}>", transport.uri_param());
        assert!(to_ann.contains(&named), "our Contact over {transport:?}: {to_ann}");
        assert!(to_bob.contains("Via: SIP/2.0/UDP ") && !to_bob.contains("transport="), "{to_bob}");
        let series = format!(
            "plugboard_sip_messages_total{{direction=\"in\",method=\"INVITE\",transport=\"{}\"}}",
            transport.name().to_lowercase()
        );
        assert!(sim.metric(&series).unwrap_or(0.0) >= 2.0, "{series}");
        one_call(&mut sim, &bob, &ann, "101");
    }
}

#[test]
fn a_browser_without_an_address_of_its_own_is_called_over_its_connection() {
    let mut sim = with_a_plain_websocket_phone();
    let ann = phone_over(&mut sim, "ann", "101", Transport::Wss);
    let bob = phone_over(&mut sim, "bob", "102", Transport::Udp);
    let record = one_call(&mut sim, &bob, &ann, "101");
    let said = sim.said_in(&record, "10.0.0.11:5060");
    assert!(said.starts_with("INVITE sip:101@ann.invalid;transport=ws SIP/2.0"), "{said}");
    assert!(said.contains("Via: SIP/2.0/WSS 10.0.0.1:5060"), "{said}");
    // Nobody can open a connection to a browser: without its own it is not there.
    sim.disconnects(&ann);
    bob.dials("101");
    sim.run_until(bob.was_told(480));
    sim.run_until_quiet();
}

#[test]
fn phones_of_both_families_hear_each_other() {
    let mut sim = Sim::demo();
    let ann = sim.new_phone_at("ann", "101", "[fd00::11]:5060");
    let ann = registered(&mut sim, ann);
    let bob = sim.phone("bob", "102");
    let record = one_call(&mut sim, &ann, &bob, "102");
    let (to_ann, to_bob) = (sim.said_in(&record, "[fd00::11]:5060"), sim.said_in(&record, "10.0.0.11:5060"));
    assert!(to_ann.contains("c=IN IP6 fd00::1\r\n") && to_ann.contains("@[fd00::1]:5060>"), "{to_ann}");
    assert!(to_bob.contains("c=IN IP4 10.0.0.1\r\n") && !to_bob.contains("fd00"), "{to_bob}");
    one_call(&mut sim, &bob, &ann, "101");
}

#[test]
fn a_request_over_ipv6_is_answered_with_where_it_came_from() {
    let mut sim = Sim::demo();
    sim.strange_message(
        "[fd00::99]:6060",
        "OPTIONS sip:plugboard.test SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::7]:5060;branch=z9hG4bKa;rport\n\
         From: <sip:a@b>;tag=1\nTo: <sip:plugboard.test>\nCall-ID: 1\nCSeq: 1 OPTIONS\nMax-Forwards: 70\n\n",
    );
    sim.run_for(seconds(1));
    let said = sim.said_to("[fd00::99]:6060");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(";received=fd00::99") && said[0].contains(";rport=6060"), "{said:?}");
}

/// The switch at 10.0.0.1 is 203.0.113.9 outside its networks.
fn behind_nat() -> Sim {
    Setup::demo().behind_nat(&["203.0.113.9"], &["10.0.0.0/8"]).start()
}

#[test]
fn behind_a_nat_phones_outside_see_the_public_address_and_those_at_home_the_switchs_own() {
    let mut sim = behind_nat();
    let far = sim.new_phone_at("far", "101", "198.51.100.7:5060");
    let (far, near) = (registered(&mut sim, far), sim.phone("near", "102"));
    let outward = one_call(&mut sim, &near, &far, "101");
    let inward = one_call(&mut sim, &far, &near, "102");
    for record in [outward, inward] {
        let (outside, home) = (sim.said_in(&record, "198.51.100.7:5060"), sim.said_in(&record, "10.0.0.11:5060"));
        for part in ["c=IN IP4 203.0.113.9\r\n", "@203.0.113.9:5060>"] {
            assert!(outside.contains(part), "{part} in {outside}");
        }
        assert!(!outside.contains("10.0.0.1:") && !outside.contains("IP4 10.0.0.1\r\n"), "{outside}");
        assert!(home.contains("c=IN IP4 10.0.0.1\r\n") && !home.contains("203.0.113.9"), "{home}");
    }
}
