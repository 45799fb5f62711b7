//! The recording of a call: who begins it, what those who talk are told, and what becomes of it.
//!
//! The tape is in the media leg of whom the call is about; when that is somebody else, it goes on with him. Its end is written down by
//! the recorder's own thread, so that nothing is lost of a recording whose call is gone.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::{Input, Op, Output, Request};
use plugboard_media::{Audio as Sound, Command as MediaCommand, MediaLeg, PlayId as MediaPlayId, PlayOptions};
use plugboard_metrics::{RecordingBegan, RecordingEnded};
use plugboard_model::{
    Audio, CallError, GroupId, HostResult, JournalEvent, LegId, Mailbox, PlayOptions as PlayFor, RecordCall,
    RecordError, RunId, TapeBy, TapeKind, TapeRecord, TapeWhy, Tone,
};
use plugboard_office::RecordRule;
use plugboard_recorder::{Order, Recording, Talked};
use std::collections::{BTreeMap, BTreeSet};

use super::{CallActor, Order as LegOrder};
use crate::message::Shown;
use crate::post::press;

/// Plays of ours that the call machine knows nothing of: far above the numbers that it counts.
const ASIDE: u64 = 1 << 48;

/// Keys that are remembered of each who talks: as many as the office may ask for.
const KEYS_MAX: usize = 4;

/// What a call has of recordings.
#[derive(Debug, Default)]
pub(super) struct Taping {
    running: Option<Running>,
    /// How many there were.
    made: u32,
    plays: u64,
    keys: BTreeMap<LegId, String>,
    /// Groups that it rang.
    groups: BTreeSet<GroupId>,
    /// Who waits until the caller has heard that he is recorded.
    telling: Option<Op>,
}

#[derive(Debug)]
struct Running {
    recording: Recording,
    media: MediaLeg,
    n: u32,
    by: TapeBy,
    beep: bool,
    paused: bool,
    /// What everybody who is recorded is told, and who has heard it.
    announcement: Option<Sound>,
    told: BTreeSet<LegId>,
}

/// What matters to a recording of what a call does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    /// People talk from now on.
    Talk,
    /// Every leg is over.
    Over,
}

impl Taping {
    /// The number of the next tape of the call.
    pub(super) const fn next(&mut self) -> u32 {
        self.made += 1;
        self.made
    }
}

impl Turn {
    pub(super) const fn of(output: &Output) -> Option<Self> {
        if matches!(output, Output::Bridge { .. }) {
            Some(Self::Talk)
        } else if matches!(output, Output::Ended(_)) {
            Some(Self::Over)
        } else {
            None
        }
    }
}

/// A recording ended, whoever ended it. From the recorder's thread.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TapeOver {
    n: u32,
    why: TapeWhy,
}

impl CallActor {
    /// Carries out what a scenario wants of the recording, and answers.
    pub(super) fn record_call(&mut self, op: Op, call: RecordCall, ctx: &mut Context<Self>) {
        let announced = if let RecordCall::Start { announcement, .. } = &call { announcement.clone() } else { None };
        let done = self.do_record_call(call, ctx);
        let alone = self.call.talking_to().is_none();
        // A caller who is alone hears it as a step of the scenario: nothing else may cut it off.
        if let Some(name) = announced.filter(|_| done.is_ok() && alone) {
            self.taping.telling = Some(op);
            let request = Request::Play {
                audio: Audio::Prompt(name),
                options: PlayFor { max_ms: None, repeat: false, stop_on_digit: false },
            };
            return self.feed(Input::Request { op, request }, ctx);
        }
        self.resume(op, HostResult::Recorded(done));
    }

    /// The answer to whoever waited for the announcement; all other answers are what they were.
    pub(super) fn announced(&mut self, op: Op, result: HostResult) -> HostResult {
        if self.taping.telling.take_if(|telling| *telling == op).is_none() {
            return result;
        }
        let HostResult::Played(heard) = result else { return result };
        HostResult::Recorded(heard.map(drop).map_err(|error| {
            // Nobody is recorded who was not told of it.
            self.end_recording(TapeWhy::Asked);
            match error {
                CallError::CallerGone => RecordError::CallerGone,
                CallError::Talking => RecordError::NoMedia("the caller talks to somebody".into()),
                CallError::NoMedia(reason) => RecordError::NoMedia(reason),
                CallError::Invalid(which) => RecordError::Invalid(which),
            }
        }))
    }

