//! The call's journal on its way to the store, and the steps it took for the record.

use plugboard_call::Output;
use plugboard_model::{CallId, CallOutcome, JournalEntry, JournalEvent, RunEnd, RunId, StepRecord, Steps, Time};
use plugboard_scenario::Output as ScriptOutput;
use plugboard_store::CallStore;
use std::collections::BTreeSet;

/// In place of a key that may be of a PIN.
const HIDDEN: char = '?';

/// Numbers the entries, hands them to the store in one batch a step, and keeps what the record shows.
pub(crate) struct CallJournal {
    store: CallStore,
    call: CallId,
    next: u32,
    waiting: Vec<JournalEntry>,
    steps: Steps,
    /// Runs that have begun and not ended.
    runs: BTreeSet<RunId>,
    /// Runs that the scenario waits for no more.
    cancelled: BTreeSet<RunId>,
    /// Runs that began after the end of the script.
    late: BTreeSet<RunId>,
    script_over: bool,
    /// As what the call ended, once it is written.
    outcome: Option<CallOutcome>,
}

impl CallJournal {
    pub(crate) fn new(store: CallStore, call: &CallId) -> Self {
        Self {
            store,
            call: call.clone(),
            next: 0,
            waiting: Vec::new(),
            steps: Steps::default(),
            runs: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            late: BTreeSet::new(),
            script_over: false,
            outcome: None,
        }
    }

    /// Adds an entry; written with the next [`CallJournal::flush`].
    ///
    /// The end of the call is the end of its runs, but of those that steps on its end began. What the runner says of a run
    /// that was cancelled comes too late.
    pub(crate) fn note(&mut self, at: Time, event: JournalEvent) {
        let began = if let JournalEvent::RunBegan { run, .. } = event { Some(run) } else { None };
        let ended = if let JournalEvent::RunEnded { run, .. } = event { Some(run) } else { None };
        if ended.is_some_and(|run| self.cancelled.contains(&run)) {
            return;
        }
        if matches!(event, JournalEvent::Ended { .. }) {
            self.end_runs_but(at, &self.late.clone());
        }
        self.write(at, event);
        if let Some(run) = began.filter(|run| self.cancelled.contains(run)) {
            self.write(at, JournalEvent::RunEnded { run, end: RunEnd::Cancelled });
        }
    }

    /// Nothing runs any more.
    pub(crate) fn end_runs(&mut self, at: Time) {
        self.end_runs_but(at, &BTreeSet::new());
    }

    fn end_runs_but(&mut self, at: Time, late: &BTreeSet<RunId>) {
        let over: Vec<RunId> = self.runs.difference(late).copied().collect();
        for run in over {
            self.cancel(at, run);
        }
    }

    fn cancel(&mut self, at: Time, run: RunId) {
        self.cancelled.insert(run);
        if self.runs.contains(&run) {
            self.write(at, JournalEvent::RunEnded { run, end: RunEnd::Cancelled });
        }
    }

    fn write(&mut self, at: Time, event: JournalEvent) {
        self.remember(at, &event);
        self.waiting.push(JournalEntry { seq: self.next, at, event });
        self.next = self.next.saturating_add(1);
    }

    /// Another scenario begins: what it runs is not the end of the one before.
    pub(crate) const fn script_begins(&mut self) {
        self.script_over = false;
    }

    /// Takes the journal lines out of a call machine's outputs.
    pub(crate) fn note_call(&mut self, at: Time, outputs: &mut Vec<Output>) {
        for output in outputs.extract_if(.., |output| matches!(output, Output::Journal(_))) {
            if let Output::Journal(event) = output {
                self.note(at, event);
            }
        }
    }

    /// Takes the journal lines out of an interpreter's outputs.
    pub(crate) fn note_script(&mut self, at: Time, outputs: &mut Vec<ScriptOutput>) {
        outputs.retain(|output| match output {
            ScriptOutput::Journal(event) => {
                self.note(at, event.clone());
                false
            }
            ScriptOutput::StartRun { run, path, .. } => {
                self.steps.starts(*run, path);
                if self.script_over {
                    self.late.insert(*run);
                }
                true
            }
            ScriptOutput::CancelRun { run } => {
                self.cancel(at, *run);
                true
            }
            ScriptOutput::Ended(_) => {
                self.script_over = true;
                true
            }
            ScriptOutput::FindExtension { .. } | ScriptOutput::Closed => true,
        });
    }

    /// Hands what waits to the store. Never waits; what the store cannot take it counts as lost.
    pub(crate) fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        if let Err(error) = self.store.append_journal(&self.call, &self.waiting) {
            tracing::error!(call_id = %self.call, %error, "journal lines could not be written");
        }
        // A call that waits keeps no room for lines.
        self.waiting = Vec::new();
    }

    /// The steps taken, for the record.
    pub(crate) fn steps(&self) -> Vec<StepRecord> {
        self.steps.clone().into_records()
    }

    /// As what the call ended, if that is written already: it ends as nothing else.
    pub(crate) fn outcome(&self) -> Option<CallOutcome> {
        self.outcome.clone()
    }

    fn remember(&mut self, at: Time, event: &JournalEvent) {
        self.steps.note(at, event);
        if let JournalEvent::Ended { outcome } = event {
            self.outcome = Some(outcome.clone());
        }
        if let JournalEvent::RunBegan { run, .. } = event {
            self.runs.insert(*run);
        } else if let JournalEvent::RunEnded { run, .. } = event {
            self.runs.remove(run);
        }
    }
}

/// A PIN is in no journal: the keys of it are told as pressed, and not which.
pub(crate) fn hide_keys(outputs: &mut [Output]) {
    for output in outputs {
        if let Output::Journal(JournalEvent::Digit { digit, .. }) = output {
            *digit = HIDDEN;
        }
    }
}
