//! The handle of a running switch.

use actix::{Actor, Addr, Arbiter, ArbiterHandle, Recipient, WeakAddr};
use plugboard_call::notices::NotChanged;
use plugboard_call::outbox::NotWithdrawn;
use plugboard_call::queue::QueueShown;
use plugboard_metrics::{Condition, Readiness};
use plugboard_model::{
    CallId, Cause, Dialled, GatewayId, LegId, Notice, NoticeId, OfficeId, OrderId, OutgoingFax, UserId,
};
use plugboard_office::{Gateway, SettingsChange, SettingsFault, User, UserSettings};
use plugboard_sip::registrar::Bindings;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::actor::calls::{CallsActor, ServeSip};
use crate::actor::gateway::GatewayActor;
use crate::actor::integrations::{IntegrationsActor, IntegrationsHandle};
use crate::actor::notices::NoticesActor;
use crate::actor::notifier::NotifierActor;
use crate::actor::outbox::OutboxActor;
use crate::actor::queue::QueueActor;
use crate::actor::sip::SipActor;
use crate::actor::user::{Known, UserActor};
use crate::awaited::Awaited;
use crate::channels::Channels;
use crate::directory::Presence;
use crate::env::Env;
use crate::events::Events;
use crate::guesses::SharedGuesses;
use crate::hand_on::{GetCall, HandOnTo, NotHandedOn, Ordered, Target};
use crate::mailboxes::Mailboxes;
use crate::message::{
    ChangeSettings, ConnectionClosed, Drain, DropNotice, FaxRefused, ForgetFaxOrders, ForgetNotices, GatewayState,
    GetCalls, GetFaxOrder, GetFaxOrders, GetGatewayState, GetHoldings, GetNotice, GetNotices, GetQueues, GetUserState,
    HangUpAll, HangUpCall, Holdings, LeaveGateway, LiveCall, NewFax, OrderFax, Received, RetryNotice, TakenFax,
    UseGateway, UseQueue, UseSnapshot, UseUser, UserState, WithdrawFax,
};
use crate::moves::Moves;
use crate::parking::Parking;
use crate::peers::Peers;
use crate::post::post;
use crate::rates::SharedRates;
use crate::rooms::Rooms;
use crate::snapshot::{Configuration, GatewayHandle, Snapshot, UserHandle};
use crate::talks::Talks;
use crate::tolls::Tolls;
use crate::transport::{Network, Router};

/// As many shards as a call id can name.
pub const SHARDS_MAX: usize = 256;

/// A registrar that lives answers within a second, a password asked for in between.
const LEAVE_PATIENCE: Duration = Duration::from_secs(2);
/// How often gateways are looked at meanwhile.
const LEAVE_LOOK: Duration = Duration::from_millis(20);

/// Where the actors run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// So many shards, 1 to [`SHARDS_MAX`], on the calling thread: deterministic, for the simulator.
    Here(usize),
    /// On so many threads of their own, 1 to [`SHARDS_MAX`].
    Threads(usize),
}

/// A running switch. Cheap to clone; the last one that goes stops nothing, [`Switch::drain`] and the process do.
#[derive(Clone)]
pub struct Switch {
    shards: Arc<Vec<Shard>>,
    arbiters: Arc<Vec<Arbiter>>,
    outbox: Addr<OutboxActor>,
    notices: Addr<NoticesActor>,
    queue: Addr<QueueActor>,
    env: Env,
    readiness: Readiness,
    guesses: SharedGuesses,
    moves: Moves,
    peers: Peers,
    awaited: Awaited,
    /// Changed by [`Switch::apply`] alone; locked for a copy of the pointer only.
    snapshot: Arc<Mutex<Arc<Snapshot>>>,
    /// Changed there too.
    former: Arc<Mutex<Former>>,
}

/// The actors of users and gateways that were taken out of their offices. Calls that go on keep them alive, and who is put
/// in again meanwhile is still on them.
#[derive(Default)]
struct Former {
    users: BTreeMap<UserId, (WeakAddr<UserActor>, Arc<Presence>)>,
    gateways: BTreeMap<GatewayId, (WeakAddr<GatewayActor>, Arc<Channels>)>,
}

/// What was stored of a user.
#[derive(Default)]
struct Saved {
    devices: Option<Vec<u8>>,
    settings: Option<Vec<u8>>,
    last_caller: Option<Vec<u8>>,
}

