//! Two phones that were not written here call each other through the switch, and each hears the other's tone.

#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Baresip, Plugboard, Transport};

const ANN: f64 = 440.0;
const BOB: f64 = 1_000.0;

fn two_phones_hear_each_other(transport: Transport) {
    let switch = Plugboard::demo();
    let ann = Baresip::start(&switch, "101", "demo-101", ANN, transport);
    let bob = Baresip::start(&switch, "102", "demo-102", BOB, transport);
    ann.dials("102");
    ann.waits_for_answer();
    bob.waits_for_answer();
    let (at_ann, at_bob) = (ann.waits_to_hear(), bob.waits_to_hear());
    ann.hangs_up();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!((&record["outcome"], &record["caller"]), (&"answered".into(), &"101".into()));
    let (at_ann, at_bob) = (ann.heard(&at_ann), bob.heard(&at_bob));
    assert!(at_ann.is_tone(BOB), "ann hears bob: {} of it", at_ann.share(BOB));
    assert!(at_bob.is_tone(ANN), "bob hears ann: {} of it", at_bob.share(ANN));
    assert!(at_ann.share(ANN) < 0.01 && at_bob.share(BOB) < 0.01, "nobody hears himself");
}

#[test]
fn r1_r4_two_phones_over_udp_hear_each_others_tone() {
    two_phones_hear_each_other(Transport::Udp);
}

#[test]
fn r1_r4_two_phones_over_tcp_hear_each_others_tone() {
    two_phones_hear_each_other(Transport::Tcp);
}

#[test]
fn a_phone_over_tcp_and_one_over_udp_hear_each_others_tone() {
    let switch = Plugboard::demo();
    let ann = Baresip::start(&switch, "101", "demo-101", ANN, Transport::Tcp);
    let bob = Baresip::start(&switch, "102", "demo-102", BOB, Transport::Udp);
    ann.dials("102");
    let (at_ann, at_bob) = (ann.waits_to_hear(), bob.waits_to_hear());
    ann.hangs_up();
    assert!(ann.heard(&at_ann).is_tone(BOB));
    assert!(bob.heard(&at_bob).is_tone(ANN));
}
