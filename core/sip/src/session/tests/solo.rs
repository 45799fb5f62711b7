//! A session alone against messages made by hand.

use super::*;
use crate::flow::Transport;
use plugboard_model::REASON_COMPLETED_ELSEWHERE;
use transaction::Input as Layer;

pub(super) const TX: ServerTx = ServerTx(9);

pub(super) fn flow() -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap())
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// What a session wants, in words, and the requests among it.
pub(super) struct Seen {
    pub(super) words: Vec<String>,
    pub(super) requests: Vec<(ClientTx, Request, Flow)>,
    pub(super) responses: Vec<Response>,
    pub(super) events: Vec<Event>,
}

pub(super) fn drain(session: &mut Session) -> Seen {
    let mut seen = Seen { words: Vec::new(), requests: Vec::new(), responses: Vec::new(), events: Vec::new() };
    while let Some(output) = session.poll_output() {
        let words = match output {
            Output::Event(event) => {
                let name = format!("{event:?}");
                seen.events.push(event);
                name.split([' ', '(']).next().unwrap().to_lowercase()
            }
            Output::Transaction(Layer::SendRequest { tx, request, flow } | Layer::SendAck { tx, request, flow }) => {
                let name = format!("send {}", request.method);
                seen.requests.push((tx, request, flow));
                name
            }
            Output::Transaction(Layer::Respond { response, .. }) => {
                let name = format!("answer {}", response.status);
                seen.responses.push(response);
                name
            }
            Output::Transaction(Layer::Cancel { reason, .. }) => format!("cancel {}", reason.unwrap_or_default()),
            Output::Transaction(Layer::Abandon { .. }) => "abandon".into(),
            Output::Transaction(Layer::Repeat { .. }) => "repeat".into(),
            Output::Transaction(Layer::Own { owner, .. }) => format!("own {owner}"),
            Output::Transaction(other) => panic!("{other:?}"),
        };
        seen.words.push(words);
    }
    seen
}

pub(super) fn words(session: &mut Session) -> Vec<String> {
    drain(session).words
}

/// A session that called, and its INVITE.
pub(super) fn caller(spec: OutgoingSpec) -> (Session, ClientTx, Request) {
    let mut session = Session::outgoing(local(1), spec);
    let (tx, invite, _) = drain(&mut session).requests.remove(0);
    (session, tx, invite)
}

pub(super) fn response(request: &Request, status: u16, tag: &str, body: &str) -> Response {
    let mut response = Response::to_request_tagged(request, status, tag);
    response.headers.push("Contact", format!("<sip:{tag}@192.0.2.2:5070>"));
    response.body = body.as_bytes().to_vec();
    response
}

pub(super) fn hear(session: &mut Session, tx: ClientTx, response: Response) -> Seen {
    session.handle(at(1), Input::Response { tx, response, flow: flow() });
    drain(session)
}

pub(super) fn command(session: &mut Session, command: Command) -> Seen {
    session.handle(at(2), Input::Command(command));
    drain(session)
}

/// An outgoing session that is answered, and its INVITE.
pub(super) fn up() -> (Session, ClientTx, Request) {
    let (mut session, tx, invite) = caller(spec(flow()));
    let seen = hear(&mut session, tx, response(&invite, 200, "bob", "answer"));
    assert_eq!(seen.words, ["send ACK", "answered"]);
    (session, tx, invite)
}

