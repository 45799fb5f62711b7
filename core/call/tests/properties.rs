//! Whatever happens in whatever order, the contract of the crate's page holds.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

use plugboard_call::{
    Begin, Call, Input, Led, OfferedDevices, Onward, Op, Origin, Output, OwnForwards, Park, Party, PlayFinish, PlayId,
    Redirect, Request, RingOrder, Service, Transfer,
};
use plugboard_model::{
    Audio, CallId, Cause, CollectRequest, Direction, FaxError, FaxRequest, ForwardWhy, LegId, OfficeId, PlayOptions,
    RingBack, RouteId, RunId, ScenarioId, Time, UserId, WallTime,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A scenario, reached by a route of its name.
fn led(name: &str) -> Led {
    let office = OfficeId::new("main").unwrap();
    Led { scenario: ScenarioId::new(&office, name).unwrap(), route: RouteId::new(&office, name).unwrap() }
}

fn user(n: u8) -> UserId {
    UserId::new(&OfficeId::new("main").unwrap(), &format!("{}", 101 + u32::from(n))).unwrap()
}

fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Answer),
        any::<bool>().prop_map(|stop_on_digit| Request::Play {
            audio: Audio::Prompt("p".into()),
            options: PlayOptions { stop_on_digit, ..PlayOptions::default() }
        }),
        Just(Request::Collect(CollectRequest {
            prompt: None,
            max_digits: 2,
            first_digit_ms: 1000,
            inter_digit_ms: 500,
            end_digit: None
        })),
        Just(Request::Echo { max: Duration::from_secs(3) }),
        Just(Request::ReceiveFax(FaxRequest { ident: String::new(), pages_max: 1, max_ms: 3_000 })),
        Just(Request::Dictate { stop_on: '#', max: Duration::from_secs(3) }),
        Just(Request::NextEvent { timeout: Duration::from_secs(1) }),
        Just(Request::HangUp(Cause::of(486))),
        (prop::collection::vec(0u8..4, 0..4), any::<bool>()).prop_map(|(users, one)| Request::Ring {
            parties: users.into_iter().map(|n| Party::User(user(n))).collect(),
            order: if one { RingOrder::One } else { RingOrder::AtOnce },
            ring_for: Duration::from_secs(2),
            ring_back: RingBack::Tone,
        }),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let leg = (0u32..8).prop_map(LegId);
    prop_oneof![
        4 => (0u32..4, 0u32..4, any_request())
            .prop_map(|(run, n, request)| Input::Request { op: Op::Run { run: RunId(run), n }, request }),
        1 => (0u32..4, 0u32..4).prop_map(|(run, n)| Input::Cancel { op: Op::Run { run: RunId(run), n } }),
        1 => Just(Input::Request { op: Op::Errand, request: Request::SendFax { max: Duration::from_secs(3) } }),
        1 => Just(Input::Faxed(Err(FaxError::Talking))),
        1 => Just(Input::FaxHeard),
        1 => Just(Input::ScenarioEnded),
        1 => Just(Input::DictationOver),
        4 => (0u8..4, 0usize..3, any::<bool>()).prop_map(|(n, devices, ok)| Input::UserOffers {
            user: user(n),
            offer: if ok {
                Ok(OfferedDevices { devices: vec!["d".into(); devices], ring_for: None, waking: false, forwards: OwnForwards::default() })
            } else {
                Err(Cause::of(486))
            }
        }),
        3 => (leg.clone(), any::<bool>()).prop_map(|(leg, granted)| Input::Claimed { leg, granted }),
        3 => leg.clone().prop_map(Input::LegRang),
        1 => (leg.clone(), any::<bool>()).prop_map(|(leg, rings)| Input::LegEarlyMedia { leg, rings }),
        1 => leg.clone().prop_map(Input::LegEarlySilence),
        4 => leg.clone().prop_map(Input::LegAnswered),
        2 => (leg.clone(), prop_oneof![Just(486u16), Just(603), Just(200)])
            .prop_map(|(leg, status)| Input::LegEnded { leg, cause: Cause::of(status) }),
        2 => (leg.clone(), prop::collection::vec(0u8..4, 0..3)).prop_map(|(leg, users)| {
            let target = |n| Onward { parties: vec![Party::User(user(n))], order: RingOrder::One, to: "101".into(), scenario: None };
            let targets = users.into_iter().map(target).collect();
            Input::LegRedirected(Redirect { leg, cause: Cause::of(302), targets, why: ForwardWhy::Deflection })
        }),
        2 => (leg.clone(), any::<bool>()).prop_map(|(leg, on)| Input::LegHolds { leg, on }),
        2 => (leg.clone(), any::<bool>()).prop_map(|(leg, heard)| Input::LegSilent { leg, heard }),
        1 => leg.clone().prop_map(Input::LegLives),
        1 => leg.clone().prop_map(Input::LegHeard),
        2 => (leg.clone(), 0u8..5, any::<bool>()).prop_map(|(by, n, recall)| Input::Transfer(Transfer {
            by,
            parties: if n < 4 { vec![Party::User(user(n))] } else { Vec::new() },
            service: (n == 4).then(|| Service::Scenario(led("s"))),
            order: RingOrder::One,
            ring_for: Duration::from_secs(2),
            recall,
            to: "101".into(),
        })),
        1 => leg.clone().prop_map(|by| Input::Park(Park {
            by,
            place: "place 1".into(),
            after: Duration::from_secs(1),
            ring_for: Duration::from_secs(1),
            rounds: 1,
        })),
        1 => prop::option::of(leg.clone()).prop_map(|leaving| Input::Join { leaving, other: "call".into() }),
        2 => leg.prop_map(|leg| Input::Digit { leg, digit: '1' }),
        1 => (0u32..6).prop_map(|n| Input::PlayEnded { play: PlayId(n), finish: PlayFinish::Finished }),
        1 => (0u8..4).prop_map(|n| Input::UserTaken(user(n))),
        2 => Just(Input::Tick),
    ]
}

