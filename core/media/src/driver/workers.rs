//! Threads that pack and unpack audio. The media threads hand them booths and get them back; what they cannot take is
//! dropped and counted there, so that nobody's relay ever waits for a codec.

use super::Shared;
use super::shard::Job;
use super::sys;
use crate::booth::Work;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Pieces of work that wait for a worker: at a third of a millisecond each, the last one of 128 is done 40 ms later, which
/// is as late as a talk bears.
pub(super) const WAITING_MAX: usize = 128;

/// Workers give way to whoever relays.
const NICENESS: i32 = 5;

/// The queue that all workers share.
#[derive(Debug)]
pub(super) struct Workers {
    waiting: Mutex<Waiting>,
    there: Condvar,
    most: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    work: VecDeque<Work>,
    stopped: bool,
}

impl Workers {
    /// The queue of so many workers.
    pub(super) fn new(threads: usize) -> Self {
        Self { waiting: Mutex::default(), there: Condvar::new(), most: threads.saturating_mul(WAITING_MAX) }
    }

    /// Hands work over; gives it back when there is too much already.
    pub(super) fn push(&self, work: Work) -> Result<(), Work> {
        let mut waiting = self.waiting();
        if waiting.stopped || waiting.work.len() >= self.most {
            return Err(work);
        }
        waiting.work.push_back(work);
        drop(waiting);
        self.there.notify_one();
        Ok(())
    }

    pub(super) fn stop(&self) {
        self.waiting().stopped = true;
        self.there.notify_all();
    }

    /// A worker's life.
    pub(super) fn run(&self, shared: &Arc<Shared>) {
        sys::give_way(NICENESS);
        while let Some(mut work) = self.next() {
            let leg = work.leg();
            let done = catch_unwind(AssertUnwindSafe(|| {
                work.run();
                work
            }));
            // A panic in a codec ends this leg alone; it has been printed.
            let job = done.map_or(Job::Broke(leg), |work| Job::Done(Box::new(work)));
            if let Some(queue) = shared.queues.get(usize::from(leg.shard())) {
                // A shard that has ended needs it no more.
                let _taken = queue.push(job);
            }
        }
    }

    fn next(&self) -> Option<Work> {
        let mut waiting = self.waiting();
        loop {
            if waiting.stopped {
                return None;
            }
            if let Some(work) = waiting.work.pop_front() {
                return Some(work);
            }
            waiting = self.there.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Pushes and takes are whole: a panic under this lock leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
