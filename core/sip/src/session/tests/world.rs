//! Two parties, their layers, and a network between them that loses, delays and reorders by a seed.

use super::*;
use crate::lexer::parse_datagram;
use crate::transaction::{Layer, LayerSettings, Output as FromLayer, TRANSACTIONS_MAX};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use transaction::Input as ToLayer;

const CALLER: usize = 0;
const CALLED: usize = 1;

struct Party {
    address: SocketAddr,
    layer: Layer,
    session: Option<Session>,
    events: Vec<Event>,
    /// Whether new offers are accepted without being asked.
    agrees: bool,
}

struct World {
    now: Time,
    parties: [Party; 2],
    /// What is under way: arrival and order, target, source, bytes.
    network: BTreeMap<(Time, u64), (usize, SocketAddr, Bytes)>,
    sent: u64,
    random: u64,
    loss_percent: u64,
    delay_ms: u64,
    ladder: Vec<String>,
}

impl World {
    fn new(seed: u64, loss_percent: u64, delay_ms: u64) -> Self {
        let party = |n: u8| Party {
            address: SocketAddr::from(([192, 0, 2, n], 5060)),
            layer: Layer::new(LayerSettings {
                prefix: format!("z9hG4bK-{n}-"),
                key: [n; 32],
                timers: Timers::default(),
                transactions_max: TRANSACTIONS_MAX,
            }),
            session: None,
            events: Vec::new(),
            agrees: true,
        };
        let mut world = Self {
            now: Time::ZERO,
            parties: [party(1), party(2)],
            network: BTreeMap::new(),
            sent: 0,
            random: seed.wrapping_add(0x9e37_79b9_7f4a_7c15),
            loss_percent,
            delay_ms,
            ladder: Vec::new(),
        };
        let flow = Flow::udp(world.parties[CALLER].address, world.parties[CALLED].address);
        world.parties[CALLER].session = Some(Session::outgoing(local(1), spec(flow)));
        world.settle();
        world
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below
    }

    fn command(&mut self, who: usize, command: Command) {
        if let Some(session) = &mut self.parties[who].session {
            session.handle(self.now, Input::Command(command));
        }
        self.settle();
    }

    fn pass(&mut self, millis: u64) {
        self.run(Some(self.now + Duration::from_millis(millis)));
    }

