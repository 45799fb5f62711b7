//! What calls hear on hold, and how they are handed on.

use crate::support::{demo, demo_folder, faults, office};
use plugboard_office::{Office, Secrets, TransferRules};
use std::time::Duration;

fn heard(rest: &str) -> Option<String> {
    let text = format!("office: main\ndomains: [a.test]\n{rest}");
    office(&text).hold_music.as_ref().map(ToString::to_string)
}

#[test]
fn people_on_hold_hear_the_music_of_that_name_another_one_or_silence() {
    assert_eq!(heard("music: { music: a.wav, other: b.wav }"), Some("music".into()));
    assert_eq!(heard("music: { music: a.wav, other: b.wav }\nhold_music: other"), Some("other".into()));
    assert_eq!(heard("music: { music: a.wav }\nhold_music: silence"), None);
    assert_eq!(heard("music: { other: b.wav }"), None);
    assert_eq!(heard(""), None);
    let fault = faults("office: main\ndomains: [a.test]\nmusic: { waltz: a.wav }\nhold_music: walz");
    assert!(fault.contains("has no music walz") && fault.contains("waltz"), "{fault}");
}

#[test]
fn a_call_that_is_handed_on_rings_for_so_long_and_may_come_back() {
    let usual = TransferRules { ring_for: Duration::from_secs(30), recall: true };
    assert_eq!(demo().transfer, usual);
    let own = office("office: main\ndomains: [a.test]\ntransfer: { ring_for: 10s, recall: false }");
    assert_eq!(own.transfer, TransferRules { ring_for: Duration::from_secs(10), recall: false });
    assert!(faults("office: main\ndomains: [a.test]\ntransfer: { ring_for: 0s }").contains("transfer.ring_for"));
    assert!(faults("office: main\ndomains: [a.test]\ntransfer: { back: true }").contains("transfer.back"));
}

#[test]
fn an_export_says_both_where_they_are_not_usual() {
    let usual = demo().export(Secrets::Hidden, None);
    assert!(!usual.contains("hold_music") && !usual.contains("transfer"), "{usual}");
    let text =
        "office: main\ndomains: [a.test]\nmusic: { music: a.wav }\nhold_music: silence\ntransfer: { recall: false }";
    let yaml = office(text).export(Secrets::Hidden, None);
    let again = Office::parse("again.yaml", &yaml, &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!((again.hold_music.as_ref(), again.transfer.recall), (None, false), "{yaml}");
    assert_eq!(again.export(Secrets::Hidden, None), yaml);
}
