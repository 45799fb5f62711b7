//! One run as its journal sees it: host calls numbered, hashed, recorded, answered.
//!
//! [`RunState`] outlives the guest's instance: a run that is put away keeps it, and the next instance is served from
//! its record until it reaches the host call that the run waits for.

use crate::grants::{Capability, Grants};
use crate::limits::{REBUILD_BYTES_MAX, REBUILD_CALLS_MAX, REBUILD_CPU_FACTOR, REBUILD_CPU_SPARE};
use crate::{Clock, ComponentId, Directory, Limits};
use plugboard_model::{
    CallId, CallInfo, DirectoryContact, HostCall, HostResult, JournalEvent, NotConnected, RingRequest, RunEnd, RunId,
    Target, Time, UserPhones,
};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Which run of which call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunKey {
    /// The call.
    pub call: CallId,
    /// The run in it.
    pub run: RunId,
}

/// What to run, for whom, and within what.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// Which run this is. A second start under the same key is refused.
    pub key: RunKey,
    /// The installed component.
    pub component: ComponentId,
    /// A JSON object that fits the action's schema.
    pub parameters: String,
    /// What `call.get-info` answers.
    pub info: CallInfo,
    /// What it may do.
    pub grants: Arc<Grants>,
    /// Who it finds. Without one, `directory.find-user` and `find-group` are asked of the switch like all the rest.
    pub directory: Option<Arc<dyn Directory>>,
    /// What it may use.
    pub limits: Limits,
    /// Where its random numbers start; the numbers themselves are journaled.
    pub seed: u64,
}

/// What a run tells its call, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// To be written to the call's journal before anything that follows is acted on.
    Journal {
        /// The run.
        key: RunKey,
        /// The entry.
        event: JournalEvent,
    },
    /// To be done by the switch, which answers with `resume` and the same `n`.
    HostCall {
        /// The run.
        key: RunKey,
        /// Counted from 0 in the run.
        n: u32,
        /// What is asked.
        call: HostCall,
    },
    /// The last event of a run.
    Ended {
        /// The run.
        key: RunKey,
        /// How.
        end: RunEnd,
        /// What it used.
        usage: RunUsage,
    },
}

impl RunEvent {
    /// The run that it is about.
    pub fn key(&self) -> &RunKey {
        match self {
            Self::Journal { key, .. } | Self::HostCall { key, .. } | Self::Ended { key, .. } => key,
        }
    }
}

/// What a run used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunUsage {
    /// Guest CPU, rebuilding not counted; zero on a clock that stands still while guests run.
    pub cpu: Duration,
    /// Fuel, in the inline engine.
    pub fuel: u64,
    /// Host calls that were journaled.
    pub host_calls: u32,
    /// Their size in the journal.
    pub host_bytes: u32,
    /// The most linear memory.
    pub memory_bytes: usize,
    /// How often it was put away.
    pub put_away: u32,
    /// Log lines that were dropped.
    pub log_lines_dropped: u32,
}

/// SHA-256 of a host call's written form: what [`JournalEvent::Begin`] carries and replay compares.
pub fn host_call_hash(call: &HostCall) -> [u8; 32] {
    hash(&written(call))
}

/// A run shared by its fiber and its runner, which are on one thread: the lock is never waited for.
pub(crate) type SharedRun = Arc<Mutex<RunState>>;

/// What a host call comes to.
pub(crate) enum Step {
    /// Known at once.
    Answered(HostResult),
    /// The switch will answer.
    Waits,
    /// The run is over; [`RunState::breach`] says why.
    Stopped,
}

/// What a guest does when the epoch advances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tick {
    /// It has just begun.
    GoOn,
    /// Lets the thread's other runs go first.
    Yield,
    /// Its time is over.
    Over,
}

/// A slice that is younger than half a tick does not yield.
const YOUNG_SLICE: Duration = Duration::from_micros(500);

/// Ticks after the first of a slice come a millisecond apart; a late ticker may make up for a few.
const TICKS_PER_CPU_MS_MAX: u32 = 4;

/// Why the host ended a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Breach {
    /// A limit, by the name that [`RunEnd::Limit`] gives it.
    Limit(&'static str),
    /// The rebuilt run asked for something else.
    Diverged { at: u32, asked: Box<HostCall> },
    /// Outcome `failed`, with the reason.
    Failed(String),
    /// A replayed run asked for more than its record holds.
    BeyondRecord { at: u32, asked: Box<HostCall> },
}

/// A host call of the record, and its result once it is known.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) hash: [u8; 32],
    /// Apart: few calls of a run have one that is as large as the largest, and the record stays while the run waits.
    pub(crate) result: Option<Box<HostResult>>,
}

/// What a run does with a host call that its record does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Acts.
    Act,
    /// Stops: a replay never acts.
    Stop,
}

