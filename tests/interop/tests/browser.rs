//! `JsSIP` in Chromium registers over secure WebSocket.

use plugboard_tests_interop::{Browser, Office, Plugboard};

#[test]
fn jssip_in_a_browser_registers_over_secure_websocket_and_leaves() {
    let switch = Plugboard::everywhere(&Office::new(), "");
    let mut page = Browser::start(&switch, "101", "secret-101");
    page.waits_to_say("registered");
    switch.waits_for_registration("101", 1);
    let contacts = switch.ask(&["registrations"]).to_string();
    assert!(contacts.contains("WSS") && contacts.contains(".invalid"), "{contacts}");
    page.leaves();
    switch.waits_for_registration("101", 0);
}

#[test]
fn jssip_with_a_wrong_password_is_told_so() {
    let switch = Plugboard::everywhere(&Office::new(), "");
    let page = Browser::start(&switch, "101", "guessed");
    page.waits_to_say("failed Authentication Error");
    switch.waits_for_registration("101", 0);
}
