//! What `send-text` asks of the switch, and how it ends.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{NoticeError, RunEnd, Testkit, TextRequest, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn a_text_message_is_kept_or_has_failed_with_the_reason() {
    for (answer, end) in [
        (Ok("n-1".to_owned()), RunEnd::Outcome("queued".into())),
        (Err(NoticeError::Denied("no provider".into())), RunEnd::Failed("no provider".into())),
    ] {
        let on_text = |request| {
            assert_eq!(request, TextRequest { to: "0170 123".into(), text: "Call us".into() });
            answer.clone()
        };
        let given = json!({ "to": "0170 123", "text": "Call us" });
        let report = kit().run().parameters(&given).on_text(on_text).finish().unwrap();
        assert_eq!(report.end, end);
    }
}
