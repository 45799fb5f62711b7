//! Carries out what the call machine wants.

use actix::{AsyncContext, Context, Recipient};
use plugboard_call::{AskWhy, Input, Output, Party, PlayFinish, PlayId};
use plugboard_media::{Codec, Command as MediaCommand, Event as MediaEvent, Need, OpenError, PlayEnd, PlayOptions};
use plugboard_metrics::{MediaSilence, RunOutcome};
use plugboard_model::{
    Audio, CallOutcome, CallRecord, Cause, Dialled, HostCall, JournalEvent, LegId, RunEnd, RunId, Time, Tone, UserId,
    WallTime,
};
use plugboard_office::{Inquiry, MediaRules, OfferKind, Source};
use plugboard_plugin::RunUsage;
use plugboard_scenario::Input as ScriptInput;
use plugboard_sip::RequestUri;
use plugboard_sip::dialog::NextHop;
use plugboard_sip::event::DialogState;
use plugboard_sip::flow::Flow;
use plugboard_sip::session::{Local, Login, OutgoingSpec, Session};
use std::time::Duration;

use super::flows::FLOW_ANSWERS_WITHIN;
use super::{Adoption, CallActor, LegHandle, Obstacle, Order, Rung};
use crate::actor::leg::{Bounds, EarlySound, LegActor, LegLinks, NewLeg};
use crate::message::{CallOver, ClaimSlot, Device, Errand, LegCommand, LegEvent, OfferCall, UseSlot, WatchMedia};
use crate::post::post;

/// Steps on the hanging up have so long: who called is gone, and nothing of his shall be in the way for long.
const AFTERWARDS_MAX: Duration = Duration::from_secs(30);

/// How long a browser that is gone may come back: a page is loaded anew within seconds, a network changes within ten.
const BROWSER_HELD: Duration = Duration::from_secs(30);

