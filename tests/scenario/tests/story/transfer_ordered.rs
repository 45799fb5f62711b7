//! Calls that an admin hands on: no phone asks for it.

use plugboard_model::{CallId, CallOutcome, JournalEvent, LegId};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};
use plugboard_switch::NotHandedOn;

use crate::{conversation, journaled, seconds, talk};

/// Ann called Bob, they talk, and Cem is there as well.
fn three() -> (Sim, CallId, Phone, Phone, Phone) {
    let (mut sim, ann, bob) = conversation();
    let cem = sim.phone("cem", "103");
    let call = sim.live_calls().remove(0);
    (sim, call, ann, bob, cem)
}

#[test]
fn whom_an_admin_hands_on_talks_to_who_answers_and_who_had_him_is_let_go() {
    let (mut sim, call, ann, bob, cem) = three();
    let begin = sim.now();
    assert_eq!(sim.hands_on(&call, Some(1), "103"), Ok(LegId(1)));
    sim.run_until(cem.rings());
    assert!(cem.caller().is_some_and(|from| from.starts_with("\"Ann Archer\" <sip:101@")), "{:?}", cem.caller());
    sim.run_until(ann.hears(plugboard_simulator::TONE));
    cem.answers();
    talk(&mut sim, &ann, &cem);
    sim.run_until(bob.is_idle());
    assert!(ann.shows().is_some_and(|shown| shown.contains("Cem Celik")), "{:?}", ann.shows());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.110  switch -> cem  INVITE 103 +sdp
    0.115  cem -> switch  180 INVITE
    0.125  cem -> switch  200 INVITE +sdp
    0.130  switch -> cem  ACK
    0.130  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.130  switch -> ann  INVITE again +sdp
    0.135  bob -> switch  200 BYE
    0.135  ann -> switch  200 INVITE +sdp
    0.140  switch -> ann  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!((&record.outcome, record.legs.len()), (&CallOutcome::Answered, 3));
    let handed_on = |event: &JournalEvent| matches!(event, JournalEvent::Transferred { by: Some(LegId(1)), whom: LegId(0), to } if to == "103");
    assert_eq!(journaled(&sim, &record, handed_on), 1);
}

#[test]
fn who_was_to_leave_has_the_call_back_when_nobody_answers_and_is_rung_if_he_has_hung_up() {
    for hangs_up in [false, true] {
        let (mut sim, call, ann, bob, cem) = three();
        let begin = sim.now();
        assert_eq!(sim.hands_on(&call, Some(1), "103"), Ok(LegId(1)));
        sim.run_until(cem.rings());
        if hangs_up {
            bob.hangs_up();
            sim.run_until(bob.rings());
            assert_eq!(sim.now().since(begin).as_secs(), 30, "the office's own time");
            bob.answers();
        } else {
            cem.refuses(486);
        }
        talk(&mut sim, &ann, &bob);
        assert!(cem.is_idle()());
        ann.hangs_up();
        sim.run_until_quiet();
        assert_eq!(sim.record().outcome, CallOutcome::Answered);
    }
}

/// Ann called Bob and holds him, then called Cem.
fn consultation(shards: usize) -> (Sim, [CallId; 2], [Phone; 3]) {
    let mut sim = Setup::demo().shards(shards, true).start();
    let [ann, bob, cem] = [("ann", "101"), ("bob", "102"), ("cem", "103")].map(|(name, user)| sim.phone(name, user));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    let first = sim.live_calls().remove(0);
    ann.holds();
    sim.run_until(ann.was_answered_again());
    ann.dials("103");
    sim.run_until(cem.rings());
    let second = sim.live_calls().into_iter().find(|call| *call != first).unwrap();
    assert_eq!(sim.joins(&first, Some(0), &second), Err(NotHandedOn::NotJoined(481)), "Cem has not answered");
    cem.answers();
    talk(&mut sim, &ann, &cem);
    (sim, [first, second], [ann, bob, cem])
}

