//! Wrong PINs of mailboxes and of callers, so that no restart gives anybody new tries.
//!
//! ```text
//! <office> 00 p <whose>    how many, and when the last one was
//! ```

use crate::codec::Form;
use crate::engine::{Change, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{OfficeId, WallTime};
use std::ops::ControlFlow;

const FORM: Form = Form::new("wrong PINs", 1);
/// Entries that a start reads of an office: far more than callers are remembered.
const TRIES_MAX: usize = 100_000;

/// Wrong PINs of all offices.
#[derive(Clone)]
pub struct PinTriesKept {
    store: Store,
}

/// What is kept of one mailbox or caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTries {
    /// Whose; whatever its owner wrote.
    pub whose: String,
    /// Wrong in a row.
    pub wrong: u32,
    /// The last one.
    pub last: WallTime,
}

impl PinTriesKept {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps how many were wrong in place of what was. Never waits.
    ///
    /// # Errors
    /// [`StoreError::Key`]: the name is no key.
    pub fn put(&self, office: &OfficeId, tries: &KeptTries) -> Result<(), StoreError> {
        let value = FORM.encode(&(tries.wrong, tries.last))?;
        self.store.submit(Class::Record, vec![Change::put(key(office, &tries.whose)?, value)], None);
        Ok(())
    }

    /// Forgets whose they were. Never waits.
    ///
    /// # Errors
    /// [`StoreError::Key`]: the name is no key.
    pub fn remove(&self, office: &OfficeId, whose: &str) -> Result<(), StoreError> {
        self.store.submit(Class::Record, vec![Change::delete(key(office, whose)?)], None);
        Ok(())
    }

    /// All of an office. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all(&self, office: &OfficeId) -> Result<Vec<KeptTries>, StoreError> {
        let space = Key::space(Scope::Office(office), Space::PinTries);
        let mut all = Vec::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |row, value| {
            let row = Key { space: Space::PinTries, bytes: row.to_vec() };
            if let Some(whose) = row.parts().into_iter().next()
                && let Ok((wrong, last)) = FORM.decode(value)
            {
                all.push(KeptTries { whose, wrong, last });
            }
            if all.len() >= TRIES_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(all)
    }
}

fn key(office: &OfficeId, whose: &str) -> Result<Key, StoreError> {
    Ok(Key::new(Scope::Office(office), Space::PinTries, &[whose])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;

    #[test]
    fn the_last_word_is_kept_of_each() {
        let store = Store::start(Place::Memory, None).unwrap();
        let (tries, office) = (store.pin_tries(), OfficeId::new("main").unwrap());
        let of = |whose: &str, wrong| KeptTries { whose: whose.into(), wrong, last: WallTime(i64::from(wrong)) };
        for one in [of("user ann", 1), of("caller 099", 2), of("user ann", 3), of("user bob", 1)] {
            tries.put(&office, &one).unwrap();
        }
        tries.remove(&office, "user bob").unwrap();
        store.sync().unwrap();
        assert_eq!(tries.all(&office).unwrap(), [of("caller 099", 2), of("user ann", 3)]);
        assert_eq!(tries.all(&OfficeId::new("other").unwrap()).unwrap(), []);
    }
}
