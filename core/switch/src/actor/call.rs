//! A call: its machine, its scenario, and the way to everything they ask for.

pub(crate) use adoption::Adoption;
pub(crate) use fetch::Takes;

mod address;
mod adoption;
mod carry;
mod conference;
mod contacts;
mod database;
mod errand;
mod fax;
mod feature;
mod fetch;
mod flows;
mod history;
mod host;
mod imaging;
mod journal;
mod lamps;
mod notices;
mod ordered;
mod outside;
mod quality;
mod queueing;
mod redirect;
mod scripts;
mod secrecy;
mod sharing;
mod speech;
mod supervision;
mod taping;
mod targets;
mod transfer;
mod voicemail;
mod web;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Recipient};
use plugboard_call::{Begin, Call, Input, Op, Urgency, Way};
use plugboard_media::{Codec, Command as MediaCommand, MediaLeg};
use plugboard_model::{CallId, CallRecord, Cause, GatewayId, LegEncryption, LegId, RouteId, RunId, Time, UserId};
use plugboard_office::{Feature, Office, TollLimit};
use plugboard_plugin::RunEvent;
use plugboard_scenario::{Input as ScriptInput, Interpreter};
use plugboard_sip::event::DialogState;
use plugboard_sip::locate::Target;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::awaited::{Awaited, Phone};
use crate::channels::Channel;
use crate::diversion::Brought;
use crate::env::Env;
use crate::message::{
    Adopt, CallAdmitted, CallOver, Device, DoLeg, EndCall, Errand, Forget, Joint, LegCommand, LegEvent, LegMedia,
    LegNews, RunHappened, SlotClaimed, ToLayer, UnwatchMedia, UserTaken, WatchMedia,
};
use crate::parking::Place;
use crate::post::post;
use crate::shard::Owners;
use crate::snapshot::Snapshot;
use crate::tolls::Pass;
use crate::wake::Wake;

use journal::CallJournal;

/// A call hears of its legs, its media and its runs: a burst is one of a group of 256 that all ring at once.
const CALL_MAILBOX: usize = 1_024;

/// Where a call's outputs go.
#[derive(Clone)]
pub(crate) struct CallLinks {
    pub(crate) layer: Recipient<ToLayer>,
    pub(crate) adopt: Recipient<Adopt>,
    pub(crate) forget: Recipient<Forget>,
    pub(crate) watch: Recipient<WatchMedia>,
    pub(crate) unwatch: Recipient<UnwatchMedia>,
    pub(crate) over: Recipient<CallOver>,
}

/// What a call is made of.
pub(crate) struct NewCall {
    pub(crate) begin: Begin,
    pub(crate) office: Arc<Office>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) owners: Owners,
    /// The media shard of all its legs.
    pub(crate) media_shard: usize,
    /// Where the direct treatment leads, when no scenario runs.
    pub(crate) direct: Option<plugboard_call::Request>,
    pub(crate) script: Option<(Interpreter, RouteId)>,
    /// What the caller dialled a code for.
    pub(crate) feature: Option<Feature>,
    /// Hops that are left for its other legs (RFC 3261 section 16.3).
    pub(crate) max_forwards: u8,
    /// Its caller does not want gateways to show who he is.
    pub(crate) hides: bool,
    /// Its caller has shown that he is who he says, or is a gateway's.
    pub(crate) proven: bool,
    /// Who sent it on before it came.
    pub(crate) brought: Brought,
    /// The channel of the gateway that it came from.
    pub(crate) channel: Option<Channel>,
    /// What the caller offered, best first: called devices are offered the same first, so that nothing is transcoded.
    pub(crate) codecs: Vec<Codec>,
    /// What its caller wants to take.
    pub(crate) takes: Option<Takes>,
    /// Where the caller is reached; a call of our own has none.
    pub(crate) caller_at: Option<Device>,
    /// Who called for help and is called back, when this is that call.
    pub(crate) back_to: Vec<Phone>,
    /// Where those who call for help are waited for.
    pub(crate) awaited: Awaited,
    /// What it is for, when we call somebody ourselves.
    pub(crate) errand: Option<Errand>,
}

/// The way to a leg.
struct LegHandle {
    order: Order,
    /// The gateway that it goes through. Apart: the map has room for eleven legs at once, and few legs have one.
    outside: Option<Box<Outside>>,
    media: MediaLeg,
    codec: Option<Codec>,
    /// Where a media leg of ours hears another media thread: it stands for a call over there.
    relay: Option<std::net::SocketAddr>,
}