struct Shard {
    place: ArbiterHandle,
    sip: Addr<SipActor>,
    calls: Addr<CallsActor>,
    notifier: Addr<NotifierActor>,
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switch").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

/// Runs a future on a thread with the runtime that the switch needs, until it is done.
pub fn run<F: Future>(future: F) -> F::Output {
    actix::System::new().block_on(future)
}

impl Switch {
    /// Starts the actors. Nothing is received before [`crate::Network::receive`] gets [`Switch::router`].
    pub fn start(
        env: Env,
        events: &Events,
        readiness: Readiness,
        configuration: Configuration,
        placement: Placement,
    ) -> Self {
        let (places, mut arbiters): (Vec<ArbiterHandle>, Vec<Arbiter>) = match placement {
            Placement::Here(count) => (vec![Arbiter::current(); count.clamp(1, SHARDS_MAX)], Vec::new()),
            Placement::Threads(count) => {
                let arbiters: Vec<Arbiter> = (0..count.clamp(1, SHARDS_MAX)).map(|_| arbiter(&env)).collect();
                (arbiters.iter().map(Arbiter::handle).collect(), arbiters)
            }
        };
        // They wait for the disk: not on a shard's thread, where there are threads.
        let beside = if arbiters.is_empty() { Arbiter::current() } else { push(&mut arbiters, arbiter(&env)) };
        let (queue_env, first) = (env.clone(), places.first().cloned().unwrap_or_else(Arbiter::current));
        let queue = QueueActor::start_in_arbiter(&first, move |_| QueueActor::new(queue_env));
        let integrations_env = env.clone();
        let integrations =
            IntegrationsActor::start_in_arbiter(&first, move |_| IntegrationsActor::new(integrations_env));
        let integrations = IntegrationsHandle::new(integrations);
        let runs = integrations.runs.clone();
        let (notices_env, tell) = (env.clone(), integrations.tell.clone());
        let notices = NoticesActor::start_in_arbiter(&beside, move |_| NoticesActor::new(notices_env, tell));
        let empty = Arc::new(Snapshot {
            configuration: Configuration::default(),
            users: BTreeMap::new(),
            gateways: BTreeMap::new(),
            parking: Parking::default(),
            rooms: Rooms::default(),
            mailboxes: Mailboxes::default(),
            talks: Talks::default(),
            queue: queue.clone().recipient(),
            shards: Vec::new(),
            tolls: Tolls::default(),
            notices: notices.clone().recipient(),
            integrations,
        });
        let (guesses, moves, peers) = (SharedGuesses::default(), Moves::default(), Peers::default());
        let (awaited, rates) = (Awaited::default(), SharedRates::new(env.rates));
        let tables = (&guesses, &rates, &moves, &peers, &awaited);
        let start = |(n, place)| start_shard(n, place, &env, &empty, &readiness, tables);
        let shards: Vec<Shard> = places.into_iter().enumerate().map(start).collect();
        let originate: Vec<_> = shards.iter().map(|shard| shard.calls.clone().recipient()).collect();
        post(&queue.clone().recipient(), UseQueue::Serve(originate.clone()));
        let (outbox_env, outbox_snapshot) = (env.clone(), Arc::clone(&empty));
        let outbox =
            OutboxActor::start_in_arbiter(&beside, move |_| OutboxActor::new(outbox_env, outbox_snapshot, originate));
        events.connect(
            shards.iter().map(|shard| (shard.calls.clone().recipient(), shard.calls.clone().recipient())).collect(),
            runs,
        );
        let switch = Self {
            shards: Arc::new(shards),
            arbiters: Arc::new(arbiters),
            outbox,
            notices,
            queue,
            env,
            readiness,
            guesses,
            moves,
            peers,
            awaited,
            snapshot: Arc::new(Mutex::new(empty)),
            former: Arc::default(),
        };
        switch.apply(configuration);
        switch
    }

