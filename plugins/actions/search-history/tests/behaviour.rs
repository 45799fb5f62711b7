//! What `search-history` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{HistoryError, HostCall, Talk, Testkit, Value, WallTime, json, user_id};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn bob() -> Talk {
    Talk { user: user_id("bob"), at: WallTime(1_790_000_000_000) }
}

#[test]
fn r18_it_finds_who_talked_last_with_the_caller() {
    let report =
        kit().run().parameters(&json!({ "variable": "agent" })).on_last_talk(|_, _| Ok(Some(bob()))).finish().unwrap();
    assert_eq!(report.outcome(), Some("found"));
    let bob = Value::User(user_id("bob"));
    assert_eq!((report.variables.get("last_user"), report.variables.get("agent")), (Some(&bob), Some(&bob)));
    assert_eq!(report.variables.get("last_talk"), Some(&Value::Time(WallTime(1_790_000_000_000))));
    assert_eq!(report.calls.first(), Some(&HostCall::GetInfo));
    assert!(matches!(report.calls.get(1), Some(HostCall::LastTalk { days: 365, .. })), "{:?}", report.calls);
}

#[test]
fn r19_nobody_is_not_found_and_the_number_may_be_given() {
    let mut asked = Vec::new();
    let kit = kit();
    let run = kit.run().parameters(&json!({ "number": "+49301234", "days": 7 })).on_last_talk(|number, days| {
        asked.push((number, days));
        Ok(None)
    });
    assert_eq!(run.finish().unwrap().outcome(), Some("not-found"));
    assert_eq!(asked, [("+49301234".to_owned(), 7)]);
}

#[test]
fn a_history_that_cannot_be_read_is_a_failure() {
    let why = || Err(HistoryError::Unavailable("the disk".into()));
    let report = kit().run().on_last_talk(move |_, _| why()).finish().unwrap();
    assert_eq!(report.failure(), Some("the history cannot be read: the disk"));
}

#[test]
fn it_imports_what_it_says_and_nothing_else() {
    let mut imports = kit().imports();
    imports.sort_unstable();
    assert_eq!(
        imports,
        [
            "plugboard:switch/call@0.1.0",
            "plugboard:switch/description@0.1.0",
            "plugboard:switch/history@0.1.0",
            "plugboard:switch/types@0.1.0",
            "plugboard:switch/variables@0.1.0",
        ]
    );
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("search-history", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