    fn do_record_call(&mut self, call: RecordCall, ctx: &mut Context<Self>) -> Result<(), RecordError> {
        if self.afterwards.is_some() || self.over {
            return Err(RecordError::CallerGone);
        }
        match call {
            RecordCall::Start { announcement, beep } => {
                let told = announcement
                    .map(|name| self.env.prompts.find(&self.office.id, &name, &self.office.language, false));
                let told = told.transpose().map_err(RecordError::NoMedia)?;
                self.feed(Input::Request { op: Op::Direct, request: Request::Answer }, ctx);
                self.begin_recording(TapeBy::Scenario, told, beep, ctx)
            }
            RecordCall::Pause => self.pause_recording(true),
            RecordCall::Resume => self.pause_recording(false),
            RecordCall::Stop => match self.taping.running.as_ref().map(|running| running.by) {
                None => Err(RecordError::NotRecording),
                Some(_) if self.must_be_recorded() => Err(RecordError::NotAllowed),
                Some(TapeBy::Policy | TapeBy::Scenario | TapeBy::User) => {
                    self.end_recording(TapeWhy::Asked);
                    Ok(())
                }
            },
        }
    }

    fn begin_recording(
        &mut self,
        by: TapeBy,
        announcement: Option<Sound>,
        beep: bool,
        ctx: &mut Context<Self>,
    ) -> Result<(), RecordError> {
        if self.taping.running.is_some() {
            return Err(RecordError::Recording);
        }
        if self.record_rule() == RecordRule::Never {
            return Err(RecordError::NotAllowed);
        }
        let media = self.media_of(self.call.anchor());
        let media = media.ok_or_else(|| RecordError::NoMedia("the leg has no media".into()))?;
        let n = self.taping.next();
        let tape = self.new_tape(n, TapeKind::Recording { by });
        RecordingBegan { tape: &tape }.emit();
        let order = Order { file: tape.file.clone(), stereo: true, silence: None, longest: None };
        let recording = self.record(tape, order, ctx);
        self.to_media(MediaCommand::Record { leg: media, tape: Some(recording.tape()) });
        let announced = announcement.is_some();
        let told = BTreeSet::new();
        self.taping.running = Some(Running { recording, media, n, by, beep, paused: false, announcement, told });
        self.note(format!("recording {n} begins, by {}", by.as_str()));
        self.tape_names_those_who_talk();
        if announced {
            self.tell_newcomers();
        } else {
            self.tape_beep();
        }
        Ok(())
    }

    /// Keeps what is known of a tape and begins to write it.
    fn record(&self, tape: TapeRecord, order: Order, ctx: &mut Context<Self>) -> Recording {
        self.keep_tape(&tape);
        let (store, metrics, back) = (self.env.store.clone(), self.env.metrics.clone(), ctx.address().recipient());
        let told = move |end: plugboard_model::TapeEnd, talked: Talked| {
            let (n, why) = (tape.n, end.why.clone());
            let is_new = |number: &String| *number != tape.caller && *number != tape.called;
            let others = talked.numbers.into_iter().filter(is_new).collect();
            let tape = TapeRecord { end: Some(end), others, ..tape };
            RecordingEnded { tape: &tape }.emit(&metrics);
            if let Err(error) = store.tapes().put(&tape) {
                tracing::error!(call_id = %tape.call, n, %error, "what is known of a recording could not be kept");
            }
            press(&back, TapeOver { n, why });
        };
        self.env.recorder.record(order, Box::new(told))
    }

    pub(super) fn keep_tape(&self, tape: &TapeRecord) {
        if let Err(error) = self.env.store.tapes().put(tape) {
            tracing::error!(call_id = %self.id, n = tape.n, %error, "what is known of a recording could not be kept");
        }
    }

    /// The next of the call.
    pub(super) fn new_tape(&self, n: u32, kind: TapeKind) -> TapeRecord {
        let (year, month, day) = self.begin.wall.date();
        TapeRecord {
            call: self.id.clone(),
            n,
            kind,
            began: self.env.clock.wall(),
            caller: self.begin.caller.clone(),
            caller_name: self.begin.caller_name.clone(),
            called: self.begin.called.clone(),
            others: Vec::new(),
            file: format!("{}/{year:04}/{month:02}/{day:02}/{}-{n}.wav", self.office.id, self.id.ulid_text()),
            end: None,
        }
    }

    fn pause_recording(&mut self, pause: bool) -> Result<(), RecordError> {
        let Some(running) = &mut self.taping.running else { return Err(RecordError::NotRecording) };
        if running.paused == pause {
            return Ok(());
        }
        running.paused = pause;
        let (n, leg) = (running.n, running.media);
        let tape = (!pause).then(|| running.recording.tape());
        self.to_media(MediaCommand::Record { leg, tape });
        self.note(format!("recording {n} {}", if pause { "pauses" } else { "goes on" }));
        self.tape_beep();
        Ok(())
    }

