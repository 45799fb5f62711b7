//! The actions of a simulation: when they have their turn, and whether they decide the same again.

use plugboard_model::{CallRecord, HostCall, JournalEvent};
use plugboard_plugin::{ComponentId, RunKey, Verdict, replay};
use std::sync::Arc;
use std::time::Duration;

use super::Sim;

impl Sim {
    /// No action has its turn for so long: the thread is busy with others.
    pub fn actions_are_busy(&self, time: Duration) {
        self.world.plugins.busy_until(self.now() + time);
    }

    /// From now on what runs ask of the switch is noted.
    pub(crate) fn watches_actions(&self) {
        self.world.plugins.watch();
    }

    /// What they asked since this was called last.
    pub(crate) fn asked_of_switch(&self) -> Vec<HostCall> {
        self.world.plugins.asked()
    }

    /// Whether they asked anything since then.
    pub(crate) fn questions(&self) -> impl Fn() -> bool + use<> {
        let plugins = Arc::clone(&self.world.plugins);
        move || plugins.has_asked()
    }

    /// Replays each run of a call from its journal; how many there were.
    ///
    /// # Panics
    /// When one decides otherwise, or cannot be replayed.
    #[track_caller]
    pub fn replays(&self, record: &CallRecord) -> usize {
        let entries = self.journal(record);
        let mut runs = 0;
        for entry in &entries {
            let JournalEvent::RunBegan { run, action, pins, .. } = &entry.event else { continue };
            let component = self.actions.get(ComponentId(pins.component));
            let component = component.unwrap_or_else(|| panic!("the {action} that ran is not installed"));
            let key = RunKey { call: record.id.clone(), run: *run };
            let events = entries.iter().map(|entry| &entry.event);
            let report = replay(&self.actions, component.bytes(), events, &key);
            let report = report.unwrap_or_else(|why| panic!("run {} of {}, {action}: {why}", run.0, record.id));
            let is_same = matches!(report.verdict, Verdict::Same | Verdict::StoppedByRecord);
            assert!(is_same, "run {} of {}: {report:?}", run.0, record.id);
            runs += 1;
        }
        runs
    }
}
