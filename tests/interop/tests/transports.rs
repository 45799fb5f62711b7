//! Calls over TLS, WebSocket and IPv6, by programs that were not written here.

#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{
    Answer, Baresip, Bridge, Call, Ear, Linphone, Office, Plugboard, Sipp, Transport, free_port, speech, until,
};
use std::fs;
use std::time::Duration;

const ANN: f64 = 440.0;
const BOB: f64 = 1_000.0;
/// A second of speech.
const PACKETS: usize = 50;

fn everywhere() -> Plugboard {
    Plugboard::everywhere(&Office::new(), "")
}

/// A user calls the world over a transport, is heard, and hangs up.
fn a_caller_is_heard(transport: Transport) {
    let (port, ear) = (free_port(1), Ear::new());
    let switch = Plugboard::everywhere(&Office::new().gateway("outside", port, Transport::Udp), "");
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Udp, port).heard_by(&ear).start();
    let (file, said) = speech(switch.folder());
    let call = Call::new("101", "secret-101", "0301234567").talks(&file).lasts(Duration::from_secs(2));
    let caller = Sipp::calls(&switch, "caller", &call, transport).start();
    assert!(ear.hears(PACKETS).is_part_of(&said));
    caller.succeeds();
    callee.succeeds();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(record["outcome"], "answered", "{record}");
    let over = format!(
        "plugboard_sip_messages_total{{direction=\"in\",method=\"INVITE\",transport=\"{}\"}}",
        transport.name()
    );
    assert!(switch.sample(&over) >= 2.0, "{over}: first without a password, then with it");
}

#[test]
fn sipp_calls_over_tls() {
    a_caller_is_heard(Transport::Tls);
}

#[test]
fn sipp_calls_over_websocket() {
    a_caller_is_heard(Transport::Ws);
}

#[test]
fn sipp_calls_over_secure_websocket() {
    a_caller_is_heard(Transport::Wss);
}

/// A phone registers over a transport and is called there, by one that holds and resumes over the same kind of one.
fn a_registered_phone_is_called_and_held(transport: Transport) {
    // Over WebSocket it comes as browsers do, and has neither ICE nor DTLS.
    let switch = Plugboard::everywhere(&Office::new().user(102, "browser: false"), "");
    let bob = Sipp::registers_and_answers(&switch, "102", "secret-102", transport).start();
    switch.waits_for_registration("102", 1);
    let contacts = switch.ask(&["registrations"]).to_string();
    assert!(contacts.contains(&transport.name().to_uppercase()), "{contacts}");
    let call = Call::new("101", "secret-101", "102").holds().lasts(Duration::from_millis(100));
    let told = Sipp::calls(&switch, "caller", &call, transport).succeeds().messages();
    assert!(told.contains("a=recvonly"), "the answer to the hold: {told}");
    until("the end of the call at the phone", || bob.messages().contains("BYE sip:").then_some(()));
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!((&record["outcome"], &record["answered_by"]["name"]), (&"answered".into(), &"102".into()), "{record}");
}

#[test]
fn sipp_registers_is_called_and_held_over_tls() {
    a_registered_phone_is_called_and_held(Transport::Tls);
}

#[test]
fn sipp_registers_is_called_and_held_over_secure_websocket() {
    a_registered_phone_is_called_and_held(Transport::Wss);
}

#[test]
fn a_callee_that_hangs_up_first_ends_the_call_over_every_transport() {
    let port = free_port(1);
    let switch = Plugboard::everywhere(&Office::new().gateway("outside", port, Transport::Udp), "");
    let call = Call::new("101", "secret-101", "0301234567").stays();
    let hangs_up = |name: &str| {
        let answer = Answer::new().hangs_up_after(Duration::from_millis(100));
        Sipp::answers(&switch, &format!("callee-{name}"), &answer, Transport::Udp, port).start()
    };
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        let name = transport.name();
        let callee = hangs_up(name);
        Sipp::calls(&switch, name, &call, transport).succeeds();
        callee.succeeds();
    }
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        let name = format!("{}-v6", transport.name());
        let callee = hangs_up(&name);
        Sipp::calls_over_v6(&switch, &name, &call, transport).succeeds();
        callee.succeeds();
    }
    let records = switch.waits_for_past_calls(10);
    assert!(records.iter().all(|record| record["outcome"] == "answered"), "{records:?}");
}

