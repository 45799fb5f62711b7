//! Which RTP ports are free: even ports, each with the RTCP port above (RFC 3550 section 11).

use plugboard_model::Time;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A port rests this long, so that late packets of one call never reach the next.
pub const PORT_REST: Duration = Duration::from_millis(500);

/// The range unless the configuration says otherwise.
pub const DEFAULT_PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// One pair in so many is for calls for help alone, which take two: not below this many, where there is nothing to spare.
const HELP_SHARE: usize = 8;
/// As many calls for help as an office has at once, and more.
const HELP_PAIRS_MAX: usize = 16;

/// For whom a pair of ports is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Any call.
    Usual,
    /// One for help: it gets the last pair.
    Help,
}

/// No pair of ports is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no free RTP port: all {pairs} pairs are in use, rest or are kept for calls for help; widen the media port range"
)]
pub struct PortsExhausted {
    /// How many pairs the range has.
    pub pairs: usize,
}

/// Pairs of ports, handed out in turn: the longest unused first.
#[derive(Debug)]
pub struct PortRange {
    pairs: usize,
    /// So many of them are for calls for help alone.
    reserve: usize,
    free: VecDeque<u16>,
    resting: VecDeque<(Time, u16)>,
}

impl PortRange {
    /// All whole pairs (even, odd) within `range`.
    pub fn new(range: RangeInclusive<u16>) -> Self {
        let free: VecDeque<u16> =
            range.clone().filter(|port| port % 2 == 0 && *port != 0 && port < range.end()).collect();
        let pairs = free.len();
        let reserve = if pairs < HELP_SHARE { 0 } else { (pairs / HELP_SHARE).clamp(2, HELP_PAIRS_MAX) };
        Self { pairs, reserve, free, resting: VecDeque::new() }
    }

    /// How many pairs there are.
    pub const fn pairs(&self) -> usize {
        self.pairs
    }

    /// How many pairs are in use; those that rest are not.
    pub fn in_use(&self) -> usize {
        self.pairs.saturating_sub(self.free.len() + self.resting.len())
    }

    /// Takes the even port of a free pair.
    ///
    /// # Errors
    /// [`PortsExhausted`] when every pair is in use, rests or is kept for calls for help.
    pub fn take(&mut self, now: Time, need: Need) -> Result<u16, PortsExhausted> {
        while let Some((ready, port)) = self.resting.front().copied() {
            if now < ready {
                break;
            }
            self.resting.pop_front();
            self.free.push_back(port);
        }
        let kept = match need {
            Need::Usual => self.reserve,
            Need::Help => 0,
        };
        let held = self.in_use() + self.resting.len();
        if held + kept >= self.pairs {
            return Err(PortsExhausted { pairs: self.pairs });
        }
        self.free.pop_front().ok_or(PortsExhausted { pairs: self.pairs })
    }

    /// Gives a port of [`PortRange::take`] back; it rests for [`PORT_REST`].
    pub fn give_back(&mut self, now: Time, port: u16) {
        self.resting.push_back((now + PORT_REST, port));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_rests_half_a_second_before_it_is_used_again() {
        let mut ports = PortRange::new(20_000..=20_003);
        assert_eq!(ports.pairs(), 2);
        let first = ports.take(Time::ZERO, Need::Usual).unwrap();
        let second = ports.take(Time::ZERO, Need::Usual).unwrap();
        assert_eq!((first, second), (20_000, 20_002));
        ports.give_back(Time::from_millis(100), first);
        assert_eq!(ports.take(Time::from_millis(599), Need::Usual), Err(PortsExhausted { pairs: 2 }));
        assert_eq!(ports.take(Time::from_millis(600), Need::Usual), Ok(first));
    }

    #[test]
    fn the_last_pairs_are_for_calls_for_help() {
        for (pairs, kept) in [(1, 0), (7, 0), (8, 2), (15, 2), (64, 8), (5_000, 16)] {
            let mut ports = PortRange::new(20_000..=20_000 + pairs * 2 - 1);
            let usual = (0..pairs).filter(|_| ports.take(Time::ZERO, Need::Usual).is_ok()).count();
            assert_eq!(usual, usize::from(pairs - kept), "{pairs}");
            let help = (0..pairs).filter(|_| ports.take(Time::ZERO, Need::Help).is_ok()).count();
            assert_eq!(help, usize::from(kept), "{pairs}");
        }
        // Those that a call for help gives back are nobody's before as many are free again.
        let mut ports = PortRange::new(20_000..=20_015);
        let usual: Vec<u16> = (0..6).map(|_| ports.take(Time::ZERO, Need::Usual).unwrap()).collect();
        let help = ports.take(Time::ZERO, Need::Help).unwrap();
        ports.give_back(Time::ZERO, help);
        assert!(ports.take(Time::from_millis(600), Need::Usual).is_err());
        ports.give_back(Time::ZERO, usual[0]);
        assert!(ports.take(Time::from_millis(600), Need::Usual).is_ok());
    }

    #[test]
    fn the_longest_unused_pair_comes_first() {
        let mut ports = PortRange::new(20_000..=20_005);
        let used = ports.take(Time::ZERO, Need::Usual).unwrap();
        ports.give_back(Time::ZERO, used);
        assert_eq!(ports.take(Time::from_millis(1_000), Need::Usual), Ok(20_002));
        assert_eq!(ports.in_use(), 1);
    }

    #[test]
    fn half_a_pair_at_the_edge_is_not_used() {
        assert_eq!(PortRange::new(20_001..=20_002).pairs(), 0);
        assert_eq!(PortRange::new(65_533..=65_535).pairs(), 1);
        assert_eq!(PortRange::new(0..=1).pairs(), 0);
    }
}
