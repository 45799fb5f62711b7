//! C: inbound scenarios for a sales team.

use plugboard_model::{CallRecord, HostCall, HostResult, JournalEvent};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{seconds, steps};

/// The demo office, whose group sales is rung so, by 300.
fn office(distribution: &str, members: &str) -> Setup {
    let office = OfficeText::demo()
        .replace("distribution: all-at-once", &format!("distribution: {distribution}"))
        .replace("members: [\"102\", \"103\", \"104\"]", &format!("members: [{members}]"))
        .with_story("  - call-group: { group: sales, ring_for: 10s }\n");
    Setup::offices(vec![office])
}

fn members(sim: &mut Sim) -> [Phone; 3] {
    [("bob", "102"), ("cem", "103"), ("dora", "104")].map(|(name, user)| sim.phone(name, user))
}

/// When each of them began to ring, in seconds after the first one did; in the order of their ringing.
fn rang(sim: &Sim) -> Vec<(String, u64)> {
    let ladder = sim.ladder();
    let mut rang: Vec<_> = ["bob", "cem", "dora"]
        .into_iter()
        .filter_map(|name| Some((ladder.first(&format!("-> {name}  INVITE"))?, name.to_owned())))
        .collect();
    rang.sort();
    let first = rang[0].0;
    rang.into_iter().map(|(at, name)| (name, at.since(first).as_secs())).collect()
}

#[test]
fn r76_in_order_each_member_rings_for_ten_seconds() {
    let mut sim = office("in-order", "\"103\", \"102\"").start();
    let ann = sim.phone("ann", "101");
    let [bob, cem, dora] = members(&mut sim);
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(rang(&sim), [("cem".to_owned(), 0), ("bob".to_owned(), 10)]);
    assert_eq!((bob.calls().len(), cem.calls().len(), dora.calls().len()), (1, 1, 0));
    assert_eq!(steps(&sim.record()), ["call-group: timeout"]);
}

/// What was drawn in a call: each bound with the number below it.
fn draws(sim: &Sim, record: &CallRecord) -> Vec<(u64, u64)> {
    let journal = sim.journal(record);
    let mut bounds = Vec::new();
    let mut drawn = Vec::new();
    for entry in &journal {
        if let JournalEvent::Begin { call: HostCall::RandomBelow(bound), .. } = &entry.event {
            bounds.push(*bound);
        } else if let JournalEvent::End { result: HostResult::Below(number), .. } = &entry.event {
            drawn.push(*number);
        }
    }
    assert_eq!(bounds.len(), drawn.len(), "{journal:#?}");
    bounds.into_iter().zip(drawn).collect()
}

/// The order that these draws make of members with weights: without replacement, by what is left.
fn recomputed(draws: &[(u64, u64)], members: &[(&str, u64)]) -> Vec<String> {
    let mut left = members.to_vec();
    let mut order = Vec::new();
    for (bound, number) in draws {
        let sum: u64 = left.iter().map(|(_, weight)| weight).sum();
        assert_eq!(*bound, sum, "the draw is among the weights that are left");
        let mut below = 0;
        let at = left.iter().position(|(_, weight)| {
            below += weight;
            *number < below
        });
        order.push(left.remove(at.unwrap()).0.to_owned());
    }
    order.extend(left.into_iter().map(|(name, _)| name.to_owned()));
    order
}

const WEIGHED: &str = "{ user: \"102\", weight: 4 }, { user: \"103\", weight: 1 }, { user: \"104\", weight: 0 }";

#[test]
fn r77_the_order_is_drawn_when_the_item_fires_and_anybody_can_draw_it_again() {
    let mut orders = Vec::new();
    for seed in 1..=8 {
        let mut sim = office("random", WEIGHED).seed(seed).start();
        let ann = sim.phone("ann", "101");
        let _members = members(&mut sim);
        ann.dials("300");
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        let order: Vec<String> = rang(&sim).into_iter().map(|(name, _)| name).collect();
        let draws = draws(&sim, &sim.record());
        assert_eq!(order, recomputed(&draws, &[("bob", 4), ("cem", 1), ("dora", 0)]), "{draws:?}");
        assert_eq!(order[2], "dora", "weight 0 stands at the end");
        orders.push(order);
    }
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 2, "both orders were drawn in eight calls");
}

#[test]
fn r78_who_has_four_times_the_weight_rings_first_about_four_times_as_often() {
    let mut sim = office("random", WEIGHED).start();
    let ann = sim.phone("ann", "101");
    let [bob, cem, _dora] = members(&mut sim);
    let rounds = if std::env::var_os("PLUGBOARD_LONG").is_some() { 10_000 } else { 200 };
    let mut first = [0_u32; 2];
    for round in 0..rounds {
        if round % 50 == 49 {
            // Half an hour and more has passed: registrations last an hour.
            for phone in [&ann, &bob, &cem] {
                phone.registers();
            }
        }
        let before = [bob.calls().len(), cem.calls().len()];
        ann.dials("300");
        let (one, other) = (bob.rings(), cem.rings());
        sim.run_until(move || one() || other());
        let now = [bob.calls().len(), cem.calls().len()];
        for (count, (before, now)) in first.iter_mut().zip(before.into_iter().zip(now)) {
            *count += u32::from(now > before);
        }
        ann.hangs_up();
        sim.run_until_quiet();
        sim.run_for(seconds(1));
    }
    assert_eq!(first.iter().sum::<u32>(), rounds);
    let expected = [f64::from(rounds) * 0.8, f64::from(rounds) * 0.2];
    let chi_square: f64 =
        first.iter().zip(expected).map(|(seen, expected)| (f64::from(*seen) - expected).powi(2) / expected).sum();
    // 10.83 is the 99.9 % point for one degree of freedom.
    assert!(chi_square < 10.83, "{first:?}: {chi_square}");
}

#[test]
fn r79_who_is_offline_away_or_on_a_call_takes_no_time_of_a_group() {
    // One who is not there, one who is away, one who talks: the fourth rings as soon as the group is called.
    let mut sim = office("in-order", "\"105\", \"106\", \"103\", \"102\"").start();
    let ann = sim.phone("ann", "101");
    let [bob, cem, dora] = members(&mut sim);
    let fay = sim.phone("fay", "106");
    fay.dials("*74");
    sim.run_until(fay.is_idle());
    dora.dials("103");
    sim.run_until(cem.rings());
    cem.answers();
    sim.run_until(dora.hears("cem"));
    let called = sim.now();
    ann.dials("300");
    sim.run_until(bob.rings());
    assert!(sim.now().since(called) < seconds(1), "{:?}", sim.now().since(called));
    assert_eq!((cem.calls().len(), fay.calls().len()), (1, 1), "none but their own");
    sim.run_until(ann.is_idle());
    assert!(sim.now().since(called) < seconds(11), "the item takes his ten seconds alone");
    dora.hangs_up();
    sim.run_until_quiet();
    let records = sim.records("main");
    let story = records.iter().find(|record| !record.steps.is_empty()).unwrap();
    assert_eq!(steps(story), ["call-group: timeout"]);
}
