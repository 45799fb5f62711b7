//! A switch that is told to end.

use plugboard_tests_interop::{Call, Office, Plugboard, Serve, Sipp, Transport, until};
use std::time::Duration;

#[test]
fn told_to_end_it_lets_the_running_call_finish_and_refuses_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).start();
    switch.apply(&Office::new());
    let running = Call::new("101", "secret-101", "*43").stays();
    let running = Sipp::calls(&switch, "running", &running, Transport::Udp).start();
    let id = switch.waits_for_live_calls(1)[0]["id"].as_str().unwrap().to_owned();
    until("the call to be answered", || running.messages().contains("ACK sip:").then_some(()));
    assert_eq!(switch.page("/readyz").0, 200);

    switch.terminate();
    until("the switch to drain", || (switch.page("/readyz").0 == 503).then_some(()));
    assert!(switch.page("/readyz").1.contains("new calls are refused"));
    let refused = Call::without_password("102", "*43").gets(503);
    let refused = Sipp::calls(&switch, "late", &refused, Transport::Udp).succeeds().messages();
    assert!(refused.contains("Retry-After: "), "{refused}");
    assert_eq!(switch.live_calls().len(), 1, "the call goes on");

    // Commands are answered to the end.
    switch.succeeds(&["call", "hangup", &id]);
    running.succeeds();
    let status = switch.wait();
    assert_eq!(status.code(), Some(0), "{status}");
    drop(switch);
    let calls = Serve::on(&data).start().waits_for_past_calls(1);
    assert_eq!((&calls[0]["id"], &calls[0]["outcome"]), (&id.as_str().into(), &"handled".into()));
}

#[test]
fn a_call_that_outlasts_the_limit_of_the_drain_is_ended_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut switch = Serve::on(&data).configured("drain = \"1s\"\n").start();
    switch.apply(&Office::new());
    let running = Call::new("101", "secret-101", "*43").stays();
    let running = Sipp::calls(&switch, "running", &running, Transport::Udp).start();
    until("the call to be answered", || running.messages().contains("ACK sip:").then_some(()));
    switch.terminate();
    // He gets a BYE.
    running.succeeds();
    assert_eq!(switch.wait().code(), Some(0));
    drop(switch);
    Serve::on(&data).start().waits_for_past_calls(1);
}

#[test]
fn told_to_end_twice_it_ends_the_running_call_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut switch = Serve::on(&folder.path().join("data")).configured("drain = \"1h\"\n").start();
    switch.apply(&Office::new());
    let running = Call::new("101", "secret-101", "*43").stays();
    let running = Sipp::calls(&switch, "running", &running, Transport::Udp).start();
    until("the call to be answered", || running.messages().contains("ACK sip:").then_some(()));
    switch.terminate();
    until("the switch to drain", || (switch.page("/readyz").0 == 503).then_some(()));
    assert_eq!(switch.live_calls().len(), 1, "the call goes on");
    switch.program().signal("INT");
    // He gets a BYE.
    running.succeeds();
    assert_eq!(switch.wait().code(), Some(0));
}

#[test]
fn without_calls_it_ends_at_once_also_by_an_interrupt() {
    for signal in ["TERM", "INT"] {
        let mut switch = Plugboard::with_office(&Office::new());
        switch.program().signal(signal);
        assert_eq!(switch.wait().code(), Some(0), "SIG{signal}");
    }
}

#[test]
fn a_closed_terminal_ends_nothing() {
    let mut switch = Plugboard::with_office(&Office::new());
    switch.program().signal("HUP");
    switch.succeeds(&["status"]);
    switch.program().signal("TERM");
    assert_eq!(switch.wait().code(), Some(0));
}

#[test]
fn a_call_hangs_up_by_itself_during_the_drain_and_then_the_switch_ends() {
    let mut switch = Plugboard::with_office(&Office::new());
    let running = Call::new("101", "secret-101", "*43").lasts(Duration::from_secs(2));
    let running = Sipp::calls(&switch, "running", &running, Transport::Tcp).start();
    until("the call to be answered", || running.messages().contains("ACK sip:").then_some(()));
    switch.terminate();
    running.succeeds();
    assert_eq!(switch.wait().code(), Some(0));
}
