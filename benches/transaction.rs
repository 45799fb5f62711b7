//! What the transaction layer costs: a call that comes in and one that goes out, each from its INVITE to its BYE,
//! reading and writing the messages included.

#![expect(clippy::expect_used, reason = "a bench that cannot go on says so and stops")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::{ClientTx, Input, Layer, LayerSettings, Output, TRANSACTIONS_MAX, Timers};
use plugboard_sip::{Message, Method, Request, RequestUri, Response, parse_datagram};

/// Between two calls: 100 a second, so that those of the last 32 s are in the tables, as in a busy switch.
const BETWEEN: Duration = Duration::from_millis(10);

/// A layer with its clock.
struct World {
    layer: Layer,
    flow: Flow,
    now: Time,
    call: u32,
}

impl World {
    fn new() -> Self {
        let layer = Layer::new(LayerSettings {
            prefix: "z9hG4bK-s0-".into(),
            key: [7; 32],
            timers: Timers::default(),
            transactions_max: TRANSACTIONS_MAX,
        });
        let address = |text: &str| text.parse().expect("an address");
        let flow = Flow::udp(address("192.0.2.1:5060"), address("192.0.2.9:5066"));
        Self { layer, flow, now: Time::ZERO, call: 0 }
    }

    fn feed(&mut self, input: Input) -> Option<Output> {
        self.layer.handle(self.now, input);
        let mut last = None;
        while let Some(output) = self.layer.poll_output() {
            last = Some(output);
        }
        last
    }

    fn receive(&mut self, bytes: &[u8]) -> Option<Output> {
        let message = parse_datagram(bytes).expect("our own message is sound");
        let flow = self.flow;
        self.feed(Input::Received { message, flow })
    }

    /// A new call's moment: what is over by now is forgotten.
    fn next(&mut self) -> u32 {
        self.now = self.now + BETWEEN;
        self.call += 1;
        self.feed(Input::Tick);
        self.call
    }

    /// INVITE, 100, 180, 200, ACK, BYE, 200.
    fn incoming(&mut self) {
        let call = self.next();
        for method in ["INVITE", "BYE"] {
            let Some(Output::Request { tx, request, .. }) = self.receive(request(method, call).as_bytes()) else {
                unreachable!("a new request is given to its user")
            };
            if method == "INVITE" {
                self.feed(Input::Respond { tx, response: Response::to_request_tagged(&request, 180, "t") });
            }
            self.feed(Input::Respond { tx, response: Response::to_request_tagged(&request, 200, "t") });
            if method == "INVITE" {
                black_box(self.receive(self::request("ACK", call).replace("-ACK", "-2ACK").as_bytes()));
            }
        }
    }

    /// INVITE, 100, 180, 200, BYE, 200.
    fn outgoing(&mut self) {
        let call = self.next();
        for (seq, method) in [(1, Method::Invite), (2, Method::Bye)] {
            let statuses: &[u16] = if method == Method::Invite { &[100, 180, 200] } else { &[200] };
            let tx = ClientTx { owner: call.into(), seq };
            let request = outgoing(method, call);
            let flow = self.flow;
            let Some(Output::Transmit { bytes, .. }) = self.feed(Input::SendRequest { tx, request, flow }) else {
                unreachable!("a request is sent")
            };
            for status in statuses {
                black_box(self.receive(&answer(&bytes, *status)));
            }
        }
    }
}

fn request(method: &str, call: u32) -> String {
    format!(
        "{method} sip:101@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5066;branch=z9hG4bK-{call}-{method};rport\r\n\
         From: <sip:bob@b.example>;tag=b\r\nTo: <sip:101@a.example>\r\nCall-ID: call-{call}@b.example\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:bob@192.0.2.9:5066>\r\nContent-Length: 0\r\n\r\n"
    )
}

fn outgoing(method: Method, call: u32) -> Request {
    let cseq = format!("1 {method}");
    let mut request = Request::new(method, RequestUri::parse("sip:bob@192.0.2.9:5066").expect("a URI"));
    let call_id = format!("s0-{call}");
    for (name, value) in [
        ("Max-Forwards", "70"),
        ("From", "<sip:101@a.example>;tag=a"),
        ("To", "<sip:bob@b.example>"),
        ("Call-ID", &call_id),
        ("CSeq", &cseq),
    ] {
        request.headers.push(name, value);
    }
    request
}

fn answer(bytes: &Bytes, status: u16) -> Vec<u8> {
    let Ok(Message::Request(request)) = parse_datagram(bytes) else { unreachable!("it was a request") };
    Response::to_request_tagged(&request, status, "far").to_bytes()
}

fn transaction(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transaction");
    let mut world = World::new();
    group.bench_function("a call that comes in", |bencher| bencher.iter(|| world.incoming()));
    let mut world = World::new();
    group.bench_function("a call that goes out", |bencher| bencher.iter(|| world.outgoing()));
    group.finish();
}

criterion_group!(benches, transaction);
criterion_main!(benches);