/// Whom a leg's commands go to.
enum Order {
    Leg(Recipient<DoLeg>),
    /// The leg stands for another call.
    Joint(Box<Joint>),
}

/// As what people are rung.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Rung {
    /// As themselves: what they have set for their calls applies.
    #[default]
    Themselves,
    /// As members of a group.
    Members,
    /// To speak without picking up.
    Intercom,
}

/// What stands against a way out of the office.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Obstacle {
    /// A limit of ours, and what the caller is told of it.
    Limit(Cause, TollLimit),
    /// The gateway has not said a word.
    Unheard,
}

/// An outside leg that a gateway was asked about.
struct Admission {
    way: Way,
    pass: Option<Pass>,
}

/// A leg's place in a gateway.
struct Outside {
    gateway: GatewayId,
    target: Target,
    urgency: Urgency,
    payer: Option<UserId>,
    /// What it takes of limits.
    pass: Option<Pass>,
    /// It has said that it rings, or more.
    spoke: bool,
    /// Given back with the leg.
    _channel: Channel,
}

/// Runs one [`Call`] and its [`Interpreter`]: feeds them, carries out their outputs. Decides nothing itself.
pub(crate) struct CallActor {
    env: Env,
    links: CallLinks,
    id: CallId,
    office: Arc<Office>,
    snapshot: Arc<Snapshot>,
    owners: Owners,
    media_shard: usize,
    max_forwards: u8,
    codecs: Vec<Codec>,
    origin: Time,
    call: Call,
    scripts: scripts::Scripts,
    begin: Begin,
    direct: Option<plugboard_call::Request>,
    feature: Option<Feature>,
    rung: Rung,
    takes: Option<Takes>,
    /// Where it is parked.
    place: Option<Place>,
    legs: BTreeMap<LegId, LegHandle>,
    /// What each user offered, for the legs that are made of it.
    devices: BTreeMap<UserId, Vec<Device>>,
    /// The devices that legs ring, with the flows that were not tried.
    ringing: BTreeMap<LegId, Device>,
    /// Outside legs that a gateway was asked about.
    admissions: BTreeMap<LegId, Admission>,
    /// Legs to SIP addresses.
    places: address::Places,
    /// Who is asked first to speak as the other does, of two who talk.
    sharing: Option<(LegId, LegId)>,
    /// What stood against its last way out.
    obstacle: Option<Obstacle>,
    /// The addresses of each gateway that were tried for who is rung now.
    tried: BTreeMap<GatewayId, Vec<Target>>,
    hides: bool,
    /// Who pays for whom the scenario calls, where a forward of his led to it.
    payer: Option<UserId>,
    /// Who was believed without a password, since he calls for help.
    unproven: Option<LegId>,
    caller_at: Option<Device>,
    back_to: BTreeMap<UserId, Device>,
    awaited: Awaited,
    /// The front desk knows that somebody in this call calls for help.
    helped: bool,
    brought: Brought,
    /// The channel of the gateway that it came from; given back with the call.
    channel: Option<Channel>,
    /// Runs that have not ended, each with its host call that waits.
    runs: BTreeMap<RunId, Option<u32>>,
    /// What each run was a run of, for the metrics.
    components: BTreeMap<RunId, Arc<plugboard_plugin::Installed>>,
    journal: CallJournal,
    /// How its legs are encrypted.
    encryption: BTreeMap<LegId, LegEncryption>,
    /// The last codec that a called leg agreed on: the caller is answered with the same, so that nothing is transcoded.
    agreed: Option<Codec>,
    joining: transfer::Joining,
    /// The seat that the anchor has in a room.
    seat: Option<conference::Seat>,
    supervision: supervision::Supervision,
    spoken: speech::Awaited,
    /// What scenarios were told last of who talks with the caller.
    told_agent: String,
    taping: taping::Taping,
    at_mailbox: voicemail::AtMailbox,
    queueing: queueing::Queueing,
    strangers: contacts::Strangers,
    faxing: fax::Faxing,
    errand: Option<Errand>,
    imaging: imaging::Imaging,
    lamps: lamps::Lamps,
    /// Who handed on whom the call is about, for those who are rung then (RFC 3892).
    referred_by: Option<String>,
    /// When the legs end whose browsers are gone.
    gone: BTreeMap<LegId, actix::SpawnHandle>,
    wake: Wake,
    /// The call has its record; steps on its hanging up still run, until then.
    afterwards: Option<(Box<CallRecord>, Time)>,
    /// The record waits for what media tells of the legs, until then.
    record_by: Option<Time>,
    qualities: quality::Qualities,
    over: bool,
}

