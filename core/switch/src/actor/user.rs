//! A user: his devices, his status, his call slot, and what others may know of it.

pub(crate) mod keys;
mod showing;
mod waking;

use waking::Waking;

use actix::{Actor, Context, Handler, MessageResult, Recipient};
use plugboard_call::OfferedDevices;
use plugboard_call::queue::UserTells;
use plugboard_metrics::{RegistrationAnswered, RegistrationOutcome, RegistrationsHeld};
use plugboard_model::{CallId, Cause, Dialled, ForwardWhen, ForwardWhy, Name, Time, UserStatus, WallTime};
use plugboard_office::{
    Availability, Claim, KeptSettings, OfferKind, Offered, Output as Asked, SettingsChange, SettingsFault, Unavailable,
    User, UserSettings,
};
use plugboard_sip::event::{FeatureWish, LIMITS};
use plugboard_sip::registrar::{Binding, Bindings, Change, Terms};
use plugboard_sip::transaction::Input as LayerInput;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::directory::Presence;
use crate::env::Env;
use crate::guesses::SharedGuesses;
use crate::message::{
    ChangeSettings, ClaimSlot, Device, GetLastCaller, GetUserState, LastCaller, LoseFlow, NotOffered, OfferCall,
    PressKey, Publish, PushGone, Register, RegisteredContact, SettingsChanged, ShowTo, SlotClaimed, TakeRinging,
    ToLayer, UseLamp, UseQueue, UseSlot, UseUser, UserOffered, UserState, UserTaken,
};
use crate::moves::Moves;
use crate::post::post;
use crate::wake::Wake;

use showing::Showing;

/// A person's calls and registrations; 256 is a group that is rung by 200 calls at once.
const USER_MAILBOX: usize = 256;
/// Tells a browser that registers of the TURN server: of our own making, since SIP knows no such header.
const TURN_HEADER: &str = "Plugboard-Turn";

/// What was kept of a user.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) settings: Option<KeptSettings>,
    pub(crate) last_caller: Option<Dialled>,
}

/// Runs one user's [`Availability`] and [`Bindings`].
pub(crate) struct UserActor {
    env: Env,
    user: Arc<User>,
    /// What he has set; his status is the availability's as well.
    settings: UserSettings,
    /// The same as it is stored.
    stored: KeptSettings,
    availability: Availability,
    bindings: Bindings,
    /// Told from where his devices are registered.
    guesses: SharedGuesses,
    presence: Arc<Presence>,
    /// Told when one comes back over another connection.
    moves: Moves,
    /// Told since when he is free, and what it was told last.
    queue: Recipient<UseQueue>,
    free: Option<Time>,
    told: Option<(Option<Time>, BTreeSet<Name>)>,
    /// Calls that he writes up when they are over.
    wrap_ups: BTreeMap<CallId, Duration>,
    /// Whom he calls back.
    last_caller: Option<Dialled>,
    /// The calls that ring him.
    ringing: BTreeMap<CallId, (Recipient<UserTaken>, Recipient<TakeRinging>)>,
    /// The calls that wait for devices to wake up.
    waking: Waking,
    /// Contacts, as the metrics were told last.
    registered: usize,
    showing: Showing,
    wake: Wake,
}

impl UserActor {
    pub(crate) fn new(
        env: Env,
        user: Arc<User>,
        (bindings, kept): (Bindings, Known),
        (guesses, moves, queue): (SharedGuesses, Moves, Recipient<UseQueue>),
        presence: Arc<Presence>,
    ) -> Self {
        let as_written = || KeptSettings { written: user.settings.clone(), now: user.settings.clone() };
        let stored = kept.settings.unwrap_or_else(as_written);
        let settings = stored.under(&user.settings);
        let mut made = Self {
            availability: Availability::new(settings.status, user.calls_at_once),
            env,
            user,
            settings,
            stored,
            bindings,
            guesses,
            presence,
            moves,
            queue,
            free: None,
            told: None,
            wrap_ups: BTreeMap::new(),
            last_caller: kept.last_caller,
            ringing: BTreeMap::new(),
            waking: Waking::default(),
            registered: 0,
            showing: Showing::default(),
            wake: Wake::default(),
        };
        made.settings_changed();
        made
    }

