//! What components may try, and what becomes of it: refused or `failed`, the switch up, every other call untouched.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod describing;
mod installing;
mod leaving;
mod running;