    /// Begins to receive. With one shard on the shard's own thread, so that no message wakes two; with several on this
    /// thread, so that none of them also carries the messages of the others.
    pub fn receive(&self, network: &Arc<Network>) {
        let router = self.router();
        let (looked_at, clock) = (Arc::downgrade(network), Arc::downgrade(&self.env.clock));
        self.env.metrics.sample_with(move |metrics| {
            if let Some(clock) = clock.upgrade() {
                metrics.tell_unsaid(clock.now());
            }
            if let Some(network) = looked_at.upgrade() {
                network.sample(metrics);
            }
        });
        match self.shards.as_slice() {
            [only] => {
                let (network, readiness) = (Arc::clone(network), self.readiness.clone());
                if !only.place.spawn_fn(move || network.receive(&router, &readiness)) {
                    tracing::error!("the only shard has ended, nothing is received");
                }
            }
            _ => network.receive(&router, &self.readiness),
        }
    }

    /// For the listeners.
    pub fn router(&self) -> Router {
        let received: Vec<Recipient<Received>> =
            self.shards.iter().map(|shard| shard.sip.clone().recipient()).collect();
        let closed: Vec<Recipient<ConnectionClosed>> =
            self.shards.iter().map(|shard| shard.sip.clone().recipient()).collect();
        Router::new(received, closed, Arc::clone(&self.env.clock), self.env.metrics.clone())
    }

    /// From now on new calls see this configuration. Calls that go on, registrations and slots stay as they are.
    pub fn apply(&self, configuration: Configuration) {
        let mut current = self.current();
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        let shards = self.shards.iter().map(|shard| shard.sip.clone().recipient()).collect();
        let mut next = current.next(configuration, shards);
        for office in next.configuration.offices.iter() {
            if current.configuration.offices.get(&office.id).is_none() {
                next.tolls.restore(&self.env, office);
                next.mailboxes.restore(&self.env, &office.id);
                self.awaited.restore(&self.env, office);
                self.restore_promises(&next.queue, &office.id);
            }
            next.mailboxes.let_go(&self.env.store, &self.env.recorder, office);
            let mut saved = self.saved(&office.id);
            for (index, user) in office.users().enumerate() {
                let back = || {
                    let (actor, presence) = former.users.remove(&user.id)?;
                    Some(UserHandle::new(&actor.upgrade()?, presence))
                };
                let handle = match current.users.get(&user.id).cloned().or_else(back) {
                    Some(known) => {
                        post(&known.change, UseUser(Arc::clone(user)));
                        known
                    }
                    None => self.start_user(index, user, saved.remove(&user.id).unwrap_or_default()),
                };
                next.users.insert(user.id.clone(), handle);
            }
            for (index, gateway) in office.gateways().enumerate() {
                let back = || {
                    let (actor, channels) = former.gateways.remove(&gateway.id)?;
                    Some(GatewayHandle::new(&actor.upgrade()?, channels, self.peers.clone()))
                };
                let handle = match current.gateways.get(&gateway.id).cloned().or_else(back) {
                    Some(known) => {
                        post(&known.change, UseGateway(Arc::clone(gateway), office.realm().to_owned()));
                        known
                    }
                    None => self.start_gateway(index, gateway, office.realm()),
                };
                next.gateways.insert(gateway.id.clone(), handle);
            }
        }
        let gone = current.gateways.iter().filter(|(id, _)| !next.gateways.contains_key(*id));
        gone.for_each(|(_, handle)| post(&handle.leave, LeaveGateway));
        former.leave(&current, &next);
        let next = Arc::new(next);
        *current = Arc::clone(&next);
        drop((current, former));
        for shard in self.shards.iter() {
            post(&shard.sip.clone().recipient(), UseSnapshot(Arc::clone(&next)));
            post(&shard.calls.clone().recipient(), UseSnapshot(Arc::clone(&next)));
            post(&shard.notifier.clone().recipient(), UseSnapshot(Arc::clone(&next)));
        }
        post(&self.outbox.clone().recipient(), UseSnapshot(Arc::clone(&next)));
        post(&self.queue.clone().recipient(), UseSnapshot(Arc::clone(&next)));
        post(&next.integrations.change, UseSnapshot(Arc::clone(&next)));
        post(&self.notices.clone().recipient(), UseSnapshot(next));
    }

    /// The configuration in force.
    pub fn configuration(&self) -> Configuration {
        self.current().configuration.clone()
    }

    /// The voice messages: whoever removes one otherwise than by a call tells it here.
    pub fn mailboxes(&self) -> Mailboxes {
        self.current().mailboxes.clone()
    }

