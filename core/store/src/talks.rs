//! Who talked with a number last.

use crate::calls::{CallStore, RecordFilter};
use crate::error::StoreError;
use plugboard_model::{CallRecord, Direction, OfficeId, Talk, UserId, WallTime};

/// Calls of one number that are looked at, in each of its forms: whoever called more often without talking to somebody is no customer.
const LOOK_MAX: usize = 500;
/// Calls that are read at once.
const PAGE: usize = 50;

impl CallStore {
    /// The user who talked last with a number outside, whoever called whom; a number is given in each form in which it may be written. Users
    /// whom `is_there` does not know do not count, nor do calls that began before `since`. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_talk(
        &self,
        office: &OfficeId,
        numbers: &[String],
        since: WallTime,
        is_there: &dyn Fn(&UserId) -> bool,
    ) -> Result<Option<Talk>, StoreError> {
        let mut last: Option<Talk> = None;
        for number in numbers {
            let filter = RecordFilter { from: Some(since), number: Some(number.clone()), ..RecordFilter::default() };
            let (mut after, mut looked) = (None, 0);
            while looked < LOOK_MAX {
                let page = self.records(office, &filter, after, PAGE)?;
                looked += page.records.len().max(1);
                after = page.next;
                // Of calls that went on at once, the one that began later need not be the one that was talked in last.
                let talks = page.records.iter().filter_map(|record| talk(record, number, is_there));
                let found = talks.max_by_key(|talk| talk.at);
                let any = found.is_some();
                last = last.into_iter().chain(found).max_by_key(|talk| talk.at);
                if any || after.is_none() {
                    break;
                }
            }
        }
        Ok(last)
    }
}

/// Who talked with this number in a call with the outside: the one who was put through to it last.
fn talk(record: &CallRecord, number: &str, is_there: &dyn Fn(&UserId) -> bool) -> Option<Talk> {
    let answered = record.answered?;
    let first = match record.direction {
        Direction::Outbound if record.called == number => &record.caller_user,
        Direction::Inbound if record.caller == number => &record.answered_by,
        Direction::Inbound | Direction::Outbound | Direction::Internal => return None,
    };
    let talked = record.legs.iter().filter_map(|leg| Some((leg.answered?, leg.user.as_ref()?)));
    let talked = talked.chain(first.as_ref().map(|user| (answered, user)));
    let (at, user) = talked.filter(|(_, user)| is_there(user)).max_by_key(|(at, _)| *at)?;
    Some(Talk { user: user.clone(), at })
}
