//! What `write-log` writes.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{LogLevel, RunEnd, Testkit, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn a_line_is_written_as_loud_as_it_is_meant() {
    for (given, level) in [
        (json!({ "text": "VIP" }), LogLevel::Info),
        (json!({ "text": "VIP", "level": "debug" }), LogLevel::Debug),
        (json!({ "text": "VIP", "level": "warn" }), LogLevel::Warn),
    ] {
        let report = kit().run().parameters(&given).finish().unwrap();
        assert_eq!(report.end, RunEnd::Outcome("done".into()));
        assert_eq!(report.log(), [(level, "VIP")]);
    }
    let report = kit().run().parameters(&json!({})).finish().unwrap();
    assert!(matches!(report.end, RunEnd::Failed(_)), "it needs a text");
}
