//! What `send-email` asks of the switch, and how it ends.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{HostCall, Json, MailAttach, MailContent, MailRequest, NoticeError, RunEnd, Testkit, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn run(parameters: &Json, answer: Result<String, NoticeError>) -> (RunEnd, Vec<MailRequest>) {
    let report = kit().run().parameters(parameters).on_mail(|_| answer.clone()).finish().unwrap();
    let asked = report
        .calls
        .into_iter()
        .filter_map(|call| if let HostCall::SendMail(request) = call { Some(request) } else { None });
    (report.end, asked.collect())
}

#[test]
fn a_mail_is_kept_with_what_it_says_and_what_goes_along() {
    let (end, asked) = run(
        &json!({ "to": ["101", "x@example.com"], "subject": "On\nhold", "text": "Hello", "attach": ["recording", "fax"] }),
        Ok("n-1".into()),
    );
    assert_eq!(end, RunEnd::Outcome("queued".into()));
    let content = MailContent::Written { subject: "On hold".into(), text: "Hello".into() };
    let attach = vec![MailAttach::Recording, MailAttach::Fax];
    assert_eq!(asked, [MailRequest { to: vec!["101".into(), "x@example.com".into()], content, attach }]);
}

#[test]
fn a_template_stands_in_place_of_words() {
    let (end, asked) = run(&json!({ "to": ["101"], "template": "hold" }), Ok("n-1".into()));
    assert_eq!(end, RunEnd::Outcome("queued".into()));
    assert_eq!(asked[0].content, MailContent::Template("hold".into()));
    for wrong in [json!({ "to": ["101"], "template": "hold", "text": "x" }), json!({ "to": ["101"], "text": "x" })] {
        let (end, asked) = run(&wrong, Ok("n-1".into()));
        assert!(matches!(end, RunEnd::Failed(_)) && asked.is_empty(), "{end:?}");
    }
}

#[test]
fn what_is_not_taken_has_failed_with_the_reason() {
    for (why, told) in [
        (NoticeError::Denied("the office sends no mail".into()), "the office sends no mail"),
        (NoticeError::Full("too many".into()), "too many"),
        (NoticeError::NotKept("disk".into()), "it could not be kept: disk"),
    ] {
        let (end, _) = run(&json!({ "to": ["101"], "template": "hold" }), Err(why));
        assert_eq!(end, RunEnd::Failed(told.into()));
    }
}
