//! What devices each user has registered, so that a restart need not wait for them to come again.
//!
//! One value a user, whatever the registrar writes. Not synced: after a power cut a phone registers again by itself.

use crate::engine::{Change, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use crate::queue::Class;
use crate::store::Store;
use plugboard_model::{OfficeId, UserId};
use std::ops::ControlFlow;

/// Bytes of one user's bindings.
const BINDINGS_LEN_MAX: usize = 64 << 10;
/// Users that a start reads.
const USERS_MAX: usize = 1_000_000;

/// Registrations of all offices.
#[derive(Clone)]
pub struct Registrations {
    store: Store,
}

impl Registrations {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a user's bindings in place of the earlier ones. Never waits.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] past 64 KiB.
    pub fn put(&self, user: &UserId, bindings: Vec<u8>) -> Result<(), StoreError> {
        if bindings.len() > BINDINGS_LEN_MAX {
            return Err(StoreError::TooLarge { what: "a registration", len: bindings.len(), max: BINDINGS_LEN_MAX });
        }
        self.store.submit(Class::State, vec![Change::put(key(user)?, bindings)], None);
        Ok(())
    }

    /// Forgets a user's bindings. Never waits.
    ///
    /// # Errors
    /// [`StoreError::Key`]; user names always are keys.
    pub fn remove(&self, user: &UserId) -> Result<(), StoreError> {
        self.store.submit(Class::State, vec![Change::delete(key(user)?)], None);
        Ok(())
    }

    /// Every user of an office who has bindings. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all(&self, office: &OfficeId) -> Result<Vec<(UserId, Vec<u8>)>, StoreError> {
        let space = Key::space(Scope::Office(office), Space::Registrations);
        let mut all = Vec::new();
        self.store.engine().scan(Family::Main, &space.bytes, &space.end(), |row, bindings| {
            let row = Key { space: Space::Registrations, bytes: row.to_vec() };
            let user = row.parts().first().and_then(|name| UserId::new(office, name).ok());
            all.extend(user.map(|user| (user, bindings.to_vec())));
            if all.len() >= USERS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(all)
    }
}

fn key(user: &UserId) -> Result<Key, StoreError> {
    Ok(Key::new(Scope::Office(&user.office), Space::Registrations, &[user.name.as_str()])?)
}
