use super::*;
use plugboard_model::{Dialled, OfficeId, QueueRules};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn office() -> OfficeId {
    OfficeId::new("main").unwrap()
}

fn user(n: usize) -> UserId {
    UserId::new(&office(), &format!("u{n:03}")).unwrap()
}

fn call(n: usize) -> CallId {
    CallId::new(office(), WallTime(1), u128::try_from(n).unwrap())
}

fn seconds(count: usize) -> Time {
    Time::from_millis(u64::try_from(count).unwrap() * 1_000)
}

fn scenario(name: &str) -> ScenarioId {
    ScenarioId { office: office(), name: Name::new(name).unwrap() }
}

fn wanted(users: &[usize]) -> Vec<Wanted> {
    users.iter().map(|n| Wanted { user: user(*n), groups: Vec::new(), tier: 1 }).collect()
}

fn joining(n: usize, queue: &str, users: &[usize]) -> Joining {
    let (caller, wanted) = (n.to_string(), wanted(users));
    Joining { call: call(n), caller, queue: scenario(queue), wanted, priority: 0, callers_max: 10_000 }
}

fn tells(n: usize, free: Option<Time>) -> UserTells {
    UserTells { user: user(n), free, out_of: BTreeSet::new(), gone: false }
}

/// Call and user of each offer.
fn offers(queue: &mut Queue) -> Vec<(CallId, UserId)> {
    let offered = |output| match output {
        QueueOutput::Offer { call, user } | QueueOutput::CallBack { call, user } => Some((call, user)),
        QueueOutput::Keep(_) | QueueOutput::Strike(_) | QueueOutput::Away(_) => None,
    };
    std::iter::from_fn(|| queue.poll_output()).filter_map(offered).collect()
}

#[test]
fn r69_who_becomes_free_first_gets_the_caller_who_has_waited_longest_whatever_his_queue() {
    let mut queue = Queue::default();
    assert!(queue.join(seconds(1), joining(1, "sales", &[1, 2])));
    assert!(queue.join(seconds(2), joining(2, "service", &[2, 3])));
    assert!(queue.join(seconds(3), joining(3, "sales", &[1, 2])));
    assert_eq!(offers(&mut queue), []);
    assert_eq!([1, 2, 3].map(|n| queue.position(&call(n))), [Some(1), Some(2), Some(3)]);
    queue.user_tells(seconds(4), tells(3, Some(seconds(4))));
    assert_eq!(offers(&mut queue), [(call(2), user(3))], "he serves none of those before");
    queue.user_tells(seconds(5), tells(2, Some(seconds(5))));
    assert_eq!(offers(&mut queue), [(call(1), user(2))]);
    queue.rang(seconds(6), &call(1), &user(2), Outcome::Answered);
    queue.user_tells(seconds(6), tells(2, None));
    assert_eq!((offers(&mut queue), queue.position(&call(3))), (vec![], Some(2)));
    queue.rang(seconds(7), &call(2), &user(3), Outcome::Missed);
    assert_eq!(offers(&mut queue), [], "he rests, and keeps his caller waiting in his place");
    queue.user_tells(seconds(8), tells(2, Some(seconds(8))));
    assert_eq!(offers(&mut queue), [(call(2), user(2))]);
    assert_eq!(queue.poll_timeout(), Some(seconds(17)));
    queue.rang(seconds(9), &call(2), &user(2), Outcome::Answered);
    queue.user_tells(seconds(9), tells(2, None));
    queue.tick(seconds(17));
    assert_eq!(offers(&mut queue), [], "nobody waits for him any more");
    assert_eq!((queue.waiting(), queue.oldest()), (1, Some(seconds(3))));
}

#[test]
fn of_several_who_are_free_the_lowest_tier_goes_first_and_then_who_has_been_free_for_longest() {
    let mut queue = Queue::default();
    for (n, since) in [(1, 9), (2, 5), (3, 7)] {
        queue.user_tells(seconds(10), tells(n, Some(seconds(since))));
    }
    let mut first = joining(1, "sales", &[1, 2, 3]);
    first.wanted[1].tier = 2;
    queue.join(seconds(11), first);
    assert_eq!(offers(&mut queue), [(call(1), user(3))]);
    queue.join(seconds(12), joining(2, "sales", &[1, 2, 3]));
    assert_eq!(offers(&mut queue), [(call(2), user(2))]);
}