impl CallActor {
    pub(super) fn carry(&mut self, output: Output, ctx: &mut Context<Self>) {
        match output {
            Output::Journal(event) => self.journal.note(self.now(), event),
            Output::AskUser { user, reserve, why } => self.ask_user(user, reserve, why, ctx),
            Output::Claim { user, leg } => self.claim(&user, leg, ctx),
            Output::Occupy { user } => self.use_slot(&user, UseSlot::Occupy(self.id.clone())),
            Output::Release { user } => self.use_slot(&user, UseSlot::Release(self.id.clone())),
            Output::MakeLeg { leg, party, device } => self.make_leg(leg, party, device, ctx),
            Output::CancelLeg { leg, why } => self.stop_leg(leg, LegCommand::Cancel(why), ctx),
            Output::EndLeg { leg, cause } => self.stop_leg(leg, LegCommand::End(cause), ctx),
            Output::RingCaller => {
                self.lamp(LegId::CALLER, DialogState::Early);
                self.order(LegId::CALLER, LegCommand::Ring);
            }
            Output::ProgressCaller { rings } => {
                self.lamp(LegId::CALLER, DialogState::Early);
                self.order(LegId::CALLER, LegCommand::Progress { prefer: self.agreed, rings });
            }
            Output::AnswerCaller => {
                self.lamp(LegId::CALLER, DialogState::Confirmed);
                self.order(LegId::CALLER, LegCommand::Answer { prefer: self.agreed });
            }
            Output::RejectCaller(cause) => {
                let ours = matches!(&self.obstacle, Some(Obstacle::Limit(refusal, _)) if *refusal == cause);
                let command = if ours { LegCommand::RejectInWords(cause) } else { LegCommand::Reject(cause) };
                self.order(LegId::CALLER, command);
            }
            Output::Play { leg, play, audio, max, repeat } => self.play(leg, play, &audio, max, repeat, ctx),
            Output::HoldMusic { leg, play } => self.hold_music(leg, play),
            Output::StopPlay { leg, play } => {
                self.spoken.forget(play);
                if let Some(media) = self.media_of(leg) {
                    self.to_media(MediaCommand::StopPlay { leg: media, id: self.play_id(leg, play) });
                }
            }
            Output::Echo { leg, on } => {
                if let Some(leg) = self.media_of(leg) {
                    self.to_media(MediaCommand::Echo { leg, on });
                }
            }
            Output::Dictate { .. } => self.dictate(ctx),
            Output::StopDictating { why, .. } => self.stop_dictating(why),
            Output::Sit { leg, seat } => self.sit(leg, &seat, ctx),
            Output::Stand { leg } => self.stand(leg, ctx),
            Output::Fax { leg, request } => self.receive_fax(leg, &request, ctx),
            Output::SendFax { leg } => self.send_fax(leg, ctx),
            Output::EndFax { leg: _ } => self.end_fax(ctx),
            Output::EarlyBridge { anchor, peer } => self.bridge(anchor, peer),
            Output::Bridge { anchor, peer } => {
                self.bridge(anchor, peer);
                self.share_codec(anchor, peer);
                self.talk_begins([anchor, peer], ctx);
                self.lamp(anchor, DialogState::Confirmed);
                self.lamp(peer, DialogState::Confirmed);
                let after = self.now().since(plugboard_model::Time::ZERO);
                plugboard_metrics::CallAnswered { call: &self.id, leg: peer, after }.emit(&self.env.metrics);
            }
            Output::Unbridge { peer } => self.unbridge(peer),
            Output::AcceptTransfer { leg } => self.order(leg, LegCommand::AcceptTransfer),
            Output::RejectTransfer { leg, status } => self.order(leg, LegCommand::RejectTransfer(status)),
            Output::NotifyTransfer { leg, status } => self.order(leg, LegCommand::NotifyTransfer(status)),
            Output::AskLeg { leg } => self.order(leg, LegCommand::Ask),
            Output::Listen { leg } => {
                if let Some(leg) = self.media_of(leg) {
                    self.to_media(MediaCommand::Listen { leg });
                }
            }
            Output::Identify { leg, other } => self.identify(leg, other),
            Output::Joint { leg } => self.add_joint(leg),
            Output::Result { op, result } => self.answer(op, result, ctx),
            Output::BeginScenario { led, by, called } => self.begin_scenario(led, by, called, ctx),
            Output::OpenMailbox { mailbox } => self.enter_mailbox(mailbox, ctx),
            Output::Bridged => {
                self.tell_agent(ctx);
                self.feed_script(ScriptInput::Bridged, ctx);
            }
            Output::Unbridged => self.feed_script(ScriptInput::Unbridged, ctx),
            Output::CallerGone => self.caller_gone(ctx),
            Output::Rang { leg } => self.feed_script(ScriptInput::Rang { whom: self.talker(leg) }, ctx),
            Output::HungUp { leg } => self.feed_script(ScriptInput::HungUp { by: self.talker(leg) }, ctx),
            Output::Held { by, whom } => {
                self.tell_agent(ctx);
                let (by, whom) = (self.talker(by), whom.map(|whom| self.talker(whom)));
                self.feed_script(ScriptInput::Held { by, whom }, ctx);
            }
            Output::Resumed { by, whom } => {
                let (by, whom) = (self.talker(by), whom.map(|whom| self.talker(whom)));
                self.feed_script(ScriptInput::Resumed { by, whom }, ctx);
            }
            Output::Ended(record) => self.ended(*record),
        }
    }

    // ---- users ----------------------------------------------------------------------------------------------

