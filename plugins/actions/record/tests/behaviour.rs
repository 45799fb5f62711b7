//! What `record` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{HostCall, RecordCall, RecordError, Testkit};

fn run(parameters: &str, answer: Result<(), RecordError>) -> (Option<String>, Vec<HostCall>) {
    let testkit = Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap();
    let report = testkit.run().parameters_text(parameters).on_record(move |_| answer.clone()).finish().unwrap();
    (report.outcome().map(str::to_owned), report.calls)
}

#[test]
fn it_begins_with_what_both_sides_are_told() {
    let (outcome, calls) = run(r#"{ "announcement": "recorded", "beep": true }"#, Ok(()));
    assert_eq!(outcome.as_deref(), Some("done"));
    let start = RecordCall::Start { announcement: Some("recorded".into()), beep: true };
    assert_eq!(calls, [HostCall::Record(start)]);
}

#[test]
fn it_pauses_goes_on_and_ends() {
    for (what, call) in [("pause", RecordCall::Pause), ("resume", RecordCall::Resume), ("stop", RecordCall::Stop)] {
        let (outcome, calls) = run(&format!(r#"{{ "what": "{what}" }}"#), Ok(()));
        assert_eq!((outcome.as_deref(), calls), (Some("done"), vec![HostCall::Record(call)]));
    }
}

#[test]
fn what_the_office_does_not_allow_is_an_outcome_and_what_is_so_already_is_done() {
    assert_eq!(run("{}", Err(RecordError::NotAllowed)).0.as_deref(), Some("refused"));
    assert_eq!(run("{}", Err(RecordError::Recording)).0.as_deref(), Some("done"));
    assert_eq!(run(r#"{ "what": "stop" }"#, Err(RecordError::NotRecording)).0.as_deref(), Some("done"));
    assert_eq!(run(r#"{ "what": "pause" }"#, Err(RecordError::NotRecording)).0, None);
}
