//! Mailboxes in a call: carries out what the machines of [`plugboard_call::voicemail`] want, with the table of mailboxes and the recorder.
//!
//! Whether a message stays is decided where its tape ends, on the recorder's own thread: so it does not need the call, which may be gone.

use actix::{AsyncContext, Context, Handler, Message, Recipient};
use plugboard_call::voicemail::{
    Cue, Dictation, End, Heard, Leaving, Listening, Message as Left, Moment, Phrase, Taken, TapeId, Verdict, Wish,
};
use plugboard_call::{Input, Op, Request};
use plugboard_media::{Command as MediaCommand, MediaLeg};
use plugboard_metrics::{RecordingBegan, RecordingEnded};
use plugboard_model::{
    Audio, Cause, CollectRequest, Dialled, HostResult, LeaveRequest, LegId, Mailbox, MailboxEnd, MailboxError, PlayEnd,
    PlayOptions, RunId, Speech, TapeEnd, TapeKind, TapeRecord, TapeWhy, Tone,
};
use plugboard_office::{Office, Voicemail};
use plugboard_recorder::{Order, Recording, Talked};
use std::sync::Arc;
use std::time::Duration;

use super::CallActor;
use crate::delivered;
use crate::mailboxes::{self, Place};
use crate::message::TakeNotice;
use crate::pin_tries;
use crate::post::press;

/// A steady tone in place of words.
const TONE_MS: u32 = 800;
/// Between the end of a question and the first key: people look for their PIN.
const FIRST_KEY_MS: u32 = 8_000;
/// Between two keys of a number or PIN.
const NEXT_KEY_MS: u32 = 4_000;
/// The recorder ends a tape by its length; the call ends it a little later where the recorder is far behind.
const BEHIND: Duration = Duration::from_secs(10);
/// The key that ends a message.
const STOP: char = '#';

/// What a call has of mailboxes: one at a time, as it has one ear.
#[derive(Debug, Default)]
pub(super) struct AtMailbox(Option<Session>, Option<Mailbox>);

#[derive(Debug)]
struct Session {
    asker: Asker,
    machine: Machine,
    /// Unknown until its owner has named it.
    mailbox: Option<Mailbox>,
    longest: Duration,
    /// For the message that is to be left.
    place: Option<Place>,
    silence: Duration,
    /// Nothing reads words aloud here: tones stand for them.
    mute: bool,
    /// The tone for the words that are asked for, unless the beep that follows says enough.
    instead: Option<Tone>,
    taking: Option<Taking>,
    /// A greeting that nobody has decided about.
    review: Option<TapeRecord>,
}

/// Who is told how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    Run {
        run: RunId,
        n: u32,
    },
    /// Whoever dialled the code: the call ends with it.
    Code,
}

#[derive(Debug)]
enum Machine {
    Leaving(Leaving),
    Listening(Listening),
}

/// A tape that goes on.
#[derive(Debug)]
struct Taking {
    what: Taken,
    n: u32,
    media: MediaLeg,
    /// Until it is told to end.
    recording: Option<Recording>,
}

/// The tape of a message or greeting has ended. From the recorder's thread.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct MessageTaken {
    tape: TapeRecord,
    why: TapeWhy,
    kept: bool,
}

impl Machine {
    fn handle(&mut self, heard: Heard) {
        match self {
            Self::Leaving(leaving) => leaving.handle(heard),
            Self::Listening(listening) => listening.handle(heard),
        }
    }

    fn poll_wish(&mut self) -> Option<Wish> {
        match self {
            Self::Leaving(leaving) => leaving.poll_wish(),
            Self::Listening(listening) => listening.poll_wish(),
        }
    }
}

impl AtMailbox {
    /// The scenario rings this user or group: a message that names nobody is for whom it rang last.
    pub(super) fn rings(&mut self, whom: Option<Mailbox>) {
        self.1 = whom.or_else(|| self.1.take());
    }

    /// Another scenario decides: whom the one before it rang is nothing to it.
    pub(super) fn rings_anew(&mut self) {
        self.1 = None;
    }

