//! The writer: takes what waits, writes it in order, syncs in groups, goes on trying when the disk fails.
//!
//! It is a machine without a thread: [`Writer::run`] does what is due now and [`Writer::poll_timeout`] says when to
//! come again. Production drives it from a thread, a simulation from its own loop; the code is the same.

use crate::engine::{Change, Engine};
use crate::error::{CommitError, StoreError};
use crate::health::{StoreHealth, StoreObserver};
use crate::queue::{Class, Done, Job, Queue, Work};
use crate::traits::Rev;
use plugboard_model::Time;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a write that somebody counts on waits for others before the sync that they share. It leaves the disk 10 of
/// the 20 ms that are promised.
pub(crate) const GROUP_TIME: Duration = Duration::from_millis(10);
/// How long the writer's thread lets lines and records gather, so that a call costs a few writes instead of forty. The
/// time counts for [`GROUP_TIME`]: what gathered together is synced together, without another wait.
pub(crate) const LINGER: Duration = GROUP_TIME;
/// Between two attempts on a disk that fails.
pub(crate) const RETRY_TIME: Duration = Duration::from_secs(1);
/// Records held while the disk fails: two minutes at 200 calls/s, some 40 MB.
const KEPT_MAX: usize = 24_576;
/// ... and the bytes with which one that is larger than a record is held no more: two large documents.
const KEPT_BYTES_MAX: usize = 128 << 20;
/// What is no larger is no document: their number alone bounds them.
const RECORD_BYTES: usize = 4_096;
/// Writes that wait for one sync: they are held in memory until then, in case the disk fails.
const GROUP_JOBS_MAX: usize = 4_096;
/// Bytes of one batch: a larger one would only hold more memory.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Decides a write from what is there; the revision is what its keys get.
pub(crate) type Decide = Box<dyn FnOnce(&Engine, Rev) -> Result<Vec<Change>, CommitError> + Send>;

/// Somebody to be told, and what. The driver tells, when no lock is held.
pub(crate) struct Told {
    done: Done,
    result: Result<Rev, CommitError>,
}

impl Told {
    /// Calls the callback. One that panics is its owner's fault: the writer goes on for everybody else.
    pub(crate) fn tell(self) {
        catch_unwind(AssertUnwindSafe(|| (self.done)(self.result))).ok();
    }
}

/// Writes that were written and wait for the sync.
#[derive(Default)]
struct Group {
    began: Time,
    jobs: Vec<Job>,
    rev: Option<Rev>,
}

enum State {
    /// The disk takes what it gets.
    Writing(Group),
    /// It does not. `kept` is written when it does again.
    Failing { retry_at: Time, reason: String, kept: VecDeque<Job> },
}

/// The one who writes.
pub(crate) struct Writer {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    health: Arc<Mutex<StoreHealth>>,
    observer: Option<Arc<dyn StoreObserver>>,
    state: State,
    told: Vec<Told>,
    lost: (u64, u64),
    /// How long the jobs that are taken next have gathered already.
    gathered: Duration,
}

impl Writer {
    pub(crate) fn new(
        engine: Arc<Engine>,
        queue: Arc<Queue>,
        health: Arc<Mutex<StoreHealth>>,
        observer: Option<Arc<dyn StoreObserver>>,
    ) -> Self {
        let state = State::Writing(Group::default());
        Self { engine, queue, health, observer, state, told: Vec::new(), lost: (0, 0), gathered: Duration::ZERO }
    }

    /// The jobs that are taken next have waited so long: that much less their group waits for others.
    pub(crate) fn have_gathered(&mut self, time: Duration) {
        self.gathered = time;
    }

    /// Writes what waits and syncs what is due. `clock` is asked again after a write, since a disk takes its time.
    pub(crate) fn run(&mut self, clock: &dyn Fn() -> Time) -> Vec<Told> {
        self.step(clock, false)
    }

    /// Writes what waits and syncs all of it now.
    pub(crate) fn finish(&mut self, clock: &dyn Fn() -> Time) -> Vec<Told> {
        self.step(clock, true)
    }

