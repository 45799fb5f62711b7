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
    round_began: Time,
    /// The next wait begins a round.
    round_ends: bool,
}

/// What a thread does after it has served its sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Waits for whatever comes.
    Wait,
    /// Looks again at once: of each socket only one packet was taken, and it may hold more.
    Look,
    /// Leaves the sockets alone until then.
    Gather(Time),
}

impl Pace {
    /// Rounds of so long.
    pub(super) const fn new(round: Duration) -> Self {
        Self {
            round,
            window_began: Time::ZERO,
            in_window: 0,
            gathers: false,
            round_began: Time::ZERO,
            round_ends: true,
        }
    }

    /// Told after each wait: when it ended and how many packets it brought.
    pub(super) fn next(&mut self, woke: Time, packets: u32) -> Next {
        if self.round.is_zero() {
            return Next::Wait;
        }
        if std::mem::take(&mut self.round_ends) {
            self.round_began = woke;
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
        self.round_ends = !self.gathers || packets == 0;
        match (self.gathers, packets) {
            (false, _) => Next::Wait,
            (true, 0) => Next::Gather(self.round_began + self.round),
            (true, _) => Next::Look,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Serves packets that come at these moments, each to a socket, as the thread does: one of each socket for a wait. How many waits
    /// they take, the longest time that one of them waits, and when the last was taken.
    fn serve(mut pace: Pace, mut packets: Vec<(Time, usize)>) -> (u32, Duration, Time) {
        packets.sort_unstable();
        let (mut now, mut waits, mut longest, mut look) = (Time::ZERO, 0, Duration::ZERO, false);
        while let Some((first, _)) = packets.first() {
            if !look {
                now = now.max(*first);
            }
            waits += 1;
            let mut served = Vec::new();
            packets.retain(|(at, socket)| {
                let taken = *at <= now && !served.contains(socket);
                if taken {
                    served.push(*socket);
                    longest = longest.max(now.since(*at));
                }
                !taken
            });
            let next = pace.next(now, u32::try_from(served.len()).unwrap());
            look = next == Next::Look;
            if let Next::Gather(until) = next {
                now = now.max(until);
            }
        }
        (waits, longest, now)
    }

    /// So many packets, one after the other, each to the next of 400 sockets.
    fn evenly(every: Duration, count: u32) -> Vec<(Time, usize)> {
        (0..count).map(|n| (Time::ZERO + every * n, usize::try_from(n % 400).unwrap())).collect()
    }

    #[test]
    fn packets_of_many_calls_gather_and_none_waits_longer_than_a_round() {
        // 200 calls: 20 packets a millisecond. A round is a wait that brings them and one that brings nothing.
        let (waits, longest, _) = serve(Pace::new(MILLISECOND), evenly(Duration::from_micros(50), 20_000));
        assert!(waits < 2_500, "{waits} waits for 1,000 rounds");
        assert!(longest <= MILLISECOND, "{longest:?}");
    }

    #[test]
    fn packets_of_few_calls_are_served_one_by_one() {
        // Ten calls: one packet a millisecond.
        let (waits, longest, _) = serve(Pace::new(MILLISECOND), evenly(MILLISECOND, 1_000));
        assert_eq!((waits, longest), (1_000, Duration::ZERO));
    }

    #[test]
    fn without_a_round_nothing_waits() {
        let (waits, longest, _) = serve(Pace::new(Duration::ZERO), evenly(Duration::from_micros(50), 20_000));
        assert_eq!((waits, longest), (20_000, Duration::ZERO));
    }

    #[test]
    fn one_socket_with_many_packets_holds_none_of_them_back() {
        let mut packets = evenly(Duration::from_micros(100), 1_000);
        let flood = Time::from_millis(50);
        packets.extend((0..500).map(|_| (flood, 401)));
        let (_, longest, last) = serve(Pace::new(MILLISECOND), packets);
        assert!(longest <= MILLISECOND, "{longest:?}");
        assert!(last <= Time::from_millis(101), "{last:?}");
    }

    #[test]
    fn a_thread_that_was_left_alone_serves_at_once_again() {
        let mut pace = Pace::new(MILLISECOND);
        let mut now = Time::ZERO;
        for _ in 0..40 {
            pace.next(now, 20);
            now = now + MILLISECOND;
        }
        assert_eq!(pace.next(now, 20), Next::Look);
        assert!(matches!(pace.next(now, 0), Next::Gather(_)));
        let later = now + Duration::from_secs(1);
        assert_eq!(pace.next(later, 20), Next::Wait, "its first packets after a silence");
    }
}
