use super::*;
use crate::voicemail::Moment;
use plugboard_model::{CallId, OfficeId, TapeWhy, WallTime};

fn tape(n: u32) -> TapeId {
    (CallId::new(OfficeId::new("main").unwrap(), WallTime(0), 1), n)
}

fn message(n: u32, heard: bool) -> Message {
    let at = Moment { day: 2, month: 3, hour: 4, minute: 5 };
    Message { tape: tape(n), file: format!("{n}.wav"), from: "102".into(), at, heard }
}

/// What it wants, in short.
fn wishes(listening: &mut Listening) -> Vec<String> {
    let cue = |cue: Cue| match cue {
        Cue::Phrase(phrase) => phrase.slug().to_owned(),
        Cue::Audio(Audio::Tape(file)) => file,
        Cue::Audio(other) => format!("{other:?}"),
    };
    let word = |wish| match wish {
        Wish::Play { cue: heard, .. } => format!("plays {}", cue(heard)),
        Wish::Ask { cue: Cue::Phrase(Phrase::Menu { new, old }), .. } => format!("asks menu {new}/{old}"),
        Wish::Ask { cue: heard, .. } => format!("asks {}", cue(heard)),
        Wish::Take(what) => format!("takes {what:?}"),
        Wish::Verify { number, pin } => format!("verifies {pin} of {}", number.unwrap_or_default()),
        Wish::Keep((_, n)) => format!("keeps {n}"),
        Wish::Erase((_, n)) => format!("erases {n}"),
        Wish::Greet((_, n)) => format!("greets with {n}"),
        Wish::End(end) => format!("{end:?}"),
    };
    std::iter::from_fn(|| listening.poll_wish()).map(word).collect()
}

fn keys(keys: &str) -> Heard {
    Heard::Keys(keys.into())
}

#[track_caller]
fn told(listening: &mut Listening, heard: Heard, wanted: &[&str]) {
    listening.handle(heard);
    assert_eq!(wishes(listening), wanted);
}

#[test]
fn the_right_pin_opens_and_three_wrong_ones_end_the_call() {
    let mut listening = Listening::new(true);
    assert_eq!(wishes(&mut listening), ["asks enter-mailbox"]);
    told(&mut listening, keys("102"), &["asks enter-pin"]);
    assert!(listening.asks_pin());
    told(&mut listening, keys("1"), &["verifies 1 of 102"]);
    told(&mut listening, Heard::Verdict(Verdict::Wrong), &["plays wrong-pin"]);
    told(&mut listening, Heard::Played, &["asks enter-mailbox"]);
    told(&mut listening, keys("102"), &["asks enter-pin"]);
    told(&mut listening, keys("2"), &["verifies 2 of 102"]);
    told(&mut listening, Heard::Verdict(Verdict::Open(vec![message(1, false)])), &["asks menu 1/0"]);
    assert!(!listening.asks_pin());

    let mut listening = Listening::new(false);
    for n in 1..=PINS_MAX {
        assert_eq!(wishes(&mut listening), ["asks enter-pin"]);
        told(&mut listening, keys("9"), &["verifies 9 of "]);
        told(&mut listening, Heard::Verdict(Verdict::Wrong), &["plays wrong-pin"]);
        listening.handle(Heard::Played);
        if n == PINS_MAX {
            assert_eq!(wishes(&mut listening), ["Mailbox(Refused)"]);
        }
    }
}

#[test]
fn a_locked_mailbox_is_not_opened() {
    let mut listening = Listening::new(false);
    wishes(&mut listening);
    listening.handle(keys("1"));
    wishes(&mut listening);
    told(&mut listening, Heard::Verdict(Verdict::Locked), &["plays locked"]);
    told(&mut listening, Heard::Played, &["Mailbox(Refused)"]);
}