    fn ask_user(&mut self, user: UserId, reserve: bool, why: AskWhy, ctx: &mut Context<Self>) {
        let kind = match (reserve, why) {
            (_, AskWhy::Recall | AskWhy::CallBack) => OfferKind::Recall,
            (_, AskWhy::OnHisPhone) => OfferKind::Phone,
            (true, AskWhy::Offered) => OfferKind::OneUser,
            // Somebody who dials a group has its members rung as a scenario would ring them.
            (false, AskWhy::Offered | AskWhy::Direct) => OfferKind::AllAtOnce,
            (true, AskWhy::Direct) => OfferKind::Direct,
        };
        if kind != OfferKind::Recall && self.is_blocked_by(&user) {
            let cause = Cause { status: 486, text: format!("the user {} blocks the caller", user.name) };
            return self.feed(Input::UserOffers { user, offer: Err(cause) }, ctx);
        }
        // Who is spoken to without picking up must not talk to somebody else.
        // Nor is anybody called back by one who does.
        let alone = self.rung == Rung::Intercom || matches!(self.errand, Some(Errand::CallBack(_)));
        let kind = if alone && kind == OfferKind::Direct { OfferKind::OneUser } else { kind };
        let follows = self.rung == Rung::Themselves && matches!(kind, OfferKind::Direct | OfferKind::OneUser);
        // Remembered from the question on, so that a fault of ours gives back what he answers.
        self.devices.insert(user.clone(), Vec::new());
        match self.snapshot.users.get(&user) {
            Some(handle) => {
                let (reply, taken, take) =
                    (ctx.address().recipient(), ctx.address().recipient(), ctx.address().recipient());
                let device = self.back_to.get(&user).cloned();
                let (call, caller) = (self.id.clone(), self.dial_back());
                let wrap_up = self.wrap_up_of(&user);
                post(&handle.offer, OfferCall { call, kind, follows, caller, device, wrap_up, reply, taken, take });
            }
            None => self.feed(Input::UserOffers { user, offer: Err(Cause::of(404)) }, ctx),
        }
    }

    /// Whether a user does not want the caller's calls. Whom a colleague hands on he does not send away.
    fn is_blocked_by(&self, user: &UserId) -> bool {
        let source = match (&self.begin.caller_user, &self.begin.caller_gateway) {
            (Some(user), _) => Source::User(user.clone()),
            (None, Some(gateway)) => Source::Gateway(gateway.clone()),
            (None, None) => return false,
        };
        let Ok(called) = Dialled::new(&self.begin.called) else { return false };
        let asked = Inquiry::new(&source, &called, self.env.clock.wall()).by(self.begin.caller.as_str());
        self.referred_by.is_none() && self.office.blocks(user, &asked)
    }

    /// What whoever is rung dials to call the caller back; nothing when the caller hides, or has handed the call on.
    pub(super) fn dial_back(&self) -> Option<Dialled> {
        if self.hides || self.call.anchor() != LegId::CALLER {
            return None;
        }
        let number = Dialled::new(&self.begin.caller).ok()?;
        Some(match &self.begin.caller_gateway {
            Some(gateway) => self.office.dial_back(gateway, number),
            None => number,
        })
    }

    fn claim(&mut self, user: &UserId, leg: LegId, ctx: &mut Context<Self>) {
        match self.snapshot.users.get(user) {
            Some(handle) => {
                post(&handle.claim, ClaimSlot { call: self.id.clone(), leg, reply: ctx.address().recipient() });
            }
            None => self.feed(Input::Claimed { leg, granted: false }, ctx),
        }
    }

    fn use_slot(&self, user: &UserId, change: UseSlot) {
        if let Some(handle) = self.snapshot.users.get(user) {
            post(&handle.slot, change);
        }
    }

    // ---- legs -----------------------------------------------------------------------------------------------

    fn make_leg(&mut self, leg: LegId, party: Party, device: usize, ctx: &mut Context<Self>) {
        let made = match party {
            Party::User(user) => {
                let found = self.devices.get(&user).and_then(|devices| devices.get(device)).cloned();
                let number = self.office.user(&user).map(|user| user.number.as_str().to_owned());
                match (found, number) {
                    (Some(device), Some(number)) => self.call_device(leg, device, &number, ctx.address().recipient()),
                    (None, _) | (_, None) => Err(Cause::of(480)),
                }
            }
            Party::Outside { ways, .. } => self.ask_gateway(leg, ways, ctx),
            Party::Address(address) => self.call_address(leg, &address, ctx),
        };
        if let Err(cause) = made {
            self.feed(Input::LegNotMade { leg, cause }, ctx);
        }
    }

