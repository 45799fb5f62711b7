//! Reproduces a run's decisions from its journal: the same component, served with the recorded results.
//!
//! Nothing acts. The guest must ask for the same host calls in the same order and end in the same way; an end that a
//! limit or the call made is taken from the record, because it depended on more than the journal holds.

use crate::admission::Admission;
use crate::catalogue::{HOST_VERSION, InstallError};
use crate::guest::lock;
use crate::instance::{Instance, Seats, Slice, never_began};
use crate::run::{Breach, Recorded, RunState};
use crate::{Catalogue, Clock, ComponentId, Grants, Limits, RunKey, RunSpec, RunnerLimits, v0_1_0};
use plugboard_model::{
    CallInfo, HostCall, HostResult, JOURNAL_SCHEMA, JournalEvent, RunEnd, RunId, RunPins, Time, WallTime,
};
use std::sync::{Arc, Mutex};

/// Why a run cannot be replayed here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayRefused {
    /// The journal holds no such run.
    #[error("the journal has no run {0}")]
    NoRun(u32),
    /// The journal's host calls are not in order: a part of it is lost.
    #[error("the journal of run {run} is damaged at host call {n}")]
    Damaged {
        /// The run.
        run: u32,
        /// Where.
        n: u32,
    },
    /// The run was pinned to something else than what is here.
    #[error("the run is pinned to {what} {pinned}, here is {here}; replay needs the very same")]
    Pin {
        /// Which pin.
        what: &'static str,
        /// What the journal says.
        pinned: String,
        /// What this host has.
        here: String,
    },
    /// The component cannot be prepared.
    #[error(transparent)]
    Component(#[from] InstallError),
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayReport {
    /// The action.
    pub action: String,
    /// Host calls that were asked again and found the same.
    pub calls_equal: u32,
    /// How the run ended, by the record; `None` when the record has no end.
    pub recorded_end: Option<RunEnd>,
    /// The comparison.
    pub verdict: Verdict,
}

/// Is the replay like the record?
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The same host calls and the same end.
    Same,
    /// The same host calls, and then the record ends: by a limit, by the call's end, or because it was cut off.
    StoppedByRecord,
    /// The first difference is host call `at`.
    CallDiffers {
        /// Which one.
        at: u32,
        /// What the record says; `None`: nothing more.
        recorded: Option<Box<HostCall>>,
        /// What the guest asks now; `None`: it ended.
        now: Option<Box<HostCall>>,
    },
    /// The host calls are the same and the end differs.
    EndDiffers {
        /// The end now.
        now: RunEnd,
    },
}

/// Replays run `key` of a call's journal with the component's bytes.
///
/// The component is taken from the catalogue or compiled; it need not be installed and is not installed by this.
///
/// # Errors
/// [`ReplayRefused`].
pub fn replay<'a>(
    catalogue: &Catalogue,
    component: &[u8],
    entries: impl IntoIterator<Item = &'a JournalEvent>,
    key: &RunKey,
) -> Result<ReplayReport, ReplayRefused> {
    let recording = Recording::read(entries, key.run)?;
    let limits = check_pins(&recording.pins, ComponentId::of(component))?;
    let installed = catalogue.look_at(component)?;
    let spec = RunSpec {
        key: key.clone(),
        component: installed.id(),
        parameters: recording.parameters.clone(),
        // Everything that the guest sees is in the record; none of these is asked.
        info: CallInfo {
            id: String::new(),
            caller_number: String::new(),
            caller_name: String::new(),
            caller_user: None,
            called_number: String::new(),
            language: String::new(),
        },
        grants: Arc::new(Grants::none()),
        directory: None,
        limits,
        seed: 0,
    };
    let clock = Clock::new(|| Time::ZERO, || WallTime(0));
    let recorded = |call: &RecordedCall| Recorded { hash: call.hash, result: call.result.clone().map(Box::new) };
    let record = recording.calls.iter().map(recorded).collect();
    let state = Arc::new(Mutex::new(RunState::replaying(&spec, clock, record)));
    let _busy = installed.engine().busy();
    let mut slices = 0;
    let end = match Instance::new(
        &installed,
        &key.call.office,
        &state,
        &spec.parameters.as_str().into(),
        Seats::new(1, Admission::new(RunnerLimits::default())).take(),
    ) {
        Err(cause) => Some(never_began(&lock(&state), &cause)),
        Ok(mut instance) => loop {
            match instance.run(&state, &installed) {
                Slice::Waits => break None,
                Slice::Ended(end) => break Some(end),
                Slice::Yielded if slices < limits.cpu_ms_max => slices += 1,
                Slice::Yielded => {
                    break Some(RunEnd::Limit { limit: "epoch".into(), after: lock(&state).host_calls() });
                }
            }
        },
    };
    let state = lock(&state);
    Ok(ReplayReport {
        action: recording.action.clone(),
        calls_equal: state.next(),
        verdict: recording.compare(&state, end),
        recorded_end: recording.end,
    })
}

struct Recording {
    action: String,
    parameters: String,
    pins: RunPins,
    calls: Vec<RecordedCall>,
    end: Option<RunEnd>,
}