/// One run.
pub(crate) struct RunState {
    key: RunKey,
    info: CallInfo,
    grants: Arc<Grants>,
    directory: Option<Arc<dyn Directory>>,
    limits: Limits,
    clock: Clock,
    seed: u64,
    /// Made of the seed for the first number, since most runs ask for none.
    random: Option<Box<StdRng>>,
    beyond: Beyond,
    /// Events for the call, in order.
    outbox: Vec<RunEvent>,
    /// Host calls from number 0 on; only the one in hand when they are `too_long` to rebuild from.
    record: Vec<Recorded>,
    too_long: bool,
    record_bytes: usize,
    /// The number of the instance's next host call.
    next: u32,
    pub(crate) waiting: Option<u32>,
    pub(crate) breach: Option<Breach>,
    log_lines: u32,
    cpu: Duration,
    rebuild_cpu: Duration,
    active: Duration,
    slice_from: Time,
    slice_ticks: u32,
    ticks: u32,
    pub(crate) usage: RunUsage,
    pub(crate) memory_bytes: usize,
    pub(crate) memory_refused: bool,
}

impl RunState {
    pub(crate) fn new(spec: &RunSpec, clock: Clock) -> Self {
        let slice_from = clock.now();
        Self {
            key: spec.key.clone(),
            info: spec.info.clone(),
            grants: Arc::clone(&spec.grants),
            directory: spec.directory.clone(),
            limits: spec.limits,
            clock,
            seed: spec.seed,
            random: None,
            beyond: Beyond::Act,
            outbox: Vec::new(),
            record: Vec::new(),
            too_long: false,
            record_bytes: 0,
            next: 0,
            waiting: None,
            breach: None,
            log_lines: 0,
            cpu: Duration::ZERO,
            rebuild_cpu: Duration::ZERO,
            active: Duration::ZERO,
            slice_from,
            slice_ticks: 0,
            ticks: 0,
            usage: RunUsage::default(),
            memory_bytes: 0,
            memory_refused: false,
        }
    }

    /// A run that is served from `record` and never acts.
    pub(crate) fn replaying(spec: &RunSpec, clock: Clock, record: Vec<Recorded>) -> Self {
        Self { record, beyond: Beyond::Stop, ..Self::new(spec, clock) }
    }

    /// The instance asks: compares it with the record, or journals it and has it done.
    pub(crate) fn begin(&mut self, call: HostCall) -> Step {
        let n = self.next;
        let bytes = written(&call);
        let hash = hash(&bytes);
        if let Some(recorded) = self.recorded(n) {
            if recorded.hash != hash {
                return self.stop(Breach::Diverged { at: n, asked: Box::new(call) });
            }
            self.charge();
            self.next += 1;
            return match recorded.result {
                Some(result) => Step::Answered(*result),
                None => self.wait(n),
            };
        }
        if self.beyond == Beyond::Stop {
            return self.stop(Breach::BeyondRecord { at: n, asked: Box::new(call) });
        }
        if let Some(breach) = self.refuse(&call, bytes.len()) {
            return self.stop(breach);
        }
        self.next += 1;
        self.usage.host_calls = self.next;
        self.remember(hash, bytes.len());
        let answer = self.answer(&call);
        let begun = JournalEvent::Begin { run: self.key.run, n, call: call.clone(), hash };
        self.journal(begun);
        match answer {
            Some(result) => {
                self.end(n, result.clone());
                Step::Answered(result)
            }
            None => {
                self.outbox.push(RunEvent::HostCall { key: self.key.clone(), n, call });
                self.wait(n)
            }
        }
    }

    /// The switch's answer. `false` when the run does not wait for it: it came late or twice, and changes nothing.
    pub(crate) fn resume(&mut self, n: u32, result: HostResult) -> bool {
        if self.waiting != Some(n) {
            return false;
        }
        self.waiting = None;
        self.end(n, result);
        true
    }

    /// The answer to the host call that the instance waits for.
    pub(crate) fn take_answer(&mut self) -> Option<HostResult> {
        if self.waiting.is_some() {
            return None;
        }
        self.record.last().and_then(|recorded| recorded.result.as_deref().cloned())
    }

    /// May the instance be dropped and rebuilt from the record, which takes as much CPU as the run has used?
    pub(crate) fn rebuildable(&self, cpu_max: Duration) -> bool {
        !self.too_long && self.record_bytes <= REBUILD_BYTES_MAX && self.cpu <= cpu_max
    }

    /// The instance was dropped; the next one begins from the start.
    pub(crate) fn put_away(&mut self, n: u32) {
        self.usage.put_away += 1;
        self.next = 0;
        self.log_lines = 0;
        self.rebuild_cpu = Duration::ZERO;
        self.journal(JournalEvent::PutAway { run: self.key.run, n });
    }

