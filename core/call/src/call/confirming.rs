//! A phone outside that has to show that a person answers: a mailbox picks up as well, and would have the call.
//!
//! It counts as answered when the key is pressed. Until then whoever calls hears that it rings, and the others ring on.

use plugboard_model::{Audio, JournalEvent, LegId, Time, Tone};
use std::time::Duration;

use super::Call;
use crate::input::{Confirm, PlayFinish};
use crate::output::{Output, PlayId};
use crate::ring::Confirming;

/// The key that takes the call; others are passed over.
const KEY: char = '1';
/// Between two times that it is asked for: as long as it takes to move the phone from the ear.
const PAUSE: Duration = Duration::from_secs(2);

/// What whoever answers is told in a language (BCP 47), and the language that it is in: English for one that we do not speak.
pub fn press_to_take(language: &str) -> (&'static str, &'static str) {
    match language.split('-').next() {
        Some("ru") => ("Вам звонят. Чтобы принять вызов, нажмите один.", "ru"),
        Some("de") => ("Ein Anruf für Sie. Drücken Sie die Eins, um ihn anzunehmen.", "de"),
        Some(_) | None => ("There is a call for you. Press one to take it.", "en"),
    }
}

impl Call {
    /// A phone has answered: whoever did is asked for the key.
    pub(super) fn asks_for_a_key(&mut self, now: Time, leg: LegId, confirm: Confirm) {
        let Confirm { within, asks } = confirm;
        let Some(ring) = &mut self.ring else { return };
        let until = now + within;
        if let Some(rung) = ring.legs.get_mut(&leg) {
            rung.until = until;
        }
        // The others ring no longer for that: each has its own time.
        ring.until = ring.until.max(until);
        ring.confirming.insert(leg, Confirming { play: None, again: None, asks: asks.into() });
        let text = format!("{leg} was picked up; whoever did is to press {KEY} within {} s", within.as_secs());
        self.journal(JournalEvent::Note { text });
        self.ask_now(leg);
    }

    fn ask_now(&mut self, leg: LegId) {
        let play = PlayId(self.plays);
        let Some(confirming) = self.ring.as_mut().and_then(|ring| ring.confirming.get_mut(&leg)) else { return };
        confirming.again = None;
        let Some(audio) = confirming.asks.front().cloned() else { return };
        confirming.play = Some(play);
        self.plays = self.plays.saturating_add(1);
        let max = matches!(audio, Audio::Tone(Tone::Beep)).then_some(Duration::from_secs(1));
        self.out(Output::Play { leg, play, audio, max, repeat: false });
    }

    /// What asks for the key is over, or cannot be played: then the next that can.
    pub(super) fn asked_for_the_key(&mut self, now: Time, play: PlayId, finish: &PlayFinish) {
        let Some(ring) = &mut self.ring else { return };
        let asked = ring.confirming.iter_mut().find(|(_, confirming)| confirming.play == Some(play));
        let Some((leg, confirming)) = asked.map(|(leg, confirming)| (*leg, confirming)) else { return };
        confirming.play = None;
        match finish {
            PlayFinish::Finished | PlayFinish::TimeOver => confirming.again = Some(now + PAUSE),
            PlayFinish::NotPlayable(_) => {
                confirming.asks.pop_front();
                self.ask_now(leg);
            }
        }
    }

    /// Whoever has not pressed the key is asked again.
    pub(super) fn ask_again(&mut self, now: Time) {
        let Some(ring) = &self.ring else { return };
        let due = |again: Option<Time>| again.is_some_and(|again| now >= again);
        let due = ring.confirming.iter().filter(|(_, confirming)| due(confirming.again)).map(|(leg, _)| *leg);
        for leg in due.collect::<Vec<_>>() {
            self.ask_now(leg);
        }
    }

    /// A called leg pressed a key: the one that takes the call, or any other.
    pub(super) fn confirmed(&mut self, now: Time, leg: LegId, digit: char) {
        let Some(ring) = self.ring.as_mut().filter(|_| digit == KEY) else { return };
        let Some(confirming) = ring.confirming.remove(&leg) else { return };
        ring.answered.push_back(leg);
        if let Some(play) = confirming.play {
            self.out(Output::StopPlay { leg, play });
        }
        self.next_claim(now);
    }
}