    /// Lets time pass until `until` or, without one, until nothing is left to happen.
    fn run(&mut self, until: Option<Time>) {
        loop {
            let arrival = self.network.keys().next().map(|(at, _)| *at);
            let timers = self
                .parties
                .iter()
                .flat_map(|party| [party.layer.poll_timeout(), party.session.as_ref().and_then(Session::poll_timeout)]);
            let Some(next) = timers.flatten().chain(arrival).min() else { break };
            if until.is_some_and(|until| next > until) {
                break;
            }
            self.now = self.now.max(next);
            while let Some(entry) = self.network.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, from, bytes) = entry.remove();
                let message = parse_datagram(&bytes).expect("what is sent can be read");
                let flow = Flow::udp(self.parties[to].address, from);
                self.parties[to].layer.handle(self.now, ToLayer::Received { message, flow });
                self.settle();
            }
            for who in [CALLER, CALLED] {
                let party = &mut self.parties[who];
                if party.layer.poll_timeout().is_some_and(|at| at <= self.now) {
                    party.layer.handle(self.now, ToLayer::Tick);
                }
                if let Some(session) = &mut party.session
                    && session.poll_timeout().is_some_and(|at| at <= self.now)
                {
                    session.handle(self.now, Input::Tick);
                }
            }
            self.settle();
        }
        if let Some(until) = until {
            self.now = self.now.max(until);
        }
    }

    /// Carries outputs until both sides are silent.
    fn settle(&mut self) {
        for who in [CALLER, CALLED] {
            loop {
                let party = &mut self.parties[who];
                if let Some(output) = party.session.as_mut().and_then(Session::poll_output) {
                    self.hear_session(who, output);
                } else if let Some(output) = party.layer.poll_output() {
                    self.hear_layer(who, output);
                } else {
                    break;
                }
            }
        }
    }

    fn hear_session(&mut self, who: usize, output: Output) {
        let now = self.now;
        let party = &mut self.parties[who];
        match output {
            Output::Transaction(input) => party.layer.handle(now, input),
            Output::Event(event) => {
                if matches!(event, Event::Reoffered { .. })
                    && party.agrees
                    && let Some(session) = &mut party.session
                {
                    session.handle(now, Input::Command(Command::AcceptReoffer { sdp: sdp("agreed") }));
                }
                party.events.push(event);
            }
        }
    }

    fn hear_layer(&mut self, who: usize, output: FromLayer) {
        let now = self.now;
        let input = match output {
            FromLayer::Transmit { flow, bytes, .. } => return self.carry(who, flow, bytes),
            FromLayer::Request { tx, request, flow } => return self.route(who, tx, request, flow),
            FromLayer::Cancelled { tx, request, .. } => Input::Cancelled { tx, request },
            FromLayer::Ack { request, flow } => Input::Ack { request, flow },
            FromLayer::Response { tx, response, flow } | FromLayer::Stray { tx, response, flow } => {
                Input::Response { tx, response, flow }
            }
            FromLayer::Timeout { tx } => Input::Timeout { tx },
            FromLayer::TransportError { tx } | FromLayer::Full { tx } => Input::TransportError { tx },
            FromLayer::Lost { tx, .. } => Input::Lost { tx },
            FromLayer::Misfit { answer: Some(turned), .. } => return self.carry(who, turned.back, turned.bytes),
            FromLayer::Misfit { answer: None, .. } => return,
        };
        if let Some(session) = &mut self.parties[who].session {
            session.handle(now, input);
        }
    }

    fn route(&mut self, who: usize, tx: ServerTx, request: Request, flow: Flow) {
        let now = self.now;
        let party = &mut self.parties[who];
        match &mut party.session {
            Some(session) => session.handle(now, Input::Request { tx, request, flow }),
            None if DialogId::of_request(&request).is_some() => {
                let response = Response::to_request(&request, 481);
                party.layer.handle(now, ToLayer::Respond { tx, response });
            }
            None => {
                party.session = Some(Session::incoming(tx, request, flow, NextHop::Source, local(2)).unwrap());
            }
        }
    }

    fn carry(&mut self, who: usize, flow: Flow, bytes: Bytes) {
        let to = 1 - who;
        assert_eq!(flow.remote, self.parties[to].address);
        let line = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
        let lost = self.random(100) < self.loss_percent;
        let arrow = if who == CALLER { "->" } else { "<-" };
        self.ladder.push(format!("{} {arrow} {line}{}", self.now.as_millis(), if lost { " (lost)" } else { "" }));
        if !lost {
            let delay = Duration::from_millis(self.random(self.delay_ms) + 1);
            self.sent += 1;
            self.network.insert((self.now + delay, self.sent), (to, flow.local, bytes));
        }
    }

    fn session(&self, who: usize) -> Option<&Session> {
        self.parties[who].session.as_ref()
    }

    fn events(&self, who: usize) -> &[Event] {
        &self.parties[who].events
    }

    /// What must hold at the end of every call.
    fn check_over(&self) {
        for party in &self.parties {
            assert_eq!(party.layer.transactions(), 0, "{:#?}", self.ladder);
            let Some(session) = &party.session else { continue };
            let ends = party.events.iter().filter(|event| is_end(event)).count();
            let finished = party.events.iter().filter(|event| matches!(event, Event::Finished)).count();
            assert_eq!((ends, finished), (1, 1), "{:#?}\n{:#?}", party.events, self.ladder);
            assert!(session.is_over());
        }
    }
}

