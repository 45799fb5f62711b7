//! One caller who waits: what he hears, what he is told, what he presses.

use plugboard_model::{Audio, Connected, Speech, Time, Tone, UserId};
use std::collections::VecDeque;
use std::time::Duration;

use super::words;
use crate::queue::Outcome;

/// How somebody waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitRules {
    /// So long at most.
    pub max: Duration,
    /// What he hears, best first: the next one when one cannot be heard; last of all ring-back.
    pub music: Vec<Audio>,
    /// His place is told so often.
    pub announce: Option<Duration>,
    /// The key with which he leaves to be called back.
    pub call_back_on: Option<char>,
    /// The key with which he leaves.
    pub exit_on: Option<char>,
    /// BCP 47: in which his place is told.
    pub language: String,
}

/// What a caller who waits wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Let him hear this, music until it is stopped; answered by [`Heard::Played`], [`Heard::NotPlayable`] or, with `keys`, [`Heard::Key`].
    Play {
        /// What.
        audio: Audio,
        /// A key stops it.
        keys: bool,
    },
    /// Stop what he hears and whoever rings for him. No answer.
    Stop,
    /// Ask for his place; answered by [`Heard::Position`].
    AskPosition,
    /// Ring this user while he hears what he hears; answered by [`Heard::Answered`] or [`Heard::NotAnswered`].
    Ring(UserId),
    /// Tell the queue what came of it. No answer.
    Tell(UserId, Outcome),
    /// The queue is to keep his place, and he is called back; answered by [`Heard::Promised`].
    CallBack,
    /// It is over, and nothing follows.
    End(WaitEnd),
}

/// How waiting is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitEnd {
    /// He talks to somebody.
    Answered(Connected),
    /// His time is over.
    Timeout,
    /// He is called back.
    CalledBack,
    /// He pressed the key with which he leaves.
    Exited,
}

