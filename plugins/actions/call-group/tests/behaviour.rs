//! What `call-group` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    CallInfo, Candidate, Cause, Connected, DirectoryUser, Distribution, HostCall, NotConnected, Run, Skill, Target,
    Testkit, UserStatus, Value, group, group_id, json, user, user_id,
};

fn call_group() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

/// A run that calls the group `sales` = ann, bob, cid, all free.
fn sales(kit: &Testkit, distribution: Distribution) -> Run<'_> {
    kit.run().parameters(&json!({ "group": "200" })).group(group(
        "sales",
        "200",
        distribution,
        &[("ann", 40), ("bob", 10), ("cid", 0)],
    ))
}

fn all_free(run: Run<'_>) -> Run<'_> {
    run.user(user("ann", "102")).user(user("bob", "103")).user(user("cid", "104"))
}

/// Who was rung, one entry for each ring, and for how long.
fn rings(calls: &[HostCall]) -> Vec<(Vec<Target>, u32)> {
    let ring = |call: &HostCall| {
        let HostCall::Ring(request) = call else { return None };
        Some((request.targets.clone(), request.ring_for_ms))
    };
    calls.iter().filter_map(ring).collect()
}

fn one(name: &str) -> Vec<Target> {
    vec![Target::User(user_id(name))]
}

fn answered(who: &str) -> Connected {
    Connected { user: Some(user_id(who)), number: "100".into(), rang_ms: 1_000 }
}

#[test]
fn r75_all_at_once_is_one_ring_of_the_whole_group() {
    let kit = call_group();
    let report = sales(&kit, Distribution::AllAtOnce).on_ring(|_| Ok(answered("bob"))).finish().unwrap();
    assert_eq!(rings(&report.calls), [(vec![Target::Group(group_id("sales"))], 20_000)]);
    assert_eq!(report.outcome(), Some("answer"));
    assert_eq!(report.variables["answered_by"], Value::User(user_id("bob")));
}

#[test]
fn r76_in_order_rings_each_member_for_the_items_time() {
    let kit = call_group();
    let report = all_free(sales(&kit, Distribution::InOrder))
        .parameters(&json!({ "group": "sales", "ring_for": "10s" }))
        .finish()
        .unwrap();
    assert_eq!(rings(&report.calls), [(one("ann"), 10_000), (one("bob"), 10_000), (one("cid"), 10_000)]);
    assert_eq!(report.outcome(), Some("timeout"));
}

#[test]
fn in_order_ends_with_the_first_that_answers() {
    let kit = call_group();
    let mut turn = 0;
    let report = all_free(sales(&kit, Distribution::InOrder))
        .on_ring(|_| {
            turn += 1;
            if turn == 2 { Ok(answered("bob")) } else { Err(NotConnected::Timeout) }
        })
        .finish()
        .unwrap();
    assert_eq!(rings(&report.calls).len(), 2);
    assert_eq!(report.variables["answered_by"], Value::User(user_id("bob")));
}

#[test]
fn r79_who_is_offline_busy_or_in_a_call_takes_no_time() {
    let kit = call_group();
    let away: [fn(&mut DirectoryUser); 5] = [
        |user| user.reachable = false,
        |user| user.status = UserStatus::Busy,
        |user| user.status = UserStatus::DoNotDisturb,
        |user| user.status = UserStatus::LoggedOut,
        |user| user.calls = 1,
    ];
    for make_away in away {
        let mut ann = user("ann", "102");
        make_away(&mut ann);
        let report = sales(&kit, Distribution::InOrder).user(ann).user(user("bob", "103")).finish().unwrap();
        assert_eq!(rings(&report.calls), [(one("bob"), 20_000)]);
    }
}

#[test]
fn nobody_free_is_no_answer_480_and_nobody_rings() {
    let kit = call_group();
    let report = sales(&kit, Distribution::InOrder).finish().unwrap();
    assert_eq!((report.outcome(), rings(&report.calls).len()), (Some("no-answer"), 0));
    assert_eq!(report.variables["cause"], Value::Number(480));
}

#[test]
fn the_cause_of_no_answer_is_the_best_of_all() {
    let kit = call_group();
    let mut statuses = [480, 603, 486].into_iter();
    let report = all_free(sales(&kit, Distribution::InOrder))
        .on_ring(|_| Err(NotConnected::NoAnswer(Cause::of(statuses.next().unwrap()))))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("no-answer"));
    assert_eq!(report.variables["cause"], Value::Number(603));
}

#[test]
fn one_who_let_it_ring_makes_it_a_timeout() {
    let kit = call_group();
    let mut ends =
        [NotConnected::Timeout, NotConnected::NoAnswer(Cause::of(486)), NotConnected::NoAnswer(Cause::of(486))]
            .into_iter();
    let report = all_free(sales(&kit, Distribution::InOrder)).on_ring(|_| Err(ends.next().unwrap())).finish().unwrap();
    assert_eq!(report.outcome(), Some("timeout"));
}

