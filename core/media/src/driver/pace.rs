//! When a media thread lets packets gather, instead of waking for each of them.
//!
//! A phone sends a packet every 20 ms, and those of many phones come evenly spread: a thread that waits for each is put to
//! sleep and woken as often as there are packets, which costs as much as a third of relaying them. So a busy thread looks
//! after its sockets in rounds. A packet waits at most one round longer; a thread with few packets waits for each as before.

use plugboard_model::Time;
use std::time::Duration;

/// So many packets within a round are worth a wait: at a round of a millisecond the packets of some 40 calls.
const BUSY: u32 = 4;

/// Once gathering, it goes on down to so many, so that the two ways do not alternate.
const STILL_BUSY: u32 = 2;

/// How many rounds are looked at together.
const WINDOW: u32 = 8;

/// Of one media thread.
#[derive(Debug)]
pub(super) struct Pace {
    /// Zero: every packet at once.
    round: Duration,
    window_began: Time,
    in_window: u32,
    gathers: bool,
}

impl Pace {
    /// Rounds of so long.
    pub(super) const fn new(round: Duration) -> Self {
        Self { round, window_began: Time::ZERO, in_window: 0, gathers: false }
    }

    /// Told after each wait: when it ended and how many packets it brought. Answers until when the next ones may gather.
    pub(super) fn until(&mut self, woke: Time, packets: u32) -> Option<Time> {
        if self.round.is_zero() {
            return None;
        }
        self.in_window = self.in_window.saturating_add(packets);
        let window = self.round * WINDOW;
        let passed = woke.since(self.window_began);
        if passed >= window {
            // A thread that slept for long did so for want of packets.
            let floor = if self.gathers { STILL_BUSY } else { BUSY } * WINDOW;
            self.gathers = self.in_window >= floor && passed < window * 2;
            (self.window_began, self.in_window) = (woke, 0);
        }
        self.gathers.then(|| woke + self.round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Packets that come one by one, evenly: how many waits they take, and the longest time that one of them waits.
    fn serve(mut pace: Pace, every: Duration, packets: u32) -> (u32, Duration) {
        let (mut now, mut next, mut waits, mut longest) = (Time::ZERO, 0, 0, Duration::ZERO);
        let at = |packet: u32| Time::ZERO + every * packet;
        while next < packets {
            now = now.max(at(next));
            waits += 1;
            let mut taken = 0;
            while next < packets && at(next) <= now {
                longest = longest.max(now.since(at(next)));
                (next, taken) = (next + 1, taken + 1);
            }
            if let Some(until) = pace.until(now, taken) {
                now = until;
            }
        }
        (waits, longest)
    }

    #[test]
    fn packets_of_many_calls_gather_and_none_waits_longer_than_a_round() {
        // 200 calls: 20 packets a millisecond.
        let (waits, longest) = serve(Pace::new(MILLISECOND), Duration::from_micros(50), 20_000);
        assert!(waits < 1_400, "{waits} waits for 1,000 rounds");
        assert!(longest <= MILLISECOND, "{longest:?}");
    }

    #[test]
    fn packets_of_few_calls_are_served_one_by_one() {
        // Ten calls: one packet a millisecond.
        let (waits, longest) = serve(Pace::new(MILLISECOND), MILLISECOND, 1_000);
        assert_eq!((waits, longest), (1_000, Duration::ZERO));
    }

    #[test]
    fn without_a_round_nothing_waits() {
        let (waits, longest) = serve(Pace::new(Duration::ZERO), Duration::from_micros(50), 20_000);
        assert_eq!((waits, longest), (20_000, Duration::ZERO));
    }

    #[test]
    fn a_thread_that_was_left_alone_serves_at_once_again() {
        let mut pace = Pace::new(MILLISECOND);
        let mut now = Time::ZERO;
        for _ in 0..40 {
            now = pace.until(now, 20).unwrap_or(now + MILLISECOND);
        }
        assert_eq!(pace.until(now, 20), Some(now + MILLISECOND));
        let later = now + Duration::from_secs(1);
        assert_eq!(pace.until(later, 20), None, "its first packets after a silence");
    }
}
