//! What holds for the whole house: ports, drain, reload, offices, gateways.

use plugboard_model::{CallOutcome, CallRecord, Cause, Direction};
use plugboard_simulator::{OfficeText, Setup, Sim, Stage};

use crate::{conversation, not_answered, seconds, steps, story, talk};

#[test]
fn without_a_free_port_a_call_is_refused_with_503_and_counted() {
    let mut sim = Setup::demo().ports(20_000..=20_003).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (cem, _dora) = (sim.phone("cem", "103"), sim.phone("dora", "104"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    cem.dials("104");
    sim.run_until(cem.was_told(503));
    assert_eq!(sim.metric("plugboard_rtp_ports_exhausted_total"), Some(1.0));
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    // They rest half a second before somebody else gets them.
    cem.dials("104");
    sim.run_until(cem.was_told(503));
    sim.run_for(seconds(1));
    cem.dials("104");
    sim.run_until(cem.hears_ringing());
    cem.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_called_leg_without_a_port_is_no_answer_with_503() {
    let mut sim = Setup::demo().ports(20_000..=20_001).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!((ann.calls(), bob.calls()), (vec![Stage::Over(503)], vec![]));
    assert_eq!(not_answered(&sim.record()), Some(503));
}

#[test]
fn a_switch_that_drains_refuses_new_calls_and_lets_running_ones_finish() {
    let mut sim = Sim::demo();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.ask(async { sim.switch().drain() });
    bob.answers();
    talk(&mut sim, &ann, &bob);
    cem.dials("104");
    sim.run_until(cem.was_told(503));
    sim.run_for(seconds(60));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn at_the_limit_of_the_drain_the_calls_that_are_left_are_ended() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (cem, dora) = (sim.phone("cem", "103"), sim.phone("dora", "104"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    cem.dials("104");
    sim.run_until(dora.rings());
    sim.ask(async { sim.switch().drain() });
    sim.ask(sim.switch().hang_up_all(Cause::of(503)));
    for phone in [&ann, &bob, &cem, &dora] {
        sim.run_until(phone.is_idle());
    }
    assert_eq!((ann.calls(), cem.calls()), (vec![Stage::Over(200)], vec![Stage::Over(503)]));
    assert!(ann.reason().unwrap().contains("cause=503"), "{:?}", ann.reason());
    sim.run_until_quiet();
    assert_eq!(sim.records("main").len(), 2);
}

#[test]
fn r50_a_reload_drops_nothing_and_acts_on_the_next_call_only() {
    let mut sim = story("  - play-audio: { audio: long, max: 10s }\n  - play-audio: { audio: first }\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (cem, dora) = (sim.phone("cem", "103"), sim.phone("dora", "104"));
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    cem.dials("104");
    sim.run_until(dora.rings());
    dora.answers();
    talk(&mut sim, &cem, &dora);
    let next = OfficeText::demo().with_story("  - play-audio: { audio: second }\n");
    sim.applies(&[next.replace("number: 102, name: Bob", "number: 107, name: Bob")]);
    sim.run_for(seconds(2));
    talk(&mut sim, &cem, &dora);
    sim.run_until(ann.hears("first"));
    sim.run_until(ann.is_idle());
    assert_eq!(ann.packets_of("second"), 0, "the running call finishes as it began");
    ann.dials("300");
    sim.run_until(ann.hears("second"));
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    ann.dials("102");
    sim.run_until(ann.was_told(404));
    ann.dials("107");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    cem.hangs_up();
    sim.run_until_quiet();
    assert_eq!(steps(&sim.records("main")[0]), ["steps[0] play-audio: done", "steps[1] play-audio: done"]);
}

#[test]
fn a_user_who_is_taken_out_while_he_talks_finishes_his_call() {
    let (mut sim, ann, bob) = conversation();
    let without = OfficeText::demo()
        .replace("  - { id: \"102\", number: 102, name: Bob Baker, password: demo-102 }\n", "")
        .replace("[\"102\", \"103\", \"104\"]", "[\"103\", \"104\"]");
    sim.applies(&[without]);
    sim.run_for(seconds(2));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    ann.dials("102");
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
}

#[test]
fn a_user_who_is_taken_out_and_put_in_again_while_he_talks_is_still_on_his_call() {
    let (mut sim, ann, bob) = conversation();
    let without = OfficeText::demo()
        .replace("  - { id: \"102\", number: 102, name: Bob Baker, password: demo-102 }\n", "")
        .replace("[\"102\", \"103\", \"104\"]", "[\"103\", \"104\"]");
    for office in [without, OfficeText::demo()] {
        sim.applies(&[office]);
        sim.run_for(seconds(2));
    }
    let bobs_calls = |sim: &Sim| {
        let users = sim.ask(sim.switch().users());
        let (_, state) = users.into_iter().find(|(id, _)| id.name.to_string() == "102").unwrap();
        (state.calls, state.user.calls, state.contacts.len())
    };
    assert_eq!(bobs_calls(&sim), (1, 1, 1));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(bobs_calls(&sim), (0, 0, 1));
}

/// An office with the numbers that every office has.
fn small(name: &str) -> OfficeText {
    OfficeText::new(&format!(
        "office: {name}
domains: [{name}.test]
users:
  - {{ id: \"101\", number: 101, name: First of {name}, password: {name}-101 }}
  - {{ id: \"102\", number: 102, name: Second of {name}, password: {name}-102 }}
"
    ))
}

#[test]
fn r80_two_offices_that_both_have_a_101_do_not_see_each_other() {
    let mut sim = Setup::offices(vec![small("north"), small("south")]).start();
    let mut phones = Vec::new();
    for office in ["north", "south"] {
        for user in ["101", "102"] {
            let phone = sim.new_phone(&format!("{office}-{user}"), &format!("{user}@{office}.test"));
            phone.has_password(&format!("{office}-{user}"));
            phone.registers();
            sim.run_until(phone.is_registered());
            phones.push(phone);
        }
    }
    phones[0].dials("102");
    sim.run_until(phones[1].rings());
    sim.run_for(seconds(1));
    assert_eq!((phones[2].calls(), phones[3].calls()), (vec![], vec![]));
    assert!(phones[1].caller().unwrap().contains("First of north"), "{:?}", phones[1].caller());
    phones[2].dials("102");
    sim.run_until(phones[3].rings());
    phones[1].answers();
    phones[3].answers();
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| phones[index].clone());
    talk(&mut sim, &a, &b);
    talk(&mut sim, &c, &d);
    assert_eq!(a.packets_of("south-102") + b.packets_of("south-101"), 0);
    a.hangs_up();
    c.hangs_up();
    sim.run_until_quiet();
    for office in ["north", "south"] {
        let records = sim.records(office);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].id.office.to_string(), office);
        assert_eq!(records[0].answered_by.clone().unwrap().office.to_string(), office);
    }
    let thief = sim.new_phone("thief", "101@south.test");
    thief.has_password("north-101");
    thief.registers();
    sim.run_for(seconds(1));
    assert_eq!(thief.registration().unwrap().0, 401, "a password is good in its own office alone");
}

#[test]
fn r80_an_address_of_another_office_or_of_nobody_does_not_ring_a_namesake() {
    let mut sim = Setup::offices(vec![small("north"), small("south")]).start();
    let users = [("101", "north"), ("102", "north"), ("102", "south")];
    let phones = users.map(|(user, office)| {
        let phone = sim.new_phone(&format!("{office}-{user}"), &format!("{user}@{office}.test"));
        phone.has_password(&format!("{office}-{user}"));
        phone.registers();
        sim.run_until(phone.is_registered());
        phone
    });
    for domain in ["south.test", "foreign.example"] {
        phones[0].dials_at("102", domain);
        sim.run_until(phones[0].was_told(404));
    }
    assert_eq!((phones[1].calls(), phones[2].calls()), (vec![], vec![]));
    assert_eq!(sim.metric(r#"plugboard_calls_refused_total{reason="foreign_domain"}"#), Some(2.0));
    phones[0].dials_at("102", "NORTH.test.");
    sim.run_until(phones[1].rings());
    phones[0].hangs_up();
    sim.run_until_quiet();
}

#[test]
fn the_only_office_is_reached_by_whatever_name_or_address_leads_to_the_switch() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101@pbx.local"), sim.phone("bob", "102@203.0.113.80"));
    for host in ["pbx.local", "plugboard.test", "203.0.113.80", "localhost"] {
        ann.dials_at("102", host);
        sim.run_until(bob.rings());
        sim.run_for(seconds(1));
        ann.hangs_up();
        sim.run_until(bob.is_idle());
        sim.run_for(seconds(1));
    }
    ann.dials_at("102", "elsewhere.example");
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
}

#[test]
fn a_call_from_the_gateways_address_needs_no_password_and_hears_the_greeting() {
    let mut sim = Sim::demo();
    let bob = sim.phone("bob", "102");
    let world = sim.outside("world", "127.0.0.1:5080");
    world.dials_as("100", "+4930123456");
    sim.run_until(world.hears("welcome"));
    world.presses("1");
    sim.run_until(bob.rings());
    assert_eq!(bob.caller().unwrap().split(';').next(), Some("<sip:+4930123456@plugboard.test>"));
    bob.answers();
    talk(&mut sim, &world, &bob);
    world.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!((record.direction, record.caller.as_str()), (Direction::Inbound, "+4930123456"));
    assert_eq!(record.outcome, CallOutcome::Answered);
}

/// From whom to whom, and how it failed.
fn failed(record: &CallRecord) -> (&str, &str, u16, &str) {
    let CallOutcome::Failed(cause) = &record.outcome else { panic!("{record:#?}") };
    assert_eq!(record.legs.iter().map(|leg| &leg.cause).collect::<Vec<_>>(), [cause]);
    (&record.caller, &record.called, cause.status, &cause.text)
}

#[test]
fn r48_a_users_call_that_is_refused_leaves_a_record_with_the_reason() {
    let office =
        OfficeText::demo().replace("routes:\n", "routes:\n  - { id: no-premium, prefix: \"0900\", refuse: 603 }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let ann = sim.phone("ann", "101");
    let refused: [(&str, u16, &str); 4] = [
        ("999", 404, "nobody has this number, and no route takes it"),
        ("101", 486, "he calls himself"),
        ("0900123", 603, "the route no-premium refuses"),
        ("0", 484, "the route outside-line leaves no number to call"),
    ];
    for (number, status, _) in refused {
        ann.dials(number);
        sim.run_until(ann.was_told(status));
        sim.run_for(seconds(1));
    }
    ann.dials_at("102", "elsewhere.example");
    sim.run_until(ann.was_told(404));
    sim.run_until_quiet();
    let records = sim.records("main");
    let told: Vec<_> = records.iter().map(failed).collect();
    for ((number, status, why), told) in refused.iter().zip(&told) {
        assert_eq!(*told, ("101", *number, *status, *why));
    }
    let foreign = "elsewhere.example is not among the office's `domains`: no call goes there";
    assert_eq!(told[4..], [("101", "102", 404, foreign)]);
    assert_eq!(records[0].caller_user.as_ref().map(|user| user.name.as_str()), Some("101"));
    assert_eq!(records[0].direction, Direction::Internal);
    // The SIP messages are kept as well.
    let kept = sim.store().calls().sip_messages(&records[0].id).unwrap();
    assert!(kept.iter().any(|message| message.bytes.starts_with(b"INVITE sip:999@")), "{kept:?}");
    assert!(kept.iter().any(|message| message.bytes.starts_with(b"SIP/2.0 404 ")), "{kept:?}");
}

#[test]
fn a_gateways_call_that_is_refused_leaves_a_record_and_a_strangers_none() {
    let office = OfficeText::demo().replace("any: true, scenario: welcome", "number: 100, scenario: welcome");
    let mut sim = Setup::offices(vec![office]).start();
    let world = sim.outside("world", "127.0.0.1:5080");
    world.dials_as("4999", "+4930123456");
    sim.run_until(world.was_told(404));
    let stranger = sim.outside("stranger", "127.0.0.9:5080");
    stranger.dials_as("4999", "+4930123456");
    sim.run_until(stranger.was_told(407));
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!(failed(&record), ("+4930123456", "4999", 404, "nobody has this number, and no route takes it"));
    assert_eq!(record.direction, Direction::Inbound);
    assert_eq!(record.legs[0].gateway.as_ref().map(|gateway| gateway.name.as_str()), Some("outside"));
}

/// An INVITE of the gateway at 127.0.0.1:5080, as anybody can send it who forges that address.
fn forged(number: usize, called: &str, name: &str, body: &str) -> String {
    let (kind, len) =
        (if body.is_empty() { "" } else { "Content-Type: application/sdp\n" }, body.len() + body.matches('\n').count());
    format!(
        "INVITE sip:{called}@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK-forged-{number}\n\
         Max-Forwards: 70\nFrom: {name} <sip:+4930123456@127.0.0.1>;tag=f{number}\nTo: <sip:{called}@plugboard.test>\n\
         Call-ID: forged-{number}\nCSeq: 1 INVITE\nContact: <sip:127.0.0.1:5080>\n{kind}Content-Length: {len}\n\n{body}"
    )
}

#[test]
fn a_forged_gateway_fills_no_store_with_records_of_refused_calls() {
    let office = OfficeText::demo().replace("any: true, scenario: welcome", "number: 100, scenario: welcome");
    let mut sim = Setup::offices(vec![office]).start();
    for number in 0..300 {
        sim.strange_message("127.0.0.1:5080", &forged(number, "4999", "", ""));
    }
    sim.run_until_quiet();
    let kept = sim.records("main").len();
    assert_eq!(kept, 60);
    assert_eq!(sim.metric("plugboard_calls_refused_total{reason=\"no_route\"}"), Some(300.0));
    sim.run_for(seconds(60));
    sim.strange_message("127.0.0.1:5080", &forged(300, "4999", "", ""));
    sim.run_until_quiet();
    assert_eq!(sim.records("main").len(), kept + 1, "a minute later the next is kept");
}

#[test]
fn the_record_of_a_refused_call_tells_where_it_was_to_go_and_a_name_that_can_be_read() {
    let mut sim = Sim::demo();
    let name = format!("\"Eve\t{}\"", "e".repeat(300));
    sim.strange_message("127.0.0.1:5080", &forged(1, "4999", &name, "v=0\nthis is no offer\n"));
    sim.run_until_quiet();
    let record = sim.record();
    assert!(matches!(record.outcome, CallOutcome::Failed(_)), "{record:#?}");
    assert_eq!(record.direction, Direction::Inbound);
    let scenario = record.scenario.as_ref().map(|scenario| scenario.name.as_str());
    assert_eq!((record.route.is_some(), scenario), (true, Some("welcome")), "{record:#?}");
    assert_eq!(record.caller_name, format!("Eve{}", "e".repeat(61)));
}

#[test]
fn a_stranger_at_another_address_is_asked_who_he_is() {
    let mut sim = Sim::demo();
    let stranger = sim.outside("stranger", "127.0.0.9:5080");
    stranger.dials_as("100", "+4930123456");
    sim.run_until(stranger.was_told(407));
    sim.run_until_quiet();
    assert_eq!(sim.records("main"), []);
}

#[test]
fn a_number_outside_is_called_through_the_gateway() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    for (dialled, called) in [("0301234", "301234"), ("+4930555", "+4930555")] {
        ann.dials(dialled);
        sim.run_until(world.rings());
        assert_eq!(world.called().as_deref(), Some(called));
        assert_eq!(sim.ask(sim.switch().gateways())[0].1.calls, 1);
        world.answers();
        talk(&mut sim, &ann, &world);
        ann.hangs_up();
        sim.run_until_quiet();
    }
    let records = sim.records("main");
    assert_eq!(records.iter().map(|record| record.direction).collect::<Vec<_>>(), [Direction::Outbound; 2]);
    assert_eq!(records[0].outcome, CallOutcome::Answered);
}

#[test]
fn a_gateway_whose_channels_are_all_in_use_takes_no_more() {
    let narrow = OfficeText::demo().replace("transport: udp }", "transport: udp, calls: 1 }");
    let mut sim = Setup::offices(vec![narrow]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let world = sim.outside("world", "127.0.0.1:5080");
    ann.dials("0301234");
    sim.run_until(world.rings());
    bob.dials("0305678");
    sim.run_until(bob.was_told(503));
    ann.hangs_up();
    sim.run_until(world.is_idle());
    bob.dials("0305678");
    sim.run_until(world.rings());
    world.refuses(486);
    sim.run_until(bob.was_told(486));
    sim.run_until_quiet();
}
