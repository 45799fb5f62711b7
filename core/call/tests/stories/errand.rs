//! Calls that nobody makes, fax machines among those who talk, and who is never rung.

use plugboard_call::{Input, Op, Origin, Output, Party, Request, RingOrder};
use plugboard_model::{CallOutcome, Cause, FaxOutcome, FaxReceived, FaxRequest, HostResult, LegId, NotConnected};
use std::time::Duration;

use crate::{Story, made_legs, rang, user};

fn errand(request: Request) -> Input {
    Input::Request { op: Op::Errand, request }
}

/// Bob at 102 is called on our own behalf.
fn calls_out() -> Story {
    let mut story = Story::of(false, Origin::Ours);
    let parties = vec![Party::User(user("102"))];
    story.feed(errand(Request::CallOut { parties, order: RingOrder::One, ring_for: Duration::from_secs(20) }));
    assert_eq!(made_legs(&story.offers("102", 1)), [1], "a caller's leg is nobody's");
    story
}

fn done() -> FaxReceived {
    FaxReceived { end: FaxOutcome::Done, pages: 1, sender: String::new(), document: None }
}

#[test]
fn who_answers_a_call_of_ours_hears_our_machine_and_nobody_else() {
    let mut story = calls_out();
    let answered = story.answers(1);
    assert!(matches!(answered.last(), Some(Output::Result { op: Op::Errand, result: HostResult::Rang(Ok(_)) })));
    assert!(
        !answered.iter().any(|output| matches!(output, Output::Bridge { .. } | Output::AnswerCaller)),
        "{answered:?}"
    );
    let sends = story.feed(errand(Request::SendFax { max: Duration::from_secs(60) }));
    assert_eq!(sends, [Output::SendFax { leg: LegId(1) }]);
    let over = story.feed(Input::Faxed(Ok(done())));
    assert_eq!(over, [Output::Result { op: Op::Errand, result: HostResult::Faxed(Ok(done())) }]);
    let ends = story.feed(errand(Request::HangUp(Cause::normal())));
    assert!(ends.contains(&Output::EndLeg { leg: LegId(1), cause: Cause::normal() }), "{ends:?}");
    story.ended(1, 200);
    assert_eq!((&story.record().outcome, story.record().legs.len()), (&CallOutcome::Handled, 1));
}

#[test]
fn a_call_of_ours_that_nobody_answers_tells_why_and_ends() {
    let mut story = calls_out();
    let refused = story.ended(1, 486);
    let why = HostResult::Rang(Err(NotConnected::NoAnswer(Cause::of(486))));
    assert!(refused.contains(&Output::Result { op: Op::Errand, result: why }), "{refused:?}");
    assert_eq!(story.record().outcome, CallOutcome::NotAnswered(Cause::of(486)));
}

#[test]
fn a_call_of_ours_is_hung_up_while_it_rings_and_picked_up_by_nobody() {
    let mut story = calls_out();
    assert!(!story.call.may_be_picked_up(LegId(1)));
    assert_eq!(story.feed(Input::Join { leaving: Some(LegId(1)), other: "another".into() }), []);
    story.feed(Input::HangUp(Cause::of(503)));
    story.ended(1, 487);
    assert_eq!(story.record().outcome, CallOutcome::Failed(Cause::of(503)));
}

fn receive(story: &mut Story) -> Vec<Output> {
    let op = Op::Run { run: plugboard_model::RunId(9), n: 0 };
    let request = FaxRequest { ident: String::new(), pages_max: 1, max_ms: 60_000 };
    story.feed(Input::Request { op, request: Request::ReceiveFax(request) })
}

#[test]
fn a_machine_that_calls_takes_the_place_of_those_who_ring_and_of_who_talks() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    story.ask(Request::Answer);
    assert!(matches!(receive(&mut story).as_slice(), [Output::Result { result: HostResult::Faxed(Err(_)), .. }]));
    story.feed(Input::FaxHeard);
    let taken = receive(&mut story);
    assert!(taken.iter().any(|output| matches!(output, Output::CancelLeg { leg: LegId(1), .. })), "{taken:?}");
    assert!(taken.iter().any(|output| matches!(output, Output::Fax { leg: LegId::CALLER, .. })), "{taken:?}");
    let over = story.feed(Input::Faxed(Ok(done())));
    assert!(matches!(rang(&over), Some(Err(NotConnected::Invalid(_)))), "who rang is told when it is over: {over:?}");

    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    story.answers(1);
    assert!(matches!(receive(&mut story).as_slice(), [Output::Result { result: HostResult::Faxed(Err(_)), .. }]));
    story.feed(Input::FaxHeard);
    let taken = receive(&mut story);
    assert!(taken.contains(&Output::EndLeg { leg: LegId(1), cause: Cause::normal() }), "{taken:?}");
    assert!(!taken.contains(&Output::Unbridged), "the scenario goes on when the fax is over");
    assert!(story.feed(Input::Faxed(Ok(done()))).contains(&Output::Unbridged));
}

#[test]
fn the_caller_himself_is_never_rung() {
    let mut story = Story::new(true);
    let rung = story.rings(&["101"], RingOrder::One);
    assert_eq!(rang(&rung), Some(Err(NotConnected::NoAnswer(Cause::of(486)))));
}
