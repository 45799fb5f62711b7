//! What the layer refuses, and what is refused through it.

use super::*;

/// The INVITE with the branch `z9hG4bKone`, forked on its way to this URI.
fn fork(uri: &str) -> Message {
    let Message::Request(mut fork) = incoming("INVITE", "z9hG4bKother", "") else { panic!("a request") };
    fork.uri = crate::uri::RequestUri::parse(uri).unwrap();
    fork.headers.set("Call-ID", "z9hG4bKone");
    Message::Request(fork)
}

#[test]
fn full_layer_answers_503_and_sends_nothing_new() {
    let mut layer = Layer::new(LayerSettings {
        prefix: "s1-".into(),
        key: [9; 32],
        timers: Timers::default(),
        transactions_max: 1,
    });
    assert_eq!(layer.prefix(), "z9hG4bKs1-");
    begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    assert_eq!(receive(&mut layer, at(1), &incoming("INVITE", "z9hG4bKy", ""), flow()), ["misfit NoRoom", "send 503"]);
    assert_eq!(receive(&mut layer, at(1), &incoming("ACK", "z9hG4bKy", ";tag=t"), flow()), ["ack"]);
    layer.handle(at(2), Input::SendRequest { tx: TX, request: outgoing(Method::Invite), flow: flow() });
    assert_eq!(drain(&mut layer), ["full"]);
    assert_eq!(layer.transactions(), 1);
}

#[test]
fn running_calls_change_and_end_while_the_table_takes_no_new_ones() {
    let mut layer = Layer::new(LayerSettings {
        prefix: "s1-".into(),
        key: [9; 32],
        timers: Timers::default(),
        transactions_max: 32,
    });
    let one = |layer: &mut Layer, n: usize, method: &str, tag: &str| {
        receive(layer, at(1), &incoming(method, &format!("z9hG4bK{n}"), tag), flow())
    };
    for n in 0..28 {
        assert!(!layer.is_full());
        assert_eq!(one(&mut layer, n, "INVITE", ""), ["request INVITE"], "{n}");
    }
    assert!(layer.is_full());
    assert_eq!(one(&mut layer, 28, "INVITE", ""), ["misfit NoRoom", "send 503"]);
    // Who was let in rings others, to a point.
    let ours = |layer: &mut Layer, seq: u32, request: Request| {
        layer.handle(at(2), Input::SendRequest { tx: ClientTx { seq, ..TX }, request, flow: flow() });
        drain(layer)
    };
    assert_eq!(ours(&mut layer, 101, outgoing(Method::Invite)), ["send INVITE"]);
    let Message::Request(request) = incoming("INVITE", "z9hG4bKhelp", "") else { panic!("a request") };
    layer.handle(at(2), Input::CalledForHelp { request, flow: flow() });
    assert_eq!(drain(&mut layer), ["request INVITE"], "help is let in");
    assert_eq!(ours(&mut layer, 102, outgoing(Method::Invite)), ["full"]);
    assert_eq!(one(&mut layer, 30, "BYE", ";tag=t"), ["request BYE"]);
    let mut bye = outgoing(Method::Bye);
    bye.headers.set("To", "<sip:bob@b.example>;tag=t");
    assert_eq!(ours(&mut layer, 103, bye), ["send BYE"]);
    assert_eq!(layer.transactions(), 32, "full to the last place");
    assert_eq!(one(&mut layer, 3, "CANCEL", ""), ["send 200", "cancelled None"]);
}

#[test]
fn who_is_let_in_for_help_rings_others_to_the_last_place() {
    let mut layer = Layer::new(LayerSettings {
        prefix: "s1-".into(),
        key: [9; 32],
        timers: Timers::default(),
        transactions_max: 32,
    });
    let ours = |layer: &mut Layer, seq: u32, helps: bool| {
        let send = Input::SendRequest { tx: ClientTx { seq, ..TX }, request: outgoing(Method::Invite), flow: flow() };
        layer.handle(at(2), if helps { send.for_help() } else { send });
        drain(layer)
    };
    for seq in 0..30 {
        assert_eq!(ours(&mut layer, seq, false), ["send INVITE"], "{seq}");
    }
    assert_eq!(ours(&mut layer, 30, false), ["full"]);
    assert_eq!(ours(&mut layer, 30, true), ["send INVITE"]);
    assert_eq!(ours(&mut layer, 31, true), ["send INVITE"]);
    assert_eq!(ours(&mut layer, 32, true), ["full"], "there is no place any more");
}

