//! A voice message that one phone leaves and another one hears.

use plugboard_tests_interop::{Baresip, Office, Plugboard, Transport, steps, until};
use std::fs;

/// What each phone says.
const ANN: f64 = 440.0;
const BOB: f64 = 700.0;

#[test]
fn a_message_is_heard_again_with_the_frequency_that_was_said_and_replays() {
    let taking = "- voicemail: { user: 102, max: 6s }\n- echo: { max: 60s }";
    let office = Office::new().scenario("300", "takes", taking).lines("voicemail: { own_phone_without_pin: true }");
    let switch = Plugboard::with_office(&office);
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("300");
    ann.waits_for_answer();
    // The message is over by its length, she is told so, and hears herself.
    ann.waits_to_hear_tone(ANN);
    ann.hangs_up();
    let record = switch.waits_for_past_calls(1)[0].clone();
    assert_eq!(steps(&record)[0], ("voicemail".to_owned(), "recorded".to_owned()), "{record}");
    let kept = switch.ask(&["recording", "list", "--messages", "--user", "102"]);
    let message = &kept["recordings"][0];
    assert_eq!((&message["kind"], &message["end"]), (&"new message".into(), &"limit".into()), "{kept}");
    let length = message["length_ms"].as_u64().unwrap();
    assert!((5_900..6_600).contains(&length), "{kept}");
    assert_eq!(switch.ask(&["recording", "verify"])["sound"], 1);
    let shown = switch.ask(&["call", "show", record["id"].as_str().unwrap()]);
    assert_eq!(shown["recordings"][0]["kind"], "new message", "{shown}");
    let replayed = switch.ask(&["call", "replay", record["id"].as_str().unwrap()]);
    assert_eq!(replayed["runs"][0]["same"], true, "{replayed}");

    let bob = Baresip::start(&switch, "102", "secret-102", BOB, Transport::Udp);
    bob.dials("*98");
    bob.waits_for_answer();
    bob.waits_to_hear();
    bob.presses('1');
    bob.waits_to_hear_tone(ANN);
    let heard = || {
        let list = switch.ask(&["recording", "list", "--messages", "--user", "102"]);
        (list["recordings"][0]["kind"] == "message").then_some(())
    };
    until("the message to be an old one", heard);
    bob.presses('3');
    let gone = || {
        let list = switch.ask(&["recording", "list", "--messages"]);
        list["recordings"].as_array().is_some_and(Vec::is_empty).then_some(())
    };
    until("the message to be deleted", gone);
    bob.hangs_up();
}

#[test]
fn pins_are_kept_by_an_office_that_is_exported_without_them_and_applied_again() {
    let switch = Plugboard::with_office(&Office::new().user(102, "voicemail: { pin: '47110' }"));
    let exported = switch.succeeds(&["export"]);
    assert!(!exported.contains("47110") && exported.contains("keep: true"), "{exported}");
    let file = switch.folder().join("again.yaml");
    fs::write(&file, &exported).unwrap();
    switch.succeeds(&["apply", file.to_str().unwrap()]);
    let kept = switch.succeeds(&["export", "--secrets"]);
    assert!(kept.contains("47110"), "{kept}");
}
