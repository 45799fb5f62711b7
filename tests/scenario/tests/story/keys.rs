//! Keys: however a phone presses them, the other one gets them as he takes them.

use plugboard_simulator::{OfficeText, Setup};

use crate::{seconds, story, talk};

/// The digits of the INFOs that a phone was sent.
fn signalled(requests: &[String]) -> String {
    requests.iter().filter_map(|request| request.lines().find_map(|line| line.strip_prefix("Signal="))).collect()
}

#[test]
fn keys_are_told_in_info_to_whom_the_office_says_and_his_come_as_events() {
    let office = OfficeText::demo().replace("password: demo-102", "keys: info, password: demo-102");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.presses("5#");
    sim.run_for(seconds(3));
    let told = bob.requests("INFO");
    assert_eq!(signalled(&told), "5#", "{told:?}");
    assert!(told.iter().all(|request| request.contains("Content-Type: application/dtmf-relay")), "{told:?}");
    assert_eq!(bob.keys(), "", "none of them as events too");
    for digit in ["7", "*"] {
        bob.says_within("INFO", "application/dtmf-relay", &format!("Signal={digit}\r\nDuration=160\r\n"));
        sim.run_for(seconds(1));
    }
    assert_eq!(ann.keys(), "7*");
    assert!(ann.requests("INFO").is_empty());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn keys_pass_as_events_where_nobody_says_otherwise() {
    let (mut sim, ann, bob) = crate::conversation();
    ann.presses("42");
    sim.run_for(seconds(2));
    assert_eq!(bob.keys(), "42");
    assert!(bob.requests("INFO").is_empty());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_menu_hears_keys_that_come_in_info() {
    let steps = "  - menu:\n      prompt: long\n      keys:\n        \"1\":\n          - play-audio: { audio: first }\n        \
                 \"#\":\n          - play-audio: { audio: second }\n";
    for (body, hears) in [("Signal=1\r\nDuration=100\r\n", "first"), ("Signal=#\r\nDuration=100\r\n", "second")] {
        let mut sim = story(steps).start();
        let ann = sim.phone("ann", "101");
        ann.dials("300");
        sim.run_until(ann.hears("long"));
        ann.says_within("INFO", "application/dtmf-relay", body);
        sim.run_until(ann.hears(hears));
        ann.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn a_phone_without_telephone_event_chooses_from_a_menu_by_its_tones() {
    let steps = "  - menu:\n      prompt: long\n      keys:\n        \"1\":\n          - play-audio: { audio: first }\n        \
                 \"8\":\n          - play-audio: { audio: second }\n";
    for (key, hears) in [("1", "first"), ("8", "second")] {
        let mut sim = story(steps).start();
        let ann = sim.phone("ann", "101");
        ann.presses_tones();
        ann.dials("300");
        sim.run_until(ann.hears("long"));
        ann.presses(key);
        sim.run_until(ann.hears(hears));
        assert!(ann.requests("INFO").is_empty());
        ann.hangs_up();
        sim.run_until_quiet();
    }
}