    /// Whether keys may be a PIN now: they are written nowhere.
    pub(super) fn hides_keys(&self) -> bool {
        let machine = self.0.as_ref().map(|session| &session.machine);
        machine.is_some_and(|machine| matches!(machine, Machine::Listening(listening) if listening.asks_pin()))
    }

    /// What is heard where the words that are asked for cannot be read aloud.
    pub(super) fn instead_of_words(&self) -> Option<Tone> {
        self.0.as_ref().and_then(|session| session.instead)
    }

    /// Nothing reads words aloud here: it is not asked for again.
    pub(super) const fn falls_mute(&mut self) {
        if let Some(session) = &mut self.0 {
            session.mute = true;
        }
    }
}

impl CallActor {
    // ---- beginnings ------------------------------------------------------------------------------------------

    /// A run lets the caller leave a message.
    pub(super) fn leave_message(&mut self, op: Op, request: LeaveRequest, ctx: &mut Context<Self>) {
        if let Err(error) = self.begin_leaving(op, request, ctx) {
            self.resume(op, HostResult::MessageLeft(Err(error)));
        }
    }

    /// A run opens a mailbox for the caller.
    pub(super) fn open_mailbox(&mut self, op: Op, mailbox: Option<Mailbox>, ctx: &mut Context<Self>) {
        let asker = asker(op);
        let mailbox = mailbox.or_else(|| self.guest().cloned().map(Mailbox::User));
        if let Err(error) = self.begin_listening(asker, mailbox, ctx) {
            self.resume(op, HostResult::MailboxClosed(Err(error)));
        }
    }

    /// The caller has dialled the code for a mailbox.
    pub(super) fn dialled_mailbox(&mut self, number: Option<&Dialled>, ctx: &mut Context<Self>) -> Result<(), Cause> {
        let mailbox = match number {
            Some(number) => self.office.find_mailbox(number.as_str()),
            None => self.begin.caller_user.clone().map(Mailbox::User),
        };
        let mailbox = mailbox.ok_or_else(|| Cause { status: 404, text: "no user or group has this number".into() })?;
        let begun = self.begin_listening(Asker::Code, Some(mailbox), ctx);
        begun.map_err(|error| {
            tracing::warn!(call_id = %self.id, ?error, "a mailbox was not opened");
            Cause::of(500)
        })
    }

    /// Somebody is handed on to a mailbox. Whose phone it is says nothing of who holds it: the PIN does.
    pub(super) fn guest_hears_mailbox(&mut self, mailbox: Option<Mailbox>, ctx: &mut Context<Self>) {
        let mailbox = mailbox.or_else(|| self.guest().cloned().map(Mailbox::User));
        if let Err(error) = self.begin_listening(Asker::Code, mailbox, ctx) {
            tracing::warn!(call_id = %self.id, ?error, "a mailbox was not opened");
            self.feed(Input::Request { op: Op::Direct, request: Request::HangUp(Cause::of(480)) }, ctx);
        }
    }

    fn begin_leaving(&mut self, op: Op, request: LeaveRequest, ctx: &mut Context<Self>) -> Result<(), MailboxError> {
        self.may_begin()?;
        let mailbox = request.mailbox.clone().or_else(|| self.mailbox_called());
        let mailbox = mailbox.ok_or_else(|| MailboxError::NoMailbox("nobody said whose".into()))?;
        let Some(rules) = self.office.mailbox(&mailbox) else {
            return Err(MailboxError::NoMailbox(format!("the office has no {}", words_for(&mailbox))));
        };
        let recorded = self.snapshot.mailboxes.greeting(&mailbox).map(|tape| Audio::Tape(tape.file));
        let own = recorded.into_iter().chain(rules.greeting.clone().map(Audio::Prompt));
        let asked = request.greeting.clone().map(Audio::Prompt);
        let usual = Phrase::Greeting { name: self.office.mailbox_name(&mailbox).to_owned() };
        let greetings = asked.into_iter().chain(own).map(Cue::Audio).chain([Cue::Phrase(usual)]).collect();
        let longest = millis(request.longest_ms).unwrap_or(self.office.voicemail.longest);
        let place = self.snapshot.mailboxes.place(&mailbox, &self.office.voicemail, longest);
        let session = Session {
            asker: asker(op),
            machine: Machine::Leaving(Leaving::new(greetings, place.is_none())),
            mailbox: Some(mailbox.clone()),
            longest: place.as_ref().map_or(longest, Place::longest),
            place,
            silence: millis(request.silence_ms).unwrap_or(self.office.voicemail.silence),
            mute: false,
            instead: None,
            taking: None,
            review: None,
        };
        self.note(format!("voicemail of {}", words_for(&mailbox)));
        self.at_mailbox.0 = Some(session);
        self.follow_mailbox(ctx);
        Ok(())
    }

