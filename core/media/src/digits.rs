//! Keys from telephone-event packets (RFC 4733): one digit per event, whatever was lost or repeated.

use crate::rtp::Header;
use plugboard_model::Time;
use std::time::Duration;

/// A key whose packets stopped without an end has been let go. Updates come each 20 to 50 ms.
const END_LOST: Duration = Duration::from_millis(300);

/// The longest duration one segment can say; longer events go on in another segment (RFC 4733 section 2.5.1.3).
const SEGMENT: u32 = 0xFFFF;

/// The keys by event number (RFC 4733 section 3.2); 16, the flash, is no key.
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// A key that was pressed and let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digit {
    pub(crate) key: char,
    pub(crate) duration: Duration,
}

/// An event whose end has not been seen.
#[derive(Debug, Clone, Copy)]
struct Held {
    ssrc: u32,
    timestamp: u32,
    event: u8,
    /// Of the segments before this one.
    before: u32,
    duration: u32,
    clock: u32,
    at: Time,
}

/// One leg's receiver of telephone-event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digits {
    held: Option<Held>,
    /// The stream and timestamp of the last event told.
    told: Option<(u32, u32)>,
}

impl Digits {
    /// Takes a packet whose durations count `clock` ticks a second; tells up to two digits: one whose end was lost, and the
    /// packet's own.
    pub(crate) fn packet(
        &mut self,
        now: Time,
        header: &Header,
        payload: &[u8],
        clock: u32,
        mut tell: impl FnMut(Digit),
    ) {
        let Some([event, flags, d0, d1]) = payload.first_chunk::<4>().copied() else {
            return;
        };
        if self.is_old(header) {
            return;
        }
        let duration = u32::from(u16::from_be_bytes([d0, d1]));
        let fresh = Held { ssrc: header.ssrc, timestamp: header.timestamp, event, before: 0, duration, clock, at: now };
        let held = match self.held.take() {
            Some(held) if held.ssrc == fresh.ssrc && held.timestamp == fresh.timestamp => {
                Held { duration: held.duration.max(duration), at: now, ..held }
            }
            Some(held) if held.continues_as(&fresh, header.marker) => {
                Held { before: held.before.saturating_add(SEGMENT), ..fresh }
            }
            Some(held) => {
                self.finish(&held, &mut tell);
                fresh
            }
            None => fresh,
        };
        if flags & 0x80 == 0 {
            self.held = Some(held);
        } else {
            self.finish(&held, &mut tell);
        }
    }

    /// Time passed: an event that nobody ended is over.
    pub(crate) fn expire(&mut self, now: Time, mut tell: impl FnMut(Digit)) {
        if let Some(held) = self.held
            && now.since(held.at) >= END_LOST
        {
            self.held = None;
            self.finish(&held, &mut tell);
        }
    }

    /// A repetition of the event told last, or a late packet of one before it.
    fn is_old(&self, header: &Header) -> bool {
        self.told.is_some_and(|(ssrc, timestamp)| {
            ssrc == header.ssrc && header.timestamp.wrapping_sub(timestamp).cast_signed() <= 0
        })
    }

    fn finish(&mut self, held: &Held, tell: &mut impl FnMut(Digit)) {
        self.told = Some((held.ssrc, held.timestamp));
        if let Some(key) = KEYS.get(usize::from(held.event)).copied() {
            let samples = u64::from(held.before) + u64::from(held.duration);
            tell(Digit { key, duration: Duration::from_millis(samples * 1_000 / u64::from(held.clock.max(1))) });
        }
    }
}

