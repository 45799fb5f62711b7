//! Databases in a story: what each question gets, on the story's own time.

use plugboard_model::{DatabaseError, DatabaseRows, Time};
use plugboard_switch::{Clock, DatabaseQuestion, DatabaseReply, Databases};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;

/// What a database answers, and after how long.
pub(crate) type Tables = Box<dyn FnMut(&DatabaseQuestion) -> (Duration, Result<DatabaseRows, DatabaseError>) + Send>;

/// Databases that answer later.
#[derive(Clone)]
pub(crate) struct SimDatabases {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<SimClock>,
    wake: Arc<Notify>,
}

struct Inside {
    tables: Tables,
    asked: Vec<DatabaseQuestion>,
    open: BTreeMap<(Time, u64), (Result<DatabaseRows, DatabaseError>, DatabaseReply)>,
    next: u64,
}

impl SimDatabases {
    pub(crate) fn new((clock, wake): (Arc<SimClock>, Arc<Notify>)) -> Self {
        let nobody = |_: &DatabaseQuestion| (Duration::ZERO, Err(DatabaseError::Unreachable("nobody is there".into())));
        let inside = Inside { tables: Box::new(nobody), asked: Vec::new(), open: BTreeMap::new(), next: 0 };
        Self { inside: Arc::new(Mutex::new(inside)), clock, wake }
    }

    pub(crate) fn tables_are(&self, tables: Tables) {
        self.lock().tables = tables;
    }

    pub(crate) fn asked(&self) -> Vec<DatabaseQuestion> {
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

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Databases for SimDatabases {
    fn ask(&self, asked: DatabaseQuestion, reply: DatabaseReply) {
        let mut inside = self.lock();
        let (takes, answer) = (inside.tables)(&asked);
        let timeout = asked.database.timeout;
        // As a database is asked in earnest: its time is over before a late answer.
        let (takes, answer) = if takes > timeout { (timeout, Err(DatabaseError::TimeOver)) } else { (takes, answer) };
        let key = (self.clock.now() + takes, inside.next);
        inside.next += 1;
        inside.asked.push(asked);
        inside.open.insert(key, (answer, reply));
        drop(inside);
        self.wake.notify_one();
    }
}
