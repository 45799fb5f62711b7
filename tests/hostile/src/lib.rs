//! Components that do harm, written by hand in the text format of WebAssembly.

mod guest;

pub use guest::Guest;
