//! The one RTP stream that a leg hears, whatever feeds it: a peer, a prompt, music, another peer.
//!
//! A phone sees a single SSRC whose sequence numbers and timestamps go on across every switch of source; the marker
//! bit tells it that a new talkspurt begins (RFC 3550 section 5.1, RFC 3551 section 4.1).

use crate::codec::{CLOCK_RATE, FRAME_MS};
use crate::command::MediaLeg;
use crate::rtp::{Header, ahead};
use plugboard_model::Time;
use std::time::Duration;

/// A sequence number that jumps by more was not loss: the sender began anew (`MAX_DROPOUT`, RFC 3550 appendix A.1).
const JUMP_MAX: i16 = 3_000;

/// How late a packet may come and still be passed on (`MAX_MISORDER` of the same appendix).
const LATE_MAX: i16 = 100;

/// Where a leg's stream begins. Random in production (RFC 3550 section 5.1), from the seed in a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamStart {
    /// The stream's name.
    pub ssrc: u32,
    /// The first sequence number. Below 32,768, so that it does not wrap within the first packets (RFC 3711 section 3.3.1).
    pub sequence: u16,
    /// The first timestamp.
    pub timestamp: u32,
}

/// What a packet of the stream carries in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
}

/// How the numbers of a relayed stream map onto ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relay {
    pub(crate) from: MediaLeg,
    pub(crate) ssrc: u32,
    /// Added to its sequence numbers.
    pub(crate) sequence_offset: u16,
    /// Added to its timestamps.
    pub(crate) timestamp_offset: u32,
    /// Its sequence numbers before this one are from before the switch.
    floor: u16,
    /// Its highest sequence number.
    highest: u16,
    /// Which of the last 128 up to that one were passed on, the highest in the lowest bit: none is twice, since a number that is
    /// encrypted twice gives its key away (RFC 7714 section 8.4).
    passed: u128,
    /// Where it would go on if its last jump was a fresh start.
    suspect: Option<u16>,
}

#[derive(Debug, Clone, Copy)]
enum Feed {
    Nothing,
    Relay(Relay),
    Playing,
    /// Audio of this leg, packed anew.
    Made(MediaLeg),
}

/// A pause of so long within what is packed anew was silence: the next packet begins a talkspurt.
const PAUSE: Duration = Duration::from_millis(100);

/// Comfort noise is told so often: what comes behind a NAT needs a packet now and then, and one that is lost is not missed for long.
const NOISE_EVERY: Duration = Duration::from_secs(1);

/// A leg's stream towards its far end.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) ssrc: u32,
    next_sequence: u16,
    /// Of the last packet, and when it left; `None` before the first.
    last: Option<(u32, Time)>,
    first_timestamp: u32,
    /// Ticks a second of what is sent now.
    clock: u32,
    feed: Feed,
    /// The key that is passed on beside audio that is packed anew: its timestamp there and here.
    event: Option<(u32, u32)>,
    /// When comfort noise was told of last, in a silence that goes on.
    noise: Option<Time>,
    /// What was relayed last said that its sender is silent, and how that sounds (RFC 3389).
    relayed_quiet: bool,
}

impl Outgoing {
    pub(crate) const fn new(start: StreamStart) -> Self {
        Self {
            ssrc: start.ssrc,
            next_sequence: start.sequence,
            last: None,
            first_timestamp: start.timestamp,
            clock: CLOCK_RATE,
            feed: Feed::Nothing,
            event: None,
            noise: None,
            relayed_quiet: false,
        }
    }

    /// The relay that feeds the stream now.
    pub(crate) const fn relayed(&self) -> Option<&Relay> {
        match &self.feed {
            Feed::Relay(relay) => Some(relay),
            Feed::Nothing | Feed::Playing | Feed::Made(_) => None,
        }
    }

    /// Another codec's timestamps begin: what fed the stream is over if they count otherwise.
    pub(crate) fn set_clock(&mut self, clock: u32) {
        if clock != self.clock {
            self.clock = clock;
            self.cut();
        }
    }

