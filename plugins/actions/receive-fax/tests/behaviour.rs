//! What `receive-fax` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{FaxError, FaxOutcome, FaxReceived, FaxRequest, HostCall, Testkit, Value, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn came(end: FaxOutcome, pages: u32) -> FaxReceived {
    let document = (pages > 0).then(|| "main-01JABCDEFG-1".to_owned());
    FaxReceived { end, pages, sender: "+49 30 1234".into(), document }
}

#[test]
fn r73_a_fax_that_was_received_tells_its_pages_its_sender_and_where_it_is() {
    let report = kit().run().on_fax(|_| Ok(came(FaxOutcome::Done, 3))).finish().unwrap();
    assert_eq!(report.outcome(), Some("received"));
    assert_eq!(
        (report.text("fax_sender"), report.text("fax_document")),
        (Some("+49 30 1234"), Some("main-01JABCDEFG-1"))
    );
    let usual = FaxRequest { ident: String::new(), pages_max: 100, max_ms: 3_600_000 };
    assert_eq!(report.calls.first(), Some(&HostCall::ReceiveFax(usual)));
    let pages = HostCall::SetVariable { name: "fax_pages".into(), value: Value::Number(3) };
    assert!(report.calls.contains(&pages), "{:?}", report.calls);
}

#[test]
fn the_machine_does_as_the_scenario_says() {
    let report = kit().run().parameters(&json!({ "ident": "+49 30 55", "pages": 5, "max": "10m" })).finish().unwrap();
    let request = FaxRequest { ident: "+49 30 55".into(), pages_max: 5, max_ms: 600_000 };
    assert_eq!(report.calls, [HostCall::ReceiveFax(request)]);
    assert_eq!(report.outcome(), Some("no-fax"));
}

#[test]
fn a_fax_that_fails_is_a_failure_that_says_what_is_kept() {
    let fault = |end: FaxOutcome, pages: u32| {
        let report = kit().run().on_fax(move |_| Ok(came(end.clone(), pages))).finish().unwrap();
        report.failure().unwrap().to_owned()
    };
    let dropped = || FaxOutcome::Failed("call dropped prematurely".into());
    assert_eq!(fault(dropped(), 0), "no fax was received: call dropped prematurely");
    assert_eq!(
        fault(dropped(), 2),
        "the fax was cut off after 2 pages, which are kept as main-01JABCDEFG-1: call dropped prematurely"
    );
    assert_eq!(fault(FaxOutcome::Done, 0), "the fax has no page");
}

#[test]
fn what_cannot_be_is_a_failure_with_its_reason() {
    let fault = |why: FaxError| {
        let report = kit().run().on_fax(move |_| Err(why.clone())).finish().unwrap();
        report.failure().unwrap().to_owned()
    };
    assert_eq!(fault(FaxError::CallerGone), "the call is over");
    assert_eq!(fault(FaxError::NoMedia("gone".into())), "no media with the caller: gone");
    let report = kit().run().parameters(&json!({ "ident": "office" })).finish().unwrap();
    assert_eq!(
        report.failure(),
        Some("the switch refused a parameter: ident \"office\" is not up to 20 of 0-9 + and blanks")
    );
}

#[test]
fn it_imports_faxes_and_variables_and_nothing_else() {
    assert_eq!(
        kit().imports(),
        [
            "plugboard:switch/types@0.1.0",
            "plugboard:switch/fax@0.1.0",
            "plugboard:switch/variables@0.1.0",
            "plugboard:switch/description@0.1.0"
        ]
    );
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("receive-fax", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
