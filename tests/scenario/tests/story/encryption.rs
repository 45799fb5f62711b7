//! Encrypted media of SIP phones: who is offered it, who must have it, who is refused, and what the record says.

use super::*;
use plugboard_simulator::{Encrypts, Suite, Transport};

/// The demo office where this is said of Ann (101), or of Bob (102).
fn office(number: &str, rules: &str) -> Setup {
    let line = format!("number: {number}, ");
    Setup::offices(vec![OfficeText::demo().replace(&line, &format!("{line}{rules}, "))])
}

/// A registered phone over this transport that does this about encryption.
fn phone(sim: &mut Sim, (name, user): (&str, &str), transport: Transport, how: Encrypts, suite: Suite) -> Phone {
    let phone = sim.new_phone(name, user);
    if transport.is_reliable() {
        sim.connects_over(&phone, transport);
    }
    phone.encrypts(how, suite);
    phone.registers();
    sim.run_until(phone.is_registered());
    phone
}

fn ann(sim: &mut Sim, transport: Transport, how: Encrypts) -> Phone {
    phone(sim, ("ann", "101"), transport, how, Suite::AesCm128HmacSha1_80)
}

fn bob(sim: &mut Sim, transport: Transport, how: Encrypts) -> Phone {
    phone(sim, ("bob", "102"), transport, how, Suite::AesCm128HmacSha1_80)
}

/// Ann calls Bob, and they talk.
fn connect(sim: &mut Sim, ann: &Phone, bob: &Phone) {
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(sim, ann, bob);
}

/// Ann hangs up; how the record says that her leg and Bob's were encrypted.
fn end(sim: &mut Sim, ann: &Phone) -> [Option<String>; 2] {
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let how = |leg: usize| {
        let encryption = record.legs.get(leg)?.encryption.as_ref()?;
        Some(format!("{} {}", encryption.keys, encryption.suite))
    };
    [how(0), how(1)]
}

/// A call that is refused with this status; the warning that was told.
fn refused(sim: &mut Sim, caller: &Phone, status: u16) -> String {
    caller.dials("102");
    sim.run_until(caller.was_told(status));
    sim.run_until_quiet();
    let record = sim.record();
    sim.said_in(&record, "10.0.0.11:5060")
}

#[test]
fn every_suite_carries_a_call_between_an_encrypted_phone_and_a_plain_one() {
    for suite in Suite::ALL {
        let mut sim = Sim::demo();
        let ann = phone(&mut sim, ("ann", "101"), Transport::Tls, Encrypts::BySdes, suite);
        let bob = bob(&mut sim, Transport::Udp, Encrypts::Never);
        connect(&mut sim, &ann, &bob);
        assert!(ann.is_encrypted() && !bob.is_encrypted());
        bob.presses("1");
        sim.run_until(|| ann.keys() == "1");
        assert_eq!(end(&mut sim, &ann), [Some(format!("sdes {}", suite.name())), None], "{}", sim.ladder());
        let record = sim.record();
        let told = sim.said_in(&record, "10.0.0.11:5060");
        assert!(told.contains("m=audio ") && told.contains(" RTP/SAVP 0 "), "{told}");
        assert_eq!(sim.metric("plugboard_legs_encrypted_total{keys=\"sdes\"}"), Some(1.0));
    }
}

#[test]
fn keys_are_in_no_trace() {
    let mut sim = Sim::demo();
    let (ann, bob) =
        (ann(&mut sim, Transport::Tls, Encrypts::BySdes), bob(&mut sim, Transport::Tls, Encrypts::IfItCan));
    connect(&mut sim, &ann, &bob);
    end(&mut sim, &ann);
    let record = sim.record();
    for address in ["10.0.0.11:5060", "10.0.0.12:5060"] {
        let said = sim.said_in(&record, address);
        let keys = said.matches("inline:").count();
        assert!(keys > 0 && said.matches("inline:not-kept").count() == keys, "{said}");
    }
    assert!(!format!("{:?}", sim.journal(&record)).contains("inline:"));
}

