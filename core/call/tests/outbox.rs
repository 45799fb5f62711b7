//! Orders to send faxes: when each is tried, and that none is sent twice.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_call::outbox::{
    KEYS_MAX, NotOrdered, NotWithdrawn, OVER_KEPT, OVER_MAX, Ordered, Outbox, OutboxOutput, SendRules, WAITING_MAX,
};
use plugboard_model::{
    CallId, Dialled, FaxTry, FaxTryEnd, OfficeId, OrderId, OrderState, OutgoingFax, SentPage, UserId, WallTime,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: i64 = 60_000;

fn office() -> OfficeId {
    OfficeId::new("main").unwrap()
}

fn id(n: u128) -> OrderId {
    OrderId(CallId::new(office(), WallTime(0), n))
}

fn fax(n: u128, key: Option<&str>, digest: u8) -> OutgoingFax {
    OutgoingFax {
        id: id(n),
        key: key.map(str::to_owned),
        digest: [digest; 32],
        ordered: WallTime(0),
        from: UserId::new(&office(), "ann").unwrap(),
        to: Dialled::new("0301234").unwrap(),
        ident: String::new(),
        header: String::new(),
        pages: 2,
        bytes: 1_000,
        pages_sent: 0,
        tries: Vec::new(),
        state: OrderState::Waiting { until: WallTime(0) },
    }
}

fn fax_of(n: u128) -> OutgoingFax {
    fax(n, None, 0)
}

fn outbox(at_once: u32) -> Outbox {
    let mut outbox = Outbox::default();
    let rules = SendRules { tries: 3, apart: Duration::from_mins(5), give_up_after: Duration::from_hours(24), at_once };
    outbox.follow(WallTime(0), BTreeMap::from([(office(), rules)]));
    outbox
}

fn begun(outbox: &mut Outbox) -> Vec<OrderId> {
    let outputs: Vec<_> = std::iter::from_fn(|| outbox.poll_output()).collect();
    outputs
        .into_iter()
        .filter_map(|output| if let OutboxOutput::Begin(id) = output { Some(id) } else { None })
        .collect()
}

fn came(end: FaxTryEnd, pages: u32) -> FaxTry {
    let page = |page| SentPage { page, bit_rate: 14_400, took_ms: 9_000 };
    FaxTry { pages: (1..=pages).map(page).collect(), ..FaxTry::without_call(WallTime(0), WallTime(0), end) }
}

fn ordered(outbox: &mut Outbox, n: u128) {
    assert_eq!(outbox.order(WallTime(0), fax(n, None, 0)), Ok(Ordered::New));
}

#[test]
fn who_is_busy_is_called_again_after_the_time_between_and_no_more_often_than_the_rules_say() {
    let mut outbox = outbox(1);
    ordered(&mut outbox, 1);
    for n in 0..3 {
        let now = WallTime(n * 6 * MINUTE);
        outbox.tick(now);
        assert_eq!(begun(&mut outbox), [id(1)], "{n}");
        outbox.tried(now, &id(1), came(FaxTryEnd::Busy, 0));
        outbox.tick(WallTime(now.0 + 5 * MINUTE - 1));
        assert!(begun(&mut outbox).is_empty(), "{n}");
    }
    assert!(matches!(outbox.get(&id(1)).unwrap().state, OrderState::Failed { .. }));
    assert_eq!(outbox.poll_timeout(), None);
}

#[test]
fn pages_that_were_confirmed_are_counted_over_all_tries() {
    let mut outbox = outbox(1);
    ordered(&mut outbox, 1);
    begun(&mut outbox);
    outbox.tried(WallTime(0), &id(1), came(FaxTryEnd::Failed("cut".into()), 1));
    assert_eq!(outbox.poll_timeout(), Some(WallTime(5 * MINUTE)));
    outbox.tick(WallTime(5 * MINUTE));
    outbox.tried(WallTime(6 * MINUTE), &id(1), came(FaxTryEnd::Failed("the last word was lost".into()), 1));
    assert_eq!(outbox.get(&id(1)).unwrap().state, OrderState::Sent { at: WallTime(6 * MINUTE) });
}

#[test]
fn a_person_who_answered_is_not_called_again() {
    for end in [FaxTryEnd::NoFax, FaxTryEnd::Refused("limit".into())] {
        let mut outbox = outbox(1);
        ordered(&mut outbox, 1);
        outbox.tried(WallTime(0), &id(1), came(end, 0));
        assert!(matches!(outbox.get(&id(1)).unwrap().state, OrderState::Failed { .. }));
    }
}

/// Tries that one, as often as it is due, for so long; how often that was.
fn tried_until(outbox: &mut Outbox, from: WallTime, until: WallTime, end: &FaxTryEnd) -> usize {
    let mut times = 0;
    let mut now = from;
    while now <= until {
        outbox.tick(now);
        for id in begun(outbox) {
            times += 1;
            outbox.tried(now, &id, FaxTry::without_call(now, now, end.clone()));
        }
        let Some(next) = outbox.poll_timeout() else { break };
        now = next.max(WallTime(now.0 + 1));
    }
    times
}

#[test]
fn a_call_that_nobody_took_is_no_try_and_waits_longer_each_time() {
    for end in [FaxTryEnd::NotReached("the gateway is down".into()), FaxTryEnd::Limited("calls at once".into())] {
        let mut outbox = outbox(1);
        ordered(&mut outbox, 1);
        // After 0, 1, 2, 4, 8, 16, 32 minutes, and then each half an hour.
        assert_eq!(tried_until(&mut outbox, WallTime(0), WallTime(32 * MINUTE), &end), 7);
        assert_eq!(tried_until(&mut outbox, WallTime(32 * MINUTE), WallTime(6 * 60 * MINUTE), &end), 10);
        let fax = outbox.get(&id(1)).unwrap();
        assert_eq!((fax.tries.len(), fax.state.as_str()), (1, "waiting"), "they are one entry: {fax:#?}");
        assert_eq!((fax.tries[0].began, fax.tries[0].ended), (WallTime(0), WallTime(332 * MINUTE)));
        // Then it has all the tries that it would have had.
        let now = WallTime(7 * 60 * MINUTE);
        assert_eq!(tried_until(&mut outbox, now, WallTime(now.0 + 60 * MINUTE), &FaxTryEnd::Busy), 3);
        let fax = outbox.get(&id(1)).unwrap();
        assert_eq!((fax.tries.len(), fax.state.as_str()), (4, "failed"), "{fax:#?}");
    }
}

#[test]
fn an_order_that_waits_too_long_is_given_up_and_its_end_told_but_not_while_it_is_sent() {
    let down = FaxTryEnd::NotReached("the gateway is down".into());
    let mut outbox = outbox(1);
    let day = WallTime(24 * 60 * MINUTE);
    ordered(&mut outbox, 1);
    tried_until(&mut outbox, WallTime(0), WallTime(day.0 - 1), &down);
    assert_eq!(outbox.get(&id(1)).unwrap().state.as_str(), "waiting");
    assert_eq!(outbox.poll_timeout(), Some(day));
    begun(&mut outbox);
    outbox.tick(day);
    let outputs: Vec<_> = std::iter::from_fn(|| outbox.poll_output()).collect();
    let fax = outbox.get(&id(1)).unwrap().clone();
    assert_eq!(
        (fax.state.clone(), &fax.tries.last().unwrap().end),
        (OrderState::Failed { at: day }, &FaxTryEnd::TooOld)
    );
    let told = [OutboxOutput::Keep(Box::new(fax)), OutboxOutput::Discard(id(1)), OutboxOutput::GivenUp(id(1))];
    assert_eq!(outputs, told);
    assert_eq!(outbox.poll_timeout(), None);
    // Another one is called in its last minute, and may end.
    let late = OutgoingFax { ordered: WallTime(MINUTE), ..fax_of(2) };
    assert_eq!(outbox.order(WallTime(day.0), late), Ok(Ordered::New));
    assert_eq!(begun(&mut outbox), [id(2)]);
    outbox.tick(WallTime(day.0 + 10 * MINUTE));
    assert_eq!(outbox.get(&id(2)).unwrap().state.as_str(), "calling");
    outbox.tried(WallTime(day.0 + 11 * MINUTE), &id(2), came(FaxTryEnd::Busy, 0));
    assert_eq!(outbox.get(&id(2)).unwrap().tries.last().unwrap().end, FaxTryEnd::TooOld);
}

#[test]
fn what_waits_without_a_line_is_given_up_too() {
    let mut outbox = outbox(0);
    ordered(&mut outbox, 1);
    assert_eq!(outbox.poll_timeout(), Some(WallTime(24 * 60 * MINUTE)));
    outbox.tick(WallTime(24 * 60 * MINUTE));
    assert_eq!(outbox.get(&id(1)).unwrap().state.as_str(), "failed");
}

#[test]
fn whoever_is_erased_leaves_no_order_however_far_it_is() {
    let mut outbox = outbox(1);
    for n in 1..=3 {
        ordered(&mut outbox, n);
    }
    outbox.tried(WallTime(0), &id(1), came(FaxTryEnd::Sent, 2));
    begun(&mut outbox);
    // One is over, one is being sent, one waits.
    assert_eq!(outbox.forget(|_| true), 3);
    let outputs: Vec<_> = std::iter::from_fn(|| outbox.poll_output()).collect();
    let gone = |n| OutboxOutput::Forget(id(n));
    let discarded = |n| OutboxOutput::Discard(id(n));
    assert_eq!(outputs, [gone(1), discarded(2), gone(2), discarded(3), gone(3)]);
    assert_eq!(outbox.forget(|_| true), 0, "none is counted twice");
    ordered(&mut outbox, 4);
    assert!(begun(&mut outbox).is_empty(), "its line is free when it is over");
    outbox.tried(WallTime(1), &id(2), came(FaxTryEnd::Failed("x".into()), 0));
    let outputs: Vec<_> = std::iter::from_fn(|| outbox.poll_output()).collect();
    assert!(
        matches!(outputs.as_slice(), [OutboxOutput::Keep(fax), OutboxOutput::Begin(_)] if fax.id == id(4)),
        "{outputs:?}"
    );
    assert_eq!((outbox.get(&id(2)), outbox.waiting()), (None, 1));
}

#[test]
fn a_key_is_remembered_for_its_time_whatever_was_sent_since() {
    let mut outbox = outbox(1);
    let first = OutgoingFax { key: Some("first".into()), ..fax(1, None, 7) };
    assert_eq!(outbox.order(WallTime(0), first), Ok(Ordered::New));
    outbox.tried(WallTime(0), &id(1), came(FaxTryEnd::Sent, 2));
    let others = (2..u128::try_from(OVER_MAX).unwrap() + 10)
        .map(|n| OutgoingFax { state: OrderState::Sent { at: WallTime(1) }, ..fax(n, None, 0) });
    outbox.restore(WallTime(1), others.collect());
    ordered(&mut outbox, 90_000);
    assert!(outbox.of_office(&office()).count() <= OVER_MAX + 2, "others are forgotten by number");
    assert!(outbox.get(&id(2)).is_none());
    let again = || fax(100_000, Some("first"), 7);
    let month = WallTime(i64::try_from(OVER_KEPT.as_millis()).unwrap());
    let Ok(Ordered::Before(before)) = outbox.order(month, again()) else { panic!("it is another one") };
    assert_eq!(before.id, id(1));
    ordered(&mut outbox, 200_000);
    assert_eq!(outbox.order(WallTime(month.0 + 2), fax(300_000, None, 0)), Ok(Ordered::New));
    assert_eq!(outbox.order(WallTime(month.0 + 2), again()), Ok(Ordered::New), "its time is over");
}

#[test]
fn no_more_keys_are_taken_than_are_remembered() {
    let mut outbox = outbox(1);
    let kept = (0..u128::try_from(KEYS_MAX).unwrap())
        .map(|n| OutgoingFax { state: OrderState::Sent { at: WallTime(0) }, ..fax(n, Some(&n.to_string()), 0) });
    outbox.restore(WallTime(0), kept.collect());
    assert_eq!(outbox.order(WallTime(1), fax(1 << 100, Some("one more"), 0)), Err(NotOrdered::Keys));
    assert_eq!(outbox.order(WallTime(1), fax(1 << 100, None, 0)), Ok(Ordered::New));
}

#[test]
fn no_more_are_tried_at_once_than_the_office_lets_and_the_oldest_goes_first() {
    let mut outbox = outbox(2);
    for n in [3, 1, 2] {
        ordered(&mut outbox, n);
    }
    assert_eq!(begun(&mut outbox), [id(3), id(1)]);
    assert_eq!(
        outbox.poll_timeout(),
        Some(WallTime(24 * 60 * MINUTE)),
        "whoever waits for a line waits for no other clock"
    );
    outbox.tried(WallTime(0), &id(1), came(FaxTryEnd::Sent, 2));
    assert_eq!(begun(&mut outbox), [id(2)]);
}

#[test]
fn a_key_is_one_order_however_often_it_comes() {
    let mut outbox = outbox(1);
    assert_eq!(outbox.order(WallTime(0), fax(1, Some("k"), 7)), Ok(Ordered::New));
    let Ok(Ordered::Before(before)) = outbox.order(WallTime(0), fax(2, Some("k"), 7)) else { panic!("{outbox:?}") };
    assert_eq!(before.id, id(1));
    assert_eq!(outbox.order(WallTime(0), fax(3, Some("k"), 8)), Err(NotOrdered::OtherOrder(id(1))));
    assert_eq!(outbox.of_office(&office()).count(), 1);
}

#[test]
fn who_waits_can_be_withdrawn_and_who_is_called_cannot() {
    let mut outbox = outbox(1);
    ordered(&mut outbox, 1);
    ordered(&mut outbox, 2);
    assert_eq!(outbox.withdraw(WallTime(1), &id(1)).unwrap_err(), NotWithdrawn::Calling);
    assert_eq!(outbox.withdraw(WallTime(1), &id(2)).unwrap().state, OrderState::Withdrawn { at: WallTime(1) });
    assert_eq!(outbox.withdraw(WallTime(1), &id(2)).unwrap_err(), NotWithdrawn::Over("withdrawn"));
    assert_eq!(outbox.withdraw(WallTime(1), &id(9)).unwrap_err(), NotWithdrawn::Unknown);
    outbox.tried(WallTime(1), &id(2), came(FaxTryEnd::Sent, 2));
    assert_eq!(outbox.get(&id(2)).unwrap().state, OrderState::Withdrawn { at: WallTime(1) });
}

#[test]
fn a_restart_loses_no_order_and_calls_nobody_again_who_has_the_fax() {
    let mut before = outbox(1);
    ordered(&mut before, 1);
    ordered(&mut before, 2);
    before.tried(WallTime(0), &id(1), came(FaxTryEnd::Sent, 2));
    let kept: Vec<OutgoingFax> = before.of_office(&office()).cloned().collect();
    let mut after = outbox(1);
    after.restore(WallTime(MINUTE), kept);
    assert!(begun(&mut after).is_empty(), "what was being sent waits as after any try that failed");
    assert_eq!(after.get(&id(2)).unwrap().tries[0].end.as_str(), "failed");
    after.tick(WallTime(6 * MINUTE));
    assert_eq!(begun(&mut after), [id(2)]);
}

#[test]
fn an_office_orders_no_more_than_waits_within_its_limits() {
    let mut outbox = outbox(0);
    for n in 0..u128::try_from(WAITING_MAX).unwrap() {
        ordered(&mut outbox, n);
    }
    assert_eq!(outbox.order(WallTime(0), fax(5_000, None, 0)), Err(NotOrdered::Full));
}

/// How far an order is, as far as one who only sees what is said to the outbox can tell.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Waiting { since: i64, until: i64, tries: u32, pages: u32, idle_since: Option<i64> },
    Calling { since: i64, tries: u32, pages: u32, idle_since: Option<i64> },
    Over(&'static str),
}

/// What is said to the outbox.
#[derive(Debug, Clone)]
enum Said {
    Order(u128),
    Withdraw(u128),
    Tried(u128, FaxTryEnd, u32),
    Forget(u128),
    Elapse(i64),
}

fn said() -> impl Strategy<Value = Said> {
    let end = prop_oneof![
        Just(FaxTryEnd::Busy),
        Just(FaxTryEnd::NoFax),
        Just(FaxTryEnd::Failed("x".into())),
        Just(FaxTryEnd::NotReached("x".into())),
        Just(FaxTryEnd::Limited("x".into())),
    ];
    prop_oneof![
        2 => (0u128..4).prop_map(Said::Order),
        1 => (0u128..4).prop_map(Said::Withdraw),
        4 => (0u128..4, end, 0u32..3).prop_map(|(n, end, pages)| Said::Tried(n, end, pages)),
        1 => (0u128..4).prop_map(Said::Forget),
        4 => prop_oneof![1..10 * MINUTE, Just(60 * MINUTE), Just(13 * 60 * MINUTE)].prop_map(Said::Elapse),
    ]
}

const DAY: i64 = 24 * 60 * MINUTE;

/// The rules in the simplest words, beside the outbox.
#[derive(Debug, Default)]
struct Model(BTreeMap<u128, Known>);

impl Model {
    fn tried(&mut self, now: i64, n: u128, end: &FaxTryEnd, confirmed: u32) {
        let Some(Known::Calling { since, tries, pages, idle_since }) = self.0.get(&n).cloned() else { return };
        let confirmed = if end.counts() { confirmed } else { 0 };
        let pages = (pages + confirmed).min(2);
        let tries = tries + u32::from(end.counts());
        let idle_since = if end.counts() { None } else { Some(idle_since.unwrap_or(now)) };
        let wait = idle_since.map_or(5 * MINUTE, |since| (now - since).clamp(MINUTE, 30 * MINUTE));
        let state = if pages == 2 {
            Known::Over("sent")
        } else if tries == 3 || *end == FaxTryEnd::NoFax {
            Known::Over("failed")
        } else {
            Known::Waiting { since, until: now + wait, tries, pages, idle_since }
        };
        self.0.insert(n, state);
    }

    /// What begins, at this moment.
    fn tick(&mut self, now: i64) -> Vec<u128> {
        for known in self.0.values_mut() {
            if matches!(known, Known::Waiting { since, .. } if *since + DAY <= now) {
                *known = Known::Over("failed");
            }
        }
        let calling = self.0.values().filter(|known| matches!(known, Known::Calling { .. })).count();
        let mut due: Vec<(i64, u128)> = Vec::new();
        for (n, known) in &self.0 {
            if let Known::Waiting { until, .. } = known
                && *until <= now
            {
                due.push((*until, *n));
            }
        }
        due.sort_unstable();
        due.truncate(2_usize.saturating_sub(calling));
        for (_, n) in &due {
            if let Some(Known::Waiting { since, tries, pages, idle_since, .. }) = self.0.get(n).cloned() {
                self.0.insert(*n, Known::Calling { since, tries, pages, idle_since });
            }
        }
        due.into_iter().map(|(_, n)| n).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_comes_orders_go_as_the_rules_say_and_none_is_tried_twice_at_once_or_after_it_is_over(
        events in prop::collection::vec(said(), 0..60),
    ) {
        let (mut outbox, mut model, mut now) = (outbox(2), Model::default(), 0);
        for event in events {
            let at = WallTime(now);
            // Whoever is forgotten amid a try keeps his line until that is over.
            match event {
                Said::Order(n) if model.0.contains_key(&n) => {}
                Said::Order(n) => {
                    prop_assert_eq!(outbox.order(at, OutgoingFax { ordered: at, state: OrderState::Waiting { until: at }, ..fax_of(n) }), Ok(Ordered::New));
                    model.0.insert(n, Known::Waiting { since: now, until: now, tries: 0, pages: 0, idle_since: None });
                }
                Said::Withdraw(n) => {
                    let waits = matches!(model.0.get(&n), Some(Known::Waiting { .. }));
                    prop_assert_eq!(outbox.withdraw(at, &id(n)).is_ok(), waits);
                    if waits {
                        model.0.insert(n, Known::Over("withdrawn"));
                    }
                }
                Said::Tried(n, end, pages) => {
                    let pages = if end.counts() { pages } else { 0 };
                    outbox.tried(at, &id(n), FaxTry { began: at, ended: at, ..came(end.clone(), pages) });
                    model.tried(now, n, &end, pages);
                }
                Said::Forget(n) => {
                    if !matches!(model.0.get(&n), Some(Known::Calling { .. })) {
                        prop_assert_eq!(outbox.forget(|fax| fax.id == id(n)), usize::from(model.0.remove(&n).is_some()));
                    }
                }
                Said::Elapse(by) => {
                    now += by;
                    outbox.tick(WallTime(now));
                }
            }
            let begins: Vec<OrderId> = model.tick(now).into_iter().map(id).collect();
            prop_assert_eq!(begun(&mut outbox), begins);
            for (n, known) in &model.0 {
                let fax = outbox.get(&id(*n)).unwrap();
                let word = match known {
                    Known::Waiting { .. } => "waiting",
                    Known::Calling { .. } => "calling",
                    Known::Over(word) => word,
                };
                prop_assert_eq!(fax.state.as_str(), word);
                if let Known::Waiting { until, pages, .. } = known {
                    prop_assert_eq!((fax.state.waits_until(), fax.pages_sent), (Some(WallTime(*until)), *pages));
                }
            }
            prop_assert_eq!(outbox.of_office(&office()).count(), model.0.len());
        }
    }
}