#[test]
fn who_has_more_priority_goes_before_those_who_waited_longer() {
    let mut queue = Queue::default();
    queue.join(seconds(1), joining(1, "sales", &[1]));
    queue.join(seconds(2), Joining { priority: 5, ..joining(2, "sales", &[1]) });
    queue.join(seconds(3), Joining { priority: 5, ..joining(3, "sales", &[1]) });
    assert_eq!([1, 2, 3].map(|n| queue.position(&call(n))), [Some(3), Some(1), Some(2)]);
    assert_eq!(queue.oldest(), Some(seconds(1)));
    queue.user_tells(seconds(4), tells(1, Some(seconds(4))));
    assert_eq!(offers(&mut queue), [(call(2), user(1))]);
}

#[test]
fn who_has_logged_out_of_the_group_that_named_him_is_not_rung_for_it() {
    let mut queue = Queue::default();
    let sales = Name::new("sales").unwrap();
    let out = UserTells { out_of: [sales.clone()].into(), ..tells(1, Some(seconds(1))) };
    queue.user_tells(seconds(1), out);
    let mut by_group = joining(1, "sales", &[1]);
    by_group.wanted[0].groups.push(sales);
    queue.join(seconds(2), by_group);
    assert_eq!(offers(&mut queue), []);
    queue.user_tells(seconds(3), tells(1, Some(seconds(1))));
    assert_eq!(offers(&mut queue), [(call(1), user(1))], "he is back in it");
}

#[test]
fn who_was_refused_is_not_asked_again_at_once_and_who_is_gone_never() {
    let mut queue = Queue::default();
    queue.join(seconds(1), joining(1, "sales", &[1]));
    queue.user_tells(seconds(1), tells(1, Some(seconds(1))));
    offers(&mut queue);
    queue.rang(seconds(2), &call(1), &user(1), Outcome::Refused);
    queue.user_tells(seconds(2), tells(1, Some(seconds(1))));
    assert_eq!((offers(&mut queue), queue.poll_timeout()), (vec![], Some(seconds(4))));
    queue.tick(seconds(4));
    assert_eq!(offers(&mut queue), [(call(1), user(1))]);
    queue.user_tells(seconds(5), UserTells { gone: true, ..tells(1, None) });
    queue.rang(seconds(5), &call(1), &user(1), Outcome::Missed);
    queue.tick(seconds(60));
    assert_eq!((offers(&mut queue), queue.waiting()), (vec![], 1));
}

#[test]
fn a_queue_that_is_full_takes_nobody_and_one_caller_waits_once() {
    let mut queue = Queue::default();
    assert!(queue.join(seconds(1), Joining { callers_max: 2, ..joining(1, "sales", &[1]) }));
    assert!(!queue.join(seconds(1), joining(1, "sales", &[1])));
    assert!(queue.join(seconds(1), Joining { callers_max: 2, ..joining(2, "sales", &[1]) }));
    assert!(!queue.join(seconds(1), Joining { callers_max: 2, ..joining(3, "sales", &[1]) }));
    assert!(queue.join(seconds(1), Joining { callers_max: 2, ..joining(3, "service", &[1]) }), "another queue");
    queue.leave(seconds(2), &call(1), Left::Abandoned);
    assert!(queue.join(seconds(2), Joining { callers_max: 2, ..joining(4, "sales", &[1]) }));
    let shown = queue.shown();
    assert_eq!(shown.len(), 2);
    assert_eq!((shown[0].callers.len(), shown[0].tally.abandoned, shown[0].tally.joined), (2, 1, 3));
}