    fn begin_listening(
        &mut self,
        asker: Asker,
        mailbox: Option<Mailbox>,
        ctx: &mut Context<Self>,
    ) -> Result<(), MailboxError> {
        self.may_begin()?;
        if let Some(mailbox) = mailbox.as_ref().filter(|mailbox| self.office.mailbox(mailbox).is_none()) {
            return Err(MailboxError::NoMailbox(format!("the office has no {}", words_for(mailbox))));
        }
        let is_own = mailbox.as_ref().is_some_and(|mailbox| self.is_on_own_phone(mailbox));
        let machine = match mailbox.as_ref().filter(|_| is_own) {
            Some(mailbox) => Listening::opened(self.contents_of(mailbox)),
            None => Listening::new(mailbox.is_none()),
        };
        if let Some(mailbox) = &mailbox {
            let how = if is_own { ", by its own phone" } else { "" };
            self.note(format!("mailbox of {}{how}", words_for(mailbox)));
        }
        let Voicemail { longest, silence, .. } = self.office.voicemail;
        let machine = Machine::Listening(machine);
        let (instead, taking, review) = (None, None, None);
        let place = None;
        let session =
            Session { asker, machine, mailbox, longest, place, silence, mute: false, instead, taking, review };
        self.at_mailbox.0 = Some(session);
        self.follow_mailbox(ctx);
        Ok(())
    }

    fn may_begin(&self) -> Result<(), MailboxError> {
        if self.afterwards.is_some() || self.over {
            return Err(MailboxError::CallerGone);
        }
        if self.at_mailbox.0.is_some() {
            return Err(MailboxError::NoMedia("another step has the caller's ear".into()));
        }
        Ok(())
    }

    /// Of whoever's forward led to the scenario, of whom it rang last, of whoever handed the caller on to it, or of whom was dialled for it:
    /// the first that there is.
    fn mailbox_called(&self) -> Option<Mailbox> {
        let by = self.payer.clone().filter(|user| self.guest() != Some(user)).map(Mailbox::User);
        let rung = self.at_mailbox.1.clone();
        let (first, second) = if self.scripts.is_handed_on() { (rung, by) } else { (by, rung) };
        first.or(second).or_else(|| self.office.find_mailbox(self.called()))
    }

    /// Whether the caller's phone opens it without PIN.
    fn is_on_own_phone(&self, mailbox: &Mailbox) -> bool {
        let proven = self.begin.caller_user.as_ref().filter(|_| self.unproven.is_none());
        self.office.voicemail.own_phone_without_pin
            && self.call.anchor() == LegId::CALLER
            && proven.is_some_and(|user| self.office.has_mailbox(user, mailbox))
    }

    /// What is in a mailbox, as its owner is told.
    fn contents_of(&self, mailbox: &Mailbox) -> Vec<Left> {
        let messages = self.snapshot.mailboxes.messages(mailbox);
        messages.into_iter().map(|tape| message(&self.office, tape)).collect()
    }

    // ---- answers ---------------------------------------------------------------------------------------------

