//! INVITEs that are too long for a datagram by RFC 3261 section 18.1.1, and what they go over.

use plugboard_simulator::{OfficeText, Phone, Setup, Sim};
use std::time::Duration;

use crate::{millis, talk};

const FIRST: &str = "10.0.1.1:5060";

/// Two users and a gateway with these settings; `realm` stands in From, To and P-Asserted-Identity.
fn office(settings: &str, realm: &str) -> Setup {
    let name = "Ann ".repeat(if realm.len() > 100 { 30 } else { 1 });
    let text = format!(
        "office: main\ndomains: [{realm}, plugboard.test]\nusers:\n  - {{ id: \"101\", number: 101, name: {name}, password: demo-101 }}\n\
         \x20 - {{ id: \"102\", number: 102, password: demo-102 }}\n\
         gateways:\n  - {{ id: first, caller: {{ number: 900, tells: asserted }}, {settings} }}\n\
         routes:\n  - {{ id: out, prefix: 0, gateway: first }}\n"
    );
    Setup::offices(vec![OfficeText::new(&text)])
}

/// A name that makes INVITEs longer than 1,300 bytes.
fn long() -> String {
    ["a", "b", "c", "d"].map(|letter| letter.repeat(62)).join(".")
}

fn started(settings: &str, realm: &str) -> (Sim, Phone, Phone) {
    let mut sim = office(settings, realm).start();
    let ann = sim.phone("ann", "101");
    let first = sim.outside("first", FIRST);
    (sim, ann, first)
}

/// The transport in our Via of each INVITE that came, and whether it was longer than UDP should carry.
fn came(phone: &Phone) -> Vec<(String, bool)> {
    let over = |text: &String| text.split("Via: SIP/2.0/").nth(1).and_then(|via| via.get(..3)).unwrap_or("").to_owned();
    phone.requests("INVITE").iter().map(|text| (over(text), text.len() > 1_300)).collect()
}

/// Ann calls through the gateway and they talk; how long it took until it rang.
fn one_call(sim: &mut Sim, ann: &Phone, first: &Phone) -> Duration {
    let begin = sim.now();
    ann.dials("0301234");
    sim.run_until(first.rings());
    let took = sim.now().since(begin);
    first.answers();
    talk(sim, ann, first);
    ann.hangs_up();
    sim.run_until_quiet();
    took
}

#[test]
fn only_an_invite_that_is_too_long_goes_over_tcp_where_the_gateway_leaves_that_open() {
    for (realm, expected) in [(long(), ("TCP".to_owned(), true)), ("short.test".into(), ("UDP".to_owned(), false))] {
        let (mut sim, ann, first) = started(&format!("address: \"{FIRST}\""), &realm);
        sim.takes_connections(&first);
        one_call(&mut sim, &ann, &first);
        assert_eq!(came(&first), [expected]);
        let bye = first.requests("BYE");
        assert_eq!(bye.len(), 1, "{bye:?}");
    }
}

#[test]
fn a_transport_that_the_admin_or_the_proxys_uri_names_is_kept() {
    for (settings, over) in [
        (format!("address: \"{FIRST}\", transport: udp"), "UDP"),
        (format!("address: carrier.test, outbound_proxy: \"sip:{FIRST};transport=udp\""), "UDP"),
        (format!("address: carrier.test, outbound_proxy: \"sip:{FIRST}\""), "TCP"),
        (format!("address: \"{FIRST}\", transport: tcp"), "TCP"),
    ] {
        let (mut sim, ann, first) = started(&settings, &long());
        sim.takes_connections(&first);
        one_call(&mut sim, &ann, &first);
        assert_eq!(came(&first), [(over.to_owned(), true)], "{settings}");
    }
}

#[test]
fn a_connection_that_is_refused_is_given_up_for_udp_at_once() {
    let (mut sim, ann, first) = started(&format!("address: \"{FIRST}\""), &long());
    assert!(one_call(&mut sim, &ann, &first) < millis(50));
    assert_eq!(came(&first), [("UDP".into(), true)]);
}

#[test]
fn a_connection_that_a_firewall_swallows_is_given_up_for_udp_after_a_second() {
    let (mut sim, ann, first) = started(&format!("address: \"{FIRST}\""), &long());
    sim.swallows_connections(&first);
    let took = one_call(&mut sim, &ann, &first);
    assert!(took > millis(1_000) && took < millis(1_100), "{took:?}");
    assert_eq!(came(&first), [("UDP".into(), true)]);
}

#[test]
fn a_password_that_is_asked_for_over_tcp_is_told_over_tcp() {
    let (mut sim, ann, first) = started(&format!("address: \"{FIRST}\", user: trunk, password: s3cret"), &long());
    sim.takes_connections(&first);
    first.demands("trunk", "s3cret");
    one_call(&mut sim, &ann, &first);
    assert_eq!(came(&first), vec![("TCP".into(), true); 2]);
}

#[test]
fn a_device_that_registered_over_udp_is_called_over_udp_however_long_that_is() {
    let (mut sim, ann, _first) = started(&format!("address: \"{FIRST}\""), &long());
    let bob = sim.phone("bob", "102");
    sim.takes_connections(&bob);
    ann.dials("102");
    sim.run_until(bob.rings());
    assert_eq!(came(&bob), [("UDP".into(), true)]);
    ann.hangs_up();
    sim.run_until_quiet();
}
