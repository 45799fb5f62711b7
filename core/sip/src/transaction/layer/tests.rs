//! The layer as its users see it.

mod abandoning;
mod either;
mod refusing;

use super::*;
use crate::lexer::parse_datagram;
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);
const TX: ClientTx = ClientTx { owner: 7, seq: 1 };

fn flow() -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5066".parse().unwrap())
}

fn tcp() -> Flow {
    Flow::tcp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:40000".parse().unwrap(), 3)
}

fn layer() -> Layer {
    Layer::new(LayerSettings {
        prefix: "z9hG4bK-s3-".into(),
        key: [9; 32],
        timers: Timers::default(),
        transactions_max: TRANSACTIONS_MAX,
    })
}

fn parse(text: &str) -> Message {
    parse_datagram(text.replace('\n', "\r\n").as_bytes()).unwrap()
}

fn incoming(method: &str, branch: &str, to_tag: &str) -> Message {
    parse(&format!(
        "{method} sip:101@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5066;branch={branch};rport\n\
         From: <sip:bob@b.example>;tag=b\nTo: <sip:101@a.example>{to_tag}\nCall-ID: {branch}\nCSeq: 1 {method}\n\
         Max-Forwards: 70\nContent-Length: 0\n\n"
    ))
}

fn outgoing(method: Method) -> Request {
    let mut request = Request::new(method, crate::uri::RequestUri::parse("sip:bob@b.example").unwrap());
    let cseq = format!("5 {}", request.method);
    for (name, value) in [
        ("Route", "<sip:p.example;lr>"),
        ("Max-Forwards", "70"),
        ("From", "<sip:101@a.example>;tag=a"),
        ("To", "<sip:bob@b.example>"),
        ("Call-ID", "c2"),
        ("CSeq", &cseq),
    ] {
        request.headers.push(name, value);
    }
    request
}

/// What comes out of a layer, in words.
fn drain(layer: &mut Layer) -> Vec<String> {
    std::iter::from_fn(|| layer.poll_output())
        .flat_map(|output| [Some(words(&output)), turned(&output)])
        .flatten()
        .collect()
}

/// What is to be answered to a request that has no transaction.
fn turned(output: &Output) -> Option<String> {
    if let Output::Misfit { answer: Some(turned), .. } = output { Some(sent(&turned.bytes)) } else { None }
}

fn sent(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap();
    let line = text.lines().next().unwrap();
    match line.strip_prefix("SIP/2.0 ") {
        Some(status) => format!("send {}", status.split(' ').next().unwrap()),
        None => format!("send {}", line.split(' ').next().unwrap()),
    }
}

fn words(output: &Output) -> String {
    match output {
        Output::Transmit { bytes, .. } => sent(bytes),
        Output::Request { request, .. } => format!("request {}", request.method),
        Output::Cancelled { owner, .. } => format!("cancelled {owner:?}"),
        Output::Ack { .. } => "ack".into(),
        Output::Response { response, .. } => format!("response {}", response.status),
        Output::Stray { response, .. } => format!("stray {}", response.status),
        Output::Timeout { .. } => "timeout".into(),
        Output::TransportError { .. } => "transport error".into(),
        Output::Full { .. } => "full".into(),
        Output::Lost { owner, .. } => format!("lost {owner:?}"),
        Output::Misfit { misfit, .. } => format!("misfit {misfit:?}"),
    }
}

/// Runs the layer until nothing is left to wait for: milliseconds and words of each output.
fn run_out(layer: &mut Layer) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    while let Some(at) = layer.poll_timeout() {
        layer.handle(at, Input::Tick);
        seen.extend(drain(layer).into_iter().map(|words| (at.as_millis(), words)));
    }
    seen
}

