//! The end of the process.
#![expect(unsafe_code, reason = "_exit has no safe form in the standard library")]

use std::io::Write;

/// Ends the process, when everything is closed.
///
/// It passes over the destructors of RocksDB's static objects: a thread that read from the store and ends a moment
/// later would find them gone and abort, although nothing is lost.
pub(crate) fn leave(code: u8) -> ! {
    // Nobody may read any more; there is nothing else to be done.
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    // SAFETY: it takes no pointer and does not return.
    unsafe { libc::_exit(code.into()) }
}
