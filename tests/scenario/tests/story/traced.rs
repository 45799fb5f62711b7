//! What `call trace --sip` has of a call: every message, at its leg, with the address that it really came from or went to.

use plugboard_model::{CallRecord, LegId};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};
use std::net::SocketAddr;

use crate::{seconds, talk};

const DEVICE: &str = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF";

/// A message as it is kept.
struct Kept {
    leg: Option<LegId>,
    way: &'static str,
    peer: SocketAddr,
    text: String,
}

fn kept(sim: &Sim, record: &CallRecord) -> Vec<Kept> {
    let messages = sim.store().calls().sip_messages(&record.id).unwrap();
    let read = messages.into_iter().map(|message| Kept {
        leg: message.leg,
        way: if format!("{:?}", message.flow) == "Out" { "to" } else { "from" },
        peer: message.remote,
        text: String::from_utf8_lossy(&message.bytes).into_owned(),
    });
    read.collect()
}

/// Each message in a line: its leg, how it begins, its way, and the peer.
fn lines(sim: &Sim, record: &CallRecord) -> Vec<String> {
    let line = |Kept { leg, way, peer, text }: Kept| {
        let word = text.trim_start_matches("SIP/2.0 ").split(' ').next().unwrap_or_default().to_owned();
        let leg = leg.map_or("-".to_owned(), |leg| leg.0.to_string());
        format!("{leg} {word} {way} {peer}")
    };
    kept(sim, record).into_iter().map(line).collect()
}

/// Of the messages with this peer, those that have these words: the texts.
fn with(sim: &Sim, record: &CallRecord, peer: &str, words: &str) -> Vec<String> {
    let peer: SocketAddr = peer.parse().unwrap();
    let of_peer = kept(sim, record).into_iter().filter(|message| message.peer == peer);
    of_peer.map(|message| message.text).filter(|text| text.contains(words)).collect()
}

#[test]
fn both_flows_of_a_device_are_in_the_ladder_of_the_one_leg_that_it_is() {
    let mut sim = Sim::demo();
    let (ann, first, second) = (sim.phone("ann", "101"), sim.new_phone("bob", "102"), sim.new_phone("bob2", "102"));
    for (flow, number) in [(&second, 2), (&first, 1)] {
        flow.is_flow(number, DEVICE);
        flow.registers();
        sim.run_until(flow.is_registered());
        sim.run_for(seconds(1));
    }
    first.always_refuses(430);
    ann.dials("102");
    sim.run_until(second.rings());
    second.answers();
    talk(&mut sim, &ann, &second);
    ann.hangs_up();
    sim.run_until_quiet();
    let told = lines(&sim, &sim.record());
    let of = |phone: &Phone| -> Vec<String> {
        let address = format!(" {}", phone.address());
        told.iter().filter_map(|line| line.strip_suffix(&address)).map(str::to_owned).collect()
    };
    assert_eq!(of(&first), ["1 INVITE to", "1 430 from", "1 ACK to"], "{told:?}");
    let last = ["1 INVITE to", "1 180 from", "1 200 from", "1 ACK to", "1 BYE to", "1 200 from"];
    assert_eq!(of(&second), last, "{told:?}");
    let caller = ["0 INVITE from", "0 180 to", "0 200 to", "0 ACK from", "0 BYE from", "0 200 to"];
    assert_eq!(of(&ann), caller, "{told:?}");
}

#[test]
fn behind_a_nat_the_ladder_has_the_public_address_in_the_messages_and_the_peers_own_beside_them() {
    let mut sim = Setup::demo().behind_nat(&["203.0.113.9"], &["10.0.0.0/8"]).start();
    // The phone is behind a NAT of its own, too: its Contact and its SDP name an address that leads nowhere.
    let (near, far) = (sim.phone("near", "102"), sim.new_phone_at("far", "101", "198.51.100.7:6060"));
    far.is_behind_nat();
    far.registers();
    sim.run_until(far.is_registered());
    near.dials("101");
    sim.run_until(far.rings());
    far.answers();
    talk(&mut sim, &near, &far);
    near.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let told = lines(&sim, &record);
    assert_eq!(told.iter().filter(|line| line.ends_with(" 198.51.100.7:6060")).count(), 6, "{told:?}");
    assert!(told.iter().filter(|line| line.starts_with("1 ")).all(|line| line.ends_with(" 198.51.100.7:6060")));
    let invite = &with(&sim, &record, "198.51.100.7:6060", "INVITE sip:")[0];
    for part in ["Via: SIP/2.0/UDP 203.0.113.9:5060", "@203.0.113.9:5060>", "c=IN IP4 203.0.113.9"] {
        assert!(invite.contains(part), "{part} in {invite}");
    }
    let answer = &with(&sim, &record, "10.0.0.11:5060", "SIP/2.0 200")[0];
    assert!(answer.contains("c=IN IP4 10.0.0.1\r\n"), "who is at home sees our own address: {answer}");
}

#[test]
fn a_call_that_is_sent_on_shows_from_whom_on_both_sides_of_the_ladder() {
    let text = "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - { id: \"101\", number: 101, password: demo-101 }\ngateways:\n\
         \x20 - { id: first, address: \"10.0.1.1:5060\", numbers: e164, caller: { believed: true } }\n\
         \x20 - { id: second, address: \"10.0.1.2:5060\", numbers: national, diversion: both }\n\
         scenarios: []\nroutes:\n\
         \x20 - { id: through, from: { gateway: first }, number: \"+4930777\", gateway: second }\n";
    let mut sim = Setup::offices(vec![OfficeText::new(text)]).start();
    let (first, second) = (sim.outside("first", "10.0.1.1:5060"), sim.outside("second", "10.0.1.2:5060"));
    first.says("Diversion", "<sip:+4930111@a.test>;reason=user-busy");
    first.dials_as("+4930777", "+4940555");
    sim.run_until(second.rings());
    second.answers();
    talk(&mut sim, &first, &second);
    first.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let came = with(&sim, &record, "10.0.1.1:5060", "Diversion: <sip:+4930111@a.test>;reason=user-busy\r\n");
    assert_eq!(came.len(), 1, "the INVITE as it came");
    let went = with(&sim, &record, "10.0.1.2:5060", "Diversion: <sip:030111@plugboard.test>;reason=user-busy");
    assert!(went.len() == 1 && went[0].contains("History-Info: <sip:030111@plugboard.test>;index=1"), "{went:?}");
}

#[test]
fn keys_in_info_are_in_the_ladder_and_those_that_are_events_of_the_sound_are_not() {
    let office = OfficeText::demo().replace("password: demo-102", "keys: info, password: demo-102");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    // Hers are events; he is told by INFO, and his come in INFO as well.
    ann.presses("5#");
    sim.run_for(seconds(3));
    bob.says_within("INFO", "application/dtmf-relay", "Signal=7\r\nDuration=160\r\n");
    sim.run_for(seconds(1));
    assert_eq!(ann.keys(), "7");
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let infos: Vec<String> = lines(&sim, &record).into_iter().filter(|line| line.contains(" INFO ")).collect();
    let bob = bob.address();
    let keys: Vec<String> =
        with(&sim, &record, &bob.to_string(), "INFO sip:").concat().lines().map(str::to_owned).collect();
    let keys: String = keys.iter().filter_map(|line| line.strip_prefix("Signal=")).map(str::trim).collect();
    assert_eq!(keys, "5#7");
    assert_eq!(infos, [format!("1 INFO to {bob}"), format!("1 INFO to {bob}"), format!("1 INFO from {bob}")]);
}
