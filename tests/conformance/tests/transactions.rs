//! The transaction sequences of `sipx-testkit`, each a row of the tables of RFC 3261 section 17, run through our layer.
//!
//! Its programs fire timers by their letters. Ours have none: a program that fires one lets time pass, to the next
//! moment that the layer waits for (A, E, G), by 200 ms (the 100), or until a transaction is over (the others).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::transaction::{ClientTx, Input, Layer, LayerSettings, Output, ServerTx, TRANSACTIONS_MAX, Timers};
use plugboard_sip::{Message, Method, Request, RequestUri, Response, parse_datagram};
use sipx_testkit::transaction_sequence::{Event, FIRST_LEGACY_SLOT, STATUSES, TAGS, seeds};
use std::collections::BTreeMap;
use std::time::Duration;

/// The order of `sipx_testkit::transaction_sequence::TIMERS`.
const TIMER_LETTERS: [&str; 13] = ["A", "B", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "100"];

const METHODS: [&str; 6] = ["INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS"];

struct Player {
    now: Time,
    layer: Layer,
    /// What was sent, by slot and method.
    sent: BTreeMap<(u8, u8), (Request, Flow)>,
    /// What came, by slot and method.
    came: BTreeMap<(u8, u8), (ServerTx, Request)>,
    seen: Vec<String>,
}

fn flow(reliable: bool) -> Flow {
    let (local, remote) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    if reliable { Flow::tcp(local, remote, 1) } else { Flow::udp(local, remote) }
}

fn request(slot: u8, method: u8, to_tag: Option<u8>) -> Request {
    let name = METHODS[usize::from(method)];
    let mut request = Request::new(Method::from_token(name), RequestUri::parse("sip:bob@b.example").unwrap());
    let to_tag = to_tag.map(|tag| format!(";tag={}", TAGS[usize::from(tag)])).unwrap_or_default();
    for (header, value) in [
        ("From", "<sip:ann@a.example>;tag=f"),
        ("To", &format!("<sip:bob@b.example>{to_tag}")),
        ("Call-ID", &format!("call-{slot}")),
        ("CSeq", &format!("1 {name}")),
    ] {
        request.headers.push(header, value);
    }
    request
}

impl Player {
    fn new() -> Self {
        let settings = LayerSettings {
            prefix: "z9hG4bK-s0-".into(),
            key: [1; 32],
            timers: Timers::default(),
            transactions_max: TRANSACTIONS_MAX,
        };
        let layer = Layer::new(settings);
        Self { now: Time::ZERO, layer, sent: BTreeMap::new(), came: BTreeMap::new(), seen: Vec::new() }
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::SendRequest { slot, method, reliable } => {
                let tx = ClientTx { owner: slot.into(), seq: method.into() };
                let input = Input::SendRequest { tx, request: request(slot, method, None), flow: flow(reliable) };
                self.layer.handle(self.now, input);
                // What goes out carries our branch, and the response needs it.
                if let Some(Output::Transmit { bytes, flow, .. }) = self.layer.poll_output()
                    && let Ok(Message::Request(request)) = parse_datagram(&bytes)
                {
                    self.seen.push(format!("send {}", request.method));
                    self.sent.insert((slot, method), (request, flow));
                }
            }
            Event::ReceiveRequest { slot, method, reliable, to_tag } => {
                let mut request = request(slot, method, (METHODS[usize::from(method)] == "ACK").then_some(to_tag));
                let cookie = if slot < FIRST_LEGACY_SLOT { "z9hG4bK" } else { "" };
                request.headers.push_via(format!("SIP/2.0/UDP 192.0.2.2:5060;branch={cookie}{slot};rport"));
                self.receive(Message::Request(request), flow(reliable), (slot, method));
            }
            Event::ReceiveResponse { slot, method, status, to_tag } => {
                let (request, flow) = &self.sent[&(slot, method)];
                let response =
                    Response::to_request_tagged(request, STATUSES[usize::from(status)], TAGS[usize::from(to_tag)]);
                let flow = *flow;
                self.receive(Message::Response(response), flow, (slot, method));
            }
            Event::SendResponse { slot, method, status, to_tag } => {
                // A CANCEL is answered by the layer itself.
                if let Some((tx, request)) = self.came.get(&(slot, method)) {
                    let (status, tag) = (STATUSES[usize::from(status)], TAGS[usize::from(to_tag)]);
                    let response = Response::to_request_tagged(request, status, tag);
                    self.layer.handle(self.now, Input::Respond { tx: *tx, response });
                }
            }
            Event::FireTimer { timer, .. } => self.fire(TIMER_LETTERS[usize::from(timer)]),
            Event::TransportError { .. } => self.layer.handle(self.now, Input::Failed { flow: flow(false) }),
            Event::Abandon { .. } => self.until_one_is_over(),
        }
        self.drain(None);
    }

    fn receive(&mut self, message: Message, flow: Flow, from: (u8, u8)) {
        self.layer.handle(self.now, Input::Received { message, flow });
        self.drain(Some(from));
    }

    fn fire(&mut self, letter: &str) {
        match letter {
            "A" | "E" | "G" => {
                if let Some(at) = self.layer.poll_timeout() {
                    self.now = at;
                    self.layer.handle(at, Input::Tick);
                }
            }
            "100" => {
                self.now = self.now + Duration::from_millis(200);
                self.layer.handle(self.now, Input::Tick);
            }
            _ => self.until_one_is_over(),
        }
    }

    fn until_one_is_over(&mut self) {
        let before = self.layer.transactions();
        while self.layer.transactions() == before
            && let Some(at) = self.layer.poll_timeout()
        {
            self.now = at;
            self.layer.handle(at, Input::Tick);
            self.drain(None);
        }
    }

    fn drain(&mut self, from: Option<(u8, u8)>) {
        while let Some(output) = self.layer.poll_output() {
            self.seen.push(match output {
                Output::Transmit { bytes, .. } => match parse_datagram(&bytes).unwrap() {
                    Message::Request(request) => format!("send {}", request.method),
                    Message::Response(response) => format!("send {}", response.status),
                },
                Output::Request { tx, request, .. } => {
                    let words = format!("request {}", request.method);
                    self.came.insert(from.unwrap(), (tx, request));
                    words
                }
                Output::Cancelled { .. } => "cancelled".into(),
                Output::Ack { .. } => "ack".into(),
                Output::Response { response, .. } => format!("response {}", response.status),
                Output::Stray { response, .. } => format!("stray {}", response.status),
                Output::Timeout { .. } => "timeout".into(),
                Output::TransportError { .. } => "transport error".into(),
                Output::Full { .. } => "full".into(),
                Output::Lost { .. } => "lost".into(),
                Output::Misfit { answer: Some(turned), .. } => match parse_datagram(&turned.bytes).unwrap() {
                    Message::Request(request) => format!("send {}", request.method),
                    Message::Response(response) => format!("send {}", response.status),
                },
                // It is for the log.
                Output::Misfit { answer: None, .. } => continue,
            });
        }
    }
}

