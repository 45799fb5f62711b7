//! What one side says reaches the other only where a rule says so: every message of everybody is full of words that nobody else
//! says, in each header, each URI, each line of its description, its body and its display name.

use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

use crate::{seconds, talk};

/// Ann at 101, Bob at 102 with a number outside, and a carrier with these settings, all of them salted.
fn salted(carrier: &str) -> (Sim, Phone, Phone, Phone) {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, password: demo-101, reliable: true }}\n\
         \x20 - {{ id: \"102\", number: 102, password: demo-102 }}\n\
         gateways:\n  - {{ id: carrier, address: \"10.0.1.1:5060\", reliable: true{carrier} }}\n\
         routes:\n  - {{ id: out, prefix: 0, gateway: carrier }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930123102\", user: \"102\" }}\n"
    );
    let mut sim = Setup::offices(vec![OfficeText::new(&text)]).start();
    let carrier = sim.outside("carrier", "10.0.1.1:5060");
    let (ann, bob) = (sim.new_phone("ann", "101"), sim.new_phone("bob", "102"));
    for phone in [&ann, &bob, &carrier] {
        phone.is_salted();
        phone.rings_reliably();
        phone.allows_updates();
    }
    for phone in [&ann, &bob] {
        phone.registers();
        sim.run_until(phone.is_registered());
    }
    (sim, ann, bob, carrier)
}

/// All that two can say to each other while they talk.
fn say_everything(sim: &mut Sim, one: &Phone, other: &Phone) {
    for (who, whom) in [(one, other), (other, one)] {
        let changes: [fn(&Phone); 8] = [
            Phone::holds,
            Phone::resumes,
            Phone::holds_by_update,
            Phone::resumes_by_update,
            Phone::holds_with_zeros,
            Phone::resumes,
            Phone::asks_for_an_offer,
            Phone::refreshes,
        ];
        for change in changes {
            change(who);
            sim.run_for(seconds(1));
        }
        who.says_within("INFO", "application/dtmf-relay", "Signal=5\nDuration=160\n");
        who.says_within("INFO", "application/unknown", "word\n");
        who.says_within("MESSAGE", "text/plain", "hello\n");
        who.says_within("OPTIONS", "", "");
        who.says_within("UNHEARD", "text/plain", "of\n");
        who.presses("12");
        sim.run_for(seconds(2));
        talk(sim, who, whom);
    }
}

/// What was found of others, but for these words, which stand in the From of the whole dialog where a rule shows who calls.
fn but_for(phone: &Phone, words: &str) -> Vec<String> {
    phone.salt_found().into_iter().filter(|found| !found.starts_with(words)).collect()
}

#[test]
fn nothing_of_a_call_to_the_outside_reaches_the_other_side() {
    let (mut sim, ann, bob, carrier) = salted("");
    ann.dials("0301234");
    sim.run_until(carrier.rings());
    carrier.speaks_early();
    sim.run_until(ann.hears("carrier"));
    carrier.answers();
    sim.run_until(ann.talks());
    talk(&mut sim, &ann, &carrier);
    say_everything(&mut sim, &ann, &carrier);
    ann.hands_on_to("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &bob, &carrier);
    say_everything(&mut sim, &bob, &carrier);
    carrier.hangs_up();
    sim.run_until_quiet();
    assert_eq!(bob.salt_found(), [""; 0], "{}", sim.ladder());
}

#[test]
fn of_a_call_from_outside_the_callers_name_is_shown_and_nothing_else() {
    let (mut sim, ann, bob, carrier) = salted("");
    carrier.dials_as("+4930123102", "+4989777");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(carrier.talks());
    talk(&mut sim, &carrier, &bob);
    say_everything(&mut sim, &carrier, &bob);
    bob.hangs_up();
    sim.run_until_quiet();
    drop(ann);
    assert_eq!(but_for(&bob, "salt-carrier-display"), [""; 0], "{}", sim.ladder());
    assert!(bob.caller().is_some_and(|from| from.contains("\"salt-carrier-display\"")), "{:?}", bob.caller());
}

#[test]
fn refusals_redirections_and_a_caller_who_gives_up_tell_their_side_alone() {
    for status in [302, 404, 480, 486, 503, 603] {
        let (mut sim, ann, bob, carrier) = salted("");
        ann.always_refuses(480);
        if status == 302 {
            bob.always_sends_on(302, &["<sip:101@plugboard.test>"]);
        } else {
            bob.always_refuses(status);
        }
        carrier.always_refuses(status);
        ann.dials("0301234");
        sim.run_until(ann.is_idle());
        carrier.is_plugged_in();
        carrier.dials_as("+4930123102", "+4989777");
        sim.run_until(carrier.is_idle());
        assert!(matches!(carrier.calls().last(), Some(Stage::Over(400..=699))), "{:?}", carrier.calls());
        sim.run_until_quiet();
        assert_eq!(but_for(&bob, "salt-carrier-display"), [""; 0], "{status}\n{}", sim.ladder());
    }
    let (mut sim, ann, bob, carrier) = salted("");
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    ann.dials("0301234");
    sim.run_until(carrier.rings());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(bob.salt_found(), [""; 0], "{}", sim.ladder());
}

#[test]
fn a_call_between_users_and_one_that_is_fetched_tell_nothing_either() {
    let (mut sim, ann, bob, carrier) = salted("");
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    sim.run_until(ann.talks());
    say_everything(&mut sim, &ann, &bob);
    bob.dials("0301234");
    sim.run_until(carrier.rings());
    carrier.answers();
    talk(&mut sim, &bob, &carrier);
    bob.connects_its_calls();
    talk(&mut sim, &ann, &carrier);
    say_everything(&mut sim, &ann, &carrier);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(bob.salt_found(), [""; 0], "{}", sim.ladder());
}

#[test]
fn a_gateway_that_is_believed_names_its_caller_and_says_nothing_else() {
    let (mut sim, _ann, bob, carrier) = salted(", caller: { believed: true }, diversion: both");
    carrier.dials_as("+4930123102", "+4989777");
    sim.run_until(bob.rings());
    carrier.hangs_up();
    sim.run_until_quiet();
    assert_eq!(but_for(&bob, "salt-carrier-P-Asserted-Identity"), [""; 0]);
    assert!(
        bob.caller().is_some_and(|from| from.contains("\"salt-carrier-P-Asserted-Identity\"")),
        "{:?}",
        bob.caller()
    );
}