    /// His answer to an offer: his devices, those of them that have to be woken, or the cause that tells the caller why
    /// not.
    fn offer(
        &mut self,
        call: &CallId,
        kind: OfferKind,
        follows: bool,
        besides: Option<Device>,
    ) -> Result<(OfferedDevices, Vec<Device>, Vec<Binding>), NotOffered> {
        self.bindings.expire(self.env.clock.now());
        let forward = follows.then_some(&self.settings.forward);
        let goes = |when, why| {
            forward.and_then(|forward| forward.to(when)).map(|to| NotOffered::Forwards { why, to: to.clone() })
        };
        if let Some(always) = goes(ForwardWhen::Always, ForwardWhy::Unconditional) {
            return Err(always);
        }
        match self.availability.offer(call, kind) {
            Offered::Ring => {}
            Offered::Refused(why) => {
                let elsewhere = forwarded_when(why).and_then(|(when, why)| goes(when, why));
                return Err(elsewhere.unwrap_or_else(|| NotOffered::Refused(cause_of(why))));
            }
        }
        if kind == OfferKind::Phone {
            let nothing = OfferedDevices {
                devices: Vec::new(),
                ring_for: None,
                waking: false,
                forwards: plugboard_call::OwnForwards::default(),
            };
            return Ok((nothing, Vec::new(), Vec::new()));
        }
        let (asleep, awake): (Vec<&Binding>, Vec<&Binding>) =
            self.bindings.devices(self.env.clock.now()).into_iter().partition(|binding| binding.sleeps());
        let asleep: Vec<Binding> = asleep.into_iter().cloned().collect();
        let now = self.env.clock.now();
        let with_flows = |binding: &Binding| {
            let others = self.bindings.other_flows(now, binding).into_iter().map(device).collect();
            Device { others, ..device(binding) }
        };
        let mut devices: Vec<Device> = awake.into_iter().map(with_flows).collect();
        devices.extend(besides.filter(|besides| devices.iter().all(|device| device.contact != besides.contact)));
        if devices.is_empty() && asleep.is_empty() {
            self.availability.release(call);
            let nobody = Cause { status: 480, text: "No device is registered".into() };
            let elsewhere = goes(ForwardWhen::Unreachable, ForwardWhy::Unavailable);
            return Err(elsewhere.unwrap_or(NotOffered::Refused(nobody)));
        }
        let words = devices.iter().map(|device| device.contact.clone()).collect();
        let ring_for = matches!(kind, OfferKind::Direct).then_some(self.user.ring_for);
        let forwards = plugboard_call::OwnForwards::default();
        let words = OfferedDevices { devices: words, ring_for, waking: !asleep.is_empty(), forwards };
        Ok((words, devices, asleep))
    }

    /// Other calls that ring him stop when one takes him.
    fn drain(&mut self) {
        while let Some(asked) = self.availability.poll_output() {
            match asked {
                Asked::StopRinging(call) => {
                    self.waking.forget(&call);
                    if let Some((call, _)) = self.ringing.remove(&call) {
                        post(&call, UserTaken(self.user.id.clone()));
                    }
                }
                // Found by comparing, with what else there is to be seen of him.
                Asked::Changed => {}
            }
        }
        self.show();
    }

    /// Saves the devices and sets the timer for the next that expires.
    fn bindings_changed(&mut self, ctx: &mut Context<Self>) {
        let now = self.env.clock.now();
        let saved = self.bindings.save(now, self.env.clock.wall());
        if let Err(error) = crate::convert::save_bindings(&self.env.store, &self.user.id, &saved) {
            tracing::error!(user = %self.user.id, %error, "registrations could not be kept");
        }
        self.set_timer(ctx);
    }

