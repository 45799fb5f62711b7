//! Where calls are put aside: one table for all shards, locked for one look-up.

use actix::Recipient;
use plugboard_model::{CallId, Dialled, OfficeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::{PlaceShows, Shown, TakeParked};
use crate::post::post;

/// The parked calls by office and place. An office has few places ([`plugboard_office::ParkRules`]).
#[derive(Clone, Default)]
pub(crate) struct Parking(Arc<Mutex<Places>>);

#[derive(Default)]
struct Places {
    taken: BTreeMap<(OfficeId, u32), Parked>,
    /// Those who are told when a place is taken or free again: one a shard.
    watchers: Vec<Recipient<PlaceShows>>,
}

/// A call that is parked.
#[derive(Clone)]
pub(crate) struct Parked {
    pub(crate) call: CallId,
    /// Who waits.
    pub(crate) whom: Shown,
    /// The call itself.
    pub(crate) take: Recipient<TakeParked>,
}

/// A place that is taken; free again when this is dropped.
pub(crate) struct Place {
    parking: Parking,
    key: (OfficeId, u32),
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The office has none of this number.
    Unknown,
    /// Somebody is parked there, or everywhere.
    Taken,
}

impl Parking {
    /// Takes this place of an office with so many, or the first that is free.
    pub(crate) fn park(
        &self,
        office: &OfficeId,
        place: Option<&Dialled>,
        places: u32,
        call: Parked,
    ) -> Result<Place, NoPlace> {
        let wanted = place.map(|place| number(place, places).ok_or(NoPlace::Unknown)).transpose()?;
        let mut parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = |place: &u32| !parked.taken.contains_key(&(office.clone(), *place));
        let free = match wanted {
            Some(place) => Some(place).filter(is_free),
            None => (1..=places).find(is_free),
        };
        let key = (office.clone(), free.ok_or(NoPlace::Taken)?);
        parked.taken.insert(key.clone(), call);
        parked.tell(&key);
        Ok(Place { parking: self.clone(), key })
    }

    /// The call in this place, or in the first that is taken.
    pub(crate) fn at(&self, office: &OfficeId, place: Option<&Dialled>) -> Option<Recipient<TakeParked>> {
        let parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match place {
            Some(place) => parked.taken.get(&(office.clone(), number(place, u32::MAX)?)).map(|one| one.take.clone()),
            None => parked.taken.iter().find(|((of, _), _)| of == office).map(|(_, one)| one.take.clone()),
        }
    }

    /// What is in this place.
    pub(crate) fn shows(&self, office: &OfficeId, place: u32) -> Option<Parked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).taken.get(&(office.clone(), place)).cloned()
    }

    /// Whoever is to be told of every change, for as long as the switch runs.
    pub(crate) fn watch(&self, news: Recipient<PlaceShows>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).watchers.push(news);
    }
}

impl Places {
    fn tell(&self, (office, place): &(OfficeId, u32)) {
        for news in &self.watchers {
            post(news, PlaceShows { office: office.clone(), place: *place });
        }
    }
}

impl Place {
    /// Its number.
    pub(crate) const fn number(&self) -> u32 {
        self.key.1
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut parked = self.parking.0.lock().unwrap_or_else(PoisonError::into_inner);
        parked.taken.remove(&self.key);
        parked.tell(&self.key);
    }
}

/// The number of a place, of so many.
pub(crate) fn number(place: &Dialled, places: u32) -> Option<u32> {
    place.as_str().parse().ok().filter(|number| (1..=places).contains(number))
}
