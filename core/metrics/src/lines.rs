//! How many lines of each kind are written in a minute: the first ones, since a peer that errs once errs a thousand times.

use crate::labels::Label;
use plugboard_model::Time;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lines of one kind in a [`SPAN`], unless they have a limit of their own: enough to see what is wrong with a phone, or a
/// provider's call among a scanner's, and few enough beside the lines of calls.
pub(crate) const LINES_MAX: u32 = 10;
/// For so many lines.
const SPAN: Duration = Duration::from_secs(60);

/// The lines of each kind, counted for all shards together. One lock for all: what is counted under it is a flood at worst,
/// and it is held for a few instructions.
#[derive(Debug)]
pub(crate) struct Lines<A> {
    told: Mutex<Box<[Told]>>,
    max: u32,
    kinds: PhantomData<A>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    since: Time,
    lines: u32,
    unsaid: u64,
}

impl<A: Label> Lines<A> {
    /// At most so many of each kind in a minute.
    pub(crate) fn new(max: u32) -> Self {
        let none = Told { since: Time::ZERO, lines: 0, unsaid: 0 };
        Self { told: Mutex::new(vec![none; A::ALL.len()].into()), max, kinds: PhantomData }
    }

    fn told(&self) -> MutexGuard<'_, Box<[Told]>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more is told: then with how many were not since the last.
    pub(crate) fn one_more(&self, kind: A, now: Time) -> Option<u64> {
        let mut all = self.told();
        let told = all.get_mut(kind.index())?;
        if now.since(told.since) >= SPAN {
            (told.since, told.lines) = (now, 0);
        }
        if told.lines >= self.max {
            told.unsaid = told.unsaid.saturating_add(1);
            return None;
        }
        told.lines += 1;
        Some(std::mem::take(&mut told.unsaid))
    }

    /// Of which kinds how many were left out in a span that is over, once.
    pub(crate) fn left_out(&self, now: Time) -> Vec<(A, u64)> {
        let mut all = self.told();
        let over =
            A::ALL.iter().zip(all.iter_mut()).filter(|(_, told)| told.unsaid > 0 && now.since(told.since) >= SPAN);
        over.map(|(kind, told)| (*kind, std::mem::take(&mut told.unsaid))).collect()
    }
}

/// The field of a line: only one that says something of it has it.
pub(crate) fn if_any(left_out: u64) -> Option<u64> {
    (left_out > 0).then_some(left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault_events::SipFaultKind;

    #[test]
    fn so_many_lines_of_a_kind_are_written_in_a_minute_and_what_is_left_out_is_told_once() {
        let lines = Lines::new(LINES_MAX);
        let at = Time::from_millis;
        let written = (0..10_000).filter(|n| lines.one_more(SipFaultKind::Malformed, at(*n)).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(lines.one_more(SipFaultKind::Framing, at(9_999)), Some(0), "each kind has its own");
        assert_eq!(lines.left_out(at(59_999)), [], "the minute is not over");
        assert_eq!(lines.one_more(SipFaultKind::Malformed, at(60_000)), Some(9_990));
        assert_eq!(lines.one_more(SipFaultKind::Malformed, at(60_001)), Some(0), "it was told");
        assert_eq!(lines.left_out(at(120_000)), []);
        for n in 0..15 {
            lines.one_more(SipFaultKind::Framing, at(130_000 + n));
        }
        assert_eq!(lines.left_out(at(190_000)), [(SipFaultKind::Framing, 5)]);
        assert_eq!(lines.left_out(at(190_000)), []);
    }
}