/// A request of the peer of [`caller`].
pub(super) fn peer(method: Method, cseq: u32, headers: &[(&str, &str)], body: &str) -> Request {
    let mut request = Request::new(method, RequestUri::parse("sip:leg1@192.0.2.1:5060").unwrap());
    let cseq = format!("{cseq} {}", request.method);
    for (name, value) in [
        ("Via", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKp"),
        ("From", "<sip:102@plugboard.test>;tag=bob"),
        ("To", "<sip:101@plugboard.test>;tag=tag1"),
        ("Call-ID", "call-1"),
        ("CSeq", &cseq),
        ("Contact", "<sip:bob@192.0.2.2:5070>"),
    ]
    .iter()
    .chain(headers)
    {
        request.headers.push(name, *value);
    }
    request.body = body.as_bytes().to_vec();
    request
}

pub(super) fn ask(session: &mut Session, request: Request) -> Seen {
    session.handle(at(3), Input::Request { tx: TX, request, flow: flow() });
    drain(session)
}

/// The 200 that [`peer`] gives to an INVITE.
pub(super) fn answered_by(invite: &Request) -> Response {
    response(invite, 200, "bob", "answer")
}

/// A session that is called by [`peer`].
fn called(body: &str) -> Session {
    called_with(&[("Record-Route", "<sip:p.example;lr>")], body)
}

/// A session that is called by [`peer`] with an offer and these headers.
pub(super) fn called_by(headers: &[(&str, &str)]) -> Session {
    called_with(headers, "offer")
}

pub(super) fn called_with(headers: &[(&str, &str)], body: &str) -> Session {
    let mut invite = peer(Method::Invite, 1, headers, body);
    invite.headers.set("To", "<sip:101@plugboard.test>");
    let mut session = Session::incoming(TX, invite, flow(), NextHop::Source, local(1)).unwrap();
    assert_eq!(words(&mut session), ["own 1"]);
    session
}

pub(super) fn ack(cseq: u32, body: &str) -> Input {
    Input::Ack { request: peer(Method::Ack, cseq, &[], body), flow: flow() }
}

#[test]
fn invite_carries_what_was_asked_for() {
    let (_, _, invite) = caller(spec(flow()));
    assert_eq!(invite.headers.get("From"), Some("\"Ann\" <sip:101@plugboard.test>;tag=tag1"));
    assert_eq!(invite.headers.get("Contact"), Some("<sip:leg1@192.0.2.1:5060>"));
    assert_eq!(invite.headers.get("Max-Forwards"), Some("69"));
    assert_eq!(invite.headers.get("X-Story"), Some("yes"));
    assert_eq!(invite.headers.get("Content-Type"), Some("application/sdp"));
    assert_eq!((invite.body.as_slice(), invite.headers.get("CSeq")), (&b"offer"[..], Some("1 INVITE")));
}

#[test]
fn progress_of_several_devices_is_told_and_100_is_not() {
    let (mut session, tx, invite) = caller(spec(flow()));
    assert_eq!(hear(&mut session, tx, response(&invite, 100, "", "")).words, [""; 0]);
    let seen = hear(&mut session, tx, response(&invite, 180, "x", ""));
    assert_eq!(seen.events, [Event::Progress { status: 180, sdp: None, sounds: None }]);
    let seen = hear(&mut session, tx, response(&invite, 183, "y", "early"));
    assert_eq!(seen.events, [Event::Progress { status: 183, sdp: Some(sdp("early")), sounds: None }]);
}

#[test]
fn first_answer_wins_and_each_other_fork_is_acknowledged_and_ended() {
    let (mut session, tx, invite) = up();
    let seen = hear(&mut session, tx, response(&invite, 200, "fork", "answer"));
    assert_eq!(seen.words, ["send ACK", "send BYE"]);
    for (_, request, _) in &seen.requests {
        assert_eq!(request.uri.to_string(), "sip:fork@192.0.2.2:5070");
        assert!(request.headers.get("To").unwrap().ends_with(";tag=fork"));
    }
    assert_eq!(seen.requests[0].1.headers.get("CSeq"), Some("1 ACK"));
    assert_eq!(seen.requests[1].1.headers.get("CSeq"), Some("2 BYE"));
    assert!(session.is_up());
    let again = hear(&mut session, tx, response(&invite, 200, "fork", "answer"));
    assert_eq!(again.words, ["send ACK"], "its BYE goes on by itself");
    let other = hear(&mut session, tx, response(&invite, 200, "third", "answer"));
    assert_eq!(other.words, ["send ACK", "send BYE"]);
    let (bye, request, _) = &seen.requests[1];
    assert_eq!(hear(&mut session, *bye, Response::to_request(request, 481)).words, [""; 0]);
    session.handle(at(40_000), Input::Timeout { tx: *bye });
    assert_eq!(words(&mut session), [""; 0], "a fork that is gone takes nothing with it");
    assert!(session.is_up());
}

#[test]
fn repeated_answer_is_acknowledged_again_and_told_once() {
    let (mut session, tx, invite) = up();
    let seen = hear(&mut session, tx, response(&invite, 200, "bob", "answer"));
    assert_eq!(seen.words, ["send ACK"]);
    command(&mut session, Command::End { reason: None });
    assert_eq!(hear(&mut session, tx, response(&invite, 200, "bob", "answer")).words, ["send ACK"]);
}

#[test]
fn answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let (mut session, tx, invite) = caller(spec(flow()));
    hear(&mut session, tx, response(&invite, 180, "bob", ""));
    let seen = command(&mut session, Command::End { reason: Some(REASON_COMPLETED_ELSEWHERE.into()) });
    assert_eq!(seen.words, [format!("cancel {REASON_COMPLETED_ELSEWHERE}")]);
    assert_eq!(command(&mut session, Command::End { reason: None }).words, [""; 0], "once is enough");
    let seen = hear(&mut session, tx, response(&invite, 200, "bob", "answer"));
    assert_eq!(seen.words, ["send ACK", "ended", "send BYE"]);
    assert_eq!(seen.events, [Event::Ended { cause: Cause::of(487), by_remote: false }]);
    let (bye, request, _) = &seen.requests[1];
    let done = hear(&mut session, *bye, Response::to_request(request, 200));
    assert_eq!(done.words, ["finished"]);
}

