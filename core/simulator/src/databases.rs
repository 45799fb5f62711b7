//! Databases in a story: what each question gets, on the story's own time.

use plugboard_model::{DatabaseError, DatabaseRows, Time};
use plugboard_switch::{DatabaseQuestion, DatabaseReply, Databases};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::SimClock;
use crate::later::{Answers, Later, within};

/// What a database answers, and after how long.
pub(crate) type Tables = Answers<DatabaseQuestion, Result<DatabaseRows, DatabaseError>>;

/// Databases that answer later.
#[derive(Clone)]
pub(crate) struct SimDatabases(Later<DatabaseQuestion, Result<DatabaseRows, DatabaseError>>);

impl SimDatabases {
    pub(crate) fn new(both: (Arc<SimClock>, Arc<Notify>)) -> Self {
        let nobody = || Err(DatabaseError::Unreachable("nobody is there".into()));
        Self(Later::new(both, Box::new(move |_| (Duration::ZERO, nobody()))))
    }

    pub(crate) fn tables_are(&self, mut tables: Tables) {
        let answers = move |asked: &DatabaseQuestion| {
            within(asked.database.timeout, tables(asked), || Err(DatabaseError::TimeOver))
        };
        self.0.answers_are(Box::new(answers));
    }

    pub(crate) fn asked(&self) -> Vec<DatabaseQuestion> {
        self.0.asked().into_iter().map(|(_, asked)| asked).collect()
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.0.next()
    }

    pub(crate) fn answer(&self, now: Time) {
        self.0.answer(now);
    }
}

impl Databases for SimDatabases {
    fn ask(&self, asked: DatabaseQuestion, reply: DatabaseReply) {
        self.0.ask(asked, reply);
    }
}