    fn set_timer(&mut self, ctx: &mut Context<Self>) {
        self.show();
        self.count(self.bindings.len());
        let now = self.env.clock.now();
        let from = self.bindings.live(now).into_iter().map(|binding| binding.flow.remote);
        self.guesses.lock().registered(&self.user.id, from);
        let others = self.showing.publications.next_expiry().into_iter().chain(self.wraps_up_until());
        let next = self.bindings.next_expiry().into_iter().chain(others).min();
        self.wake.set(ctx, now, next, |user, ctx| {
            user.wake.rang();
            user.showing.publications.expire(user.env.clock.now());
            if user.wraps_up_until().is_some_and(|until| until <= user.env.clock.now()) {
                user.change(vec![SettingsChange::WrapUpOver]);
            }
            if user.bindings.expire(user.env.clock.now()).is_empty() {
                user.set_timer(ctx);
            } else {
                user.bindings_changed(ctx);
            }
        });
    }

    fn count(&mut self, now: usize) {
        let before = std::mem::replace(&mut self.registered, now);
        if before != now {
            RegistrationsHeld { before, now }.emit(&self.env.metrics);
        }
    }

    /// Shows everybody how he is now.
    fn show(&mut self) {
        self.presence.show(self.availability.status(), !self.bindings.is_empty(), self.availability.taken());
        let (now, reachable) = (self.env.clock.now(), !self.bindings.is_empty());
        self.tell_queue(now, reachable && self.availability.is_free());
        self.showing.tell(now, &self.user.id, &self.settings, reachable);
    }

    /// Tells since when a scenario could have him, where that is new.
    fn tell_queue(&mut self, now: Time, is_free: bool) {
        self.free = is_free.then(|| self.free.unwrap_or(now));
        self.presence.show_free(self.free);
        if self.told.as_ref().is_some_and(|(free, out_of)| *free == self.free && *out_of == self.settings.out_of) {
            return;
        }
        let (free, out_of) = (self.free, self.settings.out_of.clone());
        self.told = Some((free, out_of.clone()));
        post(&self.queue, UseQueue::UserIs(UserTells { user: self.user.id.clone(), free, out_of, gone: false }));
    }

