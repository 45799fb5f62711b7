//! Calls that are handed on, and calls that take each other's place.

use plugboard_call::{AskWhy, CancelWhy, Input, Op, Output, Party, Request, RingOrder, Service, Transfer};
use plugboard_model::{
    Audio, CallOutcome, Cause, FaxRequest, HostResult, LegId, NotConnected, PlayOptions, RingBack, RunId,
};
use std::time::Duration;

use crate::{Story, led, rang, user};

/// Bob at leg 1 answered Ann; leg `by` hands the other one on to this user.
fn talking() -> Story {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    story.answers(1);
    story
}

fn hands_on(story: &mut Story, by: u32, to: &str) -> Vec<Output> {
    story.feed(Input::Transfer(Transfer {
        by: LegId(by),
        parties: vec![Party::User(user(to))],
        service: None,
        order: RingOrder::One,
        ring_for: Duration::from_secs(20),
        recall: true,
        to: to.into(),
    }))
}

#[test]
fn a_transfer_rings_the_number_for_who_stays_and_lets_the_other_go_at_the_answer() {
    for (by, stays) in [(1, 0), (0, 1)] {
        let mut story = talking();
        let began = hands_on(&mut story, by, "103");
        assert_eq!(began[0], Output::AcceptTransfer { leg: LegId(by) });
        assert!(began.contains(&Output::AskUser { user: user("103"), reserve: true, why: AskWhy::Direct }));
        story.offers("103", 1);
        let rang = story.feed(Input::LegRang(LegId(2)));
        assert!(rang.contains(&Output::NotifyTransfer { leg: LegId(by), status: 180 }));
        assert!(rang.iter().any(|out| matches!(out, Output::Play { leg, .. } if *leg == LegId(stays))), "{rang:?}");
        let answered = story.answers(2);
        for wanted in [
            Output::Bridge { anchor: LegId(stays), peer: LegId(2) },
            Output::NotifyTransfer { leg: LegId(by), status: 200 },
            Output::Identify { leg: LegId(stays), other: LegId(2) },
            Output::EndLeg { leg: LegId(by), cause: Cause::normal() },
        ] {
            assert!(answered.contains(&wanted), "{wanted:?} in {answered:?}");
        }
        story.ended(by, 200);
        assert!(!story.call.is_over(), "who stays talks on");
        story.ended(stays, 200);
        story.ended(2, 200);
        assert_eq!(story.record().outcome, CallOutcome::Answered);
    }
}

#[test]
fn a_service_has_taken_the_call_when_it_answers_and_gives_it_back_when_it_does_not() {
    for answers in [true, false] {
        let mut story = talking();
        let began = story.feed(Input::Transfer(Transfer {
            by: LegId(1),
            parties: Vec::new(),
            service: Some(Service::Mailbox(None)),
            order: RingOrder::One,
            ring_for: Duration::from_secs(20),
            recall: true,
            to: "*98".into(),
        }));
        assert!(began.contains(&Output::OpenMailbox { mailbox: None }), "{began:?}");
        let told = |outputs: &[Output], status| outputs.contains(&Output::NotifyTransfer { leg: LegId(1), status });
        assert!(!told(&began, 200));
        let request = if answers { Request::Answer } else { Request::HangUp(Cause::of(500)) };
        let over = story.feed(Input::Request { op: Op::Direct, request });
        assert!(told(&over, if answers { 200 } else { 500 }), "{over:?}");
        assert_eq!(over.contains(&Output::EndLeg { leg: LegId(1), cause: Cause::normal() }), answers);
        assert_eq!(over.contains(&Output::Bridge { anchor: LegId(0), peer: LegId(1) }), !answers);
    }
}

#[test]
fn whoever_rings_somebody_for_a_service_is_told_when_another_step_ends_it() {
    let mut story = talking();
    story.feed(Input::Transfer(Transfer {
        by: LegId(1),
        parties: Vec::new(),
        service: Some(Service::Scenario(led("front"))),
        order: RingOrder::One,
        ring_for: Duration::from_secs(20),
        recall: false,
        to: "300".into(),
    }));
    let (rings, ends) = (Op::Run { run: RunId(7), n: 0 }, Op::Run { run: RunId(8), n: 0 });
    let (parties, ring_for) = (vec![Party::User(user("103"))], Duration::from_secs(5));
    let request = Request::Ring { parties, order: RingOrder::AtOnce, ring_for, ring_back: RingBack::Tone };
    story.feed(Input::Request { op: rings, request });
    let over = story.feed(Input::Request { op: ends, request: Request::HangUp(Cause::of(486)) });
    for told in [
        Output::Result { op: rings, result: HostResult::Rang(Err(NotConnected::CallerGone)) },
        Output::NotifyTransfer { leg: LegId(1), status: 486 },
    ] {
        assert_eq!(over.iter().filter(|out| **out == told).count(), 1, "{told:?} in {over:?}");
    }
}

