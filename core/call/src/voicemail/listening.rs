//! The owner of a mailbox hears what is in it.

use plugboard_model::{Audio, MailboxEnd, Tone};
use std::collections::VecDeque;

use super::{Cue, Dictation, End, Heard, Message, Phrase, Taken, TapeId, Verdict, Wish};

/// Wrong PINs in one call: then it ends.
pub const PINS_MAX: u32 = 3;
/// Digits of a number: as many as an office has at the most.
const NUMBER_KEYS: u8 = 32;
/// Digits of a PIN, and one that no PIN has: the longest one, too, is ended by its last key.
const PIN_KEYS: u8 = 13;
/// How often a question is asked that nobody answers.
const ASKED_MAX: u32 = 3;

/// Asks for number and PIN, then goes through messages, and takes a greeting.
#[derive(Debug)]
pub struct Listening {
    state: State,
    /// The mailbox is not known: its number is asked for.
    asks_number: bool,
    messages: Vec<Message>,
    /// Of which those are gone through that are new (true) or old.
    new: bool,
    wrong: u32,
    /// He was let in.
    is_open: bool,
    /// A question of which nothing was heard or pressed, so many times.
    asked: u32,
    outbox: VecDeque<Wish>,
}

/// A message's place in the list.
type Place = usize;

#[derive(Debug)]
enum State {
    Number,
    Pin {
        number: Option<String>,
    },
    Verifying,
    Menu,
    Header(Place),
    Playing(Place),
    After(Place),
    GreetingHint,
    GreetingBeep,
    GreetingTaking,
    GreetingBack(TapeId),
    GreetingAfter(TapeId),
    /// Something is said, and then goes on.
    Saying(Next),
    Over,
}

/// Where it goes on after something was said.
#[derive(Debug, Clone)]
enum Next {
    Number,
    Menu,
    Message(Place),
    End(MailboxEnd),
}

impl Listening {
    /// Begins with the question for a number, or for the PIN of a mailbox that is known.
    pub fn new(asks_number: bool) -> Self {
        let mut made = Self::empty(asks_number, Vec::new());
        made.ask_who();
        made
    }

    /// Begins with what is in it: whose phone it is needs no PIN.
    pub fn opened(messages: Vec<Message>) -> Self {
        let mut made = Self { is_open: true, ..Self::empty(false, messages) };
        made.menu();
        made
    }

    fn empty(asks_number: bool, messages: Vec<Message>) -> Self {
        Self {
            state: State::Over,
            asks_number,
            messages,
            new: true,
            wrong: 0,
            is_open: false,
            asked: 0,
            outbox: VecDeque::new(),
        }
    }

    /// Whether keys may be a PIN now: they are written nowhere.
    pub const fn asks_pin(&self) -> bool {
        !self.is_open
    }