#[test]
fn cancelled_call_ends_with_its_487() {
    let (mut session, tx, invite) = caller(spec(flow()));
    command(&mut session, Command::End { reason: None });
    assert_eq!(hear(&mut session, tx, response(&invite, 180, "bob", "")).words, [""; 0], "no ringing any more");
    let seen = hear(&mut session, tx, response(&invite, 487, "bob", ""));
    assert_eq!(seen.words, ["rejected", "finished"]);
    assert!(session.is_over());
}

#[test]
fn refusal_brings_its_cause_pause_and_targets() {
    let (mut session, tx, invite) = caller(spec(flow()));
    let mut refusal = Response::to_request_tagged(&invite, 302, "bob");
    refusal.headers.push("Contact", "<sip:low@h>;q=0.1, <sip:high@h>");
    refusal.headers.push("Retry-After", "120 (busy)");
    let seen = hear(&mut session, tx, refusal);
    let Event::Rejected { cause, retry_after, redirect, flow_failed: false } = &seen.events[0] else {
        panic!("{:?}", seen.events)
    };
    assert_eq!((cause.status, *retry_after), (302, Some(Duration::from_mins(2))));
    assert_eq!(redirect, &["sip:high@h", "sip:low@h"]);
}

#[test]
fn silence_and_a_dead_address_have_their_status() {
    for (input, status) in [
        (Input::Timeout { tx: ClientTx { owner: 1, seq: 1 } }, 408),
        (Input::TransportError { tx: ClientTx { owner: 1, seq: 1 } }, 503),
    ] {
        let (mut session, _, _) = caller(spec(flow()));
        session.handle(at(1), input);
        let seen = drain(&mut session);
        assert!(matches!(&seen.events[0], Event::Rejected { cause, .. } if cause.status == status), "{status}");
        assert_eq!(seen.words, ["rejected", "finished"]);
    }
}

#[test]
fn gateway_that_asks_gets_the_password_once() {
    let login = Login { user: "trunk".into(), password: Secret::new("pass") };
    let (mut session, tx, invite) = caller(OutgoingSpec { login: Some(login), ..spec(flow()) });
    let challenge = |request: &Request, nonce: &str, stale: &str| {
        let mut response = Response::to_request_tagged(request, 407, "gw");
        let value = format!("Digest realm=\"gw\", nonce=\"{nonce}\", qop=\"auth\"{stale}");
        response.headers.push("Proxy-Authenticate", value);
        response
    };
    let mut seen = hear(&mut session, tx, challenge(&invite, "n1", ""));
    assert_eq!(seen.words, ["send INVITE"]);
    let (tx, second, _) = seen.requests.remove(0);
    assert_eq!(second.headers.get("CSeq"), Some("2 INVITE"));
    let value = second.headers.get("Proxy-Authorization").unwrap();
    assert!(value.contains("username=\"trunk\"") && value.contains("uri=\"sip:102@192.0.2.2:5060\""), "{value}");
    let mut seen = hear(&mut session, tx, challenge(&second, "n2", ", stale=true"));
    let (tx, third, _) = seen.requests.remove(0);
    assert!(third.headers.get("Proxy-Authorization").unwrap().contains("nonce=\"n2\""));
    assert_eq!(hear(&mut session, tx, challenge(&third, "n3", "")).words, ["rejected", "finished"]);
}

