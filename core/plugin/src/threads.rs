//! Drives runners on threads of their own, so that no guest ever runs where calls are carried.

use crate::admission::{Admission, Place, StartError};
use crate::{Catalogue, Clock, RunEvent, RunKey, RunSpec, Runner, RunnerLimits};
use plugboard_model::HostResult;
use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, Thread};

/// Where events go: at least one, all of one call, in order. Called on the plugin threads; it must not block and not
/// panic.
pub type Sink = Arc<dyn Fn(Vec<RunEvent>) + Send + Sync>;

/// The plugin threads. Dropping it ends them; runs that have not ended are dropped without an event.
#[derive(Debug)]
pub struct PluginThreads {
    threads: Vec<PluginThread>,
    admission: Arc<Admission>,
}

/// Why there are no plugin threads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThreadsError {
    /// The operating system gives no thread.
    #[error("cannot start plugin thread {number}: {cause}")]
    Thread {
        /// Which one.
        number: usize,
        /// What the system says.
        cause: std::io::Error,
    },
}

#[derive(Debug)]
struct PluginThread {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

/// A thread's bounded queue. Whoever puts something in wakes the thread when he holds nothing any more: on a machine with few cores it runs at
/// once, in his place, and would otherwise wait for what he holds.
struct Queue {
    waiting: Mutex<Waiting>,
    places: usize,
}

#[derive(Default)]
struct Waiting {
    commands: VecDeque<Command>,
    /// Nothing is taken any more: the owner has gone, or the thread has.
    ended: bool,
}

enum Command {
    Start(Box<RunSpec>, Place),
    Resume { key: RunKey, n: u32, result: HostResult },
    Cancel(RunKey),
}

/// Commands that one run may have in a queue at once: its start, one answer, one cancel, and an answer that came late.
/// So a queue of this many times the runs that may be is never full, unless its thread is stuck.
const COMMANDS_PER_RUN: u32 = 4;
/// Commands taken before the next slice: a burst must not keep guests waiting, nor guests a burst.
const COMMANDS_PER_SLICE: usize = 64;

impl PluginThreads {
    /// Starts `threads` threads (at least one).
    ///
    /// # Errors
    /// [`ThreadsError`].
    pub fn new(
        catalogue: &Arc<Catalogue>,
        clock: &Clock,
        limits: RunnerLimits,
        threads: usize,
        sink: &Sink,
    ) -> Result<Self, ThreadsError> {
        let admission = Admission::new(limits);
        let count = u32::try_from(threads.max(1)).unwrap_or(u32::MAX);
        let places = usize::try_from(limits.runs_max.saturating_mul(COMMANDS_PER_RUN)).unwrap_or(usize::MAX);
        let mut started = Self { threads: Vec::with_capacity(threads), admission: Arc::clone(&admission) };
        for number in 0..threads.max(1) {
            let queue = Arc::new(Queue { waiting: Mutex::default(), places });
            let commands = Arc::clone(&queue);
            let (catalogue, clock) = (Arc::clone(catalogue), clock.clone());
            let (admission, sink) = (Arc::clone(&admission), Arc::clone(sink));
            let thread = std::thread::Builder::new()
                .name(format!("plugin-{number}"))
                .spawn(move || {
                    let commands = Ended(&commands);
                    let runner = Runner::sharing(catalogue, clock.clone(), limits, admission, count);
                    drive(runner, &clock, commands.0, &sink);
                })
                .map_err(|cause| ThreadsError::Thread { number, cause })?;
            started.threads.push(PluginThread { queue, thread: Some(thread) });
        }
        Ok(started)
    }

    /// Begins a run. Never blocks.
    ///
    /// # Errors
    /// [`StartError`]; then no event follows.
    pub fn start(&self, spec: RunSpec) -> Result<(), StartError> {
        let place = self.admission.take(spec.component)?;
        let key = spec.key.clone();
        match self.send(&key, Command::Start(Box::new(spec), place)) {
            Sent::Queued => Ok(()),
            Sent::Full => Err(StartError::RunsFull(self.admission.runs())),
            Sent::Ended => Err(StartError::Ended),
        }
    }

