//! The call's journal on its way to the store, and the steps it took for the record.

use plugboard_call::Output;
use plugboard_model::{CallId, JournalEntry, JournalEvent, RunEnd, RunId, StepRecord, Steps, Time};
use plugboard_scenario::Output as ScriptOutput;
use plugboard_store::CallStore;
use std::collections::BTreeSet;

/// Numbers the entries, hands them to the store in one batch a step, and keeps what the record shows.
pub(crate) struct CallJournal {
    store: CallStore,
    call: CallId,
    next: u32,
    waiting: Vec<JournalEntry>,
    steps: Steps,
    /// Runs that have begun and not ended.
    runs: BTreeSet<RunId>,
}

impl CallJournal {
    pub(crate) fn new(store: CallStore, call: &CallId) -> Self {
        Self { store, call: call.clone(), next: 0, waiting: Vec::new(), steps: Steps::default(), runs: BTreeSet::new() }
    }

    /// Adds an entry; written with the next [`CallJournal::flush`].
    ///
    /// The end of the call is the end of its runs: what the runner says of them comes too late.
    pub(crate) fn note(&mut self, at: Time, event: JournalEvent) {
        if matches!(event, JournalEvent::Ended { .. }) {
            for run in std::mem::take(&mut self.runs) {
                self.write(at, JournalEvent::RunEnded { run, end: RunEnd::Cancelled });
            }
        }
        self.write(at, event);
    }

    fn write(&mut self, at: Time, event: JournalEvent) {
        self.remember(&event);
        self.waiting.push(JournalEntry { seq: self.next, at, event });
        self.next = self.next.saturating_add(1);
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
        for output in outputs.extract_if(.., |output| matches!(output, ScriptOutput::Journal(_))) {
            if let ScriptOutput::Journal(event) = output {
                self.note(at, event);
            }
        }
    }

    /// Hands what waits to the store. Never waits; what the store cannot take it counts as lost.
    pub(crate) fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        if let Err(error) = self.store.append_journal(&self.call, &self.waiting) {
            tracing::error!(call_id = %self.call, %error, "journal lines could not be written");
        }
        self.waiting.clear();
    }

    /// The steps taken, for the record.
    pub(crate) fn take_steps(&mut self) -> Vec<StepRecord> {
        std::mem::take(&mut self.steps).into_records()
    }

    fn remember(&mut self, event: &JournalEvent) {
        self.steps.note(event);
        if let JournalEvent::RunBegan { run, .. } = event {
            self.runs.insert(*run);
        } else if let JournalEvent::RunEnded { run, .. } = event {
            self.runs.remove(run);
        }
    }
}
