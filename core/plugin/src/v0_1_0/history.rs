//! Capability `history`.

use super::bindings::plugboard::switch::history as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{HistoryError, HostCall, HostResult};

/// Bytes of a number.
const NUMBER_BYTES: std::ops::RangeInclusive<usize> = 1..=64;
/// How far back it is looked: longer than anything is kept.
const DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;

impl wit::Host for Guest {
    async fn last_talk(
        &mut self,
        number: String,
        days: u32,
    ) -> wasmtime::Result<Result<Option<wit::Talk>, wit::HistoryError>> {
        let fits = words::in_range("the bytes of number", number.len(), NUMBER_BYTES);
        if let Err(fault) = fits.and_then(|_| words::in_range("days", days, DAYS)) {
            return Ok(Err(wit::HistoryError::Invalid(fault)));
        }
        let HostResult::Talked(done) = self.ask(HostCall::LastTalk { number, days }).await? else {
            return Err(wrong_answer("history.last-talk"));
        };
        Ok(done.map(|talk| talk.map(|talk| wit::Talk { user: words::user_told(&talk.user), at: talk.at.0 })).map_err(
            |why| match why {
                HistoryError::Unavailable(reason) => wit::HistoryError::Unavailable(reason),
                HistoryError::Invalid(which) => wit::HistoryError::Invalid(which),
            },
        ))
    }
}
