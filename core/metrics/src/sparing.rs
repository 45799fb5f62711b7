//! Lines that are written sparingly: of what happens thousands of times, the first ones of each minute.

use plugboard_model::Time;
use std::time::Duration;

/// Lines in a [`SPAN`]: enough to see a provider's call among a scanner's.
const LINES_MAX: u32 = 10;
/// For so many lines.
const SPAN: Duration = Duration::from_secs(60);

/// How many lines were written of late.
#[derive(Debug, Clone, Default)]
pub struct Sparing {
    since: Time,
    lines: u32,
    unsaid: u64,
}

impl Sparing {
    /// Whether one more is written: then with how many were not since the last.
    pub fn one_more(&mut self, now: Time) -> Option<u64> {
        if now.since(self.since) >= SPAN {
            (self.since, self.lines) = (now, 0);
        }
        if self.lines >= LINES_MAX {
            self.unsaid = self.unsaid.saturating_add(1);
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_minute_are_written_and_the_next_one_tells_how_many_were_not() {
        let mut told = Sparing::default();
        let written = (0..1_000).filter(|n| told.one_more(Time::from_millis(*n)).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(told.one_more(Time::from_millis(59_999)), None);
        assert_eq!(told.one_more(Time::from_millis(60_000)), Some(991));
        assert_eq!(told.one_more(Time::from_millis(60_001)), Some(0));
    }
}