    /// From now on new calls get 503; running ones go on. Subscriptions end.
    pub fn drain(&self) {
        self.readiness.set(Condition::Draining, "new calls are refused until the switch ends");
        for shard in self.shards.iter() {
            post(&shard.sip.clone().recipient(), Drain);
            post(&shard.notifier.clone().recipient(), Drain);
        }
        post(&self.outbox.clone().recipient(), Drain);
        post(&self.notices.clone().recipient(), Drain);
        post(&self.queue.clone().recipient(), UseQueue::Drain);
    }

    /// Waits until what came of faxes so far is noted: before the store is closed, so that none is sent again that was received.
    pub async fn note_faxes(&self) {
        let nothing = ForgetFaxOrders { office: None, to: String::new() };
        if self.outbox.send(nothing).await.is_err() {
            tracing::error!("who keeps the faxes that are to be sent is gone");
        }
    }

    /// Takes an order to send a fax: it is on the disk when this says yes.
    ///
    /// # Errors
    /// [`FaxRefused`].
    pub async fn order_fax(&self, fax: NewFax) -> Result<TakenFax, FaxRefused> {
        self.outbox.send(OrderFax(fax)).await.unwrap_or(Err(FaxRefused::Ending))
    }

    /// How far an order is; `None`: there is none, or none any more.
    pub async fn fax_order(&self, id: &OrderId) -> Option<OutgoingFax> {
        self.outbox.send(GetFaxOrder(id.clone())).await.ok().flatten()
    }

    /// The newest so many orders of an office, newest first; of one number, whole, if it is named.
    pub async fn fax_orders(&self, office: &OfficeId, to: Option<String>, most: usize) -> Vec<OutgoingFax> {
        self.outbox.send(GetFaxOrders { office: office.clone(), to, most }).await.unwrap_or_default()
    }

    /// Takes an order back that waits.
    ///
    /// # Errors
    /// [`NotWithdrawn`].
    pub async fn withdraw_fax(&self, id: &OrderId) -> Result<OutgoingFax, NotWithdrawn> {
        self.outbox.send(WithdrawFax(id.clone())).await.unwrap_or(Err(NotWithdrawn::Unknown))
    }

    /// Forgets the orders of a number, whole, that are over; how many there were.
    pub async fn forget_fax_orders(&self, office: &OfficeId, to: &str) -> usize {
        self.outbox.send(ForgetFaxOrders { office: Some(office.clone()), to: to.to_owned() }).await.unwrap_or(0)
    }

    /// The newest so many notices of an office, the newest call's first; those of calls of one number, and those that are not over, if that is
    /// wanted.
    pub async fn notices(&self, office: &OfficeId, number: Option<String>, waiting: bool, most: usize) -> Vec<Notice> {
        let asked = GetNotices { office: office.clone(), number, waiting, most };
        self.notices.send(asked).await.unwrap_or_default()
    }

    /// How far a notice is; `None`: there is none, or none any more.
    pub async fn notice(&self, id: &NoticeId) -> Option<Notice> {
        self.notices.send(GetNotice(id.clone())).await.ok().flatten()
    }

    /// Tries a notice again now, also one that was given up.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn retry_notice(&self, id: &NoticeId) -> Result<Notice, NotChanged> {
        self.notices.send(RetryNotice(id.clone())).await.unwrap_or(Err(NotChanged::Unknown))
    }

