//! Who called for help, and is called back: one table for all shards, locked for one look-up, and kept over a restart.

use plugboard_model::{Dialled, OfficeId, Time, UserId, WallTime};
use plugboard_office::Office;
use plugboard_sip::flow::Flow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::env::Env;
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
    /// How it is reached, registered or not. `None`: its connection ended with the switch, and every device that the user has
    /// registered since may be it.
    pub(crate) device: Option<Device>,
    /// Nobody calls back later than this.
    pub(crate) until: Time,
}

/// The phones by the number that was shown of them.
#[derive(Clone, Default)]
pub(crate) struct Awaited(Arc<Mutex<Phones>>);

type Phones = BTreeMap<(OfficeId, Dialled), Vec<Phone>>;

/// One that is kept, of a user.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    number: String,
    contact: String,
    flow: Flow,
    path: Vec<String>,
    until: WallTime,
}

impl Awaited {
    /// A phone called for help and showed this number. Whoever starts the switch again knows it.
    pub(crate) fn await_call(&self, env: &Env, number: Dialled, phone: Phone) {
        let (now, user) = (env.clock.now(), phone.user.clone());
        self.add(&user.office, number, phone, now);
        let kept = self.of_user(&user, now, env.clock.wall());
        // Plain data of known length: it always can be written.
        let bytes = serde_json::to_vec(&kept).unwrap_or_default();
        if let Err(error) = env.store.awaited().put(&user, bytes) {
            tracing::error!(%user, %error, "who called for help could not be kept over a restart");
        }
    }

    /// Takes back what is kept of an office that comes into force. Waits for the disk.
    pub(crate) fn restore(&self, env: &Env, office: &Office) {
        let all = env.store.awaited().all(&office.id).unwrap_or_else(|error| {
            tracing::error!(office = %office.id, %error, "who called for help could not be read");
            Vec::new()
        });
        let (now, wall) = (env.clock.now(), env.clock.wall());
        for (user, bytes) in all {
            let kept: Vec<Kept> = serde_json::from_slice(&bytes).unwrap_or_default();
            let kept = kept.into_iter().filter(|kept| kept.until > wall && office.user(&user).is_some());
            let mut any = false;
            for Kept { number, contact, flow, path, until } in kept {
                let Ok(number) = Dialled::new(&number) else { continue };
                let left = u64::try_from(until.0.saturating_sub(wall.0)).unwrap_or(0);
                let device = (flow.connection == 0).then_some(Device { contact, flow, path, others: Vec::new() });
                let phone = Phone { user: user.clone(), device, until: now + Duration::from_millis(left) };
                self.add(&office.id, number, phone, now);
                any = true;
            }
            if !any && let Err(error) = env.store.awaited().remove(&user) {
                tracing::error!(%user, %error, "who is not waited for any more could not be forgotten");
            }
        }
    }

    fn of_user(&self, user: &UserId, now: Time, wall: WallTime) -> Vec<Kept> {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let phones = numbers.iter().flat_map(|((_, number), phones)| phones.iter().map(move |phone| (number, phone)));
        let kept =
            phones.filter(|(_, phone)| phone.user == *user && phone.until > now).filter_map(|(number, phone)| {
                let Device { contact, flow, path, .. } = phone.device.clone()?;
                let left = i64::try_from(phone.until.since(now).as_millis()).unwrap_or(0);
                let until = WallTime(wall.0.saturating_add(left));
                Some(Kept { number: number.as_str().to_owned(), contact, flow, path, until })
            });
        kept.collect()
    }

    fn add(&self, office: &OfficeId, number: Dialled, phone: Phone, now: Time) {
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
        let contact = |phone: &Phone| phone.device.as_ref().map(|device| device.contact.clone());
        phones.retain(|other| contact(other) != contact(&phone) || other.user != phone.user);
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
        let device = Device { contact: format!("sip:{user}@10.0.0.9"), flow, path: Vec::new(), others: Vec::new() };
        Phone {
            user: UserId { office, name: Name::new(user).unwrap() },
            device: Some(device),
            until: Time::from_millis(until),
        }
    }

    #[test]
    fn a_number_leads_to_the_last_phones_that_showed_it_and_no_longer_than_it_should() {
        let (awaited, office) = (Awaited::default(), OfficeId::new("main").unwrap());
        let number = Dialled::new("+4930").unwrap();
        for n in 0..12 {
            awaited.add(&office, number.clone(), phone(&format!("u{n}"), 1_000 + n), Time::ZERO);
            awaited.add(&office, number.clone(), phone(&format!("u{n}"), 1_000 + n), Time::ZERO);
        }
        let found = |at| awaited.phones(&office, &[&number], Time::from_millis(at)).len();
        assert_eq!((found(0), found(1_009), found(1_011)), (PHONES_MAX, 2, 0));
        assert_eq!(awaited.phones(&office, &[&Dialled::new("+4931").unwrap()], Time::ZERO), []);
        for n in 0..2_000 {
            let number = Dialled::new(&format!("+49{n}")).unwrap();
            awaited.add(&office, number, phone("ann", 5_000 + n), Time::ZERO);
        }
        assert_eq!(awaited.0.lock().unwrap().len(), NUMBERS_MAX);
    }
}