#[test]
fn who_does_not_answer_so_often_in_a_row_is_to_be_away_and_an_answer_begins_anew() {
    let mut queue = Queue::default();
    queue.follow([(office(), QueueRules { away_after: 2, ..QueueRules::default() })].into());
    queue.join(seconds(0), joining(1, "sales", &[1]));
    queue.join(seconds(0), joining(2, "sales", &[1]));
    let rings = |queue: &mut Queue, n: usize, outcome: Outcome| {
        let now = seconds(n * 20);
        queue.tick(now);
        queue.user_tells(now, tells(1, Some(now)));
        let (call, user) = offers(queue).pop().unwrap();
        queue.rang(now, &call, &user, outcome);
        std::iter::from_fn(|| queue.poll_output()).any(|output| output == QueueOutput::Away(user.clone()))
    };
    assert!(!rings(&mut queue, 1, Outcome::Missed));
    assert!(!rings(&mut queue, 2, Outcome::Refused), "not a phone of his rang");
    assert!(!rings(&mut queue, 3, Outcome::Answered));
    assert!(!rings(&mut queue, 4, Outcome::Missed));
    assert!(rings(&mut queue, 5, Outcome::Missed));
    queue.tick(seconds(200));
    assert_eq!(offers(&mut queue), [], "he is left alone until he says how he is");
}

#[test]
fn a_queue_tells_how_long_its_callers_waited_and_how_long_the_next_is_likely_to() {
    let mut queue = Queue::default();
    for n in 1..=4 {
        queue.join(seconds(0), joining(n, "sales", &[1]));
    }
    for n in 1..=3 {
        assert_eq!(queue.likely_wait(&call(4), 1), None, "nobody knows yet");
        queue.user_tells(seconds(n * 15), tells(1, Some(seconds(n * 15))));
        offers(&mut queue);
        queue.rang(seconds(n * 15), &call(n), &user(1), Outcome::Answered);
    }
    assert_eq!(queue.likely_wait(&call(4), 2), Some(Duration::from_secs(30)));
    let tally = queue.shown()[0].tally;
    assert_eq!((tally.answered, tally.timed, tally.within), (3, 3, 1), "one within 20 s");
    assert_eq!((tally.waited, tally.longest), (Duration::from_secs(90), Duration::from_secs(45)));
    queue.follow([(office(), QueueRules { tell_wait: false, ..QueueRules::default() })].into());
    assert_eq!(queue.likely_wait(&call(4), 2), None);
}

// ---- those who are called back ---------------------------------------------------------------------------------

fn to(n: usize) -> CallBackTo {
    CallBackTo { number: Dialled::new(&n.to_string()).unwrap(), ring_for: Duration::from_secs(20) }
}

fn wall(seconds: usize) -> WallTime {
    WallTime(i64::try_from(seconds).unwrap() * 1_000)
}

/// Somebody leaves, and what was promised to him is kept.
fn leaves(queue: &mut Queue, now: usize, n: usize) -> PromisedCall {
    assert_eq!(queue.call_back(seconds(now), wall(now), &call(n), to(n)), Asked::Keeps);
    let Some(QueueOutput::Keep(promise)) = queue.poll_output() else { panic!("it is kept") };
    queue.kept(seconds(now), wall(now), &call(n), true);
    *promise
}

#[test]
fn who_leaves_to_be_called_back_keeps_his_place_once_it_is_kept() {
    let mut queue = Queue::default();
    queue.join(seconds(1), joining(1, "sales", &[1]));
    queue.join(seconds(2), joining(2, "sales", &[1]));
    assert_eq!(queue.call_back(seconds(3), wall(3), &call(1), to(1)), Asked::Keeps);
    assert!(matches!(queue.poll_output(), Some(QueueOutput::Keep(_))));
    assert_eq!((queue.waiting(), queue.promised()), (2, 0), "he is on the line until he is told");
    queue.kept(seconds(3), wall(3), &call(1), true);
    assert_eq!((queue.waiting(), queue.promised(), queue.oldest()), (1, 1, Some(seconds(2))));
    queue.user_tells(seconds(4), tells(1, Some(seconds(4))));
    assert_eq!(queue.poll_output(), Some(QueueOutput::CallBack { call: call(1), user: user(1) }));
    assert!(!queue.called(seconds(5), &call(1), &user(2)) && queue.called(seconds(5), &call(1), &user(1)));
    assert!(!queue.called(seconds(5), &call(1), &user(1)), "once");
    assert_eq!(queue.poll_output(), None, "he talks, whatever he has told before");
    queue.user_tells(seconds(6), tells(1, Some(seconds(6))));
    assert_eq!(queue.poll_output(), Some(QueueOutput::Offer { call: call(2), user: user(1) }));
}

