//! Calls through a Kamailio that stands before the switch: one that speaks TLS for sipp, one that phones register through.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{
    Answer, Baresip, Call, Ear, Kamailio, Office, Plugboard, Sipp, Transport, free_port, speech, until,
};
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

const ANN: f64 = 440.0;
const BOB: f64 = 1_000.0;
/// A second of speech.
const PACKETS: usize = 50;

/// A switch whose gateway is a Kamailio that is reached over TLS, with the world at a port of its own behind it.
fn fronted() -> (Plugboard, Kamailio, u16) {
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("front.pem");
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(&trusted, own.cert.pem()).unwrap();
    let (world, tls) = (free_port(1), SocketAddr::from(([127, 0, 0, 1], free_port(1))));
    let office = Office::new().gateway("outside", tls.port(), Transport::Tls);
    let switch = Plugboard::everywhere(&office, &format!("[tls]\nca = '{}'\n", trusted.display()));
    let front = Kamailio::front(&switch, tls, &own, world);
    (switch, front, world)
}

/// How many INVITEs there were over TLS, in this direction.
fn invites_over_tls(switch: &Plugboard, direction: &str) -> f64 {
    switch.sample(&format!(
        "plugboard_sip_messages_total{{direction=\"{direction}\",method=\"INVITE\",transport=\"tls\"}}"
    ))
}

#[test]
fn sipp_calls_sipp_over_tls_through_kamailio_and_is_heard() {
    let (switch, front, world) = fronted();
    let ear = Ear::new();
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Udp, world).heard_by(&ear).start();
    let (file, said) = speech(switch.folder());
    let call = Call::new("101", "secret-101", "0301234567").talks(&file).lasts(Duration::from_secs(2));
    let caller = Sipp::calls_at(&switch, "caller", &call, front.address(), free_port(1)).start();
    assert!(ear.hears(PACKETS).is_part_of(&said));
    caller.succeeds();
    let messages = callee.succeeds().messages();
    assert!(messages.contains("INVITE sip:301234567@127.0.0.1"), "{messages}\n{}", front.log());
    assert!(invites_over_tls(&switch, "in") >= 2.0 && invites_over_tls(&switch, "out") >= 1.0);
}

#[test]
fn a_callee_over_tls_through_kamailio_hangs_up_first() {
    let (switch, front, world) = fronted();
    let answer = Answer::new().hangs_up_after(Duration::from_millis(200));
    let callee = Sipp::answers(&switch, "callee", &answer, Transport::Udp, world).start();
    let call = Call::new("101", "secret-101", "0301234567").stays();
    Sipp::calls_at(&switch, "caller", &call, front.address(), free_port(1)).succeeds();
    callee.succeeds();
    assert!(invites_over_tls(&switch, "out") >= 1.0);
}

#[test]
fn phones_register_and_are_called_through_an_edge_that_notes_the_way_in_path() {
    let switch = Plugboard::with_office(&Office::new());
    let edge = Kamailio::edge(&switch);
    let ann = Baresip::start_behind(&switch, edge.address(), "101", "secret-101", ANN);
    let bob = Baresip::start_behind(&switch, edge.address(), "102", "secret-102", BOB);
    let invites = || edge.log().matches("to a phone: INVITE by <sip:edge@").count();
    assert_eq!(invites(), 0);
    ann.dials("102");
    until("the edge to carry the INVITE to the phone", || (invites() == 1).then_some(()));
    let (at_ann, at_bob) = (ann.waits_to_hear(), bob.waits_to_hear());
    bob.hangs_up();
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
    assert!(ann.heard(&at_ann).is_tone(BOB));
    assert!(bob.heard(&at_bob).is_tone(ANN));
}

#[test]
fn a_phone_without_an_edge_calls_one_behind_it() {
    let switch = Plugboard::with_office(&Office::new());
    let edge = Kamailio::edge(&switch);
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Tcp);
    let bob = Baresip::start_behind(&switch, edge.address(), "102", "secret-102", BOB);
    ann.dials("102");
    bob.waits_for_answer();
    assert_eq!(edge.log().matches("to a phone: INVITE by <sip:edge@").count(), 1, "{}", edge.log());
    ann.waits_to_hear();
    ann.hangs_up();
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
}
