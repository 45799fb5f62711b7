//! Callers whom a step puts aside.

use crate::CallError;
use serde::{Deserialize, Serialize};

/// How a parked caller was put aside no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkEnd {
    /// Somebody fetched him, and talks to him.
    Retrieved,
    /// His time is over.
    TimeOver,
}

/// Why somebody was not put aside, or not to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkError {
    /// The place is taken, or every one, or the office has none of this number; which of these.
    NoPlace(String),
    /// As any request about the call.
    Refused(CallError),
}
