//! Capability `database`.

use super::bindings::plugboard::switch::database as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{Argument, DatabaseError, DatabaseRequest, HostCall, HostResult};

/// Bytes of a database's and of a query's name.
const NAME_BYTES: std::ops::RangeInclusive<usize> = 1..=64;
/// Values, and their bytes with their names.
const WITH_MAX: usize = 32;
const WITH_BYTES_MAX: usize = 16_384;

impl wit::Host for Guest {
    async fn ask(&mut self, request: wit::Request) -> wasmtime::Result<Result<wit::Answer, wit::DatabaseError>> {
        let request = match read(request) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::DatabaseError::Invalid(fault))),
        };
        let HostResult::Queried(done) = self.ask(HostCall::Query(request)).await? else {
            return Err(wrong_answer("database.ask"));
        };
        Ok(done.map(|came| wit::Answer { rows: came.rows, count: came.count }).map_err(|why| match why {
            DatabaseError::Denied(reason) => wit::DatabaseError::Denied(reason),
            DatabaseError::TimeOver => wit::DatabaseError::TimeOver,
            DatabaseError::Unreachable(reason) => wit::DatabaseError::Unreachable(reason),
            DatabaseError::Broken(reason) => wit::DatabaseError::Broken(reason),
            DatabaseError::Busy => wit::DatabaseError::Busy,
            DatabaseError::Refused(reason) => wit::DatabaseError::Refused(reason),
            DatabaseError::TooManyRows(most) => wit::DatabaseError::TooManyRows(most),
            DatabaseError::TooLong(bytes) => wit::DatabaseError::TooLong(bytes),
            DatabaseError::Unshown(column) => wit::DatabaseError::Unshown(column),
            DatabaseError::Unknown(reason) => wit::DatabaseError::Unknown(reason),
            DatabaseError::Invalid(which) => wit::DatabaseError::Invalid(which),
        }))
    }
}

fn read(request: wit::Request) -> Result<DatabaseRequest, String> {
    let wit::Request { database, query, values: with } = request;
    words::in_range("the bytes of database", database.len(), NAME_BYTES)?;
    words::in_range("the bytes of query", query.len(), NAME_BYTES)?;
    words::in_range("the entries of values", with.len(), 0..=WITH_MAX)?;
    let bytes = |argument: &wit::Argument| match argument {
        wit::Argument::Text(text) => text.len(),
        wit::Argument::Number(_) | wit::Argument::Boolean(_) => 8,
    };
    let bytes = with.iter().map(|(name, value)| name.len() + bytes(value)).sum();
    words::in_range("the bytes of values", bytes, 0..=WITH_BYTES_MAX)?;
    let plain = |(name, value)| {
        let value = match value {
            wit::Argument::Text(text) => Argument::Text(text),
            wit::Argument::Number(number) => Argument::Number(number),
            wit::Argument::Boolean(yes) => Argument::Boolean(yes),
        };
        (name, value)
    };
    Ok(DatabaseRequest { database, query, with: with.into_iter().map(plain).collect() })
}