struct RecordedCall {
    call: HostCall,
    hash: [u8; 32],
    result: Option<HostResult>,
}

impl Recording {
    fn read<'a>(entries: impl IntoIterator<Item = &'a JournalEvent>, run: RunId) -> Result<Self, ReplayRefused> {
        let mut recording: Option<Self> = None;
        let damaged = |n: u32| ReplayRefused::Damaged { run: run.0, n };
        for event in entries {
            match (event, recording.as_mut()) {
                (JournalEvent::RunBegan { run: of, action, parameters, pins }, _) if *of == run => {
                    recording = Some(Self {
                        action: action.clone(),
                        parameters: parameters.clone(),
                        pins: pins.clone(),
                        calls: Vec::new(),
                        end: None,
                    });
                }
                (JournalEvent::Begin { run: of, n, call, hash }, Some(recording)) if *of == run => {
                    if usize::try_from(*n) != Ok(recording.calls.len()) {
                        return Err(damaged(*n));
                    }
                    recording.calls.push(RecordedCall { call: call.clone(), hash: *hash, result: None });
                }
                (JournalEvent::End { run: of, n, result }, Some(recording)) if *of == run => {
                    let is_last = usize::try_from(*n).is_ok_and(|n| n + 1 == recording.calls.len());
                    match recording.calls.last_mut() {
                        Some(last) if is_last => last.result = Some(result.clone()),
                        Some(_) | None => return Err(damaged(*n)),
                    }
                }
                (JournalEvent::RunEnded { run: of, end }, Some(recording)) if *of == run => {
                    recording.end = Some(end.clone());
                }
                _ => {}
            }
        }
        let recording = recording.ok_or(ReplayRefused::NoRun(run.0))?;
        // Only the last host call may lack its result: the others were waited for.
        let open = recording.calls.iter().position(|call| call.result.is_none());
        match open {
            Some(n) if n + 1 < recording.calls.len() => Err(damaged(u32::try_from(n).unwrap_or(u32::MAX))),
            Some(_) | None => Ok(recording),
        }
    }

    fn compare(&self, state: &RunState, end: Option<RunEnd>) -> Verdict {
        let recorded = |at: u32| {
            let call = usize::try_from(at).ok().and_then(|at| self.calls.get(at));
            call.map(|call| Box::new(call.call.clone()))
        };
        let stops_by_itself = match self.end {
            Some(RunEnd::Outcome(_) | RunEnd::Trapped { .. }) => true,
            // A reason may be the host's own, such as a revoked capability.
            Some(RunEnd::Failed(_) | RunEnd::Limit { .. } | RunEnd::Diverged { .. } | RunEnd::Cancelled) | None => {
                false
            }
        };
        match (&state.breach, end) {
            (Some(Breach::Diverged { at, asked }), _) => {
                Verdict::CallDiffers { at: *at, recorded: recorded(*at), now: Some(asked.clone()) }
            }
            (Some(Breach::BeyondRecord { at, asked }), _) if stops_by_itself => {
                Verdict::CallDiffers { at: *at, recorded: None, now: Some(asked.clone()) }
            }
            // The host refused the call that the guest would make next, or the record was cut off there.
            (Some(Breach::BeyondRecord { .. }), _) | (_, None) => Verdict::StoppedByRecord,
            (_, Some(_)) if usize::try_from(state.next()).is_ok_and(|next| next < self.calls.len()) => {
                Verdict::CallDiffers { at: state.next(), recorded: recorded(state.next()), now: None }
            }
            (_, Some(now)) if self.end.as_ref() == Some(&now) => Verdict::Same,
            (_, Some(now)) => match self.end {
                Some(RunEnd::Limit { .. } | RunEnd::Diverged { .. } | RunEnd::Cancelled) | None => {
                    Verdict::StoppedByRecord
                }
                Some(RunEnd::Failed(ref reason)) if reason.starts_with("capability ") => Verdict::StoppedByRecord,
                Some(RunEnd::Outcome(_) | RunEnd::Trapped { .. } | RunEnd::Failed(_)) => Verdict::EndDiffers { now },
            },
        }
    }
}

fn check_pins(pins: &RunPins, component: ComponentId) -> Result<Limits, ReplayRefused> {
    let differs = |what, pinned: String, here: String| Err(ReplayRefused::Pin { what, pinned, here });
    if pins.component != component.0 {
        return differs("the component", ComponentId(pins.component).to_string(), component.to_string());
    }
    if pins.wit != v0_1_0::VERSION {
        return differs("plugboard:switch", pins.wit.clone(), v0_1_0::VERSION.into());
    }
    if pins.host != HOST_VERSION {
        return differs("the host", pins.host.clone(), HOST_VERSION.into());
    }
    if pins.journal != JOURNAL_SCHEMA {
        return differs("journal schema", pins.journal.to_string(), JOURNAL_SCHEMA.to_string());
    }
    match Limits::from_pinned(&pins.limits) {
        Some(limits) => Ok(limits),
        None => differs("limits", pins.limits.clone(), Limits::default().pinned()),
    }
}
