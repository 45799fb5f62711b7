//! Words that are read aloud to a leg, and tapes: asked for, and played once they are there.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::PlayId;
use plugboard_media::{Audio, PlayOptions};
use plugboard_model::{LegId, Speech, Tone};
use std::collections::BTreeMap;

use super::CallActor;
use crate::post::press;

/// Who waits for words, and the tone in their place where there is one. One a leg at the most, since a leg hears one thing at a time.
#[derive(Debug, Default)]
pub(super) struct Awaited(BTreeMap<PlayId, (LegId, PlayOptions, Option<Tone>)>, Option<Tape>);

/// The tape that is heard, or was last: whoever asks for the same one again has it at once.
#[derive(Debug)]
struct Tape {
    file: String,
    sound: Reading,
}

#[derive(Debug)]
enum Reading {
    /// On its way, for the last who asked.
    Asked(PlayId),
    There(Audio),
}

impl Awaited {
    /// Nobody wants to hear it any more: what comes later finds nobody.
    pub(super) fn forget(&mut self, play: PlayId) {
        self.0.remove(&play);
    }
}

/// Words were made, or not.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Spoken {
    play: PlayId,
    made: Result<Audio, String>,
}

impl CallActor {
    /// Asks for words; they are played when they come.
    pub(super) fn speak(
        &mut self,
        to: LegId,
        play: PlayId,
        words: &Speech,
        options: PlayOptions,
        ctx: &mut Context<Self>,
    ) {
        self.spoken.0.insert(play, (to, options, self.at_mailbox.instead_of_words()));
        let back = ctx.address().recipient();
        let language = words.language.as_deref().unwrap_or(&self.office.language);
        self.env.voice.speak(&words.text, language, Box::new(move |made| press(&back, Spoken { play, made })));
    }
}

impl CallActor {
    /// Asks for a voice message; it is played when it comes.
    pub(super) fn read_tape(
        &mut self,
        to: LegId,
        play: PlayId,
        file: &str,
        options: PlayOptions,
        ctx: &mut Context<Self>,
    ) {
        let known = self.spoken.1.as_mut().filter(|tape| tape.file == file).map(|tape| &mut tape.sound);
        match known {
            Some(Reading::There(sound)) => {
                let sound = sound.clone();
                return self.play_found(to, play, Ok(sound), options, ctx);
            }
            Some(Reading::Asked(last)) => {
                *last = play;
                self.spoken.0.insert(play, (to, options, None));
                return;
            }
            None => {}
        }
        self.spoken.0.insert(play, (to, options, None));
        self.spoken.1 = Some(Tape { file: file.to_owned(), sound: Reading::Asked(play) });
        let (back, file) = (ctx.address().recipient(), file.to_owned());
        let of = file.clone();
        self.env.recorder.load(file, Box::new(move |made| press(&back, TapeRead { file: of, made })));
    }
}

/// A tape was read, or not. From the recorder's thread.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TapeRead {
    file: String,
    made: Result<Audio, String>,
}

impl Handler<TapeRead> for CallActor {
    type Result = ();

    fn handle(&mut self, TapeRead { file, made }: TapeRead, ctx: &mut Context<Self>) {
        // Another one is wanted meanwhile.
        let Some(tape) = self.spoken.1.as_mut().filter(|tape| tape.file == file) else { return };
        let Reading::Asked(play) = tape.sound else { return };
        match &made {
            Ok(sound) => tape.sound = Reading::There(sound.clone()),
            Err(_) => self.spoken.1 = None,
        }
        let Some((to, options, _)) = self.spoken.0.remove(&play) else { return };
        self.play_found(to, play, made, options, ctx);
    }
}

impl Handler<Spoken> for CallActor {
    type Result = ();

    fn handle(&mut self, Spoken { play, made }: Spoken, ctx: &mut Context<Self>) {
        let Some((to, options, instead)) = self.spoken.0.remove(&play) else { return };
        let made = match (made, instead) {
            (Err(reason), Some(tone)) => {
                tracing::warn!(call_id = %self.id, reason, "a tone stands for words");
                self.at_mailbox.falls_mute();
                Ok(self.tone(tone))
            }
            (made, Some(_) | None) => made,
        };
        self.play_found(to, play, made, options, ctx);
    }
}
