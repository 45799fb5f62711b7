//! How often somebody may ask: so many requests a second in the long run, and so many at once.

use plugboard_model::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// So many a second in the long run, and so many at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// A second; 0: as many as he likes.
    pub per_second: u32,
    /// At once, from 1.
    pub burst: u32,
}

/// What each of many asked for of late, within one [`Rate`].
///
/// A token bucket each, told by one moment: when it will be full again. One that is full is forgotten, so that whoever asks
/// within bounds costs memory only for a moment. Past the number of those who are remembered, about 100 bytes each, the one
/// that is full soonest is forgotten first: whoever asks most is the last to go, however many names others invent.
#[derive(Debug)]
pub struct Rates<K> {
    rate: Rate,
    remembered_max: usize,
    full: BTreeMap<K, Time>,
    order: BTreeSet<(Time, K)>,
}

impl<K: Ord + Clone> Rates<K> {
    /// Nobody asked yet; at most so many are remembered.
    pub const fn new(rate: Rate, remembered_max: usize) -> Self {
        Self { rate, remembered_max, full: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// One more request.
    ///
    /// # Errors
    /// It is one too many: how long until there is room for one. It is not counted then.
    pub fn take(&mut self, now: Time, who: &K) -> Result<(), Duration> {
        let Some(each) = self.each() else { return Ok(()) };
        self.forget_full(now);
        let before = self.full.get(who).copied().unwrap_or_default().max(now);
        let after = before + each;
        let most = each.saturating_mul(self.rate.burst.max(1));
        let used = after.since(now);
        if used > most {
            return Err(used.saturating_sub(most));
        }
        self.set(who, after);
        Ok(())
    }

    /// So many requests of his are not counted after all.
    pub fn give_back(&mut self, now: Time, who: &K, requests: u32) {
        let Some(each) = self.each() else { return };
        let Some(full) = self.full.get(who).copied() else { return };
        let used = full.since(now).saturating_sub(each.saturating_mul(requests));
        self.set(who, now + used);
        self.forget_full(now);
    }

    /// How many are remembered.
    pub fn remembered(&self) -> usize {
        self.full.len()
    }

    /// What one request takes.
    fn each(&self) -> Option<Duration> {
        Duration::from_secs(1).checked_div(self.rate.per_second)
    }

    fn set(&mut self, who: &K, full: Time) {
        match self.full.insert(who.clone(), full) {
            Some(before) => drop(self.order.remove(&(before, who.clone()))),
            None if self.full.len() > self.remembered_max => {
                if let Some((_, soonest)) = self.order.pop_first() {
                    self.full.remove(&soonest);
                }
            }
            None => {}
        }
        self.order.insert((full, who.clone()));
    }

    fn forget_full(&mut self, now: Time) {
        while self.order.first().is_some_and(|(full, _)| *full <= now) {
            if let Some((_, who)) = self.order.pop_first() {
                self.full.remove(&who);
            }
        }
    }
}

/// The part of an address that stands for one house: an IPv4 address, or the 64 bits of an IPv6 address that a house has.
pub fn house(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    fn rates(per_second: u32, burst: u32) -> Rates<u32> {
        Rates::new(Rate { per_second, burst }, 100)
    }

    #[test]
    fn after_a_burst_as_many_a_second_pass_as_are_allowed() {
        let mut rates = rates(10, 5);
        let first = (0..100).filter(|_| rates.take(at(0), &1).is_ok()).count();
        assert_eq!(first, 5);
        assert_eq!(rates.take(at(0), &1), Err(Duration::from_millis(100)), "when the next one has room");
        assert_eq!(rates.take(at(0), &2), Ok(()), "another is not held up");
        let later = (1..=10_000).filter(|ms| rates.take(at(*ms), &1).is_ok()).count();
        assert_eq!(later, 100, "ten seconds");
        let pause = (0..100).filter(|_| rates.take(at(60_000), &1).is_ok()).count();
        assert_eq!(pause, 5, "what was not used in a minute is not saved beyond the burst");
    }

    #[test]
    fn what_is_given_back_was_never_asked() {
        let mut rates = rates(10, 5);
        for n in 0..1_000 {
            assert_eq!((rates.take(at(n), &1), rates.take(at(n), &1)), (Ok(()), Ok(())), "{n}");
            rates.give_back(at(n), &1, 2);
        }
        assert_eq!(rates.remembered(), 0, "a bucket that is full is forgotten");
        rates.give_back(at(1_000), &1, 1_000);
        assert_eq!((0..100).filter(|_| rates.take(at(1_000), &1).is_ok()).count(), 5, "nobody gains by it");
    }

    #[test]
    fn without_a_rate_nobody_is_counted() {
        let mut rates = rates(0, 1);
        assert!((0..10_000).all(|_| rates.take(at(0), &1).is_ok()));
        assert_eq!(rates.remembered(), 0);
    }

    #[test]
    fn whoever_asks_most_is_remembered_however_many_others_come() {
        let mut rates = rates(10, 5);
        while rates.take(at(0), &0).is_ok() {}
        for other in 1..10_000 {
            assert_eq!(rates.take(at(0), &other), Ok(()));
        }
        assert_eq!((rates.remembered(), rates.order.len()), (100, 100));
        assert!(rates.take(at(0), &0).is_err());
    }

    #[test]
    fn the_addresses_of_a_house_are_one() {
        let house = |text: &str| house(text.parse().unwrap());
        assert_eq!(house("2001:db8::1"), house("2001:db8::ffff:1"));
        assert_ne!(house("2001:db8:0:1::1"), house("2001:db8::1"));
        assert_eq!(house("::ffff:192.0.2.1"), house("192.0.2.1"));
        assert_ne!(house("192.0.2.2"), house("192.0.2.1"));
    }

    proptest! {
        #[test]
        fn in_no_span_more_pass_than_the_burst_and_the_rate_allow(
            per_second in 1_u32..1_000, burst in 1_u32..50, steps in proptest::collection::vec(0_u64..200, 1..400)
        ) {
            let mut rates = rates(per_second, burst);
            let (mut now, mut passed) = (0, Vec::new());
            for step in steps {
                now += step;
                if rates.take(at(now), &1).is_ok() {
                    passed.push(now);
                }
            }
            for (first, begin) in passed.iter().enumerate() {
                for (last, end) in passed.iter().enumerate().skip(first) {
                    // The length of one request is rounded down to nanoseconds.
                    let most = u64::from(burst) + (end - begin) * u64::from(per_second) / 1_000 + 1;
                    prop_assert!((last - first) as u64 <= most);
                }
            }
            prop_assert_eq!(rates.full.len(), rates.order.len());
        }
    }
}