    /// The call machine answers what was asked for a mailbox.
    pub(super) fn mailbox_heard(&mut self, result: HostResult, ctx: &mut Context<Self>) {
        let Some(session) = &mut self.at_mailbox.0 else { return };
        let heard = if let HostResult::Played(Ok(end)) = result {
            if session.taking.is_some() {
                // How the tape ended is told by the recorder.
                return;
            }
            match end {
                PlayEnd::Finished | PlayEnd::TimeOver => Heard::Played,
                PlayEnd::Digit(key) => Heard::Key(key),
                PlayEnd::NotPlayable(_) => Heard::NotPlayable,
            }
        } else if let HostResult::Collected(Ok(collected)) = result {
            Heard::Keys(collected.digits)
        } else if let HostResult::Played(Err(error)) | HostResult::Collected(Err(error)) = result {
            return self.mailbox_failed(error.into(), ctx);
        } else {
            return;
        };
        self.tell_mailbox(heard, ctx);
    }

    fn tell_mailbox(&mut self, heard: Heard, ctx: &mut Context<Self>) {
        if let Some(session) = &mut self.at_mailbox.0 {
            session.machine.handle(heard);
            self.follow_mailbox(ctx);
        }
    }

    /// Carries out what the machine wants until it waits for an answer.
    fn follow_mailbox(&mut self, ctx: &mut Context<Self>) {
        while let Some(wish) = self.at_mailbox.0.as_mut().and_then(|session| session.machine.poll_wish()) {
            self.carry_wish(wish, ctx);
        }
    }

    fn carry_wish(&mut self, wish: Wish, ctx: &mut Context<Self>) {
        let Some(session) = &self.at_mailbox.0 else { return };
        let mailbox = session.mailbox.clone();
        match wish {
            Wish::Play { cue, keys } => {
                let audio = self.audio(cue);
                let max_ms = matches!(audio, Audio::Tone(Tone::Congestion)).then_some(TONE_MS);
                let options = PlayOptions { max_ms, repeat: false, stop_on_digit: keys };
                self.ask_for_mailbox(Request::Play { audio, options }, ctx);
            }
            Wish::Ask { cue, keys, end } => {
                let request = CollectRequest {
                    prompt: Some(self.audio(cue)),
                    max_digits: keys,
                    first_digit_ms: FIRST_KEY_MS,
                    inter_digit_ms: NEXT_KEY_MS,
                    end_digit: end,
                };
                self.ask_for_mailbox(Request::Collect(request), ctx);
            }
            Wish::Take(what) => self.take(what, ctx),
            Wish::Verify { number, pin } => {
                let verdict = self.verify(number.as_deref(), &pin);
                self.tell_mailbox(Heard::Verdict(verdict), ctx);
            }
            Wish::Keep((call, n)) => {
                if let Some(mailbox) = mailbox {
                    self.snapshot.mailboxes.keep(&self.env.store, &mailbox, &call, n);
                    self.note(format!("message {call}-{n} was heard"));
                }
            }
            Wish::Erase(tape) => self.erase_tape(mailbox.as_ref(), &tape),
            Wish::Greet(_) => self.greet(),
            Wish::End(end) => self.mailbox_over(end, ctx),
        }
    }

    fn ask_for_mailbox(&mut self, request: Request, ctx: &mut Context<Self>) {
        self.feed(Input::Request { op: Op::Voicemail, request }, ctx);
    }

    /// The office's own prompt for words, else words read aloud, else a tone.
    fn audio(&mut self, cue: Cue) -> Audio {
        let phrase = match cue {
            Cue::Audio(audio) => return audio,
            Cue::Phrase(phrase) => phrase,
        };
        let language = &self.office.language;
        let own = |name: &String| self.env.prompts.find(&self.office.id, name, language, false).is_ok();
        if let Some(prompt) = phrase.prompt().filter(own) {
            return Audio::Prompt(prompt);
        }
        let tone = if phrase.is_refusal() { Tone::Congestion } else { Tone::Beep };
        if let Some(session) = &mut self.at_mailbox.0 {
            if session.mute {
                return Audio::Tone(tone);
            }
            session.instead = (!matches!(phrase, Phrase::Greeting { .. })).then_some(tone);
        }
        let (text, language) = phrase.words(language);
        Audio::Speech(Speech { text, language: Some(language.to_owned()) })
    }