    /// A slice of guest time begins.
    pub(crate) fn slice_begins(&mut self) {
        self.slice_from = self.clock.now();
        self.slice_ticks = 0;
    }

    /// The epoch advanced while the guest runs.
    pub(crate) fn ticked(&mut self) -> Tick {
        self.ticks += u32::from(self.slice_ticks > 0);
        self.slice_ticks += 1;
        // The epoch went on while the run waited: the first tick of a slice may not be its own.
        let young = self.slice_ticks == 1 && self.clock.now().since(self.slice_from) < YOUNG_SLICE;
        // Ticks count too, for a clock that stands still; they come no faster than one a millisecond.
        if self.breach.is_none() && self.ticks > TICKS_PER_CPU_MS_MAX.saturating_mul(self.limits.cpu_ms_max.max(1)) {
            self.breach = Some(Breach::Limit("epoch"));
        }
        match (self.tick(), young) {
            (false, _) => Tick::Over,
            (true, true) => Tick::GoOn,
            (true, false) => Tick::Yield,
        }
    }

    /// The slice goes on or ends: charges it. `false` when the run's time is over.
    pub(crate) fn tick(&mut self) -> bool {
        self.charge();
        if self.breach.is_none() {
            self.breach = if self.rebuilding() {
                let may = REBUILD_CPU_SPARE.saturating_add(self.cpu).saturating_mul(REBUILD_CPU_FACTOR);
                (self.rebuild_cpu > may).then_some(Breach::Limit("rebuild"))
            } else if self.cpu > Duration::from_millis(self.limits.cpu_ms_max.into()) {
                Some(Breach::Limit("epoch"))
            } else if self.active > Duration::from_millis(self.limits.active_ms_max.into()) {
                Some(Breach::Limit("deadline"))
            } else {
                None
            };
        }
        self.breach.is_none()
    }

    /// The run stood in the queue of its thread since `since`.
    pub(crate) fn queued(&mut self, since: Time) {
        // One that was put away stands there before its rebuilding begins, and starves as any other.
        if !self.rebuilding() || self.next == 0 {
            self.active = self.active.saturating_add(self.clock.now().since(since));
        }
    }

    /// Counts a log line; `false` past the limit.
    pub(crate) fn may_log(&mut self) -> bool {
        self.log_lines = self.log_lines.saturating_add(1);
        let may = self.log_lines <= self.limits.log_lines_max;
        if !may {
            self.usage.log_lines_dropped = self.log_lines.saturating_sub(self.limits.log_lines_max);
        }
        may
    }

    /// Journals and tells the end.
    pub(crate) fn ended(&mut self, end: RunEnd) {
        self.waiting = None;
        self.usage.cpu = self.cpu;
        self.usage.memory_bytes = self.memory_bytes;
        self.journal(JournalEvent::RunEnded { run: self.key.run, end: end.clone() });
        self.outbox.push(RunEvent::Ended { key: self.key.clone(), end, usage: self.usage });
    }

    /// Host calls that the run has made, the record's included.
    pub(crate) fn host_calls(&self) -> u32 {
        self.usage.host_calls.max(self.next)
    }

    /// The host call that the instance asks next.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// What there is to tell the call, in order. Nothing of it is kept: a run that waits needs no room for what it has told.
    pub(crate) fn take_events(&mut self) -> Vec<RunEvent> {
        std::mem::take(&mut self.outbox)
    }