    pub(super) fn call_device(
        &mut self,
        leg: LegId,
        device: Device,
        number: &str,
        call: Recipient<LegEvent>,
    ) -> Result<(), Cause> {
        let uri = RequestUri::parse(&device.contact).map_err(|_| Cause::of(480))?;
        let (flow, routes) = (device.flow, device.path.clone());
        let to = format!("<sip:{number}@{}>", self.office.realm());
        let user = self.office.find_user(number);
        let (from, reliable) = (self.anchor_address(), user.is_some_and(|user| user.reliable));
        let rules = user.map(|user| user.media).unwrap_or_default();
        let mut headers = crate::diversion::shown(&self.office, self.call.forwards(leg));
        headers.extend(self.referred_by.iter().map(|by| ("Referred-By".to_owned(), by.clone())));
        if self.rung == Rung::Intercom {
            headers.extend(crate::convert::answer_by_itself(self.office.realm()));
        }
        // What a device registered over is what it is called over, however long the INVITE is.
        let (login, larger) = (None, None);
        let answer_by = (!device.others.is_empty()).then(|| self.env.clock.now() + FLOW_ANSWERS_WITHIN);
        let (next_hop, early_sound) = (NextHop::Source, EarlySound::Described);
        let browser = crate::convert::is_browser(self.office.find_user(number), flow);
        let dial = Dial {
            uri,
            to,
            flow,
            larger,
            next_hop,
            routes,
            from,
            headers,
            login,
            answer_by,
            reliable,
            browser,
            need: if self.begin.call_back { Need::Help } else { Need::Usual },
            early_sound,
            bounds: None,
            rules,
        };
        self.start_leg(leg, dial, call)?;
        self.ringing.insert(leg, device);
        Ok(())
    }

    pub(super) fn start_leg(&mut self, leg: LegId, dial: Dial, call: Recipient<LegEvent>) -> Result<(), Cause> {
        let flow = dial.flow;
        // Each who has sent the call on is a hop.
        let hops = u8::try_from(self.call.forwards(leg).len()).unwrap_or(u8::MAX);
        let max_forwards = self.max_forwards.checked_sub(hops).ok_or_else(|| Cause::of(483))?;
        let media = self.env.open_media(self.media_shard, flow, dial.browser, dial.need);
        let (media, mut description) = media.map_err(|error| self.no_media(leg, &error))?;
        let owner = self.owners.next();
        if !dial.browser {
            let terms = crate::media::terms(&self.env, dial.rules, flow);
            description = crate::media::with_keys(&self.env, description, terms);
        }
        if let Some(keys) = crate::media::keys(dial.rules, media.leg) {
            self.to_media(keys);
        }
        // What the caller speaks already comes first, so that nothing must be transcoded.
        let spoken = self.legs.get(&self.call.anchor()).and_then(|anchor| anchor.codec);
        let mut offered: Vec<Codec> = Vec::new();
        // Whom we call ourselves hears a modem, for which nothing else will do.
        let others: &[Codec] = if matches!(self.errand, Some(Errand::Fax(_))) { &[] } else { &Codec::ALL };
        for codec in spoken.into_iter().chain(self.codecs.iter().copied()).chain(others.iter().copied()) {
            if !offered.contains(&codec) {
                offered.push(codec);
            }
        }
        let sdp = description.make_offer(&offered, plugboard_media::Flow::SendRecv);
        let spec = OutgoingSpec {
            flow,
            next_hop: dial.next_hop,
            uri: dial.uri,
            from: dial.from,
            to: dial.to,
            call_id: self.owners.call_id(&*self.env.random),
            routes: dial.routes,
            sdp: sdp.into(),
            headers: dial.headers,
            max_forwards,
            login: dial.login,
            answer_by: dial.answer_by,
            reliable: dial.reliable,
        };
        let local = Local { larger: dial.larger, ..self.owners.local(owner, flow, &*self.env.random) };
        let adopted_call_id = spec.call_id.clone();
        let session = Session::outgoing(local, spec);
        let links = LegLinks { layer: self.links.layer.clone(), forget: self.links.forget.clone(), call };
        post(&self.links.watch, WatchMedia { media: media.leg, call: self.id.clone(), leg });
        let (early_sound, bounds, need) = (dial.early_sound, dial.bounds, dial.need);
        let new = NewLeg { leg, owner, session, media, description, offer: None, early_sound, bounds, need };
        let handle = LegActor::begin(
            self.env.clone(),
            links,
            new,
            &self.links.adopt,
            Adoption { call: self.id.clone(), sip_call_id: adopted_call_id, began: self.origin },
        );
        self.qualities.opened(media.leg);
        self.legs.insert(
            leg,
            LegHandle { order: Order::Leg(handle), outside: None, media: media.leg, codec: None, relay: None },
        );
        plugboard_metrics::LegBegan { call: &self.id, leg }.emit(&self.env.metrics);
        Ok(())
    }

