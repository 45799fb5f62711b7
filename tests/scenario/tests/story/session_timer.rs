//! Each end learns in time that the other one is gone (RFC 4028), whoever keeps the session alive.

use plugboard_model::CallOutcome;
use plugboard_simulator::{Phone, Sim};

use crate::{conversation, seconds, talk};

/// Ann calls Bob, whose sessions live for two minutes; they talk.
fn two(prepare: impl FnOnce(&Phone, &Phone)) -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    prepare(&ann, &bob);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    (sim, ann, bob)
}

/// What the record says of how each leg ended.
fn causes(sim: &Sim) -> Vec<(u16, String)> {
    sim.record().legs.into_iter().map(|leg| (leg.cause.status, leg.cause.text)).collect()
}

#[test]
fn a_phone_that_leaves_it_to_us_is_refreshed_by_update_at_half_its_time() {
    let (mut sim, ann, bob) = two(|_, bob| {
        bob.keeps_time(120, false);
        bob.allows_updates();
    });
    let begin = sim.now();
    sim.run_for(seconds(150));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
     60.065  switch -> bob  UPDATE
     60.070  bob -> switch  200 UPDATE
    120.075  switch -> bob  UPDATE
    120.080  bob -> switch  200 UPDATE
    "#);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_phone_that_takes_no_update_is_refreshed_by_an_invite_that_changes_nothing() {
    let (mut sim, ann, bob) = two(|_, bob| bob.keeps_time(120, false));
    let begin = sim.now();
    sim.run_for(seconds(100));
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    60.065  switch -> bob  INVITE again +sdp
    60.070  bob -> switch  200 INVITE +sdp
    60.075  switch -> bob  ACK
    "#);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_phone_that_refreshes_keeps_the_call_and_one_that_stops_ends_it_with_its_cause() {
    let (mut sim, ann, bob) = two(|ann, _| ann.keeps_time(90, true));
    for _ in 0..4 {
        sim.run_for(seconds(45));
        ann.refreshes();
        sim.run_until(ann.was_answered_again());
        assert_eq!(ann.reinvited(), Some(200));
    }
    talk(&mut sim, &ann, &bob);
    let begin = sim.now();
    sim.run_until(bob.is_idle());
    // A third before its time is over, so that the other end is not first (RFC 4028 section 10).
    let waited = sim.now().since(begin).as_secs();
    assert!((58..=62).contains(&waited), "{waited} s");
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    180.130  ann -> switch  ACK
    240.125  switch -> ann  BYE because SIP;cause=408;text="Session Expired"
    240.125  switch -> bob  BYE because SIP;cause=200;text="OK"
    240.130  ann -> switch  200 BYE
    240.130  bob -> switch  200 BYE
    "#);
    sim.run_until_quiet();
    insta::assert_debug_snapshot!(causes(&sim), @r#"
    [
        (
            408,
            "Session Expired",
        ),
        (
            200,
            "OK",
        ),
    ]
    "#);
}

#[test]
fn a_phone_that_is_gone_while_it_is_held_is_noticed_by_the_refresh() {
    let (mut sim, ann, bob) = two(|_, bob| {
        bob.keeps_time(120, false);
        bob.allows_updates();
    });
    ann.holds();
    sim.run_until(ann.was_answered_again());
    let begin = sim.now();
    bob.is_unplugged();
    sim.run_until(ann.is_idle());
    let waited = sim.now().since(begin).as_secs();
    assert!((60..=93).contains(&waited), "half its time, and an UPDATE's: {waited} s");
    sim.run_until_quiet();
    insta::assert_debug_snapshot!(causes(&sim), @r#"
    [
        (
            200,
            "OK",
        ),
        (
            408,
            "Request Timeout",
        ),
    ]
    "#);
}

#[test]
fn a_phone_that_wants_longer_sessions_gets_them() {
    let (mut sim, ann, bob) = two(|_, bob| {
        bob.keeps_time(7_200, false);
        bob.takes_no_session_below(7_200);
    });
    let asked: Vec<_> = bob
        .requests("INVITE")
        .iter()
        .map(|text| {
            let of = |name: &str| text.lines().find(|line| line.starts_with(name)).map(|line| line.trim().to_owned());
            (of("Session-Expires"), of("Min-SE"))
        })
        .collect();
    insta::assert_debug_snapshot!(asked, @r#"
    [
        (
            Some(
                "Session-Expires: 1800;refresher=uac",
            ),
            None,
        ),
        (
            Some(
                "Session-Expires: 7200;refresher=uac",
            ),
            Some(
                "Min-SE: 7200",
            ),
        ),
    ]
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_session_that_is_too_short_for_us_is_refused_with_what_we_take() {
    let (mut sim, ann, bob) = conversation();
    bob.hangs_up();
    sim.run_until(ann.is_idle());
    let stranger = "203.0.113.9:5060";
    sim.strange_message(
        stranger,
        &format!(
            "INVITE sip:102@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP {stranger};branch=z9hG4bK-1;rport\nMax-Forwards: 70\n\
             From: <sip:101@plugboard.test>;tag=s1\nTo: <sip:102@plugboard.test>\nCall-ID: 1@stranger\nCSeq: 1 INVITE\n\
             Contact: <sip:x@{stranger}>\nSupported: timer\nSession-Expires: 60\nContent-Length: 0\n\n"
        ),
    );
    sim.run_for(seconds(1));
    let told = sim.said_to(stranger).concat();
    assert!(told.starts_with("SIP/2.0 422 ") && told.contains("\r\nMin-SE: 90\r\n"), "{told}");
    ann.keeps_time(60, true);
    ann.dials("102");
    sim.run_until(ann.was_told(422));
    sim.run_until_quiet();
}