    pub(crate) fn journal(&mut self, event: JournalEvent) {
        self.outbox.push(RunEvent::Journal { key: self.key.clone(), event });
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn stop(&mut self, breach: Breach) -> Step {
        self.breach = Some(breach);
        Step::Stopped
    }

    fn wait(&mut self, n: u32) -> Step {
        self.waiting = Some(n);
        Step::Waits
    }

    fn recorded(&self, n: u32) -> Option<Recorded> {
        if self.too_long { None } else { self.record.get(usize::try_from(n).ok()?).cloned() }
    }

    /// Does the instance still catch up with its record?
    pub(crate) fn rebuilding(&self) -> bool {
        self.usage.put_away > 0 && self.next < self.usage.host_calls
    }

    fn charge(&mut self) {
        let now = self.clock.now();
        let slice = now.since(self.slice_from);
        self.slice_from = now;
        if self.rebuilding() {
            self.rebuild_cpu = self.rebuild_cpu.saturating_add(slice);
        } else {
            self.cpu = self.cpu.saturating_add(slice);
            self.active = self.active.saturating_add(slice);
        }
    }

    /// Why this call is not even begun.
    fn refuse(&mut self, call: &HostCall, bytes: usize) -> Option<Breach> {
        let capability = Capability::of(call);
        self.usage.host_bytes = self.usage.host_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if !self.grants.has(capability) {
            Some(Breach::Failed(format!("capability {capability} was revoked")))
        } else if self.next >= self.limits.host_calls_max {
            Some(Breach::Limit("host-calls"))
        } else if self.usage.host_bytes > self.limits.host_bytes_max {
            Some(Breach::Limit("host-bytes"))
        } else if !self.tick() {
            self.breach.clone()
        } else {
            None
        }
    }

    fn remember(&mut self, hash: [u8; 32], bytes: usize) {
        self.record_bytes = self.record_bytes.saturating_add(bytes);
        self.too_long |= self.record.len() >= REBUILD_CALLS_MAX || self.record_bytes > REBUILD_BYTES_MAX;
        if self.too_long {
            self.record.clear();
        }
        self.record.push(Recorded { hash, result: None });
    }

    fn random(&mut self) -> &mut StdRng {
        self.random.get_or_insert_with(|| Box::new(StdRng::seed_from_u64(self.seed)))
    }

    /// What the host answers by itself; everything else is the switch's.
    fn answer(&mut self, call: &HostCall) -> Option<HostResult> {
        match call {
            HostCall::GetInfo => Some(HostResult::Info(self.info.clone())),
            HostCall::Log { .. } => Some(HostResult::Unit),
            HostCall::Now => Some(HostResult::Now(self.clock.wall())),
            HostCall::RandomBytes(len) => {
                let mut bytes = vec![0; usize::try_from(*len).unwrap_or(0)];
                self.random().fill_bytes(&mut bytes);
                Some(HostResult::Bytes(bytes))
            }
            HostCall::RandomBelow(0) => Some(HostResult::Below(0)),
            HostCall::RandomBelow(bound) => Some(HostResult::Below(self.random().random_range(0..*bound))),
            HostCall::FindUser(which) => Some(HostResult::User(self.directory.as_ref()?.find_user(which))),
            HostCall::FindGroup(which) => Some(HostResult::Group(self.directory.as_ref()?.find_group(which))),
            HostCall::FindContact(number) => {
                let directory = self.directory.as_ref()?;
                own_contact(directory.find_contact(number), directory.asks_further())
            }
            HostCall::GetContact(id) => {
                let directory = self.directory.as_ref()?;
                own_contact(directory.contact(id), directory.asks_further())
            }
            HostCall::FindMembers { group, skill } => {
                Some(HostResult::Members(self.directory.as_ref()?.find_members(group, skill.as_ref())))
            }
            HostCall::Ring(request) => self.denied(request),
            HostCall::Answer
            | HostCall::Play { .. }
            | HostCall::Collect(_)
            | HostCall::Echo { .. }
            | HostCall::NextEvent { .. }
            | HostCall::HangUp(_)
            | HostCall::Park { .. }
            | HostCall::GetVariable(_)
            | HostCall::SetVariable { .. }
            | HostCall::JoinConference(_)
            | HostCall::Record(_)
            | HostCall::LeaveMessage(_)
            | HostCall::OpenMailbox(_)
            | HostCall::ReceiveFax(_)
            | HostCall::Http(_)
            | HostCall::Query(_)
            | HostCall::LastTalk { .. }
            | HostCall::SendMail(_)
            | HostCall::SendText(_)
            | HostCall::PostLater(_)
            | HostCall::Wait(_) => None,
        }
    }

    /// The refusal of a request that rings a target which the grant does not cover.
    fn denied(&self, request: &RingRequest) -> Option<HostResult> {
        let outside = request.targets.iter().find(|target| !self.grants.dial().covers(target))?;
        let which = match outside {
            Target::User(user) => format!("user {}", user.name),
            Target::Group(group) => format!("group {}", group.name),
            Target::Number(number) => format!("number {number}"),
            Target::Phones(UserPhones { user, .. }) => format!("phones of the user {}", user.name),
            Target::Line(line) => format!("number {}", line.number),
            Target::Address(address) => format!("address {address}"),
        };
        Some(HostResult::Rang(Err(NotConnected::Denied(which))))
    }

    fn end(&mut self, n: u32, result: HostResult) {
        let bytes = postcard::experimental::serialized_size(&result).unwrap_or(0);
        self.record_bytes = self.record_bytes.saturating_add(bytes);
        self.usage.host_bytes = self.usage.host_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if let Some(recorded) = self.record.last_mut() {
            recorded.result = Some(Box::new(result.clone()));
        }
        self.journal(JournalEvent::End { run: self.key.run, n, result });
    }
}

/// The office's own contact; whom it does not have, others may.
fn own_contact(found: Option<DirectoryContact>, asks_further: bool) -> Option<HostResult> {
    if found.is_none() && asks_further { None } else { Some(HostResult::Contact(found)) }
}

fn written(call: &HostCall) -> Vec<u8> {
    match postcard::to_allocvec(call) {
        Ok(bytes) => bytes,
        Err(_) => unreachable!("a host call is plain data of known length, which postcard always writes"),
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