    fn no_media(&self, leg: LegId, error: &OpenError) -> Cause {
        crate::shard::count_open_error(error, &self.id, leg, &self.env.metrics);
        Cause { status: 503, text: "No media port is free".into() }
    }

    /// From of every other leg: whom the call is about, as the office knows him.
    fn anchor_address(&self) -> String {
        self.shown(self.call.anchor()).address
    }

    /// A leg that a gateway has not let in yet has nothing to end.
    fn stop_leg(&mut self, leg: LegId, command: LegCommand, ctx: &mut Context<Self>) {
        if let Some(joint) = self.remove_joint(leg) {
            joint.order(&self.id, command);
            return self.feed(Input::LegEnded { leg, cause: Cause::normal() }, ctx);
        }
        if self.legs.contains_key(&leg) {
            return self.order(leg, command);
        }
        if self.admissions.remove(&leg).is_some() || self.places.forget(leg) {
            self.feed(Input::LegEnded { leg, cause: Cause::of(487) }, ctx);
        }
    }

    /// A leg is over: what it held is given back.
    pub(super) fn leg_left(&mut self, leg: LegId, cause: &Cause) {
        self.lamp_off(leg);
        if self.remove_joint(leg).is_some() {
            return;
        }
        self.ringing.remove(&leg);
        self.places.forget(leg);
        let Some(handle) = self.legs.remove(&leg) else { return };
        plugboard_metrics::LegEnded { call: &self.id, leg, cause }.emit(&self.env.metrics);
        if let Some(outside) = handle.outside {
            self.outside_left(&outside, cause);
        }
    }

    // ---- ears ----------------------------------------------------------------------------------------------

    fn play(
        &mut self,
        to: LegId,
        play: PlayId,
        asked: &Audio,
        max: Option<Duration>,
        repeat: bool,
        ctx: &mut Context<Self>,
    ) {
        let found = match asked {
            Audio::Prompt(name) => self.env.prompts.find(&self.office.id, name, &self.office.language, false),
            Audio::Music(name) => self.env.prompts.find(&self.office.id, name, &self.office.language, true),
            Audio::Tone(tone) => Ok(self.tone(*tone)),
            Audio::Speech(words) => {
                return self.speak(to, play, words, PlayOptions { max, repeat, ..PlayOptions::default() }, ctx);
            }
            Audio::Tape(file) => {
                return self.read_tape(to, play, file, PlayOptions { max, repeat, ..PlayOptions::default() }, ctx);
            }
        };
        let repeat = repeat || matches!(asked, Audio::Music(_)) || is_steady(asked);
        let yields = matches!(asked, Audio::Tone(Tone::RingBack));
        self.play_found(to, play, found, PlayOptions { max, repeat, yields, aside: yields }, ctx);
    }

