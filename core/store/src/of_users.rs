//! One value a user, read as a whole when the switch starts: the devices that he has registered, what he has set, who
//! called him last. Whatever its owner writes.

use crate::engine::{Change, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{OfficeId, UserId};
use std::ops::ControlFlow;

/// Bytes of one user's value.
const VALUE_LEN_MAX: usize = 64 << 10;
/// Users that a start reads.
const USERS_MAX: usize = 1_000_000;

/// Values of one kind, of the users of all offices.
#[derive(Clone)]
pub struct OfUsers {
    store: Store,
    space: Space,
    class: Class,
}

impl OfUsers {
    /// Of what a power cut may take the last: it comes again by itself.
    pub(crate) const fn passing(store: Store, space: Space) -> Self {
        Self { store, space, class: Class::State }
    }

    /// Of what somebody relies on: synced.
    pub(crate) const fn lasting(store: Store, space: Space) -> Self {
        Self { store, space, class: Class::Record }
    }

    /// Keeps a user's value in place of the earlier one. Never waits.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] past 64 KiB.
    pub fn put(&self, user: &UserId, value: Vec<u8>) -> Result<(), StoreError> {
        if value.len() > VALUE_LEN_MAX {
            return Err(StoreError::TooLarge { what: "what is kept of a user", len: value.len(), max: VALUE_LEN_MAX });
        }
        self.store.submit(self.class, vec![Change::put(self.key(user)?, value)], None);
        Ok(())
    }

    /// Forgets a user's value. Never waits.
    ///
    /// # Errors
    /// [`StoreError::Key`]; user names always are keys.
    pub fn remove(&self, user: &UserId) -> Result<(), StoreError> {
        self.store.submit(self.class, vec![Change::delete(self.key(user)?)], None);
        Ok(())
    }

    /// Every user of an office who has a value. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all(&self, office: &OfficeId) -> Result<Vec<(UserId, Vec<u8>)>, StoreError> {
        let space = Key::space(Scope::Office(office), self.space);
        let mut all = Vec::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |row, value| {
            let row = Key { space: self.space, bytes: row.to_vec() };
            let user = row.parts().first().and_then(|name| UserId::new(office, name).ok());
            all.extend(user.map(|user| (user, value.to_vec())));
            if all.len() >= USERS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(all)
    }

    fn key(&self, user: &UserId) -> Result<Key, StoreError> {
        Ok(Key::new(Scope::Office(&user.office), self.space, &[user.name.as_str()])?)
    }
}
