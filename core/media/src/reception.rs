//! What arrived and what did not (RFC 3550 appendix A).

use crate::codec::CLOCK_RATE;
use crate::command::Stats;
use crate::rtp::{Header, ahead};
use plugboard_model::Time;

/// A larger jump is a fresh start, not loss (RFC 3550 appendix A.1).
const JUMP_MAX: i16 = 3_000;

/// The run of sequence numbers of one stream.
#[derive(Debug, Clone, Copy)]
struct Run {
    ssrc: u32,
    highest: u16,
    /// Packets the numbers promise, from the first to the highest.
    expected: u64,
    received: u64,
    /// In ticks of the stream's clock.
    transit: u32,
    /// Ticks a second.
    clock: u32,
}

/// One stream, as its receiver reports it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) ssrc: u32,
    /// Packets that its numbers promise.
    pub(crate) expected: u64,
    pub(crate) received: u64,
    /// The highest number, with how often the numbers wrapped above it.
    pub(crate) highest: u32,
    /// In ticks of its clock.
    pub(crate) jitter: u32,
}

/// One leg's count of received packets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reception {
    packets: u64,
    bytes: u64,
    lost_before: u64,
    run: Option<Run>,
    /// Sixteen times the jitter, as in appendix A.8.
    jitter_x16: u32,
}

impl Reception {
    /// Counts a datagram that is no RTP.
    pub(crate) fn datagram(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += u64::try_from(bytes).unwrap_or(0);
    }

    /// Counts a packet of a stream with so many ticks a second. `timed` is false for packets whose timestamp does not follow the clock (telephone-event).
    pub(crate) fn packet(&mut self, now: Time, header: &Header, bytes: usize, timed: bool, clock: u32) {
        self.packets += 1;
        self.bytes += u64::try_from(bytes).unwrap_or(0);
        let transit = ticks(now, clock).wrapping_sub(header.timestamp);
        let fresh = Run { ssrc: header.ssrc, highest: header.sequence, expected: 1, received: 1, transit, clock };
        let Some(run) = self.run.as_mut().filter(|run| run.ssrc == header.ssrc && run.clock == clock) else {
            self.restart(fresh);
            return;
        };
        let step = ahead(header.sequence, run.highest);
        if step.unsigned_abs() > JUMP_MAX.unsigned_abs() {
            self.restart(fresh);
            return;
        }
        run.received += 1;
        if step > 0 {
            run.expected += u64::from(step.unsigned_abs());
            run.highest = header.sequence;
        }
        if timed {
            let change = transit.wrapping_sub(run.transit).cast_signed().unsigned_abs();
            run.transit = transit;
            // A transit that changes by more than a second is a clock set anew, not jitter.
            if change < clock {
                self.jitter_x16 = self.jitter_x16 + change - ((self.jitter_x16 + 8) >> 4);
            }
        }
    }

    /// Fills in the received half.
    pub(crate) fn add_to(&self, stats: &mut Stats) {
        stats.packets_received = self.packets;
        stats.bytes_received = self.bytes;
        stats.lost = self.lost_before + self.run.as_ref().map_or(0, Run::lost);
        let clock = self.run.as_ref().map_or(CLOCK_RATE, |run| run.clock);
        stats.jitter_samples = (self.jitter_x16 >> 4) / (clock / CLOCK_RATE).max(1);
    }

    /// What a report says of the stream that is heard now.
    pub(crate) fn block(&self) -> Option<Block> {
        let run = self.run.as_ref()?;
        let [b0, b1, b2, b3, ..] = run.expected.saturating_sub(1).to_le_bytes();
        let first = run.highest.wrapping_sub(u16::from_le_bytes([b0, b1]));
        Some(Block {
            ssrc: run.ssrc,
            expected: run.expected,
            received: run.received,
            highest: u32::from(first).wrapping_add(u32::from_le_bytes([b0, b1, b2, b3])),
            jitter: self.jitter_x16 >> 4,
        })
    }

    fn restart(&mut self, fresh: Run) {
        self.lost_before += self.run.as_ref().map_or(0, Run::lost);
        if self.run.as_ref().is_some_and(|run| run.clock != fresh.clock) {
            self.jitter_x16 = 0;
        }
        self.run = Some(fresh);
    }
}

impl Run {
    const fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received)
    }
}

/// The clock in ticks; wraps as timestamps do.
fn ticks(now: Time, clock: u32) -> u32 {
    let [b0, b1, b2, b3, ..] = (u128::from(now.0) * u128::from(clock) / 1_000_000_000).to_le_bytes();
    u32::from_le_bytes([b0, b1, b2, b3])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(reception: &Reception) -> Stats {
        let mut stats = Stats::default();
        reception.add_to(&mut stats);
        stats
    }

    fn packet(reception: &mut Reception, at_ms: u64, ssrc: u32, sequence: u16, timestamp: u32) {
        let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc, payload: 12..172 };
        reception.packet(Time::from_millis(at_ms), &header, 172, true, CLOCK_RATE);
    }

    #[test]
    fn gaps_are_losses_and_late_packets_are_not() {
        let mut reception = Reception::default();
        for (n, sequence) in [65_534_u16, 65_535, 2, 1, 3].into_iter().enumerate() {
            packet(
                &mut reception,
                20 * u64::try_from(n).unwrap(),
                1,
                sequence,
                160 * u32::from(sequence.wrapping_add(2)),
            );
        }
        assert_eq!((stats(&reception).packets_received, stats(&reception).lost), (5, 1));
        assert_eq!(stats(&reception).bytes_received, 5 * 172);
    }

    #[test]
    fn a_steady_stream_has_no_jitter_and_a_shaky_one_has() {
        let mut steady = Reception::default();
        let mut shaky = Reception::default();
        for n in 0..500_u16 {
            let (ms, timestamp) = (20 * u64::from(n), 160 * u32::from(n));
            packet(&mut steady, ms, 1, n, timestamp);
            packet(&mut shaky, ms + 10 * u64::from(n % 2), 1, n, timestamp);
        }
        assert_eq!(stats(&steady).jitter_samples, 0);
        assert!((78..=80).contains(&stats(&shaky).jitter_samples), "10 ms up and down is a jitter of 80 samples");
    }

    #[test]
    fn a_new_stream_is_no_loss() {
        let mut reception = Reception::default();
        packet(&mut reception, 0, 1, 10, 0);
        packet(&mut reception, 20, 1, 12, 320);
        packet(&mut reception, 40, 2, 50_000, 7);
        packet(&mut reception, 60, 2, 20_000, 7);
        assert_eq!(stats(&reception).lost, 1);
    }
}
