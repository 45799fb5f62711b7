//! What `park` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{CallError, HostCall, ParkEnd, ParkError, Testkit, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn each_end_is_an_outcome() {
    let kit = kit();
    for (end, outcome) in [
        (Ok(ParkEnd::Retrieved), "retrieved"),
        (Ok(ParkEnd::TimeOver), "timeout"),
        (Err(ParkError::NoPlace("a call is parked there".into())), "full"),
    ] {
        let report = kit
            .run()
            .parameters(&json!({ "place": 3, "time": "2m" }))
            .on_park(move |_, _| end.clone())
            .finish()
            .unwrap();
        assert_eq!(report.outcome(), Some(outcome));
        assert!(report.calls.contains(&HostCall::Park { place: Some(3), max_ms: 120_000 }), "{:?}", report.calls);
    }
    let talking = || Err(ParkError::Refused(CallError::Talking));
    assert!(kit.run().on_park(move |_, _| talking()).finish().unwrap().failure().is_some());
}

#[test]
fn it_describes_itself_in_three_languages_and_imports_what_it_says() {
    let kit = kit();
    let mut imports = kit.imports();
    imports.sort_unstable();
    let names = ["call", "description", "log", "types"];
    assert_eq!(imports, names.map(|name| format!("plugboard:switch/{name}@0.1.0")));
    let manifest = kit.manifest();
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
