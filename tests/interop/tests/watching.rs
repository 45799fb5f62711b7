//! Phones of others watch: lamps, presence, waiting messages.

use plugboard_tests_interop::{Answer, Baresip, Call, Linphone, Office, Plugboard, Sipp, Transport, free_port, until};
use std::time::Duration;

#[test]
fn sipp_sees_a_call_come_and_go_by_its_lamp() {
    let switch = Plugboard::with_office(&Office::new());
    let phone = free_port(1);
    Sipp::registers(&switch, "102", "secret-102", phone).succeeds();
    // Idle, ringing or talking already, and idle again: the rest may fall together.
    let lamp = Sipp::watches(&switch, "103", "secret-103", ["102", "dialog"], 3).start();
    until("the first word", || lamp.messages().contains("version=\"0\"").then_some(()));
    let callee = Sipp::answers(&switch, "callee", &Answer::new(), Transport::Udp, phone).start();
    let call = Call::new("101", "secret-101", "102").lasts(Duration::from_millis(2_500));
    Sipp::calls(&switch, "caller", &call, Transport::Udp).succeeds();
    callee.succeeds();
    let told = lamp.succeeds().messages();
    assert!(told.contains("<state>confirmed</state>"), "{told}");
    assert!(told.contains("Subscription-State: terminated;reason=timeout"), "{told}");
    let last = told.rsplit("<dialog-info").next().unwrap_or_default();
    assert!(!last.contains("<dialog "), "it is dark at the end: {last}");
}

#[test]
fn sipp_is_told_of_its_mailbox_and_not_of_another_ones() {
    let switch = Plugboard::with_office(&Office::new());
    let told = Sipp::watches(&switch, "102", "secret-102", ["102", "message-summary"], 1).succeeds().messages();
    assert!(told.contains("Messages-Waiting: no") && told.contains("Voice-Message: 0/0 (0/0)"), "{told}");
    Sipp::watches(&switch, "102", "secret-102", ["101", "message-summary"], 1).fails();
}

#[test]
fn baresip_sees_whether_a_colleague_is_there_and_that_he_has_left_a_message() {
    let taking = "- voicemail: { user: 101, max: 5s }";
    let switch = Plugboard::with_office(&Office::new().scenario("300", "takes", taking));
    let ann = Baresip::start_watching(&switch, "101", "secret-101", 440.0, "102");
    ann.waits_to_say("Messages-Waiting: no");
    ann.waits_to_show("Offline");
    let bob = Baresip::start(&switch, "102", "secret-102", 700.0, Transport::Udp);
    ann.waits_to_show("Online");
    bob.dials("300");
    bob.waits_for_answer();
    ann.waits_to_say("Messages-Waiting: yes");
    ann.waits_to_say("Voice-Message: 1/0");
}

#[test]
fn linphone_publishes_and_another_linphone_sees_it() {
    let switch = Plugboard::with_office(&Office::new());
    let (bob, ann) = (
        Linphone::start_publishing(&switch, "102", "secret-102"),
        Linphone::start_watching(&switch, "101", "secret-101", "102"),
    );
    bob.waits_to_say("SIP-ETag");
    ann.waits_to_say("<basic>open</basic>");
}