    fn verify(&mut self, number: Option<&str>, pin: &str) -> Verdict {
        let Some(session) = &self.at_mailbox.0 else { return Verdict::Wrong };
        let mailbox = number.map_or_else(|| session.mailbox.clone(), |number| self.office.find_mailbox(number));
        let (now, table) = (self.env.clock.now(), &self.snapshot.mailboxes);
        let caller = mailboxes::caller(&self.office, &self.begin);
        let named = mailbox.as_ref().map_or_else(|| "a mailbox that there is not".to_owned(), words_for);
        if table.locked_until(mailbox.as_ref(), &caller) > now {
            self.note(format!("{named} is locked"));
            return Verdict::Locked;
        }
        let rules = mailbox.as_ref().and_then(|mailbox| self.office.mailbox(mailbox));
        let right = rules.and_then(|rules| rules.pin.as_ref()).is_some_and(|right| right.reveal() == pin);
        pin_tries::keep(&self.env, table.tried(now, mailbox.as_ref(), &caller, right));
        let Some(mailbox) = mailbox.filter(|_| right) else {
            tracing::warn!(call_id = %self.id, mailbox = named, "a wrong PIN");
            self.note(format!("a wrong PIN for {named}"));
            return Verdict::Wrong;
        };
        self.note(format!("{named} is opened by its PIN"));
        let contents = self.contents_of(&mailbox);
        if let Some(session) = &mut self.at_mailbox.0 {
            session.mailbox = Some(mailbox);
        }
        Verdict::Open(contents)
    }

    fn erase_tape(&mut self, mailbox: Option<&Mailbox>, (call, n): &TapeId) {
        let Some(session) = &mut self.at_mailbox.0 else { return };
        let in_review = session.review.take_if(|tape| tape.n == *n && tape.call == *call);
        match (in_review, mailbox) {
            (Some(tape), _) => mailboxes::remove(&self.env.store, &self.env.recorder, &tape),
            (None, Some(mailbox)) => {
                self.snapshot.mailboxes.erase(&self.env.store, &self.env.recorder, mailbox, call, *n);
            }
            (None, None) => {}
        }
        self.note(format!("message {call}-{n} is deleted"));
    }

    fn greet(&mut self) {
        let Some(tape) = self.at_mailbox.0.as_mut().and_then(|session| session.review.take()) else { return };
        self.note(format!("greeting {} is in force", tape.n));
        self.snapshot.mailboxes.greet(&self.env.store, &self.env.recorder, tape);
    }

    // ---- tapes -----------------------------------------------------------------------------------------------

    fn take(&mut self, what: Taken, ctx: &mut Context<Self>) {
        let n = self.taping.next();
        let Some(media) = self.media_of(self.call.anchor()) else {
            return self.mailbox_failed(MailboxError::NoMedia("the leg has no media".into()), ctx);
        };
        let Some(session) = &mut self.at_mailbox.0 else { return };
        session.taking = Some(Taking { what, n, media, recording: None });
        let max = session.longest + BEHIND;
        self.ask_for_mailbox(Request::Dictate { stop_on: STOP, max }, ctx);
    }

    /// The caller speaks from now on.
    pub(super) fn dictate(&mut self, ctx: &mut Context<Self>) {
        let Some(session) = &self.at_mailbox.0 else { return };
        let (Some(taking), Some(mailbox)) = (&session.taking, session.mailbox.clone()) else { return };
        let (n, what, media) = (taking.n, taking.what, taking.media);
        let (silence, longest) = (Some(session.silence), Some(session.longest));
        let kind = match what {
            Taken::Message => TapeKind::Message { of: mailbox.clone(), heard: false },
            Taken::Greeting => TapeKind::Greeting { of: mailbox.clone() },
        };
        let mut tape = self.new_tape(n, kind);
        (tape.caller, tape.caller_name) = self.guest_shown();
        RecordingBegan { tape: &tape }.emit();
        self.keep_tape(&tape);
        let order = Order { file: tape.file.clone(), stereo: false, silence, longest };
        let back = ctx.address().recipient();
        let ended = Ended {
            store: self.env.store.clone(),
            recorder: self.env.recorder.clone(),
            metrics: self.env.metrics.clone(),
            mailboxes: self.snapshot.mailboxes.clone(),
            notices: self.snapshot.notices.clone(),
            office: Arc::clone(&self.office),
            shortest: self.office.voicemail.shortest,
            // Until it is in the mailbox, or is not.
            place: self.at_mailbox.0.as_mut().and_then(|session| session.place.take()),
        };
        let told = move |end: TapeEnd, talked: Talked| press(&back, ended.settle(tape, end, talked.heard, what));
        let recording = self.env.recorder.record(order, Box::new(told));
        self.to_media(MediaCommand::Dictate { leg: media, tape: Some(recording.tape()) });
        self.note(format!("{} {n} for {} begins", noun(what), words_for(&mailbox)));
        if let Some(taking) = self.at_mailbox.0.as_mut().and_then(|session| session.taking.as_mut()) {
            taking.recording = Some(recording);
        }
    }

