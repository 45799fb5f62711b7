//! What `play-audio` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{Audio, CallError, HostCall, LogLevel, PlayEnd, PlayOptions, Testkit, Tone, json};

fn play_audio() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn r51_an_audio_plays_for_the_set_time_and_then_the_next_step_follows() {
    let report = play_audio()
        .run()
        .parameters(&json!({ "audio": "welcome", "max": "5s", "repeat": true }))
        .on_play(|_, _| Ok(PlayEnd::TimeOver))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("done"));
    let options = PlayOptions { max_ms: Some(5_000), repeat: true, stop_on_digit: false };
    assert_eq!(report.calls, [HostCall::Play { audio: Audio::Prompt("welcome".into()), options }]);
}

#[test]
fn without_a_time_it_plays_once_to_the_end() {
    let report = play_audio().run().parameters(&json!({ "audio": "welcome" })).finish().unwrap();
    assert_eq!(report.outcome(), Some("done"));
    let options = PlayOptions { max_ms: None, repeat: false, stop_on_digit: false };
    assert_eq!(report.calls, [HostCall::Play { audio: Audio::Prompt("welcome".into()), options }]);
}

#[test]
fn r52_a_missing_or_broken_file_is_skipped_and_logged() {
    let report = play_audio()
        .run()
        .parameters(&json!({ "audio": "welcome" }))
        .on_play(|_, _| Ok(PlayEnd::NotPlayable("no such file".into())))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("skipped"));
    assert_eq!(report.log(), [(LogLevel::Warn, "welcome was skipped: no such file")]);
}

#[test]
fn r54_a_digit_stops_it_and_is_kept() {
    let report = play_audio()
        .run()
        .parameters(&json!({ "audio": "welcome", "stop_on_digit": true }))
        .on_play(|_, options| Ok(if options.stop_on_digit { PlayEnd::Digit('#') } else { PlayEnd::Finished }))
        .finish()
        .unwrap();
    assert_eq!((report.outcome(), report.text("digit")), (Some("digit"), Some("#")));
}

#[test]
fn the_kind_says_whether_the_name_is_a_prompt_a_tone_or_music() {
    let played = |parameters| {
        let report = play_audio().run().parameters(&parameters).finish().unwrap();
        match report.calls.into_iter().next() {
            Some(HostCall::Play { audio, .. }) => Ok(audio),
            _ => Err(report.end),
        }
    };
    assert_eq!(played(json!({ "audio": "quiet", "kind": "music" })), Ok(Audio::Music("quiet".into())));
    for (name, tone) in
        [("ring-back", Tone::RingBack), ("busy", Tone::Busy), ("congestion", Tone::Congestion), ("beep", Tone::Beep)]
    {
        assert_eq!(played(json!({ "audio": name, "kind": "tone" })), Ok(Audio::Tone(tone)));
    }
    assert!(played(json!({ "audio": "moo", "kind": "tone" })).is_err());
    let report = play_audio().run().parameters(&json!({ "audio": "moo", "kind": "noise" })).finish().unwrap();
    assert_eq!(report.failure(), Some("parameter kind: expected one of prompt, tone, music, found \"noise\""));
}

#[test]
fn what_stops_the_run_is_said() {
    let with = |error: CallError| {
        let run = play_audio();
        let run = run.run().parameters(&json!({ "audio": "welcome" })).on_play(move |_, _| Err(error.clone()));
        run.finish().unwrap().failure().unwrap().to_owned()
    };
    assert_eq!(with(CallError::CallerGone), "the call is over");
    assert_eq!(with(CallError::Talking), "the caller talks to somebody: end that connection first");
    assert_eq!(with(CallError::NoMedia("no codec".into())), "no media with the caller: no codec");
    let missing = play_audio().run().finish().unwrap();
    assert_eq!(missing.failure(), Some("parameter audio: is required"));
}

#[test]
fn it_imports_no_more_than_it_uses_and_no_wasi() {
    let kit = play_audio();
    let used =
        ["types", "call", "variables", "log", "description"].map(|name| format!("plugboard:switch/{name}@0.1.0"));
    let mut imports = kit.imports();
    imports.sort();
    let mut used = used.to_vec();
    used.sort();
    assert_eq!(imports, used);
}
