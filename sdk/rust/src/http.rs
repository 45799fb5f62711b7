//! Requests to services of the web that the office knows as its sources.

use crate::bindings::plugboard::switch::http as raw;

pub use crate::bindings::plugboard::switch::http::{HttpError, Method, Request, Response};
pub use crate::bindings::plugboard::switch::types::NoticeError;

/// Asks a source, and waits for its response, at most as long as the office lets it take.
///
/// # Errors
/// Every [`HttpError`].
pub fn send(request: &Request) -> Result<Response, HttpError> {
    raw::send(request)
}

/// Takes a document for `POST` into the outbox; it is kept when this returns. The name under which it is known there.
///
/// # Errors
/// Every [`NoticeError`].
pub fn post_later(source: &str, path: &str, body: &str) -> Result<String, NoticeError> {
    raw::post_later(source, path, body)
}
