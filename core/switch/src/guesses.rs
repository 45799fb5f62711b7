//! What all shards know together of those who guess passwords.

use plugboard_sip::digest::Guesses;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One table for all shards: a guesser is the same on each, and so is a user who is registered.
///
/// Behind a lock and no actor, since each request with a password asks it and waits for the answer; it is held for one
/// look-up.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedGuesses(Arc<Mutex<Guesses>>);

impl SharedGuesses {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Guesses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
