//! Who waits for whom: one machine for all offices and shards.

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};
use plugboard_call::queue::{Asked, Became, Left, Outcome, Queue, QueueOutput};
use plugboard_metrics::{QueueCalledBack, QueueHeld, QueueLeft, QueueLongest, QueueOffered, QueueOver, QueuePromised};
use plugboard_model::{CallId, Name, PromisedCall, ScenarioId, Time, UserId, UserStatus};
use plugboard_office::SettingsChange;
use plugboard_store::CommitError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::env::Env;
use crate::message::{CallBack, ChangeSettings, Errand, GetQueues, Originate, QueueNews, UseQueue, UseSnapshot};
use crate::post::{post, press};
use crate::snapshot::Snapshot;
use crate::wake::Wake;

/// A burst is a switch's users who all tell how they are at its start, or its callers who all come to wait.
const QUEUE_MAILBOX: usize = 16_384;

/// Why somebody is away who does not answer.
const NO_ANSWER: &str = "no-answer";

/// Holds the [`Queue`].
pub(crate) struct QueueActor {
    env: Env,
    queue: Queue,
    snapshot: Option<Arc<Snapshot>>,
    calls: BTreeMap<CallId, Recipient<QueueNews>>,
    /// Where calls are made, and whose turn it is.
    shards: Vec<Recipient<Originate>>,
    turn: usize,
    /// Since when the one has waited who has waited longest, in nanoseconds and one more; 0: nobody waits. For the metrics.
    oldest: Arc<AtomicU64>,
    wake: Wake,
}

impl QueueActor {
    pub(crate) fn new(env: Env) -> Self {
        let oldest = Arc::new(AtomicU64::new(0));
        let (seen, clock) = (Arc::downgrade(&oldest), Arc::downgrade(&env.clock));
        env.metrics.sample_with(move |metrics| {
            if let (Some(oldest), Some(clock)) = (seen.upgrade(), clock.upgrade()) {
                let since = oldest.load(Ordering::Relaxed).checked_sub(1);
                let longest = since.map_or(Duration::ZERO, |since| clock.now().since(Time(since)));
                QueueLongest(longest).emit(metrics);
                metrics.sample_queues(|since| clock.now().since(Time(since)));
            }
        });
        let (queue, wake) = (Queue::default(), Wake::default());
        Self { env, queue, snapshot: None, calls: BTreeMap::new(), shards: Vec::new(), turn: 0, oldest, wake }
    }

    fn use_queue(&mut self, change: UseQueue, ctx: &Context<Self>) {
        let now = self.env.clock.now();
        match change {
            UseQueue::Join { joining, news } => {
                let (call, queue) = (joining.call.clone(), joining.queue.clone());
                if self.queue.join(now, joining) {
                    post(&news, QueueNews::Joined);
                    self.calls.insert(call, news);
                } else {
                    post(&news, QueueNews::Full);
                    self.over(&call, Some(&queue), QueueLeft::Full);
                }
            }
            UseQueue::Leave { call, why } => {
                let queue = self.queue.queue_of(&call).cloned();
                // Of one who has just asked to be called back is told once it is known what becomes of him.
                if self.calls.remove(&call).is_some() && self.queue.leave(now, &call, why) {
                    let why = match why {
                        Left::Abandoned => QueueLeft::Abandoned,
                        Left::Elsewhere => QueueLeft::Timeout,
                        Left::Exited => QueueLeft::Exited,
                    };
                    self.over(&call, queue.as_ref(), why);
                }
            }
            UseQueue::Rang { call, user, outcome } => {
                if outcome == Outcome::Answered && self.calls.remove(&call).is_some() {
                    let queue = self.queue.queue_of(&call).cloned();
                    self.over(&call, queue.as_ref(), QueueLeft::Answered);
                }
                self.queue.rang(now, &call, &user, outcome);
            }
            UseQueue::AskPosition(call) => {
                if let (Some(news), Some(position)) = (self.calls.get(&call), self.queue.position(&call)) {
                    post(news, QueueNews::Position(position, self.queue.likely_wait(&call, position)));
                }
            }
            UseQueue::CallBack { call, to } => {
                let queue = self.queue.queue_of(&call).cloned();
                match self.queue.call_back(now, self.env.clock.wall(), &call, to) {
                    Asked::Keeps => {}
                    Asked::Already => self.promised(&call, queue.as_ref(), true),
                    Asked::No => self.promised(&call, queue.as_ref(), false),
                }
            }
            UseQueue::Kept { call, kept } => {
                let queue = self.queue.queue_of(&call).cloned();
                match self.queue.kept(now, self.env.clock.wall(), &call, kept) {
                    Became::Promised => self.promised(&call, queue.as_ref(), true),
                    Became::Waits => self.promised(&call, queue.as_ref(), false),
                    Became::Left => self.over(&call, queue.as_ref(), QueueLeft::Abandoned),
                    Became::Nothing => {}
                }
            }
            UseQueue::PutBack(promise) => self.queue.put_back(now, self.env.clock.wall(), *promise),
            UseQueue::Called { call, user, news } => self.called(call, &user, news),
            UseQueue::Restore(promises) => self.queue.restore(now, self.env.clock.wall(), promises),
            UseQueue::Drain => self.queue.drain(),
            UseQueue::Serve(shards) => self.shards = shards,
            UseQueue::UserIs(tells) => self.queue.user_tells(now, tells),
        }
        self.carry_out(ctx);
    }