    /// Ends the recording, if there is one.
    pub(super) fn end_recording(&mut self, why: TapeWhy) {
        self.tape_beep();
        let Some(Running { recording, media, n, .. }) = self.taping.running.take() else { return };
        self.to_media(MediaCommand::Record { leg: media, tape: None });
        self.note(format!("recording {n} ends: {}", why.as_str()));
        recording.end(why);
    }

    pub(super) fn note(&mut self, text: String) {
        self.journal.note(self.now(), JournalEvent::Note { text });
    }

    // ---- what is heard of it --------------------------------------------------------------------------------

    fn tape_beep(&mut self) {
        if self.taping.running.as_ref().is_some_and(|running| running.beep) {
            let beep = crate::convert::tone(&self.office.country, Tone::Beep);
            self.both_hear(&beep);
        }
    }

    /// To those who talk, in place of each other; to a caller who talks to nobody, unless he hears something already.
    fn both_hear(&mut self, audio: &Sound) {
        for leg in self.call.free_ears() {
            self.hears_aside(leg, audio);
        }
    }

    fn hears_aside(&mut self, leg: LegId, audio: &Sound) {
        let Some(leg) = self.media_of(leg) else { return };
        self.taping.plays += 1;
        let id = MediaPlayId(ASIDE + self.taping.plays);
        self.to_media(MediaCommand::Play { leg, id, audio: audio.clone(), options: PlayOptions::default() });
    }

    /// The tape is found by the number of everybody who talked while it went on.
    pub(super) fn tape_names_those_who_talk(&self) {
        let Some(running) = &self.taping.running else { return };
        for leg in [Some(self.call.anchor()), self.call.talking_to()].into_iter().flatten() {
            let Shown { number, .. } = self.shown(leg);
            if !number.is_empty() {
                running.recording.talks(number);
            }
        }
    }

    /// Whoever talks and was not told yet that he is recorded hears it; a caller who is alone was told by the scenario's step.
    fn tell_newcomers(&mut self) {
        let (anchor, peer) = (self.call.anchor(), self.call.talking_to());
        let Some(running) = &mut self.taping.running else { return };
        let Some(audio) = running.announcement.clone() else { return };
        let mut untold = vec![anchor];
        untold.extend(peer);
        untold.retain(|leg| running.told.insert(*leg));
        for leg in untold.into_iter().filter(|_| peer.is_some()) {
            self.hears_aside(leg, &audio);
        }
    }

    // ---- who wants it ---------------------------------------------------------------------------------------

    /// A run was given these parameters: a group among them is rung by it.
    pub(super) fn note_groups(&mut self, run: RunId, parameters: &str) {
        let Some(installed) = self.components.get(&run) else { return };
        let properties = installed.manifest().parameters.get("properties").and_then(|all| all.as_object());
        let Ok(given) = serde_json::from_str::<serde_json::Value>(parameters) else { return };
        for (name, property) in properties.into_iter().flatten() {
            if property.get("x-type").is_some_and(|noun| noun == "group")
                && let Some(id) = given.get(name).and_then(|id| id.as_str())
                && let Some(group) = self.office.find_group(id)
            {
                self.at_mailbox.rings(Some(Mailbox::Group(group.id.clone())));
                self.taping.groups.insert(group.id.clone());
            }
        }
    }

    /// What holds for whoever is behind a leg.
    pub(super) fn record_rule_of(&self, leg: LegId) -> RecordRule {
        let handle = self.legs.get(&leg);
        let user = self.call.party(leg).and_then(|(user, _)| user).and_then(|user| self.office.user(user));
        let outside = handle.and_then(|handle| handle.outside.as_ref());
        let gateway = outside.and_then(|outside| self.office.gateway(&outside.gateway));
        let joint = handle
            .and_then(|handle| if let LegOrder::Joint(joint) = &handle.order { Some(joint.record) } else { None });
        let rules = [user.map(|user| user.record), gateway.map(|gateway| gateway.record), joint];
        rules.into_iter().flatten().fold(RecordRule::OnDemand, RecordRule::and)
    }

    /// Nobody in the call may end its recording.
    fn must_be_recorded(&self) -> bool {
        self.record_rule() == RecordRule::Always
    }

