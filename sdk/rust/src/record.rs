//! A recording of the call.

use crate::bindings::plugboard::switch::record as raw;

pub use crate::bindings::plugboard::switch::record::{RecordError, StartOptions};

/// Begins to record, answering the caller first. Returns at once.
///
/// # Errors
/// Every [`RecordError`].
pub fn start(options: &StartOptions) -> Result<(), RecordError> {
    raw::start(options)
}

/// Pauses the recording: what is said meanwhile is no part of it. Returns at once.
///
/// # Errors
/// [`RecordError::NotRecording`], [`RecordError::CallerGone`].
pub fn pause() -> Result<(), RecordError> {
    raw::pause()
}

/// Goes on with it. Returns at once.
///
/// # Errors
/// [`RecordError::NotRecording`], [`RecordError::CallerGone`].
pub fn resume() -> Result<(), RecordError> {
    raw::resume()
}

/// Ends it. Returns at once.
///
/// # Errors
/// [`RecordError::NotRecording`], [`RecordError::NotAllowed`], [`RecordError::CallerGone`].
pub fn stop() -> Result<(), RecordError> {
    raw::stop()
}
