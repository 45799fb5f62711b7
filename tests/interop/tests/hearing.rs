//! What callers hear: sound files of every format, and words that are read aloud.

use plugboard_tests_interop::{Baresip, Office, Plugboard, Transport, steps, until};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What the caller's own phone says.
const ANN: f64 = 440.0;

/// The tone in every file of `core/sound/tests`.
const TONE: f64 = 1_000.0;

#[test]
fn music_and_prompts_of_every_format_are_heard() {
    let files = ["tone.mp3", "tone.flac", "tone.ogg", "tone.opus", "tone.alaw.wav"];
    let switch = Plugboard::empty(&[]);
    let (audio, mut scenario) = (switch.folder().join("audio"), String::new());
    fs::create_dir(&audio).unwrap();
    for file in files {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/sound/tests").join(file);
        // Prompts go by their file's name without the ending.
        let ending = file.rsplit('.').next().unwrap();
        fs::copy(from, audio.join(format!("in-{ending}.{ending}"))).unwrap();
        writeln!(scenario, "- play-audio: {{ audio: in-{ending}, repeat: true, max: 2500ms }}").unwrap();
    }
    fs::write(audio.join("music.mp3"), fs::read(audio.join("in-mp3.mp3")).unwrap()).unwrap();
    scenario.push_str("- play-audio: { audio: music, kind: music, max: 2500ms }\n- echo: { max: 60s }");
    let office = Office::new().lines("prompts: audio\nmusic: { music: audio/music.mp3 }");
    switch.apply(&office.scenario("300", "sounds", &scenario));
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("300");
    ann.waits_for_answer();
    ann.waits_to_hear_tone(TONE);
    // Every file is played, one after the other, and the echo at the end is heard: none was skipped.
    ann.waits_to_hear_tone(ANN);
    ann.hangs_up();
    let record = &switch.waits_for_past_calls(1)[0];
    let taken = steps(record);
    assert_eq!(taken.len(), files.len() + 2, "{record}");
    assert!(taken[..=files.len()].iter().all(|(_, outcome)| outcome == "done"), "{record}");
    // What was made of them is kept beside the data, once for each.
    let kept = fs::read_dir(switch.data().join("sounds")).unwrap().count();
    assert_eq!(kept, files.len());
}

#[test]
fn words_are_read_aloud_to_a_caller() {
    let words = "- say: { text: \"You are calling outside of our hours. Please call again tomorrow.\", language: en }\n\
                 - echo: { max: 60s }";
    let switch = Plugboard::with_office(&Office::new().scenario("300", "says", words));
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("300");
    ann.waits_for_answer();
    let file = ann.waits_to_hear();
    ann.waits_to_hear_tone(ANN);
    ann.hangs_up();
    let record = switch.waits_for_past_calls(1)[0].clone();
    assert_eq!(steps(&record)[0], ("say".to_owned(), "done".to_owned()), "{record}");
    let heard = ann.heard(&file);
    let spoken = heard.speaking_seconds();
    assert!(spoken >= 1.0, "{spoken} s of speech");
}

#[test]
fn a_switch_without_a_speech_engine_says_so_and_goes_on() {
    let words = "- say: { text: Hello }\n- echo: { max: 60s }";
    let office = Office::new().scenario("300", "says", words);
    let switch = Plugboard::everywhere(&office, "[speech]\nprogram = \"/nonexistent/espeak-ng\"\n");
    let ann = Baresip::start(&switch, "101", "secret-101", ANN, Transport::Udp);
    ann.dials("300");
    ann.waits_to_hear_tone(ANN);
    ann.hangs_up();
    let record = switch.waits_for_past_calls(1)[0].clone();
    assert_eq!(steps(&record)[0], ("say".to_owned(), "skipped".to_owned()), "{record}");
    let told = || switch.log().contains("install espeak-ng").then_some(());
    until("the log to tell what is missing", told);
}