fn send(layer: &mut Layer, method: Method, flow: Flow) -> Request {
    layer.handle(Time::ZERO, Input::SendRequest { tx: TX, request: outgoing(method), flow });
    match layer.poll_output() {
        Some(Output::Transmit { bytes, .. }) => match parse_datagram(&bytes).unwrap() {
            Message::Request(request) => request,
            Message::Response(response) => panic!("{response:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn answer(layer: &mut Layer, now: Time, request: &Request, status: u16) -> Vec<String> {
    let message = Message::Response(Response::to_request_tagged(request, status, "bt"));
    layer.handle(now, Input::Received { message, flow: flow() });
    drain(layer)
}

fn receive(layer: &mut Layer, now: Time, message: &Message, flow: Flow) -> Vec<String> {
    layer.handle(now, Input::Received { message: message.clone(), flow });
    drain(layer)
}

/// Receives a new request and gives its transaction and itself.
fn begin(layer: &mut Layer, message: &Message, flow: Flow) -> (ServerTx, Request) {
    layer.handle(Time::ZERO, Input::Received { message: message.clone(), flow });
    match layer.poll_output() {
        Some(Output::Request { tx, request, .. }) => (tx, request),
        other => panic!("{other:?}"),
    }
}

fn respond(layer: &mut Layer, now: Time, tx: ServerTx, request: &Request, status: u16) -> Vec<String> {
    layer.handle(now, Input::Respond { tx, response: Response::to_request_tagged(request, status, "at") });
    drain(layer)
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

#[test]
fn unanswered_invite_is_sent_seven_times_then_times_out() {
    let mut layer = layer();
    send(&mut layer, Method::Invite, flow());
    let seen = run_out(&mut layer);
    let sends: Vec<u64> = seen.iter().filter(|(_, words)| words == "send INVITE").map(|(at, _)| *at).collect();
    assert_eq!(sends, [500, 1500, 3500, 7500, 15500, 31500]);
    assert_eq!(seen.last().unwrap(), &(32_000, "timeout".into()));
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn unanswered_options_is_sent_eleven_times_then_times_out() {
    let mut layer = layer();
    send(&mut layer, Method::Options, flow());
    let seen = run_out(&mut layer);
    let sends: Vec<u64> = seen.iter().filter(|(_, words)| words == "send OPTIONS").map(|(at, _)| *at).collect();
    assert_eq!(sends, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert_eq!(seen.last().unwrap(), &(32_000, "timeout".into()));
}

#[test]
fn nothing_is_sent_again_over_tcp() {
    for method in [Method::Invite, Method::Options] {
        let mut layer = layer();
        send(&mut layer, method, tcp());
        assert_eq!(run_out(&mut layer), [(32_000, "timeout".to_owned())]);
    }
}

#[test]
fn provisional_response_stops_the_invite_for_good() {
    let mut layer = layer();
    let invite = send(&mut layer, Method::Invite, flow());
    assert_eq!(answer(&mut layer, at(100), &invite, 100), ["response 100"]);
    assert_eq!(answer(&mut layer, at(200), &invite, 180), ["response 180"]);
    assert_eq!(layer.poll_timeout(), None);
}

#[test]
fn provisional_response_slows_a_non_invite_down_to_t2() {
    let mut layer = layer();
    let options = send(&mut layer, Method::Options, flow());
    assert_eq!(answer(&mut layer, at(100), &options, 100), ["response 100"]);
    let sends: Vec<u64> = run_out(&mut layer).into_iter().map(|(at, _)| at).collect();
    assert_eq!(sends, [500, 4500, 8500, 12500, 16500, 20500, 24500, 28500, 32000]);
}

#[test]
fn refusal_is_acknowledged_each_time_and_told_once() {
    let mut layer = layer();
    let invite = send(&mut layer, Method::Invite, flow());
    let message = Message::Response(Response::to_request_tagged(&invite, 486, "bt"));
    layer.handle(at(50), Input::Received { message: message.clone(), flow: flow() });
    let Some(Output::Transmit { bytes, flow: to, .. }) = layer.poll_output() else { panic!("no ACK") };
    let Message::Request(ack) = parse_datagram(&bytes).unwrap() else { panic!("no request") };
    assert_eq!(to, flow());
    assert_eq!((ack.method, ack.uri.to_string().as_str()), (Method::Ack, "sip:bob@b.example"));
    assert_eq!(ack.headers.get("Via"), invite.headers.get("Via"));
    assert_eq!(ack.headers.get("To"), Some("<sip:bob@b.example>;tag=bt"));
    assert_eq!(ack.headers.get("CSeq"), Some("5 ACK"));
    assert_eq!(ack.headers.get("Route"), Some("<sip:p.example;lr>"));
    assert_eq!(drain(&mut layer), ["response 486"]);
    assert_eq!(answer(&mut layer, at(550), &invite, 486), ["send ACK"]);
    assert_eq!(answer(&mut layer, at(560), &invite, 200), [""; 0], "a 2xx after a refusal is nobody's");
    assert_eq!(layer.poll_timeout(), Some(at(32_050)), "Timer D");
    assert_eq!(run_out(&mut layer), []);
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn every_2xx_is_told_until_timer_m_and_stray_after_it() {
    let mut layer = layer();
    let invite = send(&mut layer, Method::Invite, flow());
    assert_eq!(answer(&mut layer, at(50), &invite, 200), ["response 200"]);
    assert_eq!(answer(&mut layer, at(550), &invite, 200), ["response 200"]);
    assert_eq!(answer(&mut layer, at(560), &invite, 486), [""; 0]);
    assert_eq!(layer.poll_timeout(), Some(at(32_050)));
    assert_eq!(run_out(&mut layer), []);
    assert_eq!(answer(&mut layer, at(33_000), &invite, 200), ["stray 200"]);
    assert_eq!(answer(&mut layer, at(33_000), &invite, 486), ["misfit Unasked"]);
}

#[test]
fn answer_to_options_is_told_once_and_absorbed_during_timer_k() {
    let mut layer = layer();
    let options = send(&mut layer, Method::Options, flow());
    assert_eq!(answer(&mut layer, at(50), &options, 200), ["response 200"]);
    assert_eq!(answer(&mut layer, at(60), &options, 200), [""; 0]);
    assert_eq!(layer.poll_timeout(), Some(at(5_050)));
    assert_eq!(run_out(&mut layer), []);
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn forged_branch_and_wrong_method_find_no_transaction() {
    let mut layer = layer();
    let invite = send(&mut layer, Method::Invite, flow());
    let via = invite.headers.get("Via").unwrap().to_owned();
    let forged = via.replace("7.1.", "7.2.");
    for (via, cseq) in [(forged.as_str(), "5 INVITE"), (via.as_str(), "5 BYE"), (via.as_str(), "5 CANCEL")] {
        let mut response = Response::to_request_tagged(&invite, 200, "bt");
        response.headers.set("Via", via);
        response.headers.set("CSeq", cseq);
        assert_eq!(
            receive(&mut layer, at(1), &Message::Response(response), flow()),
            ["misfit Unasked"],
            "{via} {cseq}"
        );
    }
    assert_eq!(answer(&mut layer, at(2), &invite, 200), ["response 200"]);
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut layer = layer();
    let invite = send(&mut layer, Method::Invite, flow());
    layer.handle(at(10), Input::Cancel { tx: TX, reason: Some("SIP;cause=200".into()) });
    assert_eq!(drain(&mut layer), [""; 0]);
    let message = Message::Response(Response::to_request_tagged(&invite, 180, "bt"));
    layer.handle(at(50), Input::Received { message, flow: flow() });
    assert_eq!(layer.poll_output().map(|output| words(&output)).as_deref(), Some("response 180"));
    let Some(Output::Transmit { bytes, .. }) = layer.poll_output() else { panic!("no CANCEL") };
    let Message::Request(cancel) = parse_datagram(&bytes).unwrap() else { panic!("no request") };
    assert_eq!(cancel.headers.get("Via"), invite.headers.get("Via"));
    assert_eq!(cancel.headers.get("To"), Some("<sip:bob@b.example>"), "as in the INVITE, without tag");
    assert_eq!(cancel.headers.get("CSeq"), Some("5 CANCEL"));
    assert_eq!(cancel.headers.get("Reason"), Some("SIP;cause=200"));
    assert_eq!(answer(&mut layer, at(60), &cancel, 200), [""; 0], "the answer to CANCEL says nothing");
    layer.handle(at(61), Input::Cancel { tx: TX, reason: None });
    assert_eq!(drain(&mut layer), [""; 0], "one CANCEL is enough");
    assert_eq!(answer(&mut layer, at(70), &invite, 487), ["send ACK", "response 487"]);
}

#[test]
fn cancelled_invite_without_an_end_times_out() {
    let mut layer = layer();
    let invite = send(&mut layer, Method::Invite, flow());
    answer(&mut layer, at(50), &invite, 180);
    layer.handle(at(1_000), Input::Cancel { tx: TX, reason: None });
    assert_eq!(drain(&mut layer), ["send CANCEL"]);
    let seen = run_out(&mut layer);
    assert_eq!(seen.last().unwrap(), &(33_000, "timeout".into()));
    assert_eq!(seen.iter().filter(|(_, words)| words == "send CANCEL").count(), 10);
    assert_eq!(seen.iter().filter(|(_, words)| words == "timeout").count(), 1);
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn answer_that_crosses_the_cancel_is_told() {
    let mut layer = layer();
    let invite = send(&mut layer, Method::Invite, flow());
    answer(&mut layer, at(50), &invite, 180);
    layer.handle(at(60), Input::Cancel { tx: TX, reason: None });
    drain(&mut layer);
    assert_eq!(answer(&mut layer, at(70), &invite, 200), ["response 200"]);
}

#[test]
fn invite_gets_100_when_nobody_answers_in_200_ms() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    assert_eq!(layer.poll_timeout(), Some(at(200)));
    layer.handle(at(200), Input::Tick);
    assert_eq!(drain(&mut layer), ["send 100"]);
    assert_eq!(respond(&mut layer, at(300), tx, &request, 180), ["send 180"]);
    let again = receive(&mut layer, at(400), &incoming("INVITE", "z9hG4bKx", ""), flow());
    assert_eq!(again, ["send 180"], "a repeat gets the last answer, and no one else hears of it");
}

#[test]
fn no_100_is_sent_when_the_answer_is_quick() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    assert_eq!(respond(&mut layer, at(100), tx, &request, 180), ["send 180"]);
    layer.handle(at(200), Input::Tick);
    assert_eq!(drain(&mut layer), [""; 0]);
}

#[test]
fn refusal_is_sent_again_until_the_ack() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    assert_eq!(respond(&mut layer, at(0), tx, &request, 486), ["send 486"]);
    for millis in [500, 1500, 3500, 7500] {
        assert_eq!(layer.poll_timeout(), Some(at(millis)), "Timer G");
        layer.handle(at(millis), Input::Tick);
        assert_eq!(drain(&mut layer), ["send 486"]);
    }
    assert_eq!(receive(&mut layer, at(8_000), &incoming("ACK", "z9hG4bKx", ";tag=at"), flow()), [""; 0]);
    assert_eq!(receive(&mut layer, at(8_100), &incoming("INVITE", "z9hG4bKx", ""), flow()), [""; 0]);
    assert_eq!(layer.poll_timeout(), Some(at(13_000)), "Timer I");
    assert_eq!(run_out(&mut layer), []);
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn refusal_without_ack_is_given_up_after_timer_h() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    respond(&mut layer, at(0), tx, &request, 603);
    let seen = run_out(&mut layer);
    assert_eq!(seen.last().unwrap(), &(31_500, "send 603".into()));
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn accepted_invite_absorbs_repeats_and_sends_2xx_when_told() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    assert_eq!(respond(&mut layer, at(0), tx, &request, 200), ["send 200"]);
    assert_eq!(receive(&mut layer, at(100), &incoming("INVITE", "z9hG4bKx", ""), flow()), [""; 0]);
    layer.handle(at(500), Input::Repeat { tx });
    assert_eq!(drain(&mut layer), ["send 200"]);
    assert_eq!(respond(&mut layer, at(600), tx, &request, 486), [""; 0]);
    assert_eq!(receive(&mut layer, at(700), &incoming("ACK", "z9hG4bKother", ";tag=at"), flow()), ["ack"]);
    assert_eq!(receive(&mut layer, at(800), &incoming("ACK", "z9hG4bKx", ";tag=at"), flow()), ["ack"]);
    assert_eq!(layer.poll_timeout(), Some(at(32_000)), "Timer L");
    assert_eq!(run_out(&mut layer), []);
}

#[test]
fn answered_request_is_answered_again_during_timer_j() {
    let mut layer = layer();
    let message = incoming("OPTIONS", "z9hG4bKx", "");
    let (tx, request) = begin(&mut layer, &message, flow());
    assert_eq!(receive(&mut layer, at(10), &message, flow()), [""; 0]);
    assert_eq!(respond(&mut layer, at(20), tx, &request, 200), ["send 200"]);
    assert_eq!(receive(&mut layer, at(30), &message, flow()), ["send 200"]);
    assert_eq!(respond(&mut layer, at(40), tx, &request, 500), [""; 0]);
    assert_eq!(layer.poll_timeout(), Some(at(32_020)));
    assert_eq!(run_out(&mut layer), []);
    assert_eq!(receive(&mut layer, at(33_000), &message, flow()), ["request OPTIONS"]);
}

#[test]
fn non_invite_never_gets_408_nor_an_early_100() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("OPTIONS", "z9hG4bKx", ""), flow());
    assert_eq!(respond(&mut layer, at(100), tx, &request, 100), [""; 0]);
    assert_eq!(respond(&mut layer, at(100), tx, &request, 180), [""; 0]);
    assert_eq!(respond(&mut layer, at(4_000), tx, &request, 100), ["send 100"]);
    assert_eq!(respond(&mut layer, at(5_000), tx, &request, 408), [""; 0]);
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn unanswered_requests_do_not_stay_for_ever() {
    let mut layer = layer();
    begin(&mut layer, &incoming("OPTIONS", "z9hG4bKo", ""), flow());
    let (tx, _) = begin(&mut layer, &incoming("INVITE", "z9hG4bKi", ""), flow());
    layer.handle(at(1), Input::Own { tx, owner: 4 });
    let seen = run_out(&mut layer);
    assert_eq!(seen, [(200, "send 100".into()), (300_200, "lost Some(4)".into())]);
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn cancel_is_answered_and_told_to_the_owner() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    layer.handle(at(1), Input::Own { tx, owner: 4 });
    assert_eq!(
        receive(&mut layer, at(2), &incoming("CANCEL", "z9hG4bKx", ""), flow()),
        ["send 200", "cancelled Some(4)"]
    );
    assert_eq!(receive(&mut layer, at(3), &incoming("CANCEL", "z9hG4bKx", ""), flow()), ["send 200"], "a repeat");
    assert_eq!(respond(&mut layer, at(4), tx, &request, 487), ["send 487"]);
}

#[test]
fn cancel_after_the_answer_and_for_nothing_change_nothing() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    respond(&mut layer, at(1), tx, &request, 200);
    assert_eq!(receive(&mut layer, at(2), &incoming("CANCEL", "z9hG4bKx", ""), flow()), ["send 200"]);
    assert_eq!(
        receive(&mut layer, at(3), &incoming("CANCEL", "z9hG4bKy", ""), flow()),
        ["misfit NothingToCancel", "send 481"]
    );
}

#[test]
fn client_without_magic_cookie_is_matched_by_the_old_rules() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "1", ""), flow());
    assert_eq!(respond(&mut layer, at(0), tx, &request, 486), ["send 486"]);
    assert_eq!(receive(&mut layer, at(1), &incoming("INVITE", "1", ""), flow()), ["send 486"]);
    assert_eq!(receive(&mut layer, at(2), &incoming("ACK", "1", ";tag=other"), flow()), [""; 0]);
    assert_eq!(receive(&mut layer, at(3), &incoming("INVITE", "1", ""), flow()), ["send 486"], "not acknowledged yet");
    assert_eq!(receive(&mut layer, at(4), &incoming("ACK", "1", ";tag=at"), flow()), [""; 0]);
    assert_eq!(receive(&mut layer, at(5), &incoming("INVITE", "1", ""), flow()), [""; 0]);
}

#[test]
fn same_branch_from_another_host_or_for_another_method_is_another_request() {
    let mut layer = layer();
    begin(&mut layer, &incoming("OPTIONS", "z9hG4bKx", ""), flow());
    assert_eq!(receive(&mut layer, at(1), &incoming("MESSAGE", "z9hG4bKx", ""), flow()), ["request MESSAGE"]);
    let Message::Request(mut other) = incoming("OPTIONS", "z9hG4bKx", "") else { unreachable!("it is a request") };
    other.headers.set("Via", "SIP/2.0/UDP other.example;branch=z9hG4bKx");
    assert_eq!(receive(&mut layer, at(2), &Message::Request(other.clone()), flow()), ["request OPTIONS"]);
    other.headers.set("Via", "SIP/2.0/UDP OTHER.example;branch=z9hG4bKx");
    assert_eq!(receive(&mut layer, at(3), &Message::Request(other), flow()), [""; 0], "hosts have no case");
}

#[test]
fn responses_go_where_rfc_3581_says() {
    for (via, to) in [
        ("SIP/2.0/UDP 10.0.0.7:5070;branch=z9hG4bKa;rport", "192.0.2.9:5066"),
        ("SIP/2.0/UDP 10.0.0.7:5070;branch=z9hG4bKb", "192.0.2.9:5070"),
        ("SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKc", "192.0.2.9:5060"),
        ("SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKd;maddr=203.0.113.1", "192.0.2.9:5060"),
    ] {
        let mut layer = layer();
        let Message::Request(mut request) = incoming("OPTIONS", "z9hG4bKx", "") else { unreachable!("a request") };
        request.headers.set("Via", via);
        let (tx, request) = begin(&mut layer, &Message::Request(request), flow());
        assert!(request.headers.get("Via").unwrap().contains("received=192.0.2.9"), "{request:?}");
        layer.handle(at(1), Input::Respond { tx, response: Response::to_request_tagged(&request, 200, "t") });
        let Some(Output::Transmit { flow, .. }) = layer.poll_output() else { panic!("no response") };
        assert_eq!(flow.remote, to.parse().unwrap(), "{via}");
    }
}

#[test]
fn broken_connection_ends_its_transactions_and_no_others() {
    let mut layer = layer();
    send(&mut layer, Method::Invite, tcp());
    let (tx, _) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), tcp());
    begin(&mut layer, &incoming("OPTIONS", "z9hG4bKx", ""), tcp());
    begin(&mut layer, &incoming("INVITE", "z9hG4bKy", ""), flow());
    layer.handle(at(1), Input::Own { tx, owner: 4 });
    layer.handle(at(2), Input::Failed { flow: tcp() });
    assert_eq!(drain(&mut layer), ["transport error", "lost Some(4)"]);
    assert_eq!(layer.transactions(), 1);
}

