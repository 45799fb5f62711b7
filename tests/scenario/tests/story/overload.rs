//! More comes than the switch can carry.

use plugboard_model::CallOutcome;
use plugboard_simulator::Stage;

use crate::{conversation, millis, seconds, talk};

/// Of somebody who is not asked who he is.
fn invite(from: &str) -> String {
    format!(
        "INVITE sip:102@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-1;rport\nMax-Forwards: 70\n\
         From: <sip:101@plugboard.test>;tag=s1\nTo: <sip:102@plugboard.test>\nCall-ID: 1@stranger\nCSeq: 1 INVITE\n\
         Contact: <sip:x@{from}>\nContent-Length: 0\n\n"
    )
}

#[test]
fn a_switch_that_is_behind_refuses_new_calls_and_lets_running_ones_change_and_end() {
    let (mut sim, ann, bob) = conversation();
    let (cem, dora) = (sim.phone("cem", "103"), sim.phone("dora", "104"));
    cem.dials("104");
    sim.run_until(dora.rings());
    sim.messages_wait(millis(60));
    ann.registers();
    sim.run_for(millis(200));
    assert!(ann.is_registered()(), "one late message says nothing, and nobody else is refused");
    let (egor, fay) = (sim.new_phone("egor", "105"), sim.new_phone("fay", "106"));
    for caller in [&egor, &fay] {
        caller.dials("101");
        sim.run_until(caller.was_told(503));
    }
    let stranger = "203.0.113.9:5060";
    sim.strange_message(stranger, &invite(stranger));
    sim.run_for(millis(200));
    let told = sim.said_to(stranger).concat();
    assert!(told.contains("SIP/2.0 503 ") && told.contains("\r\nRetry-After: 5\r\n"), "{told}");
    let begin = sim.now();
    dora.answers();
    talk(&mut sim, &cem, &dora);
    ann.holds();
    sim.run_until(ann.was_answered_again());
    bob.hangs_up();
    sim.run_until(ann.is_idle());
    assert_eq!(sim.ladder().since(begin).count("503"), 0, "{}", sim.ladder());
    assert_eq!(sim.metric(r#"plugboard_calls_refused_total{reason="overload"}"#), Some(3.0));
    assert!(sim.conditions().contains("overloaded 0: "), "{}", sim.conditions());

    sim.messages_wait(millis(40));
    fay.dials("101");
    sim.run_until(ann.rings());
    sim.run_for(seconds(20));
    assert!(!sim.conditions().contains("overloaded"), "{}", sim.conditions());
    fay.hangs_up();
    cem.hangs_up();
    sim.run_until_quiet();
    assert_eq!(egor.calls(), [Stage::Over(503)]);
    let outcomes: Vec<_> = sim.records("main").into_iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes.len(), 3, "a call that is refused early leaves no record: {outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == CallOutcome::Answered).count(), 2);
}
