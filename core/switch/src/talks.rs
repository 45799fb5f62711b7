//! Who talks in which call, for those who supervise them: one table for all shards, locked for one look-up.

use actix::Recipient;
use plugboard_model::{CallId, UserId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::Supervise;

/// The talks of users that go on. A user has few at once.
#[derive(Clone, Default)]
pub(crate) struct Talks(Arc<Mutex<Begun>>);

type Begun = BTreeMap<(UserId, CallId), Recipient<Supervise>>;

/// A talk of a user; over when this is dropped.
pub(crate) struct Talk {
    talks: Talks,
    key: (UserId, CallId),
}

impl Talks {
    /// A user talks in this call.
    pub(crate) fn begin(&self, user: UserId, call: CallId, supervise: Recipient<Supervise>) -> Talk {
        let key = (user, call);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), supervise);
        Talk { talks: self.clone(), key }
    }

    /// The call in which he talks; of several, the one that began last.
    pub(crate) fn of(&self, user: &UserId) -> Option<Recipient<Supervise>> {
        let talks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        talks.iter().rev().find(|((whose, _), _)| whose == user).map(|(_, supervise)| supervise.clone())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.talks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
