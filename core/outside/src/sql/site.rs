//! One database: its connections, who waits for them, and whether it is left alone.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::connection::{Connection, Trust};
use super::{NoRows, Query, Rows, Source};
use crate::breaker::Breaker;
use crate::dialling::Names;

/// Questions that wait for a connection, for each that there is.
const WAIT_FOR_EACH: u32 = 8;
/// How long a connection waits for the next question.
const IDLE: Duration = Duration::from_secs(30);
/// A server that takes no connection for so long is down.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// A database's connections and failures.
pub(super) struct Site {
    source: Arc<Source>,
    trust: Trust,
    /// Connections that may be open.
    places: Semaphore,
    /// Questions that have one or wait for one.
    inside: AtomicU32,
    idle: Mutex<Vec<Idle>>,
    breaker: Mutex<Breaker>,
}

/// A connection that waits for a question.
struct Idle {
    connection: Connection,
    writes: bool,
    since: Instant,
}

/// One of those that ask and wait, given back when it goes.
struct Seat<'s>(&'s AtomicU32);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is known of a question while it is asked.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    may_be_done: AtomicBool,
}

impl Attempt {
    /// From here on what it changes may stay changed, whatever is heard of it.
    pub(super) fn may_be_done(&self) {
        self.may_be_done.store(true, Ordering::Relaxed);
    }

    fn is_sure(&self) -> bool {
        !self.may_be_done.load(Ordering::Relaxed)
    }
}

impl Site {
    pub(super) fn new(source: Arc<Source>, names: Names, roots: Arc<Vec<u8>>) -> Self {
        let places = Semaphore::new(usize::try_from(source.at_once).unwrap_or(1));
        let trust = Trust { names, roots };
        Self { source, trust, places, inside: AtomicU32::new(0), idle: Mutex::default(), breaker: Mutex::default() }
    }

    pub(super) fn is_of(&self, source: &Source) -> bool {
        *self.source == *source
    }

    /// Asks, within the question's time since it was asked.
    pub(super) async fn ask(&self, query: &Query, since: Instant) -> Result<Rows, NoRows> {
        let most = self.source.at_once.saturating_mul(1 + WAIT_FOR_EACH);
        let more = |inside: u32| (inside < most).then_some(inside + 1);
        if self.inside.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return Err(NoRows::Busy);
        }
        let seat = Seat(&self.inside);
        if !lock(&self.breaker).lets_pass(Instant::now()) {
            return Err(NoRows::Unreachable("it failed just now, and is left alone for ten seconds".into()));
        }
        let attempt = Attempt::default();
        let left = query.timeout.saturating_sub(since.elapsed());
        let answer = tokio::time::timeout(left, self.tries(query, &attempt)).await;
        let answer = answer.unwrap_or(Err(NoRows::TimeOver));
        match &answer {
            Err(NoRows::TimeOver | NoRows::Unreachable(_) | NoRows::Broken(_)) => {
                lock(&self.breaker).failed(Instant::now());
            }
            Ok(_)
            | Err(
                NoRows::Busy
                | NoRows::Refused(_)
                | NoRows::TooMany
                | NoRows::TooLong
                | NoRows::Unshown(_)
                | NoRows::Unknown(_),
            ) => lock(&self.breaker).answered(),
        }
        drop(seat);
        answer.map_err(|why| if attempt.is_sure() { why } else { unknown(why) })
    }

    /// Asks until there is an answer, or no try is left.
    async fn tries(&self, query: &Query, attempt: &Attempt) -> Result<Rows, NoRows> {
        let Ok(_place) = self.places.acquire().await else { return Err(NoRows::Busy) };
        let mut left = if query.writes { 0 } else { query.retries };
        loop {
            let answer = self.once(query, attempt).await;
            if left == 0 || !matches!(answer, Err(NoRows::Unreachable(_) | NoRows::Broken(_))) {
                return answer;
            }
            left -= 1;
            pause().await;
        }
    }

    async fn once(&self, query: &Query, attempt: &Attempt) -> Result<Rows, NoRows> {
        let mut connection = self.connection(query.writes).await?;
        let answer = connection.ask(query, attempt).await;
        // Whatever else went wrong, nobody knows what would come from it next.
        if matches!(answer, Ok(_) | Err(NoRows::Refused(_))) {
            lock(&self.idle).push(Idle { connection, writes: query.writes, since: Instant::now() });
        }
        answer
    }

    /// One that waits and is well, or a new one.
    async fn connection(&self, writes: bool) -> Result<Connection, NoRows> {
        while let Some(mut connection) = self.waiting(writes) {
            if connection.is_well().await {
                return Ok(connection);
            }
        }
        let connecting = Connection::open(&self.source, writes, &self.trust);
        match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            Ok(opened) => opened,
            Err(_) => Err(NoRows::Unreachable("it takes no connection".into())),
        }
    }

    fn waiting(&self, writes: bool) -> Option<Connection> {
        self.sweep(Instant::now());
        let mut idle = lock(&self.idle);
        let at = idle.iter().rposition(|one| one.writes == writes)?;
        Some(idle.swap_remove(at).connection)
    }

    /// Ends connections that nobody needed for a while.
    pub(super) fn sweep(&self, now: Instant) {
        lock(&self.idle).retain(|one| now.saturating_duration_since(one.since) < IDLE);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The failure of a question that may have changed something.
fn unknown(why: NoRows) -> NoRows {
    match why {
        NoRows::TimeOver => NoRows::Unknown("no answer came in time".into()),
        NoRows::Broken(reason) => NoRows::Unknown(format!("the connection broke: {reason}")),
        NoRows::TooMany => NoRows::Unknown("it returned too many rows".into()),
        NoRows::TooLong => NoRows::Unknown("its rows are too long".into()),
        NoRows::Unshown(column) => NoRows::Unknown(format!("a column cannot be shown: {column}")),
        sure @ (NoRows::Unreachable(_) | NoRows::Busy | NoRows::Refused(_) | NoRows::Unknown(_)) => sure,
    }
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to be waited for but time")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
