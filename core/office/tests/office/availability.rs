//! Whether a user may be rung, and which of two calls gets him.

use plugboard_model::{CallId, OfficeId, UserStatus, WallTime};
use plugboard_office::{Availability, Claim, OfferKind, Offered, Output, Unavailable};
use proptest::prelude::*;

fn call(n: u32) -> CallId {
    CallId::new(OfficeId::new("main").unwrap(), WallTime(i64::from(n)), u128::from(n))
}

fn outputs(user: &mut Availability) -> Vec<Output> {
    std::iter::from_fn(|| user.poll_output()).collect()
}

fn available(calls_at_once: u32) -> Availability {
    Availability::new(UserStatus::Available, calls_at_once)
}

#[test]
fn an_offer_to_one_user_reserves_him_while_he_rings() {
    let mut user = available(2);
    assert_eq!(user.offer(&call(1), OfferKind::OneUser), Offered::Ring);
    assert_eq!(user.offer(&call(2), OfferKind::OneUser), Offered::Refused(Unavailable::OnACall));
    assert_eq!(user.offer(&call(3), OfferKind::AllAtOnce), Offered::Refused(Unavailable::OnACall));
    user.release(&call(1));
    assert_eq!(user.offer(&call(2), OfferKind::OneUser), Offered::Ring);
    assert_eq!(user.claim(&call(2)), Claim::Granted);
    assert_eq!(user.claim(&call(2)), Claim::AlreadyTaken, "his second device answered too");
}

#[test]
fn r12_of_two_calls_that_ring_him_at_once_the_first_answer_wins_and_the_other_stops_ringing() {
    let mut user = available(2);
    assert_eq!(user.offer(&call(1), OfferKind::AllAtOnce), Offered::Ring);
    assert_eq!(user.offer(&call(2), OfferKind::AllAtOnce), Offered::Ring);
    assert_eq!(user.claim(&call(2)), Claim::Granted);
    assert_eq!(outputs(&mut user), [Output::StopRinging(call(1)), Output::Changed]);
    assert_eq!(user.claim(&call(1)), Claim::AlreadyTaken);
    user.release(&call(2));
    assert_eq!(user.claim(&call(1)), Claim::AlreadyTaken, "its legs were cancelled: a late 200 OK gets BYE");
}

#[test]
fn r113_who_is_on_a_call_is_not_offered_another_by_a_scenario() {
    let mut user = available(4);
    user.begin_own(&call(1));
    assert_eq!(user.offer(&call(2), OfferKind::OneUser), Offered::Refused(Unavailable::OnACall));
    assert_eq!(user.offer(&call(3), OfferKind::AllAtOnce), Offered::Refused(Unavailable::OnACall));
    assert!(!user.is_free());
    user.release(&call(1));
    assert!(user.is_free());
}

#[test]
fn r5_and_r118_status_keeps_scenarios_away_and_never_his_own_calls() {
    for (status, scenario, direct) in [
        (UserStatus::Available, true, true),
        (UserStatus::Busy, false, true),
        (UserStatus::Away, false, true),
        (UserStatus::WrapUp, false, true),
        (UserStatus::DoNotDisturb, false, false),
        (UserStatus::LoggedOut, false, false),
    ] {
        let mut user = Availability::new(status, 2);
        assert_eq!(user.offer(&call(1), OfferKind::OneUser) == Offered::Ring, scenario, "{status:?}");
        user.release(&call(1));
        assert_eq!(user.offer(&call(2), OfferKind::Direct) == Offered::Ring, direct, "{status:?}");
        user.begin_own(&call(3));
        assert_eq!(user.taken(), 1);
    }
}

#[test]
fn direct_calls_follow_calls_at_once() {
    let mut user = available(2);
    assert_eq!(user.offer(&call(1), OfferKind::Direct), Offered::Ring);
    assert_eq!(user.claim(&call(1)), Claim::Granted);
    assert_eq!(user.offer(&call(2), OfferKind::Direct), Offered::Ring);
    assert_eq!(user.offer(&call(3), OfferKind::Direct), Offered::Refused(Unavailable::OnACall));
    assert_eq!(user.claim(&call(2)), Claim::Granted);
    let mut agent = available(1);
    assert_eq!(agent.offer(&call(1), OfferKind::OneUser), Offered::Ring);
    assert_eq!(agent.offer(&call(2), OfferKind::Direct), Offered::Refused(Unavailable::OnACall));
}

#[test]
fn calling_out_while_a_scenario_rings_takes_the_slot_from_it() {
    let mut user = available(2);
    assert_eq!(user.offer(&call(1), OfferKind::OneUser), Offered::Ring);
    user.begin_own(&call(2));
    assert!(outputs(&mut user).contains(&Output::StopRinging(call(1))));
    assert_eq!(user.claim(&call(1)), Claim::AlreadyTaken);
}

#[test]
fn the_same_call_rings_him_once_and_an_attack_rings_him_64_times() {
    let mut user = available(1);
    assert_eq!(user.offer(&call(0), OfferKind::AllAtOnce), Offered::Ring);
    assert_eq!(user.offer(&call(0), OfferKind::AllAtOnce), Offered::Refused(Unavailable::SameCall));
    let rung = (1..100).filter(|n| user.offer(&call(*n), OfferKind::AllAtOnce) == Offered::Ring).count();
    assert_eq!(rung, 63);
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Offer(u32, OfferKind),
    Claim(u32),
    Own(u32),
    Release(u32),
}

fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![Just(OfferKind::OneUser), Just(OfferKind::AllAtOnce), Just(OfferKind::Direct)];
    prop_oneof![
        3 => (0u32..6, kind).prop_map(|(n, kind)| Event::Offer(n, kind)),
        3 => (0u32..6).prop_map(Event::Claim),
        1 => (0u32..6).prop_map(Event::Own),
        2 => (0u32..6).prop_map(Event::Release),
    ]
}

proptest! {
    #[test]
    fn a_scenario_never_gets_a_user_who_has_another_call(at_once in 1u32..4, events in proptest::collection::vec(any_event(), 0..60)) {
        let mut user = available(at_once);
        let mut offered = std::collections::BTreeMap::new();
        let mut own = std::collections::BTreeSet::new();
        for event in events {
            let before = user.taken();
            match event {
                Event::Offer(n, kind) => {
                    if user.offer(&call(n), kind) == Offered::Ring {
                        offered.insert(n, kind);
                    }
                }
                Event::Claim(n) => {
                    if user.claim(&call(n)) == Claim::Granted {
                        let kind = offered[&n];
                        prop_assert!(kind == OfferKind::Direct || before == 0, "{kind:?} beside {before}");
                        prop_assert!(kind != OfferKind::Direct || before < at_once);
                        prop_assert_eq!(user.taken(), before + 1);
                        prop_assert!(!own.contains(&n));
                    }
                }
                Event::Own(n) => {
                    user.begin_own(&call(n));
                    own.insert(n);
                }
                Event::Release(n) => {
                    user.release(&call(n));
                    own.remove(&n);
                    offered.remove(&n);
                }
            }
        }
    }
}
