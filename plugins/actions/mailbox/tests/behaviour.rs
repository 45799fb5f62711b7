//! What `mailbox` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Distribution, HostCall, Mailbox, MailboxEnd, MailboxError, Testkit, group, group_id, user, user_id,
};

fn run(parameters: &str, answer: Result<MailboxEnd, MailboxError>) -> (Option<String>, Option<HostCall>) {
    let testkit = Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap();
    let run = testkit.run().parameters_text(parameters).user(user("ann", "102"));
    let run = run.group(group("sales", "200", Distribution::AllAtOnce, &[("ann", 1)]));
    let report = run.on_open(move |_| answer.clone()).finish().unwrap();
    (report.outcome().map(str::to_owned), report.calls.last().cloned())
}

#[test]
fn a_mailbox_is_the_callers_a_users_or_a_groups() {
    let of = |parameters| run(parameters, Ok(MailboxEnd::Done));
    assert_eq!(of("{}"), (Some("done".into()), Some(HostCall::OpenMailbox(None))));
    let ann = Mailbox::User(user_id("ann"));
    assert_eq!(of(r#"{ "user": "ann" }"#).1, Some(HostCall::OpenMailbox(Some(ann))));
    let sales = Mailbox::Group(group_id("sales"));
    assert_eq!(of(r#"{ "group": "200" }"#).1, Some(HostCall::OpenMailbox(Some(sales))));
    assert_eq!(of(r#"{ "group": "999" }"#).0, None);
}

#[test]
fn one_that_was_not_opened_is_an_outcome() {
    assert_eq!(run("{}", Ok(MailboxEnd::Refused)).0.as_deref(), Some("refused"));
    assert_eq!(run("{}", Err(MailboxError::NoMailbox("nobody".into()))).0, None);
}
