//! RTCP of our own: what a leg reports of what it hears, what it is reported, and how long the way is
//! (RFC 3550 section 6).
//!
//! Two peers whose packets are relayed exchange their reports through us; what they say of our streams is read on its
//! way. A leg that hears a prompt, music, or audio that is packed anew gets reports from us instead.

use crate::outgoing::Outgoing;
use crate::reception::Block;
use plugboard_model::Time;
use std::time::Duration;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
/// The item of a source's lasting name (RFC 3550 section 6.5.1).
const CNAME: u8 = 1;

/// Bytes of a report block (RFC 3550 section 6.4.1).
const BLOCK: usize = 24;
/// More packets than this no compound has.
const PACKETS_MAX: usize = 32;

/// A sender report with one block, and a source description with a name of 16 letters.
pub(crate) const REPORT_MAX: usize = 28 + BLOCK + 28;

/// Reports leave this often, from half to one and a half of it (RFC 3550 section 6.2).
const INTERVAL_MS: u32 = 5_000;

/// A way of more than this is no way but a wrong clock.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(10);

/// What RTCP told of one leg so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports {
    /// When the next one of ours is due.
    next: Time,
    /// The last two sender reports that went to the leg: the middle of their time, and when they left.
    sent: [Option<(u32, Time)>; 2],
    /// The last sender report of the leg: the middle of its time, and when it came.
    theirs: Option<(u32, Time)>,
    /// What was heard of the leg when it was last reported to it.
    told: (u64, u64),
    told_us: Told,
}

/// What the leg reported of what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Compounds that came.
    pub reports: u32,
    /// Those that spoke of our stream.
    pub about_us: u32,
    /// Packets of ours that it misses, by its last report; 0 when duplicates outweigh losses.
    pub lost: u32,
    /// Interarrival jitter in its last report, in ticks of its codec's clock.
    pub jitter_ticks: u32,
    /// The sum of the round trips that its reports tell, in microseconds, and how many there were.
    pub round_trips: (u64, u32),
}

impl Reports {
    /// The first report is due after half an interval, and not for all legs at once.
    pub(crate) fn new(now: Time, ssrc: u32) -> Self {
        Self { next: now + interval(ssrc, 0) / 2, ..Self::default() }
    }

    pub(crate) const fn told_us(&self) -> Told {
        self.told_us
    }

    /// Reads a compound of the leg, which hears us as `ssrc`.
    pub(crate) fn take(&mut self, now: Time, packet: &[u8], ssrc: u32) {
        let (mut rest, mut about_us, mut whole) = (packet, false, false);
        for _ in 0..PACKETS_MAX {
            let Some((part, after)) = split(rest) else { break };
            rest = after;
            let (Some(first), Some(kind)) = (part.first(), part.get(1)) else { break };
            let blocks = match *kind {
                SENDER_REPORT => {
                    self.theirs = middle(part).map(|middle| (middle, now)).or(self.theirs);
                    part.get(28..)
                }
                RECEIVER_REPORT => part.get(8..),
                _ => continue,
            };
            whole = true;
            let blocks = blocks.unwrap_or_default().chunks_exact(BLOCK).take(usize::from(first & 0x1F));
            for block in blocks.filter(|block| word(block, 0) == Some(ssrc)) {
                about_us = true;
                self.block(now, block);
            }
        }
        self.told_us.reports = self.told_us.reports.saturating_add(u32::from(whole));
        self.told_us.about_us = self.told_us.about_us.saturating_add(u32::from(about_us));
    }

    /// The leg speaks RTCP with a session of its own, which was reported this of our stream.
    pub(crate) fn was_reported(&mut self, lost: u32, jitter_ticks: u32, round_trip: Option<Duration>) {
        let told = &mut self.told_us;
        (told.reports, told.about_us) = (told.reports.saturating_add(1), told.about_us.saturating_add(1));
        (told.lost, told.jitter_ticks) = (lost, jitter_ticks);
        if let Some(way) = round_trip.filter(|way| *way < ROUND_TRIP_MAX) {
            let (sum, count) = &mut told.round_trips;
            *sum = sum.saturating_add(u64::try_from(way.as_micros()).unwrap_or(0));
            *count = count.saturating_add(1);
        }
    }

    fn block(&mut self, now: Time, block: &[u8]) {
        let (Some(lost), Some(jitter), Some(last), Some(delay)) =
            (word(block, 4), word(block, 12), word(block, 16), word(block, 20))
        else {
            return;
        };
        // A count of 24 bits with a sign; below zero when duplicates came.
        self.told_us.lost = if lost & 0x80_0000 == 0 { lost & 0x7F_FFFF } else { 0 };
        self.told_us.jitter_ticks = jitter;
        let left = self.sent.iter().flatten().find(|(middle, _)| *middle == last && last != 0);
        let Some((_, left)) = left else { return };
        let away = Duration::from_nanos(u64::from(delay) * 1_000_000_000 / 65_536);
        if let Some(way) = now.since(*left).checked_sub(away)
            && way < ROUND_TRIP_MAX
        {
            let (sum, count) = &mut self.told_us.round_trips;
            *sum = sum.saturating_add(u64::try_from(way.as_micros()).unwrap_or(0));
            *count = count.saturating_add(1);
        }
    }