impl Held {
    /// `next` is the next segment of the same long press.
    fn continues_as(&self, next: &Self, marker: bool) -> bool {
        !marker
            && self.ssrc == next.ssrc
            && self.event == next.event
            && next.timestamp.wrapping_sub(self.timestamp) == SEGMENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Phone {
        digits: Digits,
        told: Vec<(char, u64)>,
        now_ms: u64,
    }

    impl Phone {
        fn new() -> Self {
            Self { digits: Digits::default(), told: Vec::new(), now_ms: 0 }
        }

        fn send(&mut self, timestamp: u32, marker: bool, payload: [u8; 4]) {
            self.now_ms += 20;
            let header = Header { marker, payload_type: 101, sequence: 0, timestamp, ssrc: 7, payload: 12..16 };
            let told = &mut self.told;
            self.digits.packet(Time::from_millis(self.now_ms), &header, &payload, 8_000, |digit| {
                told.push((digit.key, u64::try_from(digit.duration.as_millis()).unwrap()));
            });
        }

        /// The packets of a press: updates each 20 ms, then the end three times. `lost` says which never arrive.
        fn press(&mut self, timestamp: u32, event: u8, frames: u16, lost: impl Fn(usize) -> bool) {
            let updates = (1..=frames).map(|n| (n * 160, 0_u8));
            let ends = (0..3).map(|_| ((frames + 1) * 160, 0x80));
            for (index, (duration, end)) in updates.chain(ends).enumerate() {
                if !lost(index) {
                    let [d0, d1] = duration.to_be_bytes();
                    self.send(timestamp, index == 0, [event, end | 0x0A, d0, d1]);
                }
            }
        }

        fn keys(&self) -> String {
            self.told.iter().map(|(key, _)| *key).collect()
        }
    }

    #[test]
    fn a_press_with_three_ends_is_one_digit() {
        let mut phone = Phone::new();
        phone.press(1_000, 5, 4, |_| false);
        assert_eq!(phone.told, [('5', 100)]);
    }

    #[test]
    fn end_packets_alone_make_a_digit() {
        let mut phone = Phone::new();
        phone.press(1_000, 11, 4, |index| index < 6);
        assert_eq!(phone.told, [('#', 100)]);
    }

    #[test]
    fn the_same_key_twice_is_two_digits() {
        let mut phone = Phone::new();
        phone.press(1_000, 1, 2, |_| false);
        phone.press(3_000, 1, 2, |_| false);
        assert_eq!(phone.keys(), "11");
    }

    #[test]
    fn a_press_whose_ends_are_lost_is_told_by_the_next_one() {
        let mut phone = Phone::new();
        phone.press(1_000, 1, 4, |index| index >= 4);
        phone.press(3_000, 2, 4, |_| false);
        assert_eq!(phone.keys(), "12");
    }

    #[test]
    fn a_press_whose_ends_are_lost_is_told_after_a_while() {
        let mut phone = Phone::new();
        phone.press(1_000, 10, 4, |index| index >= 4);
        let mut late = Vec::new();
        phone.digits.expire(Time::from_millis(phone.now_ms + 299), |digit| late.push(digit.key));
        assert_eq!(late, []);
        phone.digits.expire(Time::from_millis(phone.now_ms + 300), |digit| late.push(digit.key));
        assert_eq!(late, ['*']);
    }

    #[test]
    fn packets_of_an_older_event_that_come_late_are_no_digit() {
        let mut phone = Phone::new();
        phone.press(1_000, 1, 2, |_| false);
        phone.press(3_000, 2, 2, |_| false);
        phone.send(1_000, false, [1, 0x8A, 0, 160]);
        assert_eq!(phone.keys(), "12");
    }

    #[test]
    fn a_press_of_nine_seconds_is_one_digit() {
        let mut phone = Phone::new();
        phone.send(1_000, true, [4, 10, 0xFF, 0xFF]);
        phone.send(1_000 + SEGMENT, false, [4, 10, 0x10, 0]);
        phone.send(1_000 + SEGMENT, false, [4, 0x8A, 0x20, 0]);
        assert_eq!(phone.told, [('4', u64::from(SEGMENT + 0x2000) / 8)]);
    }

    #[test]
    fn the_flash_is_no_key() {
        let mut phone = Phone::new();
        phone.press(1_000, 16, 2, |_| false);
        assert_eq!(phone.keys(), "");
    }

    proptest! {
        #[test]
        fn any_loss_that_leaves_one_packet_a_press_loses_no_digit(
            keys in proptest::collection::vec((0_u8..16, 0_usize..7), 1..12),
            losses in proptest::collection::vec(any::<bool>(), 7),
        ) {
            let mut phone = Phone::new();
            let mut timestamp = u32::MAX - 5_000;
            for (key, kept) in &keys {
                phone.press(timestamp, *key, 4, |index| index != *kept && losses[index]);
                timestamp = timestamp.wrapping_add(2_000);
            }
            let told = &mut phone.told;
            phone.digits.expire(Time::from_millis(phone.now_ms + 1_000), |digit| told.push((digit.key, 0)));
            let expected: String = keys.iter().map(|(key, _)| KEYS[usize::from(*key)]).collect();
            prop_assert_eq!(phone.keys(), expected);
        }

        #[test]
        fn hostile_payloads_never_panic(packets in proptest::collection::vec((any::<u32>(), any::<[u8; 4]>(), any::<bool>()), 0..50)) {
            let mut phone = Phone::new();
            for (timestamp, payload, marker) in packets {
                phone.send(timestamp, marker, payload);
            }
            prop_assert!(phone.told.len() <= 100);
        }
    }
}