impl CallActor {
    pub(crate) fn new(env: Env, links: CallLinks, new: NewCall) -> Self {
        let NewCall { begin, office, snapshot, owners, media_shard, direct, script, feature, takes, .. } = new;
        let (max_forwards, hides, channel, codecs) = (new.max_forwards, new.hides, new.channel, new.codecs);
        let brought = new.brought;
        let id = begin.id.clone();
        Self {
            journal: CallJournal::new(env.store.calls(), &id),
            origin: env.clock.now(),
            id,
            env,
            links,
            office,
            snapshot,
            owners,
            media_shard,
            max_forwards,
            codecs,
            call: Call::default(),
            scripts: scripts::Scripts::new(script),
            begin,
            direct,
            feature,
            rung: Rung::default(),
            takes,
            place: None,
            legs: BTreeMap::new(),
            devices: BTreeMap::new(),
            ringing: BTreeMap::new(),
            admissions: BTreeMap::new(),
            places: address::Places::default(),
            sharing: None,
            obstacle: None,
            tried: BTreeMap::new(),
            hides,
            payer: None,
            unproven: (!new.proven).then_some(LegId::CALLER),
            caller_at: new.caller_at,
            back_to: new.back_to.into_iter().filter_map(|phone| Some((phone.user, phone.device?))).collect(),
            awaited: new.awaited,
            helped: false,
            brought,
            channel,
            runs: BTreeMap::new(),
            components: BTreeMap::new(),
            agreed: None,
            encryption: BTreeMap::new(),
            joining: transfer::Joining::default(),
            seat: None,
            supervision: supervision::Supervision::default(),
            spoken: speech::Awaited::default(),
            told_agent: String::new(),
            taping: taping::Taping::default(),
            at_mailbox: voicemail::AtMailbox::default(),
            queueing: queueing::Queueing::default(),
            strangers: contacts::Strangers::default(),
            faxing: fax::Faxing::default(),
            errand: new.errand,
            imaging: imaging::Imaging::default(),
            lamps: lamps::Lamps::default(),
            referred_by: None,
            gone: BTreeMap::new(),
            wake: Wake::default(),
            afterwards: None,
            record_by: None,
            qualities: quality::Qualities::default(),
            over: false,
        }
    }

    /// The caller's leg, made by whoever took the INVITE.
    pub(crate) fn with_caller(&mut self, order: Recipient<DoLeg>, media: MediaLeg) {
        self.qualities.opened(media);
        self.legs.insert(
            LegId::CALLER,
            LegHandle { order: Order::Leg(order), outside: None, media, codec: None, relay: None },
        );
    }

    fn now(&self) -> Time {
        Time::ZERO + self.env.clock.now().since(self.origin)
    }

    fn feed(&mut self, input: Input, ctx: &mut Context<Self>) {
        self.call.handle(self.now(), input);
        self.pump(ctx);
    }

    /// Carries out what both machines want until they want nothing more; then sets the timer.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        loop {
            let mut wanted: Vec<_> = std::iter::from_fn(|| self.call.poll_output()).collect();
            let mut scripted = self.scripts.outputs();
            if wanted.is_empty() && scripted.is_empty() {
                break;
            }
            // Written down first: an entry is in the journal before the thing it allows acts.
            let now = self.now();
            for output in &wanted {
                self.count_silence(output);
            }
            if self.at_mailbox.hides_keys() {
                journal::hide_keys(&mut wanted);
            }
            self.journal.note_call(now, &mut wanted);
            self.journal.note_script(now, &mut scripted);
            self.journal.flush();
            for output in wanted {
                let turn = taping::Turn::of(&output);
                self.carry(output, ctx);
                self.tape_follows(turn, ctx);
            }
            for output in scripted {
                self.carry_script(output, ctx);
            }
        }
        self.tape_moves();
        self.listen_for_fax();
        self.write_awaited_record();
        if self.afterwards.is_some() && self.record_by.is_none() && self.nothing_runs() {
            self.leave();
        }
        if !self.call.is_parked() {
            self.place = None;
        }
        if self.over {
            return ctx.stop();
        }
        let until = self.afterwards.as_ref().map(|(_, until)| *until);
        let due = self.record_due().into_iter().chain(self.queue_due());
        let at = self.call.poll_timeout().into_iter().chain(until).chain(due).min();
        let at = at.map(|at| self.origin + at.since(Time::ZERO));
        self.wake.set(ctx, self.env.clock.now(), at, |call, ctx| {
            call.wake.rang();
            if call.afterwards.as_ref().is_some_and(|(_, until)| *until <= call.now()) {
                return call.feed_script(ScriptInput::TimeOver, ctx);
            }
            call.queue_tick(ctx);
            call.feed(Input::Tick, ctx);
        });
    }

    fn order(&self, leg: LegId, command: LegCommand) {
        match self.legs.get(&leg).map(|handle| &handle.order) {
            Some(Order::Leg(order)) => post(order, DoLeg(command)),
            Some(Order::Joint(joint)) => joint.order(&self.id, command),
            None => {}
        }
    }

    fn to_media(&self, command: MediaCommand) {
        if let Err(error) = self.env.media.hold(command) {
            tracing::warn!(call_id = %self.id, %error, "a media command was not taken");
        }
    }

    fn media_of(&self, leg: LegId) -> Option<MediaLeg> {
        self.legs.get(&leg).map(|handle| handle.media)
    }
}

