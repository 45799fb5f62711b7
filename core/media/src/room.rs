//! Where more than two talk: everybody hears all others, and not himself (N-1).
//!
//! A leg's booth sits down in a room and each 20 ms gives it a frame and takes one. Frames have the number of their 20 ms
//! ([`Slot`]), the same on all media threads, so that legs of several of them share a room. What is heard is two of these
//! old: by then every frame is there, whenever in its 20 ms it was made. A room keeps the sum of each slot, so that a
//! listener costs the same however many talk.

use crate::coding::Rate;
use crate::command::MediaLeg;
use plugboard_model::Time;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Samples of the longest frame: 20 ms at 16 kHz.
const FRAME_MAX: usize = 320;

/// How many slots old is what is heard: one in which everybody puts, one for workers that are late.
const BEHIND: u64 = 2;

/// Slots that are kept: those behind, the one that is filled, and one for whoever is early.
const KEPT: usize = 4;

/// Everybody in one room. A conference of more is a broadcast, and wants another tool.
pub const SEATS_MAX: usize = 256;

/// The loudest that a mix may be; above it, all of it is made quieter.
const LOUDEST: i32 = 32_000;

/// How fast a mix that was made quieter gets its loudness back: of 256, a frame; all of it takes some half a second.
const RECOVERY: i32 = 10;

/// The number of a 20 ms since the switch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(u64);

impl Slot {
    pub(crate) const fn of(at: Time) -> Self {
        Self(at.as_millis() / 20)
    }

    /// So many slots earlier.
    pub(crate) const fn before(self, slots: u64) -> Self {
        Self(self.0.saturating_sub(slots))
    }

    fn place(self) -> usize {
        let [low, ..] = self.0.to_le_bytes();
        usize::from(low) % KEPT
    }
}

/// What somebody in a room says and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Talks to all, hears all.
    Talks,
    /// Hears all, and is not heard: muted, or a supervisor who listens.
    Listens,
    /// Hears all, and is heard by this leg alone: a supervisor who whispers.
    Whispers(MediaLeg),
}

/// One room. Cheap to clone; it is gone with its last clone.
#[derive(Clone)]
pub struct Room(Arc<Inside>);

struct Inside {
    rate: Rate,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    taken: BTreeMap<MediaLeg, Sitting>,
    /// What all who talk said, by slot.
    sums: [Sum; KEPT],
}

struct Sitting {
    /// Tells a seat that was taken anew from the one before it.
    serial: u32,
    role: Role,
    said: [Frame; KEPT],
    /// What the mix for this one is multiplied with, in 256ths.
    gain: i32,
}

/// What one said in a slot, and whether it is in the sum.
#[derive(Clone, Copy)]
struct Frame {
    slot: Option<Slot>,
    summed: bool,
    samples: [i16; FRAME_MAX],
}

struct Sum {
    slot: Option<Slot>,
    samples: [i32; FRAME_MAX],
}

impl Default for Frame {
    fn default() -> Self {
        Self { slot: None, summed: false, samples: [0; FRAME_MAX] }
    }
}

impl Default for Sum {
    fn default() -> Self {
        Self { slot: None, samples: [0; FRAME_MAX] }
    }
}

impl Room {
    /// An empty room. Who has a wider codec than its rate is heard as the rate has it.
    pub fn new(rate: Rate) -> Self {
        Self(Arc::new(Inside { rate, seats: Mutex::default() }))
    }

    /// The rate that is mixed at.
    pub fn rate(&self) -> Rate {
        self.0.rate
    }

    /// How many sit in it.
    pub fn taken(&self) -> usize {
        self.seats().taken.len()
    }

    /// Takes a seat; one that the leg has already is taken anew. None: the room is full.
    pub(crate) fn sit(&self, leg: MediaLeg, serial: u32, role: Role) -> Option<Seat> {
        let mut seats = self.seats();
        if seats.taken.len() >= SEATS_MAX && !seats.taken.contains_key(&leg) {
            return None;
        }
        let said = [Frame::default(); KEPT];
        seats.taken.insert(leg, Sitting { serial, role, said, gain: 256 });
        drop(seats);
        Some(Seat { room: self.clone(), leg, serial })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // A frame is put and taken without a step that could panic: nothing is ever half done.
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Room {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Room {}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Room({} Hz, {} seats taken)", self.0.rate.hertz(), self.taken())
    }
}

/// A place in a room; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    room: Room,
    leg: MediaLeg,
    serial: u32,
}