    /// Plays what was found to a leg, or tells why nothing is heard.
    pub(super) fn play_found(
        &mut self,
        to: LegId,
        play: PlayId,
        found: Result<plugboard_media::Audio, String>,
        options: PlayOptions,
        ctx: &mut Context<Self>,
    ) {
        match (found, self.media_of(to)) {
            (Ok(audio), Some(leg)) => {
                let command = MediaCommand::Play { leg, id: self.play_id(to, play), audio, options };
                if let Err(error) = self.env.media.hold(command) {
                    tracing::warn!(call_id = %self.id, %error, "a prompt was not played");
                    self.feed(Input::PlayEnded { play, finish: PlayFinish::NotPlayable(error.to_string()) }, ctx);
                }
            }
            (Err(reason), _) => {
                tracing::warn!(call_id = %self.id, reason, "nothing to play");
                self.feed(Input::PlayEnded { play, finish: PlayFinish::NotPlayable(reason) }, ctx);
            }
            (Ok(_), None) => {
                let reason = "the leg has no media".to_owned();
                self.feed(Input::PlayEnded { play, finish: PlayFinish::NotPlayable(reason) }, ctx);
            }
        }
    }

    /// Those who are on hold hear nothing of the one who holds.
    fn hold_music(&self, to: LegId, play: PlayId) {
        let Some(leg) = self.media_of(to) else { return };
        let options = PlayOptions { repeat: true, aside: true, ..PlayOptions::default() };
        self.to_media(MediaCommand::Play { leg, id: self.play_id(to, play), audio: self.music_on_hold(), options });
    }

    /// What the office has for those who wait; without music, silence.
    pub(super) fn music_on_hold(&self) -> plugboard_media::Audio {
        let music = self.office.hold_music.as_ref().and_then(|name| {
            let found = self.env.prompts.find(&self.office.id, name.as_str(), &self.office.language, true);
            found.inspect_err(|reason| tracing::warn!(call_id = %self.id, reason, "no music on hold")).ok()
        });
        music.unwrap_or_else(plugboard_media::Audio::silence)
    }

    pub(super) fn tone(&self, tone: Tone) -> plugboard_media::Audio {
        crate::convert::tone(&self.office.country, tone)
    }

    pub(super) fn media_input(&mut self, leg: LegId, event: MediaEvent, ctx: &mut Context<Self>) -> Option<Input> {
        match event {
            MediaEvent::BrowserGone { .. } => {
                self.hold_browser(leg, ctx);
                None
            }
            MediaEvent::BrowserBack { .. } => {
                if let Some(end) = self.gone.remove(&leg) {
                    ctx.cancel_future(end);
                }
                None
            }
            MediaEvent::Digit { digit, .. } if self.supervisor_presses(leg, digit) => None,
            MediaEvent::Digit { digit, .. } => Some(Input::Digit { leg, digit }),
            MediaEvent::PlayEnded { id, end, .. } => {
                let play = PlayId(u32::try_from(id.0).ok()?);
                let finish = match end {
                    PlayEnd::Finished => PlayFinish::Finished,
                    PlayEnd::TimeOver => PlayFinish::TimeOver,
                    PlayEnd::NotPlayable(reason) => PlayFinish::NotPlayable(reason),
                    PlayEnd::Stopped => return None,
                };
                Some(Input::PlayEnded { play, finish })
            }
            MediaEvent::KeyToSignal { key, duration, .. } => {
                self.order(leg, LegCommand::SendDigit { digit: key, duration });
                None
            }
            MediaEvent::Secured { suite, .. } => {
                self.encrypted(leg, Some(crate::media::shaken(suite)));
                None
            }
            MediaEvent::NotSecured { why, .. } => {
                self.not_secured(leg, why);
                None
            }
            MediaEvent::FaxHeard { .. } => self.fax_heard(leg, ctx),
            MediaEvent::FaxOver { .. } => self.fax_over(ctx),
            MediaEvent::MediaSilent { heard, .. } => {
                self.qualities.fell_silent(leg);
                Some(Input::LegSilent { leg, heard })
            }
            MediaEvent::MediaBack { .. } => {
                self.qualities.heard(leg);
                Some(Input::LegHeard(leg))
            }
            MediaEvent::Closed { stats, leg: media } => {
                self.media_closed(leg, media, &stats);
                None
            }
            MediaEvent::SourceLearned { .. } | MediaEvent::Stats { .. } | MediaEvent::Traffic(_) => None,
            MediaEvent::Failed { .. } => {
                tracing::error!(call_id = %self.id, leg_id = %leg, "a fault ended a leg's media");
                self.order(leg, LegCommand::GiveUp(Cause { status: 500, text: "A fault ended its media".into() }));
                None
            }
        }
    }