    /// Takes an answer; read what is wanted next with [`Listening::poll_wish`].
    pub fn handle(&mut self, heard: Heard) {
        match (std::mem::replace(&mut self.state, State::Over), heard) {
            (State::Number, Heard::Keys(keys)) if !keys.is_empty() => self.ask_pin(Some(keys)),
            (State::Pin { number }, Heard::Keys(keys)) if !keys.is_empty() => {
                self.state = State::Verifying;
                self.outbox.push_back(Wish::Verify { number, pin: keys });
            }
            (State::Number | State::Pin { .. }, Heard::Keys(_)) => self.again(Self::ask_who),
            (State::Verifying, Heard::Verdict(verdict)) => self.verified(verdict),
            (State::Menu, Heard::Keys(keys)) => self.chosen(&keys),
            (State::Header(place), Heard::Played | Heard::NotPlayable) => self.play(place),
            (State::Playing(place), Heard::Played) => {
                self.keep(place);
                self.after(place);
            }
            (State::Playing(place), Heard::NotPlayable) => self.say(Phrase::NotPlayable, Next::Message(place + 1)),
            (State::Header(place) | State::Playing(place), Heard::Key(key)) => self.message_key(place, key),
            (State::After(place), Heard::Keys(keys)) => match keys.chars().next() {
                Some(key) => self.message_key(place, key),
                None => self.again(|listening| listening.after(place)),
            },
            (State::GreetingHint, Heard::Played | Heard::Key(_) | Heard::NotPlayable) => {
                self.state = State::GreetingBeep;
                self.outbox.push_back(Wish::Play { cue: Cue::Audio(Audio::Tone(Tone::Beep)), keys: false });
            }
            (State::GreetingBeep, Heard::Played | Heard::Key(_) | Heard::NotPlayable) => {
                self.state = State::GreetingTaking;
                self.outbox.push_back(Wish::Take(Taken::Greeting));
            }
            (State::GreetingTaking, Heard::Taken(dictation)) => self.greeting_taken(dictation),
            (State::GreetingBack(tape), Heard::Played | Heard::NotPlayable) => self.ask_greeting(tape),
            (State::GreetingBack(tape), Heard::Key(key)) => self.greeting_key(tape, Some(key)),
            (State::GreetingAfter(tape), Heard::Keys(keys)) => self.greeting_key(tape, keys.chars().next()),
            (State::Saying(next), Heard::Played | Heard::Key(_) | Heard::NotPlayable) => self.go_on(next),
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

    // ---- who it is -------------------------------------------------------------------------------------------

    fn ask_who(&mut self) {
        if self.asks_number {
            self.state = State::Number;
            self.ask(Phrase::EnterMailbox, NUMBER_KEYS, Some('#'));
        } else {
            self.ask_pin(None);
        }
    }

    fn ask_pin(&mut self, number: Option<String>) {
        self.state = State::Pin { number };
        self.ask(Phrase::EnterPin, PIN_KEYS, Some('#'));
    }

    fn verified(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Open(messages) => {
                self.messages = messages;
                self.is_open = true;
                self.asked = 0;
                self.menu();
            }
            Verdict::Locked => self.say(Phrase::Locked, Next::End(MailboxEnd::Refused)),
            Verdict::Wrong => {
                self.wrong += 1;
                let next = if self.wrong < PINS_MAX { Next::Number } else { Next::End(MailboxEnd::Refused) };
                self.say(Phrase::WrongPin, next);
            }
        }
    }

    // ---- the menu --------------------------------------------------------------------------------------------

    fn menu(&mut self) {
        self.state = State::Menu;
        let count = |heard| self.messages.iter().filter(|message| message.heard == heard).count();
        let (new, old) = (count(false), count(true));
        self.ask(Phrase::Menu { new, old }, 1, None);
    }

    fn chosen(&mut self, keys: &str) {
        if keys.is_empty() {
            return self.again(Self::menu);
        }
        self.asked = 0;
        match keys {
            "1" | "2" => {
                self.new = keys == "1";
                self.message(0);
            }
            "5" => {
                self.state = State::GreetingHint;
                self.outbox.push_back(Wish::Play { cue: Cue::Phrase(Phrase::RecordGreeting), keys: true });
            }
            "9" | "#" => self.part(),
            _ => self.menu(),
        }
    }

    fn part(&mut self) {
        self.say(Phrase::Goodbye, Next::End(MailboxEnd::Done));
    }

    // ---- messages --------------------------------------------------------------------------------------------

    /// The next one of the kind that is gone through, from this place on.
    fn message(&mut self, from: Place) {
        // One that was heard in this round is not met again in it: the list is gone through from its front to its end.
        let wanted = self.messages.iter().enumerate().skip(from).find(|(_, message)| message.heard != self.new);
        let Some((place, message)) = wanted else { return self.say(Phrase::NoMore, Next::Menu) };
        let phrase = Phrase::Header { from: message.from.clone(), at: message.at };
        self.state = State::Header(place);
        self.outbox.push_back(Wish::Play { cue: Cue::Phrase(phrase), keys: true });
    }

    fn play(&mut self, place: Place) {
        let Some(message) = self.messages.get(place) else { return self.menu() };
        let cue = Cue::Audio(Audio::Tape(message.file.clone()));
        self.state = State::Playing(place);
        self.outbox.push_back(Wish::Play { cue, keys: true });
    }

    fn after(&mut self, place: Place) {
        self.state = State::After(place);
        self.ask(Phrase::MessageKeys, 1, None);
    }

    fn message_key(&mut self, place: Place, key: char) {
        self.asked = 0;
        match key {
            '1' => self.play(place),
            '2' => self.message(place + 1),
            '3' => {
                if place < self.messages.len() {
                    let message = self.messages.remove(place);
                    self.outbox.push_back(Wish::Erase(message.tape));
                }
                self.say(Phrase::Deleted, Next::Message(place));
            }
            '4' => {
                self.keep(place);
                self.say(Phrase::Saved, Next::Message(place + 1));
            }
            '0' | '*' => self.menu(),
            '9' | '#' => self.part(),
            _ => self.after(place),
        }
    }

    /// It was heard.
    fn keep(&mut self, place: Place) {
        if let Some(message) = self.messages.get_mut(place).filter(|message| !message.heard) {
            message.heard = true;
            self.outbox.push_back(Wish::Keep(message.tape.clone()));
        }
    }

    // ---- the greeting ----------------------------------------------------------------------------------------

    fn greeting_taken(&mut self, dictation: Dictation) {
        if !dictation.kept {
            let phrase = if dictation.why.is_fault() { Phrase::MessageLost } else { Phrase::NothingSaid };
            return self.say(phrase, Next::Menu);
        }
        let Dictation { tape, file, .. } = dictation;
        self.state = State::GreetingBack(tape);
        self.outbox.push_back(Wish::Play { cue: Cue::Audio(Audio::Tape(file)), keys: true });
    }

    fn ask_greeting(&mut self, tape: TapeId) {
        self.state = State::GreetingAfter(tape);
        self.ask(Phrase::KeepGreeting, 1, None);
    }

    /// Who says nothing keeps it: he has taken the trouble to speak it.
    fn greeting_key(&mut self, tape: TapeId, key: Option<char>) {
        match key {
            Some('2') => {
                self.outbox.push_back(Wish::Erase(tape));
                self.state = State::GreetingHint;
                self.outbox.push_back(Wish::Play { cue: Cue::Phrase(Phrase::RecordGreeting), keys: true });
            }
            Some('3') => {
                self.outbox.push_back(Wish::Erase(tape));
                self.say(Phrase::Deleted, Next::Menu);
            }
            Some('1') | None => {
                self.outbox.push_back(Wish::Greet(tape));
                self.say(Phrase::Saved, Next::Menu);
            }
            // No answer, and perhaps the hash key once more that ended it.
            Some(_) => self.ask_greeting(tape),
        }
    }

    // ---- words -----------------------------------------------------------------------------------------------

    fn ask(&mut self, phrase: Phrase, keys: u8, end: Option<char>) {
        self.outbox.push_back(Wish::Ask { cue: Cue::Phrase(phrase), keys, end });
    }

    fn say(&mut self, phrase: Phrase, next: Next) {
        // Before a message a key brings it sooner; before a question it is the answer already.
        let keys = matches!(next, Next::Message(_));
        self.state = State::Saying(next);
        self.outbox.push_back(Wish::Play { cue: Cue::Phrase(phrase), keys });
    }

    /// Nobody answered: once more, but not for ever.
    fn again(&mut self, question: impl FnOnce(&mut Self)) {
        self.asked += 1;
        if self.asked < ASKED_MAX {
            question(self);
        } else if self.is_open {
            self.part();
        } else {
            self.say(Phrase::Goodbye, Next::End(MailboxEnd::Refused));
        }
    }

    fn go_on(&mut self, next: Next) {
        match next {
            Next::Number => self.ask_who(),
            Next::Menu => self.menu(),
            Next::Message(place) => self.message(place),
            Next::End(end) => self.outbox.push_back(Wish::End(End::Mailbox(end))),
        }
    }
}

#[cfg(test)]
mod tests;
