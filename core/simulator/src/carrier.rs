//! Mail servers and providers in a story: what becomes of each notice, on the story's own time.

use plugboard_model::{Notice, NoticeEnd, Time};
use plugboard_switch::{Carriage, CarriageReply, Carrier, Clock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;

/// What becomes of a notice, and after how long.
pub(crate) type Fate = Box<dyn FnMut(&Notice) -> (Duration, NoticeEnd) + Send>;

/// Whoever carries notices on.
#[derive(Clone)]
pub(crate) struct SimCarrier {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<SimClock>,
    wake: Arc<Notify>,
}

struct Inside {
    fate: Fate,
    carried: Vec<(Time, Notice)>,
    open: BTreeMap<(Time, u64), (NoticeEnd, CarriageReply)>,
    next: u64,
}

impl SimCarrier {
    pub(crate) fn new(clock: Arc<SimClock>, wake: Arc<Notify>) -> Self {
        let taken = |_: &Notice| (Duration::from_millis(50), NoticeEnd::Sent("250 ok".into()));
        let inside = Inside { fate: Box::new(taken), carried: Vec::new(), open: BTreeMap::new(), next: 0 };
        Self { inside: Arc::new(Mutex::new(inside)), clock, wake }
    }

    pub(crate) fn carrier_is(&self, fate: Fate) {
        self.lock().fate = fate;
    }

    pub(crate) fn carried(&self) -> Vec<(Time, Notice)> {
        self.lock().carried.clone()
    }

    /// When the next word is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.lock().open.first_key_value().map(|((at, _), _)| *at)
    }

    /// Gives the words that are due.
    pub(crate) fn answer(&self, now: Time) {
        loop {
            let mut inside = self.lock();
            let Some(first) = inside.open.first_entry().filter(|first| first.key().0 <= now) else { return };
            let (end, reply) = first.remove();
            drop(inside);
            reply(end);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carrier for SimCarrier {
    fn carry(&self, Carriage { notice, .. }: Carriage, reply: CarriageReply) {
        let mut inside = self.lock();
        let (takes, end) = (inside.fate)(&notice);
        let now = self.clock.now();
        inside.carried.push((now, notice));
        let key = (now + takes, inside.next);
        inside.next += 1;
        inside.open.insert(key, (end, reply));
        drop(inside);
        self.wake.notify_one();
    }
}
