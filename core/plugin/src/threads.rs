//! Drives runners on threads of their own, so that no guest ever runs where calls are carried.

use crate::admission::{Admission, Place, StartError};
use crate::{Catalogue, Clock, RunEvent, RunKey, RunSpec, Runner, RunnerLimits};
use plugboard_model::HostResult;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;

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
    queue: Option<SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
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
            let (queue, commands) = sync_channel(places);
            let (catalogue, clock) = (Arc::clone(catalogue), clock.clone());
            let (admission, sink) = (Arc::clone(&admission), Arc::clone(sink));
            let thread = std::thread::Builder::new()
                .name(format!("plugin-{number}"))
                .spawn(move || {
                    let runner = Runner::sharing(catalogue, clock.clone(), limits, admission, count);
                    drive(runner, &clock, &commands, &sink);
                })
                .map_err(|cause| ThreadsError::Thread { number, cause })?;
            started.threads.push(PluginThread { queue: Some(queue), thread: Some(thread) });
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
        let Some(queue) = self.threads.get(index).and_then(|thread| thread.queue.as_ref()) else {
            return Sent::Ended;
        };
        match queue.try_send(command) {
            Ok(()) => Sent::Queued,
            Err(TrySendError::Full(_)) => Sent::Full,
            Err(TrySendError::Disconnected(_)) => Sent::Ended,
        }
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
            thread.queue = None;
        }
        for thread in &mut self.threads {
            if let Some(thread) = thread.thread.take() {
                // A thread that panicked has told nobody anything more; its runs are gone with it.
                drop(thread.join());
            }
        }
    }
}

fn drive(mut runner: Runner, clock: &Clock, commands: &Receiver<Command>, sink: &Sink) {
    loop {
        for _ in 0..COMMANDS_PER_SLICE {
            match commands.try_recv() {
                Ok(command) => carry_out(&mut runner, command),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let worked = runner.work();
        loop {
            let events = runner.take_events();
            if events.is_empty() {
                break;
            }
            sink(events);
        }
        if worked {
            continue;
        }
        let next = match runner.poll_timeout() {
            Some(until) => commands.recv_timeout(until.since(clock.now())),
            None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(command) => carry_out(&mut runner, command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
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