#[test]
fn a_cancel_that_overtakes_the_owner_is_told_to_him_once() {
    let mut layer = layer();
    let (tx, _) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), tcp());
    layer.handle(at(1), Input::Received { message: incoming("CANCEL", "z9hG4bKx", ""), flow: tcp() });
    let told = drain(&mut layer);
    assert!(told.iter().any(|line| line == "cancelled None"), "{told:?}");
    layer.handle(at(2), Input::Own { tx, owner: 4 });
    assert_eq!(drain(&mut layer), ["cancelled Some(4)"]);
    layer.handle(at(3), Input::Own { tx, owner: 4 });
    assert_eq!(drain(&mut layer), [""; 0]);
}

#[test]
fn wake_queue_stays_in_proportion_to_the_transactions() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    for millis in 0..10_000 {
        respond(&mut layer, at(millis), tx, &request, 180);
    }
    assert!(layer.wakes.len() <= 70, "{}", layer.wakes.len());
}

#[test]
fn branches_of_two_runs_differ() {
    let make = |key| Branches::new("s1-".into(), [key; 32]).make(TX);
    assert_ne!(make(1), make(2));
    let branches = Branches::new("s1-".into(), [1; 32]);
    assert_eq!(branches.read(&make(1)), Some(TX));
    assert_eq!(branches.read(&make(2)), None);
    for broken in ["", "z9hG4bKs1-", "z9hG4bKs1-7.1", "z9hG4bKs1-7.1.zz", &format!("{}.1", make(1))] {
        assert_eq!(branches.read(broken), None, "{broken}");
    }
}

