//! Digits that a scenario collects.

use plugboard_call::{Input, Output, PlayFinish, Request};
use plugboard_model::{CollectEnd, LegId};

use crate::{Story, collect, collected};

#[test]
fn r54_a_digit_stops_the_prompt_and_counts() {
    let mut story = Story::new(true);
    let started = story.ask(collect(Some("welcome"), 3));
    assert_eq!(started.first(), Some(&Output::AnswerCaller));
    let first = story.feed(Input::Digit { leg: LegId::CALLER, digit: '1' });
    assert!(matches!(first.as_slice(), [Output::StopPlay { .. }]), "{first:?}");
    story.feed(Input::Digit { leg: LegId::CALLER, digit: '0' });
    let last = story.feed(Input::Digit { leg: LegId::CALLER, digit: '5' });
    let collected = collected(&last);
    assert_eq!((collected.digits.as_str(), collected.ended_by), ("105", CollectEnd::MaxDigits));
}

#[test]
fn r55_the_wait_for_the_first_digit_begins_at_the_prompts_end() {
    let mut story = Story::new(true);
    let started = story.ask(collect(Some("welcome"), 1));
    let play = started.iter().find_map(|o| if let Output::Play { play, .. } = o { Some(*play) } else { None }).unwrap();
    assert!(story.wait(60_000).is_empty(), "a long prompt is heard to its end");
    story.feed(Input::PlayEnded { play, finish: PlayFinish::NotPlayable("no such file".into()) });
    let over = story.wait(5_000);
    let collected = collected(&over);
    assert_eq!((collected.digits.as_str(), collected.ended_by), ("", CollectEnd::Timeout));
    assert_eq!(collected.not_played.as_deref(), Some("no such file"), "r52: the asker can log it");
}

#[test]
fn digits_pressed_ahead_of_the_menu_count() {
    let mut story = Story::new(true);
    story.ask(Request::Answer);
    story.feed(Input::Digit { leg: LegId::CALLER, digit: '2' });
    let done = story.ask(collect(None, 1));
    assert_eq!(collected(&done).digits, "2");
}
