//! Push services in a story: they take every notification, and the story sees which.

use plugboard_switch::{Push, PushTarget};
use std::sync::{Arc, Mutex, PoisonError};

/// The service that stories know.
const SERVICE: &str = "story";

/// A push service that only remembers.
#[derive(Clone)]
pub(crate) struct Pushes {
    names: Vec<String>,
    woken: Arc<Mutex<Vec<String>>>,
}

impl Default for Pushes {
    fn default() -> Self {
        Self { names: vec![SERVICE.into()], woken: Arc::default() }
    }
}

impl Pushes {
    /// The devices that were to be woken, in order.
    pub(crate) fn woken(&self) -> Vec<String> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Push for Pushes {
    fn providers(&self) -> &[String] {
        &self.names
    }

    fn wake(&self, device: &PushTarget) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(device.prid.clone());
    }
}
