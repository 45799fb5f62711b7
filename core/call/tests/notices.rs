//! Mail, texts and posts that are to leave, over days in a moment.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_call::notices::{LaneRules, NotChanged, NotTaken, NoticeRules, Notices, NoticesOutput, Taken};
use plugboard_model::{
    CallId, Notice, NoticeContent, NoticeEnd, NoticeId, NoticePart, NoticeState, OfficeId, OutgoingMail, OutgoingText,
    WallTime,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const LANE: LaneRules = LaneRules { give_up_after: Duration::from_hours(24), at_once: 2, an_hour: 50 };

fn office() -> OfficeId {
    OfficeId::new("main").unwrap()
}

fn notices() -> Notices {
    let mut notices = Notices::default();
    let rules = NoticeRules { mail: Some(LANE), text: Some(LANE), post: LANE, log: LANE };
    notices.follow(at(0), BTreeMap::from([(office(), rules)]));
    notices
}

fn at(seconds: i64) -> WallTime {
    WallTime(seconds * 1_000)
}

fn id(n: u32) -> NoticeId {
    NoticeId { call: CallId::new(office(), at(0), 1), part: NoticePart::Message(n) }
}

fn mail(n: u32) -> Notice {
    let content = OutgoingMail {
        message_id: format!("{n}@plugboard.test"),
        to: vec!["ann@example.com".into()],
        subject: "Hello".into(),
        text: "A secret".into(),
        html: None,
        attachments: Vec::new(),
    };
    notice(n, 0, NoticeContent::Mail(content), true)
}

fn text(n: u32) -> Notice {
    notice(n, 0, NoticeContent::Text(OutgoingText { to: "+4930123".into(), text: "Hello".into() }), false)
}

fn notice(n: u32, taken: i64, content: NoticeContent, repeats: bool) -> Notice {
    let (numbers, state) = (vec!["101".into()], NoticeState::Waiting { until: at(taken) });
    Notice { id: id(n), taken: at(taken), numbers, content, repeats, tried: 0, tries: Vec::new(), state }
}

fn outputs(notices: &mut Notices) -> Vec<NoticesOutput> {
    std::iter::from_fn(|| notices.poll_output()).collect()
}

/// What begins, by number and try.
fn begun(notices: &mut Notices) -> Vec<(u32, u32)> {
    let begins = outputs(notices).into_iter().filter_map(|output| match output {
        NoticesOutput::Begin(notice) => match notice.id.part {
            NoticePart::Message(n) => Some((n, notice.tried)),
            NoticePart::Step { .. } | NoticePart::Fax(_) | NoticePart::Log(_) => None,
        },
        NoticesOutput::Keep(_) | NoticesOutput::GivenUp(_) | NoticesOutput::Forget(_) => None,
    });
    begins.collect()
}

#[test]
fn a_notice_leaves_at_once_and_only_once_however_often_it_is_taken() {
    let mut notices = notices();
    assert_eq!(notices.take(at(0), mail(1)), Ok(Taken::New));
    assert_eq!(begun(&mut notices), [(1, 1)]);
    assert_eq!(notices.take(at(1), mail(1)), Ok(Taken::Before));
    notices.tried(at(2), &id(1), 1, NoticeEnd::Sent("250 ok".into()));
    assert_eq!(notices.take(at(3), mail(1)), Ok(Taken::Before));
    assert_eq!(begun(&mut notices), []);
    let kept = notices.get(&id(1)).unwrap();
    let NoticeContent::Mail(sent) = &kept.content else { panic!("{kept:?}") };
    assert_eq!((sent.text.as_str(), kept.state.clone()), ("", NoticeState::Sent { at: at(2) }));
}

#[test]
fn what_is_not_taken_now_is_tried_again_at_growing_distances_and_given_up_after_a_day() {
    let mut notices = notices();
    notices.take(at(0), mail(1)).unwrap();
    let (mut n, mut tries) = (1, Vec::new());
    while let Some((_, tried)) = begun(&mut notices).first().copied() {
        assert_eq!(tried, n);
        let now = notices.poll_timeout().map_or(at(0), |_| *tries.last().unwrap_or(&at(0)));
        notices.tried(now, &id(1), n, NoticeEnd::NotNow("451 later".into()));
        n += 1;
        let Some(next) = notices.poll_timeout() else { break };
        tries.push(next);
        notices.tick(next);
    }
    let seconds: Vec<i64> = tries.iter().map(|time| time.0 / 1_000).collect();
    assert_eq!(seconds.first_chunk::<6>(), Some(&[5, 10, 20, 40, 80, 160]));
    assert!(seconds.windows(2).all(|pair| pair[1] - pair[0] <= 1_800), "{seconds:?}");
    assert_eq!(seconds.last(), Some(&86_400));
    let kept = notices.get(&id(1)).unwrap();
    assert_eq!(kept.state, NoticeState::Failed { at: at(86_400) });
    assert_eq!((kept.tries.len(), &kept.tries.last().unwrap().end), (Notice::TRIES_KEPT, &NoticeEnd::TooOld));
    assert_eq!(notices.poll_timeout(), None);
}

#[test]
fn a_refusal_is_final_until_an_admin_wants_it_again() {
    let mut notices = notices();
    notices.take(at(0), mail(1)).unwrap();
    outputs(&mut notices);
    notices.tried(at(1), &id(1), 1, NoticeEnd::Refused("550 no such user".into()));
    assert!(outputs(&mut notices).contains(&NoticesOutput::GivenUp(id(1))));
    assert_eq!(notices.poll_timeout(), None);
    assert_eq!(notices.put_aside(at(2), &id(1)), Err(NotChanged::Over("failed")));
    notices.retry(at(100_000), &id(1)).unwrap();
    assert_eq!(begun(&mut notices), [(1, 2)]);
    notices.tried(at(100_001), &id(1), 1, NoticeEnd::Sent("a word about another try".into()));
    assert_eq!(notices.retry(at(100_001), &id(1)), Err(NotChanged::Sending));
    notices.tried(at(100_002), &id(1), 2, NoticeEnd::Sent(String::new()));
    assert_eq!(notices.retry(at(100_003), &id(1)), Err(NotChanged::Left));
}

#[test]
fn of_what_was_leaving_when_the_switch_ended_mail_leaves_again_and_a_text_message_does_not() {
    let mut notices = notices();
    let leaving = |mut notice: Notice| {
        (notice.state, notice.tried) = (NoticeState::Sending { since: at(1) }, 1);
        notice
    };
    notices.restore(at(10), vec![leaving(mail(1)), leaving(text(2)), mail(3)]);
    assert_eq!(begun(&mut notices), [(3, 1)]);
    notices.tick(notices.poll_timeout().unwrap());
    assert_eq!(begun(&mut notices), [(1, 2)]);
    let NoticeState::Failed { .. } = notices.get(&id(2)).unwrap().state else { panic!("it was sent twice") };
}

#[test]
fn no_more_leave_at_once_or_in_an_hour_than_the_office_lets_and_each_kind_has_its_own_places() {
    let mut notices = notices();
    for n in 0..50 {
        notices.take(at(0), mail(n)).unwrap();
    }
    assert_eq!(begun(&mut notices), [(0, 1), (1, 1)]);
    assert_eq!(notices.take(at(1), mail(50)), Err(NotTaken::TooMany(50)));
    notices.take(at(1), text(51)).unwrap();
    assert_eq!(begun(&mut notices), [(51, 1)]);
    assert_eq!(notices.take(at(3_601), mail(50)), Ok(Taken::New));
    notices.put_aside(at(3_602), &id(2)).unwrap();
    notices.tried(at(3_602), &id(0), 1, NoticeEnd::Sent(String::new()));
    assert!(begun(&mut notices).iter().all(|(n, _)| *n != 2));
    assert_eq!(notices.forget(|notice| notice.numbers.contains(&"101".to_owned())), 52);
    assert_eq!((notices.waiting(), notices.poll_timeout()), (0, None));
}

#[test]
fn an_office_that_sends_no_mail_takes_none() {
    let mut notices = Notices::default();
    notices.follow(at(0), BTreeMap::from([(office(), NoticeRules { mail: None, text: None, post: LANE, log: LANE })]));
    assert_eq!(notices.take(at(0), mail(1)), Err(NotTaken::NoLane));
}

#[test]
fn a_try_of_which_nothing_is_heard_does_not_hold_its_place_for_ever() {
    let mut notices = notices();
    notices.take(at(0), mail(1)).unwrap();
    notices.take(at(0), text(2)).unwrap();
    outputs(&mut notices);
    assert_eq!(notices.poll_timeout(), Some(at(600)));
    notices.tick(at(600));
    assert_eq!(notices.get(&id(2)).unwrap().state, NoticeState::Failed { at: at(600) });
    assert_eq!(notices.get(&id(1)).unwrap().state.as_str(), "waiting");
}

proptest! {
    /// Whatever comes in whatever order: a notice leaves only after it was kept as what leaves, one try at a time, and never again after it
    /// was told to have left.
    #[test]
    fn what_has_left_never_leaves_again(steps in prop::collection::vec((0_u32..4, 0_u32..6, 0_i64..4_000), 1..80)) {
        let (mut notices, mut now) = (notices(), 0);
        let (mut running, mut left) = (BTreeMap::new(), Vec::new());
        for (n, what, wait) in steps {
            now += wait;
            match (what, running.get(&n).copied()) {
                (0, _) => drop(notices.take(at(now), if n < 2 { mail(n) } else { text(n) })),
                (1, Some(tried)) => {
                    // What was given up meanwhile, since nothing was heard of it, may leave again.
                    let goes_on = notices.get(&id(n)).is_some_and(|one| one.tried == tried && one.state.as_str() == "sending");
                    left.extend(goes_on.then_some(n));
                    notices.tried(at(now), &id(n), tried, NoticeEnd::Sent(String::new()));
                    running.remove(&n);
                }
                (2, Some(tried)) => { notices.tried(at(now), &id(n), tried, NoticeEnd::NotNow(String::new())); running.remove(&n); }
                (3, Some(tried)) => { notices.tried(at(now), &id(n), tried, NoticeEnd::Refused(String::new())); running.remove(&n); }
                (4, _) => drop(notices.retry(at(now), &id(n))),
                (_, _) => notices.tick(at(now)),
            }
            for (n, tried) in begun(&mut notices) {
                prop_assert!(!left.contains(&n), "{n} left twice");
                running.insert(n, tried);
            }
            let leaving = notices.of_office(&office()).filter(|notice| notice.state.as_str() == "sending").count();
            prop_assert!(leaving <= 4, "{leaving} at once");
        }
    }
}
