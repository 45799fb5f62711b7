//! Orders to send faxes: when each is tried, and that none is sent twice.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_call::outbox::{NotOrdered, NotWithdrawn, Ordered, Outbox, OutboxOutput, SendRules, WAITING_MAX};
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

fn outbox(at_once: u32) -> Outbox {
    let mut outbox = Outbox::default();
    let rules = SendRules { tries: 3, apart: Duration::from_mins(5), at_once };
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

#[test]
fn no_more_are_tried_at_once_than_the_office_lets_and_the_oldest_goes_first() {
    let mut outbox = outbox(2);
    for n in [3, 1, 2] {
        ordered(&mut outbox, n);
    }
    assert_eq!(begun(&mut outbox), [id(3), id(1)]);
    assert_eq!(outbox.poll_timeout(), None, "whoever waits for a line waits for no clock");
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_comes_no_order_is_tried_twice_at_once_or_after_it_is_over(
        events in prop::collection::vec((0u8..6, 0u128..4, 0u32..3), 0..60),
    ) {
        let mut outbox = outbox(2);
        let (mut now, mut calling, mut over) = (0, Vec::new(), Vec::new());
        for (what, n, pages) in events {
            let at = WallTime(now);
            match what {
                0 if outbox.get(&id(n)).is_none() => prop_assert_eq!(outbox.order(at, fax(n, None, 0)), Ok(Ordered::New)),
                1 => prop_assert!(outbox.withdraw(at, &id(n)).is_err() || outbox.get(&id(n)).is_some()),
                2 => outbox.tried(at, &id(n), came(FaxTryEnd::Busy, 0)),
                3 => outbox.tried(at, &id(n), came(FaxTryEnd::Failed("x".into()), pages)),
                4 => now += 2 * MINUTE,
                _ => outbox.tick(at),
            }
            while let Some(output) = outbox.poll_output() {
                match output {
                    OutboxOutput::Keep(fax) => {
                        calling.retain(|id| *id != fax.id);
                        over.retain(|id| *id != fax.id);
                        if fax.state.over().is_some() {
                            over.push(fax.id.clone());
                        }
                    }
                    OutboxOutput::Begin(id) => {
                        prop_assert!(!calling.contains(&id) && !over.contains(&id));
                        calling.push(id);
                    }
                    OutboxOutput::Discard(id) => prop_assert!(over.contains(&id)),
                    OutboxOutput::Forget(_) => {}
                }
            }
            prop_assert!(calling.len() <= 2);
        }
    }
}