    /// Drops a notice that waits.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn drop_notice(&self, id: &NoticeId) -> Result<Notice, NotChanged> {
        self.notices.send(DropNotice(id.clone())).await.unwrap_or(Err(NotChanged::Unknown))
    }

    /// Forgets the notices of calls of a number, however far they are; how many there were.
    pub async fn forget_notices(&self, office: &OfficeId, number: &str) -> usize {
        let asked = ForgetNotices { office: Some(office.clone()), number: number.to_owned() };
        self.notices.send(asked).await.unwrap_or(0)
    }

    /// Waits until what came of notices so far is noted: before the store is closed, so that none is sent again that has left.
    pub async fn note_notices(&self) {
        if self.notices.send(ForgetNotices { office: None, number: String::new() }).await.is_err() {
            tracing::error!("who keeps what is to leave is gone");
        }
    }

    /// Ends a call; whether there was one.
    pub async fn hang_up(&self, call: &CallId, cause: Cause) -> bool {
        for shard in self.shards.iter() {
            let asked = HangUpCall { call: call.clone(), cause: cause.clone() };
            if shard.calls.send(asked).await.unwrap_or(false) {
                return true;
            }
        }
        false
    }

    /// Hands on whom a user's leg talks to; that leg is let go as soon as somebody has him. Without a leg, the only one that can
    /// be. Over when the number rings, or the calls are one; which leg it is.
    ///
    /// # Errors
    /// [`NotHandedOn`]; then all is as it was.
    pub async fn hand_on(&self, call: &CallId, leg: Option<LegId>, to: HandOnTo) -> Result<LegId, NotHandedOn> {
        let ordered = self.way_to(call).await?;
        let to = match to {
            HandOnTo::Number(number) => Target::Number(number),
            HandOnTo::Call(other) if other == *call => {
                return Err(NotHandedOn::Refused { status: 481, why: "a call is not joined with itself" });
            }
            HandOnTo::Call(other) => Target::Call(self.way_to(&other).await?),
        };
        let (answer, told) = tokio::sync::oneshot::channel();
        post(&ordered, Ordered::HandOn { leg, to, answer });
        told.await.unwrap_or(Err(NotHandedOn::Ended))
    }

    async fn way_to(&self, call: &CallId) -> Result<Recipient<Ordered>, NotHandedOn> {
        for shard in self.shards.iter() {
            if let Ok(Some(way)) = shard.calls.send(GetCall(call.clone())).await {
                return Ok(way);
            }
        }
        Err(NotHandedOn::NoCall(call.clone()))
    }

    /// Ends every call.
    pub async fn hang_up_all(&self, cause: Cause) {
        for shard in self.shards.iter() {
            if shard.calls.send(HangUpAll(cause.clone())).await.is_err() {
                tracing::error!("a shard is gone and could not end its calls");
            }
        }
    }

    /// The calls that go on, oldest first.
    pub async fn calls(&self) -> Vec<LiveCall> {
        let mut calls = Vec::new();
        for shard in self.shards.iter() {
            calls.extend(shard.calls.send(GetCalls).await.unwrap_or_default());
        }
        calls.sort_by(|one, other| one.id.cmp(&other.id));
        calls
    }

    /// What is held for calls, all shards together.
    pub async fn holdings(&self) -> Holdings {
        let mut sum = Holdings::default();
        for shard in self.shards.iter() {
            let parts = [
                shard.sip.send(GetHoldings).await,
                shard.calls.send(GetHoldings).await,
                shard.notifier.send(GetHoldings).await,
            ];
            for part in parts.into_iter().flatten() {
                sum.calls += part.calls;
                sum.legs += part.legs;
                sum.transactions += part.transactions;
                sum.media += part.media;
                sum.subscriptions += part.subscriptions;
            }
        }
        sum.rooms = self.current().rooms.open();
        sum.talks = self.current().talks.len();
        let here = |queue: &QueueShown| queue.callers.iter().filter(|caller| caller.promise.is_none()).count();
        sum.waiting = self.queues().await.iter().map(here).sum();
        sum
    }

    /// Who was to be called back in an office that comes into force. Waits for the disk.
    fn restore_promises(&self, queue: &Recipient<UseQueue>, office: &OfficeId) {
        match self.env.store.promises().all(office) {
            Ok(promises) if promises.is_empty() => {}
            Ok(promises) => post(queue, UseQueue::Restore(promises)),
            Err(error) => tracing::error!(%office, %error, "who is to be called back could not be read"),
        }
    }

    /// The queues in which somebody waits or has waited.
    pub async fn queues(&self) -> Vec<QueueShown> {
        self.queue.send(GetQueues).await.unwrap_or_default()
    }

    /// The users with their status and registered contacts, by id.
    pub async fn users(&self) -> Vec<(UserId, UserState)> {
        let handles: Vec<(UserId, UserHandle)> =
            self.current().users.iter().map(|(id, handle)| (id.clone(), handle.clone())).collect();
        let mut users = Vec::with_capacity(handles.len());
        for (id, handle) in handles {
            if let Ok(state) = handle.state.send(GetUserState).await {
                users.push((id, state));
            }
        }
        users
    }

    /// Changes what a user has set; `None` when there is no such user.
    ///
    /// # Errors
    /// [`SettingsFault`]; then all is as before.
    pub async fn change_user(
        &self,
        user: &UserId,
        changes: Vec<SettingsChange>,
    ) -> Option<Result<UserSettings, SettingsFault>> {
        let handle = self.current().users.get(user).cloned()?;
        handle.set.send(ChangeSettings { changes, reply: None }).await.ok()
    }

    /// The gateways, by id.
    pub async fn gateways(&self) -> Vec<(GatewayId, GatewayState)> {
        let handles: Vec<(GatewayId, GatewayHandle)> =
            self.current().gateways.iter().map(|(id, handle)| (id.clone(), handle.clone())).collect();
        let mut gateways = Vec::with_capacity(handles.len());
        for (id, handle) in handles {
            if let Ok(state) = handle.state.send(GetGatewayState).await {
                gateways.push((id, state));
            }
        }
        gateways
    }

    /// Takes back what is registered at gateways: no call comes from them any more. Over when they have heard it, or did not
    /// answer within two seconds.
    #[expect(clippy::disallowed_methods, reason = "looks until every gateway has answered, for a bounded time")]
    pub async fn leave_gateways(&self) {
        let handles: Vec<GatewayHandle> = self.current().gateways.values().cloned().collect();
        for handle in &handles {
            post(&handle.leave, LeaveGateway);
        }
        let until = self.env.clock.now() + LEAVE_PATIENCE;
        for handle in handles {
            while self.env.clock.now() < until {
                match handle.state.send(GetGatewayState).await {
                    Ok(state) if !state.left => actix::clock::sleep(LEAVE_LOOK).await,
                    Ok(_) | Err(_) => break,
                }
            }
        }
    }

    /// Waits, two seconds at most, until whoever watches was told that it is over: after [`Switch::drain`].
    #[expect(clippy::disallowed_methods, reason = "looks until every subscription is over, for a bounded time")]
    pub async fn leave_subscriptions(&self) {
        let until = self.env.clock.now() + LEAVE_PATIENCE;
        while self.holdings().await.subscriptions > 0 && self.env.clock.now() < until {
            actix::clock::sleep(LEAVE_LOOK).await;
        }
        // What was told last is sent before this is answered.
        self.holdings().await;
    }

    /// Stops the threads. Calls that go on are cut: drain first.
    pub fn stop(&self) {
        for arbiter in self.arbiters.iter() {
            arbiter.stop();
        }
    }

    /// What was known of the users of an office when the switch stopped.
    fn saved(&self, office: &OfficeId) -> BTreeMap<UserId, Saved> {
        let mut saved: BTreeMap<UserId, Saved> = BTreeMap::new();
        match self.env.store.registrations().all(office) {
            Ok(all) => all.into_iter().for_each(|(user, bytes)| saved.entry(user).or_default().devices = Some(bytes)),
            Err(error) => {
                tracing::error!(%office, %error, "registrations could not be read; phones will register again");
            }
        }
        match self.env.store.user_settings().all(office) {
            Ok(all) => all.into_iter().for_each(|(user, bytes)| saved.entry(user).or_default().settings = Some(bytes)),
            Err(error) => {
                tracing::error!(%office, %error, "what users had set could not be read; the office document holds");
            }
        }
        match self.env.store.last_callers().all(office) {
            Ok(all) => {
                for (user, bytes) in all {
                    saved.entry(user).or_default().last_caller = Some(bytes);
                }
            }
            Err(error) => tracing::error!(%office, %error, "who called users last could not be read"),
        }
        saved
    }

    fn current(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, index: usize) -> Option<&ArbiterHandle> {
        self.shards.get(index % self.shards.len().max(1)).map(|shard| &shard.place)
    }

    fn start_user(&self, index: usize, user: &Arc<User>, saved: Saved) -> UserHandle {
        let (env, user) = (self.env.clone(), Arc::clone(user));
        let devices = saved.devices.map(|bytes| crate::convert::read_bindings(&bytes)).unwrap_or_default();
        let bindings = Bindings::restore(env.clock.now(), env.clock.wall(), devices);
        let known = Known {
            settings: saved.settings.and_then(|bytes| crate::convert::read_settings(&user.id, &bytes)),
            last_caller: saved.last_caller.and_then(|bytes| Dialled::new(std::str::from_utf8(&bytes).ok()?).ok()),
        };
        let shared = (self.guesses.clone(), self.moves.clone(), self.queue.clone().recipient());
        let presence = Arc::<Presence>::default();
        let shown = Arc::clone(&presence);
        let make = move |_: &mut actix::Context<UserActor>| UserActor::new(env, user, (bindings, known), shared, shown);
        let addr = match self.place(index) {
            Some(place) => UserActor::start_in_arbiter(place, make),
            None => UserActor::create(make),
        };
        UserHandle::new(&addr, presence)
    }

    fn start_gateway(&self, index: usize, gateway: &Arc<Gateway>, realm: &str) -> GatewayHandle {
        let (gateway, realm) = (Arc::clone(gateway), realm.to_owned());
        let (env, readiness, peers) = (self.env.clone(), self.readiness.clone(), self.peers.clone());
        let channels = Arc::new(Channels::new(self.env.metrics.trunk(&gateway.id.to_string())));
        let shown = Arc::clone(&channels);
        let sip = self.shards.get(index % self.shards.len().max(1)).map(|shard| shard.sip.clone());
        let make = move |_: &mut actix::Context<GatewayActor>| {
            GatewayActor::new(env, (gateway, realm), shown, (readiness, peers), sip.as_ref())
        };
        let addr = match self.place(index) {
            Some(place) => GatewayActor::start_in_arbiter(place, make),
            None => GatewayActor::create(make),
        };
        GatewayHandle::new(&addr, channels, self.peers.clone())
    }
}