    pub(super) fn count_silence(&self, output: &Output) {
        let Output::Journal(event) = output else { return };
        let (leg, silence) = if let JournalEvent::FellSilent { leg } = event {
            (*leg, MediaSilence::Asked)
        } else if let JournalEvent::NotHeard { leg } = event {
            (*leg, MediaSilence::OneWay)
        } else if let JournalEvent::LegEnded { leg, cause } = event
            && *cause == Cause::silent()
        {
            (*leg, MediaSilence::Ended)
        } else {
            return;
        };
        plugboard_metrics::MediaFellSilent { call: &self.id, leg, silence }.emit(&self.env.metrics);
    }

    /// A browser that is gone has a while to come back, or its page to take the call back by Replaces.
    fn hold_browser(&mut self, leg: LegId, ctx: &mut Context<Self>) {
        tracing::info!(call_id = %self.id, leg_id = %leg, "a browser is gone; its leg is held for a while");
        let end = ctx.run_later(BROWSER_HELD, move |call, _| {
            if call.gone.remove(&leg).is_some() {
                call.order(leg, LegCommand::End(Cause { status: 408, text: "The browser did not come back".into() }));
            }
        });
        if let Some(before) = self.gone.insert(leg, end) {
            ctx.cancel_future(before);
        }
    }

    // ---- the end --------------------------------------------------------------------------------------------

    fn ended(&mut self, mut record: CallRecord) {
        self.supervision_over();
        record.steps = self.journal.steps();
        self.tell_encryption(&mut record);
        let after = self.now().since(plugboard_model::Time::ZERO);
        plugboard_metrics::CallEnded { call: &self.id, direction: record.direction, outcome: &record.outcome, after }
            .emit(&self.env.metrics);
        self.channel = None;
        self.afterwards = Some((Box::new(record), self.now() + AFTERWARDS_MAX));
        self.record_by = Some(self.now() + super::quality::TOLD_WITHIN);
    }

    /// Whether no step of the scenario is left that goes on after the call.
    pub(super) fn nothing_runs(&self) -> bool {
        self.scripts.are_closed()
    }

    /// The last that the call does. The steps on its hanging up are added to its record.
    pub(super) fn leave(&mut self) {
        for run in std::mem::take(&mut self.runs).into_keys() {
            self.env.plugins.cancel(self.run_key(run));
        }
        for run in self.components.keys() {
            self.count_run(*run, &RunEnd::Cancelled, RunUsage::default());
        }
        self.journal.end_runs(self.now());
        self.journal.flush();
        if let Some((mut record, _)) = self.afterwards.take() {
            let steps = self.journal.steps();
            if self.record_by.take().is_some() || record.steps != steps {
                self.qualities.fill(&mut record);
                record.steps = steps;
                self.write_record(&record);
            }
        }
        self.unwatch_media();
        self.over = true;
        post(&self.links.over, CallOver(self.id.clone()));
    }

    pub(super) fn write_record(&self, record: &CallRecord) {
        if let Err(error) = self.env.store.calls().put_record(record, None) {
            tracing::error!(call_id = %self.id, %error, "a call's record could not be written");
        }
        crate::logged::call(&self.snapshot, &self.office, record);
    }

