//! Questions for the time, as documents ask them.

#[cfg(test)]
mod questions;