impl Actor for CallActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(CALL_MAILBOX);
        if let Some(channel) = self.channel.as_ref().filter(|_| !self.begin.call_back) {
            channel.is_of(ctx.address().recipient());
        }
        plugboard_metrics::CallBegan { call: &self.id, caller: &self.begin.caller, called: &self.begin.called }
            .emit(&self.env.metrics);
        self.feed(Input::Begin(Box::new(self.begin.clone())), ctx);
        self.lamp(LegId::CALLER, DialogState::Trying);
        if let Some(takes) = self.takes.take() {
            self.take_what_is_elsewhere(takes, ctx);
        }
        if let Some(request) = self.direct.take() {
            let op = if self.errand.is_some() { Op::Errand } else { Op::Direct };
            self.feed(Input::Request { op, request }, ctx);
        }
        if let Some(feature) = self.feature.take() {
            self.run_feature(feature, ctx);
        }
        self.start_script(ctx);
    }
}

impl Drop for CallActor {
    /// A panic ends this call alone: its legs are hung up, its record is written, its shard forgets it.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if self.afterwards.is_some() {
            return self.leave();
        }
        let fault = Cause::of(500);
        for leg in self.legs.keys().copied().collect::<Vec<_>>() {
            self.order(leg, LegCommand::End(fault.clone()));
            self.leg_left(leg, &fault);
        }
        for run in self.runs.keys() {
            self.env.plugins.cancel(self.run_key(*run));
        }
        self.release_everything();
        self.write_failed_record();
        post(&self.links.over, CallOver(self.id.clone()));
    }
}

impl Handler<LegEvent> for CallActor {
    type Result = ();

    fn handle(&mut self, happened: LegEvent, ctx: &mut Self::Context) {
        let LegEvent { leg, event } = happened;
        self.note_speech(leg, &event);
        let answered = matches!(event, LegNews::Answered { .. });
        let input = match event {
            LegNews::Dialog(dialog) => return self.lamp_dialog(leg, dialog),
            LegNews::Rang => {
                self.lamp(leg, DialogState::Early);
                Input::LegRang(leg)
            }
            LegNews::EarlyMedia { codec, rings } => {
                self.lamp(leg, DialogState::Early);
                self.agreed = Some(codec);
                Input::LegEarlyMedia { leg, rings }
            }
            LegNews::EarlySilence => Input::LegEarlySilence(leg),
            LegNews::Answered { codec } => {
                self.agreed = Some(codec);
                // The search is over; who is rung later, for a call that is handed on, may be behind any of them.
                self.tried.clear();
                if let Some(handle) = self.legs.get_mut(&leg) {
                    handle.codec = Some(codec);
                }
                Input::LegAnswered(leg)
            }
            LegNews::Ended(cause) => {
                if self.calls_at_another_place(leg, &cause, ctx) {
                    return;
                }
                self.fax_left(leg, ctx);
                self.image_left(leg);
                self.leg_left(leg, &cause);
                Input::LegEnded { leg, cause }
            }
            LegNews::FlowLost => return self.flow_lost(leg),
            LegNews::FlowFailed(cause) => {
                if self.calls_over_another_flow(leg, &cause, ctx) || self.calls_at_another_place(leg, &cause, ctx) {
                    return;
                }
                self.leg_left(leg, &cause);
                Input::LegEnded { leg, cause }
            }
            LegNews::Redirected { cause, contacts } => self.redirected(leg, cause, &contacts),
            LegNews::ImageOffered(terms) => return self.image_offered(leg, terms),
            LegNews::ImageAnswered(answer) => return self.image_answered(leg, answer),
            LegNews::ImageOver => return self.image_over(leg),
            LegNews::ImageWithdrawn => return self.image_withdrawn(leg),
            LegNews::Speaks(codec) => return self.speaks(leg, codec, ctx),
            LegNews::Encrypted(how) => return self.encrypted(leg, how),
            LegNews::Lives => Input::LegLives(leg),
            LegNews::Holds(on) => Input::LegHolds { leg, on },
            LegNews::Refers { target } => return self.referred(leg, &target, ctx),
            LegNews::JoinAsked(ask) => return self.join_asked(leg, *ask, ctx),
            LegNews::Digit { digit, duration } => {
                // It comes back as one of media: told once, and passed on to whom the leg talks to.
                if let Some(media) = self.media_of(leg) {
                    self.to_media(MediaCommand::KeyPressed { leg: media, key: digit, duration });
                }
                return;
            }
        };
        self.feed(input, ctx);
        if answered {
            self.watch_toll(leg, ctx);
            self.keep_toll(leg, ctx);
        }
    }
}

