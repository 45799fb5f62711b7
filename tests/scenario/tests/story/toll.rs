//! What calls to the outside may cost: limits of users and gateways, and who pays.

use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

use crate::{seconds, talk};

const FIRST: &str = "10.0.1.1:5060";
const SECOND: &str = "10.0.1.2:5060";

/// Everybody has `office` for limits, Bob `bob`, the first of two gateways `first`. Stories begin on a Monday at 10:00.
fn office(office: &str, bob: &str, first: &str) -> OfficeText {
    OfficeText::new(&format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\ntime_zone: Europe/Berlin\n{office}\
         emergency: {{ confirmed: true }}\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, password: demo-101 }}\n\
         \x20 - {{ id: \"102\", number: 102, password: demo-102{bob} }}\n\
         \x20 - {{ id: \"103\", number: 103, password: demo-103 }}\n\
         gateways:\n  - {{ id: first, address: \"{FIRST}\", numbers: e164{first} }}\n\
         \x20 - {{ id: second, address: \"{SECOND}\", numbers: e164 }}\n\
         scenarios: []\nroutes:\n  - {{ id: out, prefix: 0, gateways: [first, second], strip: 1 }}\n"
    ))
}

fn setup(offices: &str, bob: &str, first: &str) -> Setup {
    Setup::offices(vec![office(offices, bob, first)])
}

fn started(setup: Setup) -> (Sim, Phone, Phone, Phone, Phone) {
    let mut sim = setup.start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (first, second) = (sim.outside("first", FIRST), sim.outside("second", SECOND));
    (sim, ann, bob, first, second)
}

/// The cause of each leg to the outside, of the record that was written last.
fn causes(sim: &Sim) -> Vec<(u16, String)> {
    let mut records = sim.records("main");
    records.sort_by_key(|record| record.began);
    let legs = records.pop().map(|record| record.legs).unwrap_or_default();
    legs.into_iter().skip(1).map(|leg| (leg.cause.status, leg.cause.text)).collect()
}

fn met(sim: &Sim, limit: &str) -> Option<f64> {
    sim.metric(&format!("plugboard_toll_limits_met_total{{limit=\"{limit}\"}}"))
}