    /// He has done, or his time is over, or he is gone. What becomes of it is told by the recorder.
    pub(super) fn stop_dictating(&mut self, why: TapeWhy) {
        let taking = self.at_mailbox.0.as_mut().and_then(|session| session.taking.as_mut());
        let Some((media, recording)) = taking.and_then(|taking| Some((taking.media, taking.recording.take()?))) else {
            return;
        };
        self.to_media(MediaCommand::Dictate { leg: media, tape: None });
        recording.end(why);
    }

    // ---- ends ------------------------------------------------------------------------------------------------

    fn mailbox_over(&mut self, end: End, ctx: &mut Context<Self>) {
        // What he pressed last may have been a PIN.
        self.feed(Input::ForgetKeys, ctx);
        let Some(session) = self.at_mailbox.0.take() else { return };
        match session.asker {
            Asker::Code => {
                let request = Request::HangUp(Cause::normal());
                self.feed(Input::Request { op: Op::Direct, request }, ctx);
            }
            Asker::Run { run, n } => {
                let result = match end {
                    End::Message(end) => HostResult::MessageLeft(end),
                    End::Mailbox(end) => HostResult::MailboxClosed(Ok(end)),
                };
                self.resume(Op::Run { run, n }, result);
                self.pump(ctx);
            }
        }
    }

    fn mailbox_failed(&mut self, error: MailboxError, ctx: &mut Context<Self>) {
        self.greet();
        let end = match self.at_mailbox.0.as_ref().map(|session| (&session.machine, session.asker)) {
            Some((Machine::Leaving(_), _)) => End::Message(Err(error)),
            Some((Machine::Listening(_), Asker::Run { run, n })) => {
                self.at_mailbox.0 = None;
                self.resume(Op::Run { run, n }, HostResult::MailboxClosed(Err(error)));
                return self.pump(ctx);
            }
            Some((Machine::Listening(_), Asker::Code)) => End::Mailbox(MailboxEnd::Done),
            None => return,
        };
        self.mailbox_over(end, ctx);
    }

    /// The caller is gone, whatever was under way.
    pub(super) fn mailbox_left(&mut self, ctx: &mut Context<Self>) {
        self.stop_dictating(TapeWhy::CallOver);
        self.mailbox_failed(MailboxError::CallerGone, ctx);
    }

    /// The run that asked for it is cancelled: it is told nothing.
    pub(super) fn mailbox_cancelled(&mut self, op: Op, ctx: &mut Context<Self>) {
        if self.at_mailbox.0.as_ref().is_none_or(|session| session.asker != asker(op)) {
            return;
        }
        self.greet();
        self.feed(Input::Cancel { op: Op::Voicemail }, ctx);
        self.at_mailbox.0 = None;
    }
}

impl Handler<MessageTaken> for CallActor {
    type Result = ();