#[test]
fn an_admin_joins_two_calls_of_somebody_who_leaves_both() {
    for shards in [1, 4] {
        let (mut sim, [first, second], [ann, bob, cem]) = consultation(shards);
        let begin = sim.now();
        assert_eq!(sim.joins(&first, Some(0), &second), Ok(LegId(0)));
        talk(&mut sim, &bob, &cem);
        sim.run_until(ann.is_idle());
        assert!(bob.shows().is_some_and(|shown| shown.contains("Cem Celik")), "{:?}", bob.shows());
        if shards == 1 {
            insta::assert_snapshot!(sim.ladder().since(begin), @r#"
            0.170  switch -> cem  INVITE again +sdp
            0.170  switch -> ann  BYE because SIP;cause=200;text="OK"
            0.170  switch -> bob  INVITE again +sdp
            0.170  switch -> ann  BYE because SIP;cause=200;text="OK"
            0.175  cem -> switch  200 INVITE +sdp
            0.175  ann -> switch  200 BYE
            0.175  bob -> switch  200 INVITE +sdp
            0.175  ann -> switch  200 BYE
            0.180  switch -> cem  ACK
            0.180  switch -> bob  ACK
            "#);
        }
        bob.hangs_up();
        sim.run_until(cem.is_idle());
        sim.run_until_quiet();
        let records = sim.records("main");
        assert_eq!(records.len(), 2);
        for record in records {
            assert_eq!(record.outcome, CallOutcome::Answered);
            let left = |event: &JournalEvent| matches!(event, JournalEvent::Transferred { by: Some(LegId(0)), .. });
            assert_eq!(journaled(&sim, &record, left), 1, "{shards} shards");
        }
    }
}

#[test]
fn what_cannot_be_handed_on_is_told_with_what_can_and_stays_as_it_was() {
    let (mut sim, call, ann, bob, cem) = three();
    let gone = CallId::parse("main/01M80000000000000000000000").unwrap();
    assert_eq!(sim.hands_on(&gone, Some(1), "103"), Err(NotHandedOn::NoCall(gone.clone())));
    assert_eq!(sim.joins(&call, Some(1), &gone), Err(NotHandedOn::NoCall(gone)));
    let both = vec![LegId(0), LegId(1)];
    assert_eq!(sim.hands_on(&call, None, "103"), Err(NotHandedOn::WhichLeg(both.clone())));
    assert_eq!(sim.hands_on(&call, Some(7), "103"), Err(NotHandedOn::NoLeg { leg: LegId(7), legs: both }));
    let refused = |result: Result<LegId, NotHandedOn>| match result {
        Err(NotHandedOn::Refused { status, .. }) => status,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(sim.joins(&call, Some(1), &call)), 481);
    assert_eq!(refused(sim.hands_on(&call, Some(1), "999")), 404);
    let said = sim.hands_on(&call, Some(7), "103").unwrap_err().to_string();
    assert_eq!(said, "leg 7 is not a user's who talks to somebody; of this call such are: 0, 1");
    talk(&mut sim, &ann, &bob);
    assert_eq!(sim.hands_on(&call, Some(1), "103"), Ok(LegId(1)));
    let none = NotHandedOn::NoLeg { leg: LegId(1), legs: Vec::new() };
    assert_eq!(sim.hands_on(&call, Some(1), "104"), Err(none), "it is being handed on");
    sim.run_until(cem.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateways_caller_is_handed_on_by_the_only_user_there() {
    let office = OfficeText::new(
        "office: main\ndomains: [plugboard.test]\nusers:\n  - { id: \"102\", number: 102, password: demo-102 }\n\
         \x20 - { id: \"103\", number: 103, password: demo-103 }\ngateways:\n  - { id: out, address: \"10.0.1.1:5060\" }\n\
         scenarios: []\nroutes:\n  - { id: in, from: gateways, any: true, user: \"102\" }\n",
    );
    let mut sim = Setup::offices(vec![office]).start();
    let (bob, cem, gateway) = (sim.phone("bob", "102"), sim.phone("cem", "103"), sim.outside("out", "10.0.1.1:5060"));
    gateway.dials("102");
    sim.run_for(seconds(1));
    assert!(bob.rings()(), "{}", sim.ladder());
    bob.answers();
    talk(&mut sim, &gateway, &bob);
    let call = sim.live_calls().remove(0);
    assert_eq!(sim.hands_on(&call, None, "103"), Ok(LegId(1)));
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &gateway, &cem);
    gateway.hangs_up();
    sim.run_until_quiet();
}
