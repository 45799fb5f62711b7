//! What is said to gateways and callers, message by message: the next gateway after a 503 and after silence, passwords, sounds before
//! the answer, calls from outside.

use plugboard_model::Time;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{seconds, talk};

const FIRST: &str = "10.0.1.1:5060";
const SECOND: &str = "10.0.1.2:5060";

/// Ann at 101, Bob at 102 who has a number outside, and two gateways, the first with these further settings.
fn started(first: &str) -> (Sim, Phone, Phone, Phone) {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\nusers:\n  - {{ id: \"101\", number: 101, password: demo-101 }}\n\
         \x20 - {{ id: \"102\", number: 102, password: demo-102 }}\n\
         gateways:\n  - {{ id: first, address: \"{FIRST}\"{first} }}\n  - {{ id: second, address: \"{SECOND}\" }}\n\
         routes:\n  - {{ id: out, prefix: 0, gateways: [first, second] }}\n\
         \x20 - {{ id: in, from: gateways, number: \"+4930123102\", user: \"102\" }}\n"
    );
    let mut sim = Setup::offices(vec![OfficeText::new(&text)]).start();
    let ann = sim.phone("ann", "101");
    let (one, two) = (sim.outside("first", FIRST), sim.outside("second", SECOND));
    (sim, ann, one, two)
}

/// Ann dials; from when on the ladder is looked at.
fn dials(sim: &Sim, ann: &Phone) -> Time {
    ann.dials("0301234");
    sim.now()
}

/// They talk, the caller hangs up, nothing is left.
fn ends(sim: &mut Sim, caller: &Phone, callee: &Phone) {
    talk(sim, caller, callee);
    caller.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn after_a_503_the_next_gateway_is_called_at_once() {
    let (mut sim, ann, first, second) = started("");
    first.always_refuses(503);
    let begin = dials(&sim, &ann);
    sim.run_until(second.rings());
    second.answers();
    ends(&mut sim, &ann, &second);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.020  ann -> switch  INVITE 0301234 +sdp
    0.025  switch -> ann  407 INVITE
    0.030  ann -> switch  ACK
    0.030  ann -> switch  INVITE 0301234 +sdp
    0.035  switch -> first  INVITE 0301234 +sdp
    0.040  first -> switch  503 INVITE
    0.045  switch -> first  ACK
    0.045  switch -> second  INVITE 0301234 +sdp
    0.050  second -> switch  180 INVITE
    0.050  second -> switch  200 INVITE +sdp
    0.055  switch -> second  ACK
    0.055  switch -> ann  180 INVITE
    0.055  switch -> ann  200 INVITE +sdp
    0.060  ann -> switch  ACK
    0.080  ann -> switch  BYE
    0.085  switch -> ann  200 BYE
    0.085  switch -> second  BYE because SIP;cause=200;text="OK"
    0.090  second -> switch  200 BYE
    "#);
}

#[test]
fn after_five_seconds_of_silence_the_next_gateway_is_called() {
    let (mut sim, ann, first, second) = started("");
    first.is_unplugged();
    let begin = dials(&sim, &ann);
    sim.run_until(second.rings());
    second.answers();
    ends(&mut sim, &ann, &second);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
     0.020  ann -> switch  INVITE 0301234 +sdp
     0.025  switch -> ann  407 INVITE
     0.030  ann -> switch  ACK
     0.030  ann -> switch  INVITE 0301234 +sdp
     0.035  switch -> first  INVITE 0301234 +sdp
     0.235  switch -> ann  100 INVITE
     0.535  switch -> first  INVITE 0301234 +sdp
     1.535  switch -> first  INVITE 0301234 +sdp
     3.535  switch -> first  INVITE 0301234 +sdp
     5.035  switch -> second  INVITE 0301234 +sdp
     5.040  second -> switch  180 INVITE
     5.040  second -> switch  200 INVITE +sdp
     5.045  switch -> second  ACK
     5.045  switch -> ann  180 INVITE
     5.045  switch -> ann  200 INVITE +sdp
     5.050  ann -> switch  ACK
     5.070  ann -> switch  BYE
     5.075  switch -> ann  200 BYE
     5.075  switch -> second  BYE because SIP;cause=200;text="OK"
     5.080  second -> switch  200 BYE
     7.535  switch -> first  INVITE 0301234 +sdp
    15.535  switch -> first  INVITE 0301234 +sdp
    31.535  switch -> first  INVITE 0301234 +sdp
    "#);
}

#[test]
fn a_stored_password_answers_a_407_to_the_call_and_a_401_to_the_registration() {
    let (mut sim, ann, first, _second) = started(", user: trunk, password: s3cret, register: 10m");
    first.demands("trunk", "s3cret");
    sim.run_until(first.has_registration());
    ann.dials("0301234");
    sim.run_until(first.rings());
    first.answers();
    talk(&mut sim, &ann, &first);
    ann.hangs_up();
    sim.run_until(first.is_idle());
    sim.run_for(seconds(1));
    insta::assert_snapshot!(sim.ladder(), @r#"
    0.000  ann -> switch  REGISTER
    0.000  switch -> 10.0.1.1:5060  REGISTER
    0.005  switch -> ann  401 REGISTER
    0.010  ann -> switch  REGISTER
    0.015  switch -> ann  200 REGISTER
    0.500  switch -> first  REGISTER
    0.505  first -> switch  401 REGISTER
    0.510  switch -> first  REGISTER
    0.515  first -> switch  200 REGISTER
    0.515  ann -> switch  INVITE 0301234 +sdp
    0.520  switch -> ann  407 INVITE
    0.525  ann -> switch  ACK
    0.525  ann -> switch  INVITE 0301234 +sdp
    0.530  switch -> first  INVITE 0301234 +sdp
    0.535  first -> switch  407 INVITE
    0.540  switch -> first  ACK
    0.540  switch -> first  INVITE 0301234 +sdp
    0.545  first -> switch  180 INVITE
    0.545  first -> switch  200 INVITE +sdp
    0.550  switch -> first  ACK
    0.550  switch -> ann  180 INVITE
    0.550  switch -> ann  200 INVITE +sdp
    0.555  ann -> switch  ACK
    0.575  ann -> switch  BYE
    0.580  switch -> ann  200 BYE
    0.580  switch -> first  BYE because SIP;cause=200;text="OK"
    0.585  first -> switch  200 BYE
    "#);
}

#[test]
fn a_sound_before_the_answer_passes_and_nothing_is_asked_anew_at_the_answer() {
    let (mut sim, ann, first, _second) = started("");
    let begin = dials(&sim, &ann);
    sim.run_until(first.rings());
    first.speaks_early();
    sim.run_until(ann.hears("first"));
    first.answers();
    sim.run_until(ann.talks());
    ends(&mut sim, &ann, &first);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.020  ann -> switch  INVITE 0301234 +sdp
    0.025  switch -> ann  407 INVITE
    0.030  ann -> switch  ACK
    0.030  ann -> switch  INVITE 0301234 +sdp
    0.035  switch -> first  INVITE 0301234 +sdp
    0.040  first -> switch  180 INVITE
    0.040  first -> switch  183 INVITE +sdp
    0.045  switch -> ann  180 INVITE
    0.045  switch -> ann  183 INVITE +sdp
    0.070  first -> switch  200 INVITE +sdp
    0.075  switch -> first  ACK
    0.075  switch -> ann  200 INVITE +sdp
    0.080  ann -> switch  ACK
    0.080  ann -> switch  BYE
    0.085  switch -> ann  200 BYE
    0.085  switch -> first  BYE because SIP;cause=200;text="OK"
    0.090  first -> switch  200 BYE
    "#);
}

#[test]
fn a_call_from_outside_reaches_the_user_of_its_number() {
    let (mut sim, _ann, first, _second) = started(", numbers: digits");
    let bob = sim.phone("bob", "102");
    let begin = sim.now();
    first.dials_as("4930123102", "4989777");
    sim.run_until(bob.rings());
    bob.answers();
    ends(&mut sim, &first, &bob);
    insta::assert_snapshot!(sim.ladder().since(begin), @r#"
    0.040  first -> switch  INVITE 4930123102 +sdp
    0.045  switch -> bob  INVITE 102 +sdp
    0.050  bob -> switch  180 INVITE
    0.050  bob -> switch  200 INVITE +sdp
    0.055  switch -> bob  ACK
    0.055  switch -> first  180 INVITE
    0.055  switch -> first  200 INVITE +sdp
    0.060  first -> switch  ACK
    0.080  first -> switch  BYE
    0.085  switch -> first  200 BYE
    0.085  switch -> bob  BYE because SIP;cause=200;text="OK"
    0.090  bob -> switch  200 BYE
    "#);
}
