//! Where calls are put aside: one table for all shards, locked for one look-up.

use actix::Recipient;
use plugboard_model::{Dialled, OfficeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::TakeParked;

/// The parked calls by office and place. An office has few places ([`plugboard_office::ParkRules`]).
#[derive(Clone, Default)]
pub(crate) struct Parking(Arc<Mutex<Places>>);

type Places = BTreeMap<(OfficeId, u32), Recipient<TakeParked>>;

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
        call: Recipient<TakeParked>,
    ) -> Result<Place, NoPlace> {
        let wanted = place.map(|place| number(place, places).ok_or(NoPlace::Unknown)).transpose()?;
        let mut parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = |place: &u32| !parked.contains_key(&(office.clone(), *place));
        let free = match wanted {
            Some(place) => Some(place).filter(is_free),
            None => (1..=places).find(is_free),
        };
        let key = (office.clone(), free.ok_or(NoPlace::Taken)?);
        parked.insert(key.clone(), call);
        Ok(Place { parking: self.clone(), key })
    }

    /// The call in this place, or in the first that is taken.
    pub(crate) fn at(&self, office: &OfficeId, place: Option<&Dialled>) -> Option<Recipient<TakeParked>> {
        let parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match place {
            Some(place) => parked.get(&(office.clone(), number(place, u32::MAX)?)).cloned(),
            None => parked.iter().find(|((of, _), _)| of == office).map(|(_, call)| call.clone()),
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
        self.parking.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

fn number(place: &Dialled, places: u32) -> Option<u32> {
    place.as_str().parse().ok().filter(|number| (1..=places).contains(number))
}