    /// What fed the stream is over; the next packet begins a talkspurt.
    pub(crate) const fn cut(&mut self) {
        self.feed = Feed::Nothing;
    }

    /// Places a relayed packet; `None` drops it: from before the switch, or a jump that may be a stray.
    pub(crate) fn relay(&mut self, now: Time, from: MediaLeg, header: &Header) -> Option<Place> {
        let (relay, marker) = match self.feed {
            Feed::Relay(relay) if relay.from == from && relay.ssrc == header.ssrc => self.follow(now, relay, header)?,
            Feed::Relay(_) | Feed::Nothing | Feed::Playing | Feed::Made(_) => (self.begin(now, from, header), true),
        };
        self.feed = Feed::Relay(relay);
        let sequence = header.sequence.wrapping_add(relay.sequence_offset);
        let timestamp = header.timestamp.wrapping_add(relay.timestamp_offset);
        if ahead(sequence, self.next_sequence) >= 0 {
            self.next_sequence = sequence.wrapping_add(1);
            self.last = Some((timestamp, now));
            self.noise = None;
        }
        Some(Place { sequence, timestamp, marker: marker || header.marker })
    }

    /// Places the next frame of what is played.
    pub(crate) fn play(&mut self, now: Time) -> Place {
        let (timestamp, marker) = match (&self.feed, self.last) {
            (Feed::Playing, Some((timestamp, _))) => (timestamp.wrapping_add(self.frame()), false),
            (Feed::Playing | Feed::Nothing | Feed::Relay(_) | Feed::Made(_), _) => (self.resume_at(now), true),
        };
        self.feed = Feed::Playing;
        self.place(now, timestamp, marker)
    }

    /// Places the next frame of a leg's audio that was packed anew.
    pub(crate) fn made(&mut self, now: Time, from: MediaLeg) -> Place {
        let (timestamp, marker) = match (&self.feed, self.last) {
            (Feed::Made(leg), Some((timestamp, at))) if *leg == from && now.since(at) < PAUSE => {
                (timestamp.wrapping_add(self.frame()), false)
            }
            (Feed::Made(_) | Feed::Playing | Feed::Nothing | Feed::Relay(_), _) => (self.resume_at(now), true),
        };
        self.feed = Feed::Made(from);
        self.place(now, timestamp, marker)
    }

    /// Places a packet of a key beside audio that is packed anew; all of one key have one timestamp (RFC 4733 section 2.2).
    pub(crate) fn event(&mut self, now: Time, header: &Header) -> Place {
        let timestamp = match self.event {
            Some((theirs, ours)) if theirs == header.timestamp => ours,
            Some(_) | None => self.resume_at(now),
        };
        self.event = Some((header.timestamp, timestamp));
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        Place { sequence, timestamp, marker: header.marker }
    }

    /// Places a packet of a key that the switch presses; `first`: another key begins.
    pub(crate) fn own_event(&mut self, now: Time, first: bool) -> Place {
        let timestamp = match self.event {
            Some((_, ours)) if !first => ours,
            Some(_) | None => self.resume_at(now),
        };
        self.event = Some((timestamp, timestamp));
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        // What is relayed goes on with other numbers after it.
        self.cut();
        Place { sequence, timestamp, marker: first }
    }

    /// Places comfort noise where silence begins, and then once a second; none: not yet again. The next frame begins a talkspurt.
    pub(crate) fn noise(&mut self, now: Time) -> Option<Place> {
        if self.noise.is_some_and(|told| now.since(told) < NOISE_EVERY) {
            return None;
        }
        let timestamp = match (&self.feed, self.last) {
            (Feed::Playing, Some((timestamp, _))) => timestamp.wrapping_add(self.frame()),
            (Feed::Playing | Feed::Nothing | Feed::Relay(_) | Feed::Made(_), _) => self.resume_at(now),
        };
        self.cut();
        let place = self.place(now, timestamp, false);
        self.noise = Some(now);
        Some(place)
    }

    /// Remembers whether what was relayed now was comfort noise of its sender's: how he is silent is his to say.
    pub(crate) const fn set_relayed_quiet(&mut self, is_quiet: bool) {
        self.relayed_quiet = is_quiet;
    }