#[test]
fn r77_random_draws_an_order_by_weight_from_the_calls_own_random_numbers() {
    let kit = call_group();
    let order = |seed| {
        let report = all_free(sales(&kit, Distribution::Random)).seed(seed).finish().unwrap();
        assert!(report.called().contains(&"random.below"));
        rings(&report.calls)
    };
    let mut ann_first = 0;
    for seed in 0..60 {
        let drawn = order(seed);
        assert_eq!(drawn.len(), 3);
        assert_eq!(drawn[2].0, one("cid"), "weight 0 stands at the end");
        ann_first += u32::from(drawn[0].0 == one("ann"));
    }
    assert_eq!(order(7), order(7), "the same seed, the same order");
    // 48 are expected; 36 is four deviations away.
    assert!((37..60).contains(&ann_first), "{ann_first}");
}

#[test]
fn the_caller_himself_is_not_rung_by_his_own_group() {
    let kit = call_group();
    let ann_calls = CallInfo {
        id: "test/1".into(),
        caller_number: "102".into(),
        caller_name: "Ann".into(),
        caller_user: Some(user_id("ann")),
        called_number: "200".into(),
        language: "en".into(),
    };
    let report = all_free(sales(&kit, Distribution::InOrder)).caller(ann_calls).finish().unwrap();
    assert_eq!(rings(&report.calls), [(one("bob"), 20_000), (one("cid"), 20_000)]);
}

#[test]
fn r29_a_caller_who_hangs_up_ends_it_and_nobody_else_rings() {
    let kit = call_group();
    let run = all_free(sales(&kit, Distribution::InOrder)).on_ring(|_| Err(NotConnected::CallerGone));
    let report = run.finish().unwrap();
    assert_eq!((report.failure(), rings(&report.calls).len()), (Some("the call is over"), 1));
}

#[test]
fn a_group_that_the_office_does_not_have_is_no_answer_404() {
    let kit = call_group();
    let report = kit.run().parameters(&json!({ "group": "999" })).finish().unwrap();
    assert_eq!((report.outcome(), report.variables["cause"].clone()), (Some("no-answer"), Value::Number(404)));
}

fn candidate(name: &str, tier: u8, idle_ms: u64) -> Candidate {
    Candidate { user: user_id(name), weight: 1, tier, level: 0, idle_ms }
}

#[test]
fn of_a_group_that_rings_all_at_once_the_lower_tier_rings_first() {
    let kit = call_group();
    let tiers = |_, _| Some(vec![candidate("ann", 1, 1), candidate("bob", 2, 1), candidate("cid", 1, 1)]);
    let report = sales(&kit, Distribution::AllAtOnce).on_members(tiers).finish().unwrap();
    let first = vec![Target::User(user_id("ann")), Target::User(user_id("cid"))];
    assert_eq!(rings(&report.calls), [(first, 20_000), (one("bob"), 20_000)]);
    assert_eq!(report.outcome(), Some("timeout"));
}

#[test]
fn who_has_been_free_for_longest_rings_first() {
    let kit = call_group();
    let idle = |_, _| Some(vec![candidate("ann", 1, 5), candidate("bob", 1, 9), candidate("cid", 1, 7)]);
    let report = all_free(sales(&kit, Distribution::LongestIdle)).on_members(idle).finish().unwrap();
    assert_eq!(rings(&report.calls), [(one("bob"), 20_000), (one("cid"), 20_000), (one("ann"), 20_000)]);
}

#[test]
fn none_but_those_with_the_skill_are_rung() {
    let kit = call_group();
    let able = |_, skill: Option<Skill>| {
        assert_eq!(skill, Some(Skill { name: "german".into(), level: 6 }));
        Some(vec![candidate("cid", 1, 1)])
    };
    let given = json!({ "group": "200", "skill": "german", "level": 6 });
    let report = sales(&kit, Distribution::AllAtOnce).parameters(&given).on_members(able).finish().unwrap();
    assert_eq!(rings(&report.calls), [(one("cid"), 20_000)]);
    let nobody = sales(&kit, Distribution::AllAtOnce).parameters(&given).on_members(|_, _| Some(Vec::new()));
    let report = nobody.finish().unwrap();
    assert_eq!((report.outcome(), rings(&report.calls).len()), (Some("no-answer"), 0));
}

#[test]
fn it_imports_no_more_than_it_uses_and_no_wasi() {
    let mut imports = call_group().imports();
    imports.sort();
    let used = ["call", "description", "dial", "directory", "log", "random", "types", "variables"];
    assert_eq!(imports, used.map(|name| format!("plugboard:switch/{name}@0.1.0")));
}
