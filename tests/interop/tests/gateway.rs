//! Calls from outside, calls to the outside, and strangers.

#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Answer, Call, Ear, Office, Plugboard, Sipp, Transport, free_port, speech, until};
use std::time::Duration;

/// A second of speech.
const PACKETS: usize = 50;

fn a_user_calls_out_and_is_heard(transport: Transport) {
    let (outside, ear) = (free_port(1), Ear::new());
    let switch = Plugboard::with_office(&Office::new().gateway("outside", outside, transport));
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), transport, outside).heard_by(&ear).start();
    let (file, said) = speech(switch.folder());
    let call = Call::new("101", "secret-101", "0301234567").talks(&file).lasts(Duration::from_secs(2));
    let caller = Sipp::calls(&switch, "caller", &call, transport).start();
    assert!(ear.hears(PACKETS).is_part_of(&said), "what the caller says reaches the callee unchanged");
    caller.succeeds();
    let messages = callee.succeeds().messages();
    assert!(messages.contains("INVITE sip:301234567@127.0.0.1"), "without the 0: {messages}");
    assert_eq!(switch.waits_for_past_calls(1)[0]["direction"], "outbound");
}

#[test]
fn r41_a_user_calls_out_through_the_gateway_and_speech_flows_over_udp() {
    a_user_calls_out_and_is_heard(Transport::Udp);
}

#[test]
fn r41_a_user_calls_out_through_the_gateway_and_speech_flows_over_tcp() {
    a_user_calls_out_and_is_heard(Transport::Tcp);
}

#[test]
fn what_the_callee_says_reaches_the_caller_unchanged() {
    let (outside, ear) = (free_port(1), Ear::new());
    let switch = Plugboard::with_office(&Office::new().gateway("outside", outside, Transport::Udp));
    let (file, said) = speech(switch.folder());
    let callee = Sipp::answers(&switch, "callee", &Answer::new().talks(&file), Transport::Udp, outside).start();
    let call = Call::new("101", "secret-101", "0301234567").lasts(Duration::from_secs(2));
    let caller = Sipp::calls(&switch, "caller", &call, Transport::Udp).heard_by(&ear).start();
    assert!(ear.hears(PACKETS).is_part_of(&said));
    caller.succeeds();
    callee.succeeds();
}

#[test]
fn a_gateway_whose_port_is_closed_is_not_waited_for() {
    let (closed, outside) = (free_port(1), free_port(1));
    let at = |port: u16| format!("address: '127.0.0.1:{port}', transport: udp");
    let office =
        Office::new().trunk("closed", &at(closed)).trunk("works", &at(outside)).out_through(&["closed", "works"]);
    let switch = Plugboard::with_office(&office);
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Udp, outside).start();
    let call = Call::new("101", "secret-101", "0301234567").lasts(Duration::from_millis(100));
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    callee.succeeds();
    let record = &switch.waits_for_past_calls(1)[0];
    let leg = &record["legs"][1];
    let at = |what: &str| leg[what].as_i64().unwrap_or_else(|| panic!("{leg}"));
    assert_eq!(leg["cause"]["status"], 503, "{record}");
    // Five seconds is what a silent one is given.
    assert!(at("ended") - at("began") < 2_500, "the kernel has said that nobody is there: {record}");
}

#[test]
fn a_call_from_the_gateways_address_needs_no_password_and_reaches_the_menu() {
    let outside = free_port(1);
    let switch = Plugboard::with_office(&Office::new().gateway("outside", outside, Transport::Udp));
    let call = Call::without_password("0309999", "100");
    Sipp::calls_from(&switch, "gateway", &call, Transport::Udp, outside).succeeds();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!((&record["direction"], &record["caller"]), (&"inbound".into(), &"0309999".into()), "{record}");
    assert_eq!(record["scenario"]["name"], "welcome", "{record}");
}

#[test]
fn the_same_call_from_another_address_is_challenged_and_reaches_nobody() {
    let outside = free_port(1);
    let switch = Plugboard::with_office(&Office::new().gateway("outside", outside, Transport::Udp));
    let call = Call::without_password("0309999", "100").gets(407);
    Sipp::calls(&switch, "stranger", &call, Transport::Udp).succeeds();
    assert!(switch.past_calls().is_empty());
}

#[test]
fn a_caller_with_a_wrong_password_is_challenged_again() {
    let switch = Plugboard::with_office(&Office::new());
    let call = Call::new("101", "guessed", "102").gets(407);
    Sipp::calls(&switch, "guesser", &call, Transport::Udp).succeeds();
    assert!(switch.past_calls().is_empty());
}

#[test]
fn a_callee_at_the_gateway_that_hangs_up_first_ends_the_call() {
    let outside = free_port(1);
    let switch = Plugboard::with_office(&Office::new().gateway("outside", outside, Transport::Udp));
    let answer = Answer::new().hangs_up_after(Duration::from_millis(200));
    let callee = Sipp::answers(&switch, "callee", &answer, Transport::Udp, outside).start();
    let call = Call::new("101", "secret-101", "0301234567").stays();
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    callee.succeeds();
    until("the gateway's channel to be free", || (switch.ask(&["status"])["gateways"][0]["calls"] == 0).then_some(()));
}
