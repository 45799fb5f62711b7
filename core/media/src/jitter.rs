//! What came over the network in its own time, handed out in even steps: for audio that is unpacked. What is relayed
//! passes by: the far end has a buffer of its own.
//!
//! Packets wait by sequence number. The buffer begins to hand out when it has held the first one for its target; the
//! target follows how unevenly packets come, 20 to 60 ms. One that comes after its turn is dropped; one that does not come
//! is told as lost as soon as a later one is there. When nothing is there the buffer waits, and its delay grows by it;
//! a delay that stays above the target is taken back, a packet at a time.

use crate::rtp::ahead;
use plugboard_model::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// The bounds of the target: a packet, and what people do not notice in a talk.
pub(crate) const TARGET_MIN: Duration = Duration::from_millis(20);
pub(crate) const TARGET_MAX: Duration = Duration::from_millis(60);

/// The step that is handed out.
const STEP_MICROS: u32 = 20_000;

/// Places by sequence number: 640 ms of packets of 20 ms, and more than any burst that is still worth hearing.
const PLACES: usize = 32;

/// More than this waits only after a burst: it is taken back at once.
const WAITING_MAX: Duration = Duration::from_millis(160);

/// How long a delay above the target is watched before a packet is left out for it.
const WATCH_STEPS: u32 = 50;

/// Further behind than that a packet is not late: the sender counts anew.
const LATE_MAX: u16 = 200;

/// After so long without a packet the sender is silent, not late: the next packet waits for the target again.
const SILENT_STEPS: u32 = 5;

/// How the buffer keeps time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Follows the network.
    Adaptive,
    /// Always this much behind, and never moved: a modem's signal must not be stretched.
    Fixed(Duration),
}

/// A step's worth, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A payload that came.
    Packet(Vec<u8>),
    /// Comfort noise of this level from here on, so many microseconds of it now.
    Noise(u8, u32),
    /// One that did not, of so many microseconds; the one after it where it is there.
    Lost(u32, Option<Vec<u8>>),
    /// Nothing is there: so many microseconds are to be filled.
    Starved(u32),
}

#[derive(Debug, Clone)]
struct Waiting {
    content: Content,
    micros: u32,
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A payload of the codec.
    Audio(Vec<u8>),
    /// A level of comfort noise, in -dBov.
    Noise(u8),
}

/// What the buffer dropped and missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterCounts {
    /// Came after their turn, or twice.
    pub late: u64,
    /// Never came.
    pub lost: u64,
    /// Left out to take a delay back.
    pub left_out: u64,
    /// Steps in which nothing was there.
    pub starved: u64,
}

/// One stream's buffer.
#[derive(Debug, Clone)]
pub struct Jitter {
    keeping: Keeping,
    places: VecDeque<Option<Waiting>>,
    /// The sequence number of the first place.
    next: u16,
    started: Started,
    /// Handed out more than asked, in microseconds: packets are longer than steps.
    ahead_micros: u32,
    /// The last packet's, for those that are lost.
    packet_micros: u32,
    spread: Spread,
    /// The least that waited since the delay was last looked at, and for how many steps.
    least: (u32, u32),
    starving: u32,
    counts: JitterCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Started {
    /// No packet yet.
    No,
    /// The first waits since then.
    Filling(Time),
    Yes,
}

/// How unevenly packets come: the distance of the earliest and the latest of the last two windows.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    base: Option<(Time, u32)>,
    now: Option<(i64, i64)>,
    before: Option<(i64, i64)>,
    packets: u32,
}

/// Packets of one window: a second of 20 ms.
const WINDOW: u32 = 50;

impl Jitter {
    /// An empty one.
    pub fn new(keeping: Keeping) -> Self {
        Self {
            keeping,
            places: VecDeque::with_capacity(PLACES),
            next: 0,
            started: Started::No,
            ahead_micros: 0,
            packet_micros: STEP_MICROS,
            spread: Spread::default(),
            least: (u32::MAX, 0),
            starving: 0,
            counts: JitterCounts::default(),
        }
    }