#[test]
fn a_caller_who_hands_on_and_leaves_ends_his_scenario_once() {
    let mut story = talking();
    hands_on(&mut story, 0, "103");
    story.offers("103", 1);
    assert!(story.ended(0, 200).contains(&Output::CallerGone));
    story.answers(2);
    story.ended(2, 200);
    story.ended(1, 200);
    let gone = story.seen.iter().filter(|output| **output == Output::CallerGone).count();
    assert_eq!((gone, story.record().legs.len()), (2, 3), "once for the scenario, once for what is left");
}

#[test]
fn a_transfer_that_nobody_answers_comes_back_to_who_wanted_it() {
    let mut story = talking();
    hands_on(&mut story, 1, "103");
    story.offers("103", 1);
    let back = story.ended(2, 486);
    assert!(back.contains(&Output::NotifyTransfer { leg: LegId(1), status: 486 }), "{back:?}");
    assert!(back.contains(&Output::Bridge { anchor: LegId(0), peer: LegId(1) }), "he is still there");
    hands_on(&mut story, 1, "103");
    story.offers("103", 1);
    story.ended(1, 200);
    let called_back = story.wait(20_000);
    let recall = Output::AskUser { user: user("102"), reserve: true, why: AskWhy::Recall };
    assert!(called_back.contains(&recall), "{called_back:?}");
    story.offers("102", 1);
    story.answers(4);
    assert_eq!(story.call.talking_to(), Some(LegId(4)));
}

#[test]
fn who_talks_to_nobody_hands_nobody_on() {
    let mut story = Story::new(true);
    assert_eq!(hands_on(&mut story, 0, "103"), [Output::RejectTransfer { leg: LegId(0), status: 481 }]);
    let mut story = talking();
    hands_on(&mut story, 1, "103");
    assert_eq!(hands_on(&mut story, 0, "104"), [Output::RejectTransfer { leg: LegId(0), status: 481 }]);
}

#[test]
fn a_call_that_takes_the_place_of_a_leg_is_a_leg_and_may_be_handed_on_itself() {
    let mut story = talking();
    let joined = story.feed(Input::Join { leaving: Some(LegId(1)), other: "call 2".into() });
    let place = |wanted: &Output| joined.iter().position(|output| output == wanted);
    assert!(place(&Output::Joint { leg: LegId(2) }) < place(&Output::Bridge { anchor: LegId(0), peer: LegId(2) }));
    assert!(joined.contains(&Output::EndLeg { leg: LegId(1), cause: Cause::normal() }));
    story.ended(1, 200);
    hands_on(&mut story, 0, "103");
    story.offers("103", 1);
    let answered = story.answers(3);
    assert!(answered.contains(&Output::Bridge { anchor: LegId(2), peer: LegId(3) }), "{answered:?}");
    story.ended(0, 200);
    let over = story.ended(2, 200);
    assert!(over.contains(&Output::EndLeg { leg: LegId(3), cause: Cause::normal() }), "{over:?}");
    story.ended(3, 200);
    assert!(story.record().legs.iter().any(|leg| leg.party == "call 2"));
}

#[test]
fn a_call_that_is_picked_up_stops_ringing_and_answers_the_caller() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 2);
    story.feed(Input::LegRang(LegId(1)));
    assert!(story.call.may_be_picked_up(LegId(1)) && !story.call.may_be_picked_up(LegId(0)));
    let joined = story.feed(Input::Join { leaving: Some(LegId(1)), other: "call 2".into() });
    for leg in [1, 2] {
        assert!(joined.contains(&Output::CancelLeg { leg: LegId(leg), why: CancelWhy::CompletedElsewhere }));
    }
    assert!(joined.contains(&Output::AnswerCaller));
    assert!(matches!(rang(&joined), Some(Ok(_))), "{joined:?}");
}

#[test]
fn whoever_was_put_off_for_a_fax_goes_on_when_nobody_wants_the_fax_any_more() {
    let mut story = Story::new(true);
    let (plays, faxes) = (Op::Run { run: RunId(0), n: 0 }, Op::Run { run: RunId(1), n: 0 });
    let play = Request::Play { audio: Audio::Prompt("long".into()), options: PlayOptions::default() };
    story.feed(Input::Request { op: plays, request: play });
    let fax = FaxRequest { ident: String::new(), pages_max: 1, max_ms: 3_000 };
    story.feed(Input::Request { op: faxes, request: Request::ReceiveFax(fax) });
    let over = story.feed(Input::Cancel { op: faxes });
    let told = |out: &&Output| matches!(out, Output::Result { op, result: HostResult::Played(Err(_)) } if *op == plays);
    assert_eq!(over.iter().filter(told).count(), 1, "{over:?}");
}