#[test]
fn bye_is_signed_when_the_gateway_asks() {
    let login = Login { user: "trunk".into(), password: Secret::new("pass") };
    let (mut session, tx, invite) = caller(OutgoingSpec { login: Some(login), ..spec(flow()) });
    hear(&mut session, tx, response(&invite, 200, "bob", "answer"));
    let seen = command(&mut session, Command::End { reason: None });
    assert_eq!(seen.words, ["ended", "send BYE"]);
    let (bye, request, _) = &seen.requests[0];
    let mut challenge = Response::to_request(request, 401);
    challenge.headers.push("WWW-Authenticate", "Digest realm=\"gw\", nonce=\"n\", qop=\"auth\"");
    let seen = hear(&mut session, *bye, challenge.clone());
    assert_eq!(seen.words, ["send BYE"]);
    assert!(seen.requests[0].1.headers.contains("Authorization"));
    assert_eq!(hear(&mut session, seen.requests[0].0, challenge).words, ["finished"]);
}

#[test]
fn route_set_and_target_of_the_answer_are_used() {
    let (mut session, tx, invite) = caller(spec(flow()));
    let mut answer = response(&invite, 200, "bob", "answer");
    answer.headers.push("Record-Route", "<sip:near.example;lr>, <sip:far.example;lr>");
    let seen = hear(&mut session, tx, answer);
    let routes: Vec<_> = seen.requests[0].1.headers.get_all("Route").collect();
    assert_eq!(routes, ["<sip:far.example;lr>", "<sip:near.example;lr>"], "the nearest to us is last in the answer");
    ask(&mut session, peer(Method::Update, 1, &[], ""));
    let mut update = peer(Method::Update, 2, &[], "");
    update.headers.set("Contact", "<sip:moved@192.0.2.2:5099>");
    assert_eq!(ask(&mut session, update).words, ["answer 200"]);
    let seen = command(&mut session, Command::End { reason: None });
    assert_eq!(seen.requests[0].1.uri.to_string(), "sip:moved@192.0.2.2:5099");
}

#[test]
fn strict_router_gets_the_request_uri() {
    let (mut session, tx, invite) = caller(spec(flow()));
    let mut answer = response(&invite, 200, "bob", "answer");
    answer.headers.push("Record-Route", "<sip:strict.example>");
    let seen = hear(&mut session, tx, answer);
    let ack = &seen.requests[0].1;
    assert_eq!(ack.uri.to_string(), "sip:strict.example");
    assert_eq!(ack.headers.get("Route"), Some("<sip:bob@192.0.2.2:5070>"));
}

#[test]
fn gateway_that_names_another_address_is_followed_there() {
    let (mut session, tx, invite) = caller(OutgoingSpec { next_hop: NextHop::Target, ..spec(flow()) });
    let seen = hear(&mut session, tx, response(&invite, 200, "bob", "answer"));
    assert_eq!(seen.requests[0].2.remote, "192.0.2.2:5070".parse().unwrap());
    let (mut session, tx, invite) = caller(spec(flow()));
    let seen = hear(&mut session, tx, response(&invite, 200, "bob", "answer"));
    assert_eq!(seen.requests[0].2, flow(), "a phone is called where it calls from");
}

#[test]
fn one_for_whom_nobody_vouches_is_followed_nowhere() {
    let elsewhere = Flow { remote: "10.0.0.9:5060".parse().unwrap(), ..flow() };
    for came_over in [flow(), elsewhere] {
        let (mut session, tx, invite) = caller(OutgoingSpec { next_hop: NextHop::First, ..spec(flow()) });
        let mut answer = response(&invite, 200, "bob", "answer");
        answer.headers.push("Record-Route", "<sip:10.0.0.8;lr>");
        session.handle(at(1), Input::Response { tx, response: answer, flow: came_over });
        assert_eq!(drain(&mut session).requests[0].2, flow(), "the ACK");
        // A second answer, as if another device behind a proxy had given it.
        let mut second = response(&invite, 200, "fork", "answer");
        second.headers.push("Record-Route", "<sip:10.0.0.8;lr>");
        session.handle(at(1), Input::Response { tx, response: second, flow: came_over });
        let seen = drain(&mut session);
        assert_eq!(seen.words, ["send ACK", "send BYE"]);
        assert!(seen.requests.iter().all(|request| request.2 == flow()), "{:?}", seen.requests);
        // A request of his own comes from elsewhere, and is answered: what follows goes where it went.
        let info = peer(Method::Info, 9, &[], "");
        session.handle(at(2), Input::Request { tx: TX, request: info, flow: came_over });
        drain(&mut session);
        let seen = command(&mut session, Command::End { reason: None });
        assert_eq!(seen.requests[0].2, flow(), "the BYE");
    }
}