    /// A packet came. `timestamp_micros` is its timestamp in microseconds, wrapping or not; `micros` how long it plays.
    pub fn put(&mut self, now: Time, sequence: u16, timestamp_micros: u32, micros: u32, content: Content) {
        self.spread.packet(now, timestamp_micros);
        self.packet_micros = micros;
        if self.started == Started::No {
            self.next = sequence;
            self.started = Started::Filling(now);
        }
        let place = ahead(sequence, self.next);
        let index = match usize::try_from(place) {
            Ok(index) if index < PLACES => index,
            // While it fills, an earlier one than the first may still come.
            Err(_) if matches!(self.started, Started::Filling(_)) && place > -4 => {
                for _ in 0..place.unsigned_abs() {
                    self.places.push_front(None);
                }
                self.places.truncate(PLACES);
                self.next = sequence;
                0
            }
            Err(_) if place.unsigned_abs() < LATE_MAX => {
                self.counts.late += 1;
                return;
            }
            Ok(_) | Err(_) => return self.begin_anew(now, sequence, Waiting { content, micros }),
        };
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        match self.places.get_mut(index) {
            Some(free @ None) => *free = Some(Waiting { content, micros }),
            Some(Some(_)) | None => self.counts.late += 1,
        }
    }

    /// Hands out the next 20 ms: at most a few packets. Nothing at all while the first one waits, or the sender is silent.
    pub fn step(&mut self, now: Time, heard: &mut Vec<Heard>) {
        match self.started {
            Started::No => return,
            Started::Filling(since) if now.since(since) < self.target() => return,
            Started::Filling(_) => self.started = Started::Yes,
            Started::Yes => {}
        }
        self.take_back();
        while self.ahead_micros < STEP_MICROS {
            let Some(first) = self.places.pop_front() else {
                if self.starve(heard) {
                    return;
                }
                continue;
            };
            self.next = self.next.wrapping_add(1);
            self.starving = 0;
            match first {
                Some(waiting) => {
                    self.ahead_micros += waiting.micros;
                    heard.push(match waiting.content {
                        Content::Audio(payload) => Heard::Packet(payload),
                        Content::Noise(level) => Heard::Noise(level, waiting.micros),
                    });
                }
                None => {
                    self.counts.lost += 1;
                    let next = self.places.front().and_then(Option::as_ref).and_then(|next| match &next.content {
                        Content::Audio(payload) => Some(payload.clone()),
                        Content::Noise(_) => None,
                    });
                    self.ahead_micros += self.packet_micros;
                    heard.push(Heard::Lost(self.packet_micros, next));
                }
            }
        }
        self.ahead_micros -= STEP_MICROS;
    }

    /// What was dropped and missed so far.
    pub const fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// How long the first packet waits, and all others on the whole.
    pub fn target(&self) -> Duration {
        match self.keeping {
            Keeping::Fixed(delay) => delay,
            Keeping::Adaptive => Duration::from_micros(self.spread.micros()).clamp(TARGET_MIN, TARGET_MAX),
        }
    }

    /// How much audio waits, gaps among it.
    pub fn waiting(&self) -> Duration {
        Duration::from_micros(u64::from(self.waiting_micros()))
    }

    fn waiting_micros(&self) -> u32 {
        self.places
            .iter()
            .map(|place| place.as_ref().map_or(self.packet_micros, |waiting| waiting.micros))
            .fold(self.ahead_micros, u32::saturating_add)
    }

    /// Nothing is there. True: the step is over.
    fn starve(&mut self, heard: &mut Vec<Heard>) -> bool {
        self.counts.starved += 1;
        self.starving += 1;
        if self.starving > SILENT_STEPS {
            if self.keeping == Keeping::Adaptive {
                self.started = Started::No;
                self.starving = 0;
                self.ahead_micros = 0;
                self.least = (u32::MAX, 0);
            }
            return true;
        }
        let missing = STEP_MICROS - self.ahead_micros;
        heard.push(Heard::Starved(missing));
        if let Keeping::Fixed(_) = self.keeping {
            // Time goes on, whatever comes: who is late has missed his turn.
            self.next = self.next.wrapping_add(u16::try_from(missing.div_ceil(self.packet_micros.max(1))).unwrap_or(1));
        }
        self.ahead_micros = 0;
        true
    }

    /// Leaves packets out when more waits than should.
    fn take_back(&mut self) {
        if let Keeping::Fixed(_) = self.keeping {
            return;
        }
        let waiting = self.waiting_micros();
        let target = u32::try_from(self.target().as_micros()).unwrap_or(STEP_MICROS);
        let most = u32::try_from(WAITING_MAX.as_micros()).unwrap_or(u32::MAX);
        if waiting > most {
            while self.waiting_micros() > target.max(STEP_MICROS) && self.leave_out() {}
            self.least = (u32::MAX, 0);
            return;
        }
        self.least = (self.least.0.min(waiting), self.least.1 + 1);
        if self.least.1 >= WATCH_STEPS {
            if self.least.0 > target + self.packet_micros {
                self.leave_out();
            }
            self.least = (u32::MAX, 0);
        }
    }

