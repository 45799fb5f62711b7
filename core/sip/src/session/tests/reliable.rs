//! Reliable provisional responses (RFC 3262) and offers before the answer (RFC 3311), against messages made by hand.

use super::solo::{answered_by, ask, called_by, called_with, caller, command, drain, flow, hear, peer, response};
use super::*;

const REQUIRES: (&str, &str) = ("Require", "100rel");
const SUPPORTS: (&str, &str) = ("Supported", "timer, 100rel");

fn progress(status: u16, body: Option<&'static str>) -> Command {
    Command::Progress { status, sdp: body.map(sdp) }
}

/// The number of the reliable response among what was seen.
fn rseq(seen: &solo::Seen) -> u32 {
    assert_eq!(seen.responses[0].headers.get("Require"), Some("100rel"));
    seen.responses[0].headers.get("RSeq").unwrap().parse().unwrap()
}

fn prack(cseq: u32, rseq: u32, body: &str) -> Request {
    let rack = format!("{rseq} 1 INVITE");
    let mut prack = peer(Method::Prack, cseq, &[("RAck", &rack)], body);
    if !body.is_empty() {
        prack.headers.push("Content-Type", "application/sdp");
    }
    prack
}

fn tick(session: &mut Session) -> (u64, Vec<String>) {
    let now = session.poll_timeout().unwrap();
    session.handle(now, Input::Tick);
    (now.as_millis(), drain(session).words)
}

#[test]
fn who_supports_it_gets_descriptions_reliably_and_plain_ringing_not() {
    let mut session = called_by(&[SUPPORTS]);
    let seen = command(&mut session, progress(180, None));
    assert_eq!(seen.responses[0].headers.get("RSeq"), None);
    let seen = command(&mut session, progress(183, Some("answer")));
    let number = rseq(&seen);
    assert_eq!(seen.responses[0].body, b"answer");
    assert_eq!(ask(&mut session, prack(2, number + 1, "")).words, ["answer 481"], "another one's");
    assert_eq!(ask(&mut session, prack(3, number, "")).words, ["answer 200"]);
    assert_eq!(ask(&mut session, prack(4, number, "")).words, ["answer 481"], "once");
    let seen = command(&mut session, Command::Answer { sdp: sdp("answer") });
    assert_eq!((seen.responses[0].status, seen.responses[0].body.len()), (200, 0), "it is agreed already");
    assert_eq!(seen.responses[0].headers.get("Content-Type"), None);
}

#[test]
fn who_requires_it_gets_each_response_so_one_after_the_other_and_the_answer_after_the_description() {
    let mut session = called_by(&[REQUIRES]);
    let first = rseq(&command(&mut session, progress(180, None)));
    assert_eq!(command(&mut session, progress(183, Some("answer"))).words, [""; 0], "one at a time");
    let seen = ask(&mut session, prack(2, first, ""));
    assert_eq!(seen.words, ["answer 200", "answer 183"]);
    let second: u32 = seen.responses[1].headers.get("RSeq").unwrap().parse().unwrap();
    assert_eq!(second, first + 1);
    assert_eq!(command(&mut session, Command::Answer { sdp: sdp("answer") }).words, [""; 0], "its PRACK comes first");
    assert_eq!(ask(&mut session, prack(3, second, "")).words, ["answer 200", "answer 200"]);
    assert!(session.is_up());
}

#[test]
fn a_ringing_without_description_holds_up_no_answer_and_its_prack_is_answered_late() {
    let mut session = called_by(&[REQUIRES]);
    let first = rseq(&command(&mut session, progress(180, None)));
    let seen = command(&mut session, Command::Answer { sdp: sdp("answer") });
    assert_eq!(seen.responses[0].body, b"answer");
    assert_eq!(ask(&mut session, prack(2, first, "")).words, ["answer 200"]);
}

#[test]
fn what_nobody_acknowledges_is_said_again_and_then_the_call_is_refused() {
    let mut session = called_by(&[REQUIRES]);
    command(&mut session, progress(180, None));
    let mut times = Vec::new();
    loop {
        let (at, words) = tick(&mut session);
        if words != ["answer 180"] {
            assert_eq!((at, words), (32_002, ["answer 504", "ended", "finished"].map(String::from).to_vec()));
            break;
        }
        times.push(at - 2);
    }
    assert_eq!(times, [500, 1_500, 3_500, 7_500, 15_500, 31_500], "doubling (RFC 3262 section 3)");
}

#[test]
fn a_caller_without_offer_is_offered_in_the_first_response_and_answers_by_prack() {
    let mut session = called_with(&[REQUIRES], "");
    assert!(session.must_offer_early());
    let number = rseq(&command(&mut session, progress(180, Some("offer"))));
    assert!(!session.must_offer_early());
    let seen = ask(&mut session, prack(2, number, "theirs"));
    assert_eq!(seen.events, [Event::EarlyAnswered { sdp: sdp("theirs") }]);
    let seen = command(&mut session, Command::Answer { sdp: sdp("offer") });
    assert!(seen.responses[0].body.is_empty());
    session.handle(Time::from_millis(9), solo::ack(1, ""));
    assert_eq!(drain(&mut session).events, [Event::Established { sdp: None }]);
}