#[test]
fn over_tls_encryption_is_offered_beside_plain_rtp_and_each_phone_takes_what_it_can() {
    for (takes, how) in [(Encrypts::IfItCan, Some("sdes AES_CM_128_HMAC_SHA1_80".to_owned())), (Encrypts::Never, None)]
    {
        let mut sim = Sim::demo();
        let ann = ann(&mut sim, Transport::Udp, Encrypts::Never);
        let bob = bob(&mut sim, Transport::Tls, takes);
        connect(&mut sim, &ann, &bob);
        assert_eq!(bob.is_encrypted(), how.is_some());
        assert_eq!(end(&mut sim, &ann), [None, how]);
        let record = sim.record();
        let offer = sim.said_in(&record, "10.0.0.12:5060");
        assert!(offer.contains(" RTP/AVP ") && offer.contains("a=crypto:1 AEAD_AES_256_GCM inline:"), "{offer}");
    }
}

#[test]
fn keys_in_signalling_that_anybody_reads_are_refused_unless_an_admin_allows_them() {
    let mut sim = Sim::demo();
    let phone = ann(&mut sim, Transport::Udp, Encrypts::BySdes);
    bob(&mut sim, Transport::Udp, Encrypts::Never);
    let told = refused(&mut sim, &phone, 488);
    assert!(
        told.contains("305 plugboard \"no usable audio line: keys in SDP are taken over TLS and WSS only\""),
        "{told}"
    );

    let mut sim = office("101", "sdes_without_tls: true").start();
    let ann = ann(&mut sim, Transport::Udp, Encrypts::BySdes);
    let bob = bob(&mut sim, Transport::Udp, Encrypts::Never);
    connect(&mut sim, &ann, &bob);
    assert!(end(&mut sim, &ann)[0].is_some());
}

#[test]
fn who_must_be_encrypted_is_called_so_and_calls_so_or_not_at_all() {
    let required = || office("102", "encryption: required").start();
    let mut sim = required();
    let caller = ann(&mut sim, Transport::Udp, Encrypts::Never);
    let callee = bob(&mut sim, Transport::Tls, Encrypts::BySdes);
    connect(&mut sim, &caller, &callee);
    assert_eq!(end(&mut sim, &caller), [None, Some("sdes AES_CM_128_HMAC_SHA1_80".into())]);
    // He calls without.
    let mut sim = required();
    let callee = ann(&mut sim, Transport::Udp, Encrypts::Never);
    let caller = bob(&mut sim, Transport::Tls, Encrypts::Never);
    caller.dials("101");
    sim.run_until(caller.was_told(488));
    assert!(!callee.rings()());
    sim.run_until_quiet();
    // His phone answers without: nobody is connected to it.
    let mut sim = required();
    let caller = ann(&mut sim, Transport::Udp, Encrypts::Never);
    let callee = bob(&mut sim, Transport::Tls, Encrypts::Never);
    caller.dials("102");
    sim.run_until(callee.rings());
    callee.answers();
    sim.run_until(callee.is_idle());
    sim.run_until_quiet();
    assert_eq!(caller.packets_of("bob"), 0, "{}", sim.ladder());
}

#[test]
fn where_it_is_off_who_insists_is_refused() {
    let mut sim = office("101", "encryption: off").start();
    let phone = ann(&mut sim, Transport::Tls, Encrypts::BySdes);
    bob(&mut sim, Transport::Udp, Encrypts::Never);
    let told = refused(&mut sim, &phone, 488);
    assert!(told.contains("encryption is off here"), "{told}");
}

#[test]
fn a_hold_a_new_key_and_a_new_stream_leave_the_call_as_it_is() {
    let mut sim = Sim::demo();
    let (ann, bob) =
        (ann(&mut sim, Transport::Tls, Encrypts::BySdes), bob(&mut sim, Transport::Tls, Encrypts::IfItCan));
    connect(&mut sim, &ann, &bob);
    ann.holds();
    sim.run_until(ann.was_answered_again());
    sim.run_until(bob.hears("music"));
    ann.changes_its_key();
    ann.resumes();
    sim.run_for(seconds(1));
    talk(&mut sim, &ann, &bob);
    bob.changes_its_stream();
    sim.run_for(seconds(1));
    talk(&mut sim, &ann, &bob);
    assert!(ann.is_encrypted() && bob.is_encrypted());
    let dropped = sim.metric("plugboard_rtp_packets_dropped_total{reason=\"not_authentic\"}");
    assert!(dropped.is_none_or(|packets| packets < 0.5), "{dropped:?}");
    end(&mut sim, &ann);
}

