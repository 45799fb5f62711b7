//! Phones that encrypt and phones that speak other codecs, none of them written here: each hears the other's tone.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Baresip, Office, Plugboard, Transport};
use serde_json::Value;

const ANN: f64 = 440.0;
const BOB: f64 = 1_000.0;

/// They talk, and the record says what each leg was: the caller's, and the called one's.
fn legs_of_a_call(switch: &Plugboard, ann: Baresip, bob: Baresip) -> [Value; 2] {
    legs_of(switch, (ann, ANN), (bob, BOB), "102")
}

/// The same of any caller and whom he dials, each with his tone.
fn legs_of(switch: &Plugboard, caller: (Baresip, f64), called: (Baresip, f64), number: &str) -> [Value; 2] {
    let ((caller, his), (called, theirs)) = (caller, called);
    caller.dials(number);
    caller.waits_for_answer();
    called.waits_for_answer();
    let (at_caller, at_called) = (caller.waits_to_hear(), called.waits_to_hear());
    caller.hangs_up();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(record["outcome"], "answered");
    let (at_caller, at_called) = (caller.heard(&at_caller), called.heard(&at_called));
    assert!(at_caller.is_tone(theirs), "the caller hears the called one: {} of it", at_caller.share(theirs));
    assert!(at_called.is_tone(his), "the called one hears the caller: {} of it", at_called.share(his));
    let call = switch.ask(&["call", "show", record["id"].as_str().unwrap()]);
    [0, 1].map(|leg| call["legs"][leg].clone())
}

fn encrypted(leg: &Value) -> (&str, &str) {
    let word = |key: &str| leg["encryption"][key].as_str().unwrap_or("plain");
    (word("keys"), word("suite"))
}

fn everywhere() -> Plugboard {
    Plugboard::everywhere(&Office::new(), "")
}

#[test]
fn a_phone_with_keys_in_signalling_and_a_plain_one_hear_each_other() {
    let switch = everywhere();
    let ann = Baresip::start_encrypting(&switch, "101", "secret-101", ANN, Transport::Tls, "srtp-mand");
    let bob = Baresip::start(&switch, "102", "secret-102", BOB, Transport::Udp);
    let [caller, called] = legs_of_a_call(&switch, ann, bob);
    assert_eq!(encrypted(&caller).0, "sdes", "{caller}");
    assert_eq!(encrypted(&called).0, "plain", "{called}");
}

#[test]
fn two_phones_that_insist_on_keys_in_signalling_hear_each_other() {
    let switch = Plugboard::everywhere(&Office::new().user(102, "encryption: required"), "");
    let ann = Baresip::start_encrypting(&switch, "101", "secret-101", ANN, Transport::Tls, "srtp-mand");
    let bob = Baresip::start_encrypting(&switch, "102", "secret-102", BOB, Transport::Tls, "srtp-mand");
    for leg in legs_of_a_call(&switch, ann, bob) {
        assert_eq!(encrypted(&leg).0, "sdes", "{leg}");
    }
}

#[test]
fn a_phone_that_shakes_hands_with_a_certificate_of_rsa_calls_and_is_called() {
    for ann_calls in [true, false] {
        let rules = "encryption: required, encryption_by: dtls";
        let switch = Plugboard::everywhere(&Office::new().user(101, rules), "");
        let ann = Baresip::start_encrypting(&switch, "101", "secret-101", ANN, Transport::Udp, "dtls_srtp");
        let bob = Baresip::start(&switch, "102", "secret-102", BOB, Transport::Udp);
        let (ann, bob) = ((ann, ANN), (bob, BOB));
        let (legs, by_ann) =
            if ann_calls { (legs_of(&switch, ann, bob, "102"), 0) } else { (legs_of(&switch, bob, ann, "101"), 1) };
        assert_eq!(encrypted(&legs[by_ann]).0, "dtls", "{legs:?}");
        assert_eq!(encrypted(&legs[1 - by_ann]).0, "plain", "{legs:?}");
    }
}

#[test]
fn a_wide_phone_and_a_narrow_one_hear_each_other() {
    for codec in ["g722/16000", "opus/48000/2"] {
        let switch = everywhere();
        let ann = Baresip::start_speaking(&switch, "101", "secret-101", ANN, codec);
        let bob = Baresip::start(&switch, "102", "secret-102", BOB, Transport::Udp);
        legs_of_a_call(&switch, ann, bob);
        assert!(switch.sample("plugboard_rtp_transcoded_frames_total") > 100.0, "{codec}");
    }
}

#[test]
fn phones_of_two_wide_codecs_hear_each_other() {
    let switch = everywhere();
    let ann = Baresip::start_speaking(&switch, "101", "secret-101", ANN, "g722/16000");
    let bob = Baresip::start_speaking(&switch, "102", "secret-102", BOB, "opus/48000/2");
    legs_of_a_call(&switch, ann, bob);
}
