//! Gateways that are found by what a name server says of them (RFC 3263), by the whole program.

use plugboard_tests_interop::{Answer, Bridge, Call, Known, NameServer, Office, Plugboard, Sipp, Transport, free_port};
use std::net::Ipv4Addr;
use std::time::Duration;

const HERE: Known = Known::At(Ipv4Addr::LOCALHOST);

/// Numbers after a 0 go to the carrier; phones of the test have its address as well, and are none of it.
fn office(settings: &str) -> Office {
    Office::new()
        .trunk("outside", &format!("address: carrier.test, inbound: [192.0.2.9]{settings}"))
        .out_through(&["outside"])
}

fn call() -> Call {
    Call::new("101", "secret-101", "0301234567").lasts(Duration::from_millis(100))
}

#[test]
fn a_server_that_is_dead_gives_way_to_the_next_and_what_was_said_is_remembered() {
    let (dead, alive) = (free_port(1), free_port(1));
    let names = NameServer::knows(&[
        ("_sip._udp.carrier.test", Known::Server(10, dead, "dead.carrier.test")),
        ("_sip._udp.carrier.test", Known::Server(20, alive, "alive.carrier.test")),
        ("dead.carrier.test", HERE),
        ("alive.carrier.test", HERE),
    ]);
    let switch = Plugboard::everywhere(&office(", transport: udp"), &names.configured());
    for round in ["first", "second"] {
        let callee = Sipp::answers(&switch, &format!("{round}-callee"), &Answer::new(), Transport::Udp, alive).start();
        Sipp::calls(&switch, round, &call(), Transport::Udp).succeeds();
        let messages = callee.succeeds().messages();
        assert!(messages.contains("INVITE sip:301234567@carrier.test"), "{messages}");
    }
    let asked = names.asked();
    let services = asked.iter().filter(|question| *question == "SRV _sip._udp.carrier.test").count();
    assert_eq!(services, 1, "an answer is good for its time: {asked:?}");
    let first = switch.waits_for_past_calls(2).into_iter().map(|record| record["outcome"].to_string());
    assert!(first.into_iter().all(|outcome| outcome == "\"answered\""));
}

#[test]
fn a_rule_for_tls_that_stands_before_one_for_udp_is_followed() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let trusted = folder.path().join("carrier.pem");
    let (behind, plain) = (free_port(1), free_port(1));
    let bridge = Bridge::named(&["carrier.test"], behind, &trusted);
    let names = NameServer::knows(&[
        ("carrier.test", Known::Rule(20, "SIP+D2U", "_sip._udp.carrier.test")),
        ("carrier.test", Known::Rule(10, "SIPS+D2T", "_sips._tcp.carrier.test")),
        ("_sips._tcp.carrier.test", Known::Server(1, bridge.address().port(), "edge.carrier.test")),
        ("_sip._udp.carrier.test", Known::Server(1, plain, "edge.carrier.test")),
        ("edge.carrier.test", HERE),
    ]);
    let more = format!("{}[tls]\nca = '{}'\n", names.configured(), trusted.display());
    let switch = Plugboard::everywhere(&office(""), &more);
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Tcp, behind).start();
    Sipp::calls(&switch, "caller", &call(), Transport::Udp).succeeds();
    let messages = callee.succeeds().messages();
    assert!(messages.contains("Via: SIP/2.0/TLS 127.0.0.1:"), "{messages}");
    let asked = names.asked();
    assert!(asked.contains(&"NAPTR carrier.test".to_owned()), "{asked:?}");
}
