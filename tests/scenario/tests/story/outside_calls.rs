//! Calls to SIP addresses for which no gateway stands, and steps that put a caller aside, let him wait or hand him on.

use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

use crate::{not_answered, seconds, steps, story, talk};

const PARTNER: &str = "9.9.9.7:5060";
const INSIDE: &str = "10.0.1.9:5060";
const SPARE: &str = "9.9.9.8:5060";
const ZONE: &str = "partner.example 60 A 9.9.9.7\ninside.example 60 A 10.0.1.9\n\
                    both.example 60 A 10.0.1.9\nboth.example 60 A 9.9.9.8\nboth.example 60 A 9.9.9.7\n";

/// A step that calls an address, and tells by a prompt what became of it.
fn calling(address: &str) -> String {
    format!(
        "  - call-sip-address: {{ address: \"{address}\", ring_for: 20s }}\n    on:\n      refused: [play-audio: {{ audio: first }}]\n      no-answer: [play-audio: {{ audio: nobody }}]\n"
    )
}

fn office(address: &str, rules: &str) -> Setup {
    let text = OfficeText::demo().with_story(&calling(address));
    let text =
        if rules.is_empty() { text } else { text.replace("routes:\n", &format!("addresses: {rules}\nroutes:\n")) };
    Setup::offices(vec![text]).prompt("first", seconds(2)).prompt("nobody", seconds(2)).zone(ZONE)
}

fn started(setup: Setup) -> (Sim, Phone, Phone, Phone) {
    let mut sim = setup.start();
    let ann = sim.phone("ann", "101");
    let (partner, inside) = (sim.outside("partner", PARTNER), sim.outside("inside", INSIDE));
    (sim, ann, partner, inside)
}

fn first_step(sim: &Sim) -> String {
    let records = sim.records("main");
    steps(records.iter().max_by_key(|record| record.began).unwrap()).swap_remove(0)
}

#[test]
fn r68_a_sip_address_outside_is_found_by_its_name_and_talks_with_the_caller() {
    for address in ["sip:desk@partner.example", "desk@partner.example", "sip:desk@9.9.9.7"] {
        let (mut sim, ann, partner, _inside) = started(office(address, ""));
        ann.dials("300");
        sim.run_until(partner.rings());
        assert_eq!(partner.called().as_deref(), Some("desk"));
        assert!(
            partner.caller().is_some_and(|caller| caller.contains("sip:101@plugboard.test")),
            "{:?}",
            partner.caller()
        );
        partner.answers();
        talk(&mut sim, &ann, &partner);
        partner.hangs_up();
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        assert_eq!(first_step(&sim), "steps[0] call-sip-address: answer");
    }
}

#[test]
fn r68_an_address_inside_is_refused_with_an_outcome_of_its_own() {
    for address in
        ["sip:102@plugboard.test", "sip:102@PLUGBOARD.TEST.", "102@plugboard.test", "sip:desk@10.0.1.9", "tel:+49301"]
    {
        let (mut sim, ann, partner, inside) = started(office(address, ""));
        let bob = sim.phone("bob", "102");
        ann.dials("300");
        sim.run_until(ann.hears("first"));
        sim.run_until_quiet();
        assert_eq!(first_step(&sim), "steps[0] call-sip-address: refused", "{address}");
        assert_eq!((bob.calls(), partner.calls(), inside.calls()), (vec![], vec![], vec![]));
    }
}

#[test]
fn r68_a_name_that_leads_into_a_private_network_is_not_called_unless_the_office_lets_it() {
    let (mut sim, ann, _partner, inside) = started(office("sip:desk@inside.example", ""));
    ann.dials("300");
    sim.run_until(ann.hears("nobody"));
    sim.run_until_quiet();
    assert_eq!(inside.calls(), []);
    let (mut sim, ann, _partner, inside) = started(office("sip:desk@inside.example", "{ private: true }"));
    ann.dials("300");
    sim.run_until(inside.rings());
    ann.hangs_up();
    sim.run_until(inside.is_idle());
    sim.run_until_quiet();
}