    fn over(&self, call: &CallId, queue: Option<&ScenarioId>, why: QueueLeft) {
        let series = queue.and_then(|queue| self.env.metrics.queue(&queue.to_string()));
        QueueOver { call, queue: series.as_ref(), why }.emit(&self.env.metrics);
    }

    fn carry_out(&mut self, ctx: &Context<Self>) {
        while let Some(output) = self.queue.poll_output() {
            match output {
                QueueOutput::Offer { call, user } => {
                    QueueOffered { call: &call, user: &user }.emit(&self.env.metrics);
                    match self.calls.get(&call) {
                        Some(news) => {
                            let groups = self.queue.wanted_through(&call, &user).to_vec();
                            post(news, QueueNews::Offered(user, groups));
                        }
                        None => drop(self.queue.leave(self.env.clock.now(), &call, Left::Elsewhere)),
                    }
                }
                QueueOutput::CallBack { call, user } => {
                    QueueOffered { call: &call, user: &user }.emit(&self.env.metrics);
                    self.call_back(call, user, ctx);
                }
                QueueOutput::Away(user) => self.is_away(&user),
                QueueOutput::Keep(promise) => self.keep(&promise, ctx),
                QueueOutput::Strike(call) => {
                    QueueCalledBack::Late.emit(&call, &self.env.metrics);
                    self.env.store.promises().strike(&call);
                }
            }
        }
    }

    /// He does not answer, and is left alone until he says that he is back.
    fn is_away(&self, user: &UserId) {
        tracing::info!(%user, "a user becomes away: he has not answered the callers of queues");
        let Ok(reason) = Name::new(NO_ANSWER) else { return };
        if let Some(handle) = self.snapshot.as_ref().and_then(|snapshot| snapshot.users.get(user)) {
            let changes = vec![SettingsChange::StatusFor(UserStatus::Away, reason)];
            post(&handle.set, ChangeSettings { changes, reply: None });
        }
    }

    /// Tells a caller whether he is called back.
    fn promised(&mut self, call: &CallId, queue: Option<&ScenarioId>, promised: bool) {
        let news = if promised { self.calls.remove(call) } else { self.calls.get(call).cloned() };
        if promised {
            self.over(call, queue, QueueLeft::CalledBack);
        }
        if let Some(news) = news {
            post(&news, QueueNews::Promised(promised));
        }
    }

