//! A gateway that rings several at once: each of them rings, and may answer, in a dialog of its own.

use plugboard_model::{CallOutcome, JournalEvent};
use plugboard_simulator::Sim;

use crate::{journaled, millis, seconds};

/// The demo's gateway.
const GATEWAY: &str = "127.0.0.1:5080";

/// The value of a header of a message.
fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in\n{message}"))
}

/// What a far end with this tag answers to a request; with a description where it has a port.
fn answer(request: &str, status: &str, tag: &str, port: Option<u16>) -> String {
    let vias =
        request.lines().filter(|line| line.starts_with("Via: ")).fold(String::new(), |all, via| all + via + "\n");
    let to = header(request, "To");
    let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
    let body = port.map_or(String::new(), |port| {
        format!("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n")
    });
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "SIP/2.0 {status}\n{vias}From: {}\nTo: {to}\nCall-ID: {}\nCSeq: {}\nContact: <sip:{tag}@{GATEWAY}>\n\
         {kind}Content-Length: {}\n\n{body}",
        header(request, "From"),
        header(request, "Call-ID"),
        header(request, "CSeq"),
        body.len() + body.matches('\n').count(),
    )
}

/// The requests of this method among what was said, by the far end that they are for.
fn to_whom(said: &[String], method: &str) -> Vec<String> {
    let of_method = said.iter().filter(|text| text.starts_with(&format!("{method} ")));
    of_method
        .map(|text| {
            let tag = header(text, "To").rsplit(";tag=").next().unwrap();
            assert!(text.starts_with(&format!("{method} sip:{tag}@{GATEWAY} ")), "{text}");
            tag.to_owned()
        })
        .collect()
}

#[test]
fn of_two_who_ring_and_answer_behind_a_gateway_the_first_is_bridged_and_the_other_hung_up() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    ann.dials("0301234");
    sim.run_for(millis(200));
    let said = sim.said_to(GATEWAY);
    let invite = said.iter().find(|text| text.starts_with("INVITE ")).unwrap_or_else(|| panic!("{}", sim.ladder()));
    let from_gateway = |sim: &Sim, text: &str| sim.strange_message(GATEWAY, text);
    from_gateway(&sim, &answer(invite, "180 Ringing", "one", None));
    from_gateway(&sim, &answer(invite, "183 Session Progress", "two", Some(40_002)));
    sim.run_for(millis(200));
    from_gateway(&sim, &answer(invite, "200 OK", "two", Some(40_002)));
    from_gateway(&sim, &answer(invite, "200 OK", "one", Some(40_000)));
    sim.run_until(ann.talks());
    sim.run_for(millis(200));
    let said = sim.said_to(GATEWAY);
    let mut acknowledged = to_whom(&said, "ACK");
    acknowledged.sort();
    assert_eq!(acknowledged, ["one", "two"], "{said:#?}");
    assert_eq!(to_whom(&said, "BYE"), ["one"], "{said:#?}");
    let bye = said.iter().find(|text| text.starts_with("BYE ")).unwrap();
    // Our ACK was lost, or came late: the same answer again is acknowledged again, and the one BYE goes on.
    from_gateway(&sim, &answer(invite, "200 OK", "one", Some(40_000)));
    sim.run_for(millis(200));
    let again = sim.said_to(GATEWAY);
    assert_eq!((to_whom(&again, "ACK"), to_whom(&again, "BYE").len()), (vec!["one".to_owned()], 0), "{again:#?}");
    from_gateway(&sim, &answer(bye, "200 OK", "one", None));
    sim.run_for(millis(1_000));
    let said = sim.said_to(GATEWAY);
    assert_eq!(to_whom(&said, "ACK").len() + to_whom(&said, "BYE").len(), 0, "{}", sim.ladder());
    assert!(ann.talks()(), "{}", sim.ladder());

    ann.hangs_up();
    sim.run_for(millis(200));
    let said = sim.said_to(GATEWAY);
    assert_eq!(to_whom(&said, "BYE"), ["two"], "{said:#?}");
    let bye = said.iter().find(|text| text.starts_with("BYE ")).unwrap();
    from_gateway(&sim, &answer(bye, "200 OK", "two", None));
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!((&record.outcome, record.legs.len()), (&CallOutcome::Answered, 2));
    assert_eq!(journaled(&sim, &record, |event| matches!(event, JournalEvent::Bridged { .. })), 1);
}

#[test]
fn an_answer_after_the_end_of_its_call_is_hung_up_once_however_often_it_comes() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    ann.dials("0301234");
    sim.run_for(millis(200));
    let said = sim.said_to(GATEWAY);
    let invite = said.iter().find(|text| text.starts_with("INVITE ")).unwrap_or_else(|| panic!("{}", sim.ladder()));
    sim.strange_message(GATEWAY, &answer(invite, "180 Ringing", "one", None));
    sim.run_for(millis(200));
    ann.hangs_up();
    // The gateway has nothing to say to the CANCEL, and then answers all the same.
    sim.run_for(seconds(70));
    sim.said_to(GATEWAY);
    let mut numbers = Vec::new();
    for _ in 0..3 {
        sim.strange_message(GATEWAY, &answer(invite, "200 OK", "one", Some(40_000)));
        sim.run_for(millis(100));
        let said = sim.said_to(GATEWAY);
        numbers.extend(said.iter().map(|text| header(text, "CSeq").to_owned()));
    }
    assert_eq!(numbers, ["1 ACK", "2 BYE", "1 ACK", "1 ACK"], "{}", sim.ladder());
    sim.run_for(seconds(40));
    sim.run_until_quiet();
}
