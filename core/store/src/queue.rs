//! The bounded queue between those who write and the writer.
//!
//! Policy when it is full: journal lines are dropped and counted as soon as [`JOURNAL_JOBS_MAX`] jobs or
//! [`JOURNAL_BYTES_MAX`] bytes wait; durable writes have the room beyond that, up to [`JOBS_MAX`] and [`BYTES_MAX`], so
//! that a flood of lines never costs a record. Past that they are lost too, and counted.

use crate::engine::Change;
use crate::error::CommitError;
use crate::traits::Rev;
use crate::writer::Decide;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Jobs that may wait before journal lines are dropped: four seconds of 50 calls/s with 40 lines each.
pub(crate) const JOURNAL_JOBS_MAX: usize = 8_192;
/// Bytes that may wait before journal lines are dropped: they are memory that the switch could not give back.
pub(crate) const JOURNAL_BYTES_MAX: usize = 16 << 20;
/// Jobs that may wait at all: a minute and a half of records at 200 calls/s above the journal's share.
pub(crate) const JOBS_MAX: usize = JOURNAL_JOBS_MAX + 16_384;
/// Bytes that may wait at all, a blob of 64 MiB among them.
pub(crate) const BYTES_MAX: usize = JOURNAL_BYTES_MAX + (80 << 20);
/// Looks for nothing before the writer sleeps until it is woken: where calls come all the time, waking it for each
/// costs more than its looks.
const EMPTY_LOOKS_MAX: u32 = 6;

/// Told once, when a write is done: after the sync for what is synced, after the write for journal lines.
///
/// Called on the writer's thread: must not wait, nor call a waiting method of the store.
pub type Done = Box<dyn FnOnce(Result<Rev, CommitError>) + Send>;

/// What kind of care a write gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// So many lines; not synced; dropped and counted under pressure or on a failing disk.
    Journal { lines: u32 },
    /// Not synced; kept and tried again on a failing disk.
    State,
    /// Synced; kept and tried again on a failing disk.
    Record,
    /// Synced; somebody waits, so a failing disk is told at once.
    Commit,
}

/// What is to be written.
pub(crate) enum Work {
    /// Known already.
    Changes(Vec<Change>),
    /// Decided by the writer from what is there: compare-and-set. Only for [`Class::Commit`].
    Decide(Decide),
}

/// One thing to write.
pub(crate) struct Job {
    pub(crate) class: Class,
    pub(crate) work: Work,
    pub(crate) bytes: usize,
    pub(crate) done: Option<Done>,
}

impl Job {
    pub(crate) fn new(class: Class, changes: Vec<Change>, done: Option<Done>) -> Self {
        let bytes = changes.iter().map(Change::len).sum();
        Self { class, work: Work::Changes(changes), bytes, done }
    }
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// The writer sleeps until it is woken; else it comes by itself.
    idle: bool,
    /// How often the writer came for nothing since the last job.
    empty_looks: u32,
    /// Somebody waits for a job in here.
    urgent: bool,
    closed: bool,
    wake: Option<Box<dyn Fn() + Send>>,
}

/// The queue, shared by all who write.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    woken: Condvar,
    lost_journal: AtomicU64,
    lost_records: AtomicU64,
    overflowed: AtomicU64,
}

impl Queue {
    /// Puts a job in, or loses it by the policy above; never waits for the disk. A lost job's `done` is told so.
    pub(crate) fn push(&self, job: Job) {
        let mut waiting = self.lock();
        let (jobs, bytes) = match job.class {
            Class::Journal { .. } => (JOURNAL_JOBS_MAX, JOURNAL_BYTES_MAX),
            Class::State | Class::Record | Class::Commit => (JOBS_MAX, BYTES_MAX),
        };
        if waiting.closed || waiting.jobs.len() >= jobs || waiting.bytes.saturating_add(job.bytes) > bytes {
            let reason = if waiting.closed { "the store is closed" } else { "its queue is full" };
            drop(waiting);
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            self.count_lost(job.class);
            if let Some(done) = job.done {
                done(Err(CommitError::Unavailable { reason: reason.into() }));
            }
            return;
        }
        waiting.bytes += job.bytes;
        let (urgent, first) = (job.class == Class::Commit, waiting.jobs.is_empty());
        waiting.jobs.push_back(job);
        if waiting.idle || urgent {
            waiting.idle = false;
            waiting.urgent |= urgent;
            self.woken.notify_one();
        }
        if first && let Some(wake) = &waiting.wake {
            wake();
        }
    }

