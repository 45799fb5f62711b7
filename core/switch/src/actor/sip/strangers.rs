//! Which strangers' calls are told in the log: the first of each minute, since a scanner sends thousands.

use plugboard_metrics::StrangerCalled;
use plugboard_model::Time;
use plugboard_sip::flow::Flow;
use plugboard_sip::{Request, RequestUri};
use std::time::Duration;

use super::SipActor;

/// Lines in a [`SPAN`]: enough to see a provider's call among a scanner's.
const LINES_MAX: u32 = 10;
/// For so many lines.
const SPAN: Duration = Duration::from_secs(60);
/// Letters of a name or number in a line.
const NAME_LEN_MAX: usize = 64;

/// How many lines were written of late.
#[derive(Debug, Default)]
pub(super) struct Told {
    since: Time,
    lines: u32,
    unsaid: u64,
}

impl Told {
    /// Whether one more is told: then with how many were not since the last.
    fn one_more(&mut self, now: Time) -> Option<u64> {
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

impl SipActor {
    /// Tells of a call that nobody known makes.
    pub(super) fn tell_stranger(&mut self, request: &Request, flow: Flow, status: u16, refused: bool) {
        let short = |name: &str| name.chars().take(NAME_LEN_MAX).collect::<String>();
        let from = request.headers.from().ok().and_then(|from| from.parse_uri().ok());
        let caller = short(&from.as_ref().and_then(RequestUri::user).unwrap_or_default());
        let called = short(&request.uri.user().unwrap_or_default());
        let unsaid = self.strangers.one_more(self.env.clock.now());
        StrangerCalled { source: flow.remote, status, caller: &caller, called: &called, refused, unsaid }
            .emit(&self.env.metrics);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_minute_are_written_and_the_next_one_tells_how_many_were_not() {
        let mut told = Told::default();
        let written = (0..1_000).filter(|n| told.one_more(Time::from_millis(*n)).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(told.one_more(Time::from_millis(59_999)), None);
        assert_eq!(told.one_more(Time::from_millis(60_000)), Some(991));
        assert_eq!(told.one_more(Time::from_millis(60_001)), Some(0));
    }
}