    /// The disk is to have it before he is told.
    fn keep(&self, promise: &PromisedCall, ctx: &Context<Self>) {
        let (back, call) = (ctx.address().recipient(), promise.call.clone());
        let store = self.env.store.clone();
        let done = Box::new(move |done: Result<_, CommitError>| {
            if let Err(error) = &done {
                tracing::error!(call_id = %call, %error, "nobody can be promised a call: it could not be kept");
                // It may be there all the same (the disk failed after its log had it): nobody is to find it after a restart.
                store.promises().strike(&call);
            }
            press(&back, UseQueue::Kept { call, kept: done.is_ok() });
        });
        if let Err(error) = self.env.store.promises().put_then(promise, done) {
            tracing::error!(call_id = %promise.call, %error, "a promised call could not be written");
            press(&ctx.address().recipient(), UseQueue::Kept { call: promise.call.clone(), kept: false });
        }
    }

    /// Somebody is there who calls him back: once the disk has that he was, he is rung.
    fn called(&mut self, call: CallId, user: &UserId, news: Recipient<QueueNews>) {
        if !self.queue.called(self.env.clock.now(), &call, user) {
            return post(&news, QueueNews::CallHim(false));
        }
        let (promises, store) = (self.env.store.promises(), self.env.store.clone());
        let struck = call.clone();
        let done = Box::new(move |done: Result<_, CommitError>| {
            if let Err(error) = done {
                // A disk that takes nothing keeps nobody from being called; it is struck off once the disk takes it.
                store.promises().strike(&call);
                tracing::error!(call_id = %call, %error, "that somebody was called back could not be noted: a restart may call him again");
            }
            press(&news, QueueNews::CallHim(true));
        });
        promises.strike_then(&struck, done);
    }

    /// Has whoever is free called, on the next shard, and then who has left.
    fn call_back(&mut self, call: CallId, user: UserId, ctx: &Context<Self>) {
        let shard = self.shards.get(self.turn % self.shards.len().max(1));
        self.turn = self.turn.wrapping_add(1);
        let (Some(shard), Some(promise)) = (shard, self.queue.promise(&call)) else { return };
        let back = CallBack::new(ctx.address().recipient(), Box::new(promise.clone()), user.clone());
        let ring_for = Duration::from_millis(u64::from(promise.ring_for_ms));
        let (office, to, errand) = (user.office.clone(), promise.to.clone(), Errand::CallBack(Box::new(back)));
        post(shard, Originate { office, from: user, to, ring_for, errand });
    }

    fn settle(&mut self, ctx: &mut Context<Self>) {
        let (now, oldest) = (self.env.clock.now(), self.queue.oldest());
        self.oldest.store(oldest.map_or(0, |since| since.0.saturating_add(1)), Ordering::Relaxed);
        QueueHeld(self.queue.waiting()).emit(&self.env.metrics);
        while let Some((queue, callers, oldest)) = self.queue.poll_line() {
            if let Some(series) = self.env.metrics.queue(&queue.to_string()) {
                series.waiting(callers, oldest.map(|since| since.0));
            }
        }
        QueuePromised(self.queue.promised()).emit(&self.env.metrics);
        self.wake.set(ctx, now, self.queue.poll_timeout(), |actor, ctx| {
            actor.wake.rang();
            actor.queue.tick(actor.env.clock.now());
            actor.carry_out(ctx);
            actor.settle(ctx);
        });
    }
}

impl Actor for QueueActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(QUEUE_MAILBOX);
    }
}

impl Handler<UseQueue> for QueueActor {
    type Result = ();
    fn handle(&mut self, change: UseQueue, ctx: &mut Self::Context) {
        self.use_queue(change, ctx);
        self.settle(ctx);
    }
}

impl Handler<GetQueues> for QueueActor {
    type Result = MessageResult<GetQueues>;
    fn handle(&mut self, _: GetQueues, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.queue.shown())
    }
}

impl Handler<UseSnapshot> for QueueActor {
    type Result = ();
    fn handle(&mut self, UseSnapshot(snapshot): UseSnapshot, _: &mut Self::Context) -> Self::Result {
        self.queue.follow(snapshot.configuration.offices.iter().map(|one| (one.id.clone(), one.queues)).collect());
        self.snapshot = Some(snapshot);
    }
}
