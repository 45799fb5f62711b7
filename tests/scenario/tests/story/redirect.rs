//! Devices and gateways that name others in their place (RFC 3261 sections 8.1.3.4 and 21.3, RFC 5359 section 2.7).

use plugboard_model::{CallOutcome, ForwardWhy, JournalEvent};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{conversation, journaled, not_answered, seconds, talk};

const MOVED: &str = r#"SIP;cause=302;text="Moved Temporarily""#;

/// Ann calls Bob, whose phone rings, and Cem is there as well.
fn ringing() -> (Sim, Phone, Phone, Phone) {
    let mut sim = Sim::demo();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("102");
    sim.run_until(bob.rings());
    (sim, ann, bob, cem)
}

fn sent_on(sim: &Sim) -> Vec<(String, String)> {
    let journal = sim.journal(&sim.record());
    let forwarded = |event: &JournalEvent| match event {
        JournalEvent::Forwarded { by, to, why: ForwardWhy::Deflection, .. } => Some((by.clone(), to.clone())),
        _ => None,
    };
    journal.iter().filter_map(|entry| forwarded(&entry.event)).collect()
}

#[test]
fn a_phone_sends_its_call_on_to_a_colleague() {
    let mut sim = Sim::demo();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    let mobile = sim.phone("mobile", "102");
    ann.dials("102");
    sim.run_until(|| bob.rings()() && mobile.rings()());
    let begin = sim.now();
    bob.sends_on(302, &["<sip:103@plugboard.test>"]);
    sim.run_until(cem.rings());
    sim.run_until(mobile.is_idle());
    assert_eq!(mobile.reason().as_deref(), Some(MOVED), "he has decided for all his devices");
    sim.run_for(seconds(1));
    cem.answers();
    talk(&mut sim, &ann, &cem);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.100  mobile -> switch  180 INVITE
    0.100  bob -> switch  180 INVITE
    0.100  bob -> switch  302 INVITE to <sip:103@plugboard.test>
    0.105  switch -> bob  ACK
    0.105  switch -> ann  180 INVITE
    0.105  switch -> mobile  CANCEL because SIP;cause=302;text="Moved Temporarily"
    0.105  switch -> cem  INVITE 103 +sdp
    0.110  mobile -> switch  200 CANCEL
    0.110  mobile -> switch  487 INVITE
    0.110  cem -> switch  180 INVITE
    0.115  switch -> mobile  ACK
    1.110  cem -> switch  200 INVITE +sdp
    1.115  switch -> cem  ACK
    1.115  switch -> ann  200 INVITE +sdp
    1.120  ann -> switch  ACK
    "#);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sent_on(&sim), [("102".into(), "103".into())]);
    assert_eq!(sim.record().answered_by.map(|user| user.name.to_string()).as_deref(), Some("103"));
}

#[test]
fn those_who_are_named_are_tried_one_after_the_other_the_best_first() {
    let (mut sim, ann, bob, cem) = ringing();
    let dora = sim.phone("dora", "104");
    cem.always_refuses(486);
    bob.sends_on(300, &["<sip:104@plugboard.test>;q=0.3", "<sip:103@plugboard.test>;q=0.7"]);
    sim.run_until(dora.rings());
    assert_eq!(cem.calls().len(), 1, "he was tried before her");
    dora.answers();
    talk(&mut sim, &ann, &dora);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn no_more_than_four_of_those_who_are_named_are_tried() {
    let (mut sim, ann, bob, cem) = ringing();
    let nobody = "<sip:999@plugboard.test>;q=0.9";
    bob.sends_on(302, &[nobody, nobody, nobody, nobody, "<sip:103@plugboard.test>;q=0.1"]);
    sim.run_until(ann.was_told(480));
    assert_eq!(cem.calls(), []);
    sim.run_until_quiet();
}

#[test]
fn a_number_outside_is_called_as_if_he_had_dialled_it_and_a_group_rings() {
    let (mut sim, ann, bob, cem) = ringing();
    let world = sim.outside("world", "127.0.0.1:5080");
    bob.sends_on(301, &["<tel:+4930555>"]);
    sim.run_until(world.rings());
    assert_eq!(world.called().as_deref(), Some("+4930555"));
    world.answers();
    talk(&mut sim, &ann, &world);
    ann.hangs_up();
    sim.run_until_quiet();
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.sends_on(302, &["<sip:200@10.0.0.1>"]);
    sim.run_until(cem.rings());
    cem.answers();
    talk(&mut sim, &ann, &cem);
    ann.hangs_up();
    sim.run_until_quiet();
}

/// Toll fraud: who answers 302 does not pay for the call.
#[test]
fn nobody_is_called_whom_the_office_would_not_call() {
    for (status, contact) in [
        (302, "<sip:00900@premium.test>"),
        (302, "<sip:999@plugboard.test>"),
        (302, "<sip:102@plugboard.test>"),
        (302, "<sip:plugboard.test>"),
        (302, "<mailto:bob@plugboard.test>"),
        (305, "<sip:103@plugboard.test>"),
        (380, "<sip:103@plugboard.test>"),
        (304, "<sip:103@plugboard.test>"),
    ] {
        let (mut sim, ann, bob, cem) = ringing();
        bob.sends_on(status, &[contact]);
        sim.run_until(ann.was_told(480));
        sim.run_until_quiet();
        assert_eq!(cem.calls(), [], "{status} {contact}");
        assert_eq!(not_answered(&sim.record()), Some(480), "{status} {contact}");
        let reason = sim.record().legs[1].cause.text.clone();
        assert_eq!(reason, format!("Its {status} names nobody whom the office would call"));
    }
}

#[test]
fn r8_forwards_that_lead_back_end_and_the_call_survives() {
    let mut sim = crate::story(
        "  - call-user: { mode: list, target: [102], ring_for: 10s }\n  - play-audio: { audio: nobody }\n",
    )
    .start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    bob.always_sends_on(302, &["<sip:103@plugboard.test>"]);
    cem.always_sends_on(302, &["<sip:102@plugboard.test>"]);
    ann.dials("300");
    sim.run_until(ann.hears("nobody"));
    assert_eq!((bob.calls().len(), cem.calls().len()), (1, 1));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sent_on(&sim), [("102".into(), "103".into()), ("103".into(), "102".into())]);
    // Dialled directly, the loop is what the caller is told.
    ann.dials("102");
    sim.run_until(ann.was_told(482));
    sim.run_until_quiet();
}