/// One thing that can happen to an INVITE or OPTIONS that was sent, or to one that came.
#[derive(Debug, Clone)]
enum Happening {
    Answer(u16),
    Cancel,
    Abandon,
    Repeat,
    Ack,
    Respond(u16),
    RespondAgain,
    Fail,
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let status = prop::sample::select(vec![100u16, 180, 183, 200, 202, 302, 401, 408, 486, 487, 503, 603]);
    prop_oneof![
        status.clone().prop_map(Happening::Answer),
        Just(Happening::Cancel),
        Just(Happening::Abandon),
        Just(Happening::Repeat),
        Just(Happening::Ack),
        status.prop_map(Happening::Respond),
        Just(Happening::RespondAgain),
        Just(Happening::Fail),
        (0u64..9_000).prop_map(Happening::Wait),
    ]
}

proptest! {
    /// Whatever happens, each client transaction has at most one end, each request is told once, and all go away.
    #[test]
    fn each_transaction_ends_once(
        invite: bool,
        reliable: bool,
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        let (name, method) = if invite { ("INVITE", Method::Invite) } else { ("OPTIONS", Method::Options) };
        let flow = if reliable { tcp() } else { flow() };
        let mut layer = layer();
        let sent = send(&mut layer, method, flow);
        let came = incoming(name, "z9hG4bKx", "");
        let (tx, request) = begin(&mut layer, &came, flow);
        let (mut now, mut seen) = (Time::ZERO, Vec::new());
        for happening in happenings {
            match happening {
                Happening::Answer(status) => {
                    let message = Message::Response(Response::to_request_tagged(&sent, status, "bt"));
                    layer.handle(now, Input::Received { message, flow });
                }
                Happening::Abandon => layer.handle(now, Input::Abandon { tx: TX }),
                Happening::Cancel => {
                    layer.handle(now, Input::Cancel { tx: TX, reason: None });
                    layer.handle(now, Input::Received { message: incoming("CANCEL", "z9hG4bKx", ""), flow });
                }
                Happening::Repeat if layer.servers.contains_key(&tx) => {
                    layer.handle(now, Input::Received { message: came.clone(), flow });
                }
                Happening::Repeat => {}
                Happening::Ack => {
                    layer.handle(now, Input::Received { message: incoming("ACK", "z9hG4bKx", ";tag=at"), flow });
                }
                Happening::Respond(status) => {
                    layer.handle(now, Input::Respond { tx, response: Response::to_request_tagged(&request, status, "at") });
                }
                Happening::RespondAgain => layer.handle(now, Input::Repeat { tx }),
                Happening::Fail => layer.handle(now, Input::Failed { flow }),
                Happening::Wait(millis) => {
                    let until = now + MS * u32::try_from(millis).unwrap();
                    while let Some(at) = layer.poll_timeout().filter(|at| *at <= until) {
                        layer.handle(at, Input::Tick);
                    }
                    now = until;
                }
            }
            seen.extend(drain(&mut layer));
        }
        // A repeated 1xx keeps an INVITE that came alive; here nobody says it, so all must end by themselves,
        // but for an INVITE of ours that is ringing: its sender must cancel it.
        layer.handle(now, Input::Cancel { tx: TX, reason: None });
        seen.extend(drain(&mut layer));
        seen.extend(run_out(&mut layer).into_iter().map(|(_, words)| words));
        prop_assert_eq!(layer.transactions(), 0, "{:?}", seen);
        prop_assert!(layer.by_key.is_empty());
        let count = |wanted: &dyn Fn(&str) -> bool| seen.iter().filter(|words| wanted(words)).count();
        let ends = count(&|words| matches!(words, "timeout" | "transport error"));
        let refusals = count(&|words| words.strip_prefix("response ").is_some_and(|status| status >= "300"));
        let answers = count(&|words| words.starts_with("response 2"));
        prop_assert!(ends + refusals + usize::from(answers > 0) <= 1, "{:?}", seen);
        prop_assert!(invite || answers <= 1, "{:?}", seen);
        prop_assert!(count(&|words| words.starts_with("lost")) <= 1);
        prop_assert_eq!(count(&|words| words.starts_with("request")), 0);
    }

    /// Nothing that comes from outside makes the layer panic, and it never keeps more than it may.
    #[test]
    fn no_message_breaks_the_layer(
        method in prop::sample::select(vec!["INVITE", "ACK", "CANCEL", "BYE", "KDMQ"]),
        via in "[ -~]{0,60}",
        cseq in "[ -~]{0,12}",
        status in prop::option::of(100u16..700),
    ) {
        let mut layer = layer();
        send(&mut layer, Method::Invite, flow());
        let Message::Request(mut request) = incoming(method, "z9hG4bKx", "") else { unreachable!("a request") };
        request.headers.set("Via", via);
        request.headers.set("CSeq", cseq);
        let message = match status {
            Some(status) => Message::Response(Response::to_request(&request, status)),
            None => Message::Request(request),
        };
        layer.handle(Time::ZERO, Input::Received { message, flow: flow() });
        prop_assert!(layer.transactions() <= 3);
    }
}

