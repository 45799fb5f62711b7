//! A caller leaves a message.

use plugboard_model::{Audio, MailboxError, MessageEnd, Tone};
use std::collections::VecDeque;

use super::{Cue, Dictation, End, Heard, Phrase, Taken, Wish};

/// Greets, beeps, takes the message and says what became of it.
#[derive(Debug)]
pub struct Leaving {
    state: State,
    /// What may greet him, best first: the next one when one cannot be heard.
    greetings: VecDeque<Cue>,
    outbox: VecDeque<Wish>,
}

#[derive(Debug)]
enum State {
    Greeting,
    Beeping,
    Taking,
    Parting(Result<MessageEnd, MailboxError>),
    Over,
}

impl Leaving {
    /// Begins. A mailbox that is `full` takes nothing, and says so.
    pub fn new(greetings: Vec<Cue>, full: bool) -> Self {
        let mut made = Self { state: State::Over, greetings: greetings.into(), outbox: VecDeque::new() };
        if full {
            made.part(Phrase::Full, Ok(MessageEnd::Full));
        } else {
            made.greet();
        }
        made
    }

    /// Takes an answer; read what is wanted next with [`Leaving::poll_wish`].
    pub fn handle(&mut self, heard: Heard) {
        match (std::mem::replace(&mut self.state, State::Over), heard) {
            (State::Greeting, Heard::NotPlayable) => self.greet(),
            // Who knows it presses a key.
            (State::Greeting, Heard::Played | Heard::Key(_)) => self.beep(),
            (State::Beeping, Heard::Played | Heard::Key(_) | Heard::NotPlayable) => {
                self.state = State::Taking;
                self.outbox.push_back(Wish::Take(Taken::Message));
            }
            (State::Taking, Heard::Taken(dictation)) => self.taken(&dictation),
            (State::Parting(end), Heard::Played | Heard::Key(_) | Heard::NotPlayable) => {
                self.outbox.push_back(Wish::End(End::Message(end)));
            }
            // What was not asked for changes nothing.
            (
                state,
                Heard::Played
                | Heard::Key(_)
                | Heard::NotPlayable
                | Heard::Keys(_)
                | Heard::Taken(_)
                | Heard::Verdict(_),
            ) => self.state = state,
        }
    }

    /// What is wanted next.
    pub fn poll_wish(&mut self) -> Option<Wish> {
        self.outbox.pop_front()
    }

    fn greet(&mut self) {
        match self.greetings.pop_front() {
            Some(cue) => {
                self.state = State::Greeting;
                self.outbox.push_back(Wish::Play { cue, keys: true });
            }
            None => self.beep(),
        }
    }

    fn beep(&mut self) {
        self.state = State::Beeping;
        self.outbox.push_back(Wish::Play { cue: Cue::Audio(Audio::Tone(Tone::Beep)), keys: false });
    }

    fn taken(&mut self, dictation: &Dictation) {
        let fault = dictation.why.is_fault();
        match (dictation.kept, fault) {
            (true, false) => self.part(Phrase::MessageKept, Ok(MessageEnd::Recorded)),
            (true, true) => self.part(Phrase::MessageCut, Ok(MessageEnd::Recorded)),
            (false, false) => self.part(Phrase::NothingSaid, Ok(MessageEnd::Empty)),
            (false, true) => {
                let why = MailboxError::NotKept(dictation.why.as_str().replace('_', " "));
                self.part(Phrase::MessageLost, Err(why));
            }
        }
    }

    fn part(&mut self, phrase: Phrase, end: Result<MessageEnd, MailboxError>) {
        self.state = State::Parting(end);
        self.outbox.push_back(Wish::Play { cue: Cue::Phrase(phrase), keys: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::{CallId, OfficeId, TapeWhy, WallTime};

    fn dictation(kept: bool, why: TapeWhy) -> Heard {
        let call = CallId::new(OfficeId::new("main").unwrap(), WallTime(0), 1);
        Heard::Taken(Dictation { tape: (call, 1), file: "a.wav".into(), kept, why })
    }

    fn wishes(leaving: &mut Leaving) -> Vec<Wish> {
        std::iter::from_fn(|| leaving.poll_wish()).collect()
    }

    fn says(phrase: Phrase) -> Vec<Wish> {
        vec![Wish::Play { cue: Cue::Phrase(phrase), keys: true }]
    }

    /// Up to the tape.
    fn taking() -> Leaving {
        let own = Cue::Audio(Audio::Tape("own.wav".into()));
        let usual = Cue::Phrase(Phrase::Greeting { name: "Ann".into() });
        let mut leaving = Leaving::new(vec![own.clone(), usual.clone()], false);
        assert_eq!(wishes(&mut leaving), [Wish::Play { cue: own, keys: true }]);
        leaving.handle(Heard::NotPlayable);
        assert_eq!(wishes(&mut leaving), [Wish::Play { cue: usual, keys: true }]);
        leaving.handle(Heard::Key('#'));
        let beep = Cue::Audio(Audio::Tone(Tone::Beep));
        assert_eq!(wishes(&mut leaving), [Wish::Play { cue: beep, keys: false }]);
        leaving.handle(Heard::Played);
        assert_eq!(wishes(&mut leaving), [Wish::Take(Taken::Message)]);
        leaving
    }

    #[test]
    fn who_leaves_a_message_is_told_what_became_of_it() {
        for (kept, why, phrase, end) in [
            (true, TapeWhy::Asked, Phrase::MessageKept, Ok(MessageEnd::Recorded)),
            (true, TapeWhy::Limit, Phrase::MessageKept, Ok(MessageEnd::Recorded)),
            (true, TapeWhy::DiskFull, Phrase::MessageCut, Ok(MessageEnd::Recorded)),
            (false, TapeWhy::Silence, Phrase::NothingSaid, Ok(MessageEnd::Empty)),
            (false, TapeWhy::DiskFull, Phrase::MessageLost, Err(MailboxError::NotKept("disk full".into()))),
        ] {
            let mut leaving = taking();
            leaving.handle(dictation(kept, why));
            assert_eq!(wishes(&mut leaving), says(phrase));
            leaving.handle(Heard::Played);
            assert_eq!(wishes(&mut leaving), [Wish::End(End::Message(end))]);
        }
    }

    #[test]
    fn a_full_mailbox_says_so_and_takes_nothing() {
        let mut leaving = Leaving::new(Vec::new(), true);
        assert_eq!(wishes(&mut leaving), says(Phrase::Full));
        leaving.handle(dictation(true, TapeWhy::Asked));
        assert_eq!(wishes(&mut leaving), [], "nobody asked for a tape");
        leaving.handle(Heard::NotPlayable);
        assert_eq!(wishes(&mut leaving), [Wish::End(End::Message(Ok(MessageEnd::Full)))]);
    }
}