#[test]
fn a_handshake_carries_a_call_whoever_calls() {
    for calls in ["ann", "bob"] {
        let mut sim = Sim::demo();
        let ann = ann(&mut sim, Transport::Udp, Encrypts::ByDtls);
        let bob = bob(&mut sim, Transport::Udp, Encrypts::Never);
        if calls == "ann" {
            connect(&mut sim, &ann, &bob);
        } else {
            let mut offered = office("101", "encryption: required").start();
            let ann = self::ann(&mut offered, Transport::Udp, Encrypts::ByDtls);
            let bob = self::bob(&mut offered, Transport::Udp, Encrypts::Never);
            bob.dials("101");
            offered.run_until(ann.rings());
            ann.answers();
            talk(&mut offered, &ann, &bob);
            assert!(ann.is_encrypted());
            ann.holds();
            offered.run_until(ann.was_answered_again());
            offered.run_until(bob.hears("music"));
            ann.resumes();
            offered.run_for(seconds(1));
            talk(&mut offered, &ann, &bob);
            bob.hangs_up();
            offered.run_until_quiet();
            continue;
        }
        assert!(ann.is_encrypted());
        let how = end(&mut sim, &ann)[0].clone().unwrap();
        assert!(how.starts_with("dtls A"), "{how}");
        assert_eq!(sim.metric("plugboard_legs_encrypted_total{keys=\"dtls\"}"), Some(1.0));
    }
}

#[test]
fn whoever_shows_another_certificate_than_he_named_is_not_spoken_to() {
    let mut sim = Sim::demo();
    let ann = ann(&mut sim, Transport::Udp, Encrypts::ByDtls);
    ann.lies_about_its_certificate();
    let bob = bob(&mut sim, Transport::Udp, Encrypts::Never);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!((bob.packets_of("ann"), ann.packets_of("bob")), (0, 0));
    let record = sim.record();
    let cause = &record.legs[0].cause;
    assert_eq!((cause.status, cause.text.as_str()), (488, "the far end's certificate is not the one that it named"));
    assert_eq!(sim.metric("plugboard_legs_encrypted_total{keys=\"failed\"}"), Some(1.0));
}

#[test]
fn a_handshake_from_behind_a_nat_carries_a_call_whoever_calls() {
    for calls in ["101", "102"] {
        let mut sim = office("101", "encryption: required").start();
        let ann = ann(&mut sim, Transport::Udp, Encrypts::ByDtls);
        ann.is_behind_nat();
        let bob = bob(&mut sim, Transport::Udp, Encrypts::Never);
        let (caller, called) = if calls == "101" { (&ann, &bob) } else { (&bob, &ann) };
        caller.dials(if calls == "101" { "102" } else { "101" });
        sim.run_until(called.rings());
        called.answers();
        talk(&mut sim, &ann, &bob);
        assert!(ann.is_encrypted(), "{calls}");
        let record_of_ann = usize::from(calls == "102");
        let how = end(&mut sim, caller)[record_of_ann].clone().unwrap();
        assert!(how.starts_with("dtls A"), "{how}");
    }
}

#[test]
fn whoever_knocks_with_another_certificate_than_was_named_is_not_spoken_to() {
    let mut sim = Sim::demo();
    let ann = ann(&mut sim, Transport::Udp, Encrypts::ByDtls);
    ann.is_behind_nat();
    ann.lies_about_its_certificate();
    let bob = bob(&mut sim, Transport::Udp, Encrypts::Never);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!((bob.packets_of("ann"), ann.packets_of("bob")), (0, 0));
    assert_eq!(sim.record().legs[0].cause.text, "the handshake did not end in time");
}

const CARRIER: &str = "10.0.1.1:5060";

