//! Forwards that lead to a scenario: whatever a user may dial, his calls may go to.

use plugboard_model::{CallOutcome, JournalEvent};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{not_answered, seconds, talk};

const CARRIER: &str = "10.0.1.1:5060";

/// Bob's calls go to the scenario at 300 when this happens; it has these steps. Through the carrier Bob may call once at a time.
fn forwarded(when: &str, steps: &str) -> (Sim, Phone, Phone, Phone) {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\nemergency: {{ confirmed: true }}\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, password: demo-101 }}\n\
         \x20 - {{ id: \"102\", number: 102, password: demo-102, forward: {{ {when} }}, outside_number: \"+4930123102\", toll: {{ calls_at_once: 1 }} }}\n\
         \x20 - {{ id: \"103\", number: 103, password: demo-103 }}\n\
         gateways:\n  - {{ id: carrier, address: \"{CARRIER}\", numbers: e164, caller: {{ believed: true }}, diversion: diversion }}\n\
         scenarios:\n  - {{ file: story.yaml }}\nroutes:\n  - {{ id: story, number: 300, scenario: story }}\n\
         \x20 - {{ id: out, prefix: 0, gateway: carrier }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930123102\", user: \"102\" }}\n"
    );
    let office = OfficeText::new(&text).with("story.yaml", &format!("scenario: story\nsteps:\n{steps}"));
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let carrier = sim.outside("carrier", CARRIER);
    (sim, ann, bob, carrier)
}

#[test]
fn a_forward_may_lead_to_a_scenario() {
    for (when, ring_for) in [("always: \"300\"", 0), ("busy: \"300\"", 1), ("no_answer: \"300\", after: 10s", 12)] {
        let (mut sim, ann, bob, _) = forwarded(
            when,
            "  - play-audio: { audio: welcome }\n  - call-user: { mode: list, target: [103], ring_for: 20s }\n",
        );
        let cem = sim.phone("cem", "103");
        ann.dials("102");
        if ring_for > 0 {
            sim.run_until(bob.rings());
        }
        if ring_for == 1 {
            bob.refuses(486);
        }
        sim.run_until(ann.hears("welcome"));
        assert!(!bob.rings()(), "{when}");
        sim.run_until(cem.rings());
        cem.answers();
        talk(&mut sim, &ann, &cem);
        cem.hangs_up();
        sim.run_until_quiet();
        let record = sim.record();
        assert_eq!(
            (&record.outcome, record.scenario.as_ref().map(|id| id.name.as_str())),
            (&CallOutcome::Answered, Some("story"))
        );
        assert_eq!(record.steps.len(), 2, "{record:?}");
        let sent = sim
            .journal(&record)
            .iter()
            .any(|entry| matches!(&entry.event, JournalEvent::Forwarded { to, .. } if to == "300"));
        assert!(sent, "the journal tells who sent it on");
    }
}

#[test]
fn whoever_calls_out_by_it_pays_and_is_named() {
    let (mut sim, ann, _bob, carrier) =
        forwarded("always: \"300\"", "  - call-number: { number: \"0301234\", ring_for: 20s }\n");
    ann.dials("102");
    sim.run_until(carrier.rings());
    let said = sim.ladder().to_string();
    let invite = carrier.requests("INVITE").pop().unwrap_or_default();
    assert!(invite.contains("Diversion: <sip:+4930123102@"), "{invite}\n{said}");
    let cem = sim.phone("cem", "103");
    cem.dials("102");
    sim.run_until(cem.is_idle());
    assert_eq!(carrier.calls().len(), 1, "Bob has as many calls out as he may\n{}", sim.ladder());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_call_that_was_sent_on_before_it_came_names_them_all_where_a_scenario_calls_out() {
    let (mut sim, _ann, _bob, carrier) =
        forwarded("always: \"300\"", "  - call-number: { number: \"0301234\", ring_for: 20s }\n");
    carrier.says("Diversion", "<sip:+4989555@carrier.test>;reason=no-answer");
    carrier.dials_as("+4930123102", "+4989777");
    sim.run_until(carrier.rings());
    let invite = carrier.requests("INVITE").pop().unwrap_or_default();
    let named: Vec<&str> = invite.lines().filter_map(|line| line.strip_prefix("Diversion: ")).collect();
    assert_eq!(named.len(), 2, "{invite}");
    assert!(named[0].contains("+4930123102@") && named[1].contains("+4989555@"), "the last one first: {invite}");
    carrier.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn who_is_rung_by_a_scenario_begins_no_other_one() {
    let (mut sim, ann, _bob, _) =
        forwarded("always: \"300\"", "  - call-user: { mode: list, target: [102], ring_for: 20s }\n");
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(not_answered(&sim.record()), Some(403));
}

#[test]
fn whoever_is_handed_on_to_somebody_goes_where_his_calls_go() {
    for (when, rings) in [("always: \"300\"", false), ("busy: \"300\"", true)] {
        let (mut sim, ann, bob, _) = forwarded(when, "  - play-audio: { audio: welcome }\n");
        let cem = sim.phone("cem", "103");
        if rings {
            bob.always_refuses(486);
        }
        ann.dials("103");
        sim.run_until(cem.rings());
        cem.answers();
        talk(&mut sim, &ann, &cem);
        cem.hands_on_to("102");
        sim.run_until(ann.hears("welcome"));
        sim.run_until(cem.is_idle());
        assert_eq!(cem.told_of_transfer(), [100, 200], "{when}");
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        assert_eq!(sim.record().outcome, CallOutcome::Answered);
    }
}

#[test]
fn a_recall_leads_to_no_scenario() {
    let (mut sim, ann, bob, _) = forwarded("busy: \"300\"", "  - play-audio: { audio: welcome }\n");
    let cem = sim.phone("cem", "103");
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("103");
    sim.run_until(cem.rings());
    bob.always_refuses(486);
    bob.hangs_up();
    sim.run_for(seconds(40));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(ann.packets_of("welcome"), 0);
}
