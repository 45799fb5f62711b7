//! Runs actions on one thread: a machine that is given commands and time, and gives events.
//!
//! It makes no thread and reads only the clock it was given. In a simulation it is polled inline; in production
//! [`crate::PluginThreads`] drives one on each of its threads.

use crate::admission::{Admission, Place, StartError};
use crate::catalogue::Installed;
use crate::guest::lock;
use crate::instance::{Instance, Seats, Slice, never_began};
use crate::run::{RunState, SharedRun};
use crate::ticker::Busy;
use crate::{Capability, Catalogue, Clock, GuestSize, RunEvent, RunKey, RunSpec, RunnerLimits};
use plugboard_model::{HostResult, JournalEvent, RunEnd, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

/// Runs actions, an instance per run.
///
/// ```no_run
/// # use plugboard_plugin::*;
/// # fn example(catalogue: std::sync::Arc<Catalogue>, spec: RunSpec) -> Result<(), StartError> {
/// let mut runner = Runner::new(catalogue, Clock::system(), RunnerLimits::default());
/// runner.start(spec)?;
/// while let Some(event) = runner.poll_event() {
///     // Write the journal, do the host calls, answer with `runner.resume(..)`.
/// }
/// # Ok(())
/// # }
/// ```
pub struct Runner {
    catalogue: Arc<Catalogue>,
    clock: Clock,
    admission: Arc<Admission>,
    runs: BTreeMap<RunKey, Run>,
    ready: VecDeque<RunKey>,
    small: Room,
    large: Room,
    outbox: VecDeque<RunEvent>,
}

/// What the runs of one engine share.
struct Room {
    seats: Seats,
    /// When waiting runs are to be put away.
    timers: BTreeSet<(Time, RunKey)>,
    suspended: u32,
    suspended_max: u32,
    /// Keeps the engine's epoch ticking.
    busy: Option<Busy>,
}

impl Room {
    fn new(seats: Seats, suspended_max: u32) -> Self {
        // Runs that cannot be put away leave a quarter of the seats to those that come and go.
        let suspended_max = suspended_max.min(seats.most() / 4 * 3);
        Self { seats, timers: BTreeSet::new(), suspended: 0, suspended_max, busy: None }
    }
}

struct Run {
    installed: Arc<Installed>,
    parameters: Arc<str>,
    state: SharedRun,
    stage: Stage,
    _place: Place,
}

enum Stage {
    /// In the queue since then; without an instance it is built first.
    Ready { since: Time, instance: Option<Instance> },
    /// Waits for an answer; put away when this time comes.
    Waiting { until: Time, instance: Instance },
    /// Waits long, with its instance, because it cannot be rebuilt.
    Suspended { instance: Instance },
    /// Waits without an instance.
    Away,
    /// Is just being run or ended.
    Running,
}

impl Runner {
    /// A runner with limits of its own.
    pub fn new(catalogue: Arc<Catalogue>, clock: Clock, limits: RunnerLimits) -> Self {
        Self::sharing(catalogue, clock, limits, Admission::new(limits), 1)
    }

    /// One of `runners` that share the admission of runs and the engine's pool.
    pub(crate) fn sharing(
        catalogue: Arc<Catalogue>,
        clock: Clock,
        limits: RunnerLimits,
        admission: Arc<Admission>,
        runners: u32,
    ) -> Self {
        let room = |size| {
            let seats = Seats::new(catalogue.engine().instances(size) / runners.max(1), Arc::clone(&admission));
            Room::new(seats, limits.suspended_max / runners.max(1))
        };
        let (small, large) = (room(GuestSize::Small), room(GuestSize::Large));
        let (runs, ready, outbox) = (BTreeMap::new(), VecDeque::new(), VecDeque::new());
        Self { catalogue, clock, admission, runs, ready, small, large, outbox }
    }

    fn room(&mut self, size: GuestSize) -> &mut Room {
        match size {
            GuestSize::Small => &mut self.small,
            GuestSize::Large => &mut self.large,
        }
    }

    /// Begins a run. What is wrong with it, such as a capability that is not granted, comes as its end.
    ///
    /// # Errors
    /// [`StartError`] when there is no place for it; then no event follows.
    pub fn start(&mut self, spec: RunSpec) -> Result<(), StartError> {
        if self.runs.contains_key(&spec.key) {
            return Err(StartError::Twice);
        }
        let place = self.admission.take(spec.component)?;
        self.start_in(spec, place);
        Ok(())
    }

    /// Begins a run that has its place already.
    pub(crate) fn start_in(&mut self, spec: RunSpec, place: Place) {
        if self.runs.contains_key(&spec.key) {
            return;
        }
        let Some(installed) = self.catalogue.get(spec.component) else {
            let mut state = RunState::new(&spec, self.clock.clone());
            state.ended(RunEnd::Failed(format!("the component {} is not installed", spec.component.short())));
            self.outbox.extend(state.take_events());
            return;
        };
        let spec = RunSpec { limits: spec.limits.of_size(installed.size()), ..spec };
        let mut state = RunState::new(&spec, self.clock.clone());
        state.journal(JournalEvent::RunBegan {
            run: spec.key.run,
            action: installed.manifest().name.clone(),
            parameters: spec.parameters.clone(),
            pins: installed.pins(&spec.limits),
        });
        if let Some(end) = refused(&spec, &installed) {
            state.ended(end);
            self.outbox.extend(state.take_events());
            return;
        }
        self.outbox.extend(state.take_events());
        self.ready.push_back(spec.key.clone());
        let run = Run {
            installed,
            parameters: spec.parameters.into(),
            state: Arc::new(Mutex::new(state)),
            stage: Stage::Ready { since: self.clock.now(), instance: None },
            _place: place,
        };
        self.runs.insert(spec.key, run);
    }

    /// Gives the answer to host call `n`. An answer that nobody waits for any more changes nothing.
    pub fn resume(&mut self, key: &RunKey, n: u32, result: HostResult) {
        let Some(run) = self.runs.get_mut(key) else { return };
        if !lock(&run.state).resume(n, result) {
            return;
        }
        self.outbox.extend(lock(&run.state).take_events());
        let room = match run.installed.size() {
            GuestSize::Small => &mut self.small,
            GuestSize::Large => &mut self.large,
        };
        let instance = match std::mem::replace(&mut run.stage, Stage::Running) {
            Stage::Waiting { until, instance } => {
                room.timers.remove(&(until, key.clone()));
                Some(instance)
            }
            Stage::Suspended { instance } => {
                room.suspended = room.suspended.saturating_sub(1);
                Some(instance)
            }
            Stage::Away => None,
            Stage::Ready { .. } | Stage::Running => unreachable!("a run in these stages waits for no answer"),
        };
        run.stage = Stage::Ready { since: self.clock.now(), instance };
        self.ready.push_back(key.clone());
    }

    /// Drops a run, because its call ended. It ends as [`RunEnd::Cancelled`] unless it has ended already.
    pub fn cancel(&mut self, key: &RunKey) {
        self.end(key, RunEnd::Cancelled);
    }

    /// Puts away what has waited long enough and runs one slice of the next ready guest, which is at most about a
    /// millisecond of it in production. `false`: there was nothing to run.
    pub fn work(&mut self) -> bool {
        self.put_away();
        let Some(key) = self.ready.pop_front() else {
            (self.small.busy, self.large.busy) = (None, None);
            return false;
        };
        if !self.has_seat(&key) {
            // Guests that are not done with their slices hold them all; they go first.
            self.ready.push_back(key);
            return true;
        }
        let Some(run) = self.runs.get_mut(&key) else { return true };
        let Stage::Ready { since, instance } = std::mem::replace(&mut run.stage, Stage::Running) else {
            unreachable!("the queue holds runs that are ready, each once, and cancelling takes them out of the map")
        };
        let room = match run.installed.size() {
            GuestSize::Small => &mut self.small,
            GuestSize::Large => &mut self.large,
        };
        if room.busy.is_none() {
            room.busy = run.installed.engine().busy();
        }
        lock(&run.state).queued(since);
        let built = match instance {
            Some(instance) => Ok(instance),
            None => {
                let (office, seat) = (&key.call.office, room.seats.take());
                Instance::new(&run.installed, office, &run.state, &run.parameters, seat)
            }
        };
        let slice = match built {
            Ok(mut instance) => {
                let slice = instance.run(&run.state, &run.installed);
                (slice, Some(instance))
            }
            Err(cause) => (Slice::Ended(never_began(&lock(&run.state), &cause)), None),
        };
        self.outbox.extend(lock(&run.state).take_events());
        match slice {
            (Slice::Waits, Some(instance)) => {
                let until = self.clock.now() + lock(&run.state).limits().put_away_after();
                run.stage = Stage::Waiting { until, instance };
                room.timers.insert((until, key));
            }
            (Slice::Yielded, Some(instance)) => {
                run.stage = Stage::Ready { since: self.clock.now(), instance: Some(instance) };
                self.ready.push_back(key);
            }
            (Slice::Ended(end), instance) => {
                drop(instance);
                self.end(&key, end);
            }
            (Slice::Waits | Slice::Yielded, None) => unreachable!("only an instance waits or yields"),
        }
        true
    }

    /// The next event, after as many slices as it takes; `None`: every run waits.
    pub fn poll_event(&mut self) -> Option<RunEvent> {
        loop {
            if let Some(event) = self.take_event() {
                return Some(event);
            }
            if !self.work() {
                return self.take_event();
            }
        }
    }

    /// The next event that is there already.
    pub fn take_event(&mut self) -> Option<RunEvent> {
        self.outbox.pop_front()
    }

    /// The next events that are there already, in order, as many as are of one call; empty: there are none.
    pub fn take_events(&mut self) -> Vec<RunEvent> {
        let Some(first) = self.outbox.front() else { return Vec::new() };
        let call = &first.key().call;
        let of_it = self.outbox.iter().take_while(|event| event.key().call == *call).count();
        self.outbox.drain(..of_it).collect()
    }

    /// When to call [`Runner::work`] or [`Runner::poll_event`] although nothing happened: a run is to be put away.
    pub fn poll_timeout(&self) -> Option<Time> {
        let first = |room: &Room| room.timers.first().map(|(until, _)| *until);
        first(&self.small).into_iter().chain(first(&self.large)).min()
    }

    /// Runs that have not ended.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Runs that hold an instance while they wait.
    pub fn instances_waiting(&self) -> usize {
        let holds = |run: &&Run| matches!(run.stage, Stage::Waiting { .. } | Stage::Suspended { .. });
        self.runs.values().filter(holds).count()
    }

    fn put_away(&mut self) {
        let now = self.clock.now();
        for size in [GuestSize::Small, GuestSize::Large] {
            while self.room(size).timers.first().is_some_and(|(until, _)| *until <= now) {
                self.put_away_first(size);
            }
        }
    }

    /// Is there an instance for this run? Puts away runs before their time when the pool is full.
    fn has_seat(&mut self, key: &RunKey) -> bool {
        let needs = |run: &&Run| matches!(run.stage, Stage::Ready { instance: None, .. });
        let Some(size) = self.runs.get(key).filter(needs).map(|run| run.installed.size()) else { return true };
        while self.room(size).seats.full() && !self.room(size).timers.is_empty() {
            self.put_away_first(size);
        }
        !self.room(size).seats.full()
    }

    /// Puts away the run of this size that has waited longest. One that cannot be rebuilt keeps its instance, within the limit.
    fn put_away_first(&mut self, size: GuestSize) {
        let room = match size {
            GuestSize::Small => &mut self.small,
            GuestSize::Large => &mut self.large,
        };
        let Some((_, key)) = room.timers.pop_first() else { return };
        let Some(run) = self.runs.get_mut(&key) else { return };
        let Stage::Waiting { instance, .. } = std::mem::replace(&mut run.stage, Stage::Running) else {
            unreachable!("a timer stands for a waiting run and is removed with it")
        };
        let (rebuildable, waiting) = {
            let state = lock(&run.state);
            (state.rebuildable(size.rebuild_cpu_max()), state.waiting)
        };
        if let (true, Some(n)) = (rebuildable, waiting) {
            drop(instance);
            run.stage = Stage::Away;
            let mut state = lock(&run.state);
            state.put_away(n);
            self.outbox.extend(state.take_events());
        } else if room.suspended < room.suspended_max {
            room.suspended += 1;
            run.stage = Stage::Suspended { instance };
        } else {
            drop(instance);
            let after = lock(&run.state).host_calls();
            self.end(&key, RunEnd::Limit { limit: "suspended".into(), after });
        }
    }

    fn end(&mut self, key: &RunKey, end: RunEnd) {
        let Some(run) = self.runs.remove(key) else { return };
        let room = self.room(run.installed.size());
        match run.stage {
            Stage::Ready { instance, .. } => {
                self.ready.retain(|ready| ready != key);
                drop(instance);
            }
            Stage::Waiting { until, instance } => {
                room.timers.remove(&(until, key.clone()));
                drop(instance);
            }
            Stage::Suspended { instance } => {
                room.suspended = room.suspended.saturating_sub(1);
                drop(instance);
            }
            Stage::Away | Stage::Running => {}
        }
        let mut state = lock(&run.state);
        state.ended(end);
        self.outbox.extend(state.take_events());
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("runs", &self.runs.len())
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

/// Why this run does not even get an instance.
fn refused(spec: &RunSpec, installed: &Installed) -> Option<RunEnd> {
    if !installed.engine().holds(&spec.limits) {
        return Some(RunEnd::Failed("its limits allow more than the host's pool holds; lower them".into()));
    }
    let missing = |capability: &&Capability| !spec.grants.has(**capability);
    if let Some(capability) = installed.manifest().capabilities.iter().find(missing) {
        return Some(RunEnd::Failed(format!("capability {capability} not granted")));
    }
    if spec.parameters.len() > usize::try_from(spec.limits.parameters_bytes_max).unwrap_or(usize::MAX) {
        return Some(RunEnd::Limit { limit: "parameters".into(), after: 0 });
    }
    None
}