    /// Whose comfort noise was the last that was sent.
    pub(crate) fn quiet_of(&self) -> Option<MediaLeg> {
        self.relayed().filter(|_| self.relayed_quiet).map(|relay| relay.from)
    }

    /// Whether something was sent, and nothing for so long that a word of comfort is due.
    pub(crate) fn is_idle(&self, now: Time) -> bool {
        self.last.is_some_and(|(_, at)| now.since(at) >= NOISE_EVERY)
    }

    fn place(&mut self, now: Time, timestamp: u32, marker: bool) -> Place {
        self.noise = None;
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        self.last = Some((timestamp, now));
        Place { sequence, timestamp, marker }
    }

    /// The timestamp of a talkspurt that begins now: as much later as time went by, at least a frame.
    fn resume_at(&self, now: Time) -> u32 {
        let Some((timestamp, at)) = self.last else {
            return self.first_timestamp;
        };
        let ticks = now.since(at).as_micros() * u128::from(self.clock) / 1_000_000;
        // The number space is 25 hours of audio or more; a longer silence may well begin anywhere in it.
        let [b0, b1, b2, b3, ..] = ticks.max(u128::from(self.frame())).to_le_bytes();
        timestamp.wrapping_add(u32::from_le_bytes([b0, b1, b2, b3]))
    }

    /// What its timestamps show now.
    pub(crate) fn ticks_at(&self, now: Time) -> u32 {
        let Some((timestamp, at)) = self.last else {
            return self.first_timestamp;
        };
        let [b0, b1, b2, b3, ..] = (now.since(at).as_micros() * u128::from(self.clock) / 1_000_000).to_le_bytes();
        timestamp.wrapping_add(u32::from_le_bytes([b0, b1, b2, b3]))
    }

    /// The random half of its lasting name.
    pub(crate) const fn name(&self) -> u32 {
        self.first_timestamp.rotate_left(7) ^ 0x5BD1_E995
    }

    /// Ticks of a frame.
    fn frame(&self) -> u32 {
        self.clock / (1_000 / u32::try_from(FRAME_MS).unwrap_or(20))
    }

    fn begin(&self, now: Time, from: MediaLeg, header: &Header) -> Relay {
        Relay {
            from,
            ssrc: header.ssrc,
            sequence_offset: self.next_sequence.wrapping_sub(header.sequence),
            timestamp_offset: self.resume_at(now).wrapping_sub(header.timestamp),
            floor: header.sequence,
            highest: header.sequence,
            passed: 1,
            suspect: None,
        }
    }

