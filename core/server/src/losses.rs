//! What the store lost and nobody was told yet: a full disk loses something many times a second.

use plugboard_model::Time;
use std::time::Duration;

/// No more than one line in this time.
const PAUSE: Duration = Duration::from_mins(1);

/// Journal lines and records.
pub(crate) type Lost = (u64, u64);

/// Sums up losses between two lines of the log.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    untold: Lost,
    told: Option<Time>,
}

impl Losses {
    /// More was lost. What to say of it, if it is time: everything since the last line.
    pub(crate) fn add(&mut self, now: Time, (journal, records): Lost) -> Option<Lost> {
        self.untold = (self.untold.0.saturating_add(journal), self.untold.1.saturating_add(records));
        if self.told.is_some_and(|told| now.since(told) < PAUSE) {
            return None;
        }
        self.told = Some(now);
        self.take()
    }

    /// Nothing is lost any more. What is still to be said.
    pub(crate) fn take(&mut self) -> Option<Lost> {
        let untold = std::mem::take(&mut self.untold);
        (untold != (0, 0)).then_some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_once_a_minute_with_all_that_was_lost() {
        let mut losses = Losses::default();
        let said: Vec<_> =
            (0..=90).filter_map(|second| losses.add(Time::from_millis(second * 1_000), (2, 1))).collect();
        assert_eq!(said, [(2, 1), (120, 60)], "the first at once");
        assert_eq!(losses.take(), Some((60, 30)), "the last when it is over");
        assert_eq!(losses.take(), None);
    }
}
