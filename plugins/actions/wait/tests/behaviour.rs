//! What `wait` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{Audio, HostCall, PlayEnd, PlayOptions, Testkit, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn music_plays_for_as_long_as_it_is_said() {
    let kit = kit();
    let report = kit
        .run()
        .parameters(&json!({ "time": "30s", "music": "waiting" }))
        .on_play(|_, _| Ok(PlayEnd::TimeOver))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("done"));
    let options = PlayOptions { max_ms: Some(30_000), repeat: true, stop_on_digit: false };
    let music = HostCall::Play { audio: Audio::Music("waiting".into()), options };
    assert!(report.calls.contains(&music), "{:?}", report.calls);
}

#[test]
fn silence_needs_no_answer_and_what_cannot_be_played_is_silence() {
    let kit = kit();
    let report = kit.run().parameters(&json!({ "time": "2s" })).finish().unwrap();
    assert_eq!(report.outcome(), Some("done"));
    assert!(report.calls.contains(&HostCall::NextEvent { timeout_ms: 2_000 }), "{:?}", report.calls);
    assert!(!report.calls.iter().any(|call| matches!(call, HostCall::Play { .. } | HostCall::Answer)));
    let missing = || Ok(PlayEnd::NotPlayable("there is no such music".into()));
    let given = json!({ "time": "2s", "music": "lost" });
    let report = kit.run().parameters(&given).on_play(move |_, _| missing()).finish().unwrap();
    assert!(report.calls.contains(&HostCall::NextEvent { timeout_ms: 2_000 }), "{:?}", report.calls);
}

#[test]
fn it_describes_itself_in_three_languages_and_imports_what_it_says() {
    let kit = kit();
    let mut imports = kit.imports();
    imports.sort_unstable();
    let names = ["call", "clock", "description", "log", "types"];
    assert_eq!(imports, names.map(|name| format!("plugboard:switch/{name}@0.1.0")));
    let manifest = kit.manifest();
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