/// What a driver would see, and what must hold of it.
#[derive(Default)]
struct Watch {
    made: BTreeSet<u32>,
    asked: BTreeMap<Op, i64>,
    bridges: i64,
    ended: u32,
    slots: BTreeSet<UserId>,
}

impl Watch {
    fn drain(&mut self, call: &mut Call) {
        while let Some(output) = call.poll_output() {
            assert_eq!(self.ended, 0, "nothing comes after Ended, not even {output:?}");
            match output {
                Output::MakeLeg { leg, .. } | Output::Joint { leg } => {
                    assert!(self.made.insert(leg.0), "a leg is made once");
                }
                Output::Result { op, .. } => *self.asked.entry(op).or_default() -= 1,
                Output::Bridge { .. } => self.bridges += 1,
                Output::Unbridge { .. } => self.bridges -= 1,
                Output::Occupy { user } => {
                    self.slots.insert(user);
                }
                Output::Release { user } => {
                    self.slots.remove(&user);
                }
                Output::Ended(_) => self.ended += 1,
                _ => {}
            }
            assert!((0..=1).contains(&self.bridges), "at most one bridge");
            assert!(self.asked.values().all(|open| *open >= 0), "no request is answered twice");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_call_ends_once_with_every_leg_over_and_every_slot_given_back(
        ours in any::<bool>(),
        inputs in prop::collection::vec((any_input(), 0u64..1_500), 0..60),
    ) {
        let office = OfficeId::new("main").unwrap();
        let mut call = Call::default();
        let mut watch = Watch::default();
        let mut now = Time::ZERO;
        call.handle(now, Input::Begin(Box::new(Begin {
            id: CallId::new(office.clone(), WallTime(0), 1),
            wall: WallTime(0),
            direction: Direction::Internal,
            caller: "101".into(),
            caller_name: String::new(),
            caller_user: Some(user(0)),
            caller_gateway: None,
            called: "100".into(),
            route: None,
            scenario: (!ours).then(|| ScenarioId::new(&office, "s").unwrap()),
            forwarded: 0,
            call_back: false,
            origin: if ours { Origin::Ours } else { Origin::Caller },
        })));
        if ours {
            let parties = vec![Party::User(user(1)), Party::User(user(2))];
            let request = Request::CallOut { parties, order: RingOrder::AtOnce, ring_for: Duration::from_secs(20) };
            *watch.asked.entry(Op::Errand).or_default() += 1;
            call.handle(now, Input::Request { op: Op::Errand, request });
            watch.drain(&mut call);
        }
        watch.drain(&mut call);
        for (input, wait) in inputs {
            now = now + Duration::from_millis(wait);
            match &input {
                Input::Request { .. } if call.is_over() => continue,
                Input::Request { op, .. } => *watch.asked.entry(*op).or_default() += 1,
                // A cancelled request may stay unanswered.
                Input::Cancel { op } => { watch.asked.entry(*op).and_modify(|open| *open = 1_000); }
                // The world answers only what was asked: a slot that is granted is held, a reserved one too.
                Input::Claimed { leg, granted: true } if !watch.made.contains(&leg.0) => continue,
                _ => {}
            }
            call.handle(now, input);
            watch.drain(&mut call);
        }
        if ours {
            call.handle(now, Input::HangUp(Cause::normal()));
        } else {
            call.handle(now, Input::LegEnded { leg: LegId::CALLER, cause: Cause::normal() });
        }
        watch.drain(&mut call);
        for leg in watch.made.clone() {
            call.handle(now, Input::LegEnded { leg: LegId(leg), cause: Cause::normal() });
            watch.drain(&mut call);
        }
        prop_assert_eq!(watch.ended, 1);
        prop_assert!(call.is_over());
        prop_assert_eq!(call.live_legs(), 0);
        prop_assert_eq!(watch.bridges, 0);
        prop_assert!(watch.slots.is_empty());
        prop_assert!(watch.asked.values().all(|open| *open == 0 || *open > 500), "{:?}", watch.asked);
    }
}