    fn leave_out(&mut self) -> bool {
        let Some(first) = self.places.pop_front() else { return false };
        self.next = self.next.wrapping_add(1);
        if first.is_some() {
            self.counts.left_out += 1;
        } else {
            self.counts.lost += 1;
        }
        true
    }

    /// The sender's numbers jumped: it began anew.
    fn begin_anew(&mut self, now: Time, sequence: u16, first: Waiting) {
        self.counts.left_out += u64::try_from(self.places.iter().flatten().count()).unwrap_or(0);
        self.places.clear();
        self.places.push_back(Some(first));
        self.next = sequence;
        self.ahead_micros = 0;
        self.starving = 0;
        self.started = Started::Filling(now);
    }
}

impl Spread {
    fn packet(&mut self, now: Time, timestamp_micros: u32) {
        let Some((at, first)) = self.base else {
            self.base = Some((now, timestamp_micros));
            return;
        };
        let came = i64::try_from(now.since(at).as_micros()).unwrap_or(i64::MAX);
        // Within half the number space, that is 35 minutes; the base moves along with the windows.
        let meant = i64::from(timestamp_micros.wrapping_sub(first).cast_signed());
        let late = came - meant;
        // A pause of the sender, or a clock set anew.
        if late.abs() > 1_000_000 {
            *self = Self { base: Some((now, timestamp_micros)), ..Self::default() };
            return;
        }
        let (low, high) = self.now.unwrap_or((late, late));
        self.now = Some((low.min(late), high.max(late)));
        self.packets += 1;
        if self.packets >= WINDOW {
            self.before = self.now.map(|(low, high)| (low - late, high - late));
            *self = Self { base: Some((now, timestamp_micros)), now: Some((0, 0)), before: self.before, packets: 0 };
        }
    }