    /// When he has written up his last call, by the switch's clock.
    fn wraps_up_until(&self) -> Option<Time> {
        let until = self.settings.wraps_up_until?;
        let left = until.0.saturating_sub(self.env.clock.wall().0);
        Some(self.env.clock.now() + Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }

    /// He has had a call of a group or queue, and writes it up.
    fn wrap_up(&mut self, time: Duration, ctx: &mut Context<Self>) {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let until = WallTime(self.env.clock.wall().0.saturating_add(millis));
        self.change(vec![SettingsChange::WrapUp(until)]);
        self.set_timer(ctx);
    }

    /// Changes that the switch makes itself.
    fn change(&mut self, changes: Vec<SettingsChange>) {
        if let Err(fault) = self.set(changes) {
            tracing::error!(user = %self.user.id, %fault, "a status does not change as it should");
        }
    }

    /// Keeps who called last.
    fn note_caller(&mut self, caller: Option<Dialled>) {
        if caller.is_none() || caller == self.last_caller {
            return;
        }
        self.last_caller = caller;
        let number = self.last_caller.as_ref().map_or("", Dialled::as_str);
        if let Err(error) = self.env.store.last_callers().put(&self.user.id, number.into()) {
            tracing::error!(user = %self.user.id, %error, "who called him could not be kept");
        }
    }

    /// Makes changes, all of them or none.
    fn set(&mut self, changes: Vec<SettingsChange>) -> Result<UserSettings, SettingsFault> {
        let mut next = self.settings.clone();
        for change in changes {
            next.change(change)?;
        }
        self.settings = next;
        self.settings_changed();
        Ok(self.settings.clone())
    }

    /// His phone wants this set.
    fn press(&mut self, wish: &FeatureWish) {
        let changes = keys::changes(wish, &self.settings);
        if let Err(fault) = self.set(changes) {
            tracing::info!(user = %self.user.id, %fault, "a key of his phone is not followed");
        }
    }

    /// Keeps what he has set, and lets it act.
    fn settings_changed(&mut self) {
        let kept = KeptSettings { written: self.user.settings.clone(), now: self.settings.clone() };
        if kept != self.stored {
            if let Err(error) = crate::convert::save_settings(&self.env.store, &self.user.id, &kept) {
                tracing::error!(user = %self.user.id, %error, "what he has set could not be kept");
            }
            self.stored = kept;
        }
        self.availability.set_status(self.settings.status);
        self.presence.show_out_of(&self.settings.out_of);
        self.drain();
    }

    fn directory_user(&self) -> plugboard_model::DirectoryUser {
        self.user.to_directory(self.availability.status(), !self.bindings.is_empty(), self.availability.taken())
    }
}

fn device(binding: &Binding) -> Device {
    Device {
        contact: binding.contact.to_string(),
        flow: binding.flow,
        path: binding.path.iter().map(|proxy| proxy.to_string()).collect(),
        others: Vec::new(),
    }
}

/// Which of his forwards is for a call that cannot ring him; none when it rings him already.
fn forwarded_when(why: Unavailable) -> Option<(ForwardWhen, ForwardWhy)> {
    match why {
        Unavailable::Status(UserStatus::DoNotDisturb) => Some((ForwardWhen::Busy, ForwardWhy::DoNotDisturb)),
        Unavailable::Status(UserStatus::LoggedOut) => Some((ForwardWhen::Unreachable, ForwardWhy::Unavailable)),
        Unavailable::Status(UserStatus::Busy | UserStatus::Away | UserStatus::WrapUp | UserStatus::Available)
        | Unavailable::OnACall
        | Unavailable::TooManyCalls => Some((ForwardWhen::Busy, ForwardWhy::Busy)),
        Unavailable::SameCall => None,
    }
}

fn cause_of(why: Unavailable) -> Cause {
    match why {
        Unavailable::Status(UserStatus::DoNotDisturb) => Cause { status: 480, text: "Do not disturb".into() },
        Unavailable::Status(UserStatus::LoggedOut) => Cause { status: 480, text: "Logged out".into() },
        Unavailable::Status(UserStatus::Busy) => Cause { status: 486, text: "Busy".into() },
        Unavailable::Status(UserStatus::Away) => Cause { status: 480, text: "Away".into() },
        Unavailable::Status(UserStatus::WrapUp) => Cause { status: 486, text: "Writes up a call".into() },
        Unavailable::Status(UserStatus::Available) => Cause::of(480),
        Unavailable::OnACall | Unavailable::SameCall => Cause::of(486),
        Unavailable::TooManyCalls => Cause::of(503),
    }
}

impl Actor for UserActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(USER_MAILBOX);
        self.set_timer(ctx);
    }
}

impl Drop for UserActor {
    fn drop(&mut self) {
        self.count(0);
        let (user, free, out_of) = (self.user.id.clone(), None, BTreeSet::new());
        post(&self.queue, UseQueue::UserIs(UserTells { user, free, out_of, gone: true }));
        self.guesses.lock().registered(&self.user.id, []);
    }
}