impl Seat {
    /// Gives what the leg said in a slot, nothing for silence, and appends what it hears then.
    pub(crate) fn exchange(&self, slot: Slot, said: Option<&[i16]>, heard: &mut Vec<i16>) {
        let frame = self.room.rate().frame();
        let mut seats = self.room.seats();
        if let Some(said) = said {
            seats.put(self.leg, slot, said);
        }
        let start = heard.len();
        heard.resize(start + frame, 0);
        if let Some(heard) = heard.get_mut(start..) {
            seats.mix(self.leg, slot.before(BEHIND), heard);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.room.seats();
        if seats.taken.get(&self.leg).is_some_and(|sitting| sitting.serial == self.serial) {
            seats.taken.remove(&self.leg);
        }
    }
}

impl Seats {
    fn put(&mut self, leg: MediaLeg, slot: Slot, said: &[i16]) {
        let Some(sitting) = self.taken.get_mut(&leg) else { return };
        let (Some(frame), Some(sum)) = (sitting.said.get_mut(slot.place()), self.sums.get_mut(slot.place())) else {
            return;
        };
        // Whoever comes so late that the slot is another's already is not heard; nor is a second frame of one slot.
        if sum.slot.is_some_and(|taken| taken > slot) || frame.slot == Some(slot) {
            return;
        }
        if sum.slot != Some(slot) {
            *sum = Sum { slot: Some(slot), ..Sum::default() };
        }
        *frame = Frame { slot: Some(slot), summed: sitting.role == Role::Talks, ..Frame::default() };
        for ((place, all), sample) in frame.samples.iter_mut().zip(&mut sum.samples).zip(said) {
            *place = *sample;
            if frame.summed {
                *all += i32::from(*sample);
            }
        }
    }