    /// As [`Writer::finish`], for the last time: what the disk does not take now is lost, and counted.
    pub(crate) fn end(&mut self, clock: &dyn Fn() -> Time) -> Vec<Told> {
        let mut told = self.step(clock, true);
        if let State::Failing { kept, reason, .. } = &mut self.state {
            for job in kept.drain(..) {
                self.queue.count_lost(job.class);
                let result = Err(CommitError::Unavailable { reason: reason.clone() });
                told.extend(job.done.map(|done| Told { done, result }));
            }
            self.report();
        }
        told
    }

    /// When to run again; `None` when there is nothing to do but wait for jobs.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Writing(group) if group.jobs.is_empty() => None,
            State::Writing(group) => Some(group.began + GROUP_TIME),
            State::Failing { retry_at, .. } => Some(*retry_at),
        }
    }

    fn step(&mut self, clock: &dyn Fn() -> Time, all: bool) -> Vec<Told> {
        let mut jobs = self.queue.take();
        if let Some(observer) = &self.observer {
            observer.queued(jobs.len());
        }
        if let State::Failing { retry_at, kept, .. } = &mut self.state
            && (all || clock() >= *retry_at)
        {
            let mut again = std::mem::take(kept);
            match self.engine.recover() {
                Ok(()) => {
                    again.append(&mut jobs);
                    jobs = again;
                    self.state = State::Writing(Group::default());
                }
                Err(fault) => self.fail(&fault, again, clock()),
            }
        }
        self.take_in(jobs, clock);
        let due = |group: &Group| all || group.jobs.len() >= GROUP_JOBS_MAX || clock() >= group.began + GROUP_TIME;
        if matches!(&self.state, State::Writing(group) if !group.jobs.is_empty() && due(group)) {
            self.sync(clock);
        }
        self.report();
        std::mem::take(&mut self.told)
    }

    /// Writes jobs in their order, as few batches as possible.
    fn take_in(&mut self, jobs: VecDeque<Job>, clock: &dyn Fn() -> Time) {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for mut job in jobs {
            if let Work::Decide(_) = job.work {
                // It must see what was written before it.
                self.write(std::mem::take(&mut batch), clock);
                bytes = 0;
            }
            if matches!(self.state, State::Failing { .. }) {
                self.keep(job);
                continue;
            }
            if let Work::Decide(decide) = job.work {
                match self.decide(decide) {
                    Ok(changes) => job.work = Work::Changes(changes),
                    Err(refusal) => {
                        self.tell(job.done, Err(refusal));
                        continue;
                    }
                }
            }
            bytes += job.bytes;
            batch.push(job);
            if bytes >= BATCH_BYTES_MAX {
                self.write(std::mem::take(&mut batch), clock);
                bytes = 0;
            }
        }
        self.write(batch, clock);
    }

    fn decide(&self, decide: Decide) -> Result<Vec<Change>, CommitError> {
        let sequence =
            self.engine.sequence().map_err(|fault| CommitError::Unavailable { reason: fault.to_string() })?;
        decide(&self.engine, Rev(sequence + 1))
    }

    fn write(&mut self, batch: Vec<Job>, clock: &dyn Fn() -> Time) {
        let State::Writing(group) = &mut self.state else {
            for job in batch {
                self.keep(job);
            }
            return;
        };
        if batch.is_empty() {
            return;
        }
        let began = clock();
        let changes = batch.iter().flat_map(|job| match &job.work {
            Work::Changes(changes) => changes.as_slice(),
            Work::Decide(_) => &[],
        });
        let written = self.engine.write(changes).and_then(|()| self.engine.sequence());
        let rev = match written {
            Ok(sequence) => Rev(sequence),
            Err(fault) => {
                let mut unsynced: VecDeque<Job> = std::mem::take(&mut group.jobs).into();
                unsynced.extend(batch);
                return self.fail(&fault, unsynced, clock());
            }
        };
        if group.jobs.is_empty() {
            group.began = Time::ZERO + began.since(Time::ZERO).saturating_sub(self.gathered);
        }
        group.rev = Some(rev);
        for job in batch {
            match job.class {
                Class::Journal { .. } | Class::State => {
                    self.told.extend(job.done.map(|done| Told { done, result: Ok(rev) }));
                }
                Class::Record | Class::Commit => group.jobs.push(job),
            }
        }
    }

    fn sync(&mut self, clock: &dyn Fn() -> Time) {
        let State::Writing(group) = &mut self.state else { return };
        let group = std::mem::take(group);
        if let Err(fault) = self.engine.sync() {
            return self.fail(&fault, group.jobs.into(), clock());
        }
        if let Some(observer) = &self.observer {
            observer.committed(clock().since(group.began), group.jobs.len());
        }
        let rev = group.rev.unwrap_or(Rev(0));
        for job in group.jobs {
            self.told.extend(job.done.map(|done| Told { done, result: Ok(rev) }));
        }
    }

    /// The disk failed under `jobs`: those who wait are told, lines are lost, records are kept for the next attempt.
    fn fail(&mut self, fault: &StoreError, jobs: VecDeque<Job>, now: Time) {
        let State::Writing(_) = self.state else {
            if let State::Failing { retry_at, reason, kept } = &mut self.state {
                (*retry_at, *reason, *kept) = (now + RETRY_TIME, fault.to_string(), jobs);
            }
            return;
        };
        self.state = State::Failing { retry_at: now + RETRY_TIME, reason: fault.to_string(), kept: VecDeque::new() };
        for job in jobs {
            if job.class == Class::Commit {
                // It may have reached the log before the disk failed.
                self.tell(job.done, Err(CommitError::Unknown { reason: fault.to_string() }));
            } else {
                self.keep(job);
            }
        }
    }

    /// What becomes of a job while the disk fails.
    fn keep(&mut self, job: Job) {
        let State::Failing { kept, reason, .. } = &mut self.state else { return };
        match job.class {
            Class::State | Class::Record if has_room(kept, &job) => kept.push_back(job),
            Class::Journal { .. } | Class::State | Class::Record | Class::Commit => {
                self.queue.count_lost(job.class);
                let result = Err(CommitError::Unavailable { reason: reason.clone() });
                self.tell(job.done, result);
            }
        }
    }

    fn tell(&mut self, done: Option<Done>, result: Result<Rev, CommitError>) {
        self.told.extend(done.map(|done| Told { done, result }));
    }

    /// Tells the observer of losses and of a change of health.
    fn report(&mut self) {
        let (lost_journal, lost_records) = self.queue.lost();
        let overflowed = self.queue.take_overflowed();
        let health = match &self.state {
            State::Failing { reason, .. } => {
                StoreHealth::Degraded { reason: reason.clone(), lost_journal, lost_records }
            }
            State::Writing(_) if overflowed > 0 => {
                let reason = "the disk is slower than the calls: its queue was full".into();
                StoreHealth::Degraded { reason, lost_journal, lost_records }
            }
            State::Writing(_) => StoreHealth::Ok,
        };
        let news = (lost_journal - self.lost.0, lost_records - self.lost.1);
        self.lost = (lost_journal, lost_records);
        let changed = {
            let mut known = self.health.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = known.reason() != health.reason();
            known.clone_from(&health);
            changed
        };
        let Some(observer) = &self.observer else { return };
        if news != (0, 0) {
            observer.lost(news.0, news.1);
        }
        if changed {
            observer.health(&health);
        }
    }
}

/// Whether one more may be held while the disk fails.
fn has_room(kept: &VecDeque<Job>, job: &Job) -> bool {
    let within = || kept.iter().map(|job| job.bytes).sum::<usize>().saturating_add(job.bytes) <= KEPT_BYTES_MAX;
    kept.len() < KEPT_MAX && (job.bytes <= RECORD_BYTES || within())
}