/// A thread that tells the media plane of what its actors want of it only before it goes to sleep: to be told of each command by itself would
/// wake the media thread four times a call more, each time in the place of the shard where both share a core.
fn arbiter(env: &Env) -> Arbiter {
    let media = Arc::clone(&env.media);
    let runtime = move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().on_thread_park(move || media.tell()).build()
    };
    Arbiter::try_with_tokio_rt(runtime).unwrap_or_else(|_| Arbiter::new())
}

/// Puts it there, and has its handle.
fn push(arbiters: &mut Vec<Arbiter>, arbiter: Arbiter) -> ArbiterHandle {
    let handle = arbiter.handle();
    arbiters.push(arbiter);
    handle
}

impl Former {
    /// Notes who is in the old configuration alone, and forgets those whose last call is over.
    fn leave(&mut self, old: &Snapshot, new: &Snapshot) {
        self.users.retain(|_, (user, _)| user.upgrade().is_some());
        self.gateways.retain(|_, (gateway, _)| gateway.upgrade().is_some());
        let gone = old.users.iter().filter(|(id, _)| !new.users.contains_key(*id));
        let kept = |handle: &UserHandle| (handle.actor.clone(), Arc::clone(&handle.presence));
        self.users.extend(gone.map(|(id, handle)| (id.clone(), kept(handle))));
        let gone = old.gateways.iter().filter(|(id, _)| !new.gateways.contains_key(*id));
        let kept = |handle: &GatewayHandle| (handle.actor.clone(), Arc::clone(&handle.channels));
        self.gateways.extend(gone.map(|(id, handle)| (id.clone(), kept(handle))));
    }
}

