//! Apps that sleep and are woken by a push notification (RFC 8599).

use crate::seconds;
use plugboard_simulator::{Phone, Sim};

/// Ann, and an app of Bob's that has registered over a connection that is gone.
fn asleep() -> (Sim, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, app) = (sim.phone("ann", "101"), sim.new_phone("app", "102"));
    app.is_woken_by("story", "b0b");
    sim.connects(&app);
    app.registers();
    sim.run_until(app.is_registered());
    sim.disconnects(&app);
    (sim, ann, app)
}

/// It comes back as an app does that was woken.
fn wakes(sim: &mut Sim, app: &Phone) {
    sim.connects(app);
    app.registers();
    sim.run_until(app.is_registered());
}

#[test]
fn an_app_that_sleeps_is_woken_for_a_call_and_rings_when_it_has_registered() {
    let (mut sim, ann, app) = asleep();
    let begin = sim.now();
    ann.dials("102");
    sim.run_for(seconds(3));
    assert_eq!(sim.devices_woken(), ["b0b"]);
    assert!(app.calls().is_empty() && !ann.is_idle()(), "the call waits\n{}", sim.ladder());
    wakes(&mut sim, &app);
    sim.run_until(app.rings());
    app.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until(app.is_idle());
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
       0.040  ann -> switch  INVITE 102 +sdp
       0.045  switch -> ann  407 INVITE
       0.050  ann -> switch  ACK
       0.050  ann -> switch  INVITE 102 +sdp
       0.255  switch -> ann  100 INVITE
       3.040  app -> switch  REGISTER
       3.045  switch -> app  401 REGISTER
       3.050  app -> switch  REGISTER
       3.055  switch -> app  200 REGISTER
       3.055  switch -> app  INVITE 102 +sdp
       3.060  app -> switch  180 INVITE
       3.060  app -> switch  200 INVITE +sdp
       3.065  switch -> app  ACK
       3.065  switch -> ann  180 INVITE
       3.065  switch -> ann  200 INVITE +sdp
       3.070  ann -> switch  ACK
       3.070  ann -> switch  BYE
       3.075  switch -> ann  200 BYE
       3.075  switch -> app  BYE because SIP;cause=200;text="OK"
       3.080  app -> switch  200 BYE
    "#);
    sim.run_until_quiet();
}

#[test]
fn his_other_phone_rings_already_while_the_app_wakes_up() {
    let (mut sim, ann, app) = asleep();
    let desk = sim.phone("desk", "102");
    ann.dials("102");
    sim.run_until(desk.rings());
    sim.run_for(seconds(2));
    wakes(&mut sim, &app);
    sim.run_until(app.rings());
    app.answers();
    sim.run_until(ann.talks());
    sim.run_until(desk.is_idle());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.records("main")[0].legs.len(), 3);
}

#[test]
fn an_app_that_does_not_wake_up_in_ten_seconds_is_nobody_there() {
    let (mut sim, ann, _app) = asleep();
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    let waited = sim.now().since(begin);
    assert!(waited > seconds(10) && waited < seconds(11), "{waited:?}");
    sim.run_until_quiet();
}

#[test]
fn an_app_that_its_service_knows_no_more_is_forgotten_and_nobody_waits_for_it() {
    let (mut sim, ann, app) = asleep();
    sim.push_service_forgets("b0b");
    let begin = sim.now();
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    assert!(sim.now().since(begin) < seconds(1), "{}", sim.ladder());
    sim.run_until_quiet();
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    assert_eq!(sim.devices_woken(), ["b0b"], "it is not asked again");
    // Until it registers anew.
    wakes(&mut sim, &app);
    ann.dials("102");
    sim.run_until(app.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn one_that_still_listens_rings_though_it_cannot_be_woken() {
    let mut sim = Sim::demo();
    let (ann, app) = (sim.phone("ann", "101"), sim.new_phone("app", "102"));
    app.is_woken_by("story", "b0b");
    app.registers();
    sim.run_until(app.is_registered());
    sim.push_service_forgets("b0b");
    for _ in 0..2 {
        ann.dials("102");
        sim.run_until(app.rings());
        ann.hangs_up();
        sim.run_until(app.is_idle());
    }
    assert_eq!(sim.devices_woken(), ["b0b"]);
    sim.run_until_quiet();
}

#[test]
fn a_phone_that_declines_while_the_app_wakes_up_leaves_the_call_to_the_app() {
    let (mut sim, ann, app) = asleep();
    let desk = sim.phone("desk", "102");
    ann.dials("102");
    sim.run_until(desk.rings());
    desk.refuses(486);
    sim.run_for(seconds(1));
    wakes(&mut sim, &app);
    sim.run_until(app.rings());
    app.answers();
    sim.run_until(ann.talks());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn two_calls_to_a_sleeping_app_wake_it_once_and_a_caller_who_leaves_does_not_ring_it() {
    let (mut sim, ann, app) = asleep();
    let cem = sim.phone("cem", "103");
    ann.dials("102");
    cem.dials("102");
    sim.run_for(seconds(1));
    assert_eq!(sim.devices_woken(), ["b0b"]);
    for caller in [&ann, &cem] {
        caller.hangs_up();
        sim.run_until(caller.is_idle());
    }
    wakes(&mut sim, &app);
    sim.run_for(seconds(1));
    assert!(app.calls().is_empty(), "{}", sim.ladder());
    sim.run_until_quiet();
}

#[test]
fn an_app_that_is_awake_is_rung_at_once_and_told_nothing() {
    let (mut sim, ann, app) = asleep();
    wakes(&mut sim, &app);
    ann.dials("102");
    sim.run_until(app.rings());
    assert!(sim.devices_woken().is_empty());
    ann.hangs_up();
    sim.run_until(app.is_idle());
    sim.run_until_quiet();
}