    /// The record of a call that a fault of ours ended, and the end of its journal.
    pub(super) fn write_failed_record(&mut self) {
        let began = self.begin.wall;
        self.journal.end_runs(self.now());
        let outcome = self.journal.outcome().unwrap_or_else(|| {
            let failed = CallOutcome::Failed(Cause::of(500));
            self.journal.note(self.now(), JournalEvent::Ended { outcome: failed.clone() });
            failed
        });
        self.journal.flush();
        let record = CallRecord {
            id: self.id.clone(),
            direction: self.begin.direction,
            caller: self.begin.caller.clone(),
            caller_name: self.begin.caller_name.clone(),
            caller_user: self.begin.caller_user.clone(),
            called: self.begin.called.clone(),
            route: self.begin.route.clone(),
            scenario: self.begin.scenario.clone(),
            began,
            answered: None,
            answered_by: None,
            ended: WallTime(began.0.saturating_add(i64::try_from(self.now().as_millis()).unwrap_or(0))),
            outcome: outcome.clone(),
            legs: Vec::new(),
            steps: Vec::new(),
        };
        self.write_record(&record);
        let after = self.now().since(plugboard_model::Time::ZERO);
        plugboard_metrics::CallEnded { call: &self.id, direction: record.direction, outcome: &outcome, after }
            .emit(&self.env.metrics);
    }

    pub(super) fn release_everything(&mut self) {
        self.supervision_over();
        let rung = self.devices.keys().chain(self.begin.caller_user.iter());
        for user in rung {
            self.use_slot(user, UseSlot::Release(self.id.clone()));
        }
    }

    // ---- what metrics see -----------------------------------------------------------------------

    pub(super) fn count_host_call(&self, run: RunId, call: &HostCall) {
        plugboard_metrics::PluginCalledHost { call: &self.id, run, host_call: call }.emit(&self.env.metrics);
    }

    pub(super) fn count_put_away(&self, run: RunId, _n: u32) {
        plugboard_metrics::PluginPutAway { call: &self.id, run }.emit(&self.env.metrics);
    }

    pub(super) fn count_run(&self, run: RunId, end: &RunEnd, usage: RunUsage) {
        let (outcome, reason) = match end {
            RunEnd::Outcome(_) => (RunOutcome::Finished, None),
            RunEnd::Failed(reason) => (RunOutcome::Failed, Some(reason.as_str())),
            RunEnd::Trapped { reason, .. } => (RunOutcome::Trapped, Some(reason.as_str())),
            RunEnd::Limit { limit, .. } => (RunOutcome::Limit, Some(limit.as_str())),
            RunEnd::Diverged { .. } => (RunOutcome::Diverged, None),
            RunEnd::Cancelled => (RunOutcome::Cancelled, None),
        };
        let Some(installed) = self.components.get(&run) else { return };
        let manifest = installed.manifest();
        let action = self.env.metrics.action(&manifest.name, &manifest.version);
        plugboard_metrics::PluginRunEnded { call: &self.id, run, action: &action, outcome, reason, took: usage.cpu }
            .emit(&self.env.metrics);
    }
}

/// Tones other than a beep sound until they are stopped.
fn is_steady(audio: &Audio) -> bool {
    match audio {
        Audio::Tone(Tone::RingBack | Tone::Busy | Tone::Congestion) => true,
        Audio::Tone(Tone::Beep) | Audio::Prompt(_) | Audio::Music(_) | Audio::Speech(_) | Audio::Tape(_) => false,
    }
}

/// Whom a new leg calls, and what it says.
pub(super) struct Dial {
    pub(super) uri: RequestUri,
    pub(super) to: String,
    pub(super) flow: Flow,
    /// Over what an INVITE goes that is too long for UDP.
    pub(super) larger: Option<Flow>,
    pub(super) next_hop: NextHop,
    /// The proxies on the way.
    pub(super) routes: Vec<String>,
    pub(super) from: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) login: Option<Login>,
    pub(super) answer_by: Option<Time>,
    /// Whether provisional responses that we acknowledge are offered.
    pub(super) reliable: bool,
    /// It is offered what browsers speak.
    pub(super) browser: bool,
    /// As [`NewLeg::early_sound`].
    pub(super) early_sound: EarlySound,
    /// As [`NewLeg::bounds`].
    pub(super) bounds: Option<Bounds>,
    /// What the office says of its media.
    pub(super) rules: MediaRules,
    /// Whether it gets the last ports.
    pub(super) need: Need,
}