#[test]
fn new_messages_are_heard_in_turn_kept_saved_and_deleted() {
    let mut listening =
        Listening::opened(vec![message(1, true), message(2, false), message(3, false), message(4, false)]);
    assert_eq!(wishes(&mut listening), ["asks menu 3/1"]);
    told(&mut listening, keys("1"), &["plays header"]);
    told(&mut listening, Heard::Played, &["plays 2.wav"]);
    told(&mut listening, Heard::Played, &["keeps 2", "asks message-keys"]);
    told(&mut listening, keys("1"), &["plays 2.wav"]);
    told(&mut listening, Heard::Key('2'), &["plays header"]);
    told(&mut listening, Heard::Key('3'), &["erases 3", "plays deleted"]);
    told(&mut listening, Heard::Played, &["plays header"]);
    told(&mut listening, Heard::Played, &["plays 4.wav"]);
    told(&mut listening, Heard::Key('4'), &["keeps 4", "plays saved"]);
    told(&mut listening, Heard::Played, &["plays no-more"]);
    told(&mut listening, Heard::Played, &["asks menu 0/3"]);
    told(&mut listening, keys("2"), &["plays header"]);
    told(&mut listening, Heard::NotPlayable, &["plays 1.wav"]);
    told(&mut listening, Heard::NotPlayable, &["plays not-playable"]);
    told(&mut listening, Heard::Played, &["plays header"]);
    told(&mut listening, Heard::Key('0'), &["asks menu 0/3"]);
    told(&mut listening, keys("9"), &["plays goodbye"]);
    told(&mut listening, Heard::Played, &["Mailbox(Done)"]);
}

#[test]
fn what_was_not_heard_to_its_end_stays_new() {
    let mut listening = Listening::opened(vec![message(1, false)]);
    wishes(&mut listening);
    told(&mut listening, keys("1"), &["plays header"]);
    told(&mut listening, Heard::Played, &["plays 1.wav"]);
    told(&mut listening, Heard::Key('2'), &["plays no-more"]);
    told(&mut listening, Heard::Played, &["asks menu 1/0"]);
}

#[test]
fn a_greeting_is_heard_before_it_is_kept() {
    let taken = |kept| {
        let dictation = Dictation { tape: tape(7), file: "7.wav".into(), kept, why: TapeWhy::Asked };
        Heard::Taken(dictation)
    };
    let mut listening = Listening::opened(Vec::new());
    wishes(&mut listening);
    let take = |listening: &mut Listening| {
        told(listening, Heard::Played, &["plays Tone(Beep)"]);
        told(listening, Heard::Played, &["takes Greeting"]);
    };
    told(&mut listening, keys("5"), &["plays record-greeting"]);
    take(&mut listening);
    told(&mut listening, taken(true), &["plays 7.wav"]);
    told(&mut listening, Heard::Key('2'), &["erases 7", "plays record-greeting"]);
    take(&mut listening);
    told(&mut listening, taken(true), &["plays 7.wav"]);
    told(&mut listening, Heard::Played, &["asks keep-greeting"]);
    told(&mut listening, keys("1"), &["greets with 7", "plays saved"]);
    told(&mut listening, Heard::Played, &["asks menu 0/0"]);
    told(&mut listening, keys("5"), &["plays record-greeting"]);
    take(&mut listening);
    told(&mut listening, taken(false), &["plays nothing-said"]);
}

#[test]
fn a_question_that_nobody_answers_is_asked_three_times() {
    let mut listening = Listening::opened(Vec::new());
    assert_eq!(wishes(&mut listening), ["asks menu 0/0"]);
    for _ in 1..ASKED_MAX {
        told(&mut listening, keys(""), &["asks menu 0/0"]);
    }
    told(&mut listening, keys(""), &["plays goodbye"]);
    told(&mut listening, Heard::Played, &["Mailbox(Done)"]);
    let mut listening = Listening::new(true);
    wishes(&mut listening);
    told(&mut listening, keys(""), &["asks enter-mailbox"]);
    told(&mut listening, keys(""), &["asks enter-mailbox"]);
    told(&mut listening, keys(""), &["plays goodbye"]);
    told(&mut listening, Heard::Played, &["Mailbox(Refused)"]);
}