#[test]
fn who_has_hung_up_before_his_promise_was_kept_is_called_back_and_counted_once() {
    let mut queue = Queue::default();
    queue.join(seconds(1), joining(1, "sales", &[1]));
    assert_eq!(queue.call_back(seconds(2), wall(2), &call(1), to(1)), Asked::Keeps);
    assert!(!queue.leave(seconds(2), &call(1), Left::Abandoned));
    assert_eq!(queue.kept(seconds(3), wall(3), &call(1), true), Became::Promised);
    assert_eq!(queue.kept(seconds(3), wall(3), &call(1), true), Became::Nothing);
    let tally = queue.shown()[0].tally;
    assert_eq!((tally.called_back, tally.abandoned, tally.left), (1, 0, 0));
}

#[test]
fn whoever_does_not_answer_for_a_promised_call_has_missed_it_as_any_other() {
    let mut queue = Queue::default();
    queue.follow([(office(), QueueRules { away_after: 2, ..QueueRules::default() })].into());
    queue.join(seconds(1), joining(1, "sales", &[1]));
    leaves(&mut queue, 2, 1);
    for (at, outcome) in [(10, Outcome::Failed), (30, Outcome::Missed), (50, Outcome::Missed)] {
        queue.user_tells(seconds(at), tells(1, Some(seconds(at))));
        queue.tick(seconds(at));
        assert_eq!(offers(&mut queue), [(call(1), user(1))]);
        queue.rang(seconds(at + 5), &call(1), &user(1), outcome);
    }
    assert_eq!(queue.poll_output(), Some(QueueOutput::Away(user(1))));
}

#[test]
fn whoever_hangs_up_before_the_other_one_is_rung_leaves_him_his_place() {
    let mut queue = Queue::default();
    for n in [1, 2] {
        queue.join(seconds(n), joining(n, "sales", &[1]));
    }
    let promise = leaves(&mut queue, 3, 1);
    queue.user_tells(seconds(4), tells(1, Some(seconds(4))));
    assert_eq!(offers(&mut queue), [(call(1), user(1))]);
    assert!(queue.called(seconds(5), &call(1), &user(1)));
    queue.put_back(seconds(6), wall(6), promise.clone());
    assert_eq!(queue.poll_output(), Some(QueueOutput::Keep(Box::new(promise.clone()))));
    assert_eq!((queue.promised(), queue.position(&call(1)), queue.shown()[0].tally.answered), (1, Some(1), 0));
    queue.put_back(seconds(6), wall(6), promise);
    assert_eq!(queue.promised(), 1, "once");
    queue.user_tells(seconds(7), tells(1, Some(seconds(7))));
    assert_eq!(offers(&mut queue), [(call(1), user(1))], "he came before the other one");
}

#[test]
fn a_queue_tells_how_its_line_has_changed_and_since_when_the_first_waits() {
    let mut queue = Queue::default();
    queue.join(seconds(1), joining(1, "sales", &[1]));
    queue.join(seconds(2), joining(2, "sales", &[1]));
    queue.join(seconds(3), joining(3, "service", &[2]));
    let (sales, service) = (scenario("sales"), scenario("service"));
    assert_eq!(queue.poll_line(), Some((sales.clone(), 2, Some(seconds(1)))));
    assert_eq!(queue.poll_line(), Some((service.clone(), 1, Some(seconds(3)))));
    assert_eq!(queue.poll_line(), None);
    leaves(&mut queue, 4, 1);
    queue.leave(seconds(5), &call(3), Left::Exited);
    assert_eq!(queue.poll_line(), Some((sales, 1, Some(seconds(2)))));
    assert_eq!(queue.poll_line(), Some((service, 0, None)));
    assert_eq!((queue.waiting(), queue.oldest(), queue.poll_line()), (1, Some(seconds(2)), None));
}