    fn handle(&mut self, MessageTaken { tape, why, kept }: MessageTaken, ctx: &mut Context<Self>) {
        let (length, what) = (tape.end.as_ref().map_or(0, |end| end.length_ms), &tape.kind);
        let noun = if matches!(what, TapeKind::Greeting { .. }) { "greeting" } else { "message" };
        let fate = if kept { "kept" } else { "not kept" };
        self.note(format!("{noun} {} of {length} ms ended: {}, {fate}", tape.n, why.as_str()));
        let session = self.at_mailbox.0.as_mut();
        let taken = session.and_then(|session| {
            let taking = session.taking.take_if(|taking| taking.n == tape.n)?;
            session.review = (kept && taking.what == Taken::Greeting).then(|| tape.clone());
            Some(taking)
        });
        let Some(taking) = taken else {
            // A greeting that nobody waits for any more would be in nobody's way, and in nobody's ear.
            if kept && matches!(tape.kind, TapeKind::Greeting { .. }) {
                mailboxes::remove(&self.env.store, &self.env.recorder, &tape);
            }
            return self.pump(ctx);
        };
        if taking.recording.is_some() {
            self.to_media(MediaCommand::Dictate { leg: taking.media, tape: None });
            self.feed(Input::DictationOver, ctx);
        }
        // He may have pressed the key that ended it twice.
        self.feed(Input::ForgetKeys, ctx);
        let dictation = Dictation { tape: (tape.call, tape.n), file: tape.file, kept, why };
        self.tell_mailbox(Heard::Taken(dictation), ctx);
        self.pump(ctx);
    }
}

/// What the end of a tape needs.
struct Ended {
    store: plugboard_store::Store,
    recorder: plugboard_recorder::Recorder,
    metrics: plugboard_metrics::Metrics,
    mailboxes: mailboxes::Mailboxes,
    notices: Recipient<TakeNotice>,
    office: Arc<Office>,
    shortest: Duration,
    place: Option<Place>,
}

impl Ended {
    /// Keeps a tape on which enough is said, and removes any other.
    fn settle(self, tape: TapeRecord, end: TapeEnd, heard: Duration, what: Taken) -> MessageTaken {
        let why = end.why.clone();
        let tape = TapeRecord { end: Some(end), ..tape };
        RecordingEnded { tape: &tape }.emit(&self.metrics);
        // Nobody has decided about a greeting that a hang-up or the disk has cut off.
        let is_whole = what == Taken::Message || !(why == TapeWhy::CallOver || why.is_fault());
        let kept = heard >= self.shortest && is_whole;
        if !kept {
            mailboxes::remove(&self.store, &self.recorder, &tape);
            return MessageTaken { tape, why, kept };
        }
        // A greeting is one when its owner has said so.
        if what == Taken::Message {
            if let Err(error) = self.store.tapes().put(&tape) {
                tracing::error!(call_id = %tape.call, n = tape.n, %error, "what is known of a voice message could not be kept");
            }
            self.mailboxes.put(tape.clone());
            delivered::message(&self.notices, &self.office, &tape);
        }
        drop(self.place);
        MessageTaken { tape, why, kept }
    }
}

const fn asker(op: Op) -> Asker {
    match op {
        Op::Run { run, n } => Asker::Run { run, n },
        Op::Direct | Op::Transfer | Op::Voicemail | Op::Queue | Op::Errand => Asker::Code,
    }
}

fn words_for(mailbox: &Mailbox) -> String {
    match mailbox {
        Mailbox::User(user) => format!("user {}", user.name),
        Mailbox::Group(group) => format!("group {}", group.name),
    }
}

const fn noun(what: Taken) -> &'static str {
    match what {
        Taken::Message => "message",
        Taken::Greeting => "greeting",
    }
}

fn millis(ms: Option<u32>) -> Option<Duration> {
    ms.map(|ms| Duration::from_millis(ms.into()))
}

/// A message as its owner is told of it.
fn message(office: &Office, tape: TapeRecord) -> Left {
    let local = office.zone().local(tape.began);
    let (_, month, day) = local.date.parts();
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    let at = Moment {
        day: small(day),
        month: small(month),
        hour: small(local.second / 3_600),
        minute: small(local.second / 60 % 60),
    };
    let from = if tape.caller_name.is_empty() { tape.caller } else { tape.caller_name };
    let heard = matches!(tape.kind, TapeKind::Message { heard: true, .. });
    Left { tape: (tape.call, tape.n), file: tape.file, from, at, heard }
}
