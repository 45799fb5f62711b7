//! Who waits for whom: one machine for all offices and shards.

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};
use plugboard_call::queue::{Left, Outcome, Queue, QueueOutput};
use plugboard_metrics::{QueueHeld, QueueLeft, QueueLongest, QueueOffered, QueueOver};
use plugboard_model::{CallId, Time, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::env::Env;
use crate::message::{CallBack, CallBackTo, Errand, GetQueues, Originate, QueueNews, UseQueue};
use crate::post::post;
use crate::wake::Wake;

/// A burst is a switch's users who all tell how they are at its start, or its callers who all come to wait.
const QUEUE_MAILBOX: usize = 16_384;
/// How long somebody who is free is rung when the caller did not say.
const RING_FOR: Duration = Duration::from_secs(20);

/// Holds the [`Queue`].
pub(crate) struct QueueActor {
    env: Env,
    queue: Queue,
    calls: BTreeMap<CallId, Recipient<QueueNews>>,
    back: BTreeMap<CallId, CallBackTo>,
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
            }
        });
        let (queue, wake) = (Queue::default(), Wake::default());
        let (calls, back, shards) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { env, queue, calls, back, shards, turn: 0, oldest, wake }
    }

    fn use_queue(&mut self, change: UseQueue, ctx: &Context<Self>) {
        let now = self.env.clock.now();
        match change {
            UseQueue::Join { joining, news } => {
                let call = joining.call.clone();
                if self.queue.join(now, joining) {
                    post(&news, QueueNews::Joined);
                    self.calls.insert(call, news);
                } else {
                    post(&news, QueueNews::Full);
                    self.over(&call, QueueLeft::Full);
                }
            }
            UseQueue::Leave { call, why } => {
                if self.calls.remove(&call).is_some() {
                    self.over(&call, if why == Left::Abandoned { QueueLeft::Abandoned } else { QueueLeft::Timeout });
                    self.queue.leave(now, &call, why);
                }
            }
            UseQueue::Rang { call, user, outcome } => {
                if outcome == Outcome::Answered {
                    self.back.remove(&call);
                    if self.calls.remove(&call).is_some() {
                        self.over(&call, QueueLeft::Answered);
                    }
                }
                self.queue.rang(now, &call, &user, outcome);
            }
            UseQueue::AskPosition(call) => {
                if let (Some(news), Some(position)) = (self.calls.get(&call), self.queue.position(&call)) {
                    post(news, QueueNews::Position(position));
                }
            }
            UseQueue::CallBack { call, to } => {
                self.calls.remove(&call);
                self.over(&call, QueueLeft::CalledBack);
                self.back.insert(call.clone(), to);
                if !self.queue.call_back(now, &call) {
                    self.back.remove(&call);
                }
            }
            UseQueue::Serve(shards) => self.shards = shards,
            UseQueue::UserIs(tells) => self.queue.user_tells(now, tells),
        }
        self.carry_out(ctx);
    }

    fn over(&self, call: &CallId, why: QueueLeft) {
        QueueOver { call, why }.emit(&self.env.metrics);
    }

    fn carry_out(&mut self, ctx: &Context<Self>) {
        while let Some(output) = self.queue.poll_output() {
            match output {
                QueueOutput::Offer { call, user } => {
                    QueueOffered { call: &call, user: &user }.emit(&self.env.metrics);
                    match self.calls.get(&call) {
                        Some(news) => post(news, QueueNews::Offered(user)),
                        None => self.queue.leave(self.env.clock.now(), &call, Left::Elsewhere),
                    }
                }
                QueueOutput::CallBack { call, user } => {
                    QueueOffered { call: &call, user: &user }.emit(&self.env.metrics);
                    self.call_back(call, user, ctx);
                }
            }
        }
        // Nobody is called back any more who has been forgotten.
        if self.back.len() > self.queue.waiting() {
            let queue = &self.queue;
            self.back.retain(|call, _| queue.position(call).is_some());
        }
    }

    /// Has whoever is free called, on the next shard, and then who has left.
    fn call_back(&mut self, call: CallId, user: UserId, ctx: &Context<Self>) {
        let back = CallBack::new(ctx.address().recipient(), call.clone(), user.clone());
        let shard = self.shards.get(self.turn % self.shards.len().max(1));
        self.turn = self.turn.wrapping_add(1);
        let (Some(shard), Some(to)) = (shard, self.back.get(&call)) else { return };
        let (office, ring_for) = (user.office.clone(), to.ring_for.max(RING_FOR));
        let errand = Errand::CallBack(Box::new(back));
        post(shard, Originate { office, from: user, to: to.number.clone(), ring_for, errand });
    }

    fn settle(&mut self, ctx: &mut Context<Self>) {
        let (now, oldest) = (self.env.clock.now(), self.queue.oldest());
        self.oldest.store(oldest.map_or(0, |since| since.0.saturating_add(1)), Ordering::Relaxed);
        QueueHeld(self.queue.waiting()).emit(&self.env.metrics);
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
