//! Recordings and voice messages: WAV files that grow while people talk, and can be played at any moment of it.
//!
//! A `Reel` lays the packets of both sides on one time line; [`Recorder`] has the queue that media threads put them into,
//! and the two threads that write: one lets files grow, the other one sums up those that are whole, so that a long one holds up
//! no other. The disk is behind [`Disk`]: a folder, or memory in simulations. Whoever talks waits for none of
//! it: what the queue does not take is missing, and silence stands in its place.

mod desk;
mod disk;
mod document;
mod line;
mod queue;
mod reel;
mod wav;
mod writer;

pub use disk::{Disk, Folder, Memory};
pub use document::{DocumentError, Sheet, pdf, sheets};
pub use queue::{InlineRecorder, QUEUE_MAX, Recorder, Recording};
pub use reel::{Form, Shape};
pub use wav::{Measured, WavError, measure, read};
pub use writer::{Kept, Order, Talked, Told, look, sum};