#[test]
fn r8_a_call_is_sent_on_five_times_and_no_more() {
    let user = |n: u32| format!("  - {{ id: \"{n}\", number: {n}, name: User {n}, password: demo-{n} }}\n");
    let users: String = (101..110).map(user).collect();
    let text =
        format!("office: main\ndomains: [plugboard.test]\ncountry: de\nusers:\n{users}scenarios: []\nroutes: []\n");
    let mut sim = Setup::offices(vec![OfficeText::new(&text)]).start();
    let phones: Vec<Phone> = (101..110).map(|n| sim.phone(&format!("p{n}"), &n.to_string())).collect();
    for (phone, next) in phones.iter().zip(102..) {
        phone.always_sends_on(302, &[format!("<sip:{next}@plugboard.test>").as_str()]);
    }
    phones[0].dials("102");
    sim.run_until(phones[0].was_told(483));
    let called: Vec<usize> = phones.iter().skip(1).map(|phone| phone.calls().len()).collect();
    assert_eq!(called, [1, 1, 1, 1, 1, 1, 0, 0], "the first, and five after it");
    sim.run_until_quiet();
}

#[test]
fn a_gateway_sends_a_call_on_within_itself_only() {
    let gateway = "  - { id: first, address: \"10.0.1.1:5060\", inbound: [\"10.0.1.1\", \"10.0.1.2\"] }\n\
                   \x20 - { id: second, address: \"10.0.1.3:5060\" }\n";
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, name: Ann Archer, password: demo-101 }}\n\
         \x20 - {{ id: \"102\", number: 102, name: Bob Baker, password: demo-102 }}\n\
         gateways:\n{gateway}scenarios: []\nroutes:\n  - {{ id: out, prefix: 0, gateways: [first, second] }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930102\", user: \"102\" }}\n"
    );
    let mut sim = Setup::offices(vec![OfficeText::new(&text)]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (first, twin) = (sim.outside("first", "10.0.1.1:5060"), sim.outside("twin", "10.0.1.2:5060"));
    let (second, evil) = (sim.outside("second", "10.0.1.3:5060"), sim.outside("evil", "10.0.9.9:5060"));
    // To another of its addresses, with another number.
    first.always_sends_on(302, &["<sip:0305@10.0.1.2>"]);
    ann.dials("0301234");
    sim.run_until(twin.rings());
    assert_eq!(twin.called().as_deref(), Some("0305"));
    twin.answers();
    talk(&mut sim, &ann, &twin);
    ann.hangs_up();
    sim.run_until_quiet();
    // To the same address once more: the number that it knows for the one that was dialled.
    ann.dials("0301234");
    sim.run_until(twin.rings());
    twin.sends_on(302, &["<sip:0306@10.0.1.1:5060>"]);
    first.is_plugged_in();
    sim.run_until(first.rings());
    assert_eq!(first.called().as_deref(), Some("0306"));
    // A proxy of its own for the same call.
    first.sends_on(305, &["<sip:10.0.1.2>"]);
    sim.run_until(twin.rings());
    assert_eq!(twin.called().as_deref(), Some("0306"));
    twin.refuses(486);
    sim.run_until(ann.was_told(486));
    sim.run_until_quiet();
    // To a number of the office, which a route from gateways takes.
    first.always_sends_on(302, &["<sip:+4930102@plugboard.test>"]);
    ann.dials("0301234");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    // Anywhere else: it has not taken the call, and the next gateway may.
    for elsewhere in ["<sip:0305@10.0.9.9>", "<sip:0305@plugboard.test>", "<sip:0305@evil.test>", "<sip:0305@10.0.1.3>"]
    {
        first.always_sends_on(302, &[elsewhere]);
        ann.dials("0301234");
        sim.run_until(second.rings());
        assert_eq!(second.called().as_deref(), Some("0301234"), "{elsewhere}");
        second.refuses(486);
        sim.run_until(ann.was_told(486));
        sim.run_until_quiet();
    }
    assert_eq!(evil.calls(), []);
    sim.run_until_quiet();
}

#[test]
fn who_calls_may_give_up_while_the_call_goes_on() {
    let (mut sim, ann, bob, cem) = ringing();
    bob.sends_on(302, &["<sip:103@plugboard.test>"]);
    sim.run_until(cem.rings());
    ann.hangs_up();
    sim.run_until(cem.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Abandoned);
}

#[test]
fn who_is_handed_on_to_may_send_the_call_on_as_well() {
    let (mut sim, ann, bob) = conversation();
    let (cem, dora) = (sim.phone("cem", "103"), sim.phone("dora", "104"));
    cem.always_sends_on(302, &["<sip:104@plugboard.test>"]);
    bob.hands_on_to("103");
    sim.run_until(dora.rings());
    dora.answers();
    talk(&mut sim, &ann, &dora);
    sim.run_until(bob.is_idle());
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!(journaled(&sim, &record, |event| matches!(event, JournalEvent::Forwarded { .. })), 1);
}