/// What RFC 3261, RFC 6026 and RFC 4320 ask for in each program; `x7` is seven times the same.
const EXPECTED: [(&str, &str); 17] = [
    ("t1-invite-client-retransmits-then-times-out", "send INVITE x7, timeout"),
    ("t2-invite-client-acks-a-non-2xx", "send INVITE, send ACK, response 486, send ACK"),
    ("t3-invite-client-2xx-is-not-acked-and-a-fork-answers-twice", "send INVITE, response 200 x2"),
    ("invite-client-waits-in-proceeding-with-no-timeout", "send INVITE, response 180, response 200"),
    ("non-invite-client-backs-off-then-times-out", "send OPTIONS x11, timeout"),
    ("non-invite-client-completes-on-a-final-response", "send BYE, response 200"),
    ("t5-server-absorbs-request-retransmissions", "request REGISTER, send 200 x2"),
    ("t7-invite-server-sends-100-then-absorbs-the-ack", "request INVITE, send 100, send 486 x2"),
    ("t8-invite-server-2xx-hands-the-ack-to-the-tu", "request INVITE, send 180, send 200, ack"),
    ("invite-server-times-out-waiting-for-an-ack", "request INVITE, send 500 x11"),
    (
        "t9-reliable-transport-sets-no-retransmission-timers",
        "send INVITE, send ACK, response 486, request OPTIONS, send 200",
    ),
    ("t13-legacy-branch-matching", "request OPTIONS, send 200 x2"),
    ("t14-cancel-runs-in-its-own-transaction", "request INVITE, send 200, cancelled, send 486"),
    ("transport-error-terminates-and-tells-the-tu", "send OPTIONS, transport error"),
    ("abandon-a-server-transaction-the-application-never-answered", "request REGISTER"),
    ("stale-timers-fire-after-the-transaction-is-gone", "send OPTIONS, response 200"),
    ("non-invite-client-times-out-from-proceeding-too", "send REGISTER, response 100, send REGISTER x8, timeout"),
];

/// `a, a, b` as `a x2, b`.
fn folded(words: &[String]) -> String {
    let runs = words.chunk_by(|a, b| a == b).map(|run| match run {
        [one] => one.clone(),
        many => format!("{} x{}", many[0], many.len()),
    });
    runs.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_sequence_does_what_the_rfc_says_and_leaves_nothing() {
    let seeds = seeds();
    assert_eq!(seeds.len(), EXPECTED.len());
    for seed in seeds {
        let expected = EXPECTED.iter().find(|(name, _)| *name == seed.name).map(|(_, expected)| *expected);
        let mut player = Player::new();
        for event in seed.program.events {
            player.play(event);
        }
        assert_eq!(Some(folded(&player.seen).as_str()), expected, "{}", seed.name);
        assert_eq!(player.layer.transactions(), 0, "{}", seed.name);
    }
}
