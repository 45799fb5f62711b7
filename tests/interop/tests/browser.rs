//! `JsSIP` in Chromium: registration over secure WebSocket, and calls with telephones and other browsers.

use plugboard_tests_interop::{Baresip, Browser, Coturn, Office, Plugboard, TURN_SECRET, Transport, in_own_network};

/// What the browser's microphone and the telephone send, in hertz.
const BROWSER: f64 = 1_000.0;
const PHONE: f64 = 440.0;

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

#[test]
fn a_browser_calls_a_telephone_and_both_hear_the_other() {
    if !in_own_network("a_browser_calls_a_telephone_and_both_hear_the_other") {
        return;
    }
    let switch = Plugboard::everywhere(&Office::new(), "");
    let phone = Baresip::start(&switch, "102", "secret-102", PHONE, Transport::Udp);
    let mut page = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    page.is_told("dial 102");
    page.waits_to_say("talks");
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_tone(BROWSER);
    // The phone knows no Opus, the browser G.711 as well: nothing is to be transcoded.
    page.is_told("codecs");
    page.waits_to_say("hears audio/PCMU");
    page.waits_to_say("speaks audio/PCMU");
    page.is_told("hang up");
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[test]
fn a_telephone_calls_a_browser_and_both_hear_the_other() {
    if !in_own_network("a_telephone_calls_a_browser_and_both_hear_the_other") {
        return;
    }
    let switch = Plugboard::everywhere(&Office::new(), "");
    let phone = Baresip::start(&switch, "102", "secret-102", PHONE, Transport::Udp);
    let mut page = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    phone.dials("101");
    page.waits_to_say("talks");
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_tone(BROWSER);
    phone.hangs_up();
    page.waits_to_say("ended Terminated");
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
}

#[test]
fn two_browsers_hear_each_other() {
    if !in_own_network("two_browsers_hear_each_other") {
        return;
    }
    let switch = Plugboard::everywhere(&Office::new(), "");
    let mut ann = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    let mut bob = Browser::with_tone(&switch, "102", "secret-102", PHONE);
    ann.is_told("dial 102");
    ann.waits_to_hear_tone(PHONE);
    bob.waits_to_hear_tone(BROWSER);
    for browser in [&mut ann, &mut bob] {
        browser.is_told("codecs");
        browser.waits_to_say("hears audio/opus");
        browser.waits_to_say("speaks audio/opus");
    }
    bob.is_told("hang up");
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
}

#[test]
fn keys_pressed_in_a_browser_choose_from_the_menu() {
    if !in_own_network("keys_pressed_in_a_browser_choose_from_the_menu") {
        return;
    }
    let switch = Plugboard::everywhere(&Office::new(), "");
    let phone = Baresip::start(&switch, "103", "secret-103", PHONE, Transport::Udp);
    let mut page = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    page.is_told("dial 100");
    page.waits_to_say("talks");
    page.waits_to_say("ice connected");
    // The extension of 103, and then nobody else can be meant.
    page.is_told("press 103");
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_tone(BROWSER);
    page.is_told("hang up");
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(record["answered_by"]["name"], "103", "{record}");
}

#[test]
fn a_browser_holds_resumes_and_begins_ice_anew() {
    if !in_own_network("a_browser_holds_resumes_and_begins_ice_anew") {
        return;
    }
    let switch = Plugboard::everywhere(&Office::new(), "");
    let phone = Baresip::start(&switch, "102", "secret-102", PHONE, Transport::Udp);
    let mut page = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    page.is_told("dial 102");
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_tone(BROWSER);
    page.is_told("hold");
    page.waits_to_say("held local");
    page.waits_to_hear_nothing();
    phone.waits_to_hear_no_tone(BROWSER);
    page.is_told("resume");
    page.waits_to_say("resumed local");
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_tone(BROWSER);
    page.is_told("restart ice");
    page.waits_to_say("restarted");
    page.is_told("forget");
    page.waits_to_hear_tone(PHONE);
    phone.holds();
    page.waits_to_hear_no_tone(PHONE);
    phone.resumes();
    page.waits_to_hear_tone(PHONE);
    page.is_told("hang up");
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
}

#[test]
fn a_page_that_is_loaded_anew_takes_its_call_back() {
    if !in_own_network("a_page_that_is_loaded_anew_takes_its_call_back") {
        return;
    }
    let switch = Plugboard::everywhere(&Office::new(), "");
    let phone = Baresip::start(&switch, "102", "secret-102", PHONE, Transport::Udp);
    let mut page = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    page.is_told("dial 102");
    phone.waits_to_hear_tone(BROWSER);
    page.is_told("reload");
    page.waits_to_have_said("registered", 2);
    page.is_told("take back");
    page.waits_to_have_said("talks", 2);
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_more_of(BROWSER);
    page.is_told("hang up");
    switch.waits_for_past_calls(2);
    assert_eq!(switch.waits_for_live_calls(0).len(), 0);
}

#[test]
fn a_browser_whose_network_blocks_udp_speaks_through_the_turn_server() {
    if !in_own_network("a_browser_whose_network_blocks_udp_speaks_through_the_turn_server") {
        return;
    }
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let (secret, port) = (folder.path().join("secret"), Coturn::port());
    std::fs::write(&secret, TURN_SECRET).unwrap_or_else(|error| panic!("{error}"));
    let here = "198.51.100.2";
    let turn = format!("[turn]\nuris = ['turn:{here}:{port}?transport=tcp']\nsecret_file = '{}'\n", secret.display());
    let switch = Plugboard::everywhere(&Office::new(), &turn);
    let server = Coturn::start(&switch, here, port);
    let phone = Baresip::start(&switch, "102", "secret-102", PHONE, Transport::Udp);
    let mut page = Browser::behind_turn(&switch, "101", "secret-101", BROWSER);
    page.is_told("dial 102");
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_tone(BROWSER);
    assert!(server.output().contains("ALLOCATE processed, success"), "{}", server.output());
    page.is_told("hang up");
    assert_eq!(switch.waits_for_past_calls(1)[0]["outcome"], "answered");
}

#[test]
fn a_browser_is_offered_the_configured_addresses_alone_and_finds_the_one_that_leads_here() {
    if !in_own_network("a_browser_is_offered_the_configured_addresses_alone_and_finds_the_one_that_leads_here") {
        return;
    }
    // Of a NAT: two that lead nowhere here, one of the other family, and the one of this network.
    let named = ["203.0.113.9", "2001:db8::9", "203.0.113.10", "198.51.100.2"];
    let media = format!("[media]\naddress = '{}'\nwebrtc_address = {named:?}\nwebrtc_only = true\n", named[3]);
    let switch = Plugboard::everywhere(&Office::new(), &media);
    let phone = Baresip::start(&switch, "102", "secret-102", PHONE, Transport::Udp);
    let mut page = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    page.is_told("dial 102");
    page.waits_to_say("talks");
    page.waits_to_hear_tone(PHONE);
    phone.waits_to_hear_tone(BROWSER);
    page.is_told("hang up");
    let record = &switch.waits_for_past_calls(1)[0];
    let traced = switch.ask(&["call", "trace", "--sip", record["id"].as_str().unwrap_or_default()]);
    let ours = traced["messages"].as_array().into_iter().flatten().filter(|message| message["out"] == true);
    let lines = ours.filter_map(|message| message["text"].as_str()).flat_map(str::lines);
    let candidates = lines.filter_map(|line| line.strip_prefix("a=candidate:")?.split(' ').nth(4));
    let told: Vec<&str> = candidates.collect();
    assert_eq!(told, named, "these, in their order, and nothing else");
}

#[test]
fn the_call_of_a_browser_that_is_closed_ends_after_a_while() {
    if !in_own_network("the_call_of_a_browser_that_is_closed_ends_after_a_while") {
        return;
    }
    let switch = Plugboard::everywhere(&Office::new(), "");
    let phone = Baresip::start(&switch, "102", "secret-102", PHONE, Transport::Udp);
    let mut page = Browser::with_tone(&switch, "101", "secret-101", BROWSER);
    page.is_told("dial 102");
    phone.waits_to_hear_tone(BROWSER);
    drop(page);
    // Half a minute after ICE has found it gone.
    let record = &switch.waits_for_past_calls(1)[0];
    assert_eq!(record["outcome"], "answered", "{record}");
}
