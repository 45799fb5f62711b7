//! What an admin sees of users and sets for them, of the running switch.

#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Office, Plugboard, Serve};
use serde_json::Value;

fn shown(switch: &Plugboard) -> Value {
    switch.ask(&["user", "show", "102"])["users"][0].clone()
}

#[test]
fn an_admin_sees_and_changes_what_users_have_set_and_a_restart_keeps_it() {
    let switch = Plugboard::with_office(&Office::new());
    let before = shown(&switch);
    assert_eq!((&before["status"], &before["forward"]["busy"]), (&"available".into(), &Value::Null));
    let words = ["user", "set", "102", "--status", "busy", "--forward", "busy=101", "--forward", "no_answer=101"];
    let told = switch.succeeds(&[&words[..], &["--after", "15s"]].concat());
    assert!(told.starts_with("102") && told.contains("when busy to 101, on no answer after 15s to 101"), "{told}");
    for (wrong, why) in [
        (["--status", "lazy"], "there are available"),
        (["--forward", "sometimes=101"], "write WHEN=NUMBER"),
        (["--forward", "always=999"], "nobody has this number"),
        (["--forward", "always=*43"], "rings nobody"),
        (["--log-out", "nobodys"], "there is no group"),
        (["--after", "1d"], "1s to 10m"),
    ] {
        let fault = switch.complains(&[&["user", "set", "102"][..], &wrong].concat());
        assert!(fault.contains(why), "{wrong:?}: {fault}");
    }
    let set = shown(&switch);
    assert_eq!((&set["status"], &set["forward"]["after"]), (&"busy".into(), &"15s".into()));
    let (_folder, data) = switch.cut();
    let switch = Serve::on(&data).start();
    assert_eq!(shown(&switch), set);
    switch.succeeds(&["user", "set", "102", "--forward", "busy=off", "--status", "available"]);
    let after = shown(&switch);
    assert_eq!((&after["status"], &after["forward"]["busy"]), (&"available".into(), &Value::Null));
    let away = switch.succeeds(&["user", "status", "102", "away"]);
    assert!(away.contains(" away "), "{away}");
    let unknown = switch.complains(&["user", "status", "102", "busy", "--reason", "lunch"]);
    assert!(unknown.contains("knows no reason"), "{unknown}");
    let refused = switch.complains(&["user", "status", "102", "wrap-up"]);
    assert!(refused.contains("begins by itself"), "{refused}");
    assert!(switch.succeeds(&["user", "status", "102"]).contains(" away "), "what is refused changes nothing");
    switch.succeeds(&["user", "status", "102", "available"]);
    assert_eq!(switch.ask(&["queue", "list"])["queues"], serde_json::json!([]));
    assert!(switch.complains(&["queue", "show", "nobodys"]).contains("no scenario nobodys"));
    let all = switch.ask(&["user", "list"])["users"].as_array().unwrap().clone();
    assert!(all.len() > 1 && all.contains(&after), "{all:?}");
}
