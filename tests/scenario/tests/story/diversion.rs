//! Who has sent a call on is told where it goes (RFC 5806, RFC 7044), and ends forwards that run in a ring (R8).

use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{seconds, talk};

/// Ann and Bob, and a carrier at each side; what comes in for Bob's number rings him, and for 030777 goes out at the other.
fn office(first: &str, second: &str) -> Setup {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - {{ id: \"101\", number: 101, name: Ann Archer, password: demo-101 }}\n\
         \x20 - {{ id: \"102\", number: 102, name: Bob Baker, password: demo-102, outside_number: \"+4930123102\" }}\n\
         gateways:\n\
         \x20 - {{ id: first, address: \"10.0.1.1:5060\", numbers: e164{first} }}\n\
         \x20 - {{ id: second, address: \"10.0.1.2:5060\", numbers: national{second} }}\n\
         scenarios: []\nroutes:\n  - {{ id: out, prefix: 0, gateway: second }}\n\
         \x20 - {{ id: through, from: {{ gateway: first }}, number: \"+4930777\", gateway: second }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930123102\", user: \"102\" }}\n"
    );
    Setup::offices(vec![OfficeText::new(&text)])
}

fn started(first: &str, second: &str) -> (Sim, Phone, Phone, Phone) {
    let mut sim = office(first, second).start();
    let bob = sim.phone("bob", "102");
    let (first, second) = (sim.outside("first", "10.0.1.1:5060"), sim.outside("second", "10.0.1.2:5060"));
    (sim, bob, first, second)
}

/// A call that was sent on twice before it came, and what the next gateway is told.
fn passed_on(sim: &mut Sim, first: &Phone, second: &Phone) -> (Vec<String>, Vec<String>) {
    first.says("Diversion", "<sip:+4930222@a.test>;reason=no-answer;counter=1;privacy=full");
    first.says("Diversion", "<sip:+4930111@a.test>;reason=user-busy");
    first.says("X-Else", "nothing");
    first.dials_as("+4930777", "+4940555");
    sim.run_until(second.rings());
    let told = (second.all_told_of_caller("Diversion"), second.all_told_of_caller("History-Info"));
    assert_eq!(second.was_told_of_caller("X-Else"), None);
    first.hangs_up();
    sim.run_until_quiet();
    told
}

#[test]
fn a_call_that_was_sent_on_keeps_that_where_the_gateway_is_told() {
    let diversion = [
        "<sip:anonymous@anonymous.invalid>;reason=no-answer;counter=1;privacy=full",
        "<sip:030111@plugboard.test>;reason=user-busy;counter=1;privacy=off",
    ];
    let history = [
        "<sip:030111@plugboard.test>;index=1",
        "<sip:anonymous@anonymous.invalid;cause=486?Privacy=history>;index=1.1;mp=1",
        "<sip:030777@10.0.1.2:5060;cause=408>;index=1.1.1;mp=1.1",
    ];
    let none: [&str; 0] = [];
    for (setting, diverted, histories) in [
        ("", &none[..], &none[..]),
        (", diversion: none", &none, &none),
        (", diversion: diversion", &diversion, &none),
        (", diversion: history-info", &none, &history),
        (", diversion: both", &diversion, &history),
    ] {
        let (mut sim, _, first, second) = started(", caller: { believed: true }", setting);
        let told = passed_on(&mut sim, &first, &second);
        assert_eq!(
            told,
            (diverted.iter().map(|v| (*v).into()).collect(), histories.iter().map(|v| (*v).into()).collect()),
            "{setting}"
        );
    }
}

#[test]
fn what_a_gateway_says_that_is_not_believed_goes_no_further() {
    let (mut sim, _, first, second) = started("", ", diversion: both");
    assert_eq!(passed_on(&mut sim, &first, &second), (Vec::new(), Vec::new()));
}

#[test]
fn a_forward_of_ours_and_a_transfer_add_who_sent_the_call_on() {
    let (mut sim, bob, first, second) = started(", caller: { believed: true }", ", diversion: diversion");
    first.says("History-Info", "<sip:+4930111@a.test>;index=1, <sip:+4930123102@a.test;cause=302>;index=1.1;mp=1");
    first.dials_as("+4930123102", "+4940555");
    sim.run_until(bob.rings());
    bob.sends_on(302, &["<sip:030888@plugboard.test>"]);
    sim.run_until(second.rings());
    let own = "<sip:030123102@plugboard.test>;reason=deflection;counter=1;privacy=off";
    let before = "<sip:030111@plugboard.test>;reason=unconditional;counter=1;privacy=off";
    assert_eq!(second.all_told_of_caller("Diversion"), [own, before]);
    first.hangs_up();
    sim.run_until_quiet();
    // Ann's call, which Bob hands on.
    let ann = sim.phone("ann", "101");
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hands_on_to("030888");
    sim.run_until(second.rings());
    assert_eq!(second.all_told_of_caller("Diversion"), [own]);
    second.refuses(486);
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_colleague_sees_who_sent_the_call_on() {
    let mut sim = Sim::demo();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.sends_on(302, &["<sip:103@plugboard.test>"]);
    sim.run_until(cem.rings());
    let told = cem.all_told_of_caller("Diversion");
    assert_eq!(told, ["<sip:102@plugboard.test>;reason=deflection;counter=1;privacy=off"]);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r8_a_call_that_was_sent_on_five_times_before_is_not_sent_on_again_but_may_be_answered() {
    for (counter, status) in [(4, 180), (5, 483)] {
        let (mut sim, bob, first, second) = started("", "");
        first.says("Diversion", &format!("<sip:+4930111@a.test>;reason=unconditional;counter={counter}"));
        first.dials_as("+4930123102", "+4940555");
        sim.run_until(bob.rings());
        bob.sends_on(302, &["<sip:030888@plugboard.test>"]);
        if status == 180 {
            sim.run_until(second.rings());
            first.hangs_up();
        } else {
            sim.run_until(first.was_told(status));
            assert_eq!(second.calls(), []);
        }
        sim.run_until_quiet();
        first.dials_as("+4930123102", "+4940555");
        sim.run_until(bob.rings());
        bob.answers();
        talk(&mut sim, &first, &bob);
        sim.run_for(seconds(1));
        first.hangs_up();
        sim.run_until_quiet();
    }
}