#[test]
fn whoever_answers_by_an_address_inside_leads_nothing_of_the_call_there() {
    let answered = |rules: &str| {
        let (mut sim, ann, partner, _inside) = started(office("sip:desk@partner.example", rules));
        partner.names_its_home();
        ann.dials("300");
        sim.run_until(partner.rings());
        partner.answers();
        sim.run_for(seconds(3));
        (sim, ann, partner)
    };
    let (mut sim, ann, partner) = answered("");
    // His media comes from elsewhere, and ours goes back there.
    talk(&mut sim, &ann, &partner);
    partner.holds();
    sim.run_for(seconds(2));
    partner.resumes();
    talk(&mut sim, &ann, &partner);
    ann.hangs_up();
    sim.run_until(partner.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.sent_into_homes(), 0);
    // Where the office lets private networks be called, he is believed.
    let (sim, ..) = answered("{ private: true }");
    assert!(sim.sent_into_homes() > 0);
}

#[test]
fn a_name_with_several_places_leads_to_the_next_one_when_nobody_takes_the_call_at_the_first() {
    for silent in [true, false] {
        let (mut sim, ann, partner, inside) =
            started(office("sip:desk@both.example", "{ toll: { calls_at_once: 1 } }"));
        let spare = sim.outside("spare", SPARE);
        if silent {
            spare.is_unplugged();
        } else {
            spare.always_refuses(503);
        }
        ann.dials("300");
        sim.run_until(partner.rings());
        partner.answers();
        talk(&mut sim, &ann, &partner);
        ann.hangs_up();
        sim.run_until(partner.is_idle());
        sim.run_until_quiet();
        assert_eq!(inside.calls(), []);
        // Who is busy is found, and looked for nowhere else.
        spare.is_plugged_in();
        spare.always_refuses(486);
        let before = partner.calls().len();
        ann.dials("300");
        sim.run_until(ann.hears("nobody"));
        sim.run_until_quiet();
        assert_eq!(partner.calls().len(), before);
    }
}

#[test]
fn the_days_minutes_with_addresses_outlive_a_restart() {
    let setup = || office("sip:desk@partner.example", "{ toll: { minutes_a_day: 2 } }");
    let (mut sim, ann, partner, _inside) = started(setup());
    ann.dials("300");
    sim.run_until(partner.rings());
    partner.answers();
    sim.run_for(seconds(130));
    partner.hangs_up();
    sim.run_until_quiet();
    let mut sim = setup().after(sim).start();
    // Another phone than before: what hers registered as is still known.
    let (ann, partner) = (sim.phone("desk", "101"), sim.outside("partner", PARTNER));
    ann.dials("300");
    sim.run_until(ann.hears("nobody"));
    sim.run_until_quiet();
    assert_eq!(partner.calls(), []);
}

