//! Whether a shard keeps up with what comes: told by how long messages wait for it.

use plugboard_model::Time;
use std::time::Duration;

/// A message that waited so long is late: a tenth of the time after which its sender repeats it (T1 of RFC 3261), and
/// thousand times what one takes to be handled.
const LATE: Duration = Duration::from_millis(50);

/// A shard is behind when every message was late for so long. A burst, or a pause of the machine, is worked off by then;
/// what is left stands because more comes than goes.
const STANDING: Duration = Duration::from_millis(100);

/// Tells from the wait of each message whether the shard is behind. One that is takes no new calls until the first
/// message that is not late: refusing is quick, so that its queue is short again within milliseconds, and as many calls
/// get in as it can carry. As in RFC 8289: not the length of a queue tells, but that
/// it never empties.
#[derive(Debug, Default)]
pub(crate) struct Overload {
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// The last message was handled in time.
    #[default]
    InTime,
    /// Every message since then was late.
    Late { since: Time },
    /// New calls are refused.
    Behind,
}

impl Overload {
    /// A message that came then is handled now.
    pub(crate) fn handled(&mut self, came: Time, now: Time) {
        let late = now.since(came) >= LATE;
        self.state = match (self.state, late) {
            (State::InTime | State::Late { .. } | State::Behind, false) => State::InTime,
            (State::InTime, true) => State::Late { since: now },
            (State::Late { since }, true) if now.since(since) >= STANDING => State::Behind,
            (state @ (State::Late { .. } | State::Behind), true) => state,
        };
    }

    /// Whether new calls are to be refused.
    pub(crate) fn is_behind(&self) -> bool {
        self.state == State::Behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn a_burst_that_is_worked_off_is_no_overload() {
        let mut overload = Overload::default();
        // All come at once and take 1 ms each.
        for n in 0..149 {
            overload.handled(at(0), at(n));
            assert!(!overload.is_behind(), "{n} ms");
        }
        overload.handled(at(149), at(149));
        overload.handled(at(149), at(300));
        assert!(!overload.is_behind(), "one pause");
    }

    #[test]
    fn a_queue_that_stands_is_overload_until_the_first_message_in_time() {
        let mut overload = Overload::default();
        let first = (0..1_000).find(|n| {
            overload.handled(at(*n), at(n + 60));
            overload.is_behind()
        });
        assert_eq!(first, Some(100));
        overload.handled(at(200), at(249));
        assert!(!overload.is_behind());
    }
}