/// Two phones, each calling the other.
fn hear_each_other(switch: &Plugboard, ann: Baresip, bob: Baresip) {
    ann.dials("102");
    ann.waits_for_answer();
    bob.waits_for_answer();
    let (at_ann, at_bob) = (ann.waits_to_hear(), bob.waits_to_hear());
    ann.hangs_up();
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
    assert!(ann.heard(&at_ann).is_tone(BOB));
    assert!(bob.heard(&at_bob).is_tone(ANN));
}

#[test]
fn two_phones_over_tls_hear_each_others_tone() {
    let switch = everywhere();
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Tls);
    let bob = Baresip::start(&switch, "102", "secret-102", BOB, Transport::Tls);
    hear_each_other(&switch, ann, bob);
}

#[test]
fn linphone_registers_over_tls_and_verifies_the_certificate() {
    let switch = everywhere();
    let _phone = Linphone::start_over(&switch, "101", "secret-101", Transport::Tls);
    switch.waits_for_registration("101", 1);
    let contacts = switch.ask(&["registrations"]).to_string();
    assert!(contacts.contains("TLS"), "{contacts}");
}

#[test]
fn linphone_and_baresip_over_tls_hear_each_others_tone() {
    let switch = everywhere();
    let bob = Baresip::start(&switch, "102", "secret-102", BOB, Transport::Tls);
    let ann = Linphone::start_over(&switch, "101", "secret-101", Transport::Tls);
    switch.waits_for_registration("101", 1);
    ann.plays(ANN);
    ann.calls("102", 1);
    bob.waits_to_hear();
    bob.waits_to_hear_tone(ANN);
    bob.hangs_up();
    ann.has_heard_tone(BOB);
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
    assert!(switch.sample("plugboard_sip_messages_total{direction=\"in\",method=\"INVITE\",transport=\"tls\"}") >= 2.0);
}

#[test]
fn a_phone_over_secure_websocket_is_called_by_one_over_udp() {
    // It comes as browsers do, and has neither ICE nor DTLS.
    let switch = Plugboard::everywhere(&Office::new().user(102, "browser: false"), "");
    let bridge = Bridge::to(&switch, Transport::Wss);
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    let bob = Baresip::start_at(&switch, bridge.address(), "102", "secret-102", BOB, Transport::Tcp);
    let contacts = switch.ask(&["registrations"]).to_string();
    assert!(contacts.contains("WSS"), "{contacts}");
    hear_each_other(&switch, ann, bob);
}

#[test]
fn a_gateway_is_called_over_tls_when_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let trusted = folder.path().join("gateway.pem");
    let port = free_port(1);
    let bridge = Bridge::before(port, &trusted);
    let office = Office::new().gateway("outside", bridge.address().port(), Transport::Tls);
    let switch = Plugboard::everywhere(&office, &format!("[tls]\nca = '{}'\n", trusted.display()));
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Tcp, port).start();
    Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "0301234567"), Transport::Udp).succeeds();
    let messages = callee.succeeds().messages();
    assert!(messages.contains("Via: SIP/2.0/TLS 127.0.0.1:"), "{messages}");
}

#[test]
fn a_gateway_with_a_name_shows_it_in_its_certificate() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for (names, status) in [(&["localhost"][..], 200), (&["carrier.test", "127.0.0.1"], 500)] {
        let trusted = folder.path().join(format!("{status}.pem"));
        let port = free_port(1);
        let bridge = Bridge::named(names, port, &trusted);
        // The phones of this test have its address as well.
        let gateway = format!("address: 'localhost:{}', transport: tls, inbound: [192.0.2.9]", bridge.address().port());
        let office = Office::new().trunk("outside", &gateway).out_through(&["outside"]);
        let switch = Plugboard::everywhere(&office, &format!("[tls]\nca = '{}'\n", trusted.display()));
        let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Tcp, port).start();
        let call = Call::new("101", "secret-101", "0301234567");
        if status == 200 {
            Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
            callee.succeeds();
        } else {
            Sipp::calls(&switch, "caller", &call.gets(status), Transport::Udp).succeeds();
            until("the reason in the log", || switch.log().contains("invalid peer certificate").then_some(()));
        }
    }
}