#[test]
fn incoming_call_rings_is_answered_and_established() {
    let mut session = called("offer");
    let seen = command(&mut session, Command::Progress { status: 180, sdp: None });
    assert_eq!(seen.responses[0].headers.get("To"), Some("<sip:101@plugboard.test>;tag=tag1"));
    assert_eq!(seen.responses[0].headers.get("Record-Route"), Some("<sip:p.example;lr>"));
    let seen = command(&mut session, Command::Answer { sdp: sdp("answer") });
    let ok = &seen.responses[0];
    assert_eq!((ok.status, ok.body.as_slice()), (200, &b"answer"[..]));
    assert_eq!(ok.headers.get("Contact"), Some("<sip:leg1@192.0.2.1:5060>"));
    session.handle(at(5), ack(1, "ignored"));
    assert_eq!(drain(&mut session).events, [Event::Established { sdp: None }]);
    assert_eq!(session.poll_timeout(), Some(at(2) + SESSION_EXPIRES / 2), "nothing but its timer");
}

#[test]
fn late_offer_gets_its_answer_with_the_ack() {
    let mut session = called("");
    command(&mut session, Command::Answer { sdp: sdp("our offer") });
    session.handle(at(5), ack(1, "their answer"));
    assert_eq!(drain(&mut session).events, [Event::Established { sdp: Some(sdp("their answer")) }]);
}

#[test]
fn ringing_is_said_again_each_minute() {
    let mut session = called("offer");
    command(&mut session, Command::Progress { status: 180, sdp: None });
    let due = session.poll_timeout().unwrap();
    assert_eq!(due, at(60_002));
    session.handle(at(60_001), Input::Tick);
    assert_eq!(words(&mut session), [""; 0]);
    session.handle(due, Input::Tick);
    assert_eq!(words(&mut session), ["answer 180"]);
    assert_eq!(session.poll_timeout(), Some(at(120_002)));
}

