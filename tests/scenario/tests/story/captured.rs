//! Somebody has heard what a phone said, password and all, and says it again.

use plugboard_simulator::{Sim, answer_to_challenge};

use crate::{millis, seconds};

/// The phone whose words were heard, another program on its machine, and a machine elsewhere.
const PHONE: &str = "10.0.0.71:5060";
const BESIDE: &str = "10.0.0.71:6060";
const ELSEWHERE: &str = "10.0.0.72:5060";

/// Requests, each in a transaction and a call of its own.
struct Wire {
    sim: Sim,
    sent: u32,
}

impl Wire {
    fn new() -> Self {
        Self { sim: Sim::demo(), sent: 0 }
    }

    /// Sends a request of Ann's from an address, with these credentials: its last answer.
    fn asks(&mut self, from: &str, method: &str, to: &str, more: &str) -> String {
        self.sent += 1;
        let n = self.sent;
        let head = |method: &str| {
            format!(
                "{method} sip:{to} SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{n}\nMax-Forwards: 70\n\
                 From: <sip:101@plugboard.test>;tag=t{n}\nCall-ID: captured-{n}\nCSeq: {n} {method}\n"
            )
        };
        let called = if method == "REGISTER" { "101@plugboard.test" } else { to };
        let request = head(method) + &format!("To: <sip:{called}>\n{more}Content-Length: 0\n\n");
        self.sim.strange_message(from, &request);
        self.sim.run_for(millis(200));
        let said = self.sim.said_to(from);
        let answer = said.last().unwrap_or_else(|| panic!("no answer to\n{request}")).clone();
        if method == "INVITE" {
            let to = header(&answer, "To").unwrap();
            let ack = head("ACK") + &format!("To: {to}\nContent-Length: 0\n\n");
            self.sim.strange_message(from, &ack);
        }
        answer
    }

    /// The credentials of Ann's phone for what an answer asks of it.
    fn signs(challenge: &str, method: &str, to: &str) -> String {
        let (asks, says) = if method == "REGISTER" {
            ("WWW-Authenticate", "Authorization")
        } else {
            ("Proxy-Authenticate", "Proxy-Authorization")
        };
        let challenge = header(challenge, asks).unwrap();
        let uri = format!("sip:{to}");
        let answer = answer_to_challenge("101", "demo-101", challenge, (method, &uri));
        format!("{says}: {}\n", answer.unwrap())
    }

    /// How many contacts the registrar has of Ann, as it tells her phone.
    fn contacts(&mut self) -> usize {
        let asked = self.asks(PHONE, "REGISTER", "plugboard.test", "");
        let signed = Self::signs(&asked, "REGISTER", "plugboard.test");
        let told = self.asks(PHONE, "REGISTER", "plugboard.test", &signed);
        assert!(told.starts_with("SIP/2.0 200 "), "{told}");
        told.lines().filter(|line| line.starts_with("Contact: ")).count()
    }
}

fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn is_refused(answer: &str, status: u16, stale: bool) -> bool {
    answer.starts_with(&format!("SIP/2.0 {status} ")) && answer.contains("stale=true") == stale
}

#[test]
fn a_registration_that_was_heard_and_is_said_again_is_refused_wherever_it_comes_from() {
    let mut wire = Wire::new();
    let contact = format!("Contact: <sip:101@{PHONE}>\n");
    let asked = wire.asks(PHONE, "REGISTER", "plugboard.test", &contact);
    assert!(is_refused(&asked, 401, false), "{asked}");
    let heard = Wire::signs(&asked, "REGISTER", "plugboard.test");
    let told = wire.asks(PHONE, "REGISTER", "plugboard.test", &format!("{contact}{heard}"));
    assert!(told.starts_with("SIP/2.0 200 "), "{told}");
    for from in [PHONE, BESIDE, ELSEWHERE] {
        let own = format!("Contact: <sip:101@{from}>\nContact: <sip:thief@10.0.0.72>\n");
        let told = wire.asks(from, "REGISTER", "plugboard.test", &format!("{own}{heard}"));
        assert!(is_refused(&told, 401, true), "{from}: {told}");
    }
    assert_eq!(wire.contacts(), 1);
}

#[test]
fn a_call_that_was_heard_and_is_made_again_is_refused_wherever_it_comes_from() {
    let mut wire = Wire::new();
    let contact = format!("Contact: <sip:101@{PHONE}>\n");
    // Nobody has this number: it is as far as a call with the right password comes.
    let to = "4999@plugboard.test";
    let asked = wire.asks(PHONE, "INVITE", to, &contact);
    assert!(is_refused(&asked, 407, false), "{asked}");
    let heard = Wire::signs(&asked, "INVITE", to);
    let told = wire.asks(PHONE, "INVITE", to, &format!("{contact}{heard}"));
    assert!(told.starts_with("SIP/2.0 404 "), "{told}");
    wire.sim.run_for(seconds(1));
    let made = wire.sim.records("main").len();
    for from in [PHONE, BESIDE, ELSEWHERE] {
        let told = wire.asks(from, "INVITE", to, &format!("Contact: <sip:101@{from}>\n{heard}"));
        assert!(is_refused(&told, 407, true), "{from}: {told}");
    }
    // What was said to register calls nobody: it was said of another method.
    let asked = wire.asks(PHONE, "REGISTER", "plugboard.test", "");
    let heard = Wire::signs(&asked, "REGISTER", "plugboard.test").replace("Authorization", "Proxy-Authorization");
    let told = wire.asks(PHONE, "INVITE", to, &format!("{contact}{heard}"));
    assert!(is_refused(&told, 407, false), "{told}");
    wire.sim.run_for(seconds(40));
    assert_eq!(wire.sim.records("main").len(), made);
}

#[test]
fn an_answer_to_a_challenge_that_is_too_old_is_told_so_and_the_next_one_passes() {
    let mut wire = Wire::new();
    let asked = wire.asks(PHONE, "REGISTER", "plugboard.test", "");
    let late = Wire::signs(&asked, "REGISTER", "plugboard.test");
    wire.sim.run_for(seconds(301));
    let contact = format!("Contact: <sip:101@{PHONE}>\n");
    let told = wire.asks(PHONE, "REGISTER", "plugboard.test", &format!("{contact}{late}"));
    assert!(is_refused(&told, 401, true), "{told}");
    let again = Wire::signs(&told, "REGISTER", "plugboard.test");
    let told = wire.asks(PHONE, "REGISTER", "plugboard.test", &format!("{contact}{again}"));
    assert!(told.starts_with("SIP/2.0 200 "), "{told}");
    assert_eq!(wire.contacts(), 1);
}
