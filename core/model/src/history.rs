//! What an office remembers of its calls, as actions ask for it.

use crate::{UserId, WallTime};
use serde::{Deserialize, Serialize};

/// A user talked with a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// Who.
    pub user: UserId,
    /// When they began.
    pub at: WallTime,
}

/// Why nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryError {
    /// It cannot be read now, with the reason.
    Unavailable(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}