    /// The relay after a packet that belongs to it, and whether a talkspurt begins.
    fn follow(&mut self, now: Time, relay: Relay, header: &Header) -> Option<(Relay, bool)> {
        let step = ahead(header.sequence, relay.highest);
        if !(-LATE_MAX..=JUMP_MAX).contains(&step) {
            if relay.suspect == Some(header.sequence) {
                return Some((self.begin(now, relay.from, header), true));
            }
            self.feed = Feed::Relay(Relay { suspect: Some(header.sequence.wrapping_add(1)), ..relay });
            return None;
        }
        let mut relay = Relay { suspect: None, ..relay };
        let places = u32::from(step.unsigned_abs());
        if step > 0 {
            relay.highest = header.sequence;
            relay.passed = relay.passed.checked_shl(places).unwrap_or(0) | 1;
            // The floor follows within reach of the late ones, so that it never wraps to the front.
            if ahead(relay.highest, relay.floor) > LATE_MAX {
                relay.floor = relay.highest.wrapping_sub(LATE_MAX.unsigned_abs());
            }
        } else {
            let place = 1_u128.checked_shl(places).unwrap_or(0);
            if ahead(header.sequence, relay.floor) < 0 || relay.passed & place != 0 {
                return None;
            }
            relay.passed |= place;
        }
        Some((relay, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: MediaLeg = MediaLeg(1);
    const B: MediaLeg = MediaLeg(2);

    fn stream() -> Outgoing {
        Outgoing::new(StreamStart { ssrc: 99, sequence: 1_000, timestamp: 50_000 })
    }

    fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc, payload: 12..12 }
    }

    fn place(sequence: u16, timestamp: u32, marker: bool) -> Place {
        Place { sequence, timestamp, marker }
    }

    #[test]
    fn numbers_go_on_from_prompt_to_peer_to_music_to_another_peer() {
        let mut out = stream();
        let ms = Time::from_millis;
        assert_eq!(out.play(ms(0)), place(1_000, 50_000, true));
        assert_eq!(out.play(ms(21)), place(1_001, 50_160, false));
        assert_eq!(out.relay(ms(41), A, &header(5, 65_535, u32::MAX)), Some(place(1_002, 50_320, true)));
        assert_eq!(out.relay(ms(61), A, &header(5, 0, 159)), Some(place(1_003, 50_480, false)));
        assert_eq!(out.play(ms(161)), place(1_004, 51_280, true));
        assert_eq!(out.relay(ms(171), B, &header(6, 7, 7)), Some(place(1_005, 51_440, true)));
    }

    #[test]
    fn loss_and_reordering_stay_visible_to_the_far_end() {
        let mut out = stream();
        let sequences: Vec<_> = [10, 11, 14, 13, 15]
            .iter()
            .map(|sequence| out.relay(Time::ZERO, A, &header(5, *sequence, 0)).unwrap().sequence)
            .collect();
        assert_eq!(sequences, [1_000, 1_001, 1_004, 1_003, 1_005]);
    }

    #[test]
    fn no_number_is_passed_on_twice() {
        let mut out = stream();
        let mut passed = |sequence| out.relay(Time::ZERO, A, &header(5, sequence, 0)).is_some();
        let sent = [10, 10, 12, 11, 11, 12, 10, 200, 150, 150, 99, 3_000, 2_950, 2_950];
        assert_eq!(
            sent.map(&mut passed),
            [true, false, true, true, false, false, false, true, true, false, false, true, true, false]
        );
    }

    #[test]
    fn packets_from_before_the_switch_are_dropped() {
        let mut out = stream();
        out.play(Time::ZERO);
        out.relay(Time::ZERO, A, &header(5, 10, 0));
        assert_eq!(out.relay(Time::ZERO, A, &header(5, 9, 0)), None);
    }

    #[test]
    fn a_sender_that_begins_anew_is_followed_from_its_second_packet() {
        let mut out = stream();
        out.relay(Time::ZERO, A, &header(5, 10, 0));
        assert_eq!(out.relay(Time::from_millis(20), A, &header(5, 40_000, 900)), None);
        assert_eq!(out.relay(Time::from_millis(40), A, &header(5, 40_001, 1_060)), Some(place(1_001, 50_320, true)));
    }

    proptest! {
        #[test]
        fn a_stream_never_goes_back_across_switches(switches in proptest::collection::vec((0_u8..3, any::<u16>(), any::<u32>(), 1_u16..80), 1..20)) {
            let mut out = stream();
            let mut last: Option<(u16, u32)> = None;
            let mut now = 0;
            for (index, (kind, sequence, timestamp, packets)) in switches.into_iter().enumerate() {
                out.cut();
                for n in 0..packets {
                    now += 20;
                    let at = Time::from_millis(now);
                    let from = MediaLeg(u64::from(kind));
                    let place = if kind == 0 { out.play(at) } else {
                        let header = header(u32::try_from(index).unwrap(), sequence.wrapping_add(n), timestamp.wrapping_add(u32::from(n) * 160));
                        out.relay(at, from, &header).unwrap()
                    };
                    prop_assert_eq!(place.marker, n == 0);
                    if let Some((sequence, timestamp)) = last {
                        prop_assert_eq!(place.sequence, sequence.wrapping_add(1));
                        prop_assert_eq!(place.timestamp.wrapping_sub(timestamp), 160);
                    }
                    last = Some((place.sequence, place.timestamp));
                }
            }
        }
    }
}