    /// What holds for the call, of all who have a part in it.
    fn record_rule(&self) -> RecordRule {
        let office = &self.office;
        let (anchor, peer) = (self.call.anchor(), self.call.talking_to());
        let of_parts = [Some(anchor), peer].into_iter().flatten().map(|leg| self.record_rule_of(leg));
        let of_caller = self.begin.caller_gateway.as_ref().and_then(|gateway| office.gateway(gateway));
        let called = match office.internal(&self.begin.called) {
            Some(plugboard_office::Internal::Group(group)) => Some(group),
            Some(plugboard_office::Internal::User(_)) | None => None,
        };
        let of_groups = self.taping.groups.iter().chain(called).filter_map(|group| office.group(group));
        of_parts
            .chain(of_caller.map(|gateway| gateway.record))
            .chain(of_groups.map(|group| group.record))
            .fold(RecordRule::OnDemand, RecordRule::and)
    }

    /// People talk from now on.
    pub(super) fn record_by_rule(&mut self, ctx: &mut Context<Self>) {
        match (self.record_rule(), self.taping.running.as_ref().map(|running| running.by)) {
            // He who was to be recorded may have gone, and nobody else wants it.
            (RecordRule::Never, Some(_)) | (RecordRule::OnDemand, Some(TapeBy::Policy)) => {
                self.end_recording(TapeWhy::Asked);
            }
            (RecordRule::Always, None) => self.begin_as_the_office_does(TapeBy::Policy, ctx),
            (RecordRule::OnDemand | RecordRule::Always, Some(_)) => self.tell_newcomers(),
            (RecordRule::OnDemand | RecordRule::Never, None) => {}
        }
    }

    fn begin_as_the_office_does(&mut self, by: TapeBy, ctx: &mut Context<Self>) {
        let rules = &self.office.recording;
        let told = rules
            .announcement
            .as_ref()
            .map(|name| self.env.prompts.find(&self.office.id, name, &self.office.language, false));
        let told = match told.transpose() {
            Ok(told) => told,
            // Nobody is recorded who was not told of it.
            Err(reason) => {
                tracing::error!(call_id = %self.id, reason, "a call is not recorded: the announcement is missing");
                return;
            }
        };
        let beep = rules.beep;
        if let Err(why) = self.begin_recording(by, told, beep, ctx) {
            tracing::info!(call_id = %self.id, ?why, "a call is not recorded");
        }
    }

    /// A key of somebody: users begin and end recordings by keys.
    pub(super) fn note_key(&mut self, leg: LegId, key: char, ctx: &mut Context<Self>) {
        let Some(wanted) = self.office.recording.keys.clone() else { return };
        let talks = self.call.talking_to().is_some_and(|peer| leg == peer || leg == self.call.anchor());
        if !talks || self.call.party(leg).is_none_or(|(user, _)| user.is_none()) {
            return;
        }
        let pressed = self.taping.keys.entry(leg).or_default();
        pressed.push(key);
        if pressed.len() > KEYS_MAX {
            pressed.remove(0);
        }
        if !pressed.ends_with(wanted.as_str()) {
            return;
        }
        pressed.clear();
        match self.taping.running.as_ref().map(|running| running.by) {
            Some(_) if self.must_be_recorded() => {}
            Some(_) => self.end_recording(TapeWhy::Asked),
            None => self.begin_as_the_office_does(TapeBy::User, ctx),
        }
    }

    /// What the call machine did may touch the recording.
    pub(super) fn tape_follows(&mut self, turn: Option<Turn>, ctx: &mut Context<Self>) {
        match turn {
            Some(Turn::Talk) => {
                self.record_by_rule(ctx);
                self.tape_names_those_who_talk();
            }
            Some(Turn::Over) => self.end_recording(TapeWhy::CallOver),
            None => {}
        }
    }

    /// Who the call is about may be somebody else now.
    pub(super) fn tape_moves(&mut self) {
        self.tape_names_those_who_talk();
        let now = self.media_of(self.call.anchor());
        let Some(running) = &mut self.taping.running else { return };
        let Some(now) = now.filter(|now| *now != running.media) else { return };
        let (before, tape) = (std::mem::replace(&mut running.media, now), running.recording.tape());
        if !running.paused {
            self.to_media(MediaCommand::Record { leg: before, tape: None });
            self.to_media(MediaCommand::Record { leg: now, tape: Some(tape) });
        }
    }
}

impl Handler<TapeOver> for CallActor {
    type Result = ();

    fn handle(&mut self, TapeOver { n, why }: TapeOver, _ctx: &mut Context<Self>) {
        if self.taping.running.as_ref().is_none_or(|running| running.n != n) {
            return;
        }
        if let Some(Running { media, .. }) = self.taping.running.take() {
            self.to_media(MediaCommand::Record { leg: media, tape: None });
            self.note(format!("recording {n} ended: {}", why.as_str()));
        }
    }
}