impl Handler<OfferCall> for UserActor {
    type Result = ();
    fn handle(&mut self, ask: OfferCall, ctx: &mut Self::Context) {
        let offer = self.offer(&ask.call, ask.kind, ask.follows, ask.device);
        let forward = ask.follows.then(|| self.settings.forward.clone());
        self.note_caller(ask.caller);
        self.show();
        if offer.is_ok() && !ask.wrap_up.is_zero() {
            self.wrap_ups.insert(ask.call.clone(), ask.wrap_up);
        }
        if offer.is_ok() {
            self.ringing.insert(ask.call.clone(), (ask.taken, ask.take));
        }
        let offer = offer.map(|(words, devices, asleep)| {
            self.wake_devices(&ask.call, asleep, &ask.reply, ctx);
            (words, devices)
        });
        post(&ask.reply, UserOffered { user: self.user.id.clone(), offer, forward });
    }
}

impl Handler<TakeRinging> for UserActor {
    type Result = ();

    /// The calls themselves know whether they still ring him.
    fn handle(&mut self, mut ask: TakeRinging, _: &mut Self::Context) {
        ask.calls = self.ringing.values().map(|(_, take)| take.clone()).collect();
        match ask.calls.pop_front() {
            Some(call) => post(&call, ask),
            None => ask.wish.refuse(404),
        }
    }
}

impl Handler<ClaimSlot> for UserActor {
    type Result = ();
    fn handle(&mut self, ask: ClaimSlot, _: &mut Self::Context) {
        let granted = self.availability.claim(&ask.call) == Claim::Granted;
        post(&ask.reply, SlotClaimed { leg: ask.leg, granted });
        self.drain();
    }
}

impl Handler<UseSlot> for UserActor {
    type Result = ();
    fn handle(&mut self, change: UseSlot, ctx: &mut Self::Context) {
        match change {
            UseSlot::Occupy(call) => self.availability.begin_own(&call),
            UseSlot::Release(call) => {
                self.ringing.remove(&call);
                self.waking.forget(&call);
                let talked = self.availability.has_taken(&call);
                self.availability.release(&call);
                self.showing.over(&call);
                // Before anybody hears that he is free.
                if let Some(time) = self.wrap_ups.remove(&call).filter(|_| talked) {
                    self.wrap_up(time, ctx);
                }
            }
        }
        self.drain();
    }
}

impl Handler<Register> for UserActor {
    type Result = ();
    fn handle(&mut self, register: Register, ctx: &mut Self::Context) {
        let Register { tx, request, flow, reply } = register;
        let limits = Terms { push: self.env.push.providers().to_vec(), ..Terms::default() };
        let tag = format!("0-{:016x}", self.env.random.next());
        let (mut response, changes) = self.bindings.register(self.env.clock.now(), &request, flow, &limits, &tag);
        let outcome = match changes.as_slice() {
            _ if response.status != 200 => RegistrationOutcome::Refused,
            [] => RegistrationOutcome::Queried,
            all if all.iter().all(|change| matches!(change, Change::Removed(_))) => RegistrationOutcome::Removed,
            [_, ..] => RegistrationOutcome::Accepted,
        };
        RegistrationAnswered { outcome, user: self.user.number.as_str() }.emit(&self.env.metrics);
        if let Some(turn) = self.env.turn.as_ref().filter(|_| response.status == 200)
            && crate::convert::is_browser(Some(&self.user), flow)
        {
            response.headers.push(TURN_HEADER, turn.header(self.env.clock.wall(), self.user.number.as_str()));
        }
        for change in &changes {
            match change {
                Change::Moved { from, to } => self.moves.moved(&self.user.id, *from, *to),
                Change::Added(binding) | Change::Refreshed(binding) => self.woke_up(binding),
                Change::Removed(_) => {}
            }
        }
        if !changes.is_empty() {
            self.bindings_changed(ctx);
        }
        post(&reply, ToLayer(LayerInput::Respond { tx, response }));
    }
}

