//! Random numbers, from the call's journal: a replay draws the same.

use crate::bindings::plugboard::switch::random as raw;

/// At most 256 bytes; more is cut.
pub fn bytes(len: u32) -> Vec<u8> {
    raw::bytes(len)
}

/// A number below `bound`, each with the same chance; 0 when `bound` is 0.
pub fn below(bound: u64) -> u64 {
    raw::below(bound)
}