/// Bob, 102, and a carrier of which this is said, and which does that about encryption.
fn with_carrier(rules: &str, how: Encrypts) -> (Sim, Phone, Phone) {
    let rules = format!("encryption: {rules}, encryption_by: sdes, sdes_without_tls: true");
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - {{ id: \"102\", number: 102, name: Bob, password: demo-102, outside_number: \"+4930123102\" }}\n\
         gateways:\n  - {{ id: carrier, address: \"{CARRIER}\", {rules} }}\nscenarios: []\nroutes:\n\
         \x20 - {{ id: out, prefix: 0, gateway: carrier }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930123102\", user: \"102\" }}\n"
    );
    let mut sim = Setup::offices(vec![OfficeText::new(&text)]).start();
    let (bob, carrier) = (sim.phone("bob", "102"), sim.outside("carrier", CARRIER));
    carrier.encrypts(how, Suite::AesCm128HmacSha1_80);
    (sim, bob, carrier)
}

/// How the record says that the leg of the carrier was encrypted.
fn of_carrier(sim: &Sim) -> Option<String> {
    let record = sim.record();
    let leg = record.legs.iter().find(|leg| leg.gateway.is_some()).unwrap_or_else(|| panic!("{record:#?}"));
    leg.encryption.as_ref().map(|encryption| encryption.keys.clone())
}

#[test]
fn a_gateway_is_called_encrypted_as_the_office_says_of_it() {
    let sdes = Some("sdes".to_owned());
    for (rules, how, comes_to) in [
        ("off", Encrypts::IfItCan, None),
        ("accepted", Encrypts::IfItCan, None),
        ("offered", Encrypts::IfItCan, sdes.clone()),
        ("offered", Encrypts::Never, None),
        ("required", Encrypts::BySdes, sdes),
    ] {
        let (mut sim, bob, carrier) = with_carrier(rules, how);
        bob.dials("0301234");
        sim.run_until(carrier.rings());
        let offer = carrier.requests("INVITE").join("");
        assert_eq!(offer.contains("a=crypto:"), matches!(rules, "offered" | "required"), "{rules}: {offer}");
        assert_eq!(offer.contains(" RTP/SAVP "), rules == "required", "{rules}: {offer}");
        carrier.answers();
        talk(&mut sim, &bob, &carrier);
        assert_eq!(carrier.is_encrypted(), comes_to.is_some(), "{rules} {how:?}");
        bob.hangs_up();
        sim.run_until_quiet();
        assert_eq!(of_carrier(&sim), comes_to, "{rules} {how:?}");
    }
    // One that answers without is not spoken to where it must.
    let (mut sim, bob, carrier) = with_carrier("required", Encrypts::Never);
    bob.dials("0301234");
    sim.run_until(carrier.rings());
    carrier.answers();
    sim.run_until(carrier.is_idle());
    sim.run_until_quiet();
    assert_eq!(bob.packets_of("carrier"), 0, "{}", sim.ladder());
}

#[test]
fn a_gateway_calls_encrypted_as_the_office_says_of_it() {
    let sdes = Some("sdes".to_owned());
    for (rules, how, comes_to) in [
        ("off", Encrypts::Never, Some(None)),
        ("off", Encrypts::BySdes, None),
        ("accepted", Encrypts::BySdes, Some(sdes.clone())),
        ("offered", Encrypts::Never, Some(None)),
        ("offered", Encrypts::IfItCan, Some(sdes.clone())),
        ("required", Encrypts::BySdes, Some(sdes)),
        ("required", Encrypts::Never, None),
    ] {
        let (mut sim, bob, carrier) = with_carrier(rules, how);
        carrier.dials_as("+4930123102", "030999");
        if let Some(comes_to) = comes_to {
            sim.run_until(bob.rings());
            bob.answers();
            talk(&mut sim, &bob, &carrier);
            bob.hangs_up();
            sim.run_until_quiet();
            assert_eq!(of_carrier(&sim), comes_to, "{rules} {how:?}");
        } else {
            sim.run_until(carrier.was_told(488));
            sim.run_until_quiet();
            assert!(bob.calls().is_empty(), "{rules} {how:?}");
            assert_eq!(carrier.warnings().len(), 1, "{rules} {how:?}");
        }
    }
}
