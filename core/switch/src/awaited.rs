//! Who called for help, and is called back: one table for all shards, locked for one look-up.

use plugboard_model::{Dialled, OfficeId, Time, UserId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::Device;

/// Numbers that are waited for; past it the one that ends first is forgotten.
const NUMBERS_MAX: usize = 1_024;
/// Phones of one number that all ring: more calls for help than this of one place are one event, and each of its people
/// can say what it is.
const PHONES_MAX: usize = 8;

/// A phone that called for help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phone {
    /// Whose.
    pub(crate) user: UserId,
    /// How it is reached, registered or not.
    pub(crate) device: Device,
    /// Nobody calls back later than this.
    pub(crate) until: Time,
}

/// The phones by the number that was shown of them.
#[derive(Clone, Default)]
pub(crate) struct Awaited(Arc<Mutex<Phones>>);

type Phones = BTreeMap<(OfficeId, Dialled), Vec<Phone>>;

impl Awaited {
    /// A phone called for help and showed this number.
    pub(crate) fn await_call(&self, office: &OfficeId, number: Dialled, phone: Phone, now: Time) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.retain(|_, phones| {
            phones.retain(|phone| phone.until > now);
            !phones.is_empty()
        });
        let key = (office.clone(), number);
        if numbers.len() >= NUMBERS_MAX && !numbers.contains_key(&key) {
            let ends_first = numbers.iter().min_by_key(|(_, phones)| phones.last().map(|phone| phone.until));
            if let Some(first) = ends_first.map(|(key, _)| key.clone()) {
                numbers.remove(&first);
            }
        }
        let phones = numbers.entry(key).or_default();
        phones.retain(|other| other.device.contact != phone.device.contact || other.user != phone.user);
        if phones.len() >= PHONES_MAX {
            phones.remove(0);
        }
        phones.push(phone);
    }

    /// The phones that a call to this number is for now.
    pub(crate) fn phones(&self, office: &OfficeId, numbers: &[&Dialled], now: Time) -> Vec<Phone> {
        let awaited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if awaited.is_empty() {
            return Vec::new();
        }
        let of = |number: &&Dialled| awaited.get(&(office.clone(), (*number).clone()));
        let found = numbers.iter().find_map(of).into_iter().flatten();
        found.filter(|phone| phone.until > now).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::Name;
    use plugboard_sip::flow::{Flow, Transport};

    fn phone(user: &str, until: u64) -> Phone {
        let office = OfficeId::new("main").unwrap();
        let address = "10.0.0.9:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Udp, local: address, remote: address, connection: 0 };
        let device = Device { contact: format!("sip:{user}@10.0.0.9"), flow, path: Vec::new() };
        Phone { user: UserId { office, name: Name::new(user).unwrap() }, device, until: Time::from_millis(until) }
    }

    #[test]
    fn a_number_leads_to_the_last_phones_that_showed_it_and_no_longer_than_it_should() {
        let (awaited, office) = (Awaited::default(), OfficeId::new("main").unwrap());
        let number = Dialled::new("+4930").unwrap();
        for n in 0..12 {
            awaited.await_call(&office, number.clone(), phone(&format!("u{n}"), 1_000 + n), Time::ZERO);
            awaited.await_call(&office, number.clone(), phone(&format!("u{n}"), 1_000 + n), Time::ZERO);
        }
        let found = |at| awaited.phones(&office, &[&number], Time::from_millis(at)).len();
        assert_eq!((found(0), found(1_009), found(1_011)), (PHONES_MAX, 2, 0));
        assert_eq!(awaited.phones(&office, &[&Dialled::new("+4931").unwrap()], Time::ZERO), []);
        for n in 0..2_000 {
            let number = Dialled::new(&format!("+49{n}")).unwrap();
            awaited.await_call(&office, number, phone("ann", 5_000 + n), Time::ZERO);
        }
        assert_eq!(awaited.0.lock().unwrap().len(), NUMBERS_MAX);
    }
}