fn start_shard(
    n: usize,
    place: ArbiterHandle,
    env: &Env,
    empty: &Arc<Snapshot>,
    readiness: &Readiness,
    (guesses, rates, moves, peers, awaited): (&SharedGuesses, &SharedRates, &Moves, &Peers, &Awaited),
) -> Shard {
    let (calls_env, calls_snapshot) = (env.clone(), Arc::clone(empty));
    let (waiting, known) = (awaited.clone(), awaited.clone());
    let calls = CallsActor::start_in_arbiter(&place, move |_| CallsActor::new(calls_env, n, calls_snapshot, waiting));
    let (notifier_env, notifier_snapshot) = (env.clone(), Arc::clone(empty));
    let notifier =
        NotifierActor::start_in_arbiter(&place, move |_| NotifierActor::new(notifier_env, n, notifier_snapshot));
    let (sip_env, sip_snapshot) = (env.clone(), Arc::clone(empty));
    let takers = (calls.clone().recipient(), notifier.clone().recipient());
    let (readiness, shared) =
        (readiness.clone(), (guesses.clone(), rates.clone(), moves.clone(), peers.clone(), known));
    let sip =
        SipActor::start_in_arbiter(&place, move |_| SipActor::new(sip_env, n, sip_snapshot, takers, readiness, shared));
    post(&calls.clone().recipient(), ServeSip(sip.clone()));
    post(&notifier.clone().recipient(), ServeSip(sip.clone()));
    Shard { place, sip, calls, notifier }
}