#[test]
fn refused_request_is_answered_and_forgotten_and_its_repeat_gets_the_same_tag() {
    let mut layer = layer();
    let mut tags = Vec::new();
    for (branch, method) in
        [("z9hG4bKx", "INVITE"), ("z9hG4bKx", "INVITE"), ("z9hG4bKx", "REGISTER"), ("z9hG4bKy", "INVITE")]
    {
        let (tx, request) = begin(&mut layer, &incoming(method, branch, ""), flow());
        layer.handle(at(1), Input::Refuse { tx, response: Response::to_request(&request, 407) });
        let Some(Output::Transmit { bytes, .. }) = layer.poll_output() else { panic!("no answer") };
        let Message::Response(response) = parse_datagram(&bytes).unwrap() else { panic!("no response") };
        assert_eq!(response.status, 407);
        tags.push(response.headers.to().unwrap().tag().unwrap().to_owned());
        assert_eq!(layer.transactions(), 0);
    }
    assert_eq!(tags[0], tags[1], "RFC 3261 section 8.2.7");
    assert!(tags[0] != tags[2] && tags[0] != tags[3]);
    assert_eq!(run_out(&mut layer), [], "nothing is sent again");
}

#[test]
fn ignored_request_hears_nothing_not_even_a_100() {
    let mut layer = layer();
    let (tx, _) = begin(&mut layer, &incoming("INVITE", "z9hG4bKx", ""), flow());
    layer.handle(at(1), Input::Ignore { tx });
    assert_eq!(layer.transactions(), 0);
    assert_eq!(run_out(&mut layer), []);
}

#[test]
fn cancel_for_nothing_leaves_nothing() {
    let mut layer = layer();
    assert_eq!(
        receive(&mut layer, at(3), &incoming("CANCEL", "z9hG4bKy", ""), flow()),
        ["misfit NothingToCancel", "send 481"]
    );
    assert_eq!(layer.transactions(), 0);
}

#[test]
fn invite_that_came_another_way_as_well_is_482_until_the_first_is_refused() {
    let mut layer = layer();
    let (tx, request) = begin(&mut layer, &incoming("INVITE", "z9hG4bKone", ""), flow());
    let copy = fork("sip:101@192.0.2.1");
    assert_eq!(receive(&mut layer, at(1), &copy, flow()), ["misfit Merged", "send 482"], "RFC 3261 section 8.2.2.2");
    assert_eq!(receive(&mut layer, at(2), &incoming("INVITE", "z9hG4bKone", ""), flow()), ["send 100"], "a repeat");
    respond(&mut layer, at(3), tx, &request, 180);
    assert_eq!(receive(&mut layer, at(4), &copy, flow()), ["misfit Merged", "send 482"]);
    respond(&mut layer, at(5), tx, &request, 486);
    assert_eq!(receive(&mut layer, at(6), &copy, flow()), ["request INVITE"], "tried again after a refusal");
    run_out(&mut layer);
    layer.handle(at(1_000_000), Input::Tick);
    assert_eq!((layer.transactions(), layer.by_merge.len()), (0, 0));
}

#[test]
fn invites_of_one_caller_for_two_users_are_two() {
    let mut layer = layer();
    begin(&mut layer, &incoming("INVITE", "z9hG4bKone", ""), flow());
    assert_eq!(receive(&mut layer, at(1), &fork("sip:102@192.0.2.1"), flow()), ["request INVITE"]);
}

#[test]
fn a_request_whose_via_cannot_be_read_is_answered_where_it_came_from_and_an_ack_is_not() {
    let mut layer = layer();
    let broken = |method: &str, via: &str| {
        parse(&format!(
            "{method} sip:101@192.0.2.1 SIP/2.0\n{via}From: <sip:bob@b.example>;tag=b\nTo: <sip:101@a.example>\n\
             Call-ID: broken\nCSeq: 1 {method}\nMax-Forwards: 70\nContent-Length: 0\n\n"
        ))
    };
    let via = "Via: SIP/2.0/UDP 192.0.2.15;;,;,,\n";
    layer.handle(Time::ZERO, Input::Received { message: broken("INVITE", via), flow: flow() });
    let Some(Output::Misfit { misfit, answer: Some(turned), .. }) = layer.poll_output() else { panic!("no answer") };
    let text = std::str::from_utf8(&turned.bytes).unwrap();
    assert_eq!((misfit, turned.back), (Misfit::Nameless, flow()));
    assert!(
        text.starts_with("SIP/2.0 400 Bad Request (malformed Via header)\r\n") && text.contains(via.trim()),
        "{text}"
    );
    for message in [broken("ACK", via), broken("OPTIONS", "")] {
        layer.handle(Time::ZERO, Input::Received { message, flow: flow() });
        assert_eq!(drain(&mut layer), [""; 0]);
    }
    assert_eq!(layer.transactions(), 0);
}