    /// Gives the answer to host call `n`. Never blocks; an answer that nobody waits for is dropped.
    ///
    /// `false`: the thread has ended, or its queue is full although that needs more answers than runs ask for; the
    /// run will not go on, so the caller ends it on its side.
    pub fn resume(&self, key: RunKey, n: u32, result: HostResult) -> bool {
        let sent = self.send(&key.clone(), Command::Resume { key, n, result });
        matches!(sent, Sent::Queued)
    }

    /// Drops a run, because its call ended. Never blocks. `false` as for [`PluginThreads::resume`].
    pub fn cancel(&self, key: RunKey) -> bool {
        let sent = self.send(&key.clone(), Command::Cancel(key));
        matches!(sent, Sent::Queued)
    }

    /// Runs that have not ended, those in the queues included.
    pub fn runs(&self) -> u32 {
        self.admission.runs()
    }

    /// Runs that hold an instance in memory, whether they compute or wait; those that are put away hold none.
    pub fn instances(&self) -> u32 {
        self.admission.instances()
    }

    fn send(&self, key: &RunKey, command: Command) -> Sent {
        // All runs of a call are on one thread, so that its journal is written in one order.
        let mut hasher = DefaultHasher::new();
        key.call.hash(&mut hasher);
        let count = u64::try_from(self.threads.len()).unwrap_or(1).max(1);
        let index = usize::try_from(hasher.finish() % count).unwrap_or(0);
        let Some(PluginThread { queue, thread: Some(thread) }) = self.threads.get(index) else {
            return Sent::Ended;
        };
        queue.push(command, thread.thread())
    }
}

enum Sent {
    Queued,
    Full,
    Ended,
}

impl Drop for PluginThreads {
    fn drop(&mut self) {
        for thread in &mut self.threads {
            thread.queue.waiting().ended = true;
            if let Some(thread) = &thread.thread {
                thread.thread().unpark();
            }
        }
        for thread in &mut self.threads {
            if let Some(thread) = thread.thread.take() {
                // A thread that panicked has told nobody anything more; its runs are gone with it.
                drop(thread.join());
            }
        }
    }
}

/// However its thread ends, nothing is put into its queue any more.
struct Ended<'a>(&'a Queue);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.waiting().ended = true;
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Queue {
    fn push(&self, command: Command, thread: &Thread) -> Sent {
        let mut waiting = self.waiting();
        if waiting.ended {
            return Sent::Ended;
        }
        if waiting.commands.len() >= self.places {
            return Sent::Full;
        }
        waiting.commands.push_back(command);
        // What waits already has woken the thread.
        let first = waiting.commands.len() == 1;
        drop(waiting);
        if first {
            thread.unpark();
        }
        Sent::Queued
    }

    /// Moves the first commands over, and tells whether more wait; none: the thread is to end.
    fn take(&self, some: &mut VecDeque<Command>) -> Option<bool> {
        let mut waiting = self.waiting();
        if waiting.ended {
            return None;
        }
        let count = waiting.commands.len().min(COMMANDS_PER_SLICE);
        some.extend(waiting.commands.drain(..count));
        Some(!waiting.commands.is_empty())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A push and a take are whole: a panic under this lock leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drive(mut runner: Runner, clock: &Clock, queue: &Queue, sink: &Sink) {
    let mut commands = VecDeque::new();
    loop {
        let Some(more) = queue.take(&mut commands) else { return };
        for command in commands.drain(..) {
            carry_out(&mut runner, command);
        }
        let worked = runner.work();
        loop {
            let events = runner.take_events();
            if events.is_empty() {
                break;
            }
            sink(events);
        }
        if worked || more {
            continue;
        }
        // Whoever has put something in since the look has left a token: this returns at once then.
        match runner.poll_timeout() {
            Some(until) => std::thread::park_timeout(until.since(clock.now())),
            None => std::thread::park(),
        }
    }
}

fn carry_out(runner: &mut Runner, command: Command) {
    match command {
        Command::Start(spec, place) => runner.start_in(*spec, place),
        Command::Resume { key, n, result } => runner.resume(&key, n, result),
        Command::Cancel(key) => runner.cancel(&key),
    }
}