    /// A compound goes to the leg: a sender report within it can be answered.
    pub(crate) fn pass(&mut self, now: Time, packet: &[u8]) {
        if let Some(middle) =
            split(packet).filter(|(part, _)| part.get(1) == Some(&SENDER_REPORT)).and_then(|(part, _)| middle(part))
        {
            self.sent = [Some((middle, now)), self.sent[0]];
        }
    }

    /// Whether a report of ours is due.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        now >= self.next
    }

    /// Writes a report of ours: what was sent, what is heard. Returns its length.
    pub(crate) fn make(
        &mut self,
        now: Time,
        stream: &Outgoing,
        sent: (u64, u64),
        heard: Option<&Block>,
        buffer: &mut [u8; REPORT_MAX],
    ) -> usize {
        self.next = now + interval(stream.ssrc, now.as_millis());
        let mut writer = Writer { buffer, at: 0 };
        let count = u8::from(heard.is_some());
        let blocks = heard.map_or(0, |_| 6);
        if sent.0 > 0 {
            let (seconds, fraction) = ntp(now);
            writer.head(count, SENDER_REPORT, 6 + blocks);
            for value in [stream.ssrc, seconds, fraction, stream.ticks_at(now), low(sent.0), low(sent.1)] {
                writer.word(value);
            }
            self.sent = [Some(((seconds << 16) | (fraction >> 16), now)), self.sent[0]];
        } else {
            writer.head(count, RECEIVER_REPORT, 1 + blocks);
            writer.word(stream.ssrc);
        }
        if let Some(block) = heard {
            let (last, delay) = self.theirs.map_or((0, 0), |(middle, at)| (middle, units(now.since(at))));
            let expected = block.expected.saturating_sub(self.told.0);
            let missing = expected.saturating_sub(block.received.saturating_sub(self.told.1));
            self.told = (block.expected, block.received);
            // In 256ths (RFC 3550 appendix A.3).
            let share = u8::try_from(missing * 256 / expected.max(1)).unwrap_or(u8::MAX);
            let lost = low(block.expected.saturating_sub(block.received)).min(0x7F_FFFF);
            for value in [block.ssrc, (u32::from(share) << 24) | lost, block.highest, block.jitter, last, delay] {
                writer.word(value);
            }
        }
        // A name that stays while the leg does and tells nothing of whose it is (RFC 7022 section 4.2).
        writer.head(1, SOURCE_DESCRIPTION, 6);
        writer.word(stream.ssrc);
        writer.bytes(&[CNAME, 16]);
        for half in [stream.ssrc.rotate_left(13) ^ 0x9E37_79B9, stream.name()] {
            for shift in [28, 24, 20, 16, 12, 8, 4, 0] {
                let digit = u8::try_from((half >> shift) & 0xF).unwrap_or(0);
                writer.bytes(&[if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }]);
            }
        }
        // The end of the items, to the next word.
        writer.bytes(&[0, 0]);
        writer.at
    }
}

/// Fills a buffer that is long enough for all that is written.
struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    /// `words`: how many follow.
    fn head(&mut self, count: u8, kind: u8, words: u16) {
        let [high, low] = words.to_be_bytes();
        self.bytes(&[0x80 | count, kind, high, low]);
    }

    fn word(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(place) = self.buffer.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }
}

/// The first packet of a compound, and what comes after it.
fn split(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let [first, _, l0, l1] = *packet.first_chunk::<4>()?;
    let length = (usize::from(u16::from_be_bytes([l0, l1])) + 1) * 4;
    (first >> 6 == 2).then(|| packet.split_at_checked(length))?
}

/// The middle of a sender report's time, by which it is answered.
fn middle(part: &[u8]) -> Option<u32> {
    part.get(10..14)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn word(part: &[u8], at: usize) -> Option<u32> {
    part.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// Time since the switch began, in the form of NTP: a sender need not know the time of day (RFC 3550 section 6.4.1).
fn ntp(now: Time) -> (u32, u32) {
    let since = now.since(Time::ZERO);
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    (low(since.as_secs()), low(fraction))
}

/// In 65,536ths of a second.
fn units(time: Duration) -> u32 {
    low(u64::try_from(time.as_nanos() * 65_536 / 1_000_000_000).unwrap_or(u64::MAX))
}

/// Counts wrap.
fn low(value: u64) -> u32 {
    let [b0, b1, b2, b3, ..] = value.to_le_bytes();
    u32::from_le_bytes([b0, b1, b2, b3])
}

/// Half to one and a half of the interval, different for each leg and time.
fn interval(ssrc: u32, salt: u64) -> Duration {
    let mixed = (ssrc ^ low(salt)).wrapping_mul(0x9E37_79B1) >> 8;
    Duration::from_millis(u64::from(INTERVAL_MS / 2 + mixed % INTERVAL_MS))
}