    fn micros(&self) -> u64 {
        let (a, b) = (self.now.unwrap_or_default(), self.before.unwrap_or_default());
        u64::try_from(a.1.max(b.1) - a.0.min(b.0)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sends packets of 20 ms numbered from 0 at the given times (ms), steps each 20 ms from 0 on; what was handed out.
    fn play(keeping: Keeping, arrivals: &[(u64, u16)], until_ms: u64) -> (Vec<String>, Jitter) {
        let mut jitter = Jitter::new(keeping);
        let mut out = Vec::new();
        for now in 0..until_ms {
            for (_, sequence) in arrivals.iter().filter(|(at, _)| *at == now) {
                let [high, low] = sequence.to_be_bytes();
                let stamp = u32::from(*sequence) * 20_000;
                jitter.put(Time::from_millis(now), *sequence, stamp, 20_000, Content::Audio(vec![high, low]));
            }
            if now % 20 == 0 {
                let mut heard = Vec::new();
                jitter.step(Time::from_millis(now), &mut heard);
                for one in heard {
                    out.push(match one {
                        Heard::Packet(payload) => u16::from_be_bytes([payload[0], payload[1]]).to_string(),
                        Heard::Noise(..) => "noise".into(),
                        Heard::Lost(_, next) => if next.is_some() { "lost+" } else { "lost" }.into(),
                        Heard::Starved(_) => "starved".into(),
                    });
                }
            }
        }
        (out, jitter)
    }

    fn steady(count: u16) -> Vec<(u64, u16)> {
        (0..count).map(|n| (u64::from(n) * 20 + 3, n)).collect()
    }

    #[test]
    fn a_steady_stream_waits_one_packet_and_is_whole() {
        let (out, jitter) = play(Keeping::Adaptive, &steady(50), 1_000);
        let expected: Vec<String> = (0..48).map(|n| n.to_string()).collect();
        assert_eq!(out, expected);
        assert_eq!(jitter.counts(), JitterCounts::default());
        assert_eq!(jitter.target(), TARGET_MIN);
    }

    #[test]
    fn packets_out_of_order_are_set_right_and_a_gap_is_told_with_what_follows() {
        let mut arrivals = steady(10);
        arrivals[3].0 += 25;
        arrivals.remove(6);
        let (out, jitter) = play(Keeping::Adaptive, &arrivals, 200);
        assert!(
            out.join(" ").contains("0 1 2 3 4 5 starved lost+ 7") || out.join(" ").contains("0 1 2 3 4 5 lost+ 7"),
            "{out:?}"
        );
        assert_eq!(jitter.counts().lost, 1);
    }

    #[test]
    fn the_target_follows_the_network_up_and_down() {
        let mut arrivals: Vec<(u64, u16)> =
            (0..200_u16).map(|n| (u64::from(n) * 20 + u64::from(n % 3) * 20, n)).collect();
        let (_, jitter) = play(Keeping::Adaptive, &arrivals, 4_000);
        assert_eq!(jitter.target(), Duration::from_millis(40));
        arrivals.extend((200..500_u16).map(|n| (u64::from(n) * 20 + 20, n)));
        let (out, jitter) = play(Keeping::Adaptive, &arrivals, 10_000);
        assert_eq!(jitter.target(), TARGET_MIN);
        assert!(jitter.waiting() <= Duration::from_millis(60), "{:?}", jitter.waiting());
        assert!(jitter.counts().starved < 5 && jitter.counts().left_out < 5, "{:?}", jitter.counts());
        assert!(out.len() > 480);
    }

    #[test]
    fn a_burst_is_taken_back_at_once() {
        let mut arrivals = steady(20);
        arrivals.extend((20..40).map(|n| (800, n)));
        arrivals.extend((40..60_u16).map(|n| (u64::from(n) * 20 + 3, n)));
        let (_, jitter) = play(Keeping::Adaptive, &arrivals, 1_100);
        assert!(jitter.waiting() <= Duration::from_millis(60), "{:?}", jitter.waiting());
        assert!(jitter.counts().left_out >= 10, "{:?}", jitter.counts());
    }

    #[test]
    fn a_fixed_buffer_never_moves_in_time() {
        let keeping = Keeping::Fixed(Duration::from_millis(100));
        let mut arrivals = steady(100);
        arrivals.retain(|(_, n)| !(40..44).contains(n));
        for late in &mut arrivals[60..63] {
            late.0 += 300;
        }
        let (out, jitter) = play(keeping, &arrivals, 2_000);
        // The first came at 3 ms: every number has its step, whatever happened to others.
        for (index, what) in out.iter().enumerate() {
            assert!(
                what.parse::<usize>().is_ok_and(|n| n == index) || what.starts_with("lost") || what == "starved",
                "{index}: {what}"
            );
        }
        assert_eq!((jitter.counts().lost, jitter.counts().late), (4 + 3, 3));
    }

    #[test]
    fn after_a_silence_the_first_packet_waits_again() {
        let mut arrivals = steady(10);
        arrivals.extend((10..20_u16).map(|n| (u64::from(n) * 20 + 2_003, n)));
        let (out, _) = play(Keeping::Adaptive, &arrivals, 2_500);
        let again = out.iter().position(|what| what == "10").unwrap();
        let starved = out[..again].iter().filter(|what| *what == "starved").count();
        assert_eq!(starved, usize::try_from(SILENT_STEPS).unwrap());
        assert_eq!(out.iter().filter(|what| what.parse::<u16>().is_ok()).count(), 20);
    }

    proptest! {
        #[test]
        fn any_arrivals_are_handed_out_in_order_and_once(
            arrivals in proptest::collection::vec((0_u64..1_500, any::<u16>().prop_map(|n| n % 90)), 0..120),
            fixed: bool,
        ) {
            let keeping = if fixed { Keeping::Fixed(Duration::from_millis(100)) } else { Keeping::Adaptive };
            let (out, jitter) = play(keeping, &arrivals, 2_000);
            let numbers: Vec<u16> = out.iter().filter_map(|what| what.parse().ok()).collect();
            // It may begin anew after a silence; what it hands out it hands out at most as often as it came.
            for n in 0..90_u16 {
                let came = arrivals.iter().filter(|(_, sequence)| *sequence == n).count();
                prop_assert!(numbers.iter().filter(|number| **number == n).count() <= came);
            }
            prop_assert!(jitter.waiting() <= Duration::from_millis(20 * 32 + 20));
        }

        #[test]
        fn hostile_numbers_neither_panic_nor_grow_it(
            packets in proptest::collection::vec((any::<u16>(), any::<u32>(), 1_u32..120_000, 0_u64..100), 0..300),
        ) {
            let mut jitter = Jitter::new(Keeping::Adaptive);
            let mut now = 0;
            for (sequence, stamp, micros, wait) in packets {
                now += wait;
                jitter.put(Time::from_millis(now), sequence, stamp, micros, Content::Audio(vec![1]));
                let mut heard = Vec::new();
                jitter.step(Time::from_millis(now), &mut heard);
                prop_assert!(heard.len() <= 40);
            }
        }
    }
}