#[test]
fn answer_is_repeated_until_the_ack_and_the_call_ended_without_one() {
    let mut session = called("offer");
    command(&mut session, Command::Answer { sdp: sdp("answer") });
    let mut repeats = Vec::new();
    let end = loop {
        let now = session.poll_timeout().unwrap();
        session.handle(now, Input::Tick);
        let seen = drain(&mut session);
        if seen.words != ["repeat"] {
            assert_eq!(seen.words, ["ended", "send BYE"]);
            assert_eq!(seen.events, [Event::Ended { cause: Cause::of(408), by_remote: false }]);
            break now;
        }
        repeats.push(now.as_millis() - 2);
    };
    assert_eq!(repeats, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert_eq!(end, at(32_002));
}

#[test]
fn bye_waits_for_the_ack_of_our_answer() {
    let mut session = called("offer");
    command(&mut session, Command::Answer { sdp: sdp("answer") });
    assert_eq!(command(&mut session, Command::End { reason: None }).words, ["ended"]);
    session.handle(at(502), Input::Tick);
    assert_eq!(words(&mut session), ["repeat"]);
    session.handle(at(600), ack(1, ""));
    assert_eq!(words(&mut session), ["send BYE"]);
}

#[test]
fn caller_who_gives_up_gets_487_and_says_why() {
    let mut session = called("offer");
    let cancel = peer(Method::Cancel, 1, &[("Reason", REASON_COMPLETED_ELSEWHERE)], "");
    session.handle(at(1), Input::Cancelled { tx: ServerTx(1), request: cancel.clone() });
    assert_eq!(words(&mut session), [""; 0], "another INVITE's");
    session.handle(at(1), Input::Cancelled { tx: TX, request: cancel });
    let seen = drain(&mut session);
    assert_eq!(seen.words, ["answer 487", "ended", "finished"]);
    assert!(matches!(&seen.events[0], Event::Ended { cause, by_remote: true } if cause.status == 200));
}

#[test]
fn bye_before_the_answer_ends_the_call_too() {
    let mut session = called("offer");
    command(&mut session, Command::Progress { status: 180, sdp: None });
    assert_eq!(
        ask(&mut session, peer(Method::Bye, 2, &[], "")).words,
        ["answer 200", "answer 487", "ended", "finished"]
    );
}

#[test]
fn refusal_ends_the_call_at_once() {
    let mut session = called("offer");
    let reject =
        Command::Reject { status: 503, phrase: None, reason: None, headers: vec![("Retry-After".into(), "5".into())] };
    let seen = command(&mut session, reject);
    assert_eq!(seen.words, ["answer 503", "ended", "finished"]);
    assert_eq!(seen.responses[0].headers.get("Retry-After"), Some("5"));
}

#[test]
fn invite_without_contact_is_refused() {
    let mut invite = peer(Method::Invite, 1, &[], "offer");
    invite.headers.remove("Contact");
    invite.headers.set("To", "<sip:101@plugboard.test>");
    let response = Session::incoming(TX, invite, flow(), NextHop::Source, local(1)).unwrap_err();
    assert_eq!((response.status, response.reason.as_str()), (400, "Bad Request (missing Contact header)"));
    assert!(response.headers.get("To").unwrap().contains(";tag=tag1"));
}

#[test]
fn peer_hangs_up() {
    let (mut session, ..) = up();
    let seen = ask(&mut session, peer(Method::Bye, 1, &[], ""));
    assert_eq!(seen.words, ["answer 200", "ended", "finished"]);
    assert_eq!(seen.events[0], Event::Ended { cause: Cause::normal(), by_remote: true });
    assert_eq!(ask(&mut session, peer(Method::Bye, 2, &[], "")).words, ["answer 481"]);
}

#[test]
fn byes_that_cross_end_the_session_once() {
    let (mut session, ..) = up();
    let seen = command(&mut session, Command::End { reason: None });
    assert_eq!(seen.words, ["ended", "send BYE"]);
    assert_eq!(ask(&mut session, peer(Method::Bye, 1, &[], "")).words, ["answer 200"]);
    let (bye, request, _) = &seen.requests[0];
    assert_eq!(hear(&mut session, *bye, Response::to_request(request, 481)).words, ["finished"]);
}

#[test]
fn requests_out_of_place_get_the_status_that_the_rfc_says() {
    let (mut session, ..) = up();
    assert_eq!(ask(&mut session, peer(Method::Options, 5, &[], "")).words, ["answer 200"]);
    assert_eq!(ask(&mut session, peer(Method::Options, 4, &[], "")).words, ["answer 500"]);
    assert_eq!(ask(&mut session, peer(Method::Options, 5, &[], "")).words, ["answer 500"]);
    for (name, value) in [("From", "<sip:102@b>;tag=eve"), ("To", "<sip:101@a>;tag=eve"), ("Call-ID", "other")] {
        let mut stray = peer(Method::Bye, 9, &[], "");
        stray.headers.set(name, value);
        assert_eq!(ask(&mut session, stray).words, ["answer 481"], "{name}");
    }
    let seen = ask(&mut session, peer(Method::Other("KDMQ".into()), 9, &[], ""));
    assert_eq!((seen.responses[0].status, seen.responses[0].headers.get("Allow")), (405, Some(ALLOW)));
    let seen = ask(&mut session, peer(Method::Update, 10, &[("Require", "precondition")], ""));
    assert_eq!(seen.responses[0].status, 420);
    assert!(session.is_up());
}

#[test]
fn digits_pass_by_info_both_ways() {
    let (mut session, ..) = up();
    let relay = [("Content-Type", "application/dtmf-relay")];
    let seen = ask(&mut session, peer(Method::Info, 1, &relay, "Signal=7\r\nDuration=100\r\n"));
    assert_eq!(seen.words, ["answer 200", "digit"]);
    assert_eq!(seen.events, [Event::Digit(InfoDigit { digit: '7', millis: 100 })]);
    let seen = ask(&mut session, peer(Method::Info, 2, &[("Content-Type", "text/plain")], "hello"));
    assert_eq!(seen.words, ["answer 415"]);
    let seen = command(&mut session, Command::SendDigit(InfoDigit { digit: '#', millis: 160 }));
    assert_eq!(seen.words, ["send INFO"]);
    assert_eq!(seen.requests[0].1.body, b"Signal=#\r\nDuration=160\r\n");
}

#[test]
fn a_digit_that_cannot_be_sent_is_lost_and_ends_nothing() {
    let (mut session, ..) = up();
    let offer = command(&mut session, Command::Reoffer { sdp: sdp("hold") });
    let digit = command(&mut session, Command::SendDigit(InfoDigit { digit: '#', millis: 160 }));
    session.handle(at(1), Input::TransportError { tx: digit.requests[0].0 });
    assert_eq!(words(&mut session), ["digitunsent"]);
    assert!(session.is_up());
    let (tx, request, _) = &offer.requests[0];
    let seen = hear(&mut session, *tx, Response::to_request(request, 488));
    assert_eq!(seen.events, [Event::ReofferDone(Err(488))], "it waited still");
    // A peer that never answers is gone.
    let digit = command(&mut session, Command::SendDigit(InfoDigit { digit: '#', millis: 160 }));
    session.handle(at(33_000), Input::Timeout { tx: digit.requests[0].0 });
    assert_eq!(words(&mut session), ["ended", "send BYE"]);
}

#[test]
fn peer_that_forgot_the_dialog_ends_it() {
    for status in [430, 481] {
        let (mut session, ..) = up();
        let seen = command(&mut session, Command::SendDigit(InfoDigit { digit: '#', millis: 160 }));
        let (tx, request, _) = &seen.requests[0];
        let told = ["flowlost", "ended", "send BYE"];
        let told = if status == 430 { &told[..] } else { &told[1..] };
        assert_eq!(hear(&mut session, *tx, Response::to_request(request, status)).words, told);
        let (mut session, ..) = up();
        let seen = command(&mut session, Command::Reoffer { sdp: sdp("hold") });
        let (tx, request, _) = &seen.requests[0];
        let gone = hear(&mut session, *tx, Response::to_request(request, status));
        assert!(gone.words.iter().any(|word| word == "send BYE"), "{:?}", gone.words);
        assert_eq!(gone.events.contains(&Event::FlowLost), status == 430);
    }
    let (mut session, ..) = up();
    let seen = command(&mut session, Command::Reoffer { sdp: sdp("hold") });
    session.handle(at(40_000), Input::Timeout { tx: seen.requests[0].0 });
    assert_eq!(words(&mut session), ["ended", "send BYE"]);
}

#[test]
fn offer_of_the_peer_is_accepted_refused_or_taken_back() {
    let (mut session, ..) = up();
    let mut offer = peer(Method::Invite, 1, &[("Content-Type", "application/sdp")], "hold");
    offer.headers.set("Contact", "<sip:moved@192.0.2.2>");
    let seen = ask(&mut session, offer);
    assert_eq!(seen.events, [Event::Reoffered { sdp: Some(sdp("hold")) }]);
    assert_eq!(ask(&mut session, peer(Method::Invite, 2, &[], "")).words, ["answer 500"], "one at a time");
    let seen = command(&mut session, Command::AcceptReoffer { sdp: sdp("held") });
    assert_eq!((seen.responses[0].status, seen.responses[0].body.as_slice()), (200, &b"held"[..]));
    session.handle(at(9), ack(1, ""));
    assert_eq!(words(&mut session), [""; 0]);
    ask(&mut session, peer(Method::Invite, 3, &[], "resume"));
    assert_eq!(
        command(&mut session, Command::RejectReoffer { status: 488, why: "", headers: Vec::new() }).words,
        ["answer 488"]
    );
    ask(&mut session, peer(Method::Invite, 4, &[], "resume"));
    session.handle(at(9), Input::Cancelled { tx: TX, request: peer(Method::Cancel, 4, &[], "") });
    assert_eq!(words(&mut session), ["answer 487", "reoffercancelled"]);
    assert!(session.is_up());
    let seen = command(&mut session, Command::End { reason: None });
    assert_eq!(seen.requests[0].1.uri.to_string(), "sip:moved@192.0.2.2");
}

#[test]
fn offer_that_the_switch_does_not_answer_is_refused_in_time() {
    let (mut session, ..) = up();
    ask(&mut session, peer(Method::Update, 1, &[], "hold"));
    let due = session.poll_timeout().unwrap();
    session.handle(due, Input::Tick);
    assert_eq!(words(&mut session), ["answer 488", "reoffercancelled"]);
    assert_eq!(command(&mut session, Command::AcceptReoffer { sdp: sdp("late") }).words, [""; 0]);
}

#[test]
fn peer_that_asks_for_an_offer_answers_it_with_the_ack() {
    let (mut session, ..) = up();
    assert_eq!(ask(&mut session, peer(Method::Invite, 1, &[], "")).events, [Event::Reoffered { sdp: None }]);
    command(&mut session, Command::AcceptReoffer { sdp: sdp("offer") });
    session.handle(at(9), ack(1, "answer"));
    assert_eq!(drain(&mut session).events, [Event::ReofferDone(Ok(Some(sdp("answer"))))]);
}

#[test]
fn our_offer_is_answered_or_refused() {
    let (mut session, ..) = up();
    let seen = command(&mut session, Command::Reoffer { sdp: sdp("hold") });
    let (tx, request, _) = &seen.requests[0];
    assert_eq!(request.headers.get("CSeq"), Some("2 INVITE"));
    assert_eq!(command(&mut session, Command::Reoffer { sdp: sdp("again") }).events, [Event::ReofferDone(Err(491))]);
    let seen = hear(&mut session, *tx, response(request, 200, "bob", "held"));
    assert_eq!(seen.words, ["send ACK", "reofferdone"]);
    assert_eq!(seen.requests[0].1.headers.get("CSeq"), Some("2 ACK"));
    assert_eq!(seen.events, [Event::ReofferDone(Ok(Some(sdp("held"))))]);
    let seen = command(&mut session, Command::Reoffer { sdp: sdp("resume") });
    let (tx, request, _) = &seen.requests[0];
    let seen = hear(&mut session, *tx, Response::to_request(request, 488));
    assert_eq!(seen.events, [Event::ReofferDone(Err(488))]);
    assert!(session.is_up());
}

#[test]
fn glare_is_told_and_tried_again_after_the_pause_of_the_caller() {
    let (mut session, ..) = up();
    let seen = command(&mut session, Command::Reoffer { sdp: sdp("hold") });
    let (tx, request, _) = &seen.requests[0];
    assert_eq!(ask(&mut session, peer(Method::Invite, 1, &[], "hold")).words, ["answer 491"]);
    assert_eq!(hear(&mut session, *tx, Response::to_request(request, 491)).words, [""; 0]);
    let pause = session.poll_timeout().unwrap().since(at(1));
    assert!((2_100..=4_000).contains(&pause.as_millis()), "{pause:?}");
    session.handle(session.poll_timeout().unwrap(), Input::Tick);
    let seen = drain(&mut session);
    assert_eq!(seen.words, ["send INVITE"]);
    assert_eq!(seen.requests[0].1.body, b"hold");
}

fn abandoned(mut session: Session) -> Vec<String> {
    session.abandon();
    words(&mut session)
}

#[test]
fn who_is_abandoned_is_told_at_once_however_far_the_session_is() {
    assert_eq!(abandoned(called("offer")), ["answer 500", "ended", "finished"]);
    assert_eq!(abandoned(caller(spec(flow())).0), ["cancel "]);
    assert_eq!(abandoned(up().0), ["send BYE"]);
    let mut asked = up().0;
    ask(&mut asked, peer(Method::Invite, 1, &[], "hold"));
    assert_eq!(abandoned(asked), ["answer 500", "send BYE"]);
    let answered = || {
        let mut session = called("offer");
        command(&mut session, Command::Answer { sdp: sdp("answer") });
        session
    };
    assert_eq!(abandoned(answered()), ["send BYE"], "no ACK came, and none is waited for");
    let mut leaving = answered();
    assert_eq!(command(&mut leaving, Command::End { reason: None }).words, ["ended"]);
    assert_eq!(abandoned(leaving), ["send BYE"]);
    let mut closing = up().0;
    assert_eq!(command(&mut closing, Command::End { reason: None }).words, ["ended", "send BYE"]);
    assert_eq!(abandoned(closing), [""; 0]);
}

#[test]
fn what_goes_elsewhere_than_a_long_invite_over_a_stream_goes_over_udp_unless_its_uri_says_otherwise() {
    for (contact, expected) in [
        ("<sip:bob@192.0.2.2:5060>", Transport::Tcp),
        ("<sip:bob@192.0.2.9:5060>", Transport::Udp),
        ("<sip:bob@192.0.2.9:5060;transport=tcp>", Transport::Tcp),
    ] {
        let stream = Flow { transport: Transport::Tcp, ..flow() };
        let (mut session, tx, invite) = caller(OutgoingSpec { next_hop: NextHop::Target, ..spec(flow()) });
        let mut answer = Response::to_request_tagged(&invite, 200, "bob");
        answer.headers.push("Contact", contact);
        session.handle(at(1), Input::Response { tx, response: answer, flow: stream });
        let (_, ack, over) = drain(&mut session).requests.remove(0);
        assert_eq!((ack.method, over.transport), (Method::Ack, expected), "{contact}");
    }
}
