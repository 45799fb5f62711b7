//! What ICE finds, for browsers that have none: no browser's media begins here.

use super::Sim;

impl Sim {
    /// Every browser that has a leg is gone from now on, as ICE finds it when its checks stop.
    pub fn browsers_are_gone(&self) {
        self.world.media.browsers_are(false);
    }

    /// They are there again.
    pub fn browsers_are_back(&self) {
        self.world.media.browsers_are(true);
    }
}