#[test]
fn a_gateway_whose_certificate_nobody_signed_gets_no_call_and_the_log_tells_why() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let bridge = Bridge::before(free_port(1), &folder.path().join("gateway.pem"));
    let office = Office::new().gateway("outside", bridge.address().port(), Transport::Tls);
    let switch = Plugboard::everywhere(&office, "");
    Sipp::calls(&switch, "caller", &Call::new("101", "secret-101", "0301234567").gets(500), Transport::Udp).succeeds();
    until("the reason in the log", || switch.log().contains("invalid peer certificate").then_some(()));
}

#[test]
fn new_certificates_are_used_without_a_restart_and_calls_go_on() {
    let switch = everywhere();
    let running = Call::new("101", "secret-101", "*43").lasts(Duration::from_secs(4));
    let running = Sipp::calls(&switch, "running", &running, Transport::Tls).start();
    switch.waits_for_live_calls(1);
    let folder = switch.data().join("tls");
    let before = fs::read(folder.join("certificate.pem")).unwrap_or_default();
    // The names that a bridge asks for are those of the certificate before: of loopback.
    let own =
        rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap_or_else(|error| panic!("{error}"));
    for (file, text) in [("key.pem", own.signing_key.serialize_pem()), ("certificate.pem", own.cert.pem())] {
        assert!(fs::write(folder.join(file), text).is_ok());
    }
    assert_ne!(fs::read(folder.join("certificate.pem")).unwrap_or_default(), before);
    switch.signal("HUP");
    until("the new certificate", || switch.log().contains("the certificates were read anew").then_some(()));
    // The bridge trusts what lies there now.
    Sipp::calls(&switch, "after", &Call::new("102", "secret-102", "*43"), Transport::Tls).succeeds();
    running.succeeds();
}

/// A user calls the gateway over IPv6 and is heard.
fn a_call_over_v6(transport: Transport) {
    let (port, ear) = (free_port(1), Ear::over_v6());
    let office = Office::new().gateway_at("outside", &format!("[::1]:{port}"), transport);
    let switch = Plugboard::everywhere(&office, "");
    let callee = Sipp::answers_over_v6(&switch, "callee", &Answer::new(), transport, port).heard_by(&ear).start();
    let (file, said) = speech(switch.folder());
    let call = Call::new("101", "secret-101", "0301234567").talks(&file).lasts(Duration::from_secs(2));
    let caller = Sipp::calls_over_v6(&switch, "caller", &call, transport).start();
    assert!(ear.hears(PACKETS).is_part_of(&said));
    caller.succeeds();
    let messages = callee.succeeds().messages();
    assert!(messages.contains("c=IN IP6 ::1"), "{messages}");
    assert!(messages.contains(&format!("{} [::1]:", transport.name().to_uppercase())), "Via with brackets: {messages}");
}

#[test]
fn sipp_calls_sipp_over_udp_and_ipv6() {
    a_call_over_v6(Transport::Udp);
}

#[test]
fn sipp_calls_sipp_over_tcp_and_ipv6() {
    a_call_over_v6(Transport::Tcp);
}

#[test]
fn a_caller_over_ipv6_and_a_gateway_over_ipv4_hear_each_other() {
    let (port, ear) = (free_port(1), Ear::new());
    let switch = Plugboard::everywhere(&Office::new().gateway("outside", port, Transport::Udp), "");
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Udp, port).heard_by(&ear).start();
    let (file, said) = speech(switch.folder());
    let call = Call::new("101", "secret-101", "0301234567").talks(&file).lasts(Duration::from_secs(2));
    let caller = Sipp::calls_over_v6(&switch, "caller", &call, Transport::Udp).start();
    assert!(ear.hears(PACKETS).is_part_of(&said));
    caller.succeeds();
    assert!(callee.succeeds().messages().contains("c=IN IP4 127.0.0.1"));
}