    /// The sum without the listener's own, with what is whispered to him.
    fn mix(&mut self, leg: MediaLeg, slot: Slot, heard: &mut [i16]) {
        let mut mixed = [0_i32; FRAME_MAX];
        if let Some(sum) = self.sums.get(slot.place()).filter(|sum| sum.slot == Some(slot)) {
            mixed = sum.samples;
        }
        for (other, sitting) in &self.taken {
            let Some(frame) = sitting.said.get(slot.place()).filter(|frame| frame.slot == Some(slot)) else { continue };
            // His own is in the sum, a whisper is not.
            let sign = match (*other == leg, frame.summed, sitting.role) {
                (true, true, _) => -1,
                (false, false, Role::Whispers(to)) if to == leg => 1,
                (true | false, true | false, Role::Talks | Role::Listens | Role::Whispers(_)) => continue,
            };
            for (all, sample) in mixed.iter_mut().zip(&frame.samples) {
                *all += sign * i32::from(*sample);
            }
        }
        let Some(sitting) = self.taken.get_mut(&leg) else { return };
        let peak = mixed.iter().map(|sample| sample.abs()).max().unwrap_or(0);
        // At once quieter, slowly louder: a voice that is cut is worse than one that dips.
        let bearable = if peak > LOUDEST { LOUDEST * 256 / peak } else { 256 };
        let from = sitting.gain.min(bearable);
        let to = bearable.min(sitting.gain + RECOVERY);
        sitting.gain = to;
        let steps = i32::try_from(heard.len().max(1)).unwrap_or(1);
        for ((place, sample), step) in heard.iter_mut().zip(mixed).zip(0..) {
            let gain = from + (to - from) * step / steps;
            let sample = i64::from(sample) * i64::from(gain) / 256;
            *place = i16::try_from(sample).unwrap_or(if sample < 0 { i16::MIN } else { i16::MAX });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: MediaLeg = MediaLeg::new(0, 1, 1);
    const B: MediaLeg = MediaLeg::new(1, 1, 1);
    const C: MediaLeg = MediaLeg::new(0, 2, 1);

    /// Lets each say a constant in one slot, and all hear it when its time has come.
    fn heard(seats: &[(&Seat, i16)]) -> Vec<i16> {
        let say = Slot(100);
        let mut scratch = Vec::new();
        for (seat, value) in seats {
            seat.exchange(say, Some(&[*value; 160]), &mut scratch);
        }
        let hear = |(seat, _): &(&Seat, i16)| {
            let mut heard = Vec::new();
            seat.exchange(Slot(say.0 + BEHIND), None, &mut heard);
            assert_eq!(heard.len(), 160);
            heard[80]
        };
        seats.iter().map(hear).collect()
    }

    fn seat(room: &Room, leg: MediaLeg, role: Role) -> Seat {
        room.sit(leg, 1, role).unwrap()
    }

    #[test]
    fn everybody_hears_all_others_and_not_himself() {
        let room = Room::new(Rate::Narrow);
        let [a, b, c] = [A, B, C].map(|leg| seat(&room, leg, Role::Talks));
        assert_eq!(heard(&[(&a, 100), (&b, 20), (&c, 3)]), [23, 103, 120]);
    }

    #[test]
    fn who_listens_is_not_heard_and_a_whisper_is_heard_by_one() {
        let room = Room::new(Rate::Narrow);
        let (a, b) = (seat(&room, A, Role::Talks), seat(&room, B, Role::Talks));
        let listener = seat(&room, C, Role::Listens);
        assert_eq!(heard(&[(&a, 100), (&b, 20), (&listener, 3)]), [20, 100, 120]);
        drop(listener);
        let whisperer = seat(&room, C, Role::Whispers(B));
        assert_eq!(heard(&[(&a, 100), (&b, 20), (&whisperer, 3)]), [20, 103, 120]);
    }

    #[test]
    fn too_loud_a_mix_is_made_quieter_as_a_whole_and_comes_back_slowly() {
        let room = Room::new(Rate::Narrow);
        let [a, b, c] = [A, B, C].map(|leg| seat(&room, leg, Role::Talks));
        let mut mixed = Vec::new();
        for slot in 0..40 {
            let loud = if slot < 10 { 30_000 } else { 1_000 };
            mixed.clear();
            a.exchange(Slot(slot), Some(&[loud; 160]), &mut Vec::new());
            b.exchange(Slot(slot), Some(&[loud; 160]), &mut Vec::new());
            c.exchange(Slot(slot), None, &mut mixed);
            match slot {
                2..12 => assert!((31_000..=LOUDEST).contains(&i32::from(mixed[159])), "{slot}: {}", mixed[159]),
                12 => assert!((1_000..1_200).contains(&mixed[0]), "not with a jump: {}", mixed[0]),
                39 => assert_eq!(mixed[0], 2_000, "it has its loudness back"),
                _ => {}
            }
        }
    }

    #[test]
    fn a_frame_that_comes_too_late_is_nobodys_and_spoils_no_other() {
        let room = Room::new(Rate::Narrow);
        let (a, b) = (seat(&room, A, Role::Talks), seat(&room, B, Role::Talks));
        let kept = u64::try_from(KEPT).unwrap();
        a.exchange(Slot(100 + kept), Some(&[7; 160]), &mut Vec::new());
        a.exchange(Slot(100), Some(&[9; 160]), &mut Vec::new());
        a.exchange(Slot(100 + kept), Some(&[9; 160]), &mut Vec::new());
        let mut heard = Vec::new();
        b.exchange(Slot(100 + kept + BEHIND), None, &mut heard);
        assert_eq!(heard[0], 7);
    }

    #[test]
    fn an_old_slot_is_silence() {
        let room = Room::new(Rate::Narrow);
        let (a, b) = (seat(&room, A, Role::Talks), seat(&room, B, Role::Talks));
        a.exchange(Slot(100), Some(&[7; 160]), &mut Vec::new());
        let mut heard = Vec::new();
        b.exchange(Slot(100 + BEHIND + 1), None, &mut heard);
        assert_eq!(heard, [0; 160]);
    }

    #[test]
    fn a_seat_is_free_when_it_is_left_and_not_when_it_was_taken_anew() {
        let room = Room::new(Rate::Wide);
        let first = room.sit(A, 1, Role::Talks).unwrap();
        let second = room.sit(A, 2, Role::Talks).unwrap();
        drop(first);
        assert_eq!(room.taken(), 1);
        drop(second);
        assert_eq!(room.taken(), 0);
    }

    #[test]
    fn a_room_has_so_many_seats_and_no_more() {
        let room = Room::new(Rate::Narrow);
        let leg = |slot| MediaLeg::new(0, slot, 1);
        let seats: Vec<Seat> = (0..256).map(|slot| seat(&room, leg(slot), Role::Listens)).collect();
        assert_eq!(seats.len(), SEATS_MAX);
        assert!(room.sit(leg(256), 1, Role::Talks).is_none());
        assert!(room.sit(leg(7), 2, Role::Talks).is_some(), "his own seat is his");
    }
}