#[test]
fn a_caller_changes_his_offer_by_prack_or_update_once_the_first_is_answered() {
    let offer = |cseq| peer(Method::Update, cseq, &[("Content-Type", "application/sdp")], "again");
    let mut session = called_by(&[SUPPORTS]);
    command(&mut session, progress(180, None));
    assert_eq!(ask(&mut session, offer(2)).responses[0].status, 500, "his first one stands");
    let number = rseq(&command(&mut session, progress(183, Some("answer"))));
    assert_eq!(ask(&mut session, offer(3)).responses[0].status, 491, "our answer is not acknowledged");
    assert_eq!(ask(&mut session, prack(4, number, "moved")).events, [Event::Reoffered { sdp: Some(sdp("moved")) }]);
    let seen = command(&mut session, Command::AcceptReoffer { sdp: sdp("there") });
    assert_eq!((seen.responses[0].status, seen.responses[0].body.as_slice()), (200, &b"there"[..]));
    assert_eq!(ask(&mut session, offer(5)).events, [Event::Reoffered { sdp: Some(sdp("again")) }]);
    assert_eq!(
        command(&mut session, Command::RejectReoffer { status: 488, why: "", headers: Vec::new() }).words,
        ["answer 488"]
    );
    assert_eq!(command(&mut session, Command::Answer { sdp: sdp("x") }).words, ["answer 200"]);
}

/// A reliable response of the device with this tag.
fn reliable(invite: &Request, tag: &'static str, status: u16, rseq: u32, body: &'static str) -> Response {
    let mut response = response(invite, status, tag, body);
    response.headers.push("Require", "100rel");
    response.headers.push("RSeq", rseq.to_string());
    response
}

#[test]
fn reliable_responses_to_our_invite_are_acknowledged_in_order_each_device_for_itself() {
    let (mut session, tx, invite) = caller(OutgoingSpec { reliable: true, ..spec(flow()) });
    let offered: Vec<&str> = invite.headers.get_all("Supported").collect();
    assert!(offered.contains(&"100rel"), "{offered:?}");
    let seen = hear(&mut session, tx, reliable(&invite, "bob", 183, 7, "early"));
    assert_eq!(seen.words, ["send PRACK", "progress"]);
    let first = &seen.requests[0].1;
    assert_eq!((first.headers.get("RAck"), first.headers.get("CSeq")), (Some("7 1 INVITE"), Some("2 PRACK")));
    assert!(first.headers.get("To").unwrap().ends_with(";tag=bob"));
    assert_eq!(hear(&mut session, tx, reliable(&invite, "bob", 183, 7, "early")).words, [""; 0], "the same once more");
    assert_eq!(hear(&mut session, tx, reliable(&invite, "bob", 180, 9, "")).words, [""; 0], "one is missing");
    assert_eq!(hear(&mut session, tx, reliable(&invite, "fork", 180, 3, "")).words, ["send PRACK", "progress"]);
    assert_eq!(hear(&mut session, tx, reliable(&invite, "bob", 180, 8, "")).words, ["send PRACK", "progress"]);
    let seen = hear(&mut session, tx, answered_by(&invite));
    assert_eq!(seen.words, ["send ACK", "answered"]);
    assert_eq!(seen.requests[0].1.headers.get("CSeq"), Some("1 ACK"));
    let other = hear(&mut session, tx, response(&invite, 200, "fork", "answer"));
    let numbers: Vec<_> = other.requests.iter().map(|(_, request, _)| request.headers.get("CSeq").unwrap()).collect();
    assert_eq!(numbers, ["1 ACK", "3 BYE"], "the device that answers too late had a PRACK");
    let seen = command(&mut session, Command::End { reason: None });
    assert_eq!(seen.requests[0].1.headers.get("CSeq"), Some("4 BYE"), "it counts on from the PRACKs");
}

#[test]
fn the_called_device_may_change_its_early_answer_by_update() {
    let (mut session, tx, invite) = caller(spec(flow()));
    let offer = |cseq| peer(Method::Update, cseq, &[("Content-Type", "application/sdp")], "moved");
    assert_eq!(ask(&mut session, offer(1)).words, ["answer 481"], "nobody has said anything");
    hear(&mut session, tx, response(&invite, 180, "bob", ""));
    assert_eq!(ask(&mut session, offer(2)).words, ["answer 491"], "our offer stands open");
    hear(&mut session, tx, reliable(&invite, "bob", 183, 1, "early"));
    assert_eq!(ask(&mut session, offer(3)).events, [Event::Reoffered { sdp: Some(sdp("moved")) }]);
    let seen = command(&mut session, Command::AcceptReoffer { sdp: sdp("there") });
    assert_eq!((seen.responses[0].status, seen.responses[0].body.as_slice()), (200, &b"there"[..]));
}
