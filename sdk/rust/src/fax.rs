//! Faxes: a machine of the switch in place of a person.

use crate::bindings::plugboard::switch::fax as raw;
use crate::duration::millis;
use std::time::Duration;

pub use crate::bindings::plugboard::switch::fax::{Ended, FaxError, Received};

/// How a fax is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// What the machine says of itself: up to 20 of digits, `+` and blanks; empty: nothing.
    pub ident: String,
    /// It ends the call after so many pages: 1 to 500.
    pub pages_max: u32,
    /// It ends the call after this time: 30 s to 2 h.
    pub max: Duration,
}

/// Answers the caller and receives a fax from him. Waits until both machines are done, he hangs up, or the time is over, and until
/// the document is written. The call goes on when it returns.
///
/// # Errors
/// Every [`FaxError`].
pub fn receive(how: Receive) -> Result<Received, FaxError> {
    let Receive { ident, pages_max, max } = how;
    raw::receive(&raw::ReceiveOptions { ident, pages_max, max_ms: millis(max) })
}
