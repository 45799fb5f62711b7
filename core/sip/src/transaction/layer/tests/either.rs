//! Requests whose peer leaves the transport open.

use super::*;

fn stream() -> Flow {
    Flow { transport: Transport::Tcp, connection: 0, ..flow() }
}

/// An INVITE that is this long with our Via.
fn long(bytes: usize) -> Request {
    let mut request = outgoing(Method::Invite);
    let mut layer = layer();
    let bare = send_as(&mut layer, request.clone()).1;
    request.headers.push("Subject", "x".repeat(bytes - bare - "Subject: \r\n".len()));
    request
}

fn send_as(layer: &mut Layer, request: Request) -> (Flow, usize) {
    layer.handle(Time::ZERO, Input::SendEither { tx: TX, request, flow: flow(), larger: stream() });
    match layer.poll_output() {
        Some(Output::Transmit { flow, bytes, .. }) => (flow, bytes.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_an_invite_that_is_too_long_for_udp_goes_over_a_stream() {
    assert_eq!(send_as(&mut layer(), long(1_300)), (flow(), 1_300));
    let (over, _) = send_as(&mut layer(), long(1_301));
    assert_eq!(over, stream());
}

#[test]
fn a_stream_that_is_refused_is_given_up_for_udp_at_once() {
    let mut layer = layer();
    send_as(&mut layer, long(2_000));
    layer.handle(at(5), Input::Failed { flow: stream() });
    let Some(Output::Transmit { flow: over, bytes, .. }) = layer.poll_output() else { panic!("nothing over UDP") };
    assert_eq!(over, flow());
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.contains("Via: SIP/2.0/UDP ") && !text.contains("SIP/2.0/TCP"), "{text}");
    assert_eq!(drain(&mut layer), [""; 0], "nobody is told of a fault");
    let Message::Request(request) = parse_datagram(&bytes).unwrap() else { panic!("{text}") };
    assert_eq!(answer(&mut layer, at(10), &request, 180), ["response 180"]);
    layer.handle(at(20), Input::Failed { flow: flow() });
    assert_eq!(drain(&mut layer), ["transport error"], "there is no third way");
}

#[test]
fn a_stream_that_breaks_after_an_answer_is_a_fault() {
    let mut layer = layer();
    layer.handle(Time::ZERO, Input::SendEither { tx: TX, request: long(2_000), flow: flow(), larger: stream() });
    let Some(Output::Transmit { bytes, .. }) = layer.poll_output() else { panic!("nothing sent") };
    let Message::Request(request) = parse_datagram(&bytes).unwrap() else { panic!("{bytes:?}") };
    assert_eq!(answer(&mut layer, at(10), &request, 180), ["response 180"]);
    layer.handle(at(20), Input::Failed { flow: stream() });
    assert_eq!(drain(&mut layer), ["transport error"]);
}

#[test]
fn who_gave_up_meanwhile_gives_up_over_udp_too() {
    let mut layer = layer();
    send_as(&mut layer, long(2_000));
    layer.handle(at(1), Input::Cancel { tx: TX, reason: None });
    layer.handle(at(5), Input::Failed { flow: stream() });
    let Some(Output::Transmit { bytes, .. }) = layer.poll_output() else { panic!("nothing over UDP") };
    let Message::Request(request) = parse_datagram(&bytes).unwrap() else { panic!("{bytes:?}") };
    assert_eq!(answer(&mut layer, at(10), &request, 180), ["response 180", "send CANCEL"]);
}

#[test]
fn a_stream_that_stays_silent_is_given_up_for_udp_after_a_second() {
    let mut layer = layer();
    send_as(&mut layer, long(2_000));
    layer.handle(at(999), Input::Tick);
    assert_eq!(drain(&mut layer), [""; 0]);
    assert_eq!(layer.poll_timeout(), Some(at(1_000)));
    layer.handle(at(1_000), Input::Tick);
    let Some(Output::Transmit { flow: over, bytes, .. }) = layer.poll_output() else { panic!("nothing over UDP") };
    assert_eq!(over, flow());
    let Message::Request(request) = parse_datagram(&bytes).unwrap() else { panic!("{bytes:?}") };
    layer.handle(at(10_000), Input::Failed { flow: stream() });
    assert_eq!(drain(&mut layer), [""; 0], "that the stream fails in the end is nothing new");
    assert_eq!(answer(&mut layer, at(10_010), &request, 180), ["response 180"]);
}

#[test]
fn a_stream_over_which_a_word_came_is_not_left() {
    let mut layer = layer();
    layer.handle(Time::ZERO, Input::SendEither { tx: TX, request: long(2_000), flow: flow(), larger: stream() });
    let Some(Output::Transmit { bytes, .. }) = layer.poll_output() else { panic!("nothing sent") };
    let Message::Request(request) = parse_datagram(&bytes).unwrap() else { panic!("{bytes:?}") };
    assert_eq!(answer(&mut layer, at(10), &request, 100), ["response 100"]);
    layer.handle(at(2_000), Input::Tick);
    assert_eq!(drain(&mut layer), [""; 0]);
}