/// What a caller who waits is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// What he heard is over.
    Played,
    /// A key stopped it.
    Key(char),
    /// It could not be heard.
    NotPlayable,
    /// His place, and how long it is likely to take, where that is known.
    Position(usize, Option<Duration>),
    /// This user is free and rings for him.
    Offered(UserId),
    /// Whether the queue calls him back.
    Promised(bool),
    /// Who was rung has answered.
    Answered(Connected),
    /// ... or not.
    NotAnswered {
        /// A phone of his rang.
        rang: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sound {
    Music,
    Place,
    Nothing,
}

/// A caller who waits. See the module's page.
#[derive(Debug)]
pub struct Waiting {
    until: Time,
    announces: Option<(Duration, Time)>,
    call_back_on: Option<char>,
    exit_on: Option<char>,
    language: String,
    music: VecDeque<Audio>,
    sound: Sound,
    rings: Option<UserId>,
    /// He wants to be called back, and is told whether he is.
    asks: bool,
    over: bool,
    outbox: VecDeque<Wish>,
}

impl Waiting {
    /// Begins to wait: music is heard.
    pub fn new(now: Time, rules: WaitRules) -> Self {
        let WaitRules { max, music, announce, call_back_on, exit_on, language } = rules;
        let mut made = Self {
            until: now + max,
            announces: announce.map(|every| (every, now + every)),
            call_back_on,
            exit_on,
            language,
            music: music.into_iter().chain([Audio::Tone(Tone::RingBack)]).collect(),
            sound: Sound::Nothing,
            rings: None,
            asks: false,
            over: false,
            outbox: VecDeque::new(),
        };
        made.play_music();
        made
    }

    /// Takes what it is told; read what is wanted next with [`Waiting::poll_wish`].
    pub fn handle(&mut self, heard: Heard) {
        if self.over {
            return;
        }
        match heard {
            Heard::Key(key) if self.exit_on == Some(key) && !self.asks => {
                self.stop();
                self.end(WaitEnd::Exited);
            }
            Heard::Key(key) if self.call_back_on == Some(key) && !self.asks => {
                self.stop();
                self.outbox.push_back(Wish::CallBack);
                (self.sound, self.asks) = (Sound::Nothing, true);
            }
            Heard::Promised(true) => self.end(WaitEnd::CalledBack),
            Heard::Promised(false) => {
                self.asks = false;
                self.play_music();
            }
            // What comes late for one who is about to leave: his place is of no use to him, and who is free is for others.
            Heard::Played | Heard::Key(_) | Heard::NotPlayable | Heard::Position(..) if self.asks => {}
            Heard::Offered(user) if self.asks => self.outbox.push_back(Wish::Tell(user, Outcome::Refused)),
            Heard::Played | Heard::Key(_) => self.play_music(),
            Heard::NotPlayable => {
                if self.sound == Sound::Music {
                    self.music.pop_front();
                }
                self.play_music();
            }
            Heard::Position(place, wait) => {
                if self.rings.is_none() {
                    self.outbox.push_back(Wish::Stop);
                    let (text, language) = words::position(&self.language, place, wait);
                    let audio = Audio::Speech(Speech { text, language: Some(language.into()) });
                    self.sound = Sound::Place;
                    self.outbox.push_back(Wish::Play { audio, keys: self.hears_keys() });
                }
            }
            Heard::Offered(user) => {
                self.rings = Some(user.clone());
                self.outbox.push_back(Wish::Ring(user));
            }
            Heard::Answered(connected) => {
                if let Some(user) = self.rings.take() {
                    self.outbox.push_back(Wish::Tell(user, Outcome::Answered));
                }
                self.end(WaitEnd::Answered(connected));
            }
            Heard::NotAnswered { rang } => {
                if let Some(user) = self.rings.take() {
                    let outcome = if rang { Outcome::Missed } else { Outcome::Refused };
                    self.outbox.push_back(Wish::Tell(user, outcome));
                }
            }
        }
    }

    /// What is due.
    pub fn tick(&mut self, now: Time) {
        if self.over || self.asks {
            return;
        }
        if now >= self.until {
            self.outbox.push_back(Wish::Stop);
            return self.end(WaitEnd::Timeout);
        }
        if let Some((every, at)) = self.announces
            && now >= at
        {
            self.announces = Some((every, now + every));
            // Who is about to talk to somebody need not know how many are before him.
            if self.rings.is_none() {
                self.outbox.push_back(Wish::AskPosition);
            }
        }
    }

    /// When to call [`Waiting::tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let announce = self.announces.map(|(_, at)| at);
        (!self.over && !self.asks).then(|| announce.map_or(self.until, |at| at.min(self.until)))
    }

    /// What is wanted next.
    pub fn poll_wish(&mut self) -> Option<Wish> {
        self.outbox.pop_front()
    }

    /// He leaves: nothing is heard any more, and nobody rings for him.
    fn stop(&mut self) {
        if let Some(user) = self.rings.take() {
            // It is not his doing that nobody is there any more.
            self.outbox.push_back(Wish::Tell(user, Outcome::Refused));
        }
        self.outbox.push_back(Wish::Stop);
    }

    /// Whether a key does something.
    const fn hears_keys(&self) -> bool {
        self.call_back_on.is_some() || self.exit_on.is_some()
    }

    fn play_music(&mut self) {
        self.sound = Sound::Nothing;
        if let Some(audio) = self.music.front().cloned() {
            self.sound = Sound::Music;
            self.outbox.push_back(Wish::Play { audio, keys: self.hears_keys() });
        }
    }

    fn end(&mut self, end: WaitEnd) {
        self.over = true;
        self.outbox.push_back(Wish::End(end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::OfficeId;

    fn user(name: &str) -> UserId {
        UserId::new(&OfficeId::new("main").unwrap(), name).unwrap()
    }

    fn seconds(count: u64) -> Time {
        Time::from_millis(count * 1_000)
    }

    fn waiting(announce: Option<u64>) -> Waiting {
        let rules = WaitRules {
            max: Duration::from_mins(1),
            music: vec![Audio::Music("waltz".into())],
            announce: announce.map(Duration::from_secs),
            call_back_on: Some('1'),
            exit_on: Some('2'),
            language: "en".into(),
        };
        Waiting::new(Time::ZERO, rules)
    }

    fn wishes(waiting: &mut Waiting) -> Vec<Wish> {
        std::iter::from_fn(|| waiting.poll_wish()).collect()
    }

    fn plays(audio: Audio) -> Wish {
        Wish::Play { audio, keys: true }
    }

    #[test]
    fn r69_who_waits_hears_music_and_his_place_until_somebody_rings_for_him() {
        let mut waits = waiting(Some(20));
        let music = || plays(Audio::Music("waltz".into()));
        assert_eq!(wishes(&mut waits), [music()]);
        assert_eq!(waits.poll_timeout(), Some(seconds(20)));
        waits.tick(seconds(20));
        assert_eq!(wishes(&mut waits), [Wish::AskPosition]);
        waits.handle(Heard::Position(3, None));
        let place = Speech { text: "You are number 3 in line.".into(), language: Some("en".into()) };
        assert_eq!(wishes(&mut waits), [Wish::Stop, plays(Audio::Speech(place))]);
        waits.handle(Heard::Played);
        assert_eq!(wishes(&mut waits), [music()]);
        waits.handle(Heard::Offered(user("ann")));
        assert_eq!(wishes(&mut waits), [Wish::Ring(user("ann"))]);
        waits.tick(seconds(40));
        waits.handle(Heard::Position(1, None));
        assert_eq!(wishes(&mut waits), [], "he rings already");
        waits.handle(Heard::NotAnswered { rang: true });
        assert_eq!(wishes(&mut waits), [Wish::Tell(user("ann"), Outcome::Missed)]);
        waits.tick(seconds(60));
        assert_eq!(wishes(&mut waits), [Wish::Stop, Wish::End(WaitEnd::Timeout)]);
        assert_eq!(waits.poll_timeout(), None);
        waits.handle(Heard::Offered(user("bob")));
        assert_eq!(wishes(&mut waits), [], "it is over");
    }

    #[test]
    fn music_that_is_not_there_gives_way_to_ring_back_and_words_that_cannot_be_said_to_music() {
        let mut waits = waiting(None);
        wishes(&mut waits);
        waits.handle(Heard::NotPlayable);
        assert_eq!(wishes(&mut waits), [plays(Audio::Tone(Tone::RingBack))]);
        waits.handle(Heard::Position(2, None));
        wishes(&mut waits);
        waits.handle(Heard::NotPlayable);
        assert_eq!(wishes(&mut waits), [plays(Audio::Tone(Tone::RingBack))]);
        waits.handle(Heard::NotPlayable);
        assert_eq!(wishes(&mut waits), [], "he waits in silence");
    }

    #[test]
    fn the_key_leads_out_of_the_queue_and_no_other_does() {
        let mut waits = waiting(None);
        wishes(&mut waits);
        waits.handle(Heard::Key('5'));
        assert_eq!(wishes(&mut waits), [plays(Audio::Music("waltz".into()))]);
        waits.handle(Heard::Key('1'));
        assert_eq!(wishes(&mut waits), [Wish::Stop, Wish::CallBack]);
        assert_eq!(waits.poll_timeout(), None, "he is not sent away meanwhile");
        waits.handle(Heard::Key('1'));
        waits.handle(Heard::Offered(user("ann")));
        waits.tick(seconds(61));
        assert_eq!(
            wishes(&mut waits),
            [Wish::Tell(user("ann"), Outcome::Refused)],
            "he is told first, and she rings for others"
        );
        waits.handle(Heard::Promised(true));
        assert_eq!(wishes(&mut waits), [Wish::End(WaitEnd::CalledBack)]);
    }

    #[test]
    fn the_other_key_leads_back_to_the_scenario_and_whoever_rings_is_not_to_blame() {
        let mut waits = waiting(None);
        waits.handle(Heard::Offered(user("ann")));
        wishes(&mut waits);
        waits.handle(Heard::Key('2'));
        let told = Wish::Tell(user("ann"), Outcome::Refused);
        assert_eq!(wishes(&mut waits), [told, Wish::Stop, Wish::End(WaitEnd::Exited)]);
        waits.handle(Heard::Key('2'));
        assert_eq!(wishes(&mut waits), [], "it is over");
        // Who is about to be called back is not let out by a second key.
        let mut waits = waiting(None);
        waits.handle(Heard::Key('1'));
        wishes(&mut waits);
        waits.handle(Heard::Key('2'));
        assert_eq!(wishes(&mut waits), []);
    }

    #[test]
    fn who_cannot_be_called_back_waits_on() {
        let mut waits = waiting(None);
        waits.handle(Heard::Key('1'));
        wishes(&mut waits);
        waits.handle(Heard::Promised(false));
        assert_eq!(wishes(&mut waits), [plays(Audio::Music("waltz".into()))]);
        waits.handle(Heard::Offered(user("ann")));
        assert_eq!(wishes(&mut waits), [Wish::Ring(user("ann"))]);
    }
}
