//! Who is nobody's user sends whatever he likes, as often as he likes.

use plugboard_model::CallOutcome;
use plugboard_tests_support::Sim;

use crate::{conversation, seconds};

/// Somebody on the Internet.
const SCANNER: &str = "203.0.113.9:5060";

/// A request of his, the n-th.
fn request(method: &str, n: usize, to_tag: &str) -> String {
    format!(
        "{method} sip:102@plugboard.test SIP/2.0\nVia: SIP/2.0/UDP {SCANNER};branch=z9hG4bK-{method}-{n};rport\n\
         Max-Forwards: 70\nFrom: <sip:101@plugboard.test>;tag=s{n}\nTo: <sip:102@plugboard.test>{to_tag}\n\
         Call-ID: {method}-{n}@scanner\nCSeq: 1 {method}\nContact: <sip:x@{SCANNER}>\nContent-Length: 0\n\n"
    )
}

fn transactions(sim: &Sim) -> usize {
    sim.holdings().transactions
}

#[test]
fn a_flood_of_strangers_requests_is_answered_and_leaves_nothing() {
    let (mut sim, ann, bob) = conversation();
    sim.run_for(seconds(60));
    let before = transactions(&sim);
    let kinds = [
        ("INVITE", "", "407"),
        ("REGISTER", "", "401"),
        ("OPTIONS", "", "200"),
        ("BYE", ";tag=1-0", "481"),
        ("CANCEL", "", "481"),
        ("INFO", "", "481"),
        ("SUBSCRIBE", "", "405"),
        ("INVITE", ";tag=gone", "481"),
    ];
    for n in 0..400 {
        let (method, to_tag, _) = kinds[n % kinds.len()];
        sim.strange_message(SCANNER, &request(method, n, to_tag));
    }
    sim.run_for(seconds(2));
    for (method, _, status) in kinds {
        let answers = sim.ladder().count(&format!("switch -> {SCANNER}  {status} {method}"));
        assert_eq!(answers, 50, "{status} {method}\n{}", sim.ladder());
    }
    assert_eq!(sim.ladder().count(&format!("switch -> {SCANNER}")), 400, "nothing is sent twice\n{}", sim.ladder());
    assert_eq!(transactions(&sim), before);
    ann.hangs_up();
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn a_refused_stranger_who_repeats_himself_is_told_the_same() {
    let mut sim = Sim::demo();
    let begin = sim.now();
    for _ in 0..3 {
        sim.strange_message(SCANNER, &request("INVITE", 1, ""));
        sim.run_for(seconds(1));
    }
    sim.strange_message(SCANNER, &request("ACK", 1, ";tag=any"));
    sim.run_for(seconds(1));
    let told = sim.ladder().since(begin);
    assert_eq!(told.count("407 INVITE"), 3, "{told}");
    assert_eq!(transactions(&sim), 0);
    sim.run_until_quiet();
}
