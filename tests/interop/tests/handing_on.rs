//! Phones that were not written here put each other on hold and hand each other on, and hear what they should.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Baresip, Linphone, Office, Plugboard, Sipp, Transport, write_tone};
use std::fs;

const ANN: f64 = 440.0;
const BOB: f64 = 1_000.0;
const CEM: f64 = 1_600.0;
const MUSIC: f64 = 700.0;

/// A switch whose music on hold is a tone.
fn switch() -> Plugboard {
    let switch = Plugboard::empty(&[]);
    fs::create_dir(switch.folder().join("audio")).unwrap();
    write_tone(&switch.folder().join("audio/music.wav"), MUSIC, 2);
    switch.apply(&Office::new().lines("music: { music: audio/music.wav }"));
    switch
}

fn phone(switch: &Plugboard, user: &str, hertz: f64) -> Baresip {
    Baresip::start(switch, user, &format!("secret-{user}"), hertz, Transport::Udp)
}

#[test]
fn r115_r116_a_phone_on_hold_hears_the_offices_music_and_then_the_other_one_again() {
    let switch = switch();
    let (ann, bob) = (phone(&switch, "101", ANN), phone(&switch, "102", BOB));
    ann.dials("102");
    bob.waits_to_hear_tone(ANN);
    ann.holds();
    bob.waits_to_hear_tone(MUSIC);
    ann.resumes();
    bob.waits_to_hear_tone(ANN);
    ann.waits_to_hear_tone(BOB);
    ann.hangs_up();
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
}

#[test]
fn a_phone_that_hands_its_caller_on_connects_him_with_the_other_one() {
    let switch = switch();
    let (ann, bob, cem) = (phone(&switch, "101", ANN), phone(&switch, "102", BOB), phone(&switch, "103", CEM));
    ann.dials("102");
    bob.waits_to_hear_tone(ANN);
    bob.hands_on_to("103");
    ann.waits_to_hear_tone(CEM);
    cem.waits_to_hear_tone(ANN);
    ann.hangs_up();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(
        (&record["outcome"], record["legs"].as_array().map(Vec::len)),
        (&"answered".into(), Some(3)),
        "{record}"
    );
}

#[test]
fn an_admin_hands_a_caller_on_by_command() {
    let switch = switch();
    let (ann, bob, cem) = (phone(&switch, "101", ANN), phone(&switch, "102", BOB), phone(&switch, "103", CEM));
    ann.dials("102");
    bob.waits_to_hear_tone(ANN);
    let call = switch.waits_for_live_calls(1)[0]["id"].as_str().unwrap().to_owned();
    let told = switch.succeeds(&["call", "transfer", &call, "--leg", "1", "--to", "103"]);
    assert!(told.contains("leg 1 of call") && told.contains("103"), "{told}");
    ann.waits_to_hear_tone(CEM);
    cem.waits_to_hear_tone(ANN);
    let traced = switch.succeeds(&["call", "trace", &call]);
    assert!(traced.contains("103"), "{traced}");
    ann.hangs_up();
    switch.waits_for_past_calls(1);
}

#[test]
fn a_phone_that_hands_its_caller_on_to_a_scenario_leaves_him_there() {
    let switch = Plugboard::empty(&[]);
    fs::create_dir(switch.folder().join("audio")).unwrap();
    write_tone(&switch.folder().join("audio/greeting.wav"), MUSIC, 3);
    let steps = "- play-audio: { audio: greeting }\n- call-user: { mode: list, target: [103] }";
    switch.apply(&Office::new().lines("prompts: audio").scenario("300", "reception", steps));
    let (ann, bob, cem) = (phone(&switch, "101", ANN), phone(&switch, "102", BOB), phone(&switch, "103", CEM));
    ann.dials("102");
    bob.waits_to_hear_tone(ANN);
    bob.hands_on_to("300");
    ann.waits_to_hear_tone(MUSIC);
    ann.waits_to_hear_tone(CEM);
    cem.waits_to_hear_tone(ANN);
    ann.hangs_up();
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(
        (&record["outcome"], &record["scenario"]["name"]),
        (&"answered".into(), &"reception".into()),
        "{record}"
    );
}

#[test]
fn linphone_asks_a_colleague_first_and_then_connects_both() {
    let switch = switch();
    let (bob, cem) = (phone(&switch, "102", BOB), phone(&switch, "103", CEM));
    let ann = Linphone::start(&switch, "101", "secret-101");
    switch.waits_for_registration("101", 1);
    ann.plays(ANN);
    ann.calls("102", 1);
    ann.holds();
    bob.waits_to_hear_tone(MUSIC);
    ann.calls("103", 2);
    cem.waits_for_answer();
    ann.connects_both();
    bob.waits_to_hear_tone(CEM);
    cem.waits_to_hear_tone(BOB);
    bob.hangs_up();
    let records = switch.waits_for_past_calls(2);
    assert!(records.iter().all(|record| record["outcome"] == "answered"), "{records:?}");
}

/// sipp asks a colleague first; two phones are left, and hear each other.
fn sipp_connects_both(transport: Transport) {
    let switch = switch();
    let (bob, cem) = (phone(&switch, "102", BOB), phone(&switch, "103", CEM));
    // Where two messages of its two dialogs come at once, sipp gives up, since it has not answered the first of them yet. It
    // has said what it had to by then.
    let told = Sipp::connects(&switch, "101", "secret-101", ["102", "103"], transport).start().ends().messages();
    assert!(told.contains("\r\n\r\nSIP/2.0 100 Trying\r\n"), "how it goes, in the body of a NOTIFY: {told}");
    bob.waits_to_hear_tone(CEM);
    cem.waits_to_hear_tone(BOB);
    cem.hangs_up();
    let records = switch.waits_for_past_calls(2);
    assert!(records.iter().all(|record| record["outcome"] == "answered"), "{records:?}");
}

#[test]
fn sipp_asks_a_colleague_first_and_then_connects_both_over_udp() {
    sipp_connects_both(Transport::Udp);
}

#[test]
fn sipp_asks_a_colleague_first_and_then_connects_both_over_tcp() {
    sipp_connects_both(Transport::Tcp);
}