#[test]
fn nobody_is_called_back_whose_promise_could_not_be_kept() {
    let mut queue = Queue::default();
    for n in [1, 2] {
        queue.join(seconds(1), joining(n, "sales", &[1]));
        assert_eq!(queue.call_back(seconds(2), wall(2), &call(n), to(n)), Asked::Keeps);
    }
    queue.user_tells(seconds(2), tells(1, Some(seconds(2))));
    assert_eq!(offers(&mut queue), [], "nobody rings before it is known");
    assert!(!queue.leave(seconds(3), &call(2), Left::Abandoned), "nobody knows yet what becomes of him");
    assert_eq!(queue.kept(seconds(3), wall(3), &call(2), false), Became::Left);
    assert_eq!((queue.waiting(), queue.shown()[0].tally.abandoned), (1, 1), "he has hung up");
    assert_eq!(queue.kept(seconds(3), wall(3), &call(1), false), Became::Waits);
    assert_eq!(queue.poll_output(), Some(QueueOutput::Offer { call: call(1), user: user(1) }), "he is on the line");
}

#[test]
fn promises_are_taken_up_after_a_restart_in_their_order_and_before_whoever_comes_then() {
    let mut queue = Queue::default();
    for n in 1..=4 {
        let priority = u8::from(n == 3);
        queue.join(seconds(n), Joining { priority, ..joining(n, "sales", &[1]) });
    }
    // They leave in another order than they came.
    let kept: Vec<PromisedCall> = [4, 1, 3].into_iter().map(|n| leaves(&mut queue, 10 + n, n)).collect();
    let mut queue = Queue::default();
    let late = PromisedCall { call: call(9), until: wall(100), ..kept[0].clone() };
    queue.restore(seconds(0), wall(100), kept.iter().cloned().chain([late]).collect());
    assert_eq!(queue.poll_output(), Some(QueueOutput::Strike(call(9))), "it was too old");
    queue.join(seconds(0), joining(5, "sales", &[1]));
    assert_eq!((queue.promised(), queue.waiting()), (3, 1));
    let shown = &queue.shown()[0].callers;
    assert_eq!(
        shown.iter().filter_map(|one| Some(one.promise.as_ref()?.since)).collect::<Vec<_>>(),
        [3, 1, 4].map(wall)
    );
    let mut served = Vec::new();
    for now in 1..=4 {
        queue.user_tells(seconds(now), tells(1, Some(seconds(now))));
        let offered = offers(&mut queue);
        queue.rang(seconds(now), &offered[0].0, &user(1), Outcome::Answered);
        served.extend(offered);
    }
    assert_eq!(served, [3, 1, 4, 5].map(|n| (call(n), user(1))));
}

#[test]
fn who_is_not_called_back_in_time_is_struck_off_also_when_somebody_rang_at_that_moment() {
    let mut queue = Queue::default();
    queue.join(seconds(1), joining(1, "sales", &[1]));
    queue.join(seconds(1), joining(2, "sales", &[2]));
    let hours = 4 * 3_600;
    let promise = leaves(&mut queue, 2, 1);
    assert_eq!(promise.until, wall(2 + hours));
    leaves(&mut queue, 3, 2);
    queue.user_tells(seconds(hours), tells(2, Some(seconds(hours))));
    assert_eq!(offers(&mut queue), [(call(2), user(2))]);
    queue.tick(seconds(hours + 4));
    assert_eq!((queue.poll_output(), queue.poll_timeout()), (Some(QueueOutput::Strike(call(1))), None));
    queue.rang(seconds(hours + 5), &call(2), &user(2), Outcome::Missed);
    assert_eq!((queue.poll_output(), queue.promised()), (Some(QueueOutput::Strike(call(2))), 0));
}

