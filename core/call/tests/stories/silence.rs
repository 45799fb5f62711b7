//! Legs of which nothing is heard.

use plugboard_call::{Input, Output, RingOrder};
use plugboard_model::{Cause, LegId};

use crate::Story;

#[test]
fn who_falls_silent_is_asked_once_and_nobody_who_is_on_hold() {
    let mut story = Story::new(true);
    let silent = |leg| Input::LegSilent { leg: LegId(leg), heard: true };
    assert_eq!(story.feed(silent(0)), [], "he is not answered yet");
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    assert!(story.answers(1).contains(&Output::Listen { leg: LegId::CALLER }), "and now he has his time");
    assert_eq!(story.feed(silent(0)), [Output::AskLeg { leg: LegId::CALLER }]);
    assert_eq!(story.feed(silent(0)), [], "once");
    story.feed(Input::LegLives(LegId::CALLER));
    assert_eq!(story.feed(silent(0)), [], "he lives, and is only not heard");
    story.feed(Input::LegHeard(LegId::CALLER));
    story.feed(Input::LegHolds { leg: LegId(1), on: true });
    assert_eq!(story.feed(silent(0)), [], "he hears music");
    let back = story.feed(Input::LegHolds { leg: LegId(1), on: false });
    assert!(back.contains(&Output::Listen { leg: LegId::CALLER }), "{back:?}");
    assert_eq!(story.feed(Input::LegSilent { leg: LegId(1), heard: false }), [], "who was never heard is not asked");
    assert_eq!(story.feed(silent(0)), [Output::AskLeg { leg: LegId::CALLER }]);
    let ended = story.feed(Input::LegEnded { leg: LegId::CALLER, cause: Cause::silent() });
    assert!(ended.contains(&Output::EndLeg { leg: LegId(1), cause: Cause::left_by_the_silent() }), "{ended:?}");
}
