//! What `say` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{Audio, HostCall, LogLevel, PlayEnd, PlayOptions, Speech, Testkit, json};

fn say() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn words_are_read_in_the_language_that_is_given() {
    let parameters = json!({ "text": "Guten Tag", "language": "de-AT", "max": "5s" });
    let report = say().run().parameters(&parameters).finish().unwrap();
    assert_eq!(report.outcome(), Some("done"));
    let words = Audio::Speech(Speech { text: "Guten Tag".into(), language: Some("de-AT".into()) });
    let options = PlayOptions { max_ms: Some(5_000), repeat: false, stop_on_digit: false };
    assert_eq!(report.calls, [HostCall::Play { audio: words, options }]);
}

#[test]
fn a_digit_stops_the_words_and_is_kept() {
    let report = say()
        .run()
        .parameters(&json!({ "text": "Press a key", "stop_on_digit": true }))
        .on_play(|_, options| Ok(if options.stop_on_digit { PlayEnd::Digit('7') } else { PlayEnd::Finished }))
        .finish()
        .unwrap();
    assert_eq!((report.outcome(), report.text("digit")), (Some("digit"), Some("7")));
}

#[test]
fn without_a_voice_the_words_are_skipped_and_the_log_says_why() {
    let report = say()
        .run()
        .parameters(&json!({ "text": "Hello" }))
        .on_play(|_, _| Ok(PlayEnd::NotPlayable("no speech engine".into())))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("skipped"));
    assert_eq!(report.log(), [(LogLevel::Warn, "the words were skipped: no speech engine")]);
}

#[test]
fn what_is_no_language_fails_before_anything_is_heard() {
    let report = say().run().parameters(&json!({ "text": "Hello", "language": "-v/etc/passwd" })).finish().unwrap();
    assert_eq!(report.outcome(), None, "{report:?}");
    assert!(report.calls.is_empty(), "{report:?}");
}