#[test]
fn a_call_beyond_the_limit_of_calls_at_once_gets_403_with_the_reason() {
    let (mut sim, ann, _bob, first, _second) = started(setup("toll: { calls_at_once: 1 }\n", "", ""));
    ann.dials("0030123456");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    let begin = sim.now();
    ann.dials("0030123457");
    sim.run_until(ann.was_told(403));
    insta::assert_snapshot!(sim.ladder().since(begin), @"
    0.090  ann -> switch  INVITE 0030123457 +sdp
    0.095  switch -> ann  407 INVITE
    0.100  ann -> switch  ACK
    0.100  ann -> switch  INVITE 0030123457 +sdp
    0.105  switch -> ann  403 INVITE
    0.110  ann -> switch  ACK
    ");
    let reason = "Limit of the user 101: as many calls to the outside at once as allowed";
    let refused = sim.records("main").into_iter().find(|record| record.called == "0030123457").unwrap();
    let said = sim.said_in(&refused, "10.0.0.11:5060");
    assert!(said.contains(&format!("SIP/2.0 403 {reason}\r\n")), "{said}");
    assert_eq!(refused.legs[1].cause.text, reason);
    assert_eq!(met(&sim, "calls"), Some(1.0));
    first.hangs_up();
    sim.run_until(ann.is_idle());
    ann.dials("0030123457");
    sim.run_until(first.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_limit_is_each_users_own_and_a_users_own_goes_before_the_offices() {
    let (mut sim, ann, bob, first, _second) =
        started(setup("toll: { calls_at_once: 0 }\n", ", toll: { calls_at_once: 1 }", ""));
    ann.dials("0030123456");
    sim.run_until(ann.was_told(403));
    bob.dials("0030123456");
    sim.run_until(first.rings());
    ann.dials("0112");
    sim.run_until(|| first.calls().len() == 2);
    assert_eq!(first.called().as_deref(), Some("112"), "help costs nothing");
    ann.hangs_up();
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn destinations_are_told_by_the_longest_beginning_however_they_are_dialled() {
    let toll = "toll: { countries: [de], deny: [\"+49900\", \"0137\"], allow: [\"+4313\"] }\n";
    let (mut sim, ann, _bob, first, _second) = started(setup(toll, "", ""));
    for (dialled, goes) in [
        ("0030123456", true),
        ("00900123456", false),
        ("00049900123456", false),
        ("00137123456", false),
        ("000431312345", true),
        ("000431212345", false),
        ("00012125551234", false),
    ] {
        ann.dials(dialled);
        if goes {
            sim.run_until(first.rings());
            ann.hangs_up();
            sim.run_until(first.is_idle());
        } else {
            sim.run_until(ann.was_told(403));
        }
        sim.run_until(ann.is_idle());
    }
    sim.run_until_quiet();
    assert_eq!(met(&sim, "destination"), Some(5.0));
}

#[test]
fn hours_go_by_the_offices_clock() {
    let toll = "toll: { hours: [{ days: [mon-fri], from: \"07:00\", to: \"10:05\" }] }\n";
    let (mut sim, ann, _bob, first, _second) = started(setup(toll, "", ""));
    ann.dials("0030123456");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    sim.run_for(seconds(5 * 60));
    assert!(ann.talks()(), "hours are for the beginning");
    ann.hangs_up();
    sim.run_until(first.is_idle());
    ann.dials("0030123456");
    sim.run_until(ann.was_told(403));
    sim.run_until_quiet();
    assert_eq!(causes(&sim), [(403, "Limit of the user 101: no calls to the outside are allowed at this time".into())]);
}

#[test]
fn minutes_that_are_used_up_refuse_new_calls_and_end_running_ones_where_the_admin_says_so() {
    for then in ["", ", then: end"] {
        let toll = format!("toll: {{ minutes_a_day: 2{then} }}\n");
        let (mut sim, ann, _bob, first, _second) = started(setup(&toll, "", ""));
        ann.dials("0030123456");
        sim.run_until(first.rings());
        sim.run_for(seconds(60));
        first.answers();
        talk(&mut sim, &ann, &first);
        sim.run_for(seconds(115));
        assert!(ann.talks()(), "only answered minutes count");
        sim.run_for(seconds(10));
        assert_eq!(ann.talks()(), then.is_empty());
        if then.is_empty() {
            ann.hangs_up();
        }
        sim.run_until_quiet();
        let ended = causes(&sim);
        ann.dials("0030123456");
        sim.run_until(ann.was_told(403));
        sim.run_until_quiet();
        assert_eq!(met(&sim, "minutes"), Some(if then.is_empty() { 1.0 } else { 2.0 }), "{ended:?}");
        let office = setup(&toll, "", "");
        let mut sim = office.after(sim).start();
        let (ann, first) = (sim.new_phone("ann", "101"), sim.outside("first", FIRST));
        ann.dials("0030123456");
        sim.run_until(ann.was_told(403));
        sim.run_until_quiet();
        // Fifteen hours later it is another day.
        sim.run_for(seconds(15 * 3_600));
        ann.dials("0030123456");
        sim.run_until(first.rings());
        ann.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn minutes_of_a_call_that_goes_on_are_kept_so_that_a_crash_loses_none_but_the_last() {
    let toll = "toll: { minutes_a_day: 30 }\n";
    let (mut sim, ann, _bob, first, _second) = started(setup(toll, "", ", toll: { minutes_a_day: 90 }"));
    ann.dials("0030123456");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    sim.run_for(seconds(10 * 60));
    let office = plugboard_model::OfficeId::new("main").unwrap();
    for kept in [sim.store().tolls_of_users().all(&office), sim.store().tolls_of_gateways().all(&office)] {
        let kept = kept.unwrap();
        let [(_, bytes)] = kept.as_slice() else { panic!("{kept:?}") };
        let text = String::from_utf8_lossy(bytes);
        let used: u64 = text.trim_end_matches(']').rsplit(',').next().unwrap().parse().unwrap();
        assert!((9 * 60_000..=10 * 60_000 + 1_000).contains(&used), "{text}");
    }
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn whoever_hands_on_or_sends_on_pays() {
    let (mut sim, ann, bob, first, _second) = started(setup("", ", toll: { countries: [de] }", ""));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("00012125551234");
    sim.run_until(bob.was_told_of_transfer(403));
    assert!(ann.talks()() && bob.talks()(), "they go on");
    bob.hands_on_to("0030123456");
    sim.run_until(first.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(first.calls(), [Stage::Over(487)]);
    bob.always_sends_on(302, &["<sip:00012125551234@plugboard.test>"]);
    ann.dials("102");
    sim.run_until(ann.was_told(403));
    sim.run_until_quiet();
    ann.dials("00012125551234");
    sim.run_until(first.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_called_pays_also_when_the_gateway_sends_his_call_on_through_another() {
    let office = office("toll: { deny: [\"+49900\"] }\n", "", "");
    let transit = "routes:\n  - { id: through, from: gateways, prefix: \"+49\", gateway: second }\n";
    let (mut sim, ann, _bob, first, second) = started(Setup::offices(vec![office.replace("routes:\n", transit)]));
    first.always_sends_on(302, &["<sip:+4930123457@plugboard.test>"]);
    ann.dials("0030123456");
    sim.run_until(second.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    first.always_sends_on(302, &["<sip:+49900123457@plugboard.test>"]);
    ann.dials("0030123456");
    sim.run_until(ann.was_told(403));
    assert_eq!(second.calls().len(), 1);
    // Within itself as well: he pays for the number that it names.
    first.always_sends_on(302, &["<sip:+49900123457@10.0.1.1:5060>"]);
    let called = first.calls().len();
    ann.dials("0030123456");
    sim.run_until(ann.was_told(403));
    assert_eq!(first.calls().len(), called + 1);
    sim.run_until_quiet();
}

#[test]
fn who_calls_a_scenario_that_calls_out_pays() {
    let office = OfficeText::demo()
        .with_story("  - call-number: { number: \"8301234\", ring_for: 40s }\n    on:\n      no-answer: [{ play-audio: { audio: welcome } }]\n")
        .replace("gateways:\n", &format!("gateways:\n  - {{ id: first, address: \"{FIRST}\" }}\n"))
        .replace("routes:\n", "routes:\n  - { id: eight, prefix: 8, gateway: first, strip: 1 }\n")
        .replace("domains:", "toll: { allow: [\"0900\"] }\ndomains:");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, first) = (sim.phone("ann", "101"), sim.outside("first", FIRST));
    ann.dials("300");
    sim.run_until(ann.hears("welcome"));
    assert_eq!(first.calls(), []);
    assert_eq!(met(&sim, "destination"), Some(1.0));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_gateway_that_has_met_its_limits_gives_way_to_the_next() {
    let (mut sim, ann, _bob, _first, second) = started(setup("", "", ", toll: { calls_at_once: 0 }"));
    ann.dials("0030123456");
    sim.run_until(second.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(causes(&sim)[0].0, 503);
    assert_eq!(met(&sim, "calls"), Some(1.0));
}

#[test]
fn destinations_that_a_gateway_may_not_call_are_called_by_the_next() {
    let (mut sim, ann, _bob, first, second) = started(setup("", "", ", toll: { deny: [\"+4930\"] }"));
    for (dialled, through) in [("0030123456", &second), ("0040123456", &first)] {
        ann.dials(dialled);
        sim.run_until(through.rings());
        ann.hangs_up();
        sim.run_until_quiet();
    }
    assert_eq!((first.calls().len(), second.calls().len()), (1, 1));
    assert_eq!(met(&sim, "destination"), Some(1.0));
}

#[test]
fn outside_the_hours_of_a_gateway_the_next_is_taken() {
    let toll = ", toll: { hours: [{ days: [mon-fri], from: \"07:00\", to: \"10:05\" }] }";
    let (mut sim, ann, _bob, first, second) = started(setup("", "", toll));
    for through in [&first, &second] {
        ann.dials("0030123456");
        sim.run_until(through.rings());
        ann.hangs_up();
        sim.run_until_quiet();
        sim.run_for(seconds(5 * 60));
    }
    assert_eq!((first.calls().len(), second.calls().len()), (1, 1));
    assert_eq!(met(&sim, "hours"), Some(1.0));
}

#[test]
fn when_the_minutes_of_a_gateway_are_used_up_the_next_is_taken() {
    let (mut sim, ann, bob, first, second) = started(setup("", "", ", toll: { minutes_a_day: 2 }"));
    ann.dials("0030123456");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    sim.run_for(seconds(2 * 60));
    ann.hangs_up();
    sim.run_until_quiet();
    bob.dials("0030123456");
    sim.run_until(second.rings());
    bob.hangs_up();
    sim.run_until_quiet();
    assert_eq!((first.calls().len(), second.calls().len()), (1, 1));
    assert_eq!(met(&sim, "minutes"), Some(1.0));
}