impl Handler<LegMedia> for CallActor {
    type Result = ();

    fn handle(&mut self, happened: LegMedia, ctx: &mut Self::Context) {
        let input = self.media_input(happened.leg, happened.event, ctx);
        let key = if let Some(Input::Digit { leg, digit }) = &input { Some((*leg, *digit)) } else { None };
        match input {
            Some(input) => self.feed(input, ctx),
            None => self.pump(ctx),
        }
        if let Some((leg, key)) = key {
            self.note_key(leg, key, ctx);
        }
    }
}

impl Handler<RunHappened> for CallActor {
    type Result = ();

    fn handle(&mut self, happened: RunHappened, ctx: &mut Self::Context) {
        for event in happened.events {
            match event {
                RunEvent::Journal { event, .. } => {
                    self.count_run_event(&event);
                    self.note_reached(&event);
                    self.journal.note(self.now(), event);
                }
                RunEvent::HostCall { key, n, call } => {
                    self.journal.flush();
                    // One that was cancelled while it asked gets no answer, and nothing is done for it.
                    let Some(waiting) = self.runs.get_mut(&key.run) else { continue };
                    *waiting = Some(n);
                    self.host_call(Op::Run { run: key.run, n }, call, ctx);
                    self.pump(ctx);
                }
                RunEvent::Ended { key, end, usage } => {
                    self.journal.flush();
                    self.run_ended(key.run, end, usage, ctx);
                }
            }
        }
    }
}

impl Handler<UserTaken> for CallActor {
    type Result = ();

    fn handle(&mut self, taken: UserTaken, ctx: &mut Self::Context) {
        self.feed(Input::UserTaken(taken.0), ctx);
    }
}

impl Handler<SlotClaimed> for CallActor {
    type Result = ();

    fn handle(&mut self, claimed: SlotClaimed, ctx: &mut Self::Context) {
        self.feed(Input::Claimed { leg: claimed.leg, granted: claimed.granted }, ctx);
    }
}

impl Handler<CallAdmitted> for CallActor {
    type Result = ();

    fn handle(&mut self, answer: CallAdmitted, ctx: &mut Self::Context) {
        // One that was stopped meanwhile gives its channel back.
        let Some(admission) = self.admissions.remove(&answer.leg) else { return };
        let made = answer.admitted.and_then(|place| self.call_outside(answer.leg, admission, place, ctx));
        if let Err(cause) = made {
            self.feed(Input::LegNotMade { leg: answer.leg, cause }, ctx);
        }
    }
}

impl Handler<EndCall> for CallActor {
    type Result = ();

    fn handle(&mut self, end: EndCall, ctx: &mut Self::Context) {
        if self.afterwards.is_some() {
            return self.feed_script(ScriptInput::TimeOver, ctx);
        }
        self.feed(Input::HangUp(end.0), ctx);
    }
}

/// What a call that was rung too long in one piece would take: named here for the machine's requests.
pub(crate) const DIRECT_RING: Duration = Duration::from_secs(60);