impl Handler<Publish> for UserActor {
    type Result = ();
    fn handle(&mut self, publish: Publish, ctx: &mut Self::Context) {
        let Publish { tx, request, reply } = publish;
        let (now, random) = (self.env.clock.now(), &self.env.random);
        let (etag, tag) = (format!("{:016x}", random.next()), format!("0-{:016x}", random.next()));
        let (response, turned) = self.showing.publications.publish(now, &request, &LIMITS.expiry, (&etag, &tag));
        post(&reply, ToLayer(LayerInput::Respond { tx, response }));
        if let Some(on) = turned {
            self.press(&FeatureWish::DoNotDisturb(on));
        }
        self.set_timer(ctx);
    }
}

impl Handler<ShowTo> for UserActor {
    type Result = ();
    fn handle(&mut self, show: ShowTo, _: &mut Self::Context) {
        self.showing.watch(show.shard, show.news);
        self.show();
    }
}

impl Handler<UseLamp> for UserActor {
    type Result = ();
    fn handle(&mut self, lamp: UseLamp, _: &mut Self::Context) {
        // One that comes after the call let him go is late, and would never go off.
        if self.availability.has(&lamp.call) {
            self.showing.lamp(lamp);
            self.show();
        }
    }
}

impl Handler<PressKey> for UserActor {
    type Result = ();
    fn handle(&mut self, key: PressKey, _: &mut Self::Context) {
        self.press(&key.0);
        // Whether or not it was followed: the phone shows what holds.
        self.showing.repeat();
        self.show();
    }
}

impl Handler<LoseFlow> for UserActor {
    type Result = ();
    fn handle(&mut self, lost: LoseFlow, ctx: &mut Self::Context) {
        let gone = match lost {
            LoseFlow::Connection(flow) => self.bindings.connection_lost(flow),
            LoseFlow::Failed { contact, flow } => self.bindings.way_lost(&contact, flow),
            LoseFlow::Unanswered { contact, flow } => return self.bindings.flow_failed(&contact, flow),
        };
        let now = self.env.clock.now();
        for binding in &gone {
            // What it had on this flow, such as a call, goes on over another one of the same device.
            if let Some(to) = self.bindings.other_flow(now, binding) {
                self.moves.moved(&self.user.id, binding.flow, to);
            }
        }
        if !gone.is_empty() {
            self.bindings_changed(ctx);
        }
    }
}

impl Handler<PushGone> for UserActor {
    type Result = ();
    fn handle(&mut self, gone: PushGone, ctx: &mut Self::Context) {
        self.push_gone(&gone.0, ctx);
    }
}

impl Handler<GetUserState> for UserActor {
    type Result = MessageResult<GetUserState>;
    fn handle(&mut self, _: GetUserState, _: &mut Self::Context) -> Self::Result {
        let now = self.env.clock.now();
        self.bindings.expire(now);
        let contacts = self.bindings.live(now).into_iter().map(|binding| RegisteredContact {
            contact: binding.contact.to_string(),
            flow: binding.flow,
            expires_in: binding.expires.since(now).as_secs(),
        });
        let (contacts, calls) = (contacts.collect(), self.availability.calls());
        MessageResult(UserState { user: self.directory_user(), settings: self.settings.clone(), contacts, calls })
    }
}

impl Handler<UseUser> for UserActor {
    type Result = ();
    fn handle(&mut self, change: UseUser, _: &mut Self::Context) {
        self.availability.set_calls_at_once(change.0.calls_at_once);
        self.settings = self.stored.under(&change.0.settings);
        self.user = change.0;
        self.settings_changed();
    }
}

impl Handler<ChangeSettings> for UserActor {
    type Result = Result<UserSettings, SettingsFault>;
    fn handle(&mut self, change: ChangeSettings, _: &mut Self::Context) -> Self::Result {
        let done = self.set(change.changes);
        if let Some(reply) = change.reply {
            post(&reply, SettingsChanged(done.clone()));
        }
        done
    }
}

impl Handler<GetLastCaller> for UserActor {
    type Result = ();
    fn handle(&mut self, ask: GetLastCaller, _: &mut Self::Context) {
        post(&ask.0, LastCaller(self.last_caller.clone()));
    }
}
