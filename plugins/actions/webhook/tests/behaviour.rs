//! What `webhook` asks of the switch, and how it ends.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{NoticeError, OutgoingPost, RunEnd, Testkit, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn a_document_is_kept_or_has_failed_with_the_reason() {
    for (answer, end) in [
        (Ok("n-1".to_owned()), RunEnd::Outcome("queued".into())),
        (Err(NoticeError::Denied("no such source".into())), RunEnd::Failed("no such source".into())),
    ] {
        let on_post = |post| {
            let body = r#"{"from":"101"}"#.into();
            assert_eq!(post, OutgoingPost { source: "crm".into(), path: "calls".into(), body });
            answer.clone()
        };
        let given = json!({ "source": "crm", "path": "calls", "body": { "from": "101" } });
        let report = kit().run().parameters(&given).on_post(on_post).finish().unwrap();
        assert_eq!(report.end, end);
    }
}