fn after(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// A call that is up, whatever the network loses.
fn connected(seed: u64, loss: u64) -> World {
    let mut world = World::new(seed, loss, 40);
    while world.session(CALLED).is_none() && world.now < after(31_000) {
        world.pass(1_000);
    }
    world.command(CALLED, Command::Progress { status: 180, sdp: None });
    world.pass(1_000);
    world.command(CALLED, Command::Answer { sdp: sdp("answer") });
    // As long as the answer is repeated.
    world.pass(33_000);
    world
}

#[test]
fn call_is_made_rings_is_answered_and_ends_by_the_caller() {
    let mut world = connected(1, 0);
    assert_eq!(world.events(CALLED), [Event::Established { sdp: None }]);
    world.command(CALLER, Command::End { reason: None });
    world.run(None);
    world.check_over();
    let caller = [
        Event::Progress { status: 180, sdp: None, sounds: None },
        Event::Answered { sdp: Some(sdp("answer")) },
        Event::Ended { cause: Cause::normal(), by_remote: false },
        Event::Finished,
    ];
    assert_eq!(world.events(CALLER), caller);
    assert_eq!(world.events(CALLED)[1], Event::Ended { cause: Cause::normal(), by_remote: true });
    let lines: Vec<&str> = world.ladder.iter().filter_map(|line| line.split_once(' ')).map(|(_, line)| line).collect();
    assert_eq!(
        lines,
        [
            "-> INVITE sip:102@192.0.2.2:5060 SIP/2.0",
            "<- SIP/2.0 100 Trying",
            "<- SIP/2.0 180 Ringing",
            "<- SIP/2.0 200 OK",
            "-> ACK sip:leg2@192.0.2.2:5060 SIP/2.0",
            "-> BYE sip:leg2@192.0.2.2:5060 SIP/2.0",
            "<- SIP/2.0 200 OK",
        ]
    );
}

#[test]
fn fifth_of_all_packets_may_be_lost() {
    for seed in 0..40 {
        let mut world = connected(seed, 20);
        assert!(world.session(CALLER).is_some_and(Session::is_up), "seed {seed}: {:#?}", world.ladder);
        let established = world.events(CALLED).contains(&Event::Established { sdp: None });
        assert!(established, "seed {seed}: {:#?}", world.ladder);
        world.command(CALLED, Command::End { reason: None });
        world.run(None);
        world.check_over();
    }
}

#[test]
fn caller_who_gives_up_while_ringing_stops_the_ringing() {
    let mut world = World::new(3, 0, 40);
    world.run(Some(after(1_000)));
    world.command(CALLED, Command::Progress { status: 180, sdp: None });
    world.run(Some(after(2_000)));
    world.command(CALLER, Command::End { reason: Some("SIP;cause=200;text=\"Call completed elsewhere\"".into()) });
    world.run(None);
    world.check_over();
    let elsewhere = Cause { status: 200, text: "Call completed elsewhere".into() };
    assert_eq!(world.events(CALLED)[0], Event::Ended { cause: elsewhere, by_remote: true });
    assert!(matches!(&world.events(CALLER)[1], Event::Rejected { cause, .. } if cause.status == 487));
}

#[test]
fn answer_and_cancel_that_cross_leave_no_call() {
    for seed in 0..20 {
        let mut world = World::new(seed, 10, 60);
        world.run(Some(after(4_000)));
        world.command(CALLED, Command::Progress { status: 180, sdp: None });
        world.run(Some(after(6_000)));
        world.command(CALLED, Command::Answer { sdp: sdp("answer") });
        world.command(CALLER, Command::End { reason: None });
        world.run(None);
        world.check_over();
    }
}

#[test]
fn offers_that_cross_are_both_settled_in_the_end() {
    for seed in 0..20 {
        let mut world = connected(seed, 0);
        world.command(CALLER, Command::Reoffer { sdp: sdp("caller") });
        world.command(CALLED, Command::Reoffer { sdp: sdp("called") });
        world.pass(30_000);
        assert!(world.ladder.iter().any(|line| line.contains("491")), "{:#?}", world.ladder);
        for who in [CALLER, CALLED] {
            let done = world.events(who).iter().filter(|event| matches!(event, Event::ReofferDone(_))).count();
            assert_eq!(done, 1, "seed {seed}: {:?}", world.events(who));
            assert!(world.session(who).is_some_and(Session::is_up));
        }
        world.command(CALLER, Command::End { reason: None });
        world.run(None);
        world.check_over();
    }
}

#[test]
fn peer_that_vanishes_is_given_up() {
    let mut world = connected(5, 0);
    world.loss_percent = 100;
    world.command(CALLER, Command::End { reason: None });
    world.command(CALLED, Command::Reoffer { sdp: sdp("hold") });
    world.run(None);
    world.check_over();
    assert!(matches!(&world.events(CALLED)[1], Event::Ended { cause, by_remote: false } if cause.status == 408));
}

#[test]
fn same_seed_gives_the_same_ladder() {
    let ladder = |seed| {
        let mut world = connected(seed, 25);
        world.command(CALLER, Command::End { reason: None });
        world.run(None);
        world.ladder
    };
    assert_eq!(ladder(11), ladder(11));
    assert_ne!(ladder(11), ladder(12));
}

#[test]
fn reoffer_that_nobody_agrees_to_leaves_no_transaction() {
    let mut world = World::new(10_446_032_872_633_477_638, 31, 80);
    for party in &mut world.parties {
        party.agrees = false;
    }
    let digit = Command::SendDigit(InfoDigit { digit: '1', millis: 100 });
    for (who, command, pause) in [
        (CALLER, Command::Reoffer { sdp: sdp("offer") }, 565),
        (CALLED, Command::Answer { sdp: sdp("answer") }, 1_540),
        (CALLER, digit, 0),
        (CALLER, Command::Reoffer { sdp: sdp("offer") }, 1_574),
        (CALLED, Command::AcceptReoffer { sdp: sdp("agreed") }, 1_001),
    ] {
        world.command(who, command);
        world.pass(pause);
    }
    for who in [CALLER, CALLED] {
        world.command(who, Command::End { reason: None });
    }
    world.pass(40_000);
    world.command(CALLED, Command::End { reason: None });
    world.run(None);
    world.check_over();
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Progress { status: 180, sdp: None }),
        Just(Command::Progress { status: 183, sdp: Some(sdp("early")) }),
        Just(Command::Answer { sdp: sdp("answer") }),
        Just(Command::Answer { sdp: sdp("answer") }),
        Just(Command::Reject { status: 486, phrase: None, reason: None, headers: Vec::new() }),
        Just(Command::End { reason: None }),
        Just(Command::Reoffer { sdp: sdp("offer") }),
        Just(Command::AcceptReoffer { sdp: sdp("agreed") }),
        Just(Command::RejectReoffer { status: 488, why: "", headers: Vec::new() }),
        Just(Command::SendDigit(InfoDigit { digit: '1', millis: 100 })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Whatever both sides do and whatever is lost, each session ends once and no transaction is left.
    #[test]
    fn each_session_ends_once(
        seed: u64,
        loss in 0u64..60,
        agrees: bool,
        script in prop::collection::vec((0usize..2, any_command(), 0u64..3_000), 0..14),
    ) {
        let mut world = World::new(seed, loss, 80);
        for party in &mut world.parties {
            party.agrees = agrees;
        }
        for (who, command, pause) in script {
            world.command(who, command);
            world.pass(pause);
        }
        for who in [CALLER, CALLED] {
            world.command(who, Command::End { reason: None });
        }
        // A call that has not reached the other side yet is ended there when it comes.
        world.pass(40_000);
        world.command(CALLED, Command::End { reason: None });
        world.run(None);
        world.check_over();
    }
}