#[test]
fn who_asks_twice_is_called_back_once_and_a_queue_promises_no_more_than_it_may() {
    let mut queue = Queue::default();
    for n in 0..=CALL_BACKS_MAX + 1 {
        queue.join(seconds(1), joining(n, "sales", &[1]));
    }
    leaves(&mut queue, 2, 0);
    assert_eq!(queue.call_back(seconds(2), wall(2), &call(1), to(0)), Asked::Already);
    assert_eq!((queue.promised(), queue.position(&call(1))), (1, None), "he has his former place");
    for n in 2..=CALL_BACKS_MAX {
        leaves(&mut queue, 2, n);
    }
    assert_eq!(queue.promised(), CALL_BACKS_MAX);
    assert_eq!(queue.call_back(seconds(2), wall(2), &call(CALL_BACKS_MAX + 1), to(CALL_BACKS_MAX + 1)), Asked::No);
    assert_eq!(queue.waiting(), 1);
}

#[test]
fn a_switch_that_is_about_to_end_calls_nobody_back() {
    let mut queue = Queue::default();
    queue.join(seconds(1), joining(1, "sales", &[1]));
    leaves(&mut queue, 2, 1);
    queue.drain();
    queue.user_tells(seconds(3), tells(1, Some(seconds(3))));
    assert_eq!(offers(&mut queue), []);
}

#[derive(Debug, Clone)]
enum Event {
    Join(usize, Vec<usize>, u8),
    Leave(usize),
    Free(usize, bool),
    Rang(usize, u8),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0usize..12, prop::collection::vec(0usize..5, 1..4), 0u8..3).prop_map(|(n, users, p)| Event::Join(n, users, p)),
        1 => (0usize..12).prop_map(Event::Leave),
        4 => ((0usize..5), any::<bool>()).prop_map(|(n, free)| Event::Free(n, free)),
        4 => (0usize..12, 0u8..3).prop_map(|(n, outcome)| Event::Rang(n, outcome)),
    ]
}

proptest! {
    /// Nobody rings for two, nobody waits while somebody is free for him, and who is served is the first of those who could be.
    #[test]
    fn whoever_is_free_rings_for_the_first_who_waits_for_him(events in prop::collection::vec(any_event(), 0..80)) {
        let mut queue = Queue::default();
        let mut ringing: BTreeMap<CallId, UserId> = BTreeMap::new();
        for (step, event) in events.into_iter().enumerate() {
            // Rests are over before the next event, so that none is in the way of what is shown here.
            let now = seconds(step * 20 + 1);
            queue.tick(now);
            let late: Vec<(CallId, UserId)> = offers(&mut queue);
            for (call, user) in late {
                prop_assert!(ringing.insert(call, user).is_none());
            }
            match event {
                Event::Join(n, users, priority) => {
                    queue.join(now, Joining { priority, ..joining(n, "sales", &users) });
                }
                Event::Leave(n) => {
                    queue.leave(now, &call(n), Left::Abandoned);
                    ringing.remove(&call(n));
                }
                Event::Free(n, free) => queue.user_tells(now, tells(n, free.then_some(now))),
                Event::Rang(n, outcome) => {
                    if let Some(user) = ringing.remove(&call(n)) {
                        let outcome = [Outcome::Answered, Outcome::Refused, Outcome::Missed][usize::from(outcome)];
                        queue.rang(now, &call(n), &user, outcome);
                    }
                }
            }
            for (call, user) in offers(&mut queue) {
                prop_assert!(!ringing.values().any(|rings| *rings == user), "{user} rings for two");
                prop_assert!(ringing.insert(call, user).is_none(), "two ring for one");
            }
            for (rank, caller) in &queue.callers {
                prop_assert_eq!(caller.offered.as_ref(), ringing.get(&caller.call));
                if caller.offered.is_none() {
                    let free = caller.wanted.iter().find(|wanted| {
                        queue.desks.get(&wanted.user).is_some_and(|desk| desk.may_ring(now))
                    });
                    prop_assert!(free.is_none(), "{rank:?} waits though {free:?} is free");
                }
            }
        }
    }
}
