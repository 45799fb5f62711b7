//! How fast a queue moves: what those who were answered last waited for each place before them.

use std::collections::VecDeque;
use std::time::Duration;

/// So many are remembered: what an hour ago was so says little.
const REMEMBERED: usize = 20;
/// With fewer than these nothing is said.
const ENOUGH: usize = 3;
/// Who was answered sooner did not wait: somebody was free.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Of a longer wait nobody is told a time.
const LONGEST: Duration = Duration::from_hours(1);

/// See the module's page.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Duration>);

impl Pace {
    /// Somebody was answered who came behind so many others and waited so long.
    pub(super) fn note(&mut self, ahead: usize, waited: Duration) {
        if waited < AT_ONCE {
            return;
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(waited / u32::try_from(ahead + 1).unwrap_or(u32::MAX));
    }

    /// How long whoever has this place is likely to wait, 1 being the next.
    pub(super) fn wait(&self, place: usize) -> Option<Duration> {
        let count = u32::try_from(self.0.len()).ok().filter(|_| self.0.len() >= ENOUGH)?;
        let each = self.0.iter().sum::<Duration>() / count;
        let wait = each.checked_mul(u32::try_from(place).ok()?)?;
        (wait <= LONGEST).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_as_long_as_those_were_who_were_answered_last() {
        let mut pace = Pace::default();
        let seconds = Duration::from_secs;
        pace.note(0, seconds(30));
        pace.note(9, Duration::from_millis(300));
        pace.note(1, seconds(60));
        assert_eq!(pace.wait(1), None, "who was answered at once says nothing");
        pace.note(2, seconds(90));
        assert_eq!((pace.wait(1), pace.wait(4)), (Some(seconds(30)), Some(seconds(120))));
        assert_eq!(pace.wait(121), None, "nobody is told that he waits for an hour");
        for _ in 0..REMEMBERED {
            pace.note(0, seconds(10));
        }
        assert_eq!(pace.wait(2), Some(seconds(20)), "what was long ago is forgotten");
    }
}
