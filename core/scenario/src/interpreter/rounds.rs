//! What the time decides, and what is done again.

use super::Interpreter;
use crate::program::Act;
use plugboard_calendar::Schedule;
use plugboard_model::{JournalEvent, WallTime};
use std::sync::Arc;

impl Interpreter {
    /// Whether it is the time that a step asks for; the journal tells what time it was.
    pub(super) fn is_time(&mut self, path: &str, schedule: &Schedule) -> bool {
        let wall = self.wall();
        let taken = schedule.holds(wall);
        self.note(format!("{path}: it is {}", schedule.told(wall)));
        let branch = if taken { "then" } else { "else" };
        self.journal(JournalEvent::Decided { path: path.into(), branch: branch.into() });
        taken
    }

    /// The end of a list that nothing waits for. Those of a `repeat` may begin again.
    pub(super) fn round_done(&mut self, strand: usize) {
        let program = Arc::clone(&self.program);
        let Some((frame, below)) = self.strands.get(strand).and_then(|strand| strand.stack.split_last()) else {
            return;
        };
        let (list, rounds) = (frame.list, frame.rounds + 1);
        let step = below.last().and_then(|frame| program.list(frame.list).get(frame.next.checked_sub(1)?));
        if let Some(step) = step
            && let Act::Repeat { times, until, list: own } = &step.act
            && *own == list
        {
            let done = until.as_ref().is_some_and(|until| self.decides(strand, &step.path, until));
            if !done && rounds < *times {
                let again = format!("round {}", rounds + 1);
                self.journal(JournalEvent::Decided { path: step.path.clone(), branch: again });
                let frame = self.strands.get_mut(strand).and_then(|strand| strand.stack.last_mut());
                if let Some(frame) = frame {
                    (frame.next, frame.rounds) = (0, rounds);
                }
                return;
            }
            if done {
                self.journal(JournalEvent::Decided { path: step.path.clone(), branch: "done".into() });
            }
        }
        self.pop(strand);
    }

    fn wall(&self) -> WallTime {
        let (at, wall) = self.began;
        WallTime(wall.0.saturating_add(i64::try_from(self.at.since(at).as_millis()).unwrap_or(i64::MAX)))
    }
}
