//! Questions to somebody outside that are answered later, on the simulation's own time.

use plugboard_model::Time;
use plugboard_switch::Clock as _;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;

/// What a question gets, and after how long.
pub(crate) type Answers<Q, A> = Box<dyn FnMut(&Q) -> (Duration, A) + Send>;

/// Where an answer goes.
pub(crate) type Reply<A> = Box<dyn FnOnce(A) + Send>;

/// Somebody who is asked. A clone is the same one.
pub(crate) struct Later<Q, A> {
    inside: Arc<Mutex<Inside<Q, A>>>,
    clock: Arc<SimClock>,
    wake: Arc<Notify>,
}

struct Inside<Q, A> {
    answers: Answers<Q, A>,
    asked: Vec<(Time, Q)>,
    open: BTreeMap<(Time, u64), (A, Reply<A>)>,
    next: u64,
}

impl<Q: Clone, A> Later<Q, A> {
    pub(crate) fn new((clock, wake): (Arc<SimClock>, Arc<Notify>), answers: Answers<Q, A>) -> Self {
        let inside = Inside { answers, asked: Vec::new(), open: BTreeMap::new(), next: 0 };
        Self { inside: Arc::new(Mutex::new(inside)), clock, wake }
    }

    /// From now on the answers are these.
    pub(crate) fn answers_are(&self, answers: Answers<Q, A>) {
        self.lock().answers = answers;
    }

    /// What was asked, and when, in this order.
    pub(crate) fn asked(&self) -> Vec<(Time, Q)> {
        self.lock().asked.clone()
    }

    /// When the next answer is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.lock().open.first_key_value().map(|((at, _), _)| *at)
    }

    /// Gives the answers that are due.
    pub(crate) fn answer(&self, now: Time) {
        loop {
            let mut inside = self.lock();
            let Some(first) = inside.open.first_entry().filter(|first| first.key().0 <= now) else { return };
            let (answer, reply) = first.remove();
            drop(inside);
            reply(answer);
        }
    }

    pub(crate) fn ask(&self, asked: Q, reply: Reply<A>) {
        let mut inside = self.lock();
        let (takes, answer) = (inside.answers)(&asked);
        let now = self.clock.now();
        inside.asked.push((now, asked));
        let key = (now + takes, inside.next);
        inside.next += 1;
        inside.open.insert(key, (answer, reply));
        drop(inside);
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inside<Q, A>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q, A> Clone for Later<Q, A> {
    fn clone(&self) -> Self {
        Self { inside: Arc::clone(&self.inside), clock: Arc::clone(&self.clock), wake: Arc::clone(&self.wake) }
    }
}

/// As somebody is asked in earnest: his time is over before a late answer.
pub(crate) fn within<A>(
    limit: Duration,
    (takes, answer): (Duration, A),
    time_over: impl FnOnce() -> A,
) -> (Duration, A) {
    if takes > limit { (limit, time_over()) } else { (takes, answer) }
}