#[test]
fn a_message_that_is_too_long_ends_its_own_transaction_alone() {
    let mut layer = layer();
    let tx = |seq| ClientTx { owner: 1, seq };
    for seq in 1..=2 {
        layer.handle(Time::ZERO, Input::SendRequest { tx: tx(seq), request: outgoing(Method::Options), flow: flow() });
    }
    let mut sent = Vec::new();
    while let Some(Output::Transmit { of, .. }) = layer.poll_output() {
        sent.push(of);
    }
    assert_eq!(sent, [Some(Key::Client(tx(1))), Some(Key::Client(tx(2)))]);
    layer.handle(Time::ZERO, Input::Unsent { of: Key::Client(tx(1)) });
    assert_eq!(layer.poll_output(), Some(Output::TransportError { tx: tx(1) }));
    assert_eq!((layer.poll_output(), layer.transactions()), (None, 1), "the other one waits for its answer");
}

#[test]
fn an_answer_that_is_too_long_to_be_sent_is_told_while_the_invite_is_open() {
    let mut layer = layer();
    let mut invite = outgoing(Method::Invite);
    invite.headers.push_via("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKlong;rport");
    layer.handle(Time::ZERO, Input::Received { message: Message::Request(invite), flow: flow() });
    let Some(Output::Request { tx, request, .. }) = layer.poll_output() else { panic!("no INVITE") };
    layer.handle(Time::ZERO, Input::Own { tx, owner: 7 });
    layer.handle(Time::ZERO, Input::Respond { tx, response: Response::to_request(&request, 180) });
    let Some(Output::Transmit { of: Some(of), .. }) = layer.poll_output() else { panic!("no 180") };
    layer.handle(Time::ZERO, Input::Unsent { of });
    assert_eq!(layer.poll_output(), Some(Output::Lost { tx, owner: Some(7) }));
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn a_2xx_that_is_too_long_to_be_sent_becomes_a_short_refusal_and_its_owner_is_told() {
    let mut layer = layer();
    let mut invite = outgoing(Method::Invite);
    invite.headers.push_via("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKlong;rport");
    layer.handle(Time::ZERO, Input::Received { message: Message::Request(invite.clone()), flow: flow() });
    let Some(Output::Request { tx, request, .. }) = layer.poll_output() else { panic!("no INVITE") };
    layer.handle(Time::ZERO, Input::Own { tx, owner: 7 });
    let mut answer = Response::to_request_tagged(&request, 200, "ours");
    answer.headers.push("Record-Route", "<sip:a-proxy-with-a-long-name.test;lr>");
    layer.handle(Time::ZERO, Input::Respond { tx, response: answer });
    let Some(Output::Transmit { of: Some(of), .. }) = layer.poll_output() else { panic!("no 200") };
    layer.handle(Time::ZERO, Input::Unsent { of });
    assert_eq!(layer.poll_output(), Some(Output::Lost { tx, owner: Some(7) }));
    let Some(Output::Transmit { bytes, .. }) = layer.poll_output() else { panic!("nobody is told") };
    let Ok(Message::Response(refusal)) = crate::parse_datagram(&bytes) else { panic!("{bytes:?}") };
    assert_eq!((refusal.status, refusal.headers.to().unwrap().tag()), (500, Some("ours")));
    // As any refusal, it is sent again until its ACK comes.
    layer.handle(Time::ZERO, Input::Received { message: Message::Request(invite.clone()), flow: flow() });
    assert_eq!(layer.poll_output(), Some(Output::Transmit { of: Some(of), flow: flow(), bytes }));
    let mut ack = invite;
    ack.method = Method::Ack;
    ack.headers.set("CSeq", "1 ACK");
    layer.handle(Time::ZERO, Input::Received { message: Message::Request(ack), flow: flow() });
    assert_eq!((layer.poll_output(), layer.transactions()), (None, 1));
    // One that is too long itself is given up.
    layer.handle(Time::ZERO, Input::Unsent { of });
    assert_eq!((layer.poll_output(), layer.transactions()), (None, 0));
}
