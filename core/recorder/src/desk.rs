//! What waits for the second thread: work on whole files, which takes as long as they are. The first one only lets tapes grow, so that
//! none of them waits for another one's end.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::writer::Errand;

/// Tapes whose ends wait to be summed up: as many calls as end in one moment. Past it the first thread does it itself, and the queue of
/// packets waits.
const ENDS_MAX: usize = 1_024;

#[derive(Default)]
pub(crate) struct Desk {
    queue: Mutex<Queue>,
    there: Condvar,
}

#[derive(Default)]
struct Queue {
    errands: VecDeque<Errand>,
    stopped: bool,
}

impl Desk {
    /// Few by their nature: a message that is heard, a file that is removed, a fax that came.
    pub(crate) fn push(&self, errand: Errand) {
        self.queue().errands.push_back(errand);
        self.there.notify_one();
    }

    /// The end of a tape; it comes back when too many wait.
    pub(crate) fn push_end(&self, errand: Errand) -> Option<Errand> {
        let mut queue = self.queue();
        if queue.errands.len() >= ENDS_MAX {
            return Some(errand);
        }
        queue.errands.push_back(errand);
        drop(queue);
        self.there.notify_one();
        None
    }

    pub(crate) fn take(&self) -> Option<Errand> {
        self.queue().errands.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue().errands.is_empty()
    }

    /// The next one; none: it is stopped and nothing is left.
    pub(crate) fn wait(&self) -> Option<Errand> {
        let mut queue = self.queue();
        loop {
            if let Some(errand) = queue.errands.pop_front() {
                return Some(errand);
            }
            if queue.stopped {
                return None;
            }
            queue = self.there.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn stop(&self) {
        self.queue().stopped = true;
        self.there.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Pushes and takes are whole: a panic under this lock leaves nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