#[test]
fn r68_only_the_domains_that_the_office_names_are_called_and_within_its_limits() {
    let (mut sim, ann, partner, _inside) = started(office("sip:desk@partner.example", "{ domains: [other.example] }"));
    ann.dials("300");
    sim.run_until(ann.hears("first"));
    sim.run_until_quiet();
    assert_eq!(partner.calls(), []);
    let limited = "{ domains: [Partner.example], toll: { calls_at_once: 1 } }";
    let (mut sim, ann, partner, _inside) = started(office("sip:desk@partner.example", limited));
    let bob = sim.phone("bob", "102");
    ann.dials("300");
    sim.run_until(partner.rings());
    bob.dials("300");
    sim.run_until(bob.hears("nobody"));
    sim.run_until(bob.is_idle());
    partner.answers();
    talk(&mut sim, &ann, &partner);
    ann.hangs_up();
    sim.run_until_quiet();
    // What it took is given back.
    bob.dials("300");
    sim.run_until(partner.rings());
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r68_a_name_that_leads_nowhere_and_one_that_nobody_answers_for_are_no_answer() {
    let (mut sim, ann, _partner, _inside) = started(office("sip:desk@lost.example", ""));
    ann.dials("300");
    sim.run_until(ann.hears("nobody"));
    assert!(sim.now().since(plugboard_model::Time::ZERO) < seconds(2));
    sim.run_until_quiet();
    assert_eq!(first_step(&sim), "steps[0] call-sip-address: no-answer");
    let (mut sim, ann, _partner, _inside) = started(office("sip:desk@partner.example", "").zone("SILENT"));
    ann.dials("300");
    sim.run_for(seconds(9));
    assert!(!ann.is_idle()());
    sim.run_until(ann.hears("nobody"));
    sim.run_until_quiet();
    // Who gives up meanwhile leaves nothing behind.
    ann.dials("300");
    sim.run_for(seconds(2));
    ann.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
}

#[test]
fn r68_an_address_that_declines_or_is_silent_is_no_answer() {
    let (mut sim, ann, partner, _inside) = started(office("sip:desk@partner.example", ""));
    ann.dials("300");
    sim.run_until(partner.rings());
    partner.refuses(486);
    sim.run_until(ann.hears("nobody"));
    sim.run_until_quiet();
    partner.is_unplugged();
    ann.dials("300");
    sim.run_until(ann.hears("nobody"));
    sim.run_until_quiet();
}

#[test]
fn a_step_parks_the_caller_and_whoever_dials_the_place_has_him() {
    let mut sim =
        story("  - park: { place: 3, time: 20s }\n    on:\n      timeout: [play-audio: { audio: late }]\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.hears("music"));
    sim.run_for(seconds(5));
    bob.dials("*703");
    talk(&mut sim, &ann, &bob);
    // Past its time.
    sim.run_for(seconds(30));
    talk(&mut sim, &ann, &bob);
    bob.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let parked = sim.records("main").into_iter().find(|record| record.called == "300").unwrap();
    assert_eq!(steps(&parked), ["steps[0] park: retrieved"]);
}

#[test]
fn a_caller_whom_nobody_fetches_goes_on_and_the_place_is_free_again() {
    let mut sim = story("  - park: { place: 3, time: 20s }\n    on:\n      timeout: [play-audio: { audio: late }]\n      full: [play-audio: { audio: nobody }]\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.hears("music"));
    bob.dials("300");
    sim.run_until(bob.hears("nobody"));
    sim.run_until(bob.is_idle());
    sim.run_for(seconds(15));
    assert!(ann.hears_now("music"));
    sim.run_until(ann.hears("late"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    bob.dials("*703");
    sim.run_until(bob.was_told(404));
    // Who hangs up there is gone from there.
    ann.dials("300");
    sim.run_until(ann.hears("music"));
    ann.hangs_up();
    sim.run_until_quiet();
    bob.dials("*703");
    sim.run_until(bob.was_told(404));
    sim.run_until_quiet();
}

#[test]
fn a_transfer_ends_the_scenario_whether_or_not_somebody_answers() {
    let mut sim = story("  - transfer: { to: \"102\", ring_for: 10s }\n  - play-audio: { audio: late }\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(first_step(&sim), "steps[0] transfer: answer");
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.refuses(486);
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(ann.calls().last(), Some(&Stage::Over(486)));
    let records = sim.records("main");
    assert_eq!(records.iter().filter_map(not_answered).collect::<Vec<_>>(), [486]);
    assert_eq!(ann.packets_of("late"), 0);
}

#[test]
fn a_caller_waits_in_silence_without_an_answer_and_with_music() {
    let mut sim =
        story("  - wait: { time: 3s }\n  - wait: { time: 4s, music: music }\n  - play-audio: { audio: first }\n")
            .start();
    let ann = sim.phone("ann", "101");
    let began = sim.now();
    ann.dials("300");
    sim.run_for(seconds(2));
    assert!(!ann.talks()());
    sim.run_until(ann.hears("music"));
    assert!((3_000..3_500).contains(&sim.now().since(began).as_millis()));
    sim.run_until(ann.hears("first"));
    assert!((7_000..7_800).contains(&sim.now().since(began).as_millis()), "{:?}", sim.now().since(began));
    sim.run_until_quiet();
    assert_eq!(steps(&sim.record())[..2], ["steps[0] wait: done", "steps[1] wait: done"]);
    // A hang-up ends it.
    ann.dials("300");
    sim.run_for(seconds(5));
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r68_neither_an_address_of_ours_nor_one_of_a_gateway_is_outside() {
    for address in ["sip:00900123@127.0.0.1:5080", "SIP:00900123@127.0.0.1", "sip:100@10.0.0.1"] {
        let (mut sim, ann, ..) = started(office(address, "{ private: true }"));
        let outside = sim.outside("outside", "127.0.0.1:5080");
        ann.dials("300");
        sim.run_until(ann.hears("first"));
        sim.run_until_quiet();
        assert_eq!(first_step(&sim), "steps[0] call-sip-address: refused", "{address}");
        assert_eq!(outside.calls(), []);
    }
}

#[test]
fn whoever_answers_a_call_for_help_is_asked_for_no_key() {
    let step = "  - call-number: { number: \"112\", confirm: true, ring_for: 20s }\n";
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(step)]).start();
    let (ann, help) = (sim.phone("ann", "101"), sim.outside("outside", "127.0.0.1:5080"));
    ann.dials("300");
    sim.run_until(help.rings());
    help.answers();
    talk(&mut sim, &ann, &help);
    help.hangs_up();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(first_step(&sim), "steps[0] call-number: answer");
}
