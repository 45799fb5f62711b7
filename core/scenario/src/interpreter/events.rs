//! Steps that run beside the script when something happens.

use super::Interpreter;
use super::strand::{Place, Purpose, State, Strand};
use crate::program::{Act, ListId};
use crate::{Occasion, ScenarioEnd, Talker};
use plugboard_model::{JournalEvent, Value};

/// Streams and events that run at the same time: whoever holds and takes back faster than his steps run loses some.
const STRANDS_MAX: usize = 16;
/// Steps on events that one scenario arms; one that stands in a menu is armed each time the caller comes by.
const ARMED_MAX: usize = 64;
/// Steps that streams and events may take in one call, all together; the script has as many for itself.
const STEPS_MAX: u32 = 10_000;

/// Steps that wait for something to happen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Armed {
    pub(super) occasion: Occasion,
    pub(super) list: ListId,
    pub(super) path: String,
}

impl Interpreter {
    /// From now on these steps run whenever it happens. The same step is armed once, however often the call comes by.
    pub(super) fn arm(&mut self, armed: Armed) {
        if self.armed.contains(&armed) {
            return;
        }
        if self.armed.len() >= ARMED_MAX {
            return self.note(format!("{}: more than {ARMED_MAX} events are waited for, not this one", armed.path));
        }
        self.armed.push(armed);
    }

    /// Something happened: the steps that wait for it begin.
    pub(super) fn happened(&mut self, occasion: Occasion, by: Option<&Talker>, whom: Option<&Talker>) {
        if self.end.is_some() {
            return;
        }
        self.fire(occasion, by, whom);
        if occasion == Occasion::Ringing {
            self.step_rings(by);
        }
    }

    fn fire(&mut self, occasion: Occasion, by: Option<&Talker>, whom: Option<&Talker>) {
        let waiting: Vec<Armed> = self.armed.iter().filter(|armed| armed.occasion == occasion).cloned().collect();
        for armed in waiting {
            self.begin_beside(armed.list, &armed.path, occasion.as_str(), told_of(by, whom));
        }
    }

    /// The steps on the ringing of the action that calls, once a run.
    fn step_rings(&mut self, by: Option<&Talker>) {
        let program = std::sync::Arc::clone(&self.program);
        let mut found = None;
        for strand in &mut self.strands {
            let State::Running { run, step, purpose: Purpose::Step } = strand.state else { continue };
            let Some(step) = program.list(step.list).get(step.place) else { continue };
            let Act::Run(action) = &step.act else { continue };
            if let Some(list) = action.ringing
                && strand.rang != Some(run)
            {
                strand.rang = Some(run);
                found = Some((list, step.path.clone()));
                break;
            }
        }
        if let Some((list, path)) = found {
            self.begin_beside(list, &path, Occasion::Ringing.as_str(), told_of(by, None));
        }
    }

    /// The conversation that an action began is over: its steps on the hanging up run beside what follows.
    pub(super) fn conversation_ended(&mut self, hang_up: Option<ListId>) {
        let Some(list) = hang_up else { return };
        let (left, path) = (self.left.clone(), self.path_of_list(list));
        self.begin_beside(list, &path, Occasion::HangUp.as_str(), told_of(left.as_ref(), None));
    }

    /// Steps begin beside the script.
    pub(super) fn begin_beside(&mut self, list: ListId, path: &str, why: &str, own: Vec<(&'static str, Value)>) {
        let beside = self.strands.iter().filter(|strand| strand.place == Place::Beside).count();
        if beside >= STRANDS_MAX {
            return self.note(format!("{path}: {STRANDS_MAX} streams and events run already, not this one"));
        }
        self.journal(JournalEvent::Decided { path: path.into(), branch: why.into() });
        self.strands.push(Strand::new(Place::Beside, list, own));
    }

    /// Counts a step of a stream or an event; false: it may take no more.
    pub(super) fn may_step_beside(&mut self) -> bool {
        self.steps_beside += 1;
        self.steps_beside <= STEPS_MAX
    }

    /// The script is over, and with it all that runs beside it; what hangs on the hanging up begins.
    pub(super) fn finish(&mut self, end: ScenarioEnd) {
        if self.end.is_some() {
            return;
        }
        let conversations: Vec<Option<ListId>> = self
            .strands
            .iter()
            .flat_map(|strand| &strand.stack)
            .filter_map(|frame| frame.answered.map(|answered| answered.hang_up))
            .collect();
        self.cancel_all();
        if let ScenarioEnd::Limit(which) = &end {
            self.note(format!("the scenario ends: {which}"));
        }
        self.outbox.push_back(crate::Output::Ended(end.clone()));
        self.end = Some(end);
        for hang_up in conversations {
            self.conversation_ended(hang_up);
        }
        let left = self.left.clone();
        self.fire(Occasion::HangUp, left.as_ref(), None);
    }

    /// Drops everything that runs.
    pub(super) fn cancel_all(&mut self) {
        let runs: Vec<_> =
            self.strands.iter().filter_map(Strand::awaits).chain(std::mem::take(&mut self.beside)).collect();
        self.strands.clear();
        for run in runs {
            self.outbox.push_back(crate::Output::CancelRun { run });
        }
    }

    /// Where a list stands in the document: the way to the step that has it.
    fn path_of_list(&self, list: ListId) -> String {
        let first = self.program.list(list).first().map_or("", |step| step.path.as_str());
        first.rsplit_once(".on.").map_or(first, |(step, _)| step).to_owned()
    }
}

/// The variables that the steps at an event read.
fn told_of(by: Option<&Talker>, whom: Option<&Talker>) -> Vec<(&'static str, Value)> {
    let mut told = Vec::new();
    for (who, number, user) in [(by, "event_number", "event_user"), (whom, "event_other_number", "event_other_user")] {
        told.push((number, Value::Text(who.map_or_else(String::new, |who| who.number.clone()))));
        if let Some(id) = who.and_then(|who| who.user.clone()) {
            told.push((user, Value::User(id)));
        }
    }
    told
}
