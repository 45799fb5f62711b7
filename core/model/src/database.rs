//! Questions to databases of the office, as actions ask them: a query by its name, never its words.

use serde::{Deserialize, Serialize};

/// What is asked of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseRequest {
    /// A database of the office, by name.
    pub database: String,
    /// One of its queries, by name.
    pub query: String,
    /// A value for each of the query's parameters; at most 32, and 16,384 bytes in all.
    pub with: Vec<(String, Argument)>,
}

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Boolean(bool),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseRows {
    /// A JSON list of objects, one a row, by the names of the columns; empty for a query that returns none.
    pub rows: String,
    /// How many rows that is; of a query that writes and returns none, how many it changed.
    pub count: u64,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseError {
    /// The office has no such database or query, or the query's parameters are others; with the reason.
    Denied(String),
    /// It did not answer in its time; nothing was changed.
    TimeOver,
    /// It cannot be reached or does not let us in, or failed just now and is left alone for a while; nothing was asked. With the reason.
    Unreachable(String),
    /// The connection broke; nothing was changed. With the reason.
    Broken(String),
    /// It has as many questions as it may have.
    Busy,
    /// It refused the query, such as one that writes where reading alone is allowed; with its reason.
    Refused(String),
    /// More rows than the office lets it return.
    TooManyRows(u32),
    /// The rows are longer than they may be, in bytes.
    TooLong(u32),
    /// A column is of a type that cannot be shown; with its name and type.
    Unshown(String),
    /// What it was to change may have been changed, or not: no answer came. With the reason.
    Unknown(String),
    /// A parameter is out of its range, with the range.
    Invalid(String),
}
