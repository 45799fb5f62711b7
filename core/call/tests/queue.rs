//! A line of thousands: served in order, in the memory of a small machine.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_call::queue::{
    Heard, Joining, Outcome, Queue, QueueOutput, UserTells, WaitEnd, WaitRules, Waiting, Wanted, Wish,
};
use plugboard_call::{Begin, Call, Input, Op, Origin, Party, Request, RingOrder};
use plugboard_model::{
    Audio, CallId, Cause, Connected, Direction, Name, OfficeId, PlayOptions, RingBack, RunId, ScenarioId, Time, UserId,
    WallTime,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const CALLERS: usize = 5_000;
const USERS: usize = 50;
/// What the machines of so many callers may take: a small computer has twice as much.
const BYTES_MAX: usize = 256 << 20;
/// What their machines alone may take of it, everybody having been asked for each of them before.
const MACHINES_BYTES_MAX: usize = 48 << 20;

fn office() -> OfficeId {
    OfficeId::new("main").unwrap()
}

fn user(n: usize) -> UserId {
    UserId::new(&office(), &format!("user-{n:03}")).unwrap()
}

fn call_id(n: usize) -> CallId {
    CallId::new(office(), WallTime(1), u128::try_from(n).unwrap())
}

fn at(millis: usize) -> Time {
    Time::from_millis(u64::try_from(millis).unwrap())
}

/// Memory of this process that is in use, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// A caller for whom everybody was asked, who was answered and hears music.
fn waiting_call(n: usize) -> (Call, Waiting) {
    let mut call = Call::default();
    let begin = Begin {
        id: call_id(n),
        wall: WallTime(1),
        direction: Direction::Inbound,
        caller: format!("+4930{n:06}"),
        caller_name: String::new(),
        caller_user: None,
        caller_gateway: None,
        called: "100".into(),
        route: Some("hotline".into()),
        scenario: Some(ScenarioId { office: office(), name: Name::new("hotline").unwrap() }),
        forwarded: 0,
        call_back: false,
        origin: Origin::Caller,
    };
    call.handle(Time::ZERO, Input::Begin(Box::new(begin)));
    let parties = (0..USERS).map(|n| Party::User(user(n))).collect();
    let ring_for = Duration::from_secs(20);
    let request = Request::Ring { parties, order: RingOrder::AtOnce, ring_for, ring_back: RingBack::Tone };
    call.handle(Time::ZERO, Input::Request { op: Op::Run { run: RunId(0), n: 0 }, request });
    for n in 0..USERS {
        call.handle(Time::ZERO, Input::UserOffers { user: user(n), offer: Err(Cause::of(480)) });
    }
    while call.poll_output().is_some() {}
    let rules = WaitRules {
        max: Duration::from_hours(4),
        music: vec![Audio::Music("music".into())],
        announce: None,
        call_back_on: Some('1'),
        exit_on: None,
        language: "en".into(),
    };
    let mut waiting = Waiting::new(Time::ZERO, rules);
    while let Some(wish) = waiting.poll_wish() {
        let Wish::Play { audio, keys } = wish else { panic!("{wish:?}") };
        let options = PlayOptions { max_ms: None, repeat: true, stop_on_digit: keys };
        call.handle(Time::ZERO, Input::Request { op: Op::Queue, request: Request::Play { audio, options } });
    }
    while call.poll_output().is_some() {}
    (call, waiting)
}

#[test]
fn r69_five_thousand_callers_who_wait_are_served_in_order_within_256_mb() {
    let before = resident();
    let mut queue = Queue::default();
    let tells = |n: usize, free: Option<Time>| UserTells { user: user(n), free, out_of: BTreeSet::new(), gone: false };
    for n in 0..USERS {
        queue.user_tells(Time::ZERO, tells(n, None));
    }
    let wanted: Vec<Wanted> = (0..USERS).map(|n| Wanted { user: user(n), groups: Vec::new(), tier: 1 }).collect();
    let mut calls = BTreeMap::new();
    for n in 0..CALLERS {
        let joining = Joining {
            call: call_id(n),
            caller: format!("+4930{n:06}"),
            queue: ScenarioId { office: office(), name: Name::new("hotline").unwrap() },
            wanted: wanted.clone(),
            priority: 0,
            callers_max: 10_000,
        };
        assert!(queue.join(at(n), joining));
        calls.insert(call_id(n), waiting_call(n));
    }
    assert_eq!(queue.position(&call_id(CALLERS - 1)), Some(CALLERS));
    let took = resident().saturating_sub(before);
    assert!(took < MACHINES_BYTES_MAX, "{took} bytes");
    let mut served = Vec::new();
    let mut now = CALLERS;
    while queue.waiting() > 0 {
        now += 1;
        let agent = now % USERS;
        queue.user_tells(at(now), tells(agent, Some(at(now))));
        while let Some(output) = queue.poll_output() {
            let QueueOutput::Offer { call, user } = output else { panic!("{output:?}") };
            let (_, waiting) = calls.get_mut(&call).unwrap();
            waiting.handle(Heard::Offered(user.clone()));
            let connected = Connected { user: Some(user.clone()), number: "101".into(), rang_ms: 1 };
            waiting.handle(Heard::Answered(connected));
            let wishes: Vec<Wish> = std::iter::from_fn(|| waiting.poll_wish()).collect();
            assert!(matches!(wishes.last(), Some(Wish::End(WaitEnd::Answered(_)))), "{wishes:?}");
            served.push(call.clone());
            queue.user_tells(at(now), tells(agent, None));
            queue.rang(at(now), &call, &user, Outcome::Answered);
        }
    }
    assert!(served.iter().eq((0..CALLERS).map(call_id).collect::<Vec<_>>().iter()), "in the order in which they came");
    let most = resident().saturating_sub(before);
    assert!(most < BYTES_MAX, "{most} bytes");
}
