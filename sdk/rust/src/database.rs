//! Questions to databases that the office knows: a query by its name, never SQL.

use crate::bindings::plugboard::switch::database as raw;

pub use crate::bindings::plugboard::switch::database::{Answer, Argument, DatabaseError, Request};

/// Asks a database, and waits for its answer, at most as long as the office lets it take.
///
/// # Errors
/// Every [`DatabaseError`].
pub fn ask(request: &Request) -> Result<Answer, DatabaseError> {
    raw::ask(request)
}
