//! The seam to whatever keeps what people say: the engine gives it each packet of a leg that is recorded, and never waits.

use crate::codec::Codec;
use plugboard_model::Time;
use std::fmt;
use std::sync::Arc;

/// Where what a leg says and hears goes as well. Cheap to clone.
#[derive(Clone)]
pub struct Tape(Arc<dyn Take>);

/// Takes what is said. Called on the media thread: it must hand over and return, never wait.
pub trait Take: Send + Sync {
    /// What happened at `at`, which is of the media plane's own clock.
    fn take(&self, at: Time, taped: Taped<'_>);
}

/// Whose sound it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the leg says.
    Said,
    /// What it hears: its peer, or what is played to it.
    Heard,
}

/// What a tape is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taped<'a> {
    /// A leg has it from now on.
    On,
    /// It has it no more. What comes after that is of another leg, or of a later time.
    Off,
    /// A packet.
    Sound {
        /// Whose.
        side: Side,
        /// How it is packed.
        codec: Codec,
        /// The stream's name: with another one the timestamps begin anew.
        stream: u32,
        /// Where in the stream it lies, by the codec's clock.
        timestamp: u32,
        /// What is said.
        payload: &'a [u8],
    },
    /// Nothing more than that time goes on; each half second.
    Still,
}

impl Tape {
    /// A tape that gives everything to `take`.
    pub fn new(take: Arc<dyn Take>) -> Self {
        Self(take)
    }

    pub(crate) fn take(&self, at: Time, taped: Taped<'_>) {
        self.0.take(at, taped);
    }
}

impl PartialEq for Tape {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tape")
    }
}
