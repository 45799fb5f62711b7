//! Rooms in which more than two talk: one table for all shards, locked for one look-up.

use plugboard_media::{MediaLeg, Rate, Room, SEATS_MAX};
use plugboard_model::OfficeId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rooms by office and name. One exists while somebody is in it, so that there are never more than calls.
#[derive(Clone, Default)]
pub(crate) struct Rooms(Arc<Mutex<Open>>);

type Open = BTreeMap<(OfficeId, String), Seated>;

struct Seated {
    room: Room,
    legs: Vec<MediaLeg>,
}

/// A seat that is taken; free again when this is dropped.
pub(crate) struct Entry {
    rooms: Rooms,
    key: (OfficeId, String),
    leg: MediaLeg,
}

impl Rooms {
    /// Takes a seat for a leg: the room, and who is there already. None: with it there would be more than `seats_max`.
    pub(crate) fn enter(
        &self,
        office: &OfficeId,
        name: &str,
        leg: MediaLeg,
        seats_max: u16,
    ) -> Option<(Entry, Room, Vec<MediaLeg>)> {
        let key = (office.clone(), name.to_owned());
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = open.get(&key).map_or(0, |seated| seated.legs.len());
        if taken >= usize::from(seats_max).min(SEATS_MAX) {
            return None;
        }
        // Phones and gateways of the narrow kind are most, and lose nothing by the wider one.
        let seated =
            open.entry(key.clone()).or_insert_with(|| Seated { room: Room::new(Rate::Wide), legs: Vec::new() });
        let (room, others) = (seated.room.clone(), seated.legs.clone());
        seated.legs.push(leg);
        drop(open);
        Some((Entry { rooms: self.clone(), key, leg }, room, others))
    }

    /// How many there are.
    pub(crate) fn open(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Entry {
    /// Who else is there.
    pub(crate) fn others(&self) -> Vec<MediaLeg> {
        let open = self.rooms.0.lock().unwrap_or_else(PoisonError::into_inner);
        let legs = open.get(&self.key).map(|seated| seated.legs.as_slice()).unwrap_or_default();
        legs.iter().copied().filter(|leg| *leg != self.leg).collect()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.rooms.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seated) = open.get_mut(&self.key) {
            seated.legs.retain(|leg| *leg != self.leg);
            if seated.legs.is_empty() {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_there_while_somebody_is_in_it_and_no_other_office_finds_it() {
        let (rooms, ours) = (Rooms::default(), OfficeId::new("main").unwrap());
        let theirs = OfficeId::new("other").unwrap();
        let (first, room, others) = rooms.enter(&ours, "sales", MediaLeg(1), 3).unwrap();
        assert!(others.is_empty());
        let (second, same, others) = rooms.enter(&ours, "sales", MediaLeg(2), 3).unwrap();
        assert_eq!((same == room, others), (true, vec![MediaLeg(1)]));
        let (_third, another, others) = rooms.enter(&theirs, "sales", MediaLeg(3), 3).unwrap();
        assert_eq!((another == room, others), (false, Vec::new()));
        assert_eq!((rooms.open(), first.others()), (2, vec![MediaLeg(2)]));
        drop(first);
        assert_eq!(second.others(), []);
        drop(second);
        assert_eq!(rooms.open(), 1);
    }

    #[test]
    fn nobody_enters_a_room_that_is_full() {
        let (rooms, office) = (Rooms::default(), OfficeId::new("main").unwrap());
        let enter = |leg, seats_max| rooms.enter(&office, "sales", MediaLeg(leg), seats_max);
        let _first = enter(1, 2).unwrap();
        let second = enter(2, 2).unwrap();
        assert!(enter(3, 2).is_none());
        let _more = enter(3, 3).unwrap();
        drop(second);
        assert!(enter(4, 2).is_none(), "two are there");
        assert!(enter(4, 3).is_some());
    }
}
