//! Requests to services of the web that the office knows as its sources.

use crate::bindings::plugboard::switch::http as raw;

pub use crate::bindings::plugboard::switch::http::{HttpError, Method, Request, Response};

/// Asks a source, and waits for its response, at most as long as the office lets it take.
///
/// # Errors
/// Every [`HttpError`].
pub fn send(request: &Request) -> Result<Response, HttpError> {
    raw::send(request)
}