    /// Counts a job as lost. Only what nobody waits for is a loss: who waits is told and can try again.
    pub(crate) fn count_lost(&self, class: Class) {
        match class {
            Class::Journal { lines } => self.lost_journal.fetch_add(lines.into(), Ordering::Relaxed),
            Class::State | Class::Record => self.lost_records.fetch_add(1, Ordering::Relaxed),
            Class::Commit => 0,
        };
    }

    /// Everything that waits.
    pub(crate) fn take(&self) -> VecDeque<Job> {
        let mut waiting = self.lock();
        (waiting.bytes, waiting.urgent) = (0, false);
        std::mem::take(&mut waiting.jobs)
    }

    /// Journal lines and records lost since the start.
    pub(crate) fn lost(&self) -> (u64, u64) {
        (self.lost_journal.load(Ordering::Relaxed), self.lost_records.load(Ordering::Relaxed))
    }

    /// Jobs refused because the queue was full, since the last question.
    pub(crate) fn take_overflowed(&self) -> u64 {
        self.overflowed.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().jobs.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Sleeps `linger` and not past `at_most`, so that a burst of lines is one write; less when somebody waits for a job.
    /// After some looks for nothing it first sleeps until there is a job, the queue closes, or `at_most` has passed.
    /// False when the queue is closed.
    pub(crate) fn wait(&self, at_most: Option<Duration>, linger: Duration) -> bool {
        let mut waiting = self.lock();
        waiting.empty_looks = if waiting.jobs.is_empty() { waiting.empty_looks.saturating_add(1) } else { 0 };
        if waiting.jobs.is_empty() && !waiting.closed && waiting.empty_looks > EMPTY_LOOKS_MAX {
            waiting.idle = true;
            waiting = match at_most {
                Some(time) => self.woken.wait_timeout(waiting, time).unwrap_or_else(PoisonError::into_inner).0,
                None => self.woken.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
            waiting.idle = false;
            if waiting.jobs.is_empty() {
                return !waiting.closed;
            }
        }
        if !waiting.closed && !waiting.urgent {
            let pause = at_most.map_or(linger, |time| time.min(linger));
            waiting = self.woken.wait_timeout(waiting, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
        !waiting.closed
    }

    /// Takes no more jobs and wakes the writer, which ends when it has written what waits.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.woken.notify_all();
    }

    /// Calls `wake` whenever a job comes to the empty queue. Under the queue's lock: it must only signal.
    pub(crate) fn on_first(&self, wake: Box<dyn Fn() + Send>) {
        self.lock().wake = Some(wake);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Family;
    use std::sync::Arc;

    fn job(class: Class, done: Option<Done>) -> Job {
        Job::new(class, vec![Change::Put { family: Family::Main, key: vec![1], value: vec![2] }], done)
    }

    #[test]
    fn a_flood_of_lines_is_dropped_and_counted_while_records_still_enter() {
        let queue = Queue::default();
        for _ in 0..JOURNAL_JOBS_MAX + 5 {
            queue.push(job(Class::Journal { lines: 3 }, None));
        }
        assert_eq!(queue.lost(), (15, 0));
        queue.push(job(Class::Record, None));
        assert_eq!(queue.len(), JOURNAL_JOBS_MAX + 1);
        assert_eq!(queue.lost(), (15, 0));
    }

    #[test]
    fn past_the_last_limit_records_are_lost_counted_and_told() {
        let (queue, told) = (Queue::default(), Arc::new(AtomicU64::new(0)));
        for _ in 0..JOBS_MAX {
            queue.push(job(Class::Record, None));
        }
        let tell = told.clone();
        queue.push(job(
            Class::Record,
            Some(Box::new(move |result| {
                assert!(matches!(result, Err(CommitError::Unavailable { .. })));
                tell.fetch_add(1, Ordering::Relaxed);
            })),
        ));
        assert_eq!(queue.lost(), (0, 1));
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }
}
