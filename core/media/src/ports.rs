//! Which RTP ports are free: even ports, each with the RTCP port above (RFC 3550 section 11).

use plugboard_model::Time;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A port rests this long, so that late packets of one call never reach the next.
pub const PORT_REST: Duration = Duration::from_millis(500);

/// The range unless the configuration says otherwise.
pub const DEFAULT_PORTS: RangeInclusive<u16> = 20_000..=29_999;

/// No pair of ports is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no free RTP port: all {pairs} pairs are in use or rest; widen the media port range")]
pub struct PortsExhausted {
    /// How many pairs the range has.
    pub pairs: usize,
}

/// Pairs of ports, handed out in turn: the longest unused first.
#[derive(Debug)]
pub struct PortRange {
    pairs: usize,
    free: VecDeque<u16>,
    resting: VecDeque<(Time, u16)>,
}

impl PortRange {
    /// All whole pairs (even, odd) within `range`.
    pub fn new(range: RangeInclusive<u16>) -> Self {
        let free: VecDeque<u16> =
            range.clone().filter(|port| port % 2 == 0 && *port != 0 && port < range.end()).collect();
        Self { pairs: free.len(), free, resting: VecDeque::new() }
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
    /// [`PortsExhausted`] when every pair is in use or rests.
    pub fn take(&mut self, now: Time) -> Result<u16, PortsExhausted> {
        while let Some((ready, port)) = self.resting.front().copied() {
            if now < ready {
                break;
            }
            self.resting.pop_front();
            self.free.push_back(port);
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
        let first = ports.take(Time::ZERO).unwrap();
        let second = ports.take(Time::ZERO).unwrap();
        assert_eq!((first, second), (20_000, 20_002));
        ports.give_back(Time::from_millis(100), first);
        assert_eq!(ports.take(Time::from_millis(599)), Err(PortsExhausted { pairs: 2 }));
        assert_eq!(ports.take(Time::from_millis(600)), Ok(first));
    }

    #[test]
    fn the_longest_unused_pair_comes_first() {
        let mut ports = PortRange::new(20_000..=20_005);
        let used = ports.take(Time::ZERO).unwrap();
        ports.give_back(Time::ZERO, used);
        assert_eq!(ports.take(Time::from_millis(1_000)), Ok(20_002));
        assert_eq!(ports.in_use(), 1);
    }

    #[test]
    fn half_a_pair_at_the_edge_is_not_used() {
        assert_eq!(PortRange::new(20_001..=20_002).pairs(), 0);
        assert_eq!(PortRange::new(65_533..=65_535).pairs(), 1);
        assert_eq!(PortRange::new(0..=1).pairs(), 0);
    }
}
