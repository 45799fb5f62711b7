//! What `voicemail` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Distribution, HostCall, LeaveRequest, Mailbox, MailboxError, MessageEnd, Testkit, group, group_id, user, user_id,
};

fn run(parameters: &str, answer: Result<MessageEnd, MailboxError>) -> (Option<String>, Vec<HostCall>) {
    let testkit = Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap();
    let run = testkit.run().parameters_text(parameters).user(user("ann", "102"));
    let run = run.group(group("sales", "200", Distribution::AllAtOnce, &[("ann", 1)]));
    let report = run.on_leave(move |_| answer.clone()).finish().unwrap();
    (report.outcome().map(str::to_owned), report.calls)
}

fn leaves(mailbox: Option<Mailbox>) -> HostCall {
    HostCall::LeaveMessage(LeaveRequest { mailbox, greeting: None, longest_ms: None, silence_ms: None })
}

#[test]
fn r72_a_message_is_for_a_user_a_group_or_whoever_was_called() {
    let of = |parameters| run(parameters, Ok(MessageEnd::Recorded));
    let (outcome, calls) = of("{}");
    assert_eq!((outcome.as_deref(), calls), (Some("recorded"), vec![leaves(None)]));
    let ann = Some(Mailbox::User(user_id("ann")));
    assert_eq!(of(r#"{ "user": "102" }"#).1.last(), Some(&leaves(ann)));
    let sales = Some(Mailbox::Group(group_id("sales")));
    assert_eq!(of(r#"{ "group": "200" }"#).1.last(), Some(&leaves(sales)));
    assert_eq!(of(r#"{ "user": "102", "group": "200" }"#).0, None);
    assert_eq!(of(r#"{ "user": "999" }"#).0, None);
}

#[test]
fn greeting_length_and_silence_are_passed_on() {
    let (_, calls) = run(r#"{ "greeting": "closed", "max": "30s", "silence": "3s" }"#, Ok(MessageEnd::Recorded));
    let wanted = LeaveRequest {
        mailbox: None,
        greeting: Some("closed".into()),
        longest_ms: Some(30_000),
        silence_ms: Some(3_000),
    };
    assert_eq!(calls, [HostCall::LeaveMessage(wanted)]);
}

#[test]
fn silence_and_a_full_mailbox_are_outcomes_and_a_disk_that_fails_is_none() {
    assert_eq!(run("{}", Ok(MessageEnd::Empty)).0.as_deref(), Some("empty"));
    assert_eq!(run("{}", Ok(MessageEnd::Full)).0.as_deref(), Some("full"));
    assert_eq!(run("{}", Err(MailboxError::NotKept("disk full".into()))).0, None);
    assert_eq!(run("{}", Err(MailboxError::CallerGone)).0, None);
}
