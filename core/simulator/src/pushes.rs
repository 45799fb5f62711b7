//! Push services in a story: they take every notification, unless they know the device no more, and the story sees which.

use plugboard_switch::{Push, PushTarget};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The service that stories know.
const SERVICE: &str = "story";

/// A push service that only remembers.
#[derive(Clone)]
pub(crate) struct Pushes {
    names: Vec<String>,
    woken: Arc<Mutex<Vec<String>>>,
    gone: Arc<Mutex<BTreeSet<String>>>,
}

impl Default for Pushes {
    fn default() -> Self {
        Self { names: vec![SERVICE.into()], woken: Arc::default(), gone: Arc::default() }
    }
}

impl Pushes {
    /// There is no such device from now on.
    pub(crate) fn forgets(&self, prid: &str) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(prid.to_owned());
    }

    /// The devices that were to be woken, in order.
    pub(crate) fn woken(&self) -> Vec<String> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Push for Pushes {
    fn providers(&self) -> &[String] {
        &self.names
    }

    fn wake(&self, device: &PushTarget, gone: Box<dyn FnOnce() + Send>) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(device.prid.clone());
        if self.gone.lock().unwrap_or_else(PoisonError::into_inner).contains(&device.prid) {
            gone();
        }
    }
}
