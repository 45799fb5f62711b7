//! What waits for the second thread: work on whole files, which takes as long as they are. The first one only lets tapes grow, so that
//! none of them waits for another one's end.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::writer::Errand;

/// Tapes whose ends wait to be summed up: as many calls as end in one moment. Past it the first thread does it itself, and the queue of
/// packets waits.
const ENDS_MAX: usize = 1_024;

/// Messages that wait to be heard: whoever waits longer than for so many has hung up.
const LOADS_MAX: usize = 256;

/// Files that wait to be removed or written, ends of tapes included: what an admin erases at once may be many.
const WAITING_MAX: usize = 16_384;

/// Bytes of faxes that wait to be written.
const FAX_BYTES_MAX: usize = 256 << 20;

#[derive(Default)]
pub(crate) struct Desk {
    queue: Mutex<Queue>,
    there: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Somebody listens for what is in these: they go first.
    loads: VecDeque<Errand>,
    others: VecDeque<Errand>,
    fax_bytes: usize,
    stopped: bool,
}

impl Desk {
    /// Takes an errand; it comes back when too many wait.
    pub(crate) fn push(&self, errand: Errand) -> Option<Errand> {
        let mut queue = self.queue();
        let waiting = queue.others.len();
        let has_room = match &errand {
            Errand::Load { .. } => queue.loads.len() < LOADS_MAX,
            Errand::Finish { .. } => waiting < ENDS_MAX,
            Errand::Remove { .. } => waiting < WAITING_MAX,
            Errand::KeepFax { tiff, .. } => {
                waiting < WAITING_MAX && queue.fax_bytes.saturating_add(tiff.len()) <= FAX_BYTES_MAX
            }
        };
        if !has_room {
            return Some(errand);
        }
        queue.push(errand);
        drop(queue);
        self.there.notify_one();
        None
    }

    pub(crate) fn take(&self) -> Option<Errand> {
        self.queue().take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        let queue = self.queue();
        queue.loads.is_empty() && queue.others.is_empty()
    }

    /// The next one; none: it is stopped and nothing is left.
    pub(crate) fn wait(&self) -> Option<Errand> {
        let mut queue = self.queue();
        loop {
            if let Some(errand) = queue.take() {
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

impl Queue {
    fn push(&mut self, errand: Errand) {
        match errand {
            Errand::Load { .. } => self.loads.push_back(errand),
            Errand::KeepFax { ref tiff, .. } => {
                self.fax_bytes += tiff.len();
                self.others.push_back(errand);
            }
            Errand::Finish { .. } | Errand::Remove { .. } => self.others.push_back(errand),
        }
    }

    fn take(&mut self) -> Option<Errand> {
        let errand = self.loads.pop_front().or_else(|| self.others.pop_front())?;
        if let Errand::KeepFax { tiff, .. } = &errand {
            self.fax_bytes -= tiff.len();
        }
        Some(errand)
    }
}
